/*
 * store/enc_int.c - the number encoding.
 * One job: numbers whose text is canonical, as integers with a common scale.
 * Floor: 2 (uses record, base).
 *
 * Numbers, version 1 (the scale, 0 to 18, stands in the directory: the value's text is the integer with
 * a point before its last scale digits, see column_format_int):
 *
 *   size   field
 *   ...    presence
 *   ...    "Integers", one for each row that has a value
 */
#include "base/digits.h"
#include "store/enc.h"

/* column_parse_int, of what is usual without a loop; ENC_PAD makes it safe. */
static inline bool
parse_int(struct str x, int64_t *ret, unsigned *ret_scale)
{
	uint64_t v;

	if (LIKELY(digits_decimal(x.p, x.n, &v, ret_scale))) {
		*ret = (int64_t)v;
		return true;
	}
	return column_parse_int(x, ret, ret_scale);
}

int
enc_int_put(struct buf *out, struct enc_scratch *s, const struct enc_values *v, bool *ret_ok,
    unsigned *ret_scale, int64_t *ret_min, int64_t *ret_max)
{
	int64_t *ints = arena_alloc(&s->arena, (v->n + 1) * sizeof(*ints));
	unsigned scale = 0;
	size_t i, n = 0;
	int r;

	*ret_ok = false;
	if (ints == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < v->n; i++) {
		if (v->offs[i] == v->offs[i + 1])
			continue;
		if (!parse_int(enc_value(v, i), &ints[n], &scale) || scale > 18)
			return 0;
		if (n == 0)
			*ret_scale = scale;
		else if (scale != *ret_scale)
			return 0;
		n++;
	}
	if (n == 0)
		return 0;
	*ret_min = *ret_max = ints[0];
	for (i = 1; i < n; i++) {
		*ret_min = ints[i] < *ret_min ? ints[i] : *ret_min;
		*ret_max = ints[i] > *ret_max ? ints[i] : *ret_max;
	}
	r = enc_present_put(out, s, v, &n);
	if (r != 0)
		return err_trace(r);
	enc_ints_put(out, ints, n);
	*ret_ok = true;
	return 0;
}

/* Move packed values to their rows, from the last to the first, in place. */
static void
spread(int64_t *ints, const uint64_t *present, size_t n_rows, size_t n)
{
	uint64_t has;
	size_t i;

	/* Without a branch, which would be guessed wrong every other time; n stays at most i. */
	for (i = n_rows; i-- > 0;) {
		has = bits_get(present, i);
		n -= has;
		ints[i] = (int64_t)((uint64_t)ints[n] & (0 - has));
	}
}

/* Few rows: only the groups that they are in. */
static int
get_some(const struct enc_chunk *c, struct scan *s, const uint64_t *present, size_t n,
    const struct enc_rows *rows, struct arena *arena, struct column *ret)
{
	int64_t *ints = arena_zalloc(arena, rows->n + 1, sizeof(*ints));
	int64_t *picked = arena_alloc(arena, (rows->n + 1) * sizeof(*picked));
	uint32_t *at = arena_alloc(arena, (rows->n + 1) * sizeof(*at));
	uint64_t *has = arena_zalloc(arena, BITS_WORDS(rows->n) + 1, sizeof(*has));
	size_t i, k = 0, w = 0, before = 0, row;

	if (ints == NULL || picked == NULL || at == NULL || has == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < rows->n; i++) {
		row = rows->rows[i];
		if (present != NULL && !bits_get(present, row))
			continue;
		bits_set(has, i);
		for (; present != NULL && w < row / 64; w++)
			before += (size_t)__builtin_popcountll(present[w]);
		at[k++] = (uint32_t)(present == NULL ? row
		                                     : before +
		            (size_t)__builtin_popcountll(
		                present[w] & ((UINT64_C(1) << (row % 64)) - 1)));
	}
	if (!enc_ints_pick(s, n, at, k, picked))
		return BLOCK_E_CORRUPT;
	k = 0;
	BITS_FOREACH(i, has, rows->n)
	ints[i] = picked[k++];
	ret->n_rows = rows->n;
	ret->ints = ints;
	ret->present = present != NULL ? has : NULL;
	return 0;
}

int
enc_int_get(const struct enc_chunk *c, const struct enc_rows *rows, struct arena *arena,
    struct column *ret)
{
	struct column all = { .name = c->name,
		.kind = COLUMN_INT,
		.n_rows = c->n_rows,
		.scale = c->scale };
	struct scan s = SCAN_OF(c->head);
	int64_t *ints;
	size_t n;
	int r;

	if (c->scale > 18)
		return BLOCK_E_CORRUPT;
	r = enc_present_get(&s, c->zstd, c->n_rows, arena, &all.present, &n);
	if (r != 0)
		return r;
	if (rows->rows != NULL && rows->n < c->n_rows / ENC_GROUP) {
		*ret = all;
		return get_some(c, &s, all.present, n, rows, arena, ret);
	}
	ints = arena_alloc(arena, (c->n_rows + 1) * sizeof(*ints));
	if (ints == NULL)
		return err_origin(-ENOMEM);
	if (!enc_ints_get(&s, ints, n))
		return BLOCK_E_CORRUPT;
	if (all.present != NULL)
		spread(ints, all.present, c->n_rows, n);
	all.ints = ints;
	if (rows->rows != NULL)
		return err_trace(column_gather(&all, rows->rows, rows->n, arena, ret));
	*ret = all;
	return 0;
}

int
enc_int_stored(const struct enc_chunk *c, struct arena *arena, struct block_ints *ret)
{
	struct scan s = SCAN_OF(c->head);
	int64_t *ints;
	int r;

	if (c->scale > 18)
		return BLOCK_E_CORRUPT;
	ret->scale = c->scale;
	r = enc_present_get(&s, c->zstd, c->n_rows, arena, &ret->present, &ret->n);
	if (r != 0)
		return r;
	ints = arena_alloc(arena, (ret->n + 1) * sizeof(*ints));
	if (ints == NULL)
		return err_origin(-ENOMEM);
	ret->ints = ints;
	return enc_ints_get(&s, ints, ret->n) ? 0 : BLOCK_E_CORRUPT;
}
