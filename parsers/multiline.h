/*
 * parsers/multiline.h - events of several lines.
 * One job: say whether a line goes on with the event before it.
 * Floor: 2 (uses base).
 */
#pragma once

#include "base/buf.h"

struct multiline;
struct parser_options;

/*
 * What a group knows of the lines it has: a kind of trace that is being printed.  Kept in commits, so the
 * numbers stay.
 */
enum trace {
	TRACE_NONE = 0,
	TRACE_OPEN = 1,  /* inside the trace: nearly all goes on with it */
	TRACE_ENDED = 2, /* its last line came; only what chains another trace to it goes on */
};

/** multiline_new(ret, opt, ret_error): *ret is NULL when ${opt} asks for none.
 * Errors: PARSER_E_OPTION, -ENOMEM. */
int multiline_new(struct multiline **ret, const struct parser_options *opt, struct buf *ret_error);
struct multiline *multiline_free(struct multiline *m);

/** multiline_continues(m, line, trace): whether ${line} goes on with the event before; moves ${trace} on. */
bool multiline_continues(struct multiline *m, struct str line, enum trace *trace);
