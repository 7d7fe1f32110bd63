/*
 * alerts/dispatch.c - from alerts to notifications.
 * One job: alerts in, groups that are due out; the room's front.
 * Floor: 4 (uses base).
 */
#include "alerts/dispatch.h"

#include <stdlib.h>

#include "alerts/dispatch_internal.h"

struct dispatch *
dispatch_free(struct dispatch *d)
{
	size_t i;

	if (d == NULL)
		return NULL;
	store_fini(d);
	for (i = 0; i < d->n_all; i++)
		group_free(d->all[i]);
	for (i = 0; i < d->told.n_slots; i++)
		told_free(d->told.slots[i].p);
	table_fini(&d->groups);
	table_fini(&d->told);
	d->inhibit = inhibit_free(d->inhibit);
	free(d->all);
	free(d->leaves);
	free(d->gone_groups);
	free(d->gone_alerts);
	free(d->gone_told);
	free(d);
	return NULL;
}

int
dispatch_new(struct dispatch **ret, const struct routing *r, struct silences *sil,
    struct statedb *db)
{
	AUTO(dispatch_free) struct dispatch *d = calloc(1, sizeof(*d));
	int res;

	if (d == NULL)
		return err_origin(-ENOMEM);
	d->routing = r;
	d->silences = sil;
	d->db = db;
	res = inhibit_new(&d->inhibit, r);
	if (res == 0 && db != NULL)
		res = dispatch_load(d);
	if (res < 0)
		return err_trace(res);
	*ret = TAKE(d);
	return 0;
}

/* ---- alerts in ---- */

struct placing {
	struct dispatch *d;
	struct entry *e; /* NULL: there is no room for it */
	const struct route_alert *a;
	struct wall now;
};

static int
place_in(void *ctx, const struct route *route)
{
	struct placing *p = ctx;
	struct group *g;
	int r;

	if (p->e == NULL) {
		r = group_digest(p->d, route, p->now, &g);
		if (r == 0)
			g->n_over++;
		return r;
	}
	r = group_of(p->d, route, &p->e->a, p->now, &g);
	if (r < 0)
		return err_trace(r);
	return err_trace(group_insert(p->d, g, p->e, p->now));
}

int
dispatch_put(struct dispatch *d, const struct route_alert *alerts, size_t n, struct wall now)
{
	struct placing p = { .d = d, .now = now };
	size_t i;
	int r;

	for (i = 0; i < n; i++) {
		p.a = &alerts[i];
		r = store_put(d, &alerts[i], now, &p.e);
		if (r < 0)
			return err_trace(r);
		d->stats.n_refused += p.e == NULL;
		r = routing_match(d->routing, &alerts[i].labels, place_in, &p);
		if (r < 0)
			return err_trace(r);
	}
	if (n > 0)
		inhibit_changed(d->inhibit);
	return 0;
}

int
dispatch_place(struct dispatch *d, struct entry *e)
{
	struct placing p = { d, e, &e->a, e->a.updated_at };

	return err_trace(routing_match(d->routing, &e->a.labels, place_in, &p));
}

/* ---- groups out ---- */

static int
tidy(struct dispatch *d, struct wall now)
{
	int r = groups_tidy(d);

	if (r == 0)
		r = store_tidy(d, now);
	if (r == 0)
		r = told_tidy(d, now);
	d->tick.ns = now.ns + DISPATCH_TICK_S * NS_PER_S;
	return err_trace(r);
}

/* A clock that jumped back leaves nobody waiting for longer than an interval. */
static void
mend_timer(struct group *g, struct wall now)
{
	struct span longest = g->flushed ? g->route->group_interval : g->route->group_wait;

	if (g->next.ns > now.ns + longest.ns) {
		g->next.ns = now.ns + longest.ns;
		g->dirty = true;
	}
}

int
dispatch_step(struct dispatch *d, struct wall now, notify_fn fn, void *ctx)
{
	size_t i;
	int r;

	for (i = 0; i < d->n_all; i++) {
		mend_timer(d->all[i], now);
		if (d->all[i]->next.ns > now.ns)
			continue;
		r = group_flush(d, d->all[i], now, fn, ctx);
		if (r < 0)
			return err_trace(r);
	}
	if (d->tick.ns == 0 || d->tick.ns > now.ns + DISPATCH_TICK_S * NS_PER_S)
		d->tick.ns = now.ns + DISPATCH_TICK_S * NS_PER_S;
	return d->tick.ns <= now.ns ? err_trace(tidy(d, now)) : 0;
}

struct wall
dispatch_next(const struct dispatch *d)
{
	struct wall next = { INT64_MAX };
	size_t i;

	for (i = 0; i < d->n_all; i++)
		if (d->all[i]->next.ns < next.ns)
			next = d->all[i]->next;
	if (d->tick.ns != 0 && d->tick.ns < next.ns && (d->n_all > 0 || d->entries != NULL))
		next = d->tick;
	return next;
}

void
dispatch_stats(const struct dispatch *d, struct dispatch_stats *ret)
{
	*ret = d->stats;
	ret->n_alerts = d->alerts.n;
	ret->n_groups = d->n_all;
	ret->n_bytes = d->n_bytes;
}

/* ---- another configuration ---- */

struct move {
	struct dispatch *d;
	struct entry *e;
	struct wall now;
	struct table *old;
};

/* The group of the old configuration by the same name gives its time on. */
static int
move_in(void *ctx, const struct route *route)
{
	struct move *m = ctx;
	struct wall never = { INT64_MAX / 4 };
	const struct group *before;
	struct group *g;
	int r;

	r = group_of(m->d, route, &m->e->a, never, &g);
	if (r < 0)
		return err_trace(r);
	before = table_get(m->old, g->hash);
	if (g->n == 0 && before != NULL) {
		g->next = before->next;
		g->flushed = before->flushed;
		g->n_over = before->n_over;
	}
	/* A group that is new waits from the next step on: mend_timer sets its time. */
	return err_trace(group_join(g, m->e, false));
}

static int
move_all(struct dispatch *d, struct table *old)
{
	struct move m = { .d = d, .old = old };
	struct entry *e;
	uint16_t n;
	int r;

	for (e = d->entries; e != NULL; e = e->next) {
		n = e->n_groups;
		e->n_groups = 0;
		if (n == 0)
			continue; /* told, and done with */
		m.e = e;
		r = routing_match(d->routing, &e->a.labels, move_in, &m);
		if (r < 0)
			return err_trace(r);
	}
	return 0;
}

int
dispatch_reload(struct dispatch *d, const struct routing *r)
{
	struct table old = d->groups;
	struct group **all = d->all;
	size_t i, n = d->n_all;
	struct inhibit *fresh;
	int res;

	res = inhibit_new(&fresh, r);
	if (res < 0)
		return err_trace(res);
	(void)inhibit_free(d->inhibit);
	d->inhibit = fresh;
	d->routing = r;
	d->groups = (struct table){ NULL, 0, 0 };
	d->all = NULL;
	d->n_all = d->cap_all = 0;
	res = move_all(d, &old);
	for (i = 0; i < n; i++) {
		if (res == 0)
			res = ids_put(&d->gone_groups, &d->n_gone_groups, &d->cap_gone_groups,
			    all[i]->hash);
		group_free(all[i]);
	}
	free(all);
	table_fini(&old);
	return err_trace(res);
}
