/*
 * store/block_contains.h - what a substring search looks for.
 * One job: the literal, and whether one value contains it.
 * Floor: 2 (uses base).
 */
#pragma once

#include "base/arena.h"
#include "base/literals.h"

/* nocase: literal is in lower case.  gaps: LITERAL_ANY in it is any one character. */
struct block_match {
	struct str literal;
	bool nocase, gaps;
};

static inline bool
block_match_is_gap(const struct block_match *m, size_t at)
{
	return m->gaps && m->literal.p[at] == LITERAL_ANY;
}

/** block_match_gaps(m, text): block_match_find where there are gaps. */
size_t block_match_gaps(const struct block_match *m, struct str text);

/** block_match_find(m, text): where ${text} has it first, or SIZE_MAX. */
static inline size_t
block_match_find(const struct block_match *m, struct str text)
{
	if (m->gaps)
		return block_match_gaps(m, text);
	return m->nocase ? str_find_nocase(text, m->literal) : str_find(text, m->literal);
}

/**
 * block_match_run(m, text, ends, rows, found):
 * Set the bit rows[k] for every value k that contains the literal; value k is text up to ends[k], from where
 * the one before ends.
 */
void block_match_run(const struct block_match *m, struct str text, const uint32_t *ends,
    const uint32_t *rows, uint64_t *found);
