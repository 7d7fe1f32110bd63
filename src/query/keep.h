/*
 * query/keep.h - the newest N.
 * One job: of all rows that come out, keep the N newest, and give them in the order wanted.
 * Floor: 3 (uses record, base).
 */
#pragma once

#include "base/buf.h"
#include "query/stage.h"

enum keep_order {
	KEEP_BY_TIME, /* by time, then arrival */
	KEEP_AS_CAME, /* as they came in, by arrival */
};

struct keep;

/** keep_new(ret, limit, lines, env): for at most ${limit} rows, with their original lines if ${lines}; their bytes are
 * charged to ${env}. */
int keep_new(struct keep **ret, uint64_t limit, bool lines, struct query_env *env);
struct keep *keep_free(struct keep *k);
DEFINE_AUTO(struct keep *, keep_free)

/**
 * keep_put(k, b, times, arrivals):
 * Offer the rows of a batch, which is read only where they are kept; times NULL: from their _time, and rows that have
 * none are the older the later they come; arrivals NULL: counted.  Any number of threads.
 */
int keep_put(struct keep *k, struct batch *b, const int64_t *times, const uint64_t *arrivals);

/** keep_floor(k, ret): whether N rows are there, and the time below which no other will be kept. */
bool keep_floor(struct keep *k, int64_t *ret);

/** keep_give(k, order, put, ctx): all kept rows, in batches. */
int keep_give(struct keep *k, enum keep_order order, int (*put)(void *ctx, struct batch *b),
    void *ctx);
