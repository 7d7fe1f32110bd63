/*
 * parsers/auto.c - the form of each line by itself.
 * One job: from the first bytes say which format a line can be, and try it.
 * Floor: 2 (uses record, base).
 *
 * A line that its format refuses is a plain line: nobody said that it should be anything else.
 */
#include "parsers/parser_internal.h"

int
format_auto(struct context *c, struct str line)
{
	int r = PARSE_E_SYNTAX;

	if (line.n > 1 && line.p[0] == '{')
		r = format_json(c, line);
	if (r != PARSE_E_SYNTAX)
		return r;
	gather_begin(&c->g, c->g.arena);
	return format_plain(c, line);
}
