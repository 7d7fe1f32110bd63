/*
 * cli/cli.h - the commands of weir.
 * One job: what main, the table of commands and the commands share.
 * Floor: 6 (uses lib, query, store, parsers, logsql, record, base).
 */
#pragma once

#include "cli/options.h"
#include "cli/say.h"
#include "cli/stop.h"

/** cli_main(argc, argv): the program: returns its exit code. */
int cli_main(int argc, char **argv);

/** cli_commands(ret_n): all commands. */
const struct command *const *cli_commands(size_t *ret_n);

/** cli_command_find(name): NULL when there is none. */
const struct command *cli_command_find(const char *name);

extern const struct command command_query, command_check, command_fields, command_values,
    command_patterns, command_grep, command_ingest, command_tail, command_trace, command_store,
    command_status, command_rules, command_alerts, command_silence, command_why, command_why_not,
    command_later_ship, command_help, command_version;
