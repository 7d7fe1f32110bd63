/*
 * store/view_read.c - asking a view.
 * One job: its blocks, its segments, its faults, and the blocks of an ID.
 * Floor: 2 (uses record, base).
 */
#include <stdio.h>

#include "base/hash.h"
#include "base/io.h"
#include "store/idindex.h"
#include "store/view_internal.h"

size_t
store_view_n_blocks(const struct store_view *v)
{
	return v->n_blocks;
}

void
store_view_block(const struct store_view *v, size_t i, struct store_block_info *ret)
{
	const struct segment_block *b = view_entry(v, i);
	const struct view_segment *vs = &v->segs[v->blocks[i].segment];

	*ret = (struct store_block_info){
		.sum = b->sum,
		.first_row = b->first_row,
		.end_row = b->end_row,
		.segment = vs->info.number,
		.sealed = vs->info.state == MANIFEST_SEALED,
		.committed = b->committed,
		.keep = b->keep,
	};
}

static const struct segment_run *
runs_of(const struct store_view *v, size_t i)
{
	return segment_runs(&v->segs[v->blocks[i].segment].seg->blocks, view_entry(v, i));
}

uint64_t
store_view_row(const struct store_view *v, size_t i, uint32_t row)
{
	const struct segment_block *b = view_entry(v, i);
	const struct segment_run *runs = runs_of(v, i);
	uint32_t k;

	for (k = 0; k < b->n_runs; k++) {
		if (row < runs[k].n)
			return runs[k].first + row;
		row -= runs[k].n;
	}
	return b->n_runs > 0 ? b->end_row : b->first_row + row;
}

uint32_t
store_view_rows_from(const struct store_view *v, size_t i, uint64_t number)
{
	const struct segment_block *b = view_entry(v, i);
	const struct segment_run *runs = runs_of(v, i);
	uint32_t k, row = 0;

	if (number <= b->first_row)
		return 0;
	if (number >= b->end_row)
		return b->sum.n_rows;
	if (b->n_runs == 0)
		return (uint32_t)(number - b->first_row);
	for (k = 0; k < b->n_runs && runs[k].first + runs[k].n <= number; k++)
		row += runs[k].n;
	if (k < b->n_runs && number > runs[k].first)
		row += (uint32_t)(number - runs[k].first);
	return row;
}

static int
read_block(void *ctx, uint64_t at, size_t n, uint8_t *out)
{
	const struct view_block *b = ctx;

	return err_trace(frame_read_exact(b->fd, out, n, b->at + at));
}

int
store_view_open_block(struct store_view *v, size_t i, struct block **ret)
{
	struct block_io io = { read_block, &v->blocks[i], view_entry(v, i)->n_body };
	AUTO(block_free) struct block *b = NULL;
	int r = block_open(&b, &io);

	if (r == BLOCK_E_CORRUPT)
		store_view_fault(v, i, 0, "the block's header is damaged");
	if (r < 0)
		store_view_fault(v, i, 0, err_str(r));
	if (r != 0)
		return r;
	/* A block that disagrees with the directory would put its rows under others' numbers. */
	if (block_n_rows(b) != view_entry(v, i)->sum.n_rows) {
		store_view_fault(v, i, 0, "the block is not the one that the directory names");
		return BLOCK_E_CORRUPT;
	}
	block_share(b, v->zstd);
	*ret = TAKE(b);
	return 0;
}

void
store_view_fault(struct store_view *v, size_t i, uint64_t at, const char *what)
{
	const struct view_segment *vs = &v->segs[v->blocks[i].segment];

	view_fault(v, "%s: block %u: at offset %llu: %s", vs->seg->name, v->blocks[i].block,
	    (unsigned long long)(view_entry(v, i)->body_at + at), what);
}

size_t
store_view_faults(struct store_view *v, store_fault_fn fn, void *ctx)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	size_t i, n;

	(void)pthread_mutex_lock(&v->lock);
	n = v->faults.n;
	for (i = 0; i < n && fn != NULL; i++) {
		buf_clear(&text);
		buf_str(&text, v->faults.entries[i].key);
		fn(ctx, buf_c_str(&text));
	}
	(void)pthread_mutex_unlock(&v->lock);
	return n;
}

size_t
store_view_n_segments(const struct store_view *v)
{
	return v->n_segs;
}

static const char *
state_name(const struct view_segment *vs)
{
	if (vs->seg == NULL)
		return "unreadable";
	switch (vs->info.state) {
	case MANIFEST_OPEN:
		return vs->seg->head.pred != 0 ? "successor" : "open";
	case MANIFEST_CLOSED:
		return "closed";
	case MANIFEST_SEALED:
		return "sealed";
	case MANIFEST_RETIRED:
		return "retired";
	}
	return "";
}

void
store_view_segment(const struct store_view *v, size_t i, struct store_segment_info *ret)
{
	const struct view_segment *vs = &v->segs[i];
	const struct segment *seg = vs->seg;
	struct store_segment_info info = { .number = vs->info.number };
	const struct segment_block *b;
	size_t k;

	info.state = state_name(vs);
	info.file = seg != NULL ? seg->name : "";
	info.n_bytes = vs->info.n_bytes;
	info.keep = vs->info.keep;
	info.first_commit = vs->info.first_commit;
	info.last_commit = vs->info.last_commit;
	for (k = 0; seg != NULL && k < seg->blocks.n; k++) {
		b = &seg->blocks.v[k];
		if (k == 0 || b->sum.min_time.ns < info.min_time.ns)
			info.min_time = b->sum.min_time;
		if (k == 0 || b->sum.max_time.ns > info.max_time.ns)
			info.max_time = b->sum.max_time;
	}
	if (seg != NULL) {
		info.n_rows = seg->n_rows;
		info.n_blocks = seg->blocks.n;
		info.raw_bytes = seg->raw_bytes;
		info.n_bytes = seg->end;
		info.first_commit = seg->first_commit;
		info.last_commit = seg->commit.when;
	}
	*ret = info;
}

/* Blocks that an ID may be in; a bit each, so that every one comes once and in order. */
struct finder {
	const struct view_segment *vs;
	uint64_t *bits;
	uint32_t first_block;
};

static int
found(void *ctx, uint32_t block)
{
	struct finder *f = ctx;

	bits_set(f->bits, f->vs->order[f->first_block + block]);
	return 0;
}

static void
find_all(struct finder *f, size_t from, size_t n)
{
	size_t i;

	for (i = from; i < from + n && i < f->vs->seg->blocks.n; i++)
		bits_set(f->bits, f->vs->order[i]);
}

static bool
has_fp(const uint32_t *fps, size_t n, uint32_t fp)
{
	size_t lo = 0, hi = n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (fps[mid] < fp)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < n && fps[lo] == fp;
}

static void
find_in_tail(struct finder *f, uint32_t fp)
{
	const struct segment *s = f->vs->seg;
	const uint32_t *fps;
	size_t i, n;

	for (i = s->n_indexed; i < s->blocks.n; i++) {
		fps = segment_tail_ids(s, i - s->n_indexed, &n);
		if (s->blocks.v[i].ids_lost || has_fp(fps, n, fp))
			bits_set(f->bits, f->vs->order[i]);
	}
}

/* A part of the index that cannot be read makes all its blocks candidates: none is missed. */
static void
find_in_index(struct store_view *v, struct finder *f, const struct segment_index *x, uint32_t fp)
{
	struct idindex_shape shape = { x->n_ids, x->n_blocks };
	int r;

	f->first_block = x->first_block;
	r = idindex_find(f->vs->seg->fd, x->at, shape, fp, found, f);
	if (r == 0)
		return;
	view_fault(v, "%s: at offset %llu: the ID index %s", f->vs->seg->name,
	    (unsigned long long)x->at, r > 0 ? "is damaged" : err_str(r));
	find_all(f, x->first_block, x->n_blocks);
}

int
store_view_find_id(struct store_view *v, struct str value, struct arena *arena, uint32_t **ret,
    size_t *ret_n)
{
	AUTO_FREE uint64_t *bits = calloc(BITS_WORDS(v->n_blocks) + 1, sizeof(*bits));
	uint32_t fp = idindex_fp(hash64(value)), *out;
	struct finder f = { .bits = bits };
	size_t i, k, n = 0;

	if (bits == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < v->n_segs; i++) {
		f.vs = &v->segs[i];
		if (f.vs->seg == NULL)
			continue;
		if (f.vs->seg->no_index) {
			find_all(&f, 0, f.vs->seg->blocks.n);
			continue;
		}
		for (k = 0; k < f.vs->seg->n_indexes; k++)
			find_in_index(v, &f, &f.vs->seg->indexes[k], fp);
		find_in_tail(&f, fp);
	}
	out = arena_alloc(arena, (bits_count(bits, v->n_blocks) + 1) * sizeof(*out));
	if (out == NULL)
		return err_origin(-ENOMEM);
	BITS_FOREACH(i, bits, v->n_blocks)
	out[n++] = (uint32_t)i;
	*ret = out;
	*ret_n = n;
	return 0;
}
