/*
 * query/run.c - running a query.
 * One job: rows of a source through filter and pipes to an output, on all cores.
 * Floor: 3 (uses store, logsql, record, base).
 *
 * Three ways over a store: rows that stay rows are merged by time (order.c); with a limit the blocks are read newest
 * first and the newest rows kept (keep.c); rows that are gathered go to the pipes from all threads at once.
 */
#include "query/run.h"

#include <sched.h>
#include <unistd.h>

#include "logsql/pipe.h"
#include "logsql/value.h"
#include "query/match.h"
#include "query/newest.h"
#include "query/order.h"
#include "query/run_internal.h"

#define MEMORY_MAX (UINT64_C(1) << 30)

/* The end of the pipes. */
struct last {
	struct stage stage;
	run_put_fn put;
	void *ctx;
	struct keep *keep; /* NULL: no limit */
	struct scan_hit
	    *hits; /* keep, rows from blocks: the one that each worker is at; else NULL */
	const int64_t
	    *times; /* keep, rows of another source that stay rows: of its batch; else NULL */
	size_t n_times;
	uint64_t first_arrival; /* of times[0] */
	struct run *run;
	pthread_mutex_t lock;
};

/* One query of a run. */
struct job {
	struct run *run;
	const struct query *q;
	struct query_env env;
	struct arena arena;
	struct filter *filter;
	struct last last;
	struct stage *first;
	struct scan_plan plan;
	bool keeps_rows;      /* rows stay rows */
	bool keeps_order;     /* … but for limit and offset, which want them in order */
	bool newest_first;    /* a limit over rows that stay rows */
	bool oldest_first;    /* rows are gathered by whoever wants the first of them */
	bool sorts_first;     /* the first pipe sorts the store's own rows */
	struct newest newest; /* what is to be read; of oldest_first the other way round */
};

static bool
is_cancelled(const struct run *run)
{
	return run->opt->cancel != NULL &&
	    atomic_load_explicit(run->opt->cancel, memory_order_relaxed);
}

/* Time and arrival of the batch's rows, which all come from the worker's block. */
static int
keep_hit_rows(struct last *l, const struct scan_hit *h, struct batch *b)
{
	int64_t *times = arena_alloc(&b->arena, (b->n_rows + 1) * sizeof(*times));
	uint64_t *arrivals = arena_alloc(&b->arena, (b->n_rows + 1) * sizeof(*arrivals));
	size_t i, at;

	if (times == NULL || arrivals == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < b->n_rows; i++) {
		at = b->rows != NULL ? b->rows[i] : i;
		if (at >= h->n)
			return err_origin(-EPROTO);
		times[i] = h->times[at];
		arrivals[i] = scan_arrival(h, h->rows[at]);
	}
	return err_trace(keep_put(l->keep, b, times, arrivals));
}

/* The same for rows of another source, whose time a pipe may have taken away. */
static int
keep_source_rows(struct last *l, struct batch *b)
{
	int64_t *times = arena_alloc(&b->arena, (b->n_rows + 1) * sizeof(*times));
	uint64_t *arrivals = arena_alloc(&b->arena, (b->n_rows + 1) * sizeof(*arrivals));
	size_t i, at;

	if (times == NULL || arrivals == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < b->n_rows; i++) {
		at = b->rows != NULL ? b->rows[i] : i;
		if (at >= l->n_times)
			return err_origin(-EPROTO);
		times[i] = l->times[at];
		arrivals[i] = l->first_arrival + at;
	}
	return err_trace(keep_put(l->keep, b, times, arrivals));
}

static int
last_push(struct stage *s, unsigned worker, struct batch *b)
{
	struct last *l = (struct last *)s;
	int r;

	if (is_cancelled(l->run))
		return err_origin(-ECANCELED);
	if (b->n_rows == 0)
		return 0;
	if (l->keep != NULL && l->hits != NULL)
		return err_trace(keep_hit_rows(l, &l->hits[worker], b));
	if (l->keep != NULL && l->times != NULL)
		return err_trace(keep_source_rows(l, b));
	if (l->keep != NULL)
		return err_trace(keep_put(l->keep, b, NULL, NULL));
	(void)pthread_mutex_lock(&l->lock);
	r = l->put(l->ctx, b);
	(void)pthread_mutex_unlock(&l->lock);
	return err_trace(r);
}

static int
last_flush(struct stage *s)
{
	return 0;
}

static void
last_free(struct stage *s)
{
}

static const struct stage_ops last_ops = { "output", last_push, last_flush, last_free };

/* Options hold for all queries inside, where these do not say otherwise. */
static void
take_options(struct job *j)
{
	const struct query_env *outer = j->env.outer;
	struct str value;

	if (outer != NULL)
		j->env.concurrency = outer->concurrency;
	j->env.ignore_times = query_ignores_times(j->q, outer != NULL && outer->ignore_times);
	if (query_option(j->q, "concurrency", &value))
		(void)value_uint(value, &j->env.concurrency);
	j->env.n_workers = j->run->view != NULL ? j->run->n_threads : 1;
	if (j->env.concurrency > 0 && j->env.concurrency < j->env.n_workers)
		j->env.n_workers = (unsigned)j->env.concurrency;
}

/* --since and --until as a filter on _time. */
static int
bound_times(struct job *j)
{
	const struct run_options *opt = j->run->opt;
	struct filter *times = NULL, *both = NULL;
	bool bounded = opt->since.ns != INT64_MIN || opt->until.ns != INT64_MAX;
	int r = 0;

	if (bounded && !j->env.ignore_times)
		r = filter_new_time(opt->since,
		    (struct wall){ opt->until.ns == INT64_MAX ? INT64_MAX : opt->until.ns - 1 },
		    &j->arena, &times);
	if (r == 0)
		r = filter_and(j->q->filter, times, &j->arena, &both);
	if (r == 0)
		r = filter_simplify(both, &j->arena, &j->filter);
	return err_trace(r);
}

static bool
is_over(struct job *j)
{
	return atomic_load_explicit(&j->env.stop, memory_order_relaxed) || is_cancelled(j->run);
}

/* No row before this time is new enough. */
static int64_t
floor_of(struct job *j)
{
	int64_t floor = j->sorts_first ? atomic_load(&j->env.newest_floor) : INT64_MIN;

	if (floor == INT64_MIN && j->newest_first)
		(void)keep_floor(j->last.keep, &floor);
	return floor;
}

/* At once, but for a block of very many names. */
static int
push_hit(struct job *j, unsigned w, struct scan_hit *hit, struct batch *b)
{
	struct scan_chunk chunk;
	size_t at, n, most = scan_piece(block_n_columns(hit->block));
	int r = 0;

	for (at = 0; r == 0 && at < hit->n; at += n) {
		if (atomic_load_explicit(&j->env.stop, memory_order_relaxed))
			break;
		n = hit->n - at < most ? hit->n - at : most;
		chunk = (struct scan_chunk){ .hit = hit, .hit_rows = hit->rows + at, .n = n };
		r = scan_chunk_batch(&chunk, b);
		if (r == 0)
			r = stage_push(j->first, w, b);
	}
	return err_trace(r);
}

static int
push_block(struct job *j, unsigned w, size_t i, struct batch *b)
{
	struct scan_hit own = { 0 }, *hit = j->last.hits != NULL ? &j->last.hits[w] : &own;
	int r;

	batch_reset(b, 0);
	r = scan_block(&j->plan, i, j->newest_first, &b->arena, hit);
	if (r == 0 && hit->n > 0)
		r = push_hit(j, w, hit, b);
	batch_reset(b, 0);
	scan_hit_fini(hit);
	return err_trace(r);
}

struct worker {
	struct job *job;
	unsigned number;
	int r;
	pthread_t thread;
};

static void *
work(void *ctx)
{
	struct worker *w = ctx;
	struct job *j = w->job;
	struct batch b = BATCH_INIT;
	size_t i;

	while (w->r == 0 && !is_over(j)) {
		w->r = newest_next(&j->newest, floor_of(j), &i);
		if (w->r == 0)
			w->r = push_block(j, w->number, i, &b);
	}
	if (w->r == NEWEST_E_END)
		w->r = 0;
	if (w->r != 0)
		atomic_store(&j->env.stop, true);
	batch_fini(&b);
	return NULL;
}

/* All threads push at once. */
static int
run_parallel(struct job *j)
{
	struct worker workers[QUERY_WORKERS_MAX] = { 0 };
	struct scan_hit hits[QUERY_WORKERS_MAX] = { 0 };
	unsigned n = j->env.n_workers, i, started;
	size_t n_items;
	int r = newest_init(&j->newest, &j->plan, j->oldest_first, &j->arena);

	if (r < 0)
		return err_trace(r);
	n_items = j->plan.n_blocks + j->plan.n_shut_blocks;
	if (j->newest_first)
		j->last.hits = hits;
	for (i = 0; i < n; i++)
		workers[i] = (struct worker){ .job = j, .number = i };
	for (started = 1; started < n && started < n_items; started++)
		if (pthread_create(&workers[started].thread, NULL, work, &workers[started]) != 0)
			break;
	(void)work(&workers[0]);
	r = workers[0].r;
	for (i = 1; i < started; i++) {
		(void)pthread_join(workers[i].thread, NULL);
		if (r == 0)
			r = workers[i].r;
	}
	j->last.hits = NULL;
	newest_fini(&j->newest);
	return err_trace(r);
}

static int
push_ordered(void *ctx, struct batch *b)
{
	struct job *j = ctx;

	return err_trace(stage_push(j->first, 0, b));
}

static void
note_plan(struct run *run, const struct scan_plan *p)
{
	run->rows_all += p->rows_all;
	run->blocks_all += p->n_all;
	run->blocks_planned += p->n_blocks;
	run->segments_all += p->n_segments_all;
	run->segments_planned += p->n_segments;
}

static int
run_blocks(struct job *j)
{
	struct run *run = j->run;
	struct order_options order = { j->env.n_workers, &j->env, push_ordered, j };
	bool ordered = j->keeps_order && !j->newest_first && run->opt->ordered;
	int r;

	j->plan = (struct scan_plan){ .view = run->view,
		.filter = j->filter,
		.first_row = run->opt->first_row,
		.only_blocks = run->opt->only_blocks,
		.n_only_blocks = run->opt->n_only_blocks,
		.line = run->opt->line,
		.n_line = run->opt->n_line,
		.stop = run->opt->cancel,
		.notes = &run->notes };
	r = scan_plan_init(&j->plan, &j->arena);
	if (r == 0)
		r = ordered ? order_run(&j->plan, &order) : run_parallel(j);
	note_plan(run, &j->plan);
	return err_trace(r);
}

/* Times of all rows of the batch as it comes; a row without one is the older the later it comes. */
static int
note_times(struct last *l, struct batch *b)
{
	const struct column *c = batch_column(b, STR("_time"));
	char scratch[COLUMN_SCRATCH];
	int64_t *times = arena_alloc(&b->arena, (b->n_rows + 1) * sizeof(*times));
	size_t i;

	if (c == NULL || times == NULL)
		return b->err != 0 ? b->err : err_origin(-ENOMEM);
	l->first_arrival += l->n_times;
	for (i = 0; i < b->n_rows; i++)
		if (c->kind == COLUMN_TIME)
			times[i] = c->ints[i];
		else if (!value_time(column_value(c, i, scratch), &times[i]))
			times[i] = INT64_MIN / 2 - (int64_t)(l->first_arrival + i);
	l->times = times;
	l->n_times = b->n_rows;
	return 0;
}

static int
push_source_batch(struct job *j, struct batch *b)
{
	uint64_t *sel = arena_zalloc(&b->arena, BITS_WORDS(b->n_rows) + 1, sizeof(*sel));
	struct span began;
	int r;

	if (sel == NULL)
		return err_origin(-ENOMEM);
	j->run->rows_all += b->n_rows;
	if (j->keeps_rows && j->last.keep != NULL) {
		r = note_times(&j->last, b);
		if (r < 0)
			return err_trace(r);
	}
	bits_fill(sel, b->n_rows);
	began = mono_now();
	r = match_batch(j->filter, b, j->run->opt->cancel, sel);
	if (r < 0)
		return err_trace(r);
	if (bits_count(sel, b->n_rows) < b->n_rows)
		r = batch_select(b, sel);
	atomic_fetch_add(&j->run->notes.ns, (uint64_t)(mono_now().ns - began.ns));
	if (r < 0 || b->n_rows == 0)
		return err_trace(r);
	atomic_fetch_add(&j->run->notes.rows_matched, b->n_rows);
	return err_trace(stage_push(j->first, 0, b));
}

static int
run_rows(struct job *j, const struct row_source *src)
{
	struct batch b = BATCH_INIT;
	int r = 0;

	while (r == 0 && !atomic_load_explicit(&j->env.stop, memory_order_relaxed)) {
		r = is_cancelled(j->run) ? err_origin(-ECANCELED) : src->next(src->ctx, &b);
		if (r == 0)
			r = push_source_batch(j, &b);
	}
	batch_fini(&b);
	return r > 0 ? 0 : err_trace(r);
}

/* A nested query reads the rows once more. */
static int
run_rows_of(struct job *j, bool nested)
{
	struct row_source again;
	int r;

	if (!nested)
		return err_trace(run_rows(j, j->run->src));
	if (j->run->src->again == NULL)
		return env_fail(&j->env, err_origin(-ESPIPE),
		    "a subquery cannot read this input twice");
	r = j->run->src->again(j->run->src->ctx, &again);
	if (r != 0)
		return err_fold(r);
	r = run_rows(j, &again);
	again.done(again.ctx);
	return err_trace(r);
}

static bool
keeps_order(const struct query *q)
{
	struct query rest = *q;
	size_t n;

	while (!stages_keep_rows(&rest, &n)) {
		if (rest.pipes[n]->kind != PIPE_LIMIT && rest.pipes[n]->kind != PIPE_OFFSET)
			return false;
		rest.pipes += n + 1;
		rest.n_pipes -= n + 1;
	}
	return true;
}

/* query_stats: under the names that the language's other engine gives them. */
static int
run_counts(void *ctx, const struct str **ret_names, const uint64_t **ret_values, size_t *ret_n)
{
	static const struct str names[] = { STR_INIT("BytesReadTotal"), STR_INIT("BlocksProcessed"),
		STR_INIT("RowsProcessed"), STR_INIT("RowsFound"), STR_INIT("QueryDurationNsecs") };
	struct run *run = ctx;

	run->counts[0] = run->notes.bytes_read;
	run->counts[1] = run->notes.blocks_read;
	run->counts[2] = run->view != NULL ? run->notes.rows_read : run->rows_all;
	run->counts[3] = run->notes.rows_matched;
	run->counts[4] = (uint64_t)(mono_now().ns - run->start.ns);
	*ret_names = names;
	*ret_values = run->counts;
	*ret_n = ARRAY_LEN(names);
	return 0;
}

static const struct query_hooks hooks = { run_counts };

/* Notes for each pipe and the output, when there is room for all. */
static void
note_stages(struct job *j)
{
	struct run *run = j->run;
	size_t i;

	if (j->q->n_pipes >= RUN_STAGES_MAX)
		return;
	for (i = 0; i < j->q->n_pipes; i++)
		run->notes_of[i].name = pipe_kind_name(j->q->pipes[i]->kind);
	run->notes_of[i].name = "output";
	run->n_stages = i + 1;
	j->env.notes = run->notes_of;
	j->env.n_notes = run->n_stages;
}

/* Whether the first pipe that gathers rows takes samples of the first ones: that of an earlier block is made for nothing. */
static bool
wants_oldest(const struct query *q)
{
	size_t n;

	return !stages_keep_rows(q, &n) && q->pipes[n]->kind == PIPE_PATTERNS;
}

static int
job_start(struct job *j, bool nested, run_put_fn put, void *ctx)
{
	const struct run_options *opt = j->run->opt;
	int r;

	j->last.stage.ops = &last_ops;
	j->last.stage.env = &j->env;
	j->last.put = put;
	j->last.ctx = ctx;
	j->last.run = j->run;
	j->keeps_rows = stages_keep_rows(j->q, NULL);
	j->keeps_order = keeps_order(j->q);
	j->oldest_first = wants_oldest(j->q);
	j->sorts_first = j->q->n_pipes > 0 && j->q->pipes[0]->kind == PIPE_SORT;
	j->env.newest_floor = INT64_MIN;
	take_options(j);
	j->env.now = opt->now;
	j->env.zone_s = opt->zone_s;
	j->env.lines = j->env.outer != NULL ? j->env.outer->lines : opt->lines;
	j->env.memory_max = j->run->memory_max;
	j->env.run_query = run_nested;
	j->env.run_ctx = j->run;
	j->env.hooks = &hooks;
	if (opt->explain && !nested)
		note_stages(j);
	r = run_fill_subqueries(j->run, &j->env, j->q);
	if (r == 0)
		r = bound_times(j);
	j->env.bounds = j->filter;
	if (r == 0 && opt->limit != 0 && !nested) {
		j->newest_first = j->keeps_rows && j->run->view != NULL && opt->ordered;
		r = keep_new(&j->last.keep, opt->limit, opt->lines, &j->env);
	}
	if (r == 0)
		r = stages_new(j->q, &j->env, &j->last.stage, &j->first);
	return err_trace(r);
}

static int
job_run(struct job *j, bool nested)
{
	int r = j->run->view != NULL ? run_blocks(j) : run_rows_of(j, nested);

	if (r == 0 && is_cancelled(j->run))
		r = err_origin(-ECANCELED);
	/* A stage that wanted no more rows still has to hand on what it gathered. */
	atomic_store(&j->env.stop, false);
	if (r == 0)
		r = stage_flush(j->first);
	if (r == 0 && j->last.keep != NULL)
		r = keep_give(j->last.keep, j->newest_first ? KEEP_BY_TIME : KEEP_AS_CAME,
		    j->last.put, j->last.ctx);
	return err_trace(r);
}

/* What a query inside another one held is free again. */
static void
give_back(struct query_env *env)
{
	uint64_t used = atomic_load(&env->memory_used);
	struct query_env *e;

	for (e = env->outer; e != NULL; e = e->outer)
		atomic_fetch_sub(&e->memory_used, used);
}

/* ${outer} is that of the query that ${q} stands in, or NULL. */
static int
run_query(struct run *run, const struct query *q, struct query_env *outer, run_put_fn put,
    void *ctx)
{
	struct job j = { .run = run, .q = q };
	bool nested = outer != NULL;
	int r;

	j.env.outer = outer;

	(void)pthread_mutex_init(&j.last.lock, NULL);
	atomic_flag_clear(&j.env.error_set);
	watch_add(&run->watch, &j.env);
	r = job_start(&j, nested, put, ctx);
	if (r == 0)
		r = job_run(&j, nested);
	if (r < 0 && j.env.error[0] != '\0' && run->error[0] == '\0')
		memcpy(run->error, j.env.error, sizeof(run->error));
	watch_remove(&run->watch, &j.env);
	if (!nested)
		run->memory_peak = atomic_load(&j.env.memory_peak);
	give_back(&j.env);
	if (j.first != NULL)
		stages_free(j.first, &j.last.stage);
	(void)keep_free(j.last.keep);
	(void)pthread_mutex_destroy(&j.last.lock);
	arena_fini(&j.arena);
	return err_trace(r);
}

int
run_nested(void *ctx, struct query_env *env, const struct query *q,
    int (*put)(void *put_ctx, struct batch *b), void *put_ctx)
{
	struct run *run = ctx;
	int r = run_query(run, q, env, put, put_ctx);

	if (r < 0 && run->error[0] != '\0')
		return env_fail(env, r, "%s", run->error);
	return err_trace(r);
}

static uint64_t
default_memory(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
	uint64_t quarter =
	    pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size / 4 : MEMORY_MAX;

	return quarter < MEMORY_MAX ? quarter : MEMORY_MAX;
}

/* The processors that we may use; a system call, where sysconf reads files. */
static long
count_processors(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		return CPU_COUNT(&set);
	return sysconf(_SC_NPROCESSORS_ONLN);
}

static unsigned
count_threads(const struct run_options *opt)
{
	long n = opt->n_threads != 0 ? (long)opt->n_threads : count_processors();

	return n < 1 ? 1 : n > QUERY_WORKERS_MAX ? QUERY_WORKERS_MAX : (unsigned)n;
}

/* What each stage did by itself: the notes hold what the stages behind it did too. */
static void
tell_stages(const struct run *run, struct run_stats *ret)
{
	const struct stage_note *a, *next;
	struct run_stage *s;
	size_t i;

	ret->n_stages = run->n_stages;
	for (i = 0; i < run->n_stages; i++) {
		a = &run->notes_of[i];
		next = i + 1 < run->n_stages ? a + 1 : NULL;
		s = &ret->stages[i];
		*s = (struct run_stage){ .rows_in = a->rows, .memory_peak = a->memory_peak };
		s->rows_out = next != NULL ? next->rows : a->rows;
		s->took.ns = (int64_t)(a->ns - (next != NULL ? next->ns : 0));
		s->bytes_read =
		    a->bytes - (next != NULL && next->bytes < a->bytes ? next->bytes : 0);
	}
}

static int
run_all(struct run *run, const struct query *q, const struct run_options *opt, run_put_fn put,
    void *ctx, struct run_stats *ret_stats, struct buf *ret_error)
{
	int r;

	run->opt = opt;
	run->start = mono_now();
	run->n_threads = count_threads(opt);
	run->memory_max = opt->memory_max != 0 ? opt->memory_max : default_memory();
	watch_start(&run->watch, opt->cancel);
	r = run_query(run, q, NULL, put, ctx);
	watch_stop(&run->watch);
	if (r < 0 && ret_error != NULL)
		buf_c(ret_error, run->error[0] != '\0' ? run->error : err_str(r));
	if (ret_stats != NULL)
		*ret_stats = (struct run_stats){ .blocks_total = run->blocks_all,
			.blocks_skipped = run->blocks_all - run->blocks_planned,
			.blocks_read = run->notes.blocks_read,
			.rows_total = run->rows_all,
			.rows_matched = run->notes.rows_matched,
			.bytes_read = run->notes.bytes_read,
			.took = { mono_now().ns - run->start.ns },
			.memory_peak = run->memory_peak,
			.segments_total = run->segments_all,
			.segments_read = run->segments_planned,
			.rows_read = run->view != NULL ? run->notes.rows_read : run->rows_all,
			.scan_took = { (int64_t)run->notes.ns },
			.faults = run->notes.faults };
	if (ret_stats != NULL)
		tell_stages(run, ret_stats);
	return err_trace(r);
}

int
run_store(struct store_view *view, const struct query *q, const struct run_options *opt,
    run_put_fn put, void *ctx, struct run_stats *ret_stats, struct buf *ret_error)
{
	struct run run = { .view = view };
	int r = run_all(&run, q, opt, put, ctx, ret_stats, ret_error);

	if (ret_stats != NULL)
		ret_stats->segments_opened = store_view_n_opened(view);
	return err_trace(r);
}

int
run_source(const struct row_source *src, const struct query *q, const struct run_options *opt,
    run_put_fn put, void *ctx, struct run_stats *ret_stats, struct buf *ret_error)
{
	struct run run = { .src = src };

	return err_trace(run_all(&run, q, opt, put, ctx, ret_stats, ret_error));
}
