/*
 * store/view_late.c - segments that stay shut.
 * One job: open sealed segments of a view when somebody asks for them, and not before.
 * Floor: 2 (uses record, base).
 *
 * To open a segment takes 15 us, so a year of them 15 ms, and most questions ask for few: those with an ID, those with a
 * limit, those of a day.  MANIFEST says all that is needed to leave one shut: its times, rows and blocks.
 *
 * What merges meanwhile stays until it was read: a late view holds a shared lock on the store's folder, and a writer
 * that cannot have that lock for itself lets retired files linger longer (retain.c).  What expires meanwhile goes, as
 * it was to: its rows are left out, as in a view that had begun later.
 */
#include "base/io.h"
#include "store/view_internal.h"

enum { SLOTS_MAX = 1 << 16 }; /* blocks; a segment of more is opened at once */

bool
view_may_wait(const struct store_view *v, const struct manifest_segment *info)
{
	return v->late && info->state == MANIFEST_SEALED && info->n_rows > 0 &&
	    info->n_blocks > 0 && info->n_blocks <= SLOTS_MAX &&
	    info->min_time.ns <= info->max_time.ns;
}

/* The segment's blocks into their places; places beyond have no block. */
static int
fill_slots(struct store_view *v, struct view_segment *vs)
{
	size_t n = vs->seg != NULL ? vs->seg->blocks.n : 0, i;
	struct view_block *b = v->blocks + vs->first;

	if (n > vs->n_slots) {
		view_fault(v, "%s: at offset 0: has more blocks than MANIFEST counts",
		    vs->seg->name);
		n = vs->n_slots;
		vs->seg->blocks.n = n;
	}
	free(vs->order);
	vs->order = calloc(n + 1, sizeof(*vs->order));
	if (vs->order == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < vs->n_slots; i++) {
		b[i] = (struct view_block){ v, (uint32_t)(vs - v->segs), UINT32_MAX, true, 0 };
		if (i >= n)
			continue;
		b[i].block = (uint32_t)i;
		b[i].at = vs->seg->blocks.v[i].body_at;
		vs->order[i] = vs->first + (uint32_t)i;
	}
	return 0;
}

int
view_number_blocks(struct store_view *v)
{
	struct view_segment *vs;
	uint64_t n = 0;
	size_t i;
	int r = 0;

	for (i = 0; i < v->n_segs; i++) {
		vs = &v->segs[i];
		vs->first = (uint32_t)n;
		vs->n_slots = vs->shut ? (uint32_t)vs->info.n_blocks
		    : vs->seg != NULL  ? (uint32_t)vs->seg->blocks.n
		                       : 0;
		n += vs->n_slots;
		if (n > UINT32_MAX)
			return err_origin(-EOVERFLOW);
	}
	free(v->blocks);
	v->n_blocks = 0;
	v->blocks = calloc(n + 1, sizeof(*v->blocks));
	if (v->blocks == NULL)
		return err_origin(-ENOMEM);
	v->n_blocks = n;
	for (i = 0; i < v->n_segs && r == 0; i++)
		if (!v->segs[i].shut)
			r = fill_slots(v, &v->segs[i]);
	return err_trace(r);
}

static int
open_shut(struct store_view *v, struct view_segment *vs)
{
	int r = view_open_segment(v, vs);

	if (r < 0)
		return err_trace(r);
	if (r == VIEW_E_FORMAT)
		view_fault(v, "%010llu.seg: at offset 0: has a newer format",
		    (unsigned long long)vs->info.number);
	if (r == VIEW_E_VANISHED)
		vs->gone = view_gone(v, vs);
	r = fill_slots(v, vs);
	if (r == 0)
		vs->shut = false;
	return err_trace(r);
}

int
store_view_open_segment(struct store_view *v, size_t i)
{
	int r = 0;

	if (!v->late)
		return 0;
	(void)pthread_mutex_lock(&v->open_lock);
	if (v->segs[i].shut)
		r = open_shut(v, &v->segs[i]);
	(void)pthread_mutex_unlock(&v->open_lock);
	return err_trace(r);
}

int
view_open_segment_of(struct store_view *v, size_t i)
{
	size_t lo = 0, hi = v->n_segs, mid;

	if (!v->late)
		return 0;
	while (hi - lo > 1) {
		mid = lo + (hi - lo) / 2;
		if (v->segs[mid].first <= i)
			lo = mid;
		else
			hi = mid;
	}
	return err_trace(store_view_open_segment(v, lo));
}

size_t
store_view_n_opened(struct store_view *v)
{
	size_t n;

	(void)pthread_mutex_lock(&v->open_lock);
	n = v->n_opened;
	(void)pthread_mutex_unlock(&v->open_lock);
	return n;
}
