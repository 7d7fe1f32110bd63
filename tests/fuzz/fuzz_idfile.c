/*
 * tests/fuzz/fuzz_idfile.c - hostile bytes as a merged ID index.
 * One job: whatever a file says, it names segments of its table, is damaged, or of another format; and what is made of it is
 * a file that says no more than it did.
 *
 * The first byte says whether the rest is the file as it is, or a table and pages that get the right sums here.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/io.h"
#include "store/idfile_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t uuid[16];
static char dir[64];
static int dir_fd = -1;

static void
put_file(struct str bytes)
{
	int fd = openat(dir_fd, "0000000001.idx", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || io_write(fd, bytes.p, bytes.n) < 0)
		abort();
	(void)close(fd);
}

/* A number of segments, a number of entries, then the bytes of the entries as they are. */
static void
put_made(struct str data)
{
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;
	struct idindex_writer w = { .out = &out };
	struct scan in = { data.p, data.n, 0, false };
	struct idfile f = { .fd = -1, .number = 1 };
	uint32_t i;

	f.n_segments = scan_u8(&in) % IDFILE_SEGMENTS_MAX + 1;
	f.n_ids = scan_u16(&in);
	for (i = 0; i < f.n_segments; i++)
		f.segments[i] = (struct idfile_segment){ 2 * i + 1, i };
	idfile_head_put(&out, &f);
	w.shape = idfile_shape(&f);
	for (i = 0; i < f.n_ids; i++)
		idindex_writer_put(&w, (struct idindex_entry){ scan_u32(&in), scan_u8(&in) });
	idindex_writer_end(&w);
	if (out.failed)
		abort();
	put_file(buf_view(&out));
}

static int
count(void *ctx, struct idindex_entry e)
{
	uint64_t *n = ctx;

	(*n)++;
	return 0;
}

static void
find_some(const struct idfile *f, struct str data)
{
	uint64_t named[BITS_WORDS(IDFILE_SEGMENTS_MAX)];
	uint32_t fps[4] = { 0, UINT32_MAX, 0x80000000, 0 };
	size_t i, k;

	if (data.n > 12)
		memcpy(&fps[3], data.p + 8, sizeof(fps[3]));
	for (i = 0; i < ARRAY_LEN(fps); i++)
		if (idfile_find(f, fps[i], named) == 0)
			for (k = f->n_segments; k < IDFILE_SEGMENTS_MAX; k++)
				if (bits_get(named, k))
					abort();
	for (i = 0; i < f->n_segments; i++)
		if (idfile_place(f, f->segments[i].number, f->segments[i].stamp) != i)
			abort();
}

/* The file as the input of another one, without the segments of even places. */
static void
merge(const struct idfile *f, uint64_t n_entries)
{
	struct idfile_job *job = calloc(1, sizeof(*job));
	struct idfile *made = NULL;
	uint64_t n = 0;
	size_t i;

	if (job == NULL)
		abort();
	job->dir_fd = job->index_fd = dir_fd;
	job->number = 2;
	job->n_bytes_max = UINT64_MAX;
	job->n_files = 1;
	job->files[0].number = 1;
	for (i = 1; i < f->n_segments; i += 2)
		bits_set(job->files[0].live, i);
	if (f->n_segments > 1 && idfile_write(job) == 0) {
		if (idfile_open(&made, dir_fd, 2, uuid) != 0 ||
		    made->n_segments != f->n_segments / 2 ||
		    idindex_each(made->fd, IDFILE_HEAD, idfile_shape(made), count, &n) != 0 ||
		    n > n_entries)
			abort();
		(void)idfile_close(made);
	}
	free(job);
	(void)unlinkat(dir_fd, "0000000002.idx", 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest;
	struct idfile *f = NULL;
	uint64_t n = 0;

	if (size < 1)
		return 0;
	rest = str_of(data + 1, size - 1);
	if (dir_fd < 0) {
		(void)snprintf(dir, sizeof(dir), "%s/weir-fuzz-idfile-XXXXXX",
		    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
		if (mkdtemp(dir) == NULL)
			abort();
		dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (data[0] % 2 == 0)
		put_file(rest);
	else
		put_made(rest);
	if (idfile_open(&f, dir_fd, 1, uuid) == 0) {
		find_some(f, rest);
		(void)idindex_each(f->fd, IDFILE_HEAD, idfile_shape(f), count, &n);
		merge(f, n);
		(void)idfile_close(f);
	}
	(void)unlinkat(dir_fd, "0000000001.idx", 0);
	return 0;
}
