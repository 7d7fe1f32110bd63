/*
 * store/unpack_neon.c - packed bits, many at a time, with NEON.
 * One job: eight values a step, four or two of them a register.
 * Floor: 2 (uses base).
 */
#include "store/unpack_internal.h"

#if CPU_ARM
#include <arm_neon.h>

/* NEON shifts to the left; a negative count is to the right. */
static inline uint32x4_t
get4(const uint8_t *p, uint8x16_t pick, int32x4_t shift, uint32x4_t mask)
{
	uint8x16_t v = vqtbl1q_u8(vld1q_u8(p), pick);

	return vandq_u32(vshlq_u32(vreinterpretq_u32_u8(v), shift), mask);
}

size_t
unpack_u32_neon(const uint8_t *p, size_t n_bytes, size_t n, unsigned width, uint32_t *out)
{
	uint8_t bytes[2 * UNPACK_LANE];
	int32_t shifts[UNPACK_STEP];
	size_t i, most, second = 4 * width / 8;
	unsigned bit = 4 * width % 8; /* where the second four begin in their load */
	uint8x16_t pick[2];
	int32x4_t shift[2];
	uint32x4_t mask;

	if (width == 0 || width > 25)
		return unpack_u32_portable(p, n_bytes, n, width, out);
	unpack_pick(bytes, 4, 4, 0, width);
	unpack_pick(bytes + UNPACK_LANE, 4, 4, bit, width);
	for (i = 0; i < UNPACK_STEP; i++)
		shifts[i] = -(int32_t)(i * width % 8);
	for (i = 0; i < 2; i++) {
		pick[i] = vld1q_u8(bytes + i * UNPACK_LANE);
		shift[i] = vld1q_s32(shifts + i * 4);
	}
	mask = vdupq_n_u32((UINT32_C(1) << width) - 1);
	most = unpack_steps(n_bytes, n, width, UNPACK_STEP, second + UNPACK_LANE);
	for (i = 0; i < most; i += UNPACK_STEP, p += width) {
		vst1q_u32(out + i, get4(p, pick[0], shift[0], mask));
		vst1q_u32(out + i + 4, get4(p + second, pick[1], shift[1], mask));
	}
	return most;
}

/* What one register of two values needs. */
struct pair {
	size_t at;
	uint8x16_t pick;
	int64x2_t shift;
};

static struct pair
pair_of(size_t i, unsigned width)
{
	unsigned bit = (unsigned)(2 * i) * width;
	int64_t shifts[2] = { -(int64_t)(bit % 8), -(int64_t)((bit + width) % 8) };
	uint8_t bytes[UNPACK_LANE];

	unpack_pick(bytes, 2, 8, bit % 8, width);
	return (struct pair){ bit / 8, vld1q_u8(bytes), vld1q_s64(shifts) };
}

size_t
unpack_i64_neon(const uint8_t *p, size_t n_bytes, size_t n, unsigned width, uint64_t base,
    int64_t *out)
{
	struct pair pairs[UNPACK_STEP / 2];
	uint64x2_t mask, add, v;
	size_t i, k, most;

	if (width == 0 || width > 57)
		return unpack_i64_portable(p, n_bytes, n, width, base, out);
	for (k = 0; k < UNPACK_STEP / 2; k++)
		pairs[k] = pair_of(k, width);
	mask = vdupq_n_u64((UINT64_C(1) << width) - 1);
	add = vdupq_n_u64(base);
	most = unpack_steps(n_bytes, n, width, UNPACK_STEP,
	    pairs[UNPACK_STEP / 2 - 1].at + UNPACK_LANE);
	for (i = 0; i < most; i += UNPACK_STEP, p += width)
		for (k = 0; k < UNPACK_STEP / 2; k++) {
			v = vreinterpretq_u64_u8(
			    vqtbl1q_u8(vld1q_u8(p + pairs[k].at), pairs[k].pick));
			v = vandq_u64(vshlq_u64(v, pairs[k].shift), mask);
			vst1q_s64(out + i + 2 * k, vreinterpretq_s64_u64(vaddq_u64(v, add)));
		}
	return most;
}
#endif
