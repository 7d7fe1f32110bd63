/*
 * daemon/daemon.h - weird.
 * One job: sources into the store, until told to stop.
 * Floor: 6 (uses api, config, ingest, store, parsers, logsql, record, base).
 */
#pragma once

#include <stdbool.h>

enum daemon_exit {
	DAEMON_DONE = 0,
	DAEMON_USAGE = 2,  /* wrong usage, or a bad configuration */
	DAEMON_FAILED = 3, /* something broke; the store is held by another process */
};

struct daemon_options {
	const char
	    *config; /* NULL: /etc/weir/weir.yaml if it is there, else the journal from boot */
	const char *store; /* NULL: as the configuration says */
	bool once;         /* take in what there is, commit, end */
};

/** daemon_run(opt): the daemon's whole life; returns its exit code. */
int daemon_run(const struct daemon_options *opt);
