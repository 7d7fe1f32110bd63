/*
 * tests/unit/eval_bed.h - an evaluator with a store of its own.
 * One job: rows in, instants asked, and what is said as text; for the tests of rules' windows and forms.
 */
#pragma once

#include <stdio.h>

#include "alerts/eval.h"
#include "store_rows.h"

#define T0 (INT64_C(1700000000) * NS_PER_S)

/* splitmix64 */
static uint64_t seed;

static inline uint64_t
draw(void)
{
	uint64_t z = (seed += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static inline unsigned
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

static inline void
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
static inline void
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

static inline void
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

static inline void
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

static inline void
bed_commit(struct bed *b)
{
	AUTO_FINI(buf_fini) struct buf error = BUF_INIT;

	MUST(store_commit(b->store, b->now) == 0);
	if (b->view == NULL)
		MUST(store_view_open(&b->view, b->path, &error) == 0);
	else
		MUST(store_view_refresh(b->view) == 0);
}

static inline void
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

static inline int
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

/* One rule in one group; an instant every ${interval} seconds. */
static inline void
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

static inline void
bed_line(struct bed *b, int64_t ago_s, const char *host, const char *level, const char *msg)
{
	struct line l = { b->now.ns - ago_s * NS_PER_S, host, level, msg, 7, NULL };

	bed_put(b, &l);
}

/* What is said at now, and now moves on. */
static inline const char *
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

static inline bool
unknown_with(struct bed *b, const struct eval_source *source)
{
	struct said s = { .text = BUF_INIT };

	MUST(eval_group(b->eval, b->view, b->rules->groups, b->now, source, 1, say_set, &s) == 0);
	b->now.ns += NS_PER_MIN;
	buf_fini(&s.text);
	return s.unknown;
}
