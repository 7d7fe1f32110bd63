/*
 * alerts/alerts_notify.c - notifications.
 * One job: from a group of alerts to the outbox, and from there to the send process and back.
 * Floor: 4 (uses query, store, base).
 *
 * Evidence is looked for after dispatch has said what is to be told and before the step is saved: it takes its time, without the lock.
 * Until the step is saved nobody else may save, or a notification would be noted as told and stand nowhere.
 */
#include "alerts/alerts_internal.h"
#include "base/err.h"

/* ---- out of dispatch ---- */

static int
copy_alert(struct alerts *a, const struct route_alert *from, struct route_alert *to)
{
	struct arena *m = &a->arena;
	const struct alert *now =
	    from->rule_id != 0 ? state_peek(a->state, from->rule_id, &from->labels) : NULL;
	int r;

	*to = *from;
	/* While it fires its numbers go on. */
	if (now != NULL && now->state == ALERT_FIRING && from->ends_at.ns == 0) {
		to->annotations = now->annotations;
		to->values = now->values;
		to->value = now->value;
	}
	r = labels_dup(m, &from->labels, &to->labels);
	if (r == 0)
		r = labels_dup(m, &to->annotations, &to->annotations);
	if (r == 0)
		r = labels_dup(m, &to->values, &to->values);
	to->generator = arena_dup(m, from->generator);
	return r;
}

static int
copy_note(struct alerts *a, const struct notification *from, struct notification *to)
{
	struct route_alert *all;
	struct arena *m = &a->arena;
	size_t i;
	int r = 0;

	*to = *from;
	all = arena_zalloc(m, from->n + 1, sizeof(*all));
	if (all == NULL)
		return err_origin(-ENOMEM);
	to->id = arena_dup(m, from->id);
	to->group_key = arena_dup(m, from->group_key);
	if (to->id.p == NULL || to->group_key.p == NULL)
		return err_origin(-ENOMEM);
	r = labels_dup(m, &from->group_labels, &to->group_labels);
	if (r == 0)
		r = labels_dup(m, &from->common_labels, &to->common_labels);
	for (i = 0; r == 0 && i < from->n; i++)
		r = copy_alert(a, &from->alerts[i], &all[i]);
	/* Annotations went on with the numbers: what they have in common is told of the same moment. */
	if (r == 0 && from->n > 0)
		r = dispatch_common(m, all, from->n, true, &to->common_annotations);
	to->alerts = all;
	return r;
}

static int
on_note(void *ctx, const struct notification *n)
{
	struct alerts *a = ctx;
	struct alerts_note *note = arena_zalloc(&a->arena, 1, sizeof(*note));
	int r;

	if (note == NULL)
		return err_origin(-ENOMEM);
	r = copy_note(a, n, &note->n);
	if (r != 0)
		return r;
	*a->queue_end = note;
	a->queue_end = &note->next;
	a->total.n_notifications++;
	return 0;
}

int
alerts_dispatch(struct alerts *a, struct wall at)
{
	return dispatch_step(a->dispatch, at, on_note, a);
}

/* ---- what it says ---- */

static int
pack(struct alerts *a, struct alerts_note *note, struct span until)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	struct evidence *ev;
	size_t i, n = 0;
	int r = 0;

	ev = arena_zalloc(&arena, ALERTS_EVIDENCE_MAX, sizeof(*ev));
	if (ev == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; a->opt.evidence && i < note->n.n && n < ALERTS_EVIDENCE_MAX; i++) {
		const struct route_alert *ra = &note->n.alerts[i];
		const struct alerts_rule *ar =
		    ra->rule_id != 0 ? alerts_rule_of(a, ra->rule_id) : NULL;

		if (mono_now().ns >= until.ns)
			break;
		r = evidence_find(a->store, ar != NULL ? ar->rule : NULL, ra, note->n.at, &arena,
		    &ev[n]);
		/* Better without than not at all. */
		if (r != 0)
			memset(&ev[n], 0, sizeof(ev[n]));
		n++;
	}
	return message_pack(&note->n, ev, n, a->host, &note->stored);
}

int
alerts_pack(struct alerts *a)
{
	struct span until = { mono_now().ns + ALERTS_EVIDENCE_STEP_MS * NS_PER_MS };
	struct alerts_note *note;
	int r = 0;

	for (note = a->queue; r == 0 && note != NULL; note = note->next)
		if (note->stored.n == 0)
			r = pack(a, note, until);
	return err_fold(r);
}

/* ---- the outbox ---- */

static int
put_event(struct alerts *a, const struct alerts_note *note, const char *what)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	AUTO_FINI(buf_fini) struct buf id = BUF_INIT;
	struct label fields[] = {
		{ STR("change"), str_c(what) },
		{ STR("receiver"), note->n.receiver->name },
		{ STR("group"), note->n.group_key },
		{ STR("notification"), note->n.id },
	};

	buf_printf(&text, "notification %s: %s: %zu alerts for %.*s: %.*s", what,
	    note->n.firing ? "firing" : "resolved", note->n.n, STR_ARG(note->n.receiver->name),
	    STR_ARG(note->n.group_key));
	buf_printf(&id, "%.*s-%s", STR_ARG(note->n.id), what);
	if (text.failed || id.failed)
		return err_origin(-ENOMEM);
	return alerts_event_add(a, buf_view(&id), note->n.at, buf_view(&text), fields,
	    ARRAY_LEN(fields));
}

static int
put_note(struct alerts *a, struct alerts_note *note)
{
	int r;

	if (a->ops.notified != NULL) {
		r = a->ops.notified(a->ops.ctx, &note->n, buf_view(&note->stored));
		if (r != 0)
			return r;
	}
	if (!a->opt.send)
		return 0;
	r = outbox_put(a->outbox, &note->n, buf_view(&note->stored), a->host, a->now);
	if (r == OUTBOX_E_FULL) {
		a->total.n_refused++;
		return put_event(a, note, "refused");
	}
	return r == 0 ? put_event(a, note, "queued") : r;
}

int
alerts_put(struct alerts *a)
{
	struct alerts_note *note;
	int r = 0;

	for (note = a->queue; r == 0 && note != NULL; note = note->next)
		r = put_note(a, note);
	return r;
}

void
alerts_drop_queue(struct alerts *a)
{
	struct alerts_note *note;

	for (note = a->queue; note != NULL; note = note->next)
		buf_fini(&note->stored);
	a->queue = NULL;
	a->queue_end = &a->queue;
	arena_clear(&a->arena);
}

/* ---- the send process ---- */

static const struct integration *
integration_of(const struct routing *routing, const struct outbox_item *item)
{
	size_t i, k;

	for (i = 0; i < routing->n_receivers; i++) {
		const struct receiver *rc = &routing->receivers[i];

		if (!str_eq(rc->name, item->receiver))
			continue;
		for (k = 0; k < rc->n; k++)
			if (rc->integrations[k].kind == item->kind &&
			    rc->integrations[k].index == item->index)
				return &rc->integrations[k];
	}
	return NULL;
}

struct giving {
	struct alerts *a;
	struct arena arena;
	struct str gone[SENDER_JOBS_MAX]; /* their receiver is not there any more */
	size_t n_gone;
};

static int
give(void *ctx, const struct outbox_item *item)
{
	struct giving *g = ctx;
	const struct integration *in = integration_of(g->a->routing, item);

	if (in != NULL)
		return sender_put(g->a->sender, item, in);
	if (g->n_gone == ARRAY_LEN(g->gone))
		return SENDER_E_BUSY;
	g->gone[g->n_gone] = arena_dup(&g->arena, item->id);
	if (g->gone[g->n_gone].p == NULL)
		return err_origin(-ENOMEM);
	g->n_gone++;
	return 0;
}

int
alerts_send(struct alerts *a)
{
	struct giving g = { .a = a };
	size_t i, room;
	int r;

	if (a->sender == NULL || statedb_owes(a->db) || outbox_next(a->outbox).ns > a->now.ns)
		return 0;
	room = sender_room(a->sender);
	r = room > 0 ? outbox_due(a->outbox, a->now, room, give, &g) : 0;
	for (i = 0; r == 0 && i < g.n_gone; i++) {
		struct send_result res = { .id = g.gone[i],
			.outcome = SEND_NEVER,
			.why = STR("its receiver is no longer configured") };

		r = outbox_result(a->outbox, &res, a->now);
	}
	arena_fini(&g.arena);
	return r == STATEDB_E_FULL ? 0 : r;
}

static int
on_result(void *ctx, const struct send_result *res)
{
	struct alerts *a = ctx;
	int r = outbox_result(a->outbox, res, a->now);

	return r == STATEDB_E_FULL ? 0 : r;
}

static void
on_death(void *ctx)
{
	struct alerts *a = ctx;
	const char *why = sender_why(a->sender);

	if (why[0] != '\0')
		alerts_say(a, 4, "send process ended: %s", why);
	if (outbox_restart(a->outbox, a->now) < 0)
		alerts_say(a, 3, "what was being sent could not be noted: %s", a->db_path);
}

int
alerts_results(struct alerts *a)
{
	return a->sender != NULL ? sender_run(a->sender, a->now, on_result, on_death, a) : 0;
}

bool
alerts_settle(struct alerts *a, struct wall now)
{
	bool more;

	alerts_lock(a);
	if (now.ns > a->now.ns)
		a->now = now;
	more = a->sender != NULL && alerts_results(a) == 0 && sender_busy(a->sender) > 0;
	alerts_unlock(a);
	return more;
}
