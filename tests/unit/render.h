/*
 * tests/unit/render.h - records as one line of text.
 * One job: run lines through a parser and write what came out, so that a test is a table of texts.
 */
#pragma once

#include "parsers/parser.h"

/* When all lines of these tests are received: 2026-11-21T00:00:00Z. */
#define RENDER_RECEIVED INT64_C(1795219200)

/* time|name=value|… ; '-' for a time that was not in the line, '~' behind it for a part. */
static inline void
render_record(struct buf *out, const struct record *rec)
{
	char text[WALL_TEXT_MAX];
	size_t i;

	if ((rec->flags & RECORD_HAS_TIME) != 0)
		buf_put(out, text, wall_format(text, rec->time));
	else
		buf_byte(out, '-');
	if ((rec->flags & RECORD_PARTIAL) != 0)
		buf_byte(out, '~');
	for (i = 0; i < rec->n_fields; i++) {
		buf_byte(out, '|');
		buf_str(out, rec->fields[i].name);
		buf_byte(out, '=');
		buf_str(out, rec->fields[i].value);
	}
}

/* All records of b, parted by " ;; ", and forget them. */
static inline void
render_batch(struct buf *out, struct record_batch *b)
{
	size_t i;

	for (i = 0; i < b->n; i++) {
		if (out->n != 0)
			buf_c(out, " ;; ");
		render_record(out, &b->recs[i]);
	}
	record_batch_clear(b);
}

/* The records of text's lines, flushed at the end. */
static inline int
render_lines(struct buf *out, const struct parser_options *opt, struct str text)
{
	AUTO(parser_free) struct parser *p = NULL;
	AUTO_FINI(record_batch_fini) struct record_batch b = RECORD_BATCH_INIT;
	struct wall now = { RENDER_RECEIVED * NS_PER_S };
	size_t at, n;
	int r;

	r = parser_new(&p, opt, out);
	for (at = 0; r == 0 && at <= text.n; at += n + 1) {
		n = str_find_byte(str_sub(text, at, text.n), '\n');
		if (n == SIZE_MAX)
			n = text.n - at;
		r = parser_line(p, str_sub(text, at, at + n), now, &b);
		render_batch(out, &b);
	}
	if (r == 0)
		r = parser_flush(p, now, true, &b);
	render_batch(out, &b);
	return r;
}
