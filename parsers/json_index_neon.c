/*
 * parsers/json_index_neon.c - where strings can end, on aarch64.
 * One job: 16 bytes a comparison, 64 a word of bits.
 * Floor: 2 (uses base).
 *
 * NEON has no instruction that gathers a bit a byte.  Each byte of a comparison keeps the bit of its place within
 * eight; three rounds of adding neighbours then make 64 bytes the eight bytes of the word (Langdale and Lemire).
 */
#include "parsers/json_index_internal.h"

#if CPU_ARM
#include <arm_neon.h>

static inline uint8x16_t
neon_hits(const uint8_t *p)
{
	uint8x16_t v = vld1q_u8(p);

	return vorrq_u8(vorrq_u8(vceqq_u8(v, vdupq_n_u8('"')), vceqq_u8(v, vdupq_n_u8('\\'))),
	    vcltq_u8(v, vdupq_n_u8(0x20)));
}

static inline uint64_t
neon_word(const uint8_t *p)
{
	static const uint8_t places[16] = { 1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64,
		128 };
	const uint8x16_t place = vld1q_u8(places);
	uint8x16_t low, high;

	low = vpaddq_u8(vandq_u8(neon_hits(p), place), vandq_u8(neon_hits(p + 16), place));
	high = vpaddq_u8(vandq_u8(neon_hits(p + 32), place), vandq_u8(neon_hits(p + 48), place));
	low = vpaddq_u8(low, high);
	return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(low, low)), 0);
}

void
json_index_neon(const uint8_t *p, size_t n, uint64_t *bits)
{
	struct json_tail t;
	size_t i;

	for (i = 0; n - i * JSON_STEP >= JSON_STEP; i++)
		bits[i] = neon_word(p + i * JSON_STEP);
	bits[i] = neon_word(json_tail_fill(&t, p + i * JSON_STEP, n % JSON_STEP)) |
	    UINT64_C(1) << (n % JSON_STEP);
}
#endif
