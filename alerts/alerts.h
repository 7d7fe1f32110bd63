/*
 * alerts/alerts.h - alerts as one thing.
 * One job: rules, state, routing, outbox and sender put together, a step at a time.
 * Floor: 4 (uses query, store, logsql, record, base).
 *
 *   commit --> feed --> groups that are due --> state --> dispatch --> outbox   (one transaction of state.db)
 *                                                 \--> events after the transaction, with IDs made from it
 *   outbox --> send process --> result --> outbox (a transaction)
 *
 * Time is given, so that weird (by the clock) and weir-rules (over history, over test cases) run the same machine.  weird runs it
 * in a thread of its own, which holds state.db; the calls below are for that thread but for those marked "any thread".
 */
#pragma once

#include "alerts/apiv2.h"
#include "alerts/eval.h"
#include "alerts/outbox.h"
#include "alerts/sender.h"
#include "alerts/state.h"

struct alerts;

struct alerts_ops {
	/* A change of state, a notification's fate: a row {weir="alerts"} of the store, once for each id.  NULL: whoever runs this
	 * takes them by alerts_events. */
	int (*event)(void *ctx, struct str id, struct wall at, struct str text,
	    const struct label *fields, size_t n);
	/* For people, standard error; level as syslog's. */
	void (*say)(void *ctx, int level, const char *text);
	/* Each notification as it is made (backtest, rules test); NULL: none. */
	int (*notified)(void *ctx, const struct notification *n, struct str stored);
	void *ctx;
};

struct alerts_options {
	const char *store; /* folder: read through views of it */
	const char *db;    /* path of state.db, or ":memory:" */
	const char *host;
	const char *secrets;     /* folder */
	const char *send_socket; /* NULL: start the process */
	bool send;               /* false: notifications end in ops.notified */
	bool evidence;
	int zone_s;
	struct wall start;      /* without state: evaluations begin here */
	uint64_t events_stored; /* number of the last event that the store has */
};

/** alerts_new(ret, set, routing, opt, ops): takes both sets, also on failure. */
int alerts_new(struct alerts **ret, struct rule_set *set, struct routing *r,
    const struct alerts_options *opt, const struct alerts_ops *ops);
struct alerts *alerts_free(struct alerts *a);
DEFINE_AUTO(struct alerts *, alerts_free)

enum {
	ALERTS_INSTANTS_MAX = 200, /* evaluations of groups in one step */
	ALERTS_STEP_MS = 500,      /* … and for so long */
	ALERTS_BEHIND_MAX =
	    20000, /* missed instants of a group that are made up; older ones are skipped, and it is said */
	ALERTS_EVENTS_MAX =
	    4096,           /* events that wait for the store in memory; more wait in state.db */
	ALERTS_SAVE_S = 60, /* positions are written so often when nothing changes */
	ALERTS_EVIDENCE_MAX = 20,       /* alerts of a notification with evidence */
	ALERTS_EVIDENCE_STEP_MS = 5000, /* evidence of one step; what comes later goes without */
	ALERTS_WHY_MAX = 32,            /* evaluations that are remembered of each rule */
};

/** alerts_reload(a, set, routing): state of rules that stay goes on; takes both. */
int alerts_reload(struct alerts *a, struct rule_set *set, struct routing *r);

/**
 * alerts_step(a, now, committed, sources, n):
 * All that is due at ${now}: ${committed} says up to which wall time all lines read are in the store.  Instants that were missed are made
 * up in order, a bounded number a call.  alerts_next says when it wants to be called again.
 */
int alerts_step(struct alerts *a, struct wall now, struct wall committed,
    const struct eval_source *sources, size_t n_sources);
struct wall alerts_next(const struct alerts *a);
/** alerts_settle(a, now): before the end: answers of what is on its way are taken; true: there are more to come. */
bool alerts_settle(struct alerts *a, struct wall now);
/** alerts_flush(a): what is known is saved, before the end. */
int alerts_flush(struct alerts *a);
/** alerts_wants_step(a): a request waits for a step that is not due; as alerts_answer. */
bool alerts_wants_step(const struct alerts *a);
int alerts_fd(const struct alerts *a); /* the send process: readable means step; -1: none */

/**
 * alerts_jumped(a, from, to):
 * The clock was set, or stood still in a suspended machine: it showed ${from}, then ${to}.  Instants between are neither made up nor
 * evaluated again, and windows that reach into them are unknown.
 */
int alerts_jumped(struct alerts *a, struct wall from, struct wall to);

/**
 * alerts_events(a, after, max, fn, ctx):
 * At most ${max} events with a number above ${after}, in order.  Any thread.  alerts_events_stored(a, seq): those up to it are
 * durable elsewhere, and are forgotten; any thread.
 */
struct alerts_event {
	uint64_t seq;
	struct wall at;
	struct str id, text;
	struct label *fields;
	size_t n_fields;
};
typedef int (*alerts_event_fn)(void *ctx, const struct alerts_event *e);
int alerts_events(struct alerts *a, uint64_t after, size_t max, alerts_event_fn fn, void *ctx);
uint64_t alerts_events_last(
    struct alerts *a); /* the number of the last that can be had; any thread */
void alerts_events_stored(struct alerts *a, uint64_t seq);

/** alerts_enter(a, patience): take the room for the calls below; false: a step is busy for longer.  alerts_leave(a). */
bool alerts_enter(struct alerts *a, struct span patience);
void alerts_leave(struct alerts *a);

/**
 * alerts_answer(a, req, now, ret):
 * /api/v2/…, /api/v1/rules, /api/v1/alerts, /api/weir/{alerts,outbox,why,why-not}; any thread, between alerts_enter and
 * alerts_leave.  False: no such path.  Status 0: not now, ask again after the step.
 */
bool alerts_answer(struct alerts *a, const struct api_request *req, struct wall now,
    struct api_answer *ret);
/** alerts_metrics(a, out): Prometheus text of rules, alerts, notifications, recorded values; as alerts_answer. */
void alerts_metrics(struct alerts *a, struct buf *out);
/** alerts_status(a, out): a JSON object for weir status; as alerts_answer. */
void alerts_status(struct alerts *a, struct buf *out);
