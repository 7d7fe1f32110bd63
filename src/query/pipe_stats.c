/*
 * query/pipe_stats.c - the stats pipe.
 * One job: rows into groups, functions fed with them, groups of all workers merged and written.
 * Floor: 3 (uses logsql, record, base).
 */
#include "query/pipe_group.h"
#include "query/stats_state.h"

/* Invariants: states holds n_funcs of each group of groups.keys. */
struct stats_part {
	struct group_part groups;
	struct stats_state *states;
	size_t n_groups, cap_groups;
	uint64_t seq; /* rows so far */
};

struct stats_stage {
	struct stage stage;
	const struct pipe *pipe;
	struct stats_func *funcs; /* the pipe's, with their steps */
	struct stats_part parts[QUERY_WORKERS_MAX];
};

/* Zeroed states for all groups that there are now. */
static int
grow_states(struct stats_stage *s, struct stats_part *part)
{
	size_t n_funcs = s->pipe->n_funcs, cap = part->cap_groups;
	struct stats_state *states;
	int r;

	if (part->groups.keys.n > cap) {
		while (cap < part->groups.keys.n)
			cap = cap == 0 ? 16 : cap * 2;
		r = env_charge(s->stage.env, "stats",
		    (int64_t)((cap - part->cap_groups) * n_funcs * sizeof(*states)));
		if (r != 0)
			return r;
		states = reallocarray(part->states, cap * n_funcs, sizeof(*states));
		if (states == NULL)
			return err_origin(-ENOMEM);
		part->states = states;
		part->cap_groups = cap;
	}
	if (part->groups.keys.n > part->n_groups)
		memset(part->states + part->n_groups * n_funcs, 0,
		    (part->groups.keys.n - part->n_groups) * n_funcs * sizeof(*part->states));
	part->n_groups = part->groups.keys.n;
	return 0;
}

/* The rows that a function's condition takes; of a switch's default, those that no case takes. */
static int
rows_of(const struct stats_func *f, struct query_env *env, struct batch *b, const uint64_t **ret)
{
	const uint64_t *one;
	uint64_t *left;
	size_t i, w;
	int r = 0;

	if (!f->is_default)
		return pipe_rows(f->filter, env, b, ret);
	left = arena_zalloc(&b->arena, BITS_WORDS(b->n_rows) + 1, sizeof(*left));
	if (left == NULL)
		return err_origin(-ENOMEM);
	bits_fill(left, b->n_rows);
	for (i = 0; r == 0 && i < f->n_not_any; i++) {
		r = pipe_rows(f->not_any[i], env, b, &one);
		for (w = 0; r == 0 && w < BITS_WORDS(b->n_rows); w++)
			left[w] &= one != NULL ? ~one[w] : 0;
	}
	*ret = left;
	return r;
}

static int
stats_push(struct stage *st, unsigned worker, struct batch *b)
{
	struct stats_stage *s = (struct stats_stage *)st;
	struct stats_part *part = &s->parts[worker];
	struct stats_batch sb = { .b = b, .env = st->env, .stride = s->pipe->n_funcs };
	size_t i;
	int r;

	if (b->n_rows == 0)
		return 0;
	sb.first_order = ((uint64_t)worker << 48) + part->seq;
	part->seq += b->n_rows;
	r = group_rows(&part->groups, st->env, "stats", b, &sb.groups);
	if (r == 0)
		r = grow_states(s, part);
	sb.n_groups = part->n_groups;
	for (i = 0; r == 0 && i < s->pipe->n_funcs; i++) {
		const struct stats_func *f = &s->funcs[i];

		r = rows_of(f, st->env, b, &sb.rows);
		sb.states = part->states + i;
		if (r == 0)
			r = stats_ops_of(f->kind)->add(f, &sb);
		if (r == 0 && b->err != 0)
			r = b->err;
	}
	if (r == 0 && sb.grown != 0)
		r = env_charge(st->env, "stats", sb.grown);
	return r;
}

static int
merge_part(struct stats_stage *s, struct stats_part *from)
{
	struct stats_part *to = &s->parts[0];
	size_t i, k, at, n = s->pipe->n_funcs;
	int r = 0;

	for (i = 0; r == 0 && i < from->n_groups; i++) {
		struct map_entry *e =
		    map_put(&to->groups.keys, from->groups.keys.entries[i].key, NULL);

		if (e == NULL)
			return err_origin(-ENOMEM);
		at = (size_t)(e - to->groups.keys.entries);
		r = grow_states(s, to);
		for (k = 0; r == 0 && k < n; k++)
			r = stats_ops_of(s->funcs[k].kind)
			        ->merge(&s->funcs[k], &to->states[at * n + k],
			            &from->states[i * n + k]);
	}
	return r;
}

static int
put_group(struct stats_stage *s, size_t group, struct rows_out *out, struct buf *text)
{
	const struct pipe *p = s->pipe;
	struct str key = s->parts[0].groups.keys.entries[group].key;
	size_t i;
	int r = 0;

	for (i = 0; i < p->n_by; i++)
		rows_out_set(out, i, p->n_by == 1 ? key : key_take(&key));
	for (i = 0; r == 0 && i < p->n_funcs; i++) {
		buf_clear(text);
		r = stats_ops_of(s->funcs[i].kind)
		        ->put(&s->funcs[i], &s->parts[0].states[group * p->n_funcs + i], text);
		if (r == 0)
			r = buf_err(text);
		if (r == 0)
			r = rows_out_copy(out, p->n_by + i, buf_view(text));
	}
	return r != 0 ? r : rows_out_next(out);
}

static int
key_order(const void *a, const void *b, void *ctx)
{
	const struct map *keys = ctx;
	const size_t *x = a, *y = b;

	return str_cmp(keys->entries[*x].key, keys->entries[*y].key);
}

static int
put_groups(struct stats_stage *s, struct rows_out *out)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	struct map *keys = &s->parts[0].groups.keys;
	AUTO_FREE size_t *order = calloc(keys->n + 1, sizeof(*order));
	size_t i;
	int r = 0;

	if (order == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < keys->n; i++)
		order[i] = i;
	/* So that the answer is the same, however the rows were shared among workers. */
	qsort_r(order, keys->n, sizeof(*order), key_order, keys);
	for (i = 0; r == 0 && i < keys->n && !atomic_load(&s->stage.env->cancelled); i++)
		r = put_group(s, order[i], out, &text);
	return r != 0 ? r : rows_out_flush(out);
}

static int
stats_flush(struct stage *st)
{
	struct stats_stage *s = (struct stats_stage *)st;
	const struct pipe *p = s->pipe;
	AUTO_FREE struct str *names = calloc(p->n_by + p->n_funcs + 1, sizeof(*names));
	struct rows_out out;
	size_t i;
	int r = names == NULL ? err_origin(-ENOMEM) : 0;

	for (i = 1; r == 0 && i < QUERY_WORKERS_MAX; i++)
		r = merge_part(s, &s->parts[i]);
	/* Without rows and without groups there is still one answer: nothing. */
	if (r == 0 && p->n_by == 0 && s->parts[0].groups.keys.n == 0) {
		if (map_put(&s->parts[0].groups.keys, STR_NONE, NULL) == NULL)
			return err_origin(-ENOMEM);
		r = grow_states(s, &s->parts[0]);
	}
	if (r != 0)
		return r;
	for (i = 0; i < p->n_by; i++)
		names[i] = p->by[i].name;
	for (i = 0; i < p->n_funcs; i++)
		names[p->n_by + i] = p->funcs[i].name;
	r = rows_out_init(&out, st->next, 0, names, p->n_by + p->n_funcs);
	if (r == 0)
		r = put_groups(s, &out);
	rows_out_fini(&out);
	return r != 0 ? r : stage_flush(st->next);
}

static void
stats_free(struct stage *st)
{
	struct stats_stage *s = (struct stats_stage *)st;
	size_t i, k, n = s->pipe->n_funcs;

	for (i = 0; i < QUERY_WORKERS_MAX; i++) {
		struct stats_part *part = &s->parts[i];

		for (k = 0; k < part->n_groups * n; k++)
			stats_ops_of(s->funcs[k % n].kind)->fini(&part->states[k]);
		free(part->states);
		group_part_fini(&part->groups);
	}
	free(s->funcs);
	free(s);
}

static const struct stage_ops stats_stage_ops = { "stats", stats_push, stats_flush, stats_free };

int
pipe_stats_make(const struct stage_args *a, struct stage **ret)
{
	struct stats_stage *s;
	struct stage *st;
	size_t i;
	int r;

	r = stage_alloc(sizeof(struct stats_stage), &stats_stage_ops, a->env, &st);
	if (r != 0)
		return r;
	s = (struct stats_stage *)st;
	s->pipe = a->pipe;
	s->funcs = calloc(a->pipe->n_funcs + 1, sizeof(*s->funcs));
	if (s->funcs == NULL) {
		free(s);
		return err_origin(-ENOMEM);
	}
	for (i = 0; i < a->pipe->n_funcs; i++) {
		s->funcs[i] = a->pipe->funcs[i];
		if (s->funcs[i].step_s <= 0)
			s->funcs[i].step_s = a->range_s;
	}
	for (i = 0; i < QUERY_WORKERS_MAX; i++)
		group_part_init_by(&s->parts[i].groups, a->pipe->by, a->pipe->n_by);
	*ret = st;
	return 0;
}
