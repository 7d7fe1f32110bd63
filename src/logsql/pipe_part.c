/*
 * logsql/pipe_part.c - the parts that pipes are made of.
 * One job: names, numbers, conditions and lists, as they stand in every pipe.
 * Floor: 2 (uses base).
 */
#include "logsql/filter.h"
#include "logsql/pipe_internal.h"

bool
name_is_wild(struct str name)
{
	return name.n > 0 && name.p[name.n - 1] == '*';
}

bool
name_matches(struct str pattern, struct str name)
{
	if (name_is_wild(pattern))
		return str_starts(name, str_sub(pattern, 0, pattern.n - 1));
	return str_eq(pattern, name);
}

bool
names_match(const struct names *list, struct str name)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (name_matches(list->p[i], name))
			return true;
	return false;
}

bool
part_ends(const struct lex *l)
{
	return l->end || lex_is(l, "|") || lex_is(l, ")") || lex_is(l, ";");
}

int
part_skip(struct lex *l, const char *word, bool *ret)
{
	bool is = lex_is(l, word);

	if (ret != NULL)
		*ret = is;
	return is ? lex_next(l) : 0;
}

int
part_wild(struct lex *l, struct str *ret)
{
	struct lex start = *l;
	bool quoted = l->quoted;
	int r;

	r = lex_field_name(l, ret);
	if (r != 0)
		return r;
	if (!quoted && str_find_byte(str_sub(*ret, 0, ret->n - 1), '*') != SIZE_MAX) {
		*l = start;
		return lex_fail(l, "'*' may stand only at the end of a field name");
	}
	return 0;
}

int
part_name(struct lex *l, struct str *ret)
{
	struct lex start = *l;
	int r;

	r = part_wild(l, ret);
	if (r != 0)
		return r;
	if (name_is_wild(*ret)) {
		*l = start;
		return lex_fail(l, "expected the name of one field, without '*'");
	}
	return 0;
}

int
part_names_add(struct lex *l, struct names *list, struct str name)
{
	struct str *p;

	/* A power of two is full: the array doubles there. */
	if ((list->n & (list->n - 1)) == 0) {
		p = arena_alloc(l->arena, (list->n == 0 ? 1 : list->n * 2) * sizeof(*p));
		if (p == NULL)
			return err_origin(-ENOMEM);
		if (list->n != 0)
			memcpy(p, list->p, list->n * sizeof(*p));
		list->p = p;
	}
	list->p[list->n++] = name;
	return 0;
}

int
part_names(struct lex *l, bool wild, struct names *ret)
{
	struct str name;
	bool more = true;
	int r;

	while (more) {
		r = wild ? part_wild(l, &name) : part_name(l, &name);
		if (r == 0)
			r = part_names_add(l, ret, name);
		if (r == 0)
			r = part_skip(l, ",", &more);
		if (r != 0)
			return r;
	}
	return 0;
}

int
part_names_in(struct lex *l, bool wild, struct names *ret)
{
	struct str name;
	bool more = true;
	int r;

	r = lex_expect(l, "(");
	if (r != 0)
		return r;
	while (more && !lex_is(l, ")")) {
		r = wild ? part_wild(l, &name) : part_name(l, &name);
		if (r == 0)
			r = part_names_add(l, ret, name);
		if (r == 0)
			r = part_skip(l, ",", &more);
		if (r != 0)
			return r;
	}
	return lex_expect(l, ")");
}

int
part_number(struct lex *l, double *ret, struct str *ret_text)
{
	struct lex start = *l;
	struct str text;
	int r;

	r = lex_compound(l, &text);
	if (r != 0)
		return r;
	if (!value_number(text, ret)) {
		*l = start;
		return lex_fail(l, "expected a number");
	}
	if (ret_text != NULL)
		*ret_text = text;
	return 0;
}

int
part_uint(struct lex *l, const char *what, uint64_t *ret)
{
	struct lex start = *l;
	struct str text;
	int r;

	r = lex_compound(l, &text);
	if (r != 0)
		return r;
	if (!value_uint(text, ret)) {
		*l = start;
		return lex_fail(l, "expected %s, an integer", what);
	}
	return 0;
}

int
part_span(struct lex *l, const char *what, struct span *ret)
{
	struct lex start = *l;
	struct str text;
	int r;

	r = lex_compound(l, &text);
	if (r != 0)
		return r;
	if (!value_duration(text, &ret->ns)) {
		*l = start;
		return lex_fail(l, "expected %s, a duration such as 2h30m", what);
	}
	return 0;
}

int
part_condition(struct lex *l, struct filter **ret)
{
	int r;

	r = lex_expect(l, "(");
	if (r == 0)
		r = lex_enter(l);
	/* Nothing in the brackets is all rows. */
	if (r == 0)
		r = lex_is(l, ")") ? filter_and(NULL, NULL, l->arena, ret) : filter_parse(l, ret);
	if (r == 0)
		r = lex_expect(l, ")");
	if (r == 0)
		lex_leave(l);
	return r;
}

int
part_unique(struct lex *l, struct str name, const struct names *taken, struct str *ret)
{
	uint8_t *p;
	size_t i;

	for (i = 0; i < taken->n; i++) {
		if (!str_eq(name, taken->p[i]))
			continue;
		p = arena_alloc(l->arena, name.n + 1);
		if (p == NULL)
			return err_origin(-ENOMEM);
		memcpy(p, name.p, name.n);
		p[name.n] = 's';
		name = str_of(p, name.n + 1);
		/* The longer name may be taken as well. */
		i = SIZE_MAX;
	}
	*ret = name;
	return 0;
}

void
part_format_name(struct buf *out, struct str name)
{
	if (!name_is_wild(name)) {
		logsql_quote(out, name);
		return;
	}
	if (name.n > 1)
		logsql_quote(out, str_sub(name, 0, name.n - 1));
	buf_byte(out, '*');
}

void
part_format_names(struct buf *out, const struct names *list)
{
	size_t i;

	for (i = 0; i < list->n; i++) {
		if (i > 0)
			buf_c(out, ", ");
		part_format_name(out, list->p[i]);
	}
}
