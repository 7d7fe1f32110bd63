/*
 * daemon/http.c - HTTP for others than this host's users.
 * One job: listen where the configuration says, with the token that it wants.
 * Floor: 6 (uses api, config, base).
 *
 * The shipped unit has no network of its own: there systemd listens (weir-http.socket) and hands the socket over.
 * The token is a file of the store's folder, so that who may read the store may ask over TCP as well.
 */
#include <systemd/sd-daemon.h>

#include "daemon/daemon_internal.h"
#include "daemon/say.h"

static int
http_token(const struct daemon *d, struct buf *ret)
{
	AUTO_FINI(buf_fini) struct buf path = BUF_INIT;
	int r;

	buf_printf(&path, "%s/http.token", d->setup->store_path);
	if (buf_err(&path) < 0)
		return err_origin(-ENOMEM);
	r = api_token_load(buf_c_str(&path), true, ret);
	if (r == -EINVAL)
		say(SAY_ERR,
		    "HTTP is off: %s: expected a token of 8 to %d visible bytes; remove it and another one is made",
		    buf_c_str(&path), API_TOKEN_MAX);
	else if (r < 0)
		say(SAY_ERR, "HTTP is off: %s: %s", buf_c_str(&path), err_str(r));
	return r;
}

/* A TCP socket that systemd listens on for us; -1: none. */
static int
passed_socket(void)
{
	int n = sd_listen_fds(0), i;

	for (i = 0; i < n; i++)
		if (sd_is_socket_inet(SD_LISTEN_FDS_START + i, AF_UNSPEC, SOCK_STREAM, 1, 0) > 0)
			return SD_LISTEN_FDS_START + i;
	return -1;
}

void
http_open(struct daemon *d)
{
	AUTO_FINI(buf_fini) struct buf token = BUF_INIT;
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	const struct config *c = d->setup->config;
	int r, fd = passed_socket();

	if (d->api == NULL)
		return;
	/* A door that cannot be guarded as it should be stays shut. */
	if (!c->http.on || (c->http.auth == CONFIG_AUTH_TOKEN && http_token(d, &token) < 0)) {
		api_unlisten(d->api);
		return;
	}
	r = fd >= 0 ? api_listen_fd(d->api, fd, c->http.listen, buf_view(&token), &why)
	            : api_listen(d->api, c->http.listen, buf_view(&token), &why);
	if (r < 0)
		say(SAY_ERR, "HTTP does not listen: %s", why.n > 0 ? buf_c_str(&why) : err_str(r));
}
