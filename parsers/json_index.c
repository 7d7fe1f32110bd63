/*
 * parsers/json_index.c - where strings can end.
 * One job: one bit for each byte of a line that is '"', '\\' or a control.
 * Floor: 2 (uses base).
 *
 * Idea: a JSON string ends at the first quote that no backslash stands before, and may hold no control.
 * All three are found 64 bytes at a time without a branch, and the reader then jumps from one to the next.
 * Cost: 2 to 40 bytes a cycle, by variant.  Source: simdjson (Langdale and Lemire, 2019), reduced to
 * what a reader needs that knows whether it is inside a string.
 */
#include "parsers/json_index.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/own.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define HAVE_X86 1
#else
#define HAVE_X86 0
#endif

enum { STEP = 64 };

/* The last, partial step is done on a copy that is filled up with blanks, so that no read passes the end. */
struct tail {
	uint8_t bytes[STEP];
};

static const uint8_t *
tail_fill(struct tail *t, const uint8_t *p, size_t n)
{
	memset(t->bytes, ' ', STEP);
	if (n != 0)
		memcpy(t->bytes, p, n);
	return t->bytes;
}

/* 0x80 in each byte of v that is zero; exact, since no byte's sum carries into the next. */
static inline uint64_t
zero_bytes(uint64_t v)
{
	const uint64_t low7 = UINT64_C(0x7f7f7f7f7f7f7f7f);

	return ~(((v & low7) + low7) | v | low7);
}

static inline uint64_t
portable_word(const uint8_t *p)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t bits = 0, v, hit;
	size_t i;

	for (i = 0; i < 8; i++) {
		memcpy(&v, p + 8 * i, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
		v = __builtin_bswap64(v);
#endif
		hit = zero_bytes(v ^ (ones * '"')) | zero_bytes(v ^ (ones * '\\')) |
		    zero_bytes(v & (ones * 0xe0));
		/* Gather the eight top bits into one byte. */
		bits |= ((hit >> 7) * UINT64_C(0x0102040810204080) >> 56) << (8 * i);
	}
	return bits;
}

static void
index_portable(const uint8_t *p, size_t n, uint64_t *bits)
{
	struct tail t;
	size_t i;

	for (i = 0; n - i * STEP >= STEP; i++)
		bits[i] = portable_word(p + i * STEP);
	bits[i] = portable_word(tail_fill(&t, p + i * STEP, n % STEP)) | UINT64_C(1) << (n % STEP);
}

#if HAVE_X86
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

static void
index_sse2(const uint8_t *p, size_t n, uint64_t *bits)
{
	struct tail t;
	size_t i;

	for (i = 0; n - i * STEP >= STEP; i++)
		bits[i] = sse2_word(p + i * STEP);
	bits[i] = sse2_word(tail_fill(&t, p + i * STEP, n % STEP)) | UINT64_C(1) << (n % STEP);
}

#define HITS_AVX2(v)                                                                    \
	_mm256_or_si256(                                                                \
	    _mm256_or_si256(_mm256_cmpeq_epi8(v, quote), _mm256_cmpeq_epi8(v, escape)), \
	    _mm256_cmpeq_epi8(_mm256_min_epu8(v, control), v))

__attribute__((target("avx2"))) static inline uint64_t
avx2_word(const uint8_t *p)
{
	const __m256i quote = _mm256_set1_epi8('"'), escape = _mm256_set1_epi8('\\'),
	              control = _mm256_set1_epi8(0x1f);
	__m256i lo = _mm256_loadu_si256((const __m256i_u *)(const void *)p);
	__m256i hi = _mm256_loadu_si256((const __m256i_u *)(const void *)(p + 32));

	return (uint64_t)(uint32_t)_mm256_movemask_epi8(HITS_AVX2(lo)) |
	    (uint64_t)(uint32_t)_mm256_movemask_epi8(HITS_AVX2(hi)) << 32;
}

__attribute__((target("avx2"))) static void
index_avx2(const uint8_t *p, size_t n, uint64_t *bits)
{
	struct tail t;
	size_t i;

	for (i = 0; n - i * STEP >= STEP; i++)
		bits[i] = avx2_word(p + i * STEP);
	bits[i] = avx2_word(tail_fill(&t, p + i * STEP, n % STEP)) | UINT64_C(1) << (n % STEP);
}

__attribute__((target("avx512f,avx512bw"))) static inline uint64_t
avx512_hits(__m512i v)
{
	return _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('"')) |
	    _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('\\')) |
	    _mm512_cmplt_epu8_mask(v, _mm512_set1_epi8(0x20));
}

__attribute__((target("avx512f,avx512bw"))) static void
index_avx512(const uint8_t *p, size_t n, uint64_t *bits)
{
	size_t i;
	uint64_t left;

	for (i = 0; n - i * STEP >= STEP; i++)
		bits[i] = avx512_hits(_mm512_loadu_si512(p + i * STEP));
	/* A masked load reads nothing beyond the end and gives zeros there, which are masked off. */
	left = (UINT64_C(1) << (n % STEP)) - 1;
	bits[i] = (avx512_hits(_mm512_maskz_loadu_epi8(left, p + i * STEP)) & left) |
	    UINT64_C(1) << (n % STEP);
}
#endif

const struct json_index_variant json_index_variants[] = {
	{ "portable", index_portable },
#if HAVE_X86
	{ "sse2", index_sse2 },
	{ "avx2", index_avx2 },
	{ "avx512", index_avx512 },
#endif
};
const size_t json_index_n_variants = ARRAY_LEN(json_index_variants);

bool
json_index_usable(size_t i)
{
#if HAVE_X86
	switch (i) {
	case 0:
	case 1:
		return true;
	case 2:
		return __builtin_cpu_supports("avx2");
	case 3:
		return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
	}
	return false;
#else
	return i == 0;
#endif
}

static json_index_fn
choose(const char *forced)
{
	json_index_fn best = index_portable;
	size_t i;

	for (i = 0; i < json_index_n_variants; i++) {
		if (!json_index_usable(i))
			continue;
		best = json_index_variants[i].fn;
		if (forced != NULL && strcmp(forced, json_index_variants[i].name) == 0)
			break;
	}
	return best;
}

json_index_fn
json_index_best(void)
{
	/* Without a name the answer is always the same, so threads may write it at once. */
	static _Atomic(json_index_fn) known;
	const char *forced = getenv("WEIR_CPU");
	json_index_fn best;

	if (forced != NULL)
		return choose(forced);
	best = atomic_load_explicit(&known, memory_order_relaxed);
	if (best == NULL) {
		best = choose(NULL);
		atomic_store_explicit(&known, best, memory_order_relaxed);
	}
	return best;
}
