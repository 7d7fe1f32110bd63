/*
 * store/block_records.c - rows out of a block.
 * One job: give a block's rows back as records, so that small blocks can be put together.
 * Floor: 2 (uses record, base).
 */
#include "store/block_internal.h"

/* A column of its own, decoded, with its values as strs. */
struct rows_source {
	struct str name;
	const struct str *values;
	const struct str *placed; /* the same in their lines; NULL: in none */
};

/*
 * Rows on their way out.  Invariant: used[i] fields of record i are filled.
 * A value that stands in its line is taken from there, so that whoever makes a shape of the two need not search for it and
 * find another that is equal.
 */
struct rows_out {
	struct record *recs;
	uint32_t *used;
	const struct block_places *places;
};

static int
decode_columns(struct block *b, const struct enc_rows *rows, struct arena *arena,
    struct rows_source *out, size_t *ret_n)
{
	struct block_entry *e;
	struct column c;
	size_t i, k = 0;
	int r;

	for (i = 0; i < b->n_listed; i++) {
		e = &b->entries[i];
		if (e->role != ROLE_FIELD || e->enc == ENC_REST ||
		    block_entry_find(b, e->name) != e)
			continue;
		r = block_decode(b, e, rows, arena, &c);
		if (r != 0)
			return r;
		out[k].name = e->name;
		r = column_strs(&c, arena, &out[k++].values);
		if (r < 0)
			return err_trace(r);
	}
	*ret_n = k;
	return 0;
}

static void
count_rest(void *ctx, uint32_t row, struct str name, struct str value)
{
	((struct rows_out *)ctx)->recs[row].n_fields++;
}

static void
put_field(struct rows_out *out, size_t row, struct str name, struct str value)
{
	out->recs[row].fields[out->used[row]++] = (struct field){ name, value, VALUE_STRING };
}

static void
put_rest(void *ctx, uint32_t row, struct str name, struct str value)
{
	struct rows_out *out = ctx;
	const struct str *placed = block_places_of(out->places, name);

	put_field(out, row, name, placed != NULL && placed[row].n != 0 ? placed[row] : value);
}

static int
each_rest(struct block *b, uint32_t from, size_t n, block_rest_fn fn, void *ctx)
{
	size_t i;
	int r = 0;

	for (i = 0; i < b->n_listed && r == 0; i++)
		if (b->entries[i].enc == ENC_REST &&
		    block_entry_find(b, b->entries[i].name) == &b->entries[i])
			r = block_rest_each(b, &b->entries[i], from, (uint32_t)n, fn, ctx);
	return r;
}

static int
fill_fields(struct block *b, const struct rows_source *src, size_t n_src, uint32_t from, size_t n,
    struct arena *arena, const struct block_places *places, struct record *ret)
{
	struct rows_out out = { ret, arena_zalloc(arena, n + 1, sizeof(*out.used)), places };
	size_t i, k;
	int r;

	if (out.used == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < n; i++)
		for (k = 0; k < n_src; k++)
			ret[i].n_fields += src[k].values[i].n != 0;
	r = each_rest(b, from, n, count_rest, &out);
	for (i = 0; i < n && r == 0; i++) {
		ret[i].fields = arena_alloc(arena, (ret[i].n_fields + 1) * sizeof(struct field));
		if (ret[i].fields == NULL)
			return err_origin(-ENOMEM);
		for (k = 0; k < n_src; k++)
			if (src[k].values[i].n != 0)
				put_field(&out, i, src[k].name,
				    src[k].placed != NULL && src[k].placed[i].n != 0
				        ? src[k].placed[i]
				        : src[k].values[i]);
	}
	return r == 0 ? each_rest(b, from, n, put_rest, &out) : r;
}

static int
fill_rows(struct block *b, const struct enc_rows *rows, struct arena *arena,
    struct block_places *places, struct record *ret)
{
	struct str *lines = arena_alloc(arena, (rows->n + 1) * sizeof(*lines));
	const struct str *streams = NULL;
	struct column time, stream;
	size_t i;
	int r;

	if (lines == NULL)
		return err_origin(-ENOMEM);
	r = block_column(b, STR("_time"), rows->rows, rows->n, arena, &time);
	if (r == 0 && time.kind != COLUMN_TIME)
		return BLOCK_E_CORRUPT;
	if (r == 0)
		r = block_column(b, STR("_stream"), rows->rows, rows->n, arena, &stream);
	if (r == 0)
		r = column_strs(&stream, arena, &streams);
	if (r == 0)
		r = block_lines_placed(b, rows->rows, rows->n, arena, lines, places);
	for (i = 0; r == 0 && i < rows->n; i++)
		ret[i] = (struct record){ .time = { time.ints[i] },
			.stream = streams[i],
			.flags = RECORD_HAS_TIME,
			.line = lines[i] };
	return r;
}

int
block_records(struct block *b, uint32_t from, uint32_t n, struct arena *arena, struct record *ret)
{
	AUTO_FINI(block_places_fini) struct block_places places = { 0 };
	struct enc_rows which = { NULL, n };
	struct rows_source *src;
	size_t n_src = 0, k;
	uint32_t *rows;
	uint32_t i;
	int r;

	if (from > block_n_rows(b) || n > block_n_rows(b) - from)
		return BLOCK_E_CORRUPT;
	rows = arena_alloc(arena, ((size_t)n + 1) * sizeof(*rows));
	src = arena_zalloc(arena, block_n_columns(b) + 1, sizeof(*src));
	if (rows == NULL || src == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < n; i++)
		rows[i] = from + i;
	which.rows = rows;
	r = fill_rows(b, &which, arena, &places, ret);
	if (r == 0)
		r = decode_columns(b, &which, arena, src, &n_src);
	for (k = 0; k < n_src; k++)
		src[k].placed = block_places_of(&places, src[k].name);
	if (r == 0)
		r = fill_fields(b, src, n_src, from, n, arena, &places, ret);
	return r;
}
