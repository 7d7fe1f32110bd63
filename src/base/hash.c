/*
 * base/hash.c - hashes and checksums.
 * One job: XXH3 under one name, so that no other room includes its header.
 * Floor: 0.
 */
#include "base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t
hash64(struct str s)
{
	return XXH3_64bits(s.p, s.n);
}

uint64_t
hash64_seed(struct str s, uint64_t seed)
{
	return XXH3_64bits_withSeed(s.p, s.n, seed);
}

uint64_t
hash64_classic(struct str s)
{
	return XXH64(s.p, s.n, 0);
}
