/*
 * cli/grep_patterns.h - what weir grep looks for.
 * One job: grep's options and patterns as one regular expression.
 * Floor: 6 (uses logsql, base).
 */
#pragma once

#include "cli/options.h"
#include "logsql/regex.h"

enum { GREP_FAILED = 2, GREP_PATTERN_BYTES_MAX = 16 << 20 /* of -f, each file */ };

/** grep_has_patterns(opt): they come from -e and -f, and no argument is one. */
bool grep_has_patterns(const struct options *opt);

/** grep_compile(opt, arena, ret, ret_any): 0, or GREP_FAILED, which was said; ${ret_any} is whether there is any pattern. */
int grep_compile(const struct options *opt, struct arena *arena, const struct regex **ret,
    bool *ret_any);
