/*
 * query/pipe_stats.c - the stats pipe.
 * One job: rows into groups, functions fed with them, groups of all workers merged and written.
 * Floor: 3 (uses logsql, record, base).
 */
#include "query/pipe_group.h"
#include "query/stats_extreme.h"

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
	size_t *
	    same; /* the function whose state this one shares: itself, or an earlier one of the same values */
	bool counts; /* all functions count all rows */
	bool codes;  /* all functions that gather take the codes of groups for the groups of rows */
	struct stats_part parts[QUERY_WORKERS_MAX];
};

/* Whether it counts all rows. */
static bool
counts_rows(const struct stats_func *f)
{
	return f->kind == STATS_COUNT && f->names.n == 1 && str_eq(f->names.p[0], STR("*")) &&
	    f->filter == NULL && !f->is_default;
}

/* Whether a function may be asked to add a batch by the codes of its groups. */
static bool
takes_codes(const struct stats_func *f)
{
	const struct stats_ops *ops = stats_ops_of(f->kind);

	return counts_rows(f) ||
	    ((ops == &stats_quantile_ops || ops == &stats_min_ops || ops == &stats_max_ops) &&
	        f->filter == NULL && !f->is_default);
}

static int
count_coded(struct stats_batch *sb)
{
	const struct group_coded *c = sb->coded;
	size_t i;

	for (i = 0; i < c->n; i++)
		if (c->counts[i] != 0)
			sb->states[c->groups[i] * sb->stride].n += c->counts[i];
	return 0;
}

/* By the codes of the rows; 1: that cannot be, and nothing was added. */
static int
add_coded(const struct stats_func *f, struct stats_batch *sb)
{
	if (f->kind == STATS_COUNT)
		return count_coded(sb);
	return err_trace(stats_ops_of(f->kind) == &stats_quantile_ops ? quantile_add_coded(f, sb)
	                                                              : extreme_add_coded(f, sb));
}

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

/* Functions that only count rows: where groups are known by code, no row is looked at.  ${ret_done} says so. */
static int
push_counts(struct stats_stage *s, struct stats_part *part, struct batch *b, bool *ret_done)
{
	size_t i, k, n = s->pipe->n_funcs;
	struct group_counted c;
	int r;

	*ret_done = false;
	if (!s->counts)
		return 0;
	r = group_counts(&part->groups, s->stage.env, "stats", b, &c);
	if (r == GROUP_E_ROWS)
		return 0;
	if (r == 0)
		r = grow_states(s, part);
	for (i = 0; r == 0 && i < c.n; i++)
		for (k = 0; k < n; k++)
			part->states[c.counts[i].group * n + k].n += c.counts[i].n_rows;
	*ret_done = true;
	return err_trace(r);
}

/* The rows' groups by code for functions that know what to do with them; none is no mistake. */
static int
load_coded(struct stats_stage *s, struct stats_part *part, struct stats_batch *sb,
    struct group_coded *coded)
{
	int r;

	if (!s->codes)
		return 0;
	r = group_codes(&part->groups, s->stage.env, "stats", sb->b, coded);
	if (r == GROUP_E_ROWS)
		return 0;
	sb->coded = coded;
	return err_trace(r);
}

/* The group of each row, and states for all groups that there are. */
static int
load_groups(struct stats_stage *s, struct stats_part *part, struct stats_batch *sb)
{
	int r = 0;

	if (sb->coded == NULL && sb->groups == NULL)
		r = group_rows(&part->groups, s->stage.env, "stats", sb->b, &sb->groups);
	if (r == 0)
		r = grow_states(s, part);
	sb->n_groups = part->n_groups;
	return err_trace(r);
}

static int
add_func(struct stats_stage *s, struct stats_part *part, size_t i, struct stats_batch *sb)
{
	const struct stats_func *f = &s->funcs[i];
	int r;

	r = stats_func_rows(f, s->stage.env, sb->b, &sb->rows);
	if (r < 0)
		return err_trace(r);
	sb->states = part->states + i;
	if (sb->coded != NULL && takes_codes(f)) {
		r = add_coded(f, sb);
		if (r <= 0)
			return err_trace(r);
	}
	sb->coded = NULL;
	r = load_groups(s, part, sb);
	sb->states = part->states + i;
	if (r == 0)
		r = stats_ops_of(f->kind)->add(f, sb);
	return r == 0 ? sb->b->err : err_trace(r);
}

static int
stats_push(struct stage *st, unsigned worker, struct batch *b)
{
	struct stats_stage *s = (struct stats_stage *)st;
	struct stats_part *part = &s->parts[worker];
	struct stats_batch sb = { .b = b, .env = st->env, .stride = s->pipe->n_funcs };
	struct group_coded coded;
	bool done;
	size_t i;
	int r;

	if (b->n_rows == 0)
		return 0;
	sb.first_order = ((uint64_t)worker << 48) + part->seq;
	part->seq += b->n_rows;
	r = push_counts(s, part, b, &done);
	if (r != 0 || done)
		return err_trace(r);
	r = load_coded(s, part, &sb, &coded);
	if (r == 0)
		r = load_groups(s, part, &sb);
	for (i = 0; r == 0 && i < s->pipe->n_funcs; i++)
		if (s->same[i] == i)
			r = add_func(s, part, i, &sb);
	if (r == 0 && sb.grown != 0)
		r = env_charge(st->env, "stats", sb.grown);
	return err_trace(r);
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
		        ->put(&s->funcs[i], &s->parts[0].states[group * p->n_funcs + s->same[i]],
		            text);
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
	free(s->same);
	free(s);
}

static bool
same_names(const struct names *a, const struct names *b)
{
	size_t i;

	for (i = 0; i < a->n && i < b->n; i++)
		if (!str_eq(a->p[i], b->p[i]))
			return false;
	return a->n == b->n;
}

/* Whether both gather the same of the same rows: quantiles differ only in what is asked of it. */
static bool
share_state(const struct stats_func *a, const struct stats_func *b)
{
	return stats_ops_of(a->kind) == &stats_quantile_ops &&
	    stats_ops_of(b->kind) == &stats_quantile_ops && same_names(&a->names, &b->names) &&
	    a->filter == NULL && b->filter == NULL && !a->is_default && !b->is_default;
}

/* What can be spared. */
static void
plan_funcs(struct stats_stage *s)
{
	size_t i, k;

	s->counts = s->codes = true;
	for (i = 0; i < s->pipe->n_funcs; i++) {
		s->counts = s->counts && counts_rows(&s->funcs[i]);
		for (k = 0; k < i && !share_state(&s->funcs[k], &s->funcs[i]); k++)
			continue;
		s->same[i] = k;
		s->codes = s->codes && takes_codes(&s->funcs[i]);
	}
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
	s->same = calloc(a->pipe->n_funcs + 1, sizeof(*s->same));
	if (s->funcs == NULL || s->same == NULL) {
		free(s->funcs);
		free(s->same);
		free(s);
		return err_origin(-ENOMEM);
	}
	for (i = 0; i < a->pipe->n_funcs; i++) {
		s->funcs[i] = a->pipe->funcs[i];
		if (s->funcs[i].step_s <= 0)
			s->funcs[i].step_s = a->range_s;
	}
	plan_funcs(s);
	for (i = 0; i < QUERY_WORKERS_MAX; i++)
		group_part_init_by(&s->parts[i].groups, a->pipe->by, a->pipe->n_by);
	*ret = st;
	return 0;
}
