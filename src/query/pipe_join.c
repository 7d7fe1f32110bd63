/*
 * query/pipe_join.c - fields from elsewhere.
 * One job: join: fields of a subquery's rows put to the rows with the same values.
 * Floor: 3 (uses logsql, record, base).
 */
#include <pthread.h>

#include "base/map.h"
#include "query/pipe_stage.h"

struct join_field {
	struct str value;
	uint32_t name; /* number in names */
};

/* One row of the subquery; rows with the same key are chained in the order they came. */
struct join_row {
	struct join_row *next;
	size_t n;
	struct join_field fields[];
};

struct join_stage {
	struct stage stage;
	const struct pipe *pipe;
	struct map names; /* of the fields of its rows, with the prefix */
	struct map keys;  /* to number in first and last */
	struct join_row **first, **last;
	size_t cap;
	struct arena arena;
	size_t charged;
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

/* Account for all memory that there is. */
static int
charge(struct join_stage *j)
{
	size_t now = j->arena.total + map_bytes(&j->keys) + map_bytes(&j->names) +
	    j->cap * 2 * sizeof(struct join_row *);
	int r = 0;

	if (now > j->charged)
		r = env_charge(j->stage.env, "join", (int64_t)(now - j->charged));
	j->charged = now;
	return r;
}

/* The columns of a batch of the subquery that its rows bring. */
struct join_source {
	const struct str **values;
	uint32_t *names;
	size_t n;
};

static int
source_init(struct join_stage *j, struct batch *b, struct join_source *ret)
{
	AUTO_FINI(buf_fini) struct buf full = BUF_INIT;
	const struct map_entry *e;
	const struct str *names;
	size_t i, n;
	int r;

	r = batch_names(b, &names, &n);
	if (r != 0)
		return r;
	ret->n = 0;
	ret->values = arena_alloc(&b->arena, (n + 1) * sizeof(*ret->values));
	ret->names = arena_alloc(&b->arena, (n + 1) * sizeof(*ret->names));
	if (ret->values == NULL || ret->names == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < n; i++) {
		if (is_key(j->pipe, names[i]))
			continue;
		buf_clear(&full);
		buf_str(&full, j->pipe->to);
		buf_str(&full, names[i]);
		e = map_put(&j->names, buf_view(&full), NULL);
		ret->values[ret->n] = batch_strs(b, names[i]);
		if (e == NULL || buf_err(&full) != 0 || ret->values[ret->n] == NULL)
			return b->err != 0 ? b->err : err_origin(-ENOMEM);
		ret->names[ret->n++] = (uint32_t)(e - j->names.entries);
	}
	return 0;
}

/* All fields of a row but those it is joined by. */
static int
copy_row(struct join_stage *j, const struct join_source *src, size_t row, struct join_row **ret)
{
	struct join_row *out;
	size_t k, n = 0;

	for (k = 0; k < src->n; k++)
		n += src->values[k][row].n != 0 ? 1 : 0;
	out = arena_alloc(&j->arena, sizeof(*out) + n * sizeof(out->fields[0]));
	if (out == NULL)
		return err_origin(-ENOMEM);
	out->next = NULL;
	out->n = 0;
	for (k = 0; k < src->n; k++) {
		struct join_field *f = &out->fields[out->n];

		if (src->values[k][row].n == 0)
			continue;
		f->name = src->names[k];
		f->value = arena_dup(&j->arena, src->values[k][row]);
		if (f->value.p == NULL)
			return err_origin(-ENOMEM);
		out->n++;
	}
	*ret = out;
	return 0;
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
take_rows(void *ctx, struct batch *b)
{
	AUTO_FINI(buf_fini) struct buf key = BUF_INIT;
	struct join_stage *j = ctx;
	struct join_source src;
	struct join_row *row = NULL;
	size_t i;
	int r;

	r = source_init(j, b, &src);
	for (i = 0; r == 0 && i < b->n_rows; i++) {
		r = row_key(j->pipe, b, i, &key);
		if (r == 0)
			r = copy_row(j, &src, i, &row);
		if (r == 0)
			r = add_row(j, buf_view(&key), row);
		if (r == 0)
			r = charge(j);
	}
	return r;
}

/* The subquery runs when the first rows come, once for all workers. */
static int
prepare(struct join_stage *j)
{
	(void)pthread_mutex_lock(&j->lock);
	if (!j->ready) {
		j->failed = pipe_rows_of(j->stage.env, j->pipe, take_rows, j);
		j->ready = true;
	}
	(void)pthread_mutex_unlock(&j->lock);
	return j->failed;
}

/* Names of the batch, then those that joined rows can bring. */
struct joined {
	struct rows_out out;
	struct str *list;
	const struct str **values;
	size_t *column; /* of each of the joined names */
	size_t n_own, n;
	const struct batch *b;
	bool numbered; /* its rows have their places in the order of arrival */
};

static int
joined_init(struct joined *w, struct join_stage *j, struct batch *b, unsigned worker)
{
	size_t i, k, n = 0;
	const struct str *names;
	int r;

	r = batch_names(b, &names, &n);
	if (r != 0)
		return r;
	w->list = arena_alloc(&b->arena, (n + j->names.n + 1) * sizeof(*w->list));
	w->values = arena_alloc(&b->arena, (n + 1) * sizeof(*w->values));
	w->column = arena_alloc(&b->arena, (j->names.n + 1) * sizeof(*w->column));
	if (w->list == NULL || w->values == NULL || w->column == NULL)
		return err_origin(-ENOMEM);
	for (w->n_own = 0; w->n_own < n; w->n_own++) {
		w->list[w->n_own] = names[w->n_own];
		w->values[w->n_own] = batch_strs(b, names[w->n_own]);
		if (w->values[w->n_own] == NULL)
			return b->err;
	}
	w->n = n;
	w->b = b;
	w->numbered = batch_is_numbered(b);
	for (i = 0; i < j->names.n; i++) {
		for (k = 0; k < n && !str_eq(w->list[k], j->names.entries[i].key); k++)
			continue;
		w->column[i] = k < n ? k : w->n;
		if (k == n)
			w->list[w->n++] = j->names.entries[i].key;
	}
	return rows_out_init(&w->out, j->stage.next, worker, w->list, w->n);
}

static int
put_row(struct joined *w, size_t row, const struct join_row *with)
{
	size_t i, at;
	int r = 0;

	for (i = 0; r == 0 && i < w->n_own; i++)
		r = rows_out_copy(&w->out, i, w->values[i][row]);
	for (i = 0; r == 0 && with != NULL && i < with->n; i++) {
		at = w->column[with->fields[i].name];
		/* What the row has already stays. */
		if (at >= w->n_own || w->values[at][row].n == 0)
			rows_out_set(&w->out, at, with->fields[i].value);
	}
	if (r == 0 && w->numbered)
		r = rows_out_arrive(&w->out, batch_order(w->b, row, 0));
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
	struct joined w = { 0 };
	int r;

	r = prepare(j);
	if (r == 0)
		r = joined_init(&w, j, b, worker);
	if (r == 0)
		r = join_rows(j, &w, b);
	rows_out_fini(&w.out);
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

	map_fini(&j->names);
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
