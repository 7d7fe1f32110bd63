/*
 * alerts/apiv2_alerts.c - alerts and groups, shown.
 * One job: GET /api/v2/alerts and /api/v2/alerts/groups.
 * Floor: 4 (uses logsql, base).
 */
#include <inttypes.h>
#include <stdlib.h>

#include "alerts/apiv2_internal.h"

/* Which alerts are shown, from the parameters. */
struct shown {
	struct apiv2_call *c;
	struct matcher *filters;
	size_t n_filters;
	bool active, silenced, inhibited;
	bool has_receiver;
	struct matcher receiver;
};

/* What holds an alert. */
struct held {
	struct str *silences;
	size_t n_silences;
	bool inhibited;
	uint64_t by;
};

static bool
shown_read(struct apiv2_call *c, struct shown *ret)
{
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	struct str v;
	int r;

	ret->c = c;
	if (!apiv2_filters(c, &ret->filters, &ret->n_filters))
		return false;
	ret->active = apiv2_flag(c, "active");
	ret->silenced = apiv2_flag(c, "silenced");
	ret->inhibited = apiv2_flag(c, "inhibited");
	ret->has_receiver = api_param(c->req, "receiver", &v) && v.n > 0;
	if (!ret->has_receiver)
		return true;
	r = matcher_make(MATCH_REGEX, STR("receiver"), v, &c->arena, &ret->receiver, &why);
	if (r != 0)
		apiv2_fail(c, r < 0 ? 500 : 400, "failed to parse receiver param: %s",
		    buf_c_str(&why));
	return r == 0;
}

static bool
is_shown(const struct shown *s, struct entry *e, struct held *ret)
{
	struct apiv2_call *c = s->c;

	*ret = (struct held){ 0 };
	if (e->a.ends_at.ns != 0 && e->a.ends_at.ns < c->now.ns)
		return false;
	if (!matchers_filter(s->filters, s->n_filters, &e->a.labels))
		return false;
	ret->inhibited = inhibit_find(c->api->dispatch, &e->a.labels, c->now, &ret->by);
	ret->n_silences = entry_silenced(c->api->dispatch, e, c->now, &c->arena, &ret->silences);
	if (!s->active && !ret->inhibited && ret->n_silences == 0)
		return false;
	return (s->silenced || ret->n_silences == 0) && (s->inhibited || !ret->inhibited);
}

static bool
receiver_fits(const struct shown *s, struct str name)
{
	return !s->has_receiver || matcher_matches(&s->receiver, name);
}

/* ---- one alert ---- */

static void
put_labels(struct buf *out, const struct labels *l)
{
	size_t i;

	buf_c(out, "{");
	for (i = 0; i < l->n; i++) {
		if (i > 0)
			buf_c(out, ",");
		buf_json(out, l->p[i].name);
		buf_c(out, ":");
		buf_json(out, l->p[i].value);
	}
	buf_c(out, "}");
}

static void
put_status(struct buf *out, const struct held *h)
{
	size_t i;

	buf_c(out, "{\"inhibitedBy\":[");
	if (h->inhibited)
		buf_printf(out, "\"%016" PRIx64 "\"", h->by);
	buf_c(out, "],\"silencedBy\":[");
	for (i = 0; i < h->n_silences; i++) {
		if (i > 0)
			buf_c(out, ",");
		buf_json(out, h->silences[i]);
	}
	buf_printf(out, "],\"state\":\"%s\"}",
	    h->inhibited || h->n_silences > 0 ? "suppressed" : "active");
}

static void
put_alert(struct apiv2_call *c, const struct entry *e, const struct held *h,
    const struct str *receivers, size_t n_receivers)
{
	struct buf *out = &c->ret->body;
	struct wall ends = e->a.ends_at;
	size_t i;

	/* Ours fire until they are told to end; a reader of this API expects a time. */
	if (ends.ns == 0)
		ends.ns = c->now.ns + c->api->routing->resolve_timeout.ns;
	buf_c(out, "{\"annotations\":");
	put_labels(out, &e->a.annotations);
	buf_c(out, ",\"endsAt\":");
	apiv2_time(out, ends);
	buf_printf(out, ",\"fingerprint\":\"%016" PRIx64 "\",\"receivers\":[", e->fp);
	for (i = 0; i < n_receivers; i++) {
		buf_c(out, i > 0 ? ",{\"name\":" : "{\"name\":");
		buf_json(out, receivers[i]);
		buf_c(out, "}");
	}
	buf_c(out, "],\"startsAt\":");
	apiv2_time(out, e->a.starts_at);
	buf_c(out, ",\"status\":");
	put_status(out, h);
	buf_c(out, ",\"updatedAt\":");
	apiv2_time(out, e->a.updated_at);
	if (e->a.generator.n > 0) {
		buf_c(out, ",\"generatorURL\":");
		buf_json(out, e->a.generator);
	}
	buf_c(out, ",\"labels\":");
	put_labels(out, &e->a.labels);
	buf_c(out, "}");
}

/* ---- alerts ---- */

enum { RECEIVERS_MAX = 64 }; /* of one alert, shown */

struct receivers {
	struct str names[RECEIVERS_MAX];
	size_t n;
};

static int
add_receiver(void *ctx, const struct route *route)
{
	struct receivers *r = ctx;

	if (r->n < RECEIVERS_MAX)
		r->names[r->n++] = route->receiver;
	return 0;
}

static int
by_fingerprint(const void *a, const void *b)
{
	const struct entry *const *x = a, *const *y = b;

	return ((*x)->fp > (*y)->fp) - ((*x)->fp < (*y)->fp);
}

static struct entry **
all_entries(struct apiv2_call *c, size_t *ret_n)
{
	struct dispatch *d = c->api->dispatch;
	struct entry **all = arena_zalloc(&c->arena, d->alerts.n + 1, sizeof(struct entry *));
	struct entry *e;
	size_t n = 0;

	for (e = d->entries; all != NULL && e != NULL; e = e->next)
		if (e->known)
			all[n++] = e;
	if (n > 1)
		qsort(all, n, sizeof(struct entry *), by_fingerprint);
	*ret_n = n;
	return all;
}

static bool
some_receiver_fits(const struct shown *s, const struct receivers *r)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		if (receiver_fits(s, r->names[i]))
			return true;
	return false;
}

void
apiv2_get_alerts(struct apiv2_call *c)
{
	struct shown shown;
	struct receivers receivers;
	struct entry **all;
	struct held held;
	size_t i, n;
	bool first = true;

	if (!shown_read(c, &shown))
		return;
	all = all_entries(c, &n);
	if (all == NULL) {
		apiv2_fail(c, 500, "no memory");
		return;
	}
	buf_c(&c->ret->body, "[");
	for (i = 0; i < n; i++) {
		receivers.n = 0;
		(void)routing_match(c->api->routing, &all[i]->a.labels, add_receiver, &receivers);
		if (!some_receiver_fits(&shown, &receivers) || !is_shown(&shown, all[i], &held))
			continue;
		if (!first)
			buf_c(&c->ret->body, ",");
		first = false;
		put_alert(c, all[i], &held, receivers.names, receivers.n);
	}
	buf_c(&c->ret->body, "]\n");
}

/* ---- groups ---- */

static int
group_order(const void *a, const void *b)
{
	const struct group *x = *(struct group *const *)a, *y = *(struct group *const *)b;
	int r = labels_order(&x->labels, &y->labels);

	return r != 0 ? r : str_cmp(x->route->receiver, y->route->receiver);
}

static int
member_order(const void *a, const void *b)
{
	const struct entry *x = *(struct entry *const *)a, *y = *(struct entry *const *)b;

	return alert_order(&x->a.labels, &y->a.labels);
}

static int
name_order(const void *a, const void *b)
{
	const struct str *x = a, *y = b;

	return str_cmp(*x, *y);
}

/* Receivers of all the alert's groups that are shown. */
static void
group_receivers(const struct shown *s, const struct entry *e, struct receivers *ret)
{
	size_t i;

	ret->n = 0;
	for (i = 0; i < e->n_groups && ret->n < RECEIVERS_MAX; i++)
		if (receiver_fits(s, e->groups[i]->route->receiver))
			ret->names[ret->n++] = e->groups[i]->route->receiver;
	if (ret->n > 1)
		qsort(ret->names, ret->n, sizeof(ret->names[0]), name_order);
}

/* Whether anything of the group was shown. */
static bool
put_group(const struct shown *s, const struct group *g, bool first)
{
	struct apiv2_call *c = s->c;
	struct buf *out = &c->ret->body;
	struct entry **members = arena_zalloc(&c->arena, g->n + 1, sizeof(struct entry *));
	struct receivers receivers;
	struct held held;
	size_t i, n = 0;

	if (members == NULL)
		return false;
	if (g->n > 0)
		memcpy(members, g->members, g->n * sizeof(struct entry *));
	if (g->n > 1)
		qsort(members, g->n, sizeof(struct entry *), member_order);
	for (i = 0; i < g->n; i++) {
		if (!is_shown(s, members[i], &held))
			continue;
		if (n++ > 0)
			buf_c(out, ",");
		else
			buf_c(out, first ? "{\"alerts\":[" : ",{\"alerts\":[");
		group_receivers(s, members[i], &receivers);
		put_alert(c, members[i], &held, receivers.names, receivers.n);
	}
	if (n == 0)
		return false;
	buf_c(out, "],\"labels\":");
	put_labels(out, &g->labels);
	buf_c(out, ",\"receiver\":{\"name\":");
	buf_json(out, g->route->receiver);
	buf_c(out, "}}");
	return true;
}

void
apiv2_get_groups(struct apiv2_call *c)
{
	struct dispatch *d = c->api->dispatch;
	struct group **all = arena_zalloc(&c->arena, d->n_all + 1, sizeof(struct group *));
	struct shown shown;
	bool first = true;
	size_t i;

	if (!shown_read(c, &shown))
		return;
	if (all == NULL) {
		apiv2_fail(c, 500, "no memory");
		return;
	}
	if (d->n_all > 0)
		memcpy(all, d->all, d->n_all * sizeof(struct group *));
	if (d->n_all > 1)
		qsort(all, d->n_all, sizeof(struct group *), group_order);
	buf_c(&c->ret->body, "[");
	for (i = 0; i < d->n_all; i++)
		if (receiver_fits(&shown, all[i]->route->receiver) &&
		    put_group(&shown, all[i], first))
			first = false;
	buf_c(&c->ret->body, "]\n");
}
