/*
 * store/tmpl_bits.h - where tokens and digits stand.
 * One job: two bits a byte, by level of CPU.
 * Floor: 2 (uses base).
 */
#pragma once

#include "base/cpu.h"
#include "base/str.h"

/**
 * A variant: bit i of ${token} is set iff p[i] is in [A-Za-z0-9._-], of ${digit} iff it is in [0-9].
 *
 * Shapes: p[n]; token and digit BITS_WORDS(n) words, whose bits beyond n are 0.
 */
typedef void (*tmpl_bits_fn)(const uint8_t *p, size_t n, uint64_t *token, uint64_t *digit);

/* By level. */
extern const tmpl_bits_fn tmpl_bits_table[CPU_N_LEVELS];
