/*
 * daemon/rules_loop.c - the loop's side of the rules.
 * One job: say what is committed, put events as rows, answer requests, without waiting for the thread.
 * Floor: 6 (uses alerts, api, store, base).
 */
#include "daemon/daemon_internal.h"
#include "daemon/rules_internal.h"
#include "daemon/say.h"

/* The number of the last event that is a row; it goes with the rows, so that both are one fact. */
#define EVENTS_KEY STR("alerts/events")

/* ---- time ---- */

void
rules_busy(struct daemon *d)
{
	if (d->rules == NULL)
		return;
	(void)pthread_mutex_lock(&d->rules->lock);
	d->rules->clean = false;
	(void)pthread_mutex_unlock(&d->rules->lock);
}

/* All that was there when the turn began has been read. */
static bool
turn_is_whole(const struct daemon *d)
{
	size_t i;

	for (i = 0; i < d->setup->n_inputs; i++)
		if (d->setup->inputs[i].ready)
			return false;
	return !d->paused && !d->abort_due;
}

void
rules_turned(struct daemon *d, struct wall began)
{
	struct rules *r = d->rules;
	bool clean;

	if (r == NULL)
		return;
	if (turn_is_whole(d)) {
		r->turn_whole = true;
		r->turn_began = began;
	}
	if (mono_now().ns >= r->sources_at.ns)
		rules_sources(d);
	clean = r->turn_whole && turn_is_whole(d) && !d->dirty;
	if (!clean)
		return;
	(void)pthread_mutex_lock(&r->lock);
	r->clean = true;
	(void)pthread_mutex_unlock(&r->lock);
	if (atomic_exchange(&r->waits, false))
		rules_wake(r->to_thread);
}

void
rules_committed(struct daemon *d)
{
	struct rules *r = d->rules;
	int64_t at;

	if (r == NULL)
		return;
	at = wall_now().ns - RULES_BEHIND_MAX_S * NS_PER_S;
	if (r->turn_whole && r->turn_began.ns > at)
		at = r->turn_began.ns;
	(void)pthread_mutex_lock(&r->lock);
	/* A clock that was set back by much goes back here as well. */
	if (at > r->committed.ns || at < r->committed.ns - RULES_BEHIND_MAX_S * NS_PER_S)
		r->committed.ns = at;
	(void)pthread_mutex_unlock(&r->lock);
	r->kept_events = r->put_events;
	alerts_events_stored(r->alerts, r->kept_events);
	/* There may be more of them than one commit takes. */
	if (alerts_events_last(r->alerts) > r->put_events)
		commit_dirty(d);
	rules_wake(r->to_thread);
}

/* ---- events ---- */

void
rules_position(struct daemon *d, struct rules *r)
{
	struct str value = store_position_get(d->store, EVENTS_KEY);
	struct scan sc = SCAN_OF(value);

	r->put_events = r->kept_events = value.n > 0 ? scan_u64(&sc) : 0;
}

void
rules_rewind(struct daemon *d)
{
	if (d->rules != NULL)
		rules_position(d, d->rules);
}

/* Names of ours stand first; a label cannot take their place. */
static int
event_fill(struct daemon *d, struct record *rec, const struct alerts_event *e)
{
	struct arena *a = &d->events.arena;
	size_t i, n = 0;

	rec->fields = arena_zalloc(a, e->n_fields + 4, sizeof(*rec->fields));
	if (rec->fields == NULL)
		return err_origin(-ENOMEM);
	rec->stream = STR("{weir=\"alerts\"}");
	rec->time = e->at;
	rec->flags = RECORD_HAS_TIME;
	rec->fields[n++] = (struct field){ STR("_msg"), arena_dup(a, e->text), VALUE_STRING };
	rec->fields[n++] = (struct field){ STR("weir"), STR("alerts"), VALUE_STRING };
	if (d->host[0] != '\0')
		rec->fields[n++] = (struct field){ STR("host"), str_c(d->host), VALUE_STRING };
	rec->fields[n++] = (struct field){ STR("event_id"), arena_dup(a, e->id), VALUE_STRING };
	for (i = 0; i < e->n_fields; i++)
		if (e->fields[i].value.n > 0)
			rec->fields[n++] = (struct field){ arena_dup(a, e->fields[i].name),
				arena_dup(a, e->fields[i].value), VALUE_STRING };
	rec->n_fields = n;
	return 0;
}

static int
event_put(void *ctx, const struct alerts_event *e)
{
	struct daemon *d = ctx;
	struct record *rec = record_batch_add(&d->events);
	int r;

	if (rec == NULL)
		return err_origin(-ENOMEM);
	r = event_fill(d, rec, e);
	if (r != 0) {
		d->events.n--;
		return r;
	}
	d->rules->put_events = e->seq;
	d->n_events++;
	return 0;
}

int
rules_events(struct daemon *d)
{
	AUTO_FINI(buf_fini) struct buf value = BUF_INIT;
	struct rules *r = d->rules;
	uint64_t before;
	int e;

	if (r == NULL)
		return 0;
	before = r->put_events;
	e = alerts_events(r->alerts, before, DAEMON_EVENTS_MAX, event_put, d);
	if (e != 0 || r->put_events == before)
		return e;
	buf_u64(&value, r->put_events);
	return store_position(d->store, EVENTS_KEY, buf_view(&value));
}

/* ---- requests ---- */

int
rules_request(void *ctx, const struct api_request *req, struct api_answer *ret)
{
	struct daemon *d = ctx;
	struct rules *r = d->rules;
	bool known, later, step;

	if (r == NULL)
		return API_E_NONE;
	if (!alerts_enter(r->alerts, (struct span){ 0 })) {
		atomic_store(&r->asked, true);
		return API_E_LATER;
	}
	ret->status = 200;
	known = alerts_answer(r->alerts, req, wall_now(), ret);
	later = known && ret->status == 0;
	step = later && alerts_wants_step(r->alerts);
	alerts_leave(r->alerts);
	if (later) {
		atomic_store(&r->asked, true);
		if (step)
			rules_wake(r->to_thread);
		return API_E_LATER;
	}
	if (known && !str_eq(req->method, STR("GET")))
		rules_wake(r->to_thread);
	return known ? 0 : API_E_NONE;
}

static void
put_fresh(struct rules *r, struct buf *kept, struct buf *out,
    void (*fn)(struct alerts *a, struct buf *out))
{
	if (alerts_enter(r->alerts, (struct span){ RULES_PATIENCE_MS * NS_PER_MS })) {
		buf_clear(kept);
		fn(r->alerts, kept);
		alerts_leave(r->alerts);
	}
	buf_str(out, buf_view(kept));
}

void
rules_metrics(struct daemon *d, struct buf *out)
{
	if (d->rules != NULL)
		put_fresh(d->rules, &d->rules->metrics, out, alerts_metrics);
}

void
rules_status(struct daemon *d, struct buf *out)
{
	if (d->rules == NULL)
		return;
	buf_c(out, ",\"rules\":");
	put_fresh(d->rules, &d->rules->status, out, alerts_status);
	if (d->rules->status.n == 0)
		buf_c(out, "{}");
}
