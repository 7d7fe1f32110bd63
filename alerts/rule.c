/*
 * alerts/rule.c - rule files.
 * One job: files and their groups as a set, or every mistake with its place.
 * Floor: 4 (uses doc, logsql, base).
 */
#include <fcntl.h>
#include <glob.h>
#include <math.h>
#include <stddef.h>

#include "alerts/rule_internal.h"
#include "base/hash.h"
#include "base/io.h"

static const struct span default_interval = { NS_PER_MIN };

static struct rule_reader *
reader_of(struct walk *w)
{
	return (struct rule_reader *)w;
}

/* ---- kinds of values ---- */

bool
rule_node_empty(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE && node->data.scalar.length == 0 &&
	    node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

bool
rule_span(struct walk *w, yaml_node_t *node, struct span *ret)
{
	struct str s;

	if (!walk_scalar(w, node, &s))
		return false;
	if (str_eq_c(s, "0")) {
		*ret = (struct span){ 0 };
		return true;
	}
	if (span_parse(s, ret) == 0 && ret->ns >= 0)
		return true;
	walk_bad(w, node, "expected a duration such as 30s, 5m or 0s, found '%.*s'", STR_ARG(s));
	return false;
}

bool
rule_count(struct walk *w, yaml_node_t *node, uint64_t *ret)
{
	uint64_t v = 0;
	struct str s;
	size_t i;

	if (!walk_scalar(w, node, &s))
		return false;
	for (i = 0; i < s.n && i < 15 && s.p[i] >= '0' && s.p[i] <= '9'; i++)
		v = v * 10 + (uint64_t)(s.p[i] - '0');
	if (s.n == 0 || i < s.n) {
		walk_bad(w, node, "expected a whole number, found '%.*s'", STR_ARG(s));
		return false;
	}
	*ret = v;
	return true;
}

bool
rule_number(struct walk *w, yaml_node_t *node, double *ret)
{
	char text[64], *end = text;
	struct str s;
	double v = 0;

	if (!walk_scalar(w, node, &s))
		return false;
	if (s.n > 0 && s.n < sizeof(text)) {
		memcpy(text, s.p, s.n);
		text[s.n] = '\0';
		v = strtod(text, &end);
	}
	if (end == text || *end != '\0' || !isfinite(v) || v <= 0) {
		walk_bad(w, node, "expected a number above zero, found '%.*s'", STR_ARG(s));
		return false;
	}
	*ret = v;
	return true;
}

void
rule_filter(struct rule_reader *rd, yaml_node_t *node, const char *key, struct filter **ret,
    struct str *ret_text)
{
	struct logsql_options opt = { wall_now(), rd->zone_s };
	struct logsql_error e = { 0, "" };
	int r;

	if (!walk_scalar(&rd->walk, node, ret_text))
		return;
	r = query_parse_filter(*ret_text, &opt, rd->walk.arena, ret, &e);
	if (r > 0)
		rule_bad_at(rd, node, e.at, "%s: %s", key, e.text);
	else if (r < 0)
		walk_bad(&rd->walk, node, "%s: %s", key, err_str(r));
}

/* ---- groups ---- */

static void
key_rules(struct walk *w, yaml_node_t *node, void *base)
{
	reader_of(w)->group_rules = node;
}

static void
key_group_labels(struct walk *w, yaml_node_t *node, void *base)
{
	reader_of(w)->group_labels = node;
}

static void
key_interval(struct walk *w, yaml_node_t *node, void *base)
{
	(void)rule_span(w, node, &((struct rule_group *)base)->interval);
}

static void
key_offset(struct walk *w, yaml_node_t *node, void *base)
{
	(void)rule_span(w, node, &((struct rule_group *)base)->eval_offset);
}

static void
key_delay(struct walk *w, yaml_node_t *node, void *base)
{
	(void)rule_span(w, node, &((struct rule_group *)base)->eval_delay);
}

static void
key_limit(struct walk *w, yaml_node_t *node, void *base)
{
	(void)rule_count(w, node, &((struct rule_group *)base)->limit);
}

static void
key_type(struct walk *w, yaml_node_t *node, void *base)
{
	struct str s;

	if (!walk_scalar(w, node, &s) || s.n == 0 || str_eq_c(s, "vlogs"))
		return;
	if (str_eq_c(s, "prometheus") || str_eq_c(s, "graphite"))
		walk_bad(w, node,
		    "type: expected vlogs, found %.*s: rules here are asked of logs, in LogsQL with stats",
		    STR_ARG(s));
	else
		walk_bad(w, node, "type: expected vlogs, found '%.*s'", STR_ARG(s));
}

static void
param_pair(struct walk *w, struct str key, yaml_node_t *key_node, yaml_node_t *value, void *base)
{
	if (str_eq_c(key, "extra_filters") || str_eq_c(key, "extra_stream_filters"))
		walk_bad(w, key_node,
		    "%.*s changes what rules see, and is not done here: expected the filter in each expr",
		    STR_ARG(key));
	else
		rule_note(reader_of(w), key_node, "params: %.*s has no effect here", STR_ARG(key));
}

static void
key_params(struct walk *w, yaml_node_t *node, void *base)
{
	if (!rule_node_empty(node))
		walk_pairs(w, node, param_pair, base);
}

/* Keys of other evaluators that mean nothing here. */
#define KEY_WITHOUT_EFFECT(fn, key, why)                                              \
	static void fn(struct walk *w, yaml_node_t *node, void *base)                 \
	{                                                                             \
		rule_note(reader_of(w), node, "%s has no effect here: %s", key, why); \
	}
#define NO_SERVER "no other server is asked"
#define IN_TURN   "rules run one after the other, at multiples of interval"
KEY_WITHOUT_EFFECT(key_headers, "headers", NO_SERVER)
KEY_WITHOUT_EFFECT(key_notifier_headers, "notifier_headers", NO_SERVER)
KEY_WITHOUT_EFFECT(key_tenant, "tenant", NO_SERVER)
KEY_WITHOUT_EFFECT(key_strategy, "partial_response_strategy", NO_SERVER)
KEY_WITHOUT_EFFECT(key_concurrency, "concurrency", IN_TURN)
KEY_WITHOUT_EFFECT(key_alignment, "eval_alignment", IN_TURN)
KEY_WITHOUT_EFFECT(key_debug, "debug", "evaluations are kept for weir why")

static void
read_rules(struct rule_reader *rd, struct rule_group *g)
{
	void *items = NULL;
	size_t i, n = 0;

	if (rd->group_rules == NULL || rule_node_empty(rd->group_rules) || rd->n_rules > RULES_MAX)
		return;
	rd->first = NULL;
	g->n_rules = walk_list(&rd->walk, rd->group_rules, sizeof(struct rule), &items, rule_read);
	g->rules = items;
	/* Mistaken ones have no query; the set is then not handed out. */
	for (i = 0; i < g->n_rules; i++)
		if (g->rules[i].query != NULL)
			g->rules[n++] = g->rules[i];
	g->n_rules = n;
}

static void
group_name(struct rule_reader *rd, const yaml_node_t *node, const struct rule_group *g)
{
	const struct rule_set *set = rd->set;
	size_t i;

	if (g->name.n == 0) {
		walk_bad(&rd->walk, node, "expected name: of the group");
		return;
	}
	for (i = 0; i < set->n_groups; i++)
		if (str_eq(set->groups[i].name, g->name) && str_eq(set->groups[i].file, g->file)) {
			walk_bad(&rd->walk, node, "group '%.*s' stands in this file twice",
			    STR_ARG(g->name));
			return;
		}
}

static void
add_group(struct rule_reader *rd, const struct rule_group *g)
{
	struct rule_set *set = rd->set;
	struct rule_group *all;

	/* A power of two is full. */
	if ((set->n_groups & (set->n_groups - 1)) == 0) {
		all = arena_zalloc(&set->arena, set->n_groups * 2 + 1, sizeof(*all));
		if (all == NULL) {
			rd->walk.n_errors++;
			return;
		}
		if (set->n_groups > 0)
			memcpy(all, set->groups, set->n_groups * sizeof(*all));
		set->groups = all;
	}
	set->groups[set->n_groups++] = *g;
}

static uint64_t
group_id(const struct rule_group *g)
{
	return hash64_seed(g->name, hash64(g->file));
}

static void
read_group(struct walk *w, yaml_node_t *node, void *item)
{
	static const struct walk_key keys[] = {
		{ "name", WALK_STR, offsetof(struct rule_group, name), NULL },
		{ "interval", WALK_CALL, 0, key_interval },
		{ "eval_offset", WALK_CALL, 0, key_offset },
		{ "eval_delay", WALK_CALL, 0, key_delay },
		{ "query_offset", WALK_CALL, 0, key_delay },
		{ "limit", WALK_CALL, 0, key_limit },
		{ "type", WALK_CALL, 0, key_type },
		{ "labels", WALK_CALL, 0, key_group_labels },
		{ "rules", WALK_CALL, 0, key_rules },
		{ "params", WALK_CALL, 0, key_params },
		{ "headers", WALK_CALL, 0, key_headers },
		{ "notifier_headers", WALK_CALL, 0, key_notifier_headers },
		{ "tenant", WALK_CALL, 0, key_tenant },
		{ "partial_response_strategy", WALK_CALL, 0, key_strategy },
		{ "concurrency", WALK_CALL, 0, key_concurrency },
		{ "eval_alignment", WALK_CALL, 0, key_alignment },
		{ "debug", WALK_CALL, 0, key_debug },
	};
	struct rule_reader *rd = reader_of(w);
	struct rule_group g = { 0 };

	rd->group = &g;
	rd->group_rules = rd->group_labels = NULL;
	g.file = rd->file;
	walk_map(w, node, keys, ARRAY_LEN(keys), &g);
	if (g.interval.ns == 0)
		g.interval = rd->interval;
	if (g.interval.ns < NS_PER_MS)
		walk_bad(w, node, "interval: expected at least 1ms");
	if (g.eval_offset.ns >= g.interval.ns && g.eval_offset.ns > 0)
		walk_bad(w, node, "eval_offset: expected less than the interval");
	g.id = group_id(&g);
	group_name(rd, node, &g);
	read_rules(rd, &g);
	add_group(rd, &g);
	rd->group = NULL;
}

static void
read_groups(struct walk *w, yaml_node_t *node, void *base)
{
	void *items;

	if (!rule_node_empty(node))
		(void)walk_list(w, node, 1, &items, read_group);
}

/* ---- files ---- */

static void
read_document(struct rule_reader *rd)
{
	static const struct walk_key keys[] = { { "groups", WALK_CALL, 0, read_groups } };
	yaml_node_t *root = yaml_document_get_root_node(rd->walk.doc);

	if (root != NULL)
		walk_map(&rd->walk, root, keys, ARRAY_LEN(keys), rd);
}

/* Every document of the file, as vmalert does. */
static int
read_documents(struct rule_reader *rd)
{
	yaml_parser_t parser;
	yaml_document_t doc;
	bool more = true;

	if (!yaml_parser_initialize(&parser))
		return err_origin(-ENOMEM);
	yaml_parser_set_input_string(&parser, rd->text.n != 0 ? rd->text.p : (const uint8_t *)"",
	    rd->text.n);
	while (more) {
		if (!yaml_parser_load(&parser, &doc)) {
			buf_printf(rd->walk.errors, "%s:%zu:%zu: %s%s%s\n", rd->walk.name,
			    parser.problem_mark.line + 1, parser.problem_mark.column + 1,
			    parser.context != NULL ? parser.context : "",
			    parser.context != NULL ? ": " : "",
			    parser.problem != NULL ? parser.problem : "no YAML");
			rd->walk.n_errors++;
			break;
		}
		more = yaml_document_get_root_node(&doc) != NULL;
		rd->walk.doc = &doc;
		read_document(rd);
		yaml_document_delete(&doc);
	}
	yaml_parser_delete(&parser);
	return 0;
}

static int
read_text(struct rule_set *set, const char *name, struct str text, int zone_s, struct span interval,
    size_t *n_rules, struct buf *errors, struct buf *notes)
{
	struct rule_reader rd = {
		.walk = { name, NULL, &set->arena, errors, 0 },
		.text = text,
		.set = set,
		.notes = notes,
		.zone_s = zone_s,
		.interval = interval,
		.n_rules = *n_rules,
	};
	int r;

	rd.file = arena_dup(&set->arena, str_c(name));
	if (rd.file.p == NULL)
		return err_origin(-ENOMEM);
	r = read_documents(&rd);
	*n_rules = rd.n_rules;
	if (r == 0 && rd.walk.n_errors > 0)
		r = RULE_E_BAD;
	return r;
}

static int
set_new(struct rule_set **ret)
{
	struct rule_set *set = calloc(1, sizeof(*set));

	if (set == NULL)
		return err_origin(-ENOMEM);
	*ret = set;
	return 0;
}

struct rule_set *
rules_free(struct rule_set *s)
{
	if (s != NULL)
		arena_fini(&s->arena);
	free(s);
	return NULL;
}

static int
set_notes(struct rule_set *set, const struct buf *notes)
{
	set->notes = arena_dup(&set->arena, buf_view(notes));
	return set->notes.p != NULL && !notes->failed ? 0 : err_origin(-ENOMEM);
}

int
rules_parse(const char *name, struct str text, int zone_s, struct rule_set **ret,
    struct buf *ret_errors)
{
	AUTO_FINI(buf_fini) struct buf notes = BUF_INIT;
	AUTO(rules_free) struct rule_set *set = NULL;
	size_t n_rules = 0;
	int r;

	r = set_new(&set);
	if (r == 0)
		r = read_text(set, name, text, zone_s, default_interval, &n_rules, ret_errors,
		    &notes);
	if (r == 0)
		r = set_notes(set, &notes);
	if (r != 0)
		return r;
	*ret = TAKE(set);
	return 0;
}

struct load {
	struct rule_set *set;
	int zone_s;
	struct span interval;
	size_t n_rules;
	bool bad;
	struct buf *errors, notes;
};

static bool
is_read(const struct rule_set *set, const char *path)
{
	size_t i;

	for (i = 0; i < set->n_groups; i++)
		if (str_eq_c(set->groups[i].file, path))
			return true;
	return false;
}

static int
load_file(struct load *l, const char *path)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	int r;

	/* Two patterns may name one file. */
	if (is_read(l->set, path))
		return 0;
	r = io_read_file(AT_FDCWD, path, RULE_FILE_MAX, &text);
	if (r < 0) {
		buf_printf(l->errors, "%s: %s\n", path, err_str(r));
		l->bad = true;
		return 0;
	}
	r = read_text(l->set, path, buf_view(&text), l->zone_s, l->interval, &l->n_rules, l->errors,
	    &l->notes);
	l->bad = l->bad || r > 0;
	return r > 0 ? 0 : r;
}

/* A pattern may match nothing; a name must be there. */
static int
load_glob(struct load *l, struct str pattern)
{
	AUTO_FINI(buf_fini) struct buf b = BUF_INIT;
	glob_t found = { 0 };
	size_t i;
	int r;

	buf_str(&b, pattern);
	r = glob(buf_c_str(&b), GLOB_NOMAGIC | GLOB_BRACE, NULL, &found);
	if (r != 0 && r != GLOB_NOMATCH)
		return err_origin(r == GLOB_NOSPACE ? -ENOMEM : -EIO);
	r = 0;
	for (i = 0; r == 0 && i < found.gl_pathc; i++)
		r = load_file(l, found.gl_pathv[i]);
	globfree(&found);
	return r;
}

int
rules_load(const struct str *globs, size_t n, int zone_s, struct rule_set **ret,
    struct buf *ret_errors)
{
	return rules_load_by(globs, n, zone_s, default_interval, ret, ret_errors);
}

int
rules_load_by(const struct str *globs, size_t n, int zone_s, struct span interval,
    struct rule_set **ret, struct buf *ret_errors)
{
	AUTO(rules_free) struct rule_set *set = NULL;
	struct load l = { .zone_s = zone_s, .interval = interval, .errors = ret_errors };
	size_t i;
	int r;

	r = set_new(&set);
	l.set = set;
	for (i = 0; r == 0 && i < n; i++)
		r = load_glob(&l, globs[i]);
	if (r == 0)
		r = set_notes(set, &l.notes);
	buf_fini(&l.notes);
	if (r == 0 && l.bad)
		r = RULE_E_BAD;
	if (r == 0)
		*ret = TAKE(set);
	return r;
}
