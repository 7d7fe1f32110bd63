/*
 * tests/unit/test_store_damage.c - bytes that are not what was written.
 * One job: cut and flip the files of a store, and see that what is left is answered and what is lost is said.
 */
#include "base/hash.h"
#include "store/segment.h"
#include "store_rows.h"

static const struct wall t0 = { 1700000000 * NS_PER_S };
static char dir[64], path[80], copy[80];

enum { CUT_BYTES = 64 << 10, FLIPS = 600, FLIPS_LONG = 10000 };

/* 40 commits of 5 rows; the first ${sealed} of them are sealed. */
static void
make_store(uint64_t sealed)
{
	struct store *s;
	uint64_t i;

	rows_remove_dir(path);
	s = rows_open(path, t0);
	for (i = 0; i < 40; i++) {
		rows_commit(s, t0, i * 5, 5);
		if (i + 1 == sealed)
			MUST(store_seal(s, t0) == 0);
	}
	(void)store_close(s);
}

static uint64_t
position_of(struct store *s)
{
	struct str p = store_position_get(s, STR("p"));
	uint64_t v = 0;
	size_t i;

	for (i = 0; i < p.n; i++)
		v = v * 10 + (uint64_t)(p.p[i] - '0');
	return v;
}

static long
file_size(const char *name)
{
	struct stat st;

	return stat(name, &st) == 0 ? (long)st.st_size : -1;
}

/* The newest segment file of ${where}. */
static void
newest_file(const char *where, char out[4096])
{
	struct dirent *e;
	char best[256] = "";
	DIR *d = opendir(where);

	MUST(d != NULL);
	while ((e = readdir(d)) != NULL)
		if (strstr(e->d_name, ".seg") != NULL && strcmp(e->d_name, best) > 0)
			(void)snprintf(best, sizeof(best), "%s", e->d_name);
	(void)closedir(d);
	(void)snprintf(out, 4096, "%s/%s", where, best);
}

/* Cut anywhere in the tail: what was committed before the cut is there, and the position says just that. */
static void
test_cut_tail(void)
{
	char name[4096];
	struct store *s;
	uint64_t n;
	long size, at;

	make_store(0);
	newest_file(path, name);
	size = file_size(name);
	for (at = size; at > size - 6000 && at > 4096; at -= at > size - 500 ? 1 : 13) {
		rows_copy_dir(path, copy);
		newest_file(copy, name);
		MUST(truncate(name, at) == 0);
		s = rows_open(copy, t0);
		n = position_of(s);
		CHECK(n % 5 == 0 && n <= 200 && (at < size || n == 200));
		CHECK(rows_check(copy, n, 400));
		rows_commit(s, t0, n, 5);
		(void)store_close(s);
		CHECK(rows_check(copy, n + 5, 400));
	}
}

static void
flip(const char *name, long at, int bit)
{
	FILE *f = fopen(name, "r+");
	int c;

	MUST(f != NULL);
	MUST(fseek(f, at, SEEK_SET) == 0);
	c = fgetc(f);
	MUST(fseek(f, at, SEEK_SET) == 0);
	MUST(fputc(c ^ 1 << bit, f) != EOF);
	(void)fclose(f);
}

struct outcome {
	uint64_t n_missing, n_wrong;
	uint64_t n_front; /* rows before the first that is missing */
	size_t n_faults, n_verify;
};

static void
look(struct outcome *o)
{
	struct rows_seen seen = { calloc(400, 1), 400, 0, 0, 0 };
	struct store_view *v = NULL;
	struct buf err = BUF_INIT;
	uint64_t i;

	*o = (struct outcome){ 0 };
	MUST(store_view_open(&v, copy, &err) == 0);
	rows_of_view(&seen, v);
	for (i = 0; i < 400; i++) {
		o->n_missing += i < 200 && seen.count[i] == 0;
		o->n_front += i < 200 && o->n_missing == 0;
		o->n_wrong += seen.count[i] > 1 || (i >= 200 && seen.count[i] > 0);
	}
	o->n_wrong += seen.n_foreign;
	o->n_faults = store_view_faults(v, NULL, NULL) + seen.n_bad_blocks;
	(void)store_view_free(v);
	MUST(store_verify(copy, NULL, NULL, &o->n_verify) == 0);
	free(seen.count);
	buf_fini(&err);
}

/*
 * One flipped bit costs at most one block, never says a row that was not written or says one twice, and is
 * found.  In what was written last it can not be told from a write that was cut off: then rows and position go back
 * together.
 */
static void
check_flip(const char *name, long at)
{
	struct outcome o;
	struct store *s;
	bool cut;

	look(&o);
	s = rows_open(copy, t0);
	cut = o.n_missing <= 10 && o.n_front + o.n_missing == 200 && position_of(s) == o.n_front;
	(void)store_close(s);
	if (o.n_wrong != 0 || (!cut && (o.n_verify == 0 || o.n_missing > 200)) ||
	    (!cut && o.n_missing > 0 && o.n_faults == 0)) {
		fprintf(stderr,
		    "flip at %ld of %s: %" PRIu64 " missing, %" PRIu64
		    " wrong, %zu faults, verify %zu\n",
		    at, name, o.n_missing, o.n_wrong, o.n_faults, o.n_verify);
		CHECK(false);
	}
}

/*
 * A sealed segment cut anywhere: the store opens, says that something is gone, tells no row that was not written, and
 * answers the rows of the other segment.
 */
static void
test_cut_sealed(void)
{
	long size, at, step = getenv("WEIR_LONG") != NULL ? 1 : 61;
	char name[4096];
	struct outcome o;

	make_store(20);
	(void)snprintf(name, sizeof(name), "%s/0000000003.seg", path);
	size = file_size(name);
	MUST(size > 4096);
	for (at = size - 1; at >= 0 && at >= size - CUT_BYTES && check_failed < 10; at -= step) {
		rows_copy_dir(path, copy);
		(void)snprintf(name, sizeof(name), "%s/0000000003.seg", copy);
		MUST(truncate(name, at) == 0);
		look(&o);
		CHECK(o.n_wrong == 0 && o.n_verify > 0 && o.n_faults > 0 && o.n_missing <= 100);
		(void)store_close(rows_open(copy, t0));
		look(&o);
		CHECK(o.n_wrong == 0 && o.n_missing <= 100);
	}
}

static void
test_flips(uint64_t sealed, const char *file)
{
	char name[4096];
	unsigned seed = 7;
	long size, at;
	int i, n = getenv("WEIR_LONG") != NULL ? FLIPS_LONG : FLIPS;

	make_store(sealed);
	(void)snprintf(name, sizeof(name), "%s/%s", path, file);
	size = file_size(name);
	MUST(size > 0);
	for (i = 0; i < n && check_failed < 10; i++) {
		at = (long)(((uint64_t)(unsigned)rand_r(&seed) << 16 ^ (unsigned)rand_r(&seed)) %
		    (uint64_t)size);
		rows_copy_dir(path, copy);
		(void)snprintf(name, sizeof(name), "%s/%s", copy, file);
		flip(name, at, rand_r(&seed) % 8);
		check_flip(name, at);
	}
}

/* MANIFEST is gone: the segments say the same. */
static void
test_lost_manifest(void)
{
	struct store *s;
	char name[4096];

	make_store(20);
	rows_copy_dir(path, copy);
	(void)snprintf(name, sizeof(name), "%s/MANIFEST", copy);
	MUST(unlink(name) == 0);
	s = rows_open(copy, t0);
	CHECK(position_of(s) == 200);
	CHECK(rows_check(copy, 200, 400));
	rows_commit(s, t0, 200, 5);
	(void)store_close(s);
	CHECK(rows_check(copy, 205, 400));
}

static bool
is_in_copy(const char *file)
{
	char name[4096];

	(void)snprintf(name, sizeof(name), "%s/%s", copy, file);
	return access(name, F_OK) == 0;
}

static void
put_in_copy(const char *file, size_t n)
{
	char name[4096];
	FILE *f;

	(void)snprintf(name, sizeof(name), "%s/%s", copy, file);
	f = fopen(name, "w");
	MUST(f != NULL);
	while (n-- > 0)
		MUST(fputc('x', f) == 'x');
	MUST(fclose(f) == 0);
}

/* What a full disk and a crash leave of a segment is removed where it is less than a header, whatever its number. */
static void
test_remnants(void)
{
	const char *file[] = { "0000000900.seg", "0000000901.seg", "0000000902.seg" };
	const size_t n[] = { 0, SEGMENT_HEAD - 1, SEGMENT_HEAD + 100 };
	struct store *s;
	size_t i;

	make_store(20);
	rows_copy_dir(path, copy);
	/* Beyond all of them goes MANIFEST's next number. */
	put_in_copy("0000000999.seg", SEGMENT_HEAD + 100);
	s = rows_open(copy, t0);
	MUST(store_seal(s, t0) == 0);
	(void)store_close(s);
	CHECK(!is_in_copy("0000000999.seg"));
	for (i = 0; i < 3; i++)
		put_in_copy(file[i], n[i]);
	s = rows_open(copy, t0);
	CHECK(!is_in_copy(file[0]) && !is_in_copy(file[1]));
	CHECK(is_in_copy(file[2]));
	(void)store_close(s);
	CHECK(rows_check(copy, 200, 400));
}

/* A newer version's MANIFEST is refused and left as it is. */
static void
test_newer(void)
{
	static const char text[] = "weir-manifest 2\nwhatever\n";
	struct store_options opt = { 0 };
	struct store_view *v = NULL;
	struct store *s = NULL;
	struct buf err = BUF_INIT;
	char name[4096], got[128] = "", want[128];
	FILE *f;

	rows_remove_dir(copy);
	MUST(mkdir(copy, 0755) == 0);
	(void)snprintf(name, sizeof(name), "%s/MANIFEST", copy);
	(void)snprintf(want, sizeof(want), "%ssum %016llx\n", text,
	    (unsigned long long)hash64(STR("weir-manifest 2\nwhatever\n")));
	f = fopen(name, "w");
	MUST(f != NULL && fputs(want, f) >= 0 && fclose(f) == 0);
	CHECK(store_open(&s, copy, &opt, t0, &err) == STORE_E_FORMAT);
	CHECK(store_view_open(&v, copy, &err) == STORE_VIEW_E_FORMAT);
	f = fopen(name, "r");
	MUST(f != NULL && fread(got, 1, sizeof(got) - 1, f) > 0);
	(void)fclose(f);
	CHECK(strcmp(got, want) == 0);
	buf_fini(&err);
}

int
main(void)
{
	(void)snprintf(dir, sizeof(dir), "%s/weir-test-damage-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	MUST(mkdtemp(dir) != NULL);
	(void)snprintf(path, sizeof(path), "%s/store", dir);
	(void)snprintf(copy, sizeof(copy), "%s/copy", dir);
	test_cut_tail();
	test_cut_sealed();
	test_flips(0, "0000000001.seg");
	test_flips(40, "0000000003.seg");
	test_flips(20, "0000000002.seg");
	test_flips(20, "MANIFEST");
	test_lost_manifest();
	test_remnants();
	test_newer();
	rows_remove_dir(path);
	rows_remove_dir(copy);
	(void)rmdir(dir);
	return check_done();
}
