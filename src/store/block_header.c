/*
 * store/block_header.c - the block's header and directory.
 * One job: their bytes, both ways (the tables stand in block_internal.h).
 * Floor: 2 (uses base).
 */
#include "base/hash.h"
#include "store/block_internal.h"

void
block_header_put(struct buf *out, const struct block_header *h)
{
	size_t from = out->n;

	buf_u32(out, BLOCK_MAGIC);
	buf_u16(out, BLOCK_VERSION);
	buf_u16(out, 0);
	buf_u32(out, h->n_rows);
	buf_u32(out, h->n_columns);
	buf_u32(out, h->dir_len);
	buf_u32(out, h->dir_sum);
	buf_u64(out, h->n_bytes);
	buf_u64(out, (uint64_t)h->min_time.ns);
	buf_u64(out, (uint64_t)h->max_time.ns);
	buf_u64(out, h->raw_bytes);
	buf_u32(out, 0);
	if (!out->failed)
		buf_u32(out, hash32(str_of(out->p + from, BLOCK_HEADER - 4)));
}

bool
block_header_get(const uint8_t *p, bool checked, struct block_header *ret)
{
	struct scan s = { p, BLOCK_HEADER, 0, false };
	struct block_header h;
	uint32_t magic, sum;
	unsigned version, features;

	magic = scan_u32(&s);
	version = scan_u16(&s);
	features = scan_u16(&s);
	h.n_rows = scan_u32(&s);
	h.n_columns = scan_u32(&s);
	h.dir_len = scan_u32(&s);
	h.dir_sum = scan_u32(&s);
	h.n_bytes = scan_u64(&s);
	h.min_time.ns = (int64_t)scan_u64(&s);
	h.max_time.ns = (int64_t)scan_u64(&s);
	h.raw_bytes = scan_u64(&s);
	(void)scan_u32(&s);
	sum = scan_u32(&s);
	if (magic != BLOCK_MAGIC || version != BLOCK_VERSION || features != 0)
		return false;
	if (checked && sum != hash32(str_of(p, BLOCK_HEADER - 4)))
		return false;
	if (h.n_rows == 0 || h.n_rows > BLOCK_ROWS_MAX || h.dir_len > h.n_bytes ||
	    h.n_bytes - h.dir_len < BLOCK_HEADER || h.n_columns > h.dir_len / ENTRY_BYTES_MIN)
		return false;
	*ret = h;
	return true;
}

void
block_entry_put(struct buf *out, const struct block_entry *e)
{
	buf_varint(out, e->name.n);
	buf_str(out, e->name);
	buf_byte(out, e->role);
	buf_byte(out, e->enc);
	buf_byte(out, e->version);
	buf_byte(out, e->flags);
	buf_byte(out, e->scale);
	if (e->flags & ENTRY_HAS_RANGE) {
		buf_u64(out, (uint64_t)e->min);
		buf_u64(out, (uint64_t)e->max);
	}
	buf_varint(out, e->n_values);
	buf_varint(out, e->at);
	buf_varint(out, e->head_len);
	buf_varint(out, e->len);
	buf_u32(out, e->sum);
	buf_varint(out, e->value.n);
	buf_str(out, e->value);
}

bool
block_entry_get(struct scan *s, struct block_entry *e)
{
	*e = (struct block_entry){ 0 };
	e->name = scan_bytes(s, scan_varint(s));
	e->role = scan_u8(s);
	e->enc = scan_u8(s);
	e->version = scan_u8(s);
	e->flags = scan_u8(s);
	e->scale = scan_u8(s);
	if (e->flags & ENTRY_HAS_RANGE) {
		e->min = (int64_t)scan_u64(s);
		e->max = (int64_t)scan_u64(s);
	}
	e->n_values = scan_varint(s);
	e->at = scan_varint(s);
	e->head_len = scan_varint(s);
	e->len = scan_varint(s);
	e->sum = scan_u32(s);
	e->value = scan_bytes(s, scan_varint(s));
	return !s->bad && e->head_len <= e->len;
}
