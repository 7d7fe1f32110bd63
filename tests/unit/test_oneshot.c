/*
 * tests/unit/test_oneshot.c - one file, once.
 * One job: whole, cut, packed, damaged and odd input each give the lines that are in them, and their counts.
 */
#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include "check.h"
#include "ingest/oneshot.h"

enum { ROWS = 64 };

/* What came out; fails the put number fail_at. */
struct sink {
	struct buf msgs; /* each ended by | */
	size_t n, n_partial, n_puts, fail_at;
	struct str first_host;
};

static int
sink_put(void *ctx, const struct record *recs, size_t n)
{
	struct sink *s = ctx;
	size_t i;

	if (++s->n_puts == s->fail_at)
		return -EIO;
	for (i = 0; i < n; i++) {
		buf_str(&s->msgs, record_get(&recs[i], STR("_msg")));
		buf_byte(&s->msgs, '|');
		s->n++;
		s->n_partial += (recs[i].flags & RECORD_PARTIAL) != 0;
	}
	return 0;
}

/* A descriptor whose bytes are ${text}. */
static int
file_of(const void *p, size_t n)
{
	char name[] = "/tmp/weir-test-oneshot-XXXXXX";
	int fd = mkstemp(name);

	MUST(fd >= 0 && write(fd, p, n) == (ssize_t)n && lseek(fd, 0, SEEK_SET) == 0);
	(void)unlink(name);
	return fd;
}

static int
gzip_of(const void *p, size_t n, size_t cut)
{
	static uint8_t out[1 << 20];
	z_stream z = { 0 };
	int fd;

	MUST(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) == Z_OK);
	z.next_in = (Bytef *)(uintptr_t)p;
	z.avail_in = (uInt)n;
	z.next_out = out;
	z.avail_out = sizeof(out);
	MUST(deflate(&z, Z_FINISH) == Z_STREAM_END);
	fd = file_of(out, z.total_out - cut);
	(void)deflateEnd(&z);
	return fd;
}

static int
run(int fd, struct oneshot_options *opt, struct sink *s, struct oneshot_counts *c)
{
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	int r;

	opt->sink = (struct record_sink){ sink_put, s };
	if (opt->parser.name == NULL)
		opt->parser.name = "plain";
	r = oneshot_read(fd, opt, c, &why);
	CHECK((why.n > 0) == (r == ONESHOT_E_OPTION));
	(void)close(fd);
	return r;
}

static void
test_plain(void)
{
	static const char text[] = "\xef\xbb\xbfone\r\ntwo\n\nlast";
	struct oneshot_options opt = { 0 };
	struct oneshot_counts c;
	struct sink s = { 0 };

	CHECK(run(file_of(text, sizeof(text) - 1), &opt, &s, &c) == 0);
	CHECK(str_starts(buf_view(&s.msgs), STR("one|two|")));
	CHECK(str_find(buf_view(&s.msgs), STR("last|")) != SIZE_MAX);
	CHECK(c.bytes == sizeof(text) - 1 && c.hole_bytes == 0 && c.lines >= 3);
	buf_fini(&s.msgs);
	s = (struct sink){ 0 };
	CHECK(run(file_of("", 0), &opt, &s, &c) == 0);
	CHECK(s.n == 0 && c.bytes == 0 && c.lines == 0);
	buf_fini(&s.msgs);
}

/* Standard input is mostly a pipe, which gives what it has. */
static void
test_pipe(void)
{
	struct oneshot_options opt = { 0 };
	struct oneshot_counts c;
	struct sink s = { 0 };
	int ends[2];

	MUST(pipe(ends) == 0);
	MUST(write(ends[1], "one\ntw", 6) == 6 && write(ends[1], "o\n", 2) == 2);
	(void)close(ends[1]);
	CHECK(run(ends[0], &opt, &s, &c) == 0);
	CHECK_STR(buf_view(&s.msgs), STR("one|two|"));
	CHECK(c.lines == 2 && c.bytes == 8);
	buf_fini(&s.msgs);
}

static void
make_lines(struct buf *out, int n)
{
	int i;

	for (i = 0; i < n; i++)
		buf_printf(out, "line %d has %d words\n", i, i * 7919 % 1000);
}

/* A file that is cut gives what is whole of it, and says so. */
static void
test_packed(void)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	struct oneshot_options opt = { 0 };
	struct oneshot_counts c;
	struct sink s = { 0 };
	size_t n;

	make_lines(&text, 5000);
	CHECK(run(gzip_of(text.p, text.n, 0), &opt, &s, &c) == 0);
	CHECK(s.n == 5000 && c.lines == 5000 && c.bytes == text.n);
	n = s.msgs.n;
	buf_fini(&s.msgs);
	s = (struct sink){ 0 };
	CHECK(run(gzip_of(text.p, text.n, 3000), &opt, &s, &c) == ONESHOT_E_CORRUPT);
	CHECK(s.n > 100 && s.n < 5000 && s.msgs.n < n);
	CHECK(str_starts(buf_view(&s.msgs), STR("line 0 has 0 words|line 1 has 919 words|")));
	buf_fini(&s.msgs);
}

static void
test_long_line(void)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	struct oneshot_options opt = { .max_line = 4096 };
	struct oneshot_counts c;
	struct sink s = { 0 };
	size_t i;

	for (i = 0; i < 10000; i++)
		buf_byte(&text, 'x');
	buf_c(&text, "\nshort\n");
	CHECK(run(file_of(text.p, text.n), &opt, &s, &c) == 0);
	CHECK(s.n == 4 && s.n_partial == 3 && c.lines == 2);
	CHECK(s.msgs.n == 10000 + 5 + 4);
	CHECK(str_find(buf_view(&s.msgs), STR("x|short|")) != SIZE_MAX);
	buf_fini(&s.msgs);
}

/* A hole in the file, and NULs to its end: passed over and counted, however long. */
static void
test_holes(void)
{
	static const uint8_t nuls[3 << 20];
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	struct oneshot_options opt = { 0 };
	struct oneshot_counts c;
	struct sink s = { 0 };

	buf_c(&text, "one\n");
	buf_put(&text, nuls, sizeof(nuls));
	buf_c(&text, "two\n");
	buf_put(&text, nuls, 5000);
	CHECK(run(file_of(text.p, text.n), &opt, &s, &c) == 0);
	CHECK_STR(buf_view(&s.msgs), STR("one|two|"));
	CHECK(c.hole_bytes == sizeof(nuls) + 5000);
	CHECK(c.bytes == text.n);
	buf_fini(&s.msgs);
}

static int
stop_at_once(void *ctx, uint64_t bytes_in, uint64_t bytes, uint64_t lines)
{
	uint64_t *seen = ctx;

	CHECK(bytes_in >= bytes && lines > 0);
	seen[0]++;
	return 1;
}

static void
test_stopped(void)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	uint64_t seen = 0;
	struct oneshot_options opt = { .progress = stop_at_once, .progress_ctx = &seen };
	struct oneshot_counts c;
	struct sink s = { 0 };

	make_lines(&text, 200000);
	CHECK(run(file_of(text.p, text.n), &opt, &s, &c) == ONESHOT_E_STOPPED);
	CHECK(seen == 1 && s.n > 0 && s.n < 200000);
	buf_fini(&s.msgs);
	/* The sink's failure is the answer, and nothing is put after it. */
	opt.progress = NULL;
	s = (struct sink){ .fail_at = 2 };
	CHECK(run(file_of(text.p, text.n), &opt, &s, &c) == -EIO);
	CHECK(s.n_puts == 2);
	buf_fini(&s.msgs);
}

/* A group that is open at the end of the file is finished. */
static void
test_group(void)
{
	static const char text[] = "first\n at one\n at two\nsecond\n at three\n";
	struct oneshot_options opt = { .parser = { .multiline = "custom",
		                           .continuation = STR("^ ") } };
	struct oneshot_counts c;
	struct sink s = { 0 };

	CHECK(run(file_of(text, sizeof(text) - 1), &opt, &s, &c) == 0);
	CHECK_STR(buf_view(&s.msgs), STR("first\n at one\n at two|second\n at three|"));
	buf_fini(&s.msgs);
	opt = (struct oneshot_options){ .parser = { .name = "no such parser" } };
	s = (struct sink){ 0 };
	CHECK(run(file_of(text, sizeof(text) - 1), &opt, &s, &c) == ONESHOT_E_OPTION);
	CHECK(s.n == 0);
	buf_fini(&s.msgs);
}

int
main(void)
{
	test_plain();
	test_pipe();
	test_packed();
	test_long_line();
	test_holes();
	test_stopped();
	test_group();
	return check_done();
}
