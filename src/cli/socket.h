/*
 * cli/socket.h - the daemon's control socket.
 * One job: one HTTP request over DIR/weir.sock.
 * Floor: 6 (uses base).
 */
#pragma once

#include "base/buf.h"

enum {
	SOCKET_E_NONE = 1,   /* nobody listens there */
	SOCKET_E_ANSWER = 2, /* what came back is no HTTP, or too long */
};

/**
 * socket_open(store, ret_fd): connect to the socket in folder ${store}.
 *
 * Errors: SOCKET_E_NONE, -errno.
 */
int socket_open(const char *store, int *ret_fd);

/**
 * socket_request(fd, method, path, headers, body, ret_status, answer):
 * Send a request and read the whole answer; the connection stays open where both sides allow it.  ${headers}: more of
 * them, each with CR LF, or "".
 *
 * Errors: SOCKET_E_ANSWER, -errno.
 */
int socket_request(int fd, const char *method, const char *path, const char *headers,
    struct str body, int *ret_status, struct buf *answer);
