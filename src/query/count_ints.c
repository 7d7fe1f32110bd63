/*
 * query/count_ints.c - integers and how often they come.
 * One job: an array for values that lie near each other, a hash table for the others.
 * Floor: 3 (uses record, base).
 */
#include "query/count_ints.h"

enum { SPARSE_MIN = 1024 };

void
count_ints_fini(struct count_ints *t)
{
	free(t->dense);
	free(t->sparse);
	*t = (struct count_ints){ 0 };
}

bool
count_ints_takes(const struct count_ints *t, const struct column *c)
{
	return c->kind == COLUMN_INT && (t->dense == NULL || t->scale == c->scale);
}

size_t
count_ints_bytes(const struct count_ints *t)
{
	return t->n_dense * sizeof(*t->dense) + t->cap * sizeof(*t->sparse);
}

static struct count_int *
sparse_place(const struct count_ints *t, int64_t v)
{
	uint64_t h = (uint64_t)v * UINT64_C(0x9e3779b97f4a7c15);
	size_t i = (size_t)(h >> 32) & (t->cap - 1);

	while (t->sparse[i].n != 0 && t->sparse[i].v != v)
		i = (i + 1) & (t->cap - 1);
	return &t->sparse[i];
}

/* Room for one more. */
static int
sparse_grow(struct count_ints *t)
{
	struct count_ints more = *t;
	size_t i;

	if (2 * (t->n_sparse + 1) < t->cap)
		return 0;
	more.cap = t->cap == 0 ? SPARSE_MIN : t->cap * 2;
	more.sparse = calloc(more.cap, sizeof(*more.sparse));
	if (more.sparse == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < t->cap; i++)
		if (t->sparse[i].n != 0)
			*sparse_place(&more, t->sparse[i].v) = t->sparse[i];
	free(t->sparse);
	*t = more;
	return 0;
}

static int
put(struct count_ints *t, int64_t v, uint64_t n)
{
	uint64_t at = (uint64_t)v - (uint64_t)t->base;
	struct count_int *place;
	int r;

	if (at < t->n_dense) {
		t->dense[at] += n;
		return 0;
	}
	r = sparse_grow(t);
	if (r < 0)
		return err_trace(r);
	place = sparse_place(t, v);
	t->n_sparse += place->n == 0;
	*place = (struct count_int){ v, place->n + n };
	return 0;
}

/* The array is of the first column's values and half as many beyond on either side. */
static int
dense_new(struct count_ints *t, const struct column *c)
{
	int64_t min = 0, max = 0;
	uint64_t wide;
	size_t i, n = 0;

	for (i = 0; i < c->n_rows; i++) {
		if (c->present != NULL && !bits_get(c->present, i))
			continue;
		min = n == 0 || c->ints[i] < min ? c->ints[i] : min;
		max = n == 0 || c->ints[i] > max ? c->ints[i] : max;
		n++;
	}
	wide = (uint64_t)max - (uint64_t)min;
	if (wide > COUNT_INTS_DENSE_MAX / 2)
		wide = 0;
	t->base = (int64_t)((uint64_t)min - wide / 2);
	t->n_dense = (size_t)wide * 2 + 1;
	t->scale = c->scale;
	t->dense = calloc(t->n_dense, sizeof(*t->dense));
	return t->dense == NULL ? err_origin(-ENOMEM) : 0;
}

/* One more of a value; mostly no more than an addition. */
static inline int
add_one(struct count_ints *t, int64_t v)
{
	uint64_t at = (uint64_t)v - (uint64_t)t->base;

	if (__builtin_expect(at >= t->n_dense, 0))
		return err_trace(put(t, v, 1));
	t->dense[at]++;
	return 0;
}

/* 64 rows, those that have a value by ${bits}. */
static int
add_some(struct count_ints *t, const int64_t *ints, uint64_t bits)
{
	int r = 0;

	for (; r == 0 && bits != 0; bits &= bits - 1)
		r = add_one(t, ints[__builtin_ctzll(bits)]);
	return err_trace(r);
}

int
count_ints_add(struct count_ints *t, const struct column *c)
{
	size_t i;
	int r = t->dense == NULL ? dense_new(t, c) : 0;

	if (r < 0)
		return err_trace(r);
	if (c->present == NULL)
		for (i = 0; r == 0 && i < c->n_rows; i++)
			r = add_one(t, c->ints[i]);
	else
		for (i = 0; r == 0 && i < c->n_rows; i += 64)
			r = add_some(t, c->ints + i, c->present[i / 64]);
	if (c->present != NULL)
		t->n_absent += c->n_rows - bits_count(c->present, c->n_rows);
	return err_trace(r);
}

int
count_ints_merge(struct count_ints *to, const struct count_ints *from)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < from->n_dense; i++)
		if (from->dense[i] != 0)
			r = put(to, (int64_t)((uint64_t)from->base + i), from->dense[i]);
	for (i = 0; r == 0 && i < from->cap; i++)
		if (from->sparse[i].n != 0)
			r = put(to, from->sparse[i].v, from->sparse[i].n);
	to->n_absent += from->n_absent;
	return err_trace(r);
}

int
count_ints_move(struct count_ints *t, struct map *m)
{
	unsigned scale;
	int64_t v;
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < m->n; i++) {
		if (m->entries[i].value == 0 || !column_parse_int(m->entries[i].key, &v, &scale) ||
		    scale != t->scale)
			continue;
		r = put(t, v, m->entries[i].value);
		m->entries[i].value = 0;
	}
	return err_trace(r);
}

static int
more_first(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x < *y) - (*x > *y);
}

/* The smallest count that the ${limit} most frequent have: the largest counts seen, cut down now and then. */
static int
least_of_top(const struct count_ints *t, uint64_t limit, uint64_t *ret)
{
	size_t n_all = t->n_dense + t->cap, cap, i, n = 0;
	uint64_t *best, count, least = 1;

	*ret = 1;
	if (limit == 0 || limit >= n_all)
		return 0;
	cap = 2 * (size_t)limit + 64;
	best = malloc(cap * sizeof(*best));
	if (best == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < n_all; i++) {
		count = i < t->n_dense ? t->dense[i] : t->sparse[i - t->n_dense].n;
		if (count < least)
			continue;
		best[n++] = count;
		if (n == cap) {
			qsort(best, n, sizeof(*best), more_first);
			n = (size_t)limit;
			least = best[n - 1];
		}
	}
	qsort(best, n, sizeof(*best), more_first);
	*ret = n < limit ? least : best[limit - 1];
	free(best);
	return 0;
}

static int
put_text(const struct count_ints *t, struct map *m, int64_t v, uint64_t n)
{
	char text[COLUMN_SCRATCH];
	struct map_entry *e = map_put(m, str_of(text, column_format_int(text, v, t->scale)), NULL);

	if (e == NULL)
		return err_origin(-ENOMEM);
	e->value += n;
	return 0;
}

int
count_ints_top(const struct count_ints *t, uint64_t limit, struct map *m)
{
	struct map_entry *none;
	uint64_t least;
	size_t i;
	int r = least_of_top(t, limit, &least);

	for (i = 0; r == 0 && i < t->n_dense; i++)
		if (t->dense[i] >= least)
			r = put_text(t, m, (int64_t)((uint64_t)t->base + i), t->dense[i]);
	for (i = 0; r == 0 && i < t->cap; i++)
		if (t->sparse[i].n >= least)
			r = put_text(t, m, t->sparse[i].v, t->sparse[i].n);
	if (r == 0 && t->n_absent != 0) {
		none = map_put(m, STR_NONE, NULL);
		if (none == NULL)
			return err_origin(-ENOMEM);
		none->value += t->n_absent;
	}
	return err_trace(r);
}
