/*
 * cli/rules_files.h - rule files of a command line.
 * One job: load them, or print every mistake.
 * Floor: 6 (uses alerts, base).
 */
#pragma once

#include "alerts/rule.h"
#include "cli/options.h"

/** rules_files(opt, first, ret): the files from argument ${first} on; an exit code after a message. */
int rules_files(const struct options *opt, size_t first, struct rule_set **ret);

/** rules_show(lines): mistakes or notes to standard error, control bytes escaped. */
void rules_show(struct str lines);
