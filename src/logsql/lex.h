/*
 * logsql/lex.h - the lexer.
 * One job: cut a query into tokens, one at a time, with their place.
 * Floor: 2 (uses record, base).
 *
 * The current token is .token (unquoted, decoded) and .raw (as written).  A token is a word (letters,
 * digits, '_', '.', and other letters of Unicode), a quoted string ("…" and '…' with Go's escapes, `…`), or one or two
 * characters of punctuation (=~ != !~ are the pairs).  .space says whether blanks or a comment (# to the end of the
 * line) stood before it, which matters for compound words such as foo-bar, 1.5e-3 or _time:5m.  A quote without
 * its end is a token of that one byte; lex_compound and its kin refuse it.
 */
#pragma once

#include "base/arena.h"
#include "base/wall.h"

/* What is wrong with a query, and where. */
struct logsql_error {
	size_t at;      /* offset in bytes of the query */
	char text[240]; /* one line: what was expected */
};

struct lex {
	struct str query; /* the whole text */
	size_t next;      /* offset after the current token */
	size_t at;        /* offset of the current token */
	struct str token;
	struct str raw;
	bool quoted;
	bool space;
	bool end; /* no more tokens: token is empty */

	size_t prev_end; /* offset after the token before */
	struct str prev; /* the token before, as written; empty at the start */
	struct wall now; /* what relative times count from */
	int zone_s;      /* of times without a zone, seconds east of UTC */
	struct arena *arena;
	struct logsql_error *error;
	unsigned depth;     /* of brackets and subqueries; bounded by LOGSQL_DEPTH_MAX */
	unsigned n_filters; /* made so far; bounded by LOGSQL_FILTERS_MAX */
};

enum {
	LOGSQL_DEPTH_MAX = 200,
	LOGSQL_QUERY_MAX = 1 << 20, /* bytes */
	LOGSQL_FILTERS_MAX =
	    1 << 16, /* tests of one query; in(…) with any number of values is one */
	LOGSQL_E_SYNTAX = 1,
};

/** lex_init(l, query, now, zone_s, arena, error): set to the first token.  All borrowed. */
int lex_init(struct lex *l, struct str query, struct wall now, int zone_s, struct arena *arena,
    struct logsql_error *error);

/** lex_next(l): go to the next token.  Only -ENOMEM can fail. */
int lex_next(struct lex *l);

/** lex_is(l, word): the current token is ${word}, not quoted; words without regard to case. "" is the end. */
bool lex_is(const struct lex *l, const char *word);

/** lex_is_any(l, words): the same for one of several, in one string with blanks between: "( ) |". */
bool lex_is_any(const struct lex *l, const char *words);

/** lex_fail(l, fmt, …): set the error at the current token; returns LOGSQL_E_SYNTAX. */
int lex_fail(struct lex *l, const char *fmt, ...) PRINTF_LIKE(2, 3);

/** lex_expect(l, word): take ${word} or fail with "expected …". */
int lex_expect(struct lex *l, const char *word);

/* To look ahead: struct lex saved = *l; … *l = saved; (nothing is owned). */

/**
 * lex_compound(l, ret):
 * Take a compound token: the current token and all that follow with no blank between, up to one of
 * , ( ) [ ] | or the end.  A quoted string that stands alone is unquoted; next to others it is taken as written.
 *
 * lex_compound_until(l, stops, ret) has its own list of tokens that end it, with blanks between: "* , ( ) [ ] | :".
 *
 * Errors: LOGSQL_E_SYNTAX when it would begin with a stop, the end, or a quote that has no end; -ENOMEM.
 */
int lex_compound(struct lex *l, struct str *ret);
int lex_compound_until(struct lex *l, const char *stops, struct str *ret);

/** lex_field_name(l, ret): take a field name, a compound token; may end in '*'.  "" is given as _msg. */
int lex_field_name(struct lex *l, struct str *ret);

/** lex_enter(l): one bracket or subquery deeper; LOGSQL_E_SYNTAX beyond LOGSQL_DEPTH_MAX.  lex_leave(l) goes back. */
int lex_enter(struct lex *l);
void lex_leave(struct lex *l);

/**
 * lex_unquote(s, arena, ret_n, ret):
 * The quoted string at the start of ${s}: its length with quotes, and its text (made in ${arena}, or borrowed
 * when there is nothing to decode).
 *
 * Errors: LOGSQL_E_SYNTAX when there is none (no quote, no end, an escape that Go does not know), -ENOMEM.
 * Source: The Go Programming Language Specification, "String literals".
 */
int lex_unquote(struct str s, struct arena *arena, size_t *ret_n, struct str *ret);

/** logsql_quote(out, s): append ${s} as a token: bare when it can stand so, else quoted. */
void logsql_quote(struct buf *out, struct str s);

/** logsql_quote_always(out, s): append ${s} in double quotes. */
void logsql_quote_always(struct buf *out, struct str s);

/** logsql_is_keyword(s): a word with a meaning in filters, which must be quoted to be searched for. */
bool logsql_is_keyword(struct str s);

/** logsql_is_pipe_word(s): a name of a pipe: no filter may begin with it, and it is quoted when printed. */
bool logsql_is_pipe_word(struct str s);

/**
 * logsql_nearest(word, table, n):
 * The entry of table[n] that ${word} was probably meant to be, by edit distance, or NULL when none is near.
 */
const char *logsql_nearest(struct str word, const char *const *table, size_t n);

/** logsql_is_slip(word, entry): one letter is wrong, too many, missing, or swapped; among five or more of them. */
bool logsql_is_slip(struct str word, struct str entry);
