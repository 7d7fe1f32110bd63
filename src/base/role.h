/*
 * base/role.h - a part of the program as a process of its own.
 * One job: start it on a socket pair, and wait for its end.
 * Floor: 0.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"

enum { ROLE_FD = 3, ROLE_PATIENCE_MS = 500 };

/**
 * role_start(argv, run, ret_pid, ret_fd):
 * A child with nothing of ours open but its end of a socket pair, as descriptor ROLE_FD, and signals as they were at first: it
 * executes ${argv}, or without one ends with what ${run} returns.  ${ret_fd}: our end, not blocking.
 *
 * Errors: -errno.  What the child cannot do shows as the end of its socket.
 */
int role_start(const char *const *argv, int (*run)(int fd), pid_t *ret_pid, int *ret_fd);

enum { ROLE_E_UNKNOWN = 1 };

/**
 * role_end(pid, hurry, ret_status):
 * Wait for its end, which is hurried after ROLE_PATIENCE_MS; ${hurry}: at once.  ${ret_status} as waitpid gives it.
 *
 * Errors: ROLE_E_UNKNOWN (somebody else waited for it: nothing is known).
 */
int role_end(pid_t pid, bool hurry, int *ret_status);

/** role_end_text(status, out): "exit code 3", "SIGBUS". */
void role_end_text(int status, struct buf *out);
