/*
 * query/match.h - a filter on many rows at once.
 * One job: walk the tree of a filter over a bitmap of rows, reading as little as it can.
 * Floor: 3 (uses logsql, record, base).
 */
#pragma once

#include <stdatomic.h>

#include "logsql/filter.h"
#include "query/batch.h"

enum match_known { MATCH_UNKNOWN, MATCH_EVERY, MATCH_NO };

/* Rows to be matched: n of them, all of one block or batch. */
struct match_rows {
	size_t n;
	/* Column ${name} of rows[0..n_rows) ascending, or of all when rows is NULL. */
	int (*column)(void *ctx, struct str name, const uint32_t *rows, size_t n_rows,
	    struct arena *arena, struct column *ret);
	/* What is known of a leaf without reading the column.  May be NULL. */
	int (*known)(void *ctx, const struct filter *leaf, enum match_known *ret);
	/* Clear the bits of rows with none of the literals.  1: not here, read the column instead.  May be NULL. */
	int (*contains)(void *ctx, struct str name, const struct literals *l, uint64_t *sel);
	/* Clear the bits of rows that do not have the value.  1: not here, as above.  May be NULL. */
	int (*equals)(void *ctx, struct str name, struct str value, struct arena *arena,
	    uint64_t *sel);
	/* Set the bits of rows that surely have the literal as a word, or at a word's start.  1: as above.  May be NULL. */
	int (*word)(void *ctx, struct str name, const struct literals *l, bool is_prefix,
	    uint64_t *found);
	/* Clear the bits of rows with no address of an IPv4 range.  1: not here, as above.  May be NULL. */
	int (*ipv4)(void *ctx, const struct filter *leaf, uint64_t *sel);
	void *ctx;
	const atomic_bool *stop; /* -ECANCELED soon after it is set; may be NULL */
};

/**
 * match_filter(f, m, arena, sel):
 * Clear the bits of sel[m->n] whose row does not match ${f}.  The children of an AND are asked in their order
 * and only for rows that are left; those of an OR only for rows that no child before took.
 *
 * Errors: -ECANCELED, -ENOMEM, what m->column gives below 0.
 */
int match_filter(const struct filter *f, const struct match_rows *m, struct arena *arena,
    uint64_t *sel);

/** match_batch(f, b, stop, sel): the same for the rows of a batch. */
int match_batch(const struct filter *f, struct batch *b, const atomic_bool *stop, uint64_t *sel);
