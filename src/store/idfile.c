/*
 * store/idfile.c - the merged ID index.
 * One job: say of one ID which of many sealed segments may hold it, by one or two small reads.
 * Floor: 2 (uses base).
 *
 * A trace over a year asks a thousand segments; to open one and ask its index takes 15 us, to ask a file for 250 of them 5.
 * The file names segments and not blocks: what it names is opened anyway, its own index is one read more, and an
 * entry stays as long as there (5 bytes).
 *
 * Nothing names these files but their folder, so a reader of any MANIFEST may use any of them: a sealed segment never
 * changes and its number is never given again, so what a file says of a segment is right for ever, and what
 * it says of others is gone past.  The stamp tells a number that was given again after MANIFEST was lost.
 */
#include "store/idfile.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/io.h"
#include "store/frame.h"

/*
 * Merged ID index, format 1.
 *
 *   offset  size  field
 *        0     8  magic     "weirIDX" and a newline
 *        8     2  format    1; a reader leaves a file with a higher one alone
 *       10     2  zero
 *       12     4  incompat  feature bits; a reader leaves a file with one that it does not know alone
 *       16     4  compat    feature bits, may be ignored
 *       20     4  n_segments, 1 to 250
 *       24     8  n_ids
 *       32    16  uuid of the store
 *       48     8  created
 *       56     8  number    of the file
 *       64  16*n  segments, ascending: number (8), stamp (8)
 *                 zeros
 *     4088     8  hash64 of bytes 0 to 4087
 *     4096        pages of an ID index (idindex.c) of n_segments blocks, with segments for blocks: their
 *                 places in the table; each pair once
 *
 * The stamp is hash64 of seven numbers of MANIFEST's line, 8 bytes each: NUMBER ROWS BLOCKS BYTES RAW MIN MAX; of a segment
 * whose index has marks it is that XOR 0x9e3779b97f4a7c15.
 *
 * It is written to "tmp", synced, and renamed: a crash leaves the file or none.  Valid when the header's sum holds and
 * the size is what follows from it; a page whose sum does not hold makes every segment of the file a candidate.
 */
static const char magic[8] = "weirIDX\n";

uint64_t
idfile_stamp(const struct manifest_segment *g)
{
	const uint64_t v[] = { g->number, g->n_rows, g->n_blocks, g->n_bytes, g->raw_bytes,
		(uint64_t)g->min_time.ns, (uint64_t)g->max_time.ns };
	uint8_t bytes[sizeof(v)];
	size_t i;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(v[i / 8] >> (i % 8 * 8));
	return hash64(str_of(bytes, sizeof(bytes)));
}

void
idfile_name(char out[IDFILE_NAME_MAX], uint64_t number)
{
	(void)snprintf(out, IDFILE_NAME_MAX, "%010" PRIu64 ".idx", number);
}

bool
idfile_name_parse(const char *name, uint64_t *ret)
{
	char again[IDFILE_NAME_MAX];
	uint64_t n = 0;
	size_t i;

	for (i = 0; name[i] >= '0' && name[i] <= '9' && i < 19; i++)
		n = n * 10 + (uint64_t)(name[i] - '0');
	idfile_name(again, n);
	if (n == 0 || strcmp(name, again) != 0)
		return false;
	*ret = n;
	return true;
}

void
idfile_head_put(struct buf *out, const struct idfile *f)
{
	static const uint8_t zeros[IDFILE_HEAD];
	size_t start = out->n;
	uint32_t i;

	buf_put(out, magic, sizeof(magic));
	buf_u16(out, IDFILE_FORMAT);
	buf_u16(out, 0);
	buf_u32(out, 0);
	buf_u32(out, 0);
	buf_u32(out, f->n_segments);
	buf_u64(out, f->n_ids);
	buf_put(out, f->uuid, sizeof(f->uuid));
	buf_u64(out, (uint64_t)f->created.ns);
	buf_u64(out, f->number);
	for (i = 0; i < f->n_segments; i++) {
		buf_u64(out, f->segments[i].number);
		buf_u64(out, f->segments[i].stamp);
	}
	buf_put(out, zeros, IDFILE_HEAD - 8 - (out->n - start));
	if (!out->failed)
		buf_u64(out, hash64(str_of(out->p + start, IDFILE_HEAD - 8)));
}

static int
parse_table(struct scan *in, struct idfile *f)
{
	uint32_t i;

	for (i = 0; i < f->n_segments; i++) {
		f->segments[i].number = scan_u64(in);
		f->segments[i].stamp = scan_u64(in);
		if (i > 0 && f->segments[i].number <= f->segments[i - 1].number)
			return IDFILE_E_CORRUPT;
	}
	return 0;
}

static int
parse_head(const uint8_t p[IDFILE_HEAD], const uint8_t uuid[16], struct idfile *f)
{
	struct scan in = { p, IDFILE_HEAD, sizeof(magic), false };
	struct scan sum = { p, IDFILE_HEAD, IDFILE_HEAD - 8, false };
	uint32_t format, incompat;

	if (memcmp(p, magic, sizeof(magic)) != 0 ||
	    scan_u64(&sum) != hash64(str_of(p, IDFILE_HEAD - 8)))
		return IDFILE_E_CORRUPT;
	format = scan_u16(&in);
	(void)scan_u16(&in);
	incompat = scan_u32(&in);
	(void)scan_u32(&in);
	if (format > IDFILE_FORMAT || incompat != 0)
		return IDFILE_E_FORMAT;
	f->n_segments = scan_u32(&in);
	f->n_ids = scan_u64(&in);
	memcpy(f->uuid, scan_bytes(&in, sizeof(f->uuid)).p, sizeof(f->uuid));
	f->created.ns = (int64_t)scan_u64(&in);
	if (memcmp(f->uuid, uuid, sizeof(f->uuid)) != 0)
		return IDFILE_E_FORMAT;
	/* Each segment has at most as many IDs as its own index can count. */
	if (scan_u64(&in) != f->number || f->n_segments == 0 ||
	    f->n_segments > IDFILE_SEGMENTS_MAX || f->n_ids > (uint64_t)f->n_segments * UINT32_MAX)
		return IDFILE_E_CORRUPT;
	return parse_table(&in, f);
}

struct idfile *
idfile_close(struct idfile *f)
{
	if (f == NULL)
		return NULL;
	if (f->fd >= 0)
		(void)close(f->fd);
	free(f);
	return NULL;
}

int
idfile_open(struct idfile **ret, int index_fd, uint64_t number, const uint8_t uuid[16])
{
	AUTO(idfile_close) struct idfile *f = calloc(1, sizeof(*f));
	uint8_t head[IDFILE_HEAD];
	char name[IDFILE_NAME_MAX];
	size_t n = 0;
	int r;

	if (f == NULL)
		return err_origin(-ENOMEM);
	f->number = number;
	idfile_name(name, number);
	f->fd = io_open(index_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
	if (f->fd < 0)
		return err_trace(f->fd);
	r = io_pread(f->fd, head, sizeof(head), 0, &n);
	if (r == 0)
		r = io_size(f->fd, &f->n_bytes);
	if (r < 0)
		return err_trace(r);
	r = n < sizeof(head) ? IDFILE_E_CORRUPT : parse_head(head, uuid, f);
	if (r == 0 && f->n_bytes != IDFILE_HEAD + idindex_bytes(idfile_shape(f)))
		r = IDFILE_E_CORRUPT;
	if (r == 0)
		*ret = TAKE(f);
	return r;
}

size_t
idfile_place(const struct idfile *f, uint64_t number, uint64_t stamp)
{
	size_t lo = 0, hi = f->n_segments, mid;

	if (number < f->segments[0].number || number > f->segments[hi - 1].number)
		return SIZE_MAX;
	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (f->segments[mid].number < number)
			lo = mid + 1;
		else
			hi = mid;
	}
	return f->segments[lo].number == number && idfile_is_stamp(f->segments[lo].stamp, stamp)
	    ? lo
	    : SIZE_MAX;
}

static int
mark(void *ctx, uint32_t place)
{
	bits_set(ctx, place);
	return 0;
}

int
idfile_find(const struct idfile *f, uint32_t fp, uint64_t ret[BITS_WORDS(IDFILE_SEGMENTS_MAX)])
{
	bits_zero(ret, IDFILE_SEGMENTS_MAX);
	return idindex_find(f->fd, IDFILE_HEAD, idfile_shape(f), fp, mark, ret);
}

static int
list(DIR *dir, uint64_t **ret, size_t *ret_n)
{
	AUTO_FREE uint64_t *v = NULL;
	struct dirent *e;
	uint64_t number = 0;
	size_t n = 0, cap = 0;
	void *grown;

	while ((e = readdir(dir)) != NULL && n < IDFILES_MAX) {
		if (!idfile_name_parse(e->d_name, &number))
			continue;
		if (n == cap) {
			cap = cap < 16 ? 16 : cap * 2;
			grown = reallocarray(v, cap, sizeof(*v));
			if (grown == NULL)
				return err_origin(-ENOMEM);
			v = grown;
		}
		v[n++] = number;
	}
	hash_sort(v, n);
	*ret = TAKE(v);
	*ret_n = n;
	return 0;
}

int
idfile_numbers(int dir_fd, int *ret_fd, uint64_t **ret, size_t *ret_n)
{
	AUTO_CLOSE int fd = -1;
	DIR *dir;
	int r, list_fd;

	*ret = NULL;
	*ret_n = 0;
	*ret_fd = -1;
	fd = io_open(dir_fd, IDFILE_FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	/* Something else of that name is somebody's. */
	if (fd < 0)
		return fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP ? 0 : err_trace(fd);
	list_fd = io_open(fd, ".", O_RDONLY | O_DIRECTORY, 0);
	dir = list_fd >= 0 ? fdopendir(list_fd) : NULL;
	if (dir == NULL) {
		if (list_fd >= 0)
			(void)close(list_fd);
		return list_fd < 0 ? err_trace(list_fd) : err_origin(-ENOMEM);
	}
	r = list(dir, ret, ret_n);
	(void)closedir(dir);
	if (r < 0)
		return err_trace(r);
	*ret_fd = TAKE_FD(fd);
	return 0;
}
