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

LATER(alerts, "alerts", "Alerts that fire (not in this version).");
LATER(why, "why", "Why an alert fires (not in this version).");
LATER(why_not, "why-not", "Why a rule does not fire (not in this version).");
LATER(ship, "ship", "What is sent to other engines (not in this version).");
