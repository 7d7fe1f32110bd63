/*
 * query/stats_quantile.h - what the files of quantiles share.
 * One job: the values of one group, all of them or how many lie in each cell.
 * Floor: 3 (uses logsql, record, base).
 */
#pragma once

#include "query/stats_spread.h"

/* Exact while values are so few; then in the cells of stats_spread.h. */
enum { CELLS = SPREAD_CELLS, EXPONENTS = SPREAD_EXPONENTS, EXACT_MAX = 2048 };

struct spread_number {
	int64_t v;
	unsigned scale;
};

/*
 * Invariants: while hist is NULL, numbers holds every decimal; after, hist counts them by cell
 * (negative ones in the
 * first half, mirrored) and numbers is empty.  texts are all values that are no decimals but
 * "", which are counted.
 */
struct spread {
	struct spread_number *numbers;
	size_t n_numbers, cap_numbers;
	struct stats_text **texts;
	size_t n_texts, cap_texts;
	uint64_t n_empty; /* values "", which texts does not hold */
	uint64_t **hist;  /* rows of CELLS counts, by sign and exponent; NULL where none */
	size_t hist_bytes;
	bool whole; /* all in hist are integers */
	double min, max;
	/* Small counts in one piece, of cells from near_first on: what hist has not got yet.  hist has all their rows. */
	uint32_t *near;
	size_t near_first, n_near;
	uint64_t near_total; /* at most so many */
};

/** spread_settle(p): what is in near into hist.  Before anybody reads hist. */
void spread_settle(struct spread *p);

/** spread_want_near(p, grown): have near ready for the cells from min to max, as far as it is worth it; hist is there. */
int spread_want_near(struct spread *p, int64_t *grown);

/** spread_of(s, ret): the spread of a state, made when it has none. */
int spread_of(struct stats_state *s, struct spread **ret);

/** spread_add(p, v, scale, grown): one decimal more. */
int spread_add(struct spread *p, int64_t v, unsigned scale, int64_t *grown);

/** quantile_add_ints(c, named, sb): the rows of ${sb} by a column of integers; ${named}: absent ones are values too. */
int quantile_add_ints(const struct column *c, bool named, struct stats_batch *sb);
