/*
 * record/column.h - one field of many rows.
 * One job: the decoded form of a column that the store gives, filters test and pipes read.
 * Floor: 1 (uses base).
 *
 * Row i's value, in each kind, is bytes; absent and empty are the same.
 */
#pragma once

#include "base/arena.h"
#include "base/bits.h"
#include "base/wall.h"

enum column_kind {
	COLUMN_CONST, /* every row has .value */
	COLUMN_DICT,  /* row i has dict[codes[i]]; the empty value, if any, is one of dict */
	COLUMN_INT, /* row i has ints[i] in decimal with .scale digits after the point, if present */
	COLUMN_TIME, /* row i has ints[i] ns as RFC 3339 UTC (wall_format); all present */
	COLUMN_TEXT, /* row i has bytes[offs[i] .. offs[i+1]) : one run of memory, to be searched whole */
	COLUMN_STRS, /* row i has strs[i] */
};

/*
 * Invariants: codes[i] < n_dict; dict values are distinct; offs[0] <= … <= offs[n_rows]; present is NULL
 * when all rows have a value.  All memory belongs to the arena that made it, or to the block.
 * COLUMN_INT's text form is canonical: no leading zeros, no "-0", exactly .scale digits after the point,
 * and a value whose text is any other is never put into such a column.
 */
struct column {
	struct str name;
	enum column_kind kind;
	size_t n_rows;

	struct str value; /* CONST */

	const struct str *dict; /* DICT */
	size_t n_dict;
	const uint32_t *codes; /* DICT: n_rows of them */

	const int64_t *ints;     /* INT, TIME */
	const uint64_t *present; /* INT: bitmap or NULL */
	unsigned scale;          /* INT: 0 to 18 */

	const uint8_t *bytes; /* TEXT */
	const uint32_t *offs; /* TEXT: n_rows + 1 of them */

	const struct str *strs; /* STRS */
};

/* The longest text that column_value makes for an INT or TIME row. */
enum { COLUMN_SCRATCH = 48 };

/**
 * column_value(c, row, scratch):
 * The bytes of row ${row}; borrowed from the column, or written to scratch[COLUMN_SCRATCH].
 */
struct str column_value(const struct column *c, size_t row, char scratch[COLUMN_SCRATCH]);

/**
 * column_strs(c, arena, ret):
 * All values as an array of n_rows strs, made in ${arena} where they are not there already.
 */
int column_strs(const struct column *c, struct arena *arena, const struct str **ret);

/**
 * column_gather(c, rows, n, arena, ret):
 * The column of the rows rows[0..n), in that order: the same kind where it can be, sharing dict, and
 * STRS for TEXT.
 */
int column_gather(const struct column *c, const uint32_t *rows, size_t n, struct arena *arena,
    struct column *ret);

/** column_const(name, value, n_rows): a COLUMN_CONST. */
struct column column_const(struct str name, struct str value, size_t n_rows);

/** column_format_int(out, v, scale): the canonical text; returns bytes. */
size_t column_format_int(char out[COLUMN_SCRATCH], int64_t v, unsigned scale);

/**
 * column_parse_int(s, ret_v, ret_scale):
 * Whether ${s} is the canonical text of an int64 with at most 18 digits after the point.
 */
bool column_parse_int(struct str s, int64_t *ret_v, unsigned *ret_scale);
