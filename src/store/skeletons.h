/*
 * store/skeletons.h - the known forms of messages.
 * One job: remember which skeletons (record/skeleton.h) were seen and when, longer than any segment.
 * Floor: 2 (uses base).
 *
 * The store's writer sees the skeletons of `_msg` of each block that it commits, at the time of the commit, and saves
 * them with its upkeep: after a crash those of the last seconds may be missing.  Of a block at most SKELETONS_BLOCK_MAX
 * are seen, fewer where its messages have nothing in common.  Beyond SKELETONS_MAX those that were not seen for longest
 * are forgotten.
 */
#pragma once

#include "base/wall.h"

enum {
	SKELETONS_MAX = 1 << 18,
	SKELETONS_BLOCK_MAX = 4096, /* of a block with templates */
	SKELETONS_TEXT_MAX = 1024,  /* of any other block */
};

/* A form that was away for this long and came back is told from one that was there all the time. */
#define SKELETONS_AWAY ((struct span){ NS_PER_DAY })

/* Invariant: first <= before <= again <= last, where again is not 0. */
struct skeleton_seen {
	uint64_t hash;      /* skeleton_hash of the message */
	struct wall first;  /* of all times */
	struct wall last;   /* exact to an hour after a restart */
	struct wall again;  /* when it last came back after SKELETONS_AWAY or more; 0: never */
	struct wall before; /* when it was seen before that */
};

struct skeletons;

/** skeletons_open(ret, path): those of the store in folder ${path}, for reading and writing; none are there yet, or
 * damaged entries are left out. */
int skeletons_open(struct skeletons **ret, const char *path);
struct skeletons *skeletons_close(struct skeletons *k);
DEFINE_AUTO(struct skeletons *, skeletons_close)

/** skeletons_find(k, hash, ret_first), skeletons_get(k, hash, ret): whether it is known, and since when, or all of that. */
bool skeletons_find(const struct skeletons *k, uint64_t hash, struct wall *ret_first);
bool skeletons_get(const struct skeletons *k, uint64_t hash, struct skeleton_seen *ret);

/** skeletons_each(k, fn, ctx): all of them, in no order; ends with the first answer that is not 0, and gives it. */
typedef int (*skeletons_fn)(void *ctx, const struct skeleton_seen *seen);
int skeletons_each(const struct skeletons *k, skeletons_fn fn, void *ctx);
size_t skeletons_count(const struct skeletons *k);

/**
 * skeleton_is_new(seen, since, quiet):
 * Whether the form came up at or after ${since} without having been seen for ${quiet} before (at least SKELETONS_AWAY), or
 * ever.
 */
bool skeleton_is_new(const struct skeleton_seen *seen, struct wall since, struct span quiet);

/** skeletons_see(k, hash, now): it was seen; others see it after the next write. */
int skeletons_see(struct skeletons *k, uint64_t hash, struct wall now);

/** skeletons_write(k), skeletons_save(k): append what is new, or write the file anew when most of it is old, so that
 * others see it; save syncs, too. */
int skeletons_write(struct skeletons *k);
int skeletons_save(struct skeletons *k);
