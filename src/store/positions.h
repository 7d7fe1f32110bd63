/*
 * store/positions.h - the sources' positions.
 * One job: keep what was committed and what was set since, key by key.
 * Floor: 2 (uses base).  Room-internal.
 */
#pragma once

#include "base/buf.h"
#include "base/map.h"

/* Invariant: changed says that next differs from, or was set since, committed. */
struct position {
	struct buf committed, next; /* empty: the key is gone */
	bool changed;
};

struct positions {
	struct map keys; /* key to index into v */
	struct position *v;
	size_t n, cap;
	size_t n_changed;
};

void positions_fini(struct positions *p);
int positions_set(struct positions *p, struct str key, struct str value);
/** positions_load(p, key, value): the same, committed already (start-up). */
int positions_load(struct positions *p, struct str key, struct str value);
struct str positions_get(const struct positions *p, struct str key);
/** positions_put(p, all, out, ret_n): what a COMMIT says, as it will be when it is durable. */
int positions_put(const struct positions *p, bool all, struct buf *out, uint32_t *ret_n);
/** positions_commit(p), positions_abort(p): what was set is committed, or forgotten. */
void positions_commit(struct positions *p);
void positions_abort(struct positions *p);
typedef int (*positions_fn)(void *ctx, struct str key, struct str value);
int positions_each(const struct positions *p, positions_fn fn, void *ctx);
