/*
 * record/record.h - the record.
 * One job: one log event as every room hands it on: a time, a stream, and named values.
 * Floor: 1 (uses base).
 *
 * Every value is bytes to the user; an absent field and an empty one are the same.  Nested JSON has
 * dotted names, arrays are JSON text.  _msg is a field like any other; _time and _stream are not in
 * the list of fields.
 */
#pragma once

#include "base/arena.h"
#include "base/wall.h"

/* How a value stood in its line, so that the line can be written again; says nothing about its meaning. */
enum value_kind {
	VALUE_STRING, /* JSON string, or plain text */
	VALUE_NUMBER, /* JSON number, digit for digit */
	VALUE_BOOL,   /* true, false */
	VALUE_NULL,   /* null: value is empty */
	VALUE_JSON,   /* array or empty object, as JSON text */
};

struct field {
	struct str name;
	struct str value;
	enum value_kind kind;
};

enum record_flags {
	RECORD_HAS_TIME =
	    1, /* time came from the line or its source; otherwise it is the time of receipt */
	RECORD_PARTIAL = 2, /* one part of a line that was longer than the limit */
};

/*
 * Borrowed throughout: names and values point into the line, into an arena, or into static memory, and
 * stay valid as long as the batch that carries the record.
 *
 * Invariants: field names are unique and not empty; no field is named _time, _stream or _stream_id,
 * unless the record was read "as is".
 */
struct record {
	struct wall time;
	struct str stream; /* canonical, {a="x",b="y"}; empty is the same as {} */
	struct field *fields;
	size_t n_fields;
	size_t n_beside; /* of them, the last: what the source added, that is not of the line */
	unsigned flags;  /* enum record_flags */
	struct str line; /* the original line without its newline, or empty */
	uint64_t layout; /* 0: nothing is known */
	struct str time_text; /* with layout: where the line has the time, or empty */
	uint64_t time_form;   /* with layout: how that is written, or 0 */
	size_t n_escaped;     /* with layout: bytes that the line has for escapes */
};

/**
 * record_layout_new():
 * A number that no other layout has.  Records of one layout have the same names in the same order, the same n_beside, and the
 * same of their values are empty.  Those of the line, and time_text, lie in the line as they are, but for some, the same in all
 * records, that stand there as buf_json writes them, n_escaped bytes longer in all; and what stands between them is the same in
 * all lines.  Who changes a record's fields, line or time sets its layout to 0.
 */
uint64_t record_layout_new(void);

/**
 * record_time_form_new():
 * A number that no other form has.  Texts of times of one form are of the same minute and differ in the digits of their second, 00
 * to 59, and of its fraction alone.
 */
uint64_t record_time_form_new(void);

/** record_get(rec, name): the value of a field, or empty.  _time and _stream are not fields here. */
struct str record_get(const struct record *rec, struct str name);

/*
 * A bounded run of records and the memory they live in.
 * Invariants: n <= cap; all memory of recs[0..n) is in the arenas or outlives the batch; in fields are lists of fields alone.
 */
struct record_batch {
	struct record *recs;
	size_t n;
	size_t cap;
	struct arena arena, fields;
};
#define RECORD_BATCH_INIT                          \
	{                                          \
		NULL, 0, 0, ARENA_INIT, ARENA_INIT \
	}

enum { RECORD_BATCH_MAX = 4096 }; /* records; whoever fills one hands it on when it is full */

/** record_batch_add(b): a zeroed record at the end, or NULL without memory.  Moves earlier records. */
struct record *record_batch_add(struct record_batch *b);

/** record_batch_clear(b), record_batch_fini(b): forget the records; free all memory (may run twice). */
void record_batch_clear(struct record_batch *b);
void record_batch_fini(struct record_batch *b);
