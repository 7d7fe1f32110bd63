/*
 * logsql/nocase.c - searching in any case.
 * One job: find ASCII text without regard to case, fast.
 * Floor: 2 (uses record, base).
 *
 * Sixteen places at a time: only where the first and the last byte fit, both folded with one OR, is the whole compared.
 * The OR folds a few other bytes too ('[' to '{'), which the comparison then tells apart.  One pass over the text.
 * Source: W. Mula, "SIMD-friendly algorithms for substring searching", 2016.
 */
#include "logsql/filter_internal.h"

typedef uint8_t bytes16 __attribute__((__vector_size__(16)));

static bool
any(bytes16 v)
{
	uint64_t half[2];

	memcpy(half, &v, sizeof(half));
	return (half[0] | half[1]) != 0;
}

static bool
equal_at(const uint8_t *p, struct str folded)
{
	size_t i;

	for (i = 0; i < folded.n; i++)
		if (str_lower_byte(p[i]) != folded.p[i])
			return false;
	return true;
}

size_t
nocase_find(struct str s, struct str folded)
{
	bytes16 first, last, a, b;
	size_t at = 0, i;

	if (folded.n == 0)
		return 0;
	if (folded.n > s.n)
		return SIZE_MAX;
	memset(&first, folded.p[0] | 0x20, sizeof(first));
	memset(&last, folded.p[folded.n - 1] | 0x20, sizeof(last));
	for (; at + folded.n + 15 <= s.n; at += 16) {
		memcpy(&a, s.p + at, sizeof(a));
		memcpy(&b, s.p + at + folded.n - 1, sizeof(b));
		a = (bytes16)((a | 0x20) == first) & (bytes16)((b | 0x20) == last);
		if (!any(a))
			continue;
		for (i = 0; i < 16; i++)
			if (a[i] != 0 && equal_at(s.p + at + i, folded))
				return at + i;
	}
	for (; at + folded.n <= s.n; at++)
		if (equal_at(s.p + at, folded))
			return at;
	return SIZE_MAX;
}

struct str
nocase_literal(struct str folded)
{
	struct str best = STR_NONE;
	size_t i, start = 0;

	for (i = 0; i <= folded.n; i++) {
		if (i < folded.n && folded.p[i] < 0x80 && folded.p[i] != 'k' && folded.p[i] != 'i')
			continue;
		if (i - start > best.n)
			best = str_sub(folded, start, i);
		start = i + 1;
	}
	return best;
}
