/*
 * cli/journal.h - --input journal:.
 * One job: the live journal as an input, without libsystemd in every start of weir.
 * Floor: 6 (uses lib, base).
 *
 * weir itself does not link libsystemd, which would cost each start more than all its other libraries.  A query of the
 * journal goes on in a second program, weir-journal: the same commands with the reader linked in.
 */
#pragma once

#include "lib/ask.h"

/* The reader: filled in by main_journal.c; in weir its open is NULL. */
struct journal_input {
	int (*open)(void *ctx, struct record_source *ret, struct buf *ret_error);
	void (*close)(void *ctx);
	void *ctx;
};

/** journal_input_set(in): what this program has.  Called by main before anything else. */
void journal_input_set(const struct journal_input *in);
const struct journal_input *journal_input_get(void);

/** journal_exec(argv): go on as weir-journal; returns only when that cannot be, with an exit code after a message. */
int journal_exec(char **argv);
