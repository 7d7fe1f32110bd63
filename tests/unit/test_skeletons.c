/*
 * tests/unit/test_skeletons.c - the known forms of messages.
 * One job: what was seen is known after a restart, a crash, damage and retention, within its bounds.
 */
#include "record/skeleton.h"
#include "store/skeletons.h"
#include "store_rows.h"

enum { ENTRY = 48 };

static char dir[] = "/tmp/weir-test-skeletons-XXXXXX";
static char name[64];

static struct wall
day(int64_t d)
{
	return (struct wall){ (1000 + d) * NS_PER_DAY };
}

static void
test_kept(void)
{
	struct skeletons *k = NULL;
	struct wall first = { 0 };
	uint64_t i;

	MUST(skeletons_open(&k, dir) == 0);
	CHECK(!skeletons_find(k, 1, &first));
	for (i = 1; i <= 5000; i++)
		MUST(skeletons_see(k, i * 77, (struct wall){ (int64_t)i }) == 0);
	CHECK(skeletons_see(k, 77, (struct wall){ 999 }) == 0);
	CHECK(skeletons_save(k) == 0);
	MUST(skeletons_see(k, 13, (struct wall){ 1 }) == 0);
	k = skeletons_close(k);
	MUST(skeletons_open(&k, dir) == 0);
	CHECK(skeletons_count(k) == 5000);
	CHECK(skeletons_find(k, 77, &first) && first.ns == 1);
	CHECK(skeletons_find(k, 5000 * 77, &first) && first.ns == 5000);
	CHECK(!skeletons_find(k, 13, &first));
	(void)skeletons_close(k);
}

/* A cut end is written over; a damaged entry in the middle costs itself. */
static void
test_damaged(void)
{
	struct skeletons *k = NULL;
	struct wall first = { 0 };
	FILE *f;

	MUST(truncate(name, 5000 * ENTRY - 5) == 0);
	f = fopen(name, "r+");
	MUST(f != NULL && fseek(f, ENTRY * 10 + 3, SEEK_SET) == 0 && fputc(0x5a, f) != EOF);
	(void)fclose(f);
	MUST(skeletons_open(&k, dir) == 0);
	CHECK(skeletons_count(k) == 4998);
	CHECK(!skeletons_find(k, 11 * 77, &first) && !skeletons_find(k, 5000 * 77, &first));
	MUST(skeletons_see(k, 13, (struct wall){ 7 }) == 0);
	CHECK(skeletons_save(k) == 0);
	k = skeletons_close(k);
	MUST(skeletons_open(&k, dir) == 0);
	CHECK(skeletons_count(k) == 4999);
	CHECK(skeletons_find(k, 13, &first) && first.ns == 7);
	(void)skeletons_close(k);
	(void)unlink(name);
}

/* Seen each day, away for a week, back again. */
static void
test_again(void)
{
	struct skeletons *k = NULL;
	struct skeleton_seen seen;
	int64_t d, h;

	MUST(skeletons_open(&k, dir) == 0);
	for (d = 0; d < 10; d++)
		for (h = 0; h < 24; h++)
			MUST(skeletons_see(k, 5,
			         (struct wall){ day(d).ns + h * 3600 * (int64_t)NS_PER_S }) == 0);
	MUST(skeletons_save(k) == 0 && skeletons_get(k, 5, &seen));
	CHECK(seen.first.ns == day(0).ns && seen.again.ns == 0);
	CHECK(!skeleton_is_new(&seen, day(9), (struct span){ 5 * NS_PER_DAY }));
	CHECK(skeleton_is_new(&seen, day(0), (struct span){ 5 * NS_PER_DAY }));
	k = skeletons_close(k);
	MUST(skeletons_open(&k, dir) == 0);
	MUST(skeletons_see(k, 5, day(17)) == 0 && skeletons_write(k) == 0);
	k = skeletons_close(k);
	MUST(skeletons_open(&k, dir) == 0 && skeletons_get(k, 5, &seen));
	CHECK(seen.first.ns == day(0).ns && seen.last.ns == day(17).ns);
	CHECK(seen.again.ns == day(17).ns && day(10).ns - seen.before.ns <= 2 * NS_PER_DAY / 24);
	CHECK(skeleton_is_new(&seen, day(17), (struct span){ 7 * NS_PER_DAY }));
	CHECK(!skeleton_is_new(&seen, day(17), (struct span){ 8 * NS_PER_DAY }));
	CHECK(!skeleton_is_new(&seen, day(18), (struct span){ 7 * NS_PER_DAY }));
	/* A clock that was ahead, and a look at what it says then. */
	MUST(skeletons_see(k, 6, day(400)) == 0 && skeletons_see(k, 6, day(18)) == 0);
	MUST(skeletons_get(k, 6, &seen) && seen.last.ns == day(18).ns);
	k = skeletons_close(k);
	(void)unlink(name);
}

/* The file is written anew when most of it is old, and the oldest are forgotten when there are too many. */
static void
test_bounds(void)
{
	struct skeletons *k = NULL;
	struct wall first;
	struct stat st;
	uint64_t i;

	MUST(skeletons_open(&k, dir) == 0);
	for (i = 0; i < 9000; i++)
		MUST(skeletons_see(k, i % 10, day((int64_t)i)) == 0 && skeletons_write(k) == 0);
	MUST(stat(name, &st) == 0);
	CHECK(st.st_size < (4096 + 2 * 10 + 10) * ENTRY);
	for (i = 100; i < SKELETONS_MAX + 5000; i++)
		MUST(skeletons_see(k, i, (struct wall){ day(30000).ns + (int64_t)i * NS_PER_S }) ==
		    0);
	CHECK(skeletons_count(k) <= SKELETONS_MAX);
	CHECK(!skeletons_find(k, 3, &first) && !skeletons_find(k, 100, &first));
	CHECK(skeletons_find(k, SKELETONS_MAX + 4999, &first));
	MUST(skeletons_save(k) == 0);
	i = skeletons_count(k);
	k = skeletons_close(k);
	MUST(skeletons_open(&k, dir) == 0);
	CHECK(skeletons_count(k) == i && !skeletons_find(k, 100, &first));
	CHECK(skeletons_find(k, SKELETONS_MAX + 4999, &first));
	k = skeletons_close(k);
	(void)unlink(name);
}

static void
append_msg(struct store *s, const char *msg, int64_t at)
{
	struct field f = { STR("_msg"), str_c(msg), VALUE_STRING };
	struct record rec = { .time = { at }, .stream = STR("{}"), .fields = &f, .n_fields = 1 };

	MUST(store_append(s, &rec, 1) == 0);
}

static bool
knows(const struct store *s, const char *msg, struct skeleton_seen *ret)
{
	return skeletons_get(store_skeletons(s), skeleton_hash(str_c(msg)), ret);
}

/* Messages of each way of encoding, in a store whose retention takes the rows. */
static void
test_store(void)
{
	struct store_options opt = { .retention = { NS_PER_DAY }, .seal_bytes = 1 };
	AUTO_FINI(buf_fini) struct buf err = BUF_INIT;
	struct store_stats st;
	struct skeleton_seen seen;
	struct store *s = NULL;
	char msg[64];
	int i, k;

	MUST(store_open(&s, dir, &opt, day(0), &err) == 0);
	append_msg(s, "alone 17 in its commit", 1);
	MUST(store_commit(s, day(0)) == 0);
	CHECK(knows(s, "alone 18 in its commit", &seen) && seen.first.ns == day(0).ns);
	CHECK(!knows(s, "alone in its commit", &seen));
	for (i = 0; i < 20000; i++) {
		(void)snprintf(msg, sizeof(msg),
		    i % 5000 == 77 ? "rare form of %d" : "order %d is paid", i);
		append_msg(s, msg, i);
	}
	append_msg(s, "aborted form", 1);
	MUST(store_abort(s) == 0);
	CHECK(!knows(s, "aborted form", &seen) && !knows(s, "order 1 is paid", &seen));
	for (i = 0; i < 20000; i++) {
		(void)snprintf(msg, sizeof(msg),
		    i % 5000 == 77 ? "rare form of %d" : "order %d is paid", i);
		append_msg(s, msg, i);
	}
	MUST(store_commit(s, day(1)) == 0);
	CHECK(knows(s, "order 9 is paid", &seen) && seen.first.ns == day(1).ns);
	CHECK(knows(s, "rare form of 9", &seen) && seen.first.ns == day(1).ns);
	/* Free text: some of it. */
	for (i = 0; i < 3000; i++) {
		for (k = 0; k < 10; k++)
			msg[k] = (char)('a' + (i >> k) % 26);
		(void)snprintf(msg + 10, sizeof(msg) - 10, "%c%c", 'a' + i % 26, 'a' + i / 26 % 26);
		append_msg(s, msg, i);
	}
	MUST(store_commit(s, day(1)) == 0);
	CHECK(skeletons_count(store_skeletons(s)) > 100);
	CHECK(skeletons_count(store_skeletons(s)) <= SKELETONS_BLOCK_MAX + 3);
	MUST(store_seal(s, day(1)) == 0);
	for (i = 2; i < 9; i++)
		for (k = 0; k < 3; k++)
			MUST(store_maintain(s, day(i)) == 0);
	s = store_close(s);
	MUST(store_open(&s, dir, &opt, day(9), &err) == 0);
	store_stats(s, &st);
	CHECK(knows(s, "order 77 is paid", &seen) && seen.first.ns == day(1).ns);
	CHECK(knows(s, "alone 1 in its commit", &seen) && seen.last.ns == day(0).ns);
	(void)store_close(s);
	rows_remove_dir(dir);
}

int
main(void)
{
	MUST(mkdtemp(dir) != NULL);
	(void)snprintf(name, sizeof(name), "%s/skeletons", dir);
	test_kept();
	test_damaged();
	test_again();
	test_bounds();
	test_store();
	return check_done();
}
