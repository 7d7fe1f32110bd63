/*
 * parsers/json_index_internal.h - what the variants of the index share.
 * One job: a line's last, partial step.
 * Floor: 2 (uses base).
 */
#pragma once

#include "parsers/json_index.h"

enum { JSON_STEP = 64 };

/* The last, partial step is done on a copy that is filled up with blanks, so that no read passes the end. */
struct json_tail {
	uint8_t bytes[JSON_STEP];
};

static inline const uint8_t *
json_tail_fill(struct json_tail *t, const uint8_t *p, size_t n)
{
	memset(t->bytes, ' ', JSON_STEP);
	if (n != 0)
		memcpy(t->bytes, p, n);
	return t->bytes;
}

void json_index_sse2(const uint8_t *p, size_t n, uint64_t *bits);
void json_index_avx2(const uint8_t *p, size_t n, uint64_t *bits);
void json_index_avx512(const uint8_t *p, size_t n, uint64_t *bits);
void json_index_neon(const uint8_t *p, size_t n, uint64_t *bits);
