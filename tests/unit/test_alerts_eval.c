/*
 * tests/unit/test_alerts_eval.c - the evaluator.
 * One job: windows kept on the stream say at every instant what the store says, whatever order rows come in.
 */
#include "eval_bed.h"
#include "query/run.h"

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
	return check_done();
}
