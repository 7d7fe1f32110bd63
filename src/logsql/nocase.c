/*
 * logsql/nocase.c - searching in any case.
 * One job: say which part of a text can be looked for as ASCII.
 * Floor: 2 (uses record, base).
 */
#include "logsql/filter_internal.h"

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
