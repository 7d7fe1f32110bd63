/*
 * query/explain.h - the plan in words.
 * One job: what a query will do, and what it has done.
 * Floor: 3 (uses store, logsql, record, base).
 */
#pragma once

#include "query/run.h"

/**
 * explain_plan(q, view, opt, out):
 * Append the simplified query, the order of its filters with what each block test uses, the way of the rows, and
 * (with a view, else NULL) which blocks are left unread.
 */
int explain_plan(const struct query *q, struct store_view *view, const struct run_options *opt,
    struct buf *out);

/** explain_run(q, stats, rows_out, out): append what the run has read, and (run with opt->explain) what each stage
 * took in, gave out, decoded and kept.  Times of stages add up over threads. */
void explain_run(const struct query *q, const struct run_stats *stats, uint64_t rows_out,
    struct buf *out);
