/*
 * ingest/journal_proto.c - what the journal's reader and the daemon say to each other.
 * One job: write frames, and read them as if a stranger had written them.
 * Floor: 3 (uses base).
 */
#include "ingest/journal_proto.h"

#include <assert.h>

#include "base/arena.h"
#include "ingest/journal.h"

size_t
journal_proto_begin(struct buf *out, enum journal_frame_type type)
{
	size_t at = out->n;

	buf_u32(out, 0);
	buf_byte(out, JOURNAL_PROTO_VERSION);
	buf_byte(out, (uint8_t)type);
	buf_u16(out, 0);
	return at;
}

void
journal_proto_end(struct buf *out, size_t at)
{
	uint32_t n;

	if (out->failed)
		return;
	assert(out->n - at - JOURNAL_PROTO_HEAD <= JOURNAL_PROTO_MAX);
	n = htole32((uint32_t)(out->n - at - JOURNAL_PROTO_HEAD));
	memcpy(out->p + at, &n, sizeof(n));
}

int
journal_proto_frame(struct str s, enum journal_frame_type *ret_type, struct str *ret_payload,
    size_t *ret_n)
{
	struct scan sc = SCAN_OF(s);
	uint32_t n;
	uint8_t version, type;

	if (s.n < JOURNAL_PROTO_HEAD)
		return JOURNAL_PROTO_E_MORE;
	n = scan_u32(&sc);
	version = scan_u8(&sc);
	type = scan_u8(&sc);
	if (n > JOURNAL_PROTO_MAX || version != JOURNAL_PROTO_VERSION ||
	    type < JOURNAL_FRAME_OPTIONS || type > JOURNAL_FRAME_STATE || scan_u16(&sc) != 0)
		return JOURNAL_PROTO_E_FORMAT;
	if (s.n - JOURNAL_PROTO_HEAD < n)
		return JOURNAL_PROTO_E_MORE;
	*ret_type = (enum journal_frame_type)type;
	*ret_payload = (struct str){ s.p + JOURNAL_PROTO_HEAD, n };
	*ret_n = JOURNAL_PROTO_HEAD + n;
	return 0;
}

bool
journal_file_id_eq(const struct journal_file_id *a, const struct journal_file_id *b)
{
	return a->inode == b->inode && a->device == b->device &&
	    journal_id_eq(&a->file_id, &b->file_id);
}

static void
put_str(struct buf *out, struct str s)
{
	buf_varint(out, s.n);
	buf_str(out, s);
}

static struct str
get_str(struct scan *sc)
{
	uint64_t n = scan_varint(sc);

	if (n > JOURNAL_PROTO_MAX)
		sc->bad = true;
	return scan_bytes(sc, sc->bad ? 0 : (size_t)n);
}

static void
put_file_id(struct buf *out, const struct journal_file_id *id)
{
	buf_u64(out, id->inode);
	buf_u64(out, id->device);
	buf_put(out, id->file_id.b, sizeof(id->file_id.b));
}

static void
get_id(struct scan *sc, struct journal_id *ret)
{
	struct str s = scan_bytes(sc, sizeof(ret->b));

	if (sc->bad)
		memset(ret, 0, sizeof(*ret));
	else
		memcpy(ret->b, s.p, sizeof(ret->b));
}

static void
get_file_id(struct scan *sc, struct journal_file_id *ret)
{
	ret->inode = scan_u64(sc);
	ret->device = scan_u64(sc);
	get_id(sc, &ret->file_id);
}

static bool
whole(const struct scan *sc)
{
	return !sc->bad && sc->at == sc->n;
}

void
journal_proto_put_options(struct buf *out, const struct journal_proto_options *o)
{
	size_t at = journal_proto_begin(out, JOURNAL_FRAME_OPTIONS), i;

	buf_byte(out, o->flags);
	buf_byte(out, o->from);
	buf_u64(out, (uint64_t)o->from_time.ns);
	buf_u32(out, o->own_pid);
	put_str(out, o->own_unit);
	put_str(out, o->path);
	put_str(out, o->position);
	buf_varint(out, o->n_units);
	for (i = 0; i < o->n_units; i++)
		put_str(out, o->units[i]);
	buf_varint(out, o->n_aside);
	for (i = 0; i < o->n_aside; i++)
		put_file_id(out, &o->aside[i]);
	journal_proto_end(out, at);
}

bool
journal_proto_get_options(struct str s, struct arena *arena, struct journal_proto_options *ret)
{
	struct scan sc = SCAN_OF(s);
	uint64_t n;
	size_t i;

	memset(ret, 0, sizeof(*ret));
	ret->flags = scan_u8(&sc);
	ret->from = scan_u8(&sc);
	ret->from_time.ns = (int64_t)scan_u64(&sc);
	ret->own_pid = scan_u32(&sc);
	ret->own_unit = get_str(&sc);
	ret->path = get_str(&sc);
	ret->position = get_str(&sc);
	n = scan_varint(&sc);
	if (sc.bad || n > JOURNAL_UNITS_MAX || ret->from > JOURNAL_FROM_TIME ||
	    str_find_byte(ret->path, '\0') != SIZE_MAX)
		return false;
	ret->units = arena_zalloc(arena, (size_t)n, sizeof(*ret->units));
	if (ret->units == NULL)
		return false;
	for (i = 0; i < n; i++)
		ret->units[i] = get_str(&sc);
	ret->n_units = (size_t)n;
	n = scan_varint(&sc);
	if (sc.bad || n > JOURNAL_ASIDE_MAX)
		return false;
	ret->aside = arena_zalloc(arena, (size_t)n, sizeof(*ret->aside));
	if (ret->aside == NULL)
		return false;
	for (i = 0; i < n; i++)
		get_file_id(&sc, &ret->aside[i]);
	ret->n_aside = (size_t)n;
	return whole(&sc);
}

void
journal_proto_put_text(struct buf *out, enum journal_frame_type type, struct str text)
{
	size_t at = journal_proto_begin(out, type);

	buf_str(out, text);
	journal_proto_end(out, at);
}

void
journal_proto_put_loss(struct buf *out, const struct journal_proto_loss *l)
{
	size_t at = journal_proto_begin(out, JOURNAL_FRAME_LOSS);

	buf_u64(out, l->n);
	buf_put(out, l->seqnum_id.b, sizeof(l->seqnum_id.b));
	buf_u64(out, l->first);
	buf_u64(out, l->last);
	put_str(out, l->reason);
	journal_proto_end(out, at);
}

bool
journal_proto_get_loss(struct str s, struct journal_proto_loss *ret)
{
	struct scan sc = SCAN_OF(s);

	ret->n = scan_u64(&sc);
	get_id(&sc, &ret->seqnum_id);
	ret->first = scan_u64(&sc);
	ret->last = scan_u64(&sc);
	ret->reason = get_str(&sc);
	return whole(&sc);
}

void
journal_proto_put_file(struct buf *out, enum journal_frame_type type,
    const struct journal_proto_file *f)
{
	size_t at = journal_proto_begin(out, type);

	put_file_id(out, &f->id);
	buf_byte(out, f->kills);
	put_str(out, f->path);
	put_str(out, f->reason);
	journal_proto_end(out, at);
}

bool
journal_proto_get_file(struct str s, struct journal_proto_file *ret)
{
	struct scan sc = SCAN_OF(s);

	get_file_id(&sc, &ret->id);
	ret->kills = scan_u8(&sc);
	ret->path = get_str(&sc);
	ret->reason = get_str(&sc);
	return whole(&sc);
}

void
journal_proto_put_state(struct buf *out, enum journal_reader_state state)
{
	size_t at = journal_proto_begin(out, JOURNAL_FRAME_STATE);

	buf_byte(out, (uint8_t)state);
	journal_proto_end(out, at);
}

bool
journal_proto_get_state(struct str s, enum journal_reader_state *ret)
{
	if (s.n != 1 || s.p[0] > JOURNAL_READER_DONE)
		return false;
	*ret = (enum journal_reader_state)s.p[0];
	return true;
}

void
journal_proto_put_batch(struct buf *out, struct str position, uint64_t n_read, uint32_t n_entries,
    struct str entries)
{
	size_t at = journal_proto_begin(out, JOURNAL_FRAME_BATCH);

	put_str(out, position);
	buf_u64(out, n_read);
	buf_u32(out, n_entries);
	buf_str(out, entries);
	journal_proto_end(out, at);
}

bool
journal_proto_get_batch(struct str s, struct journal_proto_batch *ret)
{
	struct scan sc = SCAN_OF(s);

	ret->position = get_str(&sc);
	ret->n_read = scan_u64(&sc);
	ret->n_entries = scan_u32(&sc);
	ret->entries = sc;
	return !sc.bad && ret->position.n <= JOURNAL_POSITION_MAX;
}

bool
journal_proto_entry(struct journal_proto_batch *b, uint64_t *ret_realtime, uint32_t *ret_n_fields)
{
	struct scan *sc = &b->entries;

	*ret_realtime = scan_u64(sc);
	*ret_n_fields = scan_u32(sc);
	/* each field takes four bytes at least, so that a number from nowhere reserves no memory */
	return !sc->bad && *ret_n_fields <= (sc->n - sc->at) / 4;
}
