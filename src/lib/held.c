/*
 * lib/held.c - rows held back.
 * One job: keep rows until their columns are known, in bounded memory.
 * Floor: 4 (uses query, record, base).
 *
 * A row is: u32 bytes that follow, then for each cell varint name, varint length, bytes.  The file holds whole
 * rows only; those in memory come after it.
 */
#include "lib/held.h"

#include "base/io.h"

struct held {
	struct map names;
	struct buf rows;
	int fd;
	uint64_t file_bytes;
};

int
held_new(struct held **ret)
{
	struct held *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return err_origin(-ENOMEM);
	h->fd = -1;
	*ret = h;
	return 0;
}

struct held *
held_free(struct held *h)
{
	if (h != NULL) {
		if (h->fd >= 0)
			(void)close(h->fd);
		map_fini(&h->names);
		buf_fini(&h->rows);
	}
	free(h);
	return NULL;
}

static int
spill(struct held *h)
{
	int r;

	if (h->fd < 0)
		h->fd = io_open_scratch();
	if (h->fd < 0)
		return err_trace(h->fd);
	r = io_pwrite(h->fd, h->rows.p, h->rows.n, h->file_bytes);
	if (r < 0)
		return err_trace(r);
	h->file_bytes += h->rows.n;
	buf_clear(&h->rows);
	return 0;
}

int
held_put(struct held *h, const struct str *names, const struct str *const *values, size_t n,
    size_t row)
{
	size_t start = h->rows.n, i, len;
	struct map_entry *e;
	bool fresh;

	buf_u32(&h->rows, 0);
	for (i = 0; i < n; i++) {
		if (values[i][row].n == 0)
			continue;
		e = map_put(&h->names, names[i], &fresh);
		if (e == NULL)
			return err_origin(-ENOMEM);
		if (fresh)
			e->value = h->names.n - 1;
		buf_varint(&h->rows, e->value);
		buf_varint(&h->rows, values[i][row].n);
		buf_str(&h->rows, values[i][row]);
	}
	if (h->rows.failed)
		return err_origin(-ENOMEM);
	len = h->rows.n - start - 4;
	for (i = 0; i < 4; i++)
		h->rows.p[start + i] = (uint8_t)(len >> (8 * i));
	return h->rows.n >= HELD_MEMORY ? err_trace(spill(h)) : 0;
}

const struct map *
held_names(const struct held *h)
{
	return &h->names;
}

/* All whole rows of bytes; ret_used is where the first cut one begins. */
static int
walk_bytes(struct held *h, struct str bytes, struct str *cells, held_fn fn, void *ctx,
    size_t *ret_used)
{
	struct scan all = SCAN_OF(bytes), cell;
	struct str row;
	uint64_t name, len;
	int r;

	*ret_used = 0;
	while (all.n - all.at >= 4) {
		len = scan_u32(&all);
		row = scan_bytes(&all, len);
		cell = SCAN_OF(row);
		if (all.bad)
			break;
		memset(cells, 0, h->names.n * sizeof(*cells));
		while (cell.at < cell.n) {
			name = scan_varint(&cell);
			len = scan_varint(&cell);
			if (name >= h->names.n)
				return err_origin(-EIO);
			cells[name] = scan_bytes(&cell, len);
		}
		r = fn(ctx, cells);
		if (r < 0)
			return err_trace(r);
		*ret_used = all.at;
	}
	return 0;
}

static int
walk_file(struct held *h, struct str *cells, held_fn fn, void *ctx)
{
	AUTO_FINI(buf_fini) struct buf window = BUF_INIT;
	size_t got = 0, used = 0;
	uint64_t at = 0, want = 1 << 20;
	int r;

	while (at < h->file_bytes) {
		buf_clear(&window);
		if (!buf_grow(&window, want))
			return err_origin(-ENOMEM);
		r = io_pread(h->fd, window.p, want, at, &got);
		if (r < 0)
			return err_trace(r);
		r = walk_bytes(h, str_of(window.p, got), cells, fn, ctx, &used);
		if (r < 0)
			return err_trace(r);
		at += used;
		/* A row that is longer than the window needs a larger one. */
		if (used == 0 && got < want)
			return err_origin(-EIO);
		if (used == 0)
			want *= 2;
	}
	return 0;
}

int
held_walk(struct held *h, held_fn fn, void *ctx)
{
	AUTO_FREE struct str *cells = calloc(h->names.n + 1, sizeof(*cells));
	size_t used;
	int r;

	if (cells == NULL)
		return err_origin(-ENOMEM);
	r = walk_file(h, cells, fn, ctx);
	if (r < 0)
		return err_trace(r);
	return err_trace(walk_bytes(h, buf_view(&h->rows), cells, fn, ctx, &used));
}
