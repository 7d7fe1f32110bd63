/*
 * alerts/alerts_json.c - alerts as JSON.
 * One job: the pieces that the answers have in common.
 * Floor: 4 (uses base).
 */
#include <inttypes.h>
#include <math.h>

#include "alerts/alerts_internal.h"

void
alerts_json_labels(struct buf *out, const struct labels *l)
{
	size_t i;

	buf_byte(out, '{');
	for (i = 0; i < l->n; i++) {
		if (i > 0)
			buf_byte(out, ',');
		buf_json(out, l->p[i].name);
		buf_byte(out, ':');
		buf_json(out, l->p[i].value);
	}
	buf_byte(out, '}');
}

void
alerts_json_time(struct buf *out, const char *name, struct wall t)
{
	char text[WALL_TEXT_MAX];

	buf_printf(out, "\"%s\":", name);
	if (t.ns == 0 || t.ns == INT64_MIN)
		buf_c(out, "\"0001-01-01T00:00:00Z\"");
	else
		buf_json(out, str_of(text, wall_format(text, t)));
}

/* JSON has no infinities. */
void
alerts_json_number(struct buf *out, double v)
{
	if (isfinite(v))
		buf_printf(out, "%.17g", v);
	else
		buf_c(out, "null");
}

void
alerts_json_alert(struct buf *out, const struct alert *al, bool full)
{
	static const char *const states[] = { "inactive", "pending", "firing" };

	buf_c(out, "{\"labels\":");
	alerts_json_labels(out, &al->labels);
	buf_c(out, ",\"annotations\":");
	alerts_json_labels(out, &al->annotations);
	buf_printf(out, ",\"state\":\"%s\",", states[al->state]);
	alerts_json_time(out, "activeAt", al->active_at);
	buf_printf(out, ",\"value\":\"%g\"", al->value);
	if (full) {
		buf_printf(out,
		    ",\"fingerprint\":\"%016" PRIx64 "\",\"unknown\":%s,\"flapping\":%s",
		    al->fingerprint, al->unknown ? "true" : "false",
		    al->flapping ? "true" : "false");
		buf_printf(out, ",\"changes\":%u,", al->n_flaps);
		alerts_json_time(out, "firedAt", al->fired_at);
		buf_byte(out, ',');
		alerts_json_time(out, "lastSeen", al->last_seen);
		if (al->late_from.ns > 0) {
			buf_byte(out, ',');
			alerts_json_time(out, "happened", al->late_from);
		}
		buf_c(out, ",\"values\":");
		alerts_json_labels(out, &al->values);
		if (al->group != NULL) {
			buf_c(out, ",\"file\":");
			buf_json(out, al->group->file);
		}
	}
	buf_byte(out, '}');
}
