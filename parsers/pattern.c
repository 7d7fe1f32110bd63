/*
 * parsers/pattern.c - lines told by a regular expression.
 * One job: the named groups of a PCRE2 pattern as fields.
 * Floor: 2 (uses record, base).
 *
 * Names are copied into the record's arena, since the pattern may be gone before the record.  Without a
 * group for the message the whole line is it; text before and behind the match is kept in _rest.
 */
#include "parsers/parser_internal.h"

static int
add_group(struct gather *g, const uint8_t *entry, struct str line, const size_t *ovector)
{
	size_t no = (size_t)entry[0] << 8 | entry[1], from = ovector[2 * no],
	       to = ovector[2 * no + 1];
	struct str name;

	/* \K in a look-ahead can put the end before the start. */
	if (from == SIZE_MAX || to <= from || to > line.n)
		return 0;
	name = arena_dup(g->arena, str_c((const char *)entry + 2));
	if (name.p == NULL)
		return err_origin(-ENOMEM);
	return gather_add(g, name, str_sub(line, from, to), VALUE_STRING);
}

/* What the match left out on both sides, unless it is blank. */
static int
keep_outside(struct gather *g, struct str line, const size_t *ovector)
{
	struct str before = str_sub(line, 0, ovector[0]),
	           behind = str_sub(line, ovector[1], line.n);
	uint8_t *p;

	if (str_trim(before).n == 0 || str_trim(behind).n == 0) {
		g->rest = str_trim(before).n != 0 ? before : str_trim(behind);
		return 0;
	}
	p = arena_alloc(g->arena, before.n + behind.n);
	if (p == NULL)
		return err_origin(-ENOMEM);
	memcpy(p, before.p, before.n);
	memcpy(p + before.n, behind.p, behind.n);
	g->rest = str_of(p, before.n + behind.n);
	return 0;
}

int
format_pattern(struct context *c, struct str line)
{
	const size_t *ovector = NULL;
	const uint8_t *table = NULL;
	size_t n, entry = 0, i;
	int r = 0;

	switch (regex_match(c->pattern, line, &ovector)) {
	case REGEX_NONE:
		return gather_fail(&c->g, "pattern: no match");
	case REGEX_LIMIT:
		return gather_fail(&c->g, "pattern: gave up, a match limit was reached");
	case REGEX_FOUND:
		break;
	}
	n = regex_names(c->pattern, &table, &entry);
	for (i = 0; r == 0 && i < n; i++)
		r = add_group(&c->g, table + i * entry, line, ovector);
	if (r != 0)
		return r;
	if (c->g.msg_seen == 0)
		return gather_add(&c->g, STR("_msg"), line, VALUE_STRING);
	return keep_outside(&c->g, line, ovector);
}
