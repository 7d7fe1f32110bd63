/*
 * alerts/eval_stream.c - rows into windows.
 * One job: the rows of a block that a rule takes, by pane and labels, as partial states of its window.
 * Floor: 4 (uses query, store, logsql, base).
 */
#include "alerts/eval_internal.h"

/* Slots of pane and group that are told apart by a table; more are sorted. */
enum { SLOTS_MAX = 1 << 16 };

static int
has_subquery(void *ctx, struct filter *f)
{
	return f->query != NULL ? 1 : 0;
}

static bool
filter_is_plain(struct filter *f)
{
	return f == NULL || filter_walk(f, has_subquery, NULL) == 0;
}

/* Whether a pipe needs nothing but the rows that come to it. */
static bool
pipe_is_plain(const struct pipe *p)
{
	size_t i;

	if (p->query != NULL || !filter_is_plain(p->filter))
		return false;
	for (i = 0; i < p->n_funcs; i++)
		if (!filter_is_plain(p->funcs[i].filter))
			return false;
	return p->kind != PIPE_JOIN && p->kind != PIPE_UNION && p->kind != PIPE_STREAM_CONTEXT &&
	    p->kind != PIPE_TRACE && p->kind != PIPE_BLOCKS_COUNT && p->kind != PIPE_BLOCK_STATS &&
	    p->kind != PIPE_QUERY_STATS;
}

/* Rows one by one before stats, and nothing anywhere that would have to read the store. */
static bool
is_stream(const struct eval_rule *er)
{
	const struct query *q = er->rule->query;
	size_t i;

	if (!er->rule->stream || er->rule->window.ns <= 0 || er->first == NULL ||
	    er->first->kind != PIPE_STATS || !filter_is_plain(q->filter))
		return false;
	for (i = 0; i < q->n_pipes; i++)
		if (!pipe_is_plain(q->pipes[i]) ||
		    (i < er->rule->n_row && q->pipes[i]->kind == PIPE_UNROLL))
			return false;
	return true;
}

static int sink_push(struct stage *s, unsigned worker, struct batch *b);

static int
sink_flush(struct stage *s)
{
	return 0;
}

static void
sink_free(struct stage *s)
{
}

static const struct stage_ops sink_ops = { "window", sink_push, sink_flush, sink_free };

static int
make_row_pipes(struct eval *e, struct eval_rule *er)
{
	struct query rows = *er->rule->query;

	rows.n_pipes = er->rule->n_row;
	e->sink.stage.ops = &sink_ops;
	e->sink.stage.env = &e->env;
	e->sink.e = e;
	return rows.n_pipes == 0
	    ? 0
	    : err_trace(stages_new(&rows, &e->env, &e->sink.stage, &er->row_pipes));
}

/* Functions with the steps that a query over the window would give them. */
static struct stats_func *
funcs_of(const struct eval_rule *er)
{
	const struct pipe *p = er->first;
	struct stats_func *funcs = calloc(p->n_funcs + 1, sizeof(*funcs));
	size_t i;

	for (i = 0; funcs != NULL && i < p->n_funcs; i++) {
		funcs[i] = p->funcs[i];
		if (funcs[i].step_s <= 0)
			funcs[i].step_s = (double)er->rule->window.ns / 1e9;
	}
	return funcs;
}

int
eval_stream_new(struct eval *e, struct eval_rule *er)
{
	const struct pipe *p;
	AUTO(eval_stream_free) struct eval_stream *s = NULL;
	struct partial partial;
	int r;

	if (!is_stream(er))
		return 0;
	p = er->first;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return err_origin(-ENOMEM);
	s->skipped_from = INT64_MAX;
	s->last = INT64_MIN;
	s->funcs = funcs_of(er);
	if (s->funcs == NULL)
		return err_origin(-ENOMEM);
	partial_init(&partial, s->funcs, p->n_funcs);
	group_part_init_by(&s->groups, p->by, p->n_by);
	if (!window_init(&s->window, &partial, er->rule->window, er->group->interval,
	        er->group->eval_offset)) {
		er->note = "window and interval have no common part that is long enough";
		return 0;
	}
	r = feed_filter(e->feed, er->rule->query->filter, &er->filter);
	if (r == 0 && er->row_pipes == NULL)
		r = make_row_pipes(e, er);
	if (r < 0)
		return err_trace(r);
	er->stream = TAKE(s);
	return 0;
}

struct eval_stream *
eval_stream_free(struct eval_stream *s)
{
	if (s == NULL)
		return NULL;
	window_fini(&s->window);
	group_part_fini(&s->groups);
	map_fini(&s->late);
	free(s->funcs);
	free(s);
	return NULL;
}

void
eval_stream_forget(struct eval_rule *er)
{
	er->stream = eval_stream_free(er->stream);
	er->note = "the panes of its window would take too much memory";
}

uint64_t
eval_stream_bytes(const struct eval_stream *s)
{
	return s->window.n_bytes + map_bytes(&s->groups.keys) + map_bytes(&s->late) +
	    s->groups.ints.cap * (sizeof(int64_t) + sizeof(uint32_t));
}

static int64_t
distance(const struct eval_range *a, const struct eval_range *b)
{
	return a->from > b->to ? a->from - b->to : b->from > a->to ? b->from - a->to : 0;
}

/* Of all ranges the two that are closest become one. */
static void
join_closest(struct eval_stream *s)
{
	size_t i, k, a = 0, b = 1;

	for (i = 0; i < s->n_gone; i++)
		for (k = i + 1; k < s->n_gone; k++)
			if (distance(&s->gone[i], &s->gone[k]) <
			    distance(&s->gone[a], &s->gone[b])) {
				a = i;
				b = k;
			}
	if (s->gone[b].from < s->gone[a].from)
		s->gone[a].from = s->gone[b].from;
	if (s->gone[b].to > s->gone[a].to)
		s->gone[a].to = s->gone[b].to;
	s->gone[b] = s->gone[--s->n_gone];
}

/* A row whose windows have all passed. */
static void
note_gone(struct eval_rule *er, int64_t t)
{
	struct eval_stream *s = er->stream;
	struct eval_range one = { t, t };
	size_t i;

	for (i = 0; i < s->n_gone; i++)
		if (distance(&s->gone[i], &one) <= er->rule->window.ns) {
			s->gone[i].from = t < s->gone[i].from ? t : s->gone[i].from;
			s->gone[i].to = t > s->gone[i].to ? t : s->gone[i].to;
			return;
		}
	if (s->n_gone == EVAL_GONE_MAX)
		join_closest(s);
	s->gone[s->n_gone++] = one;
}

/* Only rows that the window holds stay in the batch; what is with the others is noted. */
static int
keep_held(struct eval_rule *er, const int64_t *times, struct batch *b)
{
	struct eval_stream *s = er->stream;
	uint64_t *held = arena_zalloc(&b->arena, BITS_WORDS(b->n_rows) + 1, sizeof(*held));
	int64_t t;
	size_t i;

	if (held == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < b->n_rows; i++) {
		t = times[b->rows[i]];
		if (t > s->high)
			s->skipped_from = t < s->skipped_from ? t : s->skipped_from;
		else if (t > s->low)
			bits_set(held, i);
		else if (s->last != INT64_MIN)
			note_gone(er, t);
	}
	return err_trace(batch_select(b, held));
}

/* Of each label set the oldest row that came late. */
static int
note_late(struct eval_rule *er, const int64_t *times, const struct batch *b, const uint32_t *groups)
{
	struct eval_stream *s = er->stream;
	int64_t grace = er->group->interval.ns, t;
	struct map_entry *e;
	bool fresh;
	size_t i;

	if (s->last == INT64_MIN)
		return 0;
	grace = grace > EVAL_LATE_MIN_NS ? grace : EVAL_LATE_MIN_NS;
	for (i = 0; i < b->n_rows; i++) {
		t = times[b->rows[i]];
		if (t > s->last - grace || groups[i] >= s->groups.keys.n)
			continue;
		e = map_get(&s->late, s->groups.keys.entries[groups[i]].key);
		if (e == NULL && s->late.n == EVAL_LATE_KEYS_MAX)
			continue;
		e = map_put(&s->late, s->groups.keys.entries[groups[i]].key, &fresh);
		if (e == NULL)
			return err_origin(-ENOMEM);
		if (fresh || t < (int64_t)e->value)
			e->value = (uint64_t)t;
	}
	return 0;
}

/*
 * Rows by pane and group.
 * Invariants: slots ascend by pane, then group; of row i it is slots[of_row[i]].
 */
struct slot {
	int64_t pane;
	uint32_t group;
};
struct slots {
	struct slot *v;
	size_t n;
	uint32_t *of_row;
};

static int
cmp_key(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Few panes times groups: a table. */
static int
slots_by_table(const uint64_t *keys, size_t n, size_t n_table, struct arena *arena,
    struct slots *ret)
{
	uint32_t *table = arena_zalloc(arena, n_table + 1, sizeof(*table));
	size_t i, n_slots = 0;

	if (table == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < n; i++)
		table[keys[i]] = 1;
	for (i = 0; i < n_table; i++)
		n_slots += table[i];
	ret->v = arena_alloc(arena, (n_slots + 1) * sizeof(*ret->v));
	if (ret->v == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < n_table; i++)
		if (table[i] != 0) {
			ret->v[ret->n] = (struct slot){ (int64_t)i, 0 };
			table[i] = (uint32_t)ret->n++;
		}
	for (i = 0; i < n; i++)
		ret->of_row[i] = table[keys[i]];
	return 0;
}

static int
slots_by_sort(const uint64_t *keys, size_t n, struct arena *arena, struct slots *ret)
{
	uint64_t *sorted = arena_alloc(arena, (n + 1) * sizeof(*sorted));
	const uint64_t *at;
	size_t i, k = 0;

	ret->v = arena_alloc(arena, (n + 1) * sizeof(*ret->v));
	if (sorted == NULL || ret->v == NULL)
		return err_origin(-ENOMEM);
	memcpy(sorted, keys, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), cmp_key);
	for (i = 0; i < n; i++)
		if (i == 0 || sorted[i] != sorted[k - 1])
			sorted[k++] = sorted[i];
	for (i = 0; i < k; i++)
		ret->v[i] = (struct slot){ (int64_t)sorted[i], 0 };
	ret->n = k;
	for (i = 0; i < n; i++) {
		at = bsearch(&keys[i], sorted, k, sizeof(*sorted), cmp_key);
		ret->of_row[i] = (uint32_t)(at - sorted);
	}
	return 0;
}

/* The panes of rows, as steps from the first of them. */
static int64_t
first_pane(const struct window *w, const int64_t *times, const struct batch *b, int64_t *ret_last)
{
	int64_t min = INT64_MAX, max = INT64_MIN, t;
	size_t i;

	for (i = 0; i < b->n_rows; i++) {
		t = times[b->rows[i]];
		min = t < min ? t : min;
		max = t > max ? t : max;
	}
	*ret_last = window_pane(w, (struct wall){ max });
	return window_pane(w, (struct wall){ min });
}

static int
find_slots(const struct eval_stream *s, const int64_t *times, const uint32_t *groups,
    struct batch *b, struct slots *ret)
{
	const struct window *w = &s->window;
	int64_t last, first = first_pane(w, times, b, &last), pane = first;
	uint64_t n_groups =
	    s->groups.keys.n < EVAL_GROUPS_MAX ? s->groups.keys.n : EVAL_GROUPS_MAX + 1;
	uint64_t *keys = arena_alloc(&b->arena, (b->n_rows + 1) * sizeof(*keys));
	uint64_t n_table = (uint64_t)(last - first + 1) * n_groups, group;
	size_t i;
	int r;

	*ret = (struct slots){ .of_row =
		                   arena_alloc(&b->arena, (b->n_rows + 1) * sizeof(*ret->of_row)) };
	if (keys == NULL || ret->of_row == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < b->n_rows; i++) {
		if (first != last)
			pane = window_pane(w, (struct wall){ times[b->rows[i]] });
		group = groups[i] < EVAL_GROUPS_MAX ? groups[i] : EVAL_GROUPS_MAX;
		keys[i] = (uint64_t)(pane - first) * n_groups + group;
	}
	r = n_table <= SLOTS_MAX ? slots_by_table(keys, b->n_rows, n_table, &b->arena, ret)
	                         : slots_by_sort(keys, b->n_rows, &b->arena, ret);
	for (i = 0; r == 0 && i < ret->n; i++) {
		ret->v[i].group = (uint32_t)((uint64_t)ret->v[i].pane % n_groups);
		ret->v[i].pane = first + ret->v[i].pane / (int64_t)n_groups;
	}
	return err_trace(r);
}

/* States of the slots into the panes. */
static int
add_states(struct window *w, struct stats_state *states, const struct slots *slots,
    struct arena *arena)
{
	AUTO_FINI(buf_fini) struct buf bytes = BUF_INIT;
	uint32_t *ids = arena_alloc(arena, (slots->n + 1) * sizeof(*ids));
	size_t i, k;
	int r = ids == NULL ? err_origin(-ENOMEM) : 0;

	for (i = 0; r == 0 && i < slots->n; i = k) {
		for (k = i; k < slots->n && slots->v[k].pane == slots->v[i].pane; k++)
			ids[k] = slots->v[k].group;
		buf_clear(&bytes);
		r = partial_save(&w->partial, states + i * w->partial.n, ids + i, k - i, &bytes);
		if (r == 0)
			r = window_add(w, slots->v[i].pane, buf_view(&bytes));
	}
	return err_trace(r);
}

/* Rows behind the row pipes. */
static int
sink_push(struct stage *st, unsigned worker, struct batch *b)
{
	struct eval_sink *sink = (struct eval_sink *)st;
	struct eval_stream *s = sink->er->stream;
	const struct block_summary *sum = &feed_info(sink->block)->sum;
	struct stats_state *states = NULL;
	const uint32_t *groups;
	const int64_t *times;
	struct slots slots = { 0 };
	int r;

	r = feed_times(sink->block, &times);
	if (r == 0 && (sum->min_time.ns <= s->low || sum->max_time.ns > s->high))
		r = keep_held(sink->er, times, b);
	if (r < 0 || b->n_rows == 0)
		return err_trace(r);
	if (sink->er->rule->form == RULE_NEW_PATTERN)
		r = eval_pattern_columns(b);
	if (r == 0)
		r = group_rows(&s->groups, st->env, "rule", b, &groups);
	if (r == 0)
		r = note_late(sink->er, times, b, groups);
	if (r == 0)
		r = find_slots(s, times, groups, b, &slots);
	if (r == 0)
		r = partial_add(&s->window.partial, st->env, b, slots.of_row, slots.n,
		    feed_info(sink->block)->first_row, &states);
	if (r == 0)
		r = add_states(&s->window, states, &slots, &b->arena);
	if (states != NULL)
		states = partial_free(&s->window.partial, states, slots.n);
	if (s->groups.keys.n > EVAL_GROUPS_MAX)
		s->n_over = s->groups.keys.n - EVAL_GROUPS_MAX;
	if (r == 0 && s->groups.keys.n > 2 * EVAL_GROUPS_MAX)
		r = eval_drop_keys(s);
	return err_trace(r);
}

int
eval_take_in(struct eval *e, struct eval_rule *er, struct feed_block *block)
{
	const uint64_t *sel;
	const uint32_t *rows;
	int r;

	r = feed_match(block, er->filter, &sel);
	if (r < 0 || sel == NULL)
		return err_trace(r);
	r = feed_batch(block, sel, &e->batch, &rows);
	e->sink.er = er;
	e->sink.block = block;
	if (r == 0)
		r = stage_push(er->row_pipes != NULL ? er->row_pipes : &e->sink.stage, 0,
		    &e->batch);
	batch_reset(&e->batch, 0);
	return err_trace(r);
}
