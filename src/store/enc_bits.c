/*
 * store/enc_bits.c - packed bits.
 * One job: n numbers of w bits each, without a bit between them; and back.
 * Floor: 2 (uses base).
 *
 * Packed bits: value i takes the bits i*w to i*w + w - 1 of the run, bit 0 being the lowest of byte 0; the
 * rest of the last byte is 0.  A run is (n*w + 7) / 8 bytes; w is 0 to 64.
 *
 * Unpacking is unpack.c's while whole steps are there; the few values at the end are put together byte by byte.
 */
#include <assert.h>

#include "base/str.h"
#include "store/enc.h"
#include "store/unpack.h"

static inline void
store_le(uint8_t *p, uint64_t v)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	memcpy(p, &v, sizeof(v));
}

static inline uint64_t
mask_of(unsigned width)
{
	return width >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << width) - 1;
}

/* The bits still waiting are the low n_acc (below 64) of acc. */
struct bit_writer {
	uint8_t *p;
	uint64_t acc;
	unsigned n_acc;
};

static inline void
writer_put(struct bit_writer *w, uint64_t v, unsigned width)
{
	w->acc |= v << w->n_acc;
	if (w->n_acc + width >= 64) {
		store_le(w->p, w->acc);
		w->p += 8;
		w->acc = w->n_acc == 0 ? 0 : v >> (64 - w->n_acc);
		w->n_acc = w->n_acc + width - 64;
	} else {
		w->n_acc += width;
	}
}

/* Room for the run and for one whole word beyond it. */
static bool
writer_begin(struct bit_writer *w, struct buf *out, size_t n, unsigned width)
{
	if (!buf_grow(out, enc_bits_bytes(n, width) + 8))
		return false;
	*w = (struct bit_writer){ out->p + out->n, 0, 0 };
	return true;
}

void
enc_bits_put(struct buf *out, const uint64_t *v, size_t n, unsigned width)
{
	struct bit_writer w;
	uint64_t mask = mask_of(width);
	size_t i;

	assert(width <= 64);
	if (width == 0 || !writer_begin(&w, out, n, width))
		return;
	for (i = 0; i < n; i++)
		writer_put(&w, v[i] & mask, width);
	store_le(w.p, w.acc);
	out->n += enc_bits_bytes(n, width);
}

void
enc_bits_put32(struct buf *out, const uint32_t *v, size_t n, unsigned width)
{
	struct bit_writer w;
	uint64_t mask = mask_of(width);
	size_t i;

	assert(width <= 32);
	if (width == 0 || !writer_begin(&w, out, n, width))
		return;
	for (i = 0; i < n; i++)
		writer_put(&w, v[i] & mask, width);
	store_le(w.p, w.acc);
	out->n += enc_bits_bytes(n, width);
}

/* Any width, any place near the end: byte by byte. */
static uint64_t
get_slow(const uint8_t *p, size_t n_bytes, size_t bit, unsigned width)
{
	uint64_t v = 0;
	unsigned got = 0, shift = (unsigned)(bit % 8);
	size_t at = bit / 8;

	while (got < width && at < n_bytes) {
		v |= (uint64_t)(p[at++] >> shift) << got;
		got += 8 - shift;
		shift = 0;
	}
	return v & mask_of(width);
}

void
enc_bits_get(const uint8_t *p, size_t n, unsigned width, uint64_t base, int64_t *out)
{
	size_t i, n_bytes = enc_bits_bytes(n, width);

	if (width == 0) {
		for (i = 0; i < n; i++)
			out[i] = (int64_t)base;
		return;
	}
	for (i = unpack_best()->i64(p, n_bytes, n, width, base, out); i < n; i++)
		out[i] = (int64_t)(get_slow(p, n_bytes, i * width, width) + base);
}

void
enc_bits_get32(const uint8_t *p, size_t n, unsigned width, uint32_t *out)
{
	size_t i, n_bytes = enc_bits_bytes(n, width);

	if (width == 0) {
		memset(out, 0, n * sizeof(*out));
		return;
	}
	for (i = unpack_best()->u32(p, n_bytes, n, width, out); i < n; i++)
		out[i] = (uint32_t)get_slow(p, n_bytes, i * width, width);
}

uint32_t
enc_bits_at32(const uint8_t *p, size_t n_bytes, size_t i, unsigned width)
{
	size_t bit = i * width;

	if (bit / 8 + 8 <= n_bytes)
		return (uint32_t)((bytes_load_le(p + bit / 8) >> (bit % 8)) & mask_of(width));
	return (uint32_t)get_slow(p, n_bytes, bit, width);
}
