/*
 * store/block_part.c - which of its rows a builder makes a block of.
 * One job: set rows apart whose clock is far from that of the others, so that one bad clock ruins no block's bounds of time.
 * Floor: 2 (uses record, base).
 *
 * A query with bounds of time leaves a block unread by its least and its greatest time.  One row of 1970 among those of
 * today would make it look into each such block.  So the rows that are far from the median become blocks of their own, those
 * before it and those behind it, right after the others'.
 */
#include "store/block_build.h"

enum {
	SPLIT_ROWS_MIN = 256, /* a smaller block is read as quickly as another one's header */
	SAMPLE = 255,
	FAR_SHARE = 16,   /* no more than a 16th is set apart */
	FAR_QUARTERS = 8, /* far: so many times as wide as the middle half */
	NARROWER = 8,     /* what is left must span so much less */
};

static int
cmp_time(const void *a, const void *b)
{
	int64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

/* [*lo, *hi] are the times that are near the median. */
static void
near_bounds(const struct block_builder *b, int64_t *lo, int64_t *hi)
{
	int64_t s[SAMPLE];
	uint64_t wide;
	size_t i;

	for (i = 0; i < SAMPLE; i++)
		s[i] = b->times[i * b->n_rows / SAMPLE];
	qsort(s, SAMPLE, sizeof(*s), cmp_time);
	wide = (uint64_t)s[SAMPLE * 3 / 4] - (uint64_t)s[SAMPLE / 4];
	wide = wide > INT64_MAX / FAR_QUARTERS ? INT64_MAX : wide * FAR_QUARTERS;
	wide = wide < (uint64_t)NS_PER_HOUR ? (uint64_t)NS_PER_HOUR : wide;
	/* One less than the ends of what there is, so that there is a time before and one behind. */
	if (__builtin_sub_overflow(s[SAMPLE / 2], (int64_t)wide, lo) || *lo == INT64_MIN)
		*lo = INT64_MIN + 1;
	if (__builtin_add_overflow(s[SAMPLE / 2], (int64_t)wide, hi) || *hi == INT64_MAX)
		*hi = INT64_MAX - 1;
}

/* Least and greatest of the times in [lo, hi]; how many there are. */
static size_t
span_of(const struct block_builder *b, int64_t lo, int64_t hi, uint64_t *ret_span)
{
	int64_t min = INT64_MAX, max = INT64_MIN;
	size_t i, n = 0;

	for (i = 0; i < b->n_rows; i++) {
		if (b->times[i] < lo || b->times[i] > hi)
			continue;
		min = b->times[i] < min ? b->times[i] : min;
		max = b->times[i] > max ? b->times[i] : max;
		n++;
	}
	*ret_span = n != 0 ? (uint64_t)max - (uint64_t)min : 0;
	return n;
}

/* Write the rows with times in [lo, hi] to rows[at]; the end of them. */
static size_t
list_rows(struct block_builder *b, int64_t lo, int64_t hi, size_t at)
{
	size_t i;

	for (i = 0; i < b->n_rows; i++)
		if (b->times[i] >= lo && b->times[i] <= hi)
			b->rows[at++] = (uint32_t)i;
	return at;
}

int
block_part_choose(struct block_builder *b)
{
	uint64_t all, near;
	int64_t lo, hi;
	size_t n_near, k, n = b->n_rows;

	b->n_of[PART_NEAR] = 0;
	if (!b->sets_apart || n < SPLIT_ROWS_MIN)
		return 0;
	(void)span_of(b, INT64_MIN, INT64_MAX, &all);
	if (all <= (uint64_t)NS_PER_HOUR)
		return 0;
	near_bounds(b, &lo, &hi);
	n_near = span_of(b, lo, hi, &near);
	if (n_near == n || n - n_near > n / FAR_SHARE || near > all / NARROWER)
		return 0;
	if (b->rows == NULL)
		b->rows = malloc(BLOCK_ROWS_MAX * sizeof(*b->rows));
	if (b->rows == NULL)
		return err_origin(-ENOMEM);
	k = list_rows(b, lo, hi, 0);
	b->n_of[PART_NEAR] = k;
	k = list_rows(b, INT64_MIN, lo - 1, k);
	b->n_of[PART_BEFORE] = k - n_near;
	b->n_of[PART_AFTER] = list_rows(b, hi + 1, INT64_MAX, k) - k;
	return 0;
}

const uint32_t *
block_part_rows(const struct block_builder *b, size_t *ret_n)
{
	size_t from = 0;
	unsigned i;

	for (i = 0; i < b->part; i++)
		from += b->n_of[i];
	*ret_n = b->n_of[PART_NEAR] == 0 ? b->n_rows : b->n_of[b->part];
	return b->n_of[PART_NEAR] == 0 ? NULL : b->rows + from;
}

bool
block_part_next(struct block_builder *b)
{
	if (b->n_of[PART_NEAR] == 0)
		return false;
	do
		b->part++;
	while (b->part < PART_END && b->n_of[b->part] == 0);
	return b->part < PART_END;
}

size_t
block_builder_rows(const struct block_builder *b)
{
	size_t n = b->n_rows;
	unsigned i;

	for (i = 0; i < b->part; i++)
		n -= b->n_of[i];
	return n;
}

uint64_t
block_part_raw(const struct block_builder *b)
{
	uint64_t each = b->raw_bytes / b->n_rows;

	if (b->n_of[PART_NEAR] == 0)
		return b->raw_bytes;
	if (b->part != PART_NEAR)
		return each * b->n_of[b->part];
	return b->raw_bytes - each * (b->n_rows - b->n_of[PART_NEAR]);
}

int
block_part_values(struct block_builder *b, const struct build_column *c, struct enc_values *ret)
{
	uint32_t *offs, from;
	const uint32_t *rows;
	size_t i, n;

	rows = block_part_rows(b, &n);
	*ret = (struct enc_values){ c->bytes, c->offs, n };
	if (rows == NULL)
		return 0;
	buf_clear(&b->part_bytes);
	buf_clear(&b->part_offs);
	if (!buf_grow(&b->part_offs, (n + 1) * sizeof(*offs)) || !buf_grow(&b->part_bytes, ENC_PAD))
		return err_origin(-ENOMEM);
	offs = (uint32_t *)(void *)b->part_offs.p;
	offs[0] = 0;
	for (i = 0; i < n; i++) {
		from = c->offs[rows[i]];
		buf_put(&b->part_bytes, c->bytes + from, c->offs[rows[i] + 1] - from);
		offs[i + 1] = (uint32_t)b->part_bytes.n;
	}
	if (!buf_grow(&b->part_bytes, ENC_PAD))
		return buf_err(&b->part_bytes);
	*ret = (struct enc_values){ b->part_bytes.p, offs, n };
	return buf_err(&b->part_bytes);
}

const int64_t *
block_part_times(struct block_builder *b)
{
	const uint32_t *rows;
	int64_t *times;
	size_t i, n;

	rows = block_part_rows(b, &n);
	if (rows == NULL)
		return b->times;
	times = arena_alloc(&b->scratch.arena, n * sizeof(*times));
	for (i = 0; times != NULL && i < n; i++)
		times[i] = b->times[rows[i]];
	return times;
}

const uint32_t *
block_part_codes(struct block_builder *b)
{
	const uint32_t *rows;
	uint32_t *codes;
	size_t i, n;

	rows = block_part_rows(b, &n);
	if (rows == NULL)
		return b->codes;
	codes = arena_alloc(&b->scratch.arena, n * sizeof(*codes));
	for (i = 0; codes != NULL && i < n; i++)
		codes[i] = b->codes[rows[i]];
	return codes;
}

void
block_builder_set_apart(struct block_builder *b)
{
	b->sets_apart = true;
}

const uint32_t *
block_builder_part(const struct block_builder *b, size_t *ret_n)
{
	*ret_n = b->n_last;
	return b->last;
}
