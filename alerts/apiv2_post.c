/*
 * alerts/apiv2_post.c - alerts from outside.
 * One job: POST /api/v2/alerts: check each as Alertmanager does, give the good ones to routing.
 * Floor: 4 (uses base).
 */
#include "alerts/apiv2_internal.h"

enum { LABELS_MAX = 1000 }; /* of one alert */

/* Why an alert is refused; NULL: it is not. */
static const char *
read_labels(struct apiv2_call *c, const json_t *map, struct labels *ret)
{
	size_t n = json_object_size(map);
	struct label *p = n <= LABELS_MAX ? arena_zalloc(&c->arena, n + 1, sizeof(*p)) : NULL;
	const char *name;
	json_t *v;
	size_t i = 0;

	if (n > 0 && p == NULL)
		return "too many labels";
	json_object_foreach((json_t *)(uintptr_t)map, name, v)
	{
		if (!json_is_string(v))
			return "a label's value is no string";
		p[i++] = (struct label){ str_c(name), apiv2_text(v) };
	}
	return labels_make(&c->arena, p, i, ret) == 0 ? NULL : "no memory";
}

static const char *
check(const struct route_alert *a)
{
	size_t i;

	if (a->ends_at.ns < a->starts_at.ns)
		return "start time must be before end time";
	if (a->labels.n == 0)
		return "at least one label pair required";
	for (i = 0; i < a->labels.n; i++)
		if (!label_name_valid(a->labels.p[i].name))
			return "invalid label set: invalid name";
	for (i = 0; i < a->annotations.n; i++)
		if (!label_name_valid(a->annotations.p[i].name))
			return "invalid annotations: invalid name";
	return NULL;
}

static const char *
read_alert(struct apiv2_call *c, const json_t *v, struct route_alert *a)
{
	const char *why;

	if (!json_is_object(v))
		return "expected objects";
	if (!apiv2_read_time(json_object_get(v, "startsAt"), &a->starts_at) ||
	    !apiv2_read_time(json_object_get(v, "endsAt"), &a->ends_at))
		return "startsAt and endsAt are times in RFC 3339";
	why = read_labels(c, json_object_get(v, "labels"), &a->labels);
	if (why == NULL)
		why = read_labels(c, json_object_get(v, "annotations"), &a->annotations);
	if (why != NULL)
		return why;
	a->generator = apiv2_text(json_object_get(v, "generatorURL"));
	a->updated_at = c->now;
	if (a->starts_at.ns == 0)
		a->starts_at = a->ends_at.ns != 0 ? a->ends_at : c->now;
	if (a->ends_at.ns == 0) {
		a->timeout = true;
		a->ends_at.ns = c->now.ns + c->api->routing->resolve_timeout.ns;
	}
	return check(a);
}

/* The good ones go in, though others are refused. */
static void
put_all(struct apiv2_call *c, const json_t *list)
{
	size_t n = json_array_size(list), i, n_good = 0;
	struct route_alert *all = arena_zalloc(&c->arena, n + 1, sizeof(*all));
	const char *why, *first = NULL;

	if (all == NULL) {
		apiv2_fail(c, 500, "no memory");
		return;
	}
	for (i = 0; i < n; i++) {
		all[n_good] = (struct route_alert){ 0 };
		why = read_alert(c, json_array_get(list, i), &all[n_good]);
		if (why == NULL)
			n_good++;
		else if (first == NULL)
			first = why;
	}
	if (dispatch_put(c->api->dispatch, all, n_good, c->now) < 0) {
		apiv2_fail(c, 500, "the alerts could not be taken");
		return;
	}
	c->api->changed = c->api->changed || n_good > 0;
	if (first != NULL)
		apiv2_fail(c, 400, "%s (%zu of %zu refused)", first, n - n_good, n);
}

void
apiv2_post_alerts(struct apiv2_call *c)
{
	json_error_t error;
	json_t *body = json_loadb(c->req->body.n > 0 ? (const char *)c->req->body.p : "",
	    c->req->body.n, JSON_REJECT_DUPLICATES, &error);

	if (body == NULL)
		apiv2_fail(c, 400, "no JSON: %s", error.text);
	else if (!json_is_array(body) || json_array_size(body) > APIV2_ALERTS_MAX)
		apiv2_fail(c, 400, "expected a list of at most %d alerts", APIV2_ALERTS_MAX);
	else
		put_all(c, body);
	json_decref(body);
}
