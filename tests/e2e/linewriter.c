/*
 * tests/e2e/linewriter.c - a writer that rotates its own log.
 * One job: write numbered JSON lines at full speed and rotate the file in every way, so that a reader can be counted.
 *
 * linewriter [-n LINES] [-r LINES] [-m rename|copytruncate|gzip|delete|reopen] [-k KEEP] [-s START] [-p PAUSE_US] [-b BATCH] FILE
 *
 * Each line is {"n":NUMBER,"pad":"…"}; numbers rise from START.  After every -r lines the file is rotated: rename
 * (FILE to FILE.1 and so on, then a new file), copytruncate (a copy, then truncate), gzip (rename, then gzip FILE.1), delete (a new
 * file in its place; what is unread is gone), reopen (rename, and go on writing to the old file for half as many lines).
 * At its end it prints the number of lines written.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct writer {
	const char *path, *mode;
	long n, every, start, pause_us, batch;
	int keep;
	int fd;
};

static void
die(const char *what)
{
	fprintf(stderr, "linewriter: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
open_log(struct writer *w)
{
	w->fd = open(w->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	if (w->fd < 0)
		die(w->path);
}

static void
name_of(const struct writer *w, char out[4096], int i, bool packed)
{
	if (i == 0)
		(void)snprintf(out, 4096, "%s", w->path);
	else
		(void)snprintf(out, 4096, "%s.%d%s", w->path, i, packed ? ".gz" : "");
}

/* Make room for FILE.1; what is beyond ${keep} goes. */
static void
shift(const struct writer *w)
{
	char from[4096], to[4096];
	int i, packed;

	for (i = w->keep; i >= 1; i--)
		for (packed = 0; packed < 2; packed++) {
			name_of(w, from, i, packed != 0);
			name_of(w, to, i + 1, packed != 0);
			if (i == w->keep)
				(void)unlink(from);
			else
				(void)rename(from, to);
		}
}

static void
copy_log(const struct writer *w, const char *to)
{
	char room[65536];
	ssize_t n;
	int in, out;

	in = open(w->path, O_RDONLY | O_CLOEXEC);
	out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (in < 0 || out < 0)
		die(to);
	while ((n = read(in, room, sizeof(room))) > 0)
		if (write(out, room, (size_t)n) != n)
			die(to);
	(void)close(in);
	(void)close(out);
}

static void
pack(const char *path)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		execlp("gzip", "gzip", "-f", path, (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0)
		die("gzip");
}

static void put_lines(struct writer *w, long from, long to);

/* Returns how many lines it wrote to the old file. */
static long
rotate(struct writer *w, long next, long last)
{
	char first[4096];
	long extra = 0;

	name_of(w, first, 1, false);
	if (strcmp(w->mode, "delete") == 0) {
		(void)unlink(w->path);
		(void)close(w->fd);
		open_log(w);
		return 0;
	}
	shift(w);
	if (strcmp(w->mode, "copytruncate") == 0) {
		copy_log(w, first);
		if (ftruncate(w->fd, 0) != 0)
			die("ftruncate");
		return 0;
	}
	if (rename(w->path, first) != 0)
		die("rename");
	if (strcmp(w->mode, "reopen") == 0) {
		extra = w->every / 2 < last - next ? w->every / 2 : last - next;
		put_lines(w, next, next + extra);
	}
	(void)close(w->fd);
	open_log(w);
	if (strcmp(w->mode, "gzip") == 0)
		pack(first);
	return extra;
}

static void
put_lines(struct writer *w, long from, long to)
{
	static const char pad[] = "the quick brown fox jumps over the lazy dog and runs on";
	char room[65536];
	size_t n = 0;
	long i;

	for (i = from; i < to; i++) {
		n += (size_t)snprintf(room + n, sizeof(room) - n, "{\"n\":%ld,\"pad\":\"%.*s\"}\n",
		    i, (int)(i % 50), pad);
		if (i + 1 < to && (i + 1 - from) % w->batch != 0 && n < sizeof(room) - 256)
			continue;
		if (write(w->fd, room, n) != (ssize_t)n)
			die("write");
		n = 0;
		if (w->pause_us > 0)
			(void)usleep((useconds_t)w->pause_us);
	}
}

static void
run(struct writer *w)
{
	long at = w->start, last = w->start + w->n, end;

	open_log(w);
	while (at < last) {
		end = at + w->every < last ? at + w->every : last;
		put_lines(w, at, end);
		at = end;
		if (at < last)
			at += rotate(w, at, last);
	}
	(void)close(w->fd);
}

int
main(int argc, char **argv)
{
	struct writer w = { .mode = "rename",
		.n = 100000,
		.every = 10000,
		.batch = 20,
		.keep = 50 };
	int c;

	while ((c = getopt(argc, argv, "n:r:m:k:s:p:b:")) != -1) {
		switch (c) {
		case 'n':
			w.n = atol(optarg);
			break;
		case 'r':
			w.every = atol(optarg);
			break;
		case 'm':
			w.mode = optarg;
			break;
		case 'k':
			w.keep = atoi(optarg);
			break;
		case 's':
			w.start = atol(optarg);
			break;
		case 'p':
			w.pause_us = atol(optarg);
			break;
		case 'b':
			w.batch = atol(optarg);
			break;
		default:
			return 2;
		}
	}
	if (optind + 1 != argc || w.every < 1 || w.batch < 1 || w.keep < 1)
		return 2;
	w.path = argv[optind];
	run(&w);
	printf("%ld\n", w.n);
	return 0;
}
