/*
 * base/map.h - bytes to number.
 * One job: a hash table from counted bytes to a uint64, iterable in insertion order.
 * Floor: 0.
 *
 * Keys are copied into the map's own arena.  Open addressing over an index of entries, so that a
 * walk by entry number is in the order of insertion and adding is allowed meanwhile.
 */
#pragma once

#include "base/arena.h"

struct map_entry {
	struct str key; /* owned by the map */
	uint64_t hash;
	uint64_t value;
};

/*
 * Invariants: n_slots is 0 or a power of two above n * 4 / 3; slots[i] is 0 (empty) or 1 + an index
 * into entries.  MAP_INIT is an empty one.
 */
struct map {
	struct map_entry *entries;
	size_t n;
	size_t cap;
	uint32_t *slots;
	size_t n_slots;
	struct arena keys;
};
#define MAP_INIT                                \
	{                                       \
		NULL, 0, 0, NULL, 0, ARENA_INIT \
	}

/** map_get(m, key): the entry, or NULL.  Valid until the next map_put. */
struct map_entry *map_get(const struct map *m, struct str key);

/**
 * map_put(m, key, ret_new):
 * The entry of ${key}, made with value 0 if there was none; ${ret_new} (may be NULL) says so.
 * NULL without memory or beyond 2^32 - 2 entries.
 */
struct map_entry *map_put(struct map *m, struct str key, bool *ret_new);

/** map_bytes(m): memory it holds, in bytes, for bounds on memory. */
size_t map_bytes(const struct map *m);

/** map_clear(m), map_fini(m): forget all entries; free all memory (may run twice). */
void map_clear(struct map *m);
void map_fini(struct map *m);
