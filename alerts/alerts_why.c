/*
 * alerts/alerts_why.c - why an alert is as it is.
 * One job: remember the last evaluations of each rule, and tell them with what routing makes of its alerts.
 * Floor: 4 (uses base).
 */
#include <inttypes.h>

#include "alerts/alerts_internal.h"
#include "base/err.h"
#include "base/utf8.h"

enum { NAMES_TOLD_MAX = 50 };

int
alerts_why_note(struct alerts *a, struct alerts_rule *ar, const struct eval_set *set)
{
	struct alerts_why *w;
	size_t i, n;

	if (ar->why == NULL)
		ar->why = calloc(ALERTS_WHY_MAX, sizeof(*ar->why));
	if (ar->why == NULL)
		return err_origin(-ENOMEM);
	w = &ar->why[ar->n_why++ % ALERTS_WHY_MAX];
	*w = (struct alerts_why){
		.at = set->at,
		.n = (uint32_t)set->n,
		.n_rows = set->n_rows,
		.took = set->took,
		.unknown = set->unknown,
		.failed = set->failed,
		.late = a->late,
	};
	for (i = 0; i < set->n; i++) {
		const struct eval_result *res = &set->results[i];
		bool first = res->holds ? w->n_holds == 0 : i == 0;

		if ((first || res->value > w->value) && (res->holds || w->n_holds == 0))
			w->value = res->value;
		w->n_holds += res->holds;
	}
	n = set->why.n < sizeof(w->text) - 1 ? set->why.n : sizeof(w->text) - 1;
	memcpy(w->text, set->why.n > 0 ? (const char *)set->why.p : "", n);
	if (w->failed)
		ar->failure = *w;
	return 0;
}

/* ---- pieces of answers ---- */

static void
put_ring(struct buf *out, const struct alerts_rule *ar)
{
	uint64_t i, from = ar->n_why > ALERTS_WHY_MAX ? ar->n_why - ALERTS_WHY_MAX : 0;

	buf_c(out, "\"evaluations\":[");
	for (i = from; ar->why != NULL && i < ar->n_why; i++) {
		const struct alerts_why *w = &ar->why[i % ALERTS_WHY_MAX];

		buf_c(out, i > from ? ",{" : "{");
		alerts_json_time(out, "at", w->at);
		buf_printf(out, ",\"results\":%u,\"hold\":%u,\"value\":", w->n, w->n_holds);
		if (w->n > 0)
			alerts_json_number(out, w->value);
		else
			buf_c(out, "null");
		buf_printf(out, ",\"rows\":%" PRIu64 ",\"took_s\":%.6f", w->n_rows,
		    (double)w->took.ns / 1e9);
		buf_printf(out, ",\"unknown\":%s,\"failed\":%s,\"late\":%s,\"why\":",
		    w->unknown ? "true" : "false", w->failed ? "true" : "false",
		    w->late ? "true" : "false");
		buf_json(out, str_c(w->text));
		buf_byte(out, '}');
	}
	buf_byte(out, ']');
}

static void
put_span(struct buf *out, const char *name, struct span s)
{
	char text[SPAN_TEXT_MAX];

	buf_printf(out, "\"%s\":", name);
	buf_json(out, str_of(text, span_format(text, s)));
}

static void
put_rule(struct alerts *a, struct buf *out, const struct alerts_rule *ar)
{
	const struct rule *r = ar->rule;
	struct alerts_group *g = NULL;
	size_t i;

	for (i = 0; i < a->n_groups; i++)
		if (a->groups[i].group == ar->group)
			g = &a->groups[i];
	buf_c(out, "\"rule\":");
	buf_json(out, r->name);
	buf_c(out, ",\"group\":");
	buf_json(out, ar->group->name);
	buf_c(out, ",\"file\":");
	buf_json(out, ar->group->file);
	buf_c(out, ",\"expr\":");
	buf_json(out, r->expr);
	buf_byte(out, ',');
	put_span(out, "window", r->window);
	buf_byte(out, ',');
	put_span(out, "interval", ar->group->interval);
	buf_byte(out, ',');
	put_span(out, "for", r->for_);
	buf_byte(out, ',');
	put_span(out, "keep_firing_for", r->keep_firing_for);
	buf_c(out, ",\"resolve_when\":");
	buf_json(out, r->resolve_text);
	buf_printf(out, ",\"stream\":%s,", r->stream ? "true" : "false");
	if (g != NULL) {
		alerts_json_time(out, "next", alerts_due(g));
		buf_byte(out, ',');
	}
	if (ar->failure.failed) {
		buf_printf(out, "\"n_failed\":%" PRIu64 ",\"failure\":{", ar->n_failed);
		alerts_json_time(out, "at", ar->failure.at);
		buf_c(out, ",\"why\":");
		buf_json(out, str_c(ar->failure.text));
		buf_c(out, "},");
	}
	put_ring(out, ar);
}

/* ---- alerts of a rule, with what routing does ---- */

struct telling {
	struct alerts *a;
	struct buf *out;
	uint64_t rule_id;
	struct str want; /* a name, a fingerprint or {…}; of why */
	size_t n;
	bool with_rule, text;
};

static int
tell_alert(struct telling *t, const struct alert *al)
{
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	const struct alerts_rule *ar = alerts_rule_of(t->a, al->rule_id);
	int r;

	if (t->text) {
		t->n++;
		r = alerts_text_why(t->a, al, t->out);
		if (t->with_rule && ar != NULL)
			alerts_text_rule(t->a, ar, t->out);
		return r;
	}
	buf_c(t->out, t->n++ > 0 ? ",{\"alert\":" : "{\"alert\":");
	alerts_json_alert(t->out, al, true);
	r = dispatch_why(t->a->dispatch, &al->labels, t->a->now, &why);
	if (r < 0)
		return r;
	buf_c(t->out, ",\"routing\":");
	buf_json(t->out, buf_view(&why));
	if (t->with_rule && ar != NULL) {
		buf_byte(t->out, ',');
		put_rule(t->a, t->out, ar);
	}
	buf_byte(t->out, '}');
	return 0;
}

static int
tell_of_rule(void *ctx, const struct alert *al)
{
	struct telling *t = ctx;

	return al->rule_id == t->rule_id ? tell_alert(t, al) : 0;
}

static bool
is_wanted(const struct alert *al, struct str want)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	bool same;

	buf_printf(&text, "%016" PRIx64, al->fingerprint);
	same = str_eq(buf_view(&text), want) ||
	    str_eq(labels_get(&al->labels, STR("alertname")), want);
	buf_clear(&text);
	labels_format(&text, &al->labels);
	return same || str_eq(buf_view(&text), want);
}

static int
tell_wanted(void *ctx, const struct alert *al)
{
	struct telling *t = ctx;

	return is_wanted(al, t->want) ? tell_alert(t, al) : 0;
}

static void
bad_request(struct api_answer *ret, const char *what)
{
	ret->status = 400;
	buf_c(&ret->body, "{\"status\":\"error\",\"error\":");
	buf_json(&ret->body, str_c(what));
	buf_c(&ret->body, "}\n");
}

void
alerts_why_answer(struct alerts *a, const struct api_request *req, struct api_answer *ret)
{
	struct telling t = { .a = a, .out = &ret->body, .with_rule = true };

	t.text = alerts_wants_text(req);
	if (t.text)
		ret->type = "text/plain; charset=utf-8";

	if (!api_param(req, "alert", &t.want) || t.want.n == 0) {
		bad_request(ret, "parameter alert: a name, a fingerprint or its labels");
		return;
	}
	buf_c(&ret->body, t.text ? "" : "{\"alerts\":[");
	if (state_each(a->state, tell_wanted, &t) < 0) {
		ret->status = 500;
		return;
	}
	buf_c(&ret->body, t.text ? "" : "]}\n");
	ret->status = t.n > 0 ? 200 : 404;
}

static void
why_not_rule(struct telling *t, const struct alerts_rule *ar, bool first)
{
	t->rule_id = ar->id;
	t->n = 0;
	if (t->text) {
		alerts_text_rule(t->a, ar, t->out);
		alerts_ask_text(t->a, ar->id, t->out);
		(void)state_each(t->a->state, tell_of_rule, t);
		return;
	}
	buf_c(t->out, first ? "{" : ",{");
	put_rule(t->a, t->out, ar);
	alerts_ask_json(t->a, ar->id, t->out);
	buf_c(t->out, ",\"alerts\":[");
	(void)state_each(t->a->state, tell_of_rule, t);
	buf_c(t->out, "]}");
}

static bool
is_rule(const struct alerts *a, struct str name)
{
	size_t i, k;

	for (i = 0; i < a->n_groups; i++)
		for (k = 0; k < a->groups[i].group->n_rules; k++)
			if (str_eq(a->groups[i].rules[k].rule->name, name))
				return true;
	return false;
}

/* Who does not know a rule's name is told those that there are. */
static void
put_names(const struct alerts *a, struct buf *out)
{
	const char *before = ": there are ";
	size_t i, k, n = 0;

	buf_c(out, "no rule has this name");
	for (i = 0; i < a->n_groups; i++)
		for (k = 0; k < a->groups[i].group->n_rules; k++) {
			if (n++ == NAMES_TOLD_MAX) {
				buf_c(out, ", …");
				break;
			}
			buf_c(out, before);
			buf_str(out, a->groups[i].rules[k].rule->name);
			before = ", ";
		}
	buf_c(out, n > 0 ? "\n" : ": there are no rules\n");
}

static void
why_not_rules(struct telling *t)
{
	size_t i, k, n = 0;

	for (i = 0; i < t->a->n_groups; i++)
		for (k = 0; k < t->a->groups[i].group->n_rules; k++) {
			const struct alerts_rule *ar = &t->a->groups[i].rules[k];

			if (str_eq(ar->rule->name, t->want))
				why_not_rule(t, ar, n++ == 0);
		}
}

void
alerts_why_not_answer(struct alerts *a, const struct api_request *req, struct api_answer *ret)
{
	struct telling t = { .a = a, .out = &ret->body, .text = alerts_wants_text(req) };
	bool known;

	if (t.text)
		ret->type = "text/plain; charset=utf-8";

	if (!api_param(req, "rule", &t.want) || t.want.n == 0) {
		bad_request(ret, "parameter rule: its name");
		return;
	}
	known = is_rule(a, t.want);
	if (known && !alerts_ask_ready(a, t.want)) {
		ret->status = 0;
		return;
	}
	if (t.text && !known)
		put_names(a, &ret->body);
	buf_c(&ret->body, t.text ? "" : "{\"rules\":[");
	why_not_rules(&t);
	buf_c(&ret->body, t.text ? "" : "]}\n");
	if (known)
		alerts_ask_drop(a);
	ret->status = known ? 200 : 404;
}
