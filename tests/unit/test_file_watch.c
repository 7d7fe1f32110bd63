/*
 * tests/unit/test_file_watch.c - files that nobody tells of.
 * One job: where watches run out, cannot be made, or lose events, rescans find every line.
 */
#include <sys/inotify.h>
#include <sys/syscall.h>

#include "file_fixture.h"

/* Time enough for any machine, and less than a scan of its own accord takes to come. */
enum { SOON_MS = 30000, RESCAN_S = 600, BLIND_S = 2 };

static struct fix *x;
static int n_watches; /* that may be made; beyond: ENOSPC, as at fs.inotify.max_user_watches */
static bool no_inotify;

/* In place of libc's. */
int
inotify_add_watch(int fd, const char *path, uint32_t mask)
{
	if (n_watches <= 0) {
		errno = ENOSPC;
		return -1;
	}
	n_watches--;
	return (int)syscall(SYS_inotify_add_watch, fd, path, mask);
}

int
inotify_init1(int flags)
{
	if (no_inotify) {
		errno = EMFILE;
		return -1;
	}
	return (int)syscall(SYS_inotify_init1, flags);
}

static void
begin(const char *glob)
{
	x = calloc(1, sizeof(*x));
	MUST(x != NULL);
	fix_init(x, glob);
	x->opt.rescan.ns = RESCAN_S * NS_PER_S;
}

static void
end(void)
{
	fix_fini(x);
	free(x);
}

static bool
due_within(int64_t s)
{
	return x->src->ops->deadline(x->src).ns <= mono_now().ns + s * NS_PER_S;
}

/* As the daemon: poll when the deadline has come.  Whether ${n} rows came. */
static bool
wait_rows(size_t n)
{
	struct span end = { mono_now().ns + SOON_MS * NS_PER_MS };

	for (;;) {
		MUST(fix_poll(x) == 0);
		if (x->n_rows >= n)
			return true;
		/* Nothing would wake it before. */
		if (mono_now().ns > end.ns || x->src->ops->deadline(x->src).ns > end.ns)
			return false;
		fix_sleep(20);
	}
}

/* Lines of a file that is known, and of one that is new, with no watch at all. */
static void
check_blind(void)
{
	fix_puts(x, "a.log", "one\n");
	fix_open(x);
	CHECK(wait_rows(1) && due_within(BLIND_S));
	fix_puts(x, "a.log", "two\n");
	fix_puts(x, "b.log", "three\n");
	CHECK(wait_rows(3) && due_within(BLIND_S));
	fix_rename(x, "a.log", "a.log.1");
	fix_puts(x, "a.log", "four\n");
	CHECK(wait_rows(4));
	CHECK(x->n_losses_pending == 0);
}

static void
test_no_watches(void)
{
	n_watches = 0;
	begin("*.log");
	check_blind();
	end();
}

static void
test_no_inotify(void)
{
	no_inotify = true;
	begin("*.log");
	CHECK(x->src == NULL);
	check_blind();
	CHECK(x->src->ops->fd(x->src) == -1);
	end();
	no_inotify = false;
}

/* The limit lies between two folders: the one is told of, the other is looked at; with room again both are told of. */
static void
test_some_watches(void)
{
	char dir[2][256];
	int i;

	/* The parent, and the first of the two. */
	n_watches = 2;
	begin("*/a.log");
	for (i = 0; i < 2; i++) {
		fix_path(x, dir[i], i == 0 ? "d1" : "d2");
		MUST(mkdir(dir[i], 0755) == 0);
	}
	fix_puts(x, "d1/a.log", "one\n");
	fix_puts(x, "d2/a.log", "two\n");
	fix_open(x);
	CHECK(wait_rows(2));
	fix_puts(x, "d1/a.log", "three\n");
	fix_puts(x, "d2/a.log", "four\n");
	CHECK(wait_rows(4));
	n_watches = 1000;
	fix_puts(x, "d2/a.log", "five\n");
	CHECK(wait_rows(5));
	/* The scan that found it could watch all: from now on it hears of changes at once, and scans no more. */
	for (i = 0; i < SOON_MS / 20 && due_within(RESCAN_S / 2); i++) {
		fix_sleep(20);
		MUST(fix_poll(x) == 0);
	}
	CHECK(!due_within(RESCAN_S / 2));
	fix_puts(x, "d1/a.log", "six\n");
	fix_puts(x, "d2/a.log", "seven\n");
	CHECK(wait_rows(7));
	for (i = 0; i < 2; i++) {
		fix_unlink(x, i == 0 ? "d1/a.log" : "d2/a.log");
		(void)rmdir(dir[i]);
	}
	end();
}

/* More events than the kernel keeps: what they told of is found all the same. */
static void
test_overflow(void)
{
	char path[2][256];
	int i, fd[2], max = 16384;
	FILE *f = fopen("/proc/sys/fs/inotify/max_queued_events", "r");

	if (f != NULL) {
		(void)fscanf(f, "%d", &max);
		(void)fclose(f);
	}
	if (max > 200000)
		return;
	n_watches = 1000;
	begin("*.log");
	fix_puts(x, "a.log", "one\n");
	fix_open(x);
	CHECK(wait_rows(1));
	for (i = 0; i < 2; i++) {
		fix_path(x, path[i], i == 0 ? "x.tmp" : "y.tmp");
		fd[i] = open(path[i], O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		MUST(fd[i] >= 0);
	}
	for (i = 0; i < max + 100; i++)
		MUST(write(fd[i % 2], "x", 1) == 1);
	fix_puts(x, "a.log", "two\n");
	fix_puts(x, "b.log", "three\n");
	CHECK(wait_rows(3));
	(void)close(fd[0]);
	(void)close(fd[1]);
	end();
}

int
main(void)
{
	test_no_watches();
	test_no_inotify();
	test_some_watches();
	test_overflow();
	return check_done();
}
