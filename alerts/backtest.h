/*
 * alerts/backtest.h - what rules would have done.
 * One job: run rules over a range of history and keep when each alert fired, when it was told, and how often at other thresholds.
 * Floor: 4 (uses query, store, logsql, record, base).
 */
#pragma once

#include <stdatomic.h>

#include "alerts/sim.h"
#include "base/map.h"

enum { BACKTEST_ALERTS_MAX = 100000, BACKTEST_SWEEP = 7 };

/* From firing to resolved. */
struct backtest_alert {
	const struct rule_group *group;
	const struct rule *rule;
	struct labels labels;
	uint64_t fingerprint;
	struct wall active_at, fired_at;
	struct wall told_at;     /* the first notification after it; 0: none */
	struct wall resolved_at; /* 0: it fires at the end */
	double value;            /* when it fired */
};

struct backtest_rule {
	const struct rule_group *group;
	const struct rule *rule;
	uint64_t n_fires, n_evals, n_failed, n_unknown;
	struct span firing; /* all alerts of it together */
	/* sweep: the thresholds of the last comparison, the rule's own among them */
	bool swept;
	struct str threshold_of; /* hits:> */
	double thresholds[BACKTEST_SWEEP];
	uint64_t fires[BACKTEST_SWEEP];
};

struct backtest_note {
	struct wall at;
	struct str receiver, to, subject; /* to: recipients or "webhook" */
	bool firing;
	size_t n_alerts;
};

struct backtest {
	struct backtest_alert *alerts;
	size_t n_alerts, cap_alerts;
	uint64_t n_more; /* beyond BACKTEST_ALERTS_MAX */
	struct map last; /* by rule and fingerprint: 1 + the number of its latest */
	struct backtest_rule *rules;
	size_t n_rules;
	struct backtest_note *notes;
	size_t n_notes, cap_notes;
	uint64_t n_held, n_cut; /* notifications that silences held, or took some alerts out of */
	struct wall since, until;
	struct span took;
	struct arena arena;
};

struct backtest_options {
	const char *store;
	const struct rule_set *set;
	const struct routing *routing; /* NULL: no notifications */
	struct silences *silences;     /* NULL: none */
	const char *host;
	int zone_s;
	struct wall since, until; /* since goes up to the first row there is */
	bool sweep;
	const atomic_bool *stop;
	void (*progress)(void *ctx, struct wall at); /* may be NULL */
	void *progress_ctx;
};

/** backtest_run(ret, opt, ret_why): SIM_E_STORE (${ret_why}); -ECANCELED: stopped; -errno. */
int backtest_run(struct backtest **ret, const struct backtest_options *opt, struct buf *ret_why);
struct backtest *backtest_free(struct backtest *b);
DEFINE_AUTO(struct backtest *, backtest_free)

/** backtest_days(b): of the range, at least a part of one. */
double backtest_days(const struct backtest *b);

/* For backtest.c: rules with other thresholds (backtest_sweep.c). */
/** sweep_rules(b, set, ret): one group set with BACKTEST_SWEEP copies of each rule that has a threshold; 0 groups: none has. */
int sweep_rules(struct backtest *b, const struct rule_set *set, struct rule_set *ret);
/** sweep_find(b, id, ret_k): the rule and the threshold that a copy's id stands for. */
struct backtest_rule *sweep_find(struct backtest *b, uint64_t id, size_t *ret_k);
