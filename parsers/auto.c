/*
 * parsers/auto.c - the form of each line by itself.
 * One job: from the first bytes say which format a line can be, and try it.
 * Floor: 2 (uses record, base).
 *
 * A line that its format refuses is a plain line: nobody said that it should be anything else.  Only
 * what begins like a JSON object and is none is worth a word.
 */
#include "parsers/logfmt.h"
#include "parsers/parser_internal.h"
#include "parsers/syslog.h"

/* Host, ident, user and a time in brackets. */
static bool
access_looks(struct str s)
{
	size_t at = str_find(str_sub(s, 0, 512), STR(" ["));

	return at != SIZE_MAX && at + 14 < s.n && s.p[at + 4] == '/' && s.p[at + 8] == '/' &&
	    s.p[at + 13] == ':';
}

/* What can be told without trying; format_plain when nothing can. */
static format_fn
guess(struct str s)
{
	size_t at = 0;

	while (at < s.n && (s.p[at] == ' ' || s.p[at] == '\t'))
		at++;
	if (at < s.n && s.p[at] == '{')
		return format_json;
	if (syslog_looks(s))
		return format_syslog;
	if (access_looks(s))
		return format_access;
	return logfmt_looks(s) ? format_logfmt : format_plain;
}

int
format_auto(struct context *c, struct str line)
{
	format_fn fn = guess(line);
	int r;

	r = fn(c, line);
	if (r != PARSE_E_SYNTAX || (fn == format_json && line.p[0] == '{'))
		return r;
	gather_begin(&c->g, c->g.arena);
	return format_plain(c, line);
}
