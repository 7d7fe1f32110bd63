/*
 * query/pipe_stage.h - what the stages of pipes share.
 * One job: one way to make a stage, to change a column row by row, and to hand on rows that were
 * made.
 * Floor: 3 (uses logsql, record, base).
 */
#pragma once

#include "logsql/pipe.h"
#include "query/stage.h"

struct field;

/* Which fields somebody reads: all, or these and those with these prefixes. */
struct needs {
	bool all;
	bool lines; /* the original line too (INPUT_LINE_NAME) */
	struct names names;
};

/* What a stage is made from. */
struct stage_args {
	const struct pipe *pipe;
	struct query_env *env;
	const struct needs *after; /* what the stages behind it read; valid while stages_new runs */
	double range_s; /* length of what the query's filter leaves of _time, in s; 0: unbounded */
};

/** stage_alloc(size, ops, env, ret): a zeroed stage of ${size} bytes, which begins with struct
 * stage. */
int stage_alloc(size_t size, const struct stage_ops *ops, struct query_env *env,
    struct stage **ret);

/* One way to make the stage of each kind; in stage.c's table. */
typedef int (*stage_make_fn)(const struct stage_args *a, struct stage **ret);
int pipe_limit_make(const struct stage_args *a, struct stage **ret);
int pipe_offset_make(const struct stage_args *a, struct stage **ret);
int pipe_sample_make(const struct stage_args *a, struct stage **ret);
int pipe_unroll_make(const struct stage_args *a, struct stage **ret);
int pipe_sort_make(const struct stage_args *a, struct stage **ret);
int pipe_top_make(const struct stage_args *a, struct stage **ret);
int pipe_uniq_make(const struct stage_args *a, struct stage **ret);
int pipe_field_names_make(const struct stage_args *a, struct stage **ret);
int pipe_facets_make(const struct stage_args *a, struct stage **ret);
int pipe_stats_make(const struct stage_args *a, struct stage **ret);
int pipe_running_make(const struct stage_args *a, struct stage **ret);
int pipe_sequence_make(const struct stage_args *a, struct stage **ret);
int pipe_join_make(const struct stage_args *a, struct stage **ret);
int pipe_union_make(const struct stage_args *a, struct stage **ret);
int pipe_patterns_make(const struct stage_args *a, struct stage **ret);
int pipe_context_make(const struct stage_args *a, struct stage **ret);
int pipe_trace_make(const struct stage_args *a, struct stage **ret);
int pipe_blocks_make(const struct stage_args *a, struct stage **ret);

/* Pipes that change the rows of a batch and nothing else: all their work is one call. */
typedef int (*pipe_apply_fn)(const struct pipe *p, struct query_env *env, struct batch *b);
int pipe_fields_apply(const struct pipe *p, struct query_env *env, struct batch *b);
int pipe_delete_apply(const struct pipe *p, struct query_env *env, struct batch *b);
int pipe_copy_apply(const struct pipe *p, struct query_env *env, struct batch *b);
int pipe_rename_apply(const struct pipe *p, struct query_env *env, struct batch *b);
int pipe_drop_empty_apply(const struct pipe *p, struct query_env *env, struct batch *b);
int pipe_stream_fields_apply(const struct pipe *p, struct query_env *env, struct batch *b);
int pipe_filter_apply(const struct pipe *p, struct query_env *env, struct batch *b);
int pipe_replace_apply(const struct pipe *p, struct query_env *env, struct batch *b);
int pipe_replace_regexp_apply(const struct pipe *p, struct query_env *env, struct batch *b);
int pipe_collapse_apply(const struct pipe *p, struct query_env *env, struct batch *b);
int pipe_decolorize_apply(const struct pipe *p, struct query_env *env, struct batch *b);
int pipe_split_apply(const struct pipe *p, struct query_env *env, struct batch *b);
int pipe_words_apply(const struct pipe *p, struct query_env *env, struct batch *b);
int pipe_hash_apply(const struct pipe *p, struct query_env *env, struct batch *b);
int pipe_len_apply(const struct pipe *p, struct query_env *env, struct batch *b);
int pipe_array_len_apply(const struct pipe *p, struct query_env *env, struct batch *b);
int pipe_time_add_apply(const struct pipe *p, struct query_env *env, struct batch *b);
int pipe_extract_apply(const struct pipe *p, struct query_env *env, struct batch *b);
int pipe_extract_regexp_apply(const struct pipe *p, struct query_env *env, struct batch *b);
int pipe_format_apply(const struct pipe *p, struct query_env *env, struct batch *b);
int pipe_math_apply(const struct pipe *p, struct query_env *env, struct batch *b);
int pipe_pack_apply(const struct pipe *p, struct query_env *env, struct batch *b);
int pipe_unpack_apply(const struct pipe *p, struct query_env *env, struct batch *b);

/**
 * pipe_rows(filter, env, b, ret):
 * The rows of ${b} that ${filter} takes, as a bitmap in the batch's arena; NULL when filter is
 * NULL: all.
 */
int pipe_rows(const struct filter *f, struct query_env *env, struct batch *b, const uint64_t **ret);

/** pipe_rows_of(env, p, put, ctx): the rows of p's subquery, or those that stand in the query, to ${put}. */
int pipe_rows_of(struct query_env *env, const struct pipe *p,
    int (*put)(void *ctx, struct batch *b), void *ctx);

/* The new value of a field from an old one: append it to ${out}, which is empty. */
typedef int (*value_map_fn)(void *ctx, struct str in, struct buf *out);

/**
 * pipe_map(b, from, to, rows, fn, ctx):
 * Field ${to} gets fn of field ${from} in rows (NULL: all) and stays in the others.  A constant or
 * a dictionary's value
 * is mapped once.
 */
int pipe_map(struct batch *b, struct str from, struct str to, const uint64_t *rows, value_map_fn fn,
    void *ctx);

/** pipe_text_limit(b, text): no value that a pipe makes is longer than what is left for all of them. */
static inline void
pipe_text_limit(const struct batch *b, struct buf *text)
{
	size_t left = arena_left(&b->arena);

	text->limit = left == SIZE_MAX ? 0 : left + 1;
}

/** pipe_keep_old(p, new, old): what a field becomes under keep_original_fields and
 * skip_empty_results. */
struct str pipe_keep_old(const struct pipe *p, struct str fresh, struct str old);

/* Rows that a stage makes, handed on some hundred at a time. */
struct rows_out {
	struct stage *next;
	unsigned worker;
	const struct str *names; /* borrowed */
	size_t n_names;
	struct batch batch;
	struct str **cols;
	size_t n;
	size_t n_empty;     /* bytes of the batch before its first row */
	uint64_t *arrivals; /* of the rows that they were made of; NULL: not told */
};
enum { ROWS_OUT_MAX = 1024, ROWS_OUT_BYTES = 4 << 20 }; /* of one batch, whatever comes first */

/** rows_out_init(o, next, worker, names, n): names live as long as o. */
int rows_out_init(struct rows_out *o, struct stage *next, unsigned worker, const struct str *names,
    size_t n);
void rows_out_fini(struct rows_out *o);
/** rows_out_set(o, i, v), rows_out_copy(o, i, v): column i of the row; v lives until the row is
 * handed on, or is copied. */
void rows_out_set(struct rows_out *o, size_t i, struct str v);
int rows_out_copy(struct rows_out *o, size_t i, struct str v);
int rows_out_uint(struct rows_out *o, size_t i, uint64_t v);
/** rows_out_arrive(o, order): where the row stands in the order of arrival (batch_order); for all rows or for none. */
int rows_out_arrive(struct rows_out *o, uint64_t order);
/** rows_out_next(o): the row is whole; hands on when there are enough.  rows_out_flush(o): hand
 * on what is left. */
int rows_out_next(struct rows_out *o);
int rows_out_flush(struct rows_out *o);

/** json_array_items(s, arena, ret, ret_n): the items of a JSON array: strings decoded, all else as
 * compact JSON.
 * False (through 1) when ${s} is no array. */
int json_array_items(struct str s, struct arena *arena, struct str **ret, size_t *ret_n);
/** json_compact(s, out): append any JSON value without blanks and needless escapes; 1 when ${s} is none. */
int json_compact(struct str s, struct buf *out);

/**
 * pipe_unquote(s, arena, ret, ret_n):
 * The string in "…" or `…` that ${s} begins with: its text, and its length with quotes; 0 where there is none.
 */
int pipe_unquote(struct str s, struct arena *arena, struct str *ret, size_t *ret_n);

/** logfmt_pairs(s, arena, ret, ret_n): key=value pairs; a key alone has the value "".  As VictoriaLogs reads them. */
int logfmt_pairs(struct str s, struct arena *arena, struct field **ret, size_t *ret_n);

/** key_put(out, s), key_take(s): texts one after the other in a key that tells them apart. */
void key_put(struct buf *out, struct str s);
struct str key_take(struct str *s);
