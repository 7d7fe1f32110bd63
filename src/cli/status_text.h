/*
 * cli/status_text.h - the daemon's state for people.
 * One job: its JSON as a page of 80 columns.
 * Floor: 6 (uses lib, parsers, base).
 */
#pragma once

#include "base/buf.h"

enum { STATUS_TEXT_E_FORMAT = 1 };

/** status_text(out, json): Errors: STATUS_TEXT_E_FORMAT: it is no object; -ENOMEM. */
int status_text(struct buf *out, struct str json);
