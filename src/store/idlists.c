/*
 * store/idlists.c - the IDs of blocks, before they are in an index.
 * One job: a sorted list of fingerprints for each block, and the index that the lists make.
 * Floor: 2 (uses base).
 *
 * The index is made a slice of the fingerprints at a time.  Hashes are spread evenly, so that a slice of all lists is about as
 * many entries as asked for: they are sorted where they lie in the nearest cache, and no second copy of all of them is
 * ever in memory.  A commit that writes a DIRECTORY waits for this.
 */
#include "store/idlists.h"

#include "base/hash.h"
#include "base/own.h"
#include "store/idindex.h"

enum { SLICE_IDS = 1024, SLICES_MAX = 4096 };

static int
room(void **p, size_t *cap, size_t want, size_t size)
{
	size_t n = *cap;
	void *q;

	if (want <= n)
		return 0;
	while (n < want)
		n = n < 64 ? 64 : n + n / 2;
	q = reallocarray(*p, n, size);
	if (q == NULL)
		return err_origin(-ENOMEM);
	*p = q;
	*cap = n;
	return 0;
}

int
idlists_add(struct idlists *l, const uint32_t *fps, size_t n)
{
	size_t n_ids = idlists_ids(l);
	void *v = l->v, *at = l->at;
	int r;

	r = room(&v, &l->cap_v, n_ids + n, sizeof(*l->v));
	l->v = v;
	if (r == 0)
		r = room(&at, &l->cap_at, l->n + 2, sizeof(*l->at));
	l->at = at;
	if (r < 0)
		return err_trace(r);
	if (n > 0)
		memcpy(l->v + n_ids, fps, n * sizeof(*fps));
	l->at[l->n++] = n_ids;
	l->at[l->n] = n_ids + n;
	return 0;
}

void
idlists_cut(struct idlists *l, size_t n)
{
	if (n < l->n)
		l->n = n;
}

void
idlists_fini(struct idlists *l)
{
	free(l->v);
	free(l->at);
	*l = (struct idlists){ 0 };
}

/* The entries up to fingerprint ${to} that no slice before has, as numbers: fingerprint, then block. */
static int
gather(const struct idlists *l, size_t *next, uint64_t to, uint64_t **v, size_t *cap, size_t *ret_n)
{
	void *p = *v;
	size_t i, at, n = 0;
	int r;

	for (i = 0; i < l->n; i++) {
		for (at = next[i]; at < l->at[i + 1] && l->v[at] <= to; at++)
			;
		r = room(&p, cap, n + (at - next[i]), sizeof(**v));
		*v = p;
		if (r < 0)
			return err_trace(r);
		for (; next[i] < at; next[i]++)
			(*v)[n++] = (uint64_t)l->v[next[i]] << 32 | i;
	}
	*ret_n = n;
	return 0;
}

int
idlists_put(const struct idlists *l, struct buf *out)
{
	struct idindex_writer w = { .out = out, .shape = { idlists_ids(l), (uint32_t)l->n } };
	AUTO_FREE uint64_t *v = NULL;
	AUTO_FREE size_t *next = calloc(l->n + 1, sizeof(*next));
	size_t cap = 0, n = 0, n_slices = w.shape.n_ids / SLICE_IDS + 1, s, i;
	int r = 0;

	if (next == NULL || !buf_grow(out, idindex_bytes(w.shape)))
		return err_origin(-ENOMEM);
	if (l->n > 0)
		memcpy(next, l->at, l->n * sizeof(*next));
	if (n_slices > SLICES_MAX)
		n_slices = SLICES_MAX;
	for (s = 1; s <= n_slices && r == 0; s++) {
		r = gather(l, next, ((uint64_t)s << 32) / n_slices - 1, &v, &cap, &n);
		if (r < 0)
			break;
		hash_sort(v, n);
		for (i = 0; i < n; i++)
			idindex_writer_put(&w,
			    (struct idindex_entry){ (uint32_t)(v[i] >> 32), (uint32_t)v[i] });
	}
	idindex_writer_end(&w);
	return r < 0 ? err_trace(r) : buf_err(out);
}
