/*
 * cli/load.h - lines into a store.
 * One job: what weir ingest does with its inputs, whoever holds the store.
 * Floor: 6 (uses ingest, query, store, base).
 */
#pragma once

#include "cli/options.h"

/* How far it is; shown on a terminal's standard error. */
struct load_progress {
	bool show;
	struct span start, shown;
	uint64_t n_rows, n_bytes;
};
void load_progress_start(struct load_progress *p, bool quiet);
void load_progress_show(struct load_progress *p, bool last);

enum { LOAD_E_LOCKED = 1 };

/**
 * load_store(opt, store, p): parse the inputs and write the store itself.
 *
 * Errors: LOAD_E_LOCKED: another process writes there (nothing was done); else an exit code.
 */
int load_store(const struct options *opt, const char *store, struct load_progress *p);

/** load_socket(opt, store, p): hand the lines over to the daemon that holds the store.  An exit code. */
int load_socket(const struct options *opt, const char *store, struct load_progress *p);
