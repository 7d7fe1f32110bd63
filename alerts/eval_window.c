/*
 * alerts/eval_window.c - what a window says.
 * One job: the merged partial states of a rule's window as rows, through the pipes behind stats, as results.
 * Floor: 4 (uses query, logsql, base).
 */
#include "alerts/eval_internal.h"

/* Label sets that left the window stay in the dictionary until they are so many more than those in it. */
enum { DEAD_KEYS_MAX = 4096 };

/* One group of the window. */
struct row {
	struct str key;
	uint32_t group;
	struct str entry;
};

struct last {
	struct stage stage;
	struct eval_take *take;
};

static int
last_push(struct stage *s, unsigned worker, struct batch *b)
{
	return err_trace(eval_take_batch(((struct last *)s)->take, b));
}

static int
last_flush(struct stage *s)
{
	return 0;
}

static void
last_free(struct stage *s)
{
}

static const struct stage_ops last_ops = { "results", last_push, last_flush, last_free };

static int
cmp_rows(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return str_cmp(x->key, y->key);
}

/* The groups in the order in which the stats pipe gives them. */
static int
list_rows(struct eval *e, const struct eval_rule *er, struct str bytes, struct row **ret,
    size_t *ret_n)
{
	const struct eval_stream *s = er->stream;
	struct partial_cursor c = partial_open(&s->window.partial, bytes);
	struct row *rows;
	size_t n = 0;

	while (partial_next(&c))
		n++;
	rows = arena_alloc(&e->work, (n + 1) * sizeof(*rows));
	if (rows == NULL)
		return err_origin(-ENOMEM);
	c = partial_open(&s->window.partial, bytes);
	for (n = 0; partial_next(&c); n++)
		rows[n] = (struct row){ c.group < s->groups.keys.n && c.group < EVAL_GROUPS_MAX
			    ? s->groups.keys.entries[c.group].key
			    : STR_NONE,
			c.group, c.entry };
	if (c.in.bad)
		return err_origin(-EPROTO);
	if (n == 0 && s->groups.n == 0)
		rows[n++] = (struct row){ 0 };
	qsort(rows, n, sizeof(*rows), cmp_rows);
	*ret = rows;
	*ret_n = n;
	return 0;
}

static int
put_row(const struct eval_rule *er, const struct row *row, struct rows_out *out, struct buf *text,
    size_t *ends)
{
	const struct eval_stream *s = er->stream;
	struct str key = row->key, all;
	size_t i, n_by = s->groups.n, from = 0;
	int r;

	for (i = 0; i < n_by; i++)
		rows_out_set(out, i,
		    row->group >= EVAL_GROUPS_MAX ? STR_NONE
		        : n_by == 1               ? key
		                                  : key_take(&key));
	if (s->n_over > 0)
		rows_out_set(out, n_by + s->window.partial.n,
		    row->group >= EVAL_GROUPS_MAX ? STR("true") : STR_NONE);
	buf_clear(text);
	r = partial_show(&s->window.partial, row->entry, text, ends);
	all = buf_view(text);
	for (i = 0; r == 0 && i < s->window.partial.n; i++) {
		r = rows_out_copy(out, n_by + i, str_sub(all, from, ends[i]));
		from = ends[i];
	}
	return r != 0 ? err_trace(r) : err_trace(rows_out_next(out));
}

static int
put_rows(const struct eval_rule *er, const struct row *rows, size_t n, struct stage *first)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	const struct pipe *p = er->first;
	AUTO_FREE struct str *names = calloc(p->n_by + p->n_funcs + 1, sizeof(*names));
	AUTO_FREE size_t *ends = calloc(p->n_funcs + 1, sizeof(*ends));
	bool over = er->stream->n_over > 0;
	struct rows_out out;
	size_t i;
	int r;

	if (names == NULL || ends == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < p->n_by; i++)
		names[i] = p->by[i].name;
	for (i = 0; i < p->n_funcs; i++)
		names[p->n_by + i] = p->funcs[i].name;
	names[p->n_by + p->n_funcs] = STR("overflow");
	/* One column more, which is there only when it says something. */
	r = rows_out_init(&out, first, 0, names, p->n_by + p->n_funcs + (over ? 1 : 0));
	for (i = 0; r == 0 && i < n; i++)
		r = put_row(er, &rows[i], &out, &text, ends);
	if (r == 0)
		r = rows_out_flush(&out);
	rows_out_fini(&out);
	return r != 0 ? err_trace(r) : err_trace(stage_flush(first));
}

/* The pipes behind stats over the rows. */
static int
run_rest(struct eval *e, struct eval_rule *er, struct wall at, const struct row *rows, size_t n,
    struct eval_set *ret)
{
	struct eval_take take = { .er = er, .arena = &e->work, .set = ret };
	struct query_env env = { .n_workers = 1,
		.now = at,
		.zone_s = e->opt.zone_s,
		.memory_max = EVAL_ASK_MEMORY_MAX,
		.newest_floor = INT64_MIN };
	struct last last = { { &last_ops, NULL, &env }, &take };
	struct query rest = *er->rule->query;
	struct stage *first = NULL;
	int r;

	atomic_flag_clear(&env.error_set);
	rest.pipes += er->rule->n_row + 1;
	rest.n_pipes = er->n_asked > er->rule->n_row + 1 ? er->n_asked - er->rule->n_row - 1 : 0;
	r = filter_new_time((struct wall){ at.ns - er->rule->window.ns + 1 }, at, &e->work,
	    &rest.filter);
	if (r == 0)
		r = stages_new(&rest, &env, &last.stage, &first);
	if (r < 0)
		return err_trace(r);
	r = put_rows(er, rows, n, first);
	stages_free(first, &last.stage);
	if (r < 0 && env.error[0] != '\0')
		return err_trace(eval_fail(e, ret, str_c(env.error)));
	return err_trace(r);
}

/* Whose rows came late. */
static int
tell_late(struct eval *e, struct eval_rule *er, struct wall at, struct eval_set *set)
{
	struct eval_stream *s = er->stream;
	struct label *pairs = arena_alloc(&e->work, (s->groups.n + 1) * sizeof(*pairs));
	int64_t newest = INT64_MIN;
	size_t i, k;
	int r = 0;

	if (pairs == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; r == 0 && i < s->late.n; i++) {
		struct str key = s->late.entries[i].key;
		int64_t t = (int64_t)s->late.entries[i].value;
		struct labels labels;

		newest = t > newest ? t : newest;
		if (t <= at.ns - er->rule->window.ns)
			continue;
		for (k = 0; k < s->groups.n && k < er->labels.n; k++)
			pairs[k] = (struct label){ er->labels.p[k],
				s->groups.n == 1 ? key : key_take(&key) };
		r = labels_make(&e->work, pairs, k, &labels);
		for (k = 0; r == 0 && k < set->n; k++)
			if (labels_equal(&labels, &set->results[k].labels))
				set->results[k].late_from.ns = t;
	}
	if (newest <= at.ns - er->rule->window.ns)
		map_clear(&s->late);
	return err_trace(r);
}

/* What the next instant needs no more. */
static int
move_on(struct eval_rule *er, struct wall at, int64_t pane, size_t n_live)
{
	struct eval_stream *s = er->stream;
	int64_t step = er->group->interval.ns, ahead = er->rule->window.ns;

	ahead = at.ns + (ahead > EVAL_AHEAD_NS ? ahead : EVAL_AHEAD_NS);
	s->last = at.ns;
	s->low = at.ns + step - er->rule->window.ns;
	window_drop(&s->window, window_first(&s->window, pane + step / s->window.pane_ns));
	if (ahead >= s->skipped_from)
		ahead = s->skipped_from - 1;
	s->high = ahead > s->high ? ahead : s->high;
	return s->groups.keys.n > 4 * n_live + DEAD_KEYS_MAX ? err_trace(eval_drop_keys(er->stream))
	                                                     : 0;
}

int
eval_window(struct eval *e, struct eval_rule *er, struct wall at, struct eval_set *ret)
{
	AUTO_FINI(buf_fini) struct buf bytes = BUF_INIT;
	struct eval_stream *s = er->stream;
	int64_t pane = window_pane(&s->window, at);
	struct row *rows = NULL;
	size_t n = 0;
	int r;

	if (window_start(&s->window, pane + 1).ns != at.ns)
		return 1;
	r = window_get(&s->window, pane, &bytes);
	if (r == 0)
		r = list_rows(e, er, buf_view(&bytes), &rows, &n);
	if (r == 0)
		r = run_rest(e, er, at, rows, n, ret);
	if (r == 0 && s->late.n > 0)
		r = tell_late(e, er, at, ret);
	ret->n_over = s->n_over;
	return r < 0 ? err_trace(r) : err_trace(move_on(er, at, pane, n));
}
