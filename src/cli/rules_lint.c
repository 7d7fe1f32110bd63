/*
 * cli/rules_lint.c - weir rules lint.
 * One job: what is doubtful in rule files, a line each with its place.
 * Floor: 6 (uses alerts, store, base).
 */
#include <stdio.h>

#include "alerts/backtest.h"
#include "alerts/lint.h"
#include "cli/cli.h"
#include "cli/out.h"
#include "cli/place.h"
#include "cli/rules.h"
#include "cli/rules_files.h"
#include "lib/print.h"
#include "store/read.h"

enum { DAYS = 30 };

struct lint_run {
	struct buf out;
	size_t n_findings;
};

static int
on_finding(void *ctx, const struct rule_group *g, const struct rule *r, struct str text)
{
	struct lint_run *l = ctx;

	l->n_findings++;
	buf_printf(&l->out, "%.*s:%u: ", STR_ARG(g->file), r->line);
	print_escape(&l->out, r->name);
	buf_c(&l->out, ": ");
	print_escape(&l->out, text);
	buf_byte(&l->out, '\n');
	return buf_err(&l->out);
}

static int
each_rule(const struct rule_set *set, struct lint_store *store, struct lint_run *l)
{
	size_t i, k;
	int r = 0;

	for (i = 0; i < set->n_groups; i++)
		for (k = 0; r == 0 && k < set->groups[i].n_rules; k++) {
			const struct rule_group *g = &set->groups[i];

			r = lint_rule(g, &g->rules[k], on_finding, l);
			if (r == 0 && store != NULL)
				r = lint_store_rule(store, g, &g->rules[k], on_finding, l);
		}
	return r;
}

/* The rules are tried on the range: what fires all day long is soon looked at by nobody. */
static int
check_fires(const struct options *opt, const struct rule_set *set, struct wall since,
    struct wall until, struct lint_run *l)
{
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	AUTO(backtest_free) struct backtest *b = NULL;
	const struct backtest_options how = { .store = opt->store,
		.set = set,
		.host = "lint",
		.zone_s = wall_local_offset(opt->now),
		.since = since,
		.until = until,
		.stop = cli_stop_flag() };
	char text[120];
	double a_day;
	size_t i;
	int r = backtest_run(&b, &how, &why);

	for (i = 0; r == 0 && i < b->n_rules; i++) {
		a_day = (double)b->rules[i].n_fires / backtest_days(b);
		/* Of less than a day one hour more than all others says nothing. */
		if (a_day <= LINT_FIRES_A_DAY_MAX || b->rules[i].n_fires <= LINT_FIRES_A_DAY_MAX)
			continue;
		(void)snprintf(text, sizeof(text), "would fire %.0f times a day", a_day);
		r = on_finding(l, b->rules[i].group, b->rules[i].rule, str_c(text));
	}
	return r > 0 ? err_fold(r) : r;
}

static int
with_store(const struct options *opt, const struct rule_set *set, struct lint_run *l)
{
	AUTO(store_view_free) struct store_view *view = NULL;
	AUTO(lint_store_free) struct lint_store *store = NULL;
	AUTO_FINI(buf_fini) struct buf error = BUF_INIT;
	struct wall since = opt->since, until = opt->until;
	int r;

	if (place_check(opt->store) != 0)
		return CLI_FAILED;
	if (until.ns == INT64_MAX)
		until = opt->now;
	if (since.ns == INT64_MIN)
		since = (struct wall){ until.ns - DAYS * NS_PER_DAY };
	r = store_view_open(&view, opt->store, &error);
	if (r != 0)
		return cli_fail(CLI_FAILED, "rules lint: %s: %s", opt->store,
		    error.n > 0 ? buf_c_str(&error) : err_str(r < 0 ? r : -EIO));
	r = lint_store_new(&store, view, since, until, wall_local_offset(opt->now), NULL);
	if (r == 0)
		r = each_rule(set, store, l);
	if (r == 0)
		r = check_fires(opt, set, since, until, l);
	if (r == -ECANCELED)
		return CLI_STOPPED;
	return r != 0 ? cli_fail(CLI_FAILED, "rules lint: %s", err_str(r)) : 0;
}

int
rules_lint(struct options *opt)
{
	AUTO(rules_free) struct rule_set *set = NULL;
	struct lint_run l = { BUF_INIT, 0 };
	struct out o;
	int r;

	r = rules_files(opt, 1, &set);
	if (r != 0)
		return r;
	cli_catch_signals();
	if (opt->store != NULL)
		r = with_store(opt, set, &l);
	else
		r = each_rule(set, NULL, &l);
	if (r == 0) {
		out_init(&o, false, false);
		(void)out_write(&o, l.out.p, l.out.n);
		r = out_finish(&o, l.n_findings > 0 ? CLI_NONE : CLI_DONE);
	}
	buf_fini(&l.out);
	return r;
}
