/*
 * store/enc_dict.c - the dictionary encoding.
 * One job: each different value once, and a few bits a row that say which.
 * Floor: 2 (uses base).
 *
 * Dictionary, version 2 when its codes are of mode 2, else 1 (an absent value is the empty one, which has a number like any other):
 *
 *   size     field
 *   varint   n_dict  1 to n_rows
 *   ...      bytes   "Bytes": n_dict times varint length, then the values one after the other
 *   ...      codes   "Codes" of n_rows numbers below n_dict
 */
#include "store/enc.h"

size_t
enc_dict_most(size_t n, size_t size)
{
	size_t most = 1;
	unsigned width = 1;

	for (; most < ENC_DICT_MAX && enc_bits_bytes(n, width) + most / 2 < size; width++)
		most *= 2;
	return most;
}

int
enc_dict_put(struct buf *out, struct enc_scratch *s, const struct enc_distinct *d, size_t n,
    unsigned *ret_version)
{
	AUTO_FINI(buf_fini) struct buf list = BUF_INIT;
	bool flags = false;
	size_t i;
	int r = 0;

	for (i = 0; i < d->n; i++)
		buf_varint(&list, d->values[i].n);
	for (i = 0; i < d->n; i++)
		buf_str(&list, d->values[i]);
	if (list.failed)
		return buf_err(&list);
	buf_varint(out, d->n);
	enc_bytes_put(out, s, buf_view(&list));
	if (d->n == 2)
		r = enc_codes_put_flags(out, s, d->codes, n, &flags);
	*ret_version = flags ? ENC_DICT_VERSION_MAX : 1;
	if (r == 0 && !flags)
		r = enc_codes_put(out, s, d->codes, n, d->n);
	return err_trace(r);
}

/* A dictionary chunk, its codes not yet looked at. */
struct dict {
	struct str *values;
	size_t n;
	struct enc_codes codes;
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
	if (list.bad)
		return BLOCK_E_CORRUPT;
	return enc_codes_get(&s, c->zstd, c->n_rows, arena, &d->codes);
}

int
enc_dict_get(const struct enc_chunk *c, const struct enc_rows *rows, struct arena *arena,
    struct column *ret)
{
	struct dict d = { 0 };
	uint32_t *codes;
	int r;

	r = get_dict(c, arena, &d);
	if (r != 0)
		return r;
	codes = arena_alloc(arena, (rows->n + 1) * sizeof(*codes));
	if (codes == NULL)
		return err_origin(-ENOMEM);
	if (!enc_codes_of(&d.codes, rows, d.n, codes))
		return BLOCK_E_CORRUPT;
	*ret = (struct column){ .name = c->name,
		.kind = COLUMN_DICT,
		.n_rows = rows->n,
		.dict = d.values,
		.n_dict = d.n,
		.codes = codes };
	return 0;
}
