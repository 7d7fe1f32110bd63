/*
 * cli/rules_load.h - the lines of a case.
 * One job: raw lines with their times through parser and shape into a store of their own.
 * Floor: 6 (uses alerts, ingest, store, base).
 */
#pragma once

#include "alerts/rulecase.h"

/** rules_load_rows(store, t, ret_why): all inputs of a test into a new store; > 0: ${ret_why} says why not. */
enum { RULES_LOAD_E_BAD = 1 };
int rules_load_rows(const char *store, const struct case_test *t, struct buf *ret_why);
