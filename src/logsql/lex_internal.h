/*
 * logsql/lex_internal.h - the lexer, for the room's own files.
 * One job: what the parsers of this room need of tokens beyond lex.h.
 * Floor: 2 (uses record, base).
 */
#pragma once

#include "logsql/lex.h"

/* What ends a compound token. */
#define LEX_STOPS ", ( ) [ ] |"

/** lex_suffix(l, stops, ret): the tokens up to a blank or a stop, as written; may be empty. */
int lex_suffix(struct lex *l, const char *stops, struct str *ret);

/** lex_check_quote(l): fail when the current token is a quote that begins no string. */
int lex_check_quote(struct lex *l);

/** lex_fail_want(l, want): fail with "expected ${want}, not …". */
int lex_fail_want(struct lex *l, const char *want);
