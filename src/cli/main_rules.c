/*
 * cli/main_rules.c - weir-rules.
 * One job: weir with rules and routing in it; weir starts it for weir rules and weir check.
 * Floor: 6 (uses alerts, base).
 */
#include "cli/cli.h"
#include "cli/rules.h"

static const struct {
	const char *name;
	int (*run)(struct options *opt);
} parts[] = { { "lint", rules_lint }, { "test", rules_test }, { "backtest", rules_backtest } };

static int
run_part(struct options *opt)
{
	size_t i;

	for (i = 0; opt->n_args > 0 && i < ARRAY_LEN(parts); i++)
		if (strcmp(opt->args[0], parts[i].name) == 0) {
			if (opt->n_args == 1)
				return cli_fail(CLI_USAGE, "rules %s: a file is missing",
				    parts[i].name);
			return parts[i].run(opt);
		}
	return cli_fail(CLI_USAGE, "rules: expected test, backtest or lint, then files");
}

int
main(int argc, char **argv)
{
	const struct rules_program program = { run_part, rules_check };

	rules_program_set(&program);
	return cli_main(argc, argv);
}
