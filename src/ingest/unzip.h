/*
 * ingest/unzip.h - rotated files that were compressed.
 * One job: read gzip, zstd, xz or plain bytes at rising offsets of their decompressed content.
 * Floor: 3 (uses base).
 *
 * Memory is bounded: a window of what was asked for last, and what base/inflate.h says.  An offset before the last one
 * starts again at the beginning.
 */
#pragma once

#include "base/buf.h"

struct unzip;

enum { UNZIP_E_CORRUPT = 1 };

/** unzip_new(ret, fd): reads from ${fd}, which stays the caller's and is not shared with others meanwhile. */
int unzip_new(struct unzip **ret, int fd);
struct unzip *unzip_free(struct unzip *u);
DEFINE_AUTO(struct unzip *, unzip_free)

/**
 * unzip_pread(u, p, n, at, ret_n):
 * The decompressed bytes [at, at + n), or fewer at the end.
 *
 * Errors: UNZIP_E_CORRUPT (damaged or cut: nothing behind ${at} + ${ret_n} can be had; ret_n is set), -errno; -ESPIPE
 * when the file cannot be read again.
 */
int unzip_pread(struct unzip *u, void *p, size_t n, uint64_t at, size_t *ret_n);

/** unzip_why(u, out): whether the last read came to where it is damaged or cut; then what is wrong is appended. */
bool unzip_why(const struct unzip *u, struct buf *out);

/** unzip_name(u): "gzip", "zstd", "xz" or "plain"; after the first read. */
const char *unzip_name(const struct unzip *u);

/** unzip_has_suffix(name): whether a file name ends like a compressed one (.gz .zst .xz .bz2 .lz4 .Z). */
bool unzip_has_suffix(struct str name);

/** unzip_can(name): whether one with that suffix can be read (not .bz2 .lz4 .Z). */
bool unzip_can(struct str name);
