/*
 * alerts/dispatch_group.c - groups.
 * One job: which group an alert is in, and when that group is due.
 * Floor: 4 (uses base).
 */
#include <stdlib.h>

#include "alerts/dispatch_internal.h"
#include "base/hash.h"

int
group_labels_of(struct arena *arena, const struct route *route, const struct labels *l,
    struct labels *ret)
{
	struct labels some = { NULL, 0 };
	size_t i;

	if (route->group_all)
		return labels_dup(arena, l, ret);
	some.p = arena_zalloc(arena, route->n_group_by + 1, sizeof(*some.p));
	if (some.p == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < route->n_group_by; i++) {
		some.p[some.n].name = route->group_by[i];
		some.p[some.n].value = labels_get(l, route->group_by[i]);
		some.n += some.p[some.n].value.n > 0;
	}
	return labels_make(arena, some.p, some.n, ret);
}

/* Alertmanager sorts name="value" as text, where a1 comes before a. */
static int
text_order(const void *a, const void *b)
{
	const struct label *x = a, *y = b;
	size_t n = x->name.n < y->name.n ? x->name.n : y->name.n;
	int r = memcmp(x->name.p, y->name.p, n);

	if (r != 0 || x->name.n == y->name.n)
		return r;
	return x->name.n < y->name.n ? ('=' - y->name.p[n]) : (x->name.p[n] - '=');
}

void
group_key(struct buf *out, const struct route *route, const struct labels *l)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	struct labels sorted = { arena_zalloc(&arena, l->n + 1, sizeof(*l->p)), l->n };

	buf_str(out, route->id);
	buf_c(out, ":");
	if (sorted.p == NULL) {
		out->failed = true;
		return;
	}
	if (l->n > 0)
		memcpy(sorted.p, l->p, l->n * sizeof(*l->p));
	if (l->n > 1)
		qsort(sorted.p, sorted.n, sizeof(*sorted.p), text_order);
	labels_format(out, &sorted);
}

/* ---- made and found ---- */

void
group_free(struct group *g)
{
	if (g == NULL)
		return;
	free(g->members);
	free(g->saved);
	arena_fini(&g->arena);
	free(g);
}

static int
group_new(struct dispatch *d, const struct route *route, const struct labels *l, struct str key,
    uint64_t hash, struct group **ret)
{
	struct group *g = calloc(1, sizeof(*g)), **more;
	int r;

	if (g == NULL)
		return err_origin(-ENOMEM);
	g->hash = hash;
	g->route = route;
	g->dirty = true;
	g->key = arena_dup(&g->arena, key);
	g->place = arena_dup(&g->arena, route->place);
	r = g->key.p == NULL || g->place.p == NULL ? err_origin(-ENOMEM)
	                                           : labels_dup(&g->arena, l, &g->labels);
	if (r == 0 && d->n_all == d->cap_all) {
		more = realloc(d->all, (d->cap_all * 2 + 16) * sizeof(struct group *));
		r = more != NULL ? 0 : err_origin(-ENOMEM);
		d->all = more != NULL ? more : d->all;
		d->cap_all = more != NULL ? d->cap_all * 2 + 16 : d->cap_all;
	}
	if (r == 0)
		r = table_put(&d->groups, hash, g);
	if (r < 0) {
		group_free(g);
		return err_trace(r);
	}
	d->all[d->n_all++] = g;
	*ret = g;
	return 0;
}

int
group_make(struct dispatch *d, const struct route *route, const struct labels *labels, bool digest,
    bool *ret_new, struct group **ret)
{
	AUTO_FINI(buf_fini) struct buf key = BUF_INIT;
	uint64_t hash;
	int r;

	group_key(&key, route, labels);
	if (buf_err(&key) < 0)
		return err_origin(-ENOMEM);
	/* Two routes of one id have groups of their own. */
	hash = hash64_seed(buf_view(&key), hash64_classic(route->place));
	*ret = table_get(&d->groups, hash);
	*ret_new = *ret == NULL;
	if (*ret != NULL)
		return 0;
	r = group_new(d, route, labels, buf_view(&key), hash, ret);
	if (r < 0)
		return err_trace(r);
	(*ret)->digest = digest;
	return 0;
}

int
group_digest(struct dispatch *d, const struct route *route, struct wall now, struct group **ret)
{
	struct label over = { STR("weir_digest"), STR("too many alerts") };
	const struct labels labels = { &over, 1 };
	bool is_new;
	int r;

	r = group_make(d, route, &labels, true, &is_new, ret);
	if (r == 0 && is_new)
		(*ret)->next.ns = now.ns + route->group_wait.ns;
	return r;
}

int
group_of(struct dispatch *d, const struct route *route, const struct route_alert *a,
    struct wall now, struct group **ret)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	AUTO_FINI(buf_fini) struct buf key = BUF_INIT;
	struct labels labels;
	bool is_new;
	int r;

	r = group_labels_of(&arena, route, &a->labels, &labels);
	if (r < 0)
		return err_trace(r);
	if (d->n_all >= DISPATCH_GROUPS_MAX) {
		group_key(&key, route, &labels);
		if (table_get(&d->groups,
		        hash64_seed(buf_view(&key), hash64_classic(route->place))) == NULL) {
			d->stats.n_digested++;
			return group_digest(d, route, now, ret);
		}
	}
	r = group_make(d, route, &labels, false, &is_new, ret);
	if (r == 0 && is_new)
		(*ret)->next.ns = now.ns + route->group_wait.ns;
	return r;
}

/* ---- members ---- */

int
group_join(struct group *g, struct entry *e, bool saved)
{
	struct entry **members;
	struct group **groups;
	bool *flags;
	size_t i, cap = g->cap * 2 + 4;

	for (i = 0; i < e->n_groups; i++)
		if (e->groups[i] == g)
			return 0;
	if (e->n_groups == UINT16_MAX)
		return err_origin(-EOVERFLOW);
	groups = realloc(e->groups, (e->n_groups + 1u) * sizeof(struct group *));
	if (groups == NULL)
		return err_origin(-ENOMEM);
	e->groups = groups;
	if (g->n == g->cap) {
		members = realloc(g->members, cap * sizeof(struct entry *));
		g->members = members != NULL ? members : g->members;
		flags = realloc(g->saved, cap * sizeof(*flags));
		g->saved = flags != NULL ? flags : g->saved;
		if (members == NULL || flags == NULL)
			return err_origin(-ENOMEM);
		g->cap = cap;
	}
	g->members[g->n] = e;
	g->saved[g->n++] = saved;
	e->groups[e->n_groups++] = g;
	return 0;
}

int
group_insert(struct dispatch *d, struct group *g, struct entry *e, struct wall now)
{
	int r;

	(void)d;
	r = group_join(g, e, false);
	if (r < 0)
		return err_trace(r);
	/* One that has waited long enough elsewhere does not wait again. */
	if (!g->flushed && e->a.starts_at.ns + g->route->group_wait.ns < now.ns &&
	    g->next.ns > now.ns) {
		g->next = now;
		g->dirty = true;
	}
	return 0;
}

static void
entry_leave(struct entry *e, const struct group *g)
{
	size_t i;

	for (i = 0; i < e->n_groups && e->groups[i] != g; i++)
		;
	if (i < e->n_groups)
		e->groups[i] = e->groups[--e->n_groups];
}

static int
leave_put(struct dispatch *d, uint64_t group, uint64_t fp)
{
	struct leave *more;

	if (d->n_leaves == d->cap_leaves) {
		more = realloc(d->leaves, (d->cap_leaves * 2 + 16) * sizeof(*more));
		if (more == NULL)
			return err_origin(-ENOMEM);
		d->leaves = more;
		d->cap_leaves = d->cap_leaves * 2 + 16;
	}
	d->leaves[d->n_leaves++] = (struct leave){ group, fp };
	return 0;
}

int
group_clear_resolved(struct dispatch *d, struct group *g, struct wall now)
{
	size_t i, n = 0;
	int r = 0;

	for (i = 0; i < g->n; i++) {
		if (r == 0 && alert_resolved(&g->members[i]->a, now)) {
			if (g->saved[i])
				r = leave_put(d, g->hash, g->members[i]->fp);
			if (r == 0) {
				entry_leave(g->members[i], g);
				continue;
			}
		}
		g->members[n] = g->members[i];
		g->saved[n++] = g->saved[i];
	}
	g->n = n;
	return r;
}

int
groups_tidy(struct dispatch *d)
{
	size_t i, n = 0;
	int r = 0;

	for (i = 0; i < d->n_all; i++) {
		struct group *g = d->all[i];

		if (g->n == 0 && g->n_over == 0 && r == 0) {
			r = ids_put(&d->gone_groups, &d->n_gone_groups, &d->cap_gone_groups,
			    g->hash);
			if (r == 0) {
				table_drop(&d->groups, g->hash);
				group_free(g);
				continue;
			}
		}
		d->all[n++] = g;
	}
	d->n_all = n;
	return r;
}
