/*
 * store/view_internal.h - what the reader's files share.
 * One job: the view's state and its invariants.
 * Floor: 2 (uses record, base).  Room-internal.
 */
#pragma once

#include <pthread.h>
#include <sys/stat.h>

#include "base/map.h"
#include "store/block.h"
#include "store/manifest.h"
#include "store/read.h"

/* One segment of the view; seg is NULL when its file could not be read. */
struct view_segment {
	struct manifest_segment info;
	struct segment *seg;
	uint32_t *order; /* block of the segment to block of the view */
};

/* What block.h reads through; stays where it is until the next refresh. */
struct view_block {
	uint32_t segment, block;
	int fd;
	uint64_t at;
};

/*
 * Invariants between calls: blocks are in the order of their first row; segs[k].order is its inverse; faults are
 * distinct, and only they and their lock change while threads use the view.
 */
struct store_view {
	int dir_fd;
	char *path;
	struct manifest man;
	struct stat man_stat;
	struct wall since, until; /* sealed segments outside are left out */
	struct view_segment *segs;
	size_t n_segs;
	struct view_block *blocks;
	size_t n_blocks;
	struct block_zstd *zstd;
	pthread_mutex_t lock;
	struct map faults; /* texts, in the order in which they came */
};

static inline const struct segment_block *
view_entry(const struct store_view *v, size_t i)
{
	const struct view_block *b = &v->blocks[i];

	return &v->segs[b->segment].seg->blocks.v[b->block];
}

void view_fault(struct store_view *v, const char *fmt, ...) PRINTF_LIKE(2, 3);
