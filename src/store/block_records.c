/*
 * store/block_records.c - rows out of a block.
 * One job: give a block's rows back as records, so that small blocks can be put together.
 * Floor: 2 (uses record, base).
 */
#include "store/block.h"

/* The columns of a block, decoded, with their values as strs. */
struct rows_source {
	struct str name;
	const struct str *values;
};

static bool
is_special(struct str name)
{
	return str_eq_c(name, "_time") || str_eq_c(name, "_stream");
}

static int
decode_columns(struct block *b, const uint32_t *rows, uint32_t n, struct arena *arena,
    struct rows_source *out, size_t *ret_n)
{
	struct block_column_info info;
	struct column c;
	size_t i, k = 0;
	int r;

	for (i = 0; i < block_n_columns(b); i++) {
		block_column_at(b, i, &info);
		if (is_special(info.name))
			continue;
		r = block_column(b, info.name, rows, n, arena, &c);
		if (r != 0)
			return r;
		out[k].name = info.name;
		r = column_strs(&c, arena, &out[k++].values);
		if (r < 0)
			return err_trace(r);
	}
	*ret_n = k;
	return 0;
}

static int
fill_record(const struct rows_source *src, size_t n_src, uint32_t row, struct arena *arena,
    struct record *rec)
{
	size_t i, n = 0;

	for (i = 0; i < n_src; i++)
		n += src[i].values[row].n != 0;
	rec->fields = arena_alloc(arena, (n + 1) * sizeof(*rec->fields));
	if (rec->fields == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < n_src; i++)
		if (src[i].values[row].n != 0)
			rec->fields[rec->n_fields++] =
			    (struct field){ src[i].name, src[i].values[row], VALUE_STRING };
	return 0;
}

static int
fill_times(struct block *b, const uint32_t *rows, uint32_t n, struct arena *arena,
    struct record *ret)
{
	const struct str *streams = NULL;
	struct column time, stream;
	uint32_t i;
	int r;

	r = block_column(b, STR("_time"), rows, n, arena, &time);
	if (r == 0 && time.kind != COLUMN_TIME)
		return BLOCK_E_CORRUPT;
	if (r == 0)
		r = block_column(b, STR("_stream"), rows, n, arena, &stream);
	if (r == 0)
		r = column_strs(&stream, arena, &streams);
	for (i = 0; r == 0 && i < n; i++) {
		ret[i] = (struct record){ .time = { time.ints[i] }, .stream = streams[i] };
		ret[i].flags = RECORD_HAS_TIME;
		r = block_line(b, rows[i], arena, &ret[i].line);
	}
	return r;
}

int
block_records(struct block *b, uint32_t from, uint32_t n, struct arena *arena, struct record *ret)
{
	struct rows_source *src;
	size_t n_src = 0;
	uint32_t *rows;
	uint32_t i;
	int r;

	if (from > block_n_rows(b) || n > block_n_rows(b) - from)
		return BLOCK_E_CORRUPT;
	rows = arena_alloc(arena, (n + 1) * sizeof(*rows));
	src = arena_zalloc(arena, block_n_columns(b) + 1, sizeof(*src));
	if (rows == NULL || src == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < n; i++)
		rows[i] = from + i;
	r = fill_times(b, rows, n, arena, ret);
	if (r == 0)
		r = decode_columns(b, rows, n, arena, src, &n_src);
	for (i = 0; r == 0 && i < n; i++)
		r = fill_record(src, n_src, i, arena, &ret[i]);
	return r;
}
