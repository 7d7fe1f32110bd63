/*
 * lib/trace_rows.c - the rows of a request by time.
 * One job: keep whole rows, and hand them on in order.
 * Floor: 4 (uses query, record, base).
 */
#include "lib/trace.h"

/* The batch's columns, those that bear the rows' lines too. */
static int
columns_of(struct trace_rows *t, struct batch *b, const struct str **ret, size_t *ret_n)
{
	const struct str *names;
	struct str *copy;
	size_t i, n;
	int r;

	r = batch_names(b, &names, &n);
	if (r < 0)
		return err_trace(r);
	copy = arena_zalloc(&t->arena, n + 1, sizeof(*copy));
	if (copy == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < n; i++)
		copy[i] = arena_dup(&t->arena, names[i]);
	if (t->lines)
		copy[n++] = INPUT_LINE_NAME;
	*ret = copy;
	*ret_n = n;
	return 0;
}

static struct trace_kept *
add_row(struct trace_rows *t)
{
	struct trace_kept *rows;
	size_t cap;

	if (t->n == t->cap) {
		cap = t->cap == 0 ? 64 : t->cap * 2;
		rows = reallocarray(t->rows, cap, sizeof(*rows));
		if (rows == NULL)
			return NULL;
		t->rows = rows;
		t->cap = cap;
	}
	t->rows[t->n] = (struct trace_kept){ .order = t->n };
	return &t->rows[t->n++];
}

static int
keep_row(struct trace_rows *t, const struct str *names, const struct str *const *values, size_t n,
    size_t row)
{
	struct trace_kept *kept = add_row(t);
	struct str *copy = arena_zalloc(&t->arena, n + 1, sizeof(*copy));
	bool has_zone;
	size_t i;

	if (kept == NULL || copy == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < n; i++) {
		if (values[i][row].n == 0)
			continue;
		copy[i] = arena_dup(&t->arena, values[i][row]);
		if (copy[i].p == NULL)
			return err_origin(-ENOMEM);
		if (str_eq_c(names[i], "_time"))
			(void)wall_parse_rfc3339(copy[i], 0, &kept->time, &has_zone);
	}
	kept->names = names;
	kept->values = copy;
	kept->n = n;
	return 0;
}

int
trace_rows_put(void *ctx, struct batch *b)
{
	struct trace_rows *t = ctx;
	const struct str *names = NULL, **values;
	size_t i, n = 0;
	int r;

	r = columns_of(t, b, &names, &n);
	if (r < 0)
		return err_trace(r);
	values = arena_zalloc(&b->arena, n + 1, sizeof(*values));
	if (values == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < n; i++) {
		values[i] = batch_strs(b, names[i]);
		if (values[i] == NULL)
			return b->err != 0 ? b->err : err_origin(-ENOMEM);
	}
	for (i = 0; r == 0 && i < b->n_rows; i++)
		r = keep_row(t, names, values, n, i);
	return err_trace(r);
}

static int
cmp_kept(const void *a, const void *b)
{
	const struct trace_kept *x = a, *y = b;

	if (x->time.ns != y->time.ns)
		return x->time.ns < y->time.ns ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

int
trace_rows_give(struct trace_rows *t, run_put_fn put, void *ctx)
{
	AUTO_FINI(batch_fini) struct batch b = BATCH_INIT;
	size_t i, k;
	int r = 0;

	if (t->n > 0)
		qsort(t->rows, t->n, sizeof(*t->rows), cmp_kept);
	for (i = 0; r == 0 && i < t->n; i++) {
		batch_reset(&b, 1);
		for (k = 0; r == 0 && k < t->rows[i].n; k++)
			if (t->rows[i].values[k].n > 0)
				r = batch_set_strs(&b, t->rows[i].names[k], &t->rows[i].values[k]);
		if (r == 0)
			r = put(ctx, &b);
	}
	return err_trace(r);
}

void
trace_rows_fini(struct trace_rows *t)
{
	free(t->rows);
	arena_fini(&t->arena);
	*t = (struct trace_rows){ 0 };
}
