/*
 * logsql/quote.c - quoted strings.
 * One job: read a string as Go writes it, and write any bytes as a token.
 * Floor: 2 (uses record, base).
 */
#include "base/utf8.h"
#include "logsql/letter_internal.h"
#include "logsql/lex_internal.h"

static int
hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = str_lower_byte(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* n digits of a base at s[0..]: their value, or -1. */
static int64_t
escape_digits(struct str s, size_t n, int base)
{
	int64_t v = 0;
	size_t i;
	int d;

	if (s.n < n)
		return -1;
	for (i = 0; i < n; i++) {
		d = hex_digit(s.p[i]);
		if (d < 0 || d >= base)
			return -1;
		v = v * base + d;
	}
	return v;
}

static int
simple_escape(uint8_t c, uint8_t quote)
{
	static const char from[] = "abfnrtv\\";
	static const char to[] = "\a\b\f\n\r\t\v\\";
	const char *p = memchr(from, c, sizeof(from) - 1);

	if (p != NULL)
		return to[p - from];
	return c == quote ? quote : -1;
}

/* A byte that is written as its code; between single quotes it is a character's. */
static size_t
put_code(int64_t v, uint8_t quote, uint8_t out[4])
{
	if (quote == '\'')
		return utf8_encode(out, (uint32_t)v);
	out[0] = (uint8_t)v;
	return 1;
}

/* The escape at s[0..], after its backslash: bytes taken, or 0. */
static size_t
unescape(struct str s, uint8_t quote, uint8_t out[4], size_t *ret_n)
{
	int64_t v;
	size_t n;
	int c;

	if (s.n == 0)
		return 0;
	c = simple_escape(s.p[0], quote);
	*ret_n = 1;
	if (c >= 0) {
		out[0] = (uint8_t)c;
		return 1;
	}
	if (s.p[0] >= '0' && s.p[0] <= '7') {
		v = escape_digits(s, 3, 8);
		if (v >= 0 && v <= 255)
			*ret_n = put_code(v, quote, out);
		return v < 0 || v > 255 ? 0 : 3;
	}
	n = s.p[0] == 'x' ? 2 : s.p[0] == 'u' ? 4 : s.p[0] == 'U' ? 8 : 0;
	v = n != 0 ? escape_digits(str_sub(s, 1, s.n), n, 16) : -1;
	if (v < 0 || v > 0x10ffff || (v >= 0xd800 && v < 0xe000))
		return 0;
	*ret_n = n == 2 ? put_code(v, quote, out) : utf8_encode(out, (uint32_t)v);
	return n + 1;
}

/* Where the string ends: the offset of its closing quote, or SIZE_MAX. */
static size_t
find_close(struct str s, bool *ret_escaped)
{
	size_t i;

	*ret_escaped = false;
	for (i = 1; i < s.n; i++) {
		if (s.p[i] == s.p[0])
			return i;
		if (s.p[i] == '\n' && s.p[0] == '"')
			return SIZE_MAX;
		if (s.p[i] == '\\' && s.p[0] != '`') {
			*ret_escaped = true;
			i++;
		}
	}
	return SIZE_MAX;
}

int
lex_unquote(struct str s, struct arena *arena, size_t *ret_n, struct str *ret)
{
	uint8_t *text;
	size_t close, i, n = 0, took, made;
	bool escaped;

	if (s.n < 2 || (s.p[0] != '"' && s.p[0] != '\'' && s.p[0] != '`'))
		return LOGSQL_E_SYNTAX;
	close = find_close(s, &escaped);
	if (close == SIZE_MAX)
		return LOGSQL_E_SYNTAX;
	*ret_n = close + 1;
	*ret = str_sub(s, 1, close);
	if (!escaped)
		return 0;
	/* No escape makes more bytes than it has. */
	text = arena_alloc(arena, close);
	if (text == NULL)
		return err_origin(-ENOMEM);
	for (i = 1; i < close;) {
		if (s.p[i] != '\\') {
			text[n++] = s.p[i++];
			continue;
		}
		took = unescape(str_sub(s, i + 1, close), s.p[0], text + n, &made);
		if (took == 0)
			return LOGSQL_E_SYNTAX;
		n += made;
		i += took + 1;
	}
	*ret = str_of(text, n);
	return 0;
}

static bool
needs_quotes(struct str s)
{
	size_t i, n;
	uint32_t c;

	for (i = 0; i < s.n; i += n) {
		c = utf8_decode(s.p + i, s.n - i, &n);
		if (c != '.' && !letter_is_word(c))
			return true;
	}
	return s.n == 0 || logsql_is_keyword(s) || logsql_is_pipe_word(s);
}

static void
quote_byte(struct buf *out, uint8_t c)
{
	static const char from[] = "\"\\\n\r\t";
	static const char to[] = "\"\\nrt";
	const char *p = memchr(from, c, sizeof(from) - 1);

	if (p != NULL) {
		buf_byte(out, '\\');
		buf_byte(out, (uint8_t)to[p - from]);
	} else if (c < 0x20 || c >= 0x7f)
		buf_printf(out, "\\x%02x", c);
	else
		buf_byte(out, c);
}

void
logsql_quote(struct buf *out, struct str s)
{
	if (needs_quotes(s))
		logsql_quote_always(out, s);
	else
		buf_str(out, s);
}

void
logsql_quote_always(struct buf *out, struct str s)
{
	size_t i, n;

	buf_byte(out, '"');
	for (i = 0; i < s.n; i += n) {
		n = utf8_len(s.p + i, s.n - i);
		if (n > 1)
			buf_put(out, s.p + i, n);
		else {
			quote_byte(out, s.p[i]);
			n = 1;
		}
	}
	buf_byte(out, '"');
}
