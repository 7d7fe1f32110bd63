/*
 * base/literals.h - what is looked for.
 * One job: a few literals, one of which is in whatever is to be found.
 * Floor: 0.
 */
#pragma once

#include "base/str.h"

enum { LITERALS_MAX = 16 };

/* Invariants: n is at most LITERALS_MAX; none is empty; nocase: letters are ASCII's of any case, given in lower case. */
struct literals {
	struct str p[LITERALS_MAX];
	size_t n; /* 0: nothing is known */
	bool nocase;
	bool gaps; /* LITERAL_ANY in them, not at their ends, is any one character */
};
/* A byte that is in no UTF-8. */
enum { LITERAL_ANY = 0xff };
