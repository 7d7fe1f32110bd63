/*
 * ingest/redact.h - secrets out of values.
 * One job: replace what patterns match in one value, and mask the value whole where a pattern gives up.
 * Floor: 3 (uses base).
 *
 * A pattern of plain ASCII runs on bytes, so that a broken byte never ends a match early; one with other letters runs on
 * UTF-8, and a value that is no UTF-8 is then masked whole.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

struct redact;

enum { REDACT_E_PATTERN = 1 };

/**
 * redact_new(ret, pattern, with, match_limit, ret_error):
 * Compile one pattern and its replacement ($1, ${1}, ${name}, $$).
 *
 * Errors: REDACT_E_PATTERN (${ret_error} gets one line of text), -ENOMEM.
 */
int redact_new(struct redact **ret, struct str pattern, struct str with, uint32_t match_limit,
    struct buf *ret_error);
struct redact *redact_free(struct redact *rd);
DEFINE_AUTO(struct redact *, redact_free)

enum redact_result {
	REDACT_NONE,   /* no match: the value stays */
	REDACT_DONE,   /* replaced; the new value is in the arena */
	REDACT_MASKED, /* the pattern gave up: the value is now REDACT_MASK */
};
#define REDACT_MASK "***"

/**
 * redact_value(rd, name, quoted, value, arena, ret_result):
 * Replace every match in ${value}, in place; the new bytes live in ${arena}.  With a ${name} the pattern is also tried on the
 * value behind its name, as name=value and as JSON writes it ("name":"value", or "name":value when not ${quoted}, with the
 * last part of a dotted name): a match that begins in the name and reaches into the value takes that part of the value.  Names
 * stay, and so they do in front of what was put for the match.  -ENOMEM only.
 */
int redact_value(struct redact *rd, struct str name, bool quoted, struct str *value,
    struct arena *arena, enum redact_result *ret_result);
