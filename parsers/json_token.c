/*
 * parsers/json_token.c - the tokens of a JSON text.
 * One job: what is rare in them: errors, escapes, words.
 * Floor: 2 (uses record, base).
 */
#include "base/utf8.h"
#include "parsers/json_internal.h"

int
json_fail(struct json *j, size_t at, const char *what)
{
	if (at >= j->shown_n)
		return gather_fail(j->g, "json: the text ends too early at byte %zu", j->shown_n);
	return gather_fail(j->g, "json: %s at byte %zu", what, at);
}

static int
hex4(const uint8_t *p)
{
	int v = 0, i, d;
	uint8_t c;

	for (i = 0; i < 4; i++) {
		c = str_lower_byte(p[i]);
		d = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
		if (d < 0)
			return -1;
		v = v << 4 | d;
	}
	return v;
}

/* \uHHHH whose 'u' is p[at]; a pair of surrogates is one character.  Where it ends, or 0. */
static size_t
unescape_u(const uint8_t *p, size_t at, size_t end, uint8_t **out)
{
	int c, low;

	c = end - at >= 5 ? hex4(p + at + 1) : -1;
	if (c < 0)
		return 0;
	at += 5;
	if (c >= 0xd800 && c < 0xdc00 && end - at >= 6 && p[at] == '\\' && p[at + 1] == 'u') {
		low = hex4(p + at + 2);
		if (low >= 0xdc00 && low < 0xe000) {
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
			at += 6;
		}
	}
	*out += utf8_encode(*out, (uint32_t)c);
	return at;
}

/* The string [start, end) without its escapes to out; where a bad escape stands, or 0 and the bytes written.  ret_own: all escapes
 * are those that buf_json would make. */
static size_t
unescape(const struct json *j, size_t start, size_t end, uint8_t *out, size_t *ret_n, bool *ret_own)
{
	static const uint8_t plain[256] = { ['"'] = '"',
		['\\'] = '\\',
		['/'] = '/',
		['b'] = '\b',
		['f'] = '\f',
		['n'] = '\n',
		['r'] = '\r',
		['t'] = '\t' };
	const uint8_t *from = out, *p = j->p;
	size_t at = start, n, next;

	*ret_own = true;
	while (at < end) {
		/* What is marked in a string begins an escape, or is one's second byte. */
		n = json_next_mark(j, at) - at;
		bytes_copy(out, p + at, n);
		out += n;
		at += n;
		if (at == end)
			break;
		/* The scan for the end took escapes by twos, so one more byte is there. */
		*ret_own &= p[at + 1] != '/' && p[at + 1] != 'u';
		if (plain[p[at + 1]] != 0) {
			*out++ = plain[p[at + 1]];
			at += 2;
			continue;
		}
		next = p[at + 1] == 'u' ? unescape_u(p, at + 1, end, &out) : 0;
		if (next == 0)
			return at;
		at = next;
	}
	*ret_n = (size_t)(out - from);
	return 0;
}

/* From the first mark of a string with escapes, at ${mark}, to the one that ends it; n at least when there is none. */
static size_t
last_mark(const struct json *j, size_t mark)
{
	while (mark < j->n && j->p[mark] == '\\')
		mark = mark + 2 <= j->n ? json_next_mark(j, mark + 2) : j->n;
	return mark;
}

/* The end of a string with escapes, of which the first mark is at mark; at is behind its '"' then. */
static int
string_end(struct json *j, size_t mark, size_t *ret_end)
{
	mark = last_mark(j, mark);
	if (mark >= j->n)
		return json_fail(j, j->shown_n, "");
	if (j->p[mark] != '"')
		return json_fail(j, mark, "control character in a string");
	*ret_end = mark;
	j->at = mark + 1;
	return 0;
}

int
json_string_slow(struct json *j, size_t mark, struct str *ret)
{
	size_t start = j->at, end = 0, n = 0, bad;
	uint8_t *out;
	bool own;
	int r;

	r = string_end(j, mark, &end);
	if (r != 0)
		return r;
	/* An escape is never shorter than what it stands for. */
	out = arena_alloc(j->g->arena, end - start);
	if (out == NULL)
		return err_origin(-ENOMEM);
	bad = unescape(j, start, end, out, &n, &own);
	if (bad != 0)
		return json_fail(j, bad, "bad escape");
	*ret = str_of(out, n);
	return 0;
}

/* Whether p[n] has no DEL and nothing beyond ASCII; a carry only makes it say so too often. */
static bool
is_ascii(const uint8_t *p, size_t n)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t seen = 0, w;
	size_t i;

	for (i = 0; i + 8 <= n; i += 8) {
		w = bytes_load_le(p + i);
		seen |= w | (w + ones);
	}
	for (; i < n; i++)
		seen |= p[i] | (p[i] + 1u);
	return (seen & ones << 7) == 0;
}

size_t
json_string_own(struct json *j, size_t at, struct str *ret)
{
	size_t start = at + 1, end = last_mark(j, json_next_mark(j, start)), n = 0;
	uint8_t *out;
	bool own;

	if (end >= j->n || j->p[end] != '"' || !is_ascii(j->p + start, end - start))
		return 0;
	out = arena_alloc(j->g->arena, end - start);
	if (out == NULL || unescape(j, start, end, out, &n, &own) != 0 || !own)
		return 0;
	*ret = str_of(out, n);
	j->g->n_escaped += end - start - n;
	return end + 1;
}

/* true, false or null at at: its length, or 0. */
size_t
json_literal(const struct json *j)
{
	static const struct str words[] = { STR_INIT("true"), STR_INIT("false"), STR_INIT("null") };
	size_t i;

	for (i = 0; i < ARRAY_LEN(words); i++)
		if (j->n - j->at >= words[i].n && memcmp(j->p + j->at, words[i].p, words[i].n) == 0)
			return words[i].n;
	return 0;
}
