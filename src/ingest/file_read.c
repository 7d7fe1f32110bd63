/*
 * ingest/file_read.c - the bytes of one generation.
 * One job: read a chunk, make sure that it is the file it was, and hand its lines up.
 * Floor: 3 (uses parsers, record, base).
 *
 * Nothing is kept between reads: each begins at the position, which stands at the beginning of a line, so that
 * what has been handed up and what the position says are one thing.  A read begins some bytes before the position;
 * that they are what they were shows that the file was not written anew, and the head shows it once more after the
 * read.
 */
#include <fcntl.h>

#include "ingest/file_internal.h"

enum { PAGE = 4096 };

/* One chunk in memory: data[n] lies at offset ${at} of the file. */
struct chunk {
	struct str data;
	uint64_t at;
	uint64_t file_size;
	bool at_end; /* the file ended with it */
};

/* How many bytes before the offset are read again. */
static size_t
overlap(const struct file_mark *m)
{
	return m->offset <= FILE_HEAD_MAX ? (size_t)m->offset : m->tail.n;
}

/* Bytes lie in memory as they do in the file's pages: the kernel copies others at half the speed. */
static int
read_at(struct file_source *s, struct gen *g, size_t want, struct chunk *ret)
{
	struct file_bytes bytes = gen_bytes(g);
	size_t back = overlap(&g->now), got = 0, pad;
	int r;

	buf_clear(&s->chunk);
	if (!buf_grow(&s->chunk, back + want + PAGE))
		return err_origin(-ENOMEM);
	ret->at = g->now.offset - back;
	pad = (size_t)(ret->at - (uintptr_t)s->chunk.p) % PAGE;
	r = file_bytes_read(&bytes, s->chunk.p + pad, back + want, ret->at, &got);
	if (r < 0)
		return err_trace(r);
	ret->data = str_of(s->chunk.p + pad, got);
	ret->at_end = got < back + want;
	return 0;
}

static bool
tail_holds(const struct gen *g, const struct chunk *c)
{
	size_t back = (size_t)(g->now.offset - c->at), n = g->now.tail.n;

	return c->data.n >= back &&
	    file_print_of(str_sub(c->data, back - n, back)).hash == g->now.tail.hash;
}

/* GEN_E_REPLACED when the chunk does not belong to what was read before. */
static int
verify(struct gen *g, struct chunk *c)
{
	struct file_bytes bytes = gen_bytes(g);
	struct file_stat st;
	bool same = true;
	int r;

	if (!tail_holds(g, c))
		return GEN_E_REPLACED;
	if (g->zip != NULL) {
		c->file_size = c->at + c->data.n;
		return 0;
	}
	r = file_stat_get(g->fd, "", AT_EMPTY_PATH, &st);
	if (r < 0)
		return err_trace(r);
	g->gone = st.n_links == 0;
	c->file_size = st.size;
	/*
	 * Truncated.  What was read stood there before that: a file cannot have been cut, written beyond our place and cut
	 * again within one read.
	 */
	if (st.size < g->now.offset || (g->now.offset == 0 && st.size == 0 && g->size > 0))
		return c->at + c->data.n > g->now.offset ? 0 : GEN_E_REPLACED;
	if (c->at == 0)
		same = c->data.n >= g->now.head.n &&
		    file_print_of(str_sub(c->data, 0, g->now.head.n)).hash == g->now.head.hash;
	else
		r = file_print_at(&bytes, 0, &g->now.head, &same);
	if (r < 0)
		return err_trace(r);
	return same ? 0 : GEN_E_REPLACED;
}

/* The position moves to offset ${to}, which lies in the chunk. */
static int
move_mark(struct gen *g, const struct chunk *c, uint64_t to, uint32_t part)
{
	struct file_mark *m = &g->now;
	size_t end = (size_t)(to - c->at), n;

	if (c->at == 0 && m->head.n < FILE_HEAD_MAX) {
		n = end < FILE_HEAD_MAX ? end : FILE_HEAD_MAX;
		if (n > m->head.n)
			m->head = file_print_of(str_sub(c->data, 0, n));
	}
	n = end < FILE_TAIL_MAX ? end : FILE_TAIL_MAX;
	m->tail = file_print_of(str_sub(c->data, end - n, end));
	m->offset = to;
	m->part = part;
	buf_clear(&m->group);
	if (parser_pending(g->parser))
		return err_trace(parser_save(g->parser, &m->group));
	return 0;
}

/* Hand the batch up; on failure the parser is as the position says, and the lines will be read again. */
static int
put_batch(struct file_source *s, struct gen *g)
{
	struct label labels[] = { { STR("host"), s->host },
		{ STR("file"), str_c(g->follow->path) } };
	struct shape_facts facts = { labels, ARRAY_LEN(labels), true };
	struct record_batch *b = &s->batch;
	int r = 0;

	if (b->n > 0)
		r = shape_records(s->shape, b->recs, &b->n, &facts, &b->arena);
	if (r == 0 && b->n > 0)
		r = file_handed(s, s->base.intake.sink.put(s->base.intake.sink.ctx, b->recs, b->n));
	record_batch_clear(b);
	return err_trace(r);
}

static int
mark_partial(struct file_source *s, size_t from, const char *how)
{
	struct record_batch *b = &s->batch;
	struct field *fields;
	struct record *rec;
	size_t i;

	for (i = from; i < b->n; i++) {
		rec = &b->recs[i];
		fields = arena_alloc(&b->arena, (rec->n_fields + 1) * sizeof(*fields));
		if (fields == NULL)
			return err_origin(-ENOMEM);
		if (rec->n_fields > 0)
			memcpy(fields, rec->fields, rec->n_fields * sizeof(*fields));
		fields[rec->n_fields] = (struct field){ STR("partial"), str_c(how), VALUE_STRING };
		rec->fields = fields;
		rec->n_fields++;
		rec->n_beside++;
		rec->layout = 0;
		rec->flags |= RECORD_PARTIAL;
	}
	return 0;
}

/* A part of a long line is no line of any format: it is its own message. */
static int
add_part(struct file_source *s, struct str text, struct wall now, const char *how)
{
	struct record_batch *b = &s->batch;
	struct record *rec = record_batch_add(b);
	struct field *f = arena_zalloc(&b->arena, 1, sizeof(*f));

	if (rec == NULL || f == NULL)
		return err_origin(-ENOMEM);
	*f = (struct field){ STR("_msg"), text, VALUE_STRING };
	*rec = (struct record){ .time = now, .fields = f, .n_fields = 1 };
	return err_trace(mark_partial(s, b->n - 1, how));
}

static int
add_cut(struct file_source *s, struct gen *g, struct str text, struct wall now)
{
	size_t from = s->batch.n;
	int r = parser_line(g->parser, text, now, &s->batch);

	if (r == 0)
		r = parser_flush(g->parser, now, true, &s->batch);
	return r < 0 ? err_trace(r) : err_trace(mark_partial(s, from, "cut"));
}

static int
add_line(struct file_source *s, struct gen *g, enum frame_kind kind, struct str text, uint64_t at,
    struct wall now)
{
	g->n_lines += kind != FRAME_HOLE;
	switch (kind) {
	case FRAME_WHOLE:
		return err_trace(parser_line(g->parser, text, now, &s->batch));
	case FRAME_BEGIN:
		return err_trace(add_part(s, text, now, "begin"));
	case FRAME_MIDDLE:
		return err_trace(add_part(s, text, now, "middle"));
	case FRAME_END:
		if (text.n > 0 && text.p[text.n - 1] == '\r')
			text.n--;
		return err_trace(add_part(s, text, now, "end"));
	case FRAME_CUT:
		return err_trace(add_cut(s, g, text, now));
	case FRAME_HOLE:
		return err_trace(file_lost(s, g->follow, "hole", at, text.n, true));
	case FRAME_NONE:
		break;
	}
	return 0;
}

static int
put_and_move(struct file_source *s, struct gen *g, const struct chunk *c, uint64_t to,
    uint32_t part)
{
	int r = put_batch(s, g);

	if (r < 0)
		return err_trace(r);
	g->changed = true;
	g->n_bytes += to - g->now.offset;
	return err_trace(move_mark(g, c, to, part));
}

/* Every line of the chunk, in batches; on failure all that was put is in the position, and no more. */
static int
take_lines(struct file_source *s, struct gen *g, const struct chunk *c, bool flush, struct wall now)
{
	size_t back = (size_t)(g->now.offset - c->at);
	struct frame f = { .data = str_sub(c->data, back, c->data.n),
		.max_line = s->opt.max_line,
		.part = g->now.part,
		.first = g->now.offset == 0,
		.flush = flush && c->at_end };
	uint64_t base = g->now.offset;
	enum frame_kind kind;
	struct str text = STR_NONE;
	size_t at;
	int r = 0;

	while (r == 0) {
		at = f.at;
		kind = frame_next(&f, &text);
		if (kind == FRAME_NONE)
			break;
		r = add_line(s, g, kind, text, base + at, now);
		if (r == 0 && s->batch.n >= RECORD_BATCH_MAX / 2)
			r = put_and_move(s, g, c, base + f.at, f.part);
	}
	if (r == 0 && base + f.at != g->now.offset)
		r = put_and_move(s, g, c, base + f.at, f.part);
	if (r < 0) {
		record_batch_clear(&s->batch);
		(void)gen_back(s, g);
	}
	return err_trace(r);
}

static bool
all_nul(struct str s)
{
	return s.n > 0 && s.p[0] == 0 && memcmp(s.p, s.p + 1, s.n - 1) == 0;
}

/*
 * Whether anything but NULs comes at or after ${at}; ret_at says where.  One read a call: g->nul_to remembers how far
 * it got, and g->ready that there is more.
 */
static int
find_after_hole(struct file_source *s, struct gen *g, uint64_t at, bool *ret_found,
    uint64_t *ret_at)
{
	struct file_bytes bytes = gen_bytes(g);
	struct buf room = BUF_INIT;
	size_t got = 0, k = 0;
	int r;

	if (g->nul_to > at)
		at = g->nul_to;
	if (!buf_grow(&room, s->opt.chunk))
		return err_origin(-ENOMEM);
	r = file_bytes_read(&bytes, room.p, s->opt.chunk, at, &got);
	while (r == 0 && k < got && room.p[k] == 0)
		k++;
	buf_fini(&room);
	if (r < 0)
		return err_trace(r);
	g->nul_to = at + k;
	g->ready = k == got && got == s->opt.chunk;
	*ret_found = k < got;
	*ret_at = at + k;
	return 0;
}

/*
 * The chunk is NULs and nothing else: preallocated, or what a crash left.  Where another byte follows, the NULs are a
 * hole.
 */
static int
skip_hole(struct file_source *s, struct gen *g, const struct chunk *c)
{
	static const uint8_t nuls[FILE_TAIL_MAX];
	uint64_t from = g->now.offset, at = 0;
	bool found = false;
	int r;

	r = find_after_hole(s, g, c->at + c->data.n, &found, &at);
	if (r < 0 || !found)
		return err_trace(r);
	g->ready = g->changed = true;
	r = file_lost(s, g->follow, "hole", from, at - from, true);
	if (r < 0)
		return err_trace(r);
	return err_trace(move_mark(g,
	    &(struct chunk){ .data = str_of(nuls, FILE_TAIL_MAX), .at = at - FILE_TAIL_MAX }, at,
	    0));
}

/* A line that breaks off in a long run of NULs: it waits, unless something follows behind them. */
static int
take_broken(struct file_source *s, struct gen *g, struct chunk *c, struct wall now)
{
	bool found = false;
	uint64_t at = 0;
	int r;

	r = find_after_hole(s, g, c->at + c->data.n, &found, &at);
	if (r < 0 || !found)
		return err_trace(r);
	g->ready = true;
	while (c->data.p[c->data.n - 1] == 0)
		c->data.n--;
	c->at_end = true;
	return err_trace(take_lines(s, g, c, true, now));
}

/* Read with a window that grows until it has a whole line. */
static int
read_window(struct file_source *s, struct gen *g, struct chunk *ret)
{
	size_t want = s->opt.chunk, most = s->opt.max_line + 1;
	struct str fresh;
	int r;

	for (;;) {
		r = read_at(s, g, want, ret);
		if (r < 0)
			return err_trace(r);
		fresh = str_sub(ret->data, (size_t)(g->now.offset - ret->at), ret->data.n);
		if (ret->at_end || want >= most || str_find_byte(fresh, '\n') != SIZE_MAX ||
		    all_nul(fresh))
			return 0;
		want = most;
	}
}

/* How the file begins is noted before anything is handed up, and stays known when that fails.  NULs may be room that
 * is filled later. */
static void
note_head(struct gen *g, const struct chunk *c)
{
	struct str head = str_sub(c->data, 0, FILE_HEAD_MAX);

	head = str_sub(head, 0, str_find_byte(head, 0));
	if (c->at == 0 && head.n > g->now.head.n)
		g->now.head = file_print_of(head);
}

static int
take_chunk(struct file_source *s, struct gen *g, struct chunk *c, bool flush)
{
	uint64_t before = g->now.offset;
	struct str fresh = str_sub(c->data, (size_t)(before - c->at), c->data.n);
	struct wall now = wall_now();
	int r;

	g->ready = !c->at_end;
	note_head(g, c);
	if (fresh.n >= FRAME_HOLE_MIN && all_nul(fresh))
		return err_trace(skip_hole(s, g, c));
	if (fresh.n > 0)
		g->last_line = now;
	r = take_lines(s, g, c, flush, now);
	if (r == 0 && g->now.offset == before && !c->at_end)
		return err_trace(take_broken(s, g, c, now));
	if (r == 0 && g->now.offset != before)
		g->nul_to = 0;
	return err_trace(r);
}

int
gen_read(struct file_source *s, struct gen *g, bool flush, size_t *ret_n)
{
	struct chunk c = { 0 };
	uint64_t before = g->now.offset;
	int r;

	r = read_window(s, g, &c);
	if (r == 0)
		r = verify(g, &c);
	if (r != 0)
		return r;
	g->verified = true;
	if (c.file_size > g->size) {
		g->size = c.file_size;
		g->grew = mono_now();
		g->changed = true;
	}
	r = take_chunk(s, g, &c, flush);
	/* Cut while it was read: what was there has been taken, the next read sees what became of it. */
	if (r < 0 || c.file_size < before)
		g->ready = true;
	*ret_n = (size_t)(g->now.offset - before);
	return err_trace(r);
}

int
gen_flush(struct file_source *s, struct gen *g, bool all)
{
	int r;

	if (g->parser == NULL || !parser_pending(g->parser))
		return 0;
	r = parser_flush(g->parser, wall_now(), all, &s->batch);
	if (r == 0 && s->batch.n == 0)
		return 0;
	if (r == 0)
		r = put_batch(s, g);
	if (r < 0) {
		record_batch_clear(&s->batch);
		(void)gen_back(s, g);
		return err_trace(r);
	}
	g->changed = true;
	buf_clear(&g->now.group);
	return parser_pending(g->parser) ? err_trace(parser_save(g->parser, &g->now.group)) : 0;
}
