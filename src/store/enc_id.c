/*
 * store/enc_id.c - the ID encoding.
 * One job: UUIDs and hex IDs as bytes, each once, and how long ago it was new.
 * Floor: 2 (uses base).
 *
 * IDs, version 1:
 *
 *   size       field
 *   ...        presence
 *   1          form   0 lower-case UUID with dashes (16 bytes), 1 lower-case hex
 *   1          size   bytes of an ID: 8 to 255
 *   varint     n_ids  distinct ones, in the order of their first row
 *   n*size     ids
 *   ...        codes  "Integers", one for each row that has a value: 0 is the next new ID, k the k-th
 *                     last of those that came before, the newest being 1
 *
 * Lines of one request stand near each other, so codes are small.
 */
#include "store/enc.h"

enum { FORM_UUID = 0, FORM_HEX = 1, HEX_TEXT_MAX = 510 };

/* The value of a lower-case hex digit, with HEX_GOOD; 0 for other bytes. */
enum { HEX_GOOD = 0x10 };
static const uint8_t hex_values[256] = {
	['0'] = 0x10,
	['1'] = 0x11,
	['2'] = 0x12,
	['3'] = 0x13,
	['4'] = 0x14,
	['5'] = 0x15,
	['6'] = 0x16,
	['7'] = 0x17,
	['8'] = 0x18,
	['9'] = 0x19,
	['a'] = 0x1a,
	['b'] = 0x1b,
	['c'] = 0x1c,
	['d'] = 0x1d,
	['e'] = 0x1e,
	['f'] = 0x1f,
};

static bool
uuid_dash(size_t i)
{
	return i == 8 || i == 13 || i == 18 || i == 23;
}

bool
enc_id_parse(struct str v, bool is_hex, uint8_t *out)
{
	unsigned hi, lo, good = HEX_GOOD;
	size_t i;

	for (i = 0; i + 1 < v.n;) {
		if (!is_hex && uuid_dash(i)) {
			if (v.p[i++] != '-')
				return false;
			continue;
		}
		hi = hex_values[v.p[i]];
		lo = hex_values[v.p[i + 1]];
		good &= hi & lo;
		*out++ = (uint8_t)(hi << 4 | (lo & 15));
		i += 2;
	}
	return i == v.n && good != 0;
}

void
enc_id_format(const uint8_t *id, size_t size, bool is_hex, uint8_t *out)
{
	static const char hex[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < size; i++) {
		if (!is_hex && (i == 4 || i == 6 || i == 8 || i == 10))
			*out++ = '-';
		*out++ = (uint8_t)hex[id[i] >> 4];
		*out++ = (uint8_t)hex[id[i] & 15];
	}
}

static size_t
text_size(size_t size, unsigned form)
{
	return form == FORM_UUID ? ENC_UUID_TEXT : size * 2;
}

/* The form of an ID as long as ${v}, and its size in bytes; false when IDs are not so long. */
static bool
form_of(struct str v, unsigned *ret_form, size_t *ret_size)
{
	*ret_form = v.n == ENC_UUID_TEXT ? FORM_UUID : FORM_HEX;
	*ret_size = v.n == ENC_UUID_TEXT ? 16 : v.n / 2;
	return v.n >= BLOCK_ID_TEXT_MIN && v.n <= HEX_TEXT_MAX && v.n % 2 == 0;
}

bool
enc_id_is(struct str v)
{
	uint8_t id[HEX_TEXT_MAX / 2 + 1];
	unsigned form;
	size_t size;

	return form_of(v, &form, &size) && enc_id_parse(v, form == FORM_HEX, id);
}

/* The bytes of all distinct values; false when one is no ID of the form and size of the others. */
static bool
put_ids(struct buf *out, const struct enc_distinct *d, unsigned form, size_t size)
{
	uint8_t id[HEX_TEXT_MAX / 2 + 1];
	size_t i;

	for (i = 0; i < d->n; i++) {
		if (d->values[i].n == 0)
			continue;
		if (d->values[i].n != text_size(size, form) ||
		    !enc_id_parse(d->values[i], form == FORM_HEX, id))
			return false;
		buf_put(out, id, size);
	}
	return true;
}

/* Rows that have no value share one number in ${d}; skip it. */
static int
put_codes(struct buf *out, struct enc_scratch *s, const struct enc_values *v,
    const struct enc_distinct *d)
{
	int64_t *codes = arena_alloc(&s->arena, (v->n + 1) * sizeof(*codes));
	uint32_t *order = arena_alloc(&s->arena, (d->n + 1) * sizeof(*order));
	size_t i, n = 0, n_seen = 0;

	if (codes == NULL || order == NULL)
		return err_origin(-ENOMEM);
	memset(order, 0xff, (d->n + 1) * sizeof(*order));
	for (i = 0; i < v->n; i++) {
		if (v->offs[i] == v->offs[i + 1])
			continue;
		if (order[d->codes[i]] == UINT32_MAX) {
			order[d->codes[i]] = (uint32_t)n_seen++;
			codes[n++] = 0;
		} else {
			codes[n++] = (int64_t)(n_seen - order[d->codes[i]]);
		}
	}
	enc_ints_put(out, codes, n);
	return 0;
}

int
enc_id_put(struct buf *out, struct enc_scratch *s, const struct enc_values *v, bool *ret_ok)
{
	uint8_t id[HEX_TEXT_MAX / 2 + 1];
	struct enc_distinct d;
	struct str first;
	unsigned form;
	size_t i = 0, n, size, from = out->n;
	bool ok;
	int r;

	*ret_ok = false;
	while (i < v->n && v->offs[i] == v->offs[i + 1])
		i++;
	if (i == v->n)
		return 0;
	first = enc_value(v, i);
	if (!form_of(first, &form, &size) || !enc_id_parse(first, form == FORM_HEX, id))
		return 0;
	r = enc_distinct(v, v->n, &s->arena, &d, &ok);
	if (r == 0)
		r = enc_present_put(out, s, v, &n);
	if (r != 0)
		return err_trace(r);
	buf_byte(out, (uint8_t)form);
	buf_byte(out, (uint8_t)size);
	buf_varint(out, d.n - (n != v->n));
	*ret_ok = put_ids(out, &d, form, size);
	if (*ret_ok) {
		s->distinct = d;
		return err_trace(put_codes(out, s, v, &d));
	}
	out->n = from;
	return 0;
}

/* An ID chunk; ids and codes are not yet looked at. */
struct ids {
	const uint64_t *present;
	size_t n_values;
	unsigned form;
	size_t size;
	size_t n;
	struct str bytes;
};

static int
get_ids(const struct enc_chunk *c, struct scan *s, struct arena *arena, struct ids *ids)
{
	uint64_t n;
	int r;

	r = enc_present_get(s, c->zstd, c->n_rows, arena, &ids->present, &ids->n_values);
	if (r != 0)
		return r;
	ids->form = scan_u8(s);
	ids->size = scan_u8(s);
	n = scan_varint(s);
	if (s->bad || ids->form > FORM_HEX || ids->size < 8 || n > ids->n_values)
		return BLOCK_E_CORRUPT;
	if (ids->form == FORM_UUID && ids->size != 16)
		return BLOCK_E_CORRUPT;
	ids->n = n;
	ids->bytes = scan_bytes(s, n * ids->size);
	return s->bad ? BLOCK_E_CORRUPT : 0;
}

/* Number 0 of the column's dictionary is the empty value when some row has none. */
static int
get_codes(const struct enc_chunk *c, struct scan *s, const struct ids *ids, uint32_t *out)
{
	int64_t codes[ENC_GROUP];
	uint32_t n_seen = 0, empty = ids->present != NULL;
	size_t i, at = 0, k = ENC_GROUP, n;

	for (i = 0; i < c->n_rows; i++) {
		if (ids->present != NULL && !bits_get(ids->present, i)) {
			out[i] = 0;
			continue;
		}
		/* A group at a time, so that its memory is used again. */
		if (k == ENC_GROUP) {
			n = ids->n_values - at < ENC_GROUP ? ids->n_values - at : ENC_GROUP;
			if (!enc_ints_get(s, codes, n))
				return BLOCK_E_CORRUPT;
			at += n;
			k = 0;
		}
		if (codes[k] < 0 || codes[k] > n_seen)
			return BLOCK_E_CORRUPT;
		out[i] = n_seen - (uint32_t)codes[k] + empty;
		n_seen += codes[k++] == 0;
	}
	return n_seen == ids->n ? 0 : BLOCK_E_CORRUPT;
}

static struct str *
format_ids(const struct ids *ids, struct arena *arena)
{
	size_t n = text_size(ids->size, ids->form), i, empty = ids->present != NULL;
	struct str *dict = arena_alloc(arena, (ids->n + 1) * sizeof(*dict));
	uint8_t *text = arena_alloc(arena, ids->n * n + ENC_PAD);

	if (dict == NULL || text == NULL)
		return NULL;
	dict[0] = str_of(text, 0);
	for (i = 0; i < ids->n; i++) {
		enc_id_format(ids->bytes.p + i * ids->size, ids->size, ids->form == FORM_HEX,
		    text + i * n);
		dict[i + empty] = str_of(text + i * n, n);
	}
	return dict;
}

/* Few rows: only their IDs as text. */
static int
format_some(const struct enc_chunk *c, const struct ids *ids, const struct enc_rows *rows,
    const uint32_t *codes, struct arena *arena, struct column *ret)
{
	size_t n = text_size(ids->size, ids->form), i, code, empty = ids->present != NULL;
	struct str *strs = arena_alloc(arena, (rows->n + 1) * sizeof(*strs));
	uint8_t *text = arena_alloc(arena, rows->n * n + ENC_PAD);

	if (strs == NULL || text == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < rows->n; i++) {
		code = codes[rows->rows[i]];
		strs[i] = STR_NONE;
		if (empty != 0 && code == 0)
			continue;
		enc_id_format(ids->bytes.p + (code - empty) * ids->size, ids->size,
		    ids->form == FORM_HEX, text + i * n);
		strs[i] = str_of(text + i * n, n);
	}
	*ret = (struct column){ .name = c->name,
		.kind = COLUMN_STRS,
		.n_rows = rows->n,
		.strs = strs };
	return 0;
}

/* The number of the ID in the column's dictionary, or UINT32_MAX. */
static uint32_t
find_id(const struct ids *ids, const uint8_t *id)
{
	const uint8_t *p = ids->bytes.p;
	uint64_t first = bytes_load_le(id);
	uint32_t i;

	for (i = 0; i < ids->n; i++, p += ids->size)
		if (bytes_load_le(p) == first && memcmp(p, id, ids->size) == 0)
			return i + (ids->present != NULL);
	return UINT32_MAX;
}

/* Clear the bits of rows that do not have ${value}. */
static int
keep_equal(const struct enc_chunk *c, struct scan *s, const struct ids *ids, struct str value,
    struct arena *arena, uint64_t *sel)
{
	uint8_t id[HEX_TEXT_MAX / 2 + 1];
	uint32_t *codes, want = UINT32_MAX, i;
	int r;

	if (value.n == 0 && ids->present != NULL)
		want = 0;
	else if (value.n == text_size(ids->size, ids->form) &&
	    enc_id_parse(value, ids->form == FORM_HEX, id))
		want = find_id(ids, id);
	if (want == UINT32_MAX) {
		bits_zero(sel, c->n_rows);
		return 0;
	}
	codes = arena_alloc(arena, (c->n_rows + 1) * sizeof(*codes));
	if (codes == NULL)
		return err_origin(-ENOMEM);
	r = get_codes(c, s, ids, codes);
	for (i = 0; r == 0 && i < c->n_rows; i++)
		if (codes[i] != want)
			bits_clear(sel, i);
	return r;
}

int
enc_id_equal(const struct enc_chunk *c, struct str value, struct arena *arena, uint64_t *sel)
{
	struct scan s = SCAN_OF(c->head);
	struct ids ids = { 0 };
	int r = get_ids(c, &s, arena, &ids);

	return r != 0 ? r : keep_equal(c, &s, &ids, value, arena, sel);
}

int
enc_id_contains(const struct enc_chunk *c, struct str literal, struct arena *arena, uint64_t *sel)
{
	struct scan s = SCAN_OF(c->head);
	struct ids ids = { 0 };
	int r = get_ids(c, &s, arena, &ids);

	if (r != 0)
		return r;
	if (literal.n < text_size(ids.size, ids.form))
		return BLOCK_E_OTHER;
	return keep_equal(c, &s, &ids, literal, arena, sel);
}

int
enc_id_get(const struct enc_chunk *c, const struct enc_rows *rows, struct arena *arena,
    struct column *ret)
{
	struct column all = { .name = c->name, .kind = COLUMN_DICT, .n_rows = c->n_rows };
	struct scan s = SCAN_OF(c->head);
	struct ids ids = { 0 };
	uint32_t *codes;
	int r;

	r = get_ids(c, &s, arena, &ids);
	if (r != 0)
		return r;
	codes = arena_alloc(arena, (c->n_rows + 1) * sizeof(*codes));
	if (codes == NULL)
		return err_origin(-ENOMEM);
	r = get_codes(c, &s, &ids, codes);
	if (r != 0)
		return r;
	if (rows->rows != NULL && rows->n < ids.n / 4)
		return err_trace(format_some(c, &ids, rows, codes, arena, ret));
	all.dict = format_ids(&ids, arena);
	if (all.dict == NULL)
		return err_origin(-ENOMEM);
	all.codes = codes;
	all.n_dict = ids.n + (ids.present != NULL);
	if (all.n_dict == 0)
		return BLOCK_E_CORRUPT;
	if (rows->rows != NULL)
		return err_trace(column_gather(&all, rows->rows, rows->n, arena, ret));
	*ret = all;
	return 0;
}
