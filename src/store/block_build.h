/*
 * store/block_build.h - the builder's inside.
 * One job: what block_build.c fills and block_finish.c writes.
 * Floor: 2 (uses record, base).
 */
#pragma once

#include "store/block_internal.h"
#include "store/shape.h"

/*
 * Invariants: offs[0..n_rows] are set once n_rows > 0, offs[n_rows] == n; cap - n >= ENC_PAD when cap > 0.
 * Rows from n_rows on have no value yet.
 */
struct build_column {
	uint8_t *name;
	size_t name_n;
	uint8_t *bytes;
	size_t n, cap;
	uint32_t *offs;
	size_t n_rows, cap_rows;
	uint32_t next[2]; /* columns that came behind it in a row, the last one first */
};

/*
 * What records of one layout come to, once one of them was added: their fields' columns and their lines' shape.
 * Invariants, while id is not 0: columns[i] is the column of field i, or BLOCK_NO_COLUMN where it is empty; a line is as long as
 * its first n_lined values, n_escaped, time_text and n_fixed bytes, and shape ${code} makes it if ${style} writes time_text (NULL: there is
 * none).
 */
enum { BUILD_LAYOUTS = 64, BUILD_LAYOUT_FIELDS = 64, BLOCK_NO_COLUMN = 0xffff };
struct build_layout {
	uint64_t id;
	size_t n;
	uint32_t code;
	size_t n_fixed;
	size_t n_lined;
	const struct time_style *style;
	uint64_t time_form; /* 0, or it was seen that ${style} writes its texts */
	uint16_t columns[BUILD_LAYOUT_FIELDS];
};

/* The blocks that rows are parted into. */
enum { PART_NEAR, PART_BEFORE, PART_AFTER, PART_END };

struct block_builder {
	struct build_column *columns; /* BLOCK_COLUMNS_MAX of them, n_columns in use */
	size_t n_columns;
	size_t n_used;        /* columns that have a value */
	struct map names;     /* number of the column */
	uint32_t first[2];    /* as next, of the first field of a row */
	uint32_t *columns_of; /* column of field i in the row being added; UINT32_MAX is none */
	struct build_column stream, rest;
	bool one_stream; /* all rows so far have that of the first, which alone is in the column */
	struct map rest_names;
	struct buf rest_row; /* of the row being added */
	struct shapes shapes;
	uint32_t *codes; /* of each row: its shape */
	bool has_lines;
	struct build_column line;     /* of rows that have no shape */
	struct build_layout *layouts; /* BUILD_LAYOUTS of them */
	int64_t *times;
	size_t n_rows;
	size_t n_bytes; /* of values */
	uint64_t raw_bytes;
	struct enc_scratch scratch;
	struct buf data, dir;
	uint64_t *ids;
	size_t n_ids, cap_ids;
	bool wants_forms;
	bool sets_apart;
	uint32_t *rows; /* BLOCK_ROWS_MAX or NULL: those of each part, one part after the other */
	size_t n_of[PART_END]; /* rows of each part; without near ones all rows are one block */
	unsigned part;         /* that is the next block; those before it are blocks already */
	const uint32_t *last;  /* block_builder_part */
	size_t n_last;
	struct buf part_bytes, part_offs; /* values of a column, of these rows only */
	uint64_t *forms; /* of the block finished last; SKELETONS_BLOCK_MAX of them, or NULL */
	size_t n_forms;
};

/** block_column_fill(c, n_rows): rows up to ${n_rows} that have no value get none. */
bool block_column_fill(struct build_column *c, size_t n_rows);
/** block_layout_find(b, rec): what is known of the record's layout if its time is written as in others of it, or NULL. */
const struct build_layout *block_layout_find(struct block_builder *b, const struct record *rec);
/** block_layout_learn(b, rec): the record was added just now; its columns and its code are those of its layout. */
void block_layout_learn(struct block_builder *b, const struct record *rec);
/** block_note_forms(b, v): the forms of messages ${v}, which were encoded just now. */
int block_note_forms(struct block_builder *b, const struct enc_values *v);
/** block_part_choose(b): which rows are a block of their own.  block_part_rows(b, ret_n): those of the block that is being
 * made, ascending; NULL: all. */
int block_part_choose(struct block_builder *b);
const uint32_t *block_part_rows(const struct block_builder *b, size_t *ret_n);
/** block_part_next(b): go on to the next block; false when all rows are in one. */
bool block_part_next(struct block_builder *b);
/** block_part_values(b, c, ret), block_part_times(b), block_part_codes(b): of these rows; valid until the next column.  NULL
 * without memory.  block_part_raw(b): their share of the lines' bytes. */
int block_part_values(struct block_builder *b, const struct build_column *c,
    struct enc_values *ret);
const int64_t *block_part_times(struct block_builder *b);
const uint32_t *block_part_codes(struct block_builder *b);
uint64_t block_part_raw(const struct block_builder *b);
/** block_builder_clear(b): forget the rows; columns that are in use stay known. */
int block_builder_clear(struct block_builder *b);
