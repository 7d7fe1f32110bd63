/*
 * query/run.h - running a query.
 * One job: rows of a source through filter and pipes to an output, on all cores.
 * Floor: 3 (uses store, parsers, logsql, record, base).
 */
#pragma once

#include "logsql/query.h"
#include "query/stage.h"

struct store_view;

/*
 * A source of rows other than the store: files, standard input, the live journal.  next fills a batch with up to some
 * thousand rows in order; returns 0, 1 at the end, or -errno.  Called by one thread.
 */
struct row_source {
	int (*next)(void *ctx, struct batch *b);
	void *ctx;
	/* Another pass over the same rows, for subqueries, with a state of its own; ends with done(ret->ctx).
	 * NULL: the rows can be read only once. */
	int (*again)(void *ctx, struct row_source *ret);
	void (*done)(void *ctx);
};

struct run_options {
	struct wall now;
	int zone_s;
	unsigned n_threads;       /* 0: all cores */
	uint64_t memory_max;      /* 0: a quarter of the machine's, at most 1 GiB */
	struct wall since, until; /* half open; INT64_MIN, INT64_MAX: none */
	uint64_t limit;           /* newest N of the rows that come out, printed in order; 0: all */
	bool ordered;             /* by _time, then arrival: the order of a store's rows */
	bool lines;           /* with a limit: the original lines are wanted too (query/input.h) */
	uint64_t first_row;   /* store: only rows with this number or above (tail) */
	atomic_bool *cancel;  /* may be NULL */
	uint64_t max_scanned; /* 0: no bound */
	/* store: only these blocks, ascending, may hold what is wanted (the caller asked the ID index); NULL: all. */
	const uint32_t *only_blocks;
	size_t n_only_blocks;
	bool explain; /* count what each stage does */
	/* store: rows whose original line certainly has none of the literals of one of these may be left out.  Borrowed. */
	const struct literals *line;
	size_t n_line;
};

enum { RUN_STAGES_MAX = 32 };

/* What one stage did; took adds up over threads. */
struct run_stage {
	uint64_t rows_in, rows_out, bytes_read, memory_peak;
	struct span took;
};

/* What a run did, for explain and query_stats. */
struct run_stats {
	uint64_t blocks_total, blocks_skipped, blocks_read, rows_total, rows_matched, bytes_read;
	struct span took;
	uint64_t memory_peak;
	uint64_t segments_total, segments_read, segments_opened, rows_read;
	struct span scan_took; /* of finding rows, over all threads */
	/* With explain: each pipe and then the output, as far as there is room. */
	struct run_stage stages[RUN_STAGES_MAX];
	size_t n_stages;
	uint64_t
	    faults; /* parts of the store that could not be read; store_view_faults names them */
};

/* Rows that come out: one batch at a time, in order, in one thread.  -errno ends the run. */
typedef int (*run_put_fn)(void *ctx, struct batch *b);

/**
 * run_store(view, q, opt, put, ctx, ret_stats, ret_error): over a view of a store.
 * run_source(src, q, opt, put, ctx, ret_stats, ret_error): over any other rows, in their order.
 *
 * Errors: -ECANCELED (Ctrl-C), -ENOMEM (a bound; ${ret_error} names pipe and bound), -errno.
 */
int run_store(struct store_view *view, const struct query *q, const struct run_options *opt,
    run_put_fn put, void *ctx, struct run_stats *ret_stats, struct buf *ret_error);
int run_source(const struct row_source *src, const struct query *q, const struct run_options *opt,
    run_put_fn put, void *ctx, struct run_stats *ret_stats, struct buf *ret_error);
