/*
 * api/api_internal.h - inside the api room.
 * One job: what its files share.
 * Floor: 5 (uses alerts, base).
 */
#pragma once

#include <microhttpd.h>

#include "api/api.h"

enum request_state {
	REQUEST_HEAD,      /* nothing of the body seen */
	REQUEST_BODY,      /* gathering */
	REQUEST_WAITING,   /* handed up, suspended until the commit; or told to come again */
	REQUEST_COMMITTED, /* durable */
	REQUEST_FAILED,    /* .status and .why say how */
};

/* Invariants: in the api's list waiting (later, of a call) iff state is REQUEST_WAITING; n_held is part of the api's n_held. */
struct request {
	struct api *api;
	bool call; /* for ops.request: state is BODY, then WAITING and BODY in turn */
	struct MHD_Connection *conn;
	enum request_state state;
	bool handed; /* some of its lines were handed up, when the api's n_lost was n_lost */
	unsigned n_lost;
	size_t n_held;        /* bytes of body */
	const char *encoding; /* gzip, zstd: the body is gathered whole, then opened; NULL: plain */
	struct api_insert insert;
	struct buf body;
	struct buf why;
	unsigned status; /* of REQUEST_FAILED */
	struct request *next_waiting;
};

struct api {
	struct MHD_Daemon *mhd;
	struct api_ops ops;
	struct request *waiting; /* for a commit */
	struct request *later;   /* for api_again */
	int listen_fd;
	char *path;
	size_t n_held;   /* bytes of all bodies that are gathered */
	unsigned n_lost; /* how often lines that were taken could not be made durable */
	bool running;    /* inside api_run */
	bool again;      /* connections were resumed meanwhile */
	bool closing;    /* nothing is taken any more */
};

/* api.c */
/** answer(conn, status, type, body): copied. */
enum MHD_Result answer(struct MHD_Connection *conn, unsigned status, const char *type,
    struct str body);
enum MHD_Result answer_text(struct MHD_Connection *conn, unsigned status, struct str text);
/** request_new(api, conn, state): a request whose body follows; NULL without memory. */
struct request *request_new(struct api *api, struct MHD_Connection *conn, void **state);
/** request_hold(req, n): its body is ${n} bytes long now. */
void request_hold(struct request *req, size_t n);
/** request_fail(req, status, why): what it is answered in the end, unless it was said before. Returns 0. */
int request_fail(struct request *req, unsigned status, struct str why);
/** request_wait(req, list): suspend it. */
void request_wait(struct request *req, struct request **list);

/* api_insert.c */
enum MHD_Result handle_insert(struct api *api, struct MHD_Connection *conn, const char *data,
    size_t *n, void **state);

/* api_call.c */
enum MHD_Result handle_call(struct api *api, struct MHD_Connection *conn, const char *url,
    const char *method, const char *data, size_t *n, void **state);
