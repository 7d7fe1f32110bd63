/*
 * cli/socket.c - the daemon's control socket.
 * One job: one HTTP request over DIR/weir.sock.
 * Floor: 6 (uses base).
 *
 * HTTP/1.1 as far as our own daemon speaks it: an answer has a Content-Length, or ends with the connection, or
 * comes in chunks.
 */
#include "cli/socket.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/io.h"

enum { ANSWER_MAX = 64 << 20 };

int
socket_open(const char *store, int *ret_fd)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	AUTO_CLOSE int fd = -1;

	if (snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/weir.sock", store) >=
	    (int)sizeof(addr.sun_path))
		return SOCKET_E_NONE;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_origin(-errno);
	if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) != 0)
		return errno == ENOENT || errno == ECONNREFUSED ? SOCKET_E_NONE
		                                                : err_origin(-errno);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* At least one more byte; 1 at the end. */
static int
read_more(int fd, struct buf *in)
{
	size_t got = 0;
	int r;

	if (in->n > ANSWER_MAX)
		return err_origin(-EMSGSIZE);
	if (!buf_grow(in, 65536))
		return err_origin(-ENOMEM);
	r = io_read(fd, in->p + in->n, in->cap - in->n, &got);
	in->n += got;
	return r < 0 ? err_trace(r) : got == 0;
}

/* The value of a header, trimmed; nothing when it is not there. */
static struct str
header(struct str head, const char *name)
{
	struct str line;
	size_t end, colon;

	while (head.n > 0) {
		end = str_find_byte(head, '\n');
		line = str_sub(head, 0, end);
		head = str_sub(head, line.n + 1, head.n);
		colon = str_find_byte(line, ':');
		if (colon != SIZE_MAX && str_eq_nocase(str_sub(line, 0, colon), str_c(name)))
			return str_trim(str_sub(line, colon + 1, line.n));
	}
	return STR_NONE;
}

/* Chunks to plain bytes: 0, 1 when more is needed, SOCKET_E_ANSWER. */
static int
join_chunks(struct str in, struct buf *out)
{
	size_t end, n, i;

	buf_clear(out);
	for (;;) {
		end = str_find(in, STR("\r\n"));
		if (end == SIZE_MAX)
			return 1;
		for (i = 0, n = 0; i < end; i++) {
			uint8_t c = str_lower_byte(in.p[i]);

			if (c == ';')
				break;
			if (n > ANSWER_MAX || !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
				return SOCKET_E_ANSWER;
			n = n * 16 + (size_t)(c <= '9' ? c - '0' : c - 'a' + 10);
		}
		if (n == 0)
			return 0;
		if (in.n < end + 2 + n + 2)
			return 1;
		buf_put(out, in.p + end + 2, n);
		in = str_sub(in, end + 2 + n + 2, in.n);
	}
}

static int
read_body(int fd, struct buf *in, size_t body_at, struct buf *answer)
{
	struct str head = str_of(in->p, body_at), length = header(head, "Content-Length");
	bool chunked = str_eq_nocase(header(head, "Transfer-Encoding"), STR("chunked"));
	size_t want = SIZE_MAX, i;
	int r = 0;

	if (length.n > 0 && length.n < 10)
		for (i = 0, want = 0; i < length.n; i++) {
			if (length.p[i] < '0' || length.p[i] > '9')
				return SOCKET_E_ANSWER;
			want = want * 10 + (size_t)(length.p[i] - '0');
		}
	while (r == 0) {
		if (chunked) {
			r = join_chunks(str_of(in->p + body_at, in->n - body_at), answer);
			if (r != 1)
				return r;
		} else if (want != SIZE_MAX && in->n - body_at >= want) {
			break;
		}
		r = read_more(fd, in);
	}
	if (r < 0)
		return err_trace(r);
	if (chunked || (want != SIZE_MAX && in->n - body_at < want))
		return SOCKET_E_ANSWER;
	buf_put(answer, in->p + body_at, want != SIZE_MAX ? want : in->n - body_at);
	return buf_err(answer);
}

static int
read_answer(int fd, int *ret_status, struct buf *answer)
{
	AUTO_FINI(buf_fini) struct buf in = BUF_INIT;
	size_t end;
	int r;

	do {
		r = read_more(fd, &in);
		if (r < 0)
			return err_trace(r);
		end = str_find(buf_view(&in), STR("\r\n\r\n"));
	} while (r == 0 && end == SIZE_MAX);
	if (end == SIZE_MAX || in.n < 12 || !str_starts(buf_view(&in), STR("HTTP/1.")))
		return SOCKET_E_ANSWER;
	*ret_status = (in.p[9] - '0') * 100 + (in.p[10] - '0') * 10 + in.p[11] - '0';
	return err_trace(read_body(fd, &in, end + 4, answer));
}

int
socket_request(int fd, const char *method, const char *path, const char *headers, struct str body,
    int *ret_status, struct buf *answer)
{
	AUTO_FINI(buf_fini) struct buf head = BUF_INIT;
	int r;

	buf_printf(&head, "%s %s HTTP/1.1\r\nHost: localhost\r\n%sContent-Length: %zu\r\n\r\n",
	    method, path, headers, body.n);
	r = buf_err(&head);
	if (r == 0)
		r = io_write(fd, head.p, head.n);
	if (r == 0 && body.n > 0)
		r = io_write(fd, body.p, body.n);
	if (r < 0)
		return err_trace(r);
	buf_clear(answer);
	return err_trace(read_answer(fd, ret_status, answer));
}
