/*
 * parsers/logfmt.h - key=value lines.
 * One job: tell them from plain text.
 * Floor: 2 (uses base).
 */
#pragma once

#include "base/str.h"

/** logfmt_looks(s): whether all of ${s} is pairs, two at least. */
bool logfmt_looks(struct str s);
