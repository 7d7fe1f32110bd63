/*
 * alerts/eval.h - the evaluator.
 * One job: rows as they are committed into partial windows; a rule's result rows at an instant.
 * Floor: 4 (uses query, store, logsql, record, base).
 *
 *   committed blocks --filter, row pipes--> panes of partial stats by event time --at T--> rows --math, filter--> results
 *
 * One row is read once for all rules: the block's columns are decoded once and every rule's filter runs over them.  A pane is
 * as long as the greatest common part of window and interval; a window is the merge of its panes, kept as it slides, so
 * that cost follows new rows and not the window's length.  Rules that are no streams (rule.stream false) ask the store.
 *
 * A window that is not held (at the start, for an instant before the last, for rows that were far ahead of the clock) is read
 * from the store when it is wanted, for all rules that want it in one go; so a backtest needs no feed: it asks for instants.
 */
#pragma once

#include "alerts/rule.h"

struct eval;
struct store_view;

enum {
	/* Bytes of panes of all rules; beyond it the rules that hold most are asked of the store, and their sets say so. */
	EVAL_MEMORY_MAX = 64 << 20,
	EVAL_GROUPS_MAX =
	    50000, /* label sets of one rule at once; further ones are counted, in one set {overflow="true"} */
};

/* One result row. */
struct eval_result {
	struct labels labels; /* those of by */
	struct labels values; /* all results by name, as text */
	double value;         /* of the last result (stats or math) */
	/* The condition holds.  Without resolve_when every row that comes out holds; with it, rows come that the trailing
	 * filters of expr would have dropped, so that a firing alert's row is there to be asked whether it may resolve. */
	bool holds;
	bool may_resolve;      /* resolve_when holds for it */
	struct wall late_from; /* > 0: rows of it came late; the oldest of them */
};

/* Results of one rule at one instant. */
struct eval_set {
	const struct rule *rule;
	const struct rule_group *group;
	struct wall at;
	struct eval_result *results;
	size_t n;
	uint64_t n_over; /* label sets beyond the limit */
	bool
	    unknown; /* a source that it reads is down or has a gap in the window: nothing resolves */
	struct str why;  /* of unknown, or of a failure; empty: none */
	bool failed;     /* the expression could not be evaluated */
	uint64_t n_rows; /* that matched in the window, where known */
	struct span took;
	struct str
	    note; /* what else people should know, such as why the store is asked; empty: nothing */
};

/* What is known of a source: whose rows may be missing. */
struct eval_source {
	struct str stream; /* {…} of its rows, or empty: any */
	struct str name;
	bool down;
	struct wall down_since;
	struct wall gap_from, gap_to; /* the last loss; 0: none */
	struct wall read_to;          /* its watermark: all before is read; 0: unknown */
};

struct eval_options {
	const char *store; /* folder */
	int zone_s;
	unsigned n_threads;
	uint64_t memory_max; /* 0: EVAL_MEMORY_MAX */
	/* Instants are those of the host's clock: a host that was off is no service that is silent. */
	bool live;
};

/** eval_new(ret, set, opt): ${set} is borrowed and outlives it. */
int eval_new(struct eval **ret, const struct rule_set *set, const struct eval_options *opt);
struct eval *eval_free(struct eval *e);
DEFINE_AUTO(struct eval *, eval_free)

/** eval_warm(e, view, at): read what windows before ${at} need (start, reload): up to the longest window back. */
int eval_warm(struct eval *e, struct store_view *view, struct wall at);

/**
 * eval_feed(e, view, first_row, ret_next_row):
 * Take in the rows of the view with that number or above, once each; ${ret_next_row} is where the next feed begins.
 */
int eval_feed(struct eval *e, struct store_view *view, uint64_t first_row, uint64_t *ret_next_row);

/**
 * eval_group(e, view, group, at, sources, n, fn, ctx):
 * All rules of a group at an instant, in order; a set and its texts live until ${fn} returns.  Instants of a group ascend.
 */
typedef int (*eval_fn)(void *ctx, const struct eval_set *set);
int eval_group(struct eval *e, struct store_view *view, const struct rule_group *group,
    struct wall at, const struct eval_source *sources, size_t n_sources, eval_fn fn, void *ctx);

/** eval_late(e, view, group, fn, ctx): instants before the last one whose windows late rows have re-opened, in order; each
 * set as eval_group gives it, with its own at.  At most EVAL_LATE_MAX instants a call; older ones are widened. */
enum { EVAL_LATE_MAX = 240 };
int eval_late(struct eval *e, struct store_view *view, const struct rule_group *group, eval_fn fn,
    void *ctx);

/** eval_needs_from(e, at): event times below it no rule needs any more. */
struct wall eval_needs_from(const struct eval *e, struct wall at);

/** eval_memory(e): bytes held. */
uint64_t eval_memory(const struct eval *e);
