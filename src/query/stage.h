/*
 * query/stage.h - the stages of a query.
 * One job: what every pipe is at run time: batches in, batches out to the next stage.
 * Floor: 3 (uses store, parsers, logsql, record, base).
 *
 * push may be called by several workers at once, each with its own number; a stage keeps what it
 * gathers in a part per worker and merges the parts in flush, which runs once, in one thread, after
 * the last push. Stages that only change rows push on at once; those that gather (stats, sort, top,
 * …) push in flush.
 */
#pragma once

#include <stdatomic.h>

#include "query/batch.h"

struct query;
struct pipe;
struct filter;

enum { QUERY_WORKERS_MAX = 64 };

/* What only the engine knows.  Each may be NULL. */
struct query_hooks {
	/*
	 * query_stats: what the run has read so far, as names and numbers, valid until the next
	 * call.
	 */
	int (*counts)(void *run_ctx, const struct str **ret_names, const uint64_t **ret_values,
	    size_t *ret_n);
};

/*
 * What one stage has met, for explain: counted by all workers.  rows, ns and bytes are of the stage and all behind
 * it; what is its own is the difference to the next.
 */
struct stage_note {
	const char *name; /* of its pipe: whose memory it is */
	_Atomic uint64_t rows, ns, bytes;
	_Atomic uint64_t memory, memory_peak;
};

/* What all stages of a run share. */
struct query_env {
	unsigned n_workers;
	struct wall now;
	int zone_s;
	/* All that holds for the rows, for the range of time that a rate is by; NULL: the query's own filter. */
	const struct filter *bounds;
	uint64_t
	    concurrency;   /* options(concurrency=N) of this query or of one around it; 0: none */
	bool ignore_times; /* options(ignore_global_time_filter=true), likewise */
	struct query_env *outer;      /* of the query that this one stands in; NULL: none */
	bool lines;                   /* the original lines of rows are wanted (query/input.h) */
	uint64_t memory_max;          /* bytes, all stages of all queries together */
	_Atomic uint64_t memory_used; /* charged by env_charge; the outer one's is charged too */
	_Atomic uint64_t memory_peak;
	atomic_bool stop;      /* nothing more is wanted: limit reached, or cancelled */
	atomic_bool cancelled; /* Ctrl-C */
	/*
	 * No row older than it (ns) can be among those wanted any more: set by a sort by time with
	 * a limit.  Holds for the rows as they enter that stage.
	 */
	_Atomic int64_t newest_floor;
	char error[320];       /* what failed, for people; set once, by env_fail */
	atomic_flag error_set; /* who may write it */
	/* Run a subquery to its end (in(…), join, union): its rows go to ${put}. */
	int (*run_query)(void *ctx, struct query_env *env, const struct query *q,
	    int (*put)(void *put_ctx, struct batch *b), void *put_ctx);
	void *run_ctx;
	/* One for each pipe and one for the output; NULL: nobody asks. */
	struct stage_note *notes;
	size_t n_notes;
	/*
	 * For blocks_count, block_stats, query_stats, stream_context, trace: the engine's; may be
	 * NULL.
	 */
	const struct query_hooks *hooks;
};

/** env_charge(env, who, n): account for ${n} more bytes of pipe ${who}; -ENOMEM and an error that
 * names pipe and bound
 * beyond memory_max.  n < 0 gives back. */
int env_charge(struct query_env *env, const char *who, int64_t n);

/** env_fail(env, r, fmt, …): keep the first error text; returns ${r}, which is below 0. */
int env_fail(struct query_env *env, int r, const char *fmt, ...) PRINTF_LIKE(3, 4);

struct stage;

struct stage_ops {
	const char *name;
	/* Take the rows of ${b}, which the stage may change; its memory goes when push returns. */
	int (*push)(struct stage *s, unsigned worker, struct batch *b);
	/* All rows were pushed: hand on what was gathered, then stage_flush(s->next). */
	int (*flush)(struct stage *s);
	void (*free)(struct stage *s);
};

/* The first member of each stage's own struct. */
struct stage {
	const struct stage_ops *ops;
	struct stage *next; /* borrowed; NULL in the last */
	struct query_env *env;
};

static inline int
stage_push(struct stage *s, unsigned worker, struct batch *b)
{
	return s->ops->push(s, worker, b);
}

/* Nobody waits for what was gathered when Ctrl-C came. */
static inline int
stage_flush(struct stage *s)
{
	if (atomic_load(&s->env->cancelled))
		return err_origin(-ECANCELED);
	return s->ops->flush(s);
}

/**
 * stages_new(q, env, last, ret_first):
 * The stages of q's pipes, ending in ${last} (borrowed).  stages_free(first, last) frees all before
 * last.
 */
int stages_new(const struct query *q, struct query_env *env, struct stage *last,
    struct stage **ret_first);
void stages_free(struct stage *first, struct stage *last);

/**
 * stages_keep_rows(q):
 * Whether all pipes only change or drop rows one by one, so that rows come out in the order they
 * went in, and how
 * many pipes at the start do so.
 */
bool stages_keep_rows(const struct query *q, size_t *ret_n_prefix);

/**
 * stages_needs(q, arena, ret_names, ret_n, ret_all):
 * Which fields of the rows the pipes and the output can ask for; ${ret_all} when it may be any.
 */
int stages_needs(const struct query *q, struct arena *arena, const struct str **ret_names,
    size_t *ret_n, bool *ret_all);
