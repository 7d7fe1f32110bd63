/*
 * ingest/fileid.h - which file is this.
 * One job: say what a file is by its identity and its content, never by its name.
 * Floor: 3 (uses base).
 *
 * The identity is the file system's id and the file's handle, which has a generation, so that a reused inode is
 * another file; inode and birth time stand in where there are no handles (overlayfs).  The print is a hash of
 * bytes at a known place: it tells a truncated file from the one it was, and finds content again in a copy.
 */
#pragma once

#include <sys/stat.h>

#include "base/buf.h"

struct unzip;

enum {
	FILE_ID_MAX = 160,
	FILE_HEAD_MAX = 1024, /* bytes of the beginning that are hashed, or what there is of them */
	FILE_TAIL_MAX = 256,  /* bytes before the offset that are hashed */
};

/* Opaque bytes; n 0 is none. */
struct file_id {
	uint8_t n;
	uint8_t bytes[FILE_ID_MAX];
};

/** file_id_get(fd, ret): the identity of an open file. */
int file_id_get(int fd, struct file_id *ret);
bool file_id_eq(const struct file_id *a, const struct file_id *b);
uint64_t file_id_hash(const struct file_id *id);
/** file_id_cut(id, seq, ret): what generation ${seq} of a file is called once its bytes were truncated away; no file
 * on the disk has such an identity. */
void file_id_cut(const struct file_id *id, uint64_t seq, struct file_id *ret);

/* What one statx says; birth is 0 where the file system does not know it. */
struct file_stat {
	mode_t mode;
	uid_t uid;
	uint64_t dev, ino, size, n_links;
	int64_t birth, changed; /* ns since the epoch */
};

/** file_stat_get(dir_fd, path, flags, ret): path may be "" with AT_EMPTY_PATH for dir_fd itself. */
int file_stat_get(int dir_fd, const char *path, int flags, struct file_stat *ret);

/** file_stat_same(a, b): surely the same file; false also where that cannot be told without the identity. */
bool file_stat_same(const struct file_stat *a, const struct file_stat *b);

/* The hash of n bytes. */
struct file_print {
	uint32_t n;
	uint64_t hash;
};
struct file_print file_print_of(struct str bytes);

/* The bytes of a file, decompressed when zip is set. */
struct file_bytes {
	int fd;
	struct unzip *zip;
};

/** file_bytes_read(b, p, n, at, ret_n): as io_pread; a damaged archive ends where it is damaged. */
int file_bytes_read(const struct file_bytes *b, void *p, size_t n, uint64_t at, size_t *ret_n);

/** file_print_at(b, at, print, ret): whether the print->n bytes at ${at} have that hash. */
int file_print_at(const struct file_bytes *b, uint64_t at, const struct file_print *print,
    bool *ret);

/** file_print_head(b, ret): the print of the first FILE_HEAD_MAX bytes, or of what there is. */
int file_print_head(const struct file_bytes *b, struct file_print *ret);
