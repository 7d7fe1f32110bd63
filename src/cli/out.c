/*
 * cli/out.c - standard output.
 * One job: results to a terminal, a pager, a pipe or a file, and what went wrong on the way.
 * Floor: 6 (uses base).
 */
#include "cli/out.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "base/io.h"
#include "cli/say.h"

enum { WIDTH_DEFAULT = 80, HEIGHT_DEFAULT = 24, HELD_MAX = 4 << 20 };

static bool
is_set(const char *name)
{
	const char *v = getenv(name);

	return v != NULL && *v != '\0';
}

void
out_init(struct out *o, bool pager, bool color)
{
	struct winsize size = { 0 };
	const char *term = getenv("TERM");

	*o = (struct out){ .fd = STDOUT_FILENO };
	o->terminal = isatty(STDOUT_FILENO) == 1;
	o->width = WIDTH_DEFAULT;
	o->height = HEIGHT_DEFAULT;
	/* A terminal of width 0 does not know its size. */
	if (o->terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
		o->width = size.ws_col;
		o->height = size.ws_row > 1 ? size.ws_row : HEIGHT_DEFAULT;
	}
	o->color = color && o->terminal && !is_set("NO_COLOR") &&
	    (term == NULL || strcmp(term, "dumb") != 0);
	o->wants_pager = pager && o->terminal;
}

static bool
is_installed(const char *program)
{
	const char *path = getenv("PATH");
	struct str rest = str_c(path != NULL ? path : "/usr/bin:/bin"), dir;
	char file[PATH_MAX];

	while (rest.n > 0) {
		dir = str_sub(rest, 0, str_find_byte(rest, ':'));
		rest = str_sub(rest, dir.n + 1, rest.n);
		if (snprintf(file, sizeof(file), "%.*s/%s", STR_ARG(dir), program) <
		        (int)sizeof(file) &&
		    access(file, X_OK) == 0)
			return true;
	}
	return false;
}

/* What the user set is taken at its word; small systems have no less. */
static const char *
pager_command(void)
{
	if (getenv("WEIR_PAGER") != NULL)
		return getenv("WEIR_PAGER");
	if (is_set("PAGER"))
		return getenv("PAGER");
	return is_installed("less") ? "less -FRX" : "";
}

/* Start the pager and write to it from now on; without one, to the terminal. */
static void
start_pager(struct out *o)
{
	const char *command = pager_command();
	int fds[2];

	o->wants_pager = false;
	if (*command == '\0' || strcmp(command, "cat") == 0 || pipe2(fds, O_CLOEXEC) != 0)
		return;
	o->pager = fork();
	if (o->pager == 0) {
		(void)dup2(fds[0], STDIN_FILENO);
		(void)signal(SIGPIPE, SIG_DFL);
		(void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	(void)close(fds[0]);
	if (o->pager < 0) {
		o->pager = 0;
		(void)close(fds[1]);
		return;
	}
	o->fd = fds[1];
}

static int
write_now(struct out *o, const void *p, size_t n)
{
	int r;

	if (o->closed)
		return -ECANCELED;
	r = io_write(o->fd, p, n);
	if (r == -EPIPE) {
		o->closed = true;
		return -ECANCELED;
	}
	if (r < 0)
		o->err = r;
	return err_trace(r);
}

static int
write_held(struct out *o)
{
	int r = o->held.n > 0 ? write_now(o, o->held.p, o->held.n) : 0;

	buf_clear(&o->held);
	return err_trace(r);
}

int
out_write(void *ctx, const void *p, size_t n)
{
	const uint8_t *bytes = p;
	struct out *o = ctx;
	size_t i;

	if (!o->wants_pager)
		return write_now(o, p, n);
	buf_put(&o->held, p, n);
	if (o->held.failed)
		return err_origin(-ENOMEM);
	for (i = 0; i < n; i++)
		o->n_lines += bytes[i] == '\n';
	if (o->n_lines + 1 < o->height && o->held.n < HELD_MAX &&
	    o->held.n < (size_t)o->width * o->height)
		return 0;
	start_pager(o);
	return err_trace(write_held(o));
}

int
out_finish(struct out *o, int exit)
{
	int r = 0, status;

	o->wants_pager = false;
	(void)write_held(o);
	if (o->pager > 0) {
		(void)close(o->fd);
		while (waitpid(o->pager, &status, 0) < 0 && errno == EINTR)
			continue;
		o->pager = 0;
	} else if (!o->closed && o->err == 0 && o->fd == STDOUT_FILENO) {
		/* A full disk behind NFS tells it only at close; dup keeps the number occupied. */
		int copy = dup(o->fd);

		r = copy >= 0 && close(copy) != 0 ? -errno : 0;
	}
	buf_fini(&o->held);
	if (o->err == 0 && r < 0)
		o->err = r;
	if (o->err != 0)
		return cli_fail(CLI_FAILED, "write failed: standard output: %s", err_str(o->err));
	return exit;
}
