/*
 * store/lock.c - one writer.
 * One job: see to it that one process writes, and say who does.
 * Floor: 2 (uses base).
 *
 * The kernel drops the lock with the process, however it ends: nothing is ever stale, and the number in the file
 * is for people only.
 */
#include "store/lock.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>

#include "base/io.h"

static void
say_holder(int fd, struct buf *out)
{
	char text[24];
	size_t n = 0;

	if (io_pread(fd, text, sizeof(text), 0, &n) < 0)
		n = 0;
	while (n > 0 && (text[n - 1] < '0' || text[n - 1] > '9'))
		n--;
	if (n > 0)
		buf_printf(out, "another process writes here: pid %.*s", (int)n, text);
	else
		buf_c(out, "another process writes here");
}

int
lock_take(int dir_fd, mode_t mode, int *ret_fd, struct buf *ret_holder)
{
	AUTO_CLOSE int fd = -1;
	char text[24];
	int n, r;

	fd = io_open(dir_fd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_NOCTTY, mode);
	if (fd < 0)
		return err_trace(fd);
	do
		r = flock(fd, LOCK_EX | LOCK_NB);
	while (r < 0 && errno == EINTR);
	if (r < 0 && errno == EWOULDBLOCK) {
		say_holder(fd, ret_holder);
		return LOCK_E_HELD;
	}
	if (r < 0)
		return err_origin(-errno);
	/* The number is a courtesy: a full disk must not keep the store shut. */
	n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	if (io_truncate(fd, 0) == 0)
		(void)io_pwrite(fd, text, (size_t)n, 0);
	*ret_fd = TAKE_FD(fd);
	return 0;
}
