/*
 * alerts/sim.h - rules over time that is past, or made up.
 * One job: evaluator, states and dispatch, as weird runs them, by a clock that is given.
 * Floor: 4 (uses query, store, logsql, record, base).
 *
 * The rows are those of a store; instants go by as fast as they are evaluated; what would be sent is handed up.
 */
#pragma once

#include "alerts/dispatch.h"
#include "alerts/state.h"

struct sim;

/* Each may be NULL. */
struct sim_ops {
	int (*evaluated)(void *ctx, const struct eval_set *set);
	int (*changed)(void *ctx, const struct alert *a, enum alert_change c, struct wall at);
	/* ${stored}: message_pack's form. */
	int (*notified)(void *ctx, const struct notification *n, struct str stored);
	/* One that would have been sent without the silences, and how many of its alerts they hold. */
	int (*held)(void *ctx, const struct notification *n, size_t n_held);
	void *ctx;
};

struct sim_options {
	const char *store; /* folder */
	const struct rule_set *set;
	const struct routing *routing; /* NULL: nothing is routed */
	struct silences *silences;     /* NULL: none */
	const char *host;
	int zone_s;
	bool evidence;     /* look for what stands behind each alert */
	struct wall start; /* the first instant at or after it is the first that is evaluated */
};

enum { SIM_E_STORE = 1 };

/** sim_new(ret, opt, ops, ret_why): all of ${opt} is borrowed.  SIM_E_STORE: ${ret_why}. */
int sim_new(struct sim **ret, const struct sim_options *opt, const struct sim_ops *ops,
    struct buf *ret_why);
struct sim *sim_free(struct sim *s);
DEFINE_AUTO(struct sim *, sim_free)

/** sim_run(s, to): all that is due up to ${to}, included. */
int sim_run(struct sim *s, struct wall to);

/** sim_each(s, fn, ctx): the alerts that are not inactive now. */
int sim_each(struct sim *s, state_each_fn fn, void *ctx);
