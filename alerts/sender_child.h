/*
 * alerts/sender_child.h - the send process, from outside.
 * One job: start it or connect to its unit, and end it.
 * Floor: 4 (uses base).
 */
#pragma once

#include <sys/types.h>

#include "alerts/sender_proto.h"

struct sender_child {
	pid_t pid; /* 0: of a unit of its own, or none */
	int fd;    /* our end of the socket, not blocking; -1: none */
};

/** sender_child_start(c, socket, secrets, program): connect to ${socket}, or run ${program} when it is NULL. */
int sender_child_start(struct sender_child *c, const char *socket, const char *secrets,
    const char *program);
/** sender_child_end(c, hurry, why): close, and wait for its end; ${hurry}: killed at once.  ${why} gets a few words. */
void sender_child_end(struct sender_child *c, bool hurry, struct buf *why);
