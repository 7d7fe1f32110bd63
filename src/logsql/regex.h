/*
 * logsql/regex.h - regular expressions.
 * One job: RE2's syntax on PCRE2, with bounds, for any number of threads.
 * Floor: 2 (uses record, base).
 *
 * As in Go: '.' is no newline, '$' is the very end, \d \w \s are ASCII, case folding is Unicode's.  Matching is
 * bounded (steps, depth, heap); a subject on which a pattern gives up does not match.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/literals.h"

struct regex;

enum { REGEX_E_SYNTAX = 1, REGEX_ERROR_MAX = 160, REGEX_GROUPS_MAX = 64 };

enum regex_flags {
	REGEX_ANCHORED = 1, /* the whole subject must match */
	REGEX_DOTALL = 2,   /* '.' is a newline too */
	REGEX_BYTES = 4,    /* pattern and subject are bytes, not UTF-8 */
};

/**
 * regex_compile(ret, pattern, flags, arena, ret_error):
 * Compile ${pattern}; it goes with ${arena}.  ${ret_error} gets why it is none.
 *
 * Errors: REGEX_E_SYNTAX, -ENOMEM.
 */
int regex_compile(const struct regex **ret, struct str pattern, unsigned flags, struct arena *arena,
    char ret_error[REGEX_ERROR_MAX]);

/* What a thread needs to match; reused from subject to subject.  REGEX_SCRATCH_INIT, then regex_scratch_fini. */
struct regex_scratch {
	void *match_data;
	void *context;
};
#define REGEX_SCRATCH_INIT \
	{                  \
		NULL, NULL \
	}
void regex_scratch_fini(struct regex_scratch *s);

/** regex_test(re, scratch, s): 1 it matches somewhere, 0 not, -ENOMEM. */
int regex_test(const struct regex *re, struct regex_scratch *scratch, struct str s);

/* A group's place: s[start, end); start is SIZE_MAX when the group took no part. */
struct regex_span {
	size_t start, end;
};

/**
 * regex_find(re, scratch, s, from, ret_spans, n):
 * The first match at or after ${from} (within a character: after that): ret_spans[0] is the whole of it, i the i-th group, n of them at most.
 *
 * Errors: 1 found, 0 none, -ENOMEM.
 */
int regex_find(const struct regex *re, struct regex_scratch *scratch, struct str s, size_t from,
    struct regex_span *ret_spans, size_t n);

/** regex_n_groups(re), regex_group_name(re, i): its groups from 1 on; "" for one without a name. */
size_t regex_n_groups(const struct regex *re);
struct str regex_group_name(const struct regex *re, size_t i);

/** regex_literals(re): of these every match contains one, where there are any.  regex_is_plain(re): whatever contains one of them
 * matches. */
const struct literals *regex_literals(const struct regex *re);
bool regex_is_plain(const struct regex *re);

/* All of these are in each match: each has one literal, which may have gaps. */
enum { REGEX_PIECES_MAX = 4 };
struct regex_pieces {
	struct literals p[REGEX_PIECES_MAX];
	size_t n;
};
/** regex_pieces(re): where the pattern is simple enough. */
const struct regex_pieces *regex_pieces(const struct regex *re);

/** regex_quote(out, s): append ${s} so that it matches itself. */
void regex_quote(struct buf *out, struct str s);
