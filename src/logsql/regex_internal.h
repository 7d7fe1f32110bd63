/*
 * logsql/regex_internal.h - regular expressions, for the room's own files.
 * One job: what a pattern's text tells before it runs.
 * Floor: 2 (uses record, base).
 */
#pragma once

#include "logsql/regex.h"

/**
 * regex_find_literals(pattern, arena, ret, ret_plain):
 * A few runs of bytes, one of which every match of the valid ${pattern} contains, or none when none are seen; ${ret_plain}: the
 * pattern matches wherever one of them is, and nowhere else.  Made in ${arena}.
 *
 * Errors: -ENOMEM.
 */
int regex_find_literals(struct str pattern, struct arena *arena, struct literals *ret,
    bool *ret_plain);

/** regex_find_pieces(pattern, arena, ret): what regex_pieces tells, made in ${arena}.  Errors: -ENOMEM. */
int regex_find_pieces(struct str pattern, struct arena *arena, struct regex_pieces *ret);
