/*
 * cli/cli.h - the commands of weir.
 * One job: what main, the table of commands and the commands share.
 * Floor: 6 (uses lib, query, store, parsers, logsql, record, base).
 */
#pragma once

#include "cli/options.h"

enum cli_exit {
	CLI_DONE = 0,
	CLI_NONE = 1,     /* nothing found */
	CLI_USAGE = 2,    /* wrong usage; a query that does not parse too */
	CLI_FAILED = 3,   /* something broke, or could not be read */
	CLI_STOPPED = 130 /* Ctrl-C */
};

struct command {
	const char *name;
	const char *args; /* as help shows them */
	const char *help; /* one line */
	const char *more; /* paragraphs below the options; may be NULL */
	const struct option_row *rows;
	size_t n_rows;
	int (*run)(struct options *opt);
};

/** cli_main(argc, argv): the program: returns its exit code. */
int cli_main(int argc, char **argv);

/** cli_commands(ret_n): all commands. */
const struct command *const *cli_commands(size_t *ret_n);

/** cli_command_find(name): NULL when there is none. */
const struct command *cli_command_find(const char *name);

/** cli_fail(exit, fmt, …): one line "weir: …" to standard error; returns ${exit}. */
int cli_fail(int exit, const char *fmt, ...) PRINTF_LIKE(2, 3);

/** cli_warn(text): "weir: text" to standard error, control bytes escaped. */
void cli_warn(const char *text);

/** cli_stop_flag(): set by Ctrl-C and SIGTERM once cli_catch_signals was called. */
atomic_bool *cli_stop_flag(void);
void cli_catch_signals(void);

extern const struct command command_query, command_check, command_fields, command_values,
    command_patterns, command_grep, command_ingest, command_tail, command_trace, command_store,
    command_status, command_later_rules, command_later_alerts, command_later_silence,
    command_later_why, command_later_why_not, command_later_ship, command_help, command_version;
