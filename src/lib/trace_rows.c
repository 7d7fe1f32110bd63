/*
 * lib/trace_rows.c - the rows of a request by time.
 * One job: keep whole rows, and hand them on in order.
 * Floor: 4 (uses query, record, base).
 */
#include "lib/print_internal.h"
#include "lib/trace.h"

static struct trace_kept *
rows_of(const struct trace_rows *t)
{
	return (struct trace_kept *)(void *)t->rows.p;
}

/* Copies of the batch's names. */
static int
keep_names(struct trace_rows *t, const struct print_cells *cells, const struct str **ret)
{
	struct str *names = arena_zalloc(&t->arena, cells->n + 1, sizeof(*names));
	size_t i;

	if (names == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < cells->n; i++) {
		names[i] = arena_dup(&t->arena, cells->names[i]);
		if (names[i].p == NULL)
			return err_origin(-ENOMEM);
	}
	*ret = names;
	return 0;
}

static int
keep_row(struct trace_rows *t, const struct str *names, const struct print_cells *cells,
    struct str line, size_t row)
{
	struct trace_kept kept = { .order = t->n, .names = names, .n = cells->n };
	struct str *values = arena_zalloc(&t->arena, cells->n + 1, sizeof(*values));
	bool has_zone;
	size_t i;

	if (values == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < cells->n; i++) {
		values[i] = arena_dup(&t->arena, cells->values[i][row]);
		if (values[i].p == NULL)
			return err_origin(-ENOMEM);
		if (str_eq_c(names[i], "_time"))
			(void)wall_parse_rfc3339(values[i], 0, &kept.time, &has_zone);
	}
	kept.values = values;
	kept.line = arena_dup(&t->arena, line);
	if (kept.line.p == NULL)
		return err_origin(-ENOMEM);
	buf_put(&t->rows, &kept, sizeof(kept));
	t->n++;
	return buf_err(&t->rows);
}

int
trace_rows_put(void *ctx, struct batch *b)
{
	struct trace_rows *t = ctx;
	const struct str *names = NULL, *lines = NULL;
	struct print_cells cells;
	size_t i;
	int r;

	if (t->lines) {
		lines = batch_strs(b, INPUT_LINE_NAME);
		if (lines == NULL)
			return b->err != 0 ? b->err : err_origin(-ENOMEM);
		/* The line is no column of the row. */
		r = batch_drop(b, INPUT_LINE_NAME);
		if (r < 0)
			return err_trace(r);
	}
	r = print_cells_of(b, &cells);
	if (r == 0)
		r = keep_names(t, &cells, &names);
	for (i = 0; r == 0 && i < b->n_rows; i++)
		r = keep_row(t, names, &cells, lines != NULL ? lines[i] : STR_NONE, i);
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

static int
give_row(struct trace_rows *t, const struct trace_kept *row, struct batch *b)
{
	size_t i;
	int r = 0;

	batch_reset(b, 1);
	for (i = 0; r == 0 && i < row->n; i++)
		if (row->values[i].n > 0)
			r = batch_set_strs(b, row->names[i], &row->values[i]);
	if (r == 0 && t->lines)
		r = batch_set_strs(b, INPUT_LINE_NAME, &row->line);
	return err_trace(r);
}

int
trace_rows_give(struct trace_rows *t, run_put_fn put, void *ctx)
{
	AUTO_FINI(batch_fini) struct batch b = BATCH_INIT;
	size_t i;
	int r = 0;

	if (t->n > 0)
		qsort(rows_of(t), t->n, sizeof(*rows_of(t)), cmp_kept);
	for (i = 0; r == 0 && i < t->n; i++) {
		r = give_row(t, &rows_of(t)[i], &b);
		if (r == 0)
			r = put(ctx, &b);
	}
	return err_trace(r);
}

void
trace_rows_fini(struct trace_rows *t)
{
	buf_fini(&t->rows);
	arena_fini(&t->arena);
	*t = (struct trace_rows){ 0 };
}
