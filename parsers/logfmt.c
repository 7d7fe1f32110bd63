/*
 * parsers/logfmt.c - key=value lines.
 * One job: the pairs of a logfmt line.
 * Floor: 2 (uses record, base).
 *
 * Pairs are parted by blanks; a value is bare up to the next blank, or quoted with the escapes of JSON.
 * Words that are no pair are kept together, so that nothing of the line is lost.
 */
#include "parsers/logfmt.h"

#include "base/utf8.h"
#include "parsers/parser_internal.h"

/* A line as it is taken apart. */
struct logfmt {
	struct str s;
	size_t at;
	struct gather *g;
	size_t n_pairs;
	uint8_t *words; /* arena: what is no pair, with a blank between */
	size_t n_words;
};

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* The bytes that a key may have; stricter than the writers are, so that plain text is not taken for pairs. */
static bool
is_key_byte(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	    c == '_' || c == '.' || c == '-' || c == '@' || c == '/' || c == ':' || c == '$' ||
	    c >= 0x80;
}

/* Where the '"' that closes the one at at stands, or SIZE_MAX. */
static size_t
closing_quote(struct str s, size_t at, bool *ret_escaped)
{
	*ret_escaped = false;
	for (at++; at < s.n && s.p[at] != '"'; at++)
		if (s.p[at] == '\\') {
			*ret_escaped = true;
			at++;
		}
	return at < s.n ? at : SIZE_MAX;
}

static int
hex_value(struct str s, size_t at, size_t n)
{
	int v = 0, d;
	uint8_t c;

	if (s.n - at < n)
		return -1;
	for (; n > 0; n--, at++) {
		c = str_lower_byte(s.p[at]);
		d = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
		if (d < 0)
			return -1;
		v = v << 4 | d;
	}
	return v;
}

/* The escape whose '\\' is s[at]: its bytes to out; what is no known escape stays as written. */
static size_t
take_escape(struct str s, size_t at, uint8_t **out)
{
	static const uint8_t plain[256] = { ['"'] = '"',
		['\\'] = '\\',
		['/'] = '/',
		['b'] = '\b',
		['f'] = '\f',
		['n'] = '\n',
		['r'] = '\r',
		['t'] = '\t',
		['a'] = '\a',
		['v'] = '\v',
		['\''] = '\'' };
	uint8_t c = at + 1 < s.n ? s.p[at + 1] : 0;
	int v;

	if (plain[c] != 0) {
		*(*out)++ = plain[c];
		return at + 2;
	}
	v = c == 'u' ? hex_value(s, at + 2, 4) : -1;
	if (v >= 0) {
		*out += utf8_encode(*out, (uint32_t)v);
		return at + 6;
	}
	v = c == 'x' ? hex_value(s, at + 2, 2) : -1;
	if (v >= 0) {
		*(*out)++ = (uint8_t)v;
		return at + 4;
	}
	*(*out)++ = '\\';
	return at + 1;
}

static int
unquote(struct str s, struct arena *arena, struct str *ret)
{
	uint8_t *out = arena_alloc(arena, s.n), *start = out;
	size_t at = 0;

	if (out == NULL)
		return err_origin(-ENOMEM);
	while (at < s.n) {
		if (s.p[at] == '\\')
			at = take_escape(s, at, &out);
		else
			*out++ = s.p[at++];
	}
	*ret = str_of(start, (size_t)(out - start));
	return 0;
}

/* The value at l->at, behind the '='. */
static int
take_value(struct logfmt *l, struct str *ret)
{
	size_t start = l->at, end;
	bool escaped;

	if (start < l->s.n && l->s.p[start] == '"') {
		end = closing_quote(l->s, start, &escaped);
		if (end != SIZE_MAX && (end + 1 == l->s.n || is_blank(l->s.p[end + 1]))) {
			l->at = end + 1;
			*ret = str_sub(l->s, start + 1, end);
			return escaped ? unquote(*ret, l->g->arena, ret) : 0;
		}
	}
	while (l->at < l->s.n && !is_blank(l->s.p[l->at]))
		l->at++;
	*ret = str_sub(l->s, start, l->at);
	return 0;
}

static int
keep_word(struct logfmt *l, size_t start, size_t end)
{
	if (l->words == NULL)
		l->words = arena_alloc(l->g->arena, l->s.n + 1);
	if (l->words == NULL)
		return err_origin(-ENOMEM);
	if (l->n_words != 0)
		l->words[l->n_words++] = ' ';
	memcpy(l->words + l->n_words, l->s.p + start, end - start);
	l->n_words += end - start;
	return 0;
}

/* The pair or word at l->at, which is no blank. */
static int
take_item(struct logfmt *l)
{
	size_t start = l->at, end;
	struct str value;
	int r;

	while (l->at < l->s.n && is_key_byte(l->s.p[l->at]))
		l->at++;
	end = l->at;
	if (end > start && end < l->s.n && l->s.p[end] == '=') {
		l->at++;
		r = take_value(l, &value);
		if (r != 0)
			return r;
		l->n_pairs++;
		r = gather_add(l->g, str_sub(l->s, start, end), value, VALUE_STRING);
		if (r != GATHER_E_FULL)
			return r;
		l->g->rest = str_sub(l->s, start, l->s.n);
		l->at = l->s.n;
		return 0;
	}
	while (l->at < l->s.n && !is_blank(l->s.p[l->at]))
		l->at++;
	return keep_word(l, start, l->at);
}

static int
take_all(struct logfmt *l)
{
	int r = 0;

	while (r == 0) {
		while (l->at < l->s.n && is_blank(l->s.p[l->at]))
			l->at++;
		if (l->at == l->s.n)
			break;
		r = take_item(l);
	}
	return r;
}

int
format_logfmt(struct context *c, struct str line)
{
	struct logfmt l = { .s = line, .g = &c->g };
	struct str words;
	int r;

	r = take_all(&l);
	if (r != 0)
		return r;
	if (l.n_pairs == 0)
		return gather_fail(&c->g, "logfmt: no key=value pair");
	words = str_of(l.words, l.n_words);
	if (words.n == 0)
		return 0;
	/* Words beside the pairs are the message, unless a pair is. */
	if (c->g.msg_seen == 0)
		return gather_add(&c->g, STR("_msg"), words, VALUE_STRING);
	if (c->g.rest.n == 0)
		c->g.rest = words;
	return 0;
}

bool
logfmt_looks(struct str s)
{
	size_t at = 0, start, end, n = 0;
	bool escaped;

	while (at < s.n) {
		while (at < s.n && is_blank(s.p[at]))
			at++;
		if (at == s.n)
			break;
		start = at;
		while (at < s.n && is_key_byte(s.p[at]))
			at++;
		if (at == start || at == s.n || s.p[at] != '=' || s.p[start] == '/' ||
		    (s.p[start] >= '0' && s.p[start] <= '9'))
			return false;
		end = ++at < s.n && s.p[at] == '"' ? closing_quote(s, at, &escaped) : SIZE_MAX;
		if (end != SIZE_MAX)
			at = end + 1;
		while (at < s.n && !is_blank(s.p[at]))
			at++;
		n++;
	}
	return n >= 2;
}
