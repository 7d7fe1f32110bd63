/*
 * query/scan.h - the store's blocks under a filter.
 * One job: which blocks a filter needs, which of their rows match, and those rows as batches.
 * Floor: 3 (uses store, logsql, record, base).
 */
#pragma once

#include "logsql/filter.h"
#include "query/batch.h"
#include "query/run.h"
#include "store/read.h"

/* What is to be found; made once, shared by all workers. */
struct scan_plan {
	struct store_view *view;
	const struct filter *filter; /* simplified; has since and until in it */
	struct wall min, max;        /* of _time, both included */
	bool hide_weir;              /* rows of weir's own streams are left out */
	uint64_t first_row;
	const uint32_t *only_blocks; /* NULL: all */
	size_t n_only_blocks;
	const struct literals *line; /* as in run_options */
	size_t n_line;
	const atomic_bool *stop;
	uint32_t *
	    blocks; /* those that may hold a match, ascending; then those of segments that were opened since */
	size_t n_blocks;
	uint32_t *shut;               /* segments of the view that may hold a match and are shut */
	size_t n_shut, n_shut_blocks; /* and how many blocks they have, wanted or not */
	uint64_t *sel;  /* blocks of the view that only_blocks and the ID index leave */
	size_t n_by_id; /* how many the ID index left, or SIZE_MAX when it was not asked */
	size_t n_all;   /* in the view */
	size_t n_segments, n_segments_all; /* those with blocks to read, and all that have any */
	uint64_t rows_all;
	struct scan_notes *notes;
};

/* What a scan has met; counted by all workers. */
struct scan_notes {
	_Atomic uint64_t blocks_read, rows_read, rows_matched, bytes_read, faults;
	_Atomic uint64_t ns; /* of finding rows, over all workers */
};

/** scan_plan_init(p, arena): with view, filter, first_row, stop and notes set, find all else. */
int scan_plan_init(struct scan_plan *p, struct arena *arena);

/** scan_open_shut(p, i): open the segment shut[i], and append those of its blocks that may hold a match to blocks.  By one
 * thread at a time; blocks that are there already may be used meanwhile. */
int scan_open_shut(struct scan_plan *p, size_t i);

/*
 * The rows of one block that match: rows[0..n) ascending with their times.
 * Invariants: block is NULL only when n is 0.
 */
struct scan_hit {
	struct block *block;
	struct store_view *view;
	uint32_t number; /* of the block in the view */
	struct store_block_info info;
	struct scan_notes *notes;
	uint32_t *rows;
	int64_t *times; /* NULL when they were not asked for */
	size_t n;
	uint64_t n_bytes; /* of its columns that were read */
	uint64_t asked;   /* ordered rows: the chunk before which its file was looked for */
	bool gone;        /* and was not there any more */
};

/** scan_block(p, i, times, arena, ret): match block blocks[i].  ${arena} is for the work alone. */
int scan_block(const struct scan_plan *p, size_t i, bool times, struct arena *arena,
    struct scan_hit *ret);
void scan_hit_fini(struct scan_hit *h);

/** scan_arrival(h, row): the number of block row ${row} in the store. */
uint64_t scan_arrival(const struct scan_hit *h, uint32_t row);

/* One row of a hit. */
struct scan_row {
	struct scan_hit *hit;
	uint32_t row; /* in the block */
};

/*
 * Rows of one hit or of several, in the order in which they are wanted: the source of a batch.
 * Invariants: hit set: rows are hit_rows[0..n), ascending; else rows[0..n).
 */
struct scan_chunk {
	struct scan_hit *hit;
	const uint32_t *hit_rows;
	const struct scan_row *rows;
	size_t n;
	struct str *names;
	size_t n_names;
	uint64_t n_bytes; /* of columns that were read for the batch */
};

/** scan_piece(n_columns): the most rows that one chunk of a block with so many columns should have. */
enum { SCAN_CELLS_MAX = 4 << 20 };
static inline size_t
scan_piece(size_t n_columns)
{
	return SCAN_CELLS_MAX / (n_columns + 1) + 1;
}

/** scan_chunk_batch(c, b): make ${b} a batch of the chunk's rows; both live until ${b} is reset. */
int scan_chunk_batch(struct scan_chunk *c, struct batch *b);

/**
 * scan_batch_block(b, ret, ret_file), scan_batch_column(b, name, ret):
 * The block of the store that all rows of ${b} come from, with its segment's file; and what that block has as the
 * batch's column ${name}.  False where it is not one block, or a pipe made the column.
 */
bool scan_batch_block(const struct batch *b, struct store_block_info *ret, const char **ret_file);
bool scan_batch_column(const struct batch *b, struct str name, struct block_column_info *ret);

/**
 * scan_batch_times(b, name, range, ctx):
 * Count the rows of ${b} by ranges of the times of its column ${name}, as block_count_times does.  1: they are not those
 * of one block, or cannot be read: the column is asked for then, and the counts are of no use.
 */
int scan_batch_times(struct batch *b, struct str name, block_times_fn range, void *ctx);

/**
 * scan_batch_ints(b, name, ret):
 * Column ${name} of ${b} as its block stores it.  1: the rows are not all of one block, the column is no such one, is
 * loaded already or cannot be read: it is asked for then.
 */
int scan_batch_ints(struct batch *b, struct str name, struct block_ints *ret);

/** scan_batch_time_range(b, name, ret_min, ret_max): the first and the last of the times in column ${name}, as its block's directory
 * has them.  False where the rows are not all of one block, or it is no such column. */
bool scan_batch_time_range(const struct batch *b, struct str name, int64_t *ret_min,
    int64_t *ret_max);
