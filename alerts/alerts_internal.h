/*
 * alerts/alerts_internal.h - inside the front.
 * One job: what the alerts*.c files share.
 * Floor: 4 (uses query, store, logsql, record, base).
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "alerts/alerts.h"
#include "alerts/alerts_ask.h"
#include "store/read.h"

/* One evaluation, as weir why shows it. */
struct alerts_why {
	struct wall at;
	uint32_t n, n_holds;
	double value; /* the greatest of those that hold, else of all */
	uint64_t n_rows;
	struct span took;
	bool unknown, failed, late;
	char text[80]; /* why unknown or failed */
};

/* A recorded value. */
struct alerts_value {
	struct labels labels;
	double value;
};

/* What is known of a rule beside its alerts. */
struct alerts_rule {
	uint64_t id;
	const struct rule *rule;
	const struct rule_group *group;
	struct alerts_why *why; /* a ring of ALERTS_WHY_MAX; NULL: never evaluated */
	uint64_t n_why, n_failed;
	bool unknown, failed;
	struct alerts_why failure; /* the last one; at 0: none */
	struct wall last;
	struct span took;
	struct alerts_value *values; /* of a recording rule */
	size_t n_values;
	struct arena arena; /* of values */
};

/* Invariant: last is an instant of the group, or where it begins; INT64_MIN: not known yet. */
struct alerts_group {
	const struct rule_group *group;
	struct alerts_rule *rules; /* as group->rules */
	struct wall last;
	bool dirty;
	uint64_t n_evals, n_missed;
	struct span took;
};

/* A notification on its way to the outbox. */
struct alerts_note {
	struct notification n;
	struct buf stored;
	struct alerts_note *next;
};

struct alerts_totals {
	uint64_t n_steps, n_evals, n_missed, n_fired, n_resolved, n_notifications, n_refused,
	    n_full, n_events;
};

/*
 * lock is held by the thread that steps but while it evaluates, reads the store for evidence or waits; by others within
 * alerts_enter and alerts_leave.  What only the stepping thread uses: eval, view, next_row, sender, gap, queue.
 */
struct alerts {
	pthread_mutex_t lock;
	atomic_uint n_wanted; /* threads that wait for lock */
	struct alerts_ops ops;
	struct alerts_options opt;
	char *store, *db_path, *host, *secrets, *send_socket;
	struct rule_set *set;
	struct routing *routing;
	struct statedb *db;
	struct eval *eval;
	struct state *state;
	struct silences *silences;
	struct dispatch *dispatch;
	struct outbox *outbox;
	struct sender *sender;
	struct apiv2 api;
	struct store_view *view;
	uint64_t next_row;
	struct alerts_group *groups;
	size_t n_groups;
	struct wall now, committed, dispatched, saved, retry_at;
	struct eval_source gap;      /* of a clock that jumped; gap_to 0: none */
	struct eval_source *sources; /* of this step, with the gap */
	size_t n_sources;
	struct wall instant; /* that is evaluated */
	bool late, more, orphans, told_full;
	/* Set by whoever answers, under the lock; alerts_next looks at them without. */
	atomic_bool urgent, asked;
	struct alerts_note *queue, **queue_end;
	struct arena arena;   /* of queue */
	struct arena scratch; /* of one change */
	/* events */
	pthread_mutex_t events_lock; /* of fresh, n_fresh */
	struct alerts_event *fresh;  /* in state.db, not known to be in the store */
	size_t n_fresh;
	struct arena fresh_arena;
	struct alerts_event *due; /* not in state.db yet */
	size_t n_due, cap_due;
	struct arena due_arena;
	uint64_t event_seq, event_read; /* numbers given; read back into fresh */
	_Atomic uint64_t stored;        /* in the store */
	uint64_t forgotten;
	struct alerts_totals total;
	struct wall started;
	uint64_t eval_bytes; /* of the last step */
	struct alerts_ask ask;
};

/* alerts.c */
void alerts_say(struct alerts *a, int level, const char *fmt, ...) PRINTF_LIKE(3, 4);
void alerts_lock(struct alerts *a);
void alerts_unlock(struct alerts *a);
/** alerts_clock(a, at): the time by which dispatch lives when ${at} is evaluated: never back, never ahead of now. */
struct wall alerts_clock(struct alerts *a, struct wall at);

/* alerts_build.c */
/** alerts_build(a): all rooms on state.db; set and routing are there.  alerts_unbuild(a): freed, without saving. */
int alerts_build(struct alerts *a);
void alerts_unbuild(struct alerts *a);
/** alerts_groups(set, old, n_old, ret): groups of another set; what is known of those and their rules that stay goes over. */
int alerts_groups(const struct rule_set *set, struct alerts_group *old, size_t n_old,
    struct alerts_group **ret);
void alerts_groups_free(struct alerts_group *g, size_t n);
struct alerts_rule *alerts_rule_of(struct alerts *a, uint64_t id);

/* alerts_eval.c */
/** alerts_evaluate(a): groups that are due, as many as a step may take; what comes of it is put into dispatch. */
int alerts_evaluate(struct alerts *a);
/** alerts_due(a, g): its next instant. */
struct wall alerts_due(const struct alerts_group *g);
int alerts_on_change(void *ctx, const struct alert *al, enum alert_change c, struct wall at);

/* alerts_notify.c */
/** alerts_dispatch(a, at): groups of alerts that are due at ${at} into the queue. */
int alerts_dispatch(struct alerts *a, struct wall at);
/** alerts_pack(a): evidence and stored form of what is queued; without the lock. */
int alerts_pack(struct alerts *a);
/** alerts_put(a): the queue into the outbox, within the step; alerts_drop_queue(a): it is there. */
int alerts_put(struct alerts *a);
void alerts_drop_queue(struct alerts *a);
/** alerts_send(a): what is due to the send process, and what it has answered. */
int alerts_send(struct alerts *a);
int alerts_results(struct alerts *a);

/* alerts_event.c */
int alerts_event_add(struct alerts *a, struct str id, struct wall at, struct str text,
    const struct label *fields, size_t n);
int alerts_event_change(struct alerts *a, const struct alert *al, enum alert_change c,
    struct wall at);
int alerts_event_rule(struct alerts *a, const struct alerts_rule *ar, struct wall at,
    const char *change, struct str why);
void alerts_event_fate(void *ctx, const struct outbox_item *item, struct str to_failed,
    struct wall at);
int alerts_events_load(struct alerts *a);
/** alerts_events_save(a): within the step.  alerts_events_out(a): after it. */
int alerts_events_save(struct alerts *a);
int alerts_events_out(struct alerts *a);
extern const char *const alerts_change_names[];

/* alerts_save.c */
/** alerts_save(a): one transaction of all that changed.  STATEDB_E_FULL: not now. */
int alerts_save(struct alerts *a);
/** alerts_save_due(a): whether there is something to save. */
bool alerts_save_due(const struct alerts *a);
int alerts_load_groups(struct alerts *a);

/* alerts_why.c */
int alerts_why_note(struct alerts *a, struct alerts_rule *ar, const struct eval_set *set);
void alerts_why_answer(struct alerts *a, const struct api_request *req, struct api_answer *ret);
void alerts_why_not_answer(struct alerts *a, const struct api_request *req, struct api_answer *ret);

/* alerts_text.c */
/** alerts_wants_text(req): parameter format=text. */
bool alerts_wants_text(const struct api_request *req);
void alerts_text(struct alerts *a, struct buf *out);
int alerts_text_outbox(struct alerts *a, bool all, struct buf *out);
void alerts_text_rule(struct alerts *a, const struct alerts_rule *ar, struct buf *out);
int alerts_text_why(struct alerts *a, const struct alert *al, struct buf *out);

/* alerts_json.c */
void alerts_json_labels(struct buf *out, const struct labels *l);
void alerts_json_time(struct buf *out, const char *name, struct wall t);
void alerts_json_number(struct buf *out, double v);
void alerts_json_alert(struct buf *out, const struct alert *al, bool full);
