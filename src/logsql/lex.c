/*
 * logsql/lex.c - the lexer.
 * One job: cut a query into tokens, one at a time, with their place.
 * Floor: 2 (uses record, base).
 */
#include "logsql/lex.h"

#include <stdio.h>

#include "base/utf8.h"
#include "logsql/letter_internal.h"
#include "logsql/lex_internal.h"

int
lex_init(struct lex *l, struct str query, struct wall now, int zone_s, struct arena *arena,
    struct logsql_error *error)
{
	*l = (struct lex){ 0 };
	l->query = query;
	l->now = now;
	l->zone_s = zone_s;
	l->arena = arena;
	l->error = error;
	if (query.n > LOGSQL_QUERY_MAX)
		return lex_fail(l, "the query is longer than %d bytes", LOGSQL_QUERY_MAX);
	return lex_next(l);
}

/* Skip blanks and comments; whether there were any. */
static bool
skip_blanks(struct lex *l)
{
	size_t at = l->next, n, start = l->next;
	const struct str q = l->query;

	while (at < q.n) {
		if (q.p[at] == '#') {
			n = str_find_byte(str_sub(q, at, q.n), '\n');
			at = n == SIZE_MAX ? q.n : at + n + 1;
		} else if (letter_is_blank(utf8_decode(q.p + at, q.n - at, &n)))
			at += n;
		else
			break;
	}
	l->next = at;
	return at != start;
}

static size_t
word_len(struct str s)
{
	size_t i = 0, n;
	uint32_t c;

	while (i < s.n) {
		c = utf8_decode(s.p + i, s.n - i, &n);
		if (c != '.' && !letter_is_word(c))
			break;
		i += n;
	}
	return i;
}

static size_t
punct_len(struct str s)
{
	size_t n;

	if (s.n >= 2 &&
	    ((s.p[0] == '=' && s.p[1] == '~') ||
	        (s.p[0] == '!' && (s.p[1] == '=' || s.p[1] == '~'))))
		return 2;
	(void)utf8_decode(s.p, s.n, &n);
	return n;
}

int
lex_next(struct lex *l)
{
	struct str rest;
	size_t n = 0;
	int r;

	l->prev = l->raw;
	l->prev_end = l->next;
	l->space = skip_blanks(l);
	l->at = l->next;
	l->quoted = false;
	rest = str_sub(l->query, l->at, l->query.n);
	l->end = rest.n == 0;
	if (!l->end) {
		n = word_len(rest);
		if (n == 0) {
			r = lex_unquote(rest, l->arena, &n, &l->token);
			if (r < 0)
				return err_trace(r);
			l->quoted = r == 0;
			if (r != 0)
				n = punct_len(rest);
		}
	}
	l->raw = str_sub(rest, 0, n);
	if (!l->quoted)
		l->token = l->raw;
	l->next = l->at + n;
	return 0;
}

bool
lex_is(const struct lex *l, const char *word)
{
	return !l->quoted && str_eq_nocase(l->token, str_c(word));
}

bool
lex_is_any(const struct lex *l, const char *words)
{
	const char *end;

	if (l->quoted || l->end)
		return false;
	for (; *words != '\0'; words = *end == ' ' ? end + 1 : end) {
		end = strchrnul(words, ' ');
		if (str_eq_nocase(l->token, str_of(words, (size_t)(end - words))))
			return true;
	}
	return false;
}

int
lex_fail(struct lex *l, const char *fmt, ...)
{
	va_list ap;

	l->error->at = l->at;
	va_start(ap, fmt);
	(void)vsnprintf(l->error->text, sizeof(l->error->text), fmt, ap);
	va_end(ap);
	return LOGSQL_E_SYNTAX;
}

/* The token for a message: what stands there, or that there is nothing. */
int
lex_fail_want(struct lex *l, const char *want)
{
	int n = l->raw.n > 40 ? 40 : (int)l->raw.n;

	if (l->end)
		return lex_fail(l, "expected %s, but the query ends here", want);
	return lex_fail(l, "expected %s, not %.*s", want, n, (const char *)l->raw.p);
}

int
lex_expect(struct lex *l, const char *word)
{
	char want[40];

	if (lex_is(l, word))
		return err_trace(lex_next(l));
	(void)snprintf(want, sizeof(want), "'%s'", word);
	return lex_fail_want(l, want);
}

int
lex_check_quote(struct lex *l)
{
	if (l->quoted || l->token.n != 1 || strchr("\"'`", l->token.p[0]) == NULL)
		return 0;
	if (str_find_byte(str_sub(l->query, l->next, l->query.n), l->token.p[0]) == SIZE_MAX)
		return lex_fail(l, "this quote has no end");
	return lex_fail(l,
	    "this string cannot be read: write \\ as \\\\, or put it in backquotes `...`");
}

/* The rest of a compound token: what follows with no blank between. */
int
lex_suffix(struct lex *l, const char *stops, struct str *ret)
{
	size_t start = l->at;
	int r;

	*ret = STR_NONE;
	while (!l->space && !l->end && !lex_is_any(l, stops)) {
		r = lex_next(l);
		if (r != 0)
			return err_trace(r);
		*ret = str_sub(l->query, start, l->prev_end);
	}
	return 0;
}

int
lex_compound_until(struct lex *l, const char *stops, struct str *ret)
{
	struct str first, suffix;
	size_t start = l->at;
	int r;

	r = lex_check_quote(l);
	if (r != 0)
		return r;
	if (l->end || lex_is_any(l, stops))
		return lex_fail_want(l, "a word or a quoted string");
	first = l->token;
	r = lex_next(l);
	if (r == 0)
		r = lex_suffix(l, stops, &suffix);
	if (r != 0)
		return err_trace(r);
	*ret = suffix.n == 0 ? first : str_sub(l->query, start, l->prev_end);
	return 0;
}

int
lex_compound(struct lex *l, struct str *ret)
{
	return lex_compound_until(l, LEX_STOPS, ret);
}

/* "a b"* is a prefix with blanks, not a name with quotes; ${ret_done} when it stands here. */
static int
quoted_prefix(struct lex *l, struct str *ret, bool *ret_done)
{
	struct lex saved = *l;
	struct str text = l->token;
	uint8_t *p;
	int r;

	*ret_done = false;
	if (!l->quoted)
		return 0;
	r = lex_next(l);
	if (r == 0 && !l->space && lex_is(l, "*")) {
		r = lex_next(l);
		*ret_done = r == 0 && (l->space || l->end || lex_is_any(l, LEX_STOPS));
	}
	if (!*ret_done) {
		*l = saved;
		return err_trace(r);
	}
	p = arena_alloc(l->arena, text.n + 1);
	if (p == NULL)
		return err_origin(-ENOMEM);
	if (text.n != 0)
		memcpy(p, text.p, text.n);
	p[text.n] = '*';
	*ret = str_of(p, text.n + 1);
	return 0;
}

int
lex_field_name(struct lex *l, struct str *ret)
{
	bool done;
	int r;

	r = quoted_prefix(l, ret, &done);
	if (r != 0 || done)
		return err_trace(r);
	r = lex_compound(l, ret);
	if (r == 0 && ret->n == 0)
		*ret = STR("_msg");
	return r;
}

int
lex_enter(struct lex *l)
{
	if (l->depth >= LOGSQL_DEPTH_MAX)
		return lex_fail(l, "nested deeper than %d levels", LOGSQL_DEPTH_MAX);
	l->depth++;
	return 0;
}

void
lex_leave(struct lex *l)
{
	l->depth--;
}
