/*
 * record/forms.h - which forms messages have.
 * One job: numbers for skeletons, so that rows of one form are known by a small number.
 * Floor: 1 (uses base).
 */
#pragma once

#include "base/map.h"
#include "record/column.h"

/* The skeletons met so far: entry i of numbers is that of number i. */
struct forms {
	struct map numbers;
	struct buf text; /* being made */
};
#define FORMS_INIT        \
	{                 \
		MAP_INIT, \
		{         \
			0 \
		}         \
	}
void forms_fini(struct forms *f);

/** forms_number(f, msg, ret): the number of the skeleton of ${msg}; a new one when it was not met before. */
int forms_number(struct forms *f, struct str msg, uint32_t *ret);

/** forms_column(f, codes, n_rows, arena, ret): a COLUMN_DICT of the skeletons, row i having number codes[i]; ${codes} stay
 * where they are, the rest is in ${arena}. */
int forms_column(const struct forms *f, const uint32_t *codes, size_t n_rows, struct arena *arena,
    struct column *ret);

/** forms_of_column(c, arena, ret): the skeletons of the values of ${c} as a COLUMN_CONST or COLUMN_DICT; a constant and each value of a
 * dictionary are looked at once. */
int forms_of_column(const struct column *c, struct arena *arena, struct column *ret);
