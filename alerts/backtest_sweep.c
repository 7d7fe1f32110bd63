/*
 * alerts/backtest_sweep.c - other thresholds.
 * One job: copies of rules whose last comparison of a number has another number.
 * Floor: 4 (uses logsql, base).
 */
#include <math.h>

#include "alerts/backtest.h"
#include "base/hash.h"
#include "logsql/filter.h"
#include "logsql/pipe.h"

static const double factors[BACKTEST_SWEEP] = { 0.25, 0.5, 0.75, 1, 1.5, 2, 4 };
static const double from_zero[BACKTEST_SWEEP] = { 0, 1, 2, 5, 10, 50, 100 };

/* ---- finding it ---- */

struct find {
	struct filter *leaf;
};

static int
is_comparison(void *ctx, struct filter *f)
{
	struct find *find = ctx;

	if (f->kind == FILTER_RANGE && f->repr.n > 1 &&
	    (f->repr.p[0] == '>' || f->repr.p[0] == '<'))
		find->leaf = f;
	return 0;
}

/* The last pipe with a comparison behind stats. */
static struct filter *
find_comparison(const struct rule *r, size_t *ret_pipe)
{
	struct find find = { NULL };
	size_t i;

	if (r->form != RULE_THRESHOLD)
		return NULL;
	for (i = r->query->n_pipes; i-- > r->n_row + 1 && find.leaf == NULL;) {
		*ret_pipe = i;
		if (r->query->pipes[i]->kind == PIPE_FILTER)
			(void)filter_walk(r->query->pipes[i]->filter, is_comparison, &find);
	}
	return find.leaf;
}

/* ---- copies ---- */

static struct filter *
copy_filter(struct arena *arena, struct filter *f, const struct filter *leaf, struct filter *other)
{
	struct filter *copy;
	size_t i;

	if (f == leaf)
		return other;
	if (f->n_children == 0)
		return f;
	copy = arena_alloc(arena, sizeof(*copy));
	if (copy == NULL)
		return NULL;
	*copy = *f;
	copy->children = arena_zalloc(arena, f->n_children, sizeof(struct filter *));
	if (copy->children == NULL)
		return NULL;
	for (i = 0; i < f->n_children; i++) {
		copy->children[i] = copy_filter(arena, f->children[i], leaf, other);
		if (copy->children[i] == NULL)
			return NULL;
	}
	return copy;
}

/* ${q} with the leaf of pipe ${at} replaced. */
static struct query *
copy_query(struct arena *arena, const struct query *q, size_t at, const struct filter *leaf,
    struct filter *other)
{
	struct query *copy = arena_alloc(arena, sizeof(*copy));
	struct pipe *pipe = arena_alloc(arena, sizeof(*pipe));

	if (copy == NULL || pipe == NULL)
		return NULL;
	*copy = *q;
	*pipe = *q->pipes[at];
	pipe->filter = copy_filter(arena, q->pipes[at]->filter, leaf, other);
	copy->pipes = arena_zalloc(arena, q->n_pipes, sizeof(struct pipe *));
	if (copy->pipes == NULL || pipe->filter == NULL)
		return NULL;
	memcpy(copy->pipes, q->pipes, q->n_pipes * sizeof(struct pipe *));
	copy->pipes[at] = pipe;
	return copy;
}

static double
bound_of(const struct filter *leaf)
{
	bool greater = leaf->repr.p[0] == '>';
	double v = greater ? leaf->min : leaf->max;

	/* Without '=' the bound is the next number. */
	return leaf->repr.p[1] == '=' ? v : nextafter(v, greater ? -INFINITY : INFINITY);
}

static void
set_bound(struct filter *leaf, double v)
{
	bool greater = leaf->repr.p[0] == '>';

	if (leaf->repr.p[1] != '=')
		v = nextafter(v, greater ? INFINITY : -INFINITY);
	if (greater)
		leaf->min = v;
	else
		leaf->max = v;
}

static uint64_t
copy_id(uint64_t id, size_t k)
{
	return hash64_seed(STR("sweep"), id + k);
}

static int
copy_rule(struct backtest *b, const struct backtest_rule *br, struct filter *leaf, size_t pipe,
    size_t k, struct rule *ret)
{
	struct filter *other = arena_alloc(&b->arena, sizeof(*other));

	if (other == NULL)
		return err_origin(-ENOMEM);
	*other = *leaf;
	set_bound(other, br->thresholds[k]);
	*ret = *br->rule;
	ret->query = copy_query(&b->arena, br->rule->query, pipe, leaf, other);
	ret->id = copy_id(br->rule->id, k);
	ret->n_annotations = 0;
	return ret->query != NULL ? 0 : err_origin(-ENOMEM);
}

static int
name_threshold(struct backtest *b, struct backtest_rule *br, const struct filter *leaf)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	double v = bound_of(leaf);
	size_t k;

	buf_printf(&text, "%.*s:%.*s", STR_ARG(leaf->field), leaf->repr.p[1] == '=' ? 2 : 1,
	    (const char *)leaf->repr.p);
	br->threshold_of = arena_dup(&b->arena, buf_view(&text));
	for (k = 0; k < BACKTEST_SWEEP; k++)
		br->thresholds[k] = v != 0 ? v * factors[k] : from_zero[k];
	br->swept = true;
	return br->threshold_of.p != NULL ? 0 : err_origin(-ENOMEM);
}

static int
sweep_group(struct backtest *b, const struct rule_group *g, struct rule_group *ret)
{
	struct backtest_rule *br;
	size_t i, k, pipe = 0;
	int r = 0;

	*ret = *g;
	ret->n_rules = 0;
	ret->rules = arena_zalloc(&b->arena, g->n_rules * BACKTEST_SWEEP + 1, sizeof(*ret->rules));
	if (ret->rules == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; r == 0 && i < b->n_rules; i++) {
		struct filter *leaf;

		br = &b->rules[i];
		leaf = br->group == g && br->rule->kind == RULE_ALERT
		    ? find_comparison(br->rule, &pipe)
		    : NULL;
		if (leaf == NULL)
			continue;
		r = name_threshold(b, br, leaf);
		for (k = 0; r == 0 && k < BACKTEST_SWEEP; k++)
			r = copy_rule(b, br, leaf, pipe, k, &ret->rules[ret->n_rules++]);
	}
	return r;
}

int
sweep_rules(struct backtest *b, const struct rule_set *set, struct rule_set *ret)
{
	size_t i;
	int r = 0;

	*ret = (struct rule_set){ 0 };
	ret->groups = arena_zalloc(&b->arena, set->n_groups + 1, sizeof(*ret->groups));
	if (ret->groups == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; r == 0 && i < set->n_groups; i++) {
		r = sweep_group(b, &set->groups[i], &ret->groups[ret->n_groups]);
		ret->n_groups += ret->groups[ret->n_groups].n_rules > 0;
	}
	return r;
}

struct backtest_rule *
sweep_find(struct backtest *b, uint64_t id, size_t *ret_k)
{
	size_t i, k;

	for (i = 0; i < b->n_rules; i++)
		for (k = 0; b->rules[i].swept && k < BACKTEST_SWEEP; k++)
			if (copy_id(b->rules[i].rule->id, k) == id) {
				*ret_k = k;
				return &b->rules[i];
			}
	return NULL;
}
