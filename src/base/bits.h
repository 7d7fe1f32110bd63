/*
 * base/bits.h - bitmaps.
 * One job: one bit a row.
 * Floor: 0.
 *
 * A bitmap of n bits is BITS_WORDS(n) words; bits beyond n are always 0.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define BITS_WORDS(n) (((n) + 63) / 64)

static inline bool
bits_get(const uint64_t *w, size_t i)
{
	return (w[i / 64] >> (i % 64)) & 1;
}

static inline void
bits_set(uint64_t *w, size_t i)
{
	w[i / 64] |= UINT64_C(1) << (i % 64);
}

static inline void
bits_clear(uint64_t *w, size_t i)
{
	w[i / 64] &= ~(UINT64_C(1) << (i % 64));
}

/* All n bits to 1, the rest of the last word to 0. */
static inline void
bits_fill(uint64_t *w, size_t n)
{
	memset(w, 0xff, n / 64 * sizeof(*w));
	if (n % 64 != 0)
		w[n / 64] = (UINT64_C(1) << (n % 64)) - 1;
}

static inline void
bits_zero(uint64_t *w, size_t n)
{
	memset(w, 0, BITS_WORDS(n) * sizeof(*w));
}

static inline size_t
bits_count(const uint64_t *w, size_t n)
{
	size_t i, c = 0;

	for (i = 0; i < BITS_WORDS(n); i++)
		c += (size_t)__builtin_popcountll(w[i]);
	return c;
}

static inline bool
bits_none(const uint64_t *w, size_t n)
{
	size_t i;

	for (i = 0; i < BITS_WORDS(n); i++)
		if (w[i] != 0)
			return false;
	return true;
}

/* The first set bit at or after i, or n. */
static inline size_t
bits_next(const uint64_t *w, size_t n, size_t i)
{
	size_t k;
	uint64_t word;

	if (i >= n)
		return n;
	k = i / 64;
	word = w[k] & (~UINT64_C(0) << (i % 64));
	while (word == 0) {
		if (++k >= BITS_WORDS(n))
			return n;
		word = w[k];
	}
	return k * 64 + (size_t)__builtin_ctzll(word);
}

/*
 * The next four are of arrays with two words of 0 behind them.  They look at the 64 bits from where they stand: where words end is
 * nothing that a CPU can guess.
 */
static inline uint64_t
bits_window(const uint64_t *w, size_t i)
{
	return w[i / 64] >> (i % 64) | w[i / 64 + 1] << 1 << (63 - i % 64);
}

/* bits_next; i is at most n. */
static inline size_t
bits_seek(const uint64_t *w, size_t n, size_t i)
{
	uint64_t bits = bits_window(w, i);

	for (; bits == 0 && i + 64 < n; bits = bits_window(w, i))
		i += 64;
	i = bits == 0 ? n : i + (size_t)__builtin_ctzll(bits);
	return i < n ? i : n;
}

/* Bit i is set: the end of the run of set bits that it is in, at most n. */
static inline size_t
bits_run_end(const uint64_t *w, size_t n, size_t i)
{
	uint64_t clear = ~bits_window(w, i);

	for (; clear == 0 && i + 64 < n; clear = ~bits_window(w, i))
		i += 64;
	i = clear == 0 ? n : i + (size_t)__builtin_ctzll(clear);
	return i < n ? i : n;
}

/* Bit i is set: the first bit of the run of set bits that it is in, at least from. */
static inline size_t
bits_run_start(const uint64_t *w, size_t i, size_t from)
{
	uint64_t clear;

	for (; i >= 64 && i > from; i -= 64) {
		clear = ~bits_window(w, i - 64);
		if (clear != 0) {
			i -= (size_t)__builtin_clzll(clear);
			return i > from ? i : from;
		}
	}
	while (i > from && bits_get(w, i - 1))
		i--;
	return i > from ? i : from;
}

/** bits_list(w, n, out): the numbers of the set bits, ascending; out has room for bits_count(w, n) of them. */
void bits_list(const uint64_t *w, size_t n, uint32_t *out);

/** bits_pick(w, n, in, out): those of in[n] whose bit is set, one after the other in out[n], which may be written to its end;
 * returns how many. */
size_t bits_pick(const uint64_t *w, size_t n, const uint32_t *in, uint32_t *out);

/* for each set bit i of w[n]; w must not lose a bit at or before i meanwhile */
#define BITS_FOREACH(i, w, n) \
	for ((i) = bits_next((w), (n), 0); (i) < (n); (i) = bits_next((w), (n), (i) + 1))
