/*
 * alerts/state_internal.h - inside the state of alerts.
 * One job: what the state*.c files share.
 * Floor: 4 (uses base).
 */
#pragma once

#include "alerts/state.h"

/* Label sets with all their texts in one piece of memory. */
struct state_labels {
	struct labels l;
	void *mem;
};

/*
 * Invariants: a is the first member, and its label sets are those of the three below; in the table once; in its rule's
 * list once; flaps[0..n_flaps) ascend.
 */
struct state_alert {
	struct alert a;
	struct state_labels labels, annotations, values;
	struct state_alert *next_hash, *next, *prev; /* in its rule's list */
	struct state_rule *of;
	uint64_t
	    order; /* of its coming, so that changes are told in the same order after a restart */
	uint64_t seen;      /* the set in which it came last */
	struct wall *flaps; /* changes of late, STATE_FLAPS_MAX at most; NULL: none yet */
	unsigned n_flaps;
	struct wall late_since, late_last; /* a run of late instants at which it held */
	bool late;                         /* it came to be by a late instant */
	bool dirty;                        /* the database has another one, or none */
};

/* The alerts of one rule. */
struct state_rule {
	uint64_t id;
	const struct rule *rule; /* NULL: gone */
	const struct rule_group *group;
	struct state_alert *head, *tail;
	size_t n;
};

/* A run of instants at which an alert held that is over. */
struct state_past {
	uint64_t rule_id, fp;
	struct wall from, to;
};
enum { STATE_PAST_MAX = 4096 }; /* of all rules; the oldest go */

struct state {
	struct statedb *db;
	struct state_rule **rules; /* sorted by ID */
	size_t n_rules;
	struct state_alert **table;
	size_t n_table, n_alerts;
	struct state_alert *freed; /* inactive ones whose rows wait to be deleted, by next */
	uint64_t serial, epoch, order;
	struct state_past *past; /* a ring: number i stands at i % STATE_PAST_MAX */
	uint64_t past_seq, past_saved;
	struct wall last_at; /* the latest instant that was applied */
	bool changed;        /* since the last save: what a restart must find */
	struct arena work;   /* texts of one set */
	struct buf text, why;
};

/* A set on its way through. */
struct apply {
	struct state *s;
	struct state_rule *of;
	const struct eval_set *set;
	state_change_fn fn;
	void *ctx;
	bool late;
	size_t n;        /* alerts of the rule that count for its limit */
	uint64_t n_over; /* label sets beyond it */
};

/* state.c */
struct state_alert *state_find(struct state *s, const struct state_rule *of, uint64_t fp,
    const struct labels *l);
/** state_add(s, of, labels, fp, ret): inactive, in the table. */
int state_add(struct state *s, struct state_rule *of, const struct labels *l, uint64_t fp,
    struct state_alert **ret);
/** state_drop(s, sa): it is inactive: its row goes with the next save. */
void state_drop(struct state *s, struct state_alert *sa);
struct state_rule *state_rule_find(struct state *s, uint64_t id);
/** state_labels_set(to, l): a copy; what was there is freed. */
int state_labels_set(struct state_labels *to, const struct labels *l);

/** state_orphan_rule(s, id, ret): the record of a rule that may be gone. */
int state_orphan_rule(struct state *s, uint64_t id, struct state_rule **ret);
/** state_free_dropped(s): those whose rows are deleted. */
void state_free_dropped(struct state *s);

/* state_past.c */
int state_past_note(struct state *s, const struct alert *a);
bool state_past_has(const struct state *s, uint64_t rule_id, uint64_t fp, struct wall at);
int state_past_save(struct state *s);
int state_past_load(struct state *s);

/* state_flap.c */
/** state_flap_note(sa, at): one more change; true: from now on it flaps. */
bool state_flap_note(struct state_alert *sa, struct wall at);
/** state_flap_over(sa, at): it flapped, and has been quiet long enough. */
bool state_flap_over(struct state_alert *sa, struct wall at);
/** state_flap_known(sa, at): changes that still count. */
bool state_flap_known(struct state_alert *sa, struct wall at);

/* state_text.c */
/** state_labels_of(s, of, res, ret): the labels of a result row, in s->work. */
int state_labels_of(struct state *s, const struct state_rule *of, const struct labels *by,
    const struct eval_result *res, struct labels *ret);
/** state_describe(s, sa, res): values, value and annotations as of this row. */
int state_describe(struct state *s, struct state_alert *sa, const struct eval_result *res);

/* state_save.c */
int state_load(struct state *s);
