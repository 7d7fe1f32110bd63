/*
 * query/stats_partial.h - partial results of stats as bytes.
 * One job: groups with their states, small, and merged as often as wanted.
 * Floor: 3 (uses logsql, record, base).
 *
 * Bytes are entries with ascending group numbers: the step from the group before (varint), then, where all functions
 * count, a varint each; else the length of what follows and each function's state.  Ten groups of one count take some
 * forty bytes.  They are of this process alone: nothing is kept of them on disk.
 */
#pragma once

#include "query/stats_state.h"

/*
 * The functions of one stats.
 * Invariants: funcs is borrowed, its steps are set; counts is whether each state is a count and no more.
 */
struct partial {
	const struct stats_func *funcs;
	size_t n;
	bool counts;
};

/** partial_init(p, funcs, n): p for these functions. */
void partial_init(struct partial *p, const struct stats_func *funcs, size_t n);

/**
 * partial_add(p, env, b, groups, n_groups, first, ret):
 * States of n_groups groups fed with the rows of ${b}, row i into groups[i]; partial_fini frees them.  ${first} is the
 * number of the first row where the source does not number them.
 */
int partial_add(const struct partial *p, struct query_env *env, struct batch *b,
    const uint32_t *groups, size_t n_groups, uint64_t first, struct stats_state **ret);
struct stats_state *partial_free(const struct partial *p, struct stats_state *states,
    size_t n_groups);

/** partial_save(p, states, ids, n, out): append the bytes of n groups whose numbers ids[n] ascend. */
int partial_save(const struct partial *p, struct stats_state *states, const uint32_t *ids, size_t n,
    struct buf *out);

/** partial_merge(p, a, b, out): append both as one.  Errors: -EPROTO when the bytes are none of ours. */
int partial_merge(const struct partial *p, struct str a, struct str b, struct buf *out);

/* One group after the other. */
struct partial_cursor {
	const struct partial *p;
	struct scan in;
	uint32_t group;
	struct str entry;
	bool first;
};

/** partial_open(p, bytes), partial_next(c): false at the end; c->in.bad when the bytes are none of ours. */
struct partial_cursor partial_open(const struct partial *p, struct str bytes);
bool partial_next(struct partial_cursor *c);

/** partial_put_entry(out, last, group, entry): append one; ${last} is the group before, UINT32_MAX at the beginning. */
void partial_put_entry(struct buf *out, uint32_t last, uint32_t group, struct str entry);

/** partial_show(p, entry, out, ends): append the results as texts; result k ends at ends[k] of what was appended.  An
 * empty entry is a group without rows. */
int partial_show(const struct partial *p, struct str entry, struct buf *out, size_t *ends);
