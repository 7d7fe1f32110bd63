/*
 * tests/unit/test_alerts_rule.c - rule files.
 * One job: what people's files mean, and where each mistake is said to stand.
 */
#include "alerts/rule.h"
#include "check.h"
#include "logsql/filter.h"
#include "logsql/pipe.h"

static struct rule_set *
load(const char *text)
{
	struct buf errors = BUF_INIT;
	struct rule_set *set = NULL;
	int r = rules_parse("r.yaml", str_c(text), 0, &set, &errors);

	if (r != 0)
		fprintf(stderr, "%s", buf_c_str(&errors));
	MUST(r == 0);
	buf_fini(&errors);
	return set;
}

/* The file is refused with exactly these lines. */
static void
bad(const char *text, const char *want)
{
	struct buf errors = BUF_INIT;
	struct rule_set *set = NULL;

	CHECK(rules_parse("r.yaml", str_c(text), 0, &set, &errors) == RULE_E_BAD);
	CHECK(set == NULL);
	CHECK_STR(buf_view(&errors), str_c(want));
	buf_fini(&errors);
}

/* One rule of one group with this text of expr, in single quotes. */
static struct rule_set *
load_expr(const char *expr, const char *more)
{
	struct buf b = BUF_INIT;
	struct rule_set *set;

	buf_printf(&b, "groups: [{name: g, rules: [{alert: A, expr: '%s'%s}]}]", expr, more);
	set = load(buf_c_str(&b));
	buf_fini(&b);
	MUST(set->n_groups == 1 && set->groups[0].n_rules == 1);
	return set;
}

static void
test_file(void)
{
	static const char text[] =
	    "groups:\n"
	    "- name: web\n"
	    "  type: vlogs\n"
	    "  interval: 30s\n"
	    "  eval_offset: 5s\n"
	    "  limit: 10\n"
	    "  concurrency: 4\n"
	    "  headers: [\"AccountID: 1\"]\n"
	    "  labels: {team: ops, severity: info}\n"
	    "  rules:\n"
	    "  - alert: Errors\n"
	    "    expr: '{app=\"shop\"} level:error | stats by (unit) count() hits | filter hits:>10'\n"
	    "    for: 2m\n"
	    "    keep_firing_for: 0s\n"
	    "    labels: {severity: critical}\n"
	    "    annotations:\n"
	    "      summary: \"{{ $labels.unit }}: {{ $value }} errors\"\n"
	    "      note: plain\n"
	    "    debug: true\n"
	    "  - record: app:rows:count\n"
	    "    expr: '* | stats count() rows'\n"
	    "- name: other\n"
	    "  rules: []\n";
	struct rule_set *set = load(text);
	const struct rule_group *g = set->groups;
	const struct rule *r = g->rules;

	CHECK(set->n_groups == 2 && g->n_rules == 2 && set->groups[1].n_rules == 0);
	CHECK(g->interval.ns == 30 * NS_PER_S && g->eval_offset.ns == 5 * NS_PER_S);
	CHECK(g->limit == 10 && set->groups[1].interval.ns == NS_PER_MIN);
	CHECK(r->kind == RULE_ALERT && r->form == RULE_THRESHOLD && r->line == 11);
	CHECK(r->for_.ns == 2 * NS_PER_MIN && r->keep_firing_for.ns == 0);
	CHECK(r->window.ns == 30 * NS_PER_S && r->stream && r->n_row == 0);
	CHECK(r->query->n_pipes == 2 && r->query->pipes[0]->kind == PIPE_STATS);
	CHECK(r->n_labels == 2);
	CHECK_STR(r->labels[0].text, STR("ops"));
	CHECK_STR(r->labels[1].text, STR("critical"));
	CHECK(r->n_annotations == 2 && r->annotations[0].tmpl != NULL);
	CHECK(r->annotations[1].tmpl == NULL);
	CHECK(r[1].kind == RULE_RECORD && r[1].n_labels == 2 && r[1].id != r->id);
	CHECK(str_find(set->notes, STR("r.yaml:7:16: concurrency has no effect here")) != SIZE_MAX);
	CHECK(str_find(set->notes, STR("r.yaml:8:12: headers has no effect here")) != SIZE_MAX);
	CHECK(str_find(set->notes, STR("r.yaml:19:12: debug has no effect here")) != SIZE_MAX);
	rules_free(set);
}

static void
check_window(const char *expr, const char *more, int64_t want_ns, const char *want_filter)
{
	struct rule_set *set = load_expr(expr, more);
	const struct rule *r = set->groups[0].rules;
	struct buf b = BUF_INIT;

	CHECK(r->window.ns == want_ns);
	filter_format(&b, r->query->filter);
	CHECK_STR(buf_view(&b), str_c(want_filter));
	buf_fini(&b);
	rules_free(set);
}

static void
test_window(void)
{
	check_window("_time:5m error | stats count() n", "", 5 * NS_PER_MIN, "error");
	check_window("error _time:5m | stats count() n", ", window: 5m", 5 * NS_PER_MIN, "error");
	check_window("_time:5m | stats count() n", "", 5 * NS_PER_MIN, "*");
	check_window("_time:<5m a b | stats count() n", "", 5 * NS_PER_MIN, "a b");
	check_window("_time:[now-1h, now) a | stats count() n", "", NS_PER_HOUR, "a");
	check_window("a (b _time:10m) _time:20m | stats count() n", "", 10 * NS_PER_MIN, "a b");
	check_window("error | stats count() n", ", window: 2m", 2 * NS_PER_MIN, "error");
	check_window("error | stats count() n", "", NS_PER_MIN, "error");
	check_window("_time:day_range[08:00, 18:00) a | stats count() n", "", NS_PER_MIN,
	    "_time:day_range[08:00, 18:00) a");
	check_window("_time:5m offset 1h a | stats count() n", "", 0, "_time:5m offset 1h a");
	check_window("_time:2024-05-06 a | stats count() n", "", 0, "_time:2024-05-06 a");
}

/* "" for a stream. */
static void
check_stream(const char *expr, size_t n_row, const char *why)
{
	struct rule_set *set = load_expr(expr, "");
	const struct rule *r = set->groups[0].rules;

	CHECK(r->stream == (*why == '\0'));
	CHECK(r->n_row == n_row);
	CHECK_STR(r->why_not_stream, str_c(why));
	rules_free(set);
}

static void
test_stream(void)
{
	check_stream("* | stats by (a) count() n", 0, "");
	check_stream(
	    "* | extract \"<a> <b>\" | math b * 2 as c | stats by (a) max(c) m | math m + 1 "
	    "as k | filter k:>3 | sort by (k) | limit 2",
	    2, "");
	check_stream("* | unroll by (a) | stats count() n", 1, "");
	check_stream("* | stats by (a) count() n | stats max(n) m", 0, "");
	check_stream("* | sort by (_time) | limit 10 | stats count() n", 2,
	    "sort: before stats it needs more than one row at a time");
	check_stream("user:in(level:error | fields user) | stats count() n", 0,
	    "its filter reads another query");
	check_stream("* | join by (a) (b) | stats count() n", 1, "join: it reads another query");
	check_stream("* | stats count() if (user:in(x:y | fields user)) n", 0,
	    "stats: it reads another query");
	check_stream("* | math now() - t as age | stats max(age) n", 1,
	    "math: now() or rand() before stats differs from instant to instant");
	check_stream("* | stats count() n | math now() as t", 0, "");
	check_stream("_time:5m offset 1d | stats count() n", 0,
	    "its _time filter is no window that ends at the instant of evaluation");
	check_stream("_time:5m (a or _time:1m) | stats count() n", 0,
	    "a _time filter stands beside others than by AND");
	check_stream("* | filter _time:1m | stats count() n", 1,
	    "filter: a time in a pipe's filter differs from instant to instant");
}

static void
test_forms(void)
{
	struct rule_set *set;
	const struct rule *r;

	set = load_expr("{app=\"x\"}", ", absent: {unit: [a.service, b.service]}, window: 10m");
	r = set->groups[0].rules;
	CHECK(r->form == RULE_ABSENT && r->n_absent_values == 2 && r->stream);
	CHECK_STR(r->absent_values[1], STR("b.service"));
	CHECK_STR(r->expr, STR("{app=\"x\"} | stats by (unit) count() hits"));
	rules_free(set);

	set = load_expr("* | stats by (unit) count() n", ", absent: {unit: learned}, learn: 3d");
	r = set->groups[0].rules;
	CHECK(r->form == RULE_ABSENT && r->n_absent_values == 0);
	CHECK(r->learn.ns == 3 * NS_PER_DAY);
	rules_free(set);

	set = load_expr("level:error", ", new_pattern: {since: 2d}");
	r = set->groups[0].rules;
	CHECK(r->form == RULE_NEW_PATTERN && r->learn.ns == 2 * NS_PER_DAY && r->n_row == 0);
	rules_free(set);

	set = load_expr("* | stats count() n", ", anomaly: {history: 14d, band: 3.5, min: 4}");
	r = set->groups[0].rules;
	CHECK(r->form == RULE_ANOMALY && r->band > 3.4 && r->band < 3.6 && r->band_min == 4);
	rules_free(set);

	set = load_expr("* | stats count() n | filter n:>9",
	    ", resolve_when: \"n:<3\", flap: {changes: 6, within: 1h}, source: \"{unit=x}\"");
	r = set->groups[0].rules;
	CHECK(r->resolve_when != NULL && r->source != NULL && r->flap_changes == 6);
	CHECK(r->flap_within.ns == NS_PER_HOUR);
	rules_free(set);
}

static void
test_ids(void)
{
	struct rule_set *a = load_expr("* | stats count() n", ", for: 1m");
	struct rule_set *b = load_expr("* | stats count() n", ", for: 9m");
	struct rule_set *c = load_expr("* | stats count() m", ", for: 1m");
	struct rule_set *d = load_expr("* | stats count() n", ", labels: {a: b}");

	CHECK(a->groups[0].rules[0].id == b->groups[0].rules[0].id);
	CHECK(a->groups[0].rules[0].id != c->groups[0].rules[0].id);
	CHECK(a->groups[0].rules[0].id != d->groups[0].rules[0].id);
	CHECK(a->groups[0].id == c->groups[0].id);
	rules_free(a);
	rules_free(b);
	rules_free(c);
	rules_free(d);
}

static void
test_query_at(void)
{
	struct rule_set *set = load_expr("_time:5m offset 1h x | stats count() n", "");
	struct arena arena = ARENA_INIT;
	struct wall min, max;
	struct query *q = NULL;

	MUST(rule_query_at(set->groups[0].rules, (struct wall){ 7200 * NS_PER_S }, 0, &arena, &q) ==
	    0);
	filter_time_range(q->filter, &min, &max);
	CHECK(max.ns == 3600 * NS_PER_S && min.ns == 3300 * NS_PER_S);
	rules_free(set);
	set = load_expr("x | stats count() n", ", window: 10m");
	MUST(rule_query_at(set->groups[0].rules, (struct wall){ 7200 * NS_PER_S }, 0, &arena, &q) ==
	    0);
	filter_time_range(q->filter, &min, &max);
	CHECK(max.ns == 7200 * NS_PER_S && min.ns == 6600 * NS_PER_S + 1);
	rules_free(set);
	arena_fini(&arena);
}

static void
test_mistakes(void)
{
	bad("groups:\n- name: g\n  intervall: 5s\n",
	    "r.yaml:3:3: unknown key 'intervall', did you mean 'interval'?\n");
	bad("groups:\n- name: g\n  type: prometheus\n  rules: []\n",
	    "r.yaml:3:9: type: expected vlogs, found prometheus: rules here are asked of logs, in "
	    "LogsQL with stats\n");
	bad("groups:\n- name: g\n  rules:\n  - alert: A\n    expr: level:error\n",
	    "r.yaml:5:22: expr: expected a stats pipe, such as '| stats by (unit) count() hits | "
	    "filter hits:>10'\n");
	bad("groups:\n- name: g\n  rules:\n  - alert: A\n    expr: |\n      *\n      | stats by (a) "
	    "cuont() n\n",
	    "r.yaml:7:22: expr: there is no stats function cuont; did you mean count?\n");
	bad("groups: [{name: g, rules: [{alert: A, expr: '* | stats count() n', annotations: {s: "
	    "\"a\\n{{ $lables.x }}\"}}]}]",
	    "r.yaml:1:92: template: no variable $lables: there are $labels, $value, $values, "
	    "$externalLabels and those set before\n");
	bad("groups: [{name: g, rules: [{expr: '* | stats count() n'}]}]",
	    "r.yaml:1:28: expected alert: NAME or record: NAME, and one of them\n");
	bad("groups: [{name: g, rules: [{record: a-b, expr: '* | stats count() n'}]}]",
	    "r.yaml:1:37: record: expected a metric's name of letters, digits, _ and :, found "
	    "'a-b'\n");
	bad("groups: [{name: g, rules: [{record: a, for: 1m, expr: '* | stats count() n'}]}]",
	    "r.yaml:1:45: for: is for alerts, and this rule records\n");
	bad("groups: [{name: g}, {name: g}]", "r.yaml:1:21: group 'g' stands in this file twice\n");
	bad("groups:\n- name: g\n  rules:\n  - {alert: A, expr: '* | stats count() n'}\n  - {alert: "
	    "A, expr: '* | stats count() n'}\n",
	    "r.yaml:5:5: rule 'A' stands here twice, with the same expr and labels (line 4)\n");
	bad("groups: [{name: g, interval: soon}]",
	    "r.yaml:1:30: expected a duration such as 30s, 5m or 0s, found 'soon'\n");
	bad("groups: [{name: g, params: {extra_filters: ['a:b']}}]",
	    "r.yaml:1:29: extra_filters changes what rules see, and is not done here: expected the "
	    "filter in each expr\n");
	bad("groups: [{name: g, rules: [{alert: A, absent: {unit: [a]}, expr: '* | stats by (host) "
	    "count() n'}]}]",
	    "r.yaml:1:67: expr: absent looks at 'unit': expected stats by (unit), or no stats at "
	    "all\n");
	bad("groups: [{name: g, rules: [{alert: A, window: 5m, expr: '_time:1m | stats count() "
	    "n'}]}]",
	    "r.yaml:1:58: expr: expr has a _time filter and the rule a window: expected one of "
	    "them\n");
	bad("groups:\n- {name: g, limit: -1}\n- {name: h, limit: x}\n",
	    "r.yaml:2:20: expected a whole number, found '-1'\n"
	    "r.yaml:3:20: expected a whole number, found 'x'\n");
	bad("groups: [",
	    "r.yaml:2:1: while parsing a flow node: did not find expected node "
	    "content\n");
}

int
main(void)
{
	test_file();
	test_window();
	test_stream();
	test_forms();
	test_ids();
	test_query_at();
	test_mistakes();
	return check_done();
}
