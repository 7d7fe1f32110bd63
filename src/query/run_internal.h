/*
 * query/run_internal.h - what a run's files share.
 * One job: one run over one source, with the subqueries in it.
 * Floor: 3 (uses store, logsql, record, base).
 */
#pragma once

#include <pthread.h>

#include "query/keep.h"
#include "query/run.h"
#include "query/scan.h"
#include "query/watch.h"

/* A run with all its subqueries: they share source, bounds and notes. */
struct run {
	struct store_view *view; /* or: */
	const struct row_source *src;
	const struct run_options *opt;
	unsigned n_threads;
	uint64_t memory_max;
	struct scan_notes notes;
	struct watch watch;
	struct span start;
	uint64_t counts[5]; /* what query_stats was told last */
	uint64_t rows_all, blocks_all, blocks_planned, segments_all, segments_planned;
	struct stage_note notes_of[RUN_STAGES_MAX]; /* explain: of the outermost query */
	size_t n_stages;
	uint64_t memory_peak;
	char error[320]; /* of the subquery that failed */
};

/** run_nested(ctx, env, q, put, put_ctx): a subquery to its end (query_env.run_query); ${ctx} is the run. */
int run_nested(void *ctx, struct query_env *env, const struct query *q,
    int (*put)(void *put_ctx, struct batch *b), void *put_ctx);

/** run_fill_subqueries(run, env, q): run what stands in in(…) and its kin, and set the values in the filters of ${q}. */
int run_fill_subqueries(struct run *run, struct query_env *env, const struct query *q);
