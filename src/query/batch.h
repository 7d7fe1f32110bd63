/*
 * query/batch.h - rows on their way through the pipes.
 * One job: a set of rows whose columns are decoded when somebody asks for them.
 * Floor: 3 (uses store, parsers, logsql, record, base).
 *
 * A batch holds only rows that are still wanted (filters narrow it).  Columns come from three
 * places: set by a pipe, loaded before, or still with the source (a block of the store), which
 * loads them for just these rows. A batch belongs to one worker at a time; its memory goes when the
 * worker clears it.
 */
#pragma once

#include "record/column.h"

/* Where columns that nobody has asked for yet come from. */
struct batch_source {
	/*
	 * Rows rows[0..n) of the source, ascending (NULL: all), as a column of n rows in ${arena}.
	 */
	int (*load)(void *ctx, struct str name, const uint32_t *rows, size_t n, struct arena *arena,
	    struct column *ret);
	/* The same of the forms of its values (record/forms.h), where that is less work than the values; may be NULL. */
	int (*forms)(void *ctx, struct str name, const uint32_t *rows, size_t n,
	    struct arena *arena, struct column *ret);
	/* Names of all columns of the source, in its order; valid as long as the source. */
	int (*names)(void *ctx, const struct str **ret, size_t *ret_n);
	void *ctx;
};

struct batch_column {
	struct str name; /* as the user sees it */
	struct str from; /* name at the source; .p NULL: a pipe made it */
	bool loaded;
	bool asked;               /* loaded by name alone: listed only when the source lists it */
	struct column col;        /* when loaded: n_rows rows */
	struct column *shown;     /* the copy of col that batch_column gave away; NULL: none yet */
	const struct str *values; /* what batch_strs gave away; NULL: none yet */
};

/*
 * Invariants: names in cols are unique; a loaded column has n_rows rows; rows is NULL when the
 * batch holds all
 * rows of the source, else n_rows ascending row numbers of it.  When "closed" is false, the source
 * may have columns that
 * are not in cols (they appear when asked for by name or when all names are asked for).
 */
struct batch {
	size_t n_rows;
	const uint32_t *rows;
	struct batch_source source; /* load == NULL: no source, all columns are here */
	const uint64_t
	    *n_loaded; /* bytes that the source has read for it so far; NULL: not known */
	struct batch_column *cols;
	size_t n_cols, cap_cols;
	uint32_t *slots;  /* of many columns, by name: 0, or 1 + a number below n_indexed */
	size_t n_slots;   /* a power of two */
	size_t n_indexed; /* cols before it are in slots; 0 again when one moves */
	bool closed;
	int64_t
	    first_arrival; /* arrival number of the source's row 0: the tie-break of equal times */
	const uint64_t *
	    arrivals; /* the same of each of the source's rows, where they are no run; NULL: they are */
	bool listed;        /* all names of the source are in cols */
	struct str *hidden; /* names of the source that were dropped or renamed */
	size_t n_hidden, cap_hidden;
	struct arena arena;
	int err; /* first failure of a load, for whoever checks */
};
#define BATCH_INIT \
	{          \
		0  \
	}

/**
 * batch_order(b, row, first):
 * Where the row stands in the order of arrival: by the source's own number, else ${first}, that of the batch's row 0, on.
 */
static inline uint64_t
batch_order(const struct batch *b, size_t row, uint64_t first)
{
	size_t at = b->rows != NULL ? b->rows[row] : row;

	if (b->arrivals != NULL)
		return b->arrivals[at];
	return b->source.load != NULL ? (uint64_t)b->first_arrival + at : first + row;
}

/** batch_is_numbered(b): whether batch_order tells its rows' own places. */
static inline bool
batch_is_numbered(const struct batch *b)
{
	return b->arrivals != NULL || b->source.load != NULL;
}

/** batch_reset(b, n_rows): empty it, keep memory. batch_fini(b): free all; may run twice. */
void batch_reset(struct batch *b, size_t n_rows);
void batch_fini(struct batch *b);

/** batch_may_load(b, name): whether a column that is not in cols can still come from the source. */
bool batch_may_load(const struct batch *b, struct str name);

/** batch_column(b, name): the column, loaded; one of "" when there is none.  NULL without memory or
 * when the source
 * failed (b->err says). Borrowed until the batch is reset or the column replaced. */
const struct column *batch_column(struct batch *b, struct str name);

/** batch_strs(b, name): its values as n_rows strs; NULL as above. */
const struct str *batch_strs(struct batch *b, struct str name);

/** batch_from(b, name, ret, ret_loaded): whether the column is the source's own; its name there, and whether it is here already. */
bool batch_from(struct batch *b, struct str name, struct str *ret, bool *ret_loaded);

/** batch_forms(b, name, ret): the forms of its values (record/forms.h), a COLUMN_CONST or COLUMN_DICT in the batch's arena. */
int batch_forms(struct batch *b, struct str name, struct column *ret);

/** batch_some(b, name, rows, n, ret): its values in the batch's rows rows[0..n), ascending; the others are not made. */
int batch_some(struct batch *b, struct str name, const uint32_t *rows, size_t n,
    const struct str **ret);

/** batch_names(b, ret, ret_n): names of all columns, loaded or not; borrowed until the next
 * change. */
int batch_names(struct batch *b, const struct str **ret, size_t *ret_n);

/** batch_set(b, col): add a column or replace the one of that name; its memory is the batch
 * arena's or outlives it. */
int batch_set(struct batch *b, const struct column *col);
/** batch_set_strs(b, name, strs): the same for n_rows strs. */
int batch_set_strs(struct batch *b, struct str name, const struct str *strs);

/** batch_rename(b, from, to), batch_copy(b, from, to), batch_drop(b, name): nothing is decoded. */
int batch_rename(struct batch *b, struct str from, struct str to);
int batch_copy(struct batch *b, struct str from, struct str to);
int batch_drop(struct batch *b, struct str name);
/** batch_keep(b, names, n): only these columns stay, in this order; a name may be a prefix with
 * '*' at its end. */
int batch_keep(struct batch *b, const struct str *names, size_t n);

/** batch_select(b, sel): only the rows whose bit is set stay.  batch_slice(b, from, n): only
 * those. */
int batch_select(struct batch *b, const uint64_t *sel);
int batch_slice(struct batch *b, size_t from, size_t n);
