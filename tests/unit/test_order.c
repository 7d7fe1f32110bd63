/*
 * tests/unit/test_order.c - a store's rows by time.
 * One job: the merge of blocks whose times overlap, with any number of threads, and the newest N.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "check.h"
#include "query/run.h"
#include "store/read.h"
#include "store/store.h"

enum { ROWS = 20000 };

static int64_t times[ROWS];
static int64_t sorted[ROWS];

struct got {
	int64_t times[ROWS];
	uint64_t numbers[ROWS];
	size_t n;
};

static int
take(void *ctx, struct batch *b)
{
	const struct str *t = batch_strs(b, STR("_time")), *no = batch_strs(b, STR("no"));
	struct got *g = ctx;
	struct wall at = { 0 };
	bool has_zone;
	size_t i, k;

	MUST(t != NULL && no != NULL);
	for (i = 0; i < b->n_rows && g->n < ROWS; i++, g->n++) {
		MUST(wall_parse_rfc3339(t[i], 0, &at, &has_zone) == 0);
		g->times[g->n] = at.ns;
		g->numbers[g->n] = 0;
		for (k = 0; k < no[i].n; k++)
			g->numbers[g->n] = g->numbers[g->n] * 10 + (uint64_t)(no[i].p[k] - '0');
	}
	return 0;
}

static int
cmp(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Commits of all sizes, times that jump back and forth, and many that are equal. */
static void
make_store(const char *path)
{
	struct store_options opt = { 0 };
	struct buf error = BUF_INIT;
	struct store *s = NULL;
	char no[24];
	size_t i;

	MUST(store_open(&s, path, &opt, wall_now(), &error) == 0);
	srand(7);
	for (i = 0; i < ROWS; i++) {
		struct field f = { STR("no"), STR_NONE, VALUE_NUMBER };
		struct record rec = { .fields = &f, .n_fields = 1, .flags = RECORD_HAS_TIME };

		times[i] = (int64_t)(i / 50 + (size_t)(rand() % 100)) * NS_PER_S;
		if (i % 3000 < 100)
			times[i] = (int64_t)(rand() % 1000) * NS_PER_MS;
		f.value = str_of(no, (size_t)snprintf(no, sizeof(no), "%zu", i));
		rec.time.ns = times[i];
		MUST(store_append(s, &rec, 1) == 0);
		if (rand() % 700 == 0)
			MUST(store_commit(s, wall_now()) == 0);
	}
	MUST(store_commit(s, wall_now()) == 0);
	(void)store_close(s);
	buf_fini(&error);
	memcpy(sorted, times, sizeof(times));
	qsort(sorted, ROWS, sizeof(sorted[0]), cmp);
}

static void
ask(const char *path, const char *text, unsigned n_threads, uint64_t limit, struct got *got)
{
	struct run_options opt = { .n_threads = n_threads,
		.limit = limit,
		.ordered = true,
		.since = { INT64_MIN },
		.until = { INT64_MAX } };
	struct logsql_options how = { { 0 }, 0 };
	struct arena arena = ARENA_INIT;
	struct logsql_error bad;
	struct store_view *view = NULL;
	struct buf error = BUF_INIT;
	struct run_stats stats;
	struct query *q;

	got->n = 0;
	MUST(query_parse(str_c(text), &how, &arena, &q, &bad) == 0);
	MUST(store_view_open(&view, path, &error) == 0);
	CHECK(run_store(view, q, &opt, take, got, &stats, &error) == 0);
	CHECK(stats.faults == 0);
	(void)store_view_free(view);
	arena_fini(&arena);
	buf_fini(&error);
}

/* By time, then arrival. */
static bool
in_order(const struct got *g)
{
	size_t i;

	for (i = 1; i < g->n; i++)
		if (g->times[i] < g->times[i - 1] ||
		    (g->times[i] == g->times[i - 1] && g->numbers[i] <= g->numbers[i - 1]))
			return false;
	return true;
}

/* A store that loses its older half as soon as the first rows of all its segments were given. */
enum { HOURS = 40 };
struct losing {
	struct got *got;
	const char *path;
	size_t n_before;
	bool done;
};

static const struct wall t0 = { 1700000000 * NS_PER_S };

/* Row i is the i-th by time, in the segment of hour i % HOURS. */
static void
make_hours(const char *path)
{
	struct store_options opt = { .seal_age = { NS_PER_S } };
	struct field f[] = { { STR("no"), STR_NONE, VALUE_NUMBER },
		{ STR("text"), STR_NONE, VALUE_STRING } };
	struct record rec = { .fields = f, .n_fields = 2, .flags = RECORD_HAS_TIME };
	struct buf error = BUF_INIT;
	struct store *s = NULL;
	struct wall now = t0;
	char no[24], text[80];
	size_t h, i;

	MUST(store_open(&s, path, &opt, t0, &error) == 0);
	for (h = 0; h < HOURS; h++, now.ns += NS_PER_HOUR) {
		for (i = h; i < ROWS; i += HOURS) {
			f[0].value = str_of(no, (size_t)snprintf(no, sizeof(no), "%zu", i));
			f[1].value = str_of(text,
			    (size_t)snprintf(text, sizeof(text), "%x%x%x%x%x%x", rand(), rand(),
			        rand(), rand(), rand(), rand()));
			rec.time.ns = t0.ns + (int64_t)i * NS_PER_MS;
			MUST(store_append(s, &rec, 1) == 0);
		}
		MUST(store_commit(s, now) == 0);
		MUST(store_seal(s, now) == 0);
	}
	(void)store_close(s);
	buf_fini(&error);
}

static void
expire_half(const char *path)
{
	struct store_options opt = { .retention = { HOURS / 2 * NS_PER_HOUR },
		.seal_age = { NS_PER_S } };
	struct wall now = { t0.ns + HOURS * NS_PER_HOUR };
	struct buf error = BUF_INIT;
	struct store *s = NULL;
	int i;

	MUST(store_open(&s, path, &opt, now, &error) == 0);
	/* A commit now, so that the clock is believed. */
	MUST(store_position(s, STR("it"), STR("here")) == 0);
	MUST(store_commit(s, now) == 0);
	for (i = 0; i < HOURS; i++)
		MUST(store_maintain(s, now) == 0);
	(void)store_close(s);
	buf_fini(&error);
}

static int
take_and_lose(void *ctx, struct batch *b)
{
	const struct str *text;
	struct losing *l = ctx;
	size_t i;
	int r = take(l->got, b);

	text = batch_strs(b, STR("text"));
	MUST(text != NULL);
	for (i = 0; i < b->n_rows; i++)
		CHECK(text[i].n > 0);
	if (!l->done) {
		l->n_before = l->got->n;
		expire_half(l->path);
	}
	l->done = true;
	return r;
}

/* Rows whose file expired between their turn and that of those before are left out whole; nothing is said of it.  One thread, so that
 * it is known what was read by then. */
static void
test_expires(struct got *got)
{
	struct run_options opt = { .n_threads = 1,
		.ordered = true,
		.since = { INT64_MIN },
		.until = { INT64_MAX } };
	char path[] = "/tmp/weir-order-XXXXXX", command[64];
	struct losing l = { .got = got, .path = path };
	struct logsql_options how = { { 0 }, 0 };
	struct arena arena = ARENA_INIT;
	struct store_view *view = NULL;
	struct buf error = BUF_INIT;
	struct logsql_error bad;
	struct rlimit old, small;
	struct run_stats stats;
	struct query *q;
	size_t i, n = 0;

	MUST(mkdtemp(path) != NULL);
	make_hours(path);
	got->n = 0;
	MUST(query_parse(STR("*"), &how, &arena, &q, &bad) == 0);
	MUST(getrlimit(RLIMIT_NOFILE, &old) == 0);
	small = old;
	small.rlim_cur = 64;
	MUST(setrlimit(RLIMIT_NOFILE, &small) == 0);
	MUST(store_view_open(&view, path, &error) == 0);
	MUST(setrlimit(RLIMIT_NOFILE, &old) == 0);
	CHECK(run_store(view, q, &opt, take_and_lose, &l, &stats, &error) == 0);
	CHECK(stats.faults == 0 && store_view_faults(view, NULL, NULL) == 0);
	CHECK(l.n_before > 0 && l.n_before < ROWS / 2);
	for (i = 0; i < ROWS; i++)
		if (i < l.n_before || i % HOURS >= HOURS / 2)
			CHECK(n < got->n && got->numbers[n++] == i);
	CHECK(n == got->n);
	(void)store_view_free(view);
	arena_fini(&arena);
	buf_fini(&error);
	(void)snprintf(command, sizeof(command), "rm -r %s", path);
	MUST(system(command) == 0);
}

int
main(void)
{
	static struct got got, few;
	char path[] = "/tmp/weir-order-XXXXXX", command[64];
	unsigned n;

	MUST(mkdtemp(path) != NULL);
	make_store(path);
	for (n = 1; n <= 4; n++) {
		ask(path, "*", n, 0, &got);
		CHECK(got.n == ROWS);
		CHECK(in_order(&got));
		CHECK(memcmp(got.times, sorted, sizeof(sorted)) == 0);

		ask(path, "no:*7* | fields _time, no", n, 0, &few);
		CHECK(few.n > 0 && few.n < ROWS && in_order(&few));

		/* The newest 1000 are the end of all. */
		ask(path, "* | fields _time, no", n, 1000, &few);
		CHECK(few.n == 1000);
		CHECK(memcmp(few.numbers, got.numbers + ROWS - 1000, sizeof(uint64_t) * 1000) == 0);
		ask(path, "* | limit 10", n, 0, &few);
		CHECK(few.n == 10 && memcmp(few.numbers, got.numbers, sizeof(uint64_t) * 10) == 0);
	}
	(void)snprintf(command, sizeof(command), "rm -rf %s", path);
	CHECK(system(command) == 0);
	test_expires(&got);
	return check_done();
}
