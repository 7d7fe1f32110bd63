/*
 * query/pipe_join.c - rows from elsewhere.
 * One job: join: fields of a subquery's rows put to those with the same values; union: rows behind;
 * generate_sequence.
 * Floor: 3 (uses logsql, record, base).
 */
#include <pthread.h>

#include "base/map.h"
#include "query/pipe_stage.h"

struct join_field {
	struct str name, value;
};

/* One row of the subquery; rows with the same key are chained in the order they came. */
struct join_row {
	struct join_field *fields;
	size_t n;
	struct join_row *next;
};

struct join_stage {
	struct stage stage;
	const struct pipe *pipe;
	struct map keys; /* to number in first and last */
	struct join_row **first, **last;
	size_t cap;
	struct arena arena;
	bool ready;
	int failed; /* what the subquery came to; read by all once ready */
	pthread_mutex_t lock;
};

static bool
is_key(const struct pipe *p, struct str name)
{
	size_t i;

	for (i = 0; i < p->names.n; i++)
		if (str_eq(p->names.p[i], name))
			return true;
	return false;
}

static int
grow_chains(struct join_stage *j)
{
	size_t cap = j->cap == 0 ? 64 : j->cap * 2;
	struct join_row **first, **last;

	if (j->keys.n <= j->cap)
		return 0;
	first = reallocarray(j->first, cap, sizeof(struct join_row *));
	if (first != NULL)
		j->first = first;
	last = reallocarray(j->last, cap, sizeof(struct join_row *));
	if (last != NULL)
		j->last = last;
	if (first == NULL || last == NULL)
		return err_origin(-ENOMEM);
	j->cap = cap;
	return 0;
}

static int
add_row(struct join_stage *j, struct str key, struct join_row *row)
{
	struct map_entry *e;
	bool fresh;
	int r;

	e = map_put(&j->keys, key, &fresh);
	if (e == NULL)
		return err_origin(-ENOMEM);
	r = grow_chains(j);
	if (r != 0)
		return r;
	if (fresh) {
		e->value = j->keys.n - 1;
		j->first[e->value] = row;
	} else {
		j->last[e->value]->next = row;
	}
	j->last[e->value] = row;
	return 0;
}

static int
prefixed(struct join_stage *j, struct str name, struct str *ret)
{
	struct str prefix = j->pipe->to;
	uint8_t *p = arena_alloc(&j->arena, prefix.n + name.n + 1);

	if (p == NULL)
		return err_origin(-ENOMEM);
	if (prefix.n != 0)
		memcpy(p, prefix.p, prefix.n);
	if (name.n != 0)
		memcpy(p + prefix.n, name.p, name.n);
	*ret = str_of(p, prefix.n + name.n);
	return 0;
}

/* All fields of a row but those it is joined by. */
static int
copy_row(struct join_stage *j, const struct str *names, const struct str **values, size_t n,
    size_t row, struct join_row **ret)
{
	struct join_row *out = arena_zalloc(&j->arena, 1, sizeof(*out));
	int64_t bytes = sizeof(*out);
	size_t k;
	int r = 0;

	if (out != NULL)
		out->fields = arena_alloc(&j->arena, (n + 1) * sizeof(*out->fields));
	if (out == NULL || out->fields == NULL)
		return err_origin(-ENOMEM);
	for (k = 0; r == 0 && k < n; k++) {
		struct join_field *f = &out->fields[out->n];

		if (values[k][row].n == 0 || is_key(j->pipe, names[k]))
			continue;
		r = prefixed(j, names[k], &f->name);
		f->value = arena_dup(&j->arena, values[k][row]);
		if (r == 0 && f->value.p == NULL)
			r = err_origin(-ENOMEM);
		bytes += (int64_t)(f->name.n + f->value.n + sizeof(*f));
		out->n++;
	}
	*ret = out;
	return r != 0 ? r : env_charge(j->stage.env, "join", bytes);
}

static int
row_key(const struct pipe *p, struct batch *b, size_t row, struct buf *key)
{
	const struct str *values;
	size_t k;

	buf_clear(key);
	for (k = 0; k < p->names.n; k++) {
		values = batch_strs(b, p->names.p[k]);
		if (values == NULL)
			return b->err;
		key_put(key, values[row]);
	}
	return buf_err(key);
}

static int
load_values(struct batch *b, const struct str *names, size_t n, const struct str ***ret)
{
	const struct str **values = arena_alloc(&b->arena, (n + 1) * sizeof(*values));
	size_t k;

	if (values == NULL)
		return err_origin(-ENOMEM);
	for (k = 0; k < n; k++) {
		values[k] = batch_strs(b, names[k]);
		if (values[k] == NULL)
			return b->err;
	}
	*ret = values;
	return 0;
}

static int
take_rows(void *ctx, struct batch *b)
{
	AUTO_FINI(buf_fini) struct buf key = BUF_INIT;
	struct join_stage *j = ctx;
	const struct str *names, **values = NULL;
	struct join_row *row = NULL;
	size_t i, n;
	int r;

	r = batch_names(b, &names, &n);
	if (r == 0)
		r = load_values(b, names, n, &values);
	for (i = 0; r == 0 && i < b->n_rows; i++) {
		r = row_key(j->pipe, b, i, &key);
		if (r == 0)
			r = copy_row(j, names, values, n, i, &row);
		if (r == 0)
			r = add_row(j, buf_view(&key), row);
	}
	return r;
}

static int
run_subquery(struct query_env *env, const char *who, const struct query *q,
    int (*put)(void *ctx, struct batch *b), void *ctx)
{
	if (env->run_query == NULL)
		return env_fail(env, err_origin(-ENOSYS), "%s: no subquery can be run here", who);
	return env->run_query(env->run_ctx, env, q, put, ctx);
}

/* Rows that stand in the query, as a batch. */
static int
literal_batch(const struct pipe *p, struct batch *b)
{
	struct str *col;
	size_t i, k;
	int r = 0;

	batch_reset(b, p->n_rows);
	b->closed = true;
	for (i = 0; r == 0 && i < p->n_rows; i++) {
		for (k = 0; r == 0 && k < p->rows[i].n_pairs; k++) {
			const struct str *old = batch_strs(b, p->rows[i].pairs[2 * k]);

			col = arena_alloc(&b->arena, (b->n_rows + 1) * sizeof(*col));
			if (old == NULL || col == NULL)
				return err_origin(-ENOMEM);
			memcpy(col, old, b->n_rows * sizeof(*col));
			col[i] = p->rows[i].pairs[2 * k + 1];
			r = batch_set_strs(b, p->rows[i].pairs[2 * k], col);
		}
	}
	return r;
}

/* The subquery runs when the first rows come, once for all workers. */
static int
prepare(struct join_stage *j)
{
	AUTO_FINI(batch_fini) struct batch rows = BATCH_INIT;

	(void)pthread_mutex_lock(&j->lock);
	if (!j->ready) {
		if (j->pipe->query != NULL) {
			j->failed =
			    run_subquery(j->stage.env, "join", j->pipe->query, take_rows, j);
		} else {
			j->failed = literal_batch(j->pipe, &rows);
			if (j->failed == 0)
				j->failed = take_rows(j, &rows);
		}
		j->ready = true;
	}
	(void)pthread_mutex_unlock(&j->lock);
	return j->failed;
}

/* Names of the batch, then those that joined rows can bring. */
struct joined {
	struct rows_out out;
	struct map names;
	struct str *list;
	const struct str **values;
	size_t n_own, n;
};

static int
joined_init(struct joined *w, struct join_stage *j, struct batch *b, unsigned worker)
{
	const struct str *names;
	struct join_row *row;
	size_t i, k, n;
	int r;

	r = batch_names(b, &names, &n);
	for (i = 0; r == 0 && i < n; i++)
		if (map_put(&w->names, names[i], NULL) == NULL)
			r = err_origin(-ENOMEM);
	w->n_own = n;
	for (i = 0; r == 0 && i < j->keys.n; i++)
		for (row = j->first[i]; r == 0 && row != NULL; row = row->next)
			for (k = 0; r == 0 && k < row->n; k++)
				if (map_put(&w->names, row->fields[k].name, NULL) == NULL)
					r = err_origin(-ENOMEM);
	if (r == 0)
		r = load_values(b, names, n, &w->values);
	w->n = w->names.n;
	w->list = arena_alloc(&b->arena, (w->n + 1) * sizeof(*w->list));
	if (r == 0 && w->list == NULL)
		r = err_origin(-ENOMEM);
	for (i = 0; r == 0 && i < w->n; i++)
		w->list[i] = w->names.entries[i].key;
	return r != 0 ? r : rows_out_init(&w->out, j->stage.next, worker, w->list, w->n);
}

static int
put_row(struct joined *w, size_t row, const struct join_row *with)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < w->n_own; i++)
		r = rows_out_copy(&w->out, i, w->values[i][row]);
	for (i = 0; r == 0 && with != NULL && i < with->n; i++) {
		const struct map_entry *e = map_get(&w->names, with->fields[i].name);
		size_t at = (size_t)(e - w->names.entries);

		/* What the row has already stays. */
		if (at >= w->n_own || w->values[at][row].n == 0)
			rows_out_set(&w->out, at, with->fields[i].value);
	}
	return r != 0 ? r : rows_out_next(&w->out);
}

static int
join_rows(struct join_stage *j, struct joined *w, struct batch *b)
{
	AUTO_FINI(buf_fini) struct buf key = BUF_INIT;
	const struct map_entry *e;
	const struct join_row *row;
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < b->n_rows; i++) {
		r = row_key(j->pipe, b, i, &key);
		if (r != 0)
			return r;
		e = map_get(&j->keys, buf_view(&key));
		if (e == NULL && !j->pipe->flag)
			r = put_row(w, i, NULL);
		for (row = e == NULL ? NULL : j->first[e->value]; r == 0 && row != NULL;
		     row = row->next)
			r = put_row(w, i, row);
	}
	return r != 0 ? r : rows_out_flush(&w->out);
}

static int
join_push(struct stage *s, unsigned worker, struct batch *b)
{
	struct join_stage *j = (struct join_stage *)s;
	struct joined w = { .names = MAP_INIT };
	int r;

	r = prepare(j);
	if (r == 0)
		r = joined_init(&w, j, b, worker);
	if (r == 0)
		r = join_rows(j, &w, b);
	rows_out_fini(&w.out);
	map_fini(&w.names);
	return r;
}

static int
pass_flush(struct stage *s)
{
	return stage_flush(s->next);
}

static void
join_free(struct stage *s)
{
	struct join_stage *j = (struct join_stage *)s;

	map_fini(&j->keys);
	free(j->first);
	free(j->last);
	arena_fini(&j->arena);
	(void)pthread_mutex_destroy(&j->lock);
	free(j);
}

static const struct stage_ops join_ops = { "join", join_push, pass_flush, join_free };

int
pipe_join_make(const struct stage_args *a, struct stage **ret)
{
	struct join_stage *j;
	struct stage *s;
	int r;

	r = stage_alloc(sizeof(struct join_stage), &join_ops, a->env, &s);
	if (r != 0)
		return r;
	j = (struct join_stage *)s;
	j->pipe = a->pipe;
	(void)pthread_mutex_init(&j->lock, NULL);
	*ret = s;
	return 0;
}

struct pipe_stage {
	struct stage stage;
	const struct pipe *pipe;
};

static void
plain_free(struct stage *s)
{
	free(s);
}

static int
pipe_stage_make(const struct stage_args *a, const struct stage_ops *ops, struct stage **ret)
{
	int r;

	r = stage_alloc(sizeof(struct pipe_stage), ops, a->env, ret);
	if (r == 0)
		((struct pipe_stage *)*ret)->pipe = a->pipe;
	return r;
}

static int
union_push(struct stage *s, unsigned worker, struct batch *b)
{
	return stage_push(s->next, worker, b);
}

static int
union_put(void *ctx, struct batch *b)
{
	struct stage *s = ctx;

	return b->n_rows == 0 ? 0 : stage_push(s->next, 0, b);
}

static int
union_flush(struct stage *s)
{
	AUTO_FINI(batch_fini) struct batch rows = BATCH_INIT;
	const struct pipe *p = ((struct pipe_stage *)s)->pipe;
	int r;

	if (p->query != NULL) {
		r = run_subquery(s->env, "union", p->query, union_put, s);
	} else {
		r = literal_batch(p, &rows);
		if (r == 0)
			r = union_put(s, &rows);
	}
	return r != 0 ? r : stage_flush(s->next);
}

static const struct stage_ops union_ops = { "union", union_push, union_flush, plain_free };

int
pipe_union_make(const struct stage_args *a, struct stage **ret)
{
	return pipe_stage_make(a, &union_ops, ret);
}

static int
sequence_push(struct stage *s, unsigned worker, struct batch *b)
{
	atomic_store(&s->env->stop, true);
	return 0;
}

static int
sequence_flush(struct stage *s)
{
	static const struct str names[] = { STR_INIT("_msg") };
	const struct pipe *p = ((struct pipe_stage *)s)->pipe;
	struct rows_out out;
	uint64_t i;
	int r;

	/* Its own doing; from here on it is a limit behind it that wants no more. */
	atomic_store(&s->env->stop, false);
	r = rows_out_init(&out, s->next, 0, names, 1);
	for (i = 0; r == 0 && i < p->limit && !atomic_load(&s->env->stop) &&
	     !atomic_load(&s->env->cancelled);
	     i++) {
		r = rows_out_uint(&out, 0, i);
		if (r == 0)
			r = rows_out_next(&out);
	}
	if (r == 0)
		r = rows_out_flush(&out);
	rows_out_fini(&out);
	return r != 0 ? r : stage_flush(s->next);
}

static const struct stage_ops sequence_ops = { "generate_sequence", sequence_push, sequence_flush,
	plain_free };

int
pipe_sequence_make(const struct stage_args *a, struct stage **ret)
{
	return pipe_stage_make(a, &sequence_ops, ret);
}
