/*
 * api/api.h - HTTP.
 * One job: requests in, answers out, on the control socket and over TCP.
 * Floor: 5 (uses alerts, base).
 *
 * libmicrohttpd without threads of its own: the daemon's loop waits on api_fd and calls api_run.  What routes
 * answer comes from a table of functions that the daemon fills in.
 */
#pragma once

#include "alerts/request.h"
#include "base/buf.h"
#include "base/wall.h"

struct api;

enum {
	API_CONNECTIONS_MAX = 64,
	API_PIECE_MAX = 4 << 20, /* bytes of lines of a larger body handed up at once */
	API_BATCH_MAX = 16
	    << 20, /* bytes of a body that is taken as a whole or not at all; of one with a batch ID, or
	                             packed, before and after, that is all it may have */
	API_BODY_MAX = 32 << 20, /* bytes of the body of ops.request */
	API_PARAMS_MAX = 1000,   /* of ops.request; more are refused */
	API_HELD_MAX =
	    64 << 20, /* bytes of all bodies that wait for their rest; more are answered 429 */
	API_TIMEOUT_S = 30, /* nothing came or went for so long */
	API_SLOW_S =
	    120, /* TCP: a request (of an insert: each piece of it) takes no longer to come */
	API_SWEEP_S = 5,
	API_TOKEN_MAX = 256,
};

/* One request that inserts.  Strings live until its end. */
struct api_insert {
	struct str batch;         /* header Weir-Batch: the sender's ID of this body, or empty */
	struct str parser;        /* parameter parser; empty: auto */
	struct str stream_fields; /* parameter _stream_fields: a,b or k=v,… */
	struct str time_field;    /* parameter _time_field: a,b: the first that is there */
	struct str msg_field;     /* parameter _msg_field, likewise */
};

enum { API_E_LATER = 1, API_E_BAD = 2, API_E_KNOWN = 3, API_E_NONE = 4 };

struct api_ops {
	/*
	 * Whole lines of a body; the last one may lack its newline.  ${last}: no more of this body follows.  With a batch ID
	 * this is called once.  0; API_E_LATER: nothing was taken, the sender is asked to come again (429);
	 * API_E_BAD: the request is wrong, ${why} says what (400); API_E_KNOWN: this batch is in the store already.
	 */
	int (*insert)(void *ctx, const struct api_insert *req, struct str lines, bool last,
	    struct buf *why);
	void (*metrics)(void *ctx, struct buf *out); /* Prometheus text */
	void (*status)(void *ctx, struct buf *out);  /* JSON */
	bool (*healthy)(void *ctx, struct buf *why);
	void *ctx;
	/*
	 * Every path that this room does not know itself, with its whole body (at most API_BODY_MAX).  0: ${ret} is the answer, its body
	 * freed here; API_E_NONE: no such path (404); API_E_LATER: not now: asked again after api_again; -errno: 500.
	 * May be NULL.
	 */
	int (*request)(void *ctx, const struct api_request *req, struct api_answer *ret);
};

/**
 * api_new(ret, socket_path, mode, ops):
 * Listen on a Unix socket at ${socket_path}; one left by a dead process is replaced.
 *
 * Errors: -errno.
 */
int api_new(struct api **ret, const char *socket_path, mode_t mode, const struct api_ops *ops);
struct api *api_free(struct api *api);

/**
 * api_listen(api, address, token, ret_why):
 * Take TCP connections too, on address:port (an address, or localhost); in place of what it listened on before.  With
 * ${token} all but /health and /metrics want it (Authorization: Bearer, or Basic with it as password).  Without one only
 * requests whose Host is this machine come in, so that no web page of another site can ask.
 *
 * Errors: -errno (${ret_why} says what could not be).
 */
int api_listen(struct api *api, struct str address, struct str token, struct buf *ret_why);
/** api_listen_fd(api, fd, name, token, ret_why): the same on a socket that listens already; ${fd} is the caller's still.  Without a
 * token it must listen on a loopback address. */
int api_listen_fd(struct api *api, int fd, struct str name, struct str token, struct buf *ret_why);
void api_unlisten(struct api *api);
DEFINE_AUTO(struct api *, api_free)

/**
 * api_token_load(path, make, ret):
 * The token in a file, its blanks trimmed; made with mode 0640 when the file is not there and ${make} says so.
 *
 * Errors: -errno; -EINVAL: it has less than 8 bytes, more than API_TOKEN_MAX, or some that no header carries.
 */
int api_token_load(const char *path, bool make, struct buf *ret);

/** api_fd(api): wait for it to be readable.  api_timeout(api): and for no longer than this; ns below 0 is for ever. */
int api_fd(const struct api *api);
struct span api_timeout(struct api *api);

/** api_run(api): do what can be done now; never blocks. */
int api_run(struct api *api);

/** api_again(api): requests that were told "later" are asked again. */
void api_again(struct api *api);

/** api_waiting(api): whether requests wait for a commit. */
bool api_waiting(const struct api *api);

/** api_committed(api, ok): all that was inserted so far is durable (200), or could not be made so (503); in the second
 * case a body that is still on its way fails as well, since what came of it is lost. */
void api_committed(struct api *api, bool ok);
