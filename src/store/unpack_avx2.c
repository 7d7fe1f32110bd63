/*
 * store/unpack_avx2.c - packed bits, many at a time, with AVX2.
 * One job: eight values a step.  Cost: 0.15 ns a value of 32 bits, 0.3 of 64 (0.7 portable).
 * Floor: 2 (uses base).
 */
#include "store/unpack_internal.h"

#if CPU_X86
#include <immintrin.h>

CPU_TARGET("avx2")
size_t
unpack_u32_avx2(const uint8_t *p, size_t n_bytes, size_t n, unsigned width, uint32_t *out)
{
	uint8_t bytes[2 * UNPACK_LANE];
	uint32_t shifts[UNPACK_STEP];
	size_t i, k, most, second = 4 * width / 8;
	__m256i pick, shift, mask, v;
	unsigned bit;

	if (width == 0 || width > 25)
		return unpack_u32_portable(p, n_bytes, n, width, out);
	most = unpack_steps(n_bytes, n, width, UNPACK_STEP, second + UNPACK_LANE);
	for (i = 0; i < UNPACK_STEP; i++) {
		bit = (unsigned)i * width - (i < 4 ? 0 : (unsigned)second * 8);
		shifts[i] = bit % 8;
		for (k = 0; k < 4; k++)
			bytes[i * 4 + k] = (uint8_t)(bit / 8 + k);
	}
	pick = _mm256_loadu_si256((const __m256i *)(const void *)bytes);
	shift = _mm256_loadu_si256((const __m256i *)(const void *)shifts);
	mask = _mm256_set1_epi32((int)((UINT32_C(1) << width) - 1));
	for (i = 0; i < most; i += UNPACK_STEP, p += width) {
		v = _mm256_inserti128_si256(
		    _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)p)),
		    _mm_loadu_si128((const __m128i *)(const void *)(p + second)), 1);
		v = _mm256_and_si256(_mm256_srlv_epi32(_mm256_shuffle_epi8(v, pick), shift), mask);
		_mm256_storeu_si256((__m256i *)(void *)(out + i), v);
	}
	return most;
}

/* Which bytes and shifts values ${first} to first + 3 of a step have; the lanes begin at at[0] and at[1]. */
CPU_TARGET("avx2")
static void
quad_init(size_t first, unsigned width, size_t at[2], __m256i *ret_pick, __m256i *ret_shift)
{
	uint8_t bytes[2 * UNPACK_LANE];
	uint64_t shifts[4];
	size_t i, k;
	unsigned bit;

	for (i = 0; i < 4; i++) {
		bit = (unsigned)(first + i) * width;
		if (i % 2 == 0)
			at[i / 2] = bit / 8;
		bit -= (unsigned)at[i / 2] * 8;
		shifts[i] = bit % 8;
		for (k = 0; k < 8; k++)
			bytes[i * 8 + k] = (uint8_t)(bit / 8 + k);
	}
	*ret_pick = _mm256_loadu_si256((const __m256i *)(const void *)bytes);
	*ret_shift = _mm256_loadu_si256((const __m256i *)(const void *)shifts);
}

CPU_TARGET("avx2")
static inline __m256i
quad_get(const uint8_t *p, const size_t at[2], __m256i pick, __m256i shift)
{
	__m256i v = _mm256_inserti128_si256(
	    _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)(p + at[0]))),
	    _mm_loadu_si128((const __m128i *)(const void *)(p + at[1])), 1);

	return _mm256_srlv_epi64(_mm256_shuffle_epi8(v, pick), shift);
}

CPU_TARGET("avx2")
size_t
unpack_i64_avx2(const uint8_t *p, size_t n_bytes, size_t n, unsigned width, uint64_t base,
    int64_t *out)
{
	__m256i pick[2], shift[2], mask, add;
	size_t i, most, at[2][2];

	if (width == 0 || width > 57)
		return unpack_i64_portable(p, n_bytes, n, width, base, out);
	quad_init(0, width, at[0], &pick[0], &shift[0]);
	quad_init(4, width, at[1], &pick[1], &shift[1]);
	most = unpack_steps(n_bytes, n, width, UNPACK_STEP, at[1][1] + UNPACK_LANE);
	mask = _mm256_set1_epi64x((int64_t)((UINT64_C(1) << width) - 1));
	add = _mm256_set1_epi64x((int64_t)base);
	for (i = 0; i < most; i += UNPACK_STEP, p += width) {
		_mm256_storeu_si256((__m256i *)(void *)(out + i),
		    _mm256_add_epi64(_mm256_and_si256(quad_get(p, at[0], pick[0], shift[0]), mask),
		        add));
		_mm256_storeu_si256((__m256i *)(void *)(out + i + 4),
		    _mm256_add_epi64(_mm256_and_si256(quad_get(p, at[1], pick[1], shift[1]), mask),
		        add));
	}
	return most;
}

CPU_TARGET("avx2") static uint64_t lanes_sum(__m256i v)
{
	uint64_t x[4];

	_mm256_storeu_si256((__m256i *)(void *)x, v);
	return x[0] + x[1] + x[2] + x[3];
}

CPU_TARGET("avx2") void unpack_sums_avx2(const int64_t *v, size_t n, struct unpack_sums *ret)
{
	__m256i zero = _mm256_setzero_si256(), on = zero, back = zero, any = zero, x, sign;
	uint64_t bits[4];
	size_t i;

	for (i = 0; i + 4 <= n; i += 4) {
		x = _mm256_loadu_si256((const __m256i *)(const void *)(v + i));
		sign = _mm256_cmpgt_epi64(zero, x);
		any = _mm256_or_si256(any, _mm256_xor_si256(x, sign));
		on = _mm256_add_epi64(on, _mm256_andnot_si256(sign, x));
		back = _mm256_sub_epi64(back, _mm256_and_si256(sign, x));
	}
	_mm256_storeu_si256((__m256i *)(void *)bits, any);
	*ret = (struct unpack_sums){ lanes_sum(on), lanes_sum(back),
		bits[0] | bits[1] | bits[2] | bits[3] };
	unpack_sums_add(v + i, n - i, ret);
}
#endif
