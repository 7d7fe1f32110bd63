/*
 * query/stats_exact.h - sums of doubles that no order of adding changes.
 * One job: a sum kept in full, rounded once when it is asked for.
 * Floor: 3 (uses base).
 *
 * A sum depends on the rows only: not on where blocks end, which thread came first or what was merged with what.  Doubles added
 * one by one round at each step, and then it does.  So a sum here is an integer of as many bits as its values need, in limbs of 32
 * bits that each have 31 more for carries: adding a double adds its bits to three limbs, with no rounding and no branch on what is
 * there, and carries are settled once in 2^30 additions (Kulisch's accumulator, in a window).  Values of logs lie close together: a
 * window of three or four limbs is usual, and one from the least double to the square of the greatest has 134.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"

/*
 * Invariants: the sum is Σ limbs[i] · 2^(32 (first + i)) over i < n; |limbs[i]| < 2^62 as long as added < 2^30.  NULL is 0.
 */
struct exact {
	int32_t first;
	uint32_t n;
	uint32_t added; /* since carries were settled */
	int64_t limbs[];
};

/* Two doubles that do not overlap: 106 bits. */
struct twice {
	double hi, lo;
};

/** exact_add(e, v), exact_add_square(e, v): ${v} is finite. */
int exact_add(struct exact **e, double v);
int exact_add_square(struct exact **e, double v);

/** exact_merge(to, from): ${from} stays as it is, but for its carries. */
int exact_merge(struct exact **to, struct exact **from);

/** exact_value(e, ret): the nearest double, and the nearest to what is left; infinite when it is beyond all doubles. */
int exact_value(const struct exact *e, struct twice *ret);

/** exact_bytes(e): what it takes. */
int64_t exact_bytes(const struct exact *e);

/** exact_save(e, out), exact_load(in, ret): as bytes, for this process alone. */
int exact_save(struct exact **e, struct buf *out);
int exact_load(struct scan *in, struct exact **ret);
