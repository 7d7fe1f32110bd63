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

	*er = (struct eval_rule){ .rule = rule, .group = g };
	return err_trace(eval_shape(er, &e->arena));
}

int
eval_new(struct eval **ret, const struct rule_set *set, const struct eval_options *opt)
{
	AUTO(eval_free) struct eval *e = calloc(1, sizeof(*e));
	size_t i, k, n = 0;
	int r = 0;

	if (e == NULL)
		return err_origin(-ENOMEM);
	e->set = set;
	e->opt = *opt;
	for (i = 0; i < set->n_groups; i++)
		n += set->groups[i].n_rules;
	e->rules = calloc(n + 1, sizeof(*e->rules));
	if (e->rules == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; r == 0 && i < set->n_groups; i++)
		for (k = 0; r == 0 && k < set->groups[i].n_rules; k++)
			r = add_rule(e, &set->groups[i], &set->groups[i].rules[k]);
	if (r < 0)
		return err_trace(r);
	*ret = TAKE(e);
	return 0;
}

struct eval *
eval_free(struct eval *e)
{
	if (e == NULL)
		return NULL;
	free(e->rules);
	arena_fini(&e->work);
	arena_fini(&e->arena);
	free(e);
	return NULL;
}

int
eval_warm(struct eval *e, struct store_view *view, struct wall at)
{
	return 0;
}

int
eval_feed(struct eval *e, struct store_view *view, uint64_t first_row, uint64_t *ret_next_row)
{
	struct store_block_info info;
	uint64_t next = first_row;
	size_t i, n = store_view_n_blocks(view);

	for (i = 0; i < n; i++) {
		store_view_block(view, i, &info);
		next = info.end_row > next ? info.end_row : next;
	}
	*ret_next_row = next;
	return 0;
}

static int
eval_rule(struct eval *e, struct eval_rule *er, struct store_view *view, struct wall at,
    const struct eval_source *sources, size_t n_sources, eval_fn fn, void *ctx)
{
	struct eval_set set = { .rule = er->rule, .group = er->group, .at = at };
	struct span start = mono_now();
	uint64_t limit = er->group->limit;
	int r;

	arena_clear(&e->work);
	r = eval_ask(e, er, view, at, &set);
	if (r == 0 && !set.failed)
		r = eval_unknown(e, er, at, sources, n_sources, &set);
	if (r < 0)
		return err_trace(r);
	if (limit != 0 && set.n > limit) {
		set.n_over += set.n - limit;
		set.n = limit;
	}
	set.took.ns = mono_now().ns - start.ns;
	return err_trace(fn(ctx, &set));
}

int
eval_group(struct eval *e, struct store_view *view, const struct rule_group *group, struct wall at,
    const struct eval_source *sources, size_t n_sources, eval_fn fn, void *ctx)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < e->n_rules; i++)
		if (e->rules[i].group == group)
			r = eval_rule(e, &e->rules[i], view, at, sources, n_sources, fn, ctx);
	return err_trace(r);
}

int
eval_late(struct eval *e, struct store_view *view, const struct rule_group *group, eval_fn fn,
    void *ctx)
{
	return 0;
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
	return e->arena.total + e->work.total;
}
