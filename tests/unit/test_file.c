/*
 * tests/unit/test_file.c - files as they come.
 * One job: one case of odd bytes, names or kinds of files after another.
 */
#include "base/io.h"
#include "file_fixture.h"
#include "ingest/file_internal.h"
#include "ingest/frame.h"
#include "ingest/unzip.h"

static struct fix *x;

static void
begin(const char *glob)
{
	x = calloc(1, sizeof(*x));
	MUST(x != NULL);
	fix_init(x, glob);
}

static void
end(void)
{
	fix_fini(x);
	free(x);
}

static void
poll_all(void)
{
	MUST(fix_poll(x) == 0);
}

static void
test_bytes(void)
{
	begin("*.log");
	fix_write(x, "a.log",
	    "\xef\xbb\xbf"
	    "one\r\ntw\0o\n\xff\xfe\npart",
	    20);
	fix_open(x);
	poll_all();
	CHECK(x->n_rows == 3);
	CHECK_STR(str_c(x->rows[0].msg), STR("one"));
	CHECK(memcmp(x->rows[1].msg, "tw\0o", 5) == 0);
	CHECK_STR(str_c(x->rows[2].msg), STR("\xff\xfe"));
	fix_puts(x, "a.log", "ial\n");
	poll_all();
	CHECK(x->n_rows == 4);
	CHECK_STR(str_c(x->rows[3].msg), STR("partial"));
	CHECK(strstr(x->rows[3].stream, "/a.log\"") != NULL);
	CHECK(strstr(x->rows[3].stream, "host=\"h\"") != NULL);
	end();
}

static void
test_long_line(void)
{
	struct buf b = BUF_INIT;
	size_t i, n = 0;

	begin("*.log");
	x->opt.max_line = 4096;
	for (i = 0; i < 10000; i++)
		buf_byte(&b, 'x');
	buf_c(&b, "\nshort\n");
	fix_write(x, "a.log", b.p, b.n);
	fix_open(x);
	poll_all();
	CHECK(x->n_rows == 4);
	for (i = 0; i < 3 && i < x->n_rows; i++) {
		n += strlen(x->rows[i].msg);
		CHECK((x->rows[i].flags & RECORD_PARTIAL) != 0);
	}
	CHECK(n == 10000);
	CHECK_STR(str_c(x->rows[2].partial), STR("end"));
	CHECK_STR(str_c(x->rows[3].msg), STR("short"));
	CHECK(x->rows[3].flags == 0 || (x->rows[3].flags & RECORD_PARTIAL) == 0);
	buf_fini(&b);
	end();
}

static void
test_hole(void)
{
	static const char nuls[10000];

	begin("*.log");
	fix_puts(x, "a.log", "one\n");
	fix_write(x, "a.log", nuls, sizeof(nuls));
	fix_open(x);
	poll_all();
	CHECK(x->n_rows == 1);
	CHECK(x->n_losses_pending == 0);
	fix_puts(x, "a.log", "two\n");
	poll_all();
	CHECK(x->n_rows == 2);
	CHECK_STR(str_c(x->rows[1].msg), STR("two"));
	CHECK(x->n_losses_pending == 1);
	CHECK(x->lost_bytes == sizeof(nuls));
	end();
}

static void
test_kinds(void)
{
	char path[256], to[256];

	begin("*.log");
	fix_path(x, path, "fifo.log");
	MUST(mkfifo(path, 0644) == 0);
	fix_path(x, path, "dir.log");
	MUST(mkdir(path, 0755) == 0);
	fix_path(x, path, "loop.log");
	MUST(symlink("loop.log", path) == 0);
	fix_puts(x, "a.log", "one\n");
	fix_path(x, path, "a.log");
	fix_path(x, to, "hard.log");
	MUST(link(path, to) == 0);
	fix_path(x, to, "soft.log");
	MUST(symlink("a.log", to) == 0);
	fix_puts(x, "odd\x1b[31m\n.log", "odd\n");
	fix_open(x);
	poll_all();
	fix_sleep(5);
	poll_all();
	/* One row, whatever it is called, and one of the odd name; the FIFO and the loop are said once. */
	CHECK(x->n_rows == 2);
	CHECK(x->n_says == 2);
	CHECK(strchr(x->last_say, '\n') == NULL && strchr(x->last_say, '\x1b') == NULL);
	end();
}

/* What its writer has left without a newline comes as cut, once, under the name that was followed. */
static void
test_cut(void)
{
	begin("a.log");
	fix_puts(x, "a.log", "one\nno end");
	fix_open(x);
	poll_all();
	CHECK(x->n_rows == 1);
	fix_rename(x, "a.log", "a.log.1");
	fix_settle(x, 2500);
	MUST(x->n_rows == 2);
	CHECK_STR(str_c(x->rows[1].msg), STR("no end"));
	CHECK_STR(str_c(x->rows[1].partial), STR("cut"));
	CHECK(strstr(x->rows[1].stream, "/a.log\"") != NULL);
	end();
}

/* The old file is written to after a new one has its name. */
static void
test_both(void)
{
	begin("a.log");
	fix_puts(x, "a.log", "1\n");
	fix_open(x);
	poll_all();
	fix_rename(x, "a.log", "a.log.1");
	fix_puts(x, "a.log", "2\n");
	poll_all();
	fix_puts(x, "a.log.1", "3\n");
	fix_settle(x, 1500);
	MUST(x->n_rows == 3);
	CHECK_STR(str_c(x->rows[2].msg), STR("3"));
	CHECK(strstr(x->rows[2].stream, "/a.log\"") != NULL);
	end();
}

static void
test_from_end(void)
{
	begin("*.log");
	x->opt.from = FILE_FROM_END;
	fix_puts(x, "a.log", "old\nha");
	fix_open(x);
	poll_all();
	CHECK(x->n_rows == 0);
	fix_puts(x, "a.log", "lf\nnew\n");
	fix_puts(x, "b.log", "later\n");
	fix_settle(x, 60);
	CHECK(x->n_rows == 3);
	end();
}

/* Regrown beyond the place that was read, with the same head. */
static void
test_regrown(void)
{
	struct buf b = BUF_INIT;
	int i;

	begin("a.log");
	for (i = 0; i < 200; i++)
		buf_printf(&b, "# the same header line\n");
	fix_write(x, "a.log", b.p, b.n);
	fix_puts(x, "a.log", "old n=1\n");
	fix_open(x);
	poll_all();
	fix_truncate(x, "a.log");
	fix_write(x, "a.log", b.p, b.n);
	fix_puts(x, "a.log", "a new line that is longer n=2\nn=3\n");
	fix_settle(x, 100);
	CHECK(x->seen[1] == 1 && x->seen[2] == 1 && x->seen[3] == 1);
	CHECK(x->n_losses == 1);
	buf_fini(&b);
	end();
}

/* What was read and not committed is read again from where it is still open. */
static void
test_deleted_then_aborted(void)
{
	begin("*.log");
	fix_puts(x, "a.log", "n=1\n");
	fix_open(x);
	fix_settle(x, 20);
	fix_puts(x, "a.log", "n=2\n");
	poll_all();
	fix_unlink(x, "a.log");
	poll_all();
	fix_abort(x);
	fix_settle(x, 60);
	CHECK(x->seen[1] == 1 && x->seen[2] == 1);
	CHECK(x->n_losses == 0);
	end();
}

/* A copy that was remembered holds nothing of its own, also after an abort. */
static void
test_copy_then_aborted(void)
{
	begin("a.log");
	fix_puts(x, "a.log", "n=1\nn=2\n");
	fix_open(x);
	fix_settle(x, 20);
	fix_rename(x, "a.log", "a.log.1");
	fix_puts(x, "a.log", "n=3\n");
	fix_settle(x, 60);
	fix_copy(x, "a.log.1", "a.log.2");
	x->src->ops->poll(x->src, 1 << 16);
	fix_abort(x);
	fix_settle(x, 100);
	CHECK(x->seen[1] == 1 && x->seen[2] == 1 && x->seen[3] == 1);
	end();
}

/* A name that comes and is rotated away between two looks. */
static void
test_new_and_rotated(void)
{
	begin("*.log");
	fix_puts(x, "other.log", "n=1\n");
	fix_open(x);
	fix_settle(x, 40);
	fix_puts(x, "a.log", "n=2\n");
	fix_rename(x, "a.log", "a.log.1");
	fix_puts(x, "a.log", "n=3\n");
	fix_settle(x, 60);
	CHECK(x->seen[1] == 1 && x->seen[2] == 1 && x->seen[3] == 1);
	end();
}

/* cp and truncate, over the same copy each time. */
static void
test_copied_over(void)
{
	char line[16], path[256];
	struct buf b;
	int i;

	begin("a.log");
	fix_open(x);
	for (i = 1; i < 8; i++) {
		(void)snprintf(line, sizeof(line), "a line n=%d\n", i);
		fix_puts(x, "a.log", line);
		if (i % 3 != 0)
			fix_settle(x, 20);
		b = fix_read(x, "a.log");
		fix_path(x, path, "a.log.1");
		(void)truncate(path, 0);
		fix_write(x, "a.log.1", b.p, b.n);
		buf_fini(&b);
		fix_truncate(x, "a.log");
		fix_settle(x, 40);
	}
	for (i = 1; i < 8; i++)
		CHECK(x->seen[i] == 1);
	end();
}

static void
test_fs_kinds(void)
{
	CHECK(watch_fs_tells(0xef53) && watch_fs_tells(0x01021994));
	CHECK(!watch_fs_tells(0x6969) && !watch_fs_tells(0x65735546));
	CHECK(!watch_fs_tells((unsigned long)(int)0xff534d42));
}

/* No more descriptors than allowed, and yet all lines. */
static void
test_max_open(void)
{
	char name[32], line[32];
	struct dirent *e;
	size_t before = 0, now = 0;
	int i, round;
	DIR *d;

	begin("*.log");
	x->opt.max_open = 4;
	fix_open(x);
	for (d = opendir("/proc/self/fd"); (e = readdir(d)) != NULL; before++)
		;
	(void)closedir(d);
	for (round = 0; round < 3; round++)
		for (i = 0; i < 40; i++) {
			(void)snprintf(name, sizeof(name), "f%d.log", i);
			(void)snprintf(line, sizeof(line), "n=%d\n", round * 40 + i);
			fix_puts(x, name, line);
			if (i % 7 == 0)
				poll_all();
		}
	fix_settle(x, 60);
	for (d = opendir("/proc/self/fd"); (e = readdir(d)) != NULL; now++)
		;
	(void)closedir(d);
	CHECK(now <= before + 4);
	for (i = 0; i < 120; i++)
		CHECK(x->seen[i] == 1);
	end();
}

/* A group that is not finished when the daemon dies comes once, whole. */
static void
test_group_and_crash(void)
{
	begin("a.log");
	x->opt.parser = (struct parser_options){ .name = "plain",
		.multiline = "custom",
		.continuation = STR("^ ") };
	fix_puts(x, "a.log", "first n=1\n at one\n");
	fix_open(x);
	poll_all();
	fix_commit(x);
	fix_crash(x);
	fix_puts(x, "a.log", " at two\nsecond n=2\n");
	poll_all();
	fix_commit(x);
	fix_crash(x);
	fix_puts(x, "a.log", "third n=3\n");
	poll_all();
	fix_commit(x);
	CHECK(x->seen[1] == 1 && x->seen[2] == 1);
	MUST(x->n_rows >= 2);
	CHECK_STR(str_c(x->rows[0].msg), STR("first n=1\n at one\n at two"));
	end();
}

/* Two inputs with a name in common, and a link to the same file. */
static void
test_peers(void)
{
	struct source *first, *second = NULL;
	struct fix y = { 0 };
	struct intake in = { { fix_put, &y }, fix_position, fix_event, &y };
	struct buf error = BUF_INIT;
	char a[256], b[256];

	begin("*.log");
	fix_puts(x, "a.log", "n=1\n");
	fix_path(x, a, "a.log");
	fix_path(x, b, "b.txt");
	MUST(link(a, b) == 0);
	fix_open(x);
	first = x->src;
	(void)snprintf(y.path_text[0], sizeof(y.path_text[0]), "%s/*", x->dir);
	y.paths[0] = str_c(y.path_text[0]);
	y.opt = x->opt;
	y.opt.paths = y.paths;
	y.opt.before = &first;
	y.opt.n_before = 1;
	MUST(file_source_new(&second, &y.opt, &in, NULL, &error) == 0);
	poll_all();
	MUST(second->ops->poll(second, 1 << 16) >= 0);
	CHECK(x->n_rows == 1 && y.n_rows == 0);
	fix_puts(x, "c.txt", "n=2\n");
	MUST(second->ops->poll(second, 1 << 16) >= 0);
	MUST(second->ops->poll(second, 1 << 16) >= 0);
	poll_all();
	CHECK(x->n_rows == 1 && y.n_rows == 1);
	second->ops->free(second);
	free(y.rows[0].msg);
	free(y.rows[0].stream);
	free(y.rows[0].partial);
	map_fini(&y.staged);
	buf_fini(&y.texts);
	buf_fini(&error);
	end();
}

/* A file system that lost its server for a while, and then is there again. */
static int
stale(void *ctx, enum io_op op, const char *path, size_t n)
{
	int *left = ctx;

	if (*left <= 0 || (op != IO_READ && (op != IO_OPEN || strstr(path, "a.log") == NULL)))
		return 0;
	--*left;
	return -ESTALE;
}

static void
test_stale(void)
{
	int left = 0, i;

	begin("*.log");
	fix_puts(x, "a.log", "n=1\n");
	fix_open(x);
	fix_settle(x, 40);
	io_set_hook(stale, &left);
	for (i = 2; i < 6; i++) {
		left = 1 + i % 3;
		fix_puts(x, "a.log",
		    i == 2       ? "n=2\n"
		        : i == 3 ? "n=3\n"
		        : i == 4 ? "n=4\n"
		                 : "n=5\n");
		if (fix_poll(x) < 0) {
			fix_forget(x);
			MUST(x->src->ops->rewind(x->src) == 0);
		}
	}
	left = 3;
	fix_crash(x);
	left = 3;
	fix_settle(x, 60);
	fix_settle(x, 60);
	io_set_hook(NULL, NULL);
	for (i = 1; i < 6; i++)
		CHECK(x->seen[i] == 1);
	CHECK(x->n_losses == 0);
	end();
}

/* Opened last was a file that cannot be read. */
static int
unreadable(void *ctx, enum io_op op, const char *path, size_t n)
{
	bool *bad = ctx;

	if (op == IO_OPEN)
		*bad = strstr(path, "bad.log") != NULL;
	return op == IO_READ && *bad ? -EIO : 0;
}

/* One file that cannot be read is told once, by its name, and holds nobody up; later it is read on. */
static void
test_unreadable(bool known)
{
	bool bad = false;
	size_t n_says;

	begin("*.log");
	fix_puts(x, "bad.log", "n=1\n");
	fix_puts(x, "c.log", "n=2\n");
	fix_open(x);
	if (known) {
		fix_settle(x, 40);
		fix_puts(x, "bad.log", "n=3\n");
		fix_crash(x);
	}
	n_says = x->n_says;
	io_set_hook(unreadable, &bad);
	fix_settle(x, 60);
	fix_puts(x, "c.log", "n=4\n");
	fix_puts(x, "d.log", "n=5\n");
	fix_settle(x, 100);
	CHECK(x->seen[2] == 1 && x->seen[4] == 1 && x->seen[5] == 1);
	CHECK(!known || (x->seen[1] == 1 && x->seen[3] == 0));
	CHECK(x->n_says == n_says + 1);
	CHECK(strstr(x->last_say, "bad.log: cannot be read, will be tried again") != NULL);
	io_set_hook(NULL, NULL);
	fix_settle(x, 100);
	CHECK(x->seen[1] == 1 && x->seen[3] == (known ? 1 : 0));
	/* Read, and read no more: said anew. */
	fix_puts(x, "bad.log", "n=6\n");
	io_set_hook(unreadable, &bad);
	bad = true;
	(void)fix_poll(x);
	io_set_hook(NULL, NULL);
	fix_settle(x, 100);
	CHECK(x->seen[6] == 1 && x->n_losses == 0);
	CHECK(x->n_says == n_says + 2);
	end();
}

/* A rotated file was compressed and then damaged: what can be had is read, and the rest is a loss, told once with its place. */
static void
test_damaged_archive(bool cut)
{
	char line[64];
	struct buf b;
	int i;

	begin("*.log");
	fix_puts(x, "a.log", "n=1\n");
	fix_open(x);
	fix_settle(x, 40);
	x->src = x->src->ops->free(x->src);
	for (i = 2; i < 20000; i++) {
		(void)snprintf(line, sizeof(line), "%x n=%d\n", (unsigned)i * 2654435761U, i);
		fix_puts(x, "a.log", line);
	}
	fix_gzip(x, "a.log", "a.log.1.gz");
	fix_unlink(x, "a.log");
	b = fix_read(x, "a.log.1.gz");
	b.p[b.n - 8] ^= 0x55; /* of the sum */
	fix_unlink(x, "a.log.1.gz");
	fix_write(x, "a.log.1.gz", b.p, cut ? b.n / 2 : b.n);
	buf_fini(&b);
	fix_open(x);
	for (i = 0; i < 200 && x->n_losses == 0; i++)
		fix_settle(x, 60);
	fix_settle(x, 1060);
	CHECK(x->seen[1] == 1 && x->seen[2] == 1 && x->seen[2000] == 1);
	CHECK(x->seen[19999] == (cut ? 0 : 1));
	CHECK(x->n_losses == 1);
	CHECK(strstr(x->last_loss, "damaged gzip data found at offset ") != NULL);
	end();
}

/* Nothing is concluded from the times of a file. */
static void
test_mtimes(void)
{
	static const time_t odd[] = { 0, 4102444800, -86400, 1 };
	struct timespec t[2] = { { 0, 0 }, { 0, 0 } };
	char line[16], path[256];
	size_t i;

	begin("*.log");
	fix_open(x);
	fix_path(x, path, "a.log");
	for (i = 0; i < ARRAY_LEN(odd); i++) {
		(void)snprintf(line, sizeof(line), "n=%zu\n", i);
		fix_puts(x, "a.log", line);
		t[0].tv_sec = t[1].tv_sec = odd[i];
		MUST(utimensat(AT_FDCWD, path, t, 0) == 0);
		fix_settle(x, 40);
		if (i == 1)
			fix_crash(x);
		t[0].tv_sec = t[1].tv_sec = -odd[i];
		MUST(utimensat(AT_FDCWD, path, t, 0) == 0);
		fix_settle(x, 40);
	}
	for (i = 0; i < ARRAY_LEN(odd); i++)
		CHECK(x->seen[i] == 1);
	CHECK(x->n_losses == 0);
	end();
}

/* More names than may be followed: the rest is refused, said once, and has its turn when others are gone. */
static void
test_too_many(void)
{
	char name[32], line[32];
	int i, n;

	begin("*.log");
	x->opt.max_names = 5;
	x->opt.close_idle.ns = NS_PER_MS;
	for (i = 0; i < 8; i++) {
		(void)snprintf(name, sizeof(name), "f%d.log", i);
		(void)snprintf(line, sizeof(line), "n=%d\n", i);
		fix_puts(x, name, line);
	}
	fix_open(x);
	fix_settle(x, 60);
	for (i = n = 0; i < 8; i++)
		n += (int)x->seen[i];
	CHECK(n == 5 && x->n_says == 1);
	for (i = 0; i < 8; i++) {
		(void)snprintf(name, sizeof(name), "f%d.log", i);
		if (x->seen[i] == 1)
			fix_unlink(x, name);
	}
	for (i = 0; i < 3; i++)
		fix_settle(x, 1060);
	for (i = 0; i < 8; i++)
		CHECK(x->seen[i] == 1);
	end();
}

static void
test_options(void)
{
	struct file_source_options opt = { 0 };
	struct str path = STR("relative.log");
	struct intake in = { 0 };
	struct source *src = NULL;
	struct buf error = BUF_INIT;

	opt.paths = &path;
	opt.n_paths = 1;
	CHECK(file_source_new(&src, &opt, &in, NULL, &error) == FILE_E_OPTION);
	CHECK(error.n > 0 && src == NULL);
	buf_fini(&error);
}

int
main(void)
{
	test_bytes();
	test_long_line();
	test_hole();
	test_kinds();
	test_cut();
	test_both();
	test_from_end();
	test_regrown();
	test_deleted_then_aborted();
	test_copy_then_aborted();
	test_new_and_rotated();
	test_copied_over();
	test_fs_kinds();
	test_max_open();
	test_group_and_crash();
	test_peers();
	test_stale();
	test_unreadable(false);
	test_unreadable(true);
	test_damaged_archive(true);
	test_damaged_archive(false);
	test_mtimes();
	test_too_many();
	test_options();
	return check_done();
}
