/*
 * alerts/mail_link.c - the connection to a smarthost.
 * One job: connect to whichever of its addresses answers, and move bytes; each wait with its end.
 * Floor: 4 (uses base).
 */
#include "alerts/mail_link.h"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

static bool
name_ok(struct str s, size_t max)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f || strchr("/@[]\"'\\", s.p[i]) != NULL)
			return false;
	return s.n > 0 && s.n <= max;
}

/* host:port, [::1]:port, or a host alone: 25. */
bool
mail_link_init(struct mail_link *l, const struct send_work *w, struct buf *why)
{
	struct str s = w->job->smarthost;
	size_t colon = s.n;

	*l = (struct mail_link){ .work = w, .fd = -1, .why = why, .port = STR("25") };
	while (colon > 0 && s.p[colon - 1] != ':' && s.p[colon - 1] != ']')
		colon--;
	l->host = s;
	if (colon > 0 && s.p[colon - 1] == ':') {
		l->host = str_sub(s, 0, colon - 1);
		l->port = str_sub(s, colon, s.n);
	}
	if (l->host.n > 2 && l->host.p[0] == '[' && l->host.p[l->host.n - 1] == ']')
		l->host = str_sub(l->host, 1, l->host.n - 1);
	l->implicit = str_eq_c(l->port, "465") || str_eq_c(l->port, "smtps") ||
	    str_eq_c(l->port, "submissions");
	if (name_ok(l->host, 253) && name_ok(l->port, 20))
		return true;
	buf_printf(why, "smarthost \"%.*s\" is no host:port", STR_ARG(s));
	return false;
}

void
mail_link_fini(struct mail_link *l)
{
	if (l->ssl != NULL) {
		(void)SSL_shutdown(l->ssl);
		SSL_free(l->ssl);
	}
	SSL_CTX_free(l->ctx);
	if (l->fd >= 0)
		(void)close(l->fd);
	l->ssl = NULL;
	l->ctx = NULL;
	l->fd = -1;
}

static int
ms_until(struct span until)
{
	int64_t ms = (until.ns - mono_now().ns + NS_PER_MS - 1) / NS_PER_MS;

	return ms < 0 ? 0 : ms > 600000 ? 600000 : (int)ms;
}

static bool
fd_wait(int fd, short events, struct span until)
{
	struct pollfd p = { .fd = fd, .events = events };
	int r;

	while ((r = poll(&p, 1, ms_until(until))) < 0 && errno == EINTR)
		continue;
	return r > 0;
}

/* A descriptor, or -errno. */
static int
connect_one(const struct addrinfo *a, struct span until)
{
	AUTO_CLOSE int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int e = 0;
	socklen_t n = sizeof(e);

	if (fd < 0)
		return -errno;
	if (connect(fd, a->ai_addr, a->ai_addrlen) < 0) {
		if (errno != EINPROGRESS)
			return -errno;
		if (!fd_wait(fd, POLLOUT, until))
			return -ETIMEDOUT;
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &n) < 0 || e != 0)
			return e != 0 ? -e : -errno;
	}
	return TAKE_FD(fd);
}

static void
address_text(const struct addrinfo *a, char *out, socklen_t n)
{
	if (getnameinfo(a->ai_addr, a->ai_addrlen, out, n, NULL, 0, NI_NUMERICHOST) != 0)
		out[0] = '\0';
}

static bool
connect_any(struct mail_link *l, const struct addrinfo *list)
{
	char text[NI_MAXHOST];
	const struct addrinfo *a;
	size_t before = l->why->n;

	for (a = list; a != NULL; a = a->ai_next) {
		int fd = connect_one(a, send_wait(l->work, MAIL_CONNECT_MS));

		if (fd >= 0) {
			l->why->n = before;
			l->fd = fd;
			return true;
		}
		address_text(a, text, sizeof(text));
		buf_printf(l->why, "%sconnect %s port %.*s: %s", l->why->n > before ? "; " : "",
		    text, STR_ARG(l->port), err_str(fd));
	}
	return false;
}

bool
mail_link_connect(struct mail_link *l)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_ADDRCONFIG };
	AUTO_FINI(buf_fini) struct buf host = BUF_INIT;
	AUTO_FINI(buf_fini) struct buf port = BUF_INIT;
	struct addrinfo *list = NULL;
	bool ok;
	int r;

	buf_str(&host, l->host);
	buf_str(&port, l->port);
	send_phase(l->work, "looking up the smarthost", false);
	r = getaddrinfo(buf_c_str(&host), buf_c_str(&port), &hints, &list);
	if (r != 0) {
		buf_printf(l->why, "look up %.*s: %s", STR_ARG(l->host),
		    r == EAI_SYSTEM ? err_str(-errno) : gai_strerror(r));
		return false;
	}
	send_phase(l->work, "connecting to the smarthost", false);
	ok = connect_any(l, list);
	freeaddrinfo(list);
	return ok;
}

bool
mail_link_wait(struct mail_link *l, struct span until)
{
	if (l->ssl != NULL && SSL_pending(l->ssl) > 0)
		return true;
	return fd_wait(l->fd, POLLIN, until);
}

int
mail_link_read(struct mail_link *l, void *p, size_t n)
{
	ssize_t k;
	int e;

	if (l->ssl != NULL) {
		k = SSL_read(l->ssl, p, n > 16384 ? 16384 : (int)n);
		if (k > 0)
			return (int)k;
		e = SSL_get_error(l->ssl, (int)k);
		return e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE ? 0 : -1;
	}
	k = recv(l->fd, p, n > 16384 ? 16384 : n, 0);
	if (k > 0)
		return (int)k;
	return k < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

/* Bytes that went, 0: wait for ${ret_events}, -1: the end. */
static ssize_t
write_some(struct mail_link *l, const uint8_t *p, size_t n, short *ret_events)
{
	ssize_t k;
	int e;

	*ret_events = POLLOUT;
	if (l->ssl != NULL) {
		k = SSL_write(l->ssl, p, n > 16384 ? 16384 : (int)n);
		if (k > 0)
			return k;
		e = SSL_get_error(l->ssl, (int)k);
		if (e == SSL_ERROR_WANT_READ)
			*ret_events = POLLIN;
		return e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE ? 0 : -1;
	}
	k = send(l->fd, p, n, MSG_NOSIGNAL);
	if (k > 0)
		return k;
	return k < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

bool
mail_link_write(struct mail_link *l, const void *p, size_t n, struct span until)
{
	const uint8_t *at = p;
	short events;
	ssize_t k;

	while (n > 0) {
		k = write_some(l, at, n, &events);
		if (k < 0) {
			buf_printf(l->why, "the connection was cut");
			return false;
		}
		if (k == 0 && !fd_wait(l->fd, events, until)) {
			buf_printf(l->why, "the server takes no more bytes");
			return false;
		}
		at += k;
		n -= (size_t)k;
	}
	return true;
}
