/*
 * store/seal.h - sealing and merging.
 * One job: segments in, sealed segments out, one for each class.
 * Floor: 2 (uses record, base).  Room-internal.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "store/manifest.h"
#include "store/positions.h"

enum {
	SEAL_INPUTS_MAX = 64,
	SEAL_PARTS_MAX = 32,     /* classes; rows of more are kept with the longest */
	SEAL_SMALL_ROWS = 16384, /* a block with fewer rows is put together with its neighbours */
	SEAL_SMALL_BYTES = 4 << 20, /* unless its bytes are this many */
	SEAL_WRITE_BYTES = 1 << 20, /* written at once */
	SEAL_SLICE_ROWS = 4096,     /* decoded at once */
	SEAL_LEVEL =
	    9, /* of zstd, for blocks that are made anew: a tenth shorter than 1, and nobody waits */
};

/* One file that comes out. */
struct seal_part {
	struct segment_head head;
	struct manifest_segment info;
	int fd;
};

/*
 * The work of one thread.  Only stop and done are shared while it runs.
 * Invariant: inputs are in the order of their rows, and never change while the job is there.
 */
struct seal_job {
	int dir_fd; /* borrowed */
	struct segment *inputs[SEAL_INPUTS_MAX];
	struct manifest_segment wanted[SEAL_INPUTS_MAX]; /* what MANIFEST says of them */
	size_t n_inputs;
	struct seal_part parts[SEAL_PARTS_MAX];
	size_t n_parts;
	struct positions positions;
	struct segment_commit commit;
	bool damaged;       /* something of the inputs could not be read */
	uint64_t ids_since; /* the first segment whose index has all ID fields */
	pthread_t thread;
	bool threaded;
	atomic_bool stop, done;
	int result;
};

/* Numbers of rows, ascending. */
struct seal_runs {
	struct segment_run *v;
	size_t n, cap;
};
void seal_runs_fini(struct seal_runs *l);
/** seal_runs_add(l, number): the number of the next row. */
int seal_runs_add(struct seal_runs *l, uint64_t number);
/** seal_runs_part(all, rows, n, ret): append the numbers of n of the rows, which ascend. */
int seal_runs_part(const struct seal_runs *all, const uint32_t *rows, size_t n,
    struct seal_runs *ret);

enum { SEAL_E_STOPPED = 1 };

/** seal_write(job): make the files of all parts, synced; SEAL_E_STOPPED when told to. */
int seal_write(struct seal_job *job);

/** seal_is_stale(seg, ids_since): its index has less than what is written now. */
bool seal_is_stale(const struct segment *seg, uint64_t ids_since);

/** seal_load_ids(seg, ids_since): have the fingerprints block by block; where they are damaged, ids_lost says so. */
int seal_load_ids(struct segment *seg, uint64_t ids_since);
