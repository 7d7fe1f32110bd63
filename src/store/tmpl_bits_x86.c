/*
 * store/tmpl_bits_x86.c - where tokens and digits stand, on x86-64.
 * One job: 16 or 32 bytes a comparison.
 * Floor: 2 (uses base).
 */
#include "store/tmpl_bits_internal.h"

#if CPU_X86
#include <immintrin.h>

/* v - from is at most ${span}, byte by byte. */
static inline __m128i
sse2_in(__m128i v, char from, char span)
{
	v = _mm_sub_epi8(v, _mm_set1_epi8(from));
	return _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(span)), v);
}

static inline void
sse2_word(const uint8_t *p, uint64_t *token, uint64_t *digit)
{
	__m128i v, d, t;
	unsigned i;

	*token = *digit = 0;
	for (i = 0; i < 64; i += 16) {
		v = _mm_loadu_si128((const __m128i_u *)(const void *)(p + i));
		d = sse2_in(v, '0', 9);
		t = sse2_in(_mm_or_si128(v, _mm_set1_epi8(0x20)), 'a', 25);
		t = _mm_or_si128(_mm_or_si128(t, d), sse2_in(v, '-', 1));
		t = _mm_or_si128(t, _mm_cmpeq_epi8(v, _mm_set1_epi8('_')));
		*digit |= (uint64_t)(unsigned)_mm_movemask_epi8(d) << i;
		*token |= (uint64_t)(unsigned)_mm_movemask_epi8(t) << i;
	}
}

void
tmpl_bits_sse2(const uint8_t *p, size_t n, uint64_t *token, uint64_t *digit)
{
	struct tmpl_tail t;
	size_t i;

	for (i = 0; n - i >= 64; i += 64)
		sse2_word(p + i, &token[i / 64], &digit[i / 64]);
	if (i < n)
		sse2_word(tmpl_tail_fill(&t, p + i, n - i), &token[i / 64], &digit[i / 64]);
}

struct avx2_tables {
	__m256i low, high;
};

CPU_TARGET("avx2") static inline __m256i avx2_classes(const uint8_t *p, const struct avx2_tables *x)
{
	const __m256i four = _mm256_set1_epi8(15);
	__m256i v = _mm256_loadu_si256((const __m256i_u *)(const void *)p);
	__m256i a = _mm256_shuffle_epi8(x->low, _mm256_and_si256(v, four));
	__m256i b = _mm256_shuffle_epi8(x->high, _mm256_and_si256(_mm256_srli_epi16(v, 4), four));

	return _mm256_and_si256(a, b);
}

CPU_TARGET("avx2") static inline uint64_t avx2_bits(__m256i low, __m256i high)
{
	return (uint64_t)(uint32_t)_mm256_movemask_epi8(low) |
	    (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32;
}

CPU_TARGET("avx2")
static inline void
avx2_word(const uint8_t *p, const struct avx2_tables *x, uint64_t *token, uint64_t *digit)
{
	const __m256i zero = _mm256_setzero_si256();
	__m256i a = avx2_classes(p, x), b = avx2_classes(p + 32, x);

	*token = ~avx2_bits(_mm256_cmpeq_epi8(a, zero), _mm256_cmpeq_epi8(b, zero));
	/* The bit of digits to the top of its byte. */
	*digit = avx2_bits(_mm256_slli_epi16(a, 6), _mm256_slli_epi16(b, 6));
}

CPU_TARGET("avx2") void tmpl_bits_avx2(const uint8_t *p, size_t n, uint64_t *token, uint64_t *digit)
{
	static const uint8_t low[32] = { TMPL_LOW, TMPL_LOW }, high[32] = { TMPL_HIGH, TMPL_HIGH };
	const struct avx2_tables x = { _mm256_loadu_si256((const __m256i_u *)(const void *)low),
		_mm256_loadu_si256((const __m256i_u *)(const void *)high) };
	struct tmpl_tail t;
	size_t i;

	for (i = 0; n - i >= 64; i += 64)
		avx2_word(p + i, &x, &token[i / 64], &digit[i / 64]);
	if (i < n)
		avx2_word(tmpl_tail_fill(&t, p + i, n - i), &x, &token[i / 64], &digit[i / 64]);
}
#endif
