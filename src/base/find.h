/*
 * base/find.h - where bytes stand.
 * One job: the loop beneath str_find and str_find_nocase, by level of CPU.
 * Floor: 0.
 */
#pragma once

#include "base/cpu.h"
#include "base/str.h"

/* Two bytes that are looked for together; fold is ored to what is compared with them. */
struct find_pair {
	uint8_t a, b, fold;
};

/** A variant: the first i < n with (p[i] | fold) == a and (q[i] | fold) == b, or n.  Shapes: p[n], q[n]. */
typedef size_t (*find_pair_fn)(const uint8_t *p, const uint8_t *q, size_t n, struct find_pair pair);

/* By level. */
extern const find_pair_fn find_pair_table[CPU_N_LEVELS];

#if CPU_X86
size_t find_pair_avx2(const uint8_t *p, const uint8_t *q, size_t n, struct find_pair pair);
#endif
