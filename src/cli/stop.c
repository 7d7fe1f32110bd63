/*
 * cli/stop.c - Ctrl-C.
 * One job: tell what runs long that it is to end.
 * Floor: 6.
 */
#include "cli/stop.h"

#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

#include "cli/say.h"

static atomic_bool stop;

atomic_bool *
cli_stop_flag(void)
{
	return &stop;
}

/* The second time the program ends at once. */
static void
on_signal(int number)
{
	if (atomic_exchange(&stop, true))
		_exit(CLI_STOPPED);
}

void
cli_catch_signals(void)
{
	struct sigaction act = { .sa_handler = on_signal };

	(void)sigaction(SIGINT, &act, NULL);
	(void)sigaction(SIGTERM, &act, NULL);
}
