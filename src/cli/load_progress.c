/*
 * cli/load_progress.c - how far weir ingest is.
 * One job: one line on a terminal's standard error, now and then.
 * Floor: 6 (uses base).
 */
#include <stdio.h>

#include "cli/load.h"

enum { SHOW_MS = 200 };

void
load_progress_start(struct load_progress *p, bool quiet)
{
	*p = (struct load_progress){ .start = mono_now() };
	p->show = !quiet && isatty(STDERR_FILENO) == 1;
}

void
load_progress_show(struct load_progress *p, bool last)
{
	struct span now;
	double s;

	if (!p->show)
		return;
	now = mono_now();
	if (!last && now.ns - p->shown.ns < SHOW_MS * NS_PER_MS)
		return;
	p->shown = now;
	s = (double)(now.ns - p->start.ns) / 1e9;
	fprintf(stderr, "\r%llu rows, %.1f MB, %.1f MB/s\033[K%s", (unsigned long long)p->n_rows,
	    (double)p->n_bytes / 1e6, s > 0 ? (double)p->n_bytes / 1e6 / s : 0, last ? "\n" : "");
}
