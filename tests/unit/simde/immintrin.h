/*
 * tests/unit/simde/immintrin.h - stands in for the compiler's header.
 * One job: every instruction in plain C, so that variants run on CPUs without them.
 */
#pragma once
#pragma GCC system_header

#define SIMDE_NO_NATIVE
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx2.h>
#include <simde/x86/avx512.h>

/* What SIMDe 0.7 leaves out. */
#define __m128i_u __m128i
#define __m256i_u __m256i
#define __mmask64 simde__mmask64

static inline simde__m512i
emulated_maskz_loadu_epi8(simde__mmask64 mask, const void *p)
{
	simde__m512i_private v = { 0 };
	int i;

	for (i = 0; i < 64; i++)
		if (mask >> i & 1)
			v.u8[i] = ((const unsigned char *)p)[i];
	return simde__m512i_from_private(v);
}
#define _mm512_maskz_loadu_epi8 emulated_maskz_loadu_epi8
