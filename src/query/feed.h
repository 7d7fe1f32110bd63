/*
 * query/feed.h - one block for many filters.
 * One job: which rows of a block each of a thousand filters takes, each column decoded and each leaf tested once.
 * Floor: 3 (uses store, logsql, record, base).
 *
 * Filters that are equal are one; a leaf that several filters have is tested once a block, on all rows, and its bitmap
 * kept for the block; one that a single filter has is tested on the rows that are left, as a query does.  For one
 * thread.
 */
#pragma once

#include "logsql/filter.h"
#include "query/scan.h"

struct feed;
struct feed_block;

int feed_new(struct feed **ret);
struct feed *feed_free(struct feed *f);
DEFINE_AUTO(struct feed *, feed_free)

/** feed_filter(f, filter, ret): the number of the filter, which outlives the feed.  Not while a block is open. */
int feed_filter(struct feed *f, struct filter *filter, size_t *ret);

/**
 * feed_open(f, view, number, from, to, ret):
 * Open block ${number} of the view for its rows with row numbers in [from, to); NULL when there are none or it cannot
 * be read, which the view's faults say.  feed_close(f) ends with it; one block at a time.
 */
int feed_open(struct feed *f, struct store_view *view, size_t number, uint64_t from, uint64_t to,
    struct feed_block **ret);
void feed_close(struct feed *f);

/** feed_only(b, min, max): of the block, only rows with _time in [min, max]. */
int feed_only(struct feed_block *b, struct wall min, struct wall max);

/** feed_match(b, filter, ret): the rows that it takes as a bitmap, borrowed until the next call; NULL: none. */
int feed_match(struct feed_block *b, size_t filter, const uint64_t **ret);

/** feed_info(b): what the view knows of it.  feed_times(b, ret): _time of all its rows. */
const struct store_block_info *feed_info(const struct feed_block *b);
int feed_times(struct feed_block *b, const int64_t **ret);

/** feed_batch(b, sel, batch, ret_rows): those rows as a batch, whose columns are the block's; valid until feed_close.
 * ${ret_rows} are their numbers in the block. */
int feed_batch(struct feed_block *b, const uint64_t *sel, struct batch *batch,
    const uint32_t **ret_rows);
