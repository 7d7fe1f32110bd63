/*
 * ingest/filepos.h - how far a file has been read.
 * One job: a position as a struct, and as the bytes that are committed with the rows.
 * Floor: 3 (uses base).
 */
#pragma once

#include "ingest/fileid.h"

enum file_pos_flags {
	FILE_POS_ROTATED = 1, /* no longer what its name leads to */
	FILE_POS_FINAL = 2, /* read to its end after its writer left it; nothing of it is missing */
	FILE_POS_ARCHIVE = 4, /* compressed: offsets are of the decompressed bytes */
	FILE_POS_CUT = 16,    /* its bytes were truncated away; only a copy can have them */
	FILE_POS_KNOWN = 8,   /* was there before, or is a copy: never read */
};

/*
 * Invariants: head.n <= FILE_HEAD_MAX, tail.n <= FILE_TAIL_MAX, tail.n <= offset <= size; all bytes before offset were
 * handed up, or lie in group.
 */
struct file_pos {
	struct file_id id;
	uint64_t seq; /* rises with each generation of a name: the order in which they are read */
	uint64_t offset; /* of the next line, or of the next part of a long one */
	uint64_t size;   /* the most that was seen */
	struct file_print head;
	struct file_print tail; /* of the bytes just before offset */
	uint32_t part;          /* parts of a long line handed up already */
	unsigned flags;         /* enum file_pos_flags */
	struct str name;        /* the followed name; borrowed */
	struct str group;       /* parser_save's bytes; borrowed */
};

enum { FILE_POS_E_SYNTAX = 1, FILE_POS_VERSION = 1, FILE_KEY_MAX = 32 };

/** file_pos_key(id, out): the key of a file's position, "file/" and 16 hex digits. */
void file_pos_key(const struct file_id *id, char out[FILE_KEY_MAX]);

/** file_pos_write(out, pos): append the bytes of ${pos}. */
void file_pos_write(struct buf *out, const struct file_pos *pos);

/** file_pos_read(s, ret): back; name and group borrow from ${s}.  FILE_POS_E_SYNTAX, also for other versions. */
int file_pos_read(struct str s, struct file_pos *ret);
