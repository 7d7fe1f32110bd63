/*
 * alerts/sender_child.c - the send process, from outside.
 * One job: start it or connect to its unit, and end it.
 * Floor: 4 (uses base).
 */
#include "alerts/sender_child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/io.h"

enum { CHILD_FD = 3, CHILD_PATIENCE_MS = 500 };

/* Only calls that are safe after fork in a program with threads. */
static void
child_main(int fd, const char *secrets, const char *program)
{
	sigset_t none;
	int sig, null;

	(void)sigemptyset(&none);
	for (sig = 1; sig < NSIG; sig++)
		(void)signal(sig, SIG_DFL);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0)
		(void)dup2(null, STDIN_FILENO);
	if (fd != CHILD_FD && dup2(fd, CHILD_FD) < 0)
		_exit(3);
	(void)fcntl(CHILD_FD, F_SETFD, 0);
	(void)close_range(CHILD_FD + 1, ~0U, 0);
	if (secrets != NULL)
		(void)execl(program, program, "--role=send", "--secrets", secrets, (char *)NULL);
	else
		(void)execl(program, program, "--role=send", (char *)NULL);
	_exit(3);
}

static int
child_run(struct sender_child *c, const char *secrets, const char *program)
{
	AUTO_CLOSE int ours = -1;
	AUTO_CLOSE int theirs = -1;
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_origin(-errno);
	ours = pair[0];
	theirs = pair[1];
	if (fcntl(ours, F_SETFL, O_NONBLOCK) < 0)
		return err_origin(-errno);
	pid = fork();
	if (pid < 0)
		return err_origin(-errno);
	if (pid == 0)
		child_main(theirs, secrets, program);
	c->pid = pid;
	c->fd = TAKE_FD(ours);
	return 0;
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
	int status = 0, waited_ms, sig;
	pid_t r = 0;

	if (c->fd >= 0 && c->pid == 0)
		buf_c(why, "its connection ended");
	if (c->fd >= 0)
		(void)close(c->fd);
	c->fd = -1;
	if (c->pid == 0)
		return;
	/* its jobs die with it */
	if (hurry)
		(void)kill(c->pid, SIGKILL);
	for (waited_ms = 0; r == 0 && waited_ms < CHILD_PATIENCE_MS; waited_ms += 5) {
		r = waitpid(c->pid, &status, WNOHANG);
		if (r == 0)
			(void)poll(NULL, 0, 5);
	}
	if (r == 0) {
		(void)kill(c->pid, SIGKILL);
		while ((r = waitpid(c->pid, &status, 0)) < 0 && errno == EINTR)
			continue;
	}
	c->pid = 0;
	if (r < 0) {
		/* somebody else waited for it: nothing is known */
		buf_c(why, "it ended");
	} else if (WIFEXITED(status)) {
		buf_printf(why, "exit code %d", WEXITSTATUS(status));
	} else {
		sig = WTERMSIG(status);
		buf_printf(why, "SIG%s", sigabbrev_np(sig) != NULL ? sigabbrev_np(sig) : "?");
	}
}
