/*
 * logsql/filter_match_row.c - matching a row.
 * One job: a whole tree on one row whose fields somebody else can get.
 * Floor: 2 (uses record, base).
 */
#include "logsql/filter_internal.h"

bool
filter_is_value_leaf(const struct filter *f)
{
	switch (f->kind) {
	case FILTER_AND:
	case FILTER_OR:
	case FILTER_NOT:
	case FILTER_EQ_FIELD:
	case FILTER_LE_FIELD:
	case FILTER_LT_FIELD:
		return false;
	case FILTER_ALL:
	case FILTER_NONE:
	case FILTER_ANY_VALUE:
	case FILTER_PHRASE:
	case FILTER_PREFIX:
	case FILTER_SUBSTRING:
	case FILTER_EXACT:
	case FILTER_EXACT_PREFIX:
	case FILTER_NOCASE_PHRASE:
	case FILTER_NOCASE_PREFIX:
	case FILTER_REGEX:
	case FILTER_IN:
	case FILTER_CONTAINS_ALL:
	case FILTER_CONTAINS_ANY:
	case FILTER_CONTAINS_COMMON:
	case FILTER_EQUALS_COMMON:
	case FILTER_JSON_ARRAY_ANY:
	case FILTER_SEQ:
	case FILTER_PATTERN:
	case FILTER_RANGE:
	case FILTER_STRING_RANGE:
	case FILTER_LEN_RANGE:
	case FILTER_IPV4_RANGE:
	case FILTER_IPV6_RANGE:
	case FILTER_VALUE_TYPE:
	case FILTER_MIN_LEVEL:
	case FILTER_TIME:
	case FILTER_DAY_RANGE:
	case FILTER_WEEK_RANGE:
	case FILTER_STREAM:
	case FILTER_STREAM_ID:
		return true;
	}
	return true;
}

/* Recursion is bounded by LOGSQL_DEPTH_MAX, the parser's. */
static int
match(const struct filter *f, filter_get_fn get, void *ctx, struct filter_scratch *scratch)
{
	size_t i;
	int r;

	switch ((int)f->kind) {
	case FILTER_AND:
	case FILTER_OR:
		for (i = 0; i < f->n_children; i++) {
			r = match(f->children[i], get, ctx, scratch);
			if (r < 0 || r == (f->kind == FILTER_OR))
				return r;
		}
		return f->kind == FILTER_AND;
	case FILTER_NOT:
		r = match(f->children[0], get, ctx, scratch);
		return r < 0 ? r : !r;
	case FILTER_ALL:
		return 1;
	case FILTER_NONE:
		return 0;
	case FILTER_EQ_FIELD:
	case FILTER_LE_FIELD:
	case FILTER_LT_FIELD:
		return filter_match_two(f, get(ctx, f->field), get(ctx, f->text));
	default:
		return filter_test(f, get(ctx, f->field), scratch);
	}
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
