/*
 * record/names.h - fields with a meaning.
 * One job: say which names carry the time, the message, the level and IDs.
 * Floor: 1 (uses base).
 *
 * IDs: names are compared without case, '-' as '_', by their last dotted part.  The table can be
 * replaced once at start (names_set_ids), before any thread reads it.
 */
#pragma once

#include "base/str.h"

/** names_is_id(name): whether values of this field get the exact index. */
bool names_is_id(struct str name);

/** names_time_rank(name), names_msg_rank(name): position in the list of time or message keys (0 is the
 * first, which wins), or -1.  Case counts. */
int names_time_rank(struct str name);
int names_msg_rank(struct str name);

/** names_is_level(name): level, severity, lvl, loglevel, log.level, levelname, … without case. */
bool names_is_level(struct str name);

/** names_set_ids(names, n): use these instead of the built-in ID names; copies. */
int names_set_ids(const struct str *names, size_t n);
