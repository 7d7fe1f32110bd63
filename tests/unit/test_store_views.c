/*
 * tests/unit/test_store_views.c - readers and time.
 * One job: views across seal, merge and retention; what goes and what stays; a day of small commits.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>

#include "base/io.h"
#include "store/store_internal.h"
#include "store_rows.h"

static const struct wall t0 = { 1700000000 * NS_PER_S };
static char dir[64], path[80];

static bool
is_debug(void *ctx, const struct record *rec)
{
	(void)ctx;
	return str_eq_c(record_get(rec, STR("level")), "debug");
}

static const struct store_class classes[] = { { is_debug, NULL, { 2 * NS_PER_HOUR } } };

static struct store *
open_with(const struct store_options *opt)
{
	struct store *s = NULL;
	struct buf err = BUF_INIT;
	int r = store_open(&s, path, opt, t0, &err);

	if (r != 0)
		fprintf(stderr, "open: %d %s\n", r, buf_c_str(&err));
	MUST(r == 0);
	buf_fini(&err);
	return s;
}

/* What the reader threads share with the writer. */
struct shared {
	atomic_uint_fast64_t acked;
	atomic_bool done;
	atomic_uint_fast64_t n_views, n_bad;
};

enum { ROWS_CAP = 60000 };

static bool
is_prefix(const struct rows_seen *seen, uint64_t at_least)
{
	uint64_t i;

	if (seen->n_foreign != 0 || seen->n_bad_blocks != 0 || seen->n < at_least)
		return false;
	for (i = 0; i < seen->cap; i++)
		if (seen->count[i] != (i < seen->n))
			return false;
	return true;
}

static void *
reader(void *ctx)
{
	struct shared *sh = ctx;
	struct rows_seen seen = { calloc(ROWS_CAP, 1), ROWS_CAP, 0, 0, 0 };
	struct store_view *v = NULL, *kept = NULL;
	struct buf err = BUF_INIT;
	uint64_t acked;

	MUST(store_view_open(&kept, path, &err) == 0);
	while (!atomic_load(&sh->done)) {
		acked = atomic_load(&sh->acked);
		MUST(store_view_open(&v, path, &err) == 0);
		rows_of_view(&seen, v);
		if (!is_prefix(&seen, acked) || store_view_faults(v, NULL, NULL) != 0) {
			fprintf(stderr, "  new view: acked %" PRIu64 ", rows %" PRIu64 "\n", acked,
			    seen.n);
			(void)store_view_faults(v, rows_print_fault, NULL);
			atomic_fetch_add(&sh->n_bad, 1);
		}
		v = store_view_free(v);
		acked = atomic_load(&sh->acked);
		MUST(store_view_refresh(kept) == 0);
		rows_of_view(&seen, kept);
		if (!is_prefix(&seen, acked)) {
			fprintf(stderr, "  refreshed view: acked %" PRIu64 ", rows %" PRIu64 "\n",
			    acked, seen.n);
			atomic_fetch_add(&sh->n_bad, 1);
		}
		atomic_fetch_add(&sh->n_views, 1);
	}
	(void)store_view_free(kept);
	buf_fini(&err);
	free(seen.count);
	return NULL;
}

/* Readers see a whole prefix of the rows, each once, whatever the writer does meanwhile. */
static void
test_readers(void)
{
	struct store_options opt = { .seal_bytes = 256 << 10, .classes = classes, .n_classes = 1 };
	struct shared sh = { 0 };
	pthread_t threads[2];
	struct store *s;
	uint64_t i, n = 0;

	rows_remove_dir(path);
	s = open_with(&opt);
	for (i = 0; i < 2; i++)
		MUST(pthread_create(&threads[i], NULL, reader, &sh) == 0);
	for (i = 0; i < 500; i++) {
		MUST(rows_append(s, n, 20 + i % 90) == 0);
		n += 20 + i % 90;
		MUST(store_commit(s, (struct wall){ t0.ns + (int64_t)i * NS_PER_S }) == 0);
		atomic_store(&sh.acked, n);
		MUST(store_maintain(s, (struct wall){ t0.ns + (int64_t)i * NS_PER_S }) == 0);
		if (i % 20 == 19)
			MUST(store_seal(s, (struct wall){ t0.ns + (int64_t)i * NS_PER_S }) == 0);
		if (i % 150 == 149) {
			s = store_close(s);
			s = open_with(&opt);
		}
	}
	MUST(n < ROWS_CAP);
	atomic_store(&sh.done, true);
	for (i = 0; i < 2; i++)
		(void)pthread_join(threads[i], NULL);
	CHECK(atomic_load(&sh.n_bad) == 0);
	CHECK(atomic_load(&sh.n_views) > 0);
	(void)store_close(s);
	CHECK(rows_check(path, n, ROWS_CAP));
}

/* A store that seals its first segment and lets it go while a view has looked whether it is there. */
struct gone_between {
	struct store *s;
	unsigned n_opens;
};

static int
gone_between(void *ctx, enum io_op op, const char *name, size_t n)
{
	struct gone_between *g = ctx;
	char file[256];
	int i;

	if (op != IO_OPEN || name == NULL || strstr(name, "0000000001.seg") == NULL ||
	    g->n_opens++ > 0)
		return 0;
	MUST(store_seal(g->s, t0) == 0);
	for (i = 0; i < 4; i++)
		MUST(store_maintain(g->s, (struct wall){ t0.ns + 2 * NS_PER_HOUR }) == 0);
	(void)snprintf(file, sizeof(file), "%s/0000000001.seg", path);
	MUST(access(file, F_OK) != 0);
	return 0;
}

static void
test_gone_between(void)
{
	struct store_options opt = { 0 };
	struct gone_between g = { 0 };
	struct store_view *v = NULL;
	struct rows_seen seen = { calloc(ROWS_CAP, 1), ROWS_CAP, 0, 0, 0 };
	struct buf err = BUF_INIT;

	rows_remove_dir(path);
	g.s = open_with(&opt);
	MUST(rows_append(g.s, 0, 30) == 0);
	MUST(store_commit(g.s, t0) == 0);
	io_set_hook(gone_between, &g);
	MUST(store_view_open(&v, path, &err) == 0);
	io_set_hook(NULL, NULL);
	rows_of_view(&seen, v);
	CHECK(g.n_opens > 0 && rows_are(&seen, 30));
	CHECK(store_view_faults(v, rows_print_fault, NULL) == 0);
	(void)store_view_free(v);
	(void)store_close(g.s);
	buf_fini(&err);
	free(seen.count);
}

static uint64_t
count_rows(void)
{
	struct store_view *v = NULL;
	struct buf err = BUF_INIT;
	struct store_block_info info;
	uint64_t n = 0;
	size_t i;

	MUST(store_view_open(&v, path, &err) == 0);
	for (i = 0; i < store_view_n_blocks(v); i++) {
		store_view_block(v, i, &info);
		n += info.sum.n_rows;
	}
	CHECK(store_view_faults(v, NULL, NULL) == 0);
	(void)store_view_free(v);
	buf_fini(&err);
	return n;
}

/* An hour a step: debug rows go after two hours, the others after ten. */
static void
test_retention_by_age(void)
{
	struct store_options opt = { .retention = { 10 * NS_PER_HOUR },
		.classes = classes,
		.n_classes = 1 };
	struct wall now = t0;
	struct store *s;
	int i;

	rows_remove_dir(path);
	s = open_with(&opt);
	for (i = 0; i < 6; i++, now.ns += NS_PER_HOUR) {
		MUST(rows_append(s, (uint64_t)i * 30, 30) == 0);
		MUST(store_position(s, STR("quiet"), STR("here")) == 0);
		MUST(store_commit(s, now) == 0);
		MUST(store_seal(s, now) == 0);
		MUST(store_maintain(s, now) == 0);
	}
	/* Now is hour 6: the debug rows of hours 0 to 3 are older than two hours. */
	for (i = 0; i < 20; i++)
		MUST(store_maintain(s, now) == 0);
	CHECK(count_rows() == 6 * 20 + 2 * 10);
	for (i = 0; i < 20; i++, now.ns += NS_PER_HOUR)
		MUST(store_maintain(s, now) == 0);
	CHECK(count_rows() == 0);
	s = store_close(s);
	s = open_with(&opt);
	CHECK_STR(store_position_get(s, STR("quiet")), STR("here"));
	MUST(rows_append(s, 0, 30) == 0);
	MUST(store_commit(s, now) == 0);
	(void)store_close(s);
	CHECK(count_rows() == 30);
}

/* A clock ten years ahead, and back: nothing goes. */
static void
test_clock_jump(void)
{
	struct store_options opt = { .retention = { NS_PER_DAY }, .max_bytes = 1 };
	struct wall far = { t0.ns + 3650 * NS_PER_DAY };
	struct retain_clock c = { 0 };
	struct wall w = { 0 };
	struct store *s;
	int i;

	opt.keep_floor.ns = NS_PER_DAY;
	rows_remove_dir(path);
	s = open_with(&opt);
	for (i = 0; i < 5; i++) {
		MUST(rows_append(s, (uint64_t)i * 30, 30) == 0);
		MUST(store_commit(s, (struct wall){ t0.ns + i }) == 0);
		MUST(store_seal(s, t0) == 0);
		MUST(store_maintain(s, i == 2 ? far : t0) == 0);
		MUST(store_maintain(s, i == 2 ? far : t0) == 0);
	}
	(void)store_close(s);
	CHECK(count_rows() == 150);
	/* It is believed once it has held for an hour of the boot clock. */
	CHECK(retain_clock_look(&c, t0, (struct span){ 0 }, t0, &w));
	CHECK(!retain_clock_look(&c, far, (struct span){ NS_PER_S }, t0, &w));
	CHECK(!retain_clock_look(&c, (struct wall){ far.ns + 1800 * NS_PER_S },
	    (struct span){ 1801 * NS_PER_S }, t0, &w));
	CHECK(retain_clock_look(&c, (struct wall){ far.ns + 3601 * NS_PER_S },
	    (struct span){ 3602 * NS_PER_S }, t0, &w));
}

/* The oldest go first, and the floor stays whatever the bound says. */
static void
test_retention_by_bytes(void)
{
	struct store_options opt = { .max_bytes = 60000,
		.keep_floor = { 4 * NS_PER_HOUR },
		.seal_age = { NS_PER_HOUR / 4 } };
	struct wall now = t0;
	struct store_view *v = NULL;
	struct store_block_info info;
	struct buf err = BUF_INIT;
	struct store *s;
	int i;

	rows_remove_dir(path);
	s = open_with(&opt);
	for (i = 0; i < 12; i++, now.ns += NS_PER_HOUR / 2) {
		MUST(rows_append(s, (uint64_t)i * 100, 100) == 0);
		MUST(store_commit(s, now) == 0);
		MUST(store_seal(s, now) == 0);
		MUST(store_maintain(s, now) == 0);
	}
	MUST(store_view_open(&v, path, &err) == 0);
	MUST(store_view_n_blocks(v) > 0);
	store_view_block(v, 0, &info);
	/* The last maintenance was at 5.5 hours: what came before 1.5 hours may be gone, the rest not. */
	CHECK(info.first_row > 0 && info.first_row <= 300);
	(void)store_view_free(v);
	(void)store_close(s);
	buf_fini(&err);
}

enum { HOURS = 40 };

/* A segment of 30 rows each hour, all but the last sealed; ${now} is the hour after the last. */
static void
make_hours(struct wall *now)
{
	struct store_options opt = { .seal_age = { NS_PER_S } };
	struct store *s;
	int i;

	rows_remove_dir(path);
	s = open_with(&opt);
	for (i = 0, *now = t0; i < HOURS; i++, now->ns += NS_PER_HOUR) {
		MUST(rows_append(s, (uint64_t)i * 30, 30) == 0);
		MUST(store_commit(s, *now) == 0);
		if (i + 1 < HOURS)
			MUST(store_seal(s, *now) == 0);
	}
	(void)store_close(s);
}

/* A view of more segments than it may have files, all of which were read once. */
static struct store_view *
view_of_few_files(bool late, struct rows_seen *seen)
{
	struct store_view *v = NULL;
	struct buf err = BUF_INIT;
	struct rlimit old, few;

	MUST(getrlimit(RLIMIT_NOFILE, &old) == 0);
	few = old;
	few.rlim_cur = 64;
	MUST(setrlimit(RLIMIT_NOFILE, &few) == 0);
	if (late)
		MUST(store_view_open_between(&v, path, (struct wall){ INT64_MIN },
		         (struct wall){ INT64_MAX }, &err) == 0);
	else
		MUST(store_view_open(&v, path, &err) == 0);
	MUST(setrlimit(RLIMIT_NOFILE, &old) == 0);
	rows_of_view(seen, v);
	CHECK(rows_are(seen, HOURS * 30) && store_view_faults(v, NULL, NULL) == 0);
	buf_fini(&err);
	return v;
}

static void
maintain_often(struct store *s, struct wall now)
{
	int i;

	for (i = 0; i < HOURS; i++)
		MUST(store_maintain(s, now) == 0);
}

struct fault_part {
	const char *part;
	bool found;
};

static void
look_for_part(void *ctx, const char *text)
{
	struct fault_part *p = ctx;

	p->found |= strstr(text, p->part) != NULL;
}

static bool
has_fault(struct store_view *v, const char *part)
{
	struct fault_part p = { part, false };

	(void)store_view_faults(v, look_for_part, &p);
	return p.found;
}

/* What expires while its file is closed is left out, and nothing is said of it; of rows that somebody reads just then it is. */
static void
test_expires_while_closed(bool late)
{
	struct store_options opt = { .retention = { HOURS / 2 * NS_PER_HOUR },
		.seal_age = { NS_PER_S } };
	struct rows_seen seen = { calloc(HOURS * 30, 1), HOURS * 30, 0, 0, 0 };
	struct store_view *v;
	struct arena a = ARENA_INIT;
	struct block *b = NULL, *none = NULL;
	struct column c;
	struct store *s;
	struct wall now;
	uint64_t i;

	make_hours(&now);
	v = view_of_few_files(late, &seen);
	MUST(store_view_open_block(v, 0, &b) == 0);
	rows_of_view(&seen, v);
	s = open_with(&opt);
	/* A commit now, so that the clock is believed. */
	MUST(store_position(s, STR("it"), STR("here")) == 0);
	MUST(store_commit(s, now) == 0);
	maintain_often(s, now);
	rows_of_view(&seen, v);
	CHECK(seen.n == HOURS / 2 * 30 && seen.n_foreign == 0);
	for (i = 0; i < seen.cap; i++)
		CHECK(seen.count[i] == (i >= HOURS / 2 * 30));
	CHECK(store_view_open_block(v, 1, &none) == BLOCK_E_GONE);
	CHECK(store_view_faults(v, rows_print_fault, NULL) == 0);
	CHECK(block_column(b, STR("n"), NULL, 0, &a, &c) < 0);
	store_view_fault(v, 0, 0, "why");
	CHECK(store_view_faults(v, NULL, NULL) == 1);
	CHECK(has_fault(v, ".seg: expired while it was read"));
	(void)block_free(b);
	(void)store_view_free(v);
	(void)store_close(s);
	arena_fini(&a);
	free(seen.count);
}

/* What is merged while its file is closed stays for an hour; who reads longer is told what became of it. */
static void
test_merges_while_closed(bool late)
{
	struct store_options opt = { .seal_age = { 100 * NS_PER_HOUR } };
	struct rows_seen seen = { calloc(HOURS * 30, 1), HOURS * 30, 0, 0, 0 };
	struct store_view *v;
	struct store *s;
	struct wall now;

	make_hours(&now);
	v = view_of_few_files(late, &seen);
	s = open_with(&opt);
	MUST(store_seal(s, now) == 0);
	MUST(store_merge(s, now) == 0);
	now.ns += NS_PER_HOUR / 2;
	maintain_often(s, now);
	rows_of_view(&seen, v);
	CHECK(rows_are(&seen, HOURS * 30));
	CHECK(store_view_faults(v, rows_print_fault, NULL) == 0);
	now.ns += 2 * NS_PER_HOUR;
	maintain_often(s, now);
	rows_of_view(&seen, v);
	CHECK(seen.n < HOURS * 30 && seen.n_foreign == 0);
	CHECK(store_view_faults(v, NULL, NULL) == HOURS - seen.n / 30);
	CHECK(has_fault(v, ".seg: merged into others while it was read"));
	CHECK(!has_fault(v, "offset"));
	MUST(store_view_refresh(v) == 0);
	rows_of_view(&seen, v);
	CHECK(rows_are(&seen, HOURS * 30));
	(void)store_view_free(v);
	/* Nobody reads any more. */
	CHECK(!retain_has_readers(s));
	(void)store_close(s);
	free(seen.count);
}

static double
trace_ms(uint64_t row)
{
	struct store_view *v = NULL;
	struct arena a = ARENA_INIT;
	struct buf err = BUF_INIT;
	struct span begin = mono_now();
	struct column c;
	struct block *b;
	uint32_t *blocks = NULL;
	size_t i, n = 0;
	char id[48];

	(void)snprintf(id, sizeof(id), "%08x-req-%" PRIu64, (unsigned)(row / 10 * 2654435761u),
	    row / 10);
	MUST(store_view_open(&v, path, &err) == 0);
	MUST(store_view_find_id(v, &(struct store_id){ .value = str_c(id) }, &a, &blocks, &n) == 0);
	CHECK(n >= 1 && n <= 12);
	for (i = 0; i < n; i++) {
		b = NULL;
		MUST(store_view_open_block(v, blocks[i], &b) == 0);
		MUST(block_column(b, STR("request_id"), NULL, 0, &a, &c) == 0);
		(void)block_free(b);
	}
	(void)store_view_free(v);
	arena_fini(&a);
	buf_fini(&err);
	return (double)(mono_now().ns - begin.ns) / 1e6;
}

static double
best_trace(uint64_t n)
{
	double t, best = 1e9;
	uint64_t i;

	for (i = 0; i < 20; i++) {
		t = trace_ms(i * n / 20);
		best = t < best ? t : best;
	}
	return best;
}

/* One-second commits: a trace over them takes at most twice its time over one sealed segment. */
static void
test_small_commits(uint64_t n)
{
	struct store_options opt = { 0 };
	double open_ms, sealed_ms;
	struct store *s;
	uint64_t i;

	rows_remove_dir(path);
	s = open_with(&opt);
	for (i = 0; i < n; i++) {
		MUST(rows_append(s, i * 2, 2) == 0);
		MUST(store_commit(s, (struct wall){ t0.ns + (int64_t)i * NS_PER_S }) == 0);
		if (i % 10 == 9)
			MUST(
			    store_maintain(s, (struct wall){ t0.ns + (int64_t)i * NS_PER_S }) == 0);
	}
	open_ms = best_trace(n * 2);
	MUST(store_seal(s, (struct wall){ t0.ns + (int64_t)n * NS_PER_S }) == 0);
	MUST(store_seal(s, (struct wall){ t0.ns + (int64_t)n * NS_PER_S }) == 0);
	sealed_ms = best_trace(n * 2);
	(void)store_close(s);
	fprintf(stderr, "%" PRIu64 " commits: trace %.3f ms as they lie, %.3f ms sealed\n", n,
	    open_ms, sealed_ms);
	CHECK(count_rows() == n * 2);
}

int
main(int argc, char **argv)
{
	(void)argv;
	(void)snprintf(dir, sizeof(dir), "%s/weir-test-views-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	MUST(mkdtemp(dir) != NULL);
	(void)snprintf(path, sizeof(path), "%s/store", dir);
	test_retention_by_age();
	test_clock_jump();
	test_retention_by_bytes();
	test_expires_while_closed(false);
	test_expires_while_closed(true);
	test_merges_while_closed(false);
	test_merges_while_closed(true);
	test_readers();
	test_gone_between();
	/* With an argument: a whole day. */
	test_small_commits(argc > 1 ? 86400 : 6000);
	rows_remove_dir(path);
	(void)rmdir(dir);
	return check_done();
}
