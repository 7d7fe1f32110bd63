/*
 * cli/cmd_later.c - commands of versions to come.
 * One job: say so, instead of "no such command".
 * Floor: 6.
 */
#include "cli/cli.h"

static int
run_later(struct options *opt)
{
	return cli_fail(CLI_USAGE, "%s: not in this version", opt->command->name);
}

#define LATER(id, word, text)                                     \
	const struct command command_later_##id = { .name = word, \
		.args = "…",                                      \
		.help = text,                                     \
		.run = run_later }

LATER(ship, "ship", "What is sent to other engines (not in this version).");
