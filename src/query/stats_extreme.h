/*
 * query/stats_extreme.h - what the files of min and max share.
 * One job: the least or greatest value of each group, of numbers and times without their texts.
 * Floor: 3 (uses logsql, record, base).
 */
#pragma once

#include "query/stats_state.h"

/** extreme_offer(f, sb, s, v): value ${v} to state ${s}, which keeps it where it is better than the one before. */
int extreme_offer(const struct stats_func *f, struct stats_batch *sb, struct stats_state *s,
    struct str v);

/**
 * extreme_add_ints(f, c, named, sb):
 * The rows of ${sb} by a column of integers or times: one text a group and batch is made.  ${named}: absent ones are values too.
 * 1: the groups are too many for that, or the order of the numbers may not be that of their texts; nothing was added.
 */
int extreme_add_ints(const struct stats_func *f, const struct column *c, bool named,
    struct stats_batch *sb);

/** extreme_add_coded(f, sb): the batch by the codes of its rows, without their groups; of a whole block of one group no time is
 * read.  1: as above. */
int extreme_add_coded(const struct stats_func *f, struct stats_batch *sb);
