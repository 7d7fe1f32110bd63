/*
 * logsql/filter_parse_op.c - reading comparisons.
 * One job: > >= < <= = != ~ !~ and the values after them.
 * Floor: 2 (uses record, base).
 */
#include <math.h>

#include "logsql/filter_internal.h"
#include "logsql/value.h"

int
filter_parse_number(struct lex *l, double *ret, struct str *ret_text)
{
	struct lex at = *l;
	int r;

	r = lex_compound(l, ret_text);
	if (r != 0)
		return err_trace(r);
	if (str_eq_nocase(*ret_text, STR("nan")))
		*ret = NAN;
	else if (!value_math(*ret_text, ret) || isnan(*ret))
		return lex_fail_want(&at, "a number, size, duration, time or IPv4 address");
	return 0;
}

int
filter_parse_compare(struct lex *l, bool *ret_greater, bool *ret_equal)
{
	int r;

	*ret_greater = lex_is(l, ">");
	r = lex_next(l);
	if (r != 0)
		return err_trace(r);
	*ret_equal = lex_is(l, "=");
	return *ret_equal ? err_trace(lex_next(l)) : 0;
}

int
filter_set_repr(struct lex *l, struct filter *f, struct str text)
{
	f->repr = arena_dup(l->arena, text);
	return f->repr.p == NULL ? err_origin(-ENOMEM) : 0;
}

/* f->repr := op text */
static int
set_repr(struct lex *l, struct filter *f, const char *op, struct str text)
{
	AUTO_FINI(buf_fini) struct buf b = BUF_INIT;
	int r;

	buf_c(&b, op);
	logsql_quote(&b, text);
	r = buf_err(&b);
	return r == 0 ? err_trace(filter_set_repr(l, f, buf_view(&b))) : err_trace(r);
}

/* text, or text and a NUL: the least string above it. */
static int
bound(struct lex *l, struct str text, bool above, struct str *ret)
{
	uint8_t *p;

	*ret = text;
	if (!above)
		return 0;
	p = arena_alloc(l->arena, text.n + 1);
	if (p == NULL)
		return err_origin(-ENOMEM);
	if (text.n != 0)
		memcpy(p, text.p, text.n);
	p[text.n] = '\0';
	*ret = str_of(p, text.n + 1);
	return 0;
}

static int
parse_string_range(struct lex *l, struct str field, const char *op, struct filter **ret)
{
	bool greater = op[0] == '>', equal = op[1] == '=';
	struct str_list values = { 0 };
	struct str text, at;
	int r;

	r = lex_compound(l, &text);
	if (r == 0)
		r = bound(l, text, greater != equal, &at);
	if (r == 0 && !greater)
		r = str_list_add(&values, l->arena, STR_NONE);
	if (r == 0)
		r = str_list_add(&values, l->arena, at);
	if (r == 0)
		r = filter_new(l, FILTER_STRING_RANGE, field, ret);
	if (r != 0)
		return err_trace(r);
	(*ret)->values = values.p;
	(*ret)->n_values = values.n;
	return err_trace(set_repr(l, *ret, op, text));
}

static int
parse_greater_less(struct lex *l, struct str field, struct filter **ret)
{
	bool greater, equal;
	struct lex saved;
	struct str text;
	const char *op;
	double v;
	int r;

	r = filter_parse_compare(l, &greater, &equal);
	if (r != 0)
		return err_trace(r);
	op = greater ? equal ? ">=" : ">" : equal ? "<=" : "<";
	saved = *l;
	r = filter_parse_number(l, &v, &text);
	if (r == LOGSQL_E_SYNTAX) {
		*l = saved;
		return err_trace(parse_string_range(l, field, op, ret));
	}
	if (r == 0)
		r = filter_new(l, FILTER_RANGE, field, ret);
	if (r != 0)
		return err_trace(r);
	if (!equal && !isinf(v))
		v = nextafter(v, greater ? INFINITY : -INFINITY);
	(*ret)->min = greater ? v : -INFINITY;
	(*ret)->max = greater ? INFINITY : v;
	return err_trace(set_repr(l, *ret, op, text));
}

/* A value after "=": none at the end of the filter or before "*". */
static int
parse_value(struct lex *l, struct str *ret)
{
	*ret = STR_NONE;
	if (l->end || lex_is_any(l, "* ) |"))
		return 0;
	return err_trace(lex_compound_until(l, "* , ( ) |", ret));
}

static int
parse_equal(struct lex *l, struct str field, struct filter **ret)
{
	enum filter_kind kind = FILTER_EXACT;
	struct str text;
	int r;

	r = lex_next(l);
	if (r == 0)
		r = parse_value(l, &text);
	if (r == 0 && lex_is(l, "*") && !l->space) {
		kind = FILTER_EXACT_PREFIX;
		r = lex_next(l);
	}
	if (r == 0)
		r = filter_new(l, kind, field, ret);
	if (r == 0)
		(*ret)->text = text;
	return err_trace(r);
}

int
filter_new_regex(struct lex *l, struct str field, size_t at, struct str pattern,
    struct filter **ret)
{
	char error[REGEX_ERROR_MAX];
	enum filter_kind kind = FILTER_REGEX;
	const struct regex *re = NULL;
	struct lex place = *l;
	int r;

	/* Tools write these for "any"; they must not cost a match. */
	if (pattern.n == 0 || str_eq(pattern, STR(".*")))
		kind = FILTER_ALL;
	else if (str_eq(pattern, STR(".+")))
		kind = FILTER_ANY_VALUE;
	if (kind == FILTER_REGEX) {
		r = regex_compile(&re, pattern, 0, l->arena, error);
		place.at = at;
		if (r == REGEX_E_SYNTAX)
			return lex_fail(&place, "bad regular expression: %s", error);
		if (r != 0)
			return err_trace(r);
	}
	r = filter_new(l, kind, field, ret);
	if (r != 0)
		return err_trace(r);
	(*ret)->text = pattern;
	(*ret)->regex = re;
	return 0;
}

static int
parse_regex(struct lex *l, struct str field, struct filter **ret)
{
	struct str pattern;
	size_t at;
	int r;

	r = lex_next(l);
	at = l->at;
	if (r == 0)
		r = lex_compound(l, &pattern);
	if (r != 0)
		return err_trace(r);
	return err_trace(filter_new_regex(l, field, at, pattern, ret));
}

int
filter_parse_op(struct lex *l, struct str field, struct filter **ret, bool *ret_done)
{
	bool negative = lex_is_any(l, "!= !~");
	struct filter *f;
	int r;

	*ret_done = true;
	if (lex_is_any(l, "> <"))
		return err_trace(parse_greater_less(l, field, ret));
	if (lex_is_any(l, "= !="))
		r = parse_equal(l, field, &f);
	else if (lex_is_any(l, "~ !~"))
		r = parse_regex(l, field, &f);
	else {
		*ret_done = false;
		return 0;
	}
	if (r != 0)
		return err_trace(r);
	if (negative)
		return err_trace(filter_new_node(l->arena, FILTER_NOT, &f, 1, ret));
	*ret = f;
	return 0;
}
