/*
 * query/order.c - a store's rows by time.
 * One job: the matching rows of many blocks, merged by _time and then arrival, as batches.
 * Floor: 3 (uses store, logsql, record, base).
 *
 * Blocks stand in the order of their first time.  When blocks 0 to k - 1 are matched, rows before the first time of
 * block k are final.  Workers go at most AHEAD blocks beyond k, so that what waits is bounded by how far the
 * blocks' times overlap.  A segment that is shut is opened when no block that waits begins before it.
 */
#include "query/order.h"

#include <pthread.h>

#include "query/stage.h"

enum { AHEAD = 8, CHUNK_ROWS = 4096 };

enum slot_state { SLOT_WAITING, SLOT_TAKEN, SLOT_DONE };

struct slot {
	struct scan_hit hit;
	uint32_t block; /* number in the plan */
	enum slot_state state;
	size_t next; /* rows before it have been given */
	int r;
};

/* A segment that is shut; the plan's number of it. */
struct shut {
	int64_t time; /* none of its rows is earlier */
	uint32_t at;
};

/*
 * Invariants, with the lock held: slots before next_take are taken or done; all before done_to are done and merged;
 * a slot's hit belongs to its worker until it is done, then to the merging thread; shut[next_shut..n_shut) ascend, and
 * none begins before a slot that is taken.
 */
struct order {
	struct scan_plan *plan;
	const struct order_options *opt;
	struct slot *slots;
	size_t n, next_take, done_to;
	struct shut *shut;
	size_t n_shut, next_shut;
	int err; /* of opening one */
	bool quit;
	pthread_mutex_t lock;
	pthread_cond_t changed;

	/* The merging thread's own. */
	struct slot **open; /* merged, with rows left */
	size_t n_open;
	bool final; /* all blocks are merged: every row may be given */
	struct scan_row *rows;
	uint64_t n_chunks;
	struct batch batch;
};

static int64_t
first_time(const struct order *o, uint32_t block)
{
	struct store_block_info info;

	store_view_block(o->plan->view, o->plan->blocks[block], &info);
	return info.sum.min_time.ns;
}

struct key {
	int64_t time;
	uint32_t block;
};

static int
cmp_keys(const void *a, const void *b)
{
	const struct key *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return (x->block > y->block) - (x->block < y->block);
}

/* Those that wait for a worker, in order; they are nothing yet but a block. */
static int
sort_waiting(struct order *o)
{
	size_t n = o->n - o->next_take, i;
	struct slot *waiting = o->slots + o->next_take;
	AUTO_FREE struct key *keys = calloc(n + 1, sizeof(*keys));

	if (keys == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < n; i++)
		keys[i] = (struct key){ first_time(o, waiting[i].block), waiting[i].block };
	qsort(keys, n, sizeof(*keys), cmp_keys);
	for (i = 0; i < n; i++)
		waiting[i].block = keys[i].block;
	return 0;
}

static int
add_waiting(struct order *o)
{
	for (; o->n < o->plan->n_blocks; o->n++)
		o->slots[o->n].block = (uint32_t)o->n;
	return err_trace(sort_waiting(o));
}

static int
cmp_shut(const void *a, const void *b)
{
	const struct shut *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return (x->at > y->at) - (x->at < y->at);
}

static int
make_slots(struct order *o)
{
	size_t n = o->plan->n_blocks + o->plan->n_shut_blocks, i;
	struct store_segment_info info;

	o->slots = calloc(n + 1, sizeof(*o->slots));
	o->open = calloc(n + 1, sizeof(*o->open));
	o->rows = calloc(CHUNK_ROWS, sizeof(*o->rows));
	o->shut = calloc(o->plan->n_shut + 1, sizeof(*o->shut));
	if (o->slots == NULL || o->open == NULL || o->rows == NULL || o->shut == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < o->plan->n_shut; i++) {
		store_view_segment(o->plan->view, o->plan->shut[i], &info);
		o->shut[o->n_shut++] = (struct shut){ info.min_time.ns, (uint32_t)i };
	}
	qsort(o->shut, o->n_shut, sizeof(*o->shut), cmp_shut);
	return err_trace(add_waiting(o));
}

/* With the lock held, before a slot is taken: open all that may begin before it.  Whether there is one. */
static bool
may_take(struct order *o)
{
	while (o->err == 0 && o->next_shut < o->n_shut &&
	    (o->next_take == o->n ||
	        o->shut[o->next_shut].time <= first_time(o, o->slots[o->next_take].block))) {
		o->err = scan_open_shut(o->plan, o->shut[o->next_shut++].at);
		if (o->err == 0)
			o->err = add_waiting(o);
	}
	return o->err == 0 && o->next_take < o->n;
}

struct timed_row {
	int64_t time;
	uint32_t row;
};

static int
cmp_rows(const void *a, const void *b)
{
	const struct timed_row *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return (x->row > y->row) - (x->row < y->row);
}

/* Most blocks are in order of time already. */
static int
sort_hit(struct scan_hit *h)
{
	AUTO_FREE struct timed_row *sorted = NULL;
	size_t i;

	for (i = 1; i < h->n && h->times[i - 1] <= h->times[i]; i++)
		continue;
	if (i >= h->n)
		return 0;
	sorted = malloc(h->n * sizeof(*sorted));
	if (sorted == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < h->n; i++)
		sorted[i] = (struct timed_row){ h->times[i], h->rows[i] };
	qsort(sorted, h->n, sizeof(*sorted), cmp_rows);
	for (i = 0; i < h->n; i++) {
		h->times[i] = sorted[i].time;
		h->rows[i] = sorted[i].row;
	}
	return 0;
}

static void
match_slot(struct order *o, struct slot *s, struct arena *arena)
{
	arena_clear(arena);
	s->r = scan_block(o->plan, s->block, true, arena, &s->hit);
	if (s->r == 0)
		s->r = sort_hit(&s->hit);
	/* A block without matches is not kept open. */
	if (s->r != 0 || s->hit.n == 0)
		scan_hit_fini(&s->hit);
}

static void *
worker(void *ctx)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	struct order *o = ctx;
	struct slot *s;

	(void)pthread_mutex_lock(&o->lock);
	for (;;) {
		while (!o->quit && o->next_take >= o->done_to + AHEAD)
			(void)pthread_cond_wait(&o->changed, &o->lock);
		if (o->quit || !may_take(o))
			break;
		s = &o->slots[o->next_take++];
		s->state = SLOT_TAKEN;
		(void)pthread_mutex_unlock(&o->lock);
		match_slot(o, s, &arena);
		(void)pthread_mutex_lock(&o->lock);
		s->state = SLOT_DONE;
		(void)pthread_cond_broadcast(&o->changed);
	}
	(void)pthread_mutex_unlock(&o->lock);
	return NULL;
}

/* Wait for slot k; where nobody has taken it yet (one thread), match it here. */
static int
await(struct order *o, size_t k, struct arena *arena)
{
	struct slot *s = &o->slots[k];

	(void)pthread_mutex_lock(&o->lock);
	if (o->next_take == k) {
		o->next_take = k + 1;
		(void)pthread_mutex_unlock(&o->lock);
		match_slot(o, s, arena);
		(void)pthread_mutex_lock(&o->lock);
		s->state = SLOT_DONE;
	}
	while (s->state != SLOT_DONE)
		(void)pthread_cond_wait(&o->changed, &o->lock);
	o->done_to = k + 1;
	(void)pthread_cond_broadcast(&o->changed);
	(void)pthread_mutex_unlock(&o->lock);
	return s->r;
}

static bool
before(const struct slot *a, const struct slot *b)
{
	if (a->hit.times[a->next] != b->hit.times[b->next])
		return a->hit.times[a->next] < b->hit.times[b->next];
	return scan_arrival(&a->hit, a->hit.rows[a->next]) <
	    scan_arrival(&b->hit, b->hit.rows[b->next]);
}

/* The open slots as a heap by their next row. */
static void
sift_down(struct order *o, size_t i)
{
	struct slot *s;
	size_t child;

	for (; (child = 2 * i + 1) < o->n_open; i = child) {
		if (child + 1 < o->n_open && before(o->open[child + 1], o->open[child]))
			child++;
		if (!before(o->open[child], o->open[i]))
			break;
		s = o->open[i];
		o->open[i] = o->open[child];
		o->open[child] = s;
	}
}

static void
heap_push(struct order *o, struct slot *s)
{
	size_t i = o->n_open++;

	o->open[i] = s;
	for (; i > 0 && before(o->open[i], o->open[(i - 1) / 2]); i = (i - 1) / 2) {
		s = o->open[i];
		o->open[i] = o->open[(i - 1) / 2];
		o->open[(i - 1) / 2] = s;
	}
}

/* How many rows from the heap's top block come before the next block's first and before ${until}. */
static size_t
run_length(const struct order *o, int64_t until, size_t max)
{
	struct slot *top = o->open[0], *next = NULL, head;
	size_t n = 0;

	if (o->n_open > 1)
		next = o->open[1];
	if (o->n_open > 2 && before(o->open[2], next))
		next = o->open[2];
	head = *top;
	while (n < max && head.next < head.hit.n &&
	    (o->final || head.hit.times[head.next] < until) &&
	    (next == NULL || before(&head, next))) {
		head.next++;
		n++;
	}
	return n;
}

/* Whether rows [0, n) lie in one block in ascending order; then a chunk needs no list of blocks. */
static bool
is_plain(const struct scan_row *rows, size_t n)
{
	size_t i;

	for (i = 1; i < n; i++)
		if (rows[i].hit != rows[0].hit || rows[i].row <= rows[i - 1].row)
			return false;
	return true;
}

static int
give_piece(struct order *o, const struct scan_row *rows, size_t n)
{
	struct scan_chunk chunk = { .rows = rows, .n = n };
	uint32_t *plain;
	size_t i;
	int r;

	if (is_plain(rows, n)) {
		plain = malloc(n * sizeof(*plain));
		if (plain == NULL)
			return err_origin(-ENOMEM);
		for (i = 0; i < n; i++)
			plain[i] = rows[i].row;
		chunk.hit = rows[0].hit;
		chunk.hit_rows = plain;
	}
	r = scan_chunk_batch(&chunk, &o->batch);
	if (r == 0)
		r = o->opt->put(o->opt->ctx, &o->batch);
	if (chunk.hit != NULL)
		free((void *)(uintptr_t)chunk.hit_rows);
	return err_trace(r);
}

/* Rows whose file expired since they matched go whole, before any of their values would be missing. */
static size_t
keep_there(struct order *o, size_t n)
{
	struct scan_hit *h;
	size_t i, m = 0;

	o->n_chunks++;
	for (i = 0; i < n; i++) {
		h = o->rows[i].hit;
		if (h->asked != o->n_chunks)
			h->gone = !store_view_is_there(h->view, h->number);
		h->asked = o->n_chunks;
		if (!h->gone)
			o->rows[m++] = o->rows[i];
	}
	return m;
}

/* Rows of blocks with very many names in pieces. */
static int
give(struct order *o, size_t n)
{
	size_t i, k, columns = 0, most;
	int r = 0;

	n = keep_there(o, n);

	for (i = 0; i < n; i++)
		if (i == 0 || o->rows[i].hit != o->rows[i - 1].hit) {
			k = block_n_columns(o->rows[i].hit->block);
			columns = k > columns ? k : columns;
		}
	most = scan_piece(columns);
	for (i = 0; i < n && r == 0; i += most)
		r = give_piece(o, o->rows + i, n - i < most ? n - i : most);
	return err_trace(r);
}

/* Blocks without rows left are closed; not before the chunk that has their last rows was given. */
static void
close_spent(struct order *o, struct slot **spent, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		scan_hit_fini(&spent[i]->hit);
}

static bool
is_over(const struct order *o)
{
	return atomic_load_explicit(&o->opt->env->stop, memory_order_relaxed) ||
	    (o->plan->stop != NULL && atomic_load_explicit(o->plan->stop, memory_order_relaxed));
}

/* Take rows before ${until} into o->rows, up to a chunk; blocks that end with it go to spent. */
static size_t
take_rows(struct order *o, int64_t until, struct slot **spent, size_t *ret_n_spent)
{
	size_t n = 0, m = 0, run, i;
	struct slot *top;

	while (n < CHUNK_ROWS && o->n_open > 0) {
		top = o->open[0];
		run = run_length(o, until, CHUNK_ROWS - n);
		if (run == 0)
			break;
		for (i = 0; i < run; i++)
			o->rows[n++] = (struct scan_row){ &top->hit, top->hit.rows[top->next++] };
		if (top->next == top->hit.n) {
			spent[m++] = top;
			o->open[0] = o->open[--o->n_open];
		}
		if (o->n_open > 0)
			sift_down(o, 0);
	}
	*ret_n_spent = m;
	return n;
}

/* Give all rows before ${until}. */
static int
drain(struct order *o, int64_t until)
{
	struct slot *spent[CHUNK_ROWS];
	size_t n, n_spent;
	int r = 0;

	while (r == 0 && o->n_open > 0 && !is_over(o)) {
		n = take_rows(o, until, spent, &n_spent);
		r = give(o, n);
		close_spent(o, spent, n_spent);
		if (n < CHUNK_ROWS)
			break;
	}
	return err_trace(r);
}

static bool
is_there(struct order *o, size_t k)
{
	bool there;

	(void)pthread_mutex_lock(&o->lock);
	there = k < o->next_take || may_take(o);
	(void)pthread_mutex_unlock(&o->lock);
	return there;
}

static int
merge(struct order *o)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	size_t k;
	int r = 0;

	for (k = 0; r == 0 && is_there(o, k) && !is_over(o); k++) {
		r = drain(o, first_time(o, o->slots[k].block));
		/* a slot that was not waited for is its worker's */
		if (r != 0 || is_over(o))
			break;
		r = await(o, k, &arena);
		if (r == 0 && o->slots[k].hit.n > 0)
			heap_push(o, &o->slots[k]);
	}
	if (r == 0)
		r = o->err;
	o->final = true;
	return r == 0 && k == o->n ? err_trace(drain(o, INT64_MAX)) : err_trace(r);
}

int
order_run(struct scan_plan *plan, const struct order_options *opt)
{
	struct order o = { .plan = plan, .opt = opt };
	size_t n_blocks = plan->n_blocks + plan->n_shut_blocks;
	pthread_t threads[QUERY_WORKERS_MAX];
	unsigned n_threads = 0;
	size_t i;
	int r;

	(void)pthread_mutex_init(&o.lock, NULL);
	(void)pthread_cond_init(&o.changed, NULL);
	r = make_slots(&o);
	/* This thread merges, prints, and matches when it would wait; so one worker less is started. */
	while (r == 0 && n_threads + 1 < opt->n_threads && n_threads + 1 < n_blocks &&
	    pthread_create(&threads[n_threads], NULL, worker, &o) == 0)
		n_threads++;
	if (r == 0)
		r = merge(&o);
	(void)pthread_mutex_lock(&o.lock);
	o.quit = true;
	(void)pthread_cond_broadcast(&o.changed);
	(void)pthread_mutex_unlock(&o.lock);
	for (i = 0; i < n_threads; i++)
		(void)pthread_join(threads[i], NULL);
	for (i = 0; o.slots != NULL && i < o.n; i++)
		scan_hit_fini(&o.slots[i].hit);
	batch_fini(&o.batch);
	free(o.slots);
	free(o.shut);
	free(o.open);
	free(o.rows);
	(void)pthread_cond_destroy(&o.changed);
	(void)pthread_mutex_destroy(&o.lock);
	return err_trace(r);
}
