/*
 * store/shape.h - how a line was made of its fields.
 * One job: the original line again, byte for byte, with nothing stored twice.
 * Floor: 2 (uses record, base).
 *
 * A shape is a list of parts: bytes, the value of a field (as it is, or escaped as JSON), or _time in one of
 * the ways times are written.  It fits any format, because it is found by where the values lie in the line and
 * not by grammar.  A shape is used for a row only when what it makes has been compared with the line; lines that no
 * shape makes are kept as they are.
 */
#pragma once

#include "store/enc.h"

enum {
	SHAPE_MAX = 1024,      /* of a block; lines of more are kept as they are */
	SHAPE_PARTS_MAX = 512, /* of a shape */
	SHAPE_TRIES = 16,      /* shapes of the same fields that are tried */
};

/* On disk. */
enum shape_type {
	SHAPE_BYTES = 0,
	SHAPE_VALUE = 1,
	SHAPE_ESCAPED = 2, /* as in a JSON string, without its quotes */
	SHAPE_TIME = 3,
};

/* Codes of a row; from SHAPE_FIRST on it is a shape. */
enum { SHAPE_NO_LINE = 0, SHAPE_KEPT = 1, SHAPE_FIRST = 2 };

/* On disk.  The forms from TIME_CLF on are of version 2. */
enum time_form {
	TIME_DATE = 0,   /* 2026-01-05T02:33:20 */
	TIME_EPOCH = 1,  /* a number since the epoch */
	TIME_CLF = 2,    /* 05/Jan/2026:02:33:20 +0100, as web servers write it */
	TIME_SYSLOG = 3, /* Jan  5 02:33:20, the year being that of the instant */
};
enum { SHAPE_VERSION_MAX = 2 };

/* How a time is written. */
struct time_style {
	uint8_t form;   /* enum time_form */
	uint8_t digits; /* of the fraction; of an epoch without point: 0 s, 3 ms, 6 us, 9 ns */
	uint8_t point;  /* before the fraction: '.' or ',', or 0 (epoch only) */
	uint8_t
	    separator;  /* DATE: between date and time; SYSLOG: before a day below 10: ' ' or '0' */
	uint8_t zone;   /* 0 none, 'Z', ':' as +hh:mm, '+' as +hhmm */
	uint8_t unused; /* 0: styles are compared as bytes */
	int16_t minutes; /* east of UTC */
};
enum { TIME_STYLE_TEXT = 64 };

struct shapes;
/** shapes_version(s): the least version that has all that the shapes need. */
unsigned shapes_version(const struct shapes *s);

/** time_style_write(st, t, out): the text; returns its length. */
size_t time_style_write(const struct time_style *st, int64_t t, char out[TIME_STYLE_TEXT]);
/* The text made last: of the next time, mostly only the fraction and sometimes the clock are others.  Invariant: first >= end, or
 * text[0..n) is a time of second ${now} in ${style}, its fraction at ${at}, and all times from second ${first} on to before
 * ${end} have the same date in it (EPOCH: the same seconds). */
struct time_text {
	struct time_style style;
	int64_t first, end, now;
	size_t at, n;
	char text[TIME_STYLE_TEXT];
};
/** time_text_of(c, st, t): as time_style_write; borrowed until the next call. */
struct str time_text_of(struct time_text *c, const struct time_style *st, int64_t t);

/** time_style_find(s, t, ret_at, ret_st): where ${s} has time ${t}, and how; the length is what write returns. */
bool time_style_find(struct str s, int64_t t, size_t *ret_at, struct time_style *ret_st);

struct shape_part {
	enum shape_type type;
	struct time_style style; /* TIME */
	struct str bytes;        /* BYTES; reader: name of the field */
	uint32_t column;         /* builder: of the field */
	uint32_t field;          /* builder: its place in the record */
	uint32_t at;             /* builder: BYTES: in shapes.bytes */
};

struct shape {
	uint64_t key; /* of the fields of the record */
	struct shape_part *parts;
	size_t n_parts;
	bool escapes;  /* some part is ESCAPED */
	uint32_t next; /* of the same slot, SHAPE_MAX is none */
};

/* Invariants: slots hold the first shape of each key's slot, or SHAPE_MAX. */
struct shapes {
	struct shape *shapes;
	size_t n;
	size_t n_failed; /* lines that made no shape */
	uint32_t *slots;
	struct time_text time;
	struct buf bytes; /* of BYTES parts */
	struct buf escaped;
	struct arena arena;
};

/** shapes_init(s), shapes_clear(s), shapes_fini(s): memory of one builder. */
int shapes_init(struct shapes *s);
void shapes_clear(struct shapes *s);
void shapes_fini(struct shapes *s);

/**
 * shapes_code(s, rec, columns, n_columns, ret):
 * The code of a record that has a line: that of a shape, or SHAPE_KEPT.  columns[i] is the column of field
 * i < n_columns.
 */
int shapes_code(struct shapes *s, const struct record *rec, const uint32_t *columns,
    size_t n_columns, uint32_t *ret);

/* What all lines of a layout have. */
struct shape_fixed {
	const struct time_style *style; /* of time_text; NULL: there is none */
	size_t n;                       /* bytes that are neither values nor time */
	size_t n_lined;                 /* fields of the line */
};
/**
 * shapes_fixed(s, code, rec, ret):
 * Whether shape ${code}, which makes the line of ${rec}, makes those of all records of its layout whose time_text is what
 * the style writes.
 */
bool shapes_fixed(struct shapes *s, uint32_t code, const struct record *rec,
    struct shape_fixed *ret);

/** shape_put(out, s, codes, n, name_of, ctx): the chunk; name_of gives a column's name. */
typedef struct str (*shape_name_fn)(const void *ctx, uint32_t column);
int shape_put(struct buf *out, struct enc_scratch *scratch, const struct shapes *s,
    const uint32_t *codes, size_t n, shape_name_fn name_of, const void *ctx);

/* A chunk as it is read. */
struct shape_set {
	struct shape *shapes;
	size_t n;
	struct enc_codes codes;
};
int shape_get(const struct enc_chunk *c, struct arena *arena, struct shape_set *ret);
/** shape_codes(set, rows, out): the codes of ${rows}; false when one is of no shape. */
bool shape_codes(const struct shape_set *set, const struct enc_rows *rows, uint32_t *out);
