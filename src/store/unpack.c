/*
 * store/unpack.c - packed bits, many at a time.
 * One job: eight values a step where the CPU has shifts by a lane's own count.
 * Floor: 2 (uses base).
 *
 * Idea: eight values of w bits are w bytes, so that every step of eight begins at a byte and has its values in
 * the same places.  A shuffle brings the bytes of each value into its lane, a shift and a mask do the rest; both
 * vectors are made once a run.  Cost: 0.15 ns a value of 32 bits, 0.3 of 64 (0.7 portable).
 * Source: Willhalm and others, SIMD-Scan (VLDB 2009).
 */
#include "store/unpack.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define HAVE_X86 1
#else
#define HAVE_X86 0
#endif

enum { STEP = 8, LANE = 16 };

static inline uint64_t
load_le(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	return v;
}

/* How many values can be read by a whole 8-byte load that holds all their bits. */
static size_t
portable_count(size_t n_bytes, size_t n, unsigned width)
{
	size_t k;

	if (width == 0 || width > 57 || n_bytes < 8)
		return 0;
	k = ((n_bytes - 8) * 8 + 7) / width;
	return k < n ? k : n;
}

static size_t
u32_portable(const uint8_t *p, size_t n_bytes, size_t n, unsigned width, uint32_t *out)
{
	size_t i, bit = 0, most = portable_count(n_bytes, n, width);
	uint64_t mask = (UINT64_C(1) << width) - 1;

	for (i = 0; i < most; i++, bit += width)
		out[i] = (uint32_t)((load_le(p + bit / 8) >> (bit % 8)) & mask);
	return most;
}

static size_t
i64_portable(const uint8_t *p, size_t n_bytes, size_t n, unsigned width, uint64_t base,
    int64_t *out)
{
	size_t i, bit = 0, most = portable_count(n_bytes, n, width);
	uint64_t mask = most == 0 ? 0 : (UINT64_C(1) << width) - 1;

	for (i = 0; i < most; i++, bit += width)
		out[i] = (int64_t)(((load_le(p + bit / 8) >> (bit % 8)) & mask) + base);
	return most;
}

/* Added to what is in ${ret}. */
static void
sums_add(const int64_t *v, size_t n, struct unpack_sums *ret)
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

static void
sums_portable(const int64_t *v, size_t n, struct unpack_sums *ret)
{
	*ret = (struct unpack_sums){ 0 };
	sums_add(v, n, ret);
}

#if HAVE_X86
/* How many values whole steps give whose last lane is read from byte ${last} of a step on. */
static size_t
steps(size_t n_bytes, size_t n, unsigned width, size_t last)
{
	size_t k;

	if (n_bytes < last + LANE)
		return 0;
	k = (n_bytes - last - LANE) / width + 1;
	return (k < n / STEP ? k : n / STEP) * STEP;
}

__attribute__((target("avx2"))) static size_t
u32_avx2(const uint8_t *p, size_t n_bytes, size_t n, unsigned width, uint32_t *out)
{
	uint8_t bytes[2 * LANE];
	uint32_t shifts[STEP];
	size_t i, k, most, second = 4 * width / 8;
	__m256i pick, shift, mask, v;
	unsigned bit;

	if (width == 0 || width > 25)
		return u32_portable(p, n_bytes, n, width, out);
	most = steps(n_bytes, n, width, second);
	for (i = 0; i < STEP; i++) {
		bit = (unsigned)i * width - (i < 4 ? 0 : (unsigned)second * 8);
		shifts[i] = bit % 8;
		for (k = 0; k < 4; k++)
			bytes[i * 4 + k] = (uint8_t)(bit / 8 + k);
	}
	pick = _mm256_loadu_si256((const __m256i *)(const void *)bytes);
	shift = _mm256_loadu_si256((const __m256i *)(const void *)shifts);
	mask = _mm256_set1_epi32((int)((UINT32_C(1) << width) - 1));
	for (i = 0; i < most; i += STEP, p += width) {
		v = _mm256_inserti128_si256(
		    _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)p)),
		    _mm_loadu_si128((const __m128i *)(const void *)(p + second)), 1);
		v = _mm256_and_si256(_mm256_srlv_epi32(_mm256_shuffle_epi8(v, pick), shift), mask);
		_mm256_storeu_si256((__m256i *)(void *)(out + i), v);
	}
	return most;
}

/* Which bytes and shifts values ${first} to first + 3 of a step have; the lanes begin at at[0] and at[1]. */
__attribute__((target("avx2"))) static void
quad_init(size_t first, unsigned width, size_t at[2], __m256i *ret_pick, __m256i *ret_shift)
{
	uint8_t bytes[2 * LANE];
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

__attribute__((target("avx2"))) static inline __m256i
quad_get(const uint8_t *p, const size_t at[2], __m256i pick, __m256i shift)
{
	__m256i v = _mm256_inserti128_si256(
	    _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)(p + at[0]))),
	    _mm_loadu_si128((const __m128i *)(const void *)(p + at[1])), 1);

	return _mm256_srlv_epi64(_mm256_shuffle_epi8(v, pick), shift);
}

__attribute__((target("avx2"))) static size_t
i64_avx2(const uint8_t *p, size_t n_bytes, size_t n, unsigned width, uint64_t base, int64_t *out)
{
	__m256i pick[2], shift[2], mask, add;
	size_t i, most, at[2][2];

	if (width == 0 || width > 57)
		return i64_portable(p, n_bytes, n, width, base, out);
	quad_init(0, width, at[0], &pick[0], &shift[0]);
	quad_init(4, width, at[1], &pick[1], &shift[1]);
	most = steps(n_bytes, n, width, at[1][1]);
	mask = _mm256_set1_epi64x((int64_t)((UINT64_C(1) << width) - 1));
	add = _mm256_set1_epi64x((int64_t)base);
	for (i = 0; i < most; i += STEP, p += width) {
		_mm256_storeu_si256((__m256i *)(void *)(out + i),
		    _mm256_add_epi64(_mm256_and_si256(quad_get(p, at[0], pick[0], shift[0]), mask),
		        add));
		_mm256_storeu_si256((__m256i *)(void *)(out + i + 4),
		    _mm256_add_epi64(_mm256_and_si256(quad_get(p, at[1], pick[1], shift[1]), mask),
		        add));
	}
	return most;
}

__attribute__((target("avx2"))) static uint64_t
lanes_sum(__m256i v)
{
	uint64_t x[4];

	_mm256_storeu_si256((__m256i *)(void *)x, v);
	return x[0] + x[1] + x[2] + x[3];
}

__attribute__((target("avx2"))) static void
sums_avx2(const int64_t *v, size_t n, struct unpack_sums *ret)
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
	sums_add(v + i, n - i, ret);
}
#endif

/* The fastest first.  AVX-512 gained nothing over AVX2, whose loop waits for its loads already, and SSE2 has neither
 * shuffle nor shifts by lane: both names stand for what is best below them. */
static const struct unpack_ops variants[] = {
#if HAVE_X86
	{ "avx512", u32_avx2, i64_avx2, sums_avx2 },
	{ "avx2", u32_avx2, i64_avx2, sums_avx2 },
	{ "sse2", u32_portable, i64_portable, sums_portable },
#endif
	{ "portable", u32_portable, i64_portable, sums_portable },
};

static bool
can_run(const struct unpack_ops *ops)
{
#if HAVE_X86
	if (ops->u32 == u32_avx2)
		return __builtin_cpu_supports("avx2");
#endif
	return ops->u32 == u32_portable;
}

const struct unpack_ops *
unpack_by_name(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(variants); i++)
		if (strcmp(variants[i].name, name) == 0)
			return can_run(&variants[i]) ? &variants[i] : NULL;
	return NULL;
}

const struct unpack_ops *
unpack_best(void)
{
	/* Always the same answer, so threads may write it at once. */
	static _Atomic(const struct unpack_ops *) known;
	const struct unpack_ops *best = atomic_load_explicit(&known, memory_order_relaxed);
	const char *forced;
	size_t i;

	if (best != NULL)
		return best;
	forced = getenv("WEIR_CPU");
	best = forced != NULL ? unpack_by_name(forced) : NULL;
	for (i = 0; best == NULL; i++)
		best = can_run(&variants[i]) ? &variants[i] : NULL;
	atomic_store_explicit(&known, best, memory_order_relaxed);
	return best;
}
