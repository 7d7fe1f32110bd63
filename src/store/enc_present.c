/*
 * store/enc_present.c - absent values.
 * One job: say which rows have a value.
 * Floor: 2 (uses base).
 *
 * Presence, version 1:
 *
 *   size   field
 *   1      mode     0 all rows have one, 1 a bitmap follows
 *   ...    bytes    mode 1: "Bytes" of (n_rows + 7) / 8 bytes, bit i % 8 of byte i / 8 is row i
 */
#include "store/enc.h"

size_t
enc_present_count(const struct enc_values *v)
{
	uint32_t n = 0;
	size_t i;

	for (i = 0; i < v->n; i++)
		n += v->offs[i] != v->offs[i + 1];
	return n;
}

int
enc_present_put(struct buf *out, struct enc_scratch *s, const struct enc_values *v, size_t *ret_n)
{
	uint8_t *map;
	unsigned bits;
	size_t i, k;

	*ret_n = enc_present_count(v);
	buf_byte(out, *ret_n != v->n);
	if (*ret_n == v->n)
		return 0;
	map = arena_alloc(&s->arena, v->n / 8 + 1);
	if (map == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < v->n; i += 8) {
		for (bits = 0, k = 0; k < 8 && i + k < v->n; k++)
			bits |= (unsigned)(v->offs[i + k] != v->offs[i + k + 1]) << k;
		map[i / 8] = (uint8_t)bits;
	}
	enc_bytes_put(out, s, str_of(map, (v->n + 7) / 8));
	return 0;
}

int
enc_present_get(struct scan *s, struct ZSTD_DCtx_s *zstd, size_t n_rows, struct arena *arena,
    const uint64_t **ret, size_t *ret_n)
{
	unsigned mode = scan_u8(s);
	uint64_t *words;
	struct str map;
	size_t i;
	int r;

	*ret = NULL;
	*ret_n = n_rows;
	if (s->bad || mode > 1)
		return BLOCK_E_CORRUPT;
	if (mode == 0)
		return 0;
	r = enc_bytes_get(s, zstd, (n_rows + 7) / 8, arena, &map);
	if (r != 0)
		return r;
	if (map.n != (n_rows + 7) / 8)
		return BLOCK_E_CORRUPT;
	words = arena_zalloc(arena, BITS_WORDS(n_rows) + 1, sizeof(*words));
	if (words == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < map.n; i++)
		words[i / 8] |= (uint64_t)map.p[i] << (i % 8 * 8);
	if (n_rows % 64 != 0)
		words[n_rows / 64] &= (UINT64_C(1) << (n_rows % 64)) - 1;
	*ret = words;
	*ret_n = bits_count(words, n_rows);
	return 0;
}
