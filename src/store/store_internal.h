/*
 * store/store_internal.h - what the writer's files share.
 * One job: the writer's state and its invariants.
 * Floor: 2 (uses record, base).  Room-internal.
 */
#pragma once

#include "store/idlists.h"
#include "store/manifest.h"
#include "store/positions.h"
#include "store/skeletons.h"
#include "store/store.h"

enum {
	STORE_PENDING_MAX = 64 << 20, /* bytes not yet durable; beyond: STORE_E_FULL */
	STORE_BUILDERS_MAX =
	    24 << 20,            /* bytes of rows in builders; beyond: the largest is encoded */
	STORE_EARLY = 256 << 10, /* a block of this many bytes is written before its commit */
	STORE_ALLOCATE_MAX =
	    16 << 20, /* preallocation: as much again as there is, in these bounds */
	STORE_ALLOCATE_MIN = 256 << 10,
	STORE_ROOM = 256 << 10,       /* zeros behind the end, which commits of at most */
	STORE_ROOM_FOR = 32 << 10,    /* so many bytes fill */
	STORE_RESERVE = 1 << 20,      /* set aside so that MANIFEST can be written on a full disk */
	STORE_DIRECTORY_FRAMES = 256, /* frames after which a DIRECTORY is written; */
	STORE_DIRECTORY_IDS = 1 << 16, /* or IDs */
	STORE_SEAL_BLOCKS = 2048, /* blocks in one stream: small ones are sealed, to stay quick */
	STORE_LOW_PART = 10,      /* below this part of what is to stay free, writing stops */
	STORE_FILE_MODE = 0640,
};

/* A block that is encoded and not yet durable; kept until it is. */
struct pending_block {
	struct segment_block block; /* body_at once written */
	uint32_t *fps;
	size_t n_fps;
	uint64_t *forms; /* of its messages */
	size_t n_forms;
	struct buf body;
	bool written; /* to the tail as it is now */
};

/* A builder for the rows of one class. */
struct store_lane {
	struct block_builder *builder;
	struct span keep;
};

/*
 * The open segment as it is written.
 * Invariants: what lies before committed_at is durable; at >= committed_at, and chain goes on at ${at};
 * since are the durable blocks that no DIRECTORY holds.
 */
struct tail {
	uint64_t number;
	int fd;
	uint64_t at, committed_at, allocated;
	uint64_t size; /* of the file; what lies between ${at} and it is zeros, unless dirty */
	struct frame_chain chain, committed_chain;
	uint64_t directory; /* the last DIRECTORY, durable */
	struct segment_blocks since;
	struct idlists ids;           /* list i is that of since.v[i] */
	uint32_t frames_since;        /* a DIRECTORY */
	int64_t min_keep;             /* ns, the shortest of its classes; 0: they have none */
	bool has_commit;              /* else the next one holds all positions */
	bool poisoned;                /* a write or sync failed: never written again */
	bool dirty;                   /* a write ended half way: there are bytes behind ${at} */
	struct manifest_segment info; /* what MANIFEST will say of it */
};

struct seal_job;
struct idfiles;

/* Two looks at the clocks, so that one that jumps deletes nothing; see retain.c. */
struct retain_clock {
	bool known;
	struct wall trusted; /* the last time that was believed */
	int64_t offset;      /* wall minus boot clock of what is being watched */
	struct span since;   /* boot clock when that offset was first seen */
};

/*
 * Invariants of an open store, between calls:
 *  1. man is what the newest MANIFEST that is known to be durable says, or one that names the same rows.
 *  2. The tail is NULL or the OPEN segment of man.
 *  3. pending[i] are in the order of their row numbers; those written are in the tail in that order.
 *  4. next_row - committed_row is the rows of pending.
 */
struct store {
	int dir_fd, lock_fd;
	char *path;
	struct store_options opt;
	struct manifest man;
	struct tail *tail;
	struct positions positions;
	struct store_lane *lanes; /* one per class, and the last for all else */
	size_t n_lanes;
	struct pending_block *pending;
	size_t n_pending, cap_pending;
	uint64_t pending_bytes;
	uint64_t next_row, committed_row;
	uint64_t sequence; /* of the last commit */
	uint64_t n_commits;
	uint64_t ids_since; /* the first segment whose index has all ID fields */
	uint64_t n_rows;    /* durable */
	struct wall last_commit;
	struct span last_commit_took;
	bool unsure; /* a save failed: MANIFEST may say what man does not */
	bool paused;
	bool recovered; /* a commit was found at start */
	bool has_reserve;
	bool over_budget;  /* said that bytes or disk want what the floor keeps */
	uint64_t *orphans; /* segments to unlink once a MANIFEST without them is durable */
	size_t n_orphans, cap_orphans;
	struct seal_job *job;
	struct idfiles *idfiles;
	struct retain_clock clock;
	struct span reserve_tried;   /* boot clock */
	struct skeletons *skeletons; /* NULL: they cannot be read */
	bool skeletons_failed;       /* said so */
	bool seal_failed;            /* said so */
	uint64_t seal_not_before;    /* boot clock, ns */
};

void store_notice(struct store *s, const char *kind, const char *fmt, ...) PRINTF_LIKE(3, 4);
/** store_is_full(r): whether -errno ${r} says that there is no room. */
bool store_is_full(int r);
/** store_pause(s, r), store_resume(s): entering and leaving are said once. */
void store_pause(struct store *s, int r);
void store_resume(struct store *s);

/* store_builders.c */
/** store_flush_lane(s, lane): encode what the lane holds into pending. */
int store_flush_lane(struct store *s, struct store_lane *lane);
int store_flush_all(struct store *s);
uint64_t store_lane_bytes(const struct store *s);
void pending_block_fini(struct pending_block *b);
void store_drop_pending(struct store *s);
/** store_is_clean(s): nothing was appended or set since the last commit. */
bool store_is_clean(const struct store *s);

/* tail.c */
/** tail_new(s, now): close the tail there may be, and begin a new segment; -errno changes nothing that is durable. */
int tail_new(struct store *s, struct wall now);
/** tail_resume(s, seg): go on writing a segment that was loaded whole. */
int tail_resume(struct store *s, const struct segment *seg, const struct manifest_segment *info);
struct tail *tail_free(struct tail *t);
DEFINE_AUTO(struct tail *, tail_free)
enum { TAIL_E_POISONED = 1 };
/** tail_write_early(s): write pending blocks that are large; a failure poisons and is dealt with at commit. */
void tail_write_early(struct store *s);
/** tail_commit(s, now): all pending, DIRECTORY when due, COMMIT; one write and one sync. */
int tail_commit(struct store *s, struct wall now);
/** tail_rewind(s): forget what was written since the last commit. */
void tail_rewind(struct store *s);
/** tail_trim(t): cut off what lies behind the last commit, and the room. */
void tail_trim(struct tail *t);

/* store_skeletons.c */
void store_skeletons_open(struct store *s);
/** store_skeletons_see(s, now): the pending blocks are durable. */
void store_skeletons_see(struct store *s, struct wall now);
void store_skeletons_save(struct store *s);

/* store_files.c */
/** store_save(s, m): make ${m} the MANIFEST, durably; on success it is s->man (m is emptied). */
int store_save(struct store *s, struct manifest *m);
/** store_ensure_saved(s): when a save failed half way, save again what holds, before anything relies on it. */
int store_ensure_saved(struct store *s);
int store_orphan(struct store *s, uint64_t number);
void store_sweep_orphans(struct store *s);
/** store_reserve_make(s), store_reserve_drop(s): the bytes set aside. */
void store_reserve_make(struct store *s);
void store_reserve_drop(struct store *s);
void tail_note_keep(struct tail *t, struct span keep);
int store_new_file(struct store *s, uint64_t *ret_number, int *ret_fd);
/** store_clean(s): at start: temporary files, orphans, and what retired before. */
int store_clean(struct store *s);
uint64_t store_bytes(const struct store *s);

/* seal.c */
/** seal_maintain(s, now): swap in what the thread has done, and give it what is due. */
int seal_maintain(struct store *s, struct wall now);
/** seal_now(s, now, merge): all that is closed (and small), in this thread. */
int seal_now(struct store *s, struct wall now, bool merge);
/** seal_renew(s, now): seal anew what is sealed and has less in its index than what is written now. */
int seal_renew(struct store *s, struct wall now);
void seal_stop(struct store *s);
/** seal_uses(s, number): whether the thread reads this segment now. */
bool seal_uses(const struct store *s, uint64_t number);

/* store_idfiles.c */
/** store_idfiles_open(s): what there is of merged ID indexes; what cannot be read is made again. */
int store_idfiles_open(struct store *s);
/** store_idfiles_maintain(s, now): take what the thread has done, and give it what is due. */
void store_idfiles_maintain(struct store *s, struct wall now);
/** store_idfiles_now(s, now): all that is due, in this thread. */
void store_idfiles_now(struct store *s, struct wall now);
uint64_t store_idfiles_bytes(const struct store *s);
void store_idfiles_close(struct store *s);

/* retain.c */
int retain_maintain(struct store *s, struct wall now);
/** retain_has_readers(s): whether somebody reads who may yet open what has retired. */
bool retain_has_readers(const struct store *s);
bool retain_disk_is_low(const struct store *s);
/** retain_sweep(s): retired files go without a time of grace, unless there are readers. */
void retain_sweep(struct store *s);
/** retain_clock_look(c, now, boot, newest): the time that retention may believe; false: none yet. */
bool retain_clock_look(struct retain_clock *c, struct wall now, struct span boot,
    struct wall newest, struct wall *ret);
