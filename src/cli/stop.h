/*
 * cli/stop.h - Ctrl-C.
 * One job: tell what runs long that it is to end.
 * Floor: 6.
 */
#pragma once

#include <stdatomic.h>

/** cli_catch_signals(): from now on the first SIGINT or SIGTERM sets the flag, and the second ends the program. */
void cli_catch_signals(void);

/** cli_stop_flag(): the flag; never NULL. */
atomic_bool *cli_stop_flag(void);
