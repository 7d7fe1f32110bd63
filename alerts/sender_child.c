/*
 * alerts/sender_child.c - the send process, from outside.
 * One job: start it or connect to its unit, and end it.
 * Floor: 4 (uses base).
 */
#include "alerts/sender_child.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "base/role.h"

static int
child_run(struct sender_child *c, const char *secrets, const char *program)
{
	const char *const argv[] = { program, "--role=send", secrets != NULL ? "--secrets" : NULL,
		secrets, NULL };

	return err_trace(role_start(argv, NULL, &c->pid, &c->fd));
}

static int
child_connect(struct sender_child *c, const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	AUTO_CLOSE int fd = -1;

	if (strlen(path) >= sizeof(at.sun_path))
		return err_origin(-ENAMETOOLONG);
	memcpy(at.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&at, sizeof(at)) < 0)
		return err_origin(-errno);
	c->pid = 0;
	c->fd = TAKE_FD(fd);
	return 0;
}

int
sender_child_start(struct sender_child *c, const char *socket, const char *secrets,
    const char *program)
{
	return socket != NULL ? child_connect(c, socket) : child_run(c, secrets, program);
}

void
sender_child_end(struct sender_child *c, bool hurry, struct buf *why)
{
	int status;

	if (c->fd >= 0 && c->pid == 0)
		buf_c(why, "its connection ended");
	if (c->fd >= 0)
		(void)close(c->fd);
	c->fd = -1;
	if (c->pid == 0)
		return;
	/* its jobs die with it */
	if (role_end(c->pid, hurry, &status) == 0)
		role_end_text(status, why);
	else
		buf_c(why, "it ended");
	c->pid = 0;
}
