/*
 * store/unpack.c - packed bits, many at a time.
 * One job: one value a step, on any CPU; and which of the variants runs.
 * Floor: 2 (uses base).
 */
#include "base/str.h"
#include "store/unpack_internal.h"

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

size_t
unpack_u32_portable(const uint8_t *p, size_t n_bytes, size_t n, unsigned width, uint32_t *out)
{
	size_t i, bit = 0, most = portable_count(n_bytes, n, width);
	uint64_t mask = (UINT64_C(1) << width) - 1;

	for (i = 0; i < most; i++, bit += width)
		out[i] = (uint32_t)((bytes_load_le(p + bit / 8) >> (bit % 8)) & mask);
	return most;
}

size_t
unpack_i64_portable(const uint8_t *p, size_t n_bytes, size_t n, unsigned width, uint64_t base,
    int64_t *out)
{
	size_t i, bit = 0, most = portable_count(n_bytes, n, width);
	uint64_t mask = most == 0 ? 0 : (UINT64_C(1) << width) - 1;

	for (i = 0; i < most; i++, bit += width)
		out[i] = (int64_t)(((bytes_load_le(p + bit / 8) >> (bit % 8)) & mask) + base);
	return most;
}

static void
sums_portable(const int64_t *v, size_t n, struct unpack_sums *ret)
{
	*ret = (struct unpack_sums){ 0 };
	unpack_sums_add(v, n, ret);
}

static const struct unpack_ops ops_portable = { unpack_u32_portable, unpack_i64_portable,
	sums_portable };
#if CPU_X86
static const struct unpack_ops ops_avx2 = { unpack_u32_avx2, unpack_i64_avx2, unpack_sums_avx2 };
static const struct unpack_ops ops_avx512 = { unpack_u32_avx512, unpack_i64_avx512,
	unpack_sums_avx2 };
#elif CPU_ARM
static const struct unpack_ops ops_neon = { unpack_u32_neon, unpack_i64_neon, sums_portable };
#endif

/* SSE2 has neither a shuffle of bytes nor shifts by a lane's own count.  Sums are a small part of making a block: AVX2 is
 * enough for AVX-512, and on NEON what the compiler makes of the portable loop. */
const struct unpack_ops *const unpack_table[CPU_N_LEVELS] =
    CPU_TABLE(&ops_portable, &ops_portable, &ops_avx2, &ops_avx512, &ops_neon);
