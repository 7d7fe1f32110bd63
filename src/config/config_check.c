/*
 * config/config_check.c - what values mean to other rooms.
 * One job: ask the rooms that will use a value whether they can.
 * Floor: 5 (uses logsql, parsers, base).
 */
#define PCRE2_CODE_UNIT_WIDTH 8

#include "config/config_check.h"

#include <pcre2.h>
#include <stdio.h>

#include "logsql/query.h"
#include "parsers/parser.h"

void
config_check_filter(struct walk *w, const yaml_node_t *node, const char *key, struct str text)
{
	struct logsql_options opt = { wall_now(), 0 };
	struct logsql_error e = { 0 };
	struct arena arena = ARENA_INIT;
	struct filter *f = NULL;

	if (query_parse_filter(text, &opt, &arena, &f, &e) != 0)
		walk_bad(w, node, "%s: column %zu of '%.*s': %s", key, e.at + 1, STR_ARG(text),
		    e.text);
	arena_fini(&arena);
}

void
config_check_pattern(struct walk *w, const yaml_node_t *node, const char *key, struct str text)
{
	PCRE2_UCHAR why[128];
	PCRE2_SIZE at;
	pcre2_code *code;
	int err;

	code = pcre2_compile(text.p, text.n, PCRE2_NEVER_BACKSLASH_C, &err, &at, NULL);
	if (code == NULL) {
		(void)pcre2_get_error_message(err, why, sizeof(why));
		walk_bad(w, node, "%s: offset %zu of '%.*s': %s", key, at, STR_ARG(text),
		    (const char *)why);
	}
	pcre2_code_free(code);
}

/* A counted string as a C string of the walk's arena; NULL when it is empty. */
static const char *
c_or_null(struct walk *w, struct str s)
{
	char *c = s.n != 0 ? arena_alloc(w->arena, s.n + 1) : NULL;

	if (c != NULL) {
		memcpy(c, s.p, s.n);
		c[s.n] = '\0';
	}
	return c;
}

void
config_check_input(struct walk *w, const yaml_node_t *node, const struct config_input *in)
{
	AUTO(parser_free) struct parser *p = NULL;
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	struct parser_options opt = { 0 };

	if (in->is_journal && (in->multiline.n != 0 || in->start.n != 0 || in->continuation.n != 0))
		walk_bad(w, node,
		    "multiline: is for files: an entry of the journal is one event, and may have many lines");
	opt.name = c_or_null(w, in->parser);
	opt.pattern = in->pattern;
	opt.multiline = c_or_null(w, in->multiline);
	opt.start = in->start;
	opt.continuation = in->continuation;
	opt.group_timeout = in->group_timeout;
	opt.zone_set = in->zone_set;
	opt.zone_s = in->zone_s;
	if (parser_new(&p, &opt, &why) != 0)
		walk_bad(w, node, "%s", buf_c_str(&why));
	if (in->drop.n != 0)
		config_check_filter(w, node, "drop", in->drop);
}
