/*
 * store/enc_codes.c - runs of small numbers.
 * One job: numbers below a known bound, each to be had alone.
 * Floor: 2 (uses base).
 *
 * Codes, version 1; how many there are is known from elsewhere:
 *
 *   size   field
 *   1      mode    0 packed, 1 one byte a number in "Bytes", 2 one bit a number in "Bytes"
 *   1      width   mode 0: bits of a number, at most 32
 *   ...            mode 0: packed bits
 *
 * Mode 1 is for numbers so uneven, or in such long runs, that zstd saves two thirds of the packed bits: it costs ten
 * times the time of unpacking, which is most of a count by a field.  Mode 2 is for flags, which are mostly the same: a few
 * KiB of bits are read nearly as fast compressed, so a third saved is enough.
 */
#include "store/enc.h"

enum {
	MODE_PACKED = 0,
	MODE_BYTES = 1,
	MODE_BITS = 2,
	BYTES_BOUND_MAX = 256,
	BYTES_N_MIN = 256,
	SAMPLE = 1024
};

static bool
all_same(const uint32_t *codes, size_t n)
{
	size_t i;

	for (i = 1; i < n; i++)
		if (codes[i] != codes[0])
			return false;
	return true;
}

/* Whether zstd may save two thirds of the packed bits; of many numbers a piece out of the middle says that it does not save
 * even a third. */
static bool
may_pay(struct enc_scratch *s, struct str bytes, unsigned width)
{
	AUTO_FINI(buf_fini) struct buf sample = BUF_INIT;

	if (bytes.n < 4 * SAMPLE)
		return true;
	enc_bytes_put_codes(&sample, s,
	    str_sub(bytes, bytes.n / 2 - SAMPLE / 2, bytes.n / 2 + SAMPLE / 2));
	return sample.failed || sample.n < enc_bits_bytes(SAMPLE, width) * 2 / 3;
}

int
enc_codes_put(struct buf *out, struct enc_scratch *s, const uint32_t *codes, size_t n, size_t bound)
{
	unsigned width = enc_bits_width(bound - 1);
	size_t packed = enc_bits_bytes(n, width), i, from = out->n;
	uint8_t *bytes;

	if ((bound > 2 || all_same(codes, n)) && bound > 1 && bound <= BYTES_BOUND_MAX &&
	    n >= BYTES_N_MIN) {
		bytes = arena_alloc(&s->arena, n);
		if (bytes == NULL)
			return err_origin(-ENOMEM);
		for (i = 0; i < n; i++)
			bytes[i] = (uint8_t)codes[i];
		if (may_pay(s, str_of(bytes, n), width)) {
			buf_byte(out, MODE_BYTES);
			enc_bytes_put_codes(out, s, str_of(bytes, n));
			if (out->n - from < packed / 3)
				return buf_err(out);
			out->n = from;
		}
	}
	buf_byte(out, MODE_PACKED);
	buf_byte(out, (uint8_t)width);
	enc_bits_put32(out, codes, n, width);
	return buf_err(out);
}

int
enc_codes_put_flags(struct buf *out, struct enc_scratch *s, const uint32_t *codes, size_t n,
    bool *ret_ok)
{
	AUTO_FINI(buf_fini) struct buf bits = BUF_INIT;
	size_t from = out->n;

	*ret_ok = false;
	if (n < BYTES_N_MIN)
		return 0;
	enc_bits_put32(&bits, codes, n, 1);
	if (bits.failed)
		return buf_err(&bits);
	buf_byte(out, MODE_BITS);
	enc_bytes_put(out, s, buf_view(&bits));
	*ret_ok = out->n - from < bits.n * 2 / 3;
	if (!*ret_ok)
		out->n = from;
	return buf_err(out);
}

int
enc_codes_get(struct scan *s, struct ZSTD_DCtx_s *zstd, size_t n, struct arena *arena,
    struct enc_codes *ret)
{
	unsigned mode = scan_u8(s);
	int r;

	if (s->bad || mode > MODE_BITS)
		return BLOCK_E_CORRUPT;
	ret->bytewise = mode == MODE_BYTES;
	if (mode == MODE_BITS) {
		ret->width = 1;
		r = enc_bytes_get(s, zstd, enc_bits_bytes(n, 1), arena, &ret->packed);
		return r != 0 ? r : ret->packed.n != enc_bits_bytes(n, 1) ? BLOCK_E_CORRUPT : 0;
	}
	if (ret->bytewise) {
		ret->width = 8;
		r = enc_bytes_get(s, zstd, n, arena, &ret->packed);
		return r != 0 ? r : ret->packed.n != n ? BLOCK_E_CORRUPT : 0;
	}
	ret->width = scan_u8(s);
	if (s->bad || ret->width > 32)
		return BLOCK_E_CORRUPT;
	ret->packed = scan_bytes(s, enc_bits_bytes(n, ret->width));
	return s->bad ? BLOCK_E_CORRUPT : 0;
}

bool
enc_codes_of(const struct enc_codes *c, const struct enc_rows *rows, size_t bound, uint32_t *out)
{
	uint32_t beyond = 0, last = (uint32_t)(bound - 1);
	uint8_t max8 = 0;
	size_t i;

	if (c->bytewise && rows->rows == NULL) {
		for (i = 0; i < rows->n; i++)
			max8 = c->packed.p[i] > max8 ? c->packed.p[i] : max8;
		for (i = 0; i < rows->n; i++)
			out[i] = c->packed.p[i];
		return max8 < bound;
	}
	if (rows->rows != NULL)
		for (i = 0; i < rows->n; i++)
			out[i] = c->bytewise
			    ? c->packed.p[rows->rows[i]]
			    : enc_bits_at32(c->packed.p, c->packed.n, rows->rows[i], c->width);
	else
		enc_bits_get32(c->packed.p, rows->n, c->width, out);
	/* What has too few bits to be beyond the bound need not be looked at. */
	if (c->width < 32 && bound >= (size_t)1 << c->width)
		return true;
	/* The highest bit is set by a number that is beyond: of the difference, or its own where that wraps round. */
	for (i = 0; i < rows->n; i++)
		beyond |= (last - out[i]) | out[i];
	return beyond >> 31 == 0;
}
