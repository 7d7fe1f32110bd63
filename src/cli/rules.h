/*
 * cli/rules.h - weir rules, and the part of weir check that needs it.
 * One job: what weir-rules has and weir has not.
 * Floor: 6 (uses base).
 */
#pragma once

#include "cli/options.h"

/* Filled in by main_rules.c; NULL in weir, which goes on as weir-rules then. */
struct rules_program {
	int (*rules)(struct options *opt); /* opt->args: test, backtest or lint, and the files */
	int (*check)(struct options
	        *opt); /* rules and routing of a configuration, or such files themselves */
};

void rules_program_set(const struct rules_program *p);
const struct rules_program *rules_program_get(void);

/** rules_exec(opt, what): go on as weir-rules; returns only when that cannot be, with an exit code after a message. */
int rules_exec(const struct options *opt, const char *what);

/* The parts of weir-rules. */
int rules_lint(struct options *opt);
int rules_test(struct options *opt);
int rules_backtest(struct options *opt);
int rules_check(struct options *opt);
