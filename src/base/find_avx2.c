/*
 * base/find_avx2.c - where two bytes stand, with AVX2.
 * One job: 64 places a step.
 * Floor: 0.
 *
 * The last step ends where the text ends and overlaps the one before, in which nothing was found.
 */
#include "base/find.h"

#if CPU_X86
#include <immintrin.h>

struct avx2_pair {
	__m256i a, b, fold;
};

CPU_TARGET("avx2")
static inline __m256i
avx2_equal(const uint8_t *p, const uint8_t *q, const struct avx2_pair *x)
{
	__m256i a = _mm256_loadu_si256((const __m256i_u *)(const void *)p);
	__m256i b = _mm256_loadu_si256((const __m256i_u *)(const void *)q);

	a = _mm256_cmpeq_epi8(_mm256_or_si256(a, x->fold), x->a);
	b = _mm256_cmpeq_epi8(_mm256_or_si256(b, x->fold), x->b);
	return _mm256_and_si256(a, b);
}

CPU_TARGET("avx2") static inline uint64_t avx2_bits(__m256i v)
{
	return (uint64_t)(uint32_t)_mm256_movemask_epi8(v);
}

CPU_TARGET("avx2")
size_t
find_pair_avx2(const uint8_t *p, const uint8_t *q, size_t n, struct find_pair pair)
{
	const struct avx2_pair x = { _mm256_set1_epi8((char)pair.a), _mm256_set1_epi8((char)pair.b),
		_mm256_set1_epi8((char)pair.fold) };
	__m256i low, high;
	uint64_t hits;
	size_t i;

	if (n < 32)
		return find_pair_table[CPU_PORTABLE](p, q, n, pair);
	for (i = 0; n - i >= 64; i += 64) {
		low = avx2_equal(p + i, q + i, &x);
		high = avx2_equal(p + i + 32, q + i + 32, &x);
		if (avx2_bits(_mm256_or_si256(low, high)) == 0)
			continue;
		hits = avx2_bits(low) | avx2_bits(high) << 32;
		return i + (size_t)__builtin_ctzll(hits);
	}
	for (; i < n; i += 32) {
		if (n - i < 32)
			i = n - 32;
		hits = avx2_bits(avx2_equal(p + i, q + i, &x));
		if (hits != 0)
			return i + (size_t)__builtin_ctzll(hits);
	}
	return n;
}
#endif
