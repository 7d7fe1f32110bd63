/*
 * logsql/lex.h - the lexer.
 * One job: cut a query into tokens, one at a time, with their place.
 * Floor: 2 (uses record, base).
 *
 * The current token is .token (unquoted, decoded) and .raw (as written).  A token is a word (letters,
 * digits, '_', '.', and other bytes of UTF-8 letters), a quoted string ("…", '…', `…`), or one or two
 * bytes of punctuation.  .space says whether blanks or a comment (# to the end of the line) stood before it,
 * which matters for compound words such as foo-bar, 1.5e-3 or _time:5m.
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
	struct wall now; /* what relative times count from */
	int zone_s;      /* of times without a zone, seconds east of UTC */
	struct arena *arena;
	struct logsql_error *error;
	unsigned depth; /* of brackets and subqueries; bounded by LOGSQL_DEPTH_MAX */
};

enum { LOGSQL_DEPTH_MAX = 200, LOGSQL_QUERY_MAX = 1 << 20, LOGSQL_E_SYNTAX = 1 };

/** lex_init(l, query, now, zone_s, arena, error): set to the first token.  All borrowed. */
int lex_init(struct lex *l, struct str query, struct wall now, int zone_s, struct arena *arena,
    struct logsql_error *error);

/** lex_next(l): go to the next token.  LOGSQL_E_SYNTAX for a string without end. */
int lex_next(struct lex *l);

/** lex_is(l, word): the current token is ${word}, not quoted; words without regard to case. */
bool lex_is(const struct lex *l, const char *word);

/** lex_fail(l, fmt, …): set the error at the current token; returns LOGSQL_E_SYNTAX. */
int lex_fail(struct lex *l, const char *fmt, ...) PRINTF_LIKE(2, 3);

/** lex_expect(l, word): take ${word} or fail with "expected …". */
int lex_expect(struct lex *l, const char *word);

/* To look ahead: struct lex saved = *l; … *l = saved; (nothing is owned). */

/**
 * lex_compound(l, ret):
 * Take a compound token: words, quoted strings and the punctuation that may stand inside a bare value
 * (- . / : + $ and such, as the language allows) as long as no blank stands between.
 */
int lex_compound(struct lex *l, struct str *ret);

/** lex_field_name(l, ret): take a field name (bare compound or quoted); may end in '*' where wild allows. */
int lex_field_name(struct lex *l, struct str *ret);

/** logsql_quote(out, s): append ${s} as a token: bare when it can stand so, else quoted. */
void logsql_quote(struct buf *out, struct str s);
