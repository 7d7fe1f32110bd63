/*
 * api/api_call.c - requests that another room answers.
 * One job: method, path, decoded parameters and whole body handed up; the answer sent.
 * Floor: 5 (uses alerts, base).
 */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "api/api_internal.h"

enum { ANSWER_COPY_MAX = 64 << 10 };

struct params {
	struct arena *arena;
	struct label *p;
	size_t n;
	bool bad;
};

static enum MHD_Result
take_param(void *cls, enum MHD_ValueKind kind, const char *key, size_t key_n, const char *value,
    size_t value_n)
{
	struct params *ps = cls;

	(void)kind;
	if (ps->n == API_PARAMS_MAX) {
		ps->bad = true;
		return MHD_NO;
	}
	/* Texts are the connection's, and outlive the call. */
	ps->p[ps->n++] = (struct label){ str_of(key, key_n), str_of(value, value_n) };
	return MHD_YES;
}

static enum MHD_Result
call_failed(struct request *req, struct MHD_Connection *conn)
{
	return answer_text(conn, req->status, buf_view(&req->why));
}

/* The address of a visitor; "socket" for this host's users. */
static struct str
peer(struct MHD_Connection *conn, char who[INET6_ADDRSTRLEN])
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(conn, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *sa = info != NULL ? info->client_addr : NULL;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	const char *text = NULL;

	if (sa != NULL && sa->sa_family == AF_INET) {
		memcpy(&in, sa, sizeof(in));
		text = inet_ntop(AF_INET, &in.sin_addr, who, INET6_ADDRSTRLEN);
	} else if (sa != NULL && sa->sa_family == AF_INET6) {
		memcpy(&in6, sa, sizeof(in6));
		text = inet_ntop(AF_INET6, &in6.sin6_addr, who, INET6_ADDRSTRLEN);
	}
	return text != NULL ? str_c(text) : STR("socket");
}

/* What may be large is not copied again. */
static enum MHD_Result
answer_take(struct MHD_Connection *conn, unsigned status, const char *type, struct buf *body)
{
	struct MHD_Response *res;
	enum MHD_Result r;

	if (body->n < ANSWER_COPY_MAX)
		return answer(conn, status, type, buf_view(body));
	res = MHD_create_response_from_buffer(body->n, body->p, MHD_RESPMEM_MUST_FREE);
	if (res == NULL)
		return MHD_NO;
	*body = (struct buf)BUF_INIT;
	(void)MHD_add_response_header(res, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	(void)MHD_add_response_header(res, "X-Content-Type-Options", "nosniff");
	door_progress(conn, true);
	r = MHD_queue_response(conn, status, res);
	MHD_destroy_response(res);
	return r;
}

/* Ask; the request waits on when it is told so. */
static enum MHD_Result
call(struct request *req, struct MHD_Connection *conn, const char *url, const char *method)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	struct params ps = { &arena, NULL, 0, false };
	struct api_request ask = { .method = str_c(method), .path = str_c(url) };
	struct api_answer reply = { .type = "application/json", .body = BUF_INIT };
	char who[INET6_ADDRSTRLEN];
	enum MHD_Result res;
	int r;

	ps.p = arena_zalloc(&arena, API_PARAMS_MAX, sizeof(*ps.p));
	if (ps.p == NULL)
		return answer_text(conn, MHD_HTTP_SERVICE_UNAVAILABLE, STR("no memory\n"));
	(void)MHD_get_connection_values_n(conn, MHD_GET_ARGUMENT_KIND, take_param, &ps);
	if (ps.bad)
		return answer_text(conn, MHD_HTTP_BAD_REQUEST, STR("too many parameters\n"));
	ask.params = ps.p;
	ask.n_params = ps.n;
	ask.body = buf_view(&req->body);
	ask.who = peer(conn, who);
	if (str_eq_c(ask.method, "HEAD"))
		ask.method = STR("GET");
	r = req->api->ops.request(req->api->ops.ctx, &ask, &reply);
	if (r == API_E_LATER && !req->api->closing) {
		req->state = REQUEST_WAITING;
		request_wait(req, &req->api->later);
		res = MHD_YES;
	} else if (r == 0 && !reply.body.failed) {
		res = answer_take(conn, reply.status, reply.type, &reply.body);
	} else if (r == API_E_NONE) {
		res = answer_text(conn, MHD_HTTP_NOT_FOUND, STR("no such path\n"));
	} else if (r == API_E_LATER) {
		res = answer_text(conn, MHD_HTTP_SERVICE_UNAVAILABLE,
		    STR("the daemon stops; come again\n"));
	} else {
		res = answer_text(conn, MHD_HTTP_INTERNAL_SERVER_ERROR,
		    STR("the request could not be answered\n"));
	}
	buf_fini(&reply.body);
	return res;
}

static void
take_body(struct request *req, const char *data, size_t n)
{
	if (req->state != REQUEST_BODY)
		return; /* the rest of a refused body is read and dropped */
	if (req->body.n + n > API_BODY_MAX)
		(void)request_fail(req, MHD_HTTP_CONTENT_TOO_LARGE,
		    STR("a body may have 32 MiB\n"));
	else if (req->api->n_held + n > API_HELD_MAX)
		(void)request_fail(req, MHD_HTTP_TOO_MANY_REQUESTS,
		    STR("too much is on its way; come again\n"));
	else
		buf_put(&req->body, data, n);
	if (req->body.failed)
		(void)request_fail(req, MHD_HTTP_SERVICE_UNAVAILABLE, STR("no memory\n"));
	if (req->state == REQUEST_BODY)
		request_hold(req, req->body.n);
}

enum MHD_Result
handle_call(struct api *api, struct MHD_Connection *conn, const char *url, const char *method,
    const char *data, size_t *n, void **state)
{
	struct request *req = *state;

	if (api->ops.request == NULL)
		return answer_text(conn, MHD_HTTP_NOT_FOUND, STR("no such path\n"));
	if (req == NULL) {
		req = request_new(api, conn, state);
		if (req == NULL)
			return MHD_NO;
		req->call = true;
		req->state = REQUEST_BODY;
		return MHD_YES;
	}
	if (*n != 0) {
		take_body(req, data, *n);
		*n = 0;
		return MHD_YES;
	}
	if (req->state == REQUEST_FAILED)
		return call_failed(req, conn);
	return call(req, conn, url, method);
}
