/*
 * logsql/filter_simplify.c - simpler filters.
 * One job: the same filter with less to do: flat, without constants, cheap tests first.
 * Floor: 2 (uses record, base).
 */
#include "logsql/filter_internal.h"

/* Of the kinds that cost more or less than a search in the value. */
static const unsigned char costs[] = {
	[FILTER_TIME] = 1,
	[FILTER_DAY_RANGE] = 1,
	[FILTER_WEEK_RANGE] = 1,
	[FILTER_STREAM] = 2,
	[FILTER_STREAM_ID] = 2,
	[FILTER_EXACT] = 4,
	[FILTER_IN] = 4,
	[FILTER_MIN_LEVEL] = 4,
	[FILTER_RANGE] = 4,
	[FILTER_REGEX] = 30,
	[FILTER_NOCASE_PHRASE] = 25,
	[FILTER_NOCASE_PREFIX] = 25,
	[FILTER_PATTERN] = 40,
	[FILTER_JSON_ARRAY_ANY] = 40,
};

unsigned
filter_cost(const struct filter *f)
{
	unsigned cost = 0;
	size_t i;

	for (i = 0; i < f->n_children; i++)
		cost += filter_cost(f->children[i]);
	if (f->n_children != 0)
		return cost;
	if (f->kind == FILTER_REGEX && regex_literals(f->regex)->n == 0)
		return 100;
	if ((size_t)f->kind < ARRAY_LEN(costs) && costs[f->kind] != 0)
		return costs[f->kind];
	if (f->kind == FILTER_ALL || f->kind == FILTER_NONE)
		return 0;
	/* Long text is dearer to read than the short values of other fields. */
	return str_eq(f->field, STR("_msg")) ? 20 : 8;
}

/* By cost, and else as they were. */
static void
sort_by_cost(struct filter **p, size_t n)
{
	struct filter *f;
	size_t i, k;

	for (i = 1; i < n; i++) {
		f = p[i];
		for (k = i; k > 0 && filter_cost(p[k - 1]) > filter_cost(f); k--)
			p[k] = p[k - 1];
		p[k] = f;
	}
}

static int
new_constant(const struct filter *like, enum filter_kind kind, struct arena *arena,
    struct filter **ret)
{
	*ret = arena_zalloc(arena, 1, sizeof(**ret));
	if (*ret == NULL)
		return err_origin(-ENOMEM);
	(*ret)->kind = kind;
	(*ret)->field = like->field;
	return 0;
}

/* AND: NONE decides, ALL is left out; OR the other way round. */
static int
simplify_list(struct filter *f, struct arena *arena, struct filter **ret)
{
	enum filter_kind decides = f->kind == FILTER_AND ? FILTER_NONE : FILTER_ALL;
	enum filter_kind nothing = f->kind == FILTER_AND ? FILTER_ALL : FILTER_NONE;
	struct filter_list list = { 0 };
	struct filter *c;
	size_t i, k;
	int r = 0;

	for (i = 0; i < f->n_children && r == 0; i++) {
		r = filter_simplify(f->children[i], arena, &c);
		if (r != 0)
			return err_trace(r);
		if (c->kind == decides) {
			*ret = c;
			return 0;
		}
		if (c->kind == nothing)
			continue;
		if (c->kind != f->kind)
			r = filter_list_add(&list, arena, c);
		else
			for (k = 0; k < c->n_children && r == 0; k++)
				r = filter_list_add(&list, arena, c->children[k]);
	}
	if (r != 0)
		return err_trace(r);
	if (list.n == 0)
		return err_trace(new_constant(f, nothing, arena, ret));
	/* Insertion sort is quadratic; a list this long is a machine's, in no order anyway. */
	if (list.n <= 64)
		sort_by_cost(list.p, list.n);
	return err_trace(filter_new_node(arena, f->kind, list.p, list.n, ret));
}

static int
simplify_not(struct filter *f, struct arena *arena, struct filter **ret)
{
	struct filter *c;
	int r;

	r = filter_simplify(f->children[0], arena, &c);
	if (r != 0)
		return err_trace(r);
	if (c->kind == FILTER_ALL || c->kind == FILTER_NONE)
		return err_trace(
		    new_constant(f, c->kind == FILTER_ALL ? FILTER_NONE : FILTER_ALL, arena, ret));
	if (c->kind == FILTER_NOT) {
		*ret = c->children[0];
		return 0;
	}
	return err_trace(filter_new_node(arena, FILTER_NOT, &c, 1, ret));
}

/* Leaves that are constant for their arguments; a subquery's values are not known yet. */
static enum filter_kind
leaf_constant(const struct filter *f)
{
	size_t i;

	if (f->query != NULL || f->kind == FILTER_ALL)
		return f->kind;
	if (f->set != NULL && f->set->n == 0)
		return f->kind == FILTER_CONTAINS_ALL ? FILTER_ALL : FILTER_NONE;
	if (f->kind == FILTER_CONTAINS_ANY && map_get(f->set, STR_NONE) != NULL)
		return FILTER_ALL;
	if (f->kind == FILTER_EXACT_PREFIX && f->text.n == 0)
		return FILTER_ALL;
	if (f->kind == FILTER_TIME && f->time_min > f->time_max)
		return FILTER_NONE;
	if (f->kind == FILTER_SEQ) {
		for (i = 0; i < f->n_values; i++)
			if (f->values[i].n != 0)
				return f->kind;
		return FILTER_ALL;
	}
	return f->kind;
}

int
filter_simplify(struct filter *f, struct arena *arena, struct filter **ret)
{
	enum filter_kind constant;

	if (f->kind == FILTER_AND || f->kind == FILTER_OR)
		return err_trace(simplify_list(f, arena, ret));
	if (f->kind == FILTER_NOT)
		return err_trace(simplify_not(f, arena, ret));
	constant = leaf_constant(f);
	if (constant != f->kind)
		return err_trace(new_constant(f, constant, arena, ret));
	*ret = f;
	return 0;
}
