/*
 * query/scan_internal.h - what the scan's files share.
 * One job: a column of a hit's block, whatever its name and state.
 * Floor: 3 (uses store, record, base).
 */
#pragma once

#include "query/scan.h"

/** scan_hit_column(h, name, rows, n, arena, ret): as block_column, and the names that the engine makes itself
 * (_stream_id, the line).  A damaged column is reported and has no values. */
int scan_hit_column(struct scan_hit *h, struct str name, const uint32_t *rows, size_t n,
    struct arena *arena, struct column *ret);

/** scan_fault(h, r): count and tell that the column asked for last could not be read, as ${r} says. */
void scan_fault(struct scan_hit *h, int r);
