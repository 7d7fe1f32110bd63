/*
 * query/order.h - a store's rows by time.
 * One job: the matching rows of many blocks, merged by _time and then arrival, as batches.
 * Floor: 3 (uses store, logsql, record, base).
 */
#pragma once

#include "query/scan.h"

struct order_options {
	unsigned n_threads;
	struct query_env *env; /* stop and cancelled end it */
	/* One batch after the other, in one thread (the caller's). */
	int (*put)(void *ctx, struct batch *b);
	void *ctx;
};

/**
 * order_run(plan, opt):
 * Blocks are matched by all threads in the order of their first time; a row is given as soon as no block that is not
 * done can precede it.  Of rows that wait only number and time are held (12 bytes), never their text.
 */
int order_run(struct scan_plan *plan, const struct order_options *opt);
