/*
 * base/inflate.h - files as they lie there, compressed or not.
 * One job: the plain bytes of a descriptor, whether it holds gzip, zstd, xz or none of them.
 * Floor: 0.
 *
 * Memory is bounded: zstd windows up to 128 MiB and xz up to 100 MiB; what wants more counts as corrupt.
 */
#pragma once

#include <stdatomic.h>

#include "base/buf.h"

struct inflate;

enum { INFLATE_E_CORRUPT = 1, INFLATE_E_LARGE = 2 };

/** inflate_new(ret, fd): reads from ${fd}, which stays the caller's.  What it holds is told by its first bytes. */
int inflate_new(struct inflate **ret, int fd);
struct inflate *inflate_free(struct inflate *in);
/** inflate_cancel(in, flag): reading ends with -ECANCELED soon after ${flag} (borrowed) is set. */
void inflate_cancel(struct inflate *in, const atomic_bool *flag);
/** inflate_wait(fd, flag): until there is something to read, or the end; -ECANCELED; at once when ${flag} is NULL. */
int inflate_wait(int fd, const atomic_bool *flag);
DEFINE_AUTO(struct inflate *, inflate_free)

/**
 * inflate_read(in, p, n, ret_n):
 * Up to n > 0 plain bytes; ret_n 0 at the end.
 *
 * Errors: INFLATE_E_CORRUPT (damaged or cut; what was whole has been given, but for at most the last 4 KiB before it), -errno.
 */
int inflate_read(struct inflate *in, uint8_t *p, size_t n, size_t *ret_n);

/** inflate_why(in, r, out): append why inflate_read failed with ${r}; after INFLATE_E_CORRUPT also from which byte of the input on. */
void inflate_why(const struct inflate *in, int r, struct buf *out);

/** inflate_name(in): "gzip", "zstd", "xz" or "plain". */
const char *inflate_name(const struct inflate *in);

/**
 * inflate_bytes(packed, name, max, ret, why):
 * Append what ${packed} holds; it must be of the codec ${name}.  A zstd window may have 8 MiB here.
 *
 * Errors: INFLATE_E_CORRUPT (${why} says where), INFLATE_E_LARGE (more than ${max} bytes), -ENOMEM.
 */
int inflate_bytes(struct str packed, const char *name, size_t max, struct buf *ret,
    struct buf *why);
