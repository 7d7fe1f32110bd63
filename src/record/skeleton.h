/*
 * record/skeleton.h - the skeleton of a message.
 * One job: a message's text with its digit-bearing words taken out, by one rule.
 * Floor: 1 (uses base).
 *
 * A token is a run of [A-Za-z0-9._-]; one that bears a digit is a variable and becomes <*>, all else is
 * kept.  patterns, new-form alerts and template coding use this rule and no other.
 */
#pragma once

#include "base/buf.h"

/** skeleton_of(out, msg): append the skeleton of ${msg}. */
void skeleton_of(struct buf *out, struct str msg);

/** skeleton_hash(msg): hash64 of the skeleton, without building it where possible. */
uint64_t skeleton_hash(struct str msg);

/**
 * skeleton_next(msg, at, ret_start, ret_end):
 * The next variable at or after ${at}: [start, end).  False when there is none.
 */
bool skeleton_next(struct str msg, size_t at, size_t *ret_start, size_t *ret_end);
