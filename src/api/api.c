/*
 * api/api.c - HTTP.
 * One job: requests in, answers out, on the control socket and over TCP.
 * Floor: 5 (uses base).
 *
 * A request that must wait (an insert for its commit, a call that was told "later") is suspended: it costs a connection and
 * no time.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "api/api_internal.h"
#include "base/io.h"

static enum MHD_Result
answer_with(struct MHD_Connection *conn, unsigned status, const char *type, struct str body,
    const char *lines)
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
	if (lines != NULL)
		(void)MHD_add_response_header(res, "Weir-Lines-Taken", lines);
	door_progress(conn, true);
	r = MHD_queue_response(conn, status, res);
	MHD_destroy_response(res);
	return r;
}

enum MHD_Result
answer(struct MHD_Connection *conn, unsigned status, const char *type, struct str body)
{
	return answer_with(conn, status, type, body, NULL);
}

enum MHD_Result
answer_lines(const struct request *req, struct MHD_Connection *conn)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	char lines[24];

	if (req->lines_durable == 0)
		return answer_text(conn, req->status, buf_view(&req->why));
	(void)snprintf(lines, sizeof(lines), "%llu", (unsigned long long)req->lines_durable);
	buf_str(&text, buf_view(&req->why));
	buf_printf(&text, "the first %s lines were taken: send those behind them\n", lines);
	return answer_with(conn, req->status, "text/plain; charset=utf-8", buf_view(&text), lines);
}

enum MHD_Result
answer_text(struct MHD_Connection *conn, unsigned status, struct str text)
{
	return answer(conn, status, "text/plain; charset=utf-8", text);
}

void
request_hold(struct request *req, size_t n)
{
	req->api->n_held = req->api->n_held - req->n_held + n;
	req->n_held = n;
}

int
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

struct request *
request_new(struct api *api, struct MHD_Connection *conn, void **state)
{
	struct request *req = calloc(1, sizeof(*req));

	if (req == NULL)
		return NULL;
	req->api = api;
	req->conn = conn;
	*state = req;
	return req;
}

void
request_wait(struct request *req, struct request **list)
{
	req->next_waiting = *list;
	*list = req;
	door_progress(req->conn, true);
	MHD_suspend_connection(req->conn);
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

static enum MHD_Result
handle(void *cls, struct MHD_Connection *conn, const char *url, const char *method,
    const char *version, const char *data, size_t *n, void **state)
{
	const struct door *door = cls;
	struct api *api = door->api;
	enum MHD_Result refused;
	bool known = false;
	size_t i;

	if (*state == NULL && door->tcp && auth_refuse(door, conn, str_c(url), &refused))
		return refused;
	if (*state == NULL)
		door_progress(conn, false);
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
	return handle_call(api, conn, url, method, data, n, state);
}

static void
request_unlink(struct request *req)
{
	struct request **at;

	for (at = req->call ? &req->api->later : &req->api->waiting; *at != NULL;
	     at = &(*at)->next_waiting)
		if (*at == req) {
			*at = req->next_waiting;
			break;
		}
	for (at = &req->api->handing; *at != NULL; at = &(*at)->next_handing)
		if (*at == req) {
			*at = req->next_handing;
			break;
		}
}

void
request_completed(void *cls, struct MHD_Connection *conn, void **state,
    enum MHD_RequestTerminationCode code)
{
	struct request *req = *state;

	door_progress(conn, false);
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
	api_again(api);
	door_close(&api->tcp_door);
	door_close(&api->unix_door);
	if (api->epoll_fd >= 0)
		(void)close(api->epoll_fd);
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
	int r;

	api = calloc(1, sizeof(*api));
	if (api == NULL)
		return err_origin(-ENOMEM);
	api->ops = *ops;
	api->unix_door.fd = api->tcp_door.fd = -1;
	api->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (api->epoll_fd < 0)
		return err_origin(-errno);
	r = listen_unix(socket_path, mode);
	if (r < 0)
		return err_trace(r);
	api->path = strdup(socket_path);
	r = door_open(api, &api->unix_door, r, handle);
	if (r < 0)
		return err_trace(r);
	if (api->path == NULL)
		return err_origin(-ENOMEM);
	*ret = TAKE(api);
	return 0;
}

/* ${passed}: a socket that listens already, or -1. */
static int
listen_at(struct api *api, int passed, struct str address, struct str token, struct buf *why)
{
	struct door *door = &api->tcp_door;
	AUTO_FREE char *token_copy = NULL;
	AUTO_FREE char *address_copy = strndup((const char *)address.p, address.n);
	int fd;

	if (token.n > 0)
		token_copy = strndup((const char *)token.p, token.n);
	if (address_copy == NULL || (token.n > 0 && token_copy == NULL))
		return err_origin(-ENOMEM);
	if (door->mhd != NULL && strcmp(door->address, address_copy) == 0) {
		free(door->token);
		door->token = TAKE(token_copy);
		return 0;
	}
	fd = passed < 0 ? listen_tcp(address, why) : fcntl(passed, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return passed < 0 ? err_trace(fd) : err_origin(-errno);
	door_close(door);
	door->tcp = true;
	door->token = TAKE(token_copy);
	door->address = TAKE(address_copy);
	return err_trace(door_open(api, door, fd, handle));
}

int
api_listen(struct api *api, struct str address, struct str token, struct buf *ret_why)
{
	return listen_at(api, -1, address, token, ret_why);
}

int
api_listen_fd(struct api *api, int fd, struct str name, struct str token, struct buf *ret_why)
{
	if (token.n == 0 && !listen_is_local(fd)) {
		buf_c(ret_why,
		    "the socket that was handed over listens on more than loopback, which auth: none may not");
		return err_origin(-EPERM);
	}
	return listen_at(api, fd, name, token, ret_why);
}

void
api_unlisten(struct api *api)
{
	door_close(&api->tcp_door);
}

int
api_fd(const struct api *api)
{
	return api->epoll_fd;
}

static void
door_timeout(const struct door *door, struct span *at)
{
	MHD_UNSIGNED_LONG_LONG ms;

	if (door->mhd == NULL || MHD_get_timeout(door->mhd, &ms) != MHD_YES)
		return;
	ms = ms < 3600000 ? ms : 3600000;
	if (at->ns < 0 || (int64_t)ms * NS_PER_MS < at->ns)
		at->ns = (int64_t)ms * NS_PER_MS;
}

struct span
api_timeout(struct api *api)
{
	struct span at = { -1 };

	door_timeout(&api->unix_door, &at);
	door_timeout(&api->tcp_door, &at);
	if (api->tcp_door.visitors != NULL && (at.ns < 0 || at.ns > API_SWEEP_S * NS_PER_S))
		at.ns = API_SWEEP_S * NS_PER_S;
	return at;
}

static int
run_doors(struct api *api)
{
	enum MHD_Result r;

	api->running = true;
	do {
		api->again = false;
		r = MHD_run(api->unix_door.mhd);
		if (r == MHD_YES && api->tcp_door.mhd != NULL)
			r = MHD_run(api->tcp_door.mhd);
	} while (r == MHD_YES && api->again);
	api->running = false;
	return r == MHD_YES ? 0 : err_origin(-EIO);
}

int
api_run(struct api *api)
{
	struct span now = mono_now();

	if (api->tcp_door.visitors != NULL && now.ns - api->swept.ns >= API_SWEEP_S * NS_PER_S) {
		api->swept = now;
		door_sweep(&api->tcp_door, now);
	}
	return run_doors(api);
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
	while ((req = api->handing) != NULL) {
		api->handing = req->next_handing;
		req->lines_durable += ok ? req->lines_handed : 0;
		req->lines_handed = 0;
	}
	while ((req = api->waiting) != NULL) {
		api->waiting = req->next_waiting;
		/* One that has failed only waits for what became of its first lines. */
		if (req->state == REQUEST_WAITING && ok)
			req->state = REQUEST_COMMITTED;
		else if (req->state == REQUEST_WAITING)
			(void)request_fail(req, MHD_HTTP_SERVICE_UNAVAILABLE,
			    STR("not durable; come again\n"));
		MHD_resume_connection(req->conn);
		api->again = true;
	}
	/* Nothing becomes readable by a resume: the answers leave only when the server runs. */
	if (api->again && !api->running)
		(void)api_run(api);
}

void
api_again(struct api *api)
{
	struct request *req;

	while ((req = api->later) != NULL) {
		api->later = req->next_waiting;
		req->state = REQUEST_BODY;
		MHD_resume_connection(req->conn);
		api->again = true;
	}
	if (api->again && !api->running)
		(void)api_run(api);
}
