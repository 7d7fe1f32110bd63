/*
 * alerts/route.c - Alertmanager's configuration.
 * One job: alertmanager.yml as structs, or every mistake in it with its place.
 * Floor: 4 (uses doc, base).
 *
 * The document is read whole, << is brought in, then its parts are walked in the order that they need each other: global,
 * time intervals, receivers, routes, inhibition.
 */
#include "alerts/route.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>

#include "alerts/route_internal.h"
#include "base/io.h"

void
route_not_done(struct walk *w, yaml_node_t *node, void *base)
{
	(void)w;
	(void)node;
	(void)base;
}

void
route_inline(struct walk *w, yaml_node_t *node, void *base)
{
	(void)w;
	(void)node;
	(void)base;
}

bool
route_is_null(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE &&
	    node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	    (node->data.scalar.length == 0 ||
	        str_eq(str_of(node->data.scalar.value, node->data.scalar.length), STR("null")) ||
	        str_eq(str_of(node->data.scalar.value, node->data.scalar.length), STR("~")));
}

struct note_keys {
	const struct walk_key *keys;
	size_t n;
};

static void
note_pair(struct walk *w, yaml_node_t *key_node, const struct walk_key *key)
{
	struct route_parse *rp = route_parse_of(w);

	if (key->type != WALK_CALL)
		return;
	if (key->call == route_not_done)
		buf_printf(rp->notes, "%s:%zu:%zu: '%s' is known and not done: it has no effect\n",
		    w->name, key_node->start_mark.line + 1, key_node->start_mark.column + 1,
		    key->name);
	else if (key->call == route_inline)
		walk_bad(w, key_node,
		    "'%s': secrets do not stand in this file: write it to a file and name that with %s_file",
		    key->name, strcmp(key->name, "bearer_token") == 0 ? "bearer_token" : key->name);
}

void
route_map(struct walk *w, yaml_node_t *node, const struct walk_key *keys, size_t n, void *base)
{
	yaml_node_pair_t *pair;
	yaml_node_t *key;
	size_t i;

	if (node->type == YAML_MAPPING_NODE)
		for (pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top;
		     pair++) {
			key = yaml_document_get_node(w->doc, pair->key);
			for (i = 0; key->type == YAML_SCALAR_NODE && i < n; i++)
				if (str_eq_c(
				        str_of(key->data.scalar.value, key->data.scalar.length),
				        keys[i].name))
					note_pair(w, key, &keys[i]);
		}
	walk_map(w, node, keys, n, base);
}

void
route_span(struct walk *w, yaml_node_t *node, bool zero, struct span *ret)
{
	struct span got = { 0 };
	struct str s;

	if (!walk_scalar(w, node, &s))
		return;
	if ((!str_eq(s, STR("0")) && span_parse(s, &got) != 0) || got.ns < 0)
		walk_bad(w, node, "expected a duration such as 30s, 5m or 4h, found '%.*s'",
		    STR_ARG(s));
	else if (got.ns == 0 && !zero)
		walk_bad(w, node, "expected a duration above zero");
	else
		*ret = got;
}

/* ---- the top of the file ---- */

#define PART(name, member)                                                     \
	static void name(struct walk *w, yaml_node_t *node, void *base)        \
	{                                                                      \
		(void)base;                                                    \
		route_parse_of(w)->member = route_is_null(node) ? NULL : node; \
	}
PART(part_global, global)
PART(part_route, route)
PART(part_inhibits, inhibits)
PART(part_receivers, receivers)
PART(part_mutes, mutes)
PART(part_times, times)

static void
walk_top(struct route_parse *rp, yaml_node_t *root)
{
	static const struct walk_key keys[] = {
		{ "global", WALK_CALL, 0, part_global },
		{ "route", WALK_CALL, 0, part_route },
		{ "inhibit_rules", WALK_CALL, 0, part_inhibits },
		{ "receivers", WALK_CALL, 0, part_receivers },
		{ "mute_time_intervals", WALK_CALL, 0, part_mutes },
		{ "time_intervals", WALK_CALL, 0, part_times },
		{ "templates", WALK_CALL, 0, route_not_done },
		{ "tracing", WALK_CALL, 0, route_not_done },
	};

	route_map(&rp->walk, root, keys, ARRAY_LEN(keys), rp);
	route_read_global(rp);
	route_read_intervals(rp);
	route_read_receivers(rp);
	if (rp->route == NULL)
		walk_bad(&rp->walk, root, "expected route: with the receiver that all goes to");
	else
		route_read_tree(rp);
	route_read_inhibits(rp);
}

static int
parse_document(yaml_parser_t *parser, struct route_parse *rp, struct str text)
{
	yaml_document_t doc;
	yaml_node_t *root;
	int r = 0;

	if (!yaml_parser_load(parser, &doc)) {
		rp->walk.n_errors++;
		buf_printf(rp->walk.errors, "%s:%zu:%zu: no YAML: %s\n", rp->walk.name,
		    parser->problem_mark.line + 1, parser->problem_mark.column + 1,
		    parser->problem != NULL ? parser->problem : "no memory");
		return 0;
	}
	rp->walk.doc = &doc;
	root = yaml_document_get_root_node(&doc);
	if (root == NULL || root->type != YAML_MAPPING_NODE) {
		rp->walk.n_errors++;
		buf_printf(rp->walk.errors, "%s:1:1: expected a mapping with route and receivers\n",
		    rp->walk.name);
	} else if (!route_merge(&doc)) {
		walk_bad(&rp->walk, root, "too much is brought in with <<");
	} else {
		walk_top(rp, yaml_document_get_root_node(&doc));
		r = route_mask(&doc, text, &rp->routing->arena, &rp->routing->text);
	}
	yaml_document_delete(&doc);
	return r;
}

int
routing_parse(const char *name, struct str text, struct str secrets, struct routing **ret,
    struct buf *ret_errors, struct buf *ret_notes)
{
	AUTO(routing_free) struct routing *r = calloc(1, sizeof(*r));
	struct route_parse rp = { .notes = ret_notes, .secrets = secrets, .routing = r };
	yaml_parser_t parser;
	int res;

	if (r == NULL)
		return err_origin(-ENOMEM);
	r->resolve_timeout = (struct span){ 5 * NS_PER_MIN };
	r->file = arena_dup(&r->arena, str_c(name));
	rp.walk.name = name;
	rp.walk.arena = &r->arena;
	rp.walk.errors = ret_errors;
	if (text.n == 0)
		text = STR("");
	if (text.n > ROUTE_BYTES_MAX || memchr(text.p, 0, text.n) != NULL) {
		buf_printf(ret_errors, "%s:1:1: expected UTF-8 text of at most %d bytes\n", name,
		    ROUTE_BYTES_MAX);
		return ROUTE_E_BAD;
	}
	if (!yaml_parser_initialize(&parser))
		return err_origin(-ENOMEM);
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, text.p, text.n);
	res = parse_document(&parser, &rp, text);
	yaml_parser_delete(&parser);
	if (res < 0)
		return err_trace(res);
	if (rp.walk.n_errors > 0)
		return ROUTE_E_BAD;
	*ret = TAKE(r);
	return 0;
}

int
routing_load(const char *path, struct str secrets, struct routing **ret, struct buf *ret_errors,
    struct buf *ret_notes)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	int r;

	r = io_read_file(AT_FDCWD, path, ROUTE_BYTES_MAX + 1, &text);
	if (r < 0) {
		buf_printf(ret_errors, "%s: %s\n", path, err_str(r));
		return err_trace(r);
	}
	return routing_parse(path, buf_view(&text), secrets, ret, ret_errors, ret_notes);
}

int
routing_default(struct routing **ret)
{
	static const char text[] = "route:\n  receiver: nobody\nreceivers:\n  - name: nobody\n";
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;

	return err_fold(routing_parse("built in", str_c(text), STR_NONE, ret, &why, &why));
}

struct routing *
routing_free(struct routing *r)
{
	if (r == NULL)
		return NULL;
	arena_fini(&r->arena);
	free(r);
	return NULL;
}

/* ---- asked of it ---- */

const struct receiver *
routing_receiver(const struct routing *r, struct str name)
{
	size_t i;

	for (i = 0; i < r->n_receivers; i++)
		if (str_eq(r->receivers[i].name, name))
			return &r->receivers[i];
	return NULL;
}

struct match {
	const struct labels *labels;
	route_fn fn;
	void *ctx;
	int r; /* of fn */
};

/* Depth first, left to right; whether this node or one below it took the labels. */
static bool
match_node(const struct route *node, struct match *m)
{
	bool taken = false, here;
	size_t i;

	if (!matchers_match(node->matchers, node->n_matchers, m->labels))
		return false;
	for (i = 0; i < node->n_routes && m->r == 0; i++) {
		here = match_node(&node->routes[i], m);
		taken = taken || here;
		if (here && !node->routes[i].go_on)
			break;
	}
	if (!taken && m->r == 0)
		m->r = m->fn(m->ctx, node);
	return true;
}

int
routing_match(const struct routing *r, const struct labels *labels, route_fn fn, void *ctx)
{
	struct match m = { labels, fn, ctx, 0 };

	(void)match_node(&r->root, &m);
	return m.r;
}
