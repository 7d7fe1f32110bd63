/*
 * store/tmpl_bits_internal.h - the variants of classing bytes.
 * One job: what they share.
 * Floor: 2 (uses base).
 */
#pragma once

#include "store/tmpl_bits.h"

/* The last, partial step is done on a copy that is filled up with zeros, which are in no token. */
struct tmpl_tail {
	uint8_t bytes[64];
};

static inline const uint8_t *
tmpl_tail_fill(struct tmpl_tail *t, const uint8_t *p, size_t n)
{
	memset(t->bytes, 0, sizeof(t->bytes));
	memcpy(t->bytes, p, n);
	return t->bytes;
}

/*
 * A byte's class is TMPL_LOW[its low four bits] & TMPL_HIGH[its high four]: a bit each for '-' and '.', for digits, for
 * the letters to 'o', for those from 'p', and for '_'.  Not 0: in a token.  Source: simdjson's tables of UTF-8 bytes.
 */
enum { TMPL_CLASS_DIGIT = 2 };
#define TMPL_LOW                                                                            \
	2 + 8, 2 + 4 + 8, 2 + 4 + 8, 2 + 4 + 8, 2 + 4 + 8, 2 + 4 + 8, 2 + 4 + 8, 2 + 4 + 8, \
	    2 + 4 + 8, 2 + 4 + 8, 4 + 8, 4, 4, 1 + 4, 1 + 4, 4 + 16
#define TMPL_HIGH 0, 0, 1, 2, 4, 8 + 16, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0

void tmpl_bits_sse2(const uint8_t *p, size_t n, uint64_t *token, uint64_t *digit);
void tmpl_bits_avx2(const uint8_t *p, size_t n, uint64_t *token, uint64_t *digit);
void tmpl_bits_neon(const uint8_t *p, size_t n, uint64_t *token, uint64_t *digit);
