/*
 * tests/unit/test_file.c - files as they come.
 * One job: one case of odd bytes, names or kinds of files after another.
 */
#include "file_fixture.h"
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
	test_options();
	return check_done();
}
