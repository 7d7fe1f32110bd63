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
	return check_done();
}
