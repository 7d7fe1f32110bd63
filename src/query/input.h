/*
 * query/input.h - rows that are in no store.
 * One job: files and standard input, plain or compressed, as a source of rows.
 * Floor: 3 (uses parsers, record, base).
 */
#pragma once

#include "parsers/parser.h"
#include "query/run.h"

/* The name under which a source and the store's blocks give a row's original line; no field can have it. */
#define INPUT_LINE_NAME STR("\001line")

/* The field that has the number of a row's line in its file, where input_options.numbers asks for it. */
#define INPUT_NUMBER_NAME STR("\001number")

struct input_options {
	const char *const *paths; /* borrowed; "-" is standard input */
	size_t n_paths;
	struct parser_options parser;
	bool numbers, empty; /* empty: empty lines are rows too */
	bool keep; /* the rows may be read again: standard input is first read whole, onto disk */
	struct wall now;
	/* A file that could not be read, wholly or from some place on: one line of text. */
	void (*fault)(void *ctx, const char *text);
	void *fault_ctx;
	const atomic_bool *cancel; /* set: reading ends with -ECANCELED; may be NULL */
};

struct input;

/** input_new(ret, opt, ret_error): PARSER_E_OPTION when the parser's name is unknown. Files are opened when their turn comes. */
int input_new(struct input **ret, const struct input_options *opt, struct buf *ret_error);
struct input *input_free(struct input *in);
DEFINE_AUTO(struct input *, input_free)

/** input_source(in, ret): its face for run_source.  Borrows ${in}. */
void input_source(struct input *in, struct row_source *ret);

/**
 * input_records(in, out):
 * The next records, added to ${out}, whose memory is valid until it is called again.  1 at the end.
 */
int input_records(struct input *in, struct record_batch *out);

/** input_faults(in): how many files could not be read to their end. */
size_t input_faults(const struct input *in);

/** input_bytes(in): plain bytes read so far. */
uint64_t input_bytes(const struct input *in);

/*
 * Rows from elsewhere (the live journal): whoever fills record batches becomes a source of rows with this.
 * next adds records to ${out}, whose memory is valid until it is called again; 1 at the end.
 */
struct record_source {
	int (*next)(void *ctx, struct record_batch *out);
	void *ctx;
};
struct rows;
int rows_new(struct rows **ret, const struct record_source *src, bool as_is);
struct rows *rows_free(struct rows *r);
DEFINE_AUTO(struct rows *, rows_free)
void rows_source(struct rows *r, struct row_source *ret);
