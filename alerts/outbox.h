/*
 * alerts/outbox.h - the outbox.
 * One job: keep each notification until it is delivered or has expired, and say which is due.
 * Floor: 4 (uses base).
 *
 * A row a recipient list of one integration: stored in the step that made it, before anything is tried.  One that is on its way
 * when the machine stops is sent again with the same Message-ID.  Receivers do not hold each other up: each has its own
 * back-off.  A firing and a resolved one of one group and integration that both wait become one message (message_join).
 *
 *   put --> WAITING --due--> SENDING --done--> DELIVERED
 *              ^                |----never---> FAILED
 *              '---later--------'----later, after its time---> EXPIRED
 *
 * Of one integration one is on its way at a time, and of one group the older goes first.  One that may have arrived (the
 * answer was cut off, the process died) is never joined: it goes again as it was, so that a double is known by its
 * Message-ID.  Mail of one group threads: In-Reply-To is the Message-ID of the group's first.
 */
#pragma once

#include "alerts/message.h"
#include "alerts/statedb.h"

enum {
	OUTBOX_MAX =
	    20000, /* rows; beyond it the oldest of the same group are joined, then refused and said */
	OUTBOX_EXPIRE_H = 72, /* then it is given up, said, and kept in history */
	OUTBOX_BACKOFF_MIN_S = 2,
	OUTBOX_BACKOFF_MAX_S = 900,
	OUTBOX_RETRY_AFTER_MAX_S = 3600,
	OUTBOX_HISTORY_MAX = 5000,  /* rows of what is over; the oldest go */
	OUTBOX_THREADS_MAX = 50000, /* first messages of groups that are known; the oldest go */
	OUTBOX_JUMP_S = 2 * 3600,   /* a clock that jumps further ahead ages nothing */
};
enum { OUTBOX_E_FULL = 1 };

enum outbox_state {
	OUTBOX_WAITING,
	OUTBOX_SENDING,
	OUTBOX_DELIVERED,
	OUTBOX_FAILED,
	OUTBOX_EXPIRED
};

struct outbox_item {
	struct str id; /* the notification's */
	struct str receiver, group_key, message_id, in_reply_to;
	enum receiver_kind kind;
	unsigned index;
	struct str stored; /* message_pack */
	struct str to;     /* recipients still to be served, one a line (mail) */
	struct wall created, due, expires;
	unsigned n_tries;
	enum outbox_state state;
	struct str last_error;
};

struct outbox;
int outbox_new(struct outbox **ret, struct statedb *db);
struct outbox *outbox_free(struct outbox *o);
DEFINE_AUTO(struct outbox *, outbox_free)

/* What became of one: called once it is over and that is in the database (state, last_error); to_failed: recipients given up. */
typedef void (*outbox_fate_fn)(void *ctx, const struct outbox_item *item, struct str to_failed,
    struct wall at);
void outbox_watch(struct outbox *o, outbox_fate_fn fn, void *ctx);

/** outbox_put(o, n, stored, host, now): within the open transaction; the same id twice is once.  OUTBOX_E_FULL: refused. */
int outbox_put(struct outbox *o, const struct notification *n, struct str stored, const char *host,
    struct wall now);

/**
 * outbox_due(o, now, max, fn, ctx):
 * At most ${max} that are due, one a receiver's integration; fn returning 0 marks it as on its way, above 0: not now.
 * It makes a transaction of its own, before the first call: none may be open.  On a full disk nothing is sent.
 */
typedef int (*outbox_fn)(void *ctx, const struct outbox_item *item);
int outbox_due(struct outbox *o, struct wall now, size_t max, outbox_fn fn, void *ctx);
struct wall outbox_next(const struct outbox *o);

/* What came of a try. */
struct send_result {
	struct str id;
	enum { SEND_DONE, SEND_LATER, SEND_NEVER } outcome;
	struct span retry_after; /* asked by the receiver; 0: our back-off */
	struct str to_left;      /* mail: recipients that are to be tried again, one a line */
	struct str to_failed;    /* … that are given up */
	struct str why;
	bool unsure; /* it may have arrived: the answer was cut off */
};
/** outbox_result(o, r, now): a transaction of its own; on a full disk it is kept and recorded later, by outbox_due. */
int outbox_result(struct outbox *o, const struct send_result *r, struct wall now);
/** outbox_restart(o, now): the send process died: what was on its way waits again, at once.  A transaction of its own. */
int outbox_restart(struct outbox *o, struct wall now);
/** outbox_each(o, all, fn, ctx): what waits, or history too; in the order they came; without ->stored. */
int outbox_each(struct outbox *o, bool all, outbox_fn fn, void *ctx);

/* For metrics and status; totals since the start. */
struct outbox_counts {
	uint64_t waiting, sending;
	uint64_t delivered, failed, expired, retried, joined, refused;
	struct wall oldest; /* of those not over; 0: none */
};
void outbox_count(struct outbox *o, struct outbox_counts *ret);
const char *outbox_state_name(enum outbox_state s);
