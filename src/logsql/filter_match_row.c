/*
 * logsql/filter_match_row.c - matching a row.
 * One job: a whole tree on one row whose fields somebody else can get.
 * Floor: 2 (uses record, base).
 */
#include "logsql/filter_internal.h"

/* Recursion is bounded by LOGSQL_DEPTH_MAX, the parser's. */
static int
match(const struct filter *f, filter_get_fn get, void *ctx, struct filter_scratch *scratch)
{
	size_t i;
	int r;

	if (filter_is_value_leaf(f))
		return filter_test(f, get(ctx, f->field), scratch);
	if (f->kind == FILTER_NOT) {
		r = match(f->children[0], get, ctx, scratch);
		return r < 0 ? r : !r;
	}
	if (f->kind != FILTER_AND && f->kind != FILTER_OR)
		return filter_match_two(f, get(ctx, f->field), get(ctx, f->text));
	for (i = 0; i < f->n_children; i++) {
		r = match(f->children[i], get, ctx, scratch);
		if (r < 0 || r == (f->kind == FILTER_OR))
			return r;
	}
	return f->kind == FILTER_AND;
}

int
filter_match_row(const struct filter *f, filter_get_fn get, void *ctx)
{
	struct filter_scratch scratch = FILTER_SCRATCH_INIT;
	int r;

	r = match(f, get, ctx, &scratch);
	filter_scratch_fini(&scratch);
	return err_trace(r);
}
