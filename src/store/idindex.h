/*
 * store/idindex.h - the ID index.
 * One job: find the blocks of one ID among millions with one or two small reads.
 * Floor: 2 (uses base).  Room-internal.
 */
#pragma once

#include "base/buf.h"

enum { IDINDEX_PAGE = 4096, IDINDEX_E_CORRUPT = 1, IDINDEX_E_END = 2 };

struct idindex_entry {
	uint32_t fp; /* idindex_fp of the value's hash */
	uint32_t block;
};

static inline uint32_t
idindex_fp(uint64_t hash)
{
	return (uint32_t)(hash >> 32);
}

/** idindex_mark(name, n): stands among the hashes of a block where some value of the ID field ${name} has more than ${n}
 * dashes (names_id_dashes): a phrase of n dashes may be in it, whether or not its own hash is there. */
uint64_t idindex_mark(struct str name, unsigned n);

/* Where the pages of an index lie; the sizes follow from the two counts. */
struct idindex_shape {
	uint64_t n_ids;
	uint32_t n_blocks;
};
uint64_t idindex_bytes(struct idindex_shape shape);

/*
 * Writes pages from entries that come in order.
 * Invariant: page holds the entries of page number n_pages, not yet finished.
 */
struct idindex_writer {
	struct buf *out;
	struct idindex_shape shape;
	uint64_t n_put;
	uint32_t n_pages;
	struct buf page;
};
/** idindex_writer_put(w, e), idindex_writer_end(w): append to w->out; shape.n_ids entries in all.  Who does not know their
 * number sets n_ids to UINT64_MAX, and to n_put before the end. */
void idindex_writer_put(struct idindex_writer *w, struct idindex_entry e);
void idindex_writer_end(struct idindex_writer *w);

/** idindex_find(fd, at, shape, fp, fn, ctx): every block of ${fp}.  IDINDEX_E_CORRUPT: any block may hold it. */
typedef int (*idindex_fn)(void *ctx, uint32_t block);
int idindex_find(int fd, uint64_t at, struct idindex_shape shape, uint32_t fp, idindex_fn fn,
    void *ctx);

/* One page as read. */
struct idindex_page {
	uint8_t p[IDINDEX_PAGE];
	uint32_t n;
	unsigned width;
};

/*
 * Goes through an index in order, a page at a time.
 * Invariant: entry k of page next_page - 1, which is in ${page}, comes next; k == page.n: the next page's first.
 */
struct idindex_cursor {
	int fd;
	uint64_t at;
	struct idindex_shape shape;
	uint64_t next_page;
	uint32_t k;
	struct idindex_page page;
};
/** idindex_next(c, ret): with fd, at and shape set and all else 0.  IDINDEX_E_END, IDINDEX_E_CORRUPT; read errors. */
int idindex_next(struct idindex_cursor *c, struct idindex_entry *ret);

/** idindex_each(fd, at, shape, fn, ctx): every entry in order; fn may be NULL. */
typedef int (*idindex_each_fn)(void *ctx, struct idindex_entry e);
int idindex_each(int fd, uint64_t at, struct idindex_shape shape, idindex_each_fn fn, void *ctx);
