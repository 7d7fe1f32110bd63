/*
 * tests/unit/test_store_room.c - room behind the end of the open segment.
 * One job: see that commits fill bytes that are already the file's, and that what a crash or a reader in their midst finds
 * there is neither rows nor damage.
 */
#include "base/io.h"
#include "store_rows.h"

static const struct wall t0 = { 1700000000 * NS_PER_S };
static char dir[64], path[80], copy[80];

enum {
	N_EACH = 40,
	CAP = 50000,
	SECTOR = 512,
	READS_MAX = 40,
	WIDE = 600,
	WIDER = 20000,
	PIECE = 64 << 10
};

/* The bytes of the store's one segment. */
struct bytes {
	char *p;
	long n;
};

static struct bytes
read_segment(void)
{
	char *name = rows_join(path, "0000000001.seg");
	FILE *f = fopen(name, "r");
	struct bytes b;

	MUST(f != NULL && fseek(f, 0, SEEK_END) == 0);
	b.n = ftell(f);
	b.p = malloc((size_t)b.n + 1);
	MUST(b.p != NULL && fseek(f, 0, SEEK_SET) == 0);
	MUST(fread(b.p, 1, (size_t)b.n, f) == (size_t)b.n);
	(void)fclose(f);
	free(name);
	return b;
}

static void
write_segment(const char *where, const char *p, long n)
{
	char *name = rows_join(where, "0000000001.seg");
	FILE *f = fopen(name, "w");

	MUST(f != NULL && fwrite(p, 1, (size_t)n, f) == (size_t)n && fclose(f) == 0);
	free(name);
}

static long
used(const struct bytes *b)
{
	long n = b->n;

	while (n > 0 && b->p[n - 1] == 0)
		n--;
	return n;
}

/* The size changes with few commits of many, and a clean end leaves no room. */
static void
test_size_stays(void)
{
	struct store *s = rows_open(path, t0);
	struct bytes now;
	struct stat st;
	char *name = rows_join(path, "0000000001.seg");
	long size = 0, changes = 0;
	uint64_t i;

	for (i = 0; i < N_EACH; i++) {
		rows_commit(s, t0, i * 5, 5);
		MUST(stat(name, &st) == 0);
		changes += st.st_size != size;
		size = st.st_size;
		CHECK(rows_check(path, i * 5 + 5, CAP));
	}
	CHECK(changes == 1);
	now = read_segment();
	CHECK(used(&now) < size);
	(void)store_close(s);
	MUST(stat(name, &st) == 0);
	CHECK(st.st_size < size && st.st_size >= used(&now) && st.st_size < used(&now) + 8);
	CHECK(rows_check(path, (uint64_t)N_EACH * 5, CAP));
	free(now.p);
	free(name);
}

/* A store as ${p} says, cut off by a crash: the rows of whole commits and their position, no damage, and it goes on. */
static void
check_crash(const char *p, long n, uint64_t before, uint64_t after)
{
	struct store *s;
	char num[24];
	uint64_t rows;

	write_segment(copy, p, n);
	s = rows_open(copy, t0);
	(void)snprintf(num, sizeof(num), "%" PRIu64, after);
	rows = str_eq(store_position_get(s, STR("p")), str_c(num)) ? after : before;
	CHECK(rows_check(copy, rows, CAP));
	rows_commit(s, t0, rows, 5);
	CHECK(rows_check(copy, rows + 5, CAP));
	(void)store_close(s);
	CHECK(rows_check(copy, rows + 5, CAP));
}

/* The last commit written up to any byte, and with any one of its sectors left out. */
static void
test_crash(void)
{
	struct store *s = rows_open(path, t0);
	struct bytes full, was;
	char *part;
	long from, to, at;

	rows_commit(s, t0, 0, 5);
	rows_commit(s, t0, 5, 5);
	rows_copy_dir(path, copy);
	was = read_segment();
	rows_commit(s, t0, 10, WIDE);
	full = read_segment();
	MUST(was.n == full.n);
	part = malloc((size_t)full.n);
	MUST(part != NULL);
	from = used(&was);
	to = used(&full);
	MUST(to - from > 2L * SECTOR);
	for (at = from; at<to; at += at> to - 100 ? 1 : 37) {
		memcpy(part, was.p, (size_t)was.n);
		memcpy(part, full.p, (size_t)at);
		check_crash(part, full.n, 10, 10 + WIDE);
	}
	for (at = from / SECTOR * SECTOR; at < to; at += SECTOR) {
		memcpy(part, full.p, (size_t)full.n);
		memcpy(part + at, was.p + at, SECTOR);
		check_crash(part, full.n, 10, 10 + WIDE);
	}
	(void)store_close(s);
	free(was.p);
	free(full.p);
	free(part);
}

/* A writer that is half done with a commit at the reader's read ${at}, and has made another one at its next. */
struct half {
	const char *p;
	long n, half;
	unsigned reads, at;
};

static int
write_meanwhile(void *ctx, enum io_op op, const char *name, size_t n)
{
	struct half *h = ctx;
	char *file;
	FILE *f;

	(void)name;
	(void)n;
	if (op != IO_READ || (h->reads++, h->reads != h->at && h->reads != h->at + 1))
		return 0;
	file = rows_join(copy, "0000000001.seg");
	f = fopen(file, "r+");
	MUST(f != NULL);
	MUST(
	    fwrite(h->p, 1, (size_t)(h->reads == h->at ? h->half : h->n), f) > 0 && fclose(f) == 0);
	free(file);
	return 0;
}

/* Whatever a reader comes upon while commits are written, it is no damage. */
static void
test_reader(void)
{
	struct store *s = rows_open(path, t0);
	struct rows_seen seen = { calloc(CAP, 1), CAP, 0, 0, 0 };
	struct store_view *v = NULL;
	struct buf err = BUF_INIT;
	struct bytes was, mid, full;
	struct half h = { .at = 1 };
	uint64_t i;

	for (i = 0; i < 10; i++)
		rows_commit(s, t0, i, 1);
	rows_copy_dir(path, copy);
	was = read_segment();
	/* More than a reader takes at once, so that it reads again behind the half. */
	rows_commit(s, t0, 10, WIDER);
	mid = read_segment();
	rows_commit(s, t0, 10 + WIDER, WIDER);
	rows_commit(s, t0, 10 + 2 * WIDER, 5);
	full = read_segment();
	MUST(was.n == full.n && used(&full) - used(&was) > 32L << 10);
	h = (struct half){ full.p, full.n, used(&was) + (used(&mid) - used(&was)) / 2, 0, 0 };
	for (h.at = 1; h.at < READS_MAX; h.at++) {
		write_segment(copy, was.p, was.n);
		h.reads = 0;
		io_set_hook(write_meanwhile, &h);
		MUST(store_view_open(&v, copy, &err) == 0);
		io_set_hook(NULL, NULL);
		CHECK(store_view_faults(v, rows_print_fault, NULL) == 0);
		rows_of_view(&seen, v);
		CHECK(rows_are(&seen, seen.n) &&
		    (seen.n == 10 || seen.n == 10 + WIDER || seen.n == 10 + 2 * WIDER ||
		        seen.n == 15 + 2 * WIDER));
		v = store_view_free(v);
	}
	(void)store_close(s);
	buf_fini(&err);
	free(seen.count);
	free(was.p);
	free(mid.p);
	free(full.p);
}

/* A copy of the folder, the segment in pieces between which ${n} rows in commits of 12 come, for ${pieces} pieces. */
static uint64_t
copy_piecewise(struct store *s, uint64_t at, uint64_t n, unsigned pieces)
{
	static char piece[PIECE];
	char *from = rows_join(path, "0000000001.seg"), *to = rows_join(copy, "0000000001.seg");
	FILE *in, *out;
	uint64_t end;
	size_t got;

	rows_remove_dir(copy);
	rows_copy_dir(path, copy);
	in = fopen(from, "r");
	out = fopen(to, "w");
	MUST(in != NULL && out != NULL);
	/* As a program reads that has no buffer of its own. */
	(void)setvbuf(in, NULL, _IONBF, 0);
	while ((got = fread(piece, 1, sizeof(piece), in)) > 0) {
		MUST(fwrite(piece, 1, got, out) == got);
		for (end = at + n; pieces > 0 && at < end; at += 12)
			rows_commit(s, t0, at, 12);
		pieces -= pieces > 0;
	}
	(void)fclose(in);
	MUST(fclose(out) == 0);
	free(from);
	free(to);
	return at;
}

/* Whatever the copy caught, it has the first rows, no damage, the position of just these, and goes on. */
static void
test_copy(void)
{
	static const uint64_t between[] = { 12, 240, 480, 1200 };
	struct rows_seen seen = { calloc(CAP, 1), CAP, 0, 0, 0 };
	struct store *s = rows_open(path, t0), *t;
	struct store_view *v = NULL;
	struct buf err = BUF_INIT;
	uint64_t at = 0, before;
	char num[24];
	size_t i;

	for (i = 0; i < 40; i++, at += 12)
		rows_commit(s, t0, at, 12);
	for (i = 0; i < ARRAY_LEN(between); i++) {
		before = at;
		at = copy_piecewise(s, at, between[i], 8);
		MUST(store_view_open(&v, copy, &err) == 0);
		rows_of_view(&seen, v);
		CHECK(rows_are(&seen, seen.n) && seen.n >= before && seen.n <= at);
		CHECK(store_view_faults(v, rows_print_fault, NULL) == 0);
		v = store_view_free(v);
		t = rows_open(copy, t0);
		(void)snprintf(num, sizeof(num), "%" PRIu64, seen.n);
		CHECK(str_eq(store_position_get(t, STR("p")), str_c(num)));
		rows_commit(t, t0, seen.n, 5);
		(void)store_close(t);
		CHECK(rows_check(copy, seen.n + 5, CAP));
	}
	(void)store_close(s);
	buf_fini(&err);
	free(seen.count);
}

int
main(void)
{
	void (*const tests[])(void) = { test_size_stays, test_crash, test_reader, test_copy };
	size_t i;

	(void)snprintf(dir, sizeof(dir), "%s/weir-test-room-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	MUST(mkdtemp(dir) != NULL);
	(void)snprintf(path, sizeof(path), "%s/store", dir);
	(void)snprintf(copy, sizeof(copy), "%s/copy", dir);
	for (i = 0; i < ARRAY_LEN(tests); i++) {
		rows_remove_dir(path);
		rows_remove_dir(copy);
		tests[i]();
	}
	rows_remove_dir(path);
	rows_remove_dir(copy);
	(void)rmdir(dir);
	return check_done();
}
