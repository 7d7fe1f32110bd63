/*
 * alerts/dispatch_why.c - why nothing came.
 * One job: say in lines which routes take a label set, and what holds each of them.
 * Floor: 4 (uses base).
 */
#include <inttypes.h>

#include "alerts/dispatch_internal.h"

struct why {
	struct dispatch *d;
	const struct labels *labels;
	struct entry *e; /* NULL: not known now */
	struct wall now;
	struct buf *out;
};

static void
say_time(struct buf *out, struct wall t)
{
	char text[WALL_TEXT_MAX];

	buf_put(out, text, wall_format(text, (struct wall){ t.ns / NS_PER_S * NS_PER_S }));
}

static void
say_names(struct buf *out, const struct str *names, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		buf_printf(out, "%s%.*s", i > 0 ? ", " : "", STR_ARG(names[i]));
}

static void
say_times(struct why *y, const struct route *route)
{
	const struct routing *r = y->d->routing;

	if (route->n_mute > 0 && routing_in_interval(r, route->mute, route->n_mute, y->now)) {
		buf_c(y->out, "  held: mute_time_intervals ");
		say_names(y->out, route->mute, route->n_mute);
		buf_c(y->out, "\n");
	}
	if (route->n_active > 0 &&
	    !routing_in_interval(r, route->active, route->n_active, y->now)) {
		buf_c(y->out, "  held: outside of active_time_intervals ");
		say_names(y->out, route->active, route->n_active);
		buf_c(y->out, "\n");
	}
}

static bool
told_of(const uint64_t *ids, size_t n, uint64_t fp)
{
	return told_has_all(ids, n, &fp, 1);
}

static void
say_told(struct why *y, const struct group *g)
{
	AUTO_FINI(buf_fini) struct buf key = BUF_INIT;
	const struct receiver *rc = routing_receiver(y->d->routing, g->route->receiver);
	uint64_t fp = labels_fingerprint(y->labels), hash;
	const struct told *t;
	size_t i;

	if (rc == NULL || rc->n == 0)
		buf_printf(y->out, "  receiver %.*s sends nothing\n", STR_ARG(g->route->receiver));
	for (i = 0; rc != NULL && i < rc->n; i++) {
		const struct integration *in = &rc->integrations[i];

		buf_printf(y->out, "  %s %u: ", in->kind == RECEIVER_EMAIL ? "email" : "webhook",
		    in->index);
		t = told_find(y->d, g, rc, in, &key, &hash);
		if (t == NULL) {
			buf_c(y->out, "nothing told yet\n");
			continue;
		}
		buf_printf(y->out, "told %s at ",
		    told_of(t->firing, t->n_firing, fp)           ? "that it fires"
		        : told_of(t->resolved, t->n_resolved, fp) ? "that it is resolved"
		                                                  : "of others of its group");
		say_time(y->out, t->at);
		buf_c(y->out, ", again not before ");
		say_time(y->out, (struct wall){ t->at.ns + g->route->repeat_interval.ns });
		buf_c(y->out, " unless something changes\n");
	}
}

static int
say_route(void *ctx, const struct route *route)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	AUTO_FINI(buf_fini) struct buf key = BUF_INIT;
	struct why *y = ctx;
	const struct group *g = NULL;
	struct labels labels;
	size_t i;
	int r;

	r = group_labels_of(&arena, route, y->labels, &labels);
	if (r < 0)
		return err_trace(r);
	group_key(&key, route, &labels);
	buf_printf(y->out, "receiver %.*s, group %.*s\n", STR_ARG(route->receiver),
	    STR_ARG(buf_view(&key)));
	say_times(y, route);
	for (i = 0; y->e != NULL && i < y->e->n_groups; i++)
		if (y->e->groups[i]->route == route)
			g = y->e->groups[i];
	if (g == NULL) {
		buf_c(y->out, "  it is not in the group now\n");
		return 0;
	}
	if (g->digest)
		buf_c(y->out, "  it is told in a digest: there are too many groups\n");
	buf_printf(y->out, "  %s ", g->flushed ? "the group is looked at again at" : "waits until");
	say_time(y->out, g->next);
	buf_c(y->out, g->flushed ? " (group_interval)\n" : " (group_wait)\n");
	say_told(y, g);
	return 0;
}

static void
say_held(struct why *y)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	const struct entry *by;
	struct str *ids = NULL;
	uint64_t fp;
	size_t i, n;

	if (inhibit_find(y->d, y->labels, y->now, &fp)) {
		by = table_get(&y->d->alerts, fp);
		buf_printf(y->out, "held: inhibited by %016" PRIx64 " ", fp);
		if (by != NULL)
			labels_format(y->out, &by->a.labels);
		buf_c(y->out, "\n");
	}
	if (y->d->silences == NULL)
		return;
	n = silences_match(y->d->silences, y->labels,
	    y->e != NULL ? &y->e->a.annotations : &(const struct labels){ NULL, 0 }, y->now, &arena,
	    &ids);
	for (i = 0; i < n; i++)
		buf_printf(y->out, "held: silence %.*s\n", STR_ARG(ids[i]));
}

int
dispatch_why(struct dispatch *d, const struct labels *l, struct wall now, struct buf *out)
{
	struct why y = { d, l, table_get(&d->alerts, labels_fingerprint(l)), now, out };
	int r;

	if (y.e == NULL)
		buf_c(out, "no alert with these labels is known to routing now\n");
	else if (alert_resolved(&y.e->a, now))
		buf_c(out, "it is resolved\n");
	say_held(&y);
	r = routing_match(d->routing, l, say_route, &y);
	return r < 0 ? err_trace(r) : err_trace(buf_err(out));
}
