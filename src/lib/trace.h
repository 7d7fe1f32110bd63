/*
 * lib/trace.h - one request.
 * One job: find every row that bears an ID, and keep what a waterfall shows of it.
 * Floor: 4 (uses query, store, logsql, record, base).
 */
#pragma once

#include "base/map.h"
#include "lib/ask.h"

enum { TRACE_RELATED_MAX = 10000 };

/*
 * Where an ID may be: a query for it, and the blocks that may hold it.
 * Invariants: query is empty when no row can have the ID.
 */
struct trace_find {
	struct buf query;
	uint32_t *blocks; /* NULL: all */
	size_t n_blocks;
};

/**
 * trace_find_id(view, ids, n, deep, arena, ret):
 * Ask the ID index for each of the IDs, and the blocks it names for their ID fields.  ${deep}: also any field of any
 * block that has the first ID somewhere in its text.
 *
 * Shapes: ids[n], n at least 1.
 */
int trace_find_id(struct store_view *view, const struct str *ids, size_t n, bool deep,
    struct arena *arena, struct trace_find *ret);
void trace_find_fini(struct trace_find *f);

struct trace_row {
	struct wall time;
	size_t order; /* as they came */
	struct str service, level, msg;
};

/* The rows of a request in the order they came; all memory in arena. */
struct trace {
	struct trace_row *rows;
	size_t n, cap;
	struct map ids; /* values of ID fields */
	struct arena arena;
};

/** trace_put(t, b): keep the rows of ${b} (a run_put_fn when given as such). */
int trace_put(void *t, struct batch *b);
/** trace_batch_has(b, id, deep, sel): set the bits of rows that have the ID in an ID field, or anywhere. */
int trace_batch_has(struct batch *b, struct str id, bool deep, uint64_t *sel);
/** trace_sort(t): by time, and as they came within a time. */
void trace_sort(struct trace *t);
void trace_fini(struct trace *t);

/*
 * Rows as they are, to be printed by time: those of files come as they stand there.
 * Invariants: names and values of a row have n entries, in arena; rows holds n of struct trace_kept.
 */
struct trace_kept {
	struct wall time;
	size_t order;
	const struct str *names, *values;
	size_t n;
	struct str line;
};
struct trace_rows {
	struct buf rows;
	size_t n;
	bool lines; /* the original lines are wanted too */
	struct arena arena;
};

/** trace_rows_put(t, b): keep the rows of ${b} (a run_put_fn when given as such). */
int trace_rows_put(void *t, struct batch *b);
/** trace_rows_give(t, put, ctx): hand them on by time, and as they came within a time. */
int trace_rows_give(struct trace_rows *t, run_put_fn put, void *ctx);
void trace_rows_fini(struct trace_rows *t);

/** trace_print(out, t, id, utc, color, terminal, width): append the waterfall. */
void trace_print(struct buf *out, const struct trace *t, struct str id, bool utc, bool color,
    bool terminal, unsigned width);
