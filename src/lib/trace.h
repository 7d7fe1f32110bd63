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
 * Ask the ID index for each of the IDs, and the blocks it names for their ID fields.  ${deep}: any field of any
 * block that has the ID somewhere in its text.
 */
int trace_find_id(struct store_view *view, const struct str *ids, size_t n, bool deep,
    struct arena *arena, struct trace_find *ret);
void trace_find_fini(struct trace_find *f);

struct trace_row {
	struct wall time;
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

/** trace_print(out, t, id, utc, color, terminal, width): append the waterfall. */
void trace_print(struct buf *out, const struct trace *t, struct str id, bool utc, bool color,
    bool terminal, unsigned width);
