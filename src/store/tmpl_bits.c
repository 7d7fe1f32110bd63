/*
 * store/tmpl_bits.c - where tokens and digits stand.
 * One job: the variant of any CPU, and the table of all.
 * Floor: 2 (uses base).
 */
#include "store/tmpl_bits_internal.h"

static const uint8_t low[16] = { TMPL_LOW }, high[16] = { TMPL_HIGH };

static void
bits_portable(const uint8_t *p, size_t n, uint64_t *token, uint64_t *digit)
{
	size_t i, k, end;
	uint64_t t, d;
	unsigned c;

	for (i = 0; i < n; i += 64) {
		end = n - i < 64 ? n - i : 64;
		for (t = d = k = 0; k < end; k++) {
			c = low[p[i + k] & 15] & high[p[i + k] >> 4];
			t |= (uint64_t)(c != 0) << k;
			d |= (uint64_t)(c == TMPL_CLASS_DIGIT) << k;
		}
		token[i / 64] = t;
		digit[i / 64] = d;
	}
}

/* With AVX2 the walk over the bits costs far more than making them: AVX-512 would gain nothing. */
const tmpl_bits_fn tmpl_bits_table[CPU_N_LEVELS] =
    CPU_TABLE(bits_portable, tmpl_bits_sse2, tmpl_bits_avx2, tmpl_bits_avx2, tmpl_bits_neon);
