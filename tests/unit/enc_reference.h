/*
 * tests/unit/enc_reference.h - integers read by the letter of docs/FORMAT.md.
 * One job: slow decoders that share no code with those of src/store, to hold them against.
 *
 * They are for bytes that the encoders made: what does not fit ends the test.
 */
#pragma once

#include "check.h"
#include "store/enc.h"

/* Packed bits by the letter of docs/FORMAT.md: one bit at a time. */
static uint64_t
reference_bits(const uint8_t *p, size_t i, unsigned width)
{
	uint64_t v = 0;
	unsigned k;

	for (k = 0; k < width; k++)
		v |= (uint64_t)(p[(i * width + k) / 8] >> ((i * width + k) % 8) & 1) << k;
	return v;
}

/* Integers by the letter of docs/FORMAT.md; false when they end too early. */
static bool
reference_ints(struct scan *s, int64_t *out, size_t n)
{
	size_t at, k, i, n_exc;
	struct str packed, places;
	uint64_t zigzag, base;
	unsigned width;

	for (at = 0; at < n; at += k) {
		k = n - at < 1024 ? n - at : 1024;
		zigzag = scan_varint(s);
		base = zigzag / 2 ^ (zigzag % 2 != 0 ? ~UINT64_C(0) : 0);
		width = scan_u8(s);
		n_exc = scan_varint(s);
		(void)scan_varint(s);
		places = scan_bytes(s, n_exc * 2);
		for (i = 0; i < k; i++)
			out[at + i] = 0;
		for (i = 0; i < n_exc; i++)
			out[at + places.p[2 * i] + 256u * places.p[2 * i + 1]] =
			    (int64_t)(scan_varint(s) << width);
		packed = scan_bytes(s, (k * width + 7) / 8);
		if (s->bad)
			return false;
		for (i = 0; i < k; i++)
			out[at + i] = (int64_t)((uint64_t)out[at + i] + base +
			    reference_bits(packed.p, i, width));
	}
	return true;
}
