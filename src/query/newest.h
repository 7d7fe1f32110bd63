/*
 * query/newest.h - blocks, the newest first.
 * One job: give a plan's blocks to many threads by their last time, and open segments when their turn comes.
 * Floor: 3 (uses store, record, base).
 */
#pragma once

#include <pthread.h>

#include "query/scan.h"

struct newest_item;

/* Invariants, under the lock: heap[0..n) has the blocks not given yet and the segments still shut, the latest first. */
struct newest {
	struct scan_plan *plan;
	bool oldest;
	pthread_mutex_t lock;
	struct newest_item *heap;
	size_t n;
};

enum { NEWEST_E_END = 1 };

/** newest_init(q, plan, oldest, arena): ${plan} grows as segments are opened; ${oldest}: the other way round, and no floor;
 * ${arena} lives as long as ${q}. */
int newest_init(struct newest *q, struct scan_plan *plan, bool oldest, struct arena *arena);
void newest_fini(struct newest *q);

/** newest_next(q, floor, ret): a block (its place in plan->blocks) that may have rows at ${floor} or later.  Thread-safe. */
int newest_next(struct newest *q, int64_t floor, size_t *ret);
