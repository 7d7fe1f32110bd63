/*
 * alerts/gotmpl_lex.c - tokens of a template.
 * One job: cut text and what stands in {{ }} into tokens with their place.
 * Floor: 4 (uses base).  Source: Go's text/template/parse, as its documentation has it.
 */
#include <stdio.h>

#include "alerts/gotmpl_internal.h"
#include "base/utf8.h"

int
tmpl_lex_fail(struct tmpl_lex *l, size_t at, const char *fmt, ...)
{
	va_list ap;

	l->error_at = at;
	va_start(ap, fmt);
	(void)vsnprintf(l->error, sizeof(l->error), fmt, ap);
	va_end(ap);
	return GOTMPL_E_BAD;
}

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool
is_word(uint8_t c)
{
	return (str_lower_byte(c) >= 'a' && str_lower_byte(c) <= 'z') || c == '_' || c >= 0x80;
}

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool
starts(const struct tmpl_lex *l, const char *s)
{
	return str_starts(str_sub(l->text, l->at, l->text.n), str_c(s));
}

/* ---- text, comments, trim markers ---- */

static bool
trims_left(struct str s)
{
	return s.n >= 4 && s.p[2] == '-' && is_blank(s.p[3]);
}

/* "{{/ * … * /}}" at the place; skipped, with what its markers trim. */
static int
skip_comment(struct tmpl_lex *l, bool *ret_was)
{
	struct str s = str_sub(l->text, l->at, l->text.n);
	size_t i = trims_left(s) ? 3 : 2, end;

	*ret_was = false;
	while (i > 2 && i < s.n && is_blank(s.p[i]))
		i++;
	if (!str_starts(str_sub(s, i, s.n), STR("/*")))
		return 0;
	end = str_find(str_sub(s, i, s.n), STR("*/"));
	if (end == SIZE_MAX)
		return tmpl_lex_fail(l, l->at + i, "the comment has no end: expected '*/}}'");
	i += end + 2;
	l->trim = false;
	if (i + 1 < s.n && is_blank(s.p[i])) {
		while (i < s.n && is_blank(s.p[i]))
			i++;
		l->trim = i < s.n && s.p[i] == '-';
		i += l->trim;
	}
	if (!str_starts(str_sub(s, i, s.n), STR("}}")))
		return tmpl_lex_fail(l, l->at + i, "expected '}}' right behind '*/'");
	l->at += i + 2;
	*ret_was = true;
	return 0;
}

static int
open_action(struct tmpl_lex *l, bool *ret_comment)
{
	int r = skip_comment(l, ret_comment);

	if (r != 0 || *ret_comment)
		return r;
	l->at += trims_left(str_sub(l->text, l->at, l->text.n)) ? 3 : 2;
	l->inside = true;
	return 0;
}

/* Text up to the next {{, without what markers on both sides trim. */
static struct str
take_text(struct tmpl_lex *l)
{
	struct str rest = str_sub(l->text, l->at, l->text.n), s;
	size_t n = str_find(rest, STR("{{"));

	s = str_sub(rest, 0, n == SIZE_MAX ? rest.n : n);
	l->at += s.n;
	while (l->trim && s.n > 0 && is_blank(s.p[0]))
		s = str_sub(s, 1, s.n);
	if (n != SIZE_MAX && trims_left(str_sub(rest, n, rest.n)))
		while (s.n > 0 && is_blank(s.p[s.n - 1]))
			s.n--;
	l->trim = false;
	return s;
}

static int
next_outside(struct tmpl_lex *l)
{
	bool comment = true;
	size_t at;
	int r;

	while (comment) {
		at = l->at;
		if (at >= l->text.n) {
			l->token.kind = TOKEN_END;
			l->token.at = l->text.n;
			return 0;
		}
		l->token.text = take_text(l);
		if (l->token.text.n > 0) {
			l->token.kind = TOKEN_TEXT;
			l->token.at = at;
			return 0;
		}
		if (l->at >= l->text.n)
			continue;
		r = open_action(l, &comment);
		if (r != 0)
			return r;
	}
	return tmpl_lex_next(l);
}

/* ---- in an action ---- */

static int
hex_digit(uint8_t c)
{
	if (is_digit(c))
		return c - '0';
	c = str_lower_byte(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* \x41, \u263a, \U0001f600, \101: the number, and how many bytes stood for it; 0: none. */
static size_t
escape_number(struct str s, uint32_t *ret)
{
	static const struct {
		uint8_t mark;
		size_t n;
	} forms[] = { { 'x', 2 }, { 'u', 4 }, { 'U', 8 } };
	size_t i, k, n = 0, base = 16, from = 1;

	*ret = 0;
	for (i = 0; i < ARRAY_LEN(forms); i++)
		if (s.n > 0 && s.p[0] == forms[i].mark)
			n = forms[i].n;
	if (n == 0 && s.n > 0 && s.p[0] >= '0' && s.p[0] <= '7') {
		n = 3;
		base = 8;
		from = 0;
	}
	if (n == 0 || s.n < from + n)
		return 0;
	for (k = from; k < from + n; k++) {
		int d = hex_digit(s.p[k]);

		if (d < 0 || (size_t)d >= base)
			return 0;
		*ret = *ret * (uint32_t)base + (uint32_t)d;
	}
	return from + n;
}

static size_t
escape(struct str s, struct buf *out)
{
	static const char from[] = "abfnrtv\\'\"", to[] = "\a\b\f\n\r\t\v\\'\"";
	const char *at = s.n > 0 && s.p[0] != '\0' ? strchr(from, s.p[0]) : NULL;
	uint8_t bytes[4];
	uint32_t c;
	size_t n;

	if (at != NULL) {
		buf_byte(out, (uint8_t)to[at - from]);
		return 1;
	}
	n = escape_number(s, &c);
	if (n == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	if (s.p[0] == 'u' || s.p[0] == 'U')
		buf_put(out, bytes, utf8_encode(bytes, c));
	else if (c > 0xff)
		return 0;
	else
		buf_byte(out, (uint8_t)c);
	return n;
}

static int
keep_text(struct tmpl_lex *l, struct buf *b)
{
	if (buf_err(b) != 0)
		return buf_err(b);
	l->token.text = arena_dup(l->arena, buf_view(b));
	return l->token.text.p != NULL ? 0 : err_origin(-ENOMEM);
}

/* "…" and '…' with escapes. */
static int
take_quoted(struct tmpl_lex *l)
{
	AUTO_FINI(buf_fini) struct buf b = BUF_INIT;
	uint8_t quote = l->text.p[l->at];
	size_t i = l->at + 1, n;

	while (i < l->text.n && l->text.p[i] != quote && l->text.p[i] != '\n') {
		if (l->text.p[i] != '\\') {
			buf_byte(&b, l->text.p[i++]);
			continue;
		}
		n = escape(str_sub(l->text, i + 1, l->text.n), &b);
		if (n == 0)
			return tmpl_lex_fail(l, i,
			    "expected an escape such as \\n, \\\" or \\u263a");
		i += 1 + n;
	}
	if (i >= l->text.n || l->text.p[i] == '\n')
		return tmpl_lex_fail(l, l->at, "the quoted text has no end on this line");
	l->at = i + 1;
	l->token.kind = TOKEN_STRING;
	return keep_text(l, &b);
}

static int
take_raw(struct tmpl_lex *l)
{
	size_t end = str_find_byte(str_sub(l->text, l->at + 1, l->text.n), '`');

	if (end == SIZE_MAX)
		return tmpl_lex_fail(l, l->at, "the text in backquotes has no end");
	l->token.kind = TOKEN_STRING;
	l->token.text = str_sub(l->text, l->at + 1, l->at + 1 + end);
	l->at += end + 2;
	return 0;
}

/* 'x' is its number, as in Go. */
static int
take_rune(struct tmpl_lex *l)
{
	size_t at = l->at, n = 0;
	uint32_t c;
	int r;

	r = take_quoted(l);
	if (r != 0)
		return r;
	c = l->token.text.n > 0 ? utf8_decode(l->token.text.p, l->token.text.n, &n) : 0;
	if (n == 0 || n != l->token.text.n)
		return tmpl_lex_fail(l, at, "expected one character in '…'; texts are in \"…\"");
	l->token.kind = TOKEN_NUMBER;
	l->token.number = (struct tmpl_value){ .type = TMPL_INT, .i = (int64_t)c };
	return 0;
}

static bool
read_number(const char *text, struct tmpl_value *ret)
{
	const char *digits = text + (*text == '-' || *text == '+');
	char *end;

	*ret = (struct tmpl_value){ .type = TMPL_INT };
	errno = 0;
	if (digits[0] == '0' && (digits[1] == 'b' || digits[1] == 'o'))
		return false;
	ret->i = strtoll(text, &end, 0);
	if (*end == '\0' && errno == 0)
		return true;
	errno = 0;
	ret->type = TMPL_FLOAT;
	ret->f = strtod(text, &end);
	return *end == '\0' && errno == 0;
}

static int
take_number(struct tmpl_lex *l)
{
	char text[64];
	size_t i = l->at, n = 0;
	bool hex = false;

	while (i < l->text.n && n < sizeof(text) - 1) {
		uint8_t c = l->text.p[i];
		bool sign = (c == '+' || c == '-') &&
		    (n == 0 || (!hex && str_lower_byte((uint8_t)text[n - 1]) == 'e'));

		if (!is_digit(c) && !is_word(c) && c != '.' && !sign)
			break;
		hex = hex || str_lower_byte(c) == 'x';
		if (c != '_')
			text[n++] = (char)c;
		i++;
	}
	text[n] = '\0';
	if (!read_number(text, &l->token.number))
		return tmpl_lex_fail(l, l->at, "expected a number such as 5, 0.5, 1e6 or 0x1f");
	l->token.kind = TOKEN_NUMBER;
	l->at = i;
	return 0;
}

/* A name after '.' and '$', or by itself. */
static struct str
take_word(struct tmpl_lex *l)
{
	size_t from = l->at;

	while (l->at < l->text.n && (is_word(l->text.p[l->at]) || is_digit(l->text.p[l->at])))
		l->at++;
	return str_sub(l->text, from, l->at);
}

static int
take_sign(struct tmpl_lex *l)
{
	size_t n = starts(l, ":=") ? 2 : 1;

	l->token.kind = TOKEN_SIGN;
	l->token.text = str_sub(l->text, l->at, l->at + n);
	if (n == 1 && memchr("()|,.=", l->text.p[l->at], 6) == NULL)
		return tmpl_lex_fail(l, l->at, "expected a name, a value, '(', '|' or '}}'");
	l->at += n;
	return 0;
}

/* }} or -}}; -1: neither. */
static int
take_close(struct tmpl_lex *l, bool space)
{
	bool trim = space && starts(l, "-}}");

	if (!trim && !starts(l, "}}"))
		return -1;
	l->at += trim ? 3 : 2;
	l->trim = trim;
	l->inside = false;
	l->token.kind = TOKEN_CLOSE;
	return 0;
}

static int
take_value(struct tmpl_lex *l)
{
	uint8_t c = l->text.p[l->at];
	uint8_t d = l->at + 1 < l->text.n ? l->text.p[l->at + 1] : 0;

	if (c == '"')
		return take_quoted(l);
	if (c == '\'')
		return take_rune(l);
	if (c == '`')
		return take_raw(l);
	if (is_digit(c) || ((c == '.' || c == '-' || c == '+') && is_digit(d)))
		return take_number(l);
	if (c == '$' || (c == '.' && is_word(d))) {
		l->at++;
		l->token.kind = c == '$' ? TOKEN_VARIABLE : TOKEN_FIELD;
		l->token.text = take_word(l);
		return 0;
	}
	if (!is_word(c))
		return take_sign(l);
	l->token.kind = TOKEN_WORD;
	l->token.text = take_word(l);
	return 0;
}

int
tmpl_lex_next(struct tmpl_lex *l)
{
	size_t from = l->at;

	l->token = (struct tmpl_token){ .at = l->at };
	if (!l->inside)
		return next_outside(l);
	while (l->at < l->text.n && is_blank(l->text.p[l->at]))
		l->at++;
	l->token.at = l->at;
	l->token.space = l->at > from;
	if (l->at >= l->text.n)
		return tmpl_lex_fail(l, l->at, "{{ has no end: expected '}}'");
	if (take_close(l, l->token.space) == 0)
		return 0;
	return take_value(l);
}
