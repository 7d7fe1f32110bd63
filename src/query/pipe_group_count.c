/*
 * query/pipe_group_count.c - how many rows each group has.
 * One job: count rows by the codes of their fields, without a look at the values of each.
 * Floor: 3 (uses store, logsql, record, base).
 */
#include "query/pipe_group_internal.h"
#include "query/scan.h"

enum { COUNT_PASSES_MAX = 8, PIECE = 2048 };

/* Apart, so that the compiler takes several at once. */
static uint32_t
count_equal(const uint32_t *codes, size_t n, uint32_t code)
{
	uint32_t sum = 0;
	size_t i;

	for (i = 0; i < n; i++)
		sum += codes[i] == code;
	return sum;
}

/* Of few codes each is counted by a pass of its own, over pieces that stay in the nearest cache. */
static void
count_by_passes(const uint32_t *codes, size_t n, size_t n_dict, uint32_t *out)
{
	size_t at, len;
	uint32_t code;

	for (at = 0; at < n; at += len) {
		len = n - at < PIECE ? n - at : PIECE;
		for (code = 0; code < n_dict; code++)
			out[code] += count_equal(codes + at, len, code);
	}
}

/* Of many, four tables are filled in turn, so that equal neighbours do not wait for each other. */
static void
count_by_tables(const uint32_t *codes, size_t n, size_t n_dict, uint32_t *out)
{
	size_t i, k;

	for (i = 0; i + 4 <= n; i += 4)
		for (k = 0; k < 4; k++)
			out[k * n_dict + codes[i + k]]++;
	for (; i < n; i++)
		out[codes[i]]++;
	for (i = 0; i < n_dict; i++)
		out[i] += out[n_dict + i] + out[2 * n_dict + i] + out[3 * n_dict + i];
}

static int
count_codes(const uint32_t *codes, size_t n, size_t n_dict, struct arena *arena,
    const uint32_t **ret)
{
	uint32_t *out = arena_zalloc(arena, 4 * n_dict + 4, sizeof(*out));

	if (out == NULL)
		return err_origin(-ENOMEM);
	if (n_dict <= COUNT_PASSES_MAX)
		count_by_passes(codes, n, n_dict, out);
	else
		count_by_tables(codes, n, n_dict, out);
	*ret = out;
	return 0;
}

/* The codes of all columns as one number a row: the last column's goes round fastest. */
static int
join_codes(const struct part_column *cols, size_t n, struct batch *b, const uint32_t **ret)
{
	uint32_t *out = NULL, n_dict;
	const uint32_t *codes;
	size_t i, row;

	for (*ret = NULL, i = 0; i < n; i++) {
		codes = cols[i].codes;
		n_dict = (uint32_t)cols[i].n_dict;
		if (codes == NULL)
			continue; /* has one code */
		if (*ret == NULL) {
			*ret = codes;
			continue;
		}
		if (out == NULL)
			out = arena_alloc(&b->arena, (b->n_rows + 1) * sizeof(*out));
		if (out == NULL)
			return err_origin(-ENOMEM);
		for (row = 0; row < b->n_rows; row++)
			out[row] = (*ret)[row] * n_dict + codes[row];
		*ret = out;
	}
	return 0;
}

/* Rows of each of the n_all combinations. */
static int
count_combinations(const struct part_column *cols, size_t n, size_t n_all, struct batch *b,
    const uint32_t **ret)
{
	const uint32_t *codes;
	uint32_t *one;
	int r;

	*ret = n == 1 ? cols[0].counts : NULL;
	if (*ret != NULL)
		return 0;
	r = join_codes(cols, n, b, &codes);
	if (r < 0)
		return err_trace(r);
	if (codes != NULL)
		return err_trace(count_codes(codes, b->n_rows, n_all, &b->arena, ret));
	one = arena_alloc(&b->arena, sizeof(*one));
	if (one == NULL)
		return err_origin(-ENOMEM);
	*one = (uint32_t)b->n_rows;
	*ret = one;
	return 0;
}

/* The group of combination ${at}. */
static int
find_combination(struct group_part *g, const struct part_column *cols, size_t at, uint32_t *codes,
    uint32_t *ret)
{
	size_t i;

	for (i = g->n; i-- > 0; at /= cols[i].n_dict)
		codes[i] = (uint32_t)(at % cols[i].n_dict);
	return err_trace(group_of_codes(g, cols, codes, ret));
}

static int
counts_of_columns(struct group_part *g, const struct part_column *cols, size_t n_all,
    struct batch *b, struct group_counted *ret)
{
	uint32_t *codes = arena_alloc(&b->arena, (g->n + 1) * sizeof(*codes));
	const uint32_t *counts;
	size_t i, n = 0;
	int r;

	if (codes == NULL)
		return err_origin(-ENOMEM);
	r = count_combinations(cols, g->n, n_all, b, &counts);
	if (r < 0)
		return err_trace(r);
	for (i = 0; i < n_all; i++)
		n += counts[i] != 0;
	ret->counts = arena_alloc(&b->arena, (n + 1) * sizeof(*ret->counts));
	if (ret->counts == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; r == 0 && i < n_all; i++) {
		if (counts[i] == 0)
			continue;
		ret->counts[ret->n].n_rows = counts[i];
		r = find_combination(g, cols, i, codes, &ret->counts[ret->n++].group);
	}
	return err_trace(r);
}

/* Whether field ${i} has codes without its values being asked for; -errno. */
static int
has_codes(const struct group_part *g, struct batch *b, size_t i)
{
	struct str name = group_field(g, i);
	struct block_column_info info;
	const struct column *c;

	if (group_bucket(g, i) != NULL && scan_batch_column(b, name, &info) &&
	    info.kind == COLUMN_TIME)
		return 1;
	c = batch_column(b, name);
	if (c == NULL)
		return b->err;
	return c->kind == COLUMN_DICT || c->kind == COLUMN_CONST ||
	    (c->kind == COLUMN_TIME && group_bucket(g, i) != NULL);
}

static int
load_codes(const struct group_part *g, struct batch *b, struct part_column *cols, size_t *ret_n_all)
{
	size_t i;
	int r = 1;

	*ret_n_all = 0;
	for (i = 0; r > 0 && i < g->n; i++)
		r = has_codes(g, b, i);
	if (r <= 0)
		return err_trace(r);
	for (i = 0, r = 0; r == 0 && i < g->n; i++)
		r = group_load(g, b, i, &cols[i]);
	if (r == 0)
		*ret_n_all = group_combinations(cols, g->n, b->n_rows);
	return err_trace(r);
}

/* The fields as codes, or with their counts; 0 combinations: they are not to be had. */
static int
load_fields(const struct group_part *g, struct batch *b, struct part_column *cols,
    size_t *ret_n_all)
{
	int r = g->n == 1 ? group_count_times(g, b, 0, &cols[0]) : 1;

	if (r > 0)
		return err_trace(load_codes(g, b, cols, ret_n_all));
	*ret_n_all = cols[0].n_dict;
	return err_trace(r);
}

int
group_counts(struct group_part *g, struct query_env *env, const char *who, struct batch *b,
    struct group_counted *ret)
{
	struct part_column *cols = arena_zalloc(&b->arena, g->n + 1, sizeof(*cols));
	size_t n_all;
	int r;

	if (cols == NULL)
		return err_origin(-ENOMEM);
	r = load_fields(g, b, cols, &n_all);
	if (r < 0)
		return err_trace(r);
	if (n_all == 0)
		return GROUP_E_ROWS;
	*ret = (struct group_counted){ 0 };
	r = counts_of_columns(g, cols, n_all, b, ret);
	if (r == 0)
		r = group_charge(g, env, who);
	return err_trace(r);
}

/* The field's codes, and how many rows have each; n is 0 where there are none. */
static int
count_field(const struct group_part *g, struct batch *b, struct part_column *col,
    struct group_coded *ret)
{
	size_t n_all;
	int r = load_codes(g, b, col, &n_all);

	*ret = (struct group_coded){ .codes = col->codes, .n = n_all };
	if (r == 0 && n_all != 0)
		r = count_combinations(col, 1, n_all, b, &ret->counts);
	return err_trace(r);
}

/* Without fields all rows have one code. */
static int
code_of_all(const struct batch *b, struct arena *arena, struct group_coded *ret)
{
	uint32_t *one = arena_alloc(arena, sizeof(*one));

	if (one == NULL)
		return err_origin(-ENOMEM);
	*one = (uint32_t)b->n_rows;
	*ret = (struct group_coded){ .counts = one, .n = 1 };
	return 0;
}

static int
group_of_code(struct group_part *g, const struct part_column *col, uint32_t code, uint32_t *ret)
{
	if (g->n > 0)
		return err_trace(group_of_codes(g, col, &code, ret));
	*ret = 0;
	return map_put(&g->keys, STR_NONE, NULL) == NULL ? err_origin(-ENOMEM) : 0;
}

int
group_codes(struct group_part *g, struct query_env *env, const char *who, struct batch *b,
    struct group_coded *ret)
{
	struct part_column col = { 0 };
	uint32_t code;
	int r;

	if (g->n > 1)
		return GROUP_E_ROWS;
	r = g->n == 0 ? code_of_all(b, &b->arena, ret) : count_field(g, b, &col, ret);
	if (r < 0)
		return err_trace(r);
	if (ret->n == 0)
		return GROUP_E_ROWS;
	ret->groups = arena_alloc(&b->arena, ret->n * sizeof(*ret->groups));
	if (ret->groups == NULL)
		return err_origin(-ENOMEM);
	for (code = 0; r == 0 && code < ret->n; code++)
		if (ret->counts[code] != 0)
			r = group_of_code(g, &col, code, &ret->groups[code]);
	return r != 0 ? err_trace(r) : group_charge(g, env, who);
}
