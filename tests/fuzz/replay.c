/*
 * tests/fuzz/replay.c - a fuzz target without a fuzzer.
 * One job: give each file of the named folders and files to the target once, so that every crash ever found stays found.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/io.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
replay_file(const char *path)
{
	struct buf b = BUF_INIT;
	uint8_t *exact;
	int r;

	r = io_read_file(AT_FDCWD, path, 64 << 20, &b);
	/* In memory of exactly its size, so that a read past the end is seen. */
	exact = r == 0 ? malloc(b.n + (b.n == 0)) : NULL;
	if (exact != NULL) {
		if (b.n != 0)
			memcpy(exact, b.p, b.n);
		(void)LLVMFuzzerTestOneInput(exact, b.n);
	}
	free(exact);
	buf_fini(&b);
	return r;
}

static int
replay_dir(const char *path, size_t *n)
{
	char name[4096];
	struct dirent *e;
	DIR *d = opendir(path);
	int r = 0;

	if (d == NULL)
		return -errno;
	while (r == 0 && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		(void)snprintf(name, sizeof(name), "%s/%s", path, e->d_name);
		r = replay_file(name);
		(*n)++;
	}
	(void)closedir(d);
	return r;
}

int
main(int argc, char **argv)
{
	struct stat st;
	size_t n = 0;
	int i, r;

	for (i = 1; i < argc; i++) {
		r = stat(argv[i], &st) != 0 ? -errno
		    : S_ISDIR(st.st_mode)   ? replay_dir(argv[i], &n)
		                            : replay_file(argv[i]);
		if (r != 0) {
			fprintf(stderr, "%s: %s\n", argv[i], err_str(r));
			return 1;
		}
		n += S_ISREG(st.st_mode);
	}
	printf("%zu inputs replayed\n", n);
	return n > 0 ? 0 : 1;
}
