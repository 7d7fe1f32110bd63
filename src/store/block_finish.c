/*
 * store/block_finish.c - a block's bytes.
 * One job: encode the builder's columns one by one and put header, directory and chunks together.
 * Floor: 2 (uses record, base).
 */
#include "base/hash.h"
#include "record/names.h"
#include "store/block_build.h"
#include "store/idindex.h"

/* Room for ${n} more hashes. */
static int
ids_room(struct block_builder *b, size_t n)
{
	uint64_t *ids;

	if (b->cap_ids - b->n_ids >= n)
		return 0;
	ids = reallocarray(b->ids, b->n_ids + n, sizeof(*ids));
	if (ids == NULL)
		return err_origin(-ENOMEM);
	b->ids = ids;
	b->cap_ids = b->n_ids + n;
	return 0;
}

/* The hashes of values that nobody told apart yet; slots hold the hash itself, 0 is free. */
static int
collect_all(struct block_builder *b, const struct enc_values *v)
{
	size_t n_slots = 256, i, at;
	uint64_t *slots, h;
	struct str x, last = STR_NONE;

	while (n_slots < v->n * 2)
		n_slots *= 2;
	slots = arena_zalloc(&b->scratch.arena, n_slots, sizeof(*slots));
	if (slots == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < v->n; i++) {
		x = enc_value(v, i);
		if (x.n == 0 || str_eq(x, last))
			continue;
		last = x;
		h = hash64(x);
		at = h & (n_slots - 1);
		while (slots[at] != 0 && slots[at] != h)
			at = (at + 1) & (n_slots - 1);
		if (slots[at] == h && h != 0)
			continue;
		slots[at] = h;
		b->ids[b->n_ids++] = h;
	}
	return 0;
}

/* The hashes of the column that was encoded last. */
static int
collect_ids(struct block_builder *b, const struct enc_values *v)
{
	const struct enc_distinct *d = &b->scratch.distinct;
	size_t i;
	int r = ids_room(b, d->n != 0 ? d->n : v->n);

	if (r < 0)
		return err_trace(r);
	if (d->n == 0)
		return err_trace(collect_all(b, v));
	for (i = 0; i < d->n; i++)
		if (d->values[i].n != 0)
			b->ids[b->n_ids++] = hash64(d->values[i]);
	return 0;
}

/* The most dashes of the column that was encoded last; IDs of one form have all the same. */
static unsigned
most_dashes(const struct block_builder *b, const struct enc_values *v, uint8_t enc)
{
	const struct enc_distinct *d = &b->scratch.distinct;
	size_t n = d->n != 0 ? d->n : v->n, i;
	unsigned most = 0, k;
	struct str x;

	for (i = 0; i < n && most < NAMES_DASHES_MAX; i++) {
		x = d->n != 0 ? d->values[i] : enc_value(v, i);
		k = names_id_dashes(x);
		most = k > most ? k : most;
		if (x.n != 0 && (enc == ENC_ID || enc == ENC_CONST))
			break;
	}
	return most;
}

static int
put_marks(struct block_builder *b, struct str name, unsigned dashes)
{
	unsigned i;
	int r = ids_room(b, dashes);

	for (i = 0; r == 0 && i < dashes; i++)
		b->ids[b->n_ids++] = idindex_mark(name, i);
	return err_trace(r);
}

static void
sort_ids(struct block_builder *b)
{
	size_t i, n = 0;

	hash_sort(b->ids, b->n_ids);
	for (i = 0; i < b->n_ids; i++)
		if (n == 0 || b->ids[n - 1] != b->ids[i])
			b->ids[n++] = b->ids[i];
	b->n_ids = n;
}

static int
put_times(struct block_builder *b, struct block_header *h)
{
	struct block_entry e = { .name = STR("_time"),
		.role = ROLE_TIME,
		.enc = ENC_TIME,
		.version = 1,
		.flags = ENTRY_HAS_RANGE,
		.n_values = h->n_rows };
	const int64_t *times = block_part_times(b);
	size_t i;

	if (times == NULL)
		return err_origin(-ENOMEM);
	e.min = e.max = times[0];
	for (i = 1; i < h->n_rows; i++) {
		e.min = times[i] < e.min ? times[i] : e.min;
		e.max = times[i] > e.max ? times[i] : e.max;
	}
	h->min_time.ns = e.min;
	h->max_time.ns = e.max;
	e.at = b->data.n;
	enc_time_put(&b->data, &b->scratch, times, h->n_rows);
	arena_clear(&b->scratch.arena);
	if (b->data.failed)
		return buf_err(&b->data);
	e.len = e.head_len = b->data.n - e.at;
	e.sum = hash32(str_of(b->data.p + e.at, e.len));
	block_entry_put(&b->dir, &e);
	h->n_columns++;
	return 0;
}

static int
put_column(struct block_builder *b, struct build_column *c, struct str name, enum enc_role role,
    struct block_header *h)
{
	struct block_entry e = { .name = name, .role = (uint8_t)role };
	struct enc_values v;
	int r;

	if (c->n == 0)
		return 0;
	if (!block_column_fill(c, b->n_rows))
		return err_origin(-ENOMEM);
	r = block_part_values(b, c, &v);
	if (r < 0 || v.offs[v.n] == v.offs[0])
		return err_trace(r);
	r = block_encode_column(&b->scratch, &v, &e, &b->data);
	if (r != 0)
		return err_trace(r);
	block_entry_put(&b->dir, &e);
	h->n_columns++;
	if (role == ROLE_FIELD && b->wants_forms && str_eq_c(name, "_msg")) {
		r = block_note_forms(b, &v);
		if (r != 0)
			return err_trace(r);
	}
	if (!block_entry_is_id(&e))
		return 0;
	r = collect_ids(b, &v);
	if (r == 0 && names_is_id(name))
		r = put_marks(b, name, most_dashes(b, &v, e.enc));
	return err_trace(r);
}

static int
put_streams(struct block_builder *b, struct block_header *h)
{
	struct block_entry e = { .name = STR("_stream"),
		.role = ROLE_STREAM,
		.enc = ENC_CONST,
		.version = 1,
		.n_values = h->n_rows,
		.value = str_of(b->stream.bytes, b->stream.offs[1]) };

	if (!b->one_stream)
		return err_trace(put_column(b, &b->stream, e.name, ROLE_STREAM, h));
	block_entry_put(&b->dir, &e);
	h->n_columns++;
	return 0;
}

/* A rare field: whether it bears IDs, and the most dashes of its values. */
struct rest_name {
	bool is_id;
	unsigned dashes;
};

/* IDs among the values of rare fields. */
static int
collect_rest_ids(struct block_builder *b, const struct enc_values *rest, struct rest_name *names)
{
	struct scan s = { rest->bytes, rest->offs[rest->n], 0, false };
	struct str v;
	struct rest_name *name;
	unsigned dashes;
	size_t grown;
	int r;

	while (s.at < s.n) {
		name = &names[scan_varint(&s)];
		v = scan_bytes(&s, scan_varint(&s));
		if (!name->is_id)
			continue;
		dashes = names_id_dashes(v);
		name->dashes = dashes > name->dashes ? dashes : name->dashes;
		grown = b->n_ids / 2 + 64;
		r = b->n_ids < b->cap_ids ? 0 : ids_room(b, grown);
		if (r < 0)
			return err_trace(r);
		b->ids[b->n_ids++] = hash64(v);
	}
	return 0;
}

static int
put_rest_ids(struct block_builder *b, const struct enc_values *rest)
{
	AUTO_FREE struct rest_name *names = calloc(b->rest_names.n + 1, sizeof(*names));
	bool any = false;
	size_t i;
	int r;

	if (names == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < b->rest_names.n; i++)
		any |= names[i].is_id = names_is_id(b->rest_names.entries[i].key);
	r = any ? collect_rest_ids(b, rest, names) : 0;
	for (i = 0; r == 0 && i < b->rest_names.n; i++)
		r = put_marks(b, b->rest_names.entries[i].key, names[i].dashes);
	return err_trace(r);
}

/* The names of fields that have no column of their own, and their values. */
static int
put_rest(struct block_builder *b, struct block_header *h)
{
	struct block_entry e = { .role = ROLE_FIELD, .enc = ENC_REST, .version = 1 };
	struct enc_values rest;
	size_t i;
	int r = 0;

	if (b->rest.n == 0)
		return 0;
	if (!block_column_fill(&b->rest, b->n_rows))
		return err_origin(-ENOMEM);
	r = block_part_values(b, &b->rest, &rest);
	if (r < 0 || rest.offs[rest.n] == rest.offs[0])
		return err_trace(r);
	for (i = 0; i < b->rest_names.n; i++) {
		e.name = b->rest_names.entries[i].key;
		block_entry_put(&b->dir, &e);
		h->n_columns++;
	}
	r = put_rest_ids(b, &rest);
	if (r < 0)
		return err_trace(r);
	return err_trace(put_column(b, &b->rest, STR(""), ROLE_REST, h));
}

static struct str
name_of(const void *ctx, uint32_t column)
{
	const struct block_builder *b = ctx;

	return str_of(b->columns[column].name, b->columns[column].name_n);
}

/* How lines were made of fields, and those that were not. */
static int
put_lines(struct block_builder *b, struct block_header *h)
{
	struct block_entry e = { .name = STR(""),
		.role = ROLE_SHAPE,
		.enc = ENC_SHAPE,
		.version = (uint8_t)shapes_version(&b->shapes),
		.n_values = h->n_rows,
		.at = b->data.n };
	const uint32_t *codes;
	int r;

	if (!b->has_lines)
		return 0;
	codes = block_part_codes(b);
	if (codes == NULL)
		return err_origin(-ENOMEM);
	r = shape_put(&b->data, &b->scratch, &b->shapes, codes, h->n_rows, name_of, b);
	arena_clear(&b->scratch.arena);
	if (r != 0)
		return err_trace(r);
	e.len = e.head_len = b->data.n - e.at;
	e.sum = hash32(str_of(b->data.p + e.at, e.len));
	block_entry_put(&b->dir, &e);
	h->n_columns++;
	return err_trace(put_column(b, &b->line, STR(""), ROLE_LINE, h));
}

static int
put_columns(struct block_builder *b, struct block_header *h)
{
	size_t i;
	int r;

	r = put_times(b, h);
	if (r == 0)
		r = put_streams(b, h);
	for (i = 0; r == 0 && i < b->n_columns; i++)
		r = put_column(b, &b->columns[i], str_of(b->columns[i].name, b->columns[i].name_n),
		    ROLE_FIELD, h);
	if (r == 0)
		r = put_rest(b, h);
	if (r == 0)
		r = put_lines(b, h);
	if (r == 0)
		r = buf_err(&b->dir);
	return err_trace(r);
}

/* Header, directory and chunks, which are there. */
static int
put_block(struct block_builder *b, struct block_header *h, struct buf *out)
{
	h->dir_len = (uint32_t)b->dir.n;
	h->dir_sum = hash32(buf_view(&b->dir));
	h->n_bytes = 2 * (BLOCK_HEADER + b->dir.n) + b->data.n;
	if (!buf_grow(out, h->n_bytes))
		return buf_err(out);
	block_header_put(out, h);
	buf_str(out, buf_view(&b->dir));
	buf_str(out, buf_view(&b->data));
	buf_str(out, buf_view(&b->dir));
	block_header_put(out, h);
	return 0;
}

int
block_builder_finish(struct block_builder *b, struct buf *out, struct block_summary *ret_sum,
    const uint64_t **ret_ids, size_t *ret_n_ids)
{
	struct block_header h = { 0 };
	size_t n;
	int r;

	if (b->n_rows == 0)
		return err_origin(-EINVAL);
	r = b->part != PART_NEAR ? 0 : block_part_choose(b);
	if (r != 0)
		return err_trace(r);
	b->last = block_part_rows(b, &n);
	b->n_last = n;
	h.n_rows = (uint32_t)n;
	h.raw_bytes = block_part_raw(b);
	buf_clear(&b->data);
	buf_clear(&b->dir);
	b->n_ids = 0;
	b->n_forms = 0;
	r = put_columns(b, &h);
	if (r != 0)
		return err_trace(r);
	sort_ids(b);
	r = put_block(b, &h, out);
	arena_clear(&b->scratch.arena);
	if (r != 0)
		return err_trace(r);
	*ret_sum = (struct block_summary){ h.n_rows, h.min_time, h.max_time, h.raw_bytes };
	*ret_ids = b->ids;
	*ret_n_ids = b->n_ids;
	return block_part_next(b) ? 0 : block_builder_clear(b);
}
