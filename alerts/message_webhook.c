/*
 * alerts/message_webhook.c - a notification for a program.
 * One job: Alertmanager's webhook JSON, version 4, plus "evidence".
 * Floor: 4 (uses base).
 *
 * "evidence" stands beside "alerts": one object for each alert that has some, with the alert's fingerprint, so that a
 * receiver made for Alertmanager reads "alerts" as ever.
 */
#include "alerts/message_internal.h"

static json_t *
time_json(int64_t ns)
{
	char text[WALL_TEXT_MAX];
	size_t n = wall_format(text, (struct wall){ ns });

	/* Go's zero time */
	return ns == 0 ? json_string("0001-01-01T00:00:00Z") : json_stringn(text, n);
}

static json_t *
alert_json(json_t *a)
{
	bool firing = json_is_true(json_object_get(a, "firing"));
	json_t *o = json_pack("{s:s, s:O, s:O, s:o, s:o, s:O, s:O}", "status",
	    firing ? "firing" : "resolved", "labels", json_object_get(a, "labels"), "annotations",
	    json_object_get(a, "annotations"), "startsAt", time_json(message_int(a, "starts_at")),
	    "endsAt", time_json(firing ? 0 : message_int(a, "ends_at")), "generatorURL",
	    json_object_get(a, "generator"), "fingerprint", json_object_get(a, "fingerprint"));

	return o;
}

static json_t *
lines_json(const json_t *lines)
{
	AUTO(message_unref) json_t *out = json_array();
	json_t *l;
	size_t i;

	json_array_foreach(lines, i, l)
	{
		AUTO(message_unref) json_t *o = json_copy(l);

		if (o == NULL ||
		    json_object_set_new(o, "time", time_json(message_int(l, "time"))) != 0 ||
		    json_array_append(out, o) != 0)
			return NULL;
	}
	return TAKE(out);
}

static json_t *
evidence_json(const json_t *a)
{
	const json_t *ev = json_object_get(a, "evidence");
	AUTO(message_unref) json_t *o = json_copy((json_t *)(uintptr_t)ev);

	if (o == NULL ||
	    json_object_set(o, "fingerprint", json_object_get(a, "fingerprint")) != 0 ||
	    json_object_set(o, "values", json_object_get(a, "values")) != 0 ||
	    json_object_set_new(o, "from", time_json(message_int(ev, "from"))) != 0 ||
	    json_object_set_new(o, "to", time_json(message_int(ev, "to"))) != 0 ||
	    json_object_set_new(o, "bar_seconds",
	        json_real((double)message_int(ev, "bar_width") / NS_PER_S)) != 0 ||
	    json_object_del(o, "bar_width") != 0 ||
	    json_object_set_new(o, "lines", lines_json(json_object_get(ev, "lines"))) != 0 ||
	    json_object_set_new(o, "trace", lines_json(json_object_get(ev, "trace"))) != 0)
		return NULL;
	if (message_int(a, "late_from") > 0 &&
	    json_object_set_new(o, "happened", time_json(message_int(a, "late_from"))) != 0)
		return NULL;
	return TAKE(o);
}

static int
put_alerts(const json_t *m, json_t *alerts, json_t *evidence)
{
	json_t *a;
	size_t i;

	json_array_foreach(json_object_get(m, "alerts"), i, a)
	{
		if (json_array_append_new(alerts, alert_json(a)) != 0)
			return err_origin(-ENOMEM);
		if (json_object_get(a, "evidence") != NULL &&
		    json_array_append_new(evidence, evidence_json(a)) != 0)
			return err_origin(-ENOMEM);
	}
	return 0;
}

int
message_webhook(struct str stored, struct buf *out)
{
	AUTO(message_unref) json_t *m = NULL, *o = NULL;
	json_t *alerts, *evidence;
	size_t n;
	int r = message_load(stored, &m);

	if (r != 0)
		return r;
	alerts = json_array();
	evidence = json_array();
	o = json_pack("{s:s, s:O, s:O, s:s, s:O, s:O, s:O, s:O, s:s, s:o, s:o}", "version", "4",
	    "groupKey", json_object_get(m, "group_key"), "truncatedAlerts",
	    json_object_get(m, "cut"), "status",
	    json_is_true(json_object_get(m, "firing")) ? "firing" : "resolved", "receiver",
	    json_object_get(m, "receiver"), "groupLabels", json_object_get(m, "group_labels"),
	    "commonLabels", json_object_get(m, "common_labels"), "commonAnnotations",
	    json_object_get(m, "common_annotations"), "externalURL", "", "alerts", alerts,
	    "evidence", evidence);
	if (o == NULL)
		return err_origin(-ENOMEM);
	r = put_alerts(m, alerts, evidence);
	if (r != 0)
		return r;
	n = json_dumpb(o, NULL, 0, JSON_COMPACT);
	if (n == 0 || !buf_grow(out, n))
		return err_origin(-ENOMEM);
	out->n += json_dumpb(o, (char *)out->p + out->n, n, JSON_COMPACT);
	return 0;
}
