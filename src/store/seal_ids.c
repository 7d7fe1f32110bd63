/*
 * store/seal_ids.c - IDs on their way into another segment.
 * One job: turn the indexes of a segment back into one list a block.
 * Floor: 2 (uses record, base).
 */
#include "store/idindex.h"
#include "store/seal.h"

/* Entries of all parts of the index; blocks are numbers in the segment. */
struct id_list {
	struct idindex_entry *v;
	size_t n, cap;
	uint32_t first_block;
};

static int
add_entry(void *ctx, struct idindex_entry e)
{
	struct id_list *l = ctx;
	struct idindex_entry *v;
	size_t cap;

	if (l->n == l->cap) {
		cap = l->cap < 4096 ? 4096 : l->cap + l->cap / 2;
		v = reallocarray(l->v, cap, sizeof(*v));
		if (v == NULL)
			return err_origin(-ENOMEM);
		l->v = v;
		l->cap = cap;
	}
	l->v[l->n++] = (struct idindex_entry){ e.fp, e.block + l->first_block };
	return 0;
}

static int
read_indexes(struct segment *seg, struct id_list *l)
{
	const struct segment_index *x;
	size_t i, k, n;
	int r;

	for (i = 0; i < seg->n_indexes; i++) {
		x = &seg->indexes[i];
		l->first_block = x->first_block;
		n = l->n;
		r = idindex_each(seg->fd, x->at, (struct idindex_shape){ x->n_ids, x->n_blocks },
		    add_entry, l);
		if (r < 0)
			return err_trace(r);
		for (k = x->first_block; r > 0 && k < x->first_block + x->n_blocks; k++)
			seg->blocks.v[k].ids_lost = true;
		if (r > 0)
			l->n = n;
	}
	return 0;
}

static int
read_tail(struct segment *seg, struct id_list *l)
{
	const uint32_t *fps;
	size_t i, k, n;
	int r;

	l->first_block = (uint32_t)seg->n_indexed;
	for (i = 0; i < seg->tail_ids.n; i++) {
		fps = idlists_get(&seg->tail_ids, i, &n);
		for (k = 0; k < n; k++) {
			r = add_entry(l, (struct idindex_entry){ fps[k], (uint32_t)i });
			if (r < 0)
				return err_trace(r);
		}
	}
	return 0;
}

/* Lists by block: counted, then put in place; each stays in the order of the fingerprints. */
static int
part_by_block(struct segment *seg, const struct id_list *l)
{
	uint32_t *ids = calloc(l->n + 1, sizeof(*ids));
	size_t *at = calloc(seg->blocks.n + 2, sizeof(*at));
	size_t i;

	if (ids == NULL || at == NULL) {
		free(ids);
		free(at);
		return err_origin(-ENOMEM);
	}
	for (i = 0; i < l->n; i++)
		at[l->v[i].block + 2]++;
	for (i = 2; i < seg->blocks.n + 2; i++)
		at[i] += at[i - 1];
	for (i = 0; i < l->n; i++)
		ids[at[l->v[i].block + 1]++] = l->v[i].fp;
	idlists_fini(&seg->tail_ids);
	seg->tail_ids = (struct idlists){ ids, at, seg->blocks.n, l->n + 1, seg->blocks.n + 2 };
	seg->n_indexed = seg->n_indexes = 0;
	return 0;
}

/* What is written is of a number from which on the index has all names, and all marks. */
bool
seal_is_stale(const struct segment *seg, uint64_t ids_since)
{
	return seg->head.number < ids_since || (seg->head.compat & SEGMENT_MARKS) == 0;
}

int
seal_load_ids(struct segment *seg, uint64_t ids_since)
{
	struct id_list l = { 0 };
	size_t i;
	int r;

	if (seg->no_index || seal_is_stale(seg, ids_since))
		for (i = 0; i < seg->blocks.n; i++)
			seg->blocks.v[i].ids_lost = true;
	r = seg->no_index ? 0 : read_indexes(seg, &l);
	if (r == 0 && !seg->no_index)
		r = read_tail(seg, &l);
	if (r == 0)
		r = part_by_block(seg, &l);
	free(l.v);
	return err_trace(r);
}
