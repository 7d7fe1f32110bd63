/*
 * store/unpack_avx512.c - packed bits, many at a time, with AVX-512 VBMI.
 * One job: sixteen values a step, or eight of 64 bits.
 * Floor: 2 (uses base).
 *
 * One load brings a whole step, one vpermb puts the bytes of each value into its lane, one shift does the rest: 6
 * instructions for sixteen values where AVX2 takes 16.  vpmultishiftqb takes eight bytes of a lane, each from any bit
 * on, and so shifts two values of 32 bits in one lane of 64.  Loads are masked: they read no byte beyond what a step
 * needs, which saves the last steps of short runs.
 */
#include "store/unpack_internal.h"

#if CPU_X86
#include <immintrin.h>

enum { STEP32 = 16 };

/* The two values of lane j: byte b of the lane is of value b / 4, its byte b % 4. */
static void
shifts_init(uint8_t shifts[64], unsigned width)
{
	unsigned j, b;

	for (j = 0; j < 8; j++)
		for (b = 0; b < 8; b++)
			shifts[j * 8 + b] =
			    (uint8_t)((2 * j * width % 8 + b / 4 * width + b % 4 * 8) % 64);
}

CPU_TARGET_AVX512 size_t
unpack_u32_avx512(const uint8_t *p, size_t n_bytes, size_t n, unsigned width, uint32_t *out)
{
	uint8_t bytes[64], shifts[64];
	size_t i, most, reach = 14 * width / 8 + 8;
	__mmask64 read;
	__m512i pick, shift, mask, v;

	/* Two values and the bits before them are one lane. */
	if (width == 0 || width > 28)
		return unpack_u32_portable(p, n_bytes, n, width, out);
	read = (UINT64_C(1) << reach) - 1;
	unpack_pick(bytes, 8, 8, 0, 2 * width);
	shifts_init(shifts, width);
	pick = _mm512_loadu_si512(bytes);
	shift = _mm512_loadu_si512(shifts);
	mask = _mm512_set1_epi32((int)((UINT32_C(1) << width) - 1));
	most = unpack_steps(n_bytes, n, width, STEP32, reach);
	for (i = 0; i < most; i += STEP32, p += 2 * width) {
		v = _mm512_permutexvar_epi8(pick, _mm512_maskz_loadu_epi8(read, p));
		v = _mm512_and_si512(_mm512_multishift_epi64_epi8(shift, v), mask);
		_mm512_storeu_si512(out + i, v);
	}
	return most;
}

CPU_TARGET_AVX512 size_t
unpack_i64_avx512(const uint8_t *p, size_t n_bytes, size_t n, unsigned width, uint64_t base,
    int64_t *out)
{
	uint8_t bytes[64];
	uint64_t shifts[UNPACK_STEP];
	size_t i, most, reach = 7 * width / 8 + 8;
	__mmask64 read;
	__m512i pick, shift, mask, add, v;

	if (width == 0 || width > 57)
		return unpack_i64_portable(p, n_bytes, n, width, base, out);
	read = (UINT64_C(1) << reach) - 1;
	unpack_pick(bytes, UNPACK_STEP, 8, 0, width);
	for (i = 0; i < UNPACK_STEP; i++)
		shifts[i] = i * width % 8;
	pick = _mm512_loadu_si512(bytes);
	shift = _mm512_loadu_si512(shifts);
	mask = _mm512_set1_epi64((int64_t)((UINT64_C(1) << width) - 1));
	add = _mm512_set1_epi64((int64_t)base);
	most = unpack_steps(n_bytes, n, width, UNPACK_STEP, reach);
	for (i = 0; i < most; i += UNPACK_STEP, p += width) {
		v = _mm512_permutexvar_epi8(pick, _mm512_maskz_loadu_epi8(read, p));
		v = _mm512_and_si512(_mm512_srlv_epi64(v, shift), mask);
		_mm512_storeu_si512(out + i, _mm512_add_epi64(v, add));
	}
	return most;
}
#endif
