/*
 * query/pipe_group.h - rows by the values of some fields.
 * One job: the number of the group that each row of a batch belongs to.
 * Floor: 3 (uses logsql, record, base).
 *
 * The key of a group is the value itself when one field is grouped by, else all values one after
 * the other (key_put). Where columns are constants or dictionaries a key is hashed once for each
 * combination in a batch.
 */
#pragma once

#include "base/map.h"
#include "query/pipe_stage.h"

/*
 * Which group an integer of one scale is, so that its text is made and hashed once only.
 * Invariants: cap is 0 or a power of two, n < cap / 2; groups[i] == UINT32_MAX: the place is free.
 */
struct group_ints {
	int64_t *keys;
	uint32_t *groups;
	size_t n, cap;
	unsigned scale;
};

/* The groups that one worker has met: entry i of keys is group i. */
struct group_part {
	const struct str *names;   /* borrowed */
	const struct stats_by *by; /* or: fields with buckets */
	size_t n;
	struct map keys;
	struct buf key; /* being made */
	uint64_t charged;
	struct group_ints ints;
};

void group_part_init(struct group_part *g, const struct str *names, size_t n);
void group_part_init_by(struct group_part *g, const struct stats_by *by, size_t n);
void group_part_fini(struct group_part *g);

/** group_rows(g, env, who, b, ret): the group of each row of ${b}, in the batch's arena; new ones
 * are made, and
 * charged to pipe ${who}. */
int group_rows(struct group_part *g, struct query_env *env, const char *who, struct batch *b,
    const uint32_t **ret);

/* Groups and how many rows of a batch each of them has; a group may be named more than once. */
struct group_counted {
	struct group_count {
		uint32_t group, n_rows;
	} * counts;
	size_t n;
};

/**
 * group_counts(g, env, who, b, ret):
 * How many rows of ${b} each group has, where that needs no look at the values of each row.
 *
 * Errors: GROUP_E_ROWS: it does; nothing was done.
 */
enum { GROUP_E_ROWS = 1 };
int group_counts(struct group_part *g, struct query_env *env, const char *who, struct batch *b,
    struct group_counted *ret);

/*
 * The group of each row as that of its code.
 * Invariants: codes[row] < n; codes is NULL where all are 0; groups[code] holds where counts[code] is not 0.
 */
struct group_coded {
	const uint32_t *codes;
	uint32_t *groups;
	const uint32_t *counts; /* rows of ${b} that have the code */
	size_t n;
};

/** group_codes(g, env, who, b, ret): the groups of the rows of ${b} by one field that has codes, or by none.  GROUP_E_ROWS, as
 * above. */
int group_codes(struct group_part *g, struct query_env *env, const char *who, struct batch *b,
    struct group_coded *ret);

/** bucket_put(out, by, s): the bucket that value ${s} falls into.  bucket_time(by, ns): the same of a time; never falls
 * as ns rises. */
void bucket_put(struct buf *out, const struct stats_by *by, struct str s);
int64_t bucket_time(const struct stats_by *by, int64_t ns);

/** bucket_range(by, ns, ret_first, ret_last): times about ${ns}, itself among them, that all have its bucket: all of the
 * bucket's, but near the ends of time. */
void bucket_range(const struct stats_by *by, int64_t ns, int64_t *ret_first, int64_t *ret_last);
