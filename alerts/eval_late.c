/*
 * alerts/eval_late.c - instants that late rows have re-opened.
 * One job: windows that had passed when their rows came, evaluated again, each range of them with one reading of the store.
 * Floor: 4 (uses query, store, base).
 *
 * A late row whose time lies in a window that is still to come needs nothing here: it is in its pane.
 */
#include "alerts/eval_internal.h"

static int
cmp_ranges(const void *a, const void *b)
{
	const struct eval_range *x = a, *y = b;

	return (x->from > y->from) - (x->from < y->from);
}

int64_t
eval_instant_from(const struct rule_group *g, int64_t t)
{
	int64_t step = g->interval.ns, rest = (t - g->eval_offset.ns) % step;

	if (rest < 0)
		rest += step;
	return rest == 0 ? t : t - rest + step;
}

/* The instants of [first, last], some left out when they are too many. */
static int
give_instants(struct eval *e, struct eval_rule *er, const struct eval_range *range, int64_t first,
    int64_t last, size_t *left, eval_fn fn, void *ctx)
{
	int64_t step = er->group->interval.ns, n = (last - first) / step + 1, wider;
	size_t i;
	int r = 0;

	wider = *left == 0 ? n : (n + (int64_t)*left - 1) / (int64_t)*left;
	for (; r == 0 && first <= last; first += step * wider) {
		struct eval_set set = { .rule = er->rule, .group = er->group, .at = { first } };
		struct span start = mono_now();

		arena_clear(&e->work);
		*left -= *left > 0 ? 1 : 0;
		r = eval_window(e, er, set.at, &set);
		if (r != 0)
			return r < 0 ? err_trace(r) : 0;
		for (i = 0; i < set.n; i++)
			set.results[i].late_from.ns = range->from;
		r = eval_give(e, er, &set, NULL, 0, start, fn, ctx);
	}
	return err_trace(r);
}

/* With a window of its own beside that of the rule, which goes on as it was. */
static int
give_range(struct eval *e, struct eval_rule *er, struct store_view *view,
    const struct eval_range *range, size_t *left, eval_fn fn, void *ctx)
{
	struct eval_stream *own = er->stream;
	int64_t first = eval_instant_from(er->group, range->from);
	int64_t last = range->to + er->rule->window.ns - 1;
	int r;

	last = last < own->last ? last : own->last;
	if (first > last)
		return 0;
	er->stream = NULL;
	r = eval_stream_new(e, er);
	if (r == 0 && er->stream != NULL)
		r = eval_load_range(e, view, er, first - er->rule->window.ns, last);
	if (r == 0 && er->stream != NULL)
		r = give_instants(e, er, range, first, last, left, fn, ctx);
	(void)eval_stream_free(er->stream);
	er->stream = own;
	return err_trace(r);
}

int
eval_late(struct eval *e, struct store_view *view, const struct rule_group *group, eval_fn fn,
    void *ctx)
{
	struct eval_range gone[EVAL_GONE_MAX];
	size_t i, k, n, left = EVAL_LATE_MAX;
	int r = 0;

	for (i = 0; r == 0 && i < e->n_rules; i++) {
		struct eval_rule *er = &e->rules[i];

		if (er->group != group || er->stream == NULL || er->stream->n_gone == 0)
			continue;
		n = er->stream->n_gone;
		memcpy(gone, er->stream->gone, n * sizeof(*gone));
		er->stream->n_gone = 0;
		qsort(gone, n, sizeof(*gone), cmp_ranges);
		for (k = 0; r == 0 && k < n; k++)
			r = give_range(e, er, view, &gone[k], &left, fn, ctx);
	}
	return err_trace(r);
}
