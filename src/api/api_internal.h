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
	bool large;  /* more than API_BATCH_MAX: handed up in pieces, not at once */
	bool handed; /* some of its lines were handed up, when the api's n_lost was n_lost */
	unsigned n_lost;
	uint64_t
	    lines_handed; /* that no commit has been told of; above 0 iff in the api's list handing */
	uint64_t lines_durable;
	struct request *next_handing;
	size_t n_held;        /* bytes of body */
	const char *encoding; /* gzip, zstd: the body is gathered whole, then opened; NULL: plain */
	struct api_insert insert;
	struct buf body;
	struct buf why;
	unsigned status; /* of REQUEST_FAILED */
	struct request *next_waiting;
};

/* A TCP connection: who is too slow is put out. */
struct visitor {
	int fd;
	struct span since; /* it came, or gave its last request or piece of one */
	bool ours;         /* it waits for us, or reads our answer */
	struct visitor *next, **at_prev;
};

/* A way in: the control socket, or TCP. */
struct door {
	struct api *api;
	struct MHD_Daemon *mhd; /* NULL: closed */
	int fd;                 /* it listens */
	bool tcp;
	char *token;   /* TCP: who gives it may come in; NULL: all may */
	char *address; /* TCP: as it was given */
	struct visitor *visitors;
};

struct api {
	struct door unix_door, tcp_door;
	int epoll_fd; /* of both doors */
	struct span swept;
	struct api_ops ops;
	struct request *waiting; /* for a commit */
	struct request *handing; /* have handed up lines since the last commit */
	struct request *later;   /* for api_again */
	char *path;              /* of the control socket */
	size_t n_held;           /* bytes of all bodies that are gathered */
	unsigned n_lost;         /* how often lines that were taken could not be made durable */
	bool running;            /* inside api_run */
	bool again;              /* connections were resumed meanwhile */
	bool closing;            /* nothing is taken any more */
};

/* api.c */
/** answer(conn, status, type, body): copied. */
enum MHD_Result answer(struct MHD_Connection *conn, unsigned status, const char *type,
    struct str body);
enum MHD_Result answer_text(struct MHD_Connection *conn, unsigned status, struct str text);
/** answer_lines(req, conn): why it failed, and how many of its lines are in the store all the same. */
enum MHD_Result answer_lines(const struct request *req, struct MHD_Connection *conn);
/** request_new(api, conn, state): a request whose body follows; NULL without memory. */
struct request *request_new(struct api *api, struct MHD_Connection *conn, void **state);
/** request_hold(req, n): its body is ${n} bytes long now. */
void request_hold(struct request *req, size_t n);
/** request_fail(req, status, why): what it is answered in the end, unless it was said before. Returns 0. */
int request_fail(struct request *req, unsigned status, struct str why);
/** request_wait(req, list): suspend it. */
void request_wait(struct request *req, struct request **list);

/* api_door.c */
/** door_open(api, door, fd, handler): ${fd} listens, and is the door's also on failure. */
int door_open(struct api *api, struct door *door, int fd, MHD_AccessHandlerCallback handler);
void door_close(struct door *door);
/** door_sweep(door, now): visitors that are too slow are put out. */
void door_sweep(struct door *door, struct span now);
/** door_progress(conn, ours): a request, or a piece of it, has come; ${ours}: it is our turn now. */
void door_progress(struct MHD_Connection *conn, bool ours);
/** listen_tcp(address, why): a descriptor. */
int listen_tcp(struct str address, struct buf *why);
/** listen_is_local(fd): it listens on a loopback address. */
bool listen_is_local(int fd);
/** request_completed: MHD's end of a request. */
void request_completed(void *cls, struct MHD_Connection *conn, void **state,
    enum MHD_RequestTerminationCode code);

/* api_auth.c */
/** auth_refuse(door, conn, path): whether it may not come in; it was answered then, with ${ret}. */
bool auth_refuse(const struct door *door, struct MHD_Connection *conn, struct str path,
    enum MHD_Result *ret);
/** auth_token_is(token, header): "Bearer TOKEN", or "Basic " and base64 of NAME:TOKEN. */
bool auth_token_is(struct str token, struct str header);

/* api_insert.c */
enum MHD_Result handle_insert(struct api *api, struct MHD_Connection *conn, const char *data,
    size_t *n, void **state);

/* api_call.c */
enum MHD_Result handle_call(struct api *api, struct MHD_Connection *conn, const char *url,
    const char *method, const char *data, size_t *n, void **state);
