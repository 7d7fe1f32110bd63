/*
 * cli/place.h - where the store is.
 * One job: the folder that a command means, and why it cannot be read.
 * Floor: 6 (uses base).
 */
#pragma once

#include "cli/options.h"

/** place_store(opt, out): the path: --store, $WEIR_STORE, /var/lib/weir if it exists, the user's state folder.
 * NULL without memory.  Borrowed from ${out}. */
const char *place_store(const struct options *opt, struct buf *out);

/** place_check(path): 0 when it is a folder that can be read; else 3, having said which folder or group. */
int place_check(const char *path);
