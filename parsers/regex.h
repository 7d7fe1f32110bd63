/*
 * parsers/regex.h - regular expressions with limits.
 * One job: PCRE2 such that no pattern and no line costs more than a bound.
 * Floor: 2 (uses base).
 */
#pragma once

#include "base/buf.h"

enum {
	REGEX_PATTERN_MAX = 65536,  /* bytes of a pattern */
	REGEX_MATCH_LIMIT = 100000, /* steps a line */
	REGEX_HEAP_KIB = 4096,      /* memory of one match */
	REGEX_NEST_MAX = 200,       /* parentheses inside each other */
};

struct regex;

/**
 * regex_new(ret, pattern, ret_error):
 * Compile ${pattern} over bytes.  JIT is used where the system allows it.
 *
 * Errors: PARSER_E_OPTION (${ret_error} gets one line of text), -ENOMEM.
 */
int regex_new(struct regex **ret, struct str pattern, struct buf *ret_error);
struct regex *regex_free(struct regex *re);
DEFINE_AUTO(struct regex *, regex_free)

enum regex_result {
	REGEX_NONE,
	REGEX_FOUND,
	REGEX_LIMIT, /* gave up: a limit was reached */
};

/** regex_match(re, s, ret_ovector): pairs of offsets, valid until the next call; may be NULL. */
enum regex_result regex_match(struct regex *re, struct str s, const size_t **ret_ovector);

/**
 * regex_names(re, ret_table, ret_entry):
 * The table of named groups: n entries of ${ret_entry} bytes, two bytes of number (big-endian) and the
 * name with its NUL.  Returns n.
 */
size_t regex_names(const struct regex *re, const uint8_t **ret_table, size_t *ret_entry);
