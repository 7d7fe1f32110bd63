/*
 * store/enc_dict.c - the dictionary encoding.
 * One job: each different value once, and a few bits a row that say which.
 * Floor: 2 (uses base).
 *
 * Dictionary, version 1 (an absent value is the empty one, which has a number like any other):
 *
 *   size     field
 *   varint   n_dict  1 to n_rows
 *   ...      bytes   "Bytes": n_dict times varint length, then the values one after the other
 *   1        mode    0 packed, 1 one byte a row in "Bytes"
 *   1        width   mode 0: bits of a number
 *   ...      codes   mode 0: packed bits of n_rows numbers
 *
 * Mode 1 is for codes so uneven that zstd's entropy coder saves an eighth of the packed bits or more.
 */
#include "store/enc.h"

enum { MODE_PACKED = 0, MODE_BYTES = 1, BYTES_DICT_MAX = 256, BYTES_ROWS_MIN = 256 };

static int
put_codes(struct buf *out, struct enc_scratch *s, const struct enc_distinct *d, size_t n)
{
	unsigned width = enc_bits_width(d->n - 1);
	size_t packed = enc_bits_bytes(n, width), i, from = out->n;
	uint8_t *bytes;

	if (d->n > 2 && d->n <= BYTES_DICT_MAX && n >= BYTES_ROWS_MIN) {
		bytes = arena_alloc(&s->arena, n);
		if (bytes == NULL)
			return err_origin(-ENOMEM);
		for (i = 0; i < n; i++)
			bytes[i] = (uint8_t)d->codes[i];
		buf_byte(out, MODE_BYTES);
		enc_bytes_put(out, s, str_of(bytes, n));
		if (out->n - from < packed - packed / 8)
			return 0;
		out->n = from;
	}
	buf_byte(out, MODE_PACKED);
	buf_byte(out, (uint8_t)width);
	enc_bits_put32(out, d->codes, n, width);
	return 0;
}

int
enc_dict_put(struct buf *out, struct enc_scratch *s, const struct enc_distinct *d, size_t n)
{
	AUTO_FINI(buf_fini) struct buf list = BUF_INIT;
	size_t i;

	for (i = 0; i < d->n; i++)
		buf_varint(&list, d->values[i].n);
	for (i = 0; i < d->n; i++)
		buf_str(&list, d->values[i]);
	if (list.failed)
		return buf_err(&list);
	buf_varint(out, d->n);
	enc_bytes_put(out, s, buf_view(&list));
	return err_trace(put_codes(out, s, d, n));
}

/* A dictionary chunk, its codes not yet looked at. */
struct dict {
	struct str *values;
	size_t n;
	unsigned mode;
	unsigned width;
	struct str codes;
};

static int
get_dict(const struct enc_chunk *c, struct arena *arena, struct dict *d)
{
	struct scan s = SCAN_OF(c->head), list;
	struct str bytes;
	uint64_t n;
	size_t i;
	int r;

	n = scan_varint(&s);
	if (s.bad || n == 0 || n > c->n_rows)
		return BLOCK_E_CORRUPT;
	d->n = n;
	r = enc_bytes_get(&s, c->zstd, ENC_BYTES_MAX, arena, &bytes);
	if (r != 0)
		return r;
	d->values = arena_alloc(arena, n * sizeof(*d->values));
	if (d->values == NULL)
		return err_origin(-ENOMEM);
	list = SCAN_OF(bytes);
	for (i = 0; i < n; i++)
		d->values[i].n = scan_varint(&list);
	for (i = 0; i < n; i++)
		d->values[i] = scan_bytes(&list, d->values[i].n);
	d->mode = scan_u8(&s);
	if (list.bad || d->mode > MODE_BYTES)
		return BLOCK_E_CORRUPT;
	if (d->mode == MODE_BYTES) {
		r = enc_bytes_get(&s, c->zstd, c->n_rows, arena, &d->codes);
		return r != 0 ? r : d->codes.n != c->n_rows ? BLOCK_E_CORRUPT : 0;
	}
	d->width = scan_u8(&s);
	if (d->width > 32)
		return BLOCK_E_CORRUPT;
	d->codes = scan_bytes(&s, enc_bits_bytes(c->n_rows, d->width));
	return s.bad ? BLOCK_E_CORRUPT : 0;
}

static void
codes_of(const struct dict *d, const struct enc_rows *rows, uint32_t *out)
{
	size_t i;

	if (d->mode == MODE_BYTES)
		for (i = 0; i < rows->n; i++)
			out[i] = d->codes.p[rows->rows != NULL ? rows->rows[i] : i];
	else if (rows->rows != NULL)
		for (i = 0; i < rows->n; i++)
			out[i] = enc_bits_at32(d->codes.p, d->codes.n, rows->rows[i], d->width);
	else
		enc_bits_get32(d->codes.p, rows->n, d->width, out);
}

int
enc_dict_get(const struct enc_chunk *c, const struct enc_rows *rows, struct arena *arena,
    struct column *ret)
{
	struct dict d = { 0 };
	uint32_t *codes, max = 0;
	size_t i;
	int r;

	r = get_dict(c, arena, &d);
	if (r != 0)
		return r;
	codes = arena_alloc(arena, (rows->n + 1) * sizeof(*codes));
	if (codes == NULL)
		return err_origin(-ENOMEM);
	codes_of(&d, rows, codes);
	for (i = 0; i < rows->n; i++)
		max = codes[i] > max ? codes[i] : max;
	if (max >= d.n)
		return BLOCK_E_CORRUPT;
	*ret = (struct column){ .name = c->name,
		.kind = COLUMN_DICT,
		.n_rows = rows->n,
		.dict = d.values,
		.n_dict = d.n,
		.codes = codes };
	return 0;
}
