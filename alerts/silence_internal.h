/*
 * alerts/silence_internal.h - inside the silences.
 * One job: what keeping and storing them share.
 * Floor: 4 (uses base).
 */
#pragma once

#include "alerts/silence.h"

/* One silence with its own memory, so that it can go alone. */
struct kept {
	struct silence s;
	struct arena arena;
	bool dirty;
};

/* Invariants: all[0, n) in the order they were made; version changes with each change of any. */
struct silences {
	struct statedb *db; /* NULL: nothing is kept */
	struct kept **all;
	size_t n, cap;
	uint64_t version;
};

/** kept_new(in, now, ret, why): a copy, its matchers and query compiled.  SILENCE_E_BAD with ${why}. */
int kept_new(const struct silence *in, struct wall now, struct kept **ret, struct buf *why);
int kept_add(struct silences *s, struct kept *k);
void kept_free(struct kept *k);
/** silence_check(s, why): SILENCE_E_BAD: what Alertmanager refuses, in its words. */
int silence_check(const struct silence *s, struct buf *why);

/* silence_state.c */
int silences_load(struct silences *s);
