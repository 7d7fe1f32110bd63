/*
 * store/block_contains.h - what a substring search looks for.
 * One job: the literal, and whether one value contains it.
 * Floor: 2 (uses base).
 */
#pragma once

#include "base/arena.h"

/* nocase: literal is in lower case. */
struct block_match {
	struct str literal;
	bool nocase;
};

/** block_match_in(m, v): whether value ${v} contains it. */
bool block_match_in(const struct block_match *m, struct str v);

/** block_match_fold(v, arena): a copy of ${v} in lower case, or NULL without memory. */
uint8_t *block_match_fold(struct str v, struct arena *arena);

/**
 * block_match_run(m, text, ends, rows, found):
 * Set the bit rows[k] for every value k that contains the literal; value k is text up to ends[k], from where
 * the one before ends.  With nocase, text is in lower case already.
 */
void block_match_run(const struct block_match *m, struct str text, const uint32_t *ends,
    const uint32_t *rows, uint64_t *found);
