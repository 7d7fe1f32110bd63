/*
 * query/pipe_rows_kept.h - rows that a stage keeps.
 * One job: whole rows out of batches, each in memory of its own, until they are handed on.
 * Floor: 3 (uses logsql, record, base).
 */
#pragma once

#include "base/map.h"
#include "query/pipe_needs.h"

/*
 * A row: its values, by the numbers of their names, and all their bytes, in one piece of memory.
 * Invariants: fields are those that are not empty, in the order of the batch.
 */
struct kept_row {
	size_t n_bytes; /* of the whole piece */
	uint64_t order; /* of arrival, or of coming in */
	uint64_t seq; /* of coming in; rows that were made of one row share its order and worker */
	size_t n_keys;
	size_t n_fields;
	struct kept_key *keys;
	struct kept_field *fields;
};

/* In the order that values have (logsql/value.h). */
enum kept_kind { KEPT_EMPTY, KEPT_INT, KEPT_FLOAT, KEPT_TIME, KEPT_TEXT };

struct kept_key {
	enum kept_kind kind; /* how text reads as a value */
	union {
		int64_t v; /* INT, TIME */
		double f;  /* FLOAT */
	};
	struct str text;
};

struct kept_field {
	uint32_t name; /* number in kept_names */
	struct str value;
};

/* The columns of a batch that are kept, ready to be read row by row. */
struct kept_source {
	struct batch *b;
	uint32_t *names; /* numbers of their names */
	const struct column **cols;
	size_t n;
	const struct column **keys;
	size_t n_keys;
};

/** kept_source_init(s, b, needs, names, keys, n_keys): all columns of ${b} that ${needs} has;
 * names are numbered in ${names}. */
int kept_source_init(struct kept_source *s, struct batch *b, const struct needs *needs,
    struct map *names, const struct sort_key *keys, size_t n_keys);

/** kept_keys(s, row, keys, scratch): the sort keys of a row, borrowed from the batch or
 * scratch[n_keys]. */
void kept_keys(const struct kept_source *s, size_t row, struct kept_key *keys,
    char (*scratch)[COLUMN_SCRATCH]);

/** kept_row_new(s, row, keys, ret): a copy of the row; free() it. */
int kept_row_new(const struct kept_source *s, size_t row, const struct kept_key *keys,
    struct kept_row **ret);

/** kept_compare(keys, n, desc, a, b): the order of the two by their keys. */
int kept_compare(const struct sort_key *keys, size_t n, bool desc, const struct kept_key *a,
    const struct kept_key *b);

/*
 * The columns that kept rows come out in: names as the rows, in the order in which they are seen, first have them, so that
 * it does not matter which worker met a name first.
 */
struct kept_columns {
	struct str *names;
	size_t n;
	uint32_t *columns; /* the column of each of the numbered names; UINT32_MAX: not seen */
};

/** kept_columns_init(c, names, n_more, arena): none yet, of the numbered ${names}; with room for ${n_more} others. */
int kept_columns_init(struct kept_columns *c, const struct map *names, size_t n_more,
    struct arena *arena);

/** kept_columns_name(c, names, name): the column of a name that the rows may have, too. */
uint32_t kept_columns_name(struct kept_columns *c, const struct map *names, struct str name);

/** kept_columns_see(c, names, row): columns for the names of the row. */
void kept_columns_see(struct kept_columns *c, const struct map *names, const struct kept_row *row);

/** kept_put(out, names, columns, row): all fields of the row; ${columns} has the number of the
 * column of each name. */
void kept_put(struct rows_out *out, const uint32_t *columns, const struct kept_row *row);
