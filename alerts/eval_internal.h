/*
 * alerts/eval_internal.h - what the evaluator's files share.
 * One job: what is kept of each rule, and how its rows become results.
 * Floor: 4 (uses query, store, logsql, record, base).  Room-internal.
 */
#pragma once

#include "alerts/eval.h"
#include "logsql/filter.h"
#include "logsql/pipe.h"
#include "query/run.h"
#include "store/read.h"

/* A source that is further behind is not known. */
#define EVAL_BEHIND_MAX_NS NS_PER_MIN

enum {
	EVAL_SCANNED_MAX = 200000000,    /* rows that one answer of the store may read */
	EVAL_ASK_MEMORY_MAX = 256 << 20, /* bytes that it may hold meanwhile */
};

/*
 * A rule as it is evaluated.
 * Invariants: labels and value are names in the rows that come out; trailing filters are pipes [n_asked, n_pipes) of the
 * rule's query, and there are such only for a rule with resolve_when.
 */
struct eval_rule {
	const struct rule *rule;
	const struct rule_group *group;
	const struct pipe *stats; /* the last one; NULL: none */
	size_t n_asked;           /* pipes that make the rows of results */
	struct names labels;
	struct str value;
};

struct eval {
	const struct rule_set *set;
	struct eval_options opt;
	struct eval_rule *rules; /* in the order of groups */
	size_t n_rules;
	struct arena arena; /* as long as the evaluator */
	struct arena work;  /* as long as one set */
};

/** eval_shape(er, arena): labels, value and n_asked from the rule's query. */
int eval_shape(struct eval_rule *er, struct arena *arena);

/* Results being gathered out of batches. */
struct eval_take {
	const struct eval_rule *er;
	struct arena *arena;
	struct eval_set *set;
	size_t cap;
};

/** eval_take_batch(ctx, b): the rows of ${b} as results; ${ctx} is a struct eval_take. */
int eval_take_batch(void *ctx, struct batch *b);

/** eval_ask(e, er, view, at, ret): the store's answer; ${ret} says what failed. */
int eval_ask(struct eval *e, const struct eval_rule *er, struct store_view *view, struct wall at,
    struct eval_set *ret);

/** eval_fail(e, set, why): the set could not be made. */
int eval_fail(struct eval *e, struct eval_set *set, struct str why);

/** eval_unknown(e, er, at, sources, n, set): whether a source that the rule reads has a gap in the window. */
int eval_unknown(struct eval *e, const struct eval_rule *er, struct wall at,
    const struct eval_source *sources, size_t n, struct eval_set *set);
