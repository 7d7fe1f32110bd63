/*
 * base/utf8.h - UTF-8.
 * One job: tell characters from bytes that are none.
 * Floor: 0.
 */
#pragma once

#include "base/str.h"

/**
 * utf8_len(p, n):
 * Bytes of the well-formed character at ${p} (1 to 4), or 0 when there is none: overlong forms,
 * surrogates, values beyond U+10FFFF and cut sequences are none (Unicode 15, table 3-7).
 *
 * Shapes: p[n], n at least 1.
 */
size_t utf8_len(const uint8_t *p, size_t n);

/** utf8_decode(p, n, ret_len): the character's code point, or U+FFFD with length 1 for a bad byte. */
uint32_t utf8_decode(const uint8_t *p, size_t n, size_t *ret_len);

/** utf8_encode(out, c): write code point ${c} (a surrogate too) to out[4]; returns bytes written. */
size_t utf8_encode(uint8_t out[4], uint32_t c);

/** utf8_valid(s): whether all of it is well formed. */
bool utf8_valid(struct str s);

/** utf8_width(s): columns that ${s} takes on a terminal; a bad byte is one. */
size_t utf8_width(struct str s);

/** utf8_fit(s, width, ret_width): bytes of the longest beginning of ${s} that takes at most ${width} columns, and how
 * many it takes. */
size_t utf8_fit(struct str s, size_t width, size_t *ret_width);
