/*
 * ingest/oneshot.c - one file, once.
 * One job: read a file or standard input, compressed or not, through a parser and a shape into a sink.
 * Floor: 3 (uses parsers, logsql, record, base).
 */
#include "ingest/oneshot.h"

#include "ingest/frame.h"
#include "ingest/unzip.h"

enum { ONESHOT_CHUNK = 1 << 20, ONESHOT_LINE_MAX = 1 << 20, ONESHOT_LINE_MIN = 4096 };

/* Invariant: the chunk holds the decompressed bytes from offset at on, and at is where the next line begins. */
struct run {
	const struct oneshot_options *opt;
	struct unzip *zip;
	struct parser *parser;
	struct record_batch batch;
	struct buf chunk;
	uint64_t at;
	uint32_t part;
	size_t max_line;
	struct oneshot_counts *counts;
};

static int
put(struct run *o)
{
	struct record_batch *b = &o->batch;
	int r = 0;

	if (b->n > 0 && o->opt->shape != NULL)
		r = shape_records(o->opt->shape, b->recs, &b->n, o->opt->facts, &b->arena);
	if (r == 0 && b->n > 0)
		r = o->opt->sink.put(o->opt->sink.ctx, b->recs, b->n);
	record_batch_clear(b);
	return r;
}

static int
add_part(struct run *o, struct str text, struct wall now, const char *how)
{
	struct record *rec = record_batch_add(&o->batch);
	struct field *f = arena_zalloc(&o->batch.arena, 2, sizeof(*f));

	if (rec == NULL || f == NULL)
		return err_origin(-ENOMEM);
	f[0] = (struct field){ STR("_msg"), text, VALUE_STRING };
	f[1] = (struct field){ STR("partial"), str_c(how), VALUE_STRING };
	*rec = (struct record){ .time = now,
		.fields = f,
		.n_fields = 2,
		.flags = RECORD_PARTIAL,
		.line = text };
	if (!o->opt->parser.keep_line)
		rec->line = STR_NONE;
	return 0;
}

static int
add_line(struct run *o, enum frame_kind kind, struct str text, struct wall now)
{
	o->counts->lines += kind != FRAME_HOLE && kind != FRAME_BEGIN && kind != FRAME_MIDDLE;
	switch (kind) {
	case FRAME_WHOLE:
	case FRAME_CUT:
		return err_trace(parser_line(o->parser, text, now, &o->batch));
	case FRAME_BEGIN:
		return err_trace(add_part(o, text, now, "begin"));
	case FRAME_MIDDLE:
		return err_trace(add_part(o, text, now, "middle"));
	case FRAME_END:
		return err_trace(add_part(o, text, now, "end"));
	case FRAME_HOLE:
		o->counts->hole_bytes += text.n;
		break;
	case FRAME_NONE:
		break;
	}
	return 0;
}

/* Every line of a chunk; ret_n: the bytes that were taken. */
static int
take_lines(struct run *o, struct str data, bool last, size_t *ret_n)
{
	struct frame f = { .data = data,
		.max_line = o->max_line,
		.part = o->part,
		.first = o->at == 0,
		.flush = last };
	struct wall now = wall_now();
	struct str text = STR_NONE;
	enum frame_kind kind;
	int r = 0;

	while (r == 0 && (kind = frame_next(&f, &text)) != FRAME_NONE) {
		r = add_line(o, kind, text, now);
		if (r == 0 && o->batch.n >= RECORD_BATCH_MAX / 2)
			r = put(o);
	}
	if (r == 0)
		r = put(o);
	o->part = f.part;
	*ret_n = f.at;
	return r;
}

/* What no line was made of at the end: NULs. */
static void
count_rest(struct run *o, size_t n)
{
	o->counts->hole_bytes += n;
	o->counts->bytes += n;
	o->at += n;
}

static int
report(struct run *o, int fd)
{
	off_t in = lseek(fd, 0, SEEK_CUR);

	if (o->opt->progress == NULL)
		return 0;
	return o->opt->progress(o->opt->progress_ctx, in < 0 ? o->counts->bytes : (uint64_t)in,
	           o->counts->bytes, o->counts->lines) != 0
	    ? ONESHOT_E_STOPPED
	    : 0;
}

/* A chunk that is one long run of NULs has no line in it, and is passed over, as is what no line was made of at the end. */
static size_t
passed_over(const struct run *o, size_t n, size_t taken, bool last)
{
	if (last)
		return n - taken;
	return taken == 0 && n > o->max_line ? n : 0;
}

static int
read_all(struct run *o, int fd)
{
	size_t want = ONESHOT_CHUNK > o->max_line ? ONESHOT_CHUNK : o->max_line + 1;
	size_t n = 0, taken = 0, skip;
	bool last = false;
	int r = 0, bad = 0;

	if (!buf_grow(&o->chunk, want))
		return err_origin(-ENOMEM);
	while (r == 0 && !last) {
		r = unzip_pread(o->zip, o->chunk.p, want, o->at, &n);
		bad = r == UNZIP_E_CORRUPT ? ONESHOT_E_CORRUPT : 0;
		if (r < 0)
			return err_trace(r);
		last = n < want;
		r = take_lines(o, str_of(o->chunk.p, n), last, &taken);
		/* A line that breaks off in a long run of NULs. */
		if (r == 0 && taken == 0 && n > o->max_line)
			r = take_lines(o, str_of(o->chunk.p, n), true, &taken);
		if (r != 0)
			return r;
		o->at += taken;
		o->counts->bytes += taken;
		skip = passed_over(o, n, taken, last);
		count_rest(o, skip);
		r = report(o, fd);
	}
	return r != 0 ? r : bad;
}

static int
finish(struct run *o)
{
	int r = parser_flush(o->parser, wall_now(), true, &o->batch);

	return r < 0 ? err_trace(r) : put(o);
}

static int
run_init(struct run *o, int fd, const struct oneshot_options *opt, struct buf *ret_error)
{
	int r = parser_new(&o->parser, &opt->parser, ret_error);

	if (r == PARSER_E_OPTION)
		return ONESHOT_E_OPTION;
	o->max_line = opt->max_line == 0 ? ONESHOT_LINE_MAX : opt->max_line;
	if (o->max_line < ONESHOT_LINE_MIN)
		o->max_line = ONESHOT_LINE_MIN;
	return r < 0 ? err_trace(r) : err_trace(unzip_new(&o->zip, fd));
}

int
oneshot_read(int fd, const struct oneshot_options *opt, struct oneshot_counts *ret_counts,
    struct buf *ret_error)
{
	struct oneshot_counts counts = { 0 };
	struct run o = { .opt = opt, .counts = &counts };
	int r, r2;

	r = run_init(&o, fd, opt, ret_error);
	if (r == 0) {
		r = read_all(&o, fd);
		/* A group at the end of a damaged file is whole as far as it goes. */
		r2 = r == 0 || r == ONESHOT_E_CORRUPT ? finish(&o) : 0;
		r = r == 0 || r2 != 0 ? r2 : r;
	}
	record_batch_fini(&o.batch);
	buf_fini(&o.chunk);
	o.parser = parser_free(o.parser);
	o.zip = unzip_free(o.zip);
	*ret_counts = counts;
	return r;
}
