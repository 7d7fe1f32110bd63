/*
 * logsql/json_array.c - elements of a JSON array.
 * One job: json_array_contains_any, without building the array.
 * Floor: 2 (uses record, base).
 *
 * Only the top level counts; a nested array or object equals its text as it is written.
 */
#include "base/utf8.h"
#include "logsql/filter_internal.h"

static size_t
skip_blanks(struct str s, size_t at)
{
	while (at < s.n && (s.p[at] == ' ' || (s.p[at] >= '\t' && s.p[at] <= '\r')))
		at++;
	return at;
}

/* Behind the string that begins at s[at], or SIZE_MAX. */
static size_t
string_end(struct str s, size_t at)
{
	for (at++; at < s.n && s.p[at] != '"'; at++)
		at += s.p[at] == '\\';
	return at < s.n ? at + 1 : SIZE_MAX;
}

/* Behind the element that begins at s[at], or SIZE_MAX. */
static size_t
element_end(struct str s, size_t at)
{
	size_t depth = 0;

	while (at < s.n) {
		if (s.p[at] == '"') {
			at = string_end(s, at);
			if (at == SIZE_MAX)
				return SIZE_MAX;
			continue;
		}
		if (depth == 0 && (s.p[at] == ',' || s.p[at] == ']'))
			return at;
		depth += s.p[at] == '[' || s.p[at] == '{';
		depth -= depth > 0 && (s.p[at] == ']' || s.p[at] == '}');
		at++;
	}
	return SIZE_MAX;
}

static int
hex4(struct str s, size_t at)
{
	static const char digits[] = "0123456789abcdef";
	const char *p;
	int v = 0, i;

	for (i = 0; i < 4; i++, at++) {
		p = at < s.n ? memchr(digits, str_lower_byte(s.p[at]), 16) : NULL;
		if (p == NULL)
			return -1;
		v = v * 16 + (int)(p - digits);
	}
	return v;
}

/* One character of a string's text at s[*at]: its bytes, or 0 for a bad escape. */
static size_t
next_char(struct str s, size_t *at, uint8_t out[4])
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *p;
	int c, low;

	if (s.p[*at] != '\\') {
		out[0] = s.p[(*at)++];
		return 1;
	}
	if (*at + 1 >= s.n)
		return 0;
	p = memchr(from, s.p[*at + 1], sizeof(from) - 1);
	if (p != NULL) {
		*at += 2;
		out[0] = (uint8_t)to[p - from];
		return 1;
	}
	c = s.p[*at + 1] == 'u' ? hex4(s, *at + 2) : -1;
	if (c < 0)
		return 0;
	*at += 6;
	if (c >= 0xd800 && c < 0xdc00 && str_starts(str_sub(s, *at, s.n), STR("\\u"))) {
		low = hex4(s, *at + 2);
		if (low >= 0xdc00 && low < 0xe000) {
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
			*at += 6;
		}
	}
	return utf8_encode(out, (uint32_t)c);
}

/* A string's text, between its quotes, is ${value} once decoded. */
static bool
text_equals(struct str text, struct str value)
{
	uint8_t c[4];
	size_t at = 0, k = 0, n;

	while (at < text.n) {
		n = next_char(text, &at, c);
		if (n == 0 || value.n - k < n || memcmp(value.p + k, c, n) != 0)
			return false;
		k += n;
	}
	return k == value.n;
}

bool
json_array_has(struct str s, struct str value)
{
	struct str element;
	size_t at, end;

	s = str_trim(s);
	if (s.n < 2 || s.p[0] != '[' || s.p[s.n - 1] != ']')
		return false;
	for (at = 1; at < s.n; at = end + 1) {
		at = skip_blanks(s, at);
		end = element_end(s, at);
		if (end == SIZE_MAX)
			return false;
		element = str_trim(str_sub(s, at, end));
		if (element.n >= 2 && element.p[0] == '"') {
			if (text_equals(str_sub(element, 1, element.n - 1), value))
				return true;
		} else if (element.n != 0 && str_eq(element, value))
			return true;
	}
	return false;
}
