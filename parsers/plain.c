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

/* What programs put before the time: '[', or as Redis does, "123:M ". */
static size_t
before_time(struct str line)
{
	size_t i = 0;

	if (line.n > 0 && line.p[0] == '[')
		return 1;
	while (i < line.n && i < 10 && line.p[i] >= '0' && line.p[i] <= '9')
		i++;
	return i > 0 && i + 3 < line.n && line.p[i] == ':' && line.p[i + 2] == ' ' ? i + 3 : 0;
}

int
format_plain(struct context *c, struct str line)
{
	size_t skip = before_time(line), n;
	struct wall t;

	n = moment_prefix(&c->moment, str_sub(line, skip, line.n), &t);
	if (n == 0 && skip != 0)
		n = moment_english(&c->moment, str_sub(line, skip, line.n), &t);
	/* A word that goes on behind the time is no time. */
	if (n != 0 && ends_time(line, skip + n)) {
		c->g.timed = true;
		c->g.time = t;
	}
	return gather_add(&c->g, STR("_msg"), line, VALUE_STRING);
}
