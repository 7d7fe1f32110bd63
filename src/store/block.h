/*
 * store/block.h - the block.
 * One job: up to 32 Ki rows as bytes, a column at a time, each in the encoding that suits it; and back.
 * Floor: 2 (uses record, base).  Memory to memory; files are for segment*.c.
 *
 * Every read is bounds-checked; a bad column chunk is a condition that names the column, and the
 * other columns go on.
 */
#pragma once

#include "base/literals.h"
#include "record/column.h"
#include "record/record.h"

enum {
	BLOCK_ROWS_MAX = 32768,
	BLOCK_BYTES_MAX = 16 << 20, /* of values */
	BLOCK_RAW_MAX = 64 << 20,   /* of original lines, unless one row has more */
	BLOCK_COLUMNS_MAX = 512,
};

struct block_builder;

/** block_builder_new(ret): an empty builder; reused from block to block. */
int block_builder_new(struct block_builder **ret);
struct block_builder *block_builder_free(struct block_builder *b);
DEFINE_AUTO(struct block_builder *, block_builder_free)

/** block_builder_level(b, level): compress text as hard as zstd does at ${level} from now on; 1 is what a new builder does. */
void block_builder_level(struct block_builder *b, int level);

/**
 * block_builder_add(b, rec):
 * Append one row; its bytes are copied.
 *
 * Errors: BLOCK_E_FULL (nothing was added; finish and add again), -ENOMEM.
 */
enum { BLOCK_E_FULL = 1, BLOCK_E_CORRUPT = 2, BLOCK_E_OTHER = 3, BLOCK_E_GONE = 4 };
int block_builder_add(struct block_builder *b, const struct record *rec);
size_t block_builder_rows(const struct block_builder *b);  /* that no block has yet */
size_t block_builder_bytes(const struct block_builder *b); /* memory it holds for rows */

/* What the directory keeps of a block, so that a query can leave it unread. */
struct block_summary {
	uint32_t n_rows;
	struct wall min_time, max_time; /* of _time */
	uint64_t raw_bytes;             /* of the lines, as they came in */
};

/**
 * block_builder_finish(b, out, ret_sum, ret_ids, ret_n_ids):
 * Encode the rows, append the block's bytes to ${out}, and empty the builder.  ${ret_ids} are the sorted
 * distinct hash64s of the values of ID fields; borrowed until the next call.
 *
 * Source: docs/FORMAT.md, "Block".
 */
int block_builder_finish(struct block_builder *b, struct buf *out, struct block_summary *ret_sum,
    const uint64_t **ret_ids, size_t *ret_n_ids);

/** block_builder_set_apart(b): from now on rows whose time is far from the others' become a block of their own, or two:
 * then block_builder_finish leaves them in the builder, which takes no rows before it has none left.
 * block_builder_part(b, ret_n): which of the rows the block finished last has, ascending; NULL: all.  Borrowed until the next
 * call. */
void block_builder_set_apart(struct block_builder *b);
const uint32_t *block_builder_part(const struct block_builder *b, size_t *ret_n);

/** block_builder_want_forms(b): from now on have the forms of messages ready: skeleton_hash of `_msg`, most of them once.
 * block_builder_forms(b, ret_n): those of the block finished last; borrowed until the next one. */
void block_builder_want_forms(struct block_builder *b);
const uint64_t *block_builder_forms(const struct block_builder *b, size_t *ret_n);

struct block;

/* Reads n bytes at offset at of the block; every byte that a decoder sees comes through it. */
struct block_io {
	int (*read)(void *ctx, uint64_t at, size_t n, uint8_t *out);
	void *ctx;
	uint64_t n_bytes; /* of the block */
};

/**
 * block_open(ret, io):
 * Read the block's header and column directory only; columns are read when asked for.
 *
 * Errors: BLOCK_E_CORRUPT, what io->read gives, -ENOMEM.
 */
int block_open(struct block **ret, const struct block_io *io);
struct block *block_free(struct block *b);
DEFINE_AUTO(struct block *, block_free)

/* Memory for decompression that open blocks of several threads lend each other. */
struct block_zstd;
int block_zstd_new(struct block_zstd **ret);
struct block_zstd *block_zstd_free(struct block_zstd *z);
DEFINE_AUTO(struct block_zstd *, block_zstd_free)

/** block_share(b, z): take such memory from ${z}, which outlives ${b}, instead of making it for this block alone. */
void block_share(struct block *b, struct block_zstd *z);

struct block_column_info {
	struct str name;
	const char *encoding;  /* for stats and explain */
	enum column_kind kind; /* what it decodes to */
	uint64_t n_bytes;      /* encoded */
	bool has_range;        /* INT, TIME: min and max hold */
	int64_t min, max;
	unsigned scale;
	struct str value; /* CONST */
	bool is_id;   /* its values are in the ID index: by its name, or since they look like IDs */
	bool id_form; /* all its values are IDs of one length, at least BLOCK_ID_TEXT_MIN */
};
enum { BLOCK_ID_TEXT_MIN = 16 };

size_t block_n_rows(const struct block *b);
size_t block_n_columns(const struct block *b);
/** block_column_at(b, i, ret), block_column_find(b, name, ret): what is known of a column without reading
 * it; find gives false when no row of the block has the field. */
void block_column_at(const struct block *b, size_t i, struct block_column_info *ret);
bool block_column_find(const struct block *b, struct str name, struct block_column_info *ret);

/**
 * block_column(b, name, rows, n, arena, ret):
 * Decode column ${name}: of the rows rows[0..n) in ascending order, or of all when rows is NULL.  Only the
 * pages that hold them are read.  A name that the block has not is a COLUMN_CONST of "".  _time is a COLUMN_TIME,
 * _stream a DICT or CONST.
 *
 * Errors: BLOCK_E_CORRUPT (block_bad says which chunk), read errors, -ENOMEM.
 */
int block_column(struct block *b, struct str name, const uint32_t *rows, size_t n,
    struct arena *arena, struct column *ret);

/* Numbers as they are stored: those of the n rows that have one, in their order. */
struct block_ints {
	const int64_t *ints;
	size_t n;
	const uint64_t *present; /* bitmap of all rows, or NULL when all have one */
	unsigned scale;
};

/** block_ints(b, name, arena, ret): as block_column of all rows.  BLOCK_E_OTHER: they are not stored as integers. */
int block_ints(struct block *b, struct str name, struct arena *arena, struct block_ints *ret);

/**
 * block_forms(b, name, rows, n, arena, ret):
 * The forms of column ${name}, that is its values' skeletons (record/skeleton.h), as a COLUMN_DICT or COLUMN_CONST: rows as in
 * block_column.  Of template-coded values no variable is read; each constant and dictionary value is looked at once.
 *
 * Errors: as block_column.
 */
int block_forms(struct block *b, struct str name, const uint32_t *rows, size_t n,
    struct arena *arena, struct column *ret);

/**
 * block_contains(b, name, literal, nocase, sel):
 * Clear the bits of rows whose value does not contain ${literal}; bits that are 0 already stay so and
 * their pages may be left unread.  Exact: what stays set does contain it.  ${nocase}: ASCII case folded,
 * literal is in lower case.
 */
int block_contains(struct block *b, struct str name, struct str literal, bool nocase,
    uint64_t *sel);

/** block_contains_any(b, name, l, sel): the same for one of several literals, which are not none and may have gaps. */
int block_contains_any(struct block *b, struct str name, const struct literals *l, uint64_t *sel);

/**
 * block_equals(b, name, value, arena, sel):
 * Clear the bits of rows whose value is not ${value}, where the encoding tells without making any text.
 *
 * Errors: BLOCK_E_OTHER (another encoding: sel is unchanged), BLOCK_E_CORRUPT, read errors, -ENOMEM.
 */
int block_equals(struct block *b, struct str name, struct str value, struct arena *arena,
    uint64_t *sel);

/**
 * block_word(b, name, literal, nocase, is_prefix, found):
 * Set the bits of rows that have ${literal} as a word, or at a word's start, where the encoding is certain of it without any
 * text; of the others nothing is known.  Words are of letters, digits and '_'.
 *
 * Errors: as block_equals.
 */
int block_word(struct block *b, struct str name, struct str literal, bool nocase, bool is_prefix,
    uint64_t *found);

/**
 * block_ipv4(b, name, min, max, is_in, ctx, sel):
 * Clear the bits of rows whose value is no IPv4 address from ${min} to ${max}, where addresses are stored as integers.  Values that
 * are stored as text are asked of ${is_in}.
 *
 * Errors: as block_equals.
 */
int block_ipv4(struct block *b, struct str name, uint64_t min, uint64_t max,
    bool (*is_in)(void *ctx, struct str text), void *ctx, uint64_t *sel);

/* Times from first on, to first + span (modulo 2^64), and where their rows are counted. */
struct block_times {
	uint64_t first, span;
	uint32_t *n;
};
/* The range that time ${ns} is in; what ${ret} says holds until the counting ends.  -errno ends it. */
typedef int (*block_times_fn)(void *ctx, int64_t ns, struct block_times *ret);

/**
 * block_count_times(b, sel, range, ctx):
 * Count the rows of ${sel} (NULL: all) by ranges of `_time`: ${range} is asked for each time that is not in the range of
 * the row before.  No time is made where whole runs of rows are in one range.
 *
 * Errors: BLOCK_E_OTHER (no such column), BLOCK_E_CORRUPT, what ${range} gives, read errors, -ENOMEM; counts are of no
 * use then.
 */
int block_count_times(struct block *b, const uint64_t *sel, block_times_fn range, void *ctx);

/** block_bad(b, ret_column, ret_at, ret_what): after BLOCK_E_CORRUPT: the column, the offset in the block of the
 * chunk or page, and what is wrong with it. */
void block_bad(const struct block *b, struct str *ret_column, uint64_t *ret_at,
    const char **ret_what);

/** block_line(b, row, arena, ret): the original line where it is kept or can be made again byte for byte,
 * else empty. */
int block_line(struct block *b, uint32_t row, struct arena *arena, struct str *ret);

/** block_lines(b, rows, n, arena, ret): block_line of many rows (ascending), each column decoded once;
 * ${ret} gets n strs.  Errors: BLOCK_E_CORRUPT, read errors, -ENOMEM. */
int block_lines(struct block *b, const uint32_t *rows, size_t n, struct arena *arena,
    struct str *ret);

/**
 * block_lines_may(b, l, sel):
 * Clear the bits of rows whose original line, or `_msg` where there is none, certainly contains none of the literals.  No line
 * is made; what stays set may contain one.  What cannot be read clears nothing.
 *
 * Errors: read errors, -ENOMEM.
 */
int block_lines_may(struct block *b, const struct literals *l, uint64_t *sel);

/** block_verify(b, report, ctx): read every chunk and checksum; calls report for each fault. */
typedef void (*block_report_fn)(void *ctx, struct str column, uint64_t at, const char *what);
int block_verify(struct block *b, block_report_fn report, void *ctx);

/** block_ids(b, ret, ret_n, ret_lost): sorted hash64s of the values of ID fields, as far as their columns can be read
 * (*ret_lost: not all of them), and their marks; the caller frees them. */
int block_ids(struct block *b, uint64_t **ret, size_t *ret_n, bool *ret_lost);

/**
 * block_records(b, from, n, arena, ret):
 * Rows [from, from + n) as block_builder_add took them (time, stream, fields with their kinds, flags, line), so
 * that seal and merge can put small blocks together: ret[n], all memory in ${arena} or the block.
 *
 * Errors: BLOCK_E_CORRUPT, read errors, -ENOMEM.
 */
int block_records(struct block *b, uint32_t from, uint32_t n, struct arena *arena,
    struct record *ret);
