/*
 * query/keep.c - the newest N.
 * One job: of all rows that come out, keep the N newest, and give them in the order wanted.
 * Floor: 3 (uses record, base).
 *
 * A heap with the oldest on top: a row that is older than it is not even read.  A kept row is one piece of memory with
 * its cells behind each other: varint name, varint length, bytes.
 */
#include "query/keep.h"

#include <pthread.h>

#include "base/map.h"
#include "logsql/value.h"
#include "query/input.h"

enum { GIVE_ROWS = 1024 };

struct kept {
	int64_t time;
	uint64_t arrival;
	size_t n;
	uint8_t bytes[];
};

struct keep {
	uint64_t limit;
	bool lines;
	struct query_env *env;
	pthread_mutex_t lock;
	struct kept **heap;
	size_t n, cap;
	struct map names;
	struct buf cells;
	uint64_t next_arrival;
};

int
keep_new(struct keep **ret, uint64_t limit, bool lines, struct query_env *env)
{
	struct keep *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return err_origin(-ENOMEM);
	k->limit = limit;
	k->lines = lines;
	k->env = env;
	(void)pthread_mutex_init(&k->lock, NULL);
	*ret = k;
	return 0;
}

struct keep *
keep_free(struct keep *k)
{
	size_t i;

	if (k == NULL)
		return NULL;
	for (i = 0; i < k->n; i++)
		free(k->heap[i]);
	free(k->heap);
	map_fini(&k->names);
	buf_fini(&k->cells);
	(void)pthread_mutex_destroy(&k->lock);
	free(k);
	return NULL;
}

static bool
older(const struct kept *a, const struct kept *b)
{
	return a->time != b->time ? a->time < b->time : a->arrival < b->arrival;
}

static void
sift_down(struct keep *k)
{
	size_t i = 0, child;
	struct kept *x;

	for (; (child = 2 * i + 1) < k->n; i = child) {
		if (child + 1 < k->n && older(k->heap[child + 1], k->heap[child]))
			child++;
		if (!older(k->heap[child], k->heap[i]))
			break;
		x = k->heap[i];
		k->heap[i] = k->heap[child];
		k->heap[child] = x;
	}
}

static void
sift_up(struct keep *k)
{
	size_t i = k->n - 1;
	struct kept *x;

	for (; i > 0 && older(k->heap[i], k->heap[(i - 1) / 2]); i = (i - 1) / 2) {
		x = k->heap[i];
		k->heap[i] = k->heap[(i - 1) / 2];
		k->heap[(i - 1) / 2] = x;
	}
}

static int
grow(struct keep *k)
{
	struct kept **heap;
	size_t cap = k->cap == 0 ? 256 : k->cap * 2;

	heap = reallocarray(k->heap, cap, sizeof(struct kept *));
	if (heap == NULL)
		return err_origin(-ENOMEM);
	k->heap = heap;
	k->cap = cap;
	return 0;
}

/* Take ${row} in; the oldest leaves when there is one too many. */
static int
insert(struct keep *k, struct kept *row)
{
	struct kept *out = NULL;
	int r = env_charge(k->env, "limit", (int64_t)(sizeof(*row) + row->n + sizeof(row)));

	if (r == 0 && k->n < k->limit && k->n == k->cap)
		r = grow(k);
	if (r < 0) {
		free(row);
		return err_trace(r);
	}
	if (k->n < k->limit) {
		k->heap[k->n++] = row;
		sift_up(k);
		return 0;
	}
	out = k->heap[0];
	k->heap[0] = row;
	sift_down(k);
	(void)env_charge(k->env, "limit", -(int64_t)(sizeof(*out) + out->n + sizeof(out)));
	free(out);
	return 0;
}

struct cells {
	const struct str *names;
	const struct str **values;
	size_t n;
};

/* Values of all columns; asked for once a batch, when its first row is kept. */
static int
load_cells(const struct keep *k, struct batch *b, struct cells *ret)
{
	const struct str *names;
	struct str *copy;
	size_t i, n;
	int r;

	r = batch_names(b, &names, &n);
	if (r < 0)
		return err_trace(r);
	copy = arena_alloc(&b->arena, (n + 2) * sizeof(*copy));
	ret->values = arena_zalloc(&b->arena, n + 2, sizeof(*ret->values));
	if (copy == NULL || ret->values == NULL)
		return err_origin(-ENOMEM);
	memcpy(copy, names, n * sizeof(*copy));
	/* The line is no column of the row, and has to be asked for by name. */
	for (i = 0; i < n && !str_eq(copy[i], INPUT_LINE_NAME);)
		i++;
	if (k->lines && i == n)
		copy[n++] = INPUT_LINE_NAME;
	for (i = 0; i < n; i++) {
		ret->values[i] = batch_strs(b, copy[i]);
		if (ret->values[i] == NULL)
			return b->err != 0 ? b->err : err_origin(-ENOMEM);
	}
	ret->names = copy;
	ret->n = n;
	return 0;
}

static int
keep_row(struct keep *k, const struct cells *cells, size_t row, int64_t time, uint64_t arrival)
{
	struct map_entry *e;
	struct kept *kept;
	bool fresh;
	size_t i;

	buf_clear(&k->cells);
	for (i = 0; i < cells->n; i++) {
		e = map_put(&k->names, cells->names[i], &fresh);
		if (e == NULL)
			return err_origin(-ENOMEM);
		if (fresh)
			e->value = k->names.n - 1;
		if (cells->values[i][row].n == 0)
			continue;
		buf_varint(&k->cells, e->value);
		buf_varint(&k->cells, cells->values[i][row].n);
		buf_str(&k->cells, cells->values[i][row]);
	}
	kept = malloc(sizeof(*kept) + k->cells.n);
	if (k->cells.failed || kept == NULL) {
		free(kept);
		return err_origin(-ENOMEM);
	}
	kept->time = time;
	kept->arrival = arrival;
	kept->n = k->cells.n;
	if (k->cells.n > 0)
		memcpy(kept->bytes, k->cells.p, k->cells.n);
	return err_trace(insert(k, kept));
}

static int
put_locked(struct keep *k, struct batch *b, const int64_t *times, const struct str *time_strs,
    const uint64_t *arrivals)
{
	struct cells cells = { 0 };
	struct kept probe;
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < b->n_rows; i++) {
		probe.arrival = arrivals != NULL ? arrivals[i] : k->next_arrival++;
		if (times != NULL)
			probe.time = times[i];
		else if (!value_time(time_strs[i], &probe.time))
			probe.time = INT64_MIN / 2 - (int64_t)probe.arrival;
		if (k->n >= k->limit && (k->limit == 0 || older(&probe, k->heap[0])))
			continue;
		if (cells.names == NULL)
			r = load_cells(k, b, &cells);
		if (r == 0)
			r = keep_row(k, &cells, i, probe.time, probe.arrival);
	}
	return err_trace(r);
}

int
keep_put(struct keep *k, struct batch *b, const int64_t *times, const uint64_t *arrivals)
{
	const struct str *time_strs = NULL;
	int r;

	if (times == NULL) {
		time_strs = batch_strs(b, STR("_time"));
		if (time_strs == NULL)
			return b->err != 0 ? b->err : err_origin(-ENOMEM);
	}
	(void)pthread_mutex_lock(&k->lock);
	r = put_locked(k, b, times, time_strs, arrivals);
	(void)pthread_mutex_unlock(&k->lock);
	return err_trace(r);
}

bool
keep_floor(struct keep *k, int64_t *ret)
{
	bool full;

	(void)pthread_mutex_lock(&k->lock);
	full = k->n >= k->limit;
	*ret = full && k->n > 0 ? k->heap[0]->time : INT64_MIN;
	(void)pthread_mutex_unlock(&k->lock);
	return full;
}

static int
cmp_time(const void *a, const void *b)
{
	const struct kept *x = *(struct kept *const *)a, *y = *(struct kept *const *)b;

	return older(x, y) ? -1 : older(y, x);
}

static int
cmp_arrival(const void *a, const void *b)
{
	const struct kept *x = *(struct kept *const *)a, *y = *(struct kept *const *)b;

	return (x->arrival > y->arrival) - (x->arrival < y->arrival);
}

/*
 * Rows [from, from + n) as a batch whose values point into the kept rows.  Its columns stand as the rows first have them, so
 * that it does not matter which thread brought a name first.
 */
static int
fill_batch(struct keep *k, size_t from, size_t n, struct batch *b)
{
	struct str **cols;
	struct scan s;
	uint64_t name, len, *seen;
	size_t i, n_seen = 0;
	int r = 0;

	batch_reset(b, n);
	b->closed = true;
	cols = arena_zalloc(&b->arena, k->names.n + 1, sizeof(*cols));
	seen = arena_alloc(&b->arena, (k->names.n + 1) * sizeof(*seen));
	if (cols == NULL || seen == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < n; i++) {
		s = SCAN_OF(str_of(k->heap[from + i]->bytes, k->heap[from + i]->n));
		while (s.at < s.n) {
			name = scan_varint(&s);
			len = scan_varint(&s);
			if (cols[name] == NULL) {
				cols[name] = arena_zalloc(&b->arena, n, sizeof(**cols));
				seen[n_seen++] = name;
			}
			if (cols[name] == NULL)
				return err_origin(-ENOMEM);
			cols[name][i] = scan_bytes(&s, len);
		}
	}
	for (i = 0; r == 0 && i < n_seen; i++)
		r = batch_set_strs(b, k->names.entries[seen[i]].key, cols[seen[i]]);
	return err_trace(r);
}

int
keep_give(struct keep *k, enum keep_order order, int (*put)(void *ctx, struct batch *b), void *ctx)
{
	struct batch b = BATCH_INIT;
	size_t at, n;
	int r = 0;

	if (k->n > 0)
		qsort(k->heap, k->n, sizeof(struct kept *),
		    order == KEEP_BY_TIME ? cmp_time : cmp_arrival);
	for (at = 0; r == 0 && at < k->n; at += n) {
		n = k->n - at < GIVE_ROWS ? k->n - at : GIVE_ROWS;
		r = fill_batch(k, at, n, &b);
		if (r == 0)
			r = put(ctx, &b);
	}
	batch_fini(&b);
	return err_trace(r);
}
