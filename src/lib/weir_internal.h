/*
 * lib/weir_internal.h - what libweir's files share.
 * One job: the text of the last failure.
 * Floor: 4 (uses base).
 */
#pragma once

#include "base/own.h"

/** weir_fail(r, fmt, …): keep the text for weir_error; returns ${r}. */
int weir_fail(int r, const char *fmt, ...) PRINTF_LIKE(2, 3);
