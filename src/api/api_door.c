/*
 * api/api_door.c - ways in.
 * One job: listen on TCP, run one HTTP server a door, put out visitors who do not get on.
 * Floor: 5 (uses base).
 *
 * The server closes what is silent; a visitor who sends a byte now and then is not silent, and could hold a place for ever.
 */
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "api/api_internal.h"

/* ---- listening ---- */

static int
listen_on(const struct addrinfo *at)
{
	AUTO_CLOSE int fd = -1;
	int on = 1;

	fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_origin(-errno);
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0)
		return err_origin(-errno);
	/* [::] is not 0.0.0.0 as well: what is listened on is what was written. */
	if (at->ai_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) != 0)
		return err_origin(-errno);
	if (bind(fd, at->ai_addr, at->ai_addrlen) != 0 || listen(fd, API_CONNECTIONS_MAX) != 0)
		return err_origin(-errno);
	return TAKE_FD(fd);
}

/* Cut where there is no room: then it is no address either. */
static void
copy_text(char *to, size_t room, struct str s)
{
	size_t n = s.n < room ? s.n : room - 1;

	if (n > 0)
		memcpy(to, s.p, n);
	to[n] = '\0';
}

int
listen_tcp(struct str address, struct buf *why)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
		.ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	char host[128], port[16];
	struct str name;
	size_t i;
	int fd;

	for (i = address.n; i > 0 && address.p[i - 1] != ':'; i--)
		;
	name = str_sub(address, 0, i > 0 ? i - 1 : 0);
	if (name.n > 2 && name.p[0] == '[' && name.p[name.n - 1] == ']')
		name = str_sub(name, 1, name.n - 1);
	if (str_eq(name, STR("localhost")))
		name = STR("127.0.0.1");
	copy_text(host, sizeof(host), name);
	copy_text(port, sizeof(port), str_sub(address, i, address.n));
	if (name.n == 0 || getaddrinfo(host, port, &hints, &found) != 0) {
		buf_printf(why, "%.*s: expected address:port, with an address of this machine",
		    STR_ARG(address));
		return err_origin(-EINVAL);
	}
	fd = listen_on(found);
	freeaddrinfo(found);
	if (fd < 0)
		buf_printf(why, "%.*s: %s", STR_ARG(address), err_str(fd));
	return fd;
}

bool
listen_is_local(int fd)
{
	struct sockaddr_storage sa = { 0 };
	socklen_t n = sizeof(sa);
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (getsockname(fd, (struct sockaddr *)&sa, &n) != 0)
		return false;
	memcpy(&in, &sa, sizeof(in));
	memcpy(&in6, &sa, sizeof(in6));
	if (sa.ss_family == AF_INET)
		return ntohl(in.sin_addr.s_addr) >> 24 == 127;
	return sa.ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr);
}

/* ---- visitors ---- */

static void
visitor_came(struct door *door, struct MHD_Connection *conn, void **place)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(conn, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct visitor *v = calloc(1, sizeof(*v));

	*place = v;
	if (v == NULL)
		return; /* it is only never put out */
	v->fd = info != NULL ? info->connect_fd : -1;
	v->since = mono_now();
	v->next = door->visitors;
	v->at_prev = &door->visitors;
	if (v->next != NULL)
		v->next->at_prev = &v->next;
	door->visitors = v;
}

static void
visitor_went(void **place)
{
	struct visitor *v = *place;

	if (v == NULL)
		return;
	*v->at_prev = v->next;
	if (v->next != NULL)
		v->next->at_prev = v->at_prev;
	free(v);
	*place = NULL;
}

static void
on_connection(void *cls, struct MHD_Connection *conn, void **place,
    enum MHD_ConnectionNotificationCode code)
{
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		visitor_came(cls, conn, place);
	else
		visitor_went(place);
}

void
door_progress(struct MHD_Connection *conn, bool ours)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(conn, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct visitor *v = info != NULL ? info->socket_context : NULL;

	if (v == NULL)
		return;
	v->since = mono_now();
	v->ours = ours;
}

void
door_sweep(struct door *door, struct span now)
{
	struct visitor *v;

	for (v = door->visitors; v != NULL; v = v->next)
		if (v->fd >= 0 && !v->ours && now.ns - v->since.ns > API_SLOW_S * NS_PER_S)
			(void)shutdown(v->fd, SHUT_RDWR); /* the server closes it then */
}

/* ---- the door ---- */

int
door_open(struct api *api, struct door *door, int fd, MHD_AccessHandlerCallback handler)
{
	struct epoll_event event = { .events = EPOLLIN };
	const union MHD_DaemonInfo *info;

	door->api = api;
	door->fd = fd;
	door->mhd = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
	    handler, door, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
	    (unsigned)API_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)API_TIMEOUT_S,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)(128 << 10), MHD_OPTION_NOTIFY_COMPLETED,
	    request_completed, NULL, MHD_OPTION_NOTIFY_CONNECTION, on_connection, door,
	    MHD_OPTION_END);
	if (door->mhd == NULL) {
		(void)close(fd);
		door->fd = -1;
		return err_origin(-EIO);
	}
	info = MHD_get_daemon_info(door->mhd, MHD_DAEMON_INFO_EPOLL_FD);
	if (info == NULL || epoll_ctl(api->epoll_fd, EPOLL_CTL_ADD, info->epoll_fd, &event) != 0) {
		door_close(door);
		return err_origin(-EIO);
	}
	return 0;
}

void
door_close(struct door *door)
{
	/* The server closes the listening socket, and its own epoll descriptor leaves ours with it. */
	if (door->mhd != NULL)
		MHD_stop_daemon(door->mhd);
	door->mhd = NULL;
	door->fd = -1;
	free(door->token);
	free(door->address);
	door->token = door->address = NULL;
}
