/*
 * parsers/plain.c - lines without a form.
 * One job: the line is the message; a time that it begins with is its time.
 * Floor: 2 (uses record, base).
 */
#include "parsers/parser_internal.h"

static bool
ends_time(struct str line, size_t at)
{
	return at == line.n || memchr(" \t],|;", line.p[at], 6) != NULL;
}

int
format_plain(struct context *c, struct str line)
{
	size_t skip = line.n > 0 && line.p[0] == '[', n;
	struct wall t;

	n = moment_prefix(&c->moment, str_sub(line, skip, line.n), &t);
	/* A word that goes on behind the time is no time. */
	if (n != 0 && ends_time(line, skip + n)) {
		c->g.timed = true;
		c->g.time = t;
	}
	return gather_add(&c->g, STR("_msg"), line, VALUE_STRING);
}
