/*
 * tests/unit/test_print.c - rows as text.
 * One job: each format to the byte, what a terminal is spared, and rows held back on disk.
 */
#include "check.h"
#include "lib/held.h"
#include "lib/print.h"

static int
to_buf(void *ctx, const void *p, size_t n)
{
	buf_put(ctx, p, n);
	return 0;
}

static void
fill(struct batch *b)
{
	static const struct str times[] = { STR_INIT("2026-01-31T10:00:00.5Z"), STR_INIT("") };
	static const struct str msgs[] = { STR_INIT("say \"hi\"\x1b[2J\xff"),
		STR_INIT("two\nlines") };
	static const struct str levels[] = { STR_INIT("error"), STR_INIT("") };

	batch_reset(b, 2);
	b->closed = true;
	MUST(batch_set_strs(b, STR("_time"), times) == 0);
	MUST(batch_set_strs(b, STR("level"), levels) == 0);
	MUST(batch_set_strs(b, STR("_msg"), msgs) == 0);
}

static void
fill_wide(struct batch *b)
{
	static const struct str cities[] = { STR_INIT("\xe6\x9d\xb1\xe4\xba\xac"),
		STR_INIT("Ko\xcc\x88ln") };
	static const struct str bad[] = { STR_INIT("\xc2\x9b"), STR_INIT("") };

	batch_reset(b, 2);
	b->closed = true;
	MUST(batch_set_strs(b, STR("city"), cities) == 0);
	MUST(batch_set_strs(b, STR("x"), bad) == 0);
}

static void
prints_of(void (*fill_fn)(struct batch *b), struct print_options opt, const char *want)
{
	struct batch b = BATCH_INIT;
	struct buf out = BUF_INIT;
	struct print_sink sink = { to_buf, &out };
	struct printer *p = NULL;

	opt.utc = true;
	fill_fn(&b);
	MUST(printer_new(&p, &opt, &sink) == 0);
	CHECK(printer_put(p, &b) == 0);
	CHECK(printer_finish(p) == 0);
	CHECK(printer_rows(p) == 2);
	CHECK_STR(buf_view(&out), str_c(want));
	(void)printer_free(p);
	buf_fini(&out);
	batch_fini(&b);
}

static void
prints(struct print_options opt, const char *want)
{
	prints_of(fill, opt, want);
}

/* Characters of two columns and of none; a control that is two bytes long. */
static void
test_wide(void)
{
	static const struct str x[] = { STR_INIT("x") };

	prints_of(fill_wide, (struct print_options){ .format = PRINT_TABLE },
	    "city  x\n----  ------\n\xe6\x9d\xb1\xe4\xba\xac  \\u{9b}\nKo\xcc\x88ln  \n");
	prints_of(fill_wide, (struct print_options){ .format = PRINT_JSON, .terminal = true },
	    "{\"city\":\"\xe6\x9d\xb1\xe4\xba\xac\",\"x\":\"\\u009b\"}\n{\"city\":\"Ko\xcc\x88ln\"}\n");
	prints_of(fill_wide,
	    (struct print_options){ .format = PRINT_CSV, .columns = x, .n_columns = 1 },
	    "x\n\xc2\x9b\n\"\"\n");
	prints_of(fill_wide,
	    (struct print_options){ .format = PRINT_CSV,
	        .columns = x,
	        .n_columns = 1,
	        .terminal = true },
	    "x\n\\u{9b}\n\"\"\n");
}

static void
test_formats(void)
{
	static const struct str columns[] = { STR_INIT("_msg"), STR_INIT("none") };

	prints((struct print_options){ .format = PRINT_JSON },
	    "{\"_time\":\"2026-01-31T10:00:00.5Z\",\"level\":\"error\",\"_msg\":\"say \\\"hi\\\"\\u001b[2J\xef\xbf\xbd\"}\n"
	    "{\"_msg\":\"two\\nlines\"}\n");
	prints((struct print_options){ .format = PRINT_RAW },
	    "say \"hi\"\x1b[2J\xff\ntwo\nlines\n");
	prints((struct print_options){ .format = PRINT_RAW, .terminal = true },
	    "say \"hi\"\\x1b[2J\\xff\ntwo\\x0alines\n");
	prints((struct print_options){ .format = PRINT_TEXT, .terminal = true },
	    "2026-01-31 10:00:00.500Z error say \"hi\"\\x1b[2J\\xff\n_msg=\"two\\nlines\"\n");
	prints((struct print_options){ .format = PRINT_CSV, .columns = columns, .n_columns = 2 },
	    "_msg,none\n\"say \"\"hi\"\"\x1b[2J\xff\",\n\"two\nlines\",\n");
	prints((struct print_options){ .format = PRINT_CSV },
	    "_msg,_time,level\n\"say \"\"hi\"\"\x1b[2J\xff\",2026-01-31T10:00:00.5Z,error\n\"two\nlines\",,\n");
	prints((struct print_options){ .format = PRINT_TABLE, .columns = columns, .n_columns = 1 },
	    "_msg\n-------------------\nsay \"hi\"\\x1b[2J\\xff\ntwo\\x0alines\n");
}

static void
test_table_fits(void)
{
	prints((struct print_options){ .format = PRINT_TABLE, .width = 40 },
	    "_msg             _time             level\n"
	    "---------------  ----------------  -----\n"
	    "say \"hi\"\\x1b[2\xe2\x80\xa6  2026-01-31T10:0\xe2\x80\xa6  error\n"
	    "two\\x0alines                       \n");
}

static void
escaped(struct str in, const char *want)
{
	struct buf out = BUF_INIT;

	print_escape(&out, in);
	CHECK_STR(buf_view(&out), str_c(want));
	buf_fini(&out);
}

static void
test_escape(void)
{
	escaped(STR("plain\ttab \xc3\xa4\xe2\x82\xac"), "plain\ttab \xc3\xa4\xe2\x82\xac");
	escaped(STR("\x1b]0;x\x07\x7f\b"), "\\x1b]0;x\\x07\\x7f\\x08");
	/* C1 controls, as characters and as bytes; direction overrides. */
	escaped(STR("\xc2\x9b"
	            "2J\x9b"),
	    "\\u{9b}2J\\x9b");
	escaped(STR("a\xe2\x80\xae"
	            "b"),
	    "a\\u{202e}b");
}

static int
count(void *ctx, const struct str *cells)
{
	size_t *sums = ctx;

	sums[0]++;
	sums[1] += cells[0].n;
	return 0;
}

/* More than HELD_MEMORY, and a row longer than the window through which the file is read. */
static void
test_held_spills(void)
{
	enum { N = 80, SIZE = 1 << 20, LONG = 3 << 20 };
	struct held *h = NULL;
	struct str name = STR("x"), value = { calloc(1, LONG), SIZE };
	const struct str *values = &value;
	size_t i, sums[2] = { 0, 0 };

	MUST(value.p != NULL && held_new(&h) == 0);
	for (i = 0; i < N; i++) {
		value.n = i == 7 ? LONG : SIZE;
		MUST(held_put(h, &name, &values, 1, 0) == 0);
	}
	CHECK(held_walk(h, count, sums) == 0);
	CHECK(sums[0] == N);
	CHECK(sums[1] == (size_t)(N - 1) * SIZE + LONG);
	(void)held_free(h);
	free((void *)(uintptr_t)value.p);
}

int
main(void)
{
	test_formats();
	test_wide();
	test_table_fits();
	test_escape();
	test_held_spills();
	return check_done();
}
