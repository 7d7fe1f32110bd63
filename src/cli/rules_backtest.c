/*
 * cli/rules_backtest.c - weir rules backtest.
 * One job: what rules would have done in a store's history, as text or JSON.
 * Floor: 6 (uses alerts, base).
 */
#include <limits.h>
#include <stdio.h>

#include "alerts/backtest.h"
#include "base/io.h"
#include "cli/cli.h"
#include "cli/out.h"
#include "cli/place.h"
#include "cli/rules.h"
#include "cli/rules_files.h"
#include "cli/rules_silences.h"
#include "lib/print.h"

enum { DAYS = 30 };

struct printer {
	const struct backtest *b;
	struct buf out;
	bool utc;
	size_t n_silences;
};

static void
put_time(struct printer *p, struct wall at)
{
	int zone = p->utc ? 0 : wall_local_offset(at);
	struct civil c = wall_civil((struct wall){ at.ns + zone * NS_PER_S });

	buf_printf(&p->out, "%04d-%02d-%02d %02d:%02d:%02d", (int)c.year, c.month, c.day, c.hour,
	    c.minute, c.second);
}

/* To the second: a length that people read. */
static void
put_span(struct buf *out, int64_t ns)
{
	char text[SPAN_TEXT_MAX];

	ns = ns / NS_PER_S * NS_PER_S;
	if (ns == 0)
		buf_c(out, "0s");
	else
		buf_put(out, text, span_format(text, (struct span){ ns }));
}

/* ---- text ---- */

static void
text_alert(struct printer *p, const struct backtest_alert *a)
{
	AUTO_FINI(buf_fini) struct buf labels = BUF_INIT;

	buf_c(&p->out, "    ");
	put_time(p, a->fired_at);
	buf_c(&p->out, "  ");
	labels_format(&labels, &a->labels);
	print_escape(&p->out, buf_view(&labels));
	buf_printf(&p->out, "  value %.6g, after ", a->value);
	put_span(&p->out, a->fired_at.ns - a->active_at.ns);
	if (a->told_at.ns > 0) {
		buf_c(&p->out, ", told after ");
		put_span(&p->out, a->told_at.ns - a->active_at.ns);
	}
	if (a->resolved_at.ns > 0) {
		buf_c(&p->out, ", fired for ");
		put_span(&p->out, a->resolved_at.ns - a->fired_at.ns);
	} else
		buf_c(&p->out, ", fires at the end");
	buf_byte(&p->out, '\n');
}

static void
text_sweep(struct printer *p, const struct backtest_rule *br)
{
	size_t k;

	buf_printf(&p->out, "    fires a day by threshold %.*s:", STR_ARG(br->threshold_of));
	for (k = 0; k < BACKTEST_SWEEP; k++)
		buf_printf(&p->out, "  %.6g: %.3g", br->thresholds[k],
		    (double)br->fires[k] / backtest_days(p->b));
	buf_byte(&p->out, '\n');
}

static void
text_rule(struct printer *p, const struct backtest_rule *br)
{
	size_t i;

	print_escape(&p->out, br->group->file);
	buf_printf(&p->out, ":%u: ", br->rule->line);
	print_escape(&p->out, br->rule->name);
	buf_printf(&p->out, ": fired %llu times, %.3g a day, for ", (unsigned long long)br->n_fires,
	    (double)br->n_fires / backtest_days(p->b));
	put_span(&p->out, br->firing.ns);
	buf_printf(&p->out, " in all; %llu evaluations", (unsigned long long)br->n_evals);
	if (br->n_failed > 0)
		buf_printf(&p->out, ", %llu failed", (unsigned long long)br->n_failed);
	buf_byte(&p->out, '\n');
	for (i = 0; i < p->b->n_alerts; i++)
		if (p->b->alerts[i].rule == br->rule)
			text_alert(p, &p->b->alerts[i]);
	if (br->swept)
		text_sweep(p, br);
}

static void
text_silences(struct printer *p)
{
	if (p->n_silences == 0)
		return;
	buf_printf(&p->out,
	    "%zu silence%s held %llu more notifications, and some alerts of %llu others\n",
	    p->n_silences, p->n_silences > 1 ? "s" : "", (unsigned long long)p->b->n_held,
	    (unsigned long long)p->b->n_cut);
}

static void
text_notes(struct printer *p)
{
	size_t i;

	buf_printf(&p->out, "%zu notifications\n", p->b->n_notes);
	for (i = 0; i < p->b->n_notes; i++) {
		const struct backtest_note *n = &p->b->notes[i];

		buf_c(&p->out, "    ");
		put_time(p, n->at);
		buf_c(&p->out, "  ");
		print_escape(&p->out, n->receiver);
		buf_c(&p->out, " (");
		print_escape(&p->out, n->to);
		buf_c(&p->out, "): ");
		print_escape(&p->out, n->subject);
		buf_byte(&p->out, '\n');
	}
}

static void
text_all(struct printer *p, bool routed)
{
	double days = backtest_days(p->b);
	size_t i;

	put_time(p, p->b->since);
	buf_c(&p->out, " to ");
	put_time(p, p->b->until);
	buf_printf(&p->out, ": %.4g days in %.2f s, %.0f times as fast as they went by\n", days,
	    (double)p->b->took.ns / 1e9, days * 86400 / ((double)p->b->took.ns / 1e9 + 1e-9));
	for (i = 0; i < p->b->n_rules; i++)
		if (p->b->rules[i].rule->kind == RULE_ALERT)
			text_rule(p, &p->b->rules[i]);
	if (p->b->n_more > 0)
		buf_printf(&p->out, "%llu more alerts are not shown\n",
		    (unsigned long long)p->b->n_more);
	if (routed)
		text_notes(p);
	if (routed)
		text_silences(p);
}

/* ---- JSON ---- */

static void
json_time(struct buf *out, const char *key, struct wall at)
{
	char text[WALL_TEXT_MAX];

	if (at.ns == 0)
		return;
	buf_printf(out, ",\"%s\":", key);
	buf_json(out, str_of(text, wall_format(text, at)));
}

static void
json_text(struct buf *out, const char *key, struct str value)
{
	buf_printf(out, ",\"%s\":", key);
	buf_json(out, value);
}

static void
json_alert(struct buf *out, const struct backtest_alert *a)
{
	size_t i;

	buf_c(out, "{\"kind\":\"alert\"");
	json_text(out, "alertname", a->rule->name);
	buf_c(out, ",\"labels\":{");
	for (i = 0; i < a->labels.n; i++) {
		buf_c(out, i > 0 ? "," : "");
		buf_json(out, a->labels.p[i].name);
		buf_byte(out, ':');
		buf_json(out, a->labels.p[i].value);
	}
	buf_printf(out, "},\"value\":%.17g", a->value);
	json_time(out, "active_at", a->active_at);
	json_time(out, "fired_at", a->fired_at);
	json_time(out, "told_at", a->told_at);
	json_time(out, "resolved_at", a->resolved_at);
	buf_c(out, "}\n");
}

static void
json_rule(struct printer *p, const struct backtest_rule *br)
{
	struct buf *out = &p->out;
	size_t k;

	buf_c(out, "{\"kind\":\"rule\"");
	json_text(out, "alertname", br->rule->name);
	json_text(out, "group", br->group->name);
	json_text(out, "file", br->group->file);
	buf_printf(out,
	    ",\"fires\":%llu,\"fires_per_day\":%.6g,\"firing_s\":%.0f,\"evaluations\":%llu,\"failed\":%llu",
	    (unsigned long long)br->n_fires, (double)br->n_fires / backtest_days(p->b),
	    (double)br->firing.ns / 1e9, (unsigned long long)br->n_evals,
	    (unsigned long long)br->n_failed);
	if (br->swept) {
		json_text(out, "threshold_of", br->threshold_of);
		buf_c(out, ",\"sweep\":[");
		for (k = 0; k < BACKTEST_SWEEP; k++)
			buf_printf(out, "%s{\"threshold\":%.17g,\"fires_per_day\":%.6g}",
			    k > 0 ? "," : "", br->thresholds[k],
			    (double)br->fires[k] / backtest_days(p->b));
		buf_byte(out, ']');
	}
	buf_c(out, "}\n");
}

static void
json_all(struct printer *p)
{
	size_t i;

	for (i = 0; i < p->b->n_rules; i++)
		if (p->b->rules[i].rule->kind == RULE_ALERT)
			json_rule(p, &p->b->rules[i]);
	for (i = 0; i < p->b->n_alerts; i++)
		json_alert(&p->out, &p->b->alerts[i]);
	for (i = 0; i < p->b->n_notes; i++) {
		const struct backtest_note *n = &p->b->notes[i];

		buf_c(&p->out, "{\"kind\":\"notification\"");
		json_time(&p->out, "at", n->at);
		json_text(&p->out, "receiver", n->receiver);
		json_text(&p->out, "to", n->to);
		json_text(&p->out, "subject", n->subject);
		buf_printf(&p->out, ",\"status\":\"%s\",\"alerts\":%zu}\n",
		    n->firing ? "firing" : "resolved", n->n_alerts);
	}
	if (p->n_silences > 0)
		buf_printf(&p->out,
		    "{\"kind\":\"silences\",\"silences\":%zu,\"held\":%llu,\"cut\":%llu}\n",
		    p->n_silences, (unsigned long long)p->b->n_held,
		    (unsigned long long)p->b->n_cut);
}

/* ---- the command ---- */

struct progress {
	struct wall since, until;
	struct span shown;
};

static void
on_progress(void *ctx, struct wall at)
{
	struct progress *p = ctx;
	struct span now = mono_now();

	if (now.ns - p->shown.ns < NS_PER_S / 2)
		return;
	p->shown = now;
	(void)fprintf(stderr, "\r%3.0f %%",
	    100.0 * (double)(at.ns - p->since.ns) / (double)(p->until.ns - p->since.ns + 1));
	if (at.ns >= p->until.ns)
		(void)fprintf(stderr, "\r     \r");
}

static int
load_routing(const char *path, struct routing **ret)
{
	AUTO_FINI(buf_fini) struct buf errors = BUF_INIT, notes = BUF_INIT;
	int r = routing_load(path, STR("/etc/weir/secrets"), ret, &errors, &notes);

	rules_show(buf_view(&errors));
	if (r < 0)
		return errors.n > 0 ? CLI_FAILED : cli_fail(CLI_FAILED, "%s: %s", path, err_str(r));
	return r > 0 ? CLI_USAGE : 0;
}

static int
print_result(const struct options *opt, const struct backtest *b, size_t n_silences)
{
	struct printer p = { b, BUF_INIT, opt->utc, n_silences };
	struct out o;
	int r;

	if (opt->output != NULL && strcmp(opt->output, "json") == 0)
		json_all(&p);
	else
		text_all(&p, opt->alerting != NULL);
	out_init(&o, true, false);
	(void)out_write(&o, p.out.p, p.out.n);
	r = out_finish(&o, b->n_alerts > 0 ? CLI_DONE : CLI_NONE);
	buf_fini(&p.out);
	return r;
}

static int
run_backtest(const struct options *opt, const char *store, const struct rule_set *set,
    const struct routing *routing, struct silences *silences, size_t n_silences)
{
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	AUTO(backtest_free) struct backtest *b = NULL;
	struct progress progress = { opt->since, opt->until, mono_now() };
	struct backtest_options how = { .store = store,
		.set = set,
		.routing = routing,
		.silences = silences,
		.host = "backtest",
		.zone_s = wall_local_offset(opt->now),
		.since = opt->since,
		.until = opt->until,
		.sweep = opt->sweep,
		.stop = cli_stop_flag(),
		.progress = isatty(STDERR_FILENO) ? on_progress : NULL,
		.progress_ctx = &progress };
	int r = backtest_run(&b, &how, &why);

	if (r == -ECANCELED)
		return CLI_STOPPED;
	if (r != 0)
		return cli_fail(CLI_FAILED, "rules backtest: %s: %s", store,
		    why.n > 0 ? buf_c_str(&why) : err_str(r < 0 ? r : -EIO));
	return print_result(opt, b, n_silences);
}

int
rules_backtest(struct options *opt)
{
	AUTO(rules_free) struct rule_set *set = NULL;
	AUTO(routing_free) struct routing *routing = NULL;
	AUTO(silences_free) struct silences *silences = NULL;
	AUTO_FINI(buf_fini) struct buf path = BUF_INIT;
	const char *store = place_store(opt, &path);
	size_t n_silences = 0;
	int r;

	if (opt->output != NULL && strcmp(opt->output, "json") != 0 &&
	    strcmp(opt->output, "text") != 0)
		return cli_fail(CLI_USAGE, "rules backtest: --output: expected text or json");
	if (opt->silences != NULL && opt->alerting == NULL)
		return cli_fail(CLI_USAGE, "rules backtest: --silences goes with --alerting");
	if (store == NULL)
		return cli_fail(CLI_FAILED, "%s", err_str(-ENOMEM));
	if (opt->until.ns == INT64_MAX)
		opt->until = opt->now;
	if (opt->since.ns == INT64_MIN)
		opt->since = (struct wall){ opt->until.ns - DAYS * NS_PER_DAY };
	r = place_check(store);
	if (r == 0)
		r = rules_files(opt, 1, &set);
	if (r == 0 && opt->alerting != NULL)
		r = load_routing(opt->alerting, &routing);
	if (r == 0 && opt->alerting != NULL)
		r = rules_silences(opt, store, &silences, &n_silences);
	cli_catch_signals();
	return r == 0 ? run_backtest(opt, store, set, routing, silences, n_silences) : r;
}
