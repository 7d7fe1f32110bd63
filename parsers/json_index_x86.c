/*
 * parsers/json_index_x86.c - where strings can end, on x86-64.
 * One job: 16, 32 or 64 bytes a comparison.
 * Floor: 2 (uses base).
 */
#include "parsers/json_index_internal.h"

#if CPU_X86
#include <immintrin.h>

/* min(c, 0x1f) == c for controls alone. */
#define HITS_SSE2(v)                                                                    \
	_mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, escape)), \
	    _mm_cmpeq_epi8(_mm_min_epu8(v, control), v))

static inline uint64_t
sse2_word(const uint8_t *p)
{
	const __m128i quote = _mm_set1_epi8('"'), escape = _mm_set1_epi8('\\'),
	              control = _mm_set1_epi8(0x1f);
	uint64_t bits = 0;
	__m128i v;
	size_t i;

	for (i = 0; i < 4; i++) {
		v = _mm_loadu_si128((const __m128i_u *)(const void *)(p + 16 * i));
		bits |= (uint64_t)(uint32_t)_mm_movemask_epi8(HITS_SSE2(v)) << (16 * i);
	}
	return bits;
}

void
json_index_sse2(const uint8_t *p, size_t n, uint64_t *bits)
{
	struct json_tail t;
	size_t i;

	for (i = 0; n - i * JSON_STEP >= JSON_STEP; i++)
		bits[i] = sse2_word(p + i * JSON_STEP);
	bits[i] = sse2_word(json_tail_fill(&t, p + i * JSON_STEP, n % JSON_STEP)) |
	    UINT64_C(1) << (n % JSON_STEP);
}

#define HITS_AVX2(v)                                                                    \
	_mm256_or_si256(                                                                \
	    _mm256_or_si256(_mm256_cmpeq_epi8(v, quote), _mm256_cmpeq_epi8(v, escape)), \
	    _mm256_cmpeq_epi8(_mm256_min_epu8(v, control), v))

CPU_TARGET("avx2") static inline uint64_t avx2_word(const uint8_t *p)
{
	const __m256i quote = _mm256_set1_epi8('"'), escape = _mm256_set1_epi8('\\'),
	              control = _mm256_set1_epi8(0x1f);
	__m256i lo = _mm256_loadu_si256((const __m256i_u *)(const void *)p);
	__m256i hi = _mm256_loadu_si256((const __m256i_u *)(const void *)(p + 32));

	return (uint64_t)(uint32_t)_mm256_movemask_epi8(HITS_AVX2(lo)) |
	    (uint64_t)(uint32_t)_mm256_movemask_epi8(HITS_AVX2(hi)) << 32;
}

CPU_TARGET("avx2") void json_index_avx2(const uint8_t *p, size_t n, uint64_t *bits)
{
	struct json_tail t;
	size_t i;

	for (i = 0; n - i * JSON_STEP >= JSON_STEP; i++)
		bits[i] = avx2_word(p + i * JSON_STEP);
	bits[i] = avx2_word(json_tail_fill(&t, p + i * JSON_STEP, n % JSON_STEP)) |
	    UINT64_C(1) << (n % JSON_STEP);
}

CPU_TARGET_AVX512 static inline uint64_t
avx512_hits(__m512i v)
{
	return _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('"')) |
	    _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('\\')) |
	    _mm512_cmplt_epu8_mask(v, _mm512_set1_epi8(0x20));
}

CPU_TARGET_AVX512 void
json_index_avx512(const uint8_t *p, size_t n, uint64_t *bits)
{
	size_t i;
	uint64_t left;

	for (i = 0; n - i * JSON_STEP >= JSON_STEP; i++)
		bits[i] = avx512_hits(_mm512_loadu_si512(p + i * JSON_STEP));
	/* A masked load reads nothing beyond the end and gives zeros there, which are masked off. */
	left = (UINT64_C(1) << (n % JSON_STEP)) - 1;
	bits[i] = (avx512_hits(_mm512_maskz_loadu_epi8(left, p + i * JSON_STEP)) & left) |
	    UINT64_C(1) << (n % JSON_STEP);
}
#endif
