/*
 * query/scan_internal.h - what the scan's files share.
 * One job: a column of a hit's block, whatever its name and state.
 * Floor: 3 (uses store, record, base).
 */
#pragma once

#include "query/match.h"
#include "query/scan.h"

/** scan_hit_column(h, name, rows, n, arena, ret): as block_column, and the names that the engine makes itself
 * (_stream_id, the line).  A damaged column is reported and has no values. */
int scan_hit_column(struct scan_hit *h, struct str name, const uint32_t *rows, size_t n,
    struct arena *arena, struct column *ret);

/** scan_fault(h, r): count and tell that the column asked for last could not be read, as ${r} says. */
void scan_fault(struct scan_hit *h, int r);

/** scan_hit_known, scan_hit_contains, scan_hit_equals, scan_hit_word, scan_hit_ipv4: what match.h asks of a block; ${ctx} is a struct scan_hit. */
int scan_hit_known(void *ctx, const struct filter *leaf, enum match_known *ret);
int scan_hit_contains(void *ctx, struct str name, const struct literals *l, uint64_t *sel);
int scan_hit_equals(void *ctx, struct str name, struct str value, struct arena *arena,
    uint64_t *sel);
int scan_hit_word(void *ctx, struct str name, const struct literals *l, bool is_prefix,
    uint64_t *found);
int scan_hit_ipv4(void *ctx, const struct filter *leaf, uint64_t *sel);

/** scan_hide_weir(h, arena, sel): rows of weir's own streams out of sel. */
int scan_hide_weir(struct scan_hit *h, struct arena *arena, uint64_t *sel);
