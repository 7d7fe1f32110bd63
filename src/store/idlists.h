/*
 * store/idlists.h - the IDs of blocks, before they are in an index.
 * One job: a sorted list of fingerprints for each block, and the index that the lists make.
 * Floor: 2 (uses base).  Room-internal.
 */
#pragma once

#include "base/buf.h"

/* Invariant: list i is v[at[i] .. at[i + 1]), ascending and distinct; at has n + 1 values, or is NULL and n is 0. */
struct idlists {
	uint32_t *v;
	size_t *at;
	size_t n, cap_v, cap_at;
};

/** idlists_add(l, fps, n): the list of the next block; -ENOMEM changes nothing. */
int idlists_add(struct idlists *l, const uint32_t *fps, size_t n);

/** idlists_cut(l, n): forget the lists from number ${n} on. */
void idlists_cut(struct idlists *l, size_t n);

/** idlists_put(l, out): append the ID index of all lists, whose blocks are their numbers. */
int idlists_put(const struct idlists *l, struct buf *out);
void idlists_fini(struct idlists *l);

/* How many fingerprints all lists hold. */
static inline size_t
idlists_ids(const struct idlists *l)
{
	return l->n > 0 ? l->at[l->n] : 0;
}

/* List i, and how many it holds; NULL when that is 0. */
static inline const uint32_t *
idlists_get(const struct idlists *l, size_t i, size_t *ret_n)
{
	*ret_n = l->at[i + 1] - l->at[i];
	return *ret_n != 0 ? l->v + l->at[i] : NULL;
}
