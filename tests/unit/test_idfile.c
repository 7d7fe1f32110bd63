/*
 * tests/unit/test_idfile.c - the merged ID indexes.
 * One job: with them, without them, and with any damage to them, every ID is found where it is; and what is not asked for
 * stays shut.
 */
#include <fcntl.h>

#include "base/hash.h"
#include "base/io.h"
#include "store/idfile.h"
#include "store/idfile_write.h"
#include "store_rows.h"

enum { PER_SEGMENT = 20, CAP = 20000 };

static const struct wall t0 = { 1700000000 * NS_PER_S };
static char dir[64], path[80], index_path[96], copy[80];

static struct store *
open_with(const struct store_options *opt)
{
	struct buf err = BUF_INIT;
	struct store *s = NULL;

	MUST(store_open(&s, path, opt, t0, &err) == 0);
	buf_fini(&err);
	return s;
}

static struct store *
open_store(void)
{
	struct store_options opt = { 0 };

	return open_with(&opt);
}

/* Rows [from, from + n * PER_SEGMENT) as n sealed segments. */
static void
seal_many(struct store *s, uint64_t from, size_t n)
{
	struct wall now = t0;
	size_t i;

	for (i = 0; i < n; i++, from += PER_SEGMENT) {
		MUST(rows_append(s, from, PER_SEGMENT) == 0);
		now.ns = t0.ns + (int64_t)from * NS_PER_S;
		MUST(store_commit(s, now) == 0);
		MUST(store_seal(s, now) == 0);
	}
}

static void
make_store(size_t n_segments)
{
	struct store *s;

	rows_remove_dir(path);
	s = open_store();
	seal_many(s, 0, n_segments);
	(void)store_close(s);
}

static struct store_view *
open_view(bool late)
{
	struct buf err = BUF_INIT;
	struct store_view *v = NULL;

	if (late)
		MUST(store_view_open_between(&v, path, (struct wall){ INT64_MIN },
		         (struct wall){ INT64_MAX }, &err) == 0);
	else
		MUST(store_view_open(&v, path, &err) == 0);
	buf_fini(&err);
	return v;
}

/* How many blocks the ID of row ${row} may be in; whether the right one is among them. */
static bool
finds(struct store_view *v, uint64_t row, size_t *ret_n)
{
	struct arena a = ARENA_INIT;
	struct store_block_info info;
	uint32_t *blocks;
	size_t i, n;
	char id[48];
	bool hit = false;

	(void)snprintf(id, sizeof(id), "%08x-req-%" PRIu64, (unsigned)(row / 10 * 2654435761u),
	    row / 10);
	MUST(store_view_find_id(v, &(struct store_id){ .value = str_c(id) }, &a, &blocks, &n) == 0);
	for (i = 0; i < n; i++) {
		store_view_block(v, blocks[i], &info);
		hit |= info.first_row <= row && row < info.end_row;
		CHECK(i == 0 || blocks[i] > blocks[i - 1]);
	}
	*ret_n = n;
	arena_fini(&a);
	return hit;
}

/* Every ID of rows [0, n) in exactly one block, in both kinds of view; after "ids" could not be read, older ones in any. */
static void
check_ids(uint64_t n, size_t n_faults)
{
	char *ids = rows_join(path, "ids");
	bool exact = access(ids, F_OK) != 0;
	struct store_view *v;
	uint64_t row;
	size_t k;
	int late;

	for (late = 0; late < 2; late++) {
		v = open_view(late != 0);
		for (row = 0; row < n; row += 10) {
			CHECK(finds(v, row, &k));
			CHECK(k == 1 || !exact);
		}
		CHECK(!exact || (!finds(v, 1000000, &k) && k == 0));
		CHECK(store_view_faults(v, n_faults == 0 ? rows_print_fault : NULL, NULL) ==
		    n_faults);
		(void)store_view_free(v);
	}
	free(ids);
}

static size_t
count_files(uint64_t *ret_bytes)
{
	struct dirent *e;
	struct stat st;
	DIR *d = opendir(index_path);
	char *name;
	size_t n = 0;

	*ret_bytes = 0;
	if (d == NULL)
		return 0;
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		name = rows_join(index_path, e->d_name);
		MUST(stat(name, &st) == 0);
		free(name);
		*ret_bytes += (uint64_t)st.st_size;
		n++;
	}
	(void)closedir(d);
	return n;
}

static void
check_verify(size_t want)
{
	size_t n = 0;

	MUST(store_verify(path, want == 0 ? rows_print_fault : NULL, NULL, &n) == 0);
	CHECK(n == want);
}

/* Fewer than eight are asked themselves; then files come, few of them, and one ID opens one segment. */
static void
test_levels(void)
{
	static const struct {
		size_t segments, files_max;
	} steps[] = { { 7, 0 }, { 8, 1 }, { 70, 9 }, { 300, 10 } };
	struct store_view *v;
	struct store *s;
	size_t i, k, done = 0;
	uint64_t bytes;

	rows_remove_dir(path);
	s = open_store();
	for (i = 0; i < ARRAY_LEN(steps); i++) {
		seal_many(s, done * PER_SEGMENT, steps[i].segments - done);
		done = steps[i].segments;
		CHECK(count_files(&bytes) <= steps[i].files_max);
		CHECK((count_files(&bytes) > 0) == (steps[i].files_max > 0));
		/* A header, five bytes for each ID and each of two marks of a segment, and the sum of each page. */
		CHECK(bytes <= count_files(&bytes) * (IDFILE_HEAD + 16) + done * 2 * 5 * 2);
		check_ids(done * PER_SEGMENT, 0);
	}
	s = store_close(s);
	check_verify(0);
	v = open_view(true);
	CHECK(store_view_n_opened(v) <= 1);
	CHECK(finds(v, 1000, &k));
	/* The one that has it, the open one, and those that no file has yet. */
	CHECK(store_view_n_opened(v) <= 2 + 7);
	CHECK(store_view_n_segments(v) >= 300);
	(void)store_view_free(v);
	/* The writer takes over what is there, and adds to it. */
	s = open_store();
	seal_many(s, done * PER_SEGMENT, 8);
	(void)store_close(s);
	check_ids((done + 8) * PER_SEGMENT, 0);
}

/* A reader that knows nothing but docs/FORMAT.md. */
static uint64_t
number_at(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	while (n > 0)
		v = v << 8 | p[--n];
	return v;
}

static void
test_reference(void)
{
	static uint8_t p[1 << 16];
	char id[48];
	uint64_t row, n_ids, k, n_found = 0;
	size_t n_read = 0, n_segments;
	char *name;
	int fd;

	make_store(8);
	name = rows_join(index_path, "0000000001.idx");
	fd = open(name, O_RDONLY | O_CLOEXEC);
	free(name);
	MUST(fd >= 0 && io_pread(fd, p, sizeof(p), 0, &n_read) == 0);
	(void)close(fd);
	CHECK(memcmp(p, "weirIDX\n", 8) == 0 && number_at(p + 8, 2) == 1);
	n_segments = number_at(p + 20, 4);
	n_ids = number_at(p + 24, 8);
	CHECK(n_segments == 8 && n_ids == 32);
	CHECK(number_at(p + 4088, 8) == hash64(str_of(p, 4088)));
	CHECK(n_read == 4096 + 160 + 8);
	CHECK(number_at(p + 4096 + 160, 8) == hash64_seed(str_of(p + 4096, 160), 0));
	for (row = 0; row < 8 * PER_SEGMENT; row += 10) {
		(void)snprintf(id, sizeof(id), "%08x-req-%" PRIu64,
		    (unsigned)(row / 10 * 2654435761u), row / 10);
		for (k = 0; k < n_ids; k++)
			n_found += number_at(p + 4096 + 5 * k, 4) == hash64(str_c(id)) >> 32 &&
			    p[4096 + 5 * k + 4] == row / PER_SEGMENT;
	}
	CHECK(n_found == 16);
	/* The IDs have two dashes: so more than none, and more than one. */
	for (row = 0, n_found = 0; row < 2; row++)
		for (k = 0; k < n_ids; k++)
			n_found += number_at(p + 4096 + 5 * k, 4) ==
			    hash64_seed(STR("request_id"), UINT64_C(0x6d61726b73000000) + row) >>
			        32;
	CHECK(n_found == 16);
}

static void
flip(const char *name, long at, uint8_t mask)
{
	char *file = rows_join(index_path, name);
	int fd = open(file, O_RDWR | O_CLOEXEC);
	uint8_t byte;

	free(file);
	MUST(fd >= 0 && pread(fd, &byte, 1, at) == 1);
	byte ^= mask;
	MUST(pwrite(fd, &byte, 1, at) == 1);
	(void)close(fd);
}

/* IDs are found, whatever is wrong; each is said once. */
static void
check_damaged(void)
{
	struct store_view *v = open_view(true);
	uint64_t row;
	size_t k;

	for (row = 0; row < 10 * PER_SEGMENT; row += 70) {
		CHECK(finds(v, row, &k));
		CHECK(k == 1);
	}
	CHECK(store_view_faults(v, NULL, NULL) == 1);
	(void)store_view_free(v);
}

static void
test_damage(void)
{
	char *name;
	long at, size;
	uint64_t bytes;
	struct store *s;

	make_store(10);
	MUST(count_files(&bytes) == 1);
	size = (long)bytes;
	for (at = 0; at < size && check_failed < 5; at++) {
		flip("0000000001.idx", at, (uint8_t)(1u << (at % 8)));
		/* A newer format is left alone without a word; but then the sum holds. */
		check_damaged();
		flip("0000000001.idx", at, (uint8_t)(1u << (at % 8)));
	}
	check_verify(0);
	flip("0000000001.idx", 4100, 1);
	check_verify(1);
	flip("0000000001.idx", 4100, 1);
	name = rows_join(index_path, "0000000001.idx");
	for (at = size - 1; at >= 0; at -= at > 4200 ? 1 : 97) {
		MUST(truncate(name, at) == 0);
		check_damaged();
	}
	free(name);
	/* The writer makes it again. */
	s = open_store();
	MUST(store_merge(s, t0) == 0);
	(void)store_close(s);
	check_ids(10 * PER_SEGMENT, 0);
	check_verify(0);
}

static void
test_missing(void)
{
	struct store_view *v;
	char *name;
	size_t k;
	int fd;

	/* MANIFEST made again says the same of segments, so that the files are right still. */
	make_store(10);
	name = rows_join(path, "MANIFEST");
	MUST(unlink(name) == 0);
	free(name);
	v = open_view(true);
	CHECK(finds(v, 0, &k) && k == 1);
	CHECK(store_view_n_opened(v) <= 2 + 2);
	(void)store_view_free(v);
	make_store(10);
	rows_remove_dir(index_path);
	check_ids(10 * PER_SEGMENT, 0);
	/* Something else of that name is left alone. */
	fd = open(index_path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	MUST(fd >= 0);
	(void)close(fd);
	check_ids(10 * PER_SEGMENT, 0);
	MUST(unlink(index_path) == 0);
}

/* A file that says that no segment has any ID: believed only where its stamps are right. */
static void
put_empty(bool right)
{
	struct idfile f = { .fd = -1, .number = 9, .n_segments = 10 };
	struct manifest m = { 0 };
	struct buf out = BUF_INIT;
	size_t i;
	int dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd;

	MUST(dir_fd >= 0 && manifest_read(dir_fd, &m) == 0);
	memcpy(f.uuid, m.uuid, sizeof(f.uuid));
	for (i = 0, f.n_segments = 0; i < m.n; i++)
		if (m.v[i].state == MANIFEST_SEALED)
			f.segments[f.n_segments++] = (struct idfile_segment){ m.v[i].number,
				idfile_stamp(&m.v[i]) + !right };
	MUST(f.n_segments == 10);
	idfile_head_put(&out, &f);
	fd = openat(dir_fd, "index/0000000009.idx", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	MUST(fd >= 0 && io_write(fd, out.p, out.n) == 0);
	(void)close(fd);
	(void)close(dir_fd);
	buf_fini(&out);
	manifest_fini(&m);
}

static void
test_stamps(void)
{
	struct store_view *v;
	size_t k;

	make_store(10);
	put_empty(false);
	check_ids(10 * PER_SEGMENT, 0);
	check_verify(0);
	put_empty(true);
	v = open_view(true);
	CHECK(!finds(v, 0, &k));
	(void)store_view_free(v);
	check_verify(10);
}

/* Segments merge and expire: what is left is found, and files that nobody needs go. */
static void
test_stale(void)
{
	struct store_options opt = { .retention = { 60 * PER_SEGMENT * NS_PER_S },
		.seal_age = { 1 } }; /* so that nothing merges */
	struct store *s;
	struct store_view *v;
	uint64_t bytes, row;
	size_t k, i;
	struct wall now = { t0.ns + 100 * PER_SEGMENT * NS_PER_S };

	make_store(80);
	s = open_with(&opt);
	for (i = 0; i < 12; i++)
		MUST(store_maintain(s, now) == 0);
	store_merge(s, now);
	(void)store_close(s);
	v = open_view(true);
	for (row = 0; row < 80 * PER_SEGMENT; row += 10)
		CHECK(finds(v, row, &k) == (row >= 40 * PER_SEGMENT));
	CHECK(store_view_faults(v, rows_print_fault, NULL) == 0);
	(void)store_view_free(v);
	check_verify(0);
	/* All go. */
	opt.retention.ns = 1;
	s = open_with(&opt);
	now.ns += 10 * NS_PER_S;
	for (i = 0; i < 12; i++)
		MUST(store_maintain(s, now) == 0);
	store_merge(s, now);
	CHECK(count_files(&bytes) == 0);
	(void)store_close(s);
}

/* Small segments become one: their entries are of segments that are no more. */
static void
test_merged_away(void)
{
	struct store_options opt = { .seal_age = { 365 * NS_PER_DAY } };
	struct store *s;

	make_store(20);
	s = open_with(&opt);
	MUST(store_merge(s, t0) == 0);
	(void)store_close(s);
	CHECK(rows_check(path, 20 * PER_SEGMENT, CAP));
	check_verify(0);
	{
		struct store_view *v = open_view(true);
		uint64_t row;
		size_t k;

		CHECK(store_view_n_segments(v) < 10);
		for (row = 0; row < 20 * PER_SEGMENT; row += 10)
			CHECK(finds(v, row, &k));
		(void)store_view_free(v);
	}
}

static bool
is_debug(void *ctx, const struct record *rec)
{
	(void)ctx;
	return str_eq_c(record_get(rec, STR("level")), "debug");
}

/* An ID has rows of both classes, so it is in two segments. */
static void
test_classes(void)
{
	static const struct store_class classes[] = { { is_debug, NULL, { 48 * NS_PER_HOUR } } };
	struct store_options opt = { .classes = classes, .n_classes = 1 };
	struct store_view *v;
	struct store *s;
	uint64_t row, bytes;
	size_t k;

	rows_remove_dir(path);
	s = open_with(&opt);
	seal_many(s, 0, 12);
	(void)store_close(s);
	CHECK(count_files(&bytes) >= 1);
	v = open_view(true);
	CHECK(store_view_n_segments(v) >= 24);
	for (row = 0; row < 12 * PER_SEGMENT; row += 10) {
		CHECK(finds(v, row, &k));
		CHECK(k == 2);
	}
	(void)store_view_free(v);
	check_verify(0);
	CHECK(rows_check(path, 12 * PER_SEGMENT, CAP));
}

/* A segment whose footer is lost has no index of its own: it is in no file, and all its blocks may hold any ID. */
static void
test_bad_segment(void)
{
	struct store *s;
	struct stat st;
	char name[SEGMENT_NAME_MAX], *file;
	struct store_view *v;
	uint64_t row, bytes;
	size_t k;

	make_store(7);
	segment_name(name, 3);
	file = rows_join(path, name);
	MUST(stat(file, &st) == 0 && truncate(file, st.st_size - 8) == 0);
	free(file);
	s = open_store();
	seal_many(s, 7 * PER_SEGMENT, 3);
	(void)store_close(s);
	CHECK(count_files(&bytes) == 1);
	v = open_view(true);
	for (row = 0; row < 10 * PER_SEGMENT; row += 10) {
		CHECK(finds(v, row, &k));
		CHECK(k <= 2);
	}
	(void)store_view_free(v);
}

static void
read_all(struct store_view *v, uint64_t *ret_rows, size_t *ret_bad)
{
	struct rows_seen seen = { calloc(CAP, 1), CAP, 0, 0, 0 };

	rows_of_view(&seen, v);
	*ret_rows = seen.n;
	*ret_bad = seen.n_bad_blocks;
	CHECK(seen.n_foreign == 0);
	free(seen.count);
}

/* A reader that has opened nothing yet, beside a writer that merges all, ends, and begins again. */
static void
test_reader_beside_merge(void)
{
	struct store_options opt = { .seal_age = { 365 * NS_PER_DAY } };
	struct store_view *v;
	struct store *s;
	uint64_t rows;
	size_t bad;
	char *first;

	make_store(20);
	first = rows_join(path, "0000000003.seg");
	v = open_view(true);
	CHECK(store_view_n_opened(v) <= 1);
	s = open_with(&opt);
	MUST(store_merge(s, t0) == 0);
	s = store_close(s);
	s = open_with(&opt);
	s = store_close(s);
	read_all(v, &rows, &bad);
	CHECK(rows == 20 * PER_SEGMENT && bad == 0);
	CHECK(store_view_faults(v, rows_print_fault, NULL) == 0);
	(void)store_view_free(v);
	CHECK(access(first, F_OK) == 0);
	/* Nobody reads any more: they go. */
	(void)store_close(open_with(&opt));
	CHECK(access(first, F_OK) != 0);
	free(first);
	CHECK(rows_check(path, 20 * PER_SEGMENT, CAP));
}

/* What expires while somebody reads is left out, and no fault; what is lost is one. */
static void
test_reader_beside_expiry(void)
{
	struct store_options opt = { .retention = { 10 * PER_SEGMENT * NS_PER_S },
		.seal_age = { 1 } };
	struct wall now = { t0.ns + 20 * PER_SEGMENT * NS_PER_S };
	struct store_view *v;
	struct store *s;
	uint64_t rows;
	size_t bad, i;
	char *last;

	make_store(20);
	v = open_view(true);
	s = open_with(&opt);
	for (i = 0; i < 4; i++)
		MUST(store_maintain(s, now) == 0);
	(void)store_close(s);
	read_all(v, &rows, &bad);
	CHECK(rows > 0 && rows < 20 * PER_SEGMENT);
	CHECK(store_view_faults(v, rows_print_fault, NULL) == 0);
	(void)store_view_free(v);

	make_store(20);
	v = open_view(true);
	last = rows_join(path, "0000000003.seg");
	MUST(unlink(last) == 0);
	free(last);
	read_all(v, &rows, &bad);
	CHECK(rows == 19 * PER_SEGMENT && bad == 1);
	CHECK(store_view_faults(v, NULL, NULL) == 1);
	(void)store_view_free(v);
}

struct fault {
	uint64_t n, at;
	bool dead;
};

static int
hook(void *ctx, enum io_op op, const char *name, size_t n)
{
	struct fault *f = ctx;
	uint64_t i = f->n++;

	(void)name;
	(void)n;
	if (i == f->at && f->dead && op == IO_WRITE)
		return IO_HOOK_SHORT;
	return i == f->at || (f->dead && i > f->at) ? -EIO : 0;
}

/* Operation ${at} of making a file fails, alone or with all that follow; false when there is none. */
static bool
sweep_once(uint64_t at, bool dead)
{
	struct fault f = { 0, at, dead };
	struct store *s;
	bool hit;

	rows_remove_dir(path);
	rows_copy_dir(copy, path);
	io_set_hook(hook, &f);
	{
		struct store_options opt = { 0 };
		struct buf err = BUF_INIT;

		if (store_open(&s, path, &opt, t0, &err) == 0) {
			(void)store_seal(s, t0);
			(void)store_close(s);
		}
		buf_fini(&err);
	}
	hit = f.n > at;
	io_set_hook(NULL, NULL);
	check_ids(17 * PER_SEGMENT, 0);
	s = open_store();
	(void)store_seal(s, t0);
	(void)store_close(s);
	check_ids(17 * PER_SEGMENT, 0);
	check_verify(0);
	return hit;
}

static void
test_sweep(void)
{
	struct store *s;
	uint64_t at;
	int dead;

	make_store(15);
	rows_remove_dir(index_path);
	/* Two more wait: files are made of what is there, and of the one that is sealed now. */
	s = open_store();
	MUST(rows_append(s, 15 * PER_SEGMENT, 2 * PER_SEGMENT) == 0);
	MUST(store_commit(s, t0) == 0);
	(void)store_close(s);
	rows_copy_dir(path, copy);
	for (dead = 0; dead < 2; dead++) {
		for (at = 0; sweep_once(at, dead != 0) && check_failed < 5; at++)
			;
		CHECK(at > 40);
	}
}

int
main(void)
{
	(void)snprintf(dir, sizeof(dir), "%s/weir-test-idfile-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	MUST(mkdtemp(dir) != NULL);
	(void)snprintf(path, sizeof(path), "%s/store", dir);
	(void)snprintf(index_path, sizeof(index_path), "%s/index", path);
	(void)snprintf(copy, sizeof(copy), "%s/copy", dir);
	test_levels();
	test_reference();
	test_damage();
	test_missing();
	test_stamps();
	test_stale();
	test_merged_away();
	test_classes();
	test_bad_segment();
	test_reader_beside_merge();
	test_reader_beside_expiry();
	test_sweep();
	rows_remove_dir(path);
	rows_remove_dir(copy);
	(void)rmdir(dir);
	return check_done();
}
