/*
 * alerts/rule_read.c - one rule.
 * One job: the keys of a rule as a struct, and what is wrong with them.
 * Floor: 4 (uses doc, logsql, base).
 */
#include <stddef.h>

#include "alerts/gotmpl_internal.h"
#include "alerts/rule_internal.h"
#include "base/hash.h"
#include "base/utf8.h"

/* A rule while it is read: what is checked when all keys are known. */
struct raw_rule {
	struct rule r; /* first: the keys of it are read straight into it */
	struct span window;
	yaml_node_t *alert, *record, *expr, *labels, *annotations;
	yaml_node_t *for_, *keep, *resolve, *flap, *form, *learn, *source;
	size_t n_forms;
};

static struct rule_reader *
reader_of(struct walk *w)
{
	return (struct rule_reader *)w;
}

/* ---- keys ---- */

#define KEEP_NODE(fn, member)                                         \
	static void fn(struct walk *w, yaml_node_t *node, void *base) \
	{                                                             \
		((struct raw_rule *)base)->member = node;             \
	}
KEEP_NODE(key_alert, alert)
KEEP_NODE(key_record, record)
KEEP_NODE(key_expr, expr)
KEEP_NODE(key_labels, labels)
KEEP_NODE(key_annotations, annotations)
KEEP_NODE(key_resolve, resolve)
KEEP_NODE(key_source, source)

static void
key_for(struct walk *w, yaml_node_t *node, void *base)
{
	struct raw_rule *raw = base;

	raw->for_ = node;
	(void)rule_span(w, node, &raw->r.for_);
}

static void
key_keep(struct walk *w, yaml_node_t *node, void *base)
{
	struct raw_rule *raw = base;

	raw->keep = node;
	(void)rule_span(w, node, &raw->r.keep_firing_for);
}

static void
key_changes(struct walk *w, yaml_node_t *node, void *base)
{
	struct raw_rule *raw = base;
	uint64_t n = 0;

	if (!rule_count(w, node, &n))
		return;
	if (n < 2 || n > 10000)
		walk_bad(w, node, "changes: expected 2 to 10000");
	raw->r.flap_changes = (unsigned)n;
}

static void
key_flap(struct walk *w, yaml_node_t *node, void *base)
{
	static const struct walk_key keys[] = {
		{ "changes", WALK_CALL, 0, key_changes },
		{ "within", WALK_SPAN, offsetof(struct raw_rule, r.flap_within), NULL },
	};
	struct raw_rule *raw = base;

	raw->flap = node;
	walk_map(w, node, keys, ARRAY_LEN(keys), raw);
	if (raw->r.flap_changes == 0 || raw->r.flap_within.ns == 0)
		walk_bad(w, node, "flap: expected {changes: 6, within: 1h}");
}

static void
set_form(struct raw_rule *raw, yaml_node_t *node, enum rule_form form)
{
	raw->r.form = form;
	raw->form = node;
	raw->n_forms++;
}

static void
read_value(struct walk *w, yaml_node_t *node, void *item)
{
	struct str *s = item;

	if (walk_scalar(w, node, s) && s->n == 0)
		walk_bad(w, node, "expected a value that is not empty");
}

static void
absent_pair(struct walk *w, struct str key, yaml_node_t *key_node, yaml_node_t *value, void *base)
{
	struct raw_rule *raw = base;
	void *items = NULL;
	struct str s;

	if (key.n == 0)
		walk_bad(w, key_node, "absent: expected the name of a field or label");
	raw->r.absent_label = arena_dup(w->arena, key);
	if (value->type != YAML_SCALAR_NODE) {
		raw->r.n_absent_values =
		    walk_list(w, value, sizeof(struct str), &items, read_value);
		raw->r.absent_values = items;
		if (raw->r.n_absent_values == 0)
			walk_bad(w, value, "absent: expected a list of values, or learned");
		return;
	}
	if (!walk_scalar(w, value, &s) || str_eq_c(s, "learned"))
		return;
	walk_bad(w, value, "absent: expected a list of values, or learned, found '%.*s'",
	    STR_ARG(s));
}

static void
key_absent(struct walk *w, yaml_node_t *node, void *base)
{
	struct raw_rule *raw = base;

	set_form(raw, node, RULE_ABSENT);
	if (node->type == YAML_MAPPING_NODE &&
	    node->data.mapping.pairs.top - node->data.mapping.pairs.start == 1)
		walk_pairs(w, node, absent_pair, raw);
	else
		walk_bad(w, node,
		    "absent: expected one label, as {unit: [a.service, b.service]} or {unit: learned}");
}

static void
key_learn(struct walk *w, yaml_node_t *node, void *base)
{
	struct raw_rule *raw = base;

	raw->learn = node;
	(void)rule_span(w, node, &raw->r.learn);
}

static void
key_new_pattern(struct walk *w, yaml_node_t *node, void *base)
{
	static const struct walk_key keys[] = {
		{ "since", WALK_SPAN, offsetof(struct raw_rule, r.learn), NULL },
	};
	struct raw_rule *raw = base;

	set_form(raw, node, RULE_NEW_PATTERN);
	raw->r.learn = (struct span){ 7 * NS_PER_DAY };
	if (!rule_node_empty(node))
		walk_map(w, node, keys, ARRAY_LEN(keys), raw);
}

static void
key_band(struct walk *w, yaml_node_t *node, void *base)
{
	(void)rule_number(w, node, &((struct raw_rule *)base)->r.band);
}

static void
key_min(struct walk *w, yaml_node_t *node, void *base)
{
	struct raw_rule *raw = base;
	uint64_t n = 0;

	if (!rule_count(w, node, &n))
		return;
	if (n < 2 || n > 100000)
		walk_bad(w, node, "min: expected 2 to 100000");
	raw->r.band_min = (unsigned)n;
}

static void
key_anomaly(struct walk *w, yaml_node_t *node, void *base)
{
	static const struct walk_key keys[] = {
		{ "history", WALK_SPAN, offsetof(struct raw_rule, r.learn), NULL },
		{ "band", WALK_CALL, 0, key_band },
		{ "min", WALK_CALL, 0, key_min },
	};
	struct raw_rule *raw = base;

	set_form(raw, node, RULE_ANOMALY);
	raw->r.learn = (struct span){ 28 * NS_PER_DAY };
	raw->r.band = 5;
	raw->r.band_min = 10;
	if (!rule_node_empty(node))
		walk_map(w, node, keys, ARRAY_LEN(keys), raw);
}

/* What other evaluators' files have, and what means nothing here. */
static void
key_debug(struct walk *w, yaml_node_t *node, void *base)
{
	rule_note(reader_of(w), node,
	    "debug has no effect here: evaluations are kept for weir why");
}

static void
key_entries(struct walk *w, yaml_node_t *node, void *base)
{
	rule_note(reader_of(w), node,
	    "update_entries_limit has no effect here: evaluations are kept for weir why");
}

/* ---- labels and annotations ---- */

struct texts {
	struct rule_text *p;
	size_t n, cap;
	bool labels; /* else annotations */
};

static bool
is_name(struct str s, bool colon)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		uint8_t c = str_lower_byte(s.p[i]);

		if (!(c >= 'a' && c <= 'z') && c != '_' && !(colon && c == ':') &&
		    !(i > 0 && c >= '0' && c <= '9'))
			return false;
	}
	return s.n > 0;
}

/* The template of a text; its mistakes stand in the file where they stand in it. */
static void
read_template(struct rule_reader *rd, yaml_node_t *node, struct rule_text *t)
{
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	size_t at = 0;
	int r;

	if (str_find(t->text, STR("{{")) == SIZE_MAX)
		return;
	r = gotmpl_parse_at(t->text, rd->walk.arena, &t->tmpl, &at, &why);
	if (r > 0)
		rule_bad_at(rd, node, at, "template: %s", buf_c_str(&why));
	else if (r < 0)
		walk_bad(&rd->walk, node, "%s", err_str(r));
}

/* One of a name replaces the group's. */
static struct rule_text *
texts_slot(struct texts *all, struct str name)
{
	size_t i;

	for (i = 0; i < all->n; i++)
		if (str_eq(all->p[i].name, name))
			return &all->p[i];
	return all->n < all->cap ? &all->p[all->n] : NULL;
}

static void
text_pair(struct walk *w, struct str key, yaml_node_t *key_node, yaml_node_t *value, void *base)
{
	struct rule_reader *rd = reader_of(w);
	struct texts *all = base;
	struct rule_text t = { 0 }, *slot;

	if (!is_name(key, false)) {
		walk_bad(w, key_node,
		    "expected a name of letters, digits and _, not beginning with a digit, found '%.*s'",
		    STR_ARG(key));
		return;
	}
	if (all->labels && (str_eq_c(key, "alertname") || str_eq_c(key, "alertgroup"))) {
		rule_note(rd, key_node, "label %.*s has no effect: rule and group give it",
		    STR_ARG(key));
		return;
	}
	t.name = arena_dup(w->arena, key);
	if (t.name.p == NULL || !walk_scalar(w, value, &t.text))
		return;
	if (!utf8_valid(t.text))
		walk_bad(w, value, "expected UTF-8");
	read_template(rd, value, &t);
	slot = texts_slot(all, key);
	if (slot == NULL) {
		walk_bad(w, key_node, "expected at most %d", RULE_TEXTS_MAX);
		return;
	}
	all->n += slot == &all->p[all->n];
	*slot = t;
}

static struct texts
read_texts(struct rule_reader *rd, yaml_node_t *first, yaml_node_t *second, bool labels)
{
	struct texts all = { NULL, 0, 0, labels };
	yaml_node_t *nodes[2] = { first, second };
	size_t i;

	for (i = 0; i < 2; i++)
		if (nodes[i] != NULL && nodes[i]->type == YAML_MAPPING_NODE)
			all.cap += (size_t)(nodes[i]->data.mapping.pairs.top -
			    nodes[i]->data.mapping.pairs.start);
	all.cap = all.cap < RULE_TEXTS_MAX ? all.cap : RULE_TEXTS_MAX;
	all.p = arena_zalloc(rd->walk.arena, all.cap + 1, sizeof(*all.p));
	for (i = 0; i < 2 && all.p != NULL; i++)
		if (nodes[i] != NULL && !rule_node_empty(nodes[i]))
			walk_pairs(&rd->walk, nodes[i], text_pair, &all);
	return all;
}

/* ---- the whole ---- */

static bool
read_name(struct rule_reader *rd, struct raw_rule *raw, const yaml_node_t *node)
{
	struct walk *w = &rd->walk;
	yaml_node_t *name = raw->alert != NULL ? raw->alert : raw->record;
	size_t i;

	if ((raw->alert == NULL) == (raw->record == NULL)) {
		walk_bad(w, node, "expected alert: NAME or record: NAME, and one of them");
		return false;
	}
	raw->r.kind = raw->alert != NULL ? RULE_ALERT : RULE_RECORD;
	if (!walk_scalar(w, name, &raw->r.name))
		return false;
	if (raw->r.kind == RULE_RECORD && !is_name(raw->r.name, true)) {
		walk_bad(w, name,
		    "record: expected a metric's name of letters, digits, _ and :, found '%.*s'",
		    STR_ARG(raw->r.name));
		return false;
	}
	for (i = 0; i < raw->r.name.n && raw->r.name.p[i] >= 0x20; i++)
		;
	if (raw->r.name.n == 0 || i < raw->r.name.n || !utf8_valid(raw->r.name)) {
		walk_bad(w, name, "alert: expected a name on one line");
		return false;
	}
	return true;
}

/* What only alerts have, and what only one form has. */
static void
check_record(struct walk *w, const struct raw_rule *raw)
{
	const struct {
		const yaml_node_t *node;
		const char *key;
	} not_record[] = { { raw->for_, "for" }, { raw->keep, "keep_firing_for" },
		{ raw->annotations, "annotations" }, { raw->resolve, "resolve_when" },
		{ raw->flap, "flap" }, { raw->form, "absent, new_pattern or anomaly" } };
	size_t i;

	for (i = 0; i < ARRAY_LEN(not_record) && raw->r.kind == RULE_RECORD; i++)
		if (not_record[i].node != NULL)
			walk_bad(w, not_record[i].node, "%s: is for alerts, and this rule records",
			    not_record[i].key);
}

static void
check_form(struct walk *w, struct raw_rule *raw)
{
	bool learns = raw->r.form == RULE_ABSENT && raw->r.n_absent_values == 0;

	if (raw->n_forms > 1)
		walk_bad(w, raw->form, "expected one of absent, new_pattern and anomaly");
	if (raw->learn != NULL && !learns)
		walk_bad(w, raw->learn, "learn: goes with absent: {label: learned}");
	if (raw->learn == NULL && learns)
		raw->r.learn = (struct span){ 7 * NS_PER_DAY };
	if (learns && raw->learn != NULL && raw->r.learn.ns == 0)
		walk_bad(w, raw->learn, "learn: expected a duration above zero such as 7d");
	if (raw->resolve != NULL && raw->r.form != RULE_THRESHOLD)
		walk_bad(w, raw->resolve, "resolve_when: goes with thresholds alone");
}

static void
read_expr(struct rule_reader *rd, struct raw_rule *raw)
{
	struct logsql_error e = { 0, "" };
	int r;

	if (!walk_scalar(&rd->walk, raw->expr, &raw->r.expr))
		return;
	r = rule_expr_parse(&raw->r, raw->window, rd->group->interval, rd->zone_s, rd->walk.arena,
	    &e);
	if (r > 0)
		rule_bad_at(rd, raw->expr, e.at, "expr: %s", e.text);
	else if (r < 0)
		walk_bad(&rd->walk, raw->expr, "expr: %s", err_str(r));
}

static void
hash_text(struct buf *b, struct str s)
{
	buf_varint(b, s.n);
	buf_str(b, s);
}

static uint64_t
rule_id(const struct rule_group *g, const struct rule *r)
{
	struct buf b = BUF_INIT;
	uint64_t id;
	size_t i;

	hash_text(&b, g->file);
	hash_text(&b, g->name);
	hash_text(&b, r->name);
	hash_text(&b, r->expr);
	for (i = 0; i < r->n_labels; i++) {
		hash_text(&b, r->labels[i].name);
		hash_text(&b, r->labels[i].text);
	}
	buf_byte(&b, (uint8_t)r->kind);
	id = hash64(buf_view(&b));
	buf_fini(&b);
	return id;
}

/* The tables of states need a rule of its own for each id. */
static void
check_twice(struct rule_reader *rd, const yaml_node_t *node, const struct rule *r,
    const struct rule *first)
{
	const struct rule *other;

	for (other = first; other < r; other++)
		if (other->id == r->id && other->name.n != 0) {
			walk_bad(&rd->walk, node,
			    "rule '%.*s' stands here twice, with the same expr and labels (line %u)",
			    STR_ARG(r->name), other->line);
			return;
		}
}

static void
finish(struct rule_reader *rd, yaml_node_t *node, struct raw_rule *raw)
{
	struct texts labels, annotations;
	struct rule *r = &raw->r;

	if (!read_name(rd, raw, node))
		return;
	check_record(&rd->walk, raw);
	check_form(&rd->walk, raw);
	if (raw->resolve != NULL)
		rule_filter(rd, raw->resolve, "resolve_when", &r->resolve_when, &r->resolve_text);
	if (raw->source != NULL)
		rule_filter(rd, raw->source, "source", &r->source, &(struct str){ NULL, 0 });
	labels = read_texts(rd, rd->group_labels, raw->labels, true);
	r->labels = labels.p;
	r->n_labels = labels.n;
	annotations = read_texts(rd, NULL, raw->annotations, false);
	r->annotations = annotations.p;
	r->n_annotations = annotations.n;
	if (raw->expr == NULL)
		walk_bad(&rd->walk, node, "expected expr: a LogsQL query with stats");
	else
		read_expr(rd, raw);
	r->id = rule_id(rd->group, r);
}

/* More than the bounds say is one mistake, however many rules follow. */
static bool
has_room(struct rule_reader *rd, const yaml_node_t *node)
{
	bool full = rd->n_rules >= RULES_MAX || rd->walk.arena->total > RULES_MEMORY_MAX;

	if (full && rd->n_rules <= RULES_MAX) {
		rd->n_rules = RULES_MAX;
		walk_bad(&rd->walk, node, "expected at most %d rules of %d MiB in all files",
		    RULES_MAX, RULES_MEMORY_MAX >> 20);
	}
	rd->n_rules++;
	return !full;
}

void
rule_read(struct walk *w, yaml_node_t *node, void *item)
{
	static const struct walk_key keys[] = {
		{ "alert", WALK_CALL, 0, key_alert },
		{ "record", WALK_CALL, 0, key_record },
		{ "expr", WALK_CALL, 0, key_expr },
		{ "for", WALK_CALL, 0, key_for },
		{ "keep_firing_for", WALK_CALL, 0, key_keep },
		{ "labels", WALK_CALL, 0, key_labels },
		{ "annotations", WALK_CALL, 0, key_annotations },
		{ "window", WALK_SPAN, offsetof(struct raw_rule, window), NULL },
		{ "resolve_when", WALK_CALL, 0, key_resolve },
		{ "flap", WALK_CALL, 0, key_flap },
		{ "absent", WALK_CALL, 0, key_absent },
		{ "learn", WALK_CALL, 0, key_learn },
		{ "new_pattern", WALK_CALL, 0, key_new_pattern },
		{ "anomaly", WALK_CALL, 0, key_anomaly },
		{ "source", WALK_CALL, 0, key_source },
		{ "debug", WALK_CALL, 0, key_debug },
		{ "update_entries_limit", WALK_CALL, 0, key_entries },
	};
	struct rule_reader *rd = reader_of(w);
	struct raw_rule raw = { 0 };
	size_t n_before = w->n_errors;
	struct rule *r = item;

	if (!has_room(rd, node))
		return;
	if (rd->first == NULL)
		rd->first = r;
	raw.r.line = (unsigned)node->start_mark.line + 1;
	walk_map(w, node, keys, ARRAY_LEN(keys), &raw);
	if (w->n_errors == n_before)
		finish(rd, node, &raw);
	*r = raw.r;
	/* The items of the list lie in a row. */
	if (w->n_errors == n_before)
		check_twice(rd, node, r, rd->first);
}
