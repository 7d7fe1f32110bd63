/*
 * alerts/alerts_text.c - alerts for people.
 * One job: alerts, outbox, why and why-not as lines of text.
 * Floor: 4 (uses base).
 *
 * Texts of logs stand in them as they are: who prints them escapes them for a terminal.
 */
#include "alerts/alerts_internal.h"

bool
alerts_wants_text(const struct api_request *req)
{
	struct str format;

	return api_param(req, "format", &format) && str_eq(format, STR("text"));
}

static void
put_ago(struct buf *out, struct wall now, struct wall t)
{
	struct span d = { (now.ns - t.ns) / NS_PER_S * NS_PER_S };
	char text[SPAN_TEXT_MAX];

	if (t.ns == 0 || t.ns == INT64_MIN)
		buf_c(out, "never");
	else if (d.ns == 0)
		buf_c(out, "now");
	else if (d.ns < 0)
		buf_printf(out, "in %.*s", (int)span_format(text, (struct span){ -d.ns }), text);
	else
		buf_printf(out, "%.*s ago", (int)span_format(text, d), text);
}

static void
put_span(struct buf *out, const char *name, struct span s)
{
	char text[SPAN_TEXT_MAX];

	buf_printf(out, "%s %.*s", name, (int)span_format(text, s), text);
}

static void
put_time(struct buf *out, struct wall t)
{
	char text[WALL_TEXT_MAX];

	buf_printf(out, "%.*s", (int)wall_format(text, t), text);
}

/* ---- alerts ---- */

struct text_ctx {
	struct alerts *a;
	struct buf *out;
	size_t n;
	uint64_t rule_id;
};

static void
put_alert(struct text_ctx *t, const struct alert *al)
{
	static const char *const states[] = { "inactive", "pending", "firing" };

	buf_printf(t->out, "%-8s ", states[al->state]);
	labels_format(t->out, &al->labels);
	buf_printf(t->out, "\n  value %.6g, since ", al->value);
	put_ago(t->out, t->a->now, al->state == ALERT_FIRING ? al->fired_at : al->active_at);
	if (al->state == ALERT_PENDING && al->rule != NULL) {
		buf_c(t->out, ", of");
		put_span(t->out, "", al->rule->for_);
	}
	if (al->late_from.ns > 0) {
		buf_c(t->out, ", happened ");
		put_time(t->out, al->late_from);
	}
	if (al->unknown)
		buf_c(t->out, ", unknown: its source has a gap");
	if (al->flapping)
		buf_printf(t->out, ", flapping: %u changes", al->n_flaps);
	buf_byte(t->out, '\n');
}

static int
text_alert(void *ctx, const struct alert *al)
{
	struct text_ctx *t = ctx;

	t->n++;
	put_alert(t, al);
	return 0;
}

void
alerts_text(struct alerts *a, struct buf *out)
{
	struct text_ctx t = { .a = a, .out = out };

	(void)state_each(a->state, text_alert, &t);
}

/* ---- outbox ---- */

static int
text_item(void *ctx, const struct outbox_item *it)
{
	struct text_ctx *t = ctx;

	buf_printf(t->out, "%-9s %s to %.*s", outbox_state_name(it->state),
	    it->kind == RECEIVER_EMAIL ? "mail" : "webhook", STR_ARG(it->receiver));
	buf_c(t->out, ", made ");
	put_ago(t->out, t->a->now, it->created);
	buf_printf(t->out, ", %u tries", it->n_tries);
	if (it->state == OUTBOX_WAITING) {
		buf_c(t->out, ", next ");
		put_ago(t->out, t->a->now, it->due);
	}
	buf_printf(t->out, "\n  %.*s\n", STR_ARG(it->group_key));
	if (it->last_error.n > 0)
		buf_printf(t->out, "  %.*s\n", STR_ARG(str_sub(it->last_error, 0, 2000)));
	return 0;
}

int
alerts_text_outbox(struct alerts *a, bool all, struct buf *out)
{
	struct text_ctx t = { .a = a, .out = out };

	return outbox_each(a->outbox, all, text_item, &t);
}

/* ---- why ---- */

static void
put_evaluations(struct buf *out, const struct alerts_rule *ar)
{
	uint64_t i, from = ar->n_why > 10 ? ar->n_why - 10 : 0;

	buf_c(out, ar->n_why > 0 ? "  evaluations, the last of them:\n" : "  not evaluated yet\n");
	for (i = from; i < ar->n_why; i++) {
		const struct alerts_why *w = &ar->why[i % ALERTS_WHY_MAX];

		buf_c(out, "    ");
		put_time(out, w->at);
		if (w->failed)
			buf_c(out, "  failed");
		else if (w->n == 0)
			buf_c(out, "  no row holds");
		else
			buf_printf(out, "  %u of %u rows hold, the greatest value %.6g", w->n_holds,
			    w->n, w->value);
		if (w->n_rows > 0)
			buf_printf(out, ", of %llu lines", (unsigned long long)w->n_rows);
		buf_c(out, w->late ? ", late" : "");
		buf_c(out, w->unknown ? ", unknown" : "");
		if (w->text[0] != '\0')
			buf_printf(out, ": %s", w->text);
		buf_byte(out, '\n');
	}
}

void
alerts_text_rule(struct alerts *a, const struct alerts_rule *ar, struct buf *out)
{
	const struct rule *r = ar->rule;
	size_t i;

	buf_printf(out, "rule %.*s, group %.*s, %.*s:%u\n", STR_ARG(r->name),
	    STR_ARG(ar->group->name), STR_ARG(ar->group->file), r->line);
	buf_printf(out, "  %.*s\n", STR_ARG(r->expr));
	put_span(out, "  window", r->window);
	put_span(out, ", interval", ar->group->interval);
	put_span(out, ", for", r->for_);
	if (r->keep_firing_for.ns > 0)
		put_span(out, ", keep_firing_for", r->keep_firing_for);
	if (r->resolve_text.n > 0)
		buf_printf(out, ", resolve_when %.*s", STR_ARG(r->resolve_text));
	for (i = 0; i < a->n_groups; i++)
		if (a->groups[i].group == ar->group) {
			buf_c(out, ", next ");
			put_ago(out, a->now, alerts_due(&a->groups[i]));
		}
	buf_byte(out, '\n');
	put_evaluations(out, ar);
	if (!ar->failure.failed)
		return;
	buf_printf(out, "  %llu evaluations failed, the last ", (unsigned long long)ar->n_failed);
	put_ago(out, a->now, ar->failure.at);
	buf_printf(out, ": %s\n", ar->failure.text);
}

int
alerts_text_why(struct alerts *a, const struct alert *al, struct buf *out)
{
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	struct text_ctx t = { .a = a, .out = out };
	struct str rest, line;
	size_t end, i;
	int r;

	put_alert(&t, al);
	for (i = 0; i < al->values.n; i++)
		buf_printf(out, "  %.*s = %.*s\n", STR_ARG(al->values.p[i].name),
		    STR_ARG(al->values.p[i].value));
	r = dispatch_why(a->dispatch, &al->labels, a->now, &why);
	if (r < 0)
		return r;
	for (rest = buf_view(&why); rest.n > 0; rest = str_sub(rest, end + 1, rest.n)) {
		end = str_find_byte(rest, '\n');
		if (end == SIZE_MAX)
			end = rest.n;
		line = str_sub(rest, 0, end);
		buf_c(out, "  ");
		buf_str(out, line);
		buf_c(out, "\n");
	}
	return 0;
}
