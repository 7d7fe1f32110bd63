/*
 * alerts/backtest.c - what rules would have done.
 * One job: run rules over a range of history and keep when each alert fired and when it was told.
 * Floor: 4 (uses query, store, logsql, record, base).
 */
#include "alerts/backtest.h"

#include "alerts/message.h"
#include "store/read.h"

/* How much is evaluated between two looks at the clock of who waits. */
#define SLICE_NS (NS_PER_HOUR)

static struct backtest_rule *
rule_of(struct backtest *b, const struct rule *rule)
{
	size_t i = 0;

	while (i < b->n_rules && b->rules[i].rule != rule)
		i++;
	return i < b->n_rules ? &b->rules[i] : NULL;
}

static int
on_set(void *ctx, const struct eval_set *set)
{
	struct backtest_rule *br = rule_of(ctx, set->rule);

	if (br != NULL) {
		br->n_evals++;
		br->n_failed += set->failed;
		br->n_unknown += set->unknown;
	}
	return 0;
}

/* ---- alerts ---- */

/* The latest of a rule's alert with these labels: its number from 1, 0 for none; NULL without memory. */
static uint64_t *
last_of(struct backtest *b, uint64_t rule_id, uint64_t fingerprint)
{
	uint64_t key[2] = { rule_id, fingerprint };
	struct map_entry *e = map_put(&b->last, str_of(key, sizeof(key)), NULL);

	return e != NULL ? &e->value : NULL;
}

/* The one that still fires. */
static struct backtest_alert *
open_alert(struct backtest *b, const struct alert *a)
{
	const uint64_t *n = last_of(b, a->rule_id, a->fingerprint);

	if (n == NULL || *n == 0 || b->alerts[*n - 1].resolved_at.ns != 0)
		return NULL;
	return &b->alerts[*n - 1];
}

static int
add_alert(struct backtest *b, const struct alert *a, struct wall at)
{
	uint64_t *last = last_of(b, a->rule_id, a->fingerprint);
	struct backtest_alert *more, *one;

	if (last == NULL)
		return err_origin(-ENOMEM);
	if (b->n_alerts == BACKTEST_ALERTS_MAX) {
		b->n_more++;
		return 0;
	}
	if (b->n_alerts == b->cap_alerts) {
		more = realloc(b->alerts, (b->cap_alerts * 2 + 64) * sizeof(*more));
		if (more == NULL)
			return err_origin(-ENOMEM);
		b->alerts = more;
		b->cap_alerts = b->cap_alerts * 2 + 64;
	}
	one = &b->alerts[b->n_alerts++];
	*last = b->n_alerts;
	*one = (struct backtest_alert){ .group = a->group,
		.rule = a->rule,
		.fingerprint = a->fingerprint,
		.active_at = a->active_at,
		.fired_at = at,
		.value = a->value };
	return labels_dup(&b->arena, &a->labels, &one->labels);
}

static int
on_change(void *ctx, const struct alert *a, enum alert_change c, struct wall at)
{
	struct backtest *b = ctx;
	struct backtest_rule *br = rule_of(b, a->rule);
	struct backtest_alert *one;

	if (c == CHANGE_FIRING) {
		if (br != NULL)
			br->n_fires++;
		return add_alert(b, a, at);
	}
	if (c != CHANGE_RESOLVED)
		return 0;
	one = open_alert(b, a);
	if (one == NULL)
		return 0;
	one->resolved_at = at;
	if (br != NULL)
		br->firing.ns += at.ns - one->fired_at.ns;
	return 0;
}

/* ---- notifications ---- */

static void
mark_told(struct backtest *b, const struct notification *n)
{
	const uint64_t *last;
	size_t k;

	for (k = 0; k < n->n; k++) {
		last = last_of(b, n->alerts[k].rule_id, labels_fingerprint(&n->alerts[k].labels));
		if (last != NULL && *last > 0 && b->alerts[*last - 1].told_at.ns == 0)
			b->alerts[*last - 1].told_at = n->at;
	}
}

static struct str
recipients(struct arena *arena, const struct integration *in)
{
	AUTO_FINI(buf_fini) struct buf b = BUF_INIT;
	size_t i;

	if (in->kind == RECEIVER_WEBHOOK)
		return STR("webhook");
	for (i = 0; i < in->n_to; i++) {
		buf_c(&b, i > 0 ? ", " : "");
		buf_str(&b, in->to[i]);
	}
	return arena_dup(arena, buf_view(&b));
}

static int
on_notified(void *ctx, const struct notification *n, struct str stored)
{
	struct message_mail mail = { BUF_INIT, BUF_INIT, BUF_INIT };
	struct backtest_note *more, *one;
	struct backtest *b = ctx;
	int r = message_mail(stored, &mail);

	if (r == 0 && b->n_notes == b->cap_notes) {
		more = realloc(b->notes, (b->cap_notes * 2 + 64) * sizeof(*more));
		if (more == NULL)
			r = err_origin(-ENOMEM);
		else {
			b->notes = more;
			b->cap_notes = b->cap_notes * 2 + 64;
		}
	}
	if (r == 0) {
		one = &b->notes[b->n_notes++];
		*one = (struct backtest_note){ .at = n->at, .firing = n->firing, .n_alerts = n->n };
		one->receiver = arena_dup(&b->arena, n->receiver->name);
		one->to = recipients(&b->arena, n->integration);
		one->subject = arena_dup(&b->arena, buf_view(&mail.subject));
		mark_told(b, n);
	}
	message_mail_fini(&mail);
	return r > 0 ? err_fold(r) : r;
}

static int
on_held(void *ctx, const struct notification *n, size_t n_held)
{
	struct backtest *b = ctx;

	b->n_held += n_held == n->n;
	b->n_cut += n_held < n->n;
	return 0;
}

/* ---- runs ---- */

static int
run(struct sim *s, const struct backtest_options *opt, const struct backtest *b)
{
	struct wall at = b->since;
	int r = 0;

	while (r == 0 && at.ns < b->until.ns) {
		if (opt->stop != NULL && atomic_load(opt->stop))
			return err_origin(-ECANCELED);
		at.ns = b->until.ns - at.ns > SLICE_NS ? at.ns + SLICE_NS : b->until.ns;
		r = sim_run(s, at);
		if (opt->progress != NULL)
			opt->progress(opt->progress_ctx, at);
	}
	return r;
}

static int
run_rules(struct backtest *b, const struct backtest_options *opt, struct buf *why)
{
	AUTO(sim_free) struct sim *s = NULL;
	const struct sim_ops ops = { on_set, on_change, on_notified, on_held, b };
	const struct sim_options how = { .store = opt->store,
		.set = opt->set,
		.routing = opt->routing,
		.silences = opt->silences,
		.host = opt->host,
		.zone_s = opt->zone_s,
		.start = b->since };
	int r = sim_new(&s, &how, &ops, why);

	return r == 0 ? run(s, opt, b) : r;
}

static int
on_swept(void *ctx, const struct alert *a, enum alert_change c, struct wall at)
{
	struct backtest_rule *br;
	size_t k;

	if (c != CHANGE_FIRING)
		return 0;
	br = sweep_find(ctx, a->rule_id, &k);
	if (br != NULL)
		br->fires[k]++;
	return 0;
}

static int
run_sweep(struct backtest *b, const struct backtest_options *opt, struct buf *why)
{
	AUTO(sim_free) struct sim *s = NULL;
	const struct sim_ops ops = { NULL, on_swept, NULL, NULL, b };
	struct rule_set others;
	struct sim_options how = { .store = opt->store,
		.set = &others,
		.host = opt->host,
		.zone_s = opt->zone_s,
		.start = b->since };
	int r = sweep_rules(b, opt->set, &others);

	if (r != 0 || others.n_groups == 0)
		return r;
	r = sim_new(&s, &how, &ops, why);
	return r == 0 ? run(s, opt, b) : r;
}

/* ---- the whole ---- */

/* Nothing happens before the first row. */
static int
clamp(struct backtest *b, const struct backtest_options *opt, struct buf *why)
{
	AUTO(store_view_free) struct store_view *view = NULL;
	struct wall first = { INT64_MAX };
	struct store_block_info info;
	size_t i;
	int r = store_view_open(&view, opt->store, why);

	if (r != 0)
		return r > 0 ? SIM_E_STORE : r;
	for (i = 0; i < store_view_n_blocks(view); i++) {
		store_view_block(view, i, &info);
		if (info.sum.min_time.ns < first.ns)
			first = info.sum.min_time;
	}
	b->since = opt->since.ns > first.ns ? opt->since : first;
	b->until = opt->until;
	if (b->since.ns > b->until.ns)
		b->since = b->until;
	return 0;
}

static int
list_rules(struct backtest *b, const struct rule_set *set)
{
	size_t i, k, n = 0;

	for (i = 0; i < set->n_groups; i++)
		n += set->groups[i].n_rules;
	b->rules = arena_zalloc(&b->arena, n + 1, sizeof(*b->rules));
	if (b->rules == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < set->n_groups; i++)
		for (k = 0; k < set->groups[i].n_rules; k++) {
			b->rules[b->n_rules].group = &set->groups[i];
			b->rules[b->n_rules++].rule = &set->groups[i].rules[k];
		}
	return 0;
}

static void
close_open(struct backtest *b)
{
	struct backtest_rule *br;
	size_t i;

	for (i = 0; i < b->n_alerts; i++) {
		br = rule_of(b, b->alerts[i].rule);
		if (br != NULL && b->alerts[i].resolved_at.ns == 0)
			br->firing.ns += b->until.ns - b->alerts[i].fired_at.ns;
	}
}

int
backtest_run(struct backtest **ret, const struct backtest_options *opt, struct buf *ret_why)
{
	AUTO(backtest_free) struct backtest *b = calloc(1, sizeof(*b));
	struct span start = mono_now();
	int r;

	if (b == NULL)
		return err_origin(-ENOMEM);
	r = clamp(b, opt, ret_why);
	if (r == 0)
		r = list_rules(b, opt->set);
	if (r == 0)
		r = run_rules(b, opt, ret_why);
	if (r == 0)
		close_open(b);
	b->took.ns = mono_now().ns - start.ns;
	if (r == 0 && opt->sweep)
		r = run_sweep(b, opt, ret_why);
	if (r == 0)
		*ret = TAKE(b);
	return r;
}

struct backtest *
backtest_free(struct backtest *b)
{
	if (b != NULL) {
		free(b->alerts);
		free(b->notes);
		map_fini(&b->last);
		arena_fini(&b->arena);
	}
	free(b);
	return NULL;
}

double
backtest_days(const struct backtest *b)
{
	double days = (double)(b->until.ns - b->since.ns) / (double)NS_PER_DAY;

	return days > 0.001 ? days : 0.001;
}
