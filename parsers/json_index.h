/*
 * parsers/json_index.h - where strings can end.
 * One job: one bit for each byte of a line that is '"', '\\' or a control.
 * Floor: 2 (uses base).
 */
#pragma once

#include "base/cpu.h"
#include "base/str.h"

/**
 * A variant of the index: bits[JSON_INDEX_WORDS(n)] for p[n]; bit i is set iff p[i] is '"', '\\' or below
 * 0x20, and bit n, so that a search from any place up to n ends.
 */
typedef void (*json_index_fn)(const uint8_t *p, size_t n, uint64_t *bits);

#define JSON_INDEX_WORDS(n) ((n) / 64 + 1)

/* By level. */
extern const json_index_fn json_index_table[CPU_N_LEVELS];

/** json_index_best(): that of cpu_level(). */
json_index_fn json_index_best(void);
