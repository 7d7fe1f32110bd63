/*
 * store/store.h - the writer.
 * One job: rows and the positions they came from, made durable as one fact.
 * Floor: 2 (uses record, base).
 *
 * One writer holds the store's lock.  Rows go into builders in memory (one per retention class);
 * store_commit writes them and the positions with one write and one fdatasync.  After a failed fsync the
 * file is never trusted again: what is not acknowledged goes to a successor.  The caller gives the time, so that
 * tests and a jumping clock are the same thing.
 */
#pragma once

#include "base/buf.h"
#include "record/record.h"

struct store;

struct store_class { /* store_options.classes; the first whose filter matches a row is its class */
	bool (*match)(void *ctx, const struct record *rec);
	void *ctx;
	struct span keep;
};

struct store_options {
	struct span retention;             /* 0: for ever */
	uint64_t max_bytes;                /* 0: no bound */
	unsigned min_free_percent;         /* of the disk; 0: no bound */
	struct span keep_floor;            /* what neither bytes nor disk may take: 24 h */
	uint64_t seal_bytes;               /* 0: 256 MiB */
	struct span seal_age;              /* 0: 24 h */
	const struct store_class *classes; /* borrowed as long as the store is open */
	size_t n_classes;
	mode_t dir_mode; /* 0: 0750 */
	/* What the store has to say: losses, faults, retention.  One line of text. */
	void (*notice)(void *ctx, const char *kind, const char *text);
	void *notice_ctx;
};

enum {
	STORE_E_LOCKED = 1, /* another process writes here */
	STORE_E_FULL = 2,   /* no room: nothing was lost; try again later */
	STORE_E_FORMAT = 3, /* a newer format, or no store */
};

/**
 * store_open(ret, path, opt, now, ret_error):
 * Open or make the store at ${path}: take the lock, read MANIFEST, cut the torn tail of the open segment, and
 * hand back the positions of the last whole commit.  ${ret_error} gets one line for people (who holds it, …).
 */
int store_open(struct store **ret, const char *path, const struct store_options *opt,
    struct wall now, struct buf *ret_error);
/** store_close(s): ends without a commit; what was not committed is not there.  store_commit first. */
struct store *store_close(struct store *s);
DEFINE_AUTO(struct store *, store_close)

/**
 * store_append(s, recs, n):
 * Copy rows into the builders.  A builder that fills is encoded and written (not yet durable).
 *
 * Errors: STORE_E_FULL; -errno.  On failure rows 0 to some k were taken: call store_abort, and give them again.
 */
int store_append(struct store *s, const struct record *recs, size_t n);

/**
 * store_position(s, key, value):
 * Set what goes with the next commit under ${key}; an empty value deletes the key.  Keys and values are the
 * sources' own bytes: journal and file positions, unfinished groups, IDs of pushed batches.
 */
int store_position(struct store *s, struct str key, struct str value);

/** store_commit(s, now): make all since the last commit durable.  STORE_E_FULL, -errno: nothing of it is
 * acknowledged, all is kept in memory, and a later commit tries again in a place that is trusted. */
int store_commit(struct store *s, struct wall now);

/** store_abort(s): forget all since the last commit, positions too. */
int store_abort(struct store *s);

/** store_positions(s, fn, ctx): every position of the last commit. */
typedef int (*store_position_fn)(void *ctx, struct str key, struct str value);
int store_positions(const struct store *s, store_position_fn fn, void *ctx);
/** store_position_get(s, key): its value as set last, or empty.  Borrowed until it is set again. */
struct str store_position_get(const struct store *s, struct str key);

/**
 * store_maintain(s, now):
 * Seal, merge and expire what is due; called every few seconds.  Sealing is a thread's work, which this begins and
 * swaps in; only when it is three segments behind does the call wait for it.  A ${now} more than an hour beyond
 * the last one counts for retention once the clock has held for an hour, so a clock that jumps deletes nothing.
 *
 * Errors: STORE_E_FULL; -errno: what failed is tried again by a later call.
 */
int store_maintain(struct store *s, struct wall now);
/** store_maintain_soon(s, now): the open segment has come to its end, or a seal is under way. */
bool store_maintain_soon(const struct store *s, struct wall now);
/** store_seal(s, now): seal the open segment now (weir store seal). */
int store_seal(struct store *s, struct wall now);
/** store_merge(s, now): merge all that is due now: small sealed segments, and the ID indexes of many (weir store merge). */
int store_merge(struct store *s, struct wall now);
/** store_upgrade(s, now): the same, and what an earlier version or other ID fields have left is written anew (weir store upgrade). */
int store_upgrade(struct store *s, struct wall now);

/** store_skeletons(s): the known forms of messages (store/skeletons.h), as of the last commit; NULL where they cannot be
 * read.  Borrowed; changes with each commit. */
struct skeletons;
const struct skeletons *store_skeletons(const struct store *s);

struct store_stats {
	uint64_t n_rows;         /* committed, all segments */
	uint64_t n_rows_pending; /* since the last commit */
	uint64_t pending_bytes;  /* memory of the builders and unacknowledged bytes */
	uint64_t n_bytes;        /* apparent, on disk */
	uint64_t raw_bytes;
	uint64_t n_segments;
	uint64_t n_commits; /* since open */
	struct wall last_commit;
	struct span last_commit_took;
	bool paused; /* STORE_E_FULL holds */
};
void store_stats(const struct store *s, struct store_stats *ret);
