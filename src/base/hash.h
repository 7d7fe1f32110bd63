/*
 * base/hash.h - hashes and checksums.
 * One job: XXH3 under one name, so that no other room includes its header.
 * Floor: 0.
 */
#pragma once

#include "base/str.h"

/** hash64(s): XXH3-64 with seed 0; stable, used on disk. */
uint64_t hash64(struct str s);

/** hash64_seed(s, seed): XXH3-64 with a seed; stable, used to chain frames. */
uint64_t hash64_seed(struct str s, uint64_t seed);

/** hash64_classic(s): XXH64 with seed 0, for values that other programs compute as well. */
uint64_t hash64_classic(struct str s);

/** hash32(s): the low half of hash64; the checksum of frames and chunks. */
static inline uint32_t
hash32(struct str s)
{
	return (uint32_t)hash64(s);
}

/**
 * hash_sort(v, n):
 * Ascending, in about the time that it takes to go over them a few times: hashes are spread evenly between the least and the
 * greatest, so that in as many parts of equal width as there are of them hardly any has more than a few.  Numbers that are not
 * spread so are sorted as well, more slowly.
 */
void hash_sort(uint64_t *v, size_t n);
