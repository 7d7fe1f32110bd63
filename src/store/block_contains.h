/*
 * store/block_contains.h - what a substring search looks for.
 * One job: the literal, and whether one value contains it.
 * Floor: 2 (uses base).
 */
#pragma once

#include <stdbool.h>

#include "base/str.h"

/* nocase: literal is in lower case. */
struct match {
	struct str literal;
	bool nocase;
};

/** match_in(m, v): whether value ${v} contains it. */
bool match_in(const struct match *m, struct str v);
