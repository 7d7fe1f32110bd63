/*
 * alerts/dispatch.h - from alerts to notifications.
 * One job: Alertmanager's grouping, waits, inhibition, silences, mute times, repeats and deduplication.
 * Floor: 4 (uses logsql, base).
 *
 * Pure: time is given, notifications come out of a function; state is written into state.db within the caller's step.
 */
#pragma once

#include "alerts/route.h"
#include "alerts/silence.h"
#include "alerts/statedb.h"

/* An alert as routing sees it: from our rules, or posted to the API. */
struct route_alert {
	struct labels labels, annotations;
	struct wall starts_at,
	    ends_at; /* ends_at 0: firing until told (ours); in the past: resolved */
	struct wall updated_at;
	struct str generator; /* URL, or "weir query …" */
	uint64_t rule_id;     /* 0: not of our rules */
	double value;
	struct labels values;
	struct wall late_from; /* > 0: it happened then */
	bool digest;           /* flapping: say so instead of each change */
};

enum notify_reason { NOTIFY_FIRST, NOTIFY_CHANGED, NOTIFY_REPEAT, NOTIFY_RESOLVED };

struct notification {
	struct str id; /* stable over a restart: of group key, integration and serial */
	const struct receiver *receiver;
	const struct integration *integration;
	struct str group_key; /* as Alertmanager writes it: {}/{…}:{a="b"} */
	struct labels group_labels, common_labels, common_annotations;
	enum notify_reason reason;
	bool firing; /* at least one fires: the status of it all */
	const struct route_alert *alerts;
	size_t n;
	uint64_t n_cut; /* beyond max_alerts or DISPATCH_ALERTS_MAX */
	struct wall at;
};

enum {
	DISPATCH_ALERTS_MAX = 1000,  /* alerts told in one notification; the rest is counted */
	DISPATCH_GROUPS_MAX = 10000, /* beyond it new ones join one digest group, and it is said */
};

struct dispatch;
typedef int (*notify_fn)(void *ctx, const struct notification *n);

int dispatch_new(struct dispatch **ret, const struct routing *r, struct silences *sil,
    struct statedb *db);
struct dispatch *dispatch_free(struct dispatch *d);
DEFINE_AUTO(struct dispatch *, dispatch_free)

/** dispatch_reload(d, r): groups and what was told of them go on. */
int dispatch_reload(struct dispatch *d, const struct routing *r);

/** dispatch_put(d, alerts, n, now): new, changed or resolved alerts; copied. */
int dispatch_put(struct dispatch *d, const struct route_alert *alerts, size_t n, struct wall now);

/** dispatch_step(d, now, fn, ctx): groups that are due; each notification once. */
int dispatch_step(struct dispatch *d, struct wall now, notify_fn fn, void *ctx);
/** dispatch_next(d): when the next group is due; INT64_MAX: none. */
struct wall dispatch_next(const struct dispatch *d);

/** dispatch_save(d): what changed, into the open transaction. */
int dispatch_save(struct dispatch *d);

/** dispatch_why(d, labels, now, out): which route and group, and which silence, inhibition, interval or wait holds it; lines. */
int dispatch_why(struct dispatch *d, const struct labels *l, struct wall now, struct buf *out);
