/*
 * alerts/state.h - the state of alerts.
 * One job: results of rules at instants become inactive, pending, firing, resolved; unknown when the source has a gap.
 * Floor: 4 (uses base).
 *
 *   inactive --row--> pending --for--> firing --row gone, keep_firing_for over--> resolved --> inactive
 *   unknown: nothing resolves and nothing new is said to be fine.
 *   flapping: each change is told still, with ->flapping set, so that routing may keep to one digest; one that is inactive
 *   is kept as long as it flaps.
 *   Beyond the group's limit, or STATE_ALERTS_MAX, new label sets of a rule are one alert {overflow="true"} whose value is
 *   their number.
 *   Late: an instant before the last one, seen again.  What it holds fires with ->late_from; what was known does not
 *   resolve by it.
 * Pure: time is given; it writes its rows into state.db within the step that the caller opened.
 */
#pragma once

#include "alerts/eval.h"
#include "alerts/statedb.h"

enum alert_state { ALERT_INACTIVE, ALERT_PENDING, ALERT_FIRING };

/* One alert.  Borrowed from the room; valid until the next call. */
struct alert {
	uint64_t rule_id;
	const struct rule *rule; /* NULL: the rule is gone */
	const struct rule_group *group;
	struct labels labels;      /* alertname, alertgroup, by, the rule's */
	struct labels annotations; /* as of the last evaluation */
	struct labels values;
	uint64_t fingerprint;
	enum alert_state state;
	bool unknown; /* its source has a gap: kept as it was */
	struct wall active_at, fired_at, resolved_at, keep_since, last_seen;
	struct wall late_from; /* > 0: it happened then, and was seen at fired_at */
	double value;
	unsigned n_flaps; /* changes within the rule's flap window */
	bool flapping;
	uint64_t serial; /* of its last change of state; with fingerprint the event's ID */
};

enum alert_change {
	CHANGE_PENDING,
	CHANGE_FIRING,
	CHANGE_RESOLVED,
	CHANGE_DROPPED,
	CHANGE_UNKNOWN,
	CHANGE_KNOWN,
	CHANGE_FLAPPING, /* it changes too often: one digest from now on */
	CHANGE_STEADY,   /* … and has been quiet for as long: told as it is now */
};

enum { STATE_ALERTS_MAX = 100000, STATE_FLAPS_MAX = 1000 };

struct state;
typedef int (
    *state_change_fn)(void *ctx, const struct alert *a, enum alert_change c, struct wall at);

/** state_new(ret, set, db): load what state.db knows of the rules of ${set}; alerts of rules that are gone resolve at the next step. */
int state_new(struct state **ret, const struct rule_set *set, struct statedb *db);
struct state *state_free(struct state *s);
DEFINE_AUTO(struct state *, state_free)

/** state_apply(s, set, fn, ctx): one rule's results at one instant; each change is told in order. */
int state_apply(struct state *s, const struct eval_set *set, state_change_fn fn, void *ctx);

/** state_apply_late(s, set, fn, ctx): an instant before the last one, seen again with late rows. */
int state_apply_late(struct state *s, const struct eval_set *set, state_change_fn fn, void *ctx);

/** state_reload(s, set): other rules; alerts of rules that stay go on.  On failure all is as before. */
int state_reload(struct state *s, const struct rule_set *set);

/** state_orphans(s, at, fn, ctx): alerts whose rule is gone resolve. */
int state_orphans(struct state *s, struct wall at, state_change_fn fn, void *ctx);

/** state_peek(s, rule_id, labels): the alert, or NULL. */
const struct alert *state_peek(struct state *s, uint64_t rule_id, const struct labels *l);

/** state_clock(s, now): the clock was set back: what is pending or kept counts from ${now} at the latest. */
void state_clock(struct state *s, struct wall now);

/** state_changed(s): whether something changed that a restart must find, since the last state_save. */
bool state_changed(const struct state *s);

/** state_save(s): what changed since the last time, into the open transaction. */
int state_save(struct state *s);

/** state_each(s, fn, ctx): all alerts that are not inactive, or flap, by rule. */
typedef int (*state_each_fn)(void *ctx, const struct alert *a);
int state_each(struct state *s, state_each_fn fn, void *ctx);
