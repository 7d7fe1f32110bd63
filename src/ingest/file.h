/*
 * ingest/file.h - log files.
 * One job: follow files by glob through every kind of rotation, each line exactly once.
 * Floor: 3 (uses parsers, logsql, record, base).
 *
 * A file is what its identity and its first bytes say, never its name (ingest/fileid.h); a rotated file is read to its end
 * under the name it was followed by.  Positions go to the intake under keys "file/…" (ingest/filepos.h).
 */
#pragma once

#include "ingest/shape.h"
#include "ingest/source.h"
#include "parsers/parser.h"

enum {
	FILE_LINE_MAX = 1 << 20, /* bytes; a longer line becomes several records */
	FILE_CHUNK = 256 << 10,  /* bytes a read */
	FILE_NAMES_MAX = 20000,  /* followed names; the rest is refused and reported */
	FILE_OPEN_MAX = 512,     /* descriptors; beyond it the longest idle one is closed */
	FILE_POSITIONS_MAX =
	    65536, /* positions of all file sources; beyond it gone files are forgotten */
};

enum file_from { FILE_FROM_BEGINNING, FILE_FROM_END };

/* All of it is copied by file_source_new; 0 and NULL are the defaults. */
struct file_source_options {
	const struct str *paths; /* names or globs, absolute; "**" is any depth of folders */
	size_t n_paths;
	struct parser_options parser;
	struct shape_options shape;
	struct str host;
	size_t max_line;         /* FILE_LINE_MAX */
	size_t chunk;            /* FILE_CHUNK */
	size_t max_names;        /* FILE_NAMES_MAX */
	size_t max_open;         /* FILE_OPEN_MAX */
	size_t max_positions;    /* FILE_POSITIONS_MAX; the first source's holds */
	struct span rescan;      /* 30 s; 2 s where watching is impossible */
	struct span close_idle;  /* of a rotated or deleted file: 5 min */
	struct span rotate_wait; /* of a rotated file's last line without its end: 5 s */
	enum file_from from;     /* of files found when this source runs for the first time */
	bool no_archives;        /* do not look into compressed files for what was missed */
	bool once;               /* read what there is and leave a partial last line unread */
	/*
	 * The file sources of earlier inputs, which are polled by the same thread: what they name is theirs, and a file is
	 * read by the one that has it, whatever its names are.
	 */
	struct source **before;
	size_t n_before;
};

/* The positions of the last commit: calls fn for each that it knows, until fn returns other than 0. */
struct file_positions {
	int (*each)(void *ctx, int (*fn)(void *fn_ctx, struct str key, struct str value),
	    void *fn_ctx);
	void *ctx;
};

enum { FILE_E_OPTION = 1 };

/**
 * file_source_new(ret, opt, in, saved, ret_error):
 * A source that follows ${opt}->paths from the ${saved} positions on (NULL: there are none).  Nothing is
 * read before the first poll.
 *
 * Errors: FILE_E_OPTION (${ret_error} gets one line of text); -errno.
 */
int file_source_new(struct source **ret, const struct file_source_options *opt,
    const struct intake *in, const struct file_positions *saved, struct buf *ret_error);
