/*
 * store/block_contains.h - what a substring search looks for.
 * One job: the literal, and whether one value contains it.
 * Floor: 2 (uses base).
 */
#pragma once

#include "base/arena.h"

/* nocase: literal is in lower case. */
struct match {
	struct str literal;
	bool nocase;
};

/** match_in(m, v): whether value ${v} contains it. */
bool match_in(const struct match *m, struct str v);

/** match_fold(v, arena): a copy of ${v} in lower case, or NULL without memory. */
uint8_t *match_fold(struct str v, struct arena *arena);

/**
 * match_run(m, text, ends, rows, found):
 * Set the bit rows[k] for every value k that contains the literal; value k is text up to ends[k], from where
 * the one before ends.  With nocase, text is in lower case already.
 */
void match_run(const struct match *m, struct str text, const uint32_t *ends, const uint32_t *rows,
    uint64_t *found);
