/*
 * ingest/journal.h - the systemd journal.
 * One job: follow journald, each entry exactly once, whatever state its files are in.
 * Floor: 3 (uses parsers, logsql, record, base).
 *
 * libsystemd aborts on some damaged files and raises SIGBUS on a truncated one, so it lives in a process of its own
 * (journal_role_main) that may die.  This side restarts it at the last position, with the file that killed it set
 * aside and reported.  The two talk over a socket pair (ingest/journal_proto.h); what the socket holds is all that
 * is ever on the way, so a slow store stops the reader and nothing grows.
 *
 * Positions go to the intake under "journal/NAME" (ingest/journal_position.h).
 */
#pragma once

#include "ingest/shape.h"
#include "ingest/source.h"
#include "parsers/parser.h"

enum {
	JOURNAL_UNITS_MAX = 256,      /* of the units option */
	JOURNAL_ASIDE_MAX = 4096,     /* files set aside; beyond it the oldest is tried again */
	JOURNAL_ENTRY_MAX = 32 << 20, /* bytes of an entry; what is beyond is cut and reported */
	JOURNAL_RESTART_MAX_S = 60,   /* the longest pause before the reader is started again */
	JOURNAL_SILENCE_MAX_S = 15,   /* of a reader that is not waiting: then it is killed */
	JOURNAL_STREAMS_MAX = 4096,   /* remembered stream texts; beyond it all are made anew */
};

enum journal_from {
	JOURNAL_FROM_BOOT,
	JOURNAL_FROM_BEGINNING,
	JOURNAL_FROM_NOW,
	JOURNAL_FROM_TIME
};

/* All of it is copied by journal_source_new; 0 and NULL are the defaults. */
struct journal_source_options {
	struct str name;        /* the position's key is "journal/" and this */
	enum journal_from from; /* without a saved position */
	struct wall from_time;
	const char *path;        /* a folder of journal files; NULL: this machine's */
	const struct str *units; /* read these alone; a bare name means name.service */
	size_t n_units;
	const struct str *exclude; /* journal fields that are not kept */
	size_t n_exclude;
	struct parser_options parser; /* of MESSAGE; groups over several entries are not gathered */
	struct shape_options shape;
	const char
	    *program; /* run "program --role=journal" with the socket as descriptor 3; NULL: fork */
	bool once;    /* end at what is there now */
	bool own_too; /* also the entries of this very process and its unit */
};

enum { JOURNAL_E_OPTION = 1 };

/**
 * journal_source_new(ret, opt, in, saved_position, ret_error):
 * A source that follows the journal from ${saved_position} on (empty: from ${opt}->from).
 *
 * Errors: JOURNAL_E_OPTION (${ret_error} gets one line of text); -errno.
 */
int journal_source_new(struct source **ret, const struct journal_source_options *opt,
    const struct intake *in, struct str saved_position, struct buf *ret_error);

/**
 * journal_role_main(fd):
 * The reader: what the program does when started with --role=journal.  Reads from the socket ${fd} what to do
 * and ends when it is closed.  Returns an exit code.
 */
int journal_role_main(int fd);

/*
 * The journal once, up to its current end, with no daemon and no position; for --input journal:.
 */
struct journal_once;

/** journal_once_new(ret, opt, notes, ret_error): ${notes} (may be NULL) gets a line for each loss and fault, later too. */
int journal_once_new(struct journal_once **ret, const struct journal_source_options *opt,
    struct buf *notes, struct buf *ret_error);
struct journal_once *journal_once_free(struct journal_once *o);
DEFINE_AUTO(struct journal_once *, journal_once_free)

/** journal_once_next(o, out): add the next records, which live until the next call; 1 at the end; -errno. */
int journal_once_next(struct journal_once *o, struct record_batch *out);

/**
 * journal_read_all(opt, put, ctx, ret_error):
 * All of it through ${put}; ${ret_error} gets a line for each loss and fault.
 *
 * Errors: what ${put} returned when it was not 0; -errno.
 */
int journal_read_all(const struct journal_source_options *opt,
    int (*put)(void *ctx, const struct record *recs, size_t n), void *ctx, struct buf *ret_error);
