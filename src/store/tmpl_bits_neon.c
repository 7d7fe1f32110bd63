/*
 * store/tmpl_bits_neon.c - where tokens and digits stand, on aarch64.
 * One job: 16 bytes a look-up.
 * Floor: 2 (uses base).
 */
#include "store/tmpl_bits_internal.h"

#if CPU_ARM
#include <arm_neon.h>

static inline uint8x16_t
classes(const uint8_t *p)
{
	static const uint8_t low[16] = { TMPL_LOW }, high[16] = { TMPL_HIGH };
	uint8x16_t v = vld1q_u8(p);
	uint8x16_t a = vqtbl1q_u8(vld1q_u8(low), vandq_u8(v, vdupq_n_u8(15)));

	return vandq_u8(a, vqtbl1q_u8(vld1q_u8(high), vshrq_n_u8(v, 4)));
}

/* A bit a byte; json_index_neon.c says how. */
static inline uint64_t
gather(const uint8x16_t v[4])
{
	static const uint8_t places[16] = { 1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64,
		128 };
	const uint8x16_t place = vld1q_u8(places);
	uint8x16_t a = vpaddq_u8(vandq_u8(v[0], place), vandq_u8(v[1], place));
	uint8x16_t b = vpaddq_u8(vandq_u8(v[2], place), vandq_u8(v[3], place));

	a = vpaddq_u8(a, b);
	return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(a, a)), 0);
}

static inline void
neon_word(const uint8_t *p, uint64_t *token, uint64_t *digit)
{
	uint8x16_t c, t[4], d[4];
	size_t i;

	for (i = 0; i < 4; i++) {
		c = classes(p + 16 * i);
		t[i] = vtstq_u8(c, c);
		d[i] = vtstq_u8(c, vdupq_n_u8(TMPL_CLASS_DIGIT));
	}
	*token = gather(t);
	*digit = gather(d);
}

void
tmpl_bits_neon(const uint8_t *p, size_t n, uint64_t *token, uint64_t *digit)
{
	struct tmpl_tail t;
	size_t i;

	for (i = 0; n - i >= 64; i += 64)
		neon_word(p + i, &token[i / 64], &digit[i / 64]);
	if (i < n)
		neon_word(tmpl_tail_fill(&t, p + i, n - i), &token[i / 64], &digit[i / 64]);
}
#endif
