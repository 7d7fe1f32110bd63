/*
 * query/batch_part.c - less than a column.
 * One job: the forms of a column's values, or the values of some rows, without the rest where the source can.
 * Floor: 3 (uses record, base).
 */
#include "query/batch.h"
#include "record/forms.h"

int
batch_forms(struct batch *b, struct str name, struct column *ret)
{
	const struct column *c;
	struct str from;
	bool loaded;

	if (b->source.forms != NULL && batch_from(b, name, &from, &loaded))
		return err_fold(
		    b->source.forms(b->source.ctx, from, b->rows, b->n_rows, &b->arena, ret));
	c = batch_column(b, name);
	if (c == NULL)
		return b->err;
	return err_trace(forms_of_column(c, &b->arena, ret));
}

/* Rows of the batch as rows of its source. */
static const uint32_t *
source_rows(struct batch *b, const uint32_t *rows, size_t n)
{
	uint32_t *out;
	size_t i;

	if (b->rows == NULL)
		return rows;
	out = arena_alloc(&b->arena, (n + 1) * sizeof(*out));
	for (i = 0; out != NULL && i < n; i++)
		out[i] = b->rows[rows[i]];
	return out;
}

int
batch_some(struct batch *b, struct str name, const uint32_t *rows, size_t n, const struct str **ret)
{
	const struct column *all;
	struct column c;
	struct str from;
	bool loaded;
	int r;

	if (batch_from(b, name, &from, &loaded) && !loaded) {
		rows = source_rows(b, rows, n);
		if (rows == NULL)
			return err_origin(-ENOMEM);
		r = b->source.load(b->source.ctx, from, rows, n, &b->arena, &c);
	} else {
		all = batch_column(b, name);
		if (all == NULL)
			return b->err;
		r = column_gather(all, rows, n, &b->arena, &c);
	}
	return r != 0 ? err_fold(r) : err_trace(column_strs(&c, &b->arena, ret));
}
