/*
 * api/api.c - HTTP.
 * One job: requests in, answers out, on the control socket.
 * Floor: 5 (uses base).
 *
 * An insert is answered when it is durable: its connection is suspended until the daemon has committed.
 *
 *   head -> body in pieces -> whole lines handed up -> suspended -> commit -> answer
 */
#include "api/api.h"

#include <microhttpd.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/inflate.h"
#include "base/io.h"

static const char too_large[] = "a batch or a packed body may have 16 MiB, unpacked too\n";

enum request_state {
	REQUEST_HEAD,      /* nothing of the body seen */
	REQUEST_BODY,      /* gathering */
	REQUEST_WAITING,   /* handed up, suspended until the commit */
	REQUEST_COMMITTED, /* durable */
	REQUEST_FAILED,    /* .status and .why say how */
};

/* Invariants: in the api's list iff state is REQUEST_WAITING; n_held is part of the api's n_held. */
struct request {
	struct api *api;
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
	struct request *waiting;
	int listen_fd;
	char *path;
	size_t n_held;   /* bytes of all bodies that are gathered */
	unsigned n_lost; /* how often lines that were taken could not be made durable */
	bool running;    /* inside api_run */
	bool again;      /* connections were resumed meanwhile */
	bool closing;    /* nothing is taken any more */
};

static enum MHD_Result
answer(struct MHD_Connection *conn, unsigned status, const char *type, struct str body)
{
	struct MHD_Response *res;
	enum MHD_Result r;

	res = MHD_create_response_from_buffer(body.n, (void *)(uintptr_t)body.p,
	    MHD_RESPMEM_MUST_COPY);
	if (res == NULL)
		return MHD_NO;
	(void)MHD_add_response_header(res, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	(void)MHD_add_response_header(res, "X-Content-Type-Options", "nosniff");
	if (status == MHD_HTTP_TOO_MANY_REQUESTS || status == MHD_HTTP_SERVICE_UNAVAILABLE)
		(void)MHD_add_response_header(res, MHD_HTTP_HEADER_RETRY_AFTER, "1");
	r = MHD_queue_response(conn, status, res);
	MHD_destroy_response(res);
	return r;
}

static enum MHD_Result
answer_text(struct MHD_Connection *conn, unsigned status, struct str text)
{
	return answer(conn, status, "text/plain; charset=utf-8", text);
}

static enum MHD_Result
get_health(struct api *api, struct MHD_Connection *conn)
{
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;

	if (api->ops.healthy(api->ops.ctx, &why))
		return answer_text(conn, MHD_HTTP_OK, STR("OK\n"));
	return answer_text(conn, MHD_HTTP_SERVICE_UNAVAILABLE, buf_view(&why));
}

static enum MHD_Result
get_metrics(struct api *api, struct MHD_Connection *conn)
{
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;

	api->ops.metrics(api->ops.ctx, &out);
	return answer(conn, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8",
	    buf_view(&out));
}

static enum MHD_Result
get_status(struct api *api, struct MHD_Connection *conn)
{
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;

	api->ops.status(api->ops.ctx, &out);
	return answer(conn, MHD_HTTP_OK, "application/json", buf_view(&out));
}

static const struct route {
	const char *method;
	const char *path;
	enum MHD_Result (*get)(struct api *api, struct MHD_Connection *conn); /* NULL: an insert */
} routes[] = {
	{ "GET", "/health", get_health },
	{ "GET", "/metrics", get_metrics },
	{ "GET", "/status", get_status },
	{ "POST", "/insert/jsonline", NULL },
};

static struct str
param(struct MHD_Connection *conn, const char *name)
{
	return str_c(MHD_lookup_connection_value(conn, MHD_GET_ARGUMENT_KIND, name));
}

/* The body is that long now. */
static void
request_hold(struct request *req, size_t n)
{
	req->api->n_held = req->api->n_held - req->n_held + n;
	req->n_held = n;
}

static int
request_fail(struct request *req, unsigned status, struct str why)
{
	req->state = REQUEST_FAILED;
	req->status = status;
	if (req->why.n == 0)
		buf_str(&req->why, why);
	buf_fini(&req->body);
	request_hold(req, 0);
	return 0;
}

static void
request_begin(struct request *req, struct MHD_Connection *conn)
{
	struct str encoding = str_c(
	    MHD_lookup_connection_value(conn, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_ENCODING));

	req->state = REQUEST_BODY;
	req->insert.batch = str_c(MHD_lookup_connection_value(conn, MHD_HEADER_KIND, "Weir-Batch"));
	req->insert.parser = param(conn, "parser");
	req->insert.stream_fields = param(conn, "_stream_fields");
	req->insert.time_field = param(conn, "_time_field");
	req->insert.msg_field = param(conn, "_msg_field");
	if (str_eq_nocase(encoding, STR("gzip")))
		req->encoding = "gzip";
	else if (str_eq_nocase(encoding, STR("zstd")))
		req->encoding = "zstd";
	else if (encoding.n != 0 && !str_eq_nocase(encoding, STR("identity")))
		(void)request_fail(req, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE,
		    STR("Content-Encoding: expected gzip, zstd or none\n"));
	if (req->insert.batch.n > 256)
		(void)request_fail(req, MHD_HTTP_BAD_REQUEST,
		    STR("Weir-Batch: expected at most 256 bytes\n"));
}

/* Hand n bytes of the body up; they are whole lines, or the last ones. */
static int
hand_up(struct request *req, size_t n, bool last)
{
	struct api *api = req->api;
	int r;

	if (api->closing)
		return request_fail(req, MHD_HTTP_SERVICE_UNAVAILABLE,
		    STR("the daemon stops; come again\n"));
	/* What is durable in the end must be the whole body. */
	if (req->handed && req->n_lost != api->n_lost)
		return request_fail(req, MHD_HTTP_SERVICE_UNAVAILABLE,
		    STR("not durable; come again\n"));
	r = api->ops.insert(api->ops.ctx, &req->insert, str_of(req->body.p, n), last, &req->why);
	if (r == API_E_LATER)
		return request_fail(req, MHD_HTTP_TOO_MANY_REQUESTS,
		    STR("the store cannot take more now; come again\n"));
	if (r == API_E_BAD)
		return request_fail(req, MHD_HTTP_BAD_REQUEST, STR("the request is wrong\n"));
	if (r == API_E_KNOWN) {
		req->state = REQUEST_COMMITTED;
		return 0;
	}
	if (r < 0)
		return request_fail(req, MHD_HTTP_INTERNAL_SERVER_ERROR,
		    STR("the lines could not be taken\n"));
	req->handed = true;
	req->n_lost = api->n_lost;
	if (n < req->body.n)
		memmove(req->body.p, req->body.p + n, req->body.n - n);
	req->body.n -= n;
	request_hold(req, req->body.n);
	return 0;
}

static void
take_piece(struct request *req, const char *data, size_t n)
{
	const uint8_t *nl;

	if (req->state != REQUEST_BODY)
		return; /* the rest of a refused body is read and dropped */
	if (req->api->n_held + n > API_HELD_MAX) {
		(void)request_fail(req, MHD_HTTP_TOO_MANY_REQUESTS,
		    STR("too much is on its way; come again\n"));
		return;
	}
	buf_put(&req->body, data, n);
	request_hold(req, req->body.n);
	if (req->body.failed) {
		(void)request_fail(req, MHD_HTTP_SERVICE_UNAVAILABLE, STR("no memory\n"));
		return;
	}
	if (req->insert.batch.n != 0 || req->encoding != NULL) {
		if (req->body.n > API_BATCH_MAX)
			(void)request_fail(req, MHD_HTTP_CONTENT_TOO_LARGE, str_c(too_large));
		return;
	}
	if (req->body.n < API_PIECE_MAX)
		return;
	nl = memrchr(req->body.p, '\n', req->body.n);
	/* A line without end is handed up in pieces: whoever parses marks them as parts. */
	(void)hand_up(req, nl != NULL ? (size_t)(nl - req->body.p) + 1 : req->body.n, false);
}

/* The body as it was before its sender packed it. */
static int
body_open(struct request *req)
{
	AUTO_FINI(buf_fini) struct buf plain = BUF_INIT;
	int r;

	r = inflate_bytes(buf_view(&req->body), req->encoding, API_BATCH_MAX, &plain);
	if (r == INFLATE_E_LARGE)
		return request_fail(req, MHD_HTTP_CONTENT_TOO_LARGE, str_c(too_large));
	if (r > 0)
		return request_fail(req, MHD_HTTP_BAD_REQUEST,
		    STR("Content-Encoding: the body is not of it, or cut, or damaged\n"));
	if (r < 0)
		return request_fail(req, MHD_HTTP_SERVICE_UNAVAILABLE, STR("no memory\n"));
	buf_fini(&req->body);
	req->body = plain;
	plain = (struct buf)BUF_INIT;
	request_hold(req, req->body.n);
	return 0;
}

static enum MHD_Result
finish_insert(struct request *req, struct MHD_Connection *conn)
{
	if (req->state == REQUEST_BODY && req->encoding != NULL)
		(void)body_open(req);
	if (req->state == REQUEST_BODY) {
		(void)hand_up(req, req->body.n, true);
		if (req->state == REQUEST_BODY) {
			req->state = REQUEST_WAITING;
			req->next_waiting = req->api->waiting;
			req->api->waiting = req;
			MHD_suspend_connection(conn);
			return MHD_YES;
		}
	}
	if (req->state == REQUEST_COMMITTED)
		return answer_text(conn, MHD_HTTP_OK, STR_NONE);
	return answer_text(conn, req->status, buf_view(&req->why));
}

static enum MHD_Result
handle_insert(struct api *api, struct MHD_Connection *conn, const char *data, size_t *n,
    void **state)
{
	struct request *req = *state;

	if (req == NULL) {
		req = calloc(1, sizeof(*req));
		if (req == NULL)
			return MHD_NO;
		req->api = api;
		req->conn = conn;
		*state = req;
		request_begin(req, conn);
		return MHD_YES;
	}
	if (*n != 0) {
		take_piece(req, data, *n);
		*n = 0;
		return MHD_YES;
	}
	return finish_insert(req, conn);
}

static enum MHD_Result
handle(void *cls, struct MHD_Connection *conn, const char *url, const char *method,
    const char *version, const char *data, size_t *n, void **state)
{
	struct api *api = cls;
	bool known = false;
	size_t i;

	for (i = 0; i < ARRAY_LEN(routes); i++) {
		if (strcmp(url, routes[i].path) != 0)
			continue;
		known = true;
		if (strcmp(method, routes[i].method) != 0)
			continue;
		if (routes[i].get == NULL)
			return handle_insert(api, conn, data, n, state);
		return routes[i].get(api, conn);
	}
	if (known)
		return answer_text(conn, MHD_HTTP_METHOD_NOT_ALLOWED,
		    STR("this path takes another method\n"));
	return answer_text(conn, MHD_HTTP_NOT_FOUND, STR("no such path\n"));
}

static void
request_unlink(struct request *req)
{
	struct request **at;

	for (at = &req->api->waiting; *at != NULL; at = &(*at)->next_waiting)
		if (*at == req) {
			*at = req->next_waiting;
			return;
		}
}

static void
completed(void *cls, struct MHD_Connection *conn, void **state,
    enum MHD_RequestTerminationCode code)
{
	struct request *req = *state;

	if (req == NULL)
		return;
	request_unlink(req);
	request_hold(req, 0);
	buf_fini(&req->body);
	buf_fini(&req->why);
	free(req);
	*state = NULL;
}

/* The socket's name is replaced only when nobody answers there; the store's lock keeps two daemons apart. */
static int
listen_unix(const char *path, mode_t mode)
{
	AUTO_CLOSE int fd = -1;
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	mode_t old;
	int r;

	if (strlen(path) >= sizeof(sa.sun_path))
		return err_origin(-ENAMETOOLONG);
	memcpy(sa.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_origin(-errno);
	/* A name that is not there is as good as one removed. */
	(void)unlink(path);
	old = umask((mode_t)(0777 & ~mode));
	r = bind(fd, (const struct sockaddr *)&sa, sizeof(sa)) == 0 ? 0 : -errno;
	(void)umask(old);
	if (r < 0)
		return err_origin(r);
	if (listen(fd, API_CONNECTIONS_MAX) != 0)
		return err_origin(-errno);
	return TAKE_FD(fd);
}

struct api *
api_free(struct api *api)
{
	if (api == NULL)
		return NULL;
	/* Suspended connections must be resumed before the daemon may stop, and none may be suspended
	 * by a request that is read only now. */
	api->closing = true;
	api_committed(api, false);
	if (api->mhd != NULL)
		MHD_stop_daemon(api->mhd);
	else if (api->listen_fd >= 0)
		(void)close(api->listen_fd);
	if (api->path != NULL)
		(void)unlink(api->path);
	free(api->path);
	free(api);
	return NULL;
}

int
api_new(struct api **ret, const char *socket_path, mode_t mode, const struct api_ops *ops)
{
	AUTO(api_free) struct api *api = NULL;

	api = calloc(1, sizeof(*api));
	if (api == NULL)
		return err_origin(-ENOMEM);
	api->ops = *ops;
	api->listen_fd = listen_unix(socket_path, mode);
	if (api->listen_fd < 0)
		return err_trace(api->listen_fd);
	api->path = strdup(socket_path);
	if (api->path == NULL)
		return err_origin(-ENOMEM);
	api->mhd = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, handle,
	    api, MHD_OPTION_LISTEN_SOCKET, api->listen_fd, MHD_OPTION_CONNECTION_LIMIT,
	    (unsigned)API_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)API_TIMEOUT_S,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)(128 << 10), MHD_OPTION_NOTIFY_COMPLETED,
	    completed, NULL, MHD_OPTION_END);
	if (api->mhd == NULL)
		return err_origin(-EIO);
	*ret = TAKE(api);
	return 0;
}

int
api_fd(const struct api *api)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(api->mhd, MHD_DAEMON_INFO_EPOLL_FD);

	return info != NULL ? info->epoll_fd : -1;
}

struct span
api_timeout(struct api *api)
{
	MHD_UNSIGNED_LONG_LONG ms;

	if (MHD_get_timeout(api->mhd, &ms) != MHD_YES)
		return (struct span){ -1 };
	return (struct span){ (int64_t)(ms < 3600000 ? ms : 3600000) * NS_PER_MS };
}

int
api_run(struct api *api)
{
	enum MHD_Result r;

	api->running = true;
	do {
		api->again = false;
		r = MHD_run(api->mhd);
	} while (r == MHD_YES && api->again);
	api->running = false;
	return r == MHD_YES ? 0 : err_origin(-EIO);
}

bool
api_waiting(const struct api *api)
{
	return api->waiting != NULL;
}

void
api_committed(struct api *api, bool ok)
{
	struct request *req;

	api->n_lost += !ok;
	while ((req = api->waiting) != NULL) {
		api->waiting = req->next_waiting;
		req->state = REQUEST_COMMITTED;
		if (!ok)
			(void)request_fail(req, MHD_HTTP_SERVICE_UNAVAILABLE,
			    STR("not durable; come again\n"));
		MHD_resume_connection(req->conn);
		api->again = true;
	}
	/* Nothing becomes readable by a resume: the answers leave only when the server runs. */
	if (api->again && !api->running)
		(void)api_run(api);
}
