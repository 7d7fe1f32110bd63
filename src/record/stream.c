/*
 * record/stream.c - stream labels.
 * One job: the canonical text of a stream, {a="x",b="y"}, and back.
 * Floor: 1 (uses base).
 */
#include "record/stream.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/utf8.h"

/* The seed of the second half of a stream's ID; never changes, since IDs are kept outside. */
#define ID_SEED UINT64_C(0x7374726561a5c35a)

/* Go's short escapes: ESCAPED[i] is written as '\\', LETTERS[i]. */
static const char escaped[] = "\a\b\f\n\r\t\v\\\"";
static const char letters[] = "abfnrtv\\\"";

static void
put_escape(struct buf *out, uint8_t c)
{
	const char *at = c != 0 ? strchr(escaped, c) : NULL;

	if (at != NULL) {
		buf_byte(out, '\\');
		buf_byte(out, (uint8_t)letters[at - escaped]);
	} else {
		buf_printf(out, "\\x%02x", c);
	}
}

static void
put_quoted(struct buf *out, struct str s)
{
	size_t i, n;

	buf_byte(out, '"');
	for (i = 0; i < s.n; i += n) {
		n = utf8_len(s.p + i, s.n - i);
		if (n == 2 && s.p[i] == 0xc2 && s.p[i + 1] < 0xa0)
			buf_printf(out, "\\u%04x", s.p[i + 1]);
		else if (n == 0 || s.p[i] < 0x20 || s.p[i] == 0x7f || s.p[i] == '"' ||
		    s.p[i] == '\\')
			put_escape(out, s.p[i]);
		else
			buf_put(out, s.p + i, n);
		n += n == 0;
	}
	buf_byte(out, '"');
}

static bool
is_name_byte(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	    c == '_' || c == '.' || c == ':' || c == '-' || c == '/' || c == '@' || c >= 0x80;
}

static bool
is_plain_name(struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (!is_name_byte(s.p[i]))
			return false;
	return s.n != 0 && utf8_valid(s);
}

/* Insertion sort: labels are few, nearly always in order, and equal names must keep theirs. */
static void
sort_labels(struct label *labels, size_t n)
{
	struct label l;
	size_t i, k;

	for (i = 1; i < n; i++) {
		l = labels[i];
		for (k = i; k > 0 && str_cmp(labels[k - 1].name, l.name) > 0; k--)
			labels[k] = labels[k - 1];
		labels[k] = l;
	}
}

void
stream_format(struct buf *out, struct label *labels, size_t n)
{
	bool first = true;
	size_t i;

	sort_labels(labels, n);
	buf_byte(out, '{');
	for (i = 0; i < n; i++) {
		/* Of labels with one name the last holds. */
		if (labels[i].value.n == 0 ||
		    (i + 1 < n && str_eq(labels[i].name, labels[i + 1].name)))
			continue;
		if (!first)
			buf_byte(out, ',');
		first = false;
		if (is_plain_name(labels[i].name))
			buf_str(out, labels[i].name);
		else
			put_quoted(out, labels[i].name);
		buf_byte(out, '=');
		put_quoted(out, labels[i].value);
	}
	buf_byte(out, '}');
}

static int
hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = str_lower_byte(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* digits hex digits at s[*at]; false when they are not there. */
static bool
take_hex(struct str s, size_t *at, size_t digits, uint32_t *ret)
{
	uint32_t v = 0;
	size_t i;
	int d;

	if (s.n - *at < digits)
		return false;
	for (i = 0; i < digits; i++) {
		d = hex_digit(s.p[*at + i]);
		if (d < 0)
			return false;
		v = v << 4 | (uint32_t)d;
	}
	*at += digits;
	*ret = v;
	return true;
}

/* The escape whose letter is s[*at]: its bytes to out[4], their number, or 0 when it is none. */
static size_t
take_escape(struct str s, size_t *at, uint8_t out[4])
{
	uint8_t c = s.p[(*at)++];
	const char *letter = c != 0 ? strchr(letters, c) : NULL;
	uint32_t v = 0;

	if (letter != NULL) {
		out[0] = (uint8_t)escaped[letter - letters];
		return 1;
	}
	if (c == 'x' && take_hex(s, at, 2, &v)) {
		out[0] = (uint8_t)v;
		return 1;
	}
	if ((c == 'u' && take_hex(s, at, 4, &v)) || (c == 'U' && take_hex(s, at, 8, &v)))
		return v <= 0x10ffff ? utf8_encode(out, v) : 0;
	return 0;
}

/* The quoted string whose '"' is s[*at]; borrows from s when nothing is escaped. */
static int
take_quoted(struct str s, size_t *at, struct arena *arena, struct str *ret)
{
	size_t start = ++*at, i = start, n = 0, len;
	uint8_t *out;

	while (i < s.n && s.p[i] != '"' && s.p[i] != '\\')
		i++;
	if (i < s.n && s.p[i] == '"') {
		*at = i + 1;
		*ret = str_sub(s, start, i);
		return 0;
	}
	/* An escape is never shorter than what it stands for; take_escape writes up to 4 bytes. */
	out = arena_alloc(arena, s.n - start + 4);
	if (out == NULL)
		return err_origin(-ENOMEM);
	for (i = start; i < s.n && s.p[i] != '"';) {
		if (s.p[i] != '\\') {
			out[n++] = s.p[i++];
			continue;
		}
		if (++i == s.n)
			return STREAM_E_SYNTAX;
		len = take_escape(s, &i, out + n);
		if (len == 0)
			return STREAM_E_SYNTAX;
		n += len;
	}
	if (i >= s.n)
		return STREAM_E_SYNTAX;
	*at = i + 1;
	*ret = str_of(out, n);
	return 0;
}

static int
take_name(struct str s, size_t *at, struct arena *arena, struct str *ret)
{
	size_t i = *at;

	if (i < s.n && s.p[i] == '"')
		return take_quoted(s, at, arena, ret);
	while (i < s.n && is_name_byte(s.p[i]))
		i++;
	if (i == *at)
		return STREAM_E_SYNTAX;
	*ret = str_sub(s, *at, i);
	*at = i;
	return 0;
}

static bool
take_byte(struct str s, size_t *at, uint8_t c)
{
	if (*at >= s.n || s.p[*at] != c)
		return false;
	(*at)++;
	return true;
}

static int
take_label(struct str s, size_t *at, struct arena *arena, struct label *ret)
{
	int r;

	r = take_name(s, at, arena, &ret->name);
	if (r != 0)
		return r;
	if (!take_byte(s, at, '=') || *at >= s.n || s.p[*at] != '"')
		return STREAM_E_SYNTAX;
	return take_quoted(s, at, arena, &ret->value);
}

int
stream_parse(struct str s, struct arena *arena, struct label *ret_labels, size_t *ret_n)
{
	size_t at = 0, n = 0;
	int r;

	if (s.n == 0) {
		*ret_n = 0;
		return 0;
	}
	if (!take_byte(s, &at, '{'))
		return STREAM_E_SYNTAX;
	while (at < s.n && s.p[at] != '}') {
		if (n == STREAM_LABELS_MAX || (n != 0 && !take_byte(s, &at, ',')))
			return STREAM_E_SYNTAX;
		r = take_label(s, &at, arena, &ret_labels[n]);
		if (r != 0)
			return r;
		n++;
	}
	if (!take_byte(s, &at, '}') || at != s.n)
		return STREAM_E_SYNTAX;
	*ret_n = n;
	return 0;
}

void
stream_id(char out[STREAM_ID_TEXT + 1], struct str s)
{
	/* No stream and an empty one are the same. */
	if (s.n == 0)
		s = STR("{}");
	(void)snprintf(out, STREAM_ID_TEXT + 1, "0000000000000000%016llx%016llx",
	    (unsigned long long)hash64(s), (unsigned long long)hash64_seed(s, ID_SEED));
}
