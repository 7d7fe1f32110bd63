/*
 * logsql/letter_internal.h - characters of words.
 * One job: what of Unicode is part of a word, is blank, or has a lower case.
 * Floor: 2 (uses base).
 */
#pragma once

#include "base/str.h"

struct buf;

struct letter_range {
	uint32_t first, last;
};

/* Every ${step}-th code point of first..last has its lower case ${delta} further. */
struct letter_case {
	uint32_t first, last;
	int32_t step, delta;
};

/* Sorted, disjoint; beyond ASCII only. */
extern const struct letter_range letter_ranges[];
extern const size_t letter_n_ranges;
extern const struct letter_case letter_cases[];
extern const size_t letter_n_cases;

/** letter_is_word(c): a letter, a decimal digit or '_'. */
bool letter_is_word(uint32_t c);

/** letter_is_blank(c): white space, as Unicode has it. */
bool letter_is_blank(uint32_t c);

/** letter_lower(c): the simple lower case. */
uint32_t letter_lower(uint32_t c);

/** letter_upper(c): a capital whose lower case is c, or c; slow. */
uint32_t letter_upper(uint32_t c);

/** letter_word_at(s, at): the character that begins at s[at] is part of a word; bytes that are no UTF-8 are. */
bool letter_word_at(struct str s, size_t at);

/** letter_word_before(s, at): the same of the character that ends before s[at]; at is above 0. */
bool letter_word_before(struct str s, size_t at);

/** letter_lower_str(out, s): append s in lower case; bytes that are no UTF-8 stay. */
void letter_lower_str(struct buf *out, struct str s);
