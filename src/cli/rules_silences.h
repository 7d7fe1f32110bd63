/*
 * cli/rules_silences.h - silences for a backtest.
 * One job: those of a file, or of the daemon that holds the store.
 * Floor: 6 (uses alerts, base).
 */
#pragma once

#include "alerts/silence.h"
#include "cli/options.h"

/** rules_silences(opt, store, ret, ret_n): NULL: there are none; an exit code after a message. */
int rules_silences(const struct options *opt, const char *store, struct silences **ret,
    size_t *ret_n);
