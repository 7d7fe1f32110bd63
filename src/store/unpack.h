/*
 * store/unpack.h - packed bits, many at a time.
 * One job: functions for each level of CPU that do the same as the portable ones, byte for byte.
 * Floor: 2 (uses base).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/cpu.h"

/* How far steps go on and back in all, and the bits that any of them needs (of a negative one those of its complement). */
struct unpack_sums {
	uint64_t on, back, any;
};

/*
 * As far as whole steps go: each gives how many of the n values it has unpacked; the rest is the caller's.  p has
 * n_bytes bytes, and no byte beyond them is read.
 */
struct unpack_ops {
	size_t (*u32)(const uint8_t *p, size_t n_bytes, size_t n, unsigned width, uint32_t *out);
	/* base is added to each */
	size_t (*i64)(const uint8_t *p, size_t n_bytes, size_t n, unsigned width, uint64_t base,
	    int64_t *out);
	/* of all n; modulo 2^64 */
	void (*sums)(const int64_t *v, size_t n, struct unpack_sums *ret);
};

/* By level. */
extern const struct unpack_ops *const unpack_table[CPU_N_LEVELS];

/** unpack_best(): those of cpu_level(). */
static inline const struct unpack_ops *
unpack_best(void)
{
	return unpack_table[cpu_level()];
}
