/*
 * store/verify.c - reading every checksum.
 * One job: name file, block and offset of every fault of a store.
 * Floor: 2 (uses record, base).
 *
 * A view finds what a query would; then every frame's body, every block's chunks and every page of the ID index
 * is read as well.
 */
#include <stdio.h>

#include "base/io.h"
#include "store/idindex.h"
#include "store/view_internal.h"

struct verify {
	struct store_view *view;
	const struct segment *seg;
	size_t first_block; /* of the view; the block that is looked at */
	bool block_bad;
};

static void
chunk_fault(void *ctx, struct str column, uint64_t at, const char *what)
{
	struct verify *v = ctx;

	v->block_bad = true;
	store_view_column_fault(v->view, v->first_block, column, at, what);
}

static int
verify_block(struct verify *v, size_t i)
{
	AUTO(block_free) struct block *b = NULL;
	int r = store_view_open_block(v->view, i, &b);

	v->first_block = i;
	v->block_bad = false;
	if (r != 0) {
		v->block_bad = true;
		return r == -ENOMEM ? r : 0;
	}
	r = block_verify(b, chunk_fault, v);
	if (r < 0 && r != -ENOMEM) {
		store_view_fault(v->view, i, 0, err_str(r));
		return 0;
	}
	return err_trace(r);
}

/* The block of the view whose body is at ${at}, or SIZE_MAX. */
static size_t
block_at(const struct verify *v, const uint32_t *order, uint64_t at)
{
	size_t lo = 0, hi = v->seg->blocks.n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (v->seg->blocks.v[mid].body_at < at)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < v->seg->blocks.n && v->seg->blocks.v[lo].body_at == at ? order[lo] : SIZE_MAX;
}

static void
frame_fault(struct verify *v, uint64_t at, const char *what)
{
	view_fault(v->view, "%s: at offset %llu: %s", v->seg->name, (unsigned long long)at, what);
}

/* The zeros that bring meta and body to a multiple of 8 are in no sum. */
static int
verify_padding(struct verify *v, uint64_t at, uint64_t n)
{
	uint8_t p[8] = { 0 };
	int r = n > 0 ? frame_read_exact(v->seg->fd, p, n, at) : 0;
	size_t i;

	for (i = 0; r == 0 && i < n; i++)
		if (p[i] != 0) {
			frame_fault(v, at + i, "padding is damaged; nothing is lost");
			break;
		}
	return err_trace(r);
}

static int
verify_paddings(struct verify *v, const struct frame *f)
{
	int r = verify_padding(v, f->at + FRAME_HEAD + f->n_meta, frame_pad(f->n_meta) - f->n_meta);

	if (r == 0)
		r = verify_padding(v, frame_body_at(f) + f->n_body,
		    frame_pad(f->n_body) - f->n_body);
	return err_trace(r);
}

static int
verify_frame(struct verify *v, const struct frame_walk *w, const uint32_t *order)
{
	size_t block;
	int r;

	if (w->broken)
		frame_fault(v, w->broken_at, "frames are damaged or missing");
	if (w->meta_bad)
		frame_fault(v, w->frame.at, "a frame's meta is damaged");
	r = frame_check_body(v->seg->fd, &w->frame);
	if (r == 0)
		r = verify_paddings(v, &w->frame);
	if (r == 0)
		return 0;
	if (r < 0) {
		frame_fault(v, frame_body_at(&w->frame), err_str(r));
		return r == -ENOMEM ? r : 0;
	}
	/* The block itself says best what is wrong with it. */
	block =
	    w->frame.type == FRAME_BLOCK ? block_at(v, order, frame_body_at(&w->frame)) : SIZE_MAX;
	if (block != SIZE_MAX) {
		r = verify_block(v, block);
		if (r < 0)
			return err_trace(r);
		if (!v->block_bad)
			store_view_fault(v->view, block, 0,
			    "bytes that no column uses are damaged");
		return 0;
	}
	frame_fault(v, frame_body_at(&w->frame), "a frame's body is damaged");
	return 0;
}

static int
verify_frames(struct verify *v, const uint32_t *order)
{
	struct frame_chain chain = { .seed = v->seg->chain.seed, .prev = v->seg->chain.seed };
	uint64_t limit = v->seg->end;
	struct frame_walk w;
	int r;

	if (v->seg->head.kind == SEGMENT_SEALED)
		limit = v->seg->size - SEGMENT_TRAILER;
	frame_walk_init(&w, v->seg->fd, &chain, SEGMENT_HEAD, limit);
	while ((r = frame_walk_next(&w)) == 0) {
		r = verify_frame(v, &w, order);
		if (r < 0)
			break;
	}
	/* The walk ends before its limit only where nothing can be read. */
	if (r == FRAME_E_END && w.at < limit)
		frame_fault(v, w.at, "frames are damaged or missing");
	if (r < 0 && r != -ENOMEM) {
		frame_fault(v, w.at, err_str(r));
		r = 0;
	}
	frame_walk_fini(&w);
	return r < 0 ? err_trace(r) : 0;
}

static void
verify_indexes(struct verify *v)
{
	const struct segment_index *x;
	size_t i;
	int r;

	for (i = 0; i < v->seg->n_indexes; i++) {
		x = &v->seg->indexes[i];
		r = idindex_each(v->seg->fd, x->at, (struct idindex_shape){ x->n_ids, x->n_blocks },
		    NULL, NULL);
		if (r != 0)
			frame_fault(v, x->at, r > 0 ? "the ID index is damaged" : err_str(r));
	}
}

static int
verify_segment(struct verify *v, struct view_segment *vs)
{
	size_t i;
	int fd, r = view_fd_take(v->view, vs, &fd);

	v->seg = vs->seg;
	if (r != 0) {
		if (r < 0)
			frame_fault(v, 0, err_str(r));
		return 0;
	}
	r = verify_frames(v, vs->order);
	for (i = 0; r == 0 && i < vs->seg->blocks.n; i++)
		r = verify_block(v, vs->order[i]);
	verify_indexes(v);
	if (vs->info.state == MANIFEST_SEALED && vs->info.n_rows != vs->seg->n_rows)
		frame_fault(v, 0, "has not the rows that MANIFEST counts");
	view_fd_give(v->view, vs);
	return err_trace(r);
}

int
store_verify(const char *path, store_fault_fn report, void *ctx, size_t *ret_n_faults)
{
	AUTO(store_view_free) struct store_view *view = NULL;
	AUTO_FINI(buf_fini) struct buf error = BUF_INIT;
	struct verify v = { 0 };
	size_t i;
	int r = store_view_open(&view, path, &error);

	if (r != 0) {
		if (report != NULL && error.n > 0)
			report(ctx, buf_c_str(&error));
		return r;
	}
	v.view = view;
	for (i = 0; i < view->n_segs && r == 0; i++)
		if (view->segs[i].seg != NULL)
			r = verify_segment(&v, &view->segs[i]);
	if (r == 0)
		r = view_verify_idfiles(view);
	*ret_n_faults = store_view_faults(view, report, ctx);
	return err_trace(r);
}
