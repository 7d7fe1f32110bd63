/*
 * store/lock.h - one writer.
 * One job: see to it that one process writes, and say who does.
 * Floor: 2 (uses base).  Room-internal.
 */
#pragma once

#include "base/buf.h"

enum { LOCK_E_HELD = 1 };

/** lock_take(dir_fd, ret_fd, ret_holder): the lock is held as long as ${ret_fd} is open; else its holder in words. */
int lock_take(int dir_fd, mode_t mode, int *ret_fd, struct buf *ret_holder);
