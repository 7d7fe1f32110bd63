/*
 * lib/held.h - rows held back.
 * One job: keep rows until their columns are known, in bounded memory.
 * Floor: 4 (uses query, record, base).
 *
 * Up to HELD_MEMORY bytes stay in memory, the rest goes to a file without a name.
 */
#pragma once

#include "base/map.h"
#include "query/batch.h"

enum { HELD_MEMORY = 64 << 20 };

struct held;

int held_new(struct held **ret);
struct held *held_free(struct held *h);
DEFINE_AUTO(struct held *, held_free)

/** held_put(h, names, values, n, row): keep row ${row} of ${n} columns; empty cells are not kept. */
int held_put(struct held *h, const struct str *names, const struct str *const *values, size_t n,
    size_t row);

/** held_names(h): every name so far; entry i has the number i. */
const struct map *held_names(const struct held *h);

/**
 * held_walk(h, fn, ctx):
 * Each row in the order it came: cells[i] is the value of name i, empty where it has none.
 *
 * Shapes: cells[held_names(h)->n]; borrowed during the call.
 */
typedef int (*held_fn)(void *ctx, const struct str *cells);
int held_walk(struct held *h, held_fn fn, void *ctx);
