/*
 * alerts/label.h - label sets.
 * One job: the names and values that tell one alert from another.
 * Floor: 4 (uses record, base).
 *
 * The fingerprint is Prometheus' (FNV-1a, 64 bits, over name 0xff value 0xff in the order of names), so that ours are
 * those of Alertmanager for the same labels.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "record/stream.h" /* struct label */

/* Invariants: sorted by name, names unique, no value empty.  Borrowed: lives as long as the arena it was made in. */
struct labels {
	struct label *p;
	size_t n;
};

/** labels_make(arena, in, n, ret): sort, keep the last of equal names, leave empty values out.  Errors: -ENOMEM. */
int labels_make(struct arena *arena, const struct label *in, size_t n, struct labels *ret);

/** labels_with(arena, l, more, n, ret): ${l} with ${more} over it.  Errors: -ENOMEM. */
int labels_with(struct arena *arena, const struct labels *l, const struct label *more, size_t n,
    struct labels *ret);

/** labels_dup(arena, l, ret): a copy whose texts are the arena's. */
int labels_dup(struct arena *arena, const struct labels *l, struct labels *ret);

/** labels_get(l, name): the value, or empty. */
struct str labels_get(const struct labels *l, struct str name);

bool labels_equal(const struct labels *a, const struct labels *b);

/** labels_fingerprint(l): Prometheus' fingerprint; shown as 16 hex digits. */
uint64_t labels_fingerprint(const struct labels *l);

/** labels_format(out, l): {a="x", b="y"}, values escaped as Go's %q does for what Prometheus prints. */
void labels_format(struct buf *out, const struct labels *l);

enum { LABELS_E_BAD = 1 };
/** labels_parse(text, arena, ret): what labels_format wrote.  Errors: LABELS_E_BAD, -ENOMEM. */
int labels_parse(struct str text, struct arena *arena, struct labels *ret);
