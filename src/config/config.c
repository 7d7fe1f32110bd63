/*
 * config/config.c - weir.yaml.
 * One job: the configuration file as structs, or every mistake in it with its place.
 * Floor: 5 (uses ingest, logsql, parsers, base).
 *
 * A document is read whole by libyaml and walked by tables of keys (config_yaml.c); what a value means to
 * another room (filters, patterns, parsers) is checked by that room's own compiler (config_check.c).
 */
#include "config/config.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>

#include "base/io.h"
#include "config/config_check.h"
#include "doc/walk.h"

enum { CONFIG_BYTES_MAX = 1 << 20 };

#define KEY(type, member, key)                                          \
	{                                                               \
		key, WALK_##type, offsetof(struct config, member), NULL \
	}

static void
read_keep_item(struct walk *w, yaml_node_t *node, void *item)
{
	static const struct walk_key keys[] = {
		{ "match", WALK_STR, offsetof(struct config_keep, match), NULL },
		{ "for", WALK_SPAN, offsetof(struct config_keep, keep), NULL },
	};
	struct config_keep *keep = item;

	walk_map(w, node, keys, ARRAY_LEN(keys), keep);
	if (keep->match.n == 0 || keep->keep.ns == 0)
		walk_bad(w, node, "expected both match (a LogsQL filter) and for (a duration)");
	else
		config_check_filter(w, node, "match", keep->match);
}

static void
read_keep(struct walk *w, yaml_node_t *node, void *base)
{
	struct config *c = base;
	void *items = NULL;

	c->store.n_keep = walk_list(w, node, sizeof(*c->store.keep), &items, read_keep_item);
	c->store.keep = items;
}

static void
read_store(struct walk *w, yaml_node_t *node, void *base)
{
	static const struct walk_key keys[] = {
		KEY(STR, store.path, "path"),
		KEY(SPAN, store.retention, "retention"),
		KEY(SIZE, store.max_bytes, "max_bytes"),
		KEY(PERCENT, store.min_free_percent, "min_free_percent"),
		KEY(SPAN, store.keep_floor, "keep_floor"),
		KEY(SPAN, store.commit_interval, "commit_interval"),
		KEY(SIZE, store.seal_bytes, "seal_bytes"),
		KEY(SPAN, store.seal_age, "seal_age"),
		KEY(STR, store.group, "group"),
		{ "keep", WALK_CALL, 0, read_keep },
	};

	walk_map(w, node, keys, ARRAY_LEN(keys), base);
}

static void
read_auth(struct walk *w, yaml_node_t *node, void *base)
{
	struct config *c = base;
	struct str s;

	if (!walk_scalar(w, node, &s))
		return;
	if (str_eq_c(s, "token"))
		c->http.auth = CONFIG_AUTH_TOKEN;
	else if (str_eq_c(s, "none"))
		c->http.auth = CONFIG_AUTH_NONE;
	else
		walk_bad(w, node, "expected token or none, found '%.*s'", STR_ARG(s));
}

static bool
is_loopback(struct str listen)
{
	return str_starts(listen, STR("127.")) || str_starts(listen, STR("localhost:")) ||
	    str_starts(listen, STR("[::1]:"));
}

static bool
has_port(struct str listen)
{
	size_t i = listen.n;

	while (i > 0 && listen.p[i - 1] >= '0' && listen.p[i - 1] <= '9')
		i--;
	return i < listen.n && i > 1 && listen.p[i - 1] == ':' && listen.n - i <= 5;
}

static void
read_http(struct walk *w, yaml_node_t *node, void *base)
{
	static const struct walk_key keys[] = {
		KEY(STR, http.listen, "listen"),
		{ "auth", WALK_CALL, 0, read_auth },
	};
	struct config *c = base;

	walk_map(w, node, keys, ARRAY_LEN(keys), base);
	c->http.on = c->http.listen.n != 0 && !str_eq_c(c->http.listen, "off");
	if (!c->http.on)
		return;
	if (!has_port(c->http.listen))
		walk_bad(w, node,
		    "listen: expected off or address:port such as 127.0.0.1:9428, found '%.*s'",
		    STR_ARG(c->http.listen));
	else if (c->http.auth == CONFIG_AUTH_NONE && !is_loopback(c->http.listen))
		walk_bad(w, node, "auth: none is for loopback only; '%.*s' needs auth: token",
		    STR_ARG(c->http.listen));
}

static void
read_from(struct walk *w, yaml_node_t *node, void *base)
{
	struct config_input *in = base;
	struct str s;
	bool zone;

	if (!walk_scalar(w, node, &s))
		return;
	if (str_eq_c(s, "boot"))
		in->from = CONFIG_FROM_BOOT;
	else if (str_eq_c(s, "beginning"))
		in->from = CONFIG_FROM_BEGINNING;
	else if (str_eq_c(s, "now"))
		in->from = CONFIG_FROM_NOW;
	else if (str_eq_c(s, "end"))
		in->from = CONFIG_FROM_END;
	else if (wall_parse_rfc3339(s, wall_local_offset(wall_now()), &in->from_time, &zone) == 0)
		in->from = CONFIG_FROM_TIME;
	else
		walk_bad(w, node,
		    "expected boot, beginning, now, end or a time such as 2024-05-01T00:00:00Z, found '%.*s'",
		    STR_ARG(s));
}

static void
read_zone(struct walk *w, yaml_node_t *node, void *base)
{
	struct config_input *in = base;
	struct wall t;
	struct buf b = BUF_INIT;
	struct str s;
	bool zone;

	if (!walk_scalar(w, node, &s) || str_eq_c(s, "local"))
		return;
	/* A zone is what may follow a time. */
	buf_c(&b, "1970-01-02T00:00:00");
	if (str_eq_nocase(s, STR("UTC")))
		buf_c(&b, "Z");
	else
		buf_str(&b, s);
	if (s.n != 0 && wall_parse_rfc3339(buf_view(&b), 0, &t, &zone) == 0 && zone) {
		in->zone_set = true;
		in->zone_s = (int)(86400 - t.ns / NS_PER_S);
	} else {
		walk_bad(w, node, "expected UTC, local or an offset such as +02:00, found '%.*s'",
		    STR_ARG(s));
	}
	buf_fini(&b);
}

struct pair_list {
	struct config_pair *items;
	size_t n;
};

static void
add_pair(struct walk *w, struct str key, yaml_node_t *key_node, yaml_node_t *value, void *base)
{
	struct pair_list *list = base;
	struct config_pair *pair = &list->items[list->n];

	pair->name = arena_dup(w->arena, key);
	if (key.n == 0)
		walk_bad(w, key_node, "expected a name");
	else if (walk_scalar(w, value, &pair->value))
		list->n++;
}

static struct pair_list
read_pairs(struct walk *w, yaml_node_t *node)
{
	struct pair_list list = { NULL, 0 };
	size_t n = 0;

	if (node->type == YAML_MAPPING_NODE)
		n = (size_t)(node->data.mapping.pairs.top - node->data.mapping.pairs.start);
	list.items = arena_zalloc(w->arena, n + 1, sizeof(*list.items));
	if (list.items != NULL)
		walk_pairs(w, node, add_pair, &list);
	return list;
}

static void
read_stream(struct walk *w, yaml_node_t *node, void *base)
{
	struct config_input *in = base;
	struct pair_list list = read_pairs(w, node);

	in->stream = list.items;
	in->n_stream = list.n;
}

static void
read_fields(struct walk *w, yaml_node_t *node, void *base)
{
	struct config_input *in = base;
	struct pair_list list = read_pairs(w, node);

	in->fields = list.items;
	in->n_fields = list.n;
}

static void
read_redact_item(struct walk *w, yaml_node_t *node, void *item)
{
	static const struct walk_key keys[] = {
		{ "pattern", WALK_STR, offsetof(struct config_redact, pattern), NULL },
		{ "with", WALK_STR, offsetof(struct config_redact, with), NULL },
	};
	struct config_redact *redact = item;

	walk_map(w, node, keys, ARRAY_LEN(keys), redact);
	if (redact->pattern.n == 0)
		walk_bad(w, node,
		    "expected pattern (a regular expression) and with (its replacement)");
	else
		config_check_redact(w, node, redact);
}

static void
read_redact(struct walk *w, yaml_node_t *node, void *base)
{
	struct config_input *in = base;
	void *items = NULL;

	in->n_redact = walk_list(w, node, sizeof(*in->redact), &items, read_redact_item);
	in->redact = items;
}

#define IN(type, member, key)                                                 \
	{                                                                     \
		key, WALK_##type, offsetof(struct config_input, member), NULL \
	}
#define IN_BOTH                                                                                  \
	IN(STR, parser, "parser"), IN(STR, pattern, "pattern"), IN(STR, multiline, "multiline"), \
	    IN(STR, start, "start"), IN(STR, continuation, "continuation"),                      \
	    IN(SPAN, group_timeout, "group_timeout"), { "zone", WALK_CALL, 0, read_zone },       \
	    { "stream", WALK_CALL, 0, read_stream }, { "fields", WALK_CALL, 0, read_fields },    \
	    IN(STR, drop, "drop"),                                                               \
	{                                                                                        \
		"redact", WALK_CALL, 0, read_redact                                              \
	}

static void
read_journal(struct walk *w, yaml_node_t *node, void *base)
{
	static const struct walk_key keys[] = {
		{ "from", WALK_CALL, 0, read_from },
		IN(STRS, units, "units"),
		IN(STR, dir, "path"),
		IN(STRS, exclude, "exclude"),
		IN_BOTH,
	};
	struct config_input *in = base;

	in->is_journal = true;
	/* "journal:" with nothing behind it takes the defaults. */
	if (node->type != YAML_SCALAR_NODE || node->data.scalar.length != 0)
		walk_map(w, node, keys, ARRAY_LEN(keys), in);
	config_check_input(w, node, in);
}

static void
read_files(struct walk *w, yaml_node_t *node, void *base)
{
	static const struct walk_key keys[] = {
		IN(STRS, paths, "paths"),
		{ "from", WALK_CALL, 0, read_from },
		IN(SPAN, rescan, "rescan"),
		IN(SPAN, close_idle, "close_idle"),
		IN(SIZE, max_line, "max_line"),
		IN(BOOL, archives, "archives"),
		IN_BOTH,
	};
	struct config_input *in = base;

	in->from = CONFIG_FROM_BEGINNING;
	in->archives = true;
	walk_map(w, node, keys, ARRAY_LEN(keys), in);
	if (in->n_paths == 0)
		walk_bad(w, node, "expected paths: a list of files or globs");
	config_check_input(w, node, in);
}

static void
read_input_item(struct walk *w, yaml_node_t *node, void *item)
{
	static const struct walk_key keys[] = {
		{ "journal", WALK_CALL, 0, read_journal },
		{ "files", WALK_CALL, 0, read_files },
	};
	struct config_input *in = item;

	in->line = (unsigned)node->start_mark.line + 1;
	if (node->type == YAML_MAPPING_NODE &&
	    node->data.mapping.pairs.top - node->data.mapping.pairs.start != 1) {
		walk_bad(w, node, "expected one source an item: journal or files");
		return;
	}
	walk_map(w, node, keys, ARRAY_LEN(keys), in);
}

static void
read_inputs(struct walk *w, yaml_node_t *node, void *base)
{
	struct config *c = base;
	void *items = NULL;

	c->n_inputs = walk_list(w, node, sizeof(*c->inputs), &items, read_input_item);
	c->inputs = items;
}

static int
new_with_defaults(struct config **ret)
{
	struct config *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return err_origin(-ENOMEM);
	c->store.retention = (struct span){ 30 * NS_PER_DAY };
	c->store.max_bytes = UINT64_C(10) << 30;
	c->store.min_free_percent = 10;
	c->store.keep_floor = (struct span){ NS_PER_DAY };
	c->store.commit_interval = (struct span){ NS_PER_S };
	c->store.seal_bytes = UINT64_C(256) << 20;
	c->store.seal_age = (struct span){ NS_PER_DAY };
	c->http.auth = CONFIG_AUTH_TOKEN;
	*ret = c;
	return 0;
}

struct config *
config_free(struct config *c)
{
	if (c == NULL)
		return NULL;
	arena_fini(&c->arena);
	free(c);
	return NULL;
}

static int
default_inputs(struct config *c)
{
	c->inputs = arena_zalloc(&c->arena, 1, sizeof(*c->inputs));
	if (c->inputs == NULL)
		return err_origin(-ENOMEM);
	c->n_inputs = 1;
	c->inputs[0].is_journal = true;
	c->inputs[0].from = CONFIG_FROM_BOOT;
	return 0;
}

int
config_default(struct config **ret)
{
	AUTO(config_free) struct config *c = NULL;
	int r;

	r = new_with_defaults(&c);
	if (r < 0)
		return err_trace(r);
	r = default_inputs(c);
	if (r < 0)
		return err_trace(r);
	*ret = TAKE(c);
	return 0;
}

static void
walk_top(struct walk *w, yaml_node_t *root, struct config *c)
{
	static const struct walk_key keys[] = {
		{ "store", WALK_CALL, 0, read_store },
		{ "http", WALK_CALL, 0, read_http },
		{ "inputs", WALK_CALL, 0, read_inputs },
		KEY(STRS, ids, "ids"),
		KEY(STRS, rules, "rules"),
		KEY(STR, alerting, "alerting"),
		KEY(STR, secrets, "secrets"),
	};

	walk_map(w, root, keys, ARRAY_LEN(keys), c);
}

/* Whether the bytes are one YAML document; its mistakes are the parser's own. */
static bool
load_document(yaml_parser_t *parser, yaml_document_t *doc, const char *name, struct buf *errors)
{
	if (yaml_parser_load(parser, doc))
		return true;
	buf_printf(errors, "%s:%zu:%zu: %s%s%s\n", name, parser->problem_mark.line + 1,
	    parser->problem_mark.column + 1, parser->context != NULL ? parser->context : "",
	    parser->context != NULL ? ": " : "",
	    parser->problem != NULL ? parser->problem : "no YAML");
	return false;
}

static int
parse_document(struct config *c, const char *name, yaml_document_t *doc, struct buf *errors)
{
	struct walk w = { name, doc, &c->arena, errors, 0 };
	yaml_node_t *root = yaml_document_get_root_node(doc);

	if (root != NULL)
		walk_top(&w, root, c);
	if (w.n_errors == 0 && c->n_inputs == 0)
		return err_trace(default_inputs(c));
	return w.n_errors == 0 ? 0 : CONFIG_E_BAD;
}

int
config_parse(const char *name, struct str text, struct config **ret, struct buf *ret_errors)
{
	AUTO(config_free) struct config *c = NULL;
	yaml_parser_t parser;
	yaml_document_t doc;
	int r;

	r = new_with_defaults(&c);
	if (r < 0)
		return err_trace(r);
	c->path = arena_dup(&c->arena, str_c(name));
	if (!yaml_parser_initialize(&parser))
		return err_origin(-ENOMEM);
	yaml_parser_set_input_string(&parser, text.n != 0 ? text.p : (const uint8_t *)"", text.n);
	r = CONFIG_E_BAD;
	if (load_document(&parser, &doc, name, ret_errors)) {
		r = parse_document(c, name, &doc, ret_errors);
		yaml_document_delete(&doc);
	}
	yaml_parser_delete(&parser);
	if (r != 0)
		return r;
	*ret = TAKE(c);
	return 0;
}

int
config_load(const char *path, struct config **ret, struct buf *ret_errors)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	int r;

	r = io_read_file(AT_FDCWD, path, CONFIG_BYTES_MAX, &text);
	if (r < 0) {
		buf_printf(ret_errors, "%s: %s\n", path, err_str(r));
		return err_trace(r);
	}
	return config_parse(path, buf_view(&text), ret, ret_errors);
}
