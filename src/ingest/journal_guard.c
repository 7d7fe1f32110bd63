/*
 * ingest/journal_guard.c - the reader's last words.
 * One job: give up rights, and name the file when a mapped page is not there.
 * Floor: 3 (uses base).
 *
 * A fault happens inside libsystemd, never inside a send, so the socket stands between two frames and one more
 * can be written from the handler.  An abort() tells nothing of the file; the daemon has the files probed then.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/io.h"
#include "ingest/journal_reader.h"

enum { GUARD_MAPS_LINE = 4096 + 128, GUARD_FIXED = JOURNAL_PROTO_HEAD + 32 };

/* A signal handler has no other way to its data. */
static volatile int guard_fd = -1;

static const int guard_signals[] = { SIGBUS, SIGSEGV };

static const char *
guard_hex(const char *p, const char *end, uintptr_t *ret)
{
	uintptr_t v = 0;

	for (; p < end; p++) {
		if (*p >= '0' && *p <= '9')
			v = v << 4 | (uintptr_t)(*p - '0');
		else if (*p >= 'a' && *p <= 'f')
			v = v << 4 | (uintptr_t)(*p - 'a' + 10);
		else
			break;
	}
	*ret = v;
	return p;
}

/* A line of /proc/self/maps: from-to rights offset device inode path. */
static bool
guard_line(const char *p, const char *end, uintptr_t addr, struct str *ret_path)
{
	uintptr_t from, to;
	const char *path;

	p = guard_hex(p, end, &from);
	if (p == end || *p != '-')
		return false;
	p = guard_hex(p + 1, end, &to);
	if (addr < from || addr >= to)
		return false;
	path = memchr(p, '/', (size_t)(end - p));
	if (path == NULL)
		return false;
	*ret_path = str_of(path, (size_t)(end - path));
	return true;
}

/* The path of the mapping that holds addr, in buf; only what a signal handler may call. */
static struct str
guard_find(uintptr_t addr, char *buf, size_t cap)
{
	struct str path = STR_NONE;
	size_t n = 0;
	ssize_t k;
	int fd;

	fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return path;
	while (path.n == 0 && (k = read(fd, buf + n, cap - n)) > 0) {
		char *start = buf, *nl;

		n += (size_t)k;
		while ((nl = memchr(start, '\n', (size_t)(buf + n - start))) != NULL) {
			if (guard_line(start, nl, addr, &path))
				break;
			start = nl + 1;
		}
		if (path.n == 0) {
			n = (size_t)(buf + n - start);
			memmove(buf, start, n);
			if (n == cap)
				n = 0;
		}
	}
	(void)close(fd);
	return path;
}

static void
guard_write(const uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t k = write(guard_fd, p, n);

		if (k > 0) {
			p += k;
			n -= (size_t)k;
		} else if (k < 0 && errno == EAGAIN) {
			struct pollfd pfd = { .fd = guard_fd, .events = POLLOUT };

			(void)poll(&pfd, 1, 1000);
		} else if (k < 0 && errno != EINTR) {
			return;
		}
	}
}

/* A NOW frame by hand: head, identity of zeros but for what stat says, path, no reason. */
static void
guard_tell(struct str path)
{
	uint8_t frame[GUARD_FIXED + 5 + 4096 + 1];
	struct buf b = { frame, 0, sizeof(frame), false, sizeof(frame) };
	struct journal_proto_file f = { .path = path };
	char name[4096];
	struct stat st;

	if (path.n == 0 || path.n >= sizeof(name))
		return;
	memcpy(name, path.p, path.n);
	name[path.n] = '\0';
	if (stat(name, &st) == 0) {
		int fd = open(name, O_RDONLY | O_CLOEXEC);

		f.id.inode = st.st_ino;
		f.id.device = st.st_dev;
		/* the header's file id, at offset 24 */
		if (fd >= 0 &&
		    pread(fd, f.id.file_id.b, sizeof(f.id.file_id.b), 24) !=
		        (ssize_t)sizeof(f.id.file_id.b))
			memset(f.id.file_id.b, 0, sizeof(f.id.file_id.b));
		if (fd >= 0)
			(void)close(fd);
	}
	/* the buffer is large enough, so that nothing here asks for memory */
	journal_proto_put_file(&b, JOURNAL_FRAME_NOW, &f);
	guard_write(b.p, b.n);
}

static void
guard_fault(int sig, siginfo_t *info, void *ctx)
{
	static char maps[GUARD_MAPS_LINE];

	(void)ctx;
	if (info->si_code > 0)
		guard_tell(guard_find((uintptr_t)info->si_addr, maps, sizeof(maps)));
	(void)signal(sig, SIG_DFL);
	(void)raise(sig);
}

void
journal_guard_off(void)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(guard_signals); i++)
		(void)signal(guard_signals[i], SIG_DFL);
}

void
journal_guard(int fd)
{
	struct sigaction sa = { .sa_sigaction = guard_fault, .sa_flags = SA_SIGINFO };
	struct rlimit lim;
	size_t i;

	guard_fd = fd;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	/* it is expected to die now and then, and a core would hold log text */
	(void)prctl(PR_SET_DUMPABLE, 0);
	lim = (struct rlimit){ 0, 0 };
	(void)setrlimit(RLIMIT_CORE, &lim);
	io_want_files();
	(void)signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < ARRAY_LEN(guard_signals); i++)
		(void)sigaction(guard_signals[i], &sa, NULL);
}
