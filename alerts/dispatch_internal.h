/*
 * alerts/dispatch_internal.h - inside the dispatcher.
 * One job: alerts, groups, and what was told of them, as the dispatcher's files share them.
 * Floor: 4 (uses logsql, base).
 *
 *   put --> entries (one an alert) --> groups (a route's, by its group_by) --timer--> muted? --> told already? --> notification
 */
#pragma once

#include "alerts/dispatch.h"
#include "base/map.h"

enum {
	DISPATCH_TICK_S = 30,   /* empty groups go, old alerts go */
	DISPATCH_KEEP_MIN = 30, /* a resolved alert is known for so long, for when it comes again */
	DISPATCH_TOLD_KEEP_H = 120, /* and what was told, at the most */
};

/* ---- 64-bit names to pointers ---- */

/* Invariants: n_slots is 0 or a power of two of at least 2 * n; a slot is free iff its p is NULL. */
struct table_slot {
	uint64_t key;
	void *p;
};
struct table {
	struct table_slot *slots;
	size_t n_slots, n;
};
void *table_get(const struct table *t, uint64_t key);
/** table_put(t, key, p): the key is not there yet.  Errors: -ENOMEM. */
int table_put(struct table *t, uint64_t key, void *p);
void table_drop(struct table *t, uint64_t key);
void table_fini(struct table *t);

/* ---- alerts ---- */

struct group;

/* Invariants: a's texts are in mem; groups[i] has this entry among its members. */
struct entry {
	uint64_t fp;
	struct route_alert a;
	void *mem;
	size_t n_mem;
	struct group **groups;
	uint16_t n_groups;
	bool known; /* new ones merge with it; else it is only kept for a group */
	bool dirty;
	bool held;              /* some silence holds it, or will, as of version */
	uint64_t held_version;  /* of the silences; 0: not asked yet */
	struct entry *next;     /* in d->entries */
	struct entry **at_prev; /* … what points to it */
};

/* A member that left a group since the last save. */
struct leave {
	uint64_t group, fp;
};

struct group {
	uint64_t hash; /* of place and labels; its name in state.db too */
	const struct route *route;
	struct labels labels;
	struct str key, place;
	struct arena arena;
	struct wall next;
	bool flushed, dirty, digest;
	uint64_t n_over; /* alerts that there was no room for */
	struct entry **members;
	bool *saved; /* members[i] stands in state.db */
	size_t n, cap;
};

/* What an integration was told of a group last. */
struct told {
	uint64_t hash;
	struct str key; /* receiver, kind, index, group key */
	struct wall at, expires;
	uint64_t *firing, *resolved; /* ascending */
	size_t n_firing, n_resolved;
	bool dirty, live;
};

struct inhibit;

struct dispatch {
	const struct routing *routing;
	struct silences *silences;
	struct statedb *db; /* NULL: nothing is kept */
	struct table alerts, groups, told;
	struct entry *entries;
	struct group **all; /* in the order they were made */
	size_t n_all, cap_all;
	struct inhibit *inhibit;
	uint64_t n_bytes, serial;
	bool serial_dirty;
	struct wall tick;
	struct leave *leaves;
	size_t n_leaves, cap_leaves;
	uint64_t *gone_groups, *gone_alerts, *gone_told; /* since the last save */
	size_t n_gone_groups, n_gone_alerts, n_gone_told;
	size_t cap_gone_groups, cap_gone_alerts, cap_gone_told;
	struct dispatch_stats stats;
};

/** alert_resolved(a, at): it ended. */
static inline bool
alert_resolved(const struct route_alert *a, struct wall at)
{
	return a->ends_at.ns != 0 && a->ends_at.ns <= at.ns;
}

/* dispatch_store.c */
/** store_put(d, a, ret): the entry of these labels with ${a} in it; ${ret} NULL: there is no room.  Errors: -ENOMEM. */
int store_put(struct dispatch *d, const struct route_alert *a, struct wall now, struct entry **ret);
/** store_add(d, a, ret): as loaded. */
int store_add(struct dispatch *d, uint64_t fp, const struct route_alert *a, struct entry **ret);
/** store_tidy(d, now): what is resolved for long and in no group goes. */
int store_tidy(struct dispatch *d, struct wall now);
void store_fini(struct dispatch *d);
/** ids_put(ids, n, cap, id): append.  Errors: -ENOMEM. */
int ids_put(uint64_t **ids, size_t *n, size_t *cap, uint64_t id);

/* dispatch_group.c */
/** group_of(d, route, alert, now, ret): the group of an alert under a route, made if need be. */
int group_of(struct dispatch *d, const struct route *route, const struct route_alert *a,
    struct wall now, struct group **ret);
/** group_digest(d, route, now, ret): the one that all beyond the bounds join. */
int group_digest(struct dispatch *d, const struct route *route, struct wall now,
    struct group **ret);
/** group_make(d, route, labels, digest, ret): found or made, with neither alerts nor time. */
int group_make(struct dispatch *d, const struct route *route, const struct labels *labels,
    bool digest, bool *ret_new, struct group **ret);
int group_insert(struct dispatch *d, struct group *g, struct entry *e, struct wall now);
/** group_join(g, e, saved): as loaded, or as moved. */
int group_join(struct group *g, struct entry *e, bool saved);
/** group_clear_resolved(d, g, now): those that ended leave. */
int group_clear_resolved(struct dispatch *d, struct group *g, struct wall now);
/** groups_tidy(d): empty ones go. */
int groups_tidy(struct dispatch *d);
void group_free(struct group *g);
/** group_labels_of(arena, route, labels, ret): those that group. */
int group_labels_of(struct arena *arena, const struct route *route, const struct labels *l,
    struct labels *ret);
/** group_key(out, route, labels): as Alertmanager writes it. */
void group_key(struct buf *out, const struct route *route, const struct labels *l);

/* dispatch_flush.c */
int group_flush(struct dispatch *d, struct group *g, struct wall now, notify_fn fn, void *ctx);
/** entry_silenced(d, e, now, arena, ret_ids): how many silences hold it. */
size_t entry_silenced(struct dispatch *d, struct entry *e, struct wall now, struct arena *arena,
    struct str **ret_ids);
/** group_order: types.AlertSlice's: job, instance, then labels. */
int alert_order(const struct labels *a, const struct labels *b);
int labels_order(const struct labels *a, const struct labels *b);

/* dispatch_told.c */
/** told_find(d, g, receiver, integration, ret_hash, ret_key): what was told; NULL: nothing yet. */
struct told *told_find(struct dispatch *d, const struct group *g, const struct receiver *rc,
    const struct integration *in, struct buf *key, uint64_t *ret_hash);
/** told_set(d, t, hash, key, firing, resolved, at, repeat): the lists are copied. */
int told_set(struct dispatch *d, struct told *t, uint64_t hash, struct str key,
    const uint64_t *firing, size_t n_firing, const uint64_t *resolved, size_t n_resolved,
    struct wall at, struct span repeat);
bool told_has_all(const uint64_t *told, size_t n_told, const uint64_t *ids, size_t n);
int told_tidy(struct dispatch *d, struct wall now);
void told_free(struct told *t);

/* dispatch.c */
/** dispatch_place(d, e): into the groups of its routes. */
int dispatch_place(struct dispatch *d, struct entry *e);

/* dispatch_state.c */
int dispatch_load(struct dispatch *d);

/* inhibit.c */
int inhibit_new(struct inhibit **ret, const struct routing *r);
struct inhibit *inhibit_free(struct inhibit *in);
DEFINE_AUTO(struct inhibit *, inhibit_free)
/** inhibit_changed(in): alerts came, changed or went. */
void inhibit_changed(struct inhibit *in);
/** inhibit_find(d, labels, now, ret_fp): whether another alert holds these labels, and which. */
bool inhibit_find(struct dispatch *d, const struct labels *l, struct wall now, uint64_t *ret_fp);
