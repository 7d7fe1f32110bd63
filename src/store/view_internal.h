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

/* One segment of the view; seg is NULL when its file could not be read, or was not opened yet (shut). */
struct view_segment {
	struct manifest_segment info;
	struct segment *seg;
	uint32_t *order; /* block of the segment to block of the view */
	bool shut;
	uint32_t first, n_slots; /* in a late view: the numbers of the view that its blocks have */
	uint32_t idfile,
	    place; /* idfile > 0: its IDs are in merged index idfile - 1, at this place of the table */
};

/* What block.h reads through; stays where it is until the next refresh. */
struct view_block {
	uint32_t segment, block;
	int fd;
	bool known; /* its segment was opened; else nothing else holds */
	uint64_t at;
};

/* The merged ID indexes; read when the first ID is asked for. */
struct idfile;
struct view_idfiles {
	struct idfile **v;
	size_t n;
	bool loaded;
};

/*
 * Invariants between calls: segs[k].order is the inverse of blocks; faults are distinct.  In a late view each segment's
 * blocks have the numbers [first, first + n_slots), some of which may have no block; else blocks are in the
 * order of their first row, and no segment is shut.  While threads use the view only faults change, under lock,
 * and, under open_lock, what belongs to a segment that is shut, and idfiles before they are loaded.
 */
struct store_view {
	int dir_fd;
	char *path;
	struct manifest man;
	struct stat man_stat;
	struct wall since, until; /* sealed segments outside are left out */
	bool late;                /* sealed segments are opened when they are asked for */
	pthread_mutex_t open_lock;
	size_t n_opened;
	struct view_idfiles idfiles;
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

/** view_open_segment(v, vs): open and load it as its state says; what is wrong with it is a fault. */
enum { VIEW_E_VANISHED = 1, VIEW_E_FORMAT = 2 };
int view_open_segment(struct store_view *v, struct view_segment *vs);

/* view_late.c */
/** view_may_wait(v, info): whether the segment may stay shut until somebody asks for it. */
bool view_may_wait(const struct store_view *v, const struct manifest_segment *info);
/** view_number_blocks(v): give the blocks of a late view their numbers, and those of open segments their places. */
int view_number_blocks(struct store_view *v);
/** view_open_segment_of(v, i): open the segment that block ${i} is of. */
int view_open_segment_of(struct store_view *v, size_t i);

/* view_find.c */
/** view_load_idfiles(v), view_drop_idfiles(v): which merged index has which segment. */
int view_load_idfiles(struct store_view *v);
void view_drop_idfiles(struct store_view *v);

/* verify_ids.c */
/** view_verify_idfiles(v): what is wrong with merged indexes becomes faults. */
int view_verify_idfiles(struct store_view *v);

void view_fault(struct store_view *v, const char *fmt, ...) PRINTF_LIKE(2, 3);
