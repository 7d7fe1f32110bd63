/*
 * query/stage.c - the stages of a query.
 * One job: the stages of a query's pipes in a row; what all share: the account of memory and the
 * first error.
 * Floor: 3 (uses logsql, record, base).
 */
#include <stdio.h>

#include "logsql/filter.h"
#include "query/meter.h"
#include "query/pipe_needs.h"

/* The same on the account of the stage that asks. */
static void
note_memory(struct query_env *env, const char *who, int64_t n)
{
	uint64_t now, peak;
	size_t i;

	for (i = 0; i < env->n_notes && strcmp(env->notes[i].name, who) != 0; i++)
		continue;
	if (i == env->n_notes)
		return;
	now = atomic_fetch_add(&env->notes[i].memory, (uint64_t)n) + (uint64_t)n;
	peak = atomic_load(&env->notes[i].memory_peak);
	while (now > peak && !atomic_compare_exchange_weak(&env->notes[i].memory_peak, &peak, now))
		continue;
}

/* Charge one account; what is on it then. */
static uint64_t
charge_one(struct query_env *env, int64_t n)
{
	uint64_t now =
	    atomic_fetch_add_explicit(&env->memory_used, (uint64_t)n, memory_order_relaxed) +
	    (uint64_t)n;
	uint64_t peak = atomic_load_explicit(&env->memory_peak, memory_order_relaxed);

	while (n > 0 && now > peak && !atomic_compare_exchange_weak(&env->memory_peak, &peak, now))
		continue;
	return now;
}

int
env_charge(struct query_env *env, const char *who, int64_t n)
{
	struct query_env *e = env;
	uint64_t used;

	if (env->notes != NULL)
		note_memory(env, who, n);
	for (; e->outer != NULL; e = e->outer)
		(void)charge_one(e, n);
	used = charge_one(e, n);
	if (n < 0 || e->memory_max == 0 || used <= e->memory_max)
		return 0;
	return env_fail(env, err_origin(-ENOMEM),
	    "pipe %s needs more memory than the bound of %llu bytes", who,
	    (unsigned long long)e->memory_max);
}

int
env_fail(struct query_env *env, int r, const char *fmt, ...)
{
	va_list ap;

	if (!atomic_flag_test_and_set(&env->error_set)) {
		va_start(ap, fmt);
		(void)vsnprintf(env->error, sizeof(env->error), fmt, ap);
		va_end(ap);
	}
	return r;
}

/*
 * How each kind runs: a stage of its own, or one call a batch.  keeps: rows stay one by one, in
 * their order.
 */
static const struct {
	stage_make_fn make;
	pipe_apply_fn apply;
	bool keeps;
} kinds[PIPE_KINDS] = {
	[PIPE_BLOCK_STATS] = { pipe_blocks_make, NULL, false },
	[PIPE_BLOCKS_COUNT] = { pipe_blocks_make, NULL, false },
	[PIPE_COLLAPSE_NUMS] = { NULL, pipe_collapse_apply, true },
	[PIPE_COPY] = { NULL, pipe_copy_apply, true },
	[PIPE_DECOLORIZE] = { NULL, pipe_decolorize_apply, true },
	[PIPE_DELETE] = { NULL, pipe_delete_apply, true },
	[PIPE_DROP_EMPTY_FIELDS] = { NULL, pipe_drop_empty_apply, true },
	[PIPE_EXTRACT] = { NULL, pipe_extract_apply, true },
	[PIPE_EXTRACT_REGEXP] = { NULL, pipe_extract_regexp_apply, true },
	[PIPE_FACETS] = { pipe_facets_make, NULL, false },
	[PIPE_FIELD_NAMES] = { pipe_field_names_make, NULL, false },
	[PIPE_FIELD_VALUES] = { pipe_uniq_make, NULL, false },
	[PIPE_FIELDS] = { NULL, pipe_fields_apply, true },
	[PIPE_FILTER] = { NULL, pipe_filter_apply, true },
	[PIPE_FIRST] = { pipe_sort_make, NULL, false },
	[PIPE_FORMAT] = { NULL, pipe_format_apply, true },
	[PIPE_GENERATE_SEQUENCE] = { pipe_sequence_make, NULL, false },
	[PIPE_HASH] = { NULL, pipe_hash_apply, true },
	[PIPE_JOIN] = { pipe_join_make, NULL, true },
	[PIPE_JSON_ARRAY_LEN] = { NULL, pipe_array_len_apply, true },
	[PIPE_LAST] = { pipe_sort_make, NULL, false },
	[PIPE_LEN] = { NULL, pipe_len_apply, true },
	[PIPE_LIMIT] = { pipe_limit_make, NULL, false },
	[PIPE_MATH] = { NULL, pipe_math_apply, true },
	[PIPE_OFFSET] = { pipe_offset_make, NULL, false },
	[PIPE_PACK_JSON] = { NULL, pipe_pack_apply, true },
	[PIPE_PACK_LOGFMT] = { NULL, pipe_pack_apply, true },
	[PIPE_PATTERNS] = { pipe_patterns_make, NULL, false },
	[PIPE_QUERY_STATS] = { pipe_blocks_make, NULL, false },
	[PIPE_RENAME] = { NULL, pipe_rename_apply, true },
	[PIPE_REPLACE] = { NULL, pipe_replace_apply, true },
	[PIPE_REPLACE_REGEXP] = { NULL, pipe_replace_regexp_apply, true },
	[PIPE_RUNNING_STATS] = { pipe_running_make, NULL, false },
	[PIPE_SAMPLE] = { pipe_sample_make, NULL, false },
	[PIPE_SET_STREAM_FIELDS] = { NULL, pipe_stream_fields_apply, true },
	[PIPE_SORT] = { pipe_sort_make, NULL, false },
	[PIPE_SPLIT] = { NULL, pipe_split_apply, true },
	[PIPE_STATS] = { pipe_stats_make, NULL, false },
	[PIPE_STREAM_CONTEXT] = { pipe_context_make, NULL, false },
	[PIPE_TIME_ADD] = { NULL, pipe_time_add_apply, true },
	[PIPE_TOP] = { pipe_top_make, NULL, false },
	[PIPE_TOTAL_STATS] = { pipe_running_make, NULL, false },
	[PIPE_TRACE] = { pipe_trace_make, NULL, false },
	[PIPE_UNION] = { pipe_union_make, NULL, false },
	[PIPE_UNIQ] = { pipe_uniq_make, NULL, false },
	[PIPE_UNPACK_JSON] = { NULL, pipe_unpack_apply, true },
	[PIPE_UNPACK_LOGFMT] = { NULL, pipe_unpack_apply, true },
	[PIPE_UNPACK_SYSLOG] = { NULL, pipe_unpack_apply, true },
	[PIPE_UNPACK_WORDS] = { NULL, pipe_words_apply, true },
	[PIPE_UNROLL] = { pipe_unroll_make, NULL, true },
};

enum { MADE_MIN = 64 << 20, MADE_MIN_TINY = 4 << 20 };

struct apply_stage {
	struct stage stage;
	const struct pipe *pipe;
};

/*
 * A pipe that changes rows makes at most its worker's part of the bound out of a batch; packing what was packed doubles
 * each time.
 */
static size_t
made_max(const struct query_env *env)
{
	uint64_t part = env->memory_max / (env->n_workers == 0 ? 1 : env->n_workers);
	/* What a block's columns decode to must fit, whatever the bound; a tiny bound has tiny blocks. */
	uint64_t least = env->memory_max < MADE_MIN_TINY * 2 ? MADE_MIN_TINY : MADE_MIN;

	return env->memory_max == 0 ? SIZE_MAX / 2 : (size_t)(part < least ? least : part);
}

static int
apply_push(struct stage *s, unsigned worker, struct batch *b)
{
	const struct pipe *p = ((struct apply_stage *)s)->pipe;
	int r;

	if (b->n_rows == 0)
		return 0;
	b->arena.limit = b->arena.total + made_max(s->env);
	r = kinds[p->kind].apply(p, s->env, b);
	if (r == 0 && b->err != 0)
		r = b->err;
	b->arena.limit = 0;
	if (r == -ENOMEM)
		return env_fail(s->env, r, "pipe %s needs more memory than the bound of %llu bytes",
		    pipe_kind_name(p->kind), (unsigned long long)s->env->memory_max);
	return r != 0 || b->n_rows == 0 ? r : stage_push(s->next, worker, b);
}

static int
apply_flush(struct stage *s)
{
	return stage_flush(s->next);
}

static void
apply_free(struct stage *s)
{
	free(s);
}

static const struct stage_ops apply_ops = { "apply", apply_push, apply_flush, apply_free };

static int
stage_of(const struct stage_args *a, struct stage **ret)
{
	int r;

	if (kinds[a->pipe->kind].make != NULL)
		return kinds[a->pipe->kind].make(a, ret);
	r = stage_alloc(sizeof(struct apply_stage), &apply_ops, a->env, ret);
	if (r == 0)
		((struct apply_stage *)*ret)->pipe = a->pipe;
	return r;
}

/* How many seconds the filter's bounds of _time are apart: what a rate without buckets is by. */
static double
range_of(const struct filter *f)
{
	struct wall min, max;
	int64_t ns;

	filter_time_range(f, &min, &max);
	if (min.ns == INT64_MIN || max.ns == INT64_MAX || min.ns >= max.ns ||
	    __builtin_sub_overflow(max.ns, min.ns, &ns))
		return 0;
	/* Bounds are included; a half-open range ends 1 ns early. */
	return (double)(ns % 1000 == 999 ? ns + 1 : ns) / 1e9;
}

int
stages_new(const struct query *q, struct query_env *env, struct stage *last,
    struct stage **ret_first)
{
	struct arena arena = ARENA_INIT;
	struct needs after = needs_wanted(env);
	double range = range_of(env->bounds != NULL ? env->bounds : q->filter);
	struct stage *first = last, *made;
	size_t i;
	int r = 0;

	if (env->notes != NULL)
		r = meter_new(env, q->n_pipes, &first);
	for (i = q->n_pipes; r == 0 && i-- > 0;) {
		struct stage_args a = { q->pipes[i], env, &after, range };

		r = stage_of(&a, &made);
		if (r != 0)
			break;
		made->next = first;
		first = made;
		if (env->notes != NULL) {
			r = meter_new(env, i, &first);
			if (r != 0)
				break;
		}
		r = needs_before(q->pipes[i], &arena, &after);
	}
	arena_fini(&arena);
	if (r != 0)
		stages_free(first, last);
	else
		*ret_first = first;
	return r;
}

void
stages_free(struct stage *first, struct stage *last)
{
	struct stage *next;

	for (; first != NULL && first != last; first = next) {
		next = first->next;
		first->ops->free(first);
	}
}

bool
stages_keep_rows(const struct query *q, size_t *ret_n_prefix)
{
	size_t n = 0;

	while (n < q->n_pipes && kinds[q->pipes[n]->kind].keeps)
		n++;
	if (ret_n_prefix != NULL)
		*ret_n_prefix = n;
	return n == q->n_pipes;
}

int
stages_needs(const struct query *q, struct arena *arena, const struct str **ret_names,
    size_t *ret_n, bool *ret_all)
{
	struct needs needs = { .all = true };
	size_t i;
	int r = 0;

	for (i = q->n_pipes; r == 0 && i-- > 0;)
		r = needs_before(q->pipes[i], arena, &needs);
	if (r != 0)
		return r;
	/* A prefix may be any field. */
	for (i = 0; i < needs.names.n; i++)
		needs.all = needs.all || name_is_wild(needs.names.p[i]);
	*ret_names = needs.names.p;
	*ret_n = needs.names.n;
	*ret_all = needs.all;
	return 0;
}
