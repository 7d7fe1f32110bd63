/*
 * ingest/journal_child.c - the reader as a process.
 * One job: start it, and learn how it ended.
 * Floor: 3 (uses base).
 */
#include "ingest/journal_child.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/role.h"
#include "ingest/journal.h"

enum { CHILD_OPTIONS_MS = 5000 };

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
	const char *const argv[] = { program, "--role=journal", NULL };
	int r;

	journal_proto_put_options(&frame, opt);
	r = buf_err(&frame);
	if (r == 0)
		r = role_start(program != NULL ? argv : NULL, journal_role_main, &c->pid, &c->fd);
	if (r != 0)
		return err_trace(r);
	/* a reader that died at once shows as the end of its socket */
	(void)child_tell(c->fd, buf_view(&frame));
	return 0;
}

static enum journal_death
death_of(int status, bool hung, struct buf *why)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return JOURNAL_DEATH_DONE;
	if (WIFSIGNALED(status) && hung) {
		buf_c(why, "it said nothing for too long");
		return JOURNAL_DEATH_CRASH;
	}
	role_end_text(status, why);
	if (WIFEXITED(status))
		return JOURNAL_DEATH_FAILED;
	switch (WTERMSIG(status)) {
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
	int status, r;

	if (c->fd >= 0)
		(void)close(c->fd);
	c->fd = -1;
	if (c->pid == 0)
		return JOURNAL_DEATH_DONE;
	r = role_end(c->pid, hung, &status);
	c->pid = 0;
	if (r != 0) {
		buf_c(why, "it ended");
		return JOURNAL_DEATH_KILLED;
	}
	return death_of(status, hung, why);
}
