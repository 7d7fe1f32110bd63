/*
 * cli/say.h - what went wrong.
 * One job: messages to standard error, and the exit codes that go with them.
 * Floor: 6 (uses lib, base).
 */
#pragma once

#include "base/own.h"

enum cli_exit {
	CLI_DONE = 0,
	CLI_NONE = 1,     /* nothing found */
	CLI_USAGE = 2,    /* wrong usage; a query that does not parse too */
	CLI_FAILED = 3,   /* something broke, or could not be read */
	CLI_STOPPED = 130 /* Ctrl-C */
};

/** cli_fail(exit, fmt, …): one line "weir: …" to standard error; returns ${exit}. */
int cli_fail(int exit, const char *fmt, ...) PRINTF_LIKE(2, 3);

/** cli_warn(text): "weir: text" to standard error, control bytes escaped. */
void cli_warn(const char *text);
