/*
 * alerts/alerts.c - alerts as one thing.
 * One job: a step: what is due at a moment, in order, and when the next one is.
 * Floor: 4 (uses query, store, base).
 *
 *   pay what the disk owes -> answers of the send process -> new rows -> instants that are due -> groups of alerts that are due
 *   -> evidence -> one transaction -> events out -> jobs to the send process
 */
#include <stdio.h>
#include <time.h>

#include "alerts/alerts_internal.h"
#include "base/err.h"

enum { RETRY_MS = 1000 };

void
alerts_say(struct alerts *a, int level, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	if (a->ops.say == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	a->ops.say(a->ops.ctx, level, line);
}

/* ---- the lock ---- */

void
alerts_lock(struct alerts *a)
{
	(void)pthread_mutex_lock(&a->lock);
}

/* Somebody who waits gets it before the next piece of a long step. */
void
alerts_unlock(struct alerts *a)
{
	struct timespec pause = { 0, NS_PER_MS };
	int i;

	(void)pthread_mutex_unlock(&a->lock);
	for (i = 0; i < 20 && atomic_load(&a->n_wanted) > 0; i++)
		(void)nanosleep(&pause, NULL);
}

bool
alerts_enter(struct alerts *a, struct span patience)
{
	static const struct timespec pause = { 0, NS_PER_MS };
	int64_t until = mono_now().ns + patience.ns;
	int r;

	atomic_fetch_add(&a->n_wanted, 1);
	/* In turns, and not by pthread_mutex_clocklock, which TSan of gcc 12 does not know. */
	while ((r = pthread_mutex_trylock(&a->lock)) == EBUSY && mono_now().ns < until)
		(void)nanosleep(&pause, NULL);
	atomic_fetch_sub(&a->n_wanted, 1);
	return r == 0;
}

void
alerts_leave(struct alerts *a)
{
	(void)pthread_mutex_unlock(&a->lock);
}

/* ---- time ---- */

struct wall
alerts_clock(struct alerts *a, struct wall at)
{
	if (at.ns < a->dispatched.ns)
		at = a->dispatched;
	if (at.ns > a->now.ns)
		at = a->now;
	a->dispatched = at;
	return at;
}

static void
sooner(struct wall *at, struct wall other)
{
	if (other.ns < at->ns)
		*at = other;
}

bool
alerts_wants_step(const struct alerts *a)
{
	return a->retry_at.ns == 0 && atomic_load(&a->asked);
}

struct wall
alerts_next(const struct alerts *a)
{
	struct wall at = { INT64_MAX };
	size_t i;

	if (a->retry_at.ns != 0)
		return a->retry_at;
	if (a->more || a->urgent || alerts_wants_step(a))
		return (struct wall){ 0 };
	for (i = 0; i < a->n_groups; i++) {
		struct wall due = alerts_due(&a->groups[i]);

		due.ns += a->groups[i].group->eval_delay.ns;
		sooner(&at, due);
	}
	sooner(&at, dispatch_next(a->dispatch));
	/* Without room in the send process its answer wakes us. */
	if (a->sender != NULL && sender_room(a->sender) > 0)
		sooner(&at, outbox_next(a->outbox));
	return at;
}

int
alerts_fd(const struct alerts *a)
{
	return a->sender != NULL ? sender_fd(a->sender) : -1;
}

/* Never the same instants twice, none of those that were never lived through. */
static int
jump_group(struct alerts *a, struct alerts_group *g, struct wall to)
{
	int64_t step = g->group->interval.ns, rest = (to.ns - g->group->eval_offset.ns) % step;

	if (rest < 0)
		rest += step;
	if (g->last.ns == INT64_MIN || g->last.ns == to.ns - rest)
		return 0;
	g->last.ns = to.ns - rest;
	g->dirty = true;
	return 0;
}

int
alerts_jumped(struct alerts *a, struct wall from, struct wall to)
{
	struct eval_options opt = { .store = a->store,
		.zone_s = a->opt.zone_s,
		.n_threads = 1,
		.live = a->opt.send };
	char text[128], one[WALL_TEXT_MAX], two[WALL_TEXT_MAX];
	struct eval *eval = NULL;
	size_t i;
	int r;

	r = eval_new(&eval, a->set, &opt);
	if (r != 0)
		return r;
	alerts_lock(a);
	(void)eval_free(a->eval);
	a->eval = eval;
	for (i = 0; i < a->n_groups; i++)
		(void)jump_group(a, &a->groups[i], to);
	a->gap = (struct eval_source){ .name = STR("clock") };
	a->gap.gap_from = from.ns < to.ns ? from : to;
	a->gap.gap_to = from.ns < to.ns ? to : from;
	a->dispatched.ns = 0;
	a->now = to;
	state_clock(a->state, to);
	(void)snprintf(text, sizeof(text),
	    "clock went from %.*s to %.*s: windows that reach into it are unknown",
	    (int)wall_format(one, from), one, (int)wall_format(two, to), two);
	r = alerts_event_add(a, STR(""), to, str_c(text), NULL, 0);
	alerts_say(a, 4, "%s", text);
	alerts_unlock(a);
	return r;
}

/* ---- a step ---- */

/* Rows that were committed since the last step. */
static int
step_rows(struct alerts *a)
{
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	int r;

	if (a->view == NULL)
		r = store_view_open(&a->view, a->store, &why);
	else
		r = store_view_refresh(a->view);
	if (r == 0)
		r = eval_feed(a->eval, a->view, a->next_row, &a->next_row);
	if (r == 0)
		return 0;
	alerts_say(a, 3, "rules cannot read the store: %s: %s", a->store,
	    why.n > 0   ? buf_c_str(&why)
	        : r < 0 ? err_str(r)
	                : "not usable");
	a->view = store_view_free(a->view);
	return 1;
}

/* The caller's sources and the jump of the clock, if one is remembered. */
static int
step_sources(struct alerts *a, const struct eval_source *sources, size_t n)
{
	struct eval_source *all = realloc(a->sources, (n + 1) * sizeof(*all));

	if (all == NULL)
		return err_origin(-ENOMEM);
	a->sources = all;
	if (n > 0)
		memcpy(all, sources, n * sizeof(*all));
	a->n_sources = n;
	if (a->gap.gap_to.ns != 0)
		all[a->n_sources++] = a->gap;
	return 0;
}

static void
step_retry(struct alerts *a)
{
	a->retry_at.ns = a->now.ns + RETRY_MS * NS_PER_MS;
}

/* The disk: nothing new is begun before what is known is in the database.  1: not yet. */
static int
step_owed(struct alerts *a)
{
	int r;

	if (!statedb_owes(a->db) && a->queue == NULL)
		return 0;
	r = alerts_save(a);
	if (r == STATEDB_E_FULL) {
		step_retry(a);
		return 1;
	}
	return r;
}

/* A database that went bad while it was open: its rooms begin anew, on what can still be read. */
static int
step_damaged(struct alerts *a)
{
	alerts_say(a, 3, "state.db is damaged: %s", a->db_path);
	alerts_unbuild(a);
	return alerts_build(a);
}

static int
step_orphans(struct alerts *a)
{
	if (!a->orphans)
		return 0;
	a->orphans = false;
	return state_orphans(a->state, alerts_clock(a, a->now), alerts_on_change, a);
}

static int
step_save(struct alerts *a)
{
	int r;

	if (!alerts_save_due(a))
		return 0;
	r = alerts_save(a);
	if (r == STATEDB_E_FULL) {
		step_retry(a);
		return 1;
	}
	return r;
}

static int
step_locked(struct alerts *a)
{
	int r;

	r = step_owed(a);
	if (r == 0)
		r = alerts_results(a);
	if (r == 0)
		r = step_orphans(a);
	if (r != 0)
		return r;
	alerts_unlock(a);
	r = step_rows(a);
	if (r == 0)
		r = alerts_evaluate(a);
	if (r > 0) {
		/* What was begun is told all the same. */
		step_retry(a);
		r = 0;
	}
	alerts_lock(a);
	a->eval_bytes = eval_memory(a->eval);
	if (r == 0 && !a->more)
		r = alerts_dispatch(a, alerts_clock(a, a->now));
	if (r != 0)
		return r;
	if (a->queue != NULL) {
		alerts_unlock(a);
		r = alerts_pack(a);
		alerts_lock(a);
	}
	if (r == 0)
		r = step_save(a);
	if (r == 0 && !statedb_owes(a->db))
		r = alerts_events_out(a);
	if (r == 0)
		r = alerts_send(a);
	return r;
}

int
alerts_step(struct alerts *a, struct wall now, struct wall committed,
    const struct eval_source *sources, size_t n_sources)
{
	int r;

	alerts_lock(a);
	a->now = now;
	a->committed = committed;
	a->retry_at.ns = 0;
	a->more = false;
	a->urgent = false;
	a->total.n_steps++;
	r = step_sources(a, sources, n_sources);
	if (r == 0)
		r = step_locked(a);
	if (r != 0 && statedb_damaged(a->db))
		r = step_damaged(a);
	if (r < 0) {
		alerts_say(a, 3, "a step of the rules failed: %s: %s", err_where(), err_str(r));
		step_retry(a);
	}
	alerts_unlock(a);
	if (alerts_ask_step(a) != 0)
		alerts_say(a, 4, "why-not goes without rows: %s", err_str(-ENOMEM));
	return r < 0 ? r : 0;
}
