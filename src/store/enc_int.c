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
#include "store/enc.h"

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
		if (!column_parse_int(enc_value(v, i), &ints[n], &scale) || scale > 18)
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
	size_t i;

	for (i = n_rows; i-- > 0;)
		ints[i] = bits_get(present, i) ? ints[--n] : 0;
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
