/*
 * ingest/journal_child.h - the reader as a process.
 * One job: start it, and learn how it ended.
 * Floor: 3 (uses base).
 */
#pragma once

#include <sys/types.h>

#include "ingest/journal_proto.h"

struct journal_child {
	pid_t pid; /* 0: none */
	int fd;    /* our end of the socket, not blocking; -1: none */
};

enum journal_death {
	JOURNAL_DEATH_DONE,   /* it ended by itself */
	JOURNAL_DEATH_KILLED, /* by a signal that says nothing of the journal */
	JOURNAL_DEATH_CRASH,  /* by what it read */
	JOURNAL_DEATH_FAILED, /* it gave up */
};

/** journal_child_start(c, program, opt): run it (program NULL: a plain fork) and tell it what to do. */
int journal_child_start(struct journal_child *c, const char *program,
    const struct journal_proto_options *opt);

/**
 * journal_child_end(c, hung, why):
 * Close the socket and wait for the end, which is hurried after a moment; ${hung}: it is killed at once and that
 * counts as a crash.  ${why} gets a few words.
 */
enum journal_death journal_child_end(struct journal_child *c, bool hung, struct buf *why);
