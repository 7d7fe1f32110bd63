/*
 * logsql/regex_internal.h - regular expressions, for the room's own files.
 * One job: what a pattern's text tells before it runs.
 * Floor: 2 (uses record, base).
 */
#pragma once

#include "logsql/regex.h"

/**
 * regex_find_literal(pattern, arena, ret, ret_plain):
 * The longest run of bytes that every match of the valid ${pattern} contains, or "" when none is seen; ${ret_plain}: the
 * pattern is that run and nothing else.  Made in ${arena}.
 *
 * Errors: -ENOMEM.
 */
int regex_find_literal(struct str pattern, struct arena *arena, struct str *ret, bool *ret_plain);
