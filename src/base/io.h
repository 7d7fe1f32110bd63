/*
 * base/io.h - file I/O.
 * One job: whole reads, writes and syncs, through one table that a test can replace.
 * Floor: 0.
 *
 * EINTR and short transfers are dealt with here, nowhere else.  Every call that touches the store or a
 * position goes through here, so that a test can make the k-th one fail, for every k (io_hook).
 */
#pragma once

#include <sys/types.h>

#include "base/buf.h"

enum io_op { IO_OPEN, IO_READ, IO_WRITE, IO_SYNC, IO_RENAME, IO_UNLINK, IO_TRUNCATE, IO_ALLOCATE };

/*
 * Called before each operation: 0 lets it happen, -errno makes it fail so, IO_HOOK_SHORT makes a write
 * transfer half of its bytes and then fail with -EIO.  NULL (the default) is no hook.
 */
enum { IO_HOOK_SHORT = 1 };
typedef int (*io_hook_fn)(void *ctx, enum io_op op, const char *path_or_null, size_t n);
void io_set_hook(io_hook_fn fn, void *ctx);

/** io_keep_standard(): a descriptor of 0 to 2 that is shut is taken, by /dev/null opened the wrong way round, so that no file of ours
 * becomes standard output and whoever uses it gets an error. */
void io_keep_standard(void);

/** io_open(dir_fd, path, flags, mode): a descriptor (O_CLOEXEC is added), or -errno. */
int io_open(int dir_fd, const char *path, int flags, mode_t mode);

/** io_open_scratch(): a file without a name in $TMPDIR or /tmp, or in memory where that cannot be; or -errno. */
int io_open_scratch(void);

/** io_read(fd, p, n, ret_n): one read of up to n bytes; ret_n 0 at the end. */
int io_read(int fd, void *p, size_t n, size_t *ret_n);

/** io_pread(fd, p, n, at, ret_n): read until n bytes or the end of the file. */
int io_pread(int fd, void *p, size_t n, uint64_t at, size_t *ret_n);

/** io_write(fd, p, n): write all of it. */
int io_write(int fd, const void *p, size_t n);

/** io_pwrite(fd, p, n, at): write all of it at offset ${at}. */
int io_pwrite(int fd, const void *p, size_t n, uint64_t at);

/** io_sync(fd): fdatasync.  A failure means that the file is not to be trusted again. */
int io_sync(int fd);

/** io_want_files(): as many descriptors as the process may have, up to 65536; what select() cannot take is not for it. */
void io_want_files(void);

/** io_sync_dir(dir_fd): fsync of a folder, so that names are durable. */
int io_sync_dir(int dir_fd);

int io_rename(int dir_fd, const char *from, const char *to);
int io_unlink(int dir_fd, const char *path);
int io_truncate(int fd, uint64_t n);
/** io_allocate(fd, at, n): reserve bytes without changing the size; 0 too where the file system cannot. */
int io_allocate(int fd, uint64_t at, uint64_t n);

/** io_size(fd, ret_n): size of the file in bytes. */
int io_size(int fd, uint64_t *ret_n);

/** io_read_file(dir_fd, path, max, out): append a whole file of at most ${max} bytes; -EFBIG beyond. */
int io_read_file(int dir_fd, const char *path, size_t max, struct buf *out);

/**
 * io_replace_file(dir_fd, path, data):
 * Durably replace a file: write to "path.tmp", sync, rename, sync the folder ${dir_fd} (a real descriptor).
 */
int io_replace_file(int dir_fd, const char *path, struct str data, mode_t mode);
