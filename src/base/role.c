/*
 * base/role.c - a part of the program as a process of its own.
 * One job: start it on a socket pair, and wait for its end.
 * Floor: 0.
 */
#include "base/role.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/err.h"
#include "base/own.h"

enum { ROLE_FAILED = 3, ROLE_WAIT_MS = 5 };

/* Only calls that are safe after fork in a program with threads, up to the exec. */
static void
child_main(int fd, const char *const *argv, int (*run)(int fd))
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
	if (fd != ROLE_FD && dup2(fd, ROLE_FD) < 0)
		_exit(ROLE_FAILED);
	(void)fcntl(ROLE_FD, F_SETFD, 0);
	(void)close_range(ROLE_FD + 1, ~0U, 0);
	if (argv == NULL)
		_exit(run(ROLE_FD));
	/* exec does not write to them; its prototype is older than const */
	(void)execv(argv[0], (char *const *)(uintptr_t)argv);
	_exit(ROLE_FAILED);
}

int
role_start(const char *const *argv, int (*run)(int fd), pid_t *ret_pid, int *ret_fd)
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
		child_main(theirs, argv, run);
	*ret_pid = pid;
	*ret_fd = TAKE_FD(ours);
	return 0;
}

int
role_end(pid_t pid, bool hurry, int *ret_status)
{
	int status = 0, waited_ms;
	pid_t r = 0;

	if (hurry)
		(void)kill(pid, SIGKILL);
	for (waited_ms = 0; r == 0 && waited_ms < ROLE_PATIENCE_MS; waited_ms += ROLE_WAIT_MS) {
		r = waitpid(pid, &status, WNOHANG);
		if (r == 0)
			(void)poll(NULL, 0, ROLE_WAIT_MS);
	}
	if (r == 0) {
		(void)kill(pid, SIGKILL);
		while ((r = waitpid(pid, &status, 0)) < 0 && errno == EINTR)
			continue;
	}
	if (r < 0)
		return ROLE_E_UNKNOWN;
	*ret_status = status;
	return 0;
}

void
role_end_text(int status, struct buf *out)
{
	const char *name;

	if (WIFEXITED(status)) {
		buf_printf(out, "exit code %d", WEXITSTATUS(status));
		return;
	}
	name = sigabbrev_np(WTERMSIG(status));
	buf_printf(out, "SIG%s", name != NULL ? name : "?");
}
