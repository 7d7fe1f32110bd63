/*
 * record/names.h - fields with a meaning.
 * One job: say which names carry the time, the message, the level and IDs.
 * Floor: 1 (uses base).
 *
 * IDs: names are compared without case, '-' as '_', by their last dotted part.  The table can be replaced
 * (names_set_ids, by one thread) while others read it.
 */
#pragma once

#include "base/str.h"

/** names_is_id(name): whether values of this field get the exact index. */
bool names_is_id(struct str name);

/** names_time_rank(name), names_msg_rank(name): position in the list of time or message keys (0 is the
 * first, which wins), or -1.  Case counts. */
int names_time_rank(struct str name);
int names_msg_rank(struct str name);

/* What a name of a line's field means to a parser. */
enum name_role {
	NAME_PLAIN,
	NAME_TIME,
	NAME_MSG,
	NAME_RESERVED,    /* ours: an outside field of that name is renamed */
	NAME_TRACEPARENT, /* W3C trace context: version-trace-parent-flags */
};
enum { NAMES_TIME_MAX = 16, NAMES_MSG_MAX = 8 }; /* ranks are below these */

/** names_role(name, ret_rank): the role, and for NAME_TIME and NAME_MSG the rank. */
enum name_role names_role(struct str name, int *ret_rank);

/* Bit n of names_lengths[c]: some name with a role begins with c and has n bytes. */
extern const uint32_t names_lengths[256];

/* False for nearly every name without a role; the hot path asks this before names_role. */
static inline bool
names_may_have_role(struct str name)
{
	return name.n != 0 && name.n < 32 && (names_lengths[name.p[0]] >> name.n & 1) != 0;
}

/** names_is_level(name): level, severity, lvl, loglevel, log.level, levelname, … without case. */
bool names_is_level(struct str name);

/** names_builtin_ids(ret_n): those that hold unless others are set. */
const struct str *names_builtin_ids(size_t *ret_n);

/** names_ids(ret_n): the names that hold, in their normal form. */
const struct str *names_ids(size_t *ret_n);

/** names_set_ids(names, n): use these instead of the built-in ID names, or with none of them those again; copies. */
int names_set_ids(const struct str *names, size_t n);

/** names_same_id(name, id): whether ${name} is that of the ID field ${id}, which is in normal form. */
bool names_same_id(struct str name, struct str id);

/*
 * A phrase matches a value of letters, digits, '_' and '-' that is not the phrase itself only where the value has more
 * dashes than it: what stands beside the phrase is parted from it by one.
 */
enum { NAMES_DASHES_MAX = 5 };
/** names_id_dashes(value): how many dashes such a value has; NAMES_DASHES_MAX: many, or there are other bytes. */
unsigned names_id_dashes(struct str value);
/** names_id_phrase(text): the dashes of a phrase of which that holds, which begins and ends with none; else NAMES_DASHES_MAX. */
unsigned names_id_phrase(struct str text);
