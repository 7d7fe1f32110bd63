/*
 * store/segment_footer.c - what stands for many blocks at once.
 * One job: write and read DIRECTORY, FOOTER and the trailer, so that no reader walks every frame.
 * Floor: 2 (uses record, base).
 */
#include "base/hash.h"
#include "base/io.h"
#include "store/idindex.h"
#include "store/segment.h"

enum { DIRECTORIES_MAX = 1 << 16, BACK_STEP = 64 << 10, BACK_MAX = 64 << 20 };

/*
 * DIRECTORY meta, version 1: of the blocks since the DIRECTORY before; it stands right before a COMMIT.
 *
 *   offset  size  field
 *        0     8  prev      offset of the DIRECTORY before, or 0
 *        8     4  n_blocks
 *       12     8  n_ids
 *       20        n_blocks entries, with their offsets and commit times
 *
 * The body is the ID index of these blocks, which count from 0.
 */
void
segment_directory_put(struct buf *out, const struct segment_directory *d)
{
	buf_u64(out, d->prev);
	buf_u32(out, d->n_blocks);
	buf_u64(out, d->n_ids);
}

bool
segment_directory_get(struct scan *s, struct segment_directory *ret)
{
	struct segment_directory d = { 0 };

	d.prev = scan_u64(s);
	d.n_blocks = scan_u32(s);
	d.n_ids = scan_u64(s);
	if (s->bad || d.n_ids > UINT32_MAX)
		return false;
	*ret = d;
	return true;
}

/*
 * FOOTER meta, version 1.
 *
 *   offset  size  field
 *        0     4  n_blocks
 *        4     8  n_ids
 *       12    44  commit    as in COMMIT: the last one of the segments that this one was made of
 *       56        n_blocks entries; all positions at that commit
 *
 * The body is the ID index.  Valid when meta_sum holds; a crash before MANIFEST names the file leaves
 * a file without it.
 */
void
segment_footer_put(struct buf *out, const struct segment_footer *f)
{
	buf_u32(out, f->n_blocks);
	buf_u64(out, f->n_ids);
	segment_commit_put(out, &f->commit);
}

/*
 * Trailer: the last 64 bytes of a sealed segment.
 *
 *   offset  size  field
 *        0     8  magic      "weirEND" and a newline
 *        8     8  number     of the segment
 *       16     8  footer_at  offset of the FOOTER frame
 *       24    32  zeros
 *       56     8  hash64 of bytes 0 to 55
 */
static const char trailer_magic[8] = "weirEND\n";

void
segment_trailer_put(struct buf *out, const struct segment_head *head, uint64_t footer_at)
{
	static const uint8_t zeros[32];
	size_t start = out->n;

	buf_put(out, trailer_magic, sizeof(trailer_magic));
	buf_u64(out, head->number);
	buf_u64(out, footer_at);
	buf_put(out, zeros, sizeof(zeros));
	if (!out->failed)
		buf_u64(out, hash64(str_of(out->p + start, SEGMENT_TRAILER - 8)));
}

static int
read_trailer(struct segment *s)
{
	uint8_t p[SEGMENT_TRAILER];
	struct scan in = { p, sizeof(p), 8, false };
	struct scan sum = { p, sizeof(p), SEGMENT_TRAILER - 8, false };
	int r;

	if (s->size < SEGMENT_HEAD + SEGMENT_TRAILER)
		return SEGMENT_E_CORRUPT;
	r = frame_read_exact(s->fd, p, sizeof(p), s->size - SEGMENT_TRAILER);
	if (r < 0)
		return err_trace(r);
	if (memcmp(p, trailer_magic, sizeof(trailer_magic)) != 0 ||
	    scan_u64(&sum) != hash64(str_of(p, SEGMENT_TRAILER - 8)) ||
	    scan_u64(&in) != s->head.number)
		return SEGMENT_E_CORRUPT;
	s->footer_at = scan_u64(&in);
	return 0;
}

/* One frame at a known place, with its meta. */
static int
read_frame(struct segment *s, uint64_t at, uint64_t limit, enum frame_type type, struct frame *ret,
    struct buf *meta)
{
	uint8_t head[FRAME_HEAD];
	size_t n = 0;
	int r;

	if (at < SEGMENT_HEAD || at % 8 != 0 || at > limit || limit - at < FRAME_HEAD)
		return SEGMENT_E_CORRUPT;
	/* Fewer bytes than a moment ago: its writer has cut the file. */
	r = io_pread(s->fd, head, sizeof(head), at, &n);
	if (r < 0)
		return err_trace(r);
	if (n < sizeof(head) || !frame_parse(head, s->chain.seed, at, ret) || ret->type != type ||
	    frame_end(ret) > limit)
		return SEGMENT_E_CORRUPT;
	buf_clear(meta);
	if (!buf_grow(meta, ret->n_meta))
		return err_origin(-ENOMEM);
	r = io_pread(s->fd, meta->p, ret->n_meta, at + FRAME_HEAD, &n);
	if (r < 0)
		return err_trace(r);
	meta->n = n;
	return n == ret->n_meta && hash64(buf_view(meta)) == ret->meta_sum ? 0 : SEGMENT_E_CORRUPT;
}

/* n entries whose blocks lie below ${limit}. */
static int
take_entries(struct segment *s, struct scan *in, uint32_t n, uint64_t limit)
{
	const struct segment_block *b;
	uint32_t i;
	int r;

	for (i = 0; i < n; i++) {
		r = segment_entry_get(in, &s->blocks);
		if (r != 0)
			return r;
		b = &s->blocks.v[s->blocks.n - 1];
		if (b->body_at < SEGMENT_HEAD || b->body_at > limit ||
		    b->n_body > limit - b->body_at)
			return SEGMENT_E_CORRUPT;
		s->n_rows += b->sum.n_rows;
		s->raw_bytes += b->sum.raw_bytes;
	}
	return 0;
}

static void
forget_blocks(struct segment *s)
{
	s->blocks.n = s->blocks.n_runs = 0;
	s->n_indexes = s->n_indexed = 0;
	idlists_cut(&s->tail_ids, 0);
	s->n_rows = s->raw_bytes = 0;
	s->last_directory = 0;
}

static int
take_footer(struct segment *s, const struct frame *f, struct str meta,
    const struct segment_sinks *sinks)
{
	struct scan in = SCAN_OF(meta);
	struct idindex_shape shape;
	struct segment_footer foot = { 0 };
	int r;

	foot.n_blocks = scan_u32(&in);
	foot.n_ids = scan_u64(&in);
	if (!segment_commit_get(&in, &foot.commit) || foot.n_ids > UINT32_MAX)
		return SEGMENT_E_CORRUPT;
	shape = (struct idindex_shape){ foot.n_ids, foot.n_blocks };
	if (idindex_bytes(shape) != f->n_body)
		return SEGMENT_E_CORRUPT;
	r = take_entries(s, &in, foot.n_blocks, f->at);
	if (r == 0)
		r = segment_index_add(s, frame_body_at(f), foot.n_ids, foot.n_blocks);
	if (r == 0 && sinks != NULL && sinks->position != NULL) {
		sinks->commit(sinks->position_ctx, &foot.commit);
		r = segment_positions_each(&in, foot.commit.n_positions, sinks->position,
		    sinks->position_ctx);
	}
	if (r != 0)
		return r;
	s->commit = foot.commit;
	s->end = s->size;
	return 0;
}

/* A sealed segment without its footer: every BLOCK that can be found is taken. */
static int
walk_sealed(struct segment *s)
{
	struct segment_meta meta = { 0 };
	struct frame_walk w;
	struct segment_block b;
	int r;

	s->no_index = true;
	frame_walk_init(&w, s->fd, &s->chain, SEGMENT_HEAD, s->size);
	while ((r = frame_walk_next(&w)) == 0) {
		if (w.frame.type != FRAME_BLOCK || w.meta_bad)
			continue;
		r = segment_meta_get(&meta, w.meta);
		if (r < 0)
			break;
		if (r > 0)
			continue;
		b = meta.blocks.v[0];
		b.body_at = frame_body_at(&w.frame);
		b.n_body = w.frame.n_body;
		r = segment_blocks_add(&s->blocks, &b, meta.blocks.runs);
		if (r < 0)
			break;
		s->n_rows += b.sum.n_rows;
		s->raw_bytes += b.sum.raw_bytes;
		s->commit.when = b.committed;
	}
	frame_walk_fini(&w);
	segment_meta_fini(&meta);
	return r < 0 ? err_trace(r) : 0;
}

int
segment_load_sealed(struct segment *s, const struct segment_sinks *sinks)
{
	AUTO_FINI(buf_fini) struct buf meta = BUF_INIT;
	struct frame f = { 0 };
	int r;

	r = io_size(s->fd, &s->size);
	if (r < 0)
		return err_trace(r);
	r = read_trailer(s);
	if (r == 0)
		r = read_frame(s, s->footer_at, s->size, FRAME_FOOTER, &f, &meta);
	if (r == 0)
		r = take_footer(s, &f, buf_view(&meta), sinks);
	if (r > 0) {
		s->damaged = true;
		if (sinks != NULL && sinks->fault != NULL)
			sinks->fault(sinks->fault_ctx, s->name, s->footer_at,
			    "the footer is damaged; its blocks are read one by one");
		forget_blocks(s);
		r = walk_sealed(s);
	}
	if (r < 0)
		return err_trace(r);
	if (s->blocks.n > 0)
		s->first_commit = s->blocks.v[0].committed;
	return 0;
}

/* The last COMMIT below ${limit}, looked for from the end: there may be zeros behind it, and what was cut off. */
static int
last_commit(struct segment *s, uint64_t limit, struct frame *ret, struct segment_commit *ret_c)
{
	AUTO_FINI(buf_fini) struct buf part = BUF_INIT, meta = BUF_INIT;
	uint64_t end = limit & ~UINT64_C(7), at;
	struct scan in;
	size_t i, n;
	int r;

	if (!buf_grow(&part, BACK_STEP))
		return err_origin(-ENOMEM);
	for (; end > SEGMENT_HEAD && limit - end < BACK_MAX; end = at) {
		at = end > SEGMENT_HEAD + BACK_STEP ? end - BACK_STEP : SEGMENT_HEAD;
		/* Its writer may just have cut the file. */
		r = io_pread(s->fd, part.p, end - at, at, &n);
		if (r < 0)
			return err_trace(r);
		for (i = n & ~(size_t)7; i >= 8; i -= 8) {
			if (memcmp(part.p + i - 8, "wFRM\002", 5) != 0)
				continue;
			r = read_frame(s, at + i - 8, limit, FRAME_COMMIT, ret, &meta);
			in = SCAN_OF(buf_view(&meta));
			if (r == 0 && segment_commit_get(&in, ret_c))
				return 0;
			if (r < 0)
				return err_trace(r);
		}
	}
	return SEGMENT_E_CORRUPT;
}

/* Directory frames from the newest to the oldest, as offsets. */
struct directory_chain {
	uint64_t *at;
	size_t n;
	struct frame newest;
};

static int
follow_chain(struct segment *s, uint64_t at, uint64_t limit, struct directory_chain *c)
{
	AUTO_FINI(buf_fini) struct buf meta = BUF_INIT;
	struct segment_directory d = { 0 };
	struct frame f = { 0 };
	struct scan in;
	int r;

	while (at != 0) {
		if (c->n >= DIRECTORIES_MAX || at >= limit)
			return SEGMENT_E_CORRUPT;
		r = read_frame(s, at, s->size, FRAME_DIRECTORY, &f, &meta);
		if (r != 0)
			return r;
		in = SCAN_OF(buf_view(&meta));
		if (!segment_directory_get(&in, &d))
			return SEGMENT_E_CORRUPT;
		if (c->n == 0)
			c->newest = f;
		c->at[c->n++] = at;
		limit = at;
		at = d.prev;
	}
	return 0;
}

static int
take_directory(struct segment *s, uint64_t at, struct buf *meta)
{
	struct segment_directory d = { 0 };
	struct idindex_shape shape;
	struct frame f = { 0 };
	struct scan in;
	int r;

	r = read_frame(s, at, s->size, FRAME_DIRECTORY, &f, meta);
	if (r != 0)
		return r;
	in = SCAN_OF(buf_view(meta));
	if (!segment_directory_get(&in, &d))
		return SEGMENT_E_CORRUPT;
	shape = (struct idindex_shape){ d.n_ids, d.n_blocks };
	if (idindex_bytes(shape) != f.n_body)
		return SEGMENT_E_CORRUPT;
	r = take_entries(s, &in, d.n_blocks, at);
	if (r != 0)
		return r;
	s->last_directory = at;
	s->end = frame_end(&f);
	s->chain.next_number = f.number + 1;
	s->chain.prev = f.check;
	return err_trace(segment_index_add(s, frame_body_at(&f), d.n_ids, d.n_blocks));
}

static int
take_chain(struct segment *s, const struct directory_chain *c)
{
	AUTO_FINI(buf_fini) struct buf meta = BUF_INIT;
	size_t i;
	int r;

	for (i = c->n; i > 0; i--) {
		r = take_directory(s, c->at[i - 1], &meta);
		if (r != 0)
			return r;
	}
	return 0;
}

int
segment_load_directories(struct segment *s, uint64_t limit, bool trusted)
{
	struct directory_chain c = { 0 };
	struct segment_commit commit = { 0 };
	struct frame last = { 0 };
	struct frame_chain start = s->chain;
	AUTO_FREE uint64_t *at = NULL;
	int r;

	if (limit < SEGMENT_HEAD + BACK_STEP)
		return 0;
	at = calloc(DIRECTORIES_MAX, sizeof(*at));
	if (at == NULL)
		return err_origin(-ENOMEM);
	c.at = at;
	r = last_commit(s, limit, &last, &commit);
	if (r == 0)
		r = follow_chain(s, commit.directory, last.at, &c);
	if (r != 0 || c.n == 0)
		return r < 0 ? err_trace(r) : 0;
	/* The group that a directory ends is not yet known to be durable when its commit is the last. */
	if (!trusted && frame_end(&c.newest) == last.at) {
		c.at++;
		c.n--;
	}
	r = take_chain(s, &c);
	if (r > 0) {
		forget_blocks(s);
		s->end = SEGMENT_HEAD;
		s->chain = start;
		return 0;
	}
	return err_trace(r);
}
