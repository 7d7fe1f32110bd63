/*
 * store/idindex.c - the ID index.
 * One job: find the blocks of one ID among millions with one or two small reads.
 * Floor: 2 (uses base).
 *
 * Fingerprints are hashes and so evenly spread: the place of one among n is close to fp * n / 2^32, about
 * sqrt(n) / 2 off, which is less than a page below some hundreds of thousands.  So the page that the guess
 * gives is read, and its neighbours when the fingerprint lies beyond it.
 * Source: Perl, Itai, Avni, "Interpolation search - a log log N search", 1978.
 */
#include "store/idindex.h"

#include "base/hash.h"
#include "base/own.h"
#include "store/frame.h"

/*
 * ID index, version 1: pages of 4096 bytes, the last one shorter.
 *
 *   offset  size     field
 *        0  k * w    entries: fingerprint (4 bytes, little-endian), block number (w - 4 bytes)
 *                    zeros to a multiple of 8
 *   len - 8     8    hash64 of what stands before, seeded with the page's number
 *
 * w - 4 is the least number of bytes that holds the highest block number, k = 4088 / w.  The fingerprint is the high
 * half of hash64 of the value.  Entries ascend by fingerprint, then block.
 */

static const uint64_t MARK_SEED = UINT64_C(0x6d61726b73000000); /* "marks" */

static unsigned
entry_width(uint32_t n_blocks)
{
	uint32_t top = n_blocks > 0 ? n_blocks - 1 : 0;

	return 4 + (top < 0x100 ? 1 : top < 0x10000 ? 2 : top < 0x1000000 ? 3 : 4);
}

static uint32_t
per_page(struct idindex_shape shape)
{
	return (IDINDEX_PAGE - 8) / entry_width(shape.n_blocks);
}

static uint64_t
n_pages(struct idindex_shape shape)
{
	return (shape.n_ids + per_page(shape) - 1) / per_page(shape);
}

/* Entries and bytes of page ${i}. */
static uint32_t
page_entries(struct idindex_shape shape, uint64_t i)
{
	uint64_t left = shape.n_ids - i * per_page(shape);

	return left < per_page(shape) ? (uint32_t)left : per_page(shape);
}

static size_t
page_bytes(struct idindex_shape shape, uint64_t i)
{
	uint32_t n = page_entries(shape, i);

	if (n == per_page(shape))
		return IDINDEX_PAGE;
	return (size_t)frame_pad((uint64_t)n * entry_width(shape.n_blocks)) + 8;
}

uint64_t
idindex_bytes(struct idindex_shape shape)
{
	uint64_t n = n_pages(shape);

	return n == 0 ? 0 : (n - 1) * IDINDEX_PAGE + page_bytes(shape, n - 1);
}

uint64_t
idindex_mark(struct str name, unsigned n)
{
	return hash64_seed(name, MARK_SEED + n);
}

static void
finish_page(struct idindex_writer *w)
{
	static const uint8_t zeros[IDINDEX_PAGE];
	size_t n = page_bytes(w->shape, w->n_pages);

	buf_put(&w->page, zeros, n - 8 - w->page.n);
	buf_u64(&w->page, hash64_seed(buf_view(&w->page), w->n_pages));
	buf_str(w->out, buf_view(&w->page));
	w->out->failed |= w->page.failed;
	buf_clear(&w->page);
	w->n_pages++;
}

void
idindex_writer_put(struct idindex_writer *w, struct idindex_entry e)
{
	unsigned i, n = entry_width(w->shape.n_blocks) - 4;

	buf_u32(&w->page, e.fp);
	for (i = 0; i < n; i++)
		buf_byte(&w->page, (uint8_t)(e.block >> (8 * i)));
	w->n_put++;
	if (w->n_put % per_page(w->shape) == 0)
		finish_page(w);
}

void
idindex_writer_end(struct idindex_writer *w)
{
	if (w->page.n > 0)
		finish_page(w);
	buf_fini(&w->page);
}

static struct idindex_entry
page_entry(const struct idindex_page *pg, uint32_t i)
{
	const uint8_t *p = pg->p + (size_t)i * pg->width;
	struct idindex_entry e = { 0 };
	unsigned k;

	for (k = 0; k < 4; k++)
		e.fp |= (uint32_t)p[k] << (8 * k);
	for (k = 4; k < pg->width; k++)
		e.block |= (uint32_t)p[k] << (8 * (k - 4));
	return e;
}

static int
read_page(int fd, uint64_t at, struct idindex_shape shape, uint64_t i, struct idindex_page *ret)
{
	size_t n = page_bytes(shape, i);
	struct scan s;
	int r;

	r = frame_read_exact(fd, ret->p, n, at + i * IDINDEX_PAGE);
	if (r < 0)
		return err_trace(r);
	s = (struct scan){ ret->p + n - 8, 8, 0, false };
	if (scan_u64(&s) != hash64_seed(str_of(ret->p, n - 8), i))
		return IDINDEX_E_CORRUPT;
	ret->n = page_entries(shape, i);
	ret->width = entry_width(shape.n_blocks);
	return 0;
}

/* How many pages lie between two fingerprints, as evenly as they are spread. */
static uint64_t
pages_between(struct idindex_shape shape, uint32_t from, uint32_t to)
{
	return (uint64_t)(((unsigned __int128)(to - from) * shape.n_ids) >> 32) / per_page(shape);
}

/*
 * The first page whose last fingerprint is at least ${fp}: guess again from each page that was read, and halve
 * instead when the guesses do not close in.  *ret_page is loaded; *ret_i is past the end when there is none.
 */
static int
find_page(int fd, uint64_t at, struct idindex_shape shape, uint32_t fp, struct idindex_page *page,
    uint64_t *ret_i)
{
	uint64_t lo = 0, hi = n_pages(shape), i = pages_between(shape, 0, fp), tries = 0, step;
	uint64_t loaded = UINT64_MAX;
	uint32_t first, last;
	int r;

	while (lo < hi) {
		if (i < lo || i >= hi || tries++ > 4)
			i = tries > 4 ? lo + (hi - lo) / 2 : i < lo ? lo : hi - 1;
		r = read_page(fd, at, shape, i, page);
		if (r != 0)
			return r;
		loaded = i;
		first = page_entry(page, 0).fp;
		last = page_entry(page, page->n - 1).fp;
		if (last < fp) {
			lo = i + 1;
			i = lo + pages_between(shape, last, fp);
		} else {
			hi = i;
			/* Smaller fingerprints in front of it: no page before can end at fp or above. */
			if (first < fp)
				lo = hi;
			step = first < fp ? 0 : 1 + pages_between(shape, fp, first);
			i -= step < i ? step : i;
		}
	}
	if (lo < n_pages(shape) && loaded != lo) {
		r = read_page(fd, at, shape, lo, page);
		if (r != 0)
			return r;
	}
	*ret_i = lo;
	return 0;
}

/* The first entry of the page that is at least ${fp}, or its number of entries. */
static uint32_t
find_entry(const struct idindex_page *page, uint32_t fp)
{
	uint32_t lo = 0, hi = page->n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (page_entry(page, mid).fp < fp)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

int
idindex_find(int fd, uint64_t at, struct idindex_shape shape, uint32_t fp, idindex_fn fn, void *ctx)
{
	struct idindex_page page;
	struct idindex_entry e;
	uint64_t i = 0;
	uint32_t k;
	int r;

	if (shape.n_ids == 0)
		return 0;
	r = find_page(fd, at, shape, fp, &page, &i);
	if (r != 0)
		return r;
	while (i < n_pages(shape)) {
		for (k = find_entry(&page, fp); k < page.n; k++) {
			e = page_entry(&page, k);
			if (e.fp != fp)
				return 0;
			if (e.block >= shape.n_blocks)
				return IDINDEX_E_CORRUPT;
			r = fn(ctx, e.block);
			if (r != 0)
				return r;
		}
		if (++i < n_pages(shape)) {
			r = read_page(fd, at, shape, i, &page);
			if (r != 0)
				return r;
		}
	}
	return 0;
}

int
idindex_next(struct idindex_cursor *c, struct idindex_entry *ret)
{
	int r;

	if (c->k == c->page.n) {
		if (c->next_page >= n_pages(c->shape))
			return IDINDEX_E_END;
		r = read_page(c->fd, c->at, c->shape, c->next_page, &c->page);
		if (r != 0)
			return r;
		c->next_page++;
		c->k = 0;
	}
	*ret = page_entry(&c->page, c->k++);
	return ret->block < c->shape.n_blocks ? 0 : IDINDEX_E_CORRUPT;
}

int
idindex_each(int fd, uint64_t at, struct idindex_shape shape, idindex_each_fn fn, void *ctx)
{
	struct idindex_cursor c = { .fd = fd, .at = at, .shape = shape };
	struct idindex_entry e;
	int r;

	while ((r = idindex_next(&c, &e)) == 0) {
		r = fn != NULL ? fn(ctx, e) : 0;
		if (r != 0)
			return r;
	}
	return r == IDINDEX_E_END ? 0 : r;
}
