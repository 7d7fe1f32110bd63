/*
 * tests/unit/test_api.c - requests as no polite client sends them.
 * One job: bodies cut, stopped and left lying, several requests at once, and the end while some wait.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/api_internal.h"
#include "base/own.h"
#include "check.h"

/* Counts what is handed up, and answers as it is told. */
struct fake {
	size_t n_inserts, n_bytes;
	int answer;
	size_t full_after; /* bytes; 0: never */
	char batch[16];
	size_t n_calls;
	bool later;
	char asked[256];
};

static int
fake_insert(void *ctx, const struct api_insert *req, struct str lines, bool last, struct buf *why)
{
	struct fake *f = ctx;

	(void)last;
	(void)why;
	f->n_inserts++;
	if (f->full_after != 0 && f->n_bytes + lines.n > f->full_after)
		return API_E_LATER;
	f->n_bytes += lines.n;
	if (req->batch.n != 0 && str_eq_c(req->batch, f->batch))
		return API_E_KNOWN;
	(void)snprintf(f->batch, sizeof(f->batch), "%.*s", STR_ARG(req->batch));
	return f->answer;
}

static void
fake_text(void *ctx, struct buf *out)
{
	(void)ctx;
	buf_c(out, "{}");
}

static bool
fake_healthy(void *ctx, struct buf *why)
{
	(void)ctx;
	(void)why;
	return true;
}

/* Says what it was asked. */
static int
fake_request(void *ctx, const struct api_request *req, struct api_answer *ret)
{
	struct fake *f = ctx;
	AUTO_FINI(buf_fini) struct buf b = BUF_INIT;
	size_t i;

	f->n_calls++;
	if (f->later)
		return API_E_LATER;
	if (!str_starts(req->path, STR("/api/")))
		return API_E_NONE;
	buf_printf(&b, "%.*s %.*s", STR_ARG(req->method), STR_ARG(req->path));
	for (i = 0; i < req->n_params; i++)
		buf_printf(&b, " %.*s=%.*s", STR_ARG(req->params[i].name),
		    STR_ARG(req->params[i].value));
	CHECK(str_eq(req->who, STR("socket")) || str_eq(req->who, STR("127.0.0.1")));
	buf_printf(&b, " [%zu]", req->body.n);
	(void)snprintf(f->asked, sizeof(f->asked), "%s", buf_c_str(&b));
	ret->status = 202;
	buf_c(&ret->body, "{}");
	for (i = 0; i < 200000 && str_eq(req->path, STR("/api/large")); i++)
		buf_byte(&ret->body, 'x');
	return 0;
}

static char path[64];

static struct api *
start(struct fake *f)
{
	struct api_ops ops = { fake_insert, fake_text, fake_text, fake_healthy, f, fake_request };
	struct api *api = NULL;

	*f = (struct fake){ 0 };
	MUST(api_new(&api, path, 0600, &ops) == 0);
	return api;
}

static int
client(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	(void)snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
	MUST(fd >= 0 && connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0);
	return fd;
}

/* All of it, the server running whenever it must read first. */
static void
send_all(struct api *api, int fd, const void *p, size_t n)
{
	const char *at = p;
	ssize_t k;

	while (n > 0) {
		k = send(fd, at, n, MSG_NOSIGNAL);
		if (k > 0) {
			at += k;
			n -= (size_t)k;
		} else if (errno != EAGAIN) {
			return;
		}
		if (api != NULL)
			MUST(api_run(api) == 0);
	}
}

static void
send_c(struct api *api, int fd, const char *s)
{
	send_all(api, fd, s, strlen(s));
}

static void
turn(struct api *api)
{
	int i;

	for (i = 0; i < 20; i++)
		MUST(api_run(api) == 0);
}

/* What has come; how often ${what} is in it. */
static size_t
answers(int fd, const char *what)
{
	char text[8192];
	ssize_t n = recv(fd, text, sizeof(text) - 1, 0);
	size_t count = 0;
	char *at = text;

	text[n > 0 ? n : 0] = '\0';
	while ((at = strstr(at, what)) != NULL) {
		count++;
		at += strlen(what);
	}
	return count;
}

static const char small[] = "POST /insert/jsonline HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\n"
                            "{\"a\":1}\n";

static void
test_waits_for_commit(void)
{
	struct fake f;
	AUTO(api_free) struct api *api = start(&f);
	AUTO_CLOSE int fd = client();

	send_c(api, fd, small);
	turn(api);
	CHECK(f.n_bytes == 8 && api_waiting(api));
	CHECK(answers(fd, "HTTP/1.1") == 0);
	api_committed(api, true);
	CHECK(answers(fd, "HTTP/1.1 200") == 1);
	send_c(api, fd, small);
	turn(api);
	api_committed(api, false);
	CHECK(answers(fd, "HTTP/1.1 503") == 1);
}

/* The second request of a connection waits for the first one's commit, and needs no more bytes to go on. */
static void
test_pipelined(void)
{
	struct fake f;
	AUTO(api_free) struct api *api = start(&f);
	AUTO_CLOSE int fd = client();
	char both[2 * sizeof(small)];

	(void)snprintf(both, sizeof(both), "%s%s", small, small);
	send_c(api, fd, both);
	turn(api);
	CHECK(f.n_inserts == 1);
	api_committed(api, true);
	turn(api);
	CHECK(f.n_inserts == 2 && api_waiting(api));
	api_committed(api, true);
	turn(api);
	CHECK(answers(fd, "HTTP/1.1 200") == 2);
}

static void
test_empty_body(void)
{
	struct fake f;
	AUTO(api_free) struct api *api = start(&f);
	AUTO_CLOSE int fd = client();

	send_c(api, fd, "POST /insert/jsonline HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
	turn(api);
	api_committed(api, true);
	CHECK(answers(fd, "HTTP/1.1 200") == 1);
}

/* Cut in the head, in the body, or while waiting: nothing is left behind, and others go on. */
static void
test_cut(void)
{
	struct fake f;
	AUTO(api_free) struct api *api = start(&f);
	size_t n;
	int fd;

	for (n = 1; n < sizeof(small); n += 7) {
		fd = client();
		send_all(api, fd, small, n);
		turn(api);
		(void)close(fd);
		turn(api);
		CHECK(f.n_inserts == 0);
	}
	fd = client();
	send_c(api, fd, small);
	turn(api);
	(void)close(fd);
	turn(api);
	CHECK(f.n_inserts == 1);
	api_committed(api, true);
	turn(api);
	CHECK(!api_waiting(api));
	test_waits_for_commit();
}

/* Two at once with the same ID: the second one is told that it is known. */
static void
test_same_batch(void)
{
	static const char with_id[] =
	    "POST /insert/jsonline HTTP/1.1\r\nHost: x\r\nWeir-Batch: b1\r\n"
	    "Content-Length: 8\r\n\r\n{\"a\":1}\n";
	struct fake f;
	AUTO(api_free) struct api *api = start(&f);
	AUTO_CLOSE int one = client();
	AUTO_CLOSE int two = client();

	send_c(api, one, with_id);
	send_c(api, two, with_id);
	turn(api);
	CHECK(f.n_inserts == 2);
	CHECK(answers(one, "HTTP/1.1 200") + answers(two, "HTTP/1.1 200") == 1);
	api_committed(api, true);
	CHECK(answers(one, "HTTP/1.1 200") + answers(two, "HTTP/1.1 200") == 1);
}

static void
test_huge_head(void)
{
	struct fake f;
	AUTO(api_free) struct api *api = start(&f);
	AUTO_CLOSE int fd = client();
	char line[1024];
	int i;

	memset(line, 'x', sizeof(line));
	memcpy(line, "H: ", 3);
	memcpy(line + sizeof(line) - 3, "\r\n", 3);
	send_c(api, fd, "GET /health HTTP/1.1\r\n");
	for (i = 0; i < 300; i++)
		send_c(api, fd, line);
	turn(api);
	CHECK(answers(fd, "HTTP/1.1 431") == 1);
}

static void
send_head(struct api *api, int fd, size_t n, const char *more)
{
	char head[256];

	(void)snprintf(head, sizeof(head),
	    "POST /insert/jsonline HTTP/1.1\r\nHost: x\r\n%sContent-Length: %zu\r\n\r\n", more, n);
	send_c(api, fd, head);
}

/* Lines of a body were taken and then lost with a commit: the body must not be called durable in the end. */
static void
test_lost_piece(void)
{
	enum { N = API_BATCH_MAX + 1000 };
	struct fake f;
	AUTO(api_free) struct api *api = start(&f);
	AUTO_CLOSE int fd = client();
	AUTO_FREE char *body = malloc(N);

	MUST(body != NULL);
	memset(body, '\n', N);
	send_head(api, fd, N, "");
	send_all(api, fd, body, N - 500);
	turn(api);
	CHECK(f.n_inserts == 1);
	api_committed(api, false);
	send_all(api, fd, body, 500);
	turn(api);
	api_committed(api, true);
	turn(api);
	CHECK(answers(fd, "HTTP/1.1 503") == 1);
}

/* A body of up to 16 MiB is taken at once, or nothing of it. */
static void
test_all_or_nothing(void)
{
	enum { N = API_BATCH_MAX - 1000 };
	struct fake f;
	AUTO(api_free) struct api *api = start(&f);
	AUTO_CLOSE int fd = client();
	AUTO_FREE char *body = malloc(N);

	MUST(body != NULL);
	memset(body, '\n', N);
	f.full_after = API_PIECE_MAX * 2;
	send_head(api, fd, N, "");
	send_all(api, fd, body, N);
	turn(api);
	CHECK(f.n_inserts == 1 && f.n_bytes == 0 && !api_waiting(api));
	CHECK(answers(fd, "HTTP/1.1 429") == 1);
	f.full_after = 0;
	send_head(api, fd, N, "");
	send_all(api, fd, body, N);
	turn(api);
	CHECK(f.n_inserts == 2 && f.n_bytes == N);
	api_committed(api, true);
	CHECK(answers(fd, "HTTP/1.1 200") == 1);
}

/* Of a larger one the first lines may be taken: the answer says how many, once they are durable, and 0 if they never are. */
static void
taken_partly(bool durable)
{
	enum { N = 30 << 20, LINE = 16 };
	struct fake f;
	AUTO(api_free) struct api *api = start(&f);
	AUTO_CLOSE int fd = client();
	AUTO_FREE char *body = malloc(N);
	char text[1024], header[64];
	ssize_t n;
	size_t i;

	MUST(body != NULL);
	memset(body, 'x', N);
	for (i = LINE - 1; i < N; i += LINE)
		body[i] = '\n';
	f.full_after = 22 << 20;
	send_head(api, fd, N, "");
	send_all(api, fd, body, N);
	turn(api);
	CHECK(f.n_bytes >= API_BATCH_MAX && f.n_bytes <= f.full_after);
	CHECK(api_waiting(api));
	api_committed(api, durable);
	turn(api);
	n = recv(fd, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	CHECK(strncmp(text, "HTTP/1.1 429", 12) == 0 && strstr(text, "Retry-After:") != NULL);
	(void)snprintf(header, sizeof(header), "Weir-Lines-Taken: %zu\r\n", f.n_bytes / LINE);
	CHECK((strstr(text, header) != NULL) == durable);
	CHECK((strstr(text, "Weir-Lines-Taken") != NULL) == durable);
	CHECK(!api_waiting(api));
}

/* Its first lines were committed on the way, the later ones lost. */
static void
test_lost_later(void)
{
	enum { N = 26 << 20, LINE = 16 };
	struct fake f;
	AUTO(api_free) struct api *api = start(&f);
	AUTO_CLOSE int fd = client();
	AUTO_FREE char *body = malloc(N);
	char text[1024], header[64];
	size_t i, first;
	ssize_t n;

	MUST(body != NULL);
	memset(body, 'x', N);
	for (i = LINE - 1; i < N; i += LINE)
		body[i] = '\n';
	send_head(api, fd, N, "");
	send_all(api, fd, body, API_BATCH_MAX + 4096);
	turn(api);
	first = f.n_bytes;
	CHECK(first > 0);
	api_committed(api, true);
	send_all(api, fd, body + API_BATCH_MAX + 4096, API_PIECE_MAX + 4096);
	turn(api);
	CHECK(f.n_bytes > first);
	api_committed(api, false);
	send_all(api, fd, body + API_BATCH_MAX + API_PIECE_MAX + 8192,
	    N - API_BATCH_MAX - API_PIECE_MAX - 8192);
	turn(api);
	n = recv(fd, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	(void)snprintf(header, sizeof(header), "Weir-Lines-Taken: %zu\r\n", first / LINE);
	CHECK(strncmp(text, "HTTP/1.1 503", 12) == 0 && strstr(text, header) != NULL);
}

/* Slow clients cannot make the daemon hold more than API_HELD_MAX. */
static void
test_held(void)
{
	enum { CLIENTS = 6, N = API_BATCH_MAX };
	struct fake f;
	AUTO(api_free) struct api *api = start(&f);
	AUTO_FREE char *body = calloc(1, N);
	int fd[CLIENTS], i;
	size_t refused = 0;

	MUST(body != NULL);
	for (i = 0; i < CLIENTS; i++) {
		fd[i] = client();
		send_head(api, fd[i], N, "Weir-Batch: x\r\n");
		send_all(api, fd[i], body, N - 1);
	}
	turn(api);
	CHECK(f.n_inserts == 0);
	for (i = 0; i < CLIENTS; i++) {
		send_all(api, fd[i], "\n", 1);
		turn(api);
		refused += answers(fd[i], "HTTP/1.1 429");
		(void)close(fd[i]);
	}
	CHECK(refused == 2);
	turn(api);
	api_committed(api, true);
}

/* At the end some wait, one is read only now, one is cut: all are answered, nobody is left suspended. */
static void
test_end(void)
{
	struct fake f;
	struct api *api = start(&f);
	AUTO_CLOSE int waits = client();
	AUTO_CLOSE int late = client();
	AUTO_CLOSE int half = client();

	send_c(api, waits, small);
	turn(api);
	CHECK(api_waiting(api));
	send_c(NULL, late, small);
	send_all(NULL, half, small, sizeof(small) / 2);
	(void)api_free(api);
	CHECK(f.n_inserts == 1);
	CHECK(answers(waits, "HTTP/1.1 503") == 1);
	CHECK(answers(late, "HTTP/1.1 200") == 0);
	CHECK(answers(half, "HTTP/1.1 200") == 0);
}

/* What this room does not know itself is asked of another, once the body is whole. */
static void
test_calls(void)
{
	struct fake f;
	AUTO(api_free) struct api *api = start(&f);
	AUTO_CLOSE int fd = client();

	send_c(api, fd,
	    "GET /api/v2/x?filter=a%3D%22b%20c%22&filter=d&e HTTP/1.1\r\nHost: x\r\n\r\n");
	turn(api);
	CHECK(strcmp(f.asked, "GET /api/v2/x filter=a=\"b c\" filter=d e= [0]") == 0);
	CHECK(answers(fd, "HTTP/1.1 202") == 1);
	send_c(api, fd, "POST /api/y HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12");
	turn(api);
	CHECK(f.n_calls == 1);
	send_c(api, fd, "345");
	turn(api);
	CHECK(strcmp(f.asked, "POST /api/y [5]") == 0 && answers(fd, "HTTP/1.1 202") == 1);
	send_c(api, fd, "DELETE /nothing HTTP/1.1\r\nHost: x\r\n\r\n");
	turn(api);
	CHECK(answers(fd, "HTTP/1.1 404") == 1);
	send_c(api, fd, "POST /api/y HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n12");
	turn(api);
	CHECK(f.n_calls == 3);
}

static void
test_large_answer(void)
{
	struct fake f;
	AUTO(api_free) struct api *api = start(&f);
	AUTO_CLOSE int fd = client();
	char text[65536];
	size_t n = 0;
	ssize_t k;
	int i;

	send_c(api, fd, "GET /api/large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	for (i = 0; i < 100; i++) {
		turn(api);
		while ((k = recv(fd, text, sizeof(text), 0)) > 0)
			n += (size_t)k;
	}
	CHECK(n > 200002 && n < 201000);
}

/* Told to come again: it waits without being asked, then is asked with all that it had. */
static void
test_call_later(void)
{
	struct fake f;
	AUTO(api_free) struct api *api = start(&f);
	AUTO_CLOSE int fd = client();
	AUTO_CLOSE int gone = client();

	f.later = true;
	send_c(api, fd, "POST /api/y?a=b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
	send_c(api, gone, "GET /api/z HTTP/1.1\r\nHost: x\r\n\r\n");
	turn(api);
	CHECK(f.n_calls == 2 && !api_waiting(api));
	api_again(api);
	CHECK(f.n_calls == 4 && answers(fd, "HTTP/1.1") == 0);
	(void)close(gone);
	gone = -1;
	f.later = false;
	api_again(api);
	turn(api);
	CHECK(answers(fd, "HTTP/1.1 202") == 1);
	f.later = true;
	send_c(api, fd, "GET /api/z HTTP/1.1\r\nHost: x\r\n\r\n");
	turn(api);
	api = api_free(api);
	CHECK(answers(fd, "HTTP/1.1 503") == 1);
}

/* ---- TCP ---- */

static const char where[] = "127.0.0.1:29428";

static int
visitor(void)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(29428) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	MUST(fd >= 0 && connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0);
	MUST(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
	return fd;
}

/* The status that a request of these headers gets; 0: none. */
static int
asked(struct api *api, const char *method, const char *path_and, const char *headers)
{
	AUTO_CLOSE int fd = visitor();
	char text[4096];
	ssize_t n;

	(void)snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\n%s\r\n", method, path_and, headers);
	send_c(api, fd, text);
	turn(api);
	n = recv(fd, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	if (strncmp(text, "HTTP/1.1 401", 12) == 0)
		CHECK(strstr(text, "WWW-Authenticate: Bearer") != NULL);
	return strncmp(text, "HTTP/1.1 ", 9) == 0 ? atoi(text + 9) : 0;
}

static void
test_token(void)
{
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	struct fake f;
	AUTO(api_free) struct api *api = start(&f);

	MUST(api_listen(api, str_c(where), STR("secret-token"), &why) == 0);
	CHECK(asked(api, "GET", "/health", "Host: h\r\n") == 200);
	CHECK(asked(api, "GET", "/metrics", "Host: h\r\n") == 200);
	CHECK(asked(api, "GET", "/status", "Host: h\r\n") == 401);
	CHECK(asked(api, "GET", "/nothing", "Host: h\r\n") == 401);
	CHECK(asked(api, "POST", "/api/y", "Host: h\r\nContent-Length: 5000000\r\n") == 401);
	CHECK(f.n_calls == 0);
	CHECK(asked(api, "GET", "/api/y", "Host: h\r\nAuthorization: Bearer secret-token\r\n") ==
	    202);
	CHECK(asked(api, "GET", "/api/y", "Host: h\r\nAuthorization: Bearer secret-tokem\r\n") ==
	    401);
	CHECK(asked(api, "GET", "/api/y", "Host: h\r\nAuthorization: Bearer secret-token2\r\n") ==
	    401);
	CHECK(asked(api, "GET", "/api/y", "Host: h\r\nAuthorization: Bearer\r\n") == 401);
	/* any:secret-token */
	CHECK(asked(api, "GET", "/api/y",
	          "Host: h\r\nAuthorization: Basic YW55OnNlY3JldC10b2tlbg==\r\n") == 202);
	CHECK(asked(api, "GET", "/api/y", "Host: h\r\nAuthorization: Basic c2VjcmV0LXRva2Vu\r\n") ==
	    401);
	CHECK(asked(api, "GET", "/api/y", "Host: h\r\nAuthorization: Basic !!!\r\n") == 401);
	/* A page of another site, with the password that the browser remembers. */
	CHECK(asked(api, "POST", "/api/y",
	          "Host: h:9428\r\nOrigin: http://evil\r\nContent-Length: 0\r\n"
	          "Authorization: Bearer secret-token\r\n") == 403);
	CHECK(asked(api, "POST", "/api/y",
	          "Host: h:9428\r\nOrigin: http://h:9428\r\nContent-Length: 0\r\n"
	          "Authorization: Bearer secret-token\r\n") == 202);
	/* The same address with another token, without a new socket. */
	MUST(api_listen(api, str_c(where), STR("other-token"), &why) == 0);
	CHECK(asked(api, "GET", "/api/y", "Host: h\r\nAuthorization: Bearer secret-token\r\n") ==
	    401);
	CHECK(
	    asked(api, "GET", "/api/y", "Host: h\r\nAuthorization: Bearer other-token\r\n") == 202);
}

static void
test_no_token(void)
{
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	struct fake f;
	AUTO(api_free) struct api *api = start(&f);

	MUST(api_listen(api, str_c(where), STR_NONE, &why) == 0);
	CHECK(asked(api, "GET", "/api/y", "Host: localhost:9428\r\n") == 202);
	CHECK(asked(api, "GET", "/api/y", "Host: 127.0.0.1\r\n") == 202);
	CHECK(asked(api, "GET", "/api/y", "Host: [::1]:9428\r\n") == 202);
	/* A name that somebody made point here. */
	CHECK(asked(api, "GET", "/api/y", "Host: evil.example\r\n") == 403);
	CHECK(asked(api, "GET", "/api/y", "Host: 127.evil.example\r\n") == 403);
	CHECK(asked(api, "GET", "/metrics", "Host: web1\r\n") == 200);
	CHECK(asked(api, "GET", "/api/y", "Host: localhost\r\nOrigin: null\r\n") == 403);
	CHECK(api_listen(api, STR("127.0.0.1:notaport"), STR_NONE, &why) < 0 && why.n > 0);
	CHECK(api_listen(api, STR("192.0.2.1:29429"), STR_NONE, &why) < 0);
	CHECK(api_listen(api, STR("example.org:29429"), STR_NONE, &why) < 0);
	/* What was open before stays. */
	CHECK(asked(api, "GET", "/api/y", "Host: localhost\r\n") == 202);
	api_unlisten(api);
	api_unlisten(api);
}

/* A socket that somebody else listens on, as systemd does; without a token it must be loopback's. */
static void
test_passed(void)
{
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(29428) };
	AUTO_CLOSE int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	AUTO_CLOSE int any = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct fake f;
	AUTO(api_free) struct api *api = start(&f);

	MUST(listen(any, 1) == 0);
	CHECK(api_listen_fd(api, any, str_c(where), STR_NONE, &why) == -EPERM && why.n > 0);
	CHECK(api_listen_fd(api, any, str_c("any"), STR("secret-token"), &why) == 0);
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	MUST(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)) == 0);
	MUST(bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0 && listen(fd, 8) == 0);
	MUST(api_listen_fd(api, fd, str_c(where), STR_NONE, &why) == 0);
	CHECK(asked(api, "GET", "/api/y", "Host: localhost\r\n") == 202);
	/* It is handed over again after it was shut. */
	api_unlisten(api);
	MUST(api_listen_fd(api, fd, str_c(where), STR_NONE, &why) == 0);
	CHECK(asked(api, "GET", "/api/y", "Host: localhost\r\n") == 202);
}

/* Lines come in over both doors and wait for one commit. */
static void
test_both_doors(void)
{
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	struct fake f;
	AUTO(api_free) struct api *api = start(&f);
	AUTO_CLOSE int one = client();
	AUTO_CLOSE int two = -1;

	MUST(api_listen(api, str_c(where), STR_NONE, &why) == 0);
	two = visitor();
	send_c(api, one, small);
	send_c(api, two,
	    "POST /insert/jsonline HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8\r\n\r\n{\"a\":1}\n");
	turn(api);
	CHECK(f.n_inserts == 2 && api_waiting(api));
	api_committed(api, true);
	turn(api);
	CHECK(answers(one, "HTTP/1.1 200") == 1 && answers(two, "HTTP/1.1 200") == 1);
}

static bool
is_shut(int fd)
{
	char c;

	return recv(fd, &c, 1, 0) == 0;
}

/* Two minutes later: who has not sent a whole request is put out, also one who sent a byte now and then; who waits for us is not. */
static void
test_slow(void)
{
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	struct fake f;
	AUTO(api_free) struct api *api = start(&f);
	AUTO_CLOSE int head = -1;
	AUTO_CLOSE int body = -1;
	AUTO_CLOSE int waits = -1;
	struct span later = mono_now();

	MUST(api_listen(api, str_c(where), STR_NONE, &why) == 0);
	head = visitor();
	body = visitor();
	waits = visitor();
	send_c(api, head, "GET /health HT");
	send_c(api, body, "POST /api/y HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n12");
	send_c(api, waits,
	    "POST /insert/jsonline HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8\r\n\r\n{\"a\":1}\n");
	turn(api);
	later.ns += (API_SLOW_S - 10) * NS_PER_S;
	door_sweep(&api->tcp_door, later);
	turn(api);
	CHECK(!is_shut(head) && !is_shut(body));
	send_c(api, body, "3");
	later.ns += 20 * NS_PER_S;
	door_sweep(&api->tcp_door, later);
	turn(api);
	CHECK(is_shut(head) && is_shut(body) && !is_shut(waits));
	api_committed(api, true);
	CHECK(answers(waits, "HTTP/1.1 200") == 1);
}

static void
test_token_file(void)
{
	AUTO_FINI(buf_fini) struct buf token = BUF_INIT;
	AUTO_FINI(buf_fini) struct buf again = BUF_INIT;
	char file[80];
	struct stat st;
	FILE *out;

	(void)snprintf(file, sizeof(file), "%s.token", path);
	CHECK(api_token_load(file, false, &token) == -ENOENT && token.n == 0);
	(void)umask(0);
	CHECK(api_token_load(file, true, &token) == 0 && token.n == 64);
	CHECK(stat(file, &st) == 0 && (st.st_mode & 0777) == 0640);
	CHECK(
	    api_token_load(file, true, &again) == 0 && str_eq(buf_view(&token), buf_view(&again)));
	out = fopen(file, "w");
	MUST(out != NULL && fputs(" short \n", out) >= 0 && fclose(out) == 0);
	CHECK(api_token_load(file, true, &again) == -EINVAL);
	(void)unlink(file);
}

int
main(void)
{
	static char dir[] = "/tmp/weir-api-XXXXXX";

	MUST(mkdtemp(dir) != NULL);
	(void)snprintf(path, sizeof(path), "%s/s", dir);
	test_waits_for_commit();
	test_pipelined();
	test_empty_body();
	test_cut();
	test_same_batch();
	test_huge_head();
	test_lost_piece();
	test_all_or_nothing();
	taken_partly(true);
	taken_partly(false);
	test_lost_later();
	test_held();
	test_end();
	test_calls();
	test_large_answer();
	test_call_later();
	test_token();
	test_no_token();
	test_passed();
	test_both_doors();
	test_slow();
	test_token_file();
	(void)rmdir(dir);
	return check_failed != 0;
}
