/*
 * alerts/alerts_answer.c - requests about alerts.
 * One job: which path is whose, and what Prometheus' and our own paths answer.
 * Floor: 4 (uses base).
 *
 * A request that changes something is saved before it is answered; while a step is between telling and saving it has to wait.
 */
#include <inttypes.h>

#include "alerts/alerts_internal.h"
#include "base/err.h"

struct listing {
	struct buf *out;
	size_t n;
	bool full;
	uint64_t rule_id; /* 0: of all */
};

static int
list_alert(void *ctx, const struct alert *al)
{
	struct listing *l = ctx;

	if (l->rule_id != 0 && al->rule_id != l->rule_id)
		return 0;
	/* An inactive one that flaps is ours alone. */
	if (!l->full && al->state == ALERT_INACTIVE)
		return 0;
	if (l->n++ > 0)
		buf_byte(l->out, ',');
	alerts_json_alert(l->out, al, l->full);
	return 0;
}

static void
answer_alerts(struct alerts *a, struct api_answer *ret, bool full)
{
	struct listing l = { .out = &ret->body, .full = full };

	buf_c(&ret->body,
	    full ? "{\"alerts\":[" : "{\"status\":\"success\",\"data\":{\"alerts\":[");
	(void)state_each(a->state, list_alert, &l);
	buf_c(&ret->body, full ? "]}\n" : "]}}\n");
	ret->status = 200;
}

static void
answer_text(struct alerts *a, struct api_answer *ret)
{
	ret->type = "text/plain; charset=utf-8";
	ret->status = 200;
	alerts_text(a, &ret->body);
}

/* ---- /api/v1/rules ---- */

static void
put_texts(struct buf *out, const char *name, const struct rule_text *t, size_t n)
{
	size_t i;

	buf_printf(out, ",\"%s\":{", name);
	for (i = 0; i < n; i++) {
		if (i > 0)
			buf_byte(out, ',');
		buf_json(out, t[i].name);
		buf_byte(out, ':');
		buf_json(out, t[i].text);
	}
	buf_byte(out, '}');
}

static int
worst_state(void *ctx, const struct alert *al)
{
	const struct alert **worst = ctx;

	if (al->rule_id == (*worst)->rule_id && al->state > (*worst)->state)
		*worst = al;
	return 0;
}

static void
put_alerts_of(struct alerts *a, struct buf *out, const struct alerts_rule *ar)
{
	static const char *const states[] = { "inactive", "pending", "firing" };
	struct alert none = { .rule_id = ar->id, .state = ALERT_INACTIVE };
	struct listing l = { .out = out, .rule_id = ar->id };
	const struct alert *worst = &none;

	(void)state_each(a->state, worst_state, &worst);
	buf_printf(out, "{\"state\":\"%s\",\"keepFiringFor\":%.9g,\"duration\":%.9g,\"alerts\":[",
	    states[worst->state], (double)ar->rule->keep_firing_for.ns / 1e9,
	    (double)ar->rule->for_.ns / 1e9);
	(void)state_each(a->state, list_alert, &l);
	buf_c(out, "],\"type\":\"alerting\"");
	put_texts(out, "annotations", ar->rule->annotations, ar->rule->n_annotations);
}

static void
put_rule(struct alerts *a, struct buf *out, const struct alerts_rule *ar)
{
	const struct alerts_why *last =
	    ar->n_why > 0 ? &ar->why[(ar->n_why - 1) % ALERTS_WHY_MAX] : NULL;

	if (ar->rule->kind == RULE_ALERT)
		put_alerts_of(a, out, ar);
	else
		buf_c(out, "{\"type\":\"recording\"");
	buf_c(out, ",\"name\":");
	buf_json(out, ar->rule->name);
	buf_c(out, ",\"query\":");
	buf_json(out, ar->rule->expr);
	put_texts(out, "labels", ar->rule->labels, ar->rule->n_labels);
	buf_printf(out, ",\"id\":\"%" PRIu64 "\",\"health\":\"%s\",\"lastError\":", ar->id,
	    ar->failed         ? "err"
	        : ar->unknown  ? "unknown"
	        : last != NULL ? "ok"
	                       : "unknown");
	buf_json(out, last != NULL ? str_c(last->text) : STR(""));
	buf_printf(out, ",\"evaluationTime\":%.9g,", (double)ar->took.ns / 1e9);
	alerts_json_time(out, "lastEvaluation", ar->last);
	buf_byte(out, '}');
}

static void
put_group(struct alerts *a, struct buf *out, const struct alerts_group *g)
{
	size_t k;

	buf_c(out, "{\"name\":");
	buf_json(out, g->group->name);
	buf_c(out, ",\"file\":");
	buf_json(out, g->group->file);
	buf_printf(out, ",\"interval\":%.9g,\"limit\":%" PRIu64 ",\"type\":\"vlogs\",\"rules\":[",
	    (double)g->group->interval.ns / 1e9, g->group->limit);
	for (k = 0; k < g->group->n_rules; k++) {
		if (k > 0)
			buf_byte(out, ',');
		put_rule(a, out, &g->rules[k]);
	}
	buf_printf(out, "],\"evaluationTime\":%.9g,", (double)g->took.ns / 1e9);
	alerts_json_time(out, "lastEvaluation", g->last);
	buf_byte(out, '}');
}

static void
answer_rules(struct alerts *a, struct api_answer *ret)
{
	size_t i;

	buf_c(&ret->body, "{\"status\":\"success\",\"data\":{\"groups\":[");
	for (i = 0; i < a->n_groups; i++) {
		if (i > 0)
			buf_byte(&ret->body, ',');
		put_group(a, &ret->body, &a->groups[i]);
	}
	buf_c(&ret->body, "]}}\n");
	ret->status = 200;
}

/* ---- /api/weir/outbox ---- */

static int
list_item(void *ctx, const struct outbox_item *it)
{
	struct listing *l = ctx;
	struct buf *out = l->out;

	buf_c(out, l->n++ > 0 ? ",{\"id\":" : "{\"id\":");
	buf_json(out, it->id);
	buf_c(out, ",\"receiver\":");
	buf_json(out, it->receiver);
	buf_printf(out, ",\"kind\":\"%s\",\"index\":%u,\"state\":\"%s\",\"tries\":%u,",
	    it->kind == RECEIVER_EMAIL ? "email" : "webhook", it->index,
	    outbox_state_name(it->state), it->n_tries);
	buf_c(out, "\"group\":");
	buf_json(out, it->group_key);
	buf_c(out, ",\"message_id\":");
	buf_json(out, it->message_id);
	buf_c(out, ",\"to\":");
	buf_json(out, it->to);
	buf_c(out, ",\"error\":");
	buf_json(out, it->last_error);
	buf_byte(out, ',');
	alerts_json_time(out, "created", it->created);
	buf_byte(out, ',');
	alerts_json_time(out, "due", it->due);
	buf_byte(out, ',');
	alerts_json_time(out, "expires", it->expires);
	buf_byte(out, '}');
	return 0;
}

static void
answer_outbox(struct alerts *a, const struct api_request *req, struct api_answer *ret)
{
	struct listing l = { .out = &ret->body };
	struct str all = STR("");

	(void)api_param(req, "all", &all);
	if (alerts_wants_text(req)) {
		ret->type = "text/plain; charset=utf-8";
		ret->status =
		    alerts_text_outbox(a, str_eq(all, STR("1")), &ret->body) < 0 ? 500 : 200;
		return;
	}
	buf_c(&ret->body, "{\"outbox\":[");
	ret->status = outbox_each(a->outbox, str_eq(all, STR("1")), list_item, &l) < 0 ? 500 : 200;
	buf_c(&ret->body, "]}\n");
}

/* ---- all of it ---- */

static bool
answer_v2(struct alerts *a, const struct api_request *req, struct wall now, struct api_answer *ret)
{
	bool reads = str_eq(req->method, STR("GET"));
	int r;

	if (!str_starts(req->path, STR("/api/v2/")))
		return false;
	/* What was told and is not saved yet must not be saved by halves. */
	if (!reads && a->queue != NULL) {
		ret->status = 0;
		return true;
	}
	if (!reads && statedb_owes(a->db)) {
		ret->status = 503;
		buf_c(&ret->body, "\"state.db cannot be written now\"\n");
		return true;
	}
	if (!apiv2_answer(&a->api, req, now, ret))
		return false;
	if (!a->api.changed)
		return true;
	a->urgent = true;
	r = alerts_save(a);
	if (r != 0) {
		buf_clear(&ret->body);
		ret->status = 503;
		buf_c(&ret->body, "\"it could not be stored\"\n");
	}
	return true;
}

bool
alerts_answer(struct alerts *a, const struct api_request *req, struct wall now,
    struct api_answer *ret)
{
	ret->type = "application/json";
	if (answer_v2(a, req, now, ret))
		return true;
	if (str_eq(req->path, STR("/api/v1/rules")) ||
	    str_eq(req->path, STR("/prometheus/api/v1/rules")))
		answer_rules(a, ret);
	else if (str_eq(req->path, STR("/api/v1/alerts")))
		answer_alerts(a, ret, false);
	else if (str_eq(req->path, STR("/api/weir/alerts")) && alerts_wants_text(req))
		answer_text(a, ret);
	else if (str_eq(req->path, STR("/api/weir/alerts")))
		answer_alerts(a, ret, true);
	else if (str_eq(req->path, STR("/api/weir/outbox")))
		answer_outbox(a, req, ret);
	else if (str_eq(req->path, STR("/api/weir/why")))
		alerts_why_answer(a, req, ret);
	else if (str_eq(req->path, STR("/api/weir/why-not")))
		alerts_why_not_answer(a, req, ret);
	else
		return false;
	return true;
}
