/*
 * ingest/journal_proto.h - what the journal's reader and the daemon say to each other.
 * One job: frames over a socket pair, every length and type checked on both sides.
 * Floor: 3 (uses base).
 *
 * The reader is the part that may die or be taken over by a hostile file: what comes from it is checked like what
 * comes from outside.
 */
#pragma once

#include <endian.h>

#include "base/wall.h"
#include "ingest/journal_position.h"

/*
 * Frame, version 1.  Little-endian, packed; strings are a varint and as many bytes.
 *
 *   offset  size  field
 *        0     4  n        bytes of the payload, at most JOURNAL_PROTO_MAX
 *        4     1  version  1
 *        5     1  type     enum journal_frame_type
 *        6     2  zero
 *        8     n  payload
 *
 *   OPTIONS  down  flags 1, from 1, from_time 8, own_pid 4, own_unit, path, position strings; number of units, each a
 *                  string; number of files set aside, each: inode 8, device 8, file id 16
 *   BATCH    up    position string; entries read 8 (filtered ones too); number of entries 4; each: realtime us 8,
 *                  number of fields 4, each: bytes 4 and NAME=value
 *   NOTE     up    a line of text for people
 *   LOSS     up    number of lost entries 8 (0: unknown), sequence-number id 16, first 8, last 8, reason string
 *   ASIDE    up    inode 8, device 8, file id 16, kills 1, path string, reason string: this file is not read (again)
 *   NOW      up    the same: this file is about to be touched; an empty path: none in particular
 *   STATE    up    1 byte: enum journal_reader_state
 */
enum {
	JOURNAL_PROTO_VERSION = 1,
	JOURNAL_PROTO_HEAD = 8,
	JOURNAL_PROTO_MAX = 40 << 20,
	JOURNAL_PROTO_E_FORMAT = 1, /* not what this version says */
	JOURNAL_PROTO_E_MORE = 2,   /* the frame is not whole yet */
};

enum journal_frame_type {
	JOURNAL_FRAME_OPTIONS = 1,
	JOURNAL_FRAME_BATCH,
	JOURNAL_FRAME_NOTE,
	JOURNAL_FRAME_LOSS,
	JOURNAL_FRAME_ASIDE,
	JOURNAL_FRAME_NOW,
	JOURNAL_FRAME_STATE,
};

enum journal_reader_state { JOURNAL_READER_READING, JOURNAL_READER_AT_END, JOURNAL_READER_DONE };

enum journal_proto_flags { JOURNAL_ONCE = 1, JOURNAL_PROBE = 2 };

/* A journal file whatever its name: rename keeps it, and a new file on a used inode has another file id. */
struct journal_file_id {
	uint64_t inode, device;
	struct journal_id file_id; /* from the header; zeros when it could not be read */
};

struct journal_proto_options {
	uint8_t flags; /* enum journal_proto_flags */
	uint8_t from;  /* enum journal_from */
	struct wall from_time;
	uint32_t own_pid;
	struct str own_unit, path, position;
	struct str *units;
	size_t n_units;
	struct journal_file_id *aside;
	size_t n_aside;
};

struct journal_proto_batch {
	struct str position;
	uint64_t n_read;
	uint32_t n_entries;
	struct scan entries; /* for journal_proto_entry and journal_proto_field */
};

struct journal_proto_loss {
	uint64_t n; /* 0: unknown */
	struct journal_id seqnum_id;
	uint64_t first, last;
	struct str reason;
};

struct journal_proto_file {
	struct journal_file_id id;
	uint8_t
	    kills; /* libsystemd must not see it again; else libsystemd passes over it by itself */
	struct str path, reason;
};

bool journal_file_id_eq(const struct journal_file_id *a, const struct journal_file_id *b);

/** journal_proto_begin(out, type): start a frame; journal_proto_end with what it returned ends it. */
size_t journal_proto_begin(struct buf *out, enum journal_frame_type type);
void journal_proto_end(struct buf *out, size_t at);

/**
 * journal_proto_frame(s, ret_type, ret_payload, ret_n):
 * The first frame of ${s}, which is ${ret_n} bytes long with its head.
 *
 * Errors: JOURNAL_PROTO_E_MORE; JOURNAL_PROTO_E_FORMAT.
 */
int journal_proto_frame(struct str s, enum journal_frame_type *ret_type, struct str *ret_payload,
    size_t *ret_n);

/* Each frame's writer, and its reader: false or NULL when the payload is not what the version says. */
void journal_proto_put_options(struct buf *out, const struct journal_proto_options *o);
/** journal_proto_options(s, arena, ret): strings borrow from ${s}, arrays are in ${arena}. */
struct arena;
bool journal_proto_get_options(struct str s, struct arena *arena,
    struct journal_proto_options *ret);
void journal_proto_put_text(struct buf *out, enum journal_frame_type type, struct str text);
void journal_proto_put_loss(struct buf *out, const struct journal_proto_loss *l);
bool journal_proto_get_loss(struct str s, struct journal_proto_loss *ret);
void journal_proto_put_file(struct buf *out, enum journal_frame_type type,
    const struct journal_proto_file *f);
bool journal_proto_get_file(struct str s, struct journal_proto_file *ret);
void journal_proto_put_state(struct buf *out, enum journal_reader_state state);
bool journal_proto_get_state(struct str s, enum journal_reader_state *ret);

/** journal_proto_put_batch(out, position, n_read, n_entries, entries): entries as the table above says. */
void journal_proto_put_batch(struct buf *out, struct str position, uint64_t n_read,
    uint32_t n_entries, struct str entries);
bool journal_proto_get_batch(struct str s, struct journal_proto_batch *ret);
/** The next entry, then each of its fields; false at a malformed one. */
bool journal_proto_entry(struct journal_proto_batch *b, uint64_t *ret_realtime,
    uint32_t *ret_n_fields);
static inline bool
journal_proto_field(struct journal_proto_batch *b, struct str *ret)
{
	struct scan *s = &b->entries;
	uint32_t n;

	if (s->n - s->at < sizeof(n))
		return false;
	memcpy(&n, s->p + s->at, sizeof(n));
	n = le32toh(n);
	s->at += sizeof(n);
	if (s->n - s->at < n)
		return false;
	*ret = (struct str){ s->p + s->at, n };
	s->at += n;
	return true;
}
