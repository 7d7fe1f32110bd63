/*
 * query/pipe_group_internal.h - what the pipe_group*.c share.
 * One job: one field of a batch as numbers of its different values.
 * Floor: 3 (uses logsql, record, base).
 */
#pragma once

#include "query/pipe_group.h"

/* One field of a batch as codes into the distinct values, or as plain values. */
struct part_column {
	const struct str *dict; /* NULL: too many different values for a dictionary */
	size_t n_dict;
	const uint32_t *codes;  /* NULL: all rows have code 0 */
	const uint32_t *counts; /* rows of each code; NULL: nobody has counted them */
	const struct str *values;
};

/** group_load(g, b, i, ret): field ${i} of those that are grouped by. */
int group_load(const struct group_part *g, struct batch *b, size_t i, struct part_column *ret);

/** group_count_times(g, b, i, ret): field ${i}, steps of time, with counts and without codes, from the bytes of its block;
 * 1: it is no such field, or its rows are not those of a block. */
int group_count_times(const struct group_part *g, struct batch *b, size_t i,
    struct part_column *ret);

/** group_bucket(g, i): its bucket, or NULL. */
static inline const struct stats_by *
group_bucket(const struct group_part *g, size_t i)
{
	return g->by != NULL && g->by[i].bucket != BUCKET_NONE ? &g->by[i] : NULL;
}

static inline struct str
group_field(const struct group_part *g, size_t i)
{
	return g->by != NULL ? g->by[i].name : g->names[i];
}

/** group_combinations(cols, n, n_rows): how many combinations of codes there can be; 0: a column has no codes, or a
 * table of them would cost more than ${n_rows} rows. */
size_t group_combinations(const struct part_column *cols, size_t n, size_t n_rows);

/** group_of_row(g, cols, row, ret), group_of_codes(g, cols, codes, ret): the group of a row by its values, or of one code
 * a column; found by its whole key. */
int group_of_row(struct group_part *g, const struct part_column *cols, size_t row, uint32_t *ret);
int group_of_codes(struct group_part *g, const struct part_column *cols, const uint32_t *codes,
    uint32_t *ret);

/** group_charge(g, env, who): account for what ${g} has grown by. */
int group_charge(struct group_part *g, struct query_env *env, const char *who);
