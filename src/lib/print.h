/*
 * lib/print.h - rows as text.
 * One job: the output formats of a query: json, text, logfmt, csv, table, raw.
 * Floor: 4 (uses query, store, parsers, logsql, record, base).
 */
#pragma once

#include "query/batch.h"

enum print_format {
	PRINT_TEXT,
	PRINT_JSON,
	PRINT_LOGFMT,
	PRINT_CSV,
	PRINT_TABLE,
	PRINT_RAW,
};

struct print_options {
	enum print_format format;
	bool utc;       /* text: times in UTC, else in the host's zone */
	bool color;     /* text, table: escape sequences for colour */
	bool terminal;  /* control bytes of the log are shown escaped */
	unsigned width; /* table: columns of the terminal; 0: as wide as it gets */
	/* csv, table: these columns in this order; n_columns 0: all there are, sorted. */
	const struct str *columns;
	size_t n_columns;
};

/* Where the text goes.  A failed write ends the printing; its number comes back from printer_put. */
struct print_sink {
	int (*write)(void *ctx, const void *p, size_t n);
	void *ctx;
};

struct printer;

/** printer_new(ret, opt, sink): ${opt}'s columns are borrowed. */
int printer_new(struct printer **ret, const struct print_options *opt,
    const struct print_sink *sink);
struct printer *printer_free(struct printer *p);
DEFINE_AUTO(struct printer *, printer_free)

/** printer_put(p, b): print the rows of ${b} (a run_put_fn when given as such). */
int printer_put(void *p, struct batch *b);

/** printer_finish(p): what formats with columns hold back until all rows are known. */
int printer_finish(struct printer *p);

/** printer_flush(p): write what is buffered now (tail). */
int printer_flush(struct printer *p);

/** printer_rows(p): rows printed so far. */
uint64_t printer_rows(const struct printer *p);

/** print_format_find(name, ret): the format of that name; false when there is none. */
bool print_format_find(const char *name, enum print_format *ret);
/** print_format_names(): all of them, as "json|text|…". */
const char *print_format_names(void);

/**
 * print_escape(out, s):
 * Append ${s} so that a terminal shows it and does nothing else: controls (C0, C1, DEL), direction overrides and
 * bytes that are no UTF-8 as \xNN or \u{N}.  A tab stays.
 */
void print_escape(struct buf *out, struct str s);

/** print_logfmt(out, s, terminal): append a value, quoted where a bare one would be read otherwise. */
void print_logfmt(struct buf *out, struct str s, bool terminal);

/** print_time(out, t, utc): append 2006-01-02 15:04:05.000 in the host's zone or, with Z, in UTC. */
void print_time(struct buf *out, struct wall t, bool utc);

/** print_level_color(level): the escape sequence that shows this severity, or "". */
const char *print_level_color(struct str level);
