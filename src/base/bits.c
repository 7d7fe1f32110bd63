/*
 * base/bits.c - bitmaps.
 * One job: the numbers of the rows whose bit is set.
 * Floor: 0.
 *
 * Four bits at a time: four numbers are written and as many counted as bits are set, so that no branch has to guess which
 * they are.  Cost: 0.2 ns a bit, set or not.
 */
#include "base/bits.h"

enum { AT_ONCE = 4 };

/* Where the set bits of four are, and how many there are. */
static const uint32_t places[16][AT_ONCE] = { { 0 }, { 0 }, { 1 }, { 0, 1 }, { 2 }, { 0, 2 },
	{ 1, 2 }, { 0, 1, 2 }, { 3 }, { 0, 3 }, { 1, 3 }, { 0, 1, 3 }, { 2, 3 }, { 0, 2, 3 },
	{ 1, 2, 3 }, { 0, 1, 2, 3 } };
static const uint8_t counts[16] = { 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4 };

/* A word whose bits begin at ${at}; writes up to AT_ONCE numbers more than there are bits. */
static uint32_t *
list_word(uint64_t word, uint32_t at, uint32_t *out)
{
	const uint32_t *p;
	size_t i, k;

	if (word == ~UINT64_C(0)) {
		for (i = 0; i < 64; i++)
			out[i] = at + (uint32_t)i;
		return out + 64;
	}
	for (i = 0; i < 64 / AT_ONCE; i++, word >>= AT_ONCE, at += AT_ONCE) {
		p = places[word % 16];
		for (k = 0; k < AT_ONCE; k++)
			out[k] = at + p[k];
		out += counts[word % 16];
	}
	return out;
}

/* One after the other: for a word of at most three bits, and where there is no room for more. */
static uint32_t *
list_few(uint64_t word, uint32_t at, uint32_t *out)
{
	for (; word != 0; word &= word - 1)
		*out++ = at + (uint32_t)__builtin_ctzll(word);
	return out;
}

static bool
is_few(uint64_t word)
{
	word &= word - 1;
	word &= word - 1;
	return (word & (word - 1)) == 0;
}

void
bits_list(const uint64_t *w, size_t n, uint32_t *out)
{
	size_t k, last = BITS_WORDS(n), behind = 0;

	/* Words behind which there is room for what is written too much. */
	while (last > 0 && behind < AT_ONCE)
		behind += (size_t)__builtin_popcountll(w[--last]);
	for (k = 0; k < last; k++)
		out = is_few(w[k]) ? list_few(w[k], (uint32_t)(k * 64), out)
		                   : list_word(w[k], (uint32_t)(k * 64), out);
	for (; k < BITS_WORDS(n); k++)
		out = list_few(w[k], (uint32_t)(k * 64), out);
}
