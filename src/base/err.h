/*
 * base/err.h - errors.
 * One job: carry -errno upwards and remember where it began.
 * Floor: 0.
 *
 * < 0 is -errno: something broke; never test for a particular one from our own code, pass it up.
 * 0 is done.  > 0 is a documented condition of one function, which its caller deals with there.
 */
#pragma once

#include <errno.h>

#include "base/own.h"

/* err_origin(-ENOMEM) where a failure starts; err_trace(r) on its way up; err_fold(r) also turns a
 * condition that nobody expected into -EPROTO with its place. */
#define err_origin(r) err_origin_at((r), __FILE__, __LINE__)
#define err_trace(r)  (r)
#define err_fold(r)   err_fold_at((r), __FILE__, __LINE__)

/**
 * err_origin_at(r, file, line):
 * Remember, in this thread, that failure ${r} began here; returns ${r}.
 *
 * Errors: none; r is below 0.
 */
int err_origin_at(int r, const char *file, int line);

/**
 * err_fold_at(r, file, line):
 * Return ${r} if it is 0 or below, else -EPROTO with this place as its origin.
 */
int err_fold_at(int r, const char *file, int line);

/**
 * err_where():
 * Where the last failure of this thread began, as "file:line", or "" if there was none.
 */
const char *err_where(void);

/**
 * err_str(r):
 * The text of -errno ${r}; static or per thread, never NULL.
 */
const char *err_str(int r);
