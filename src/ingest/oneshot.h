/*
 * ingest/oneshot.h - one file, once.
 * One job: read a file or standard input, compressed or not, through a parser and a shape into a sink.
 * Floor: 3 (uses parsers, logsql, record, base).
 */
#pragma once

#include "ingest/shape.h"
#include "parsers/parser.h"
#include "record/sink.h"

struct oneshot_options {
	struct parser_options parser;
	struct shape *shape;             /* borrowed; NULL: none */
	const struct shape_facts *facts; /* borrowed; may be NULL */
	size_t max_line; /* bytes; 0: 1 MiB.  A longer line becomes several records */
	struct record_sink sink;
	/* Called after each chunk; other than 0 stops.  bytes_in: of the descriptor, before decompression. */
	int (*progress)(void *ctx, uint64_t bytes_in, uint64_t bytes, uint64_t lines);
	void *progress_ctx;
};

struct oneshot_counts {
	uint64_t bytes, lines;
	uint64_t hole_bytes; /* runs of NULs that were no data */
};

enum {
	ONESHOT_E_OPTION = 1, /* of the parser; ret_error has one line of text */
	ONESHOT_E_CORRUPT =
	    2, /* a compressed file is damaged or cut; what was whole has been handed up */
	ONESHOT_E_STOPPED = 3, /* progress said so */
};

/**
 * oneshot_read(fd, opt, ret_counts, ret_error):
 * Read ${fd} to its end.  A last line without its newline is a line like the others.
 *
 * Errors: ONESHOT_E_*; what sink.put returns; -errno.
 */
int oneshot_read(int fd, const struct oneshot_options *opt, struct oneshot_counts *ret_counts,
    struct buf *ret_error);
