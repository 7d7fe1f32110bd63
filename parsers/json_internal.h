/*
 * parsers/json_internal.h - the tokens of a JSON text.
 * One job: go over strings, numbers and words; what is usual inline, what is rare in json_token.c.
 * Floor: 2 (uses record, base).
 *
 * The last byte of the text is always '}': so every byte that is not '}' has one behind it, and the
 * reader need not ask for the end before each.  A text that ends otherwise is wrong anyway; it is read
 * with a '}' put behind it to find out where.
 */
#pragma once

#include "base/digits.h"
#include "parsers/json.h"
#include "parsers/parser.h"

/* An object that is open. */
struct level {
	struct str prefix; /* its members' names begin with this */
	struct str key;    /* its own key as written, with quotes */
};

/*
 * Invariants: at < n until the outermost '}' is taken, and p[n - 1] == '}'; levels[0..depth) are open;
 * shown_n is the length of the text without a '}' put behind it.
 */
struct json {
	const uint8_t *p;
	size_t n;
	size_t at;
	size_t shown_n;
	const uint64_t *bits; /* one word more than JSON_INDEX_WORDS(n) can be read */
	struct gather *g;
	struct json_keys *keys; /* or NULL */
	struct json_key *last;  /* the key before, if keys */
	size_t n_usual;         /* fields that were what was expected */
	size_t names_left;      /* bytes of dotted names that may still be made */
	size_t depth;
	struct level levels[JSON_DEPTH_MAX];
};

/** json_fail(j, at, what): PARSE_E_SYNTAX with its text, or -ENOMEM. */
int json_fail(struct json *j, size_t at, const char *what);

/** json_string_slow(j, mark, ret): a string with escapes or without an end; its first mark is at ${mark}. */
int json_string_slow(struct json *j, size_t mark, struct str *ret);

/** json_string_own(j, at, ret): a string with escapes, its '"' at ${at}, that buf_json would write so: where it ends; else 0. */
size_t json_string_own(struct json *j, size_t at, struct str *ret);

/** json_literal(j): the length of true, false or null at j->at, or 0. */
size_t json_literal(const struct json *j);

static inline bool
json_is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static inline uint8_t
json_peek(struct json *j)
{
	/* One test for the usual case of no blank at all. */
	while (UNLIKELY(j->p[j->at] <= ' ') && json_is_space(j->p[j->at]))
		j->at++;
	return j->p[j->at];
}

/* The first marked byte at or after at; n when there is none.  The 64 bits from at on are looked at at once: where words end is
 * nothing that a CPU can guess. */
static inline size_t
json_next_mark(const struct json *j, size_t at)
{
	size_t w = at / 64;
	uint64_t m = j->bits[w] >> (at % 64) | j->bits[w + 1] << 1 << (63 - at % 64);

	if (LIKELY(m != 0))
		return at + (size_t)__builtin_ctzll(m);
	do
		m = j->bits[++w];
	while (m == 0);
	return w * 64 + (size_t)__builtin_ctzll(m);
}

/* The string whose '"' is at at. */
static inline int
json_string(struct json *j, struct str *ret)
{
	size_t start = ++j->at, mark = json_next_mark(j, start);

	/* The mark at n is no byte of the text. */
	if (LIKELY(mark < j->n && j->p[mark] == '"')) {
		*ret = str_of(j->p + start, mark - start);
		j->at = mark + 1;
		return 0;
	}
	return json_string_slow(j, mark, ret);
}

static inline size_t
skip_digits(const uint8_t *p, size_t at)
{
	while ((uint8_t)(p[at] - '0') <= 9)
		at++;
	return at;
}

/*
 * Where the number at at ends, if it has no sign and no exponent, and less than eight digits on either side of a point; 0 when it
 * has, or is none, or stands near the end n of the text.
 */
static inline size_t
json_short_number(const uint8_t *p, size_t at, size_t n)
{
	size_t from = at, digits;

	if (n - at < 24)
		return 0;
	digits = digits_count(p + at);
	at += digits;
	if (digits - 1 > 6 || (p[from] == '0' && digits > 1))
		return 0;
	if (p[at] == '.') {
		digits = digits_count(p + ++at);
		at += digits;
		if (digits - 1 > 6)
			return 0;
	}
	return (p[at] | 0x20) != 'e' ? at : 0;
}

/* Where the number at at ends; SIZE_MAX when it is none, with ret_bad where. */
static inline size_t
number_end(const uint8_t *p, size_t at, size_t *ret_bad)
{
	size_t from;

	at += p[at] == '-';
	from = at;
	at = skip_digits(p, at);
	*ret_bad = at;
	if (at == from || (p[from] == '0' && at - from > 1))
		return SIZE_MAX;
	if (p[at] == '.') {
		from = ++at;
		at = skip_digits(p, at);
		*ret_bad = at;
		if (at == from)
			return SIZE_MAX;
	}
	if ((p[at] | 0x20) == 'e') {
		at++;
		at += p[at] == '+' || p[at] == '-';
		from = at;
		at = skip_digits(p, at);
		*ret_bad = at;
		if (at == from)
			return SIZE_MAX;
	}
	return at;
}

/* A value that is neither array nor object. */
static inline int
json_scalar(struct json *j, uint8_t c, struct str *ret, enum value_kind *ret_kind)
{
	size_t start = j->at, end, bad;

	if (LIKELY(c == '"')) {
		*ret_kind = VALUE_STRING;
		return json_string(j, ret);
	}
	if (LIKELY((uint8_t)(c - '0') <= 9 || c == '-')) {
		end = number_end(j->p, start, &bad);
		if (end == SIZE_MAX)
			return json_fail(j, bad, "bad number");
		*ret_kind = VALUE_NUMBER;
		*ret = str_of(j->p + start, end - start);
		j->at = end;
		return 0;
	}
	end = json_literal(j);
	if (end == 0)
		return json_fail(j, start, "no value");
	*ret_kind = c == 'n' ? VALUE_NULL : VALUE_BOOL;
	*ret = c == 'n' ? STR_NONE : str_of(j->p + start, end);
	j->at = start + end;
	return 0;
}
