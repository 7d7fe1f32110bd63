/*
 * alerts/outbox_internal.h - the outbox's own.
 * One job: what its files share.
 * Floor: 4 (uses base).
 */
#pragma once

#include "alerts/outbox.h"

enum { OUTBOX_RESULTS_MAX = 64 }; /* results that wait for room on the disk */

/* One integration of one receiver: whose notifications go one after the other. */
struct outbox_lane {
	struct str receiver; /* owned */
	enum receiver_kind kind;
	unsigned index;
	bool busy;        /* one of it is on its way */
	struct wall next; /* when its first is due; INT64_MAX: none */
	struct wall hold; /* the sender had no room: not before */
};

/* A result that could not be recorded. */
struct outbox_late {
	struct send_result result;
	struct arena arena;
};

/*
 * Invariants: a lane is busy iff a row of it is SENDING; of one lane and group at most one row waits that is not unsure
 * (others were joined to it), but for the time that one of them is on its way.
 */
struct outbox {
	struct statedb *db;
	struct outbox_lane *lanes;
	size_t n_lanes;
	struct outbox_counts total;
	outbox_fate_fn fate;
	void *fate_ctx;
	int64_t room;     /* so many more rows fit for sure; counted anew at 0 */
	struct wall last; /* the latest time that was given; 0: none yet */
	struct outbox_late *late;
	size_t n_late;
};

/* A row, its texts in an arena. */
struct outbox_row {
	int64_t seq;
	struct outbox_item item;
	struct str to_failed;
	bool unsure; /* a try of it may have arrived */
	bool part;   /* somebody has it */
};

/* The columns that outbox_row_read reads, in its order. */
#define OUTBOX_COLUMNS                                                                        \
	"seq, id, receiver, kind, idx, group_key, message_id, in_reply_to, stored, to_left, " \
	"to_failed, created, due, expires, n_tries, state, unsure, part, last_error "

int outbox_row_read(sqlite3_stmt *st, struct arena *arena, struct outbox_row *ret);

/** outbox_select(o, st, arena, ret): step once, read, reset.  OUTBOX_E_NONE: no row. */
enum { OUTBOX_E_NONE = 1 };
int outbox_select(sqlite3_stmt *st, struct arena *arena, struct outbox_row *ret);

/** outbox_lane(o, receiver, kind, index): found or made; NULL without memory. */
struct outbox_lane *outbox_lane(struct outbox *o, struct str receiver, enum receiver_kind kind,
    unsigned index);
/** outbox_lane_bind(st, lane): parameters 1, 2, 3. */
int outbox_lane_bind(sqlite3_stmt *st, struct str receiver, enum receiver_kind kind,
    unsigned index);
/** outbox_lane_next(o, lane): look up ->next. */
int outbox_lane_next(struct outbox *o, struct outbox_lane *lane);

/** outbox_join(o, of): of the rows of this one's integration and group that wait, the newest goes into the older where it may. */
int outbox_join(struct outbox *o, const struct outbox_item *of);

/** outbox_backoff(id, n_tries): 2 s, doubled each time up to 15 min, a quarter more or less by the id. */
struct span outbox_backoff(struct str id, unsigned n_tries);

/** outbox_message_id(id, mark, host, out): <id@host>, of bytes that a header may hold. */
void outbox_message_id(struct str id, const char *mark, struct str host, struct buf *out);

/** Lists of recipients, one a line. */
bool outbox_to_next(struct str *list, struct str *ret);
bool outbox_to_has(struct str list, struct str one);
void outbox_to_add(struct buf *out, struct str one);

/** outbox_late_record(o, now): results that the disk had no room for. */
int outbox_late_record(struct outbox *o, struct wall now);
/** outbox_late_keep(o, res): copied, for outbox_late_record. */
int outbox_late_keep(struct outbox *o, const struct send_result *res);
