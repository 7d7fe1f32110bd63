/*
 * base/utf8.c - UTF-8.
 * One job: tell characters from bytes that are none.
 * Floor: 0.
 */
#include "base/utf8.h"

static bool
is_cont(uint8_t c)
{
	return (c & 0xc0) == 0x80;
}

size_t
utf8_len(const uint8_t *p, size_t n)
{
	uint8_t c = p[0];

	if (c < 0x80)
		return 1;
	if (c < 0xc2 || c > 0xf4 || n < 2)
		return 0;
	if (c < 0xe0)
		return is_cont(p[1]) ? 2 : 0;
	/* The second byte is where overlong forms, surrogates and values beyond the end show. */
	if ((c == 0xe0 && p[1] < 0xa0) || (c == 0xed && p[1] > 0x9f) ||
	    (c == 0xf0 && p[1] < 0x90) || (c == 0xf4 && p[1] > 0x8f))
		return 0;
	if (n < 3 || !is_cont(p[1]) || !is_cont(p[2]))
		return 0;
	if (c < 0xf0)
		return 3;
	return n >= 4 && is_cont(p[3]) ? 4 : 0;
}

uint32_t
utf8_decode(const uint8_t *p, size_t n, size_t *ret_len)
{
	size_t len = utf8_len(p, n), i;
	uint32_t c;

	if (len <= 1) {
		*ret_len = 1;
		return len == 1 ? p[0] : 0xfffd;
	}
	c = p[0] & (0xffu >> (len + 1));
	for (i = 1; i < len; i++)
		c = (c << 6) | (p[i] & 0x3f);
	*ret_len = len;
	return c;
}

size_t
utf8_encode(uint8_t out[4], uint32_t c)
{
	if (c < 0x80) {
		out[0] = (uint8_t)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (uint8_t)(0xc0 | (c >> 6));
		out[1] = (uint8_t)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (uint8_t)(0xe0 | (c >> 12));
		out[1] = (uint8_t)(0x80 | ((c >> 6) & 0x3f));
		out[2] = (uint8_t)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (uint8_t)(0xf0 | ((c >> 18) & 7));
	out[1] = (uint8_t)(0x80 | ((c >> 12) & 0x3f));
	out[2] = (uint8_t)(0x80 | ((c >> 6) & 0x3f));
	out[3] = (uint8_t)(0x80 | (c & 0x3f));
	return 4;
}

bool
utf8_valid(struct str s)
{
	uint64_t word;
	size_t i = 0, n;

	while (i < s.n) {
		if (s.n - i >= 8) {
			memcpy(&word, s.p + i, 8);
			if ((word & 0x8080808080808080u) == 0) {
				i += 8;
				continue;
			}
		}
		n = utf8_len(s.p + i, s.n - i);
		if (n == 0)
			return false;
		i += n;
	}
	return true;
}
