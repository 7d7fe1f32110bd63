/*
 * tests/unit/test_alerts_eval.c - the evaluator.
 * One job: windows kept on the stream say at every instant what the store says, whatever order rows come in.
 */
#include <stdio.h>

#include "alerts/eval.h"
#include "query/run.h"
#include "store_rows.h"

#define T0 (INT64_C(1700000000) * NS_PER_S)

/* splitmix64 */
static uint64_t seed;

static uint64_t
draw(void)
{
	uint64_t z = (seed += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static unsigned
below(unsigned n)
{
	return (unsigned)(((draw() >> 32) * n) >> 32);
}

/* A store, its view, and rules over it. */
struct bed {
	char path[64];
	struct store *store;
	struct store_view *view;
	struct rule_set *rules;
	struct eval *eval;
	uint64_t next;
	struct wall now;
};

static void
bed_open(struct bed *b, const char *rules, uint64_t memory)
{
	AUTO_FINI(buf_fini) struct buf error = BUF_INIT;
	struct store_options opt = { .seal_bytes = 1 << 20 };
	struct eval_options eopt = { .memory_max = memory, .n_threads = 1 };

	*b = (struct bed){ .now = { T0 } };
	(void)snprintf(b->path, sizeof(b->path), "/tmp/weir-eval-%d", (int)getpid());
	rows_remove_dir(b->path);
	MUST(store_open(&b->store, b->path, &opt, b->now, &error) == 0);
	if (rules_parse("test.yml", str_c(rules), 0, &b->rules, &error) != 0) {
		fprintf(stderr, "%s", buf_c_str(&error));
		MUST(false);
	}
	eopt.store = b->path;
	MUST(eval_new(&b->eval, b->rules, &eopt) == 0);
}

/* As after a crash: the position that was kept is older than what the store has. */
static void
bed_restart(struct bed *b)
{
	struct eval_options opt = { .n_threads = 1, .store = b->path };
	uint64_t next = b->next - (b->next > 50 ? below(50) : 0);

	b->eval = eval_free(b->eval);
	MUST(eval_new(&b->eval, b->rules, &opt) == 0);
	if (below(2) == 0)
		MUST(eval_warm(b->eval, b->view, b->now) == 0);
	MUST(eval_feed(b->eval, b->view, next, &b->next) == 0);
}

static void
bed_close(struct bed *b)
{
	(void)eval_free(b->eval);
	(void)rules_free(b->rules);
	(void)store_view_free(b->view);
	(void)store_close(b->store);
	rows_remove_dir(b->path);
}

struct line {
	int64_t t;
	const char *host, *level, *msg;
	unsigned ms;
	const char *stream;
};

static void
bed_put(struct bed *b, const struct line *l)
{
	struct record rec = { 0 };
	struct field f[4];
	char ms[16];

	(void)snprintf(ms, sizeof(ms), "%u", l->ms);
	f[0] = (struct field){ STR("host"), str_c(l->host), VALUE_STRING };
	f[1] = (struct field){ STR("level"), str_c(l->level), VALUE_STRING };
	f[2] = (struct field){ STR("ms"), str_c(ms), VALUE_NUMBER };
	f[3] = (struct field){ STR("_msg"), str_c(l->msg), VALUE_STRING };
	rec = (struct record){ .time = { l->t },
		.stream = str_c(l->stream != NULL ? l->stream : "{app=\"a\"}"),
		.fields = f,
		.n_fields = 4,
		.flags = RECORD_HAS_TIME };
	MUST(store_append(b->store, &rec, 1) == 0);
}

static void
bed_commit(struct bed *b)
{
	AUTO_FINI(buf_fini) struct buf error = BUF_INIT;

	MUST(store_commit(b->store, b->now) == 0);
	if (b->view == NULL)
		MUST(store_view_open(&b->view, b->path, &error) == 0);
	else
		MUST(store_view_refresh(b->view) == 0);
}

static void
bed_feed(struct bed *b)
{
	bed_commit(b);
	MUST(eval_feed(b->eval, b->view, b->next, &b->next) == 0);
}

/* Results as text, a line each, so that two answers can be compared. */
struct said {
	struct buf text;
	size_t n;
	bool failed, unknown;
	char note[200];
};

static int
say_set(void *ctx, const struct eval_set *set)
{
	struct said *s = ctx;
	size_t i, k;

	s->failed = s->failed || set->failed;
	s->unknown = s->unknown || set->unknown;
	(void)snprintf(s->note, sizeof(s->note), "%.*s", STR_ARG(set->note));
	if (set->failed)
		buf_printf(&s->text, "failed %.*s\n", STR_ARG(set->why));
	for (i = 0; i < set->n; i++) {
		const struct eval_result *r = &set->results[i];

		labels_format(&s->text, &r->labels);
		for (k = 0; k < r->values.n; k++)
			buf_printf(&s->text, " %.*s=%.*s", STR_ARG(r->values.p[k].name),
			    STR_ARG(r->values.p[k].value));
		buf_printf(&s->text, " [%g]%s%s\n", r->value, r->holds ? "" : " no",
		    r->may_resolve ? " resolve" : "");
		s->n++;
	}
	return 0;
}

/* What the store says at the instant, in the same form. */
static int
say_batch(void *ctx, struct batch *b)
{
	struct said *s = ctx;
	const struct str *names, *values;
	size_t i, k, n;

	MUST(batch_names(b, &names, &n) == 0);
	for (i = 0; i < b->n_rows; i++) {
		for (k = 0; k < n; k++) {
			values = batch_strs(b, names[k]);
			if (values[i].n != 0)
				buf_printf(&s->text, "%.*s=%.*s ", STR_ARG(names[k]),
				    STR_ARG(values[i]));
		}
		buf_byte(&s->text, '\n');
		s->n++;
	}
	return 0;
}

/* The same rows from the evaluator: names in the order of the expression are lost, so both are sorted. */
static int
cmp_str(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static void
sort_words(struct buf *text)
{
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;
	struct str rest = buf_view(text), words[512];
	size_t n, i, end;

	while (rest.n > 0) {
		struct str line;

		end = str_find_byte(rest, '\n');
		line = str_sub(rest, 0, end);
		rest = str_sub(rest, end + 1, rest.n);
		for (n = 0; line.n > 0 && n < 512; n++) {
			end = str_find_byte(line, ' ');
			words[n] = str_sub(line, 0, end);
			line = end == SIZE_MAX ? STR_NONE : str_sub(line, end + 1, line.n);
		}
		qsort(words, n, sizeof(*words), cmp_str);
		for (i = 0; i < n; i++) {
			buf_str(&out, words[i]);
			buf_byte(&out, i + 1 < n ? ' ' : '\n');
		}
	}
	buf_clear(text);
	buf_str(text, buf_view(&out));
}

static int
say_plain(void *ctx, const struct eval_set *set)
{
	struct said *s = ctx;
	size_t i, k;

	s->failed = s->failed || set->failed;
	(void)snprintf(s->note, sizeof(s->note), "%.*s", STR_ARG(set->note));
	for (i = 0; i < set->n; i++) {
		const struct eval_result *r = &set->results[i];

		for (k = 0; k < r->labels.n; k++)
			buf_printf(&s->text, "%.*s=%.*s ", STR_ARG(r->labels.p[k].name),
			    STR_ARG(r->labels.p[k].value));
		for (k = 0; k < r->values.n; k++)
			buf_printf(&s->text, "%.*s=%.*s ", STR_ARG(r->values.p[k].name),
			    STR_ARG(r->values.p[k].value));
		buf_byte(&s->text, '\n');
		s->n++;
	}
	return 0;
}

static bool
same_as_store(struct bed *b, const struct rule_group *g, struct wall at)
{
	AUTO_FINI(buf_fini) struct buf error = BUF_INIT;
	struct said eval = { .text = BUF_INIT }, store = { .text = BUF_INIT };
	struct span window = g->rules[0].window;
	struct run_options opt = { .now = at,
		.n_threads = 1,
		.ordered = true,
		.since = { at.ns - window.ns + 1 },
		.until = { at.ns + 1 } };
	bool same;

	MUST(eval_group(b->eval, b->view, g, at, NULL, 0, say_plain, &eval) == 0);
	MUST(run_store(b->view, g->rules[0].query, &opt, say_batch, &store, NULL, &error) == 0);
	sort_words(&eval.text);
	sort_words(&store.text);
	same = str_eq(buf_view(&eval.text), buf_view(&store.text)) && !eval.failed;
	if (!same)
		fprintf(stderr, "%.*s at %+lld s%s%s\n--- windows\n%.*s--- store\n%.*s",
		    STR_ARG(g->rules[0].expr), (long long)((at.ns - T0) / NS_PER_S),
		    eval.note[0] != '\0' ? ", " : "", eval.note, STR_ARG(buf_view(&eval.text)),
		    STR_ARG(buf_view(&store.text)));
	buf_fini(&eval.text);
	buf_fini(&store.text);
	return same;
}

/* Every kind of function, with row pipes before and others behind; one rule a group. */
static const char *const exprs[] = {
	"level:error | stats by (host) count() hits | filter hits:>2",
	"* | stats count() n, count() if (level:error) bad | math bad / n * 100 as pct | filter pct:>5",
	"slow OR level:warn | stats by (host, level) count() n, sum(ms) s, avg(ms) a, max(ms) m, min(ms) i",
	"* | stats by (level) count_uniq(host) u, uniq_values(host) v, rate() r, rate_sum(ms) rs",
	"ms:>500 | math ms * 2 as double | filter double:<1500 | stats by (host) quantile(0.9, double) q, median(ms) m",
	"!level:info | stats by (host) stddev(ms) d, sum_len(_msg) l, count_empty(level) e",
	"{app=\"b\"} | stats by (host) row_max(ms, host, ms) w, any(level) lv, histogram(ms) h",
	"* | extract \"took <t> ms\" from _msg | stats by (t) count() n | sort by (n desc, t) | limit 3",
	"* | stats by (host) count() switch (case (level:error) errors, case (level:warn) warns, default rest)",
	"* | stats by (ms:100) count() n | filter n:>1",
};

static void
rules_of(struct buf *out, unsigned window_s, unsigned interval_s, unsigned offset_s)
{
	size_t i;

	buf_c(out, "groups:\n");
	for (i = 0; i < ARRAY_LEN(exprs); i++)
		buf_printf(out,
		    "  - name: g%zu\n    interval: %us\n    eval_offset: %us\n    rules:\n"
		    "      - alert: A%zu\n        window: %us\n        expr: '%s'\n",
		    i, interval_s, offset_s, i, window_s, exprs[i]);
}

static void
put_random(struct bed *b)
{
	static const char *const hosts[] = { "a", "b", "c", "dd", "" };
	static const char *const levels[] = { "info", "info", "info", "warn", "error", "" };
	static const char *const msgs[] = { "slow request took 12 ms", "it took 7 ms", "fine",
		"refused by 10.0.0.1", "slow" };
	static const char *const streams[] = { "{app=\"a\"}", "{app=\"b\"}", "{weir=\"log\"}" };
	struct line l = { .t = b->now.ns - (int64_t)below(3000) * NS_PER_MS };

	if (below(20) == 0)
		l.t = b->now.ns - (int64_t)below(400) * NS_PER_S;
	if (below(100) == 0)
		l.t = b->now.ns + (int64_t)below(9000) * NS_PER_S;
	/* On the bounds of panes too. */
	if (below(10) == 0)
		l.t -= l.t % NS_PER_S;
	l.host = hosts[below(ARRAY_LEN(hosts))];
	l.level = levels[below(ARRAY_LEN(levels))];
	l.msg = msgs[below(ARRAY_LEN(msgs))];
	l.stream = streams[below(ARRAY_LEN(streams))];
	l.ms = below(1000);
	bed_put(b, &l);
}

static void
test_same_as_store(unsigned window_s, unsigned interval_s, unsigned offset_s, unsigned n_steps)
{
	AUTO_FINI(buf_fini) struct buf rules = BUF_INIT;
	struct bed b;
	unsigned step, i;
	bool same = true;

	rules_of(&rules, window_s, interval_s, offset_s);
	bed_open(&b, buf_c_str(&rules), 0);
	b.now.ns -= b.now.ns % (interval_s * NS_PER_S) - offset_s * NS_PER_S;
	for (step = 0; same && step < n_steps; step++) {
		for (i = below(60); i > 0; i--)
			put_random(&b);
		bed_feed(&b);
		if (below(40) == 0) {
			MUST(store_seal(b.store, b.now) == 0);
			bed_commit(&b);
		}
		if (below(20) == 0)
			bed_restart(&b);
		/* Now and then instants are missed, and made up. */
		for (i = 0; same && i < b.rules->n_groups; i++)
			same = same_as_store(&b, &b.rules->groups[i], b.now);
		b.now.ns += interval_s * (below(30) == 0 ? 1 + below(3) : 1) * NS_PER_S;
		if (below(25) == 0)
			b.now.ns +=
			    (int64_t)below(window_s * 2) / interval_s * interval_s * NS_PER_S;
	}
	CHECK(same);
	CHECK(step == n_steps);
	bed_close(&b);
}

/* One rule in one group; an instant every ${interval} seconds. */
static void
bed_rule(struct bed *b, const char *interval, const char *rule, uint64_t memory)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;

	buf_printf(&text, "groups:\n  - name: g\n    interval: %s\n    rules:\n      - alert: A\n",
	    interval);
	while (*rule != '\0') {
		size_t n = strcspn(rule, "\n");

		buf_printf(&text, "        %.*s\n", (int)n, rule);
		rule += n + (rule[n] != '\0');
	}
	bed_open(b, buf_c_str(&text), memory);
	b->now.ns -= b->now.ns % NS_PER_HOUR;
}

static void
bed_line(struct bed *b, int64_t ago_s, const char *host, const char *level, const char *msg)
{
	struct line l = { b->now.ns - ago_s * NS_PER_S, host, level, msg, 7, NULL };

	bed_put(b, &l);
}

/* What is said at now, and now moves on. */
static const char *
bed_say(struct bed *b, struct said *s, int64_t step_s)
{
	buf_clear(&s->text);
	s->failed = s->unknown = false;
	s->n = 0;
	bed_feed(b);
	MUST(eval_group(b->eval, b->view, b->rules->groups, b->now, NULL, 0, say_set, s) == 0);
	b->now.ns += step_s * NS_PER_S;
	return buf_c_str(&s->text);
}

static void
test_resolve_when(void)
{
	struct said s = { .text = BUF_INIT };
	struct bed b;

	bed_rule(&b, "1m",
	    "window: 1m\nexpr: 'level:error | stats by (host) count() hits | filter hits:>2'\n"
	    "resolve_when: 'hits:<2'",
	    0);
	bed_line(&b, 1, "a", "error", "x");
	bed_line(&b, 2, "a", "error", "x");
	bed_line(&b, 3, "a", "error", "x");
	CHECK_STR(str_c(bed_say(&b, &s, 60)), STR("{host=\"a\"} hits=3 [3]\n"));
	bed_line(&b, 1, "a", "error", "x");
	bed_line(&b, 2, "a", "error", "x");
	CHECK_STR(str_c(bed_say(&b, &s, 60)), STR("{host=\"a\"} hits=2 [2] no\n"));
	bed_line(&b, 1, "a", "error", "x");
	CHECK_STR(str_c(bed_say(&b, &s, 60)), STR("{host=\"a\"} hits=1 [1] no resolve\n"));
	CHECK_STR(str_c(bed_say(&b, &s, 60)), STR(""));
	buf_fini(&s.text);
	bed_close(&b);
}

static bool
unknown_with(struct bed *b, const struct eval_source *source)
{
	struct said s = { .text = BUF_INIT };

	MUST(eval_group(b->eval, b->view, b->rules->groups, b->now, source, 1, say_set, &s) == 0);
	b->now.ns += NS_PER_MIN;
	buf_fini(&s.text);
	return s.unknown;
}

static void
test_unknown(void)
{
	struct eval_source s = { .stream = STR("{app=\"a\"}"), .name = STR("files") };
	struct bed b;

	bed_rule(&b, "1m", "window: 5m\nexpr: '{app=\"a\"} error | stats count() hits'", 0);
	bed_feed(&b);
	CHECK(!unknown_with(&b, &s));
	s.down = true;
	s.down_since = b.now;
	CHECK(unknown_with(&b, &s));
	s.stream = STR("{app=\"b\"}");
	CHECK(!unknown_with(&b, &s));
	s.stream = STR_NONE;
	CHECK(unknown_with(&b, &s));
	s.down = false;
	s.gap_from.ns = b.now.ns - 7 * NS_PER_MIN;
	s.gap_to.ns = b.now.ns - 4 * NS_PER_MIN;
	CHECK(unknown_with(&b, &s));
	/* A minute later the gap's end is where the window begins, and out of it. */
	CHECK(!unknown_with(&b, &s));
	s.gap_from.ns = s.gap_to.ns = 0;
	s.read_to.ns = b.now.ns - 2 * NS_PER_MIN;
	CHECK(unknown_with(&b, &s));
	bed_close(&b);
}

struct late {
	struct wall first, last, from;
	size_t n, n_rows;
};

static int
take_late(void *ctx, const struct eval_set *set)
{
	struct late *l = ctx;

	CHECK(l->n == 0 || set->at.ns > l->last.ns);
	if (l->n++ == 0)
		l->first = set->at;
	l->last = set->at;
	l->n_rows += set->n;
	if (set->n > 0)
		l->from = set->results[0].late_from;
	return 0;
}

static int
take_late_from(void *ctx, const struct eval_set *set)
{
	struct late *l = ctx;

	if (set->n > 0)
		l->from = set->results[0].late_from;
	return 0;
}

static void
test_late(void)
{
	struct said s = { .text = BUF_INIT };
	struct late late = { .n = 0 };
	struct wall then;
	struct bed b;
	int i;

	bed_rule(&b, "15s", "window: 5m\nexpr: 'level:error | stats by (host) count() hits'", 0);
	for (i = 0; i < 100; i++)
		CHECK_STR(str_c(bed_say(&b, &s, 15)), STR(""));
	/* In a window that is still to come: said by the next evaluation. */
	bed_line(&b, 120, "a", "error", "x");
	bed_feed(&b);
	MUST(eval_group(b.eval, b.view, b.rules->groups, b.now, NULL, 0, take_late_from, &late) ==
	    0);
	CHECK(late.from.ns == b.now.ns - 120 * NS_PER_S);
	MUST(eval_late(b.eval, b.view, b.rules->groups, take_late, &late) == 0);
	CHECK(late.n == 0);
	b.now.ns += 15 * NS_PER_S;
	/* Its windows have passed: the instants from then on, as long as the window is. */
	then.ns = b.now.ns - 1200 * NS_PER_S;
	bed_line(&b, 1200, "c", "error", "x");
	bed_feed(&b);
	MUST(eval_late(b.eval, b.view, b.rules->groups, take_late, &late) == 0);
	CHECK(late.n == 20);
	CHECK(late.n_rows == 20);
	CHECK(late.first.ns == then.ns && late.last.ns == then.ns + 285 * NS_PER_S);
	CHECK(late.from.ns == then.ns);
	/* Once. */
	late = (struct late){ .n = 0 };
	MUST(eval_late(b.eval, b.view, b.rules->groups, take_late, &late) == 0);
	CHECK(late.n == 0);
	/* The rule goes on as it was. */
	CHECK_STR(str_c(bed_say(&b, &s, 15)), STR("{host=\"a\"} hits=1 [1]\n"));
	buf_fini(&s.text);
	bed_close(&b);
}

/* Instants are bounded however far back the rows are. */
static void
test_late_bound(void)
{
	struct said s = { .text = BUF_INIT };
	struct late late = { .n = 0 };
	struct bed b;

	bed_rule(&b, "1s", "window: 1h\nexpr: 'level:error | stats by (host) count() hits'", 0);
	(void)bed_say(&b, &s, 1);
	(void)bed_say(&b, &s, 1);
	bed_line(&b, 7200, "a", "error", "x");
	bed_line(&b, 9200, "a", "error", "x");
	bed_feed(&b);
	MUST(eval_late(b.eval, b.view, b.rules->groups, take_late, &late) == 0);
	CHECK(late.n > 100 && late.n <= EVAL_LATE_MAX);
	CHECK(late.n_rows == late.n);
	buf_fini(&s.text);
	bed_close(&b);
}

static void
test_memory_bound(void)
{
	struct said s = { .text = BUF_INIT };
	struct bed b;
	char host[16], msg[32];
	int step, i;

	bed_rule(&b, "15s",
	    "window: 10m\nexpr: 'level:error | stats by (host) count_uniq(_msg) hits'", 64 << 10);
	(void)bed_say(&b, &s, 15);
	for (step = 0; step < 20; step++) {
		for (i = 0; i < 500; i++) {
			(void)snprintf(host, sizeof(host), "h%d", i % 50);
			(void)snprintf(msg, sizeof(msg), "m %d", step * 1000 + i);
			bed_line(&b, 3, host, "error", msg);
		}
		bed_feed(&b);
		CHECK(eval_memory(b.eval) < 4 << 20);
		CHECK(same_as_store(&b, b.rules->groups, b.now));
		b.now.ns += 15 * NS_PER_S;
	}
	(void)bed_say(&b, &s, 15);
	CHECK(s.note[0] != '\0');
	buf_fini(&s.text);
	bed_close(&b);
}

static int
take_storm(void *ctx, const struct eval_set *set)
{
	size_t i;

	CHECK(set->n == EVAL_GROUPS_MAX + 1);
	CHECK(set->n_over == 70000 - EVAL_GROUPS_MAX);
	for (i = 0; i < set->n; i++)
		if (labels_get(&set->results[i].labels, STR("overflow")).n != 0) {
			CHECK(set->results[i].value == 70000 - EVAL_GROUPS_MAX);
			*(size_t *)ctx += 1;
		}
	return 0;
}

static void
test_storm(void)
{
	struct bed b;
	char host[16];
	size_t n_over = 0;
	int i;

	bed_rule(&b, "15s", "window: 1m\nexpr: 'level:error | stats by (host) count() hits'", 0);
	bed_feed(&b);
	MUST(eval_warm(b.eval, b.view, b.now) == 0);
	for (i = 0; i < 70000; i++) {
		(void)snprintf(host, sizeof(host), "h%d", i);
		bed_line(&b, 3, host, "error", "x");
	}
	bed_feed(&b);
	MUST(eval_group(b.eval, b.view, b.rules->groups, b.now, NULL, 0, take_storm, &n_over) == 0);
	CHECK(n_over == 1);
	/* It passes, and the dictionary with it. */
	for (i = 0; i < 10; i++) {
		struct said s = { .text = BUF_INIT };

		b.now.ns += 15 * NS_PER_S;
		(void)bed_say(&b, &s, 0);
		buf_fini(&s.text);
	}
	CHECK(same_as_store(&b, b.rules->groups, b.now));
	CHECK(eval_memory(b.eval) < 32 << 20);
	bed_close(&b);
}

/* A clock that is far ahead takes no memory, and its rows are there when their time comes. */
static void
test_ahead(void)
{
	struct said s = { .text = BUF_INIT };
	struct bed b;
	int i;

	bed_rule(&b, "1m", "window: 5m\nexpr: 'level:error | stats by (host) count() hits'", 0);
	(void)bed_say(&b, &s, 60);
	for (i = 0; i < 300; i++) {
		bed_line(&b, -3 * 3600 - i * 7, "ahead", "error", "x");
		bed_line(&b, -86400LL * 365 - i * 86400, "far", "error", "x");
	}
	bed_feed(&b);
	CHECK(eval_memory(b.eval) < 256 << 10);
	for (i = 0; i < 250; i++) {
		bed_line(&b, 1, "now", "error", "x");
		bed_feed(&b);
		CHECK(same_as_store(&b, b.rules->groups, b.now));
		b.now.ns += NS_PER_MIN;
	}
	buf_fini(&s.text);
	bed_close(&b);
}

static void
test_absent(void)
{
	struct said s = { .text = BUF_INIT };
	struct bed b;
	int i;

	bed_rule(&b, "1m", "window: 3m\nexpr: '*'\nabsent: {host: [a, b]}", 0);
	/* Less than a window: nothing is said to be missing. */
	for (i = 0; i < 3; i++) {
		CHECK_STR(str_c(bed_say(&b, &s, 60)), STR(""));
		CHECK(s.unknown);
		bed_line(&b, 1, "a", "info", "x");
	}
	CHECK_STR(str_c(bed_say(&b, &s, 60)), STR("{host=\"b\"} hits=0 [0]\n"));
	CHECK(!s.unknown);
	bed_line(&b, 1, "b", "info", "x");
	bed_line(&b, 1, "a", "info", "x");
	CHECK_STR(str_c(bed_say(&b, &s, 60)), STR(""));
	(void)bed_say(&b, &s, 60);
	(void)bed_say(&b, &s, 60);
	CHECK_STR(str_c(bed_say(&b, &s, 60)),
	    STR("{host=\"a\"} hits=0 [0]\n{host=\"b\"} hits=0 [0]\n"));
	/* A source that is down says nothing of its services. */
	{
		struct eval_source down = { .name = STR("journal"), .down = true };

		CHECK(unknown_with(&b, &down));
	}
	buf_fini(&s.text);
	bed_close(&b);
}

static int
take_values(void *ctx, const struct eval_set *set)
{
	double *out = ctx;
	size_t i;

	char text[64];

	MUST(set->n == 1);
	for (i = 0; i < set->results[0].values.n; i++) {
		(void)snprintf(text, sizeof(text), "%.*s",
		    STR_ARG(set->results[0].values.p[i].value));
		out[i] = strtod(text, NULL);
	}
	return 0;
}

static int
cmp_double(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* More values than are kept singly: from panes of few and of many, each quantile is within half a per cent. */
static void
test_quantile_many(void)
{
	struct bed b;
	static double all[6000];
	double got[3];
	size_t n = 0;
	int step, i;

	bed_rule(&b, "1m",
	    "window: 10m\nexpr: '* | stats quantile(0.5, ms) a, quantile(0.9, ms) b, quantile(0.99, ms) c'",
	    0);
	for (step = 0; step < 10; step++) {
		for (i = step % 3 == 0 ? 20 : 1000; i > 0 && n < ARRAY_LEN(all); i--) {
			struct line l = { b.now.ns - 5 * NS_PER_S, "a", "info", "x",
				1 + below(50) * below(1000), NULL };

			all[n++] = l.ms;
			bed_put(&b, &l);
		}
		bed_feed(&b);
		MUST(eval_group(b.eval, b.view, b.rules->groups, b.now, NULL, 0, take_values,
		         got) == 0);
		b.now.ns += NS_PER_MIN;
	}
	qsort(all, n, sizeof(*all), cmp_double);
	CHECK(n > 5000);
	for (i = 0; i < 3; i++) {
		double phi = i == 0 ? 0.5
		    : i == 1        ? 0.9
		                    : 0.99,
		       want = all[(size_t)(phi * (double)n)];

		CHECK(got[i] > want * 0.995 - 1 && got[i] < want * 1.005 + 1);
	}
	bed_close(&b);
}

/* Instants that are made up after a start: a host that was off had no rows of any stream. */
static void
test_absent_off(void)
{
	struct said s = { .text = BUF_INIT };
	struct eval_options opt = { .n_threads = 1, .live = true };
	struct bed b;
	int i;

	bed_rule(&b, "1m", "window: 3m\nexpr: 'host:a'\nabsent: {host: [a]}", 0);
	b.eval = eval_free(b.eval);
	opt.store = b.path;
	MUST(eval_new(&b.eval, b.rules, &opt) == 0);
	for (i = 0; i < 8; i++) {
		(void)bed_say(&b, &s, 60);
		CHECK(s.unknown && s.n == 0);
	}
	/* Something runs, and a does not. */
	bed_line(&b, 1, "b", "info", "x");
	CHECK_STR(str_c(bed_say(&b, &s, 60)), STR("{host=\"a\"} hits=0 [0]\n"));
	CHECK(!s.unknown);
	buf_fini(&s.text);
	bed_close(&b);
}

static void
test_absent_learned(void)
{
	struct said s = { .text = BUF_INIT };
	struct bed b;
	int i;

	bed_rule(&b, "1m", "window: 2m\nexpr: '*'\nabsent: {host: learned}\nlearn: 1h", 0);
	bed_line(&b, 3000, "old", "info", "x");
	bed_line(&b, 7000, "gone", "info", "x");
	for (i = 0; i < 3; i++) {
		bed_line(&b, 1, "a", "info", "x");
		(void)bed_say(&b, &s, 60);
	}
	CHECK_STR(buf_view(&s.text), STR("{host=\"old\"} hits=0 [0]\n"));
	for (i = 0; i < 20; i++) {
		bed_line(&b, 1, "new", "info", "x");
		(void)bed_say(&b, &s, 60);
	}
	/* What was not seen for so long is no longer expected; what came since is. */
	CHECK_STR(buf_view(&s.text), STR("{host=\"a\"} hits=0 [0]\n"));
	buf_fini(&s.text);
	bed_close(&b);
}

static void
test_new_pattern(void)
{
	struct said s = { .text = BUF_INIT };
	struct bed b;
	int i;

	bed_rule(&b, "1m", "window: 3m\nexpr: 'level:error'\nnew_pattern: {since: 7d}", 0);
	bed_line(&b, 3 * 86400, "a", "error", "disk 7 is full");
	bed_line(&b, 3 * 86400, "a", "info", "nobody counts 12");
	CHECK_STR(str_c(bed_say(&b, &s, 60)), STR(""));
	bed_line(&b, 1, "a", "error", "disk 9 is full");
	CHECK_STR(str_c(bed_say(&b, &s, 60)), STR(""));
	bed_line(&b, 1, "a", "error", "pool 12 is gone");
	bed_line(&b, 2, "b", "error", "pool 99 is gone");
	(void)bed_say(&b, &s, 60);
	CHECK(s.n == 1);
	CHECK(str_find(buf_view(&s.text), STR("pattern=\"pool <*> is gone\"")) != SIZE_MAX);
	CHECK(str_find(buf_view(&s.text), STR(" hits=2 [2]")) != SIZE_MAX);
	for (i = 0; i < 2; i++) {
		(void)bed_say(&b, &s, 60);
		CHECK(s.n == 1);
	}
	/* It is known by now. */
	bed_line(&b, 1, "a", "error", "pool 13 is gone");
	CHECK_STR(str_c(bed_say(&b, &s, 60)), STR(""));
	buf_fini(&s.text);
	bed_close(&b);
}

static void
test_anomaly(void)
{
	struct said s = { .text = BUF_INIT };
	struct bed b;
	int week, minute, i;

	bed_rule(&b, "5m",
	    "expr: '* | stats by (host) count() hits'\nwindow: 5m\n"
	    "anomaly: {history: 28d, band: 5, min: 10}",
	    0);
	/* Some 10 rows in each five minutes of this hour in four weeks, 100 in the hour before. */
	for (week = 1; week <= 4; week++)
		for (minute = -60; minute < 60; minute += 5)
			for (i = 0; i < (minute < 0 ? 100 : 9 + (minute / 5 + week) % 3); i++)
				bed_line(&b, week * 7 * 86400 - minute * 60 - 10 - i, "a", "info",
				    "x");
	b.now.ns += 300 * NS_PER_S;
	for (i = 0; i < 11; i++)
		bed_line(&b, 10 + i, "a", "info", "x");
	CHECK_STR(str_c(bed_say(&b, &s, 300)), STR(""));
	for (i = 0; i < 40; i++)
		bed_line(&b, 10 + i, "a", "info", "x");
	(void)bed_say(&b, &s, 300);
	CHECK(s.n == 1);
	CHECK(str_find(buf_view(&s.text),
	          STR("{host=\"a\"} high=15 hits=40 low=5 median=10 [40]")) != SIZE_MAX);
	/* None at all is no row, which says nothing: absent is for that. */
	CHECK_STR(str_c(bed_say(&b, &s, 300)), STR(""));
	/* A label set without a history. */
	for (i = 0; i < 500; i++)
		bed_line(&b, 10 + i % 100, "b", "info", "x");
	CHECK_STR(str_c(bed_say(&b, &s, 300)), STR(""));
	buf_fini(&s.text);
	bed_close(&b);
}

int
main(void)
{
	unsigned n = getenv("WEIR_LONG") != NULL ? 1000 : 60;

	seed = 1;
	test_same_as_store(300, 15, 0, n);
	test_same_as_store(60, 60, 7, n);
	test_same_as_store(90, 20, 5, n);
	test_same_as_store(3600, 30, 0, n);
	test_same_as_store(10, 30, 0, n);
	test_resolve_when();
	test_unknown();
	test_quantile_many();
	test_late();
	test_late_bound();
	test_memory_bound();
	test_storm();
	test_ahead();
	test_absent();
	test_absent_off();
	test_absent_learned();
	test_new_pattern();
	test_anomaly();
	return check_done();
}
