/*
 * tests/unit/test_store.c - the store as its callers see it.
 * One job: append, commit, abort, reopen, read; one writer; positions; refresh; find by ID.
 */
#include "store/store.h"
#include "store_rows.h"

static const struct wall t0 = { 1700000000 * NS_PER_S };
static char dir[] = "/tmp/weir-test-store-XXXXXX";
static char path[64];

static struct store *
open_store(void)
{
	struct store_options opt = { 0 };
	struct store *s = NULL;
	struct buf err = BUF_INIT;
	int r = store_open(&s, path, &opt, t0, &err);

	if (r != 0)
		fprintf(stderr, "open: %d %s\n", r, buf_c_str(&err));
	MUST(r == 0);
	buf_fini(&err);
	return s;
}

static void
fresh(void)
{
	rows_remove_dir(path);
}

static void
test_commit_and_reopen(void)
{
	struct store *s;

	fresh();
	s = open_store();
	CHECK(rows_check(path, 0, 100));
	CHECK(rows_append(s, 0, 50) == 0);
	CHECK(rows_check(path, 0, 100));
	CHECK(store_position(s, STR("file/a"), STR("123")) == 0);
	CHECK(store_position(s, STR("file/b"), STR("9")) == 0);
	CHECK(store_commit(s, t0) == 0);
	CHECK(rows_check(path, 50, 100));
	CHECK(rows_append(s, 50, 10) == 0);
	CHECK(store_position(s, STR("file/a"), STR("130")) == 0);
	CHECK(store_position(s, STR("file/b"), STR("")) == 0);
	s = store_close(s);
	CHECK(rows_check(path, 50, 100));
	s = open_store();
	CHECK_STR(store_position_get(s, STR("file/a")), STR("123"));
	CHECK_STR(store_position_get(s, STR("file/b")), STR("9"));
	CHECK(rows_append(s, 50, 10) == 0);
	CHECK(store_position(s, STR("file/b"), STR("")) == 0);
	CHECK(store_commit(s, t0) == 0);
	s = store_close(s);
	CHECK(rows_check(path, 60, 100));
	s = open_store();
	CHECK(store_position_get(s, STR("file/b")).n == 0);
	(void)store_close(s);
}

static void
test_abort(void)
{
	struct store *s;

	fresh();
	s = open_store();
	CHECK(rows_append(s, 0, 20) == 0);
	CHECK(store_commit(s, t0) == 0);
	CHECK(rows_append(s, 20, 70000) == 0);
	CHECK(store_position(s, STR("k"), STR("v")) == 0);
	CHECK(store_abort(s) == 0);
	CHECK(store_position_get(s, STR("k")).n == 0);
	CHECK(rows_append(s, 20, 5) == 0);
	CHECK(store_commit(s, t0) == 0);
	CHECK(rows_check(path, 25, 100));
	s = store_close(s);
	s = open_store();
	CHECK(rows_check(path, 25, 100));
	(void)store_close(s);
}

static void
test_second_writer(void)
{
	struct store_options opt = { 0 };
	struct store *s, *t = NULL;
	struct buf err = BUF_INIT;
	char want[32];

	fresh();
	s = open_store();
	CHECK(store_open(&t, path, &opt, t0, &err) == STORE_E_LOCKED);
	(void)snprintf(want, sizeof(want), "pid %ld", (long)getpid());
	CHECK(strstr(buf_c_str(&err), want) != NULL);
	CHECK(t == NULL);
	(void)store_close(s);
	buf_fini(&err);
}

/* A view that is refreshed after each commit sees each row once, with numbers that ascend. */
static void
test_refresh(void)
{
	struct rows_seen seen = { calloc(5000, 1), 5000, 0, 0, 0 };
	struct store_view *v = NULL;
	struct store_block_info info;
	struct buf err = BUF_INIT;
	struct store *s;
	uint64_t i, k, next;

	fresh();
	s = open_store();
	CHECK(rows_append(s, 0, 3) == 0);
	CHECK(store_commit(s, t0) == 0);
	MUST(store_view_open(&v, path, &err) == 0);
	for (i = 1; i < 1000; i++) {
		CHECK(rows_append(s, i * 3, 3) == 0);
		CHECK(store_commit(s, (struct wall){ t0.ns + (int64_t)i * NS_PER_S }) == 0);
		if (i == 500)
			CHECK(store_seal(s, t0) == 0);
		CHECK(store_view_refresh(v) == 0);
	}
	for (k = 0, next = 0; k < store_view_n_blocks(v); k++) {
		store_view_block(v, k, &info);
		CHECK(info.first_row == next);
		next = info.end_row;
	}
	CHECK(next == 3000);
	rows_of_view(&seen, v);
	CHECK(rows_are(&seen, 3000));
	(void)store_view_free(v);
	(void)store_close(s);
	free(seen.count);
	buf_fini(&err);
}

static bool
id_is_found(struct store_view *v, uint64_t i)
{
	struct arena a = ARENA_INIT;
	struct store_block_info info;
	uint32_t *blocks = NULL;
	size_t k, n = 0;
	char id[48];
	bool hit = false;

	(void)snprintf(id, sizeof(id), "%08x-req-%" PRIu64, (unsigned)(i / 10 * 2654435761u),
	    i / 10);
	CHECK(
	    store_view_find_id(v, &(struct store_id){ .value = str_c(id) }, &a, &blocks, &n) == 0);
	for (k = 0; k < n; k++) {
		store_view_block(v, blocks[k], &info);
		hit |= store_view_rows_from(v, blocks[k], i) < info.sum.n_rows &&
		    store_view_row(v, blocks[k], store_view_rows_from(v, blocks[k], i)) == i;
	}
	CHECK(n <= 4);
	arena_fini(&a);
	return hit;
}

/* Over directories, the tail behind them, and what is sealed. */
static void
test_find_id(void)
{
	struct store_view *v = NULL;
	struct buf err = BUF_INIT;
	struct store *s;
	uint64_t i;
	int round;

	fresh();
	s = open_store();
	for (i = 0; i < 1500; i++) {
		CHECK(rows_append(s, i * 5, 5) == 0);
		CHECK(store_commit(s, (struct wall){ t0.ns + (int64_t)i * NS_PER_S }) == 0);
	}
	for (round = 0; round < 2; round++) {
		MUST(store_view_open(&v, path, &err) == 0);
		for (i = 0; i < 7500; i += 7)
			CHECK(id_is_found(v, i));
		CHECK(store_view_faults(v, NULL, NULL) == 0);
		v = store_view_free(v);
		CHECK(store_seal(s, t0) == 0);
	}
	(void)store_close(s);
	buf_fini(&err);
}

int
main(void)
{
	MUST(mkdtemp(dir) != NULL);
	(void)snprintf(path, sizeof(path), "%s/store", dir);
	test_commit_and_reopen();
	test_abort();
	test_second_writer();
	test_refresh();
	test_find_id();
	rows_remove_dir(path);
	(void)rmdir(dir);
	return check_done();
}
