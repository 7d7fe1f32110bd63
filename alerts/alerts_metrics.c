/*
 * alerts/alerts_metrics.c - how the rules do, in numbers.
 * One job: rules, alerts, notifications and recorded values as Prometheus text; a few of them for weir status.
 * Floor: 4 (uses base).
 *
 * Names are vmalert's and Alertmanager's where they have one.
 */
#include <inttypes.h>

#include "alerts/alerts_internal.h"
#include "base/metric.h"

static void
value_text(struct buf *out, struct str s)
{
	buf_byte(out, '"');
	metric_label(out, s);
	buf_byte(out, '"');
}

/* Names of metrics and labels hold letters, digits and _; what is no such byte becomes _. */
static void
name_text(struct buf *out, struct str s, bool metric)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		uint8_t c = s.p[i], l = str_lower_byte(c);
		bool ok = (l >= 'a' && l <= 'z') || c == '_' || (metric && c == ':') ||
		    (i > 0 && c >= '0' && c <= '9');

		buf_byte(out, ok ? c : '_');
	}
}

/* ---- rules ---- */

struct tally {
	uint64_t rule_id, n_pending, n_firing, n_unknown, n_flapping;
};

static int
tally_alert(void *ctx, const struct alert *al)
{
	struct tally *t = ctx;

	if (t->rule_id != 0 && t->rule_id != al->rule_id)
		return 0;
	t->n_pending += al->state == ALERT_PENDING;
	t->n_firing += al->state == ALERT_FIRING;
	t->n_unknown += al->unknown;
	t->n_flapping += al->flapping;
	return 0;
}

static void
rule_labels(struct buf *out, const struct alerts_rule *ar)
{
	buf_c(out, ar->rule->kind == RULE_ALERT ? "{alertname=" : "{recording=");
	value_text(out, ar->rule->name);
	buf_c(out, ",group=");
	value_text(out, ar->group->name);
	buf_c(out, ",file=");
	value_text(out, ar->group->file);
	buf_printf(out, ",id=\"%" PRIu64 "\"}", ar->id);
}

typedef bool (*rule_value_fn)(const struct alerts_rule *ar, const struct tally *t, double *ret);

static bool
firing_of(const struct alerts_rule *ar, const struct tally *t, double *ret)
{
	*ret = (double)t->n_firing;
	return ar->rule->kind == RULE_ALERT;
}

static bool
pending_of(const struct alerts_rule *ar, const struct tally *t, double *ret)
{
	*ret = (double)t->n_pending;
	return ar->rule->kind == RULE_ALERT;
}

static bool
error_of(const struct alerts_rule *ar, const struct tally *t, double *ret)
{
	(void)t;
	*ret = ar->failed;
	return ar->rule->kind == RULE_ALERT;
}

static bool
errors_of(const struct alerts_rule *ar, const struct tally *t, double *ret)
{
	(void)t;
	*ret = (double)ar->n_failed;
	return ar->rule->kind == RULE_ALERT;
}

static bool
unknown_of(const struct alerts_rule *ar, const struct tally *t, double *ret)
{
	(void)t;
	*ret = ar->unknown;
	return true;
}

static bool
seconds_of(const struct alerts_rule *ar, const struct tally *t, double *ret)
{
	(void)t;
	*ret = (double)ar->took.ns / 1e9;
	return true;
}

static const struct {
	const char *name, *type, *help;
	rule_value_fn value;
} rule_rows[] = {
	{ "vmalert_alerts_firing", "gauge", "Alerts of the rule that fire.", firing_of },
	{ "vmalert_alerts_pending", "gauge", "Alerts of the rule that are pending.", pending_of },
	{ "vmalert_alerting_rules_error", "gauge", "1: the last evaluation failed.", error_of },
	{ "vmalert_alerting_rules_errors_total", "counter", "Evaluations that failed.", errors_of },
	{ "weir_rule_unknown", "gauge", "1: a source that the rule reads has a gap or is down.",
	    unknown_of },
	{ "weir_rule_evaluation_seconds", "gauge", "How long the last evaluation took.",
	    seconds_of },
};

static void
put_rule_row(struct alerts *a, struct buf *out, size_t row, const struct tally *tallies)
{
	size_t i, k, n = 0;
	double v = 0;

	metric_head(out, rule_rows[row].name, rule_rows[row].type, rule_rows[row].help);
	for (i = 0; i < a->n_groups; i++)
		for (k = 0; k < a->groups[i].group->n_rules; k++, n++) {
			const struct alerts_rule *ar = &a->groups[i].rules[k];

			if (!rule_rows[row].value(ar, &tallies[n], &v))
				continue;
			buf_c(out, rule_rows[row].name);
			rule_labels(out, ar);
			buf_printf(out, " %.17g\n", v);
		}
}

struct tallying {
	struct alerts *a;
	struct tally *all;
	size_t n, at; /* at: the rule of the alert before */
};

static int
tally_by_rule(void *ctx, const struct alert *al)
{
	struct tallying *t = ctx;
	size_t i;

	/* Alerts come by rule, so the one before is the right one mostly. */
	i = t->at < t->n && t->all[t->at].rule_id == al->rule_id ? t->at : 0;
	while (i < t->n && t->all[i].rule_id != al->rule_id)
		i++;
	t->at = i;
	return i < t->n ? tally_alert(&t->all[i], al) : 0;
}

static void
put_rules(struct alerts *a, struct buf *out)
{
	struct tallying t = { .a = a };
	size_t i, k, n = 0;

	for (i = 0; i < a->n_groups; i++)
		n += a->groups[i].group->n_rules;
	t.all = calloc(n + 1, sizeof(*t.all));
	if (t.all == NULL)
		return;
	for (i = 0; i < a->n_groups; i++)
		for (k = 0; k < a->groups[i].group->n_rules; k++)
			t.all[t.n++].rule_id = a->groups[i].rules[k].id;
	(void)state_each(a->state, tally_by_rule, &t);
	for (i = 0; i < ARRAY_LEN(rule_rows); i++)
		put_rule_row(a, out, i, t.all);
	free(t.all);
}

static void
put_groups(struct alerts *a, struct buf *out)
{
	size_t i;

	metric_head(out, "vmalert_iteration_total", "counter", "Evaluations of the group.");
	for (i = 0; i < a->n_groups; i++) {
		buf_c(out, "vmalert_iteration_total{group=");
		value_text(out, a->groups[i].group->name);
		buf_c(out, ",file=");
		value_text(out, a->groups[i].group->file);
		buf_printf(out, "} %" PRIu64 "\n", a->groups[i].n_evals);
	}
	metric_head(out, "vmalert_iteration_missed_total", "counter",
	    "Instants that were too long ago to be made up.");
	for (i = 0; i < a->n_groups; i++) {
		buf_c(out, "vmalert_iteration_missed_total{group=");
		value_text(out, a->groups[i].group->name);
		buf_c(out, ",file=");
		value_text(out, a->groups[i].group->file);
		buf_printf(out, "} %" PRIu64 "\n", a->groups[i].n_missed);
	}
}

/* ---- recorded values ---- */

/* What the row says, what the rule says over it. */
static void
recorded_labels(struct buf *out, const struct rule *rule, const struct labels *l)
{
	size_t i, k, n = 0;

	buf_byte(out, '{');
	for (i = 0; i < l->n; i++) {
		for (k = 0; k < rule->n_labels && !str_eq(rule->labels[k].name, l->p[i].name); k++)
			;
		if (k < rule->n_labels)
			continue;
		if (n++ > 0)
			buf_byte(out, ',');
		name_text(out, l->p[i].name, false);
		buf_byte(out, '=');
		value_text(out, l->p[i].value);
	}
	for (k = 0; k < rule->n_labels; k++) {
		if (n++ > 0)
			buf_byte(out, ',');
		name_text(out, rule->labels[k].name, false);
		buf_byte(out, '=');
		value_text(out, rule->labels[k].text);
	}
	buf_byte(out, '}');
}

static void
put_recorded(struct alerts *a, struct buf *out)
{
	size_t i, k, v;

	for (i = 0; i < a->n_groups; i++)
		for (k = 0; k < a->groups[i].group->n_rules; k++) {
			const struct alerts_rule *ar = &a->groups[i].rules[k];

			for (v = 0; v < ar->n_values; v++) {
				name_text(out, ar->rule->name, true);
				recorded_labels(out, ar->rule, &ar->values[v].labels);
				buf_printf(out, " %.17g\n", ar->values[v].value);
			}
		}
}

/* ---- routing and delivery ---- */

static void
put_outbox(struct alerts *a, struct buf *out)
{
	struct outbox_counts n;

	outbox_count(a->outbox, &n);
	metric_put(out, "alertmanager_notifications_total", "counter", "Notifications made.",
	    (double)a->total.n_notifications);
	metric_put(out, "alertmanager_notifications_failed_total", "counter",
	    "Notifications given up: refused by their receiver, or expired.",
	    (double)(n.failed + n.expired + n.refused));
	metric_put(out, "weir_outbox_waiting", "gauge", "Notifications that wait.",
	    (double)n.waiting);
	metric_put(out, "weir_outbox_sending", "gauge", "Notifications on their way.",
	    (double)n.sending);
	metric_put(out, "weir_outbox_delivered_total", "counter", "Notifications delivered.",
	    (double)n.delivered);
	metric_put(out, "weir_outbox_retried_total", "counter", "Tries that are to be made again.",
	    (double)n.retried);
	metric_put(out, "weir_outbox_joined_total", "counter",
	    "Notifications that waited and became one with a newer.", (double)n.joined);
	metric_put(out, "weir_outbox_oldest_timestamp_seconds", "gauge",
	    "When the oldest that waits was made; 0: none.", (double)n.oldest.ns / 1e9);
}

static void
put_counts(struct alerts *a, struct buf *out)
{
	struct dispatch_stats ds;

	dispatch_stats(a->dispatch, &ds);
	metric_put(out, "weir_rules_steps_total", "counter", "Steps of the rules' thread.",
	    (double)a->total.n_steps);
	metric_put(out, "weir_rules_evaluations_total", "counter", "Evaluations of rules.",
	    (double)a->total.n_evals);
	metric_put(out, "weir_rules_memory_bytes", "gauge", "Windows of rules.",
	    (double)a->eval_bytes);
	metric_put(out, "vmalert_alerts_fired_total", "counter", "Alerts that began to fire.",
	    (double)a->total.n_fired);
	metric_put(out, "weir_alerts_resolved_total", "counter", "Alerts that were resolved.",
	    (double)a->total.n_resolved);
	metric_put(out, "weir_alert_events_total", "counter", "Events of alerts.",
	    (double)a->total.n_events);
	metric_put(out, "weir_dispatch_alerts", "gauge", "Alerts that routing knows.",
	    (double)ds.n_alerts);
	metric_put(out, "weir_dispatch_groups", "gauge", "Groups of alerts.", (double)ds.n_groups);
	metric_put(out, "weir_dispatch_refused_total", "counter",
	    "Alerts that there was no room for.", (double)ds.n_refused);
	metric_put(out, "weir_state_full_total", "counter",
	    "Times that state.db could not be written.", (double)a->total.n_full);
}

void
alerts_metrics(struct alerts *a, struct buf *out)
{
	put_counts(a, out);
	put_groups(a, out);
	put_rules(a, out);
	put_outbox(a, out);
	put_recorded(a, out);
}

void
alerts_status(struct alerts *a, struct buf *out)
{
	struct tally t = { 0 };
	struct outbox_counts n;
	size_t i, k, rules = 0, failed = 0, unknown = 0;

	for (i = 0; i < a->n_groups; i++)
		for (k = 0; k < a->groups[i].group->n_rules; k++) {
			rules++;
			failed += a->groups[i].rules[k].failed;
			unknown += a->groups[i].rules[k].unknown;
		}
	(void)state_each(a->state, tally_alert, &t);
	outbox_count(a->outbox, &n);
	buf_printf(out, "{\"groups\":%zu,\"rules\":%zu,\"failing\":%zu,\"unknown\":%zu",
	    a->n_groups, rules, failed, unknown);
	buf_printf(out, ",\"pending\":%" PRIu64 ",\"firing\":%" PRIu64 ",\"flapping\":%" PRIu64,
	    t.n_pending, t.n_firing, t.n_flapping);
	buf_printf(out,
	    ",\"outbox_waiting\":%" PRIu64 ",\"outbox_sending\":%" PRIu64
	    ",\"outbox_delivered\":%" PRIu64 ",\"outbox_failed\":%" PRIu64,
	    n.waiting, n.sending, n.delivered, n.failed + n.expired + n.refused);
	buf_printf(out, ",\"outbox_oldest_s\":%.0f,\"stored\":%s}",
	    n.oldest.ns > 0 ? (double)(a->now.ns - n.oldest.ns) / 1e9 : 0.0,
	    statedb_owes(a->db) ? "false" : "true");
}
