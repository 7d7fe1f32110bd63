/*
 * query/input.c - rows that are in no store.
 * One job: files and standard input, plain or compressed, as a source of rows.
 * Floor: 3 (uses parsers, record, base).
 *
 * A window of the file's plain bytes is cut into lines, and the parser's records point into it; so the window moves
 * only when the next batch is asked for.
 */
#include "query/input.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>

#include "base/inflate.h"
#include "base/io.h"

enum { WINDOW = 1 << 20, LINE_MAX_BYTES = 64 << 20, PAGE = 4096 };

/*
 * Invariants: window[at..n) has not been parsed yet; path number next is the one to open when file is NULL;
 * *spool, when it is not -1, is a file that holds all that came over standard input.
 */
struct input {
	struct input_options opt;
	struct parser *parser;
	struct rows *rows;
	struct inflate *file;
	int fd;
	int own_spool;
	int *spool;    /* own_spool, or that of the input whose second pass this is */
	bool grouping; /* a file has ended whose last group is not flushed yet */
	size_t next;
	uint8_t *window;
	size_t at, n, cap;
	size_t n_faults;
	uint64_t n_bytes, n_lines; /* n_lines: of this file, so far */
};

static int input_next(void *ctx, struct record_batch *out);

int
input_new(struct input **ret, const struct input_options *opt, struct buf *ret_error)
{
	AUTO(input_free) struct input *in = calloc(1, sizeof(*in));
	struct record_source src;
	int r;

	if (in == NULL)
		return err_origin(-ENOMEM);
	in->opt = *opt;
	in->fd = in->own_spool = -1;
	in->spool = &in->own_spool;
	r = parser_new(&in->parser, &in->opt.parser, ret_error);
	if (r != 0)
		return r;
	src = (struct record_source){ input_next, in };
	r = rows_new(&in->rows, &src, opt->parser.as_is);
	if (r < 0)
		return err_trace(r);
	in->window = malloc(WINDOW);
	if (in->window == NULL)
		return err_origin(-ENOMEM);
	in->cap = WINDOW;
	*ret = TAKE(in);
	return 0;
}

static void
close_file(struct input *in)
{
	in->file = inflate_free(in->file);
	if (in->fd > STDIN_FILENO)
		(void)close(in->fd);
	in->fd = -1;
}

struct input *
input_free(struct input *in)
{
	if (in == NULL)
		return NULL;
	close_file(in);
	if (in->own_spool >= 0)
		(void)close(in->own_spool);
	(void)parser_free(in->parser);
	(void)rows_free(in->rows);
	free(in->window);
	free(in);
	return NULL;
}

static void
fault(struct input *in, const char *path, const char *why)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;

	in->n_faults++;
	if (in->opt.fault == NULL)
		return;
	buf_printf(&text, "read failed: %s: %s", strcmp(path, "-") == 0 ? "standard input" : path,
	    why);
	in->opt.fault(in->opt.fault_ctx, buf_c_str(&text));
}

static bool
is_cancelled(const struct input *in)
{
	return in->opt.cancel != NULL && atomic_load_explicit(in->opt.cancel, memory_order_relaxed);
}

/* Standard input that may be read twice is kept in a file without a name. */
static int
fill_spool(struct input *in)
{
	AUTO_CLOSE int fd = -1;
	size_t got = 1;
	int r = 0;

	fd = io_open_scratch();
	if (fd < 0)
		return err_trace(fd);
	while (r == 0 && got > 0) {
		r = inflate_wait(STDIN_FILENO, in->opt.cancel);
		if (r == 0)
			r = io_read(STDIN_FILENO, in->window, in->cap, &got);
		if (r == 0)
			r = io_write(fd, in->window, got);
	}
	if (r < 0)
		return err_trace(r);
	*in->spool = TAKE_FD(fd);
	return 0;
}

static int
open_stdin(struct input *in)
{
	char path[64];
	int r;

	if (!in->opt.keep)
		return STDIN_FILENO;
	if (*in->spool < 0) {
		r = fill_spool(in);
		if (r < 0)
			return err_trace(r);
	}
	/* By its name in /proc each pass has an offset of its own. */
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", *in->spool);
	return io_open(AT_FDCWD, path, O_RDONLY, 0);
}

/* Open the next path: 0, 1 when there is none left, -errno for what is not about this path. */
static int
open_next(struct input *in)
{
	const char *path;
	int r;

	while (in->next < in->opt.n_paths) {
		path = in->opt.paths[in->next++];
		r = strcmp(path, "-") == 0 ? open_stdin(in)
		                           : io_open(AT_FDCWD, path, O_RDONLY | O_NOCTTY, 0);
		if (r < 0 && is_cancelled(in))
			return err_trace(r);
		if (r < 0) {
			fault(in, path, err_str(r));
			continue;
		}
		in->fd = r;
		in->grouping = true;
		in->n_lines = 0;
		r = inflate_new(&in->file, in->fd);
		if (r == 0)
			inflate_cancel(in->file, in->opt.cancel);
		return err_trace(r);
	}
	return 1;
}

static void
read_fault(struct input *in, int r)
{
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;

	inflate_why(in->file, r, &why);
	fault(in, in->opt.paths[in->next - 1], buf_c_str(&why));
}

/* More bytes behind window[n): 0, or 1 at the end of the file, which is closed then. */
static int
fill(struct input *in)
{
	size_t got = 0, cap;
	uint8_t *p;
	int r;

	if (in->n == in->cap) {
		cap = in->cap * 2;
		p = realloc(in->window, cap);
		if (p == NULL)
			return err_origin(-ENOMEM);
		in->window = p;
		in->cap = cap;
	}
	r = inflate_read(in->file, in->window + in->n, in->cap - in->n, &got);
	if (r < 0 && is_cancelled(in))
		return err_trace(r);
	if (r != 0) {
		read_fault(in, r);
		got = 0;
	}
	in->n += got;
	in->n_bytes += got;
	if (got > 0)
		return 0;
	close_file(in);
	return 1;
}

/* An empty line, which no parser makes a row of. */
static int
put_empty(const struct input *in, struct record_batch *out)
{
	struct record *rec = record_batch_add(out);

	if (rec == NULL)
		return err_origin(-ENOMEM);
	rec->time = in->opt.now;
	return 0;
}

/* The number of the line that they end at into records from ${from} on. */
static int
put_numbers(const struct input *in, size_t from, struct record_batch *out)
{
	struct record *rec;
	struct field *fields;
	char text[24];
	size_t i;

	for (i = from; in->opt.numbers && i < out->n; i++) {
		rec = &out->recs[i];
		fields = arena_alloc(&out->arena, (rec->n_fields + 1) * sizeof(*fields));
		if (fields == NULL)
			return err_origin(-ENOMEM);
		if (rec->n_fields > 0)
			memcpy(fields, rec->fields, rec->n_fields * sizeof(*fields));
		(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)in->n_lines);
		fields[rec->n_fields] = (struct field){ .name = INPUT_NUMBER_NAME,
			.value = arena_dup(&out->arena, str_c(text)) };
		if (fields[rec->n_fields].value.p == NULL)
			return err_origin(-ENOMEM);
		rec->fields = fields;
		rec->n_fields++;
		rec->layout = 0;
	}
	return 0;
}

/* Parse the whole lines of window[at..n), and with ${last} the rest too. */
static int
parse_lines(struct input *in, bool last, struct record_batch *out)
{
	struct str rest, line;
	size_t end, n;
	int r;

	while (in->at < in->n && out->n < RECORD_BATCH_MAX) {
		rest = str_of(in->window + in->at, in->n - in->at);
		end = str_find_byte(rest, '\n');
		if (end == SIZE_MAX && !last)
			break;
		line = str_sub(rest, 0, end);
		in->at += end == SIZE_MAX ? rest.n : end + 1;
		if (line.n == 0 && end == SIZE_MAX)
			break;
		n = out->n;
		in->n_lines++;
		r = parser_line(in->parser, line, in->opt.now, out);
		if (r == 0 && line.n == 0 && in->opt.empty && out->n == n)
			r = put_empty(in, out);
		if (r == 0)
			r = put_numbers(in, n, out);
		if (r < 0)
			return err_trace(r);
	}
	return 0;
}

/*
 * What was parsed leaves the window.  Records that point there are not in use any more.  What is read next, a piece of a file that
 * begins at a page, will be aligned: the kernel copies other pieces at half the speed.
 */
static void
move_window(struct input *in)
{
	size_t left = in->n - in->at, to = -(uintptr_t)(in->window + left) % PAGE;

	/* Little was parsed, or nothing, as while a long line comes piece by piece. */
	if (in->at < PAGE)
		return;
	memmove(in->window + to, in->window + in->at, left);
	in->at = to;
	in->n = to + left;
}

/* The file has ended and all its lines are parsed: finish its last group, then go on to the next file. */
static int
next_file(struct input *in, struct record_batch *out)
{
	size_t n = out->n;
	int r;

	if (in->grouping) {
		in->grouping = false;
		r = parser_flush(in->parser, in->opt.now, true, out);
		return r == 0 ? err_trace(put_numbers(in, n, out)) : err_trace(r);
	}
	return open_next(in);
}

static int
input_next(void *ctx, struct record_batch *out)
{
	struct input *in = ctx;
	int r;

	move_window(in);
	for (;;) {
		r = parse_lines(in, in->file == NULL || in->n - in->at >= LINE_MAX_BYTES, out);
		if (r < 0 || out->n > 0)
			return err_trace(r);
		/* Lines that only went into a group left no pointers behind. */
		move_window(in);
		r = in->file != NULL ? fill(in) : in->n == in->at ? next_file(in, out) : 0;
		if (r < 0 || (r > 0 && in->file == NULL && in->n == in->at && !in->grouping))
			return err_trace(r);
	}
}

static void
input_done(void *ctx)
{
	(void)input_free(ctx);
}

static int
input_again(void *ctx, struct row_source *ret)
{
	AUTO_FINI(buf_fini) struct buf error = BUF_INIT;
	struct input *in = ctx, *fresh = NULL;
	int r;

	r = input_new(&fresh, &in->opt, &error);
	if (r != 0)
		return err_fold(r);
	/* What cannot be read is told once, by the first pass. */
	fresh->opt.fault = NULL;
	fresh->spool = in->spool;
	input_source(fresh, ret);
	return 0;
}

static int
input_batch(void *ctx, struct batch *b)
{
	struct input *in = ctx;
	struct row_source src;

	rows_source(in->rows, &src);
	return err_trace(src.next(src.ctx, b));
}

void
input_source(struct input *in, struct row_source *ret)
{
	*ret = (struct row_source){ input_batch, in, input_again, input_done };
}

int
input_records(struct input *in, struct record_batch *out)
{
	return err_trace(input_next(in, out));
}

size_t
input_faults(const struct input *in)
{
	return in->n_faults;
}

uint64_t
input_bytes(const struct input *in)
{
	return in->n_bytes;
}
