/*
 * store/idfile_write.h - making a merged ID index.
 * One job: the indexes of segments and of older merged files in, one file out.
 * Floor: 2 (uses record, base).  Room-internal.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "store/idfile.h"

enum { IDFILE_INPUTS_MAX = 64 };

/* A merged file that goes in. */
struct idfile_source {
	uint64_t number;
	uint64_t live[BITS_WORDS(IDFILE_SEGMENTS_MAX)]; /* places in its table that are to stay */
};

/*
 * The work of one thread.  Only stop and done are shared while it runs.
 * Invariants: n_segments + n_files <= IDFILE_INPUTS_MAX, and together they name at most IDFILE_SEGMENTS_MAX segments.
 */
struct idfile_job {
	int dir_fd, index_fd; /* borrowed */
	uint8_t uuid[16];
	struct wall created;
	uint64_t number;      /* of the file that comes out */
	uint64_t n_bytes_max; /* segments beyond it are left out; those before at least two */
	struct manifest_segment segments[IDFILE_INPUTS_MAX]; /* sealed, ascending */
	size_t n_segments;
	struct idfile_source files[IDFILE_INPUTS_MAX];
	size_t n_files;

	uint64_t bad[IDFILE_INPUTS_MAX]; /* segments whose index cannot be read: left out */
	size_t n_bad;
	uint64_t bad_file; /* a merged file that cannot be read, or 0: nothing came out */
	pthread_t thread;
	atomic_bool stop, done;
	int result;
};

enum { IDFILE_E_STOPPED = 1, IDFILE_E_NOTHING = 2 /* no input could be read */ };

/** idfile_write(job): make the file, synced and under its name; else nothing is left behind but perhaps "tmp". */
int idfile_write(struct idfile_job *job);
