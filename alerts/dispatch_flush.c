/*
 * alerts/dispatch_flush.c - a group that is due.
 * One job: what of it may be told, to whom it is news, and the notification of it.
 * Floor: 4 (uses base).
 *
 *   members - inhibited - silenced, unless the route's times mute all --> each integration: news since it was told? --> notification
 *
 * Who ended leaves the group, told or not: what was held back when it ended is never news.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "alerts/dispatch_internal.h"
#include "base/hash.h"

/* Members that may be told; firing and resolved are their fingerprints, ascending. */
struct flush {
	struct dispatch *d;
	struct group *g;
	struct wall now, due; /* due: when it should have been now */
	notify_fn fn;
	void *ctx;
	struct arena arena;
	const struct entry **told;
	size_t n;
	uint64_t *firing, *resolved;
	size_t n_firing, n_resolved;
	bool sorted;
};

/* ---- order ---- */

int
labels_order(const struct labels *a, const struct labels *b)
{
	size_t i = 0, k = 0;
	int r;

	if (a->n != b->n)
		return a->n < b->n ? -1 : 1;
	/* The first name that one of them lacks decides, else the first value that differs. */
	for (; i < a->n && k < b->n; i++, k++) {
		r = str_cmp(a->p[i].name, b->p[k].name);
		if (r != 0)
			return r < 0 ? 1 : -1;
		r = str_cmp(a->p[i].value, b->p[k].value);
		if (r != 0)
			return r;
	}
	return 0;
}

int
alert_order(const struct labels *a, const struct labels *b)
{
	static const struct str first[] = { STR_INIT("job"), STR_INIT("instance") };
	struct str x, y;
	size_t i;

	for (i = 0; i < ARRAY_LEN(first); i++) {
		x = labels_get(a, first[i]);
		y = labels_get(b, first[i]);
		if (x.n == 0 && y.n == 0)
			continue;
		if (x.n == 0 || y.n == 0)
			return x.n == 0 ? 1 : -1;
		if (!str_eq(x, y))
			return str_cmp(x, y);
	}
	return labels_order(a, b);
}

static int
entry_order(const void *a, const void *b)
{
	const struct entry *const *x = a, *const *y = b;

	return alert_order(&(*x)->a.labels, &(*y)->a.labels);
}

static int
id_order(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* ---- who may be told of ---- */

size_t
entry_silenced(struct dispatch *d, struct entry *e, struct wall now, struct arena *arena,
    struct str **ret_ids)
{
	if (d->silences == NULL)
		return 0;
	if (e->held_version != silences_version(d->silences)) {
		e->held = silences_may(d->silences, &e->a.labels, &e->a.annotations, now);
		e->held_version = silences_version(d->silences);
	}
	if (!e->held)
		return 0;
	return silences_match(d->silences, &e->a.labels, &e->a.annotations, now, arena, ret_ids);
}

static bool
muted_by_time(const struct dispatch *d, const struct route *r, struct wall now)
{
	if (r->n_active > 0 && !routing_in_interval(d->routing, r->active, r->n_active, now))
		return true;
	return r->n_mute > 0 && routing_in_interval(d->routing, r->mute, r->n_mute, now);
}

static int
gather(struct flush *f)
{
	struct group *g = f->g;
	struct str *ids;
	uint64_t by;
	size_t i;

	f->told = arena_zalloc(&f->arena, g->n + 1, sizeof(struct entry *));
	f->firing = arena_zalloc(&f->arena, g->n + 1, sizeof(*f->firing));
	f->resolved = arena_zalloc(&f->arena, g->n + 1, sizeof(*f->resolved));
	if (f->told == NULL || f->firing == NULL || f->resolved == NULL)
		return err_origin(-ENOMEM);
	if (muted_by_time(f->d, g->route, f->now))
		return 0;
	for (i = 0; i < g->n; i++) {
		struct entry *e = g->members[i];

		if (inhibit_find(f->d, &e->a.labels, f->now, &by) ||
		    entry_silenced(f->d, e, f->now, &f->arena, &ids) > 0)
			continue;
		f->told[f->n++] = e;
		if (alert_resolved(&e->a, f->now))
			f->resolved[f->n_resolved++] = e->fp;
		else
			f->firing[f->n_firing++] = e->fp;
	}
	if (f->n_firing > 1)
		qsort(f->firing, f->n_firing, sizeof(*f->firing), id_order);
	if (f->n_resolved > 1)
		qsort(f->resolved, f->n_resolved, sizeof(*f->resolved), id_order);
	return 0;
}

/* Whether it is news to an integration, and why. */
static bool
is_news(const struct flush *f, const struct integration *in, const struct told *t,
    enum notify_reason *ret)
{
	*ret = NOTIFY_FIRST;
	if (t == NULL)
		return f->n_firing > 0;
	*ret = NOTIFY_CHANGED;
	if (!told_has_all(t->firing, t->n_firing, f->firing, f->n_firing))
		return true;
	/* Those who are told of no end are told of nothing, but what they know is cleared. */
	*ret = NOTIFY_RESOLVED;
	if (f->n_firing == 0)
		return t->n_firing > 0;
	*ret = NOTIFY_CHANGED;
	if (in->send_resolved &&
	    !told_has_all(t->resolved, t->n_resolved, f->resolved, f->n_resolved))
		return true;
	*ret = NOTIFY_REPEAT;
	return t->at.ns < f->due.ns - f->g->route->repeat_interval.ns;
}

/* ---- the notification ---- */

int
dispatch_common(struct arena *arena, const struct route_alert *alerts, size_t n, bool annotations,
    struct labels *ret)
{
	const struct labels *first = annotations ? &alerts[0].annotations : &alerts[0].labels;
	struct labels some = { arena_zalloc(arena, first->n + 1, sizeof(*some.p)), 0 };
	size_t i, k;

	if (some.p == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < first->n; i++) {
		for (k = 1; k < n; k++)
			if (!str_eq(
			        labels_get(annotations ? &alerts[k].annotations : &alerts[k].labels,
			            first->p[i].name),
			        first->p[i].value))
				break;
		if (k >= n)
			some.p[some.n++] = first->p[i];
	}
	*ret = some;
	return 0;
}

/* Those that are told, in order, as many as may be. */
static int
pick(struct flush *f, const struct integration *in, struct notification *n)
{
	size_t max = DISPATCH_ALERTS_MAX, i;
	struct route_alert *alerts;

	if (in->max_alerts > 0 && in->max_alerts < max)
		max = (size_t)in->max_alerts;
	if (!f->sorted && f->n > 1)
		qsort(f->told, f->n, sizeof(*f->told), entry_order);
	f->sorted = true;
	n->firing = f->n_firing > 0;
	alerts = arena_zalloc(&f->arena, (f->n < max ? f->n : max) + 1, sizeof(*alerts));
	if (alerts == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < f->n; i++) {
		const struct route_alert *a = &f->told[i]->a;
		bool ended = alert_resolved(a, f->now);

		if (ended && !in->send_resolved)
			continue;
		if (n->n == max) {
			n->n_cut++;
			continue;
		}
		alerts[n->n] = *a;
		if (!ended)
			alerts[n->n].ends_at.ns = 0;
		n->n++;
	}
	n->alerts = alerts;
	/* Who asks for so many alerts and no more is told of the state of those, as by Alertmanager. */
	for (i = 0; in->max_alerts > 0 && i < n->n && alerts[i].ends_at.ns != 0; i++)
		;
	if (in->max_alerts > 0 && i == n->n)
		n->firing = false;
	n->n_cut += f->g->n_over;
	return 0;
}

static int
notify(struct flush *f, const struct receiver *rc, const struct integration *in, uint64_t hash,
    enum notify_reason reason)
{
	char id[64];
	struct notification n = { .receiver = rc, .integration = in, .reason = reason };
	int r;

	r = pick(f, in, &n);
	if (r == 0 && n.n > 0)
		r = dispatch_common(&f->arena, n.alerts, n.n, false, &n.common_labels);
	if (r == 0 && n.n > 0)
		r = dispatch_common(&f->arena, n.alerts, n.n, true, &n.common_annotations);
	if (r < 0 || n.n == 0)
		return r;
	f->d->serial++;
	f->d->serial_dirty = true;
	(void)snprintf(id, sizeof(id), "%016" PRIx64 "-%" PRIu64, hash, f->d->serial);
	n.id = str_c(id);
	n.group_key = f->g->key;
	n.group_labels = f->g->labels;
	n.at = f->now;
	f->d->stats.n_notifications++;
	return f->fn(f->ctx, &n);
}

static int
tell(struct flush *f, const struct receiver *rc, const struct integration *in)
{
	AUTO_FINI(buf_fini) struct buf key = BUF_INIT;
	enum notify_reason reason;
	struct told *t;
	uint64_t hash;
	int r = 0;

	t = told_find(f->d, f->g, rc, in, &key, &hash);
	if (buf_err(&key) < 0)
		return err_origin(-ENOMEM);
	if (!is_news(f, in, t, &reason))
		return 0;
	if (in->send_resolved || f->n_firing > 0)
		r = notify(f, rc, in, hash, reason);
	if (r != 0)
		return err_fold(r);
	return err_trace(told_set(f->d, t, hash, buf_view(&key), f->firing, f->n_firing,
	    f->resolved, f->n_resolved, f->due, f->g->route->repeat_interval));
}

int
group_flush(struct dispatch *d, struct group *g, struct wall now, notify_fn fn, void *ctx)
{
	struct span interval = g->route->group_interval;
	/* A step that comes late moves nothing that comes after it, unless it is late by an interval. */
	struct wall due = g->next.ns > now.ns - interval.ns ? g->next : now;
	struct flush f = { .d = d,
		.g = g,
		.now = now,
		.due = due,
		.fn = fn,
		.ctx = ctx,
		.arena = ARENA_INIT };
	const struct receiver *rc = routing_receiver(d->routing, g->route->receiver);
	size_t i;
	int r;

	g->next.ns = due.ns + interval.ns;
	g->flushed = true;
	g->dirty = true;
	if (g->n == 0)
		return 0;
	r = gather(&f);
	for (i = 0; r == 0 && f.n > 0 && rc != NULL && i < rc->n; i++)
		r = tell(&f, rc, &rc->integrations[i]);
	arena_fini(&f.arena);
	if (r < 0)
		return err_trace(r);
	g->n_over = 0;
	return err_trace(group_clear_resolved(d, g, now));
}
