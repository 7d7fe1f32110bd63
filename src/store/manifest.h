/*
 * store/manifest.h - the list of segments.
 * One job: say which files are the store, in one small file that is replaced as a whole.
 * Floor: 2 (uses base).  Room-internal.
 */
#pragma once

#include "base/wall.h"
#include "store/segment.h"

enum manifest_state {
	MANIFEST_OPEN,    /* the stream that is written */
	MANIFEST_CLOSED,  /* a stream that is written no more, valid up to end */
	MANIFEST_SEALED,  /* merged, of one class */
	MANIFEST_RETIRED, /* no part of the store; its file lingers for readers that began earlier */
};

struct manifest_segment {
	uint64_t number;
	enum manifest_state state;
	struct span keep; /* its class; the longest in a stream */
	uint64_t end;     /* CLOSED: behind its last trusted commit */
	uint64_t n_rows, n_blocks, n_bytes, raw_bytes;
	struct wall min_time, max_time, first_commit, last_commit;
	uint64_t first_row, next_row; /* RETIRED: next_row is when it retired, ns */
};

/*
 * Invariants: numbers are distinct and below next_segment; at most one is OPEN.
 */
struct manifest {
	uint8_t uuid[16];
	struct wall created;
	uint64_t generation; /* one more with every save */
	uint64_t next_segment;
	uint64_t sequence; /* of the last commit known, for when the open segment is lost */
	uint64_t next_row; /* at least this, likewise */
	struct manifest_segment *v;
	size_t n, cap;
};

enum {
	MANIFEST_E_NONE = 1,    /* no store here */
	MANIFEST_E_CORRUPT = 2, /* there is one, but its checksum does not hold */
	MANIFEST_E_FORMAT = 3,  /* a newer format */
	MANIFEST_BYTES_MAX = 64 << 20,
	MANIFEST_SEGMENTS_MAX = 1 << 18,
};

/** manifest_add(m, seg): a copy at the end; NULL without memory. */
struct manifest_segment *manifest_add(struct manifest *m, const struct manifest_segment *seg);
/** manifest_remove(m, number): forget one; manifest_find: it, or NULL. */
void manifest_remove(struct manifest *m, uint64_t number);
struct manifest_segment *manifest_find(const struct manifest *m, uint64_t number);
int manifest_copy(struct manifest *to, const struct manifest *from);
void manifest_fini(struct manifest *m);

/** manifest_read(dir_fd, ret): ${ret} is filled only on 0. */
int manifest_read(int dir_fd, struct manifest *ret);
int manifest_parse(struct str text, struct manifest *ret);
void manifest_text(struct buf *out, const struct manifest *m);

/** manifest_save(dir_fd, m): counts the generation up and replaces the file, durably. */
int manifest_save(int dir_fd, struct manifest *m, mode_t mode);

/**
 * manifest_rebuild(dir_fd, ret):
 * Make the list again from the segments that lie in the folder, by their own headers.
 *
 * Errors: MANIFEST_E_NONE (no segment there), MANIFEST_E_FORMAT; read errors.
 */
int manifest_rebuild(int dir_fd, struct manifest *ret);

/** manifest_load(dir_fd, ret, ret_rebuilt): read, or rebuild what is lost. */
int manifest_load(int dir_fd, struct manifest *ret, bool *ret_rebuilt);
