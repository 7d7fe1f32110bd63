/*
 * logsql/letter.c - characters of words.
 * One job: what of Unicode is part of a word, is blank, or has a lower case.
 * Floor: 2 (uses base).
 */
#include "base/buf.h"
#include "base/utf8.h"
#include "logsql/letter_internal.h"

static bool
word_byte(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	    c == '_';
}

bool
letter_is_word(uint32_t c)
{
	size_t lo = 0, hi = letter_n_ranges, mid;

	if (c < 0x80)
		return word_byte((uint8_t)c);
	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (letter_ranges[mid].last < c)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < letter_n_ranges && letter_ranges[lo].first <= c;
}

bool
letter_is_blank(uint32_t c)
{
	if (c < 0x80)
		return c == ' ' || (c >= '\t' && c <= '\r');
	return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
	    c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

uint32_t
letter_lower(uint32_t c)
{
	size_t lo = 0, hi = letter_n_cases, mid;
	const struct letter_case *k;

	if (c < 0x80)
		return str_lower_byte((uint8_t)c);
	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (letter_cases[mid].last < c)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == letter_n_cases)
		return c;
	k = &letter_cases[lo];
	if (c < k->first || (c - k->first) % (uint32_t)k->step != 0)
		return c;
	return (uint32_t)((int32_t)c + k->delta);
}

bool
letter_word_at(struct str s, size_t at)
{
	size_t n;

	if (s.p[at] < 0x80)
		return word_byte(s.p[at]);
	if (utf8_len(s.p + at, s.n - at) == 0)
		return true;
	return letter_is_word(utf8_decode(s.p + at, s.n - at, &n));
}

bool
letter_word_before(struct str s, size_t at)
{
	size_t n, back;

	if (s.p[at - 1] < 0x80)
		return word_byte(s.p[at - 1]);
	for (back = 2; back <= 4 && back <= at; back++)
		if (utf8_len(s.p + at - back, back) == back)
			return letter_is_word(utf8_decode(s.p + at - back, back, &n));
	return true;
}

void
letter_lower_str(struct buf *out, struct str s)
{
	size_t i = 0, n;
	uint8_t text[4];

	while (i < s.n) {
		if (s.p[i] < 0x80) {
			buf_byte(out, str_lower_byte(s.p[i++]));
			continue;
		}
		n = utf8_len(s.p + i, s.n - i);
		if (n == 0) {
			buf_byte(out, s.p[i++]);
			continue;
		}
		buf_put(out, text,
		    utf8_encode(text, letter_lower(utf8_decode(s.p + i, s.n - i, &n))));
		i += n;
	}
}

uint32_t
letter_upper(uint32_t c)
{
	const struct letter_case *k;
	uint32_t from;
	size_t i;

	if (c < 0x80)
		return c >= 'a' && c <= 'z' ? c - 0x20 : c;
	for (i = 0; i < letter_n_cases; i++) {
		k = &letter_cases[i];
		from = (uint32_t)((int32_t)c - k->delta);
		if (from >= k->first && from <= k->last &&
		    (from - k->first) % (uint32_t)k->step == 0)
			return from;
	}
	return c;
}
