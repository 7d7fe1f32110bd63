/*
 * daemon/rules_internal.h - inside the rules' thread.
 * One job: what loop and thread share, and which of them touches what.
 * Floor: 6 (uses alerts, base).
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <systemd/sd-event.h>

#include "daemon/rules.h"

enum {
	RULES_GRACE_MS = 100,   /* a line on its way to us is not yet read, though nothing waits */
	RULES_JUMP_S = 60,      /* clocks that go apart by more have jumped */
	RULES_SLEEP_MAX_S = 30, /* of the thread, with nothing to do */
	RULES_BEHIND_MAX_S =
	    60, /* rules wait no longer for sources that are behind; they are unknown then */
	RULES_SETTLE_MS = 1500, /* at the end, for answers of what is on its way */
	RULES_SOURCES_S = 2,    /* sources are looked at so often */
	RULES_PATIENCE_MS = 30, /* of the loop, for metrics and status */
};

/* A source as it was when it was last looked at. */
struct rules_source {
	char *name;
	uint64_t n_lost;
	struct wall seen, gap_from, gap_to, down_since;
	bool here;
};

/* Invariants: under lock are those marked *; those of the thread are the thread's alone, the rest is the loop's. */
struct rules {
	struct alerts *alerts;
	pthread_t thread;
	int to_loop, to_thread; /* eventfds */
	pthread_mutex_t lock;
	bool stop;                    /* * */
	struct rule_set *next_set;    /* * */
	struct routing *next_routing; /* * */
	struct wall committed;        /* * all that was written until then is in the store */
	bool clean;                   /* * all that there is has been read and is in the store */
	struct eval_source *sources;  /* * texts in arena */
	size_t n_sources;             /* * */
	bool sources_new;             /* * */
	struct arena arena;           /* * */
	atomic_bool waits; /* the thread has an instant that is due, and waits for the loop */
	atomic_bool asked; /* the loop was told to ask again */

	/* the thread's */
	struct eval_source *my_sources;
	size_t n_mine;
	struct arena mine;
	struct wall last_wall;
	struct span last_mono;
	uint64_t told_events;

	/* the loop's */
	sd_event_source *io;
	struct rules_source *known;
	size_t n_known;
	struct span sources_at;
	bool turn_whole; /* the turn read all that there was */
	struct wall turn_began;
	uint64_t put_events;  /* the number of the last that is a row */
	uint64_t kept_events; /* … that is durable */
	struct buf metrics, status;
};

void rules_wake(int fd);
/** rules_position(d, r): the number of the last event that the store has. */
void rules_position(struct daemon *d, struct rules *r);

/* rules_source.c */
/** rules_sources(d): how the sources are, for the thread. */
void rules_sources(struct daemon *d);
/** rules_sources_copy(arena, from, n, ret): with texts; without memory it is none. */
size_t rules_sources_copy(struct arena *arena, const struct eval_source *from, size_t n,
    struct eval_source **ret);
void rules_sources_fini(struct rules *r);
