/*
 * parsers/json_index.h - where strings can end.
 * One job: one bit for each byte of a line that is '"', '\\' or a control.
 * Floor: 2 (uses base).
 */
#pragma once

#include "base/str.h"

/**
 * A variant of the index: bits[JSON_INDEX_WORDS(n)] for p[n]; bit i is set iff p[i] is '"', '\\' or below
 * 0x20, and bit n, so that a search from any place up to n ends.
 */
typedef void (*json_index_fn)(const uint8_t *p, size_t n, uint64_t *bits);

#define JSON_INDEX_WORDS(n) ((n) / 64 + 1)

/* All variants compiled in; which of them the CPU has, json_index_usable says. */
struct json_index_variant {
	const char *name; /* portable, sse2, avx2, avx512 */
	json_index_fn fn;
};
extern const struct json_index_variant json_index_variants[];
extern const size_t json_index_n_variants;

/** json_index_usable(i): whether this CPU runs variant ${i}. */
bool json_index_usable(size_t i);

/** json_index_best(): the fastest usable one, or the usable one that WEIR_CPU names. */
json_index_fn json_index_best(void);
