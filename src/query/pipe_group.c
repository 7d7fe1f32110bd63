/*
 * query/pipe_group.c - rows by the values of some fields.
 * One job: the number of the group that each row of a batch belongs to.
 * Floor: 3 (uses logsql, record, base).
 */
#include "query/pipe_group_internal.h"

enum { COMBINATIONS_MAX = 1 << 16, COMBINATIONS_FEW = 1024 };

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

static struct str
value_at(const struct part_column *c, size_t row)
{
	if (c->dict == NULL)
		return c->values[row];
	return c->dict[c->codes == NULL ? 0 : c->codes[row]];
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

int
group_of_row(struct group_part *g, const struct part_column *cols, size_t row, uint32_t *ret)
{
	size_t i;

	if (g->n == 1)
		return find_text(g, value_at(&cols[0], row), ret);
	buf_clear(&g->key);
	for (i = 0; i < g->n; i++)
		key_put(&g->key, value_at(&cols[i], row));
	return g->key.failed ? buf_err(&g->key) : find_text(g, buf_view(&g->key), ret);
}

int
group_of_codes(struct group_part *g, const struct part_column *cols, const uint32_t *codes,
    uint32_t *ret)
{
	size_t i;

	if (g->n == 1)
		return find_text(g, cols[0].dict[codes[0]], ret);
	buf_clear(&g->key);
	for (i = 0; i < g->n; i++)
		key_put(&g->key, cols[i].dict[codes[i]]);
	return g->key.failed ? buf_err(&g->key) : find_text(g, buf_view(&g->key), ret);
}

size_t
group_combinations(const struct part_column *cols, size_t n, size_t n_rows)
{
	size_t i, all = 1;

	for (i = 0; i < n; i++) {
		if (cols[i].dict == NULL || cols[i].n_dict == 0 ||
		    cols[i].n_dict > COMBINATIONS_MAX / all)
			return 0;
		all *= cols[i].n_dict;
	}
	return all > COMBINATIONS_FEW && all > 4 * n_rows ? 0 : all;
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
			r = group_of_row(g, col, row, &known[code]);
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
			r = group_of_row(g, cols, row, &known[at]);
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
		r = group_of_row(g, cols, row, &out[row]);
		if (r != 0)
			return r;
	}
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

	if (g->n != 1 || group_bucket(g, 0) != NULL)
		return NULL;
	c = batch_column(b, group_field(g, 0));
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
		r = group_load(g, b, i, &cols[i]);
	if (r != 0)
		return r;
	n_all = group_combinations(cols, g->n, b->n_rows);
	return n_all != 0 ? group_by_codes(g, cols, n_all, b, out)
	                  : group_by_values(g, cols, b, out);
}

int
group_charge(struct group_part *g, struct query_env *env, const char *who)
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
	return group_charge(g, env, who);
}
