/*
 * store/enc_text.c - the text encoding.
 * One job: any bytes, in compressed pages that can be read and lost one by one.
 * Floor: 2 (uses base).
 *
 * Text, version 1:
 *
 *   size     field
 *   ...      presence
 *   varint   n_pages
 *            n_pages times:
 *   varint     n_values  of the rows that have one, in order; at least 1
 *   varint     n_raw     bytes of the page, decoded
 *   varint     n_lens    of these, the lengths
 *   varint     n         bytes of the page as it stands
 *   1          mode      0 plain, 1 one zstd frame
 *   4          checksum  of the page as it stands
 *
 * Behind the head, the pages without a gap: n_values varint lengths, then the values one after the
 * other.  A page has ENC_PAGE bytes of text, or one longer value.
 */
#include <zstd.h>

#include "base/hash.h"
#include "store/block_contains.h"
#include "store/enc.h"

/* Write the values of rows[from..to) that are there as one page. */
static int
put_page(struct buf *head, struct buf *pages, struct enc_scratch *s, const struct enc_values *v,
    size_t from, size_t to)
{
	AUTO_FINI(buf_fini) struct buf raw = BUF_INIT;
	size_t i, n = 0, n_lens, at = pages->n;
	bool zipped;

	for (i = from; i < to; i++)
		if (v->offs[i] != v->offs[i + 1]) {
			buf_varint(&raw, v->offs[i + 1] - v->offs[i]);
			n++;
		}
	n_lens = raw.n;
	buf_put(&raw, v->bytes + v->offs[from], v->offs[to] - v->offs[from]);
	if (raw.failed)
		return buf_err(&raw);
	zipped = enc_zstd_put(pages, s, buf_view(&raw));
	if (!zipped)
		buf_str(pages, buf_view(&raw));
	if (pages->failed)
		return buf_err(pages);
	buf_varint(head, n);
	buf_varint(head, raw.n);
	buf_varint(head, n_lens);
	buf_varint(head, pages->n - at);
	buf_byte(head, zipped);
	buf_u32(head, hash32(str_of(pages->p + at, pages->n - at)));
	return 0;
}

/* The end of the page that begins at row ${from}. */
static size_t
page_end(const struct enc_values *v, size_t from, size_t page)
{
	size_t to = from + 1;

	while (to < v->n && v->offs[to + 1] - v->offs[from] <= page)
		to++;
	return to;
}

int
enc_text_put(struct buf *out, struct enc_scratch *s, const struct enc_values *v, size_t *ret_head)
{
	AUTO_FINI(buf_fini) struct buf list = BUF_INIT;
	AUTO_FINI(buf_fini) struct buf pages = BUF_INIT;
	size_t i, to, n_pages = 0, n, from = out->n;
	int r;

	r = enc_present_put(out, s, v, &n);
	if (r != 0)
		return err_trace(r);
	for (i = 0; i < v->n; i = to) {
		to = page_end(v, i, enc_text_page(s));
		if (v->offs[i] == v->offs[to])
			continue;
		r = put_page(&list, &pages, s, v, i, to);
		if (r != 0)
			return err_trace(r);
		n_pages++;
	}
	buf_varint(out, n_pages);
	buf_str(out, buf_view(&list));
	*ret_head = out->n - from;
	buf_str(out, buf_view(&pages));
	return buf_err(list.failed ? &list : out);
}

struct page {
	size_t first; /* number of its first value */
	size_t n_values;
	size_t n_raw, n_lens, n;
	uint64_t at; /* in the chunk */
	bool zipped;
	uint32_t sum;
};

struct text {
	const uint64_t *present;
	size_t n_values;
	struct page *pages;
	size_t n_pages;
};

static bool
get_page_info(struct scan *s, struct page *p)
{
	uint64_t n_values = scan_varint(s), n_raw = scan_varint(s), n_lens = scan_varint(s),
	         n = scan_varint(s);
	unsigned mode = scan_u8(s);

	p->sum = scan_u32(s);
	if (s->bad || mode > 1 || n_raw > ENC_BYTES_MAX || n_lens > n_raw || n > n_raw)
		return false;
	if (n_values == 0 || n_values > n_lens || (mode == 0 && n != n_raw))
		return false;
	p->n_values = n_values;
	p->n_raw = n_raw;
	p->n_lens = n_lens;
	p->n = n;
	p->zipped = mode == 1;
	return true;
}

static int
get_text(const struct enc_chunk *c, struct arena *arena, struct text *t)
{
	struct scan s = SCAN_OF(c->head);
	uint64_t n_pages, at = c->head.n, first = 0, total = 0;
	size_t i;
	int r;

	r = enc_present_get(&s, c->zstd, c->n_rows, arena, &t->present, &t->n_values);
	if (r != 0)
		return r;
	n_pages = scan_varint(&s);
	if (s.bad || n_pages > t->n_values)
		return BLOCK_E_CORRUPT;
	t->n_pages = n_pages;
	t->pages = arena_alloc(arena, (n_pages + 1) * sizeof(*t->pages));
	if (t->pages == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < n_pages; i++) {
		if (!get_page_info(&s, &t->pages[i]))
			return BLOCK_E_CORRUPT;
		t->pages[i].first = first;
		t->pages[i].at = at;
		first += t->pages[i].n_values;
		at += t->pages[i].n;
		total += t->pages[i].n_raw;
	}
	return first != t->n_values || at != c->len || total > ENC_BYTES_MAX ? BLOCK_E_CORRUPT : 0;
}

/* The page's decoded bytes, in ${arena}, ENC_PAD more behind them. */
static int
get_page(const struct enc_chunk *c, const struct page *p, struct arena *arena, struct str *ret)
{
	uint8_t *in = arena_alloc(arena, p->n + ENC_PAD), *out;
	int r;

	if (in == NULL)
		return err_origin(-ENOMEM);
	r = enc_read(c, p->at, p->n, p->sum, in);
	if (r != 0)
		return r;
	*ret = str_of(in, p->n_raw);
	if (!p->zipped)
		return 0;
	if (ZSTD_getFrameContentSize(in, p->n) != p->n_raw)
		return BLOCK_E_CORRUPT;
	out = arena_alloc(arena, p->n_raw + ENC_PAD);
	if (out == NULL)
		return err_origin(-ENOMEM);
	*ret = str_of(out, p->n_raw);
	return enc_zstd_get(c->zstd, str_of(in, p->n), out, p->n_raw) ? 0 : BLOCK_E_CORRUPT;
}

/* Where each value of the page ends, counted from the start of its text; false when they do not fill it. */
static bool
get_ends(const struct page *p, struct str raw, uint32_t *ends)
{
	struct scan s = { raw.p, p->n_lens, 0, false };
	uint64_t at = 0, n;
	size_t i;

	for (i = 0; i < p->n_values; i++) {
		n = s.at < s.n && raw.p[s.at] < 0x80 ? raw.p[s.at++] : scan_varint(&s);
		if (n > p->n_raw - p->n_lens - at)
			return false;
		at += n;
		ends[i] = (uint32_t)at;
	}
	return !s.bad && s.at == s.n && at == p->n_raw - p->n_lens;
}

static bool
row_has(const struct text *t, size_t row)
{
	return t->present == NULL || bits_get(t->present, row);
}

/* All rows: one run of bytes. */
static int
get_all(const struct enc_chunk *c, const struct text *t, struct arena *arena, struct column *ret)
{
	AUTO_FINI(arena_fini) struct arena tmp = ARENA_INIT;
	uint32_t *offs = arena_alloc(arena, (c->n_rows + 2) * sizeof(*offs)), *ends, base = 0;
	size_t i, k, row = 0, total = 0;
	uint8_t *bytes;
	struct str raw;
	int r;

	for (i = 0; i < t->n_pages; i++)
		total += t->pages[i].n_raw - t->pages[i].n_lens;
	bytes = arena_alloc(arena, total + ENC_PAD);
	if (offs == NULL || bytes == NULL)
		return err_origin(-ENOMEM);
	offs[0] = 0;
	for (i = 0; i < t->n_pages; i++) {
		arena_clear(&tmp);
		ends = arena_alloc(&tmp, t->pages[i].n_values * sizeof(*ends));
		if (ends == NULL)
			return err_origin(-ENOMEM);
		r = get_page(c, &t->pages[i], &tmp, &raw);
		if (r != 0)
			return r;
		if (!get_ends(&t->pages[i], raw, ends))
			return BLOCK_E_CORRUPT;
		memcpy(bytes + base, raw.p + t->pages[i].n_lens, raw.n - t->pages[i].n_lens);
		for (k = 0; k < t->pages[i].n_values; row++) {
			if (row_has(t, row))
				offs[row + 1] = base + ends[k++];
			else
				offs[row + 1] = offs[row];
		}
		base += (uint32_t)(raw.n - t->pages[i].n_lens);
	}
	for (; row < c->n_rows; row++)
		offs[row + 1] = base;
	*ret = (struct column){ .name = c->name,
		.kind = COLUMN_TEXT,
		.n_rows = c->n_rows,
		.bytes = bytes,
		.offs = offs };
	return 0;
}

/* A walk over rows that knows the number of each row's value, and holds one page. */
struct text_walk {
	const struct enc_chunk *c;
	const struct text *t;
	struct arena *arena;
	size_t row, value; /* value is the number of values in rows before row */
	size_t page;       /* the next to look at */
	const struct page *held;
	struct str raw;
	uint32_t *ends;
};

static int
walk_hold(struct text_walk *w)
{
	const struct page *p;
	int r;

	while (w->value >= w->t->pages[w->page].first + w->t->pages[w->page].n_values)
		w->page++;
	p = &w->t->pages[w->page];
	if (w->held == p)
		return 0;
	w->ends = arena_alloc(w->arena, p->n_values * sizeof(*w->ends));
	if (w->ends == NULL)
		return err_origin(-ENOMEM);
	r = get_page(w->c, p, w->arena, &w->raw);
	if (r != 0)
		return r;
	if (!get_ends(p, w->raw, w->ends))
		return BLOCK_E_CORRUPT;
	w->held = p;
	return 0;
}

static int
walk_to(struct text_walk *w, size_t row, struct str *ret)
{
	size_t k, from;
	int r;

	if (w->t->present == NULL)
		w->value = row;
	else
		for (; w->row < row; w->row++)
			w->value += bits_get(w->t->present, w->row);
	*ret = STR_NONE;
	if (!row_has(w->t, row))
		return 0;
	r = walk_hold(w);
	if (r != 0)
		return r;
	k = w->value - w->held->first;
	from = k == 0 ? 0 : w->ends[k - 1];
	*ret = str_of(w->raw.p + w->held->n_lens + from, w->ends[k] - from);
	return 0;
}

int
enc_text_get(const struct enc_chunk *c, const struct enc_rows *rows, struct arena *arena,
    struct column *ret)
{
	struct text t = { 0 };
	struct text_walk w = { .c = c, .t = &t, .arena = arena };
	struct str *strs;
	size_t i;
	int r;

	r = get_text(c, arena, &t);
	if (r != 0)
		return r;
	if (rows->rows == NULL)
		return err_trace(get_all(c, &t, arena, ret));
	strs = arena_alloc(arena, (rows->n + 1) * sizeof(*strs));
	if (strs == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < rows->n; i++) {
		r = walk_to(&w, rows->rows[i], &strs[i]);
		if (r != 0)
			return r;
	}
	*ret = (struct column){ .name = c->name,
		.kind = COLUMN_STRS,
		.n_rows = rows->n,
		.strs = strs };
	return 0;
}

/* The rows of a page's values; rows[k] is that of value k. */
static void
page_rows(const struct text *t, const struct page *p, size_t *row, uint32_t *rows)
{
	size_t k;

	for (k = 0; k < p->n_values; ++*row)
		if (row_has(t, *row))
			rows[k++] = (uint32_t)*row;
}

static int
page_contains(const struct enc_chunk *c, const struct page *p, const uint32_t *rows,
    const struct block_match *m, struct arena *arena, uint64_t *found)
{
	uint32_t *ends;
	struct str raw, text;
	int r;

	r = get_page(c, p, arena, &raw);
	if (r != 0)
		return r;
	text = str_sub(raw, p->n_lens, raw.n);
	if (block_match_find(m, text) == SIZE_MAX)
		return 0;
	ends = arena_alloc(arena, p->n_values * sizeof(*ends));
	if (ends == NULL)
		return err_origin(-ENOMEM);
	if (!get_ends(p, raw, ends))
		return BLOCK_E_CORRUPT;
	block_match_run(m, text, ends, rows, found);
	return 0;
}

int
enc_text_contains(const struct enc_chunk *c, const struct block_match *m, uint64_t *sel)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	AUTO_FINI(arena_fini) struct arena tmp = ARENA_INIT;
	struct text t = { 0 };
	uint64_t *found;
	uint32_t *rows;
	size_t i, k, row = 0;
	int r;

	r = get_text(c, &arena, &t);
	if (r != 0)
		return r;
	found = arena_zalloc(&arena, BITS_WORDS(c->n_rows) + 1, sizeof(*found));
	rows = arena_alloc(&arena, (c->n_rows + 1) * sizeof(*rows));
	if (found == NULL || rows == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < t.n_pages; i++) {
		page_rows(&t, &t.pages[i], &row, rows);
		k = t.pages[i].n_values;
		if (bits_next(sel, (size_t)rows[k - 1] + 1, rows[0]) > rows[k - 1])
			continue;
		arena_clear(&tmp);
		r = page_contains(c, &t.pages[i], rows, m, &tmp, found);
		if (r != 0)
			return r;
	}
	for (i = 0; i < BITS_WORDS(c->n_rows); i++)
		sel[i] &= found[i];
	return 0;
}
