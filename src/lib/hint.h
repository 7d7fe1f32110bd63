/*
 * lib/hint.h - when nothing came out.
 * One job: say what nearly the same query would have found.
 * Floor: 4 (uses query, store, logsql, record, base).
 */
#pragma once

#include "lib/ask.h"

/**
 * hint_empty(q, opt, out):
 * Append lines for people, each with a newline, or nothing: a field that no row has and the nearest that one has; a word
 * that would match in another case or inside of words; status>=500 for status:>=500.  Bounded: each try ends at its
 * first row and looks at the newest blocks of a store alone; inputs that can be read only once are not tried.
 */
int hint_empty(struct query *q, const struct ask_options *opt, struct buf *out);
