/*
 * base/io.c - file I/O.
 * One job: whole reads, writes and syncs, through one table that a test can replace.
 * Floor: 0.
 */
#include "base/io.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum { FILES_WANTED = 65536 };

static io_hook_fn hook;
static void *hook_ctx;

void
io_set_hook(io_hook_fn fn, void *ctx)
{
	hook = fn;
	hook_ctx = ctx;
}

static int
ask_hook(enum io_op op, const char *path, size_t n)
{
	return hook == NULL ? 0 : hook(hook_ctx, op, path, n);
}

int
io_open(int dir_fd, const char *path, int flags, mode_t mode)
{
	int fd, r = ask_hook(IO_OPEN, path, 0);

	if (r != 0)
		return err_origin(r);
	do
		fd = openat(dir_fd, path, flags | O_CLOEXEC, mode);
	while (fd < 0 && errno == EINTR);
	return fd >= 0 ? fd : err_origin(-errno);
}

int
io_open_scratch(void)
{
	const char *dir = getenv("TMPDIR");
	int fd;

	fd =
	    io_open(AT_FDCWD, dir != NULL && *dir != '\0' ? dir : "/tmp", O_TMPFILE | O_RDWR, 0600);
	if (fd < 0)
		fd = memfd_create("weir", MFD_CLOEXEC);
	return fd >= 0 ? fd : err_origin(-errno);
}

int
io_read(int fd, void *p, size_t n, size_t *ret_n)
{
	ssize_t got;
	int r = ask_hook(IO_READ, NULL, n);

	if (r != 0)
		return err_origin(r);
	do
		got = read(fd, p, n);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return err_origin(-errno);
	*ret_n = (size_t)got;
	return 0;
}

int
io_pread(int fd, void *p, size_t n, uint64_t at, size_t *ret_n)
{
	size_t done = 0;
	ssize_t got;
	int r = ask_hook(IO_READ, NULL, n);

	if (r != 0)
		return err_origin(r);
	while (done < n) {
		got = pread(fd, (uint8_t *)p + done, n - done, (off_t)(at + done));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_origin(-errno);
		if (got == 0)
			break;
		done += (size_t)got;
	}
	*ret_n = done;
	return 0;
}

/* at < 0: at the descriptor's own offset. */
static int
write_all(int fd, const uint8_t *p, size_t n, int64_t at)
{
	int r = ask_hook(IO_WRITE, NULL, n);
	bool half = r == IO_HOOK_SHORT;
	ssize_t put;

	if (r != 0 && !half)
		return err_origin(r);
	if (half)
		n /= 2;
	while (n > 0) {
		put = at < 0 ? write(fd, p, n) : pwrite(fd, p, n, (off_t)at);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return err_origin(-errno);
		p += put;
		n -= (size_t)put;
		if (at >= 0)
			at += put;
	}
	return half ? err_origin(-EIO) : 0;
}

int
io_write(int fd, const void *p, size_t n)
{
	return err_trace(write_all(fd, p, n, -1));
}

int
io_pwrite(int fd, const void *p, size_t n, uint64_t at)
{
	return err_trace(write_all(fd, p, n, (int64_t)at));
}

int
io_sync(int fd)
{
	int r = ask_hook(IO_SYNC, NULL, 0);

	if (r != 0)
		return err_origin(r);
	return fdatasync(fd) == 0 ? 0 : err_origin(-errno);
}

void
io_keep_standard(void)
{
	int fd;

	/* The lowest that is free is given, and those below are taken by then. */
	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

void
io_want_files(void)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim) != 0 || lim.rlim_cur >= FILES_WANTED)
		return;
	lim.rlim_cur = lim.rlim_max < FILES_WANTED ? lim.rlim_max : FILES_WANTED;
	(void)setrlimit(RLIMIT_NOFILE, &lim);
}

int
io_sync_dir(int dir_fd)
{
	int r = ask_hook(IO_SYNC, NULL, 0);

	if (r != 0)
		return err_origin(r);
	return fsync(dir_fd) == 0 ? 0 : err_origin(-errno);
}

int
io_rename(int dir_fd, const char *from, const char *to)
{
	int r = ask_hook(IO_RENAME, to, 0);

	if (r != 0)
		return err_origin(r);
	return renameat(dir_fd, from, dir_fd, to) == 0 ? 0 : err_origin(-errno);
}

int
io_unlink(int dir_fd, const char *path)
{
	int r = ask_hook(IO_UNLINK, path, 0);

	if (r != 0)
		return err_origin(r);
	return unlinkat(dir_fd, path, 0) == 0 ? 0 : err_origin(-errno);
}

int
io_truncate(int fd, uint64_t n)
{
	int r = ask_hook(IO_TRUNCATE, NULL, n);

	if (r != 0)
		return err_origin(r);
	return ftruncate(fd, (off_t)n) == 0 ? 0 : err_origin(-errno);
}

int
io_allocate(int fd, uint64_t at, uint64_t n)
{
	int r = ask_hook(IO_ALLOCATE, NULL, n);

	if (r != 0)
		return err_origin(r);
	do
		r = fallocate(fd, FALLOC_FL_KEEP_SIZE, (off_t)at, (off_t)n);
	while (r < 0 && errno == EINTR);
	if (r < 0 && errno != EOPNOTSUPP && errno != ENOSYS)
		return err_origin(-errno);
	return 0;
}

int
io_size(int fd, uint64_t *ret_n)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_origin(-errno);
	*ret_n = (uint64_t)st.st_size;
	return 0;
}

int
io_read_file(int dir_fd, const char *path, size_t max, struct buf *out)
{
	AUTO_CLOSE int fd = -1;
	size_t got = 0, start = out->n;
	int r;

	fd = io_open(dir_fd, path, O_RDONLY | O_NOCTTY, 0);
	if (fd < 0)
		return err_trace(fd);
	for (;;) {
		if (!buf_grow(out, 65536))
			return err_origin(-ENOMEM);
		r = io_read(fd, out->p + out->n, out->cap - out->n, &got);
		if (r < 0)
			return err_trace(r);
		if (got == 0)
			return 0;
		out->n += got;
		if (out->n - start > max)
			return err_origin(-EFBIG);
	}
}

static int
write_new_file(int dir_fd, const char *path, struct str data, mode_t mode)
{
	AUTO_CLOSE int fd = -1;
	int r;

	fd = io_open(dir_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY | O_NOFOLLOW, mode);
	if (fd < 0)
		return err_trace(fd);
	r = io_write(fd, data.p, data.n);
	if (r < 0)
		return err_trace(r);
	return err_trace(io_sync(fd));
}

int
io_replace_file(int dir_fd, const char *path, struct str data, mode_t mode)
{
	char tmp[4096];
	int r;

	if (snprintf(tmp, sizeof(tmp), "%s.tmp", path) >= (int)sizeof(tmp))
		return err_origin(-ENAMETOOLONG);
	r = write_new_file(dir_fd, tmp, data, mode);
	if (r < 0)
		return err_trace(r);
	r = io_rename(dir_fd, tmp, path);
	if (r < 0)
		return err_trace(r);
	return err_trace(io_sync_dir(dir_fd));
}
