/*
 * record/column.c - one field of many rows.
 * One job: read a column's values as bytes, whatever its kind.
 * Floor: 1 (uses base).
 */
#include "record/column.h"

size_t
column_format_int(char out[COLUMN_SCRATCH], int64_t v, unsigned scale)
{
	char digits[24];
	uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	size_t n = 0, at = 0;

	while (u != 0 || n <= scale) {
		digits[n++] = (char)('0' + u % 10);
		u /= 10;
	}
	if (v < 0)
		out[at++] = '-';
	while (n > 0) {
		if (n == scale)
			out[at++] = '.';
		out[at++] = digits[--n];
	}
	return at;
}

bool
column_parse_int(struct str s, int64_t *ret_v, unsigned *ret_scale)
{
	size_t i = 0, int_start, point = SIZE_MAX;
	bool negative;
	uint64_t v = 0;

	negative = s.n > 0 && s.p[0] == '-';
	int_start = i = negative ? 1 : 0;
	/* 19 digits could pass int64's end; 18 never do, and cover what logs hold. */
	if (s.n - i == 0 || s.n - i > 19)
		return false;
	for (; i < s.n; i++) {
		if (s.p[i] == '.' && point == SIZE_MAX && i > int_start) {
			point = i;
			continue;
		}
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(s.p[i] - '0');
	}
	if (point == SIZE_MAX) {
		if (s.n - int_start == 19)
			return false;
		point = s.n;
		*ret_scale = 0;
	} else {
		if (point + 1 == s.n)
			return false;
		*ret_scale = (unsigned)(s.n - point - 1);
	}
	if (s.p[int_start] == '0' && point > int_start + 1)
		return false;
	if (negative && v == 0)
		return false;
	*ret_v = negative ? -(int64_t)v : (int64_t)v;
	return true;
}

struct str
column_value(const struct column *c, size_t row, char scratch[COLUMN_SCRATCH])
{
	switch (c->kind) {
	case COLUMN_CONST:
		return c->value;
	case COLUMN_DICT:
		return c->dict[c->codes[row]];
	case COLUMN_INT:
		if (c->present != NULL && !bits_get(c->present, row))
			return STR_NONE;
		return str_of(scratch, column_format_int(scratch, c->ints[row], c->scale));
	case COLUMN_TIME:
		return str_of(scratch, wall_format(scratch, (struct wall){ c->ints[row] }));
	case COLUMN_TEXT:
		return str_of(c->bytes + c->offs[row], c->offs[row + 1] - c->offs[row]);
	case COLUMN_STRS:
		return c->strs[row];
	}
	return STR_NONE;
}

int
column_strs(const struct column *c, struct arena *arena, const struct str **ret)
{
	char scratch[COLUMN_SCRATCH];
	struct str *out, v;
	size_t i;

	if (c->kind == COLUMN_STRS) {
		*ret = c->strs;
		return 0;
	}
	out = arena_alloc(arena, (c->n_rows + 1) * sizeof(*out));
	if (out == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < c->n_rows; i++) {
		v = column_value(c, i, scratch);
		if (v.p == (const uint8_t *)scratch) {
			v = arena_dup(arena, v);
			if (v.p == NULL)
				return err_origin(-ENOMEM);
		}
		out[i] = v;
	}
	*ret = out;
	return 0;
}

static int
gather_ints(const struct column *c, const uint32_t *rows, size_t n, struct arena *arena,
    struct column *ret)
{
	int64_t *ints = arena_alloc(arena, n * sizeof(*ints));
	uint64_t *present = NULL;
	size_t i;

	if (c->present != NULL)
		present = arena_zalloc(arena, BITS_WORDS(n), sizeof(*present));
	if (ints == NULL || (c->present != NULL && present == NULL))
		return err_origin(-ENOMEM);
	for (i = 0; i < n; i++) {
		ints[i] = c->ints[rows[i]];
		if (present != NULL && bits_get(c->present, rows[i]))
			bits_set(present, i);
	}
	ret->ints = ints;
	ret->present = present;
	return 0;
}

int
column_gather(const struct column *c, const uint32_t *rows, size_t n, struct arena *arena,
    struct column *ret)
{
	uint32_t *codes;
	struct str *strs;
	size_t i;

	*ret = *c;
	ret->n_rows = n;
	switch (c->kind) {
	case COLUMN_CONST:
		return 0;
	case COLUMN_DICT:
		codes = arena_alloc(arena, n * sizeof(*codes));
		if (codes == NULL)
			return err_origin(-ENOMEM);
		for (i = 0; i < n; i++)
			codes[i] = c->codes[rows[i]];
		ret->codes = codes;
		return 0;
	case COLUMN_INT:
	case COLUMN_TIME:
		return err_trace(gather_ints(c, rows, n, arena, ret));
	case COLUMN_TEXT:
	case COLUMN_STRS:
		strs = arena_alloc(arena, n * sizeof(*strs));
		if (strs == NULL)
			return err_origin(-ENOMEM);
		for (i = 0; i < n; i++)
			strs[i] = column_value(c, rows[i], NULL);
		ret->kind = COLUMN_STRS;
		ret->strs = strs;
		return 0;
	}
	return 0;
}

struct column
column_const(struct str name, struct str value, size_t n_rows)
{
	return (
	    struct column){ .name = name, .kind = COLUMN_CONST, .n_rows = n_rows, .value = value };
}
