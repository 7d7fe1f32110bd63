/*
 * cli/cmd_query.h - the parts of weir query.
 * One job: what its files share.
 * Floor: 6 (uses lib).
 */
#pragma once

#include "cli/show.h"

/** query_explain(s): run the parsed query of ${s} and print how, instead of its rows.  Returns the exit code. */
int query_explain(struct show *s);
