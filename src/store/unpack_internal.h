/*
 * store/unpack_internal.h - the variants of unpacking.
 * One job: declare them, and what they share.
 * Floor: 2 (uses base).
 *
 * Idea of all but the portable one: eight values of w bits are w bytes, so that every step of eight begins at a byte
 * and has its values in the same places.  A shuffle brings the bytes of each value into its lane, a shift and a mask
 * do the rest; the vectors for them are made once a run.  Source: Willhalm and others, SIMD-Scan (VLDB 2009).
 */
#pragma once

#include "store/unpack.h"

enum { UNPACK_STEP = 8, UNPACK_LANE = 16 };

/*
 * How many values whole steps of ${per_step} give, each of which reads the next ${reach} bytes; ${per_step} is a
 * multiple of eight, ${reach} at least the step's own bytes.
 */
static inline size_t
unpack_steps(size_t n_bytes, size_t n, unsigned width, size_t per_step, size_t reach)
{
	size_t k;

	if (n_bytes < reach)
		return 0;
	k = (n_bytes - reach) / (per_step / 8 * width) + 1;
	return (k < n / per_step ? k : n / per_step) * per_step;
}

/* Lane i of ${lane} bytes takes the bytes from the one on in which the value that begins at bit + i * width does. */
static inline void
unpack_pick(uint8_t *bytes, size_t n, size_t lane, unsigned bit, unsigned width)
{
	size_t i, k;

	for (i = 0; i < n; i++, bit += width)
		for (k = 0; k < lane; k++)
			bytes[i * lane + k] = (uint8_t)(bit / 8 + k);
}

/* Added to what is in ${ret}. */
static inline void
unpack_sums_add(const int64_t *v, size_t n, struct unpack_sums *ret)
{
	uint64_t x, sign;
	size_t i;

	for (i = 0; i < n; i++) {
		x = (uint64_t)v[i];
		sign = 0 - (x >> 63);
		ret->any |= x ^ sign;
		ret->on += x & ~sign;
		ret->back -= x & sign;
	}
}

size_t unpack_u32_portable(const uint8_t *p, size_t n_bytes, size_t n, unsigned width,
    uint32_t *out);
size_t unpack_i64_portable(const uint8_t *p, size_t n_bytes, size_t n, unsigned width,
    uint64_t base, int64_t *out);
size_t unpack_u32_avx2(const uint8_t *p, size_t n_bytes, size_t n, unsigned width, uint32_t *out);
size_t unpack_i64_avx2(const uint8_t *p, size_t n_bytes, size_t n, unsigned width, uint64_t base,
    int64_t *out);
size_t unpack_u32_avx512(const uint8_t *p, size_t n_bytes, size_t n, unsigned width, uint32_t *out);
size_t unpack_i64_avx512(const uint8_t *p, size_t n_bytes, size_t n, unsigned width, uint64_t base,
    int64_t *out);
size_t unpack_u32_neon(const uint8_t *p, size_t n_bytes, size_t n, unsigned width, uint32_t *out);
size_t unpack_i64_neon(const uint8_t *p, size_t n_bytes, size_t n, unsigned width, uint64_t base,
    int64_t *out);
void unpack_sums_avx2(const int64_t *v, size_t n, struct unpack_sums *ret);
