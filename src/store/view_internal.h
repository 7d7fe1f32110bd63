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
#include "store/ids.h"
#include "store/manifest.h"
#include "store/read.h"

/* What became of a file that is not there any more. */
enum view_gone { VIEW_HERE, VIEW_MISSING, VIEW_EXPIRED, VIEW_MERGED };

/* One segment of the view; seg is NULL when its file could not be read, or was not opened yet (shut). */
struct view_segment {
	struct manifest_segment info;
	struct segment *seg;
	uint32_t *order; /* block of the segment to block of the view */
	bool shut;
	uint32_t first, n_slots; /* in a late view: the numbers of the view that its blocks have */
	struct view_segment *newer, *older; /* that are open: by when they were read */
	bool listed;
	unsigned pins; /* who reads it just now */
	_Atomic enum view_gone
	    gone; /* found when it was to be opened again; what there is to say is said */
	uint32_t idfile,
	    place; /* idfile > 0: its IDs are in merged index idfile - 1, at this place of the table */
	bool marked; /* … which says that they have marks */
};

/* What block.h reads through; stays where it is until the next refresh. */
struct view_block {
	struct store_view *view;
	uint32_t segment, block;
	bool known; /* its segment was opened; else nothing else holds */
	uint64_t at;
};

/*
 * The open files, under lock.
 * Invariants: listed are the segments whose file is open, and no others; n of them.  locked: the view is not late, and
 * has a shared lock on the folder since it closed one.
 */
struct view_fds {
	struct view_segment *newest, *oldest;
	size_t n, cap;
	bool locked;
	pthread_mutex_t lock;
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
	struct store_ids ids; /* as it was when all else had been read */
	struct view_fds fds;
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

/* view_fd.c */
void view_fds_init(struct view_fds *f);
void view_fds_fini(struct view_fds *f);
/** view_fd_open(v, vs, name): segment_open; its file stays open until view_fd_give. */
int view_fd_open(struct store_view *v, struct view_segment *vs, const char *name);
/** view_fd_take(v, vs, ret), view_fd_give(v, vs): have its file open in between.  Thread-safe.  VIEW_E_VANISHED: it is gone. */
int view_fd_take(struct store_view *v, struct view_segment *vs, int *ret);
void view_fd_give(struct store_view *v, struct view_segment *vs);
/** view_fd_is_there(v, vs): whether its file can be read from now on, as far as one can know. */
bool view_fd_is_there(struct store_view *v, struct view_segment *vs);
/** view_fd_move(v, from, to): the segment of one place to another; view_fd_close(v, vs): segment_close. */
void view_fd_move(struct store_view *v, struct view_segment *from, struct view_segment *to);
void view_fd_close(struct store_view *v, struct view_segment *vs);
/** view_fds_unlock(v): what was merged before is no part of the view any more, and need not stay. */
void view_fds_unlock(struct store_view *v);

/** view_open_segment(v, vs): open and load it as its state says; what is wrong with it is a fault. */
enum { VIEW_E_VANISHED = 1, VIEW_E_FORMAT = 2 };
int view_open_segment(struct store_view *v, struct view_segment *vs);

/* view_gone.c */
/** view_gone(v, vs): what became of its file, which is not there; a fault, unless it expired. */
enum view_gone view_gone(struct store_view *v, const struct view_segment *vs);
/** view_gone_amid(v, vs): say that it went while its rows were read. */
void view_gone_amid(struct store_view *v, const struct view_segment *vs);

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
