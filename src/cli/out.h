/*
 * cli/out.h - standard output.
 * One job: results to a terminal, a pager, a pipe or a file, and what went wrong on the way.
 * Floor: 6 (uses base).
 */
#pragma once

#include <sys/types.h>

#include "base/buf.h"

/*
 * A terminal first gets what fills it; when more comes, a pager is started and gets all of it.
 * Invariants: held is used only while wants_pager holds.
 */
struct out {
	int fd;
	bool terminal, color;
	bool wants_pager;
	unsigned width, height;
	size_t n_lines;
	struct buf held;
	pid_t pager;
	bool closed; /* nobody reads any more: a pipe's other end, a pager that was left */
	int err;     /* -errno of a write that failed otherwise */
};

/** out_init(o, pager, color): standard output; pager and colour only when it is a terminal and they are wanted. */
void out_init(struct out *o, bool pager, bool color);

/** out_write(o, p, n): all of it, or -errno; -ECANCELED when nobody reads any more. (print_sink.write) */
int out_write(void *o, const void *p, size_t n);

/** out_finish(o, exit): what is held goes out, the pager is waited for.  Returns the exit code: ${exit}, or 3 with a
 * message when a write failed. */
int out_finish(struct out *o, int exit);
