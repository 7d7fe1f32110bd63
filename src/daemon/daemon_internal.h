/*
 * daemon/daemon_internal.h - inside the daemon.
 * One job: what its files share.
 * Floor: 6 (uses alerts, api, config, ingest, store, parsers, logsql, record, base).
 *
 *   sources --put--> intake --store_append--> store --commit--> durable
 *                      ^ events (losses, notices) are rows too
 */
#pragma once

#include <systemd/sd-event.h>

#include "api/api.h"
#include "config/config.h"
#include "daemon/daemon.h"
#include "daemon/rules.h"
#include "ingest/shape.h"
#include "ingest/source.h"
#include "parsers/parser.h"
#include "store/store.h"

enum {
	DAEMON_POLL_BYTES = 1 << 20,   /* of a source before the next one has its turn */
	DAEMON_PENDING_MAX = 12 << 20, /* bytes that wait for a commit: then it comes at once */
	DAEMON_EVENTS_MAX = 1024,      /* that wait to be put; beyond it they are only said */
	DAEMON_BATCHES_MAX = 4096,     /* remembered IDs of pushed batches; the oldest goes */
	DAEMON_STOP_S = 4,             /* SIGTERM: then it ends, committed or not */
	DAEMON_MAINTAIN_S = 5,         /* seal, merge, retention while rows come */
	DAEMON_MAINTAIN_IDLE_S = 60,   /* … while none come */
	DAEMON_MAINTAIN_SOON_S = 1,    /* … while a segment is full, or is being sealed */
	DAEMON_RETRY_MS = 1000,        /* a store without room is tried again */
	DAEMON_COMMIT_MIN_MS = 20,     /* between two commits that pushes ask for */
	DAEMON_PUSH_PATIENCE_S = 10,   /* of a push that waits for a commit that fails */
	DAEMON_RATE_S = 10,            /* rates are those of the last one or two of these */
	DAEMON_HOLD_MS = 1000,         /* a source whose reading failed is left alone for so long */
	DAEMON_CALM_S = 10,            /* without a failure: then it is said to go on */
	DAEMON_SAY_AGAIN_S = 600,      /* the same failure again, while it lasts */
};

/*
 * A source and the loop's handle on it.
 *
 * A failure is said once, again when it is another one or lasts, and its end once it has not come back for a while.
 * Invariant: held only while error != 0.
 */
struct input {
	struct source *source;
	sd_event_source *io; /* NULL: nothing to wait on */
	bool ready;          /* its descriptor is readable, or it has more */
	bool ended;          /* --once: all is read */
	bool held;           /* the last poll failed: neither polled nor waited on until its time */
	int error;           /* why it could not be read when that was said; 0: it could */
	struct span failed_at, said_at;
	struct daemon *daemon;
	uint64_t heard; /* the daemon's n_waits when its descriptor was last seen readable */
};

/*
 * All that comes from one configuration; a reload makes a whole new one and swaps.
 * Owns everything; memory of filters and texts is in arena.
 */
struct setup {
	struct config *config;
	struct arena arena;
	char *store_path;
	const char *group; /* that may read the store; NULL: as it is */
	struct store_class *classes;
	size_t n_classes;
	struct input *inputs;
	size_t n_inputs;
	struct rule_set *rules; /* until the thread takes them */
	struct routing *routing;
};

struct batch_id {
	uint64_t seq; /* order of arrival */
	char *key;
};

/* How many rows there were at a moment. */
struct rate_mark {
	struct span at;
	uint64_t n_rows;
};

struct daemon {
	const struct daemon_options *opt;
	struct setup *setup;
	struct store *store;
	struct api *api;
	struct rules *rules; /* NULL: none */
	sd_event *event;
	char host[256];

	uint64_t n_waits; /* of the loop */
	bool all_heard;   /* in this one a descriptor came up a second time: then all have */
	bool stopping, reload;
	struct span stop_at;

	bool dirty; /* rows or positions since the last commit */
	struct span dirty_since, last_commit, last_maintain, retry_at;
	bool paused;    /* the store takes nothing now */
	bool abort_due; /* an append failed: what was not committed must be given up */
	bool told_full;
	struct span paused_since;

	struct record_batch events; /* not yet put */
	struct record_batch push;   /* scratch of inserts */
	struct buf text;            /* scratch */
	struct batch_id *batches;   /* in order of arrival */
	size_t n_batches;
	uint64_t batch_seq, batch_committed;

	struct span started;
	uint64_t n_rows, n_events, n_losses, n_lost, n_commits_failed, n_aborts, n_pushed;
	uint64_t n_lost_bytes, n_reloads, n_reloads_refused, n_commits;
	struct span commits_took;            /* all commits together */
	struct rate_mark rate_old, rate_new; /* rows at two moments, 10 s or more apart */
	uint64_t watchdog_us;
	struct span watchdog_at;
};

/* setup.c */
/** setup_new(ret, d, config): classes and places; ${config} is the setup's now, also on failure.  > 0: it was said why. */
int setup_new(struct setup **ret, const struct daemon *d, struct config *config);
/** setup_sources(d, s): sources that go on from the store's positions. */
int setup_sources(struct daemon *d, struct setup *s);
void setup_drop_sources(struct setup *s);
struct setup *setup_free(struct setup *s);
DEFINE_AUTO(struct setup *, setup_free)
void setup_store_options(struct daemon *d, const struct setup *s, struct store_options *ret);
bool setup_same_store(const struct setup *a, const struct setup *b);

/* host.c */
/** host_files_open(n_sources): how many files each of them may have open, so that the store always has descriptors. */
size_t host_files_open(size_t n_sources);
/** host_store_group(path, name): hand the store to a group; what cannot be is said, and it stays closed to others. */
void host_store_group(const char *path, const char *name);

/* intake.c */
void intake_of(struct daemon *d, struct intake *ret);
/** intake_put(d, recs, n): rows into the store; a failure asks for an abort. */
int intake_put(struct daemon *d, const struct record *recs, size_t n);
/** intake_event(d, kind, text, fields, n): say it, and keep it as a row {weir="kind"} of the next commit. */
int intake_event(void *ctx, const char *kind, const char *text, const struct field *fields,
    size_t n_fields);
/** intake_flush(d): the events so far become rows. */
int intake_flush(struct daemon *d);

/* commit.c */
/** commit_now(d): positions and rows so far, as one fact.  > 0: there is no room now. */
int commit_now(struct daemon *d);
/** commit_abort(d): give up what is not committed, and read it again. */
int commit_abort(struct daemon *d);
void commit_dirty(struct daemon *d);
/** commit_next(d): when it is due; INT64_MAX: never. */
struct span commit_next(const struct daemon *d);
void commit_maintain(struct daemon *d);

/* http.c */
/** http_open(d): TCP as the configuration has it, also after a reload; what fails is said, and it stays shut. */
void http_open(struct daemon *d);

/* push.c */
int push_insert(void *ctx, const struct api_insert *req, struct str lines, bool last,
    struct buf *why);
int push_load(struct daemon *d);
void push_fini(struct daemon *d);

/* status.c */
/** status_each(d, fn, ctx): each source's status. */
void status_each(struct daemon *d, void (*fn)(void *ctx, const struct source_status *st),
    void *ctx);
/** status_rate(d): rows a second, of late. */
double status_rate(struct daemon *d);
struct status_memory {
	uint64_t n_bytes, peak_bytes;
};
struct status_memory status_memory(void);
void status_json(void *ctx, struct buf *out);
bool status_healthy(void *ctx, struct buf *why);

/* metrics.c */
void metrics_text(void *ctx, struct buf *out);
