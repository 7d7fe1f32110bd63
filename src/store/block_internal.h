/*
 * store/block_internal.h - what the block*.c share.
 * One job: the block's header and directory as both sides see them.
 * Floor: 2 (uses record, base).
 */
#pragma once

#include "base/map.h"
#include "store/enc.h"

/*
 * Block, version 1.  Little-endian; varint is LEB128; checksums are the low half of XXH3-64.
 *
 *   header      64 bytes
 *   directory   n_columns entries
 *   chunks      one after the other, in the order of the directory
 *   directory   again, byte for byte
 *   header      again, byte for byte
 *
 * The second copy at the end is read when the first does not hold: no flipped bit costs more than a chunk.
 *
 * Header:
 *
 *   offset  size  field
 *        0     4  magic       "WBK1"
 *        4     2  version     1
 *        6     2  features    a reader that does not know one of these bits leaves the block
 *        8     4  n_rows      1 to BLOCK_ROWS_MAX
 *       12     4  n_columns   entries in the directory
 *       16     4  dir_len     bytes of it
 *       20     4  dir_sum     checksum of it
 *       24     8  n_bytes     of the whole block
 *       32     8  min_time    ns
 *       40     8  max_time    ns
 *       48     8  raw_bytes   of the lines, as they came in
 *       56     4  reserved    0
 *       60     4  sum         checksum of bytes 0 to 59
 *
 * Directory entry:
 *
 *   size     field
 *   varint   name_len
 *   ...      name
 *   1        role      enum enc_role
 *   1        enc       enum enc_id
 *   1        version   of the encoding; a reader that does not know it loses this column only
 *   1        flags     1: min and max hold
 *   1        scale     digits after the point of numbers
 *   8, 8     min, max  with flag 1 only
 *   varint   n_values  rows that have a value
 *   varint   at        of the chunk, from the end of the first directory
 *   varint   head_len  bytes that one read takes and sum covers
 *   varint   len       bytes of the chunk
 *   4        sum       checksum of the head
 *   varint   value_len
 *   ...      value     ENC_CONST: what every row has
 *
 * ENC_REST entries have no chunk: the i-th of them is name number i of the column of role ROLE_REST, whose
 * rows are a list of (varint number, varint length, bytes).
 */
enum {
	BLOCK_HEADER = 64,
	BLOCK_VERSION = 1,
	BLOCK_FIRST_READ = 4096,
	BLOCK_REST_NAMES_MAX = 65536, /* a block that would have more is full */
	ENTRY_HAS_RANGE = 1,
	ENTRY_BYTES_MIN = 14,
};
#define BLOCK_MAGIC UINT32_C(0x314b4257)

struct block_header {
	uint32_t n_rows, n_columns, dir_len, dir_sum;
	uint64_t n_bytes;
	struct wall min_time, max_time;
	uint64_t raw_bytes;
};

struct block_entry {
	struct str name;
	uint8_t role, enc, version, flags, scale;
	int64_t min, max;
	uint64_t n_values, at, head_len, len;
	uint32_t sum;
	struct str value;
	uint8_t *head;    /* reader: the head once it was read, or NULL */
	uint32_t rest_at; /* reader: number among the ENC_REST entries */
	uint64_t decoded; /* reader: bytes of text that it was decoded to, at most */
};

void block_header_put(struct buf *out, const struct block_header *h);
/** block_header_get(p, checked, ret): false when these BLOCK_HEADER bytes are no header of a version that we know. */
bool block_header_get(const uint8_t *p, bool checked, struct block_header *ret);
void block_entry_put(struct buf *out, const struct block_entry *e);
/** block_entry_get(s, e): name and value borrow from ${s}; false when it is none. */
bool block_entry_get(struct scan *s, struct block_entry *e);

/**
 * block_encode_column(s, v, e, data):
 * Choose the encoding of column ${v}, append its chunk to ${data}, and fill what ${e} has of it.  name and role
 * of ${e} are set.
 */
int block_encode_column(struct enc_scratch *s, const struct enc_values *v, struct block_entry *e,
    struct buf *data);

/* An open block.  Invariants: entries[i].len lies within the block; heads are read once and kept. */
struct block {
	struct block_io io;
	struct block_header header;
	struct block_entry *entries;
	size_t n_entries;
	size_t n_listed;    /* of these the first, which are fields, _time or _stream */
	struct map by_name; /* listed ones: number of the entry */
	uint64_t
	    decoded; /* bytes of text of all fields; not above ENC_BYTES_MAX, or it is told as damage */
	uint64_t data_at;          /* of the chunks */
	uint8_t *dir;              /* names and values borrow from it */
	bool unchecked;            /* block_open_unchecked */
	struct block_zstd *shared; /* where zstd comes from; NULL: it is the block's own */
	struct ZSTD_DCtx_s *zstd;  /* NULL until the first chunk */
	struct block_rest *rest;   /* rare fields, once one of them was asked for */
	uint64_t rest_bad_at;      /* with what: they are damaged */
	const char *rest_bad_what;
	struct str bad_column; /* block_bad */
	uint64_t bad_at;
	bool bad_sum; /* at bad_at the checksum did not hold */
	const char *bad_what;
};

/** block_open_unchecked(ret, io): as block_open, but no checksum is compared, so that a fuzzer gets past them. */
int block_open_unchecked(struct block **ret, const struct block_io *io);
/** block_zstd_take(z): NULL without memory.  block_zstd_give(z, ctx): back, or free.  ${z} may be NULL. */
struct ZSTD_DCtx_s *block_zstd_take(struct block_zstd *z);
void block_zstd_give(struct block_zstd *z, struct ZSTD_DCtx_s *ctx);

/** block_chunk(b, e, ret): read the head of a column; BLOCK_E_CORRUPT names the column in block_bad. */
int block_chunk(struct block *b, struct block_entry *e, struct enc_chunk *ret);
/** block_entry_is_id(e): whether its values are in the ID index. */
bool block_entry_is_id(const struct block_entry *e);
struct block_entry *block_entry_find(const struct block *b, struct str name);
/** block_entry_contains(b, e, m, sel): as block_contains_any; ${e} may be NULL. */
int block_entry_contains(struct block *b, struct block_entry *e, const struct block_match *m,
    uint64_t *sel);
/** block_entry_hidden(b, role): the entry of a role that is no field, or NULL. */
struct block_entry *block_entry_hidden(const struct block *b, enum enc_role role);
/** block_open_shapes(b, e, arena, ret): the shapes of entry ${e}, of role ROLE_SHAPE. */
struct shape_set;
int block_open_shapes(struct block *b, struct block_entry *e, struct arena *arena,
    struct shape_set *ret);
/** block_decode(b, e, rows, arena, ret): one entry by its encoding. */
int block_decode(struct block *b, struct block_entry *e, const struct enc_rows *rows,
    struct arena *arena, struct column *ret);
/** column_is_bytes(c): whether column_value needs no scratch; hidden columns are never numbers. */
static inline bool
column_is_bytes(const struct column *c)
{
	return c->kind != COLUMN_INT && c->kind != COLUMN_TIME;
}

/*
 * Where the values of fields stand in the lines that were made of them.  Invariant: values[names[f]][k] is a part of line
 * k, or empty.
 */
struct block_places {
	struct map names;
	struct str **values; /* in the arena */
	size_t cap;
};
void block_places_fini(struct block_places *p);
/** block_places_of(p, name): those of field ${name}, one a row, or NULL. */
const struct str *block_places_of(const struct block_places *p, struct str name);

/** block_lines_placed(b, rows, n, arena, ret, places): as block_lines; ${places} too, unless it is NULL. */
int block_lines_placed(struct block *b, const uint32_t *rows, size_t n, struct arena *arena,
    struct str *ret, struct block_places *places);

/** block_check_shapes(b, e, arena): whether the shapes of role ROLE_SHAPE can be read. */
int block_check_shapes(struct block *b, struct block_entry *e, struct arena *arena);
/** block_rest_column(b, e, rows, arena, ret): the rare field ${e}, as block_column; a COLUMN_CONST when no row has it. */
int block_rest_column(struct block *b, const struct block_entry *e, const struct enc_rows *rows,
    struct arena *arena, struct column *ret);
/** block_rest_each(b, e, from, n, fn, ctx): its values in rows [from, from + n), with the row less ${from}; borrowed
 * from the block. */
typedef void (*block_rest_fn)(void *ctx, uint32_t row, struct str name, struct str value);
int block_rest_each(struct block *b, const struct block_entry *e, uint32_t from, uint32_t n,
    block_rest_fn fn, void *ctx);
struct block_rest *block_rest_free(struct block_rest *rest);
DEFINE_AUTO(struct block_rest *, block_rest_free)
/** block_fault(b, e, at, what): remember it for block_bad; returns BLOCK_E_CORRUPT. */
int block_fault(struct block *b, const struct block_entry *e, uint64_t at, const char *what);
/** block_damaged(b, e): as block_fault, after BLOCK_E_CORRUPT from reading a chunk: where, and whether its sum or its form is wrong. */
int block_damaged(struct block *b, const struct block_entry *e);
extern const char block_no_encoding[];
