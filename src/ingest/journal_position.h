/*
 * ingest/journal_position.h - where in the journal.
 * One job: the position's bytes, and what can be known from a cursor.
 * Floor: 3 (uses base).
 */
#pragma once

#include "base/buf.h"

enum {
	JOURNAL_CURSOR_MAX = 512,
	JOURNAL_IDS_MAX =
	    64, /* sequence-number ids known; beyond it the longest unseen is forgotten */
	JOURNAL_POSITION_MAX = 1 + 5 + JOURNAL_CURSOR_MAX + 5 + JOURNAL_IDS_MAX * 48,
	JOURNAL_POSITION_E_FORMAT = 1,
};

struct journal_id {
	uint8_t b[16];
};

/* What libsystemd's cursor text says; the man page calls it opaque, so that a failure means "unknown". */
struct journal_cursor {
	struct journal_id seqnum_id; /* s= */
	struct journal_id boot_id;   /* b= */
	uint64_t seqnum;             /* i= */
	uint64_t monotonic;          /* m=, us */
	uint64_t realtime;           /* t=, us */
	uint64_t xor_hash;           /* x= */
};

/* The last entry of one sequence-number id. */
struct journal_mark {
	struct journal_id seqnum_id;
	uint64_t seqnum;
	struct journal_id boot_id;
	uint64_t realtime; /* us */
};

/*
 * Position, version 1.  Little-endian, packed.
 *
 *   size  field
 *      1  version, 1
 *     vi  bytes of the cursor, then the cursor's text (none: no entry was seen yet)
 *     vi  number of marks, at most JOURNAL_IDS_MAX, then each, the longest unseen first:
 *           16 sequence-number id   8 number   16 boot id   8 realtime, us
 *
 * Invariants: cursor ends in NUL; n_marks <= JOURNAL_IDS_MAX; ids are distinct.
 */
struct journal_position {
	char cursor[JOURNAL_CURSOR_MAX + 1];
	struct journal_mark marks[JOURNAL_IDS_MAX];
	size_t n_marks;
};

/** journal_cursor_parse(text, ret): false when it is not what libsystemd writes today. */
bool journal_cursor_parse(const char *text, struct journal_cursor *ret);

/** journal_cursor_same_entry(a, b): the same entry, also when it was copied into another file. */
bool journal_cursor_same_entry(const struct journal_cursor *a, const struct journal_cursor *b);

static inline bool
journal_id_eq(const struct journal_id *a, const struct journal_id *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

/** journal_id_text(out, id): 32 lower-case hex digits and a NUL. */
void journal_id_text(char out[33], const struct journal_id *id);

/** journal_position_mark(p, id): the mark of ${id}, or NULL. */
struct journal_mark *journal_position_mark(struct journal_position *p, const struct journal_id *id);

/** journal_position_set(p, c): note ${c} as the last entry of its id, which becomes the last mark. */
void journal_position_set(struct journal_position *p, const struct journal_cursor *c);

void journal_position_encode(const struct journal_position *p, struct buf *out);

/** journal_position_decode(s, ret): Errors: JOURNAL_POSITION_E_FORMAT (${ret} is then empty). */
int journal_position_decode(struct str s, struct journal_position *ret);
