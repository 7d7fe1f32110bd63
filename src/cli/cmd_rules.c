/*
 * cli/cmd_rules.c - weir rules.
 * One job: the command and its options; the work is done in weir-rules.
 * Floor: 6 (uses base).
 */
#include <stddef.h>

#include "cli/cli.h"
#include "cli/helper.h"
#include "cli/rules.h"

static struct rules_program program;

void
rules_program_set(const struct rules_program *p)
{
	program = *p;
}

const struct rules_program *
rules_program_get(void)
{
	return &program;
}

int
rules_exec(const struct options *opt, const char *what)
{
	helper_exec("weir-rules", opt->argv);
	return cli_fail(CLI_FAILED, "%s: weir-rules, which knows rules, is not installed", what);
}

static int
run_rules(struct options *opt)
{
	return program.rules != NULL ? program.rules(opt) : rules_exec(opt, "rules");
}

static const struct option_row rows[] = {
	OPTION_STORE,
	OPTION_SINCE,
	OPTION_UNTIL,
	{ 0, "alerting", "FILE", "backtest: route by this alertmanager.yml", OPTION_TEXT,
	    OPTION_AT(alerting) },
	{ 0, "silences", "FILE", "backtest: JSON of silence list (those of the daemon)",
	    OPTION_TEXT, OPTION_AT(silences) },
	{ 0, "sweep", NULL, "backtest: fires a day at other thresholds", OPTION_FLAG,
	    OPTION_AT(sweep) },
	{ 'o', "output", "FORMAT", "backtest: text or json", OPTION_TEXT, OPTION_AT(output) },
	OPTION_UTC,
	OPTION_HELP,
};

const struct command command_rules = {
	.name = "rules",
	.args = "test|backtest|lint FILE…",
	.help = "Test rules, try them on history, see what is doubtful in them.",
	.more =
	    "test runs the cases of FILE (lines in, alerts and mails out) and exits 1 when one fails.\n"
	    "backtest says when the rules of FILE would have fired in the store's history.\n"
	    "lint says what is doubtful in the rules of FILE, and with --store what never was in the\n"
	    "store; exits 1 when there is something.\n",
	.rows = rows,
	.n_rows = ARRAY_LEN(rows),
	.run = run_rules,
};
