/*
 * ingest/frame.h - bytes to lines.
 * One job: cut bytes at LF, split what is too long, and know what is no data.
 * Floor: 3 (uses base).  No I/O.
 *
 * A byte-order mark at the beginning of a file is skipped.  A run of FRAME_HOLE_MIN NULs or more before a line, as
 * preallocation and crashes leave it, is a hole: waited for at the end of the file, reported when bytes follow.
 */
#pragma once

#include "base/buf.h"

enum { FRAME_HOLE_MIN = 4096 };

enum frame_kind {
	FRAME_NONE,   /* no whole line is left */
	FRAME_WHOLE,  /* a line */
	FRAME_BEGIN,  /* the first part of a line beyond max_line */
	FRAME_MIDDLE, /* a part after it */
	FRAME_END,    /* its last part */
	FRAME_CUT,    /* flushed without its newline */
	FRAME_HOLE,   /* n NULs that were skipped */
};

/*
 * Set by the caller; at and part move.
 * Invariant: at <= data.n, and all before at was given out.
 */
struct frame {
	struct str data;
	size_t at;
	size_t max_line; /* at least 4 */
	uint32_t part;   /* parts of the line at ${at} given out already */
	bool first;      /* data begins at offset 0 of the file */
	bool
	    flush; /* data ends at the end of the file, and what is left is given out as FRAME_CUT */
};

/** frame_next(f, ret): the next line without its newline; borrows from f->data. */
enum frame_kind frame_next(struct frame *f, struct str *ret);
