/*
 * ingest/source.h - where lines come from.
 * One job: one face for journal, files and push, so that the daemon runs them all alike.
 * Floor: 3 (uses parsers, logsql, record, base).
 *
 * A source hands records to its intake, and positions under keys of its own ("journal/…", "file/…").  The intake's owner (the
 * daemon) puts both into the store and commits; a source never waits for the network and never blocks: it is asked to
 * poll when its descriptor is readable or its time has come.
 */
#pragma once

#include "base/buf.h"
#include "record/sink.h"

/* What a source hands up; filled in by the daemon. */
struct intake {
	struct record_sink sink;
	/* A position that goes with the next commit, after the records put before it.  Empty value: delete. */
	int (*position)(void *ctx, struct str key, struct str value);
	/*
	 * A loss or a notice as an event {weir=kind}: kind "loss" or "log"; fields are name/value pairs.  A loss says how
	 * many lines or entries went in "lost" and how many bytes in "bytes", each in decimal, as far as it is known.
	 */
	int (*event)(void *ctx, const char *kind, const char *text, const struct field *fields,
	    size_t n_fields);
	void *ctx;
};

struct source_status {
	const char *kind; /* journal, file */
	struct str name;  /* path or unit list */
	struct str state; /* reading, waiting, gone, denied, … */
	uint64_t lag_bytes, lag_lines;
	struct span lag;
	uint64_t n_lines, n_bytes, n_lost; /* n_lost: lines or entries, where they can be counted */
	struct wall last_line;
	struct str position; /* for people */
	uint64_t n_lost_bytes;
};

struct source;
struct source_ops {
	const char *kind;
	/* Descriptor to wait on for reading (-1: none), and the mono_now() at which to poll at the latest. */
	int (*fd)(struct source *s);
	struct span (*deadline)(struct source *s);
	/*
	 * Read what there is, up to about max_bytes, and hand it up.  > 0: there is more, poll again soon; 0: all read.
	 * A failed put (-errno) leaves the position where it was: the rows are offered again.
	 */
	int (*poll)(struct source *s, size_t max_bytes);
	/* Put the current positions, so that a commit now is exact.  Called before each commit. */
	int (*checkpoint)(struct source *s);
	/* All since the last commit was given up: go back to its positions, and offer the rows again. */
	int (*rewind)(struct source *s);
	/* Each status once; strings borrowed during the call. */
	void (*status)(struct source *s, void (*fn)(void *ctx, const struct source_status *st),
	    void *ctx);
	struct source *(*free)(struct source *s);
	/* --once: whether all there was at the start has been handed up; NULL: a poll that returns 0 says so. */
	bool (*at_end)(struct source *s);
	/* The commit of what was checkpointed is durable; NULL: nothing to do.  A poll after a checkpoint says so too. */
	int (*committed)(struct source *s);
};
/* The first member of each source's own struct. */
struct source {
	const struct source_ops *ops;
	struct intake intake;
};
