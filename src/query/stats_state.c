/*
 * query/stats_state.c - what a stats function has gathered.
 * One job: what all functions share: their columns, values as numbers, exact sums, texts of their
 * own.
 * Floor: 3 (uses logsql, record, base).
 */
#include "query/stats_state.h"

#include <math.h>

#include "logsql/value.h"

static const struct stats_ops *const all_ops[STATS_KINDS] = {
	[STATS_ANY] = &stats_any_ops,
	[STATS_AVG] = &stats_avg_ops,
	[STATS_COUNT] = &stats_count_ops,
	[STATS_COUNT_EMPTY] = &stats_count_empty_ops,
	[STATS_COUNT_UNIQ] = &stats_uniq_ops,
	[STATS_COUNT_UNIQ_HASH] = &stats_uniq_ops,
	[STATS_FIELD_MAX] = &stats_field_ops,
	[STATS_FIELD_MIN] = &stats_field_ops,
	[STATS_FIRST] = &stats_any_ops,
	[STATS_HISTOGRAM] = &stats_histogram_ops,
	[STATS_JSON_VALUES] = &stats_json_values_ops,
	[STATS_LAST] = &stats_any_ops,
	[STATS_MAX] = &stats_max_ops,
	[STATS_MEDIAN] = &stats_quantile_ops,
	[STATS_MIN] = &stats_min_ops,
	[STATS_QUANTILE] = &stats_quantile_ops,
	[STATS_RATE] = &stats_rate_ops,
	[STATS_RATE_SUM] = &stats_rate_sum_ops,
	[STATS_ROW_ANY] = &stats_row_any_ops,
	[STATS_ROW_MAX] = &stats_row_ops,
	[STATS_ROW_MIN] = &stats_row_ops,
	[STATS_STDDEV] = &stats_stddev_ops,
	[STATS_SUM] = &stats_sum_ops,
	[STATS_SUM_LEN] = &stats_sum_len_ops,
	[STATS_UNIQ_VALUES] = &stats_uniq_values_ops,
	[STATS_VALUES] = &stats_values_ops,
};

const struct stats_ops *
stats_ops_of(enum stats_kind kind)
{
	return all_ops[kind];
}

/* One order for all batches, so that a row's JSON does not depend on its block. */
static int
name_order(const void *a, const void *b)
{
	const struct str *x = a, *y = b;

	return str_cmp(*x, *y);
}

int
stats_columns(const struct names *names, struct batch *b, struct stats_columns *ret)
{
	const struct str *all;
	struct str *some;
	size_t i, n, n_some = 0;
	int r;

	*ret = (struct stats_columns){ .named = true };
	for (i = 0; i < names->n; i++)
		ret->named = ret->named && !name_is_wild(names->p[i]);
	ret->names = names->p;
	ret->n = names->n;
	if (!ret->named) {
		r = batch_names(b, &all, &n);
		if (r != 0)
			return r;
		some = arena_alloc(&b->arena, (n + 1) * sizeof(*some));
		if (some == NULL)
			return err_origin(-ENOMEM);
		for (i = 0; i < n; i++)
			if (names_match(names, all[i]))
				some[n_some++] = all[i];
		qsort(some, n_some, sizeof(*some), name_order);
		ret->names = some;
		ret->n = n_some;
	}
	ret->cols = arena_alloc(&b->arena, (ret->n + 1) * sizeof(*ret->cols));
	if (ret->cols == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < ret->n; i++) {
		ret->cols[i] = batch_column(b, ret->names[i]);
		if (ret->cols[i] == NULL)
			return b->err;
	}
	return 0;
}

struct stats_number
stats_number_of(struct str s)
{
	struct stats_number n = { .kind = NUMBER_NONE };

	if (s.n == 0)
		return n;
	if (column_parse_int(s, &n.v, &n.scale))
		n.kind = NUMBER_DECIMAL;
	else if (value_number(s, &n.f))
		n.kind = NUMBER_FLOAT;
	return n;
}

static const int64_t powers[] = { 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000,
	1000000000, INT64_C(10000000000), INT64_C(100000000000), INT64_C(1000000000000),
	INT64_C(10000000000000), INT64_C(100000000000000), INT64_C(1000000000000000),
	INT64_C(10000000000000000), INT64_C(100000000000000000), INT64_C(1000000000000000000) };

double
stats_number_value(const struct stats_number *n)
{
	return n->kind == NUMBER_DECIMAL ? (double)n->v / (double)powers[n->scale] : n->f;
}

int
stats_numbers(const struct column *c, struct batch *b, const struct stats_number **ret)
{
	struct stats_number *out = arena_alloc(&b->arena, (c->n_rows + 1) * sizeof(*out)), *dict;
	char scratch[COLUMN_SCRATCH];
	size_t i;

	if (out == NULL)
		return err_origin(-ENOMEM);
	*ret = out;
	if (c->kind == COLUMN_DICT) {
		dict = arena_alloc(&b->arena, (c->n_dict + 1) * sizeof(*dict));
		if (dict == NULL)
			return err_origin(-ENOMEM);
		for (i = 0; i < c->n_dict; i++)
			dict[i] = stats_number_of(c->dict[i]);
		for (i = 0; i < c->n_rows; i++)
			out[i] = dict[c->codes[i]];
		return 0;
	}
	for (i = 0; i < c->n_rows; i++) {
		if (c->kind == COLUMN_INT && (c->present == NULL || bits_get(c->present, i)))
			out[i] = (struct stats_number){ NUMBER_DECIMAL, c->scale, c->ints[i], 0 };
		else if (c->kind == COLUMN_INT || c->kind == COLUMN_TIME)
			out[i] = (struct stats_number){ .kind = NUMBER_NONE };
		else if (c->kind == COLUMN_CONST && i > 0)
			out[i] = out[0];
		else
			out[i] = stats_number_of(column_value(c, i, scratch));
	}
	return 0;
}

static __int128
fixed_of(const struct stats_state *s)
{
	/* Unsigned, since a negative number is not to be shifted. */
	return (__int128)((unsigned __int128)(uint64_t)s->fixed_hi << 64 | (uint64_t)s->fixed_lo);
}

static void
fixed_set(struct stats_state *s, __int128 v)
{
	s->fixed_lo = (int64_t)(uint64_t)v;
	s->fixed_hi = (int64_t)(v >> 64);
}

static void
fixed_add(struct stats_state *s, __int128 v)
{
	fixed_set(s, (__int128)((unsigned __int128)fixed_of(s) + (unsigned __int128)v));
}

int
stats_add_number(struct stats_state *s, const struct stats_number *n, int64_t *grown)
{
	struct exact *e = s->more;
	int64_t before;
	double v;
	int r;

	s->n++;
	if (n->kind == NUMBER_DECIMAL && n->scale <= 9) {
		fixed_add(s, (__int128)n->v * powers[9 - n->scale]);
		return 0;
	}
	v = stats_number_value(n);
	if (!isfinite(v)) {
		s->sum += v;
		return 0;
	}
	before = exact_bytes(e);
	r = exact_add(&e, v);
	s->more = e;
	*grown += exact_bytes(e) - before;
	return r;
}

enum { INTS_GROUPS_MAX = 256 };

/* Few groups, all rows: sums and counts close together, made units and put into the states once. */
static void
add_all_ints(const struct column *c, struct stats_batch *sb, __int128 unit)
{
	__int128 sums[INTS_GROUPS_MAX] = { 0 };
	uint64_t counts[INTS_GROUPS_MAX] = { 0 };
	struct stats_state *s;
	uint64_t left;
	size_t i, w;

	for (i = 0; c->present == NULL && i < sb->b->n_rows; i++) {
		sums[sb->groups[i]] += c->ints[i];
		counts[sb->groups[i]]++;
	}
	for (w = 0; c->present != NULL && w < BITS_WORDS(sb->b->n_rows); w++)
		for (left = c->present[w]; left != 0; left &= left - 1) {
			i = w * 64 + (size_t)__builtin_ctzll(left);
			sums[sb->groups[i]] += c->ints[i];
			counts[sb->groups[i]]++;
		}
	for (i = 0; i < sb->n_groups; i++) {
		s = &sb->states[i * sb->stride];
		s->n += counts[i];
		fixed_add(s, sums[i] * unit);
	}
}

void
stats_add_ints(const struct column *c, struct stats_batch *sb)
{
	__int128 unit = powers[9 - c->scale];
	struct stats_state *s;
	size_t i;

	if (sb->rows == NULL && sb->n_groups <= INTS_GROUPS_MAX &&
	    sb->b->n_rows > INTS_GROUPS_MAX) {
		add_all_ints(c, sb, unit);
		return;
	}
	for (i = 0; i < sb->b->n_rows; i++) {
		if ((c->present != NULL && !bits_get(c->present, i)) || !stats_takes(sb, i))
			continue;
		s = stats_state_of(sb, i);
		s->n++;
		fixed_add(s, c->ints[i] * unit);
	}
}

int
stats_sum_value(const struct stats_state *s, double *ret)
{
	__int128 v = fixed_of(s);
	__int128 whole = v / powers[9], rest = v % powers[9];
	struct twice more;
	int r = exact_value(s->more, &more);

	if (r != 0)
		return r;
	/*
	 * Whole and rest together are one rounding when the sum is below 2^53 units, as most are.
	 */
	if (v > -((__int128)1 << 53) && v < (__int128)1 << 53)
		*ret = (double)(int64_t)v / 1e9 + more.hi + s->sum;
	else
		*ret = (double)whole + (double)(int64_t)rest / 1e9 + more.hi + s->sum;
	return 0;
}

int
stats_add_sum(struct stats_state *to, struct stats_state *from)
{
	struct exact *a = to->more, *b = from->more;
	int r;

	to->n += from->n;
	to->sum += from->sum;
	fixed_add(to, fixed_of(from));
	r = exact_merge(&a, &b);
	to->more = a;
	from->more = b;
	stats_sum_fini(from);
	return r;
}

void
stats_sum_fini(struct stats_state *s)
{
	free(s->more);
	s->more = NULL;
}

int
stats_text_set(struct stats_text **t, struct str s)
{
	struct stats_text *fresh = malloc(sizeof(*fresh) + s.n + 1);

	if (fresh == NULL)
		return err_origin(-ENOMEM);
	fresh->n = s.n;
	if (s.n != 0)
		memcpy(fresh->p, s.p, s.n);
	free(*t);
	*t = fresh;
	return 0;
}

struct str
stats_text_of(const struct stats_text *t)
{
	return t == NULL ? STR_NONE : str_of(t->p, t->n);
}

void
stats_text_save(struct buf *out, const struct stats_text *t)
{
	buf_byte(out, t != NULL);
	if (t != NULL)
		stats_save_str(out, stats_text_of(t));
}

int
stats_text_load(struct scan *in, struct stats_text **ret)
{
	struct str s;

	if (scan_u8(in) == 0)
		return 0;
	s = stats_load_str(in);
	return in->bad ? err_origin(-EPROTO) : stats_text_set(ret, s);
}

int
stats_save_n(const struct stats_func *f, struct stats_state *s, struct buf *out)
{
	buf_varint(out, s->n);
	return 0;
}

int
stats_load_n(const struct stats_func *f, struct scan *in, struct stats_state *s)
{
	s->n = scan_varint(in);
	return 0;
}

int
stats_row_json(const struct stats_columns *c, size_t row, struct buf *out)
{
	char scratch[COLUMN_SCRATCH];
	bool first = true;
	struct str v;
	size_t i;

	buf_byte(out, '{');
	for (i = 0; i < c->n; i++) {
		v = column_value(c->cols[i], row, scratch);
		if (v.n == 0)
			continue;
		if (!first)
			buf_byte(out, ',');
		first = false;
		buf_json(out, c->names[i]);
		buf_byte(out, ':');
		buf_json(out, v);
	}
	buf_byte(out, '}');
	return buf_err(out);
}

int
stats_func_rows(const struct stats_func *f, struct query_env *env, struct batch *b,
    const uint64_t **ret)
{
	const uint64_t *one;
	uint64_t *left;
	size_t i, w;
	int r = 0;

	if (!f->is_default)
		return pipe_rows(f->filter, env, b, ret);
	left = arena_zalloc(&b->arena, BITS_WORDS(b->n_rows) + 1, sizeof(*left));
	if (left == NULL)
		return err_origin(-ENOMEM);
	bits_fill(left, b->n_rows);
	for (i = 0; r == 0 && i < f->n_not_any; i++) {
		r = pipe_rows(f->not_any[i], env, b, &one);
		for (w = 0; r == 0 && w < BITS_WORDS(b->n_rows); w++)
			left[w] &= one != NULL ? ~one[w] : 0;
	}
	*ret = left;
	return r;
}
