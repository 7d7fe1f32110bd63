/*
 * config/config_check.c - what values mean to other rooms.
 * One job: ask the rooms that will use a value whether they can.
 * Floor: 5 (uses ingest, logsql, parsers, base).
 */
#include "config/config_check.h"

#include "ingest/redact.h"
#include "ingest/shape.h"
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
config_check_redact(struct walk *w, const yaml_node_t *node, const struct config_redact *redact)
{
	AUTO(redact_free) struct redact *rd = NULL;
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;

	if (redact_new(&rd, redact->pattern, redact->with, SHAPE_MATCH_LIMIT, &why) > 0)
		walk_bad(w, node, "%s", buf_c_str(&why));
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

static void
check_path(struct walk *w, const yaml_node_t *node, struct str p)
{
	if (p.n == 0 || p.p[0] != '/' || p.p[p.n - 1] == '/')
		walk_bad(w, node, "paths: '%.*s': must be the absolute name of a file or a glob",
		    STR_ARG(p));
}

static void
check_counts(struct walk *w, const yaml_node_t *node, const struct config_input *in)
{
	if (in->n_stream > SHAPE_LABELS_MAX)
		walk_bad(w, node, "stream: expected at most %d labels", SHAPE_LABELS_MAX);
	if (in->n_redact > SHAPE_REDACTIONS_MAX)
		walk_bad(w, node, "redact: expected at most %d patterns", SHAPE_REDACTIONS_MAX);
}

void
config_check_input(struct walk *w, const yaml_node_t *node, const struct config_input *in)
{
	AUTO(parser_free) struct parser *p = NULL;
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	struct parser_options opt = { 0 };
	size_t i;

	for (i = 0; i < in->n_paths; i++)
		check_path(w, node, in->paths[i]);
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
	check_counts(w, node, in);
}
