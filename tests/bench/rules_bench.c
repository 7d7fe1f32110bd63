/*
 * tests/bench/rules_bench.c - rules over a busy stream.
 * One job: what 1,000 rules cost beside the taking in of rows, and whether a long window costs more than a short one.
 *
 *   rules_bench FOLDER [RULES [LONG [ROWS [SECONDS]]]]
 *
 * RULES (1000) rules, LONG (100) of them over 6 hours and the others over 5 minutes, every 15 s, 10 groups each, each with
 * a filter of its own; six hours of history at 200 rows/s, then SECONDS (60) seconds of ROWS (20000) rows/s with a commit
 * a second, all on a clock of its own.  Prints a JSON object.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "alerts/eval.h"
#include "store/read.h"
#include "store/store.h"

enum {
	SERVICES = 20,
	HOSTS = 10,
	PATHS = 10,
	HISTORY_ROWS = 200,
	INTERVAL_S = 15,
	PAIRS = 100,
	FLAT_ROWS = 4000,
	FLAT_S = 1200
};

static uint64_t state = 7;

/* splitmix64 */
static unsigned
below(unsigned n)
{
	uint64_t z = (state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (unsigned)((((z ^ (z >> 31)) >> 32) * n) >> 32);
}

static int64_t
cpu_ns(void)
{
	struct rusage u;

	(void)getrusage(RUSAGE_SELF, &u);
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * NS_PER_S +
	    (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * NS_PER_US;
}

static int
put_row(struct store *s, struct wall t)
{
	static const char *const levels[] = { "debug", "info", "info", "info", "info", "info",
		"warn", "error" };
	static uint64_t n;
	char service[16], host[16], path[32], ms[16], id[48], user[16], msg[160], line[512];
	const char *level = levels[below(8)], *status = below(20) == 0 ? "503" : "200";
	unsigned took = below(100) == 0 ? below(3000) : below(200);
	char stream[48];
	struct field f[9];
	struct record rec;

	n++;
	(void)snprintf(service, sizeof(service), "service-%u", below(SERVICES));
	(void)snprintf(host, sizeof(host), "web%u", below(HOSTS));
	(void)snprintf(path, sizeof(path), "/api/v1/p%u", below(PATHS));
	(void)snprintf(ms, sizeof(ms), "%u", took);
	(void)snprintf(user, sizeof(user), "u%u", below(100000));
	(void)snprintf(id, sizeof(id), "%08x%08x%08x%08x", below(UINT32_MAX), below(UINT32_MAX),
	    below(UINT32_MAX), (unsigned)(n / 6));
	(void)snprintf(msg, sizeof(msg),
	    below(9) == 0
	        ? "connection to database orders at 10.3.%u.%u refused: timeout after %u ms"
	        : "request for product %u of order %u completed in %u ms",
	    below(256), below(256), took);
	(void)snprintf(stream, sizeof(stream), "{service=\"%s\"}", service);
	(void)snprintf(line, sizeof(line),
	    "{\"service\":\"%s\",\"host\":\"%s\",\"path\":\"%s\",\"level\":\"%s\",\"status\":%s,\"ms\":%s,"
	    "\"user\":\"%s\",\"request_id\":\"%s\",\"message\":\"%s\"}",
	    service, host, path, level, status, ms, user, id, msg);
	f[0] = (struct field){ STR("service"), str_c(service), VALUE_STRING };
	f[1] = (struct field){ STR("host"), str_c(host), VALUE_STRING };
	f[2] = (struct field){ STR("path"), str_c(path), VALUE_STRING };
	f[3] = (struct field){ STR("level"), str_c(level), VALUE_STRING };
	f[4] = (struct field){ STR("status"), str_c(status), VALUE_NUMBER };
	f[5] = (struct field){ STR("ms"), str_c(ms), VALUE_NUMBER };
	f[6] = (struct field){ STR("user"), str_c(user), VALUE_STRING };
	f[7] = (struct field){ STR("request_id"), str_c(id), VALUE_STRING };
	f[8] = (struct field){ STR("_msg"), str_c(msg), VALUE_STRING };
	rec = (struct record){ .time = t,
		.stream = str_c(stream),
		.fields = f,
		.n_fields = ARRAY_LEN(f),
		.flags = RECORD_HAS_TIME,
		.line = str_c(line) };
	return store_append(s, &rec, 1);
}

/* Rule ${i}: no two have the same filter while there are no more than 1,000. */
static void
put_rule(struct buf *out, unsigned i, const char *window)
{
	unsigned service = i % SERVICES, path = i / SERVICES % PATHS;

	buf_printf(out, "      - alert: R%u_%s\n        window: %s\n        expr: '", i, window,
	    window);
	switch (i / (SERVICES * PATHS) % 5) {
	case 0:
		buf_printf(out,
		    "{service=\"service-%u\"} level:error path:=\"/api/v1/p%u\" | stats by (host) count() hits | filter hits:>50",
		    service, path);
		break;
	case 1:
		buf_printf(out,
		    "service:=service-%u path:=\"/api/v1/p%u\" status:>=500 | stats by (host) count() hits, sum(ms) total | filter hits:>10",
		    service, path);
		break;
	case 2:
		buf_printf(out,
		    "{service=\"service-%u\"} path:\"/api/v1/p%u\" | stats by (host) quantile(0.95, ms) p95, max(ms) worst | filter p95:>180",
		    service, path);
		break;
	case 3:
		buf_printf(out,
		    "timeout service:=service-%u path:=\"/api/v1/p%u\" | stats by (host) count() hits | filter hits:>20",
		    service, path);
		break;
	default:
		buf_printf(out,
		    "{service=\"service-%u\"} path:=\"/api/v1/p%u\" | stats by (host) count() n, count() if (level:error) bad | math bad / n as ratio | filter ratio:>0.5",
		    service, path);
	}
	buf_c(out, "'\n");
}

static struct rule_set *
make_rules(unsigned n, unsigned n_long)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT, error = BUF_INIT;
	struct rule_set *set = NULL;
	unsigned i;

	buf_printf(&text, "groups:\n  - name: short\n    interval: %us\n    rules:\n",
	    (unsigned)INTERVAL_S);
	for (i = 0; i < n - n_long; i++)
		put_rule(&text, i, "5m");
	if (n_long > 0)
		buf_printf(&text, "  - name: long\n    interval: %us\n    rules:\n",
		    (unsigned)INTERVAL_S);
	for (; i < n; i++)
		put_rule(&text, i, "6h");
	if (rules_parse("bench.yml", buf_view(&text), 0, &set, &error) != 0)
		fprintf(stderr, "%s\n", buf_c_str(&error));
	return set;
}

static int
ignore(void *ctx, const struct eval_set *set)
{
	uint64_t *n = ctx;

	*n += set->n;
	if (set->failed || set->note.n != 0)
		fprintf(stderr, "%.*s: %.*s%.*s\n", STR_ARG(set->rule->name), STR_ARG(set->why),
		    STR_ARG(set->note));
	return 0;
}

/* Where the time went, ns of CPU; and how many evaluations of each group. */
struct spent {
	int64_t ingest, refresh, feed, eval[4];
	uint64_t n_eval[4], results[4];
};

struct bench {
	struct store *store;
	struct store_view *view;
	struct rule_set *rules;
	struct eval *eval;
	const char *path;
	struct wall now;
	uint64_t next;
};

static int
commit(struct bench *b, struct spent *spent)
{
	AUTO_FINI(buf_fini) struct buf error = BUF_INIT;
	int64_t start = cpu_ns(), at;
	int r;

	r = store_commit(b->store, b->now);
	if (r == 0)
		r = store_maintain(b->store, b->now);
	at = cpu_ns();
	spent->ingest += at - start;
	if (r == 0)
		r = b->view == NULL ? store_view_open(&b->view, b->path, &error)
		                    : store_view_refresh(b->view);
	spent->refresh += cpu_ns() - at;
	at = cpu_ns();
	if (r == 0 && b->eval != NULL)
		r = eval_feed(b->eval, b->view, b->next, &b->next);
	spent->feed += cpu_ns() - at;
	return r;
}

static int
evaluate(struct bench *b, struct spent *spent)
{
	size_t i;
	int64_t at;
	int r = 0;

	for (i = 0; r == 0 && i < b->rules->n_groups; i++) {
		at = cpu_ns();
		r = eval_group(b->eval, b->view, &b->rules->groups[i], b->now, NULL, 0, ignore,
		    &spent->results[i]);
		spent->eval[i] += cpu_ns() - at;
		spent->n_eval[i] += b->rules->groups[i].n_rules;
	}
	return r;
}

static int
stream(struct bench *b, unsigned rows, unsigned step_s, unsigned seconds, struct spent *spent)
{
	int64_t at, end = b->now.ns + seconds * NS_PER_S;
	unsigned i, n = rows * step_s;
	int r = 0;

	while (r == 0 && b->now.ns < end) {
		at = cpu_ns();
		for (i = 0; r == 0 && i < n; i++)
			r = put_row(b->store,
			    (struct wall){ b->now.ns + 1 + (int64_t)i * step_s * NS_PER_S / n });
		spent->ingest += cpu_ns() - at;
		b->now.ns += step_s * NS_PER_S;
		if (r == 0)
			r = commit(b, spent);
		if (r == 0 && b->eval != NULL && b->now.ns % (INTERVAL_S * NS_PER_S) == 0)
			r = evaluate(b, spent);
	}
	return r;
}

/* Half of the rules over each window, the same but for that. */
static int
flat(const char *path, struct bench *b, struct spent *spent)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT, error = BUF_INIT;
	struct eval_options opt = { .store = path, .n_threads = 1 };
	struct spent warm = { 0 };
	unsigned i, k;
	int r;

	buf_c(&text, "groups:\n");
	for (k = 0; k < 2; k++) {
		buf_printf(&text, "  - name: g%u\n    interval: %us\n    rules:\n", k,
		    (unsigned)INTERVAL_S);
		for (i = 0; i < PAIRS; i++)
			put_rule(&text, i * 10, k == 0 ? "5m" : "6h");
	}
	b->eval = eval_free(b->eval);
	b->rules = rules_free(b->rules);
	if (rules_parse("flat.yml", buf_view(&text), 0, &b->rules, &error) != 0 ||
	    eval_new(&b->eval, b->rules, &opt) != 0 || eval_warm(b->eval, b->view, b->now) != 0)
		return -EINVAL;
	b->now.ns += INTERVAL_S * NS_PER_S - b->now.ns % (INTERVAL_S * NS_PER_S);
	/* So many rows that both windows have the same groups; so long that each part of them is made anew. */
	r = stream(b, FLAT_ROWS, INTERVAL_S, 300, &warm);
	return r != 0 ? r : stream(b, FLAT_ROWS, INTERVAL_S, FLAT_S, spent);
}

static void
print(const struct spent *s, const struct spent *f, const struct bench *b, unsigned seconds,
    double warm_s, uint64_t memory, long rss_kb)
{
	double all = (double)seconds * 1e9, short_us, long_us;

	short_us = f->n_eval[0] > 0 ? (double)f->eval[0] / 1e3 / (double)f->n_eval[0] : 0;
	long_us = f->n_eval[1] > 0 ? (double)f->eval[1] / 1e3 / (double)f->n_eval[1] : 0;
	printf(
	    "{\"core_share\": %.4f, \"ingest_share\": %.4f, \"rules_share\": %.4f, \"refresh_share\": %.4f, "
	    "\"feed_share\": %.4f, \"eval_share\": %.4f, \"peak_mib\": %.1f, \"panes_mib\": %.1f, "
	    "\"warm_s\": %.2f, \"eval_5m_us\": %.2f, \"eval_6h_us\": %.2f, \"ratio\": %.3f, \"results_5m\": %" PRIu64
	    ", \"results_6h\": %" PRIu64 "}\n",
	    (double)(s->ingest + s->refresh + s->feed + s->eval[0] + s->eval[1]) / all,
	    (double)s->ingest / all, (double)(s->refresh + s->feed + s->eval[0] + s->eval[1]) / all,
	    (double)s->refresh / all, (double)s->feed / all,
	    (double)(s->eval[0] + s->eval[1]) / all, (double)rss_kb / 1024,
	    (double)memory / (1 << 20), warm_s, short_us, long_us, long_us / short_us,
	    f->results[0], f->results[1]);
}

int
main(int argc, char **argv)
{
	AUTO_FINI(buf_fini) struct buf error = BUF_INIT;
	unsigned n = argc > 2 ? (unsigned)atoi(argv[2]) : 1000;
	unsigned n_long = argc > 3 ? (unsigned)atoi(argv[3]) : 100;
	unsigned rows = argc > 4 ? (unsigned)atoi(argv[4]) : 20000;
	unsigned seconds = argc > 5 ? (unsigned)atoi(argv[5]) : 60;
	struct store_options opt = { 0 };
	struct eval_options eopt = { .n_threads = 1 };
	struct bench b = { .now = { INT64_C(1767225600) * NS_PER_S } };
	struct spent history = { 0 }, busy = { 0 }, even = { 0 };
	struct rusage usage;
	uint64_t memory = 0;
	int64_t start;
	int r;

	if (argc < 2)
		return 2;
	b.path = eopt.store = argv[1];
	b.rules = n > 0 ? make_rules(n, n_long) : NULL;
	if (n > 0 && b.rules == NULL)
		return 1;
	r = store_open(&b.store, b.path, &opt, b.now, &error);
	if (r == 0)
		r = stream(&b, HISTORY_ROWS, INTERVAL_S, 6 * 3600, &history);
	start = cpu_ns();
	if (r == 0 && n > 0)
		r = eval_new(&b.eval, b.rules, &eopt);
	if (r == 0 && n > 0)
		r = eval_warm(b.eval, b.view, b.now);
	start = cpu_ns() - start;
	if (r == 0 && n > 0)
		r = eval_feed(b.eval, b.view, 0, &b.next);
	if (r == 0)
		r = stream(&b, rows, 1, seconds, &busy);
	(void)getrusage(RUSAGE_SELF, &usage);
	memory = b.eval != NULL ? eval_memory(b.eval) : 0;
	if (r == 0 && n > 0)
		r = flat(b.path, &b, &even);
	if (r != 0)
		fprintf(stderr, "rules_bench: %s: %s\n", b.path,
		    r < 0 ? err_str(r) : buf_c_str(&error));
	else
		print(&busy, &even, &b, seconds, (double)start / 1e9, memory, usage.ru_maxrss);
	(void)eval_free(b.eval);
	(void)rules_free(b.rules);
	(void)store_view_free(b.view);
	(void)store_close(b.store);
	return r != 0;
}
