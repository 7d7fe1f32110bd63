/*
 * query/scan_rows.c - matching rows as batches.
 * One job: columns of rows that lie in one block or in several.
 * Floor: 3 (uses store, record, base).
 */
#include "base/map.h"
#include "query/input.h"
#include "query/scan_internal.h"
#include "record/stream.h"

/* The labels' text to the ID's, once a value. */
static int
stream_ids(const struct column *from, struct arena *arena, struct column *ret)
{
	size_t n = from->kind == COLUMN_CONST ? 1
	    : from->kind == COLUMN_DICT       ? from->n_dict
	                                      : from->n_rows,
	       i;
	char scratch[COLUMN_SCRATCH], *text = arena_alloc(arena, (n + 1) * (STREAM_ID_TEXT + 1));
	struct str *out = arena_alloc(arena, (n + 1) * sizeof(*out)), v;

	if (text == NULL || out == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < n; i++, text += STREAM_ID_TEXT + 1) {
		v = from->kind == COLUMN_CONST  ? from->value
		    : from->kind == COLUMN_DICT ? from->dict[i]
		                                : column_value(from, i, scratch);
		stream_id(text, v.n != 0 ? v : STR("{}"));
		out[i] = str_of(text, STREAM_ID_TEXT);
	}
	*ret = *from;
	ret->value = n > 0 ? out[0] : STR_NONE;
	ret->dict = out;
	ret->strs = out;
	if (from->kind != COLUMN_CONST && from->kind != COLUMN_DICT)
		ret->kind = COLUMN_STRS;
	return 0;
}

static int
line_column(struct scan_hit *h, const uint32_t *rows, size_t n, struct arena *arena,
    struct column *ret)
{
	struct str *strs = arena_zalloc(arena, n + 1, sizeof(*strs));
	uint32_t *all = NULL;
	size_t i;
	int r;

	if (rows == NULL)
		all = arena_alloc(arena, (n + 1) * sizeof(*all));
	if (strs == NULL || (rows == NULL && all == NULL))
		return err_origin(-ENOMEM);
	for (i = 0; all != NULL && i < n; i++)
		all[i] = (uint32_t)i;
	r = block_lines(h->block, all != NULL ? all : rows, n, arena, strs);
	if (r != 0)
		return r;
	*ret = (struct column){ .kind = COLUMN_STRS, .n_rows = n, .strs = strs };
	return 0;
}

int
scan_hit_column(struct scan_hit *h, struct str name, const uint32_t *rows, size_t n,
    struct arena *arena, struct column *ret)
{
	struct block_column_info info;
	struct column streams;
	int r;

	if (str_eq(name, INPUT_LINE_NAME)) {
		r = line_column(h, rows, n, arena, ret);
	} else if (str_eq_c(name, "_stream_id")) {
		r = scan_hit_column(h, STR("_stream"), rows, n, arena, &streams);
		if (r == 0)
			r = stream_ids(&streams, arena, ret);
	} else {
		r = block_column(h->block, name, rows, n, arena, ret);
		if (r == 0 && block_column_find(h->block, name, &info)) {
			h->n_bytes += info.n_bytes;
			atomic_fetch_add_explicit(&h->notes->bytes_read, info.n_bytes,
			    memory_order_relaxed);
		}
	}
	if (r == -ENOMEM || r == -ECANCELED)
		return err_trace(r);
	if (r != 0) {
		scan_fault(h, r);
		*ret = column_const(name, STR_NONE, n);
	}
	ret->name = name;
	return 0;
}

/* The block's rows of a chunk of one block: NULL when they are all. */
static int
rows_of(const struct scan_chunk *c, const uint32_t *at, size_t n, struct arena *arena,
    const uint32_t **ret)
{
	uint32_t *some;
	size_t i;

	*ret = n == c->hit->info.sum.n_rows ? NULL : c->hit_rows;
	if (at == NULL || *ret == NULL)
		return 0;
	some = arena_alloc(arena, (n + 1) * sizeof(*some));
	if (some == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < n; i++)
		some[i] = c->hit_rows[at[i]];
	*ret = some;
	return 0;
}

static int
load_one(struct scan_chunk *c, struct str name, const uint32_t *at, size_t n, struct arena *arena,
    struct column *ret)
{
	uint64_t before = c->hit->n_bytes;
	const uint32_t *rows;
	int r;

	r = rows_of(c, at, n, arena, &rows);
	if (r < 0)
		return err_trace(r);
	r = scan_hit_column(c->hit, name, rows, n, arena, ret);
	c->n_bytes += c->hit->n_bytes - before;
	return err_trace(r);
}

static int
chunk_forms(void *ctx, struct str name, const uint32_t *at, size_t n, struct arena *arena,
    struct column *ret)
{
	struct scan_chunk *c = ctx;
	const uint32_t *rows;
	int r;

	r = rows_of(c, at, n, arena, &rows);
	if (r == 0)
		r = block_forms(c->hit->block, name, rows, n, arena, ret);
	if (r == 0 || r == -ENOMEM || r == -ECANCELED)
		return err_trace(r);
	scan_fault(c->hit, r);
	*ret = column_const(name, STR_NONE, n);
	return 0;
}

/* Row ${row} of ${hit} is the at-th of those wanted. */
struct place {
	struct scan_hit *hit;
	uint32_t row, at;
};

static int
cmp_places(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->hit != y->hit)
		return (uintptr_t)x->hit < (uintptr_t)y->hit ? -1 : 1;
	return (x->row > y->row) - (x->row < y->row);
}

/* Rows of one hit, ascending: read them at once, then put each in its place. */
static int
load_hit(const struct place *places, size_t n, struct str name, struct arena *arena,
    struct str *out)
{
	uint32_t *rows = arena_alloc(arena, (n + 1) * sizeof(*rows));
	const struct str *strs;
	struct column c;
	size_t i;
	int r;

	if (rows == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < n; i++)
		rows[i] = places[i].row;
	r = scan_hit_column(places[0].hit, name, rows, n, arena, &c);
	if (r == 0)
		r = column_strs(&c, arena, &strs);
	for (i = 0; r == 0 && i < n; i++)
		out[places[i].at] = strs[i];
	return err_trace(r);
}

/* Sorted by hit, so that many small hits cost no more than their rows. */
static int
load_many(struct scan_chunk *c, struct str name, const uint32_t *at, size_t n, struct arena *arena,
    struct column *ret)
{
	struct str *out = arena_zalloc(arena, n + 1, sizeof(*out));
	struct place *places = arena_alloc(arena, (n + 1) * sizeof(*places));
	const struct scan_row *from;
	uint64_t before;
	size_t i, k;
	int r = 0;

	if (out == NULL || places == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < n; i++) {
		from = &c->rows[at != NULL ? at[i] : i];
		places[i] = (struct place){ from->hit, from->row, (uint32_t)i };
	}
	qsort(places, n, sizeof(*places), cmp_places);
	for (i = 0; r == 0 && i < n; i = k) {
		for (k = i + 1; k < n && places[k].hit == places[i].hit; k++)
			continue;
		before = places[i].hit->n_bytes;
		r = load_hit(places + i, k - i, name, arena, out);
		c->n_bytes += places[i].hit->n_bytes - before;
	}
	*ret = (struct column){ .name = name, .kind = COLUMN_STRS, .n_rows = n, .strs = out };
	return err_trace(r);
}

static int
chunk_load(void *ctx, struct str name, const uint32_t *rows, size_t n, struct arena *arena,
    struct column *ret)
{
	struct scan_chunk *c = ctx;

	return err_trace(c->hit != NULL ? load_one(c, name, rows, n, arena, ret)
	                                : load_many(c, name, rows, n, arena, ret));
}

/* Names of one block behind those in the list, but for those that are there. */
static int
add_names(struct map *seen, const struct scan_hit *hit)
{
	struct block_column_info info;
	size_t i;

	for (i = 0; i < block_n_columns(hit->block); i++) {
		block_column_at(hit->block, i, &info);
		if (map_put(seen, info.name, NULL) == NULL)
			return err_origin(-ENOMEM);
	}
	return 0;
}

static int
chunk_names(void *ctx, const struct str **ret, size_t *ret_n)
{
	struct scan_chunk *c = ctx;

	*ret = c->names;
	*ret_n = c->n_names;
	return 0;
}

/* Names of all blocks that rows come from, each block once: rows merged by time come from many in turn. */
static int
add_all_names(struct map *seen, const struct scan_chunk *c)
{
	AUTO_FINI(map_fini) struct map hits = MAP_INIT;
	const struct scan_hit *hit, *last = NULL;
	bool is_new;
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < c->n; i++) {
		hit = c->rows[i].hit;
		if (hit == last)
			continue;
		last = hit;
		if (map_put(&hits, str_of(&hit, sizeof(hit)), &is_new) == NULL)
			return err_origin(-ENOMEM);
		if (is_new)
			r = add_names(seen, hit);
	}
	return err_trace(r);
}

static int
list_names(struct scan_chunk *c, struct arena *arena)
{
	AUTO_FINI(map_fini) struct map seen = MAP_INIT;
	size_t i;
	int r = c->hit != NULL ? add_names(&seen, c->hit) : add_all_names(&seen, c);

	if (r < 0)
		return err_trace(r);
	c->names = arena_alloc(arena, (seen.n + 1) * sizeof(*c->names));
	if (c->names == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < seen.n; i++) {
		c->names[i] = arena_dup(arena, seen.entries[i].key);
		if (c->names[i].p == NULL)
			return err_origin(-ENOMEM);
	}
	c->n_names = seen.n;
	return 0;
}

/* A block of one class has the numbers from first_row on; one that was merged out of several has gaps. */
static int
set_arrivals(const struct scan_chunk *c, struct batch *b)
{
	uint64_t *arrivals;
	size_t i;

	b->first_arrival = c->hit != NULL ? (int64_t)c->hit->info.first_row : 0;
	if (c->hit != NULL &&
	    c->hit->info.end_row - c->hit->info.first_row == c->hit->info.sum.n_rows)
		return 0;
	arrivals = arena_alloc(&b->arena, (c->n + 1) * sizeof(*arrivals));
	if (arrivals == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < c->n; i++)
		arrivals[i] = c->hit != NULL ? scan_arrival(c->hit, c->hit_rows[i])
		                             : scan_arrival(c->rows[i].hit, c->rows[i].row);
	b->arrivals = arrivals;
	return 0;
}

int
scan_chunk_batch(struct scan_chunk *c, struct batch *b)
{
	int r;

	batch_reset(b, c->n);
	b->source = (struct batch_source){ .load = chunk_load,
		.forms = c->hit != NULL ? chunk_forms : NULL,
		.names = chunk_names,
		.ctx = c };
	b->n_loaded = &c->n_bytes;
	r = set_arrivals(c, b);
	if (r < 0)
		return err_trace(r);
	return err_trace(list_names(c, &b->arena));
}

/* The hit that is the source of all of the batch's rows, or NULL. */
static const struct scan_hit *
hit_of(const struct batch *b)
{
	return b->source.load == chunk_load ? ((const struct scan_chunk *)b->source.ctx)->hit
	                                    : NULL;
}

bool
scan_batch_block(const struct batch *b, struct store_block_info *ret, const char **ret_file)
{
	const struct scan_hit *h = hit_of(b);
	struct store_segment_info segment;
	size_t i;

	if (h == NULL)
		return false;
	*ret = h->info;
	*ret_file = "";
	for (i = 0; i < store_view_n_segments(h->view); i++) {
		store_view_segment(h->view, i, &segment);
		if (segment.number == h->info.segment)
			*ret_file = segment.file;
	}
	return true;
}

/* What the source has as the batch's column ${name}; .p is NULL where a pipe made it or took it away. */
static struct str
name_at_source(const struct batch *b, struct str name)
{
	size_t i;

	for (i = 0; i < b->n_cols && !str_eq(b->cols[i].name, name); i++)
		continue;
	if (i < b->n_cols)
		return b->cols[i].from;
	return batch_may_load(b, name) ? name : STR_NONE;
}

bool
scan_batch_column(const struct batch *b, struct str name, struct block_column_info *ret)
{
	const struct scan_hit *h = hit_of(b);

	name = name_at_source(b, name);
	return h != NULL && name.p != NULL && block_column_find(h->block, name, ret);
}

/* The batch's rows as bits of their block; NULL in *ret when they are all of it. */
static int
block_rows(struct batch *b, const struct scan_chunk *c, uint64_t **ret)
{
	size_t n = c->hit->info.sum.n_rows, i;

	*ret = NULL;
	if (b->n_rows == n)
		return 0;
	*ret = arena_zalloc(&b->arena, BITS_WORDS(n) + 1, sizeof(**ret));
	if (*ret == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < b->n_rows; i++)
		bits_set(*ret, c->hit_rows[b->rows != NULL ? b->rows[i] : i]);
	return 0;
}

static void
note_read(struct scan_chunk *c, const struct block_column_info *info)
{
	c->hit->n_bytes += info->n_bytes;
	c->n_bytes += info->n_bytes;
	atomic_fetch_add_explicit(&c->hit->notes->bytes_read, info->n_bytes, memory_order_relaxed);
}

static bool
is_loaded(const struct batch *b, struct str name)
{
	size_t i;

	for (i = 0; i < b->n_cols && !str_eq(b->cols[i].name, name); i++)
		continue;
	return i < b->n_cols && b->cols[i].loaded;
}

int
scan_batch_times(struct batch *b, struct str name, block_times_fn range, void *ctx)
{
	struct block_column_info info;
	struct scan_chunk *c = b->source.ctx;
	uint64_t *sel;
	int r;

	if (!scan_batch_column(b, name, &info) || info.kind != COLUMN_TIME)
		return 1;
	r = block_rows(b, c, &sel);
	if (r == 0)
		r = block_count_times(c->hit->block, sel, range, ctx);
	if (r != 0)
		return r == -ENOMEM ? err_trace(r) : 1;
	note_read(c, &info);
	return 0;
}

int
scan_batch_ints(struct batch *b, struct str name, struct block_ints *ret)
{
	struct block_column_info info;
	struct scan_chunk *c = b->source.ctx;
	int r;

	if (!scan_batch_column(b, name, &info) || info.kind != COLUMN_INT ||
	    b->n_rows != c->hit->info.sum.n_rows || is_loaded(b, name))
		return 1;
	r = block_ints(c->hit->block, info.name, &b->arena, ret);
	if (r != 0)
		return r == -ENOMEM ? err_trace(r) : 1;
	note_read(c, &info);
	return 0;
}

bool
scan_batch_time_range(const struct batch *b, struct str name, int64_t *ret_min, int64_t *ret_max)
{
	struct block_column_info info;

	if (!scan_batch_column(b, name, &info) || info.kind != COLUMN_TIME || !info.has_range ||
	    info.min > info.max || b->n_rows != hit_of(b)->info.sum.n_rows)
		return false;
	*ret_min = info.min;
	*ret_max = info.max;
	return true;
}
