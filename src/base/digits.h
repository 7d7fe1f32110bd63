/*
 * base/digits.h - short decimal numbers.
 * One job: read up to eight digits at once.
 * Floor: 0.
 *
 * Numbers in logs differ in length from line to line, so a loop over digits ends where no CPU expects it.  What is not
 * short or not canonical is left to the caller's loop.
 */
#pragma once

#include "base/str.h"

/** digits_count_of(x): how many of the eight bytes of x, the lowest first, are digits before the first that is none. */
static inline size_t
digits_count_of(uint64_t x)
{
	x ^= UINT64_C(0x3030303030303030);
	x = (x | (x + UINT64_C(0x0606060606060606))) & UINT64_C(0xf0f0f0f0f0f0f0f0);
	return x == 0 ? 8 : (size_t)__builtin_ctzll(x) / 8;
}

/** digits_value_of(x, n): the number that the first n of these bytes are, n being 1 to 8. */
static inline uint64_t
digits_value_of(uint64_t x, size_t n)
{
	/* Zeros in front; then pairs, fours and all eight. */
	x = (x ^ UINT64_C(0x3030303030303030)) << (64 - 8 * n);
	x = (x * 10 + (x >> 8)) & UINT64_C(0x00ff00ff00ff00ff);
	x = (x * 100 + (x >> 16)) & UINT64_C(0x0000ffff0000ffff);
	return (x * 10000 + (x >> 32)) & UINT64_C(0xffffffff);
}

/** digits_count(p): the same of the eight bytes at p. */
static inline size_t
digits_count(const uint8_t *p)
{
	return digits_count_of(bytes_load_le(p));
}

/** digits_value(p, n): likewise. */
static inline uint64_t
digits_value(const uint8_t *p, size_t n)
{
	return digits_value_of(bytes_load_le(p), n);
}

/* A number without its point: ${whole} digits, then ${part} that are ${fraction}. */
static inline uint64_t
digits_join(uint64_t whole, uint64_t fraction, size_t part)
{
	static const uint32_t tens[9] = { 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000,
		100000000 };

	return whole * tens[part] + fraction;
}

/**
 * digits_decimal(p, n, ret, ret_scale):
 * Whether p[0..n) is digits alone, or with a point among them, at most eight on either side and without a needless zero in
 * front; then ${ret} is the number without its point, and ${ret_scale} how many digits stand behind it.  Eight bytes
 * beyond p[n] may be read.
 */
static inline bool
digits_decimal(const uint8_t *p, size_t n, uint64_t *ret, unsigned *ret_scale)
{
	size_t whole = digits_count(p), part;

	whole = whole < n ? whole : n;
	if (whole == 0 || (p[0] == '0' && whole > 1))
		return false;
	*ret = digits_value(p, whole);
	*ret_scale = 0;
	if (whole == n)
		return true;
	part = n - whole - 1;
	if (p[whole] != '.' || part - 1 > 7 || digits_count(p + whole + 1) < part)
		return false;
	*ret = digits_join(*ret, digits_value(p + whole + 1, part), part);
	*ret_scale = (unsigned)part;
	return true;
}

/** digits_decimal_of(x, n, ret, ret_scale): the same of the first n bytes of x, at most eight; those behind them are 0. */
static inline bool
digits_decimal_of(uint64_t x, size_t n, uint64_t *ret, unsigned *ret_scale)
{
	size_t whole = digits_count_of(x), part;

	if (whole == 0 || ((uint8_t)x == '0' && whole > 1))
		return false;
	*ret = digits_value_of(x, whole);
	*ret_scale = 0;
	if (whole == n)
		return true;
	/* whole is 7 at most. */
	x >>= whole * 8;
	part = n - whole - 1;
	if ((uint8_t)x != '.' || part == 0 || digits_count_of(x >> 8) != part)
		return false;
	x >>= 8;
	*ret = digits_join(*ret, digits_value_of(x, part), part);
	*ret_scale = (unsigned)part;
	return true;
}
