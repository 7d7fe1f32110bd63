/*
 * alerts/eval_internal.h - what the evaluator's files share.
 * One job: what is kept of each rule, and how its rows become results.
 * Floor: 4 (uses query, store, logsql, record, base).  Room-internal.
 */
#pragma once

#include "alerts/eval.h"
#include "alerts/window.h"
#include "base/map.h"
#include "logsql/filter.h"
#include "logsql/pipe.h"
#include "query/feed.h"
#include "query/pipe_group.h"
#include "query/run.h"
#include "store/read.h"

/* A source that is further behind is not known. */
#define EVAL_BEHIND_MAX_NS NS_PER_MIN
/* Rows that came at least so long after they could have been evaluated are said to be late. */
#define EVAL_LATE_MIN_NS   (10 * NS_PER_S)
/* Rows so far beyond the last instant are not held but read again when their time comes; or the window, if longer. */
#define EVAL_AHEAD_NS      NS_PER_HOUR

enum {
	EVAL_SCANNED_MAX = 200000000,    /* rows that one answer of the store may read */
	EVAL_ASK_MEMORY_MAX = 256 << 20, /* bytes that it may hold meanwhile */
	EVAL_LATE_KEYS_MAX = 256, /* label sets with late rows at once; of others it is not said */
	EVAL_GONE_MAX =
	    8, /* ranges of rows whose windows have passed; beyond it the closest become one */
};

/* Times, both included. */
struct eval_range {
	int64_t from, to;
};

/*
 * A rule that is evaluated as rows come.
 * Invariants: once loaded, window holds all rows that match with low < _time <= high and a row number below
 * eval.next_row; skipped_from > high is the first row beyond it that was left out.  Groups of window are numbers of
 * groups.keys, but for EVAL_GROUPS_MAX, which all further label sets are.
 */
struct eval_stream {
	struct stats_func *funcs; /* the rule's, with their steps */
	struct window window;
	struct group_part groups;
	bool loaded;
	int64_t low, high, skipped_from;
	int64_t last;    /* the last instant; INT64_MIN: none */
	struct map late; /* keys of groups with late rows: the oldest */
	struct eval_range gone[EVAL_GONE_MAX];
	size_t n_gone;
	uint64_t n_over;
};

/* When a value was seen: the first time since it was last away for as long as the rule remembers, and the last time. */
struct eval_seen {
	int64_t since, last;
};

/* What a label set's value is wont to be. */
struct eval_band {
	double median, mad;
	size_t n;
};

/*
 * What absent, new_pattern and anomaly remember.
 * Invariants: seen[i] and bands[i] are those of keys.entries[i]; a form has one of the two.
 */
struct eval_form {
	struct map keys;
	struct eval_seen *seen;
	struct eval_band *bands;
	size_t cap;
	int64_t first; /* the first instant */
	int64_t hour;  /* anomaly: what bands are for */
	bool learned;
};

/* Rows of any stream: by tens of seconds, for the last two days. */
enum { EVAL_PULSE_SLOTS = 17280 };
#define EVAL_PULSE_NS (10 * NS_PER_S)
struct eval_pulse {
	int64_t newest; /* slot; older ones than EVAL_PULSE_SLOTS before it are forgotten */
	uint64_t slots[BITS_WORDS(EVAL_PULSE_SLOTS)];
};

/*
 * A rule as it is evaluated.
 * Invariants: labels and value are names in the rows that come out; trailing filters are pipes [n_asked, n_pipes) of the
 * rule's query, and there are such only for a rule with resolve_when.
 */
struct eval_rule {
	const struct rule *rule;
	const struct rule_group *group;
	const struct pipe *stats; /* the last one; NULL: none */
	const struct pipe *first; /* the one behind the row pipes; of new_pattern our own */
	size_t n_asked;           /* pipes that make the rows of results */
	struct names labels;
	struct str value;
	size_t filter;              /* its number in the feed */
	struct eval_stream *stream; /* NULL: the store is asked */
	struct stage *row_pipes;    /* NULL: there are none */
	struct eval_form *form;     /* NULL: a threshold */
	const char *note; /* why the store is asked, where that is not the rule's own nature */
};

/* The end of a rule's row pipes: rows into its window. */
struct eval_sink {
	struct stage stage;
	struct eval *e;
	struct eval_rule *er;
	struct feed_block *block;
};

struct eval {
	const struct rule_set *set;
	struct eval_options opt;
	struct eval_rule *rules; /* in the order of groups */
	size_t n_rules;
	struct feed *feed;
	uint64_t next_row; /* rows below it are in the windows */
	bool fed;
	struct batch batch;
	struct eval_sink sink;
	struct query_env env;     /* of row pipes */
	struct eval_pulse *pulse; /* NULL: no rule asks */
	int64_t started;          /* live: when it began, by the clock */
	struct arena arena;       /* as long as the evaluator */
	struct arena work;        /* as long as one set */
};

/* eval_rows.c */
/** eval_shape(er, arena): labels, value and n_asked from the rule's query. */
int eval_shape(struct eval_rule *er, struct arena *arena);

/* Results being gathered out of batches. */
struct eval_take {
	const struct eval_rule *er;
	struct arena *arena;
	struct eval_set *set;
	size_t cap;
};

/** eval_take_batch(ctx, b): the rows of ${b} as results; ${ctx} is a struct eval_take. */
int eval_take_batch(void *ctx, struct batch *b);

/* eval_ask.c */
/** eval_ask(e, er, view, at, ret): the store's answer; ${ret} says what failed. */
int eval_ask(struct eval *e, const struct eval_rule *er, struct store_view *view, struct wall at,
    struct eval_set *ret);

/** eval_fail(e, set, why): the set could not be made. */
int eval_fail(struct eval *e, struct eval_set *set, struct str why);

/* eval_source.c */
/** eval_unknown(e, er, at, sources, n, set): whether a source that the rule reads has a gap in the window. */
int eval_unknown(struct eval *e, const struct eval_rule *er, struct wall at,
    const struct eval_source *sources, size_t n, struct eval_set *set);

/* eval_stream.c */
/** eval_stream_new(e, er): make the rule a stream if it is one. */
int eval_stream_new(struct eval *e, struct eval_rule *er);
struct eval_stream *eval_stream_free(struct eval_stream *s);
DEFINE_AUTO(struct eval_stream *, eval_stream_free)
void eval_stream_forget(struct eval_rule *er); /* the store is asked from now on */
uint64_t eval_stream_bytes(const struct eval_stream *s);

/** eval_take_in(e, er, block): the block's rows that match into the rule's window. */
int eval_take_in(struct eval *e, struct eval_rule *er, struct feed_block *block);

/* eval_keys.c */
/** eval_drop_keys(s): forget label sets that no pane has, and those beyond the limit. */
int eval_drop_keys(struct eval_stream *s);

/* eval_load.c */
/** eval_wants(er, sum): whether the rule wants rows of the block; those beyond what it holds are noted without a look. */
bool eval_wants(struct eval_rule *er, const struct block_summary *sum);
/** eval_load(e, view, rules, n, at): read anew from the store what rules[n] need at ${at} and a while on. */
int eval_load(struct eval *e, struct store_view *view, struct eval_rule **rules, size_t n,
    struct wall at);
/** eval_load_range(e, view, er, low, high): all rows with _time in (low, high]. */
int eval_load_range(struct eval *e, struct store_view *view, struct eval_rule *er, int64_t low,
    int64_t high);

/* eval.c */
/** eval_give(e, er, set, sources, n, start, fn, ctx): what all sets have in the end. */
int eval_give(struct eval *e, const struct eval_rule *er, struct eval_set *set,
    const struct eval_source *sources, size_t n, struct span start, eval_fn fn, void *ctx);

/* eval_window.c */
/** eval_window(e, er, at, ret): the set of a rule whose window is loaded.  1: ${at} is no end of a pane. */
int eval_window(struct eval *e, struct eval_rule *er, struct wall at, struct eval_set *ret);

/* eval_seen.c */
int eval_form_new(struct eval_rule *er);
struct eval_form *eval_form_free(struct eval_form *f);
/** eval_form_at(f, key, ret_fresh, ret): the number of a key, made if there was none; ${ret_fresh} says so. */
int eval_form_at(struct eval_form *f, struct str key, bool *ret_fresh, size_t *ret);
/** eval_learn(e, er, view, from, to, rows_max, stats, take, ctx): the rule's rows with _time in (from, to], or the newest
 * of them, through its row pipes and then ${stats} (NULL: as they are). */
int eval_learn(struct eval *e, const struct eval_rule *er, struct store_view *view, int64_t from,
    int64_t to, uint64_t rows_max, struct pipe *stats, run_put_fn take, void *ctx);

/* absent.c */
/** eval_absent(e, er, view, set): the set's rows to what is missing of them. */
int eval_absent(struct eval *e, struct eval_rule *er, struct store_view *view,
    struct eval_set *set);
/** eval_beat(e, block): rows came, of whatever stream. */
int eval_beat(struct eval *e, struct feed_block *block);

/* newpattern.c */
/** eval_pattern_stats(arena, ret): what counts rows by their skeleton. */
int eval_pattern_stats(struct arena *arena, const struct pipe **ret);
/** eval_pattern_columns(b): the columns that it counts by. */
int eval_pattern_columns(struct batch *b);
/** eval_new_patterns(e, er, view, set): only those that were not seen before stay. */
int eval_new_patterns(struct eval *e, struct eval_rule *er, struct store_view *view,
    struct eval_set *set);

/* anomaly.c */
/** eval_bands(e, er, view, at): learn what is usual in this hour of the week; before the set is made, as it uses work. */
int eval_bands(struct eval *e, struct eval_rule *er, struct store_view *view, struct wall at);
/** eval_anomalies(e, er, set): a row holds when its value is outside of its band. */
int eval_anomalies(struct eval *e, struct eval_rule *er, struct eval_set *set);
/** eval_instant_from(g, t): the first instant of the group at or after ${t}. */
int64_t eval_instant_from(const struct rule_group *g, int64_t t);
/** eval_rule_set(e, er, view, set): the rows of the rule at the set's instant. */
int eval_rule_set(struct eval *e, struct eval_rule *er, struct store_view *view,
    struct eval_set *set);
