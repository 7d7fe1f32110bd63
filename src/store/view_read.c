/*
 * store/view_read.c - asking a view.
 * One job: its blocks, its segments, and its faults.
 * Floor: 2 (uses record, base).
 */
#include <assert.h>
#include <stdio.h>

#include "base/io.h"
#include "store/view_internal.h"

size_t
store_view_n_blocks(const struct store_view *v)
{
	return v->n_blocks;
}

void
store_view_block(const struct store_view *v, size_t i, struct store_block_info *ret)
{
	const struct view_segment *vs = &v->segs[v->blocks[i].segment];
	const struct segment_block *b;

	/* Who leaves segments shut knows which. */
	assert(v->blocks[i].known);
	*ret = (struct store_block_info){ .segment = vs->info.number };
	if (v->blocks[i].block == UINT32_MAX)
		return;
	b = view_entry(v, i);
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
	struct view_segment *vs = &b->view->segs[b->segment];
	int fd, r = view_fd_take(b->view, vs, &fd);

	if (r == VIEW_E_VANISHED)
		return err_origin(-ESTALE);
	if (r < 0)
		return err_trace(r);
	r = frame_read_exact(fd, out, n, b->at + at);
	view_fd_give(b->view, vs);
	return err_trace(r);
}

int
store_view_open_block(struct store_view *v, size_t i, struct block **ret)
{
	struct block_io io = { read_block, &v->blocks[i], 0 };
	AUTO(block_free) struct block *b = NULL;
	int r = view_open_segment_of(v, i);

	if (r < 0)
		return err_trace(r);
	if (v->blocks[i].block == UINT32_MAX)
		return BLOCK_E_CORRUPT;
	io.n_bytes = view_entry(v, i)->n_body;
	r = block_open(&b, &io);
	if (r < 0 && v->segs[v->blocks[i].segment].gone != VIEW_HERE)
		return BLOCK_E_GONE;
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

bool
store_view_is_there(struct store_view *v, size_t i)
{
	return view_fd_is_there(v, &v->segs[v->blocks[i].segment]);
}

void
store_view_fault(struct store_view *v, size_t i, uint64_t at, const char *what)
{
	const struct view_segment *vs = &v->segs[v->blocks[i].segment];

	if (vs->seg == NULL)
		return;
	if (vs->gone != VIEW_HERE) {
		view_gone_amid(v, vs);
		return;
	}
	view_fault(v, "%s: block %u: at offset %llu: %s", vs->seg->name, v->blocks[i].block,
	    (unsigned long long)(view_entry(v, i)->body_at + at), what);
}

void
store_view_column_fault(struct store_view *v, size_t i, struct str column, uint64_t at,
    const char *what)
{
	char text[160];

	if (column.n == 0)
		(void)snprintf(text, sizeof(text), "hidden column: %s", what);
	else
		(void)snprintf(text, sizeof(text), "column %.*s: %s",
		    (int)(column.n < 64 ? column.n : 64), (const char *)column.p, what);
	store_view_fault(v, i, at, text);
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
	if (vs->seg == NULL && !vs->shut)
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

static void
describe_segment(const struct store_view *v, size_t i, struct store_segment_info *ret)
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
	info.shut = vs->shut;
	info.first_block = vs->first;
	info.n_numbers = vs->n_slots;
	info.end_row = vs->info.next_row;
	if (vs->shut) {
		info.n_blocks = vs->n_slots;
		info.n_rows = vs->info.n_rows;
		info.raw_bytes = vs->info.raw_bytes;
		info.min_time = vs->info.min_time;
		info.max_time = vs->info.max_time;
	}
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

void
store_view_segment(const struct store_view *v, size_t i, struct store_segment_info *ret)
{
	pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&v->open_lock;

	(void)pthread_mutex_lock(lock);
	describe_segment(v, i, ret);
	(void)pthread_mutex_unlock(lock);
}
