/*
 * tests/unit/test_seal.c - sealing what is damaged.
 * One job: what cannot be read costs itself alone: rows and IDs around it come through a seal, each once; and a bad clock costs
 * nobody else his bounds of time.
 */
#include <fcntl.h>

#include "store/block_internal.h"
#include "store/frame.h"
#include "store_rows.h"

static const char dir[] = "/tmp/weir-test-seal";
static const struct wall now = { 1700000000 * NS_PER_S };

/* A message that no template and no dictionary fits. */
static void
noise(char *out, size_t n, uint64_t seed)
{
	size_t i;

	for (i = 0; i + 1 < n; i++) {
		seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
		out[i] = (char)('a' + (seed >> 40) % 26);
	}
	out[n - 1] = '\0';
}

static void
append(struct store *s, uint64_t from, uint64_t n)
{
	char num[24], id[32], msg[120];
	struct field f[3] = { { STR("n"), STR_NONE, VALUE_STRING },
		{ STR("request_id"), STR_NONE, VALUE_STRING },
		{ STR("_msg"), STR_NONE, VALUE_STRING } };
	struct record rec = { .stream = STR("{}"), .fields = f, .n_fields = 3 };
	uint64_t i;

	for (i = from; i < from + n; i++) {
		(void)snprintf(num, sizeof(num), "%" PRIu64, i);
		(void)snprintf(id, sizeof(id), "req-%" PRIu64, i / 5);
		noise(msg, sizeof(msg), i);
		f[0].value = str_c(num);
		f[1].value = str_c(id);
		f[2].value = str_c(msg);
		rec.time.ns = now.ns + (int64_t)i;
		MUST(store_append(s, &rec, 1) == 0);
	}
	MUST(store_commit(s, now) == 0);
}

static struct store *
open_store(void)
{
	struct store_options opt = { .keep_floor = { 1 } };
	struct buf err = BUF_INIT;
	struct store *s = NULL;

	MUST(store_open(&s, dir, &opt, now, &err) == 0);
	buf_fini(&err);
	return s;
}

static int
read_fd(void *ctx, uint64_t at, size_t n, uint8_t *out)
{
	const int64_t *place = ctx;

	return pread((int)place[0], out, n, (off_t)(place[1] + (int64_t)at)) == (ssize_t)n ? 0
	                                                                                   : -EIO;
}

static void
flip(int fd, int64_t at)
{
	uint8_t byte;

	MUST(pread(fd, &byte, 1, at) == 1);
	byte ^= 0x10;
	MUST(pwrite(fd, &byte, 1, at) == 1);
}

/* Damage the ${number}th block of the first segment: the end of its IDs (in the frame's meta), or the end of `_msg`. */
static void
damage(unsigned number, bool ids, bool msg)
{
	char name[256];
	uint8_t head[56];
	int64_t at, place[2];
	uint32_t n_meta, n_body;
	struct block_io io = { read_fd, place, 0 };
	struct block *b = NULL;
	struct block_entry *e;
	int fd;

	(void)snprintf(name, sizeof(name), "%s/0000000001.seg", dir);
	fd = open(name, O_RDWR | O_CLOEXEC);
	MUST(fd >= 0);
	for (at = 0;; at += 8) {
		MUST(pread(fd, head, sizeof(head), at) == (ssize_t)sizeof(head));
		if (memcmp(head, "wFRM", 4) == 0 && head[4] == FRAME_BLOCK && number-- == 0)
			break;
	}
	memcpy(&n_meta, head + 12, 4);
	memcpy(&n_body, head + 16, 4);
	if (ids)
		flip(fd, at + 56 + n_meta - 1);
	place[0] = fd;
	place[1] = at + 56 + (int64_t)frame_pad(n_meta);
	io.n_bytes = n_body;
	MUST(block_open(&b, &io) == 0);
	e = block_entry_find(b, STR("_msg"));
	MUST(e != NULL && e->len > 100);
	if (msg)
		flip(fd, place[1] + (int64_t)(b->data_at + e->at + e->len) - 10);
	(void)block_free(b);
	(void)close(fd);
}

/* Whether rows [0, n) are there once, and each request is found by its ID in the block that has it. */
static void
check_rows(uint64_t n)
{
	AUTO(store_view_free) struct store_view *v = NULL;
	struct buf err = BUF_INIT;
	struct rows_seen seen = { calloc(n, 1), n, 0, 0, 0 };
	struct arena a = ARENA_INIT;
	struct store_block_info info;
	uint32_t *blocks;
	size_t k, m, n_blocks;
	uint64_t i;
	char id[32];
	bool hit;

	MUST(store_view_open(&v, dir, &err) == 0);
	rows_of_view(&seen, v);
	CHECK(rows_are(&seen, n));
	for (i = 0; i < n; i += 5) {
		(void)snprintf(id, sizeof(id), "req-%" PRIu64, i / 5);
		MUST(store_view_find_id(v, &(struct store_id){ .value = str_c(id) }, &a, &blocks,
		         &n_blocks) == 0);
		for (m = 0, hit = false; m < n_blocks; m++) {
			store_view_block(v, blocks[m], &info);
			hit |= info.first_row <= i && i < info.end_row;
		}
		CHECK(hit);
		arena_clear(&a);
	}
	/* A phrase may be a part of an ID in each of them: their marks are there. */
	MUST(store_view_find_id(v, &(struct store_id){ STR("req"), STR("request_id"), true, 0 }, &a,
	         &blocks, &n_blocks) == 0);
	CHECK(n_blocks == store_view_n_blocks(v));
	for (k = 0; k < store_view_n_blocks(v); k++) {
		store_view_block(v, k, &info);
		CHECK(info.sealed);
	}
	arena_fini(&a);
	free(seen.count);
	buf_fini(&err);
}

/* A block lost its IDs; its rows can be read, or all but one column of them. */
static void
test_lost_ids(bool msg)
{
	struct store *s;
	size_t n_faults = 0;

	rows_remove_dir(dir);
	s = open_store();
	append(s, 0, 40);
	append(s, 40, 40);
	append(s, 80, 40);
	s = store_close(s);
	damage(1, true, msg);
	s = open_store();
	MUST(store_seal(s, now) == 0);
	MUST(store_seal(s, now) == 0);
	s = store_close(s);
	check_rows(120);
	MUST(store_verify(dir, NULL, NULL, &n_faults) == 0);
	CHECK(n_faults == (msg ? 1 : 0));
	rows_remove_dir(dir);
}

/* The damage is met with when the first rows of the block are on their way already. */
static void
test_damage_behind(void)
{
	struct store *s;
	size_t n_faults = 0;

	rows_remove_dir(dir);
	s = open_store();
	append(s, 0, 3000);
	append(s, 3000, 9000);
	append(s, 12000, 3000);
	s = store_close(s);
	damage(1, false, true);
	s = open_store();
	MUST(store_seal(s, now) == 0);
	MUST(store_seal(s, now) == 0);
	s = store_close(s);
	check_rows(15000);
	MUST(store_verify(dir, NULL, NULL, &n_faults) == 0);
	CHECK(n_faults == 1);
	rows_remove_dir(dir);
}

/* Row i of a service whose every 97th line bears the time of a clock that stands at 1970, and every 1000th one in 2100. */
static int64_t
clock_of(uint64_t i)
{
	if (i % 97 == 13)
		return (int64_t)i * NS_PER_S;
	return i % 1000 == 500 ? INT64_C(4102444800) * NS_PER_S : now.ns + (int64_t)i * NS_PER_MS;
}

static void
append_clocks(struct store *s, uint64_t from, uint64_t n)
{
	char num[24], id[32], line[120];
	struct field f[2] = { { STR("n"), STR_NONE, VALUE_NUMBER },
		{ STR("request_id"), STR_NONE, VALUE_STRING } };
	struct record rec = { .stream = STR("{}"), .fields = f, .n_fields = 2 };
	uint64_t i;

	for (i = from; i < from + n; i++) {
		(void)snprintf(num, sizeof(num), "%" PRIu64, i);
		(void)snprintf(id, sizeof(id), "req-%" PRIu64, i / 5);
		(void)snprintf(line, sizeof(line), "{\"n\":%s,\"request_id\":\"%s\",\"x%d\":\"\"}",
		    num, id, (int)(i % 3));
		f[0].value = str_c(num);
		f[1].value = str_c(id);
		rec.line = str_c(line);
		rec.time.ns = clock_of(i);
		MUST(store_append(s, &rec, 1) == 0);
	}
	MUST(store_commit(s, now) == 0);
}

static bool
finds(struct store_view *v, size_t block, const char *id)
{
	AUTO_FINI(arena_fini) struct arena a = ARENA_INIT;
	uint32_t *blocks;
	size_t n, i;

	MUST(store_view_find_id(v, &(struct store_id){ .value = str_c(id) }, &a, &blocks, &n) == 0);
	for (i = 0; i < n; i++)
		if (blocks[i] == block)
			return true;
	return false;
}

/* Each row of block ${i} has its time, its line and its ID; its number is that in numbers[], or is put there. */
static void
check_clock_rows(struct store_view *v, size_t i, uint64_t *numbers)
{
	AUTO(block_free) struct block *b = NULL;
	AUTO_FINI(arena_fini) struct arena a = ARENA_INIT;
	char scratch[COLUMN_SCRATCH], line[120], id[32];
	struct column n, times;
	struct str got;
	uint64_t k, number;
	uint32_t row;

	MUST(store_view_open_block(v, i, &b) == 0);
	MUST(block_column(b, STR("n"), NULL, 0, &a, &n) == 0);
	MUST(block_column(b, STR("_time"), NULL, 0, &a, &times) == 0);
	for (row = 0; row < n.n_rows; row++) {
		(void)snprintf(id, sizeof(id), "%.*s", STR_ARG(column_value(&n, row, scratch)));
		k = strtoull(id, NULL, 10);
		CHECK(times.ints[row] == clock_of(k));
		number = store_view_row(v, i, row);
		CHECK(numbers[k] == UINT64_MAX || numbers[k] == number);
		numbers[k] = number;
		CHECK(store_view_rows_from(v, i, number) == row);
		if (row % 50 != 0)
			continue;
		(void)snprintf(id, sizeof(id), "req-%" PRIu64, k / 5);
		CHECK(finds(v, i, id));
		(void)snprintf(line, sizeof(line),
		    "{\"n\":%" PRIu64 ",\"request_id\":\"%s\",\"x%d\":\"\"}", k, id, (int)(k % 3));
		MUST(block_line(b, row, &a, &got) == 0);
		CHECK_STR(got, str_c(line));
	}
}

/* All rows are there once; blocks that have rows of today have none of another time. */
static void
check_clocks(uint64_t n, size_t n_blocks, uint64_t *numbers)
{
	AUTO(store_view_free) struct store_view *v = NULL;
	struct rows_seen seen = { calloc(n, 1), n, 0, 0, 0 };
	struct buf err = BUF_INIT;
	struct store_block_info info;
	size_t i;

	MUST(store_view_open(&v, dir, &err) == 0);
	rows_of_view(&seen, v);
	CHECK(rows_are(&seen, n));
	CHECK(store_view_n_blocks(v) == n_blocks);
	for (i = 0; i < store_view_n_blocks(v); i++) {
		store_view_block(v, i, &info);
		if (info.sum.max_time.ns >= now.ns && info.sum.min_time.ns < now.ns + NS_PER_DAY)
			CHECK(info.sum.min_time.ns >= now.ns &&
			    info.sum.max_time.ns < now.ns + NS_PER_DAY);
		check_clock_rows(v, i, numbers);
	}
	free(seen.count);
	buf_fini(&err);
}

/* A clock that is wrong takes its rows out of the others' blocks, when they are written and when they are sealed. */
static void
test_bad_clocks(void)
{
	static uint64_t numbers[9000];
	struct store *s;
	size_t n_faults = 0;
	uint64_t i;

	memset(numbers, 0xff, sizeof(numbers));
	rows_remove_dir(dir);
	s = open_store();
	for (i = 0; i < 3; i++)
		append_clocks(s, i * 3000, 3000);
	s = store_close(s);
	check_clocks(9000, 9, numbers);
	s = open_store();
	MUST(store_seal(s, now) == 0);
	MUST(store_seal(s, now) == 0);
	s = store_close(s);
	check_clocks(9000, 3, numbers);
	MUST(store_verify(dir, NULL, NULL, &n_faults) == 0);
	CHECK(n_faults == 0);
	rows_remove_dir(dir);
}

int
main(void)
{
	test_bad_clocks();
	test_lost_ids(false);
	test_lost_ids(true);
	test_damage_behind();
	return check_done();
}
