/*
 * alerts/rulecase.c - cases for rules.
 * One job: a file of cases as structs, or every mistake in it with its place.
 * Floor: 4 (uses doc, base).
 */
#include "alerts/rulecase.h"

#include <fcntl.h>
#include <stddef.h>

#include "alerts/rule_internal.h"
#include "base/io.h"

enum { CASE_FILE_MAX = 16 << 20 };

/* 2026-01-01T00:00:00Z */
#define START_NS (INT64_C(1767225600) * NS_PER_S)

/* ---- values ---- */

struct pair_list {
	struct label *p;
	size_t n;
};

static void
add_pair(struct walk *w, struct str key, yaml_node_t *key_node, yaml_node_t *value, void *base)
{
	struct pair_list *all = base;
	struct label *one = &all->p[all->n];

	one->name = arena_dup(w->arena, key);
	if (key.n == 0)
		walk_bad(w, key_node, "expected a name");
	else if (walk_scalar(w, value, &one->value))
		all->n++;
}

static struct pair_list
read_pairs(struct walk *w, yaml_node_t *node)
{
	struct pair_list all = { NULL, 0 };
	size_t n = 0;

	if (node->type == YAML_MAPPING_NODE)
		n = (size_t)(node->data.mapping.pairs.top - node->data.mapping.pairs.start);
	all.p = arena_zalloc(w->arena, n + 1, sizeof(*all.p));
	if (all.p != NULL && !rule_node_empty(node))
		walk_pairs(w, node, add_pair, &all);
	return all;
}

#define KEY_SPAN(fn, type, member)                                    \
	static void fn(struct walk *w, yaml_node_t *node, void *base) \
	{                                                             \
		(void)rule_span(w, node, &((type *)base)->member);    \
	}
#define KEY_PAIRS(fn, type, member)                                   \
	static void fn(struct walk *w, yaml_node_t *node, void *base) \
	{                                                             \
		struct pair_list all = read_pairs(w, node);           \
		((type *)base)->member = all.p;                       \
		((type *)base)->n_##member = all.n;                   \
	}
#define KEY_LIST(fn, type, member, each)                                                      \
	static void fn(struct walk *w, yaml_node_t *node, void *base)                         \
	{                                                                                     \
		type *t = base;                                                               \
		void *items = NULL;                                                           \
		if (!rule_node_empty(node))                                                   \
			t->n_##member = walk_list(w, node, sizeof(*t->member), &items, each); \
		t->member = items;                                                            \
	}

/* ---- inputs ---- */

KEY_SPAN(input_at, struct case_input, at)
KEY_PAIRS(input_stream, struct case_input, stream)
KEY_PAIRS(input_fields, struct case_input, fields)

static void
input_repeat(struct walk *w, yaml_node_t *node, void *base)
{
	struct case_input *in = base;

	if (rule_count(w, node, &in->repeat) && in->repeat > CASE_ROWS_MAX)
		walk_bad(w, node, "repeat: expected at most %d", CASE_ROWS_MAX);
}

static void
read_input(struct walk *w, yaml_node_t *node, void *item)
{
	static const struct walk_key keys[] = {
		{ "at", WALK_CALL, 0, input_at },
		{ "lines", WALK_STRS, offsetof(struct case_input, lines), NULL },
		{ "parser", WALK_STR, offsetof(struct case_input, parser), NULL },
		{ "stream", WALK_CALL, 0, input_stream },
		{ "fields", WALK_CALL, 0, input_fields },
		{ "repeat", WALK_CALL, 0, input_repeat },
		{ "every", WALK_SPAN, offsetof(struct case_input, every), NULL },
	};
	struct case_input *in = item;

	in->line = (unsigned)node->start_mark.line + 1;
	in->repeat = 1;
	walk_map(w, node, keys, ARRAY_LEN(keys), in);
	if (in->n_lines == 0 && in->n_fields == 0)
		walk_bad(w, node, "expected lines: or fields:");
}

/* ---- what is expected ---- */

KEY_PAIRS(alert_labels, struct case_alert, labels)

static void
alert_annotations(struct walk *w, yaml_node_t *node, void *base)
{
	struct pair_list all = read_pairs(w, node);
	struct case_alert *a = base;

	a->annotations = all.p;
	a->n_annotations = all.n;
	a->has_annotations = true;
}

static void
alert_state(struct walk *w, yaml_node_t *node, void *base)
{
	struct str s;

	if (!walk_scalar(w, node, &s))
		return;
	((struct case_alert *)base)->pending = str_eq_c(s, "pending");
	if (!str_eq_c(s, "pending") && !str_eq_c(s, "firing"))
		walk_bad(w, node, "state: expected firing or pending, found '%.*s'", STR_ARG(s));
}

static void
read_alert(struct walk *w, yaml_node_t *node, void *item)
{
	static const struct walk_key keys[] = {
		{ "labels", WALK_CALL, 0, alert_labels },
		{ "exp_labels", WALK_CALL, 0, alert_labels },
		{ "annotations", WALK_CALL, 0, alert_annotations },
		{ "exp_annotations", WALK_CALL, 0, alert_annotations },
		{ "state", WALK_CALL, 0, alert_state },
	};

	walk_map(w, node, keys, ARRAY_LEN(keys), item);
}

KEY_SPAN(alerts_at, struct case_alerts, at)
KEY_LIST(alerts_exp, struct case_alerts, exp, read_alert)

static void
read_alerts(struct walk *w, yaml_node_t *node, void *item)
{
	static const struct walk_key keys[] = {
		{ "at", WALK_CALL, 0, alerts_at },
		{ "eval_time", WALK_CALL, 0, alerts_at },
		{ "alertname", WALK_STR, offsetof(struct case_alerts, alertname), NULL },
		{ "exp_alerts", WALK_CALL, 0, alerts_exp },
	};
	struct case_alerts *a = item;

	a->line = (unsigned)node->start_mark.line + 1;
	walk_map(w, node, keys, ARRAY_LEN(keys), a);
	if (a->alertname.n == 0)
		walk_bad(w, node, "expected alertname:");
}

KEY_SPAN(message_at, struct case_message, at)

static void
message_count(struct walk *w, yaml_node_t *node, void *base)
{
	struct case_message *m = base;

	m->has_count = rule_count(w, node, &m->count);
}

static void
read_mail(struct walk *w, yaml_node_t *node, void *item)
{
	static const struct walk_key keys[] = {
		{ "at", WALK_CALL, 0, message_at },
		{ "receiver", WALK_STR, offsetof(struct case_message, receiver), NULL },
		{ "to", WALK_STR, offsetof(struct case_message, to), NULL },
		{ "subject_contains", WALK_STRS, offsetof(struct case_message, subject), NULL },
		{ "text_contains", WALK_STRS, offsetof(struct case_message, text), NULL },
		{ "count", WALK_CALL, 0, message_count },
	};
	struct case_message *m = item;

	m->line = (unsigned)node->start_mark.line + 1;
	walk_map(w, node, keys, ARRAY_LEN(keys), m);
}

static void
read_webhook(struct walk *w, yaml_node_t *node, void *item)
{
	static const struct walk_key keys[] = {
		{ "at", WALK_CALL, 0, message_at },
		{ "receiver", WALK_STR, offsetof(struct case_message, receiver), NULL },
		{ "body_contains", WALK_STRS, offsetof(struct case_message, text), NULL },
		{ "count", WALK_CALL, 0, message_count },
	};
	struct case_message *m = item;

	m->line = (unsigned)node->start_mark.line + 1;
	m->webhook = true;
	walk_map(w, node, keys, ARRAY_LEN(keys), m);
}

/* ---- tests ---- */

KEY_LIST(test_input, struct case_test, inputs, read_input)
KEY_LIST(test_alerts, struct case_test, alerts, read_alerts)
KEY_LIST(test_mail, struct case_test, mails, read_mail)
KEY_LIST(test_webhook, struct case_test, webhooks, read_webhook)

static void
test_stream(struct walk *w, yaml_node_t *node, void *base)
{
	input_stream(w, node, &((struct case_test *)base)->all);
}

static void
test_fields(struct walk *w, yaml_node_t *node, void *base)
{
	input_fields(w, node, &((struct case_test *)base)->all);
}

static void
test_start(struct walk *w, yaml_node_t *node, void *base)
{
	struct case_test *t = base;
	struct str s;
	bool zone;

	if (walk_scalar(w, node, &s) && wall_parse_rfc3339(s, 0, &t->start, &zone) != 0)
		walk_bad(w, node, "start: expected a time such as 2026-01-01T00:00:00Z");
}

static void
read_test(struct walk *w, yaml_node_t *node, void *item)
{
	static const struct walk_key keys[] = {
		{ "name", WALK_STR, offsetof(struct case_test, name), NULL },
		{ "start", WALK_CALL, 0, test_start },
		{ "parser", WALK_STR, offsetof(struct case_test, all.parser), NULL },
		{ "stream", WALK_CALL, 0, test_stream },
		{ "fields", WALK_CALL, 0, test_fields },
		{ "input", WALK_CALL, 0, test_input },
		{ "alerts", WALK_CALL, 0, test_alerts },
		{ "alert_rule_test", WALK_CALL, 0, test_alerts },
		{ "mail", WALK_CALL, 0, test_mail },
		{ "webhook", WALK_CALL, 0, test_webhook },
	};
	struct case_test *t = item;

	t->line = (unsigned)node->start_mark.line + 1;
	t->start = (struct wall){ START_NS };
	walk_map(w, node, keys, ARRAY_LEN(keys), t);
	if (t->n_alerts + t->n_mails + t->n_webhooks == 0)
		walk_bad(w, node, "expected alerts:, mail: or webhook: to look for");
	if (t->name.n == 0)
		t->name = STR("(no name)");
}

KEY_LIST(file_tests, struct case_file, tests, read_test)
KEY_SPAN(file_interval, struct case_file, evaluation_interval)

static void
read_file(struct walk *w, struct case_file *c)
{
	static const struct walk_key keys[] = {
		{ "rule_files", WALK_STRS, offsetof(struct case_file, rule_files), NULL },
		{ "evaluation_interval", WALK_CALL, 0, file_interval },
		{ "alertmanager", WALK_STR, offsetof(struct case_file, alertmanager), NULL },
		{ "tests", WALK_CALL, 0, file_tests },
	};
	yaml_node_t *root = yaml_document_get_root_node(w->doc);

	if (root == NULL) {
		buf_printf(w->errors, "%s:1:1: expected rule_files: and tests:\n", w->name);
		w->n_errors++;
		return;
	}
	walk_map(w, root, keys, ARRAY_LEN(keys), c);
	if (w->n_errors == 0 && (c->n_rule_files == 0 || c->n_tests == 0))
		walk_bad(w, root, "expected rule_files: and tests:");
}

static int
parse(struct case_file *c, const char *name, struct str text, struct buf *errors)
{
	struct walk w = { name, NULL, &c->arena, errors, 0 };
	yaml_parser_t parser;
	yaml_document_t doc;

	if (!yaml_parser_initialize(&parser))
		return err_origin(-ENOMEM);
	yaml_parser_set_input_string(&parser, text.n != 0 ? text.p : (const uint8_t *)"", text.n);
	if (yaml_parser_load(&parser, &doc)) {
		w.doc = &doc;
		read_file(&w, c);
		yaml_document_delete(&doc);
	} else {
		buf_printf(errors, "%s:%zu:%zu: %s\n", name, parser.problem_mark.line + 1,
		    parser.problem_mark.column + 1,
		    parser.problem != NULL ? parser.problem : "no YAML");
		w.n_errors++;
	}
	yaml_parser_delete(&parser);
	return w.n_errors > 0 ? CASE_E_BAD : 0;
}

int
case_parse(const char *name, struct str text, struct case_file **ret, struct buf *ret_errors)
{
	AUTO(case_free) struct case_file *c = calloc(1, sizeof(*c));
	int r;

	if (c == NULL)
		return err_origin(-ENOMEM);
	c->name = arena_dup(&c->arena, str_c(name));
	r = c->name.p != NULL ? parse(c, name, text, ret_errors) : err_origin(-ENOMEM);
	if (r == 0)
		*ret = TAKE(c);
	return r;
}

int
case_load(const char *path, struct case_file **ret, struct buf *ret_errors)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	int r = io_read_file(AT_FDCWD, path, CASE_FILE_MAX, &text);

	if (r < 0) {
		buf_printf(ret_errors, "%s: %s\n", path, err_str(r));
		return err_trace(r);
	}
	return case_parse(path, buf_view(&text), ret, ret_errors);
}

struct case_file *
case_free(struct case_file *c)
{
	if (c != NULL)
		arena_fini(&c->arena);
	free(c);
	return NULL;
}
