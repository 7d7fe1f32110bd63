/*
 * alerts/mail_relay.c - between libesmtp and the smarthost.
 * One job: carry bytes both ways, with an end to every wait, and only what the dialogue allows.
 * Floor: 4 (uses base).
 *
 * The listener is on loopback, where other users of the host may knock too: a connection counts only when its other end is a
 * descriptor of this process.
 */
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "alerts/mail_link.h"

enum { RELAY_ACCEPT_MS = 5000, RELAY_FDS = 256, RELAY_CHUNK = 16 << 10 };

int
mail_relay_listen(unsigned *ret_port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	AUTO_CLOSE int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t n = sizeof(at);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 4) < 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &n) < 0)
		return err_origin(-errno);
	*ret_port = ntohs(at.sin_port);
	return TAKE_FD(fd);
}

/* Whether a descriptor of ours is the other end. */
static bool
peer_is_own(int fd)
{
	struct sockaddr_in peer = { 0 }, mine;
	socklen_t n = sizeof(peer);
	int i;

	if (getpeername(fd, (struct sockaddr *)&peer, &n) < 0 || n != sizeof(peer))
		return false;
	for (i = 0; i < RELAY_FDS; i++) {
		n = sizeof(mine);
		memset(&mine, 0, sizeof(mine));
		if (i != fd && getsockname(i, (struct sockaddr *)&mine, &n) == 0 &&
		    n == sizeof(mine) && mine.sin_family == AF_INET &&
		    mine.sin_port == peer.sin_port && mine.sin_addr.s_addr == peer.sin_addr.s_addr)
			return true;
	}
	return false;
}

static int
relay_accept(const struct mail_link *l, int listener)
{
	struct span until = send_wait(l->work, RELAY_ACCEPT_MS);
	struct pollfd p = { .fd = listener, .events = POLLIN };

	while (mono_now().ns < until.ns) {
		AUTO_CLOSE int fd = -1;

		if (poll(&p, 1, 50) <= 0)
			continue;
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0 && peer_is_own(fd))
			return TAKE_FD(fd);
	}
	return -1;
}

/* Our own side is a pipe in memory: a short wait is enough. */
static bool
own_write(int fd, const uint8_t *p, size_t n, struct span until)
{
	struct pollfd w = { .fd = fd, .events = POLLOUT };
	ssize_t k;

	while (n > 0) {
		k = send(fd, p, n, MSG_NOSIGNAL);
		if (k > 0) {
			p += k;
			n -= (size_t)k;
		} else if (k < 0 && errno != EAGAIN && errno != EINTR) {
			return false;
		} else if (poll(&w, 1, 100) == 0 && mono_now().ns >= until.ns) {
			return false;
		}
	}
	return true;
}

/* What the wait is for, and how long it may take. */
static int64_t
relay_patience(const struct mail_talk *t)
{
	return t->in_data || (t->n > 0 && t->waits[t->first] == TALK_DOT) ? MAIL_DATA_MS
	                                                                  : MAIL_REPLY_MS;
}

/* false: the relay is over. */
static bool
relay_up(struct mail_link *l, struct mail_talk *t, int own, struct span until)
{
	uint8_t chunk[RELAY_CHUNK];
	bool ended = t->ended;
	size_t whys = l->why->n;
	ssize_t k;

	k = recv(own, chunk, sizeof(chunk), 0);
	if (k < 0)
		return errno == EAGAIN || errno == EINTR;
	if (k == 0 || !mail_talk_up(t, str_of(chunk, (size_t)k), l->why))
		return false;
	if (!ended && t->ended)
		send_phase(l->work, "waiting for the answer to the message", true);
	if (mail_link_write(l, chunk, (size_t)k, until))
		return true;
	t->cut = l->why->n > whys;
	return false;
}

static bool
relay_down(struct mail_link *l, struct mail_talk *t, int own, struct span until)
{
	uint8_t chunk[RELAY_CHUNK];
	int k = mail_link_read(l, chunk, sizeof(chunk));

	if (k <= 0)
		return k == 0;
	return mail_talk_down(t, str_of(chunk, (size_t)k), l->why) &&
	    own_write(own, chunk, (size_t)k, until);
}

static void
relay_run(struct mail_link *l, struct mail_talk *t, int own)
{
	const char *phase = mail_talk_phase(t), *next;
	struct span until = send_wait(l->work, relay_patience(t));
	struct pollfd p[2] = { { own, POLLIN, 0 }, { l->fd, POLLIN, 0 } };
	bool go_on = true;

	while (go_on) {
		int64_t left = until.ns - mono_now().ns;

		if (left <= 0) {
			buf_printf(l->why, "%s: no answer in time", phase);
			t->cut = true;
			return;
		}
		if (l->ssl == NULL || SSL_pending(l->ssl) == 0) {
			(void)poll(p, 2, (int)(left / NS_PER_MS) + 1);
		} else {
			p[1].revents = POLLIN;
			p[0].revents = 0;
		}
		if (p[1].revents != 0)
			go_on = relay_down(l, t, own, until);
		if (go_on && p[0].revents != 0)
			go_on = relay_up(l, t, own, until);
		/* each step of the dialogue has its time; dripping bytes win none */
		next = mail_talk_phase(t);
		if (next != phase) {
			phase = next;
			until = send_wait(l->work, relay_patience(t));
		}
	}
}

void
mail_relay(struct mail_link *l, struct mail_talk *t, struct str greeting, int listener)
{
	AUTO_CLOSE int own = relay_accept(l, listener);

	if (own < 0) {
		buf_c(l->why, "the way through loopback is closed");
		t->cut = true;
		return;
	}
	if (own_write(own, greeting.p, greeting.n, send_wait(l->work, MAIL_REPLY_MS)))
		relay_run(l, t, own);
}
