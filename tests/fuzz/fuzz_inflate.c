/*
 * tests/fuzz/fuzz_inflate.c - compressed files from anywhere.
 * One job: however they are asked for, the same plain bytes come out, and damage is an answer and never a crash.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/inflate.h"
#include "ingest/unzip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OUT_MAX = 1 << 20, STEP_MAX = 4096 };

static int
file_of(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	return fd;
}

/* All that comes, ${step} bytes at most at a time. */
static int
read_all(int fd, size_t step, struct buf *out)
{
	struct inflate *in = NULL;
	size_t n = 1;
	int r = 0;

	if (lseek(fd, 0, SEEK_SET) != 0 || inflate_new(&in, fd) < 0)
		abort();
	while (r == 0 && n > 0 && out->n < OUT_MAX) {
		n = 0;
		if (!buf_grow(out, step))
			abort();
		r = inflate_read(in, out->p + out->n, step, &n);
		if (n > step)
			abort();
		out->n += n;
	}
	(void)inflate_free(in);
	return out->n < OUT_MAX ? r : 0;
}

/* Places are read forwards and backwards. */
static void
check_places(int fd, struct str whole, size_t step)
{
	struct unzip *u = NULL;
	uint8_t room[STEP_MAX];
	uint64_t places[] = { 0, whole.n / 2, whole.n / 3, whole.n, whole.n - whole.n / 4 };
	size_t i, n;
	int r;

	if (lseek(fd, 0, SEEK_SET) != 0 || unzip_new(&u, fd) < 0)
		abort();
	for (i = 0; i < ARRAY_LEN(places); i++) {
		n = 0;
		r = unzip_pread(u, room, step, places[i], &n);
		if (r < 0 || n > step || places[i] + n > whole.n ||
		    (n < step && places[i] + n != whole.n) ||
		    (n > 0 && memcmp(room, whole.p + places[i], n) != 0))
			abort();
	}
	(void)unzip_free(u);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t step = size > 0 ? 1 + data[size - 1] * (STEP_MAX - 1) / 255 : STEP_MAX;
	struct buf whole = BUF_INIT, parts = BUF_INIT;
	int fd = file_of(data, size), r, k;

	r = read_all(fd, OUT_MAX, &whole);
	k = read_all(fd, STEP_MAX, &parts);
	if (r < 0 || k < 0)
		abort();
	if (whole.n < OUT_MAX && parts.n < OUT_MAX) {
		if (r != k || !str_eq(buf_view(&whole), buf_view(&parts)))
			abort();
		check_places(fd, buf_view(&whole), step);
	}
	buf_fini(&whole);
	buf_fini(&parts);
	(void)close(fd);
	return 0;
}
