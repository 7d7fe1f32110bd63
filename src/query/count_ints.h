/*
 * query/count_ints.h - integers and how often they come.
 * One job: count the values of number columns without a text for each; only those that are wanted get one.
 * Floor: 3 (uses record, base).
 *
 * Values that lie near each other are counted in an array, all others in a hash table.  Cost: 1.5 ns a row while the
 * array is in the CPU's cache.
 */
#pragma once

#include "base/map.h"
#include "record/column.h"

enum { COUNT_INTS_DENSE_MAX = 1 << 20 };

/*
 * Invariants: dense[i] counts base + i, and is NULL until the first column; cap is 0 or a power of two above
 * 2 * n_sparse; a place of sparse with n == 0 is free; all values have .scale digits after the point.
 */
struct count_ints {
	unsigned scale;
	int64_t base;
	uint64_t *dense;
	size_t n_dense;
	struct count_int {
		int64_t v;
		uint64_t n;
	} * sparse;
	size_t n_sparse, cap;
	uint64_t n_absent; /* rows without a value */
};

void count_ints_fini(struct count_ints *t);

/** count_ints_takes(t, c): whether column ${c} can be counted here: numbers of the same scale. */
bool count_ints_takes(const struct count_ints *t, const struct column *c);

/** count_ints_add(t, c): count all rows of ${c}.  -ENOMEM. */
int count_ints_add(struct count_ints *t, const struct column *c);

/** count_ints_bytes(t): memory that it holds. */
size_t count_ints_bytes(const struct count_ints *t);

/** count_ints_merge(to, from): all of ${from}, of the same scale, into ${to}. */
int count_ints_merge(struct count_ints *to, const struct count_ints *from);

/** count_ints_move(t, m): take out of ${m} the counts of texts that are such integers; their value is 0 after. */
int count_ints_move(struct count_ints *t, struct map *m);

/** count_ints_top(t, limit, m): the texts of the ${limit} most frequent (0: of all), and of those that are as frequent as
 * the last of them, into ${m}. */
int count_ints_top(const struct count_ints *t, uint64_t limit, struct map *m);
