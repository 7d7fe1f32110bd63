/*
 * query/pipe_uniq.c - distinct values and how often they come.
 * One job: uniq, top and field_values: rows counted by the values of some fields.
 * Floor: 3 (uses logsql, record, base).
 */
#include "query/count_ints.h"
#include "query/pipe_group.h"

struct uniq_stage {
	struct stage stage;
	const struct pipe *pipe;
	struct names by;
	const char *name;
	bool counts_ints; /* numbers are counted apart: only the most frequent are wanted as text */
	struct group_part parts[QUERY_WORKERS_MAX];
	struct count_ints ints[QUERY_WORKERS_MAX];
};

/* A column of numbers, where only the most frequent are wanted: ${ret_done}. */
static int
push_ints(struct uniq_stage *u, unsigned worker, struct batch *b, bool *ret_done)
{
	struct count_ints *t = &u->ints[worker];
	const struct column *c;
	size_t before = count_ints_bytes(t);
	int r;

	*ret_done = false;
	if (!u->counts_ints)
		return 0;
	c = batch_column(b, u->by.p[0]);
	if (c == NULL)
		return b->err;
	if (!count_ints_takes(t, c))
		return 0;
	*ret_done = true;
	r = count_ints_add(t, c);
	if (r == 0 && count_ints_bytes(t) > before)
		r = env_charge(u->stage.env, u->name, (int64_t)(count_ints_bytes(t) - before));
	return err_trace(r);
}

static int
uniq_push(struct stage *s, unsigned worker, struct batch *b)
{
	struct uniq_stage *u = (struct uniq_stage *)s;
	struct group_part *part = &u->parts[worker];
	struct group_counted c = { 0 };
	const uint32_t *groups;
	bool done;
	size_t i;
	int r;

	if (b->n_rows == 0)
		return 0;
	r = push_ints(u, worker, b, &done);
	if (r != 0 || done)
		return err_trace(r);
	r = group_counts(part, s->env, u->name, b, &c);
	for (i = 0; r == 0 && i < c.n; i++)
		part->keys.entries[c.counts[i].group].value += c.counts[i].n_rows;
	if (r == GROUP_E_ROWS) {
		r = group_rows(part, s->env, u->name, b, &groups);
		for (i = 0; r == 0 && i < b->n_rows; i++)
			part->keys.entries[groups[i]].value++;
	}
	/* With a limit and no counts to give, more values than wanted need not be looked for. */
	if (r == 0 && u->pipe->kind == PIPE_UNIQ && u->pipe->to.n == 0 && u->pipe->limit != 0 &&
	    u->pipe->text.n == 0 && part->keys.n > u->pipe->limit)
		atomic_store(&s->env->stop, true);
	return r;
}

/* All parts into the first. */
static int
merge(struct uniq_stage *u)
{
	struct map *to = &u->parts[0].keys;
	size_t k, i;

	for (k = 1; k < QUERY_WORKERS_MAX; k++) {
		struct map *from = &u->parts[k].keys;

		for (i = 0; i < from->n; i++) {
			struct map_entry *e = map_put(to, from->entries[i].key, NULL);

			if (e == NULL)
				return err_origin(-ENOMEM);
			e->value += from->entries[i].value;
		}
		map_fini(from);
	}
	return 0;
}

/* Numbers counted apart come together with their equals that were text; parts of other scales stand for themselves. */
static int
merge_ints(struct uniq_stage *u)
{
	struct count_ints *all = NULL;
	struct map *m = &u->parts[0].keys;
	size_t k;
	int r = 0;

	for (k = 0; r == 0 && k < QUERY_WORKERS_MAX; k++) {
		if (u->ints[k].dense == NULL)
			continue;
		if (all == NULL)
			all = &u->ints[k];
		else if (all->scale == u->ints[k].scale)
			r = count_ints_merge(all, &u->ints[k]);
		else
			r = count_ints_top(&u->ints[k], 0, m);
	}
	if (r == 0 && all != NULL)
		r = count_ints_move(all, m);
	if (r == 0 && all != NULL)
		r = count_ints_top(all, u->pipe->limit, m);
	return err_trace(r);
}

/* An entry and the first bytes of its key as a number of the same order: most comparisons need no more. */
struct ranked {
	uint64_t head;
	const struct map_entry *e;
};

static struct ranked
ranked_of(const struct map_entry *e)
{
	struct ranked out = { 0, e };
	size_t i;

	for (i = 0; i < sizeof(out.head); i++)
		out.head = out.head << 8 | (i < e->key.n ? e->key.p[i] : 0U);
	return out;
}

static int
key_order(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->head != y->head)
		return x->head < y->head ? -1 : 1;
	return str_cmp(x->e->key, y->e->key);
}

/* More hits first, then by key. */
static int
top_order(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->e->value != y->e->value)
		return x->e->value < y->e->value ? 1 : -1;
	return key_order(a, b);
}

/* Write one group: its fields, then hits and rank where they are wanted. */
static int
put_group(struct uniq_stage *u, struct rows_out *out, struct str key, uint64_t hits, uint64_t rank)
{
	size_t i;
	int r = 0;

	if (u->by.n == 1) {
		rows_out_set(out, 0, key);
	} else {
		for (i = 0; i < u->by.n; i++)
			rows_out_set(out, i, key_take(&key));
	}
	i = u->by.n;
	if (u->pipe->to.n != 0 || u->pipe->kind == PIPE_FIELD_VALUES)
		r = rows_out_uint(out, i++, hits);
	if (r == 0 && u->pipe->rank.n != 0)
		r = rows_out_uint(out, i, rank);
	return r != 0 ? r : rows_out_next(out);
}

static bool
is_wanted(const struct pipe *p, struct str key)
{
	return p->text.n == 0 || str_find(key, p->text) != SIZE_MAX;
}

static int
put_groups(struct uniq_stage *u, struct rows_out *out)
{
	const struct map *all = &u->parts[0].keys;
	AUTO_FREE struct ranked *order = calloc(all->n + 1, sizeof(*order));
	uint64_t limit = u->pipe->limit;
	size_t i, n = 0;
	bool over;
	int r = 0;

	if (order == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < all->n; i++)
		if (all->entries[i].value != 0 && is_wanted(u->pipe, all->entries[i].key))
			order[n++] = ranked_of(&all->entries[i]);
	qsort(order, n, sizeof(*order), u->pipe->kind == PIPE_TOP ? top_order : key_order);
	over = limit != 0 && n > limit;
	if (over)
		n = (size_t)limit;
	/* Hits of some of the values would mislead, so that they are 0 when the limit cuts. */
	for (i = 0; r == 0 && i < n; i++)
		r = put_group(u, out, order[i].e->key,
		    over && u->pipe->kind != PIPE_TOP ? 0 : order[i].e->value, i + 1);
	return r != 0 ? r : rows_out_flush(out);
}

static int
uniq_flush(struct stage *s)
{
	struct uniq_stage *u = (struct uniq_stage *)s;
	struct str names[66];
	struct rows_out out;
	size_t n = 0, i;
	int r;

	for (i = 0; i < u->by.n && n < 64; i++)
		names[n++] = u->by.p[i];
	if (u->pipe->kind == PIPE_FIELD_VALUES)
		names[n++] = str_eq(u->by.p[0], STR("hits")) ? STR("hitss") : STR("hits");
	else if (u->pipe->to.n != 0)
		names[n++] = u->pipe->to;
	if (u->pipe->rank.n != 0)
		names[n++] = u->pipe->rank;
	r = merge(u);
	if (r == 0)
		r = merge_ints(u);
	if (r != 0)
		return r;
	r = rows_out_init(&out, s->next, 0, names, n);
	if (r == 0)
		r = put_groups(u, &out);
	rows_out_fini(&out);
	return r != 0 ? r : stage_flush(s->next);
}

static void
uniq_free(struct stage *s)
{
	struct uniq_stage *u = (struct uniq_stage *)s;
	size_t i;

	for (i = 0; i < QUERY_WORKERS_MAX; i++)
		group_part_fini(&u->parts[i]);
	for (i = 0; i < QUERY_WORKERS_MAX; i++)
		count_ints_fini(&u->ints[i]);
	free(u);
}

static const struct stage_ops uniq_ops = { "uniq", uniq_push, uniq_flush, uniq_free };

int
pipe_uniq_make(const struct stage_args *a, struct stage **ret)
{
	struct uniq_stage *u;
	struct stage *s;
	size_t i;
	int r;

	if (a->pipe->names.n > 64)
		return env_fail(a->env, err_origin(-E2BIG), "%s: more than 64 fields",
		    pipe_kind_name(a->pipe->kind));
	r = stage_alloc(sizeof(struct uniq_stage), &uniq_ops, a->env, &s);
	if (r != 0)
		return r;
	u = (struct uniq_stage *)s;
	u->pipe = a->pipe;
	u->name = pipe_kind_name(a->pipe->kind);
	u->by = a->pipe->names;
	if (a->pipe->kind == PIPE_FIELD_VALUES) {
		u->by.p = (struct str *)(uintptr_t)&a->pipe->from;
		u->by.n = 1;
	}
	u->counts_ints = a->pipe->kind == PIPE_TOP && u->by.n == 1 && a->pipe->text.n == 0;
	for (i = 0; i < QUERY_WORKERS_MAX; i++)
		group_part_init(&u->parts[i], u->by.p, u->by.n);
	*ret = s;
	return 0;
}

int
pipe_top_make(const struct stage_args *a, struct stage **ret)
{
	return pipe_uniq_make(a, ret);
}
