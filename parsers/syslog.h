/*
 * parsers/syslog.h - syslog lines.
 * One job: tell them from plain text.
 * Floor: 2 (uses base).
 */
#pragma once

#include "base/str.h"

/** syslog_looks(s): <PRI>, or the time, host and tag that syslog daemons write into files. */
bool syslog_looks(struct str s);
