/*
 * query/pipe_group.c - rows by the values of some fields.
 * One job: the number of the group that each row of a batch belongs to.
 * Floor: 3 (uses logsql, record, base).
 */
#include "query/pipe_group.h"

enum { COMBINATIONS_MAX = 1 << 16, COUNT_PASSES_MAX = 8 };

/* One field of a batch as codes into the distinct values, or as plain values. */
struct part_column {
	const struct str *dict; /* NULL: too many different values for a dictionary */
	size_t n_dict;
	const uint32_t *codes; /* NULL: all rows have code 0 */
	const struct str *values;
};

void
group_part_init(struct group_part *g, const struct str *names, size_t n)
{
	*g = (struct group_part){ .names = names, .n = n };
}

void
group_part_init_by(struct group_part *g, const struct stats_by *by, size_t n)
{
	*g = (struct group_part){ .by = by, .n = n };
}

static void
ints_fini(struct group_ints *t)
{
	free(t->keys);
	free(t->groups);
	*t = (struct group_ints){ 0 };
}

static size_t
ints_place(const struct group_ints *t, int64_t key)
{
	uint64_t h = (uint64_t)key * UINT64_C(0x9e3779b97f4a7c15);
	size_t i = (size_t)(h >> 32) & (t->cap - 1);

	while (t->groups[i] != UINT32_MAX && t->keys[i] != key)
		i = (i + 1) & (t->cap - 1);
	return i;
}

/* Room for one more. */
static int
ints_grow(struct group_ints *t)
{
	struct group_ints more = { .n = t->n,
		.cap = t->cap == 0 ? 1024 : t->cap * 2,
		.scale = t->scale };
	size_t i, at;

	if (t->n + 1 < t->cap / 2)
		return 0;
	more.keys = calloc(more.cap, sizeof(*more.keys));
	more.groups = malloc(more.cap * sizeof(*more.groups));
	if (more.keys == NULL || more.groups == NULL) {
		ints_fini(&more);
		return err_origin(-ENOMEM);
	}
	memset(more.groups, 0xff, more.cap * sizeof(*more.groups));
	for (i = 0; i < t->cap; i++)
		if (t->groups[i] != UINT32_MAX) {
			at = ints_place(&more, t->keys[i]);
			more.keys[at] = t->keys[i];
			more.groups[at] = t->groups[i];
		}
	ints_fini(t);
	*t = more;
	return 0;
}

void
group_part_fini(struct group_part *g)
{
	map_fini(&g->keys);
	buf_fini(&g->key);
	ints_fini(&g->ints);
}

static const struct stats_by *
bucket_of(const struct group_part *g, size_t i)
{
	return g->by != NULL && g->by[i].bucket != BUCKET_NONE ? &g->by[i] : NULL;
}

static int
bucketed(struct batch *b, const struct stats_by *by, struct str s, struct buf *tmp, struct str *ret)
{
	buf_clear(tmp);
	bucket_put(tmp, by, s);
	if (tmp->failed)
		return buf_err(tmp);
	*ret = arena_dup(&b->arena, buf_view(tmp));
	return ret->p == NULL ? err_origin(-ENOMEM) : 0;
}

/*
 * Times fall into few buckets, and neighbours mostly into the same: codes by the last bucket seen.
 */
static int
load_times(struct batch *b, const struct column *c, const struct stats_by *by,
    struct part_column *ret)
{
	char text[WALL_TEXT_MAX];
	uint32_t *codes = arena_alloc(&b->arena, (b->n_rows + 1) * sizeof(*codes));
	struct str *dict = arena_alloc(&b->arena, (b->n_rows + 1) * sizeof(*dict));
	int64_t *starts = arena_alloc(&b->arena, (b->n_rows + 1) * sizeof(*starts));
	int64_t start;
	size_t i, n = 0, k;

	if (codes == NULL || dict == NULL || starts == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < b->n_rows; i++) {
		start = bucket_time(by, c->ints[i]);
		/*
		 * Look back a little; a bucket that comes again later gets a second code and the
		 * same key.
		 */
		for (k = 0; k < 8 && k < n && starts[n - 1 - k] != start; k++)
			continue;
		if (k < 8 && k < n) {
			codes[i] = (uint32_t)(n - 1 - k);
			continue;
		}
		starts[n] = start;
		dict[n] =
		    arena_dup(&b->arena, str_of(text, wall_format(text, (struct wall){ start })));
		if (dict[n].p == NULL)
			return err_origin(-ENOMEM);
		codes[i] = (uint32_t)n++;
	}
	*ret = (struct part_column){ .dict = dict, .n_dict = n, .codes = codes };
	return 0;
}

static int
map_values(struct batch *b, const struct stats_by *by, const struct str *in, size_t n,
    const struct str **ret)
{
	AUTO_FINI(buf_fini) struct buf tmp = BUF_INIT;
	struct str *out;
	size_t i;
	int r = 0;

	*ret = in;
	if (by == NULL)
		return 0;
	out = arena_alloc(&b->arena, (n + 1) * sizeof(*out));
	if (out == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; r == 0 && i < n; i++)
		r = bucketed(b, by, in[i], &tmp, &out[i]);
	*ret = out;
	return r;
}

static int
load(const struct group_part *g, struct batch *b, size_t i, struct part_column *ret)
{
	struct str name = g->by != NULL ? g->by[i].name : g->names[i];
	const struct stats_by *by = bucket_of(g, i);
	const struct column *c = batch_column(b, name);
	const struct str *values;

	if (c == NULL)
		return b->err;
	*ret = (struct part_column){ .n_dict = 1 };
	if (c->kind == COLUMN_CONST)
		return map_values(b, by, &c->value, 1, &ret->dict);
	if (c->kind == COLUMN_DICT) {
		ret->n_dict = c->n_dict;
		ret->codes = c->codes;
		return map_values(b, by, c->dict, c->n_dict, &ret->dict);
	}
	if (c->kind == COLUMN_TIME && by != NULL)
		return load_times(b, c, by, ret);
	values = batch_strs(b, name);
	if (values == NULL)
		return b->err;
	return map_values(b, by, values, b->n_rows, &ret->values);
}

static struct str
value_at(const struct part_column *c, size_t row)
{
	if (c->dict == NULL)
		return c->values[row];
	return c->dict[c->codes == NULL ? 0 : c->codes[row]];
}

/* The group of row ${row}, found by its whole key. */
static int
find_group(struct group_part *g, const struct part_column *cols, size_t row, uint32_t *ret)
{
	struct map_entry *e;
	struct str key;
	size_t i;

	if (g->n == 1) {
		key = value_at(&cols[0], row);
	} else {
		buf_clear(&g->key);
		for (i = 0; i < g->n; i++)
			key_put(&g->key, value_at(&cols[i], row));
		if (g->key.failed)
			return buf_err(&g->key);
		key = buf_view(&g->key);
	}
	e = map_put(&g->keys, key, NULL);
	if (e == NULL)
		return err_origin(-ENOMEM);
	*ret = (uint32_t)(e - g->keys.entries);
	return 0;
}

/* How many combinations of codes there can be; 0: a column has no codes, or there are too many. */
static size_t
combinations(const struct part_column *cols, size_t n)
{
	size_t i, all = 1;

	for (i = 0; i < n; i++) {
		if (cols[i].dict == NULL || cols[i].n_dict > COMBINATIONS_MAX / all)
			return 0;
		all *= cols[i].n_dict == 0 ? 1 : cols[i].n_dict;
	}
	return all;
}

/* One field: a look-up a row. */
static int
group_by_code(struct group_part *g, const struct part_column *col, uint32_t *known, size_t n_rows,
    uint32_t *out)
{
	uint32_t code;
	size_t row;
	int r;

	for (row = 0; row < n_rows; row++) {
		code = col->codes[row];
		if (__builtin_expect(known[code] == UINT32_MAX, 0)) {
			r = find_group(g, col, row, &known[code]);
			if (r != 0)
				return r;
		}
		out[row] = known[code];
	}
	return 0;
}

static int
group_by_codes(struct group_part *g, const struct part_column *cols, size_t n_all, struct batch *b,
    uint32_t *out)
{
	uint32_t *known = arena_alloc(&b->arena, n_all * sizeof(*known));
	size_t row, i, at;
	int r;

	if (known == NULL)
		return err_origin(-ENOMEM);
	memset(known, 0xff, n_all * sizeof(*known));
	if (g->n == 1 && cols[0].codes != NULL)
		return group_by_code(g, &cols[0], known, b->n_rows, out);
	for (row = 0; row < b->n_rows; row++) {
		for (at = 0, i = 0; i < g->n; i++)
			at = at * cols[i].n_dict + (cols[i].codes == NULL ? 0 : cols[i].codes[row]);
		if (known[at] == UINT32_MAX) {
			r = find_group(g, cols, row, &known[at]);
			if (r != 0)
				return r;
		}
		out[row] = known[at];
	}
	return 0;
}

static int
group_by_values(struct group_part *g, const struct part_column *cols, struct batch *b,
    uint32_t *out)
{
	size_t row, i;
	int r;

	for (row = 0; row < b->n_rows; row++) {
		for (i = 0; row > 0 && i < g->n; i++) {
			struct str v = value_at(&cols[i], row), w = value_at(&cols[i], row - 1);

			if (v.p != w.p || v.n != w.n)
				break;
		}
		if (row > 0 && i == g->n) {
			out[row] = out[row - 1];
			continue;
		}
		r = find_group(g, cols, row, &out[row]);
		if (r != 0)
			return r;
	}
	return 0;
}

static int
find_text(struct group_part *g, struct str text, uint32_t *ret)
{
	struct map_entry *e = map_put(&g->keys, text, NULL);

	if (e == NULL)
		return err_origin(-ENOMEM);
	*ret = (uint32_t)(e - g->keys.entries);
	return 0;
}

static int
find_int(struct group_part *g, int64_t v, uint32_t *ret)
{
	char text[COLUMN_SCRATCH];
	size_t at;
	int r = ints_grow(&g->ints);

	if (r != 0)
		return r;
	at = ints_place(&g->ints, v);
	if (g->ints.groups[at] == UINT32_MAX) {
		r = find_text(g, str_of(text, column_format_int(text, v, g->ints.scale)),
		    &g->ints.groups[at]);
		if (r != 0)
			return r;
		g->ints.keys[at] = v;
		g->ints.n++;
	}
	*ret = g->ints.groups[at];
	return 0;
}

/* One field of integers without buckets. */
static int
group_by_ints(struct group_part *g, const struct column *c, uint32_t *out)
{
	uint32_t none = UINT32_MAX;
	size_t i;
	int r = 0;

	if (g->ints.scale != c->scale)
		ints_fini(&g->ints);
	g->ints.scale = c->scale;
	for (i = 0; r == 0 && i < c->n_rows; i++) {
		if (c->present == NULL || bits_get(c->present, i)) {
			r = find_int(g, c->ints[i], &out[i]);
			continue;
		}
		if (none == UINT32_MAX)
			r = find_text(g, STR_NONE, &none);
		out[i] = none;
	}
	return r;
}

/* The column when it is one that group_by_ints takes, else NULL. */
static const struct column *
only_ints(const struct group_part *g, struct batch *b)
{
	const struct column *c;

	if (g->n != 1 || bucket_of(g, 0) != NULL)
		return NULL;
	c = batch_column(b, g->by != NULL ? g->by[0].name : g->names[0]);
	return c != NULL && c->kind == COLUMN_INT ? c : NULL;
}

static int
group_columns(struct group_part *g, struct batch *b, uint32_t *out)
{
	struct part_column *cols = arena_zalloc(&b->arena, g->n + 1, sizeof(*cols));
	const struct column *ints = only_ints(g, b);
	size_t i, n_all;
	int r = 0;

	if (cols == NULL)
		return err_origin(-ENOMEM);
	if (ints != NULL)
		return group_by_ints(g, ints, out);
	for (i = 0; r == 0 && i < g->n; i++)
		r = load(g, b, i, &cols[i]);
	if (r != 0)
		return r;
	n_all = combinations(cols, g->n);
	/* A table of them must not cost more than the rows. */
	if (n_all > 1024 && n_all > 4 * b->n_rows)
		n_all = 0;
	return n_all != 0 ? group_by_codes(g, cols, n_all, b, out)
	                  : group_by_values(g, cols, b, out);
}

static int
charge(struct group_part *g, struct query_env *env, const char *who)
{
	uint64_t now = map_bytes(&g->keys) + g->ints.cap * (sizeof(int64_t) + sizeof(uint32_t));
	int r = now > g->charged ? env_charge(env, who, (int64_t)(now - g->charged)) : 0;

	g->charged = now > g->charged ? now : g->charged;
	return r;
}

int
group_rows(struct group_part *g, struct query_env *env, const char *who, struct batch *b,
    const uint32_t **ret)
{
	uint32_t *out = arena_zalloc(&b->arena, b->n_rows + 1, sizeof(*out));
	int r = 0;

	if (out == NULL)
		return err_origin(-ENOMEM);
	if (g->n == 0 && map_put(&g->keys, STR_NONE, NULL) == NULL)
		return err_origin(-ENOMEM);
	if (g->n != 0)
		r = group_columns(g, b, out);
	if (r != 0)
		return r;
	*ret = out;
	return charge(g, env, who);
}

/*
 * Rows by code.  Of few codes each is counted by a pass of its own, which takes several rows at once; else four tables are
 * filled in turn, so that equal neighbours do not wait for each other.
 */
static int
count_codes(const uint32_t *codes, size_t n, size_t n_dict, struct arena *arena, uint32_t **ret)
{
	uint32_t *out = arena_zalloc(arena, 4 * n_dict + 4, sizeof(*out)), sum, code;
	size_t i, k;

	if (out == NULL)
		return err_origin(-ENOMEM);
	*ret = out;
	if (n_dict <= COUNT_PASSES_MAX) {
		for (code = 0; code < n_dict; code++) {
			for (sum = 0, i = 0; i < n; i++)
				sum += codes[i] == code;
			out[code] = sum;
		}
		return 0;
	}
	for (i = 0; i + 4 <= n; i += 4)
		for (k = 0; k < 4; k++)
			out[k * n_dict + codes[i + k]]++;
	for (; i < n; i++)
		out[codes[i]]++;
	for (i = 0; i < n_dict; i++)
		out[i] += out[n_dict + i] + out[2 * n_dict + i] + out[3 * n_dict + i];
	return 0;
}

/* The one column, of few different values. */
static int
counts_of_column(struct group_part *g, const struct part_column *col, struct batch *b,
    uint32_t **ret)
{
	AUTO_FREE uint32_t *groups = calloc(col->n_dict + 1, sizeof(*groups));
	uint32_t *by_code = NULL, *out, all = (uint32_t)b->n_rows;
	size_t i;
	int r = groups == NULL ? err_origin(-ENOMEM) : 0;

	if (r == 0 && col->codes != NULL)
		r = count_codes(col->codes, b->n_rows, col->n_dict, &b->arena, &by_code);
	if (by_code == NULL)
		by_code = &all;
	for (i = 0; r == 0 && i < col->n_dict; i++)
		if (by_code[i] != 0)
			r = find_text(g, col->dict[i], &groups[i]);
	if (r != 0)
		return err_trace(r);
	out = arena_zalloc(&b->arena, g->keys.n + 1, sizeof(*out));
	if (out == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < col->n_dict; i++)
		if (by_code[i] != 0)
			out[groups[i]] += by_code[i];
	*ret = out;
	return 0;
}

int
group_counts(struct group_part *g, struct query_env *env, const char *who, struct batch *b,
    const uint32_t **ret)
{
	const struct str none = STR_NONE;
	struct part_column col = { .dict = &none, .n_dict = 1 };
	const struct column *c;
	uint32_t *out = NULL;
	int r = 0;

	*ret = NULL;
	if (g->n > 1)
		return 0;
	if (g->n == 1) {
		c = batch_column(b, g->by != NULL ? g->by[0].name : g->names[0]);
		if (c == NULL)
			return b->err;
		if (c->kind != COLUMN_DICT && c->kind != COLUMN_CONST)
			return 0;
		r = load(g, b, 0, &col);
	}
	if (r == 0)
		r = counts_of_column(g, &col, b, &out);
	if (r == 0)
		r = charge(g, env, who);
	*ret = out;
	return err_trace(r);
}
