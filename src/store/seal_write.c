/*
 * store/seal_write.c - writing a sealed segment.
 * One job: the rows of one class out of many small blocks into few large ones, with a footer.
 * Floor: 2 (uses record, base).
 *
 * A block that is large enough, or that cannot be decoded, is copied as it is, so that a fault stays a fault and
 * costs no more than before.  Row numbers go with the rows.
 */
#include <unistd.h>

#include "base/io.h"
#include "store/idindex.h"
#include "store/seal.h"

/*
 * Invariants: list i of ids is that of blocks.v[i]; the rows in the builder have the numbers of runs, in order; file bytes before ${at} are written, out comes next.
 */
struct writer {
	struct seal_job *job;
	struct seal_part *part;
	struct buf out;
	uint64_t at;
	struct frame_chain chain;
	struct segment_blocks blocks;
	struct idlists ids;
	struct block_builder *builder;
	struct seal_runs runs;
	struct wall committed; /* the newest of the rows in the builder */
	struct arena arena;
};

static int
write_out(struct writer *w, size_t at_least)
{
	int r = buf_err(&w->out);

	if (r < 0 || w->out.n < at_least || w->out.n == 0)
		return err_trace(r);
	r = io_pwrite(w->part->fd, w->out.p, w->out.n, w->at);
	if (r < 0)
		return err_trace(r);
	w->at += w->out.n;
	buf_clear(&w->out);
	return 0;
}

/* One BLOCK frame, and what the footer will say of it.  fps is sorted and distinct. */
static int
put_block(struct writer *w, struct segment_block *b, const struct segment_run *runs,
    const uint32_t *fps, size_t n_fps, struct str body)
{
	AUTO_FINI(buf_fini) struct buf meta = BUF_INIT;
	int r;

	b->body_at = 0;
	b->n_body = (uint32_t)body.n;
	b->keep = w->part->head.keep;
	segment_meta_put(&meta, b, runs, NULL, 0);
	b->body_at = w->at + w->out.n + FRAME_HEAD + frame_pad(meta.n);
	frame_put(&w->out, &w->chain, FRAME_BLOCK, buf_view(&meta), body);
	r = buf_err(&meta);
	if (r == 0)
		r = segment_blocks_add(&w->blocks, b, runs);
	if (r == 0)
		r = idlists_add(&w->ids, fps, n_fps);
	if (r == 0)
		r = write_out(w, SEAL_WRITE_BYTES);
	return err_trace(r);
}

/* The high halves of sorted hashes, each once. */
static int
short_ids(const uint64_t *ids, size_t n, uint32_t **ret, size_t *ret_n)
{
	uint32_t *fps = calloc(n + 1, sizeof(*fps));
	size_t i, k = 0;

	if (fps == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < n; i++)
		if (k == 0 || fps[k - 1] != idindex_fp(ids[i]))
			fps[k++] = idindex_fp(ids[i]);
	*ret = fps;
	*ret_n = k;
	return 0;
}

/* The next block out of the builder. */
static int
flush_block(struct writer *w)
{
	AUTO_FINI(buf_fini) struct buf body = BUF_INIT;
	AUTO_FINI(seal_runs_fini) struct seal_runs part = { NULL, 0, 0 };
	AUTO_FREE uint32_t *fps = NULL;
	const struct seal_runs *runs = &w->runs;
	struct segment_block b = { 0 };
	const uint64_t *ids = NULL;
	size_t n_ids = 0, n_fps = 0, n = 0;
	const uint32_t *rows;
	int r;

	r = block_builder_finish(w->builder, &body, &b.sum, &ids, &n_ids);
	if (r == 0)
		r = short_ids(ids, n_ids, &fps, &n_fps);
	if (r != 0)
		return err_fold(r);
	rows = block_builder_part(w->builder, &n);
	if (rows != NULL) {
		r = seal_runs_part(&w->runs, rows, n, &part);
		if (r < 0)
			return err_trace(r);
		runs = &part;
	}
	b.first_row = runs->v[0].first;
	b.end_row = runs->v[runs->n - 1].first + runs->v[runs->n - 1].n;
	b.n_runs = runs->n > 1 ? (uint32_t)runs->n : 0;
	b.committed = w->committed;
	return err_trace(put_block(w, &b, runs->v, fps, n_fps, buf_view(&body)));
}

static int
flush_builder(struct writer *w)
{
	int r = 0;

	/* Rows with a clock far from that of the others are a second block. */
	while (r == 0 && block_builder_rows(w->builder) > 0)
		r = flush_block(w);
	w->runs.n = 0;
	w->committed.ns = 0;
	return err_trace(r);
}

static int
add_row(struct writer *w, const struct record *rec, uint64_t number, struct wall committed)
{
	int r = block_builder_add(w->builder, rec);

	if (r == BLOCK_E_FULL) {
		r = flush_builder(w);
		if (r == 0)
			r = block_builder_add(w->builder, rec);
	}
	if (r != 0)
		return err_fold(r);
	if (committed.ns > w->committed.ns)
		w->committed = committed;
	return err_trace(seal_runs_add(&w->runs, number));
}

struct source {
	const struct segment *seg;
	uint64_t at;
};

static int
read_source(void *ctx, uint64_t at, size_t n, uint8_t *out)
{
	const struct source *src = ctx;

	return err_trace(frame_read_exact(src->seg->fd, out, n, src->at + at));
}

enum { WRITER_E_BAD = 2, WRITER_E_AGAIN = 3 }; /* beside SEAL_E_STOPPED */

/* Rows [from, from + n) as records; WRITER_E_BAD when they cannot be decoded. */
static int
decode(struct writer *w, struct block *blk, uint32_t from, uint32_t n, struct record **ret)
{
	struct record *recs;
	int r;

	arena_clear(&w->arena);
	recs = arena_zalloc(&w->arena, n, sizeof(*recs));
	if (recs == NULL)
		return err_origin(-ENOMEM);
	r = block_records(blk, from, n, &w->arena, recs);
	if (r != 0)
		return r > 0 ? WRITER_E_BAD : err_trace(r);
	*ret = recs;
	return 0;
}

static uint64_t
row_number(const struct segment *seg, const struct segment_block *b, uint32_t row, uint32_t *run,
    uint32_t *run_start)
{
	const struct segment_run *runs = segment_runs(&seg->blocks, b);

	if (b->n_runs == 0)
		return b->first_row + row;
	while (row - *run_start >= runs[*run].n) {
		*run_start += runs[*run].n;
		(*run)++;
	}
	return runs[*run].first + (row - *run_start);
}

/* Rows of a block that is open, a slice at a time, so that memory follows the slice. */
static int
merge_rows(struct writer *w, const struct segment *seg, const struct segment_block *b,
    struct block *blk)
{
	uint32_t i, n, at, run = 0, run_start = 0;
	struct record *recs = NULL;
	int r = 0;

	for (at = 0; at < b->sum.n_rows; at += n) {
		n = b->sum.n_rows - at < SEAL_SLICE_ROWS ? b->sum.n_rows - at : SEAL_SLICE_ROWS;
		r = decode(w, blk, at, n, &recs);
		/* Rows of it are in the builder already: the part is begun again, and copies this block. */
		if (r == WRITER_E_BAD)
			return at > 0 ? WRITER_E_AGAIN : r;
		for (i = 0; r == 0 && i < n; i++)
			r = add_row(w, &recs[i], row_number(seg, b, at + i, &run, &run_start),
			    b->committed);
		if (r < 0)
			return err_trace(r);
	}
	return 0;
}

static int
merge_block(struct writer *w, const struct segment *seg, const struct segment_block *b)
{
	struct source src = { seg, b->body_at };
	struct block_io io = { read_source, &src, b->n_body };
	AUTO(block_free) struct block *blk = NULL;
	int r;

	r = block_open(&blk, &io);
	if (r == 0 && block_n_rows(blk) != b->sum.n_rows)
		return WRITER_E_BAD;
	if (r != 0)
		return r > 0 ? WRITER_E_BAD : err_trace(r);
	return merge_rows(w, seg, b, blk);
}

/* The fingerprints of a block that lost them, out of the columns that can be read. */
static int
find_ids(const struct segment *seg, const struct segment_block *b, uint32_t **ret, size_t *ret_n,
    bool *ret_lost)
{
	struct source src = { seg, b->body_at };
	struct block_io io = { read_source, &src, b->n_body };
	AUTO(block_free) struct block *blk = NULL;
	AUTO_FREE uint64_t *ids = NULL;
	size_t n = 0;
	int r;

	r = block_open(&blk, &io);
	if (r == 0)
		r = block_ids(blk, &ids, &n, ret_lost);
	if (r < 0)
		return err_trace(r);
	return err_trace(short_ids(ids, n, ret, ret_n));
}

static int
copy_block(struct writer *w, const struct segment *seg, size_t i)
{
	AUTO_FINI(buf_fini) struct buf body = BUF_INIT;
	AUTO_FREE uint32_t *found = NULL;
	struct segment_block b = seg->blocks.v[i];
	const uint32_t *fps;
	bool lost = false;
	size_t n;
	int r = flush_builder(w);

	if (r < 0)
		return err_trace(r);
	if (!buf_grow(&body, b.n_body))
		return err_origin(-ENOMEM);
	r = frame_read_exact(seg->fd, body.p, b.n_body, b.body_at);
	if (r < 0)
		return err_trace(r);
	body.n = b.n_body;
	fps = idlists_get(&seg->tail_ids, i, &n);
	if (b.ids_lost) {
		r = find_ids(seg, &b, &found, &n, &lost);
		if (r < 0)
			return err_trace(r);
		w->job->damaged |= lost;
		fps = found;
	}
	return err_trace(put_block(w, &b, segment_runs(&seg->blocks, &b), fps, n, buf_view(&body)));
}

/* WRITER_E_AGAIN: the block is known to be unreadable now, and what was written of the part is to be forgotten. */
static int
take_block(struct writer *w, struct segment *seg, size_t i)
{
	struct segment_block *b = &seg->blocks.v[i];
	int r = WRITER_E_BAD;

	if (!b->unreadable &&
	    (b->ids_lost || (b->sum.n_rows < SEAL_SMALL_ROWS && b->n_body < SEAL_SMALL_BYTES)))
		r = merge_block(w, seg, b);
	b->unreadable = b->unreadable || r == WRITER_E_AGAIN;
	if (r == WRITER_E_BAD)
		r = copy_block(w, seg, i);
	return r;
}

static int
put_footer(struct writer *w)
{
	AUTO_FINI(buf_fini) struct buf meta = BUF_INIT, positions = BUF_INIT;
	struct segment_footer foot = { (uint32_t)w->blocks.n, idlists_ids(&w->ids),
		w->job->commit };
	struct frame_draft frame;
	uint64_t at;
	size_t i;
	int r;

	r = positions_put(&w->job->positions, true, &positions, &foot.commit.n_positions);
	if (r < 0)
		return err_trace(r);
	foot.commit.whole = true;
	foot.commit.n_blocks = 0;
	foot.commit.directory = 0;
	segment_footer_put(&meta, &foot);
	for (i = 0; i < w->blocks.n; i++)
		segment_entry_put(&meta, &w->blocks.v[i],
		    segment_runs(&w->blocks, &w->blocks.v[i]));
	buf_str(&meta, buf_view(&positions));
	at = w->at + w->out.n;
	frame = frame_begin(&w->out, FRAME_FOOTER, buf_view(&meta));
	r = buf_err(&meta);
	if (r == 0)
		r = idlists_put(&w->ids, &w->out);
	if (r < 0)
		return err_trace(r);
	frame_finish(&w->out, &w->chain, frame);
	segment_trailer_put(&w->out, &w->part->head, at);
	r = write_out(w, 0);
	if (r == 0)
		r = io_sync(w->part->fd);
	return err_trace(r);
}

static void
describe(struct writer *w)
{
	struct manifest_segment *g = &w->part->info;
	const struct segment_block *b;
	size_t i;

	g->number = w->part->head.number;
	g->state = MANIFEST_SEALED;
	g->keep = w->part->head.keep;
	g->n_blocks = w->blocks.n;
	g->n_bytes = w->at;
	for (i = 0; i < w->blocks.n; i++) {
		b = &w->blocks.v[i];
		if (i == 0 || b->sum.min_time.ns < g->min_time.ns)
			g->min_time = b->sum.min_time;
		if (i == 0 || b->sum.max_time.ns > g->max_time.ns)
			g->max_time = b->sum.max_time;
		if (i == 0 || b->committed.ns < g->first_commit.ns)
			g->first_commit = b->committed;
		if (i == 0 || b->committed.ns > g->last_commit.ns)
			g->last_commit = b->committed;
		if (i == 0 || b->first_row < g->first_row)
			g->first_row = b->first_row;
		if (b->end_row > g->next_row)
			g->next_row = b->end_row;
		g->n_rows += b->sum.n_rows;
		g->raw_bytes += b->sum.raw_bytes;
	}
}

static void
writer_fini(struct writer *w)
{
	buf_fini(&w->out);
	segment_blocks_fini(&w->blocks);
	idlists_fini(&w->ids);
	seal_runs_fini(&w->runs);
	(void)block_builder_free(w->builder);
	arena_fini(&w->arena);
}

/* The last part takes what no part has for its own. */
static bool
is_of_part(const struct seal_job *job, size_t part, const struct segment_block *b)
{
	size_t i;

	for (i = 0; i < job->n_parts; i++)
		if (job->parts[i].head.keep.ns == b->keep.ns)
			return i == part;
	return part + 1 == job->n_parts;
}

static int
try_part(struct seal_job *job, size_t part)
{
	AUTO_FINI(writer_fini) struct writer w = { .job = job, .part = &job->parts[part] };
	struct segment *seg;
	size_t i, k;
	int r = block_builder_new(&w.builder);

	if (r == 0) {
		block_builder_level(w.builder, SEAL_LEVEL);
		block_builder_set_apart(w.builder);
	}

	segment_head_put(&w.out, &w.part->head);
	w.chain.seed = w.chain.prev = frame_seed(w.part->head.uuid, w.part->head.number);
	for (i = 0; i < job->n_inputs && r == 0; i++) {
		seg = job->inputs[i];
		for (k = 0; k < seg->blocks.n && r == 0; k++) {
			if (atomic_load(&job->stop))
				return SEAL_E_STOPPED;
			if (is_of_part(job, part, &seg->blocks.v[k]))
				r = take_block(&w, seg, k);
		}
	}
	if (r == 0)
		r = flush_builder(&w);
	if (r == 0)
		r = put_footer(&w);
	if (r != 0)
		return r;
	describe(&w);
	return 0;
}

static int
write_part(struct seal_job *job, size_t part)
{
	int r = try_part(job, part);

	/* Each time one more block is known to be unreadable. */
	while (r == WRITER_E_AGAIN) {
		job->parts[part].info = (struct manifest_segment){ 0 };
		r = io_truncate(job->parts[part].fd, 0);
		if (r == 0)
			r = try_part(job, part);
	}
	return r;
}

int
seal_write(struct seal_job *job)
{
	size_t i;
	int r = 0;

	for (i = 0; i < job->n_inputs && r == 0; i++)
		r = seal_load_ids(job->inputs[i], job->ids_since);
	for (i = 0; i < job->n_parts && r == 0; i++)
		r = write_part(job, i);
	return r;
}
