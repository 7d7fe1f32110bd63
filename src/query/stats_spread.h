/*
 * query/stats_spread.h - how values are spread, as bytes.
 * One job: the cells of values, and saved spreads merged and read without being taken apart.
 * Floor: 3 (uses logsql, base).
 *
 * Saved: whether there is any; count of empty values; texts; numbers (value, scale); whether there are cells; of these whether
 * all are integers, least and greatest value, and each cell as the step from the one before and its count.
 */
#pragma once

#include "query/stats_state.h"

/*
 * A log-linear histogram: each power of two is cut into SPREAD_CELLS equal parts, so that a value's cell is at most 1/128 of
 * it wide and the middle at most 1/256 off.  Cells are found from the bits of the double.
 */
enum { SPREAD_CELLS = 128, SPREAD_EXPONENTS = 2048 };
/* As bytes, more values than these take more room than their cells. */
enum { SPREAD_SAVED_MAX = 512 };

static inline void
spread_cell(double v, size_t *ret_row, size_t *ret_cell)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	*ret_row = (size_t)(bits >> 52 & 0x7ff) + (bits >> 63 != 0 ? 0 : SPREAD_EXPONENTS);
	*ret_cell = (size_t)(bits >> 45 & (SPREAD_CELLS - 1));
	/* Mirrored, so that a walk goes up. */
	if (bits >> 63 != 0) {
		*ret_row = SPREAD_EXPONENTS - 1 - *ret_row;
		*ret_cell = SPREAD_CELLS - 1 - *ret_cell;
	}
}

/* The same as one number: row * SPREAD_CELLS + cell. */
static inline uint32_t
spread_place(double v)
{
	uint32_t half = SPREAD_EXPONENTS * SPREAD_CELLS, at;
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	at = (uint32_t)(bits >> 45);
	return at < half ? half + at : 2 * half - 1 - at;
}

/** spread_cell_value(row, cell): the middle of a cell. */
double spread_cell_value(size_t row, size_t cell);

/** spread_merge(a, b, out): one saved spread of two; both are read to their end.  -EPROTO: they are none. */
int spread_merge(struct scan *a, struct scan *b, struct buf *out);

/** spread_put(f, in, out): the quantile of a saved spread.  1: it has texts; nothing was read. */
int spread_put(const struct stats_func *f, struct scan *in, struct buf *out);
