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
	bool timeout;          /* ends_at is only for when nobody posts it again */
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
	DISPATCH_ALERTS_MAX = 1000, /* alerts told in one notification; the rest is counted */
	DISPATCH_GROUPS_MAX =
	    10000, /* beyond it new ones join one digest group of their route, and it is said */
	DISPATCH_MEMORY_MAX = 64
	    << 20, /* bytes of all alerts; beyond it new ones are counted, and told as cut from their route's digest */
	DISPATCH_TOLD_MAX =
	    50000, /* what was told of groups that are gone is forgotten beyond it */
};

struct dispatch_stats {
	uint64_t n_alerts, n_groups, n_bytes;
	uint64_t n_digested; /* alerts that joined a digest group, ever */
	uint64_t n_refused;  /* … that there was no room for, ever */
	uint64_t n_notifications;
};

/** dispatch_common(arena, alerts, n, annotations, ret): labels (or annotations) that all ${n} have, with the same value; borrowed from
 * the first, of which there has to be one. */
int dispatch_common(struct arena *arena, const struct route_alert *alerts, size_t n,
    bool annotations, struct labels *ret);

struct dispatch;
typedef int (*notify_fn)(void *ctx, const struct notification *n);

int dispatch_new(struct dispatch **ret, const struct routing *r, struct silences *sil,
    struct statedb *db);
struct dispatch *dispatch_free(struct dispatch *d);
DEFINE_AUTO(struct dispatch *, dispatch_free)

/** dispatch_reload(d, r): groups and what was told of them go on.  The old routing is freed after it, by the caller; after a failure the
 * room is loaded again. */
int dispatch_reload(struct dispatch *d, const struct routing *r);

/** dispatch_put(d, alerts, n, now): new, changed or resolved alerts; copied.  A posted one (rule_id 0) that overlaps with what is known
 * of it is merged, as Alertmanager does. */
int dispatch_put(struct dispatch *d, const struct route_alert *alerts, size_t n, struct wall now);

/** dispatch_step(d, now, fn, ctx): groups that are due; each notification once. */
int dispatch_step(struct dispatch *d, struct wall now, notify_fn fn, void *ctx);
/** dispatch_next(d): when the next group is due; INT64_MAX: none. */
struct wall dispatch_next(const struct dispatch *d);

/** dispatch_save(d): what changed, into the open transaction.  After a rollback the room is ahead of the database: free it and load it again. */
int dispatch_save(struct dispatch *d);

void dispatch_stats(const struct dispatch *d, struct dispatch_stats *ret);

/** dispatch_why(d, labels, now, out): which route and group, and which silence, inhibition, interval or wait holds it; lines. */
int dispatch_why(struct dispatch *d, const struct labels *l, struct wall now, struct buf *out);
