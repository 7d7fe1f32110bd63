/*
 * alerts/eval_load.c - windows out of the store.
 * One job: after a start, for rows that were too far ahead, and for instants that are evaluated again: the panes anew.
 * Floor: 4 (uses query, store, base).
 */
#include "alerts/eval_internal.h"

static int64_t
ahead_of(const struct eval_rule *er)
{
	return er->rule->window.ns > EVAL_AHEAD_NS ? er->rule->window.ns : EVAL_AHEAD_NS;
}

static void
begin(struct eval_rule *er, int64_t low, int64_t high)
{
	struct eval_stream *s = er->stream;

	window_clear(&s->window);
	s->low = low;
	s->high = high;
	s->skipped_from = INT64_MAX;
	s->loaded = true;
}

bool
eval_wants(struct eval_rule *er, const struct block_summary *sum)
{
	struct eval_stream *s = er->stream;
	int64_t beyond = sum->min_time.ns > s->high ? sum->min_time.ns : s->high + 1;

	if (sum->max_time.ns > s->high && beyond < s->skipped_from)
		s->skipped_from = beyond;
	return sum->n_rows > 0 && sum->max_time.ns > s->low && sum->min_time.ns <= s->high;
}

static int
load_block(struct eval *e, struct store_view *view, struct eval_rule **rules, size_t n,
    size_t number)
{
	struct feed_block *block = NULL;
	struct store_block_info info;
	size_t i;
	int r = 0;

	store_view_block(view, number, &info);
	if (info.first_row >= e->next_row)
		return 0;
	for (i = 0; r == 0 && i < n; i++) {
		if (!eval_wants(rules[i], &info.sum))
			continue;
		if (block == NULL)
			r = feed_open(e->feed, view, number, 0, e->next_row, &block);
		if (r < 0 || block == NULL)
			break;
		if (e->pulse != NULL)
			r = eval_beat(e, block);
		if (r == 0)
			r = eval_take_in(e, rules[i], block);
	}
	feed_close(e->feed);
	return err_trace(r);
}

static int
load_all(struct eval *e, struct store_view *view, struct eval_rule **rules, size_t n)
{
	size_t i, n_blocks = store_view_n_blocks(view);
	struct store_block_info info;
	int r = 0;

	/* Before the first rows are fed, all that is there counts as fed. */
	for (i = 0; !e->fed && i < n_blocks; i++) {
		store_view_block(view, i, &info);
		e->next_row = info.end_row > e->next_row ? info.end_row : e->next_row;
	}
	e->fed = true;
	for (i = 0; r == 0 && i < n_blocks; i++)
		r = load_block(e, view, rules, n, i);
	return err_trace(r);
}

int
eval_load(struct eval *e, struct store_view *view, struct eval_rule **rules, size_t n,
    struct wall at)
{
	size_t i;

	for (i = 0; i < n; i++)
		begin(rules[i], at.ns - rules[i]->rule->window.ns, at.ns + ahead_of(rules[i]));
	return err_trace(load_all(e, view, rules, n));
}

int
eval_load_range(struct eval *e, struct store_view *view, struct eval_rule *er, int64_t low,
    int64_t high)
{
	begin(er, low, high);
	return err_trace(load_all(e, view, &er, 1));
}
