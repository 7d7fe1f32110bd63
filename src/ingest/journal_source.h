/*
 * ingest/journal_source.h - inside the daemon's side of the journal.
 * One job: what its files share; nothing outside journal_*.c includes it.
 * Floor: 3 (uses parsers, record, base).
 *
 * Invariants: now is the position after the last batch that the intake took; checked the one last given to it;
 * before the one before that, which a failed commit goes back to.  frames.n - at bytes are received and not yet taken.
 */
#pragma once

#include "ingest/journal_child.h"
#include "ingest/journal_convert.h"

enum { SOURCE_CHUNK = 256 << 10, SOURCE_LOSSES_MAX = 32, SOURCE_ONCE_TRIES = 6 };

struct journal_aside {
	struct journal_file_id id;
	bool kills;
};

struct journal_source {
	struct source base;
	struct journal_proto_options opt; /* strings and arrays in arena, but position and aside */
	struct str key, name;
	const char *program;
	struct arena arena;
	struct journal_convert convert;
	struct record_batch batch;

	int epoll_fd;
	struct journal_child child;
	struct buf frames;
	size_t at;
	struct span heard;   /* when it last said something */
	struct span restart; /* when to start it */
	unsigned n_fails;    /* in a row, without a batch between */
	bool probe;          /* the next one is to look at each file */
	enum journal_reader_state state;
	bool done; /* --once: all is read */

	struct journal_file_id touching; /* the file that it said it is about to touch */
	struct buf touching_path;
	struct buf blamed; /* that of the crash before; forgotten with the next batch */
	struct journal_aside *aside;
	size_t n_aside;
	struct journal_file_id *aside_ids;

	struct journal_proto_loss losses[SOURCE_LOSSES_MAX]; /* told with the next batch */
	struct buf reasons[SOURCE_LOSSES_MAX];
	size_t n_losses;

	struct buf now, checked, before;
	bool polled; /* since the last checkpoint */

	uint64_t n_lines, n_bytes, n_lost;
	struct wall last_line;
};

/* journal_tell.c: events */
int journal_tell_note(struct journal_source *js, struct str text);
int journal_tell_loss(struct journal_source *js, const struct journal_proto_loss *l);
int journal_tell_dropped(struct journal_source *js, const struct journal_dropped *d);
/** journal_tell_aside(js, id, kills, path, reason): note and report a file that is not read; once for each. */
int journal_tell_aside(struct journal_source *js, const struct journal_file_id *id, bool kills,
    struct str path, struct str reason);

/* journal_take.c: frames */
/** journal_take_frames(js, max_bytes): take whole frames that were received.  JOURNAL_PROTO_E_MORE: all of them; 0:
 * max_bytes of them, which counts down; JOURNAL_PROTO_E_FORMAT; -errno. */
int journal_take_frames(struct journal_source *js, size_t *max_bytes);
/** journal_take_set(b, s): make ${b} hold just ${s}. */
int journal_take_set(struct buf *b, struct str s);

/* journal_status.c */
void journal_source_status(struct source *s, void (*fn)(void *ctx, const struct source_status *st),
    void *ctx);
