/*
 * alerts/eval.c - the evaluator.
 * One job: rows as they are committed into partial windows; a rule's result rows at an instant.
 * Floor: 4 (uses query, store, logsql, record, base).
 */
#include "alerts/eval_internal.h"

static int
add_rule(struct eval *e, const struct rule_group *g, const struct rule *rule)
{
	struct eval_rule *er = &e->rules[e->n_rules++];
	int r;

	*er = (struct eval_rule){ .rule = rule, .group = g };
	r = eval_shape(er, &e->arena);
	if (r == 0 && rule->form != RULE_THRESHOLD)
		r = eval_form_new(er);
	if (r == 0 && rule->form == RULE_ABSENT && e->pulse == NULL && e->opt.live) {
		e->pulse = calloc(1, sizeof(*e->pulse));
		r = e->pulse == NULL ? err_origin(-ENOMEM) : 0;
	}
	return r < 0 ? err_trace(r) : err_trace(eval_stream_new(e, er));
}

static int
add_rules(struct eval *e)
{
	const struct rule_set *set = e->set;
	size_t i, k, n = 0;
	int r = 0;

	for (i = 0; i < set->n_groups; i++)
		n += set->groups[i].n_rules;
	e->rules = calloc(n + 1, sizeof(*e->rules));
	if (e->rules == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; r == 0 && i < set->n_groups; i++)
		for (k = 0; r == 0 && k < set->groups[i].n_rules; k++)
			r = add_rule(e, &set->groups[i], &set->groups[i].rules[k]);
	return err_trace(r);
}

int
eval_new(struct eval **ret, const struct rule_set *set, const struct eval_options *opt)
{
	AUTO(eval_free) struct eval *e = calloc(1, sizeof(*e));
	int r;

	if (e == NULL)
		return err_origin(-ENOMEM);
	e->set = set;
	e->opt = *opt;
	if (e->opt.memory_max == 0)
		e->opt.memory_max = EVAL_MEMORY_MAX;
	e->env.n_workers = 1;
	e->env.zone_s = opt->zone_s;
	e->env.newest_floor = INT64_MIN;
	atomic_flag_clear(&e->env.error_set);
	e->started = opt->live ? wall_now().ns : INT64_MIN;
	r = feed_new(&e->feed);
	if (r == 0)
		r = add_rules(e);
	if (r < 0)
		return err_trace(r);
	*ret = TAKE(e);
	return 0;
}

struct eval *
eval_free(struct eval *e)
{
	size_t i;

	if (e == NULL)
		return NULL;
	for (i = 0; i < e->n_rules; i++) {
		(void)eval_stream_free(e->rules[i].stream);
		(void)eval_form_free(e->rules[i].form);
		if (e->rules[i].row_pipes != NULL)
			stages_free(e->rules[i].row_pipes, &e->sink.stage);
	}
	free(e->rules);
	free(e->pulse);
	batch_fini(&e->batch);
	(void)feed_free(e->feed);
	arena_fini(&e->work);
	arena_fini(&e->arena);
	free(e);
	return NULL;
}

/* Whether the window of the instant is not all in the panes. */
static bool
is_stale(const struct eval_rule *er, struct wall at)
{
	const struct eval_stream *s = er->stream;

	return s != NULL &&
	    (!s->loaded || at.ns - er->rule->window.ns < s->low || at.ns >= s->skipped_from);
}

/* All rules that need it are loaded in one go, also those of other groups, whose instants are near. */
static int
load_stale(struct eval *e, struct store_view *view, struct wall at)
{
	AUTO_FREE struct eval_rule **rules = calloc(e->n_rules + 1, sizeof(*rules));
	size_t i, n = 0;

	if (rules == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < e->n_rules; i++)
		if (is_stale(&e->rules[i], at))
			rules[n++] = &e->rules[i];
	return n == 0 ? 0 : err_trace(eval_load(e, view, rules, n, at));
}

int
eval_warm(struct eval *e, struct store_view *view, struct wall at)
{
	return err_trace(load_stale(e, view, at));
}

static int
feed_block(struct eval *e, struct store_view *view, size_t number)
{
	struct feed_block *block = NULL;
	size_t i;
	int r;

	r = feed_open(e->feed, view, number, e->next_row, UINT64_MAX, &block);
	if (r < 0 || block == NULL)
		return err_trace(r);
	e->env.now = feed_info(block)->committed;
	r = e->pulse != NULL ? eval_beat(e, block) : 0;
	if (r < 0)
		return err_trace(r);
	for (i = 0; i < e->n_rules; i++) {
		struct eval_rule *er = &e->rules[i];

		if (er->stream == NULL || !er->stream->loaded)
			continue;
		/* Rows that are too old are wanted too: they are told by eval_late. */
		if (!eval_wants(er, &feed_info(block)->sum) &&
		    feed_info(block)->sum.min_time.ns > er->stream->high)
			continue;
		r = eval_take_in(e, er, block);
		if (r < 0)
			eval_stream_forget(er);
	}
	feed_close(e->feed);
	return 0;
}

/* The greatest windows go back to the store until the rest has room. */
static void
bound_memory(struct eval *e)
{
	uint64_t all = 0, bytes, most;
	size_t i, at = 0;

	for (i = 0; i < e->n_rules; i++)
		all += e->rules[i].stream != NULL ? eval_stream_bytes(e->rules[i].stream) : 0;
	while (all > e->opt.memory_max) {
		for (most = 0, i = 0; i < e->n_rules; i++) {
			bytes =
			    e->rules[i].stream != NULL ? eval_stream_bytes(e->rules[i].stream) : 0;
			if (bytes > most) {
				most = bytes;
				at = i;
			}
		}
		if (most == 0)
			return;
		eval_stream_forget(&e->rules[at]);
		all -= most;
	}
}

int
eval_feed(struct eval *e, struct store_view *view, uint64_t first_row, uint64_t *ret_next_row)
{
	size_t i, n = store_view_n_blocks(view);
	struct store_block_info info;
	uint64_t next;
	int r = 0;

	if (!e->fed || first_row > e->next_row)
		e->next_row = first_row;
	e->fed = true;
	next = e->next_row;
	for (i = 0; r == 0 && i < n; i++) {
		store_view_block(view, i, &info);
		if (info.end_row <= e->next_row)
			continue;
		next = info.end_row > next ? info.end_row : next;
		r = feed_block(e, view, i);
	}
	if (r < 0)
		return err_trace(r);
	e->next_row = next;
	*ret_next_row = next;
	bound_memory(e);
	return 0;
}

int
eval_give(struct eval *e, const struct eval_rule *er, struct eval_set *set,
    const struct eval_source *sources, size_t n, struct span start, eval_fn fn, void *ctx)
{
	uint64_t limit = er->group->limit;
	int r = 0;

	if (!set->failed && !set->unknown)
		r = eval_unknown(e, er, set->at, sources, n, set);
	if (r < 0)
		return err_trace(r);
	if (limit != 0 && set->n > limit) {
		set->n_over += set->n - limit;
		set->n = limit;
	}
	set->note = str_c(er->note);
	set->took.ns = mono_now().ns - start.ns;
	return err_trace(fn(ctx, set));
}

/* A window that cannot be had is asked of the store. */
int
eval_rule_set(struct eval *e, struct eval_rule *er, struct store_view *view, struct eval_set *set)
{
	int r;

	if (er->stream != NULL) {
		r = eval_window(e, er, set->at, set);
		if (r <= 0)
			return err_trace(r);
	}
	return err_trace(eval_ask(e, er, view, set->at, set));
}

/* What a rule's form makes of its rows. */
static int
form_set(struct eval *e, struct eval_rule *er, struct store_view *view, struct eval_set *set)
{
	switch (er->rule->form) {
	case RULE_THRESHOLD:
		return 0;
	case RULE_ABSENT:
		return err_trace(eval_absent(e, er, view, set));
	case RULE_NEW_PATTERN:
		return err_trace(eval_new_patterns(e, er, view, set));
	case RULE_ANOMALY:
		return err_trace(eval_anomalies(e, er, set));
	}
	return 0;
}

int
eval_group(struct eval *e, struct store_view *view, const struct rule_group *group, struct wall at,
    const struct eval_source *sources, size_t n_sources, eval_fn fn, void *ctx)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < e->n_rules; i++) {
		struct eval_rule *er = &e->rules[i];
		struct eval_set set = { .rule = er->rule, .group = group, .at = at };
		struct span start = mono_now();

		if (er->group != group)
			continue;
		if (er->rule->form == RULE_ANOMALY)
			r = eval_bands(e, er, view, at);
		arena_clear(&e->work);
		if (r == 0 && is_stale(er, at))
			r = load_stale(e, view, at);
		if (r == 0)
			r = eval_rule_set(e, er, view, &set);
		if (r == 0 && !set.failed)
			r = form_set(e, er, view, &set);
		if (r == 0)
			r = eval_give(e, er, &set, sources, n_sources, start, fn, ctx);
	}
	return err_trace(r);
}

struct wall
eval_needs_from(const struct eval *e, struct wall at)
{
	struct wall from = at;
	size_t i;

	for (i = 0; i < e->n_rules; i++)
		if (at.ns - e->rules[i].rule->window.ns < from.ns)
			from.ns = at.ns - e->rules[i].rule->window.ns;
	return from;
}

uint64_t
eval_memory(const struct eval *e)
{
	uint64_t all = e->arena.total + e->work.total;
	size_t i;

	for (i = 0; i < e->n_rules; i++)
		all += e->rules[i].stream != NULL ? eval_stream_bytes(e->rules[i].stream) : 0;
	return all;
}
