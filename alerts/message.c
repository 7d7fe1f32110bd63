/*
 * alerts/message.c - what a notification says.
 * One job: a notification and its evidence as one stored JSON text, and two of them as one.
 * Floor: 4 (uses base).
 *
 *   { v, id, receiver, kind, index, group_key, group_labels, common_labels, common_annotations, reason, firing, at, host, cut,
 *     zone_s, alerts: [{labels, annotations, values, value, fingerprint, starts_at, ends_at, generator, late_from, digest,
 *     firing, missed, evidence: {…}}] }
 *
 * Times are ns since the epoch.  Every text was made valid UTF-8 on the way in, so that what reads it need not care.
 */
#include "alerts/message.h"

#include <inttypes.h>

#include "alerts/message_internal.h"
#include "base/utf8.h"

enum { MESSAGE_VERSION = 1 };

/* ---- texts ---- */

void
message_clean(struct str s, struct buf *out)
{
	size_t i, n;

	for (i = 0; i < s.n; i += n) {
		n = utf8_len(s.p + i, s.n - i);
		if (n == 0 || s.p[i] == '\0') {
			buf_c(out, "\xef\xbf\xbd");
			n = 1;
		} else {
			buf_put(out, s.p + i, n);
		}
	}
}

/* Controls, those of C1 too, and what turns the direction of writing. */
static bool
is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200e && c <= 0x200f) ||
	    (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

void
message_line(struct str s, size_t max, struct buf *out)
{
	size_t i, n, from = out->n;
	uint32_t c;

	for (i = 0; i < s.n; i += n) {
		c = utf8_decode(s.p + i, s.n - i, &n);
		if (out->n - from + 7 > max && i + n < s.n) {
			buf_c(out, "…");
			return;
		}
		if (is_control(c))
			buf_byte(out, ' ');
		else if (c == 0xfffd)
			buf_c(out, "\xef\xbf\xbd");
		else
			buf_put(out, s.p + i, n);
	}
}

/* ---- JSON ---- */

static json_t *
text_json(struct str s)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;

	if (utf8_valid(s) && (s.n == 0 || memchr(s.p, '\0', s.n) == NULL))
		return json_stringn(s.n > 0 ? (const char *)s.p : "", s.n);
	message_clean(s, &text);
	return text.failed ? NULL : json_stringn((const char *)text.p, text.n);
}

/* json_object_set_new fails, and frees, when the value is NULL. */
static int
put_text(json_t *o, const char *key, struct str s)
{
	return json_object_set_new(o, key, text_json(s));
}

static int
put_int(json_t *o, const char *key, int64_t v)
{
	return json_object_set_new(o, key, json_integer(v));
}

static json_t *
labels_json(const struct labels *l)
{
	AUTO(message_unref) json_t *o = json_object();
	AUTO_FINI(buf_fini) struct buf name = BUF_INIT;
	size_t i;

	for (i = 0; o != NULL && i < l->n; i++) {
		name.n = 0;
		message_clean(l->p[i].name, &name);
		if (put_text(o, buf_c_str(&name), l->p[i].value) != 0)
			return NULL;
	}
	return TAKE(o);
}

static json_t *
line_json(const struct evidence_line *l)
{
	AUTO(message_unref) json_t *o = json_object();

	if (o == NULL || put_int(o, "time", l->time.ns) != 0 ||
	    put_text(o, "stream", l->stream) != 0 || put_text(o, "service", l->service) != 0 ||
	    put_text(o, "level", l->level) != 0 || put_text(o, "text", l->text) != 0)
		return NULL;
	return TAKE(o);
}

static json_t *
lines_json(const struct evidence_line *l, size_t n)
{
	AUTO(message_unref) json_t *a = json_array();
	size_t i;

	for (i = 0; a != NULL && i < n; i++)
		if (json_array_append_new(a, line_json(&l[i])) != 0)
			return NULL;
	return TAKE(a);
}

static json_t *
patterns_json(const struct evidence *ev)
{
	AUTO(message_unref) json_t *a = json_array();
	size_t i;

	for (i = 0; a != NULL && i < ev->n_patterns; i++) {
		AUTO(message_unref) json_t *o = json_object();
		const struct evidence_pattern *p = &ev->patterns[i];

		if (o == NULL || put_text(o, "text", p->text) != 0 ||
		    put_text(o, "sample", p->sample) != 0 ||
		    put_int(o, "count", (int64_t)p->n) != 0 ||
		    json_object_set_new(o, "new", json_boolean(p->is_new)) != 0 ||
		    json_array_append_new(a, TAKE(o)) != 0)
			return NULL;
	}
	return TAKE(a);
}

static json_t *
bars_json(const struct evidence *ev)
{
	AUTO(message_unref) json_t *a = json_array();
	size_t i;

	for (i = 0; a != NULL && i < ev->n_bars; i++)
		if (json_array_append_new(a, json_real(ev->bars[i])) != 0)
			return NULL;
	return TAKE(a);
}

static json_t *
evidence_json(const struct evidence *ev)
{
	AUTO(message_unref) json_t *o = json_object();

	if (o == NULL || put_text(o, "rule", ev->rule) != 0 || put_text(o, "expr", ev->expr) != 0 ||
	    put_text(o, "query", ev->query) != 0 || put_int(o, "from", ev->from.ns) != 0 ||
	    put_int(o, "to", ev->to.ns) != 0 || put_int(o, "rows", (int64_t)ev->n_rows) != 0 ||
	    put_int(o, "bar_width", ev->bar_width.ns) != 0 ||
	    json_object_set_new(o, "bars", bars_json(ev)) != 0 ||
	    json_object_set_new(o, "lines", lines_json(ev->lines, ev->n_lines)) != 0 ||
	    json_object_set_new(o, "patterns", patterns_json(ev)) != 0 ||
	    put_text(o, "trace_id", ev->trace_id) != 0 ||
	    json_object_set_new(o, "trace", lines_json(ev->trace, ev->n_trace)) != 0 ||
	    put_text(o, "cut", ev->cut) != 0)
		return NULL;
	return TAKE(o);
}

static bool
is_firing(const struct route_alert *a, struct wall now)
{
	return a->ends_at.ns == 0 || a->ends_at.ns > now.ns;
}

static json_t *
alert_json(const struct route_alert *a, struct wall now, const struct evidence *ev)
{
	AUTO(message_unref) json_t *o = json_object();
	char fp[17];

	(void)snprintf(fp, sizeof(fp), "%016" PRIx64, labels_fingerprint(&a->labels));
	if (o == NULL || json_object_set_new(o, "labels", labels_json(&a->labels)) != 0 ||
	    json_object_set_new(o, "annotations", labels_json(&a->annotations)) != 0 ||
	    json_object_set_new(o, "values", labels_json(&a->values)) != 0 ||
	    put_text(o, "fingerprint", str_c(fp)) != 0 ||
	    put_int(o, "starts_at", a->starts_at.ns) != 0 ||
	    put_int(o, "ends_at", a->ends_at.ns) != 0 ||
	    put_text(o, "generator", a->generator) != 0 ||
	    put_int(o, "late_from", a->late_from.ns) != 0 ||
	    json_object_set_new(o, "digest", json_boolean(a->digest)) != 0 ||
	    json_object_set_new(o, "firing", json_boolean(is_firing(a, now))) != 0)
		return NULL;
	if (ev != NULL && json_object_set_new(o, "evidence", evidence_json(ev)) != 0)
		return NULL;
	return TAKE(o);
}

static json_t *
alerts_json(const struct notification *n, const struct evidence *ev, size_t n_ev)
{
	AUTO(message_unref) json_t *a = json_array();
	size_t i;

	for (i = 0; a != NULL && i < n->n; i++)
		if (json_array_append_new(a,
		        alert_json(&n->alerts[i], n->at, i < n_ev ? &ev[i] : NULL)) != 0)
			return NULL;
	return TAKE(a);
}

static const char *
reason_name(enum notify_reason r)
{
	switch (r) {
	case NOTIFY_FIRST:
		return "first";
	case NOTIFY_CHANGED:
		return "changed";
	case NOTIFY_REPEAT:
		return "repeat";
	case NOTIFY_RESOLVED:
		return "resolved";
	}
	return "first";
}

static json_t *
head_json(const struct notification *n, const char *host)
{
	AUTO(message_unref) json_t *o = json_object();
	bool mail = n->integration->kind == RECEIVER_EMAIL;

	if (o == NULL || put_int(o, "v", MESSAGE_VERSION) != 0 || put_text(o, "id", n->id) != 0 ||
	    put_text(o, "receiver", n->receiver->name) != 0 ||
	    put_text(o, "kind", mail ? STR("email") : STR("webhook")) != 0 ||
	    put_int(o, "index", n->integration->index) != 0 ||
	    put_text(o, "group_key", n->group_key) != 0 ||
	    json_object_set_new(o, "group_labels", labels_json(&n->group_labels)) != 0 ||
	    json_object_set_new(o, "common_labels", labels_json(&n->common_labels)) != 0 ||
	    json_object_set_new(o, "common_annotations", labels_json(&n->common_annotations)) !=
	        0 ||
	    put_text(o, "reason", str_c(reason_name(n->reason))) != 0 ||
	    json_object_set_new(o, "firing", json_boolean(n->firing)) != 0 ||
	    put_int(o, "at", n->at.ns) != 0 || put_text(o, "host", str_c(host)) != 0 ||
	    put_int(o, "cut", (int64_t)n->n_cut) != 0 ||
	    put_int(o, "zone_s", wall_local_offset(n->at)) != 0)
		return NULL;
	return TAKE(o);
}

static int
dump(json_t *o, struct buf *out)
{
	size_t n = json_dumpb(o, NULL, 0, JSON_COMPACT);

	if (n == 0 || !buf_grow(out, n))
		return err_origin(-ENOMEM);
	out->n += json_dumpb(o, (char *)out->p + out->n, n, JSON_COMPACT);
	return 0;
}

/* Evidence goes, the last alert's first, until the rest fits. */
static int
dump_bounded(json_t *o, struct buf *out)
{
	json_t *alerts = json_object_get(o, "alerts");
	size_t i = json_array_size(alerts);

	while (json_dumpb(o, NULL, 0, JSON_COMPACT) > MESSAGE_STORED_MAX && i > 0)
		(void)json_object_del(json_array_get(alerts, --i), "evidence");
	for (i = json_array_size(alerts);
	     i > 1 && json_dumpb(o, NULL, 0, JSON_COMPACT) > MESSAGE_STORED_MAX; i /= 2) {
		while (json_array_size(alerts) > i / 2)
			(void)json_array_remove(alerts, json_array_size(alerts) - 1);
		(void)put_int(o, "cut", message_int(o, "cut") + (int64_t)(i - i / 2));
	}
	return err_trace(dump(o, out));
}

int
message_pack(const struct notification *n, const struct evidence *ev, size_t n_ev, const char *host,
    struct buf *out)
{
	AUTO(message_unref) json_t *o = head_json(n, host);

	if (o == NULL || json_object_set_new(o, "alerts", alerts_json(n, ev, n_ev)) != 0)
		return err_origin(-ENOMEM);
	return err_trace(dump_bounded(o, out));
}

/* ---- reading ---- */

struct str
message_str(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	return json_is_string(v) ? str_of(json_string_value(v), json_string_length(v)) : STR("");
}

int64_t
message_int(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static bool
alerts_good(const json_t *o)
{
	const json_t *alerts = json_object_get(o, "alerts"), *a;
	size_t i;

	json_array_foreach(alerts, i, a) if (!json_is_object(json_object_get(a, "labels")) ||
	    !json_is_object(json_object_get(a, "annotations"))) return false;
	return json_is_array(alerts);
}

int
message_load(struct str stored, json_t **ret)
{
	AUTO(message_unref) json_t *o = NULL;

	o = json_loadb((const char *)stored.p, stored.n, 0, NULL);
	if (!json_is_object(o) || message_int(o, "v") != MESSAGE_VERSION ||
	    !json_is_object(json_object_get(o, "common_labels")) ||
	    !json_is_object(json_object_get(o, "group_labels")) ||
	    !json_is_object(json_object_get(o, "common_annotations")) || !alerts_good(o))
		return MESSAGE_E_BAD;
	*ret = TAKE(o);
	return 0;
}

/* ---- two as one ---- */

static json_t *
alert_find(const json_t *alerts, struct str fingerprint)
{
	json_t *a;
	size_t i;

	json_array_foreach(alerts, i,
	    a) if (str_eq(message_str(a, "fingerprint"), fingerprint)) return a;
	return NULL;
}

/* What of the older one's alerts the newer one does not tell of stays; what fired unheard and is over is marked. */
static int
join_alert(json_t *into, json_t *old)
{
	json_t *now = alert_find(into, message_str(old, "fingerprint"));
	bool fired = json_is_true(json_object_get(old, "firing")) ||
	    json_is_true(json_object_get(old, "missed"));

	if (now == NULL)
		return json_array_append(into, old);
	if (json_object_get(now, "evidence") == NULL && json_object_get(old, "evidence") != NULL &&
	    json_object_set(now, "evidence", json_object_get(old, "evidence")) != 0)
		return -1;
	if (!fired || json_is_true(json_object_get(now, "firing")))
		return 0;
	/* the evidence of when it fired says more than that of its end */
	if (json_object_get(old, "evidence") != NULL &&
	    json_object_set(now, "evidence", json_object_get(old, "evidence")) != 0)
		return -1;
	return json_object_set_new(now, "missed", json_true());
}

/* The part that both sets have. */
static int
join_common(json_t *into, const json_t *old)
{
	const char *key;
	json_t *value;
	void *tmp;

	json_object_foreach_safe(into, tmp, key,
	    value) if (!json_equal(value, json_object_get(old, key)) &&
	    json_object_del(into, key) != 0) return -1;
	return 0;
}

int
message_join(struct str older, struct str newer, struct buf *out)
{
	AUTO(message_unref) json_t *a = NULL, *b = NULL;
	json_t *alerts, *old;
	size_t i;
	int r;

	r = message_load(older, &a);
	if (r == 0)
		r = message_load(newer, &b);
	if (r != 0)
		return r;
	alerts = json_object_get(b, "alerts");
	json_array_foreach(json_object_get(a, "alerts"), i,
	    old) if (join_alert(alerts, old) != 0) return err_origin(-ENOMEM);
	if (join_common(json_object_get(b, "common_labels"), json_object_get(a, "common_labels")) !=
	        0 ||
	    join_common(json_object_get(b, "common_annotations"),
	        json_object_get(a, "common_annotations")) != 0 ||
	    json_object_set(b, "id", json_object_get(a, "id")) != 0 ||
	    json_object_set(b, "reason", json_object_get(a, "reason")) != 0)
		return err_origin(-ENOMEM);
	return err_trace(dump_bounded(b, out));
}
