/*
 * ingest/filepos.c - how far a file has been read.
 * One job: a position as a struct, and as the bytes that are committed with the rows.
 * Floor: 3 (uses base).
 */
#include "ingest/filepos.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/hash.h"

void
file_pos_key(const struct file_id *id, char out[FILE_KEY_MAX])
{
	(void)snprintf(out, FILE_KEY_MAX, "file/%016" PRIx64, file_id_hash(id));
}

/*
 * Position, version 1.  Numbers are LEB128 unless a size is given; those are little-endian.
 *
 *   version    1 byte, 1
 *   flags      enum file_pos_flags
 *   id         length, bytes
 *   seq, offset, size
 *   head       length, 8 bytes of hash
 *   tail       length, 8 bytes of hash
 *   part
 *   name       length, bytes
 *   group      length, bytes
 *   checksum   4 bytes, hash32 of all before it
 */
void
file_pos_write(struct buf *out, const struct file_pos *pos)
{
	size_t start = out->n;

	buf_byte(out, FILE_POS_VERSION);
	buf_varint(out, pos->flags);
	buf_varint(out, pos->id.n);
	buf_put(out, pos->id.bytes, pos->id.n);
	buf_varint(out, pos->seq);
	buf_varint(out, pos->offset);
	buf_varint(out, pos->size);
	buf_varint(out, pos->head.n);
	buf_u64(out, pos->head.hash);
	buf_varint(out, pos->tail.n);
	buf_u64(out, pos->tail.hash);
	buf_varint(out, pos->part);
	buf_varint(out, pos->name.n);
	buf_str(out, pos->name);
	buf_varint(out, pos->group.n);
	buf_str(out, pos->group);
	if (!out->failed)
		buf_u32(out, hash32(str_of(out->p + start, out->n - start)));
}

static struct file_print
read_print(struct scan *s)
{
	struct file_print p;
	uint64_t n = scan_varint(s);

	p.hash = scan_u64(s);
	p.n = n > FILE_HEAD_MAX ? UINT32_MAX : (uint32_t)n;
	return p;
}

static struct str
read_bytes(struct scan *s)
{
	uint64_t n = scan_varint(s);

	return n > s->n ? scan_bytes(s, s->n + 1) : scan_bytes(s, (size_t)n);
}

static void
read_id(struct scan *s, struct file_id *ret)
{
	struct str bytes = read_bytes(s);

	if (bytes.n == 0 || bytes.n > FILE_ID_MAX) {
		s->bad = true;
		return;
	}
	ret->n = (uint8_t)bytes.n;
	memcpy(ret->bytes, bytes.p, bytes.n);
}

int
file_pos_read(struct str s, struct file_pos *ret)
{
	struct file_pos pos = { 0 };
	struct scan in = SCAN_OF(s);
	uint64_t part;
	size_t end;

	if (scan_u8(&in) != FILE_POS_VERSION)
		return FILE_POS_E_SYNTAX;
	pos.flags = (unsigned)scan_varint(&in);
	read_id(&in, &pos.id);
	pos.seq = scan_varint(&in);
	pos.offset = scan_varint(&in);
	pos.size = scan_varint(&in);
	pos.head = read_print(&in);
	pos.tail = read_print(&in);
	part = scan_varint(&in);
	pos.name = read_bytes(&in);
	pos.group = read_bytes(&in);
	end = in.at;
	if (in.bad || scan_u32(&in) != hash32(str_sub(s, 0, end)) || in.bad || in.at != s.n)
		return FILE_POS_E_SYNTAX;
	if (pos.head.n > FILE_HEAD_MAX || pos.tail.n > FILE_TAIL_MAX || pos.tail.n > pos.offset ||
	    pos.offset > pos.size || pos.size > INT64_MAX || part > UINT32_MAX || pos.name.n == 0)
		return FILE_POS_E_SYNTAX;
	pos.part = (uint32_t)part;
	*ret = pos;
	return 0;
}
