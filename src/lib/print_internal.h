/*
 * lib/print_internal.h - what the printers share.
 * One job: one table of formats, one buffer in front of the sink.
 * Floor: 4 (uses query, record, base).
 */
#pragma once

#include "lib/held.h"
#include "lib/print.h"

enum { PRINT_FLUSH_BYTES = 64 << 10 };

struct printer {
	const struct print_ops *ops;
	struct print_options opt;
	struct print_sink sink;
	struct buf out;
	struct buf keys; /* json, logfmt: the batch's names as they are printed */
	struct held *held;
	uint64_t n_rows;
	bool header; /* csv: written */
};

struct print_ops {
	const char *name;
	enum print_format format;
	int (*put)(struct printer *p, struct batch *b);
	int (*finish)(struct printer *p); /* may be NULL */
};

/* A batch's columns, all loaded: values[i][row] belongs to names[i]. */
struct print_cells {
	const struct str *names;
	const struct str **values;
	size_t n;
};
int print_cells_of(struct batch *b, struct print_cells *ret);

/* Called after each row: hands the buffer on when it is full. */
int print_row_done(struct printer *p);

int print_json_put(struct printer *p, struct batch *b);
int print_logfmt_put(struct printer *p, struct batch *b);
int print_raw_put(struct printer *p, struct batch *b);
int print_text_put(struct printer *p, struct batch *b);
int print_csv_put(struct printer *p, struct batch *b);
int print_csv_finish(struct printer *p);
int print_table_put(struct printer *p, struct batch *b);
int print_table_finish(struct printer *p);

/* One row as a JSON object, for formats that have nothing better for it. */
void print_json_row(struct printer *p, const struct print_cells *cells, size_t row);

/* Characters that change how others are shown, or where: controls and the overrides of direction. */
bool print_is_unsafe(uint32_t c);
