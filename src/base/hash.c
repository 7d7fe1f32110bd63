/*
 * base/hash.c - hashes and checksums.
 * One job: XXH3 under one name, so that no other room includes its header.
 * Floor: 0.
 */
#include "base/hash.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t
hash64(struct str s)
{
	return XXH3_64bits(s.p, s.n);
}

uint64_t
hash64_seed(struct str s, uint64_t seed)
{
	return XXH3_64bits_withSeed(s.p, s.n, seed);
}

uint64_t
hash64_classic(struct str s)
{
	return XXH64(s.p, s.n, 0);
}

enum { SORT_FEW = 32, SORT_PARTS_MAX = 1 << 20 };

static int
compare(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

/* Few numbers, or many that should not have been near each other. */
static void
sort_few(uint64_t *v, size_t n)
{
	uint64_t x;
	size_t i, k;

	if (n > SORT_FEW) {
		qsort(v, n, sizeof(*v), compare);
		return;
	}
	for (i = 1; i < n; i++) {
		x = v[i];
		for (k = i; k > 0 && v[k - 1] > x; k--)
			v[k] = v[k - 1];
		v[k] = x;
	}
}

void
hash_sort(uint64_t *v, size_t n)
{
	size_t n_parts = 1, i, at, sum = 0, *ends;
	uint64_t min = UINT64_MAX, max = 0, *to;
	unsigned shift = 0;

	for (i = 0; i < n; i++) {
		min = v[i] < min ? v[i] : min;
		max = v[i] > max ? v[i] : max;
	}
	while (n_parts < n && n_parts < SORT_PARTS_MAX)
		n_parts *= 2;
	while (n > 0 && (max - min) >> shift >= n_parts)
		shift++;
	to = n > SORT_FEW ? malloc(n * sizeof(*to)) : NULL;
	ends = to != NULL ? calloc(n_parts, sizeof(*ends)) : NULL;
	if (ends == NULL) {
		free(to);
		sort_few(v, n);
		return;
	}
	for (i = 0; i < n; i++)
		ends[(v[i] - min) >> shift]++;
	for (i = 0; i < n_parts; i++) {
		sum += ends[i];
		ends[i] = sum - ends[i];
	}
	for (i = 0; i < n; i++)
		to[ends[(v[i] - min) >> shift]++] = v[i];
	for (at = i = 0; i < n_parts; at = ends[i++])
		sort_few(to + at, ends[i] - at);
	memcpy(v, to, n * sizeof(*v));
	free(to);
	free(ends);
}
