/*
 * base/arena.h - memory that is freed all at once.
 * One job: hand out short-lived bytes for a batch of work without a free for each.
 * Floor: 0.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct arena_chunk;
struct arena_deferred;

/*
 * ARENA_INIT is an empty one.  Addresses stay valid until arena_clear or arena_fini.
 * Invariant: total is the sum of the capacities of all chunks held.
 */
struct arena {
	struct arena_chunk *head; /* the one in use; older ones behind it */
	size_t total;
	struct arena_deferred *deferred; /* what else goes with it, the latest first */
	size_t limit;                    /* total grows no further: no memory; 0: none */
};
#define ARENA_INIT               \
	{                        \
		NULL, 0, NULL, 0 \
	}

/** arena_alloc(a, n): n bytes, aligned to 16, not zeroed; NULL without memory.  n may be 0. */
void *arena_alloc(struct arena *a, size_t n);

/** arena_room(a, n): where the next n bytes would be, of which arena_take(a, m) hands out the first m; until then no other call. */
void *arena_room(struct arena *a, size_t n);
void arena_take(struct arena *a, size_t m);

/** arena_left(a): how much more its limit lets in; SIZE_MAX without one. */
static inline size_t
arena_left(const struct arena *a)
{
	return a->limit == 0 ? SIZE_MAX : a->limit > a->total ? a->limit - a->total : 0;
}

/** arena_zalloc(a, count, size): zeroed array; NULL without memory or on overflow. */
void *arena_zalloc(struct arena *a, size_t count, size_t size);

/** arena_dup(a, s): a copy of s that lives as long as the arena; .p NULL without memory. */
struct str arena_dup(struct arena *a, struct str s);

/**
 * arena_defer(a, fn, p):
 * Call fn(p) when the arena is cleared or freed, the latest first: for what a batch of work holds that is
 * no memory of the arena.
 *
 * Errors: -ENOMEM (fn(p) was called at once).
 */
int arena_defer(struct arena *a, void (*fn)(void *p), void *p);

/** arena_clear(a): forget all that was handed out; keeps the largest chunk for the next round. */
void arena_clear(struct arena *a);

/** arena_fini(a): free everything; may run twice. */
void arena_fini(struct arena *a);
