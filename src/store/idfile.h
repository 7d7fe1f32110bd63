/*
 * store/idfile.h - the merged ID index.
 * One job: say of one ID which of many sealed segments may hold it, by one or two small reads.
 * Floor: 2 (uses base).  Room-internal.
 *
 * It is derived: whatever is wrong with a file of it, the segments' own indexes are asked instead.
 */
#pragma once

#include "base/bits.h"
#include "base/own.h"
#include "store/idindex.h"
#include "store/manifest.h"

enum {
	IDFILE_HEAD = 4096,
	IDFILE_FORMAT = 1,
	IDFILE_SEGMENTS_MAX =
	    250, /* so that the header is one page, and a segment one byte of an entry */
	IDFILE_NAME_MAX = 32,
	IDFILE_E_CORRUPT = 1,
	IDFILE_E_FORMAT = 2, /* a newer one, or another store's */
	IDFILES_MAX = 4096,  /* looked at in one store; the rest is left alone */
};
#define IDFILE_FOLDER "index"

/* A segment whose IDs are in the file, and what it was then. */
struct idfile_segment {
	uint64_t number, stamp;
};

/* Invariants: segments[0..n_segments) ascend by number; fd is -1 in one that only its header is wanted of. */
struct idfile {
	int fd;
	uint64_t number;
	uint8_t uuid[16];
	struct wall created;
	uint64_t n_ids, n_bytes;
	uint32_t n_segments;
	struct idfile_segment segments[IDFILE_SEGMENTS_MAX];
};

/** idfile_stamp(g): of a sealed segment as MANIFEST has it: another file of the same number has another one. */
uint64_t idfile_stamp(const struct manifest_segment *g);

/* A segment whose index has marks (SEGMENT_MARKS) stands in the table with the stamp of idfile_stamp turned into another. */
static const uint64_t IDFILE_MARKED = UINT64_C(0x9e3779b97f4a7c15);

/** idfile_is_stamp(stamp, is): whether ${stamp} of a table is that of the segment that MANIFEST gives ${is}, marked or not. */
static inline bool
idfile_is_stamp(uint64_t stamp, uint64_t is)
{
	return stamp == is || stamp == (is ^ IDFILE_MARKED);
}

/** idfile_name(out, number), idfile_name_parse(name, ret): such as 0000000012.idx. */
void idfile_name(char out[IDFILE_NAME_MAX], uint64_t number);
bool idfile_name_parse(const char *name, uint64_t *ret);

/** idfile_head_put(out, f): IDFILE_HEAD bytes. */
void idfile_head_put(struct buf *out, const struct idfile *f);

/** idfile_open(ret, index_fd, number, uuid): read and check the header. */
int idfile_open(struct idfile **ret, int index_fd, uint64_t number, const uint8_t uuid[16]);
struct idfile *idfile_close(struct idfile *f);
DEFINE_AUTO(struct idfile *, idfile_close)

static inline struct idindex_shape
idfile_shape(const struct idfile *f)
{
	return (struct idindex_shape){ f->n_ids, f->n_segments };
}

/** idfile_place(f, number, stamp): where the segment stands in the table, marked or not, or SIZE_MAX. */
size_t idfile_place(const struct idfile *f, uint64_t number, uint64_t stamp);

/** idfile_find(f, fp, ret): a bit for each segment that may hold ${fp}; IDFILE_E_CORRUPT, read errors: any may. */
int idfile_find(const struct idfile *f, uint32_t fp, uint64_t ret[BITS_WORDS(IDFILE_SEGMENTS_MAX)]);

/** idfile_numbers(dir_fd, ret_fd, ret, ret_n): the files of the store at ${dir_fd}, ascending, and their folder; none and -1
 * when there is no folder. */
int idfile_numbers(int dir_fd, int *ret_fd, uint64_t **ret, size_t *ret_n);
