/*
 * tests/fault/shim.c - make the n-th file operation of a process go wrong.
 * One job: a library for LD_PRELOAD that counts writes, syncs, renames, unlinks, truncations and allocations, and at the
 * SHIM_AT-th does as SHIM_MODE says: kill (before it), torn (half a write, then kill), short (half a write), fail (once,
 * with errno SHIM_ERRNO), fail-on (it and all after).  SHIM_COUNT names a file that gets the number of calls.
 * SHIM_UNDER counts only operations on files below that folder, where the call names a file or a descriptor that has one.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

enum mode { MODE_NONE, MODE_KILL, MODE_TORN, MODE_SHORT, MODE_FAIL, MODE_FAIL_ON };

static atomic_long calls;
static long fail_at = -1;
static enum mode mode;
static int fail_errno = EIO;
static const char *under;

__attribute__((constructor)) static void
shim_start(void)
{
	static const char *const names[] = { "none", "kill", "torn", "short", "fail", "fail-on" };
	const char *s;
	int i;

	if ((s = getenv("SHIM_AT")) != NULL)
		fail_at = atol(s);
	if ((s = getenv("SHIM_ERRNO")) != NULL)
		fail_errno = atoi(s);
	if ((s = getenv("SHIM_MODE")) != NULL)
		for (i = 0; i < 6; i++)
			if (strcmp(s, names[i]) == 0)
				mode = (enum mode)i;
	under = getenv("SHIM_UNDER");
}

__attribute__((destructor)) static void
shim_stop(void)
{
	const char *s = getenv("SHIM_COUNT");
	FILE *f = s != NULL ? fopen(s, "w") : NULL;

	if (f != NULL) {
		fprintf(f, "%ld\n", atomic_load(&calls));
		(void)fclose(f);
	}
}

static bool
counts_fd(int fd)
{
	char link[64], path[PATH_MAX];
	ssize_t n;

	if (under == NULL)
		return true;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return false;
	path[n] = '\0';
	return strncmp(path, under, strlen(under)) == 0;
}

/* What this call is to do: NONE lets it happen. */
static enum mode
turn(bool counted)
{
	long n;

	if (!counted)
		return MODE_NONE;
	n = atomic_fetch_add(&calls, 1) + 1;
	if (fail_at < 0 || (mode == MODE_FAIL_ON ? n < fail_at : n != fail_at))
		return MODE_NONE;
	if (mode == MODE_KILL)
		(void)kill(getpid(), SIGKILL);
	return mode;
}

#define REAL(name)                     \
	static __typeof__(name) *real; \
	if (real == NULL)              \
	real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

/* A write in mode m: -1 with errno, a short count, or death in the middle. */
#define FAULTY_WRITE(m, half)                                  \
	do {                                                   \
		if ((m) == MODE_TORN) {                        \
			(void)(half);                          \
			(void)kill(getpid(), SIGKILL);         \
		}                                              \
		if ((m) == MODE_SHORT && n > 1)                \
			return half;                           \
		if ((m) == MODE_FAIL || (m) == MODE_FAIL_ON) { \
			errno = fail_errno;                    \
			return -1;                             \
		}                                              \
	} while (0)

#define FAULTY(m)                                              \
	do {                                                   \
		if ((m) == MODE_TORN)                          \
			(void)kill(getpid(), SIGKILL);         \
		if ((m) == MODE_FAIL || (m) == MODE_FAIL_ON) { \
			errno = fail_errno;                    \
			return -1;                             \
		}                                              \
	} while (0)

ssize_t
write(int fd, const void *p, size_t n)
{
	enum mode m;
	REAL(write);

	m = turn(under == NULL ? fd > 2 : counts_fd(fd));
	FAULTY_WRITE(m, real(fd, p, n / 2));
	return real(fd, p, n);
}

ssize_t
pwrite(int fd, const void *p, size_t n, off_t at)
{
	enum mode m;
	REAL(pwrite);

	m = turn(counts_fd(fd));
	FAULTY_WRITE(m, real(fd, p, n / 2, at));
	return real(fd, p, n, at);
}

ssize_t
pwrite64(int fd, const void *p, size_t n, off64_t at)
{
	enum mode m;
	REAL(pwrite64);

	m = turn(counts_fd(fd));
	FAULTY_WRITE(m, real(fd, p, n / 2, at));
	return real(fd, p, n, at);
}

int
fsync(int fd)
{
	enum mode m;
	REAL(fsync);

	m = turn(counts_fd(fd));
	FAULTY(m);
	return real(fd);
}

int
fdatasync(int fd)
{
	enum mode m;
	REAL(fdatasync);

	m = turn(counts_fd(fd));
	FAULTY(m);
	return real(fd);
}

int
ftruncate(int fd, off_t n)
{
	enum mode m;
	REAL(ftruncate);

	m = turn(counts_fd(fd));
	FAULTY(m);
	return real(fd, n);
}

int
fallocate(int fd, int how, off_t at, off_t n)
{
	enum mode m;
	REAL(fallocate);

	m = turn(counts_fd(fd));
	FAULTY(m);
	return real(fd, how, at, n);
}

int
renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	enum mode m;
	REAL(renameat);

	m = turn(under == NULL || counts_fd(to_dir));
	FAULTY(m);
	return real(from_dir, from, to_dir, to);
}

int
unlinkat(int dir, const char *path, int flags)
{
	enum mode m;
	REAL(unlinkat);

	m = turn(under == NULL || counts_fd(dir));
	FAULTY(m);
	return real(dir, path, flags);
}
