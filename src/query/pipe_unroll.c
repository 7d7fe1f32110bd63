/*
 * query/pipe_unroll.c - arrays made rows.
 * One job: the unroll pipe: a row for each item of JSON arrays.
 * Floor: 3 (uses logsql, record, base).
 */
#include "query/pipe_stage.h"

struct unroll_stage {
	struct stage stage;
	const struct pipe *pipe;
};

/* The columns of one batch that is being unrolled. */
struct unroll {
	const struct pipe *p;
	const struct batch *b;
	bool numbered; /* its rows have their places in the order of arrival */
	struct rows_out out;
	struct str *names; /* of the batch and of the fields that are unrolled */
	const struct str **values;
	size_t n;
	size_t *fields; /* which of them is the k-th field of the pipe */
};

static size_t
index_of(const struct str *names, size_t n, struct str name)
{
	size_t i;

	for (i = 0; i < n && !str_eq(names[i], name); i++)
		continue;
	return i;
}

static int
unroll_init(struct unroll *u, const struct pipe *p, struct stage *next, unsigned worker,
    struct batch *b)
{
	const struct str *names;
	size_t i, n;
	int r;

	r = batch_names(b, &names, &n);
	if (r != 0)
		return r;
	*u = (struct unroll){ .p = p, .b = b, .numbered = batch_is_numbered(b), .n = n };
	u->names = arena_alloc(&b->arena, (n + p->names.n + 1) * sizeof(*u->names));
	u->values = arena_alloc(&b->arena, (n + p->names.n + 1) * sizeof(*u->values));
	u->fields = arena_alloc(&b->arena, (p->names.n + 1) * sizeof(*u->fields));
	if (u->names == NULL || u->values == NULL || u->fields == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < n; i++)
		u->names[i] = names[i];
	for (i = 0; i < p->names.n; i++) {
		u->fields[i] = index_of(u->names, u->n, p->names.p[i]);
		if (u->fields[i] == u->n)
			u->names[u->n++] = p->names.p[i];
	}
	for (i = 0; i < u->n; i++) {
		u->values[i] = batch_strs(b, u->names[i]);
		if (u->values[i] == NULL)
			return b->err;
	}
	return rows_out_init(&u->out, next, worker, u->names, u->n);
}

static int
put_row(struct unroll *u, size_t row, struct str **items, const size_t *n_items, size_t k)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < u->n; i++)
		r = rows_out_copy(&u->out, i, u->values[i][row]);
	for (i = 0; r == 0 && items != NULL && i < u->p->names.n; i++)
		r = rows_out_copy(&u->out, u->fields[i], k < n_items[i] ? items[i][k] : STR_NONE);
	if (r == 0 && u->numbered)
		r = rows_out_arrive(&u->out, batch_order(u->b, row, 0));
	return r != 0 ? r : rows_out_next(&u->out);
}

/* A row for each item of the longest array; one with empty fields when there is none. */
static int
unroll_row(struct unroll *u, struct arena *arena, size_t row)
{
	size_t n_fields = u->p->names.n, most = 1, i, k;
	struct str **items = arena_zalloc(arena, n_fields, sizeof(*items));
	size_t *n_items = arena_zalloc(arena, n_fields, sizeof(*n_items));
	int r = 0;

	if (items == NULL || n_items == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < n_fields; i++) {
		r = json_array_items(u->values[u->fields[i]][row], arena, &items[i], &n_items[i]);
		if (r < 0)
			return r;
		if (r > 0)
			n_items[i] = 0;
		most = n_items[i] > most ? n_items[i] : most;
	}
	for (r = 0, k = 0; r == 0 && k < most; k++)
		r = put_row(u, row, items, n_items, k);
	return r;
}

static int
unroll_push(struct stage *s, unsigned worker, struct batch *b)
{
	const struct pipe *p = ((struct unroll_stage *)s)->pipe;
	struct arena arena = ARENA_INIT;
	const uint64_t *rows;
	struct unroll u;
	size_t i;
	int r;

	r = pipe_rows(p->filter, s->env, b, &rows);
	if (r != 0)
		return r;
	u.out.batch = (struct batch)BATCH_INIT;
	r = unroll_init(&u, p, s->next, worker, b);
	for (i = 0; r == 0 && i < b->n_rows && !atomic_load(&s->env->cancelled); i++) {
		arena_clear(&arena);
		r = rows == NULL || bits_get(rows, i) ? unroll_row(&u, &arena, i)
		                                      : put_row(&u, i, NULL, NULL, 0);
	}
	if (r == 0)
		r = rows_out_flush(&u.out);
	rows_out_fini(&u.out);
	arena_fini(&arena);
	return r;
}

static int
unroll_flush(struct stage *s)
{
	return stage_flush(s->next);
}

static void
unroll_free(struct stage *s)
{
	free(s);
}

static const struct stage_ops unroll_ops = { "unroll", unroll_push, unroll_flush, unroll_free };

int
pipe_unroll_make(const struct stage_args *a, struct stage **ret)
{
	int r;

	r = stage_alloc(sizeof(struct unroll_stage), &unroll_ops, a->env, ret);
	if (r == 0)
		((struct unroll_stage *)*ret)->pipe = a->pipe;
	return r;
}
