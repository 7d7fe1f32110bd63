/*
 * api/api_insert.c - lines over HTTP.
 * One job: bodies of lines in pieces, handed up, answered when they are durable.
 * Floor: 5 (uses base).
 *
 *   head -> body in pieces -> whole lines handed up -> suspended -> commit -> answer
 */
#include "api/api_internal.h"
#include "base/inflate.h"

static const char too_large[] = "a batch or a packed body may have 16 MiB, unpacked too\n";

static struct str
param(struct MHD_Connection *conn, const char *name)
{
	return str_c(MHD_lookup_connection_value(conn, MHD_GET_ARGUMENT_KIND, name));
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

/* What was handed up counts as taken once a commit was told of. */
static void
count_lines(struct request *req, struct str bytes, bool last)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < bytes.n; i++)
		n += bytes.p[i] == '\n';
	n += last && bytes.n > 0 && bytes.p[bytes.n - 1] != '\n';
	if (n == 0)
		return;
	if (req->lines_handed == 0) {
		req->next_handing = req->api->handing;
		req->api->handing = req;
	}
	req->lines_handed += n;
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
	door_progress(req->conn, false);
	req->n_lost = api->n_lost;
	count_lines(req, str_of(req->body.p, n), last);
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
	/* All or nothing up to a bound: only what is larger is taken in pieces. */
	req->large = req->large || req->body.n > API_BATCH_MAX;
	if (!req->large || req->body.n < API_PIECE_MAX)
		return;
	nl = memrchr(req->body.p, '\n', req->body.n);
	/* A line without end is handed up in pieces: whoever parses marks them as parts. */
	(void)hand_up(req, nl != NULL ? (size_t)(nl - req->body.p) + 1 : req->body.n, false);
}

/* The body as it was before its sender packed it. */
static int
body_open(struct request *req)
{
	AUTO_FINI(buf_fini) struct buf plain = BUF_INIT, why = BUF_INIT;
	int r;

	buf_c(&why, "Content-Encoding: ");
	r = inflate_bytes(buf_view(&req->body), req->encoding, API_BATCH_MAX, &plain, &why);
	if (r == INFLATE_E_LARGE)
		return request_fail(req, MHD_HTTP_CONTENT_TOO_LARGE, str_c(too_large));
	buf_byte(&why, '\n');
	if (r > 0 && !why.failed)
		return request_fail(req, MHD_HTTP_BAD_REQUEST, buf_view(&why));
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
			request_wait(req, &req->api->waiting);
			return MHD_YES;
		}
	}
	if (req->state == REQUEST_COMMITTED)
		return answer_text(conn, MHD_HTTP_OK, STR_NONE);
	if (req->lines_handed > 0) {
		request_wait(req, &req->api->waiting);
		return MHD_YES;
	}
	return answer_lines(req, conn);
}

enum MHD_Result
handle_insert(struct api *api, struct MHD_Connection *conn, const char *data, size_t *n,
    void **state)
{
	struct request *req = *state;

	if (req == NULL) {
		req = request_new(api, conn, state);
		if (req == NULL)
			return MHD_NO;
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
