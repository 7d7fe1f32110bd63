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
#include "parsers/json_index_internal.h"

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
	struct json_tail t;
	size_t i;

	for (i = 0; n - i * JSON_STEP >= JSON_STEP; i++)
		bits[i] = portable_word(p + i * JSON_STEP);
	bits[i] = portable_word(json_tail_fill(&t, p + i * JSON_STEP, n % JSON_STEP)) |
	    UINT64_C(1) << (n % JSON_STEP);
}

const json_index_fn json_index_table[CPU_N_LEVELS] =
    CPU_TABLE(index_portable, json_index_sse2, json_index_avx2, json_index_avx512, json_index_neon);

json_index_fn
json_index_best(void)
{
	return json_index_table[cpu_level()];
}
