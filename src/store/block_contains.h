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

/** block_match_find(m, text): where ${text} has it first, or SIZE_MAX. */
static inline size_t
block_match_find(const struct block_match *m, struct str text)
{
	return m->nocase ? str_find_nocase(text, m->literal) : str_find(text, m->literal);
}

/**
 * block_match_run(m, text, ends, rows, found):
 * Set the bit rows[k] for every value k that contains the literal; value k is text up to ends[k], from where
 * the one before ends.
 */
void block_match_run(const struct block_match *m, struct str text, const uint32_t *ends,
    const uint32_t *rows, uint64_t *found);
