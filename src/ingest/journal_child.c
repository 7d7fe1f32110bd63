/*
 * ingest/journal_child.c - the reader as a process.
 * One job: start it, and learn how it ended.
 * Floor: 3 (uses base).
 */
#include "ingest/journal_child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/io.h"
#include "ingest/journal.h"

enum { CHILD_FD = 3, CHILD_PATIENCE_MS = 500, CHILD_OPTIONS_MS = 5000 };

/* Only calls that are safe after fork in a program with threads, up to the exec. */
static void
child_main(int fd, const char *program)
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
	if (program == NULL)
		_exit(journal_role_main(CHILD_FD));
	(void)execl(program, program, "--role=journal", (char *)NULL);
	_exit(3);
}

static int
child_tell(int fd, struct str s)
{
	while (s.n > 0) {
		ssize_t k = send(fd, s.p, s.n, MSG_NOSIGNAL);

		if (k > 0) {
			s = str_sub(s, (size_t)k, s.n);
		} else if (k < 0 && errno == EAGAIN) {
			struct pollfd pfd = { .fd = fd, .events = POLLOUT };

			if (poll(&pfd, 1, CHILD_OPTIONS_MS) == 0)
				return err_origin(-ETIMEDOUT);
		} else if (k < 0 && errno != EINTR) {
			return err_origin(-errno);
		}
	}
	return 0;
}

int
journal_child_start(struct journal_child *c, const char *program,
    const struct journal_proto_options *opt)
{
	AUTO_FINI(buf_fini) struct buf frame = BUF_INIT;
	AUTO_CLOSE int ours = -1;
	AUTO_CLOSE int theirs = -1;
	int pair[2];
	pid_t pid;
	int r;

	journal_proto_put_options(&frame, opt);
	r = buf_err(&frame);
	if (r != 0)
		return r;
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
		child_main(theirs, program);
	c->pid = pid;
	c->fd = TAKE_FD(ours);
	/* a reader that died at once shows as the end of its socket */
	(void)child_tell(c->fd, buf_view(&frame));
	return 0;
}

static enum journal_death
death_of(int status, bool hung, struct buf *why)
{
	int sig;

	if (WIFEXITED(status)) {
		if (WEXITSTATUS(status) == 0)
			return JOURNAL_DEATH_DONE;
		buf_printf(why, "exit code %d", WEXITSTATUS(status));
		return JOURNAL_DEATH_FAILED;
	}
	sig = WTERMSIG(status);
	if (hung) {
		buf_c(why, "it said nothing for too long");
		return JOURNAL_DEATH_CRASH;
	}
	buf_printf(why, "SIG%s", sigabbrev_np(sig) != NULL ? sigabbrev_np(sig) : "?");
	switch (sig) {
	case SIGABRT:
	case SIGBUS:
	case SIGSEGV:
	case SIGILL:
	case SIGFPE:
	case SIGTRAP:
	case SIGSYS:
		return JOURNAL_DEATH_CRASH;
	}
	return JOURNAL_DEATH_KILLED;
}

enum journal_death
journal_child_end(struct journal_child *c, bool hung, struct buf *why)
{
	int status = 0, waited_ms;
	pid_t r = 0;

	if (c->fd >= 0)
		(void)close(c->fd);
	c->fd = -1;
	if (c->pid == 0)
		return JOURNAL_DEATH_DONE;
	if (hung)
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
		return JOURNAL_DEATH_KILLED;
	}
	return death_of(status, hung, why);
}
