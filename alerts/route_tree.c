/*
 * alerts/route_tree.c - routes and inhibition.
 * One job: the tree of routes with what children take over from their parents, and the rules by which alerts hold others.
 * Floor: 4 (uses doc, base).
 */
#include <stddef.h>

#include "alerts/route_internal.h"
#include "base/map.h"

/* A route as it stands in the file; spans below 0 and NULL lists were not said. */
struct route_raw {
	struct route node;
	yaml_node_t *match, *match_re, *matchers, *routes;
	struct str *group_by; /* NULL: not said; '...' is in it */
	size_t n_group_by;
	struct span wait, interval, repeat;
};

struct inhibit_raw {
	yaml_node_t *source_match, *source_match_re, *source_matchers;
	yaml_node_t *target_match, *target_match_re, *target_matchers;
	struct inhibit_rule rule;
};

/* ---- matchers, old and new form ---- */

struct matcher_list {
	struct matcher *p;
	size_t n, cap;
	enum matcher_op op; /* of the pairs that are read now */
};

static void
put_matchers(struct walk *w, struct matcher_list *list, const struct matcher *m, size_t n)
{
	struct matcher *more;

	if (n == 0)
		return;
	if (list->n + n > list->cap) {
		more = arena_zalloc(w->arena, (list->n + n) * 2, sizeof(*more));
		if (more == NULL)
			return;
		if (list->n > 0)
			memcpy(more, list->p, list->n * sizeof(*more));
		list->p = more;
		list->cap = (list->n + n) * 2;
	}
	memcpy(list->p + list->n, m, n * sizeof(*m));
	list->n += n;
}

static void
match_pair(struct walk *w, struct str key, yaml_node_t *key_node, yaml_node_t *value, void *base)
{
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	struct matcher_list *list = base;
	struct matcher m;
	struct str s;

	if (!label_name_valid(key)) {
		walk_bad(w, key_node, "'%.*s' is no name of a label", STR_ARG(key));
		return;
	}
	if (!walk_scalar(w, value, &s))
		return;
	buf_str(&text, s);
	if (list->op == MATCH_REGEX) {
		/* As Alertmanager keeps it, so that group keys are the same. */
		buf_clear(&text);
		buf_printf(&text, "^(?:%.*s)$", STR_ARG(s));
	}
	if (buf_err(&text) < 0 ||
	    matcher_make(list->op, key, buf_view(&text), w->arena, &m, &why) != 0)
		walk_bad(w, value, "%s", why.n > 0 ? buf_c_str(&why) : "no memory");
	else
		put_matchers(w, list, &m, 1);
}

static void
matcher_line(struct walk *w, yaml_node_t *node, struct matcher_list *list)
{
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	struct matcher *some;
	struct str s;
	size_t n;

	if (!walk_scalar(w, node, &s))
		return;
	if (matchers_parse(s, w->arena, &some, &n, &why) != 0)
		walk_bad(w, node, "%s", why.n > 0 ? buf_c_str(&why) : "no memory");
	else
		put_matchers(w, list, some, n);
}

static void
read_matchers(struct walk *w, yaml_node_t *match, yaml_node_t *match_re, yaml_node_t *lines,
    struct matcher **ret, size_t *ret_n)
{
	struct matcher_list list = { .op = MATCH_EQUAL };
	yaml_node_item_t *item;

	if (match != NULL)
		walk_pairs(w, match, match_pair, &list);
	list.op = MATCH_REGEX;
	if (match_re != NULL)
		walk_pairs(w, match_re, match_pair, &list);
	if (lines != NULL && lines->type != YAML_SEQUENCE_NODE)
		walk_bad(w, lines, "expected a list of matchers such as 'severity=\"critical\"'");
	else if (lines != NULL)
		for (item = lines->data.sequence.items.start; item < lines->data.sequence.items.top;
		     item++)
			matcher_line(w, yaml_document_get_node(w->doc, *item), &list);
	*ret = list.p;
	*ret_n = list.n;
}

#define NODE(name, type, member)                                                   \
	static void name(struct walk *w, yaml_node_t *node, void *base)            \
	{                                                                          \
		(void)w;                                                           \
		((struct type *)base)->member = route_is_null(node) ? NULL : node; \
	}

/* ---- routes ---- */

NODE(raw_match, route_raw, match)
NODE(raw_match_re, route_raw, match_re)
NODE(raw_matchers, route_raw, matchers)
NODE(raw_routes, route_raw, routes)

static void
raw_wait(struct walk *w, yaml_node_t *node, void *base)
{
	route_span(w, node, true, &((struct route_raw *)base)->wait);
}

static void
raw_interval(struct walk *w, yaml_node_t *node, void *base)
{
	route_span(w, node, false, &((struct route_raw *)base)->interval);
}

static void
raw_repeat(struct walk *w, yaml_node_t *node, void *base)
{
	route_span(w, node, false, &((struct route_raw *)base)->repeat);
}

static void
check_group_by(struct walk *w, const yaml_node_t *node, const struct route_raw *raw)
{
	bool all = false;
	size_t i, k;

	for (i = 0; i < raw->n_group_by; i++) {
		if (str_eq(raw->group_by[i], STR("..."))) {
			all = true;
			continue;
		}
		if (!label_name_valid(raw->group_by[i]))
			walk_bad(w, node, "group_by: '%.*s' is no name of a label",
			    STR_ARG(raw->group_by[i]));
		for (k = 0; k < i; k++)
			if (str_eq(raw->group_by[i], raw->group_by[k]))
				walk_bad(w, node, "group_by: '%.*s' stands there twice",
				    STR_ARG(raw->group_by[i]));
	}
	if (all && raw->n_group_by > 1)
		walk_bad(w, node, "group_by: '...' stands alone: it is all labels");
}

static void
raw_group_by(struct walk *w, yaml_node_t *node, void *base)
{
	struct route_raw *raw = base;
	yaml_node_item_t *item;
	size_t n;

	if (route_is_null(node))
		return;
	if (node->type != YAML_SEQUENCE_NODE) {
		walk_bad(w, node, "expected a list of names of labels, or ['...']");
		return;
	}
	n = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
	raw->group_by = arena_zalloc(w->arena, n + 1, sizeof(*raw->group_by));
	for (item = node->data.sequence.items.start;
	     raw->group_by != NULL && item < node->data.sequence.items.top; item++)
		if (walk_scalar(w, yaml_document_get_node(w->doc, *item),
		        &raw->group_by[raw->n_group_by]))
			raw->n_group_by++;
	check_group_by(w, node, raw);
}

/* ---- the tree ---- */

#define RAW(type, member, key)                                             \
	{                                                                  \
		key, WALK_##type, offsetof(struct route_raw, member), NULL \
	}
static const struct walk_key route_keys[] = {
	RAW(STR, node.receiver, "receiver"),
	RAW(BOOL, node.go_on, "continue"),
	RAW(STRS, node.mute, "mute_time_intervals"),
	RAW(STRS, node.active, "active_time_intervals"),
	{ "match", WALK_CALL, 0, raw_match },
	{ "match_re", WALK_CALL, 0, raw_match_re },
	{ "matchers", WALK_CALL, 0, raw_matchers },
	{ "group_by", WALK_CALL, 0, raw_group_by },
	{ "group_wait", WALK_CALL, 0, raw_wait },
	{ "group_interval", WALK_CALL, 0, raw_interval },
	{ "repeat_interval", WALK_CALL, 0, raw_repeat },
	{ "routes", WALK_CALL, 0, raw_routes },
};

static void
check_names(struct route_parse *rp, const yaml_node_t *node, const struct route *route)
{
	size_t i;

	if (route->receiver.n > 0 && routing_receiver(rp->routing, route->receiver) == NULL)
		walk_bad(&rp->walk, node, "no receiver is called '%.*s'", STR_ARG(route->receiver));
	for (i = 0; i < route->n_mute + route->n_active; i++) {
		struct str name =
		    i < route->n_mute ? route->mute[i] : route->active[i - route->n_mute];

		if (!route_knows_interval(rp->routing, name))
			walk_bad(&rp->walk, node, "no time interval is called '%.*s'",
			    STR_ARG(name));
	}
}

/* What the file did not say is the parent's; mute and active times are not taken over. */
static void
take_over(struct route_raw *raw, const struct route *parent)
{
	struct route *node = &raw->node;

	node->group_all = raw->n_group_by == 1 && str_eq(raw->group_by[0], STR("..."));
	if (raw->n_group_by > 0 && !node->group_all) {
		node->group_by = raw->group_by;
		node->n_group_by = raw->n_group_by;
	} else {
		node->group_all = node->group_all || (parent != NULL && parent->group_all);
		node->group_by = parent != NULL ? parent->group_by : NULL;
		node->n_group_by = parent != NULL ? parent->n_group_by : 0;
	}
	if (node->receiver.n == 0 && parent != NULL)
		node->receiver = parent->receiver;
	node->group_wait = raw->wait.ns >= 0 ? raw->wait
	    : parent != NULL                 ? parent->group_wait
	                                     : (struct span){ 30 * NS_PER_S };
	node->group_interval = raw->interval.ns >= 0 ? raw->interval
	    : parent != NULL                         ? parent->group_interval
	                                             : (struct span){ 5 * NS_PER_MIN };
	node->repeat_interval = raw->repeat.ns >= 0 ? raw->repeat
	    : parent != NULL                        ? parent->repeat_interval
	                                            : (struct span){ 4 * NS_PER_HOUR };
}

static void
name_node(struct walk *w, struct route *node, const struct route *parent)
{
	AUTO_FINI(buf_fini) struct buf id = BUF_INIT;

	if (parent != NULL) {
		buf_str(&id, parent->id);
		buf_c(&id, "/");
	}
	matchers_sort(node->matchers, node->n_matchers);
	matchers_format(&id, node->matchers, node->n_matchers);
	node->id = arena_dup(w->arena, buf_view(&id));
}

static void read_children(struct route_parse *rp, yaml_node_t *list, struct route *node,
    unsigned depth);

static void
read_route(struct route_parse *rp, yaml_node_t *yaml, const struct route *parent, unsigned depth,
    struct route *ret)
{
	struct walk *w = &rp->walk;
	struct route_raw raw = { .wait = { -1 }, .interval = { -1 }, .repeat = { -1 } };

	if (++rp->n_routes > ROUTE_NODES_MAX || depth > ROUTE_DEPTH_MAX) {
		if (rp->n_routes <= ROUTE_NODES_MAX + 1)
			walk_bad(w, yaml, "expected at most %d routes, %d deep", ROUTE_NODES_MAX,
			    ROUTE_DEPTH_MAX);
		return;
	}
	route_map(w, yaml, route_keys, ARRAY_LEN(route_keys), &raw);
	read_matchers(w, raw.match, raw.match_re, raw.matchers, &raw.node.matchers,
	    &raw.node.n_matchers);
	check_names(rp, yaml, &raw.node);
	if (parent == NULL) {
		if (raw.node.receiver.n == 0)
			walk_bad(w, yaml,
			    "the first route says the receiver of all that no other takes");
		if (raw.node.n_matchers > 0)
			walk_bad(w, yaml, "the first route has no matchers: it takes all");
		if (raw.node.n_mute + raw.node.n_active > 0)
			walk_bad(w, yaml, "the first route has no mute or active times");
		if (raw.node.go_on)
			walk_bad(w, yaml, "the first route has no continue");
	}
	take_over(&raw, parent);
	*ret = raw.node;
	name_node(w, ret, parent);
	if (raw.routes != NULL)
		read_children(rp, raw.routes, ret, depth);
}

static void
read_children(struct route_parse *rp, yaml_node_t *list, struct route *node, unsigned depth)
{
	yaml_node_item_t *item;
	size_t n;

	if (list->type != YAML_SEQUENCE_NODE) {
		walk_bad(&rp->walk, list, "expected a list of routes");
		return;
	}
	n = (size_t)(list->data.sequence.items.top - list->data.sequence.items.start);
	if (n + rp->n_routes <= ROUTE_NODES_MAX)
		node->routes = arena_zalloc(rp->walk.arena, n + 1, sizeof(*node->routes));
	if (node->routes == NULL) {
		walk_bad(&rp->walk, list, "expected at most %d routes", ROUTE_NODES_MAX);
		return;
	}
	for (item = list->data.sequence.items.start;
	     item < list->data.sequence.items.top && rp->n_routes <= ROUTE_NODES_MAX; item++)
		read_route(rp, yaml_document_get_node(rp->walk.doc, *item), node, depth + 1,
		    &node->routes[node->n_routes++]);
}

/* Nodes of one id are told apart by their order. */
static void
place_nodes(struct walk *w, struct route *node, struct map *seen)
{
	AUTO_FINI(buf_fini) struct buf place = BUF_INIT;
	struct map_entry *e = map_put(seen, node->id, NULL);
	size_t i;

	buf_str(&place, node->id);
	if (e != NULL && ++e->value > 1)
		buf_printf(&place, "#%llu", (unsigned long long)e->value);
	node->place = arena_dup(w->arena, buf_view(&place));
	for (i = 0; i < node->n_routes; i++)
		place_nodes(w, &node->routes[i], seen);
}

void
route_read_tree(struct route_parse *rp)
{
	struct map seen = MAP_INIT;

	read_route(rp, rp->route, NULL, 0, &rp->routing->root);
	if (rp->walk.n_errors == 0)
		place_nodes(&rp->walk, &rp->routing->root, &seen);
	map_fini(&seen);
}

/* ---- inhibition ---- */

NODE(inhibit_source_match, inhibit_raw, source_match)
NODE(inhibit_source_match_re, inhibit_raw, source_match_re)
NODE(inhibit_source_matchers, inhibit_raw, source_matchers)
NODE(inhibit_target_match, inhibit_raw, target_match)
NODE(inhibit_target_match_re, inhibit_raw, target_match_re)
NODE(inhibit_target_matchers, inhibit_raw, target_matchers)

static void
read_inhibit(struct walk *w, yaml_node_t *node, void *item)
{
	static const struct walk_key keys[] = {
		{ "source_match", WALK_CALL, 0, inhibit_source_match },
		{ "source_match_re", WALK_CALL, 0, inhibit_source_match_re },
		{ "source_matchers", WALK_CALL, 0, inhibit_source_matchers },
		{ "target_match", WALK_CALL, 0, inhibit_target_match },
		{ "target_match_re", WALK_CALL, 0, inhibit_target_match_re },
		{ "target_matchers", WALK_CALL, 0, inhibit_target_matchers },
		{ "equal", WALK_STRS, offsetof(struct inhibit_raw, rule.equal), NULL },
	};
	struct inhibit_raw raw = { 0 };

	route_map(w, node, keys, ARRAY_LEN(keys), &raw);
	read_matchers(w, raw.source_match, raw.source_match_re, raw.source_matchers,
	    &raw.rule.source, &raw.rule.n_source);
	read_matchers(w, raw.target_match, raw.target_match_re, raw.target_matchers,
	    &raw.rule.target, &raw.rule.n_target);
	*(struct inhibit_rule *)item = raw.rule;
}

void
route_read_inhibits(struct route_parse *rp)
{
	void *items = NULL;

	if (rp->inhibits == NULL)
		return;
	rp->routing->n_inhibits =
	    walk_list(&rp->walk, rp->inhibits, sizeof(struct inhibit_rule), &items, read_inhibit);
	rp->routing->inhibits = items;
}
