/*
 * store/read.h - the reader.
 * One job: one consistent view of a store's committed rows, with no lock and no daemon.
 * Floor: 2 (uses record, base).
 *
 * A view is what MANIFEST and the open segments' last commits said at store_view_open; it sees each row
 * exactly once, whatever seal, merge and retention do meanwhile.  One view may be used by many threads.  Where it cannot
 * have all its files open, what expires meanwhile is left out, and what merges may be missing after an hour, as a fault.
 */
#pragma once

#include "store/block.h"

struct store_view;

enum {
	STORE_VIEW_E_NONE = 1,   /* no store there */
	STORE_VIEW_E_DENIED = 2, /* not readable: text names the group that may */
	STORE_VIEW_E_FORMAT = 3, /* a newer format */
};

/** store_view_open(ret, path, ret_error): ${ret_error} gets one line for people. */
int store_view_open(struct store_view **ret, const char *path, struct buf *ret_error);
/**
 * store_view_open_between(ret, path, since, until, ret_error):
 * A late view, for one question that asks for no row outside [since, until): sealed segments that MANIFEST places wholly
 * outside are no part of it, and the others are shut until they are asked for: by store_view_find_id, by
 * store_view_open_segment, or with a block of theirs by store_view_open_block.  What is wrong with one that
 * stays shut is not said.  Blocks have numbers, but in no order.
 */
int store_view_open_between(struct store_view **ret, const char *path, struct wall since,
    struct wall until, struct buf *ret_error);
struct store_view *store_view_free(struct store_view *v);
DEFINE_AUTO(struct store_view *, store_view_free)

/* A block of the view.  Blocks are numbered 0..n in the order of commit (oldest first).  In a late view some numbers have no
 * block: no rows, and store_view_open_block says BLOCK_E_CORRUPT. */
struct store_block_info {
	struct block_summary sum;
	uint64_t first_row; /* row number in the store, for ever; a tail's position */
	uint64_t segment;   /* its number */
	bool sealed;
	struct wall committed;
	uint64_t end_row; /* one more than the number of its last row */
	struct span keep; /* its class */
};
size_t store_view_n_blocks(const struct store_view *v);
/** store_view_block(v, i, ret): not of a segment that is shut. */
void store_view_block(const struct store_view *v, size_t i, struct store_block_info *ret);
/** store_view_open_block(v, i, ret): block.h reads on from there.  Thread-safe; the view outlives the block, and
 * is not refreshed while one is open.  BLOCK_E_CORRUPT: it is among the faults already.  BLOCK_E_GONE: its file is not there any
 * more; it has expired, or is among the faults. */
int store_view_open_block(struct store_view *v, size_t i, struct block **ret);

/** store_view_is_there(v, i): whether block ${i}, which was opened, still has a file; store_view_open_block says BLOCK_E_GONE else.
 * Thread-safe. */
bool store_view_is_there(struct store_view *v, size_t i);

/**
 * store_view_row(v, i, row), store_view_rows_from(v, i, number):
 * The number of row ${row} of block ${i}, and the first row of it whose number is at least ${number} (its n_rows
 * if there is none).  Numbers ascend in a block.  Merged blocks of a store with classes have gaps in them, so
 * first_row + row is right only when end_row - first_row is n_rows.
 */
uint64_t store_view_row(const struct store_view *v, size_t i, uint32_t row);
uint32_t store_view_rows_from(const struct store_view *v, size_t i, uint64_t number);

/** store_view_fault(v, i, at, what), store_view_column_fault(v, i, column, at, what): a part of block ${i} at ${at} (offset in the
 * block) cannot be read (a column, after BLOCK_E_CORRUPT); store_view_faults says it once, with its file.  Thread-safe. */
void store_view_fault(struct store_view *v, size_t i, uint64_t at, const char *what);
void store_view_column_fault(struct store_view *v, size_t i, struct str column, uint64_t at,
    const char *what);

/* A value of an ID field. */
struct store_id {
	struct str value;
	struct str field; /* empty: of any */
	bool
	    is_phrase; /* it may be a part of the field's values: one of ${dashes} dashes (names_id_phrase) */
	unsigned dashes;
};

/**
 * store_view_find_id(v, id, arena, ret, ret_n):
 * The blocks that may hold ${id}, ascending: none is missed, few are in vain.
 *
 * Source: docs/FORMAT.md, "ID index".
 */
int store_view_find_id(struct store_view *v, const struct store_id *id, struct arena *arena,
    uint32_t **ret, size_t *ret_n);

/**
 * store_view_refresh(v):
 * See what was committed since: new blocks are added at the end (row numbers tell a tail where it was);
 * blocks that were merged or have expired leave.  Not while another thread uses the view.
 */
int store_view_refresh(struct store_view *v);

/** store_view_faults(v, fn, ctx): parts of the store that could not be read, each once, in words. */
typedef void (*store_fault_fn)(void *ctx, const char *text);
size_t store_view_faults(struct store_view *v, store_fault_fn fn, void *ctx);

struct store_segment_info {
	uint64_t number;
	const char *state; /* open, sealed, successor, … */
	const char *file;
	uint64_t n_rows, n_blocks, n_bytes, raw_bytes;
	struct wall min_time, max_time, first_commit, last_commit;
	struct span keep; /* its class; 0 is the store's retention */
	bool shut;        /* not opened yet; what is above is as MANIFEST has it */
	uint64_t end_row; /* SEALED: its rows are below this, as MANIFEST has it */
	size_t first_block,
	    n_numbers; /* late views: blocks [first_block, first_block + n_numbers) of the view are its */
};
size_t store_view_n_segments(const struct store_view *v);
void store_view_segment(const struct store_view *v, size_t i, struct store_segment_info *ret);
/** store_view_open_segment(v, i): open segment ${i} if it is shut.  Damage is among the faults.  Thread-safe. */
int store_view_open_segment(struct store_view *v, size_t i);
/** store_view_n_opened(v): how many segments that have blocks were opened so far. */
size_t store_view_n_opened(struct store_view *v);

/** store_view_disk(v, ret_all, ret_ids): all files of the store's folder with their apparent bytes, and the merged ID indexes
 * among them. */
struct store_disk_info {
	uint64_t n_files, n_bytes;
};
int store_view_disk(const struct store_view *v, struct store_disk_info *ret_all,
    struct store_disk_info *ret_ids);

/** store_verify(path, report, ctx): read every checksum of every file; names file, block and offset of each
 * fault, one line each.  Returns 0, STORE_VIEW_E_*, or -errno; *ret_n_faults says how many. */
int store_verify(const char *path, store_fault_fn report, void *ctx, size_t *ret_n_faults);
