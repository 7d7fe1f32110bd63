/*
 * store/skeletons.h - the known forms of messages.
 * One job: remember which skeletons were seen and when first, longer than any segment.
 * Floor: 2 (uses base).
 *
 * Beyond SKELETONS_MAX new ones are not remembered: the list says full, and nothing else changes.
 */
#pragma once

#include "base/wall.h"

enum { SKELETONS_MAX = 1 << 20 };

struct skeletons;

/** skeletons_open(ret, path): those of the store in folder ${path}; damaged entries are left out. */
int skeletons_open(struct skeletons **ret, const char *path);
struct skeletons *skeletons_close(struct skeletons *k);
DEFINE_AUTO(struct skeletons *, skeletons_close)

/** skeletons_find(k, hash, ret_first): whether it is known, and since when. */
bool skeletons_find(const struct skeletons *k, uint64_t hash, struct wall *ret_first);

/** skeletons_add(k, hash, first): remember one that is not known; durable with the next save.  SKELETONS_E_FULL. */
enum { SKELETONS_E_FULL = 1 };
int skeletons_add(struct skeletons *k, uint64_t hash, struct wall first);

/** skeletons_save(k): append what is new, and sync. */
int skeletons_save(struct skeletons *k);
size_t skeletons_count(const struct skeletons *k);
