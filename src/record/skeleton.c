/*
 * record/skeleton.c - the skeleton of a message.
 * One job: a message's text with its digit-bearing words taken out, by one rule.
 * Floor: 1 (uses base).
 *
 * One table look-up a byte: what is no part of a token ends a run, and the classes of a run's bytes
 * ored together say whether it bears a digit.
 */
#include "record/skeleton.h"

#include "base/hash.h"

enum { OTHER = 0, WORD = 1, DIGIT = 3 };

/* clang-format off */
#define W10 WORD, WORD, WORD, WORD, WORD, WORD, WORD, WORD, WORD, WORD
#define W26 W10, W10, WORD, WORD, WORD, WORD, WORD, WORD
static const uint8_t byte_class[256] = {
	['-'] = WORD, ['.'] = WORD, ['_'] = WORD,
	['0'] = DIGIT, DIGIT, DIGIT, DIGIT, DIGIT, DIGIT, DIGIT, DIGIT, DIGIT, DIGIT,
	['A'] = W26,
	['a'] = W26,
};
/* clang-format on */

bool
skeleton_next(struct str msg, size_t at, size_t *ret_start, size_t *ret_end)
{
	size_t i = at, start;
	unsigned seen;

	while (i < msg.n) {
		while (i < msg.n && byte_class[msg.p[i]] == OTHER)
			i++;
		start = i;
		seen = 0;
		while (i < msg.n && byte_class[msg.p[i]] != OTHER)
			seen |= byte_class[msg.p[i++]];
		if (seen == DIGIT) {
			*ret_start = start;
			*ret_end = i;
			return true;
		}
	}
	return false;
}

/* A token of one digit becomes three bytes and its neighbour is a separator: at most 2 * n + 1. */
static size_t
skeleton_bound(size_t n)
{
	return 2 * n + 1;
}

/* Write the skeleton to out[skeleton_bound(msg.n)]; returns its length. */
static size_t
skeleton_write(uint8_t *out, struct str msg)
{
	size_t from = 0, start, end, n = 0;

	while (skeleton_next(msg, from, &start, &end)) {
		memcpy(out + n, msg.p + from, start - from);
		n += start - from;
		memcpy(out + n, "<*>", 3);
		n += 3;
		from = end;
	}
	if (from < msg.n)
		memcpy(out + n, msg.p + from, msg.n - from);
	return n + msg.n - from;
}

void
skeleton_of(struct buf *out, struct str msg)
{
	if (msg.n > SIZE_MAX / 4 || !buf_grow(out, skeleton_bound(msg.n))) {
		out->failed = true;
		return;
	}
	out->n += skeleton_write(out->p + out->n, msg);
}

uint64_t
skeleton_hash(struct str msg)
{
	uint8_t small[2048];
	AUTO_FINI(buf_fini) struct buf b = BUF_INIT;

	if (skeleton_bound(msg.n) <= sizeof(small))
		return hash64(str_of(small, skeleton_write(small, msg)));
	skeleton_of(&b, msg);
	return hash64(buf_view(&b));
}
