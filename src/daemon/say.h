/*
 * daemon/say.h - what the daemon has to say to people.
 * One job: one line to standard error for each failure, "what failed: on what: why".
 * Floor: 6 (uses base).
 */
#pragma once

#include "base/own.h"
#include "base/str.h"

enum say_level { SAY_ERR = 3, SAY_WARNING = 4, SAY_INFO = 6 };

/** say(level, fmt, …): a line; control bytes are escaped, and under journald it carries its priority. */
void say(enum say_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);

/** say_text(level, text): lines that are there already. */
void say_text(enum say_level level, struct str text);
