/*
 * query/feed.c - one block for many filters.
 * One job: which rows of a block each of a thousand filters takes, each column decoded and each leaf tested once.
 * Floor: 3 (uses store, logsql, record, base).
 */
#include "query/feed.h"

#include "base/map.h"
#include "query/match.h"
#include "query/scan_internal.h"

/* A leaf, or a whole filter: what is known of it in the open block. */
struct feed_part {
	const struct filter *f;
	struct feed_node *node; /* of a whole filter */
	unsigned users;
	uint64_t block; /* for which rows is right */
	uint64_t *rows; /* in the block's arena; NULL: no row */
};

/* A filter with its leaves' places in the table. */
struct feed_node {
	const struct filter *f;
	uint32_t leaf;
	struct feed_node *children;
};

/* A column of the open block. */
struct feed_column {
	struct column col;
	uint64_t block;
	bool whole;    /* col holds all rows */
	size_t n_some; /* rows that were read singly */
};

/* Invariants: arena is cleared by feed_open; what it made has the number of the block. */
struct feed_block {
	struct feed *feed;
	struct scan_hit hit;
	struct scan_notes notes;
	struct arena arena;
	uint64_t *rows; /* those that are fed */
	uint64_t *seen; /* without those of weir's own streams; NULL: not asked yet */
	uint64_t *work;
	bool some; /* rows are not all */
	const int64_t *times;
	struct str *names;
	size_t n_names;
	bool listed;
};

struct feed {
	struct arena arena; /* of simplified filters */
	struct map filters; /* canonical text to number */
	struct feed_part *whole;
	struct map leaves; /* canonical text to number */
	struct feed_part *parts;
	size_t cap_whole, cap_parts;
	struct map names;
	struct feed_column *columns;
	size_t cap_columns;
	uint64_t block; /* counts blocks */
	struct feed_block open;
};

int
feed_new(struct feed **ret)
{
	struct feed *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return err_origin(-ENOMEM);
	f->open.feed = f;
	*ret = f;
	return 0;
}

struct feed *
feed_free(struct feed *f)
{
	if (f == NULL)
		return NULL;
	feed_close(f);
	arena_fini(&f->open.arena);
	arena_fini(&f->arena);
	map_fini(&f->filters);
	map_fini(&f->leaves);
	map_fini(&f->names);
	free(f->whole);
	free(f->parts);
	free(f->columns);
	free(f);
	return NULL;
}

/* Entry ${text} of a table of parts, made if there was none. */
static int
find_part(struct map *map, struct feed_part **parts, size_t *cap, const struct filter *f,
    size_t *ret)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	struct feed_part *more;
	struct map_entry *e;
	bool fresh;
	size_t n;

	filter_format(&text, f);
	if (text.failed)
		return buf_err(&text);
	e = map_put(map, buf_view(&text), &fresh);
	if (e == NULL)
		return err_origin(-ENOMEM);
	*ret = (size_t)(e - map->entries);
	if (map->n > *cap) {
		n = *cap == 0 ? 64 : *cap * 2;
		more = reallocarray(*parts, n, sizeof(*more));
		if (more == NULL)
			return err_origin(-ENOMEM);
		*parts = more;
		*cap = n;
	}
	if (fresh)
		(*parts)[*ret] = (struct feed_part){ .f = f };
	(*parts)[*ret].users++;
	return 0;
}

static bool
is_leaf(const struct filter *f)
{
	return f->kind != FILTER_AND && f->kind != FILTER_OR && f->kind != FILTER_NOT &&
	    f->kind != FILTER_ALL && f->kind != FILTER_NONE;
}

static int
add_node(struct feed *f, const struct filter *filter, struct feed_node *ret)
{
	size_t i, at = 0;
	int r = 0;

	*ret = (struct feed_node){ .f = filter };
	if (is_leaf(filter)) {
		r = find_part(&f->leaves, &f->parts, &f->cap_parts, filter, &at);
		ret->leaf = (uint32_t)at;
		return err_trace(r);
	}
	if (filter->n_children == 0)
		return 0;
	ret->children = arena_alloc(&f->arena, filter->n_children * sizeof(*ret->children));
	if (ret->children == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; r == 0 && i < filter->n_children; i++)
		r = add_node(f, filter->children[i], &ret->children[i]);
	return err_trace(r);
}

int
feed_filter(struct feed *f, struct filter *filter, size_t *ret)
{
	struct filter *simple = NULL;
	int r;

	r = filter_simplify(filter, &f->arena, &simple);
	if (r == 0)
		r = find_part(&f->filters, &f->whole, &f->cap_whole, simple, ret);
	/* Leaves count for each filter that is not there already. */
	if (r < 0 || f->whole[*ret].users > 1)
		return err_trace(r);
	f->whole[*ret].node = arena_alloc(&f->arena, sizeof(struct feed_node));
	if (f->whole[*ret].node == NULL)
		return err_origin(-ENOMEM);
	return err_trace(add_node(f, simple, f->whole[*ret].node));
}

static int
bits_new(struct feed_block *b, uint64_t **ret)
{
	*ret = arena_zalloc(&b->arena, BITS_WORDS(b->hit.info.sum.n_rows) + 1, sizeof(**ret));
	return *ret == NULL ? err_origin(-ENOMEM) : 0;
}

/* The rows with numbers in [from, to). */
static int
mark_rows(struct feed_block *b, uint64_t from, uint64_t to)
{
	const struct store_block_info *info = &b->hit.info;
	uint32_t n = info->sum.n_rows, first = 0, last = n, i;
	int r = bits_new(b, &b->rows);

	if (r == 0)
		r = bits_new(b, &b->work);
	if (r < 0)
		return err_trace(r);
	if (info->first_row < from)
		first = store_view_rows_from(b->hit.view, b->hit.number, from);
	if (info->end_row > to)
		last = store_view_rows_from(b->hit.view, b->hit.number, to);
	bits_fill(b->rows, n);
	for (i = 0; i < first && i < n; i++)
		bits_clear(b->rows, i);
	for (i = last; i < n; i++)
		bits_clear(b->rows, i);
	b->some = first > 0 || last < n;
	return 0;
}

int
feed_open(struct feed *f, struct store_view *view, size_t number, uint64_t from, uint64_t to,
    struct feed_block **ret)
{
	struct feed_block *b = &f->open;
	int r;

	*ret = NULL;
	feed_close(f);
	f->block++;
	b->hit = (struct scan_hit){ .view = view, .number = (uint32_t)number, .notes = &b->notes };
	store_view_block(view, number, &b->hit.info);
	if (b->hit.info.end_row <= from || b->hit.info.first_row >= to)
		return 0;
	r = store_view_open_block(view, number, &b->hit.block);
	if (r != 0) {
		b->hit.block = NULL;
		if (r < 0 && r != -ENOMEM)
			store_view_fault(view, number, 0, err_str(r));
		return r == -ENOMEM ? err_trace(r) : 0;
	}
	b->hit.info.sum.n_rows = (uint32_t)block_n_rows(b->hit.block);
	r = mark_rows(b, from, to);
	if (r < 0)
		return err_trace(r);
	*ret = b;
	return 0;
}

void
feed_close(struct feed *f)
{
	struct feed_block *b = &f->open;

	scan_hit_fini(&b->hit);
	arena_clear(&b->arena);
	*b = (struct feed_block){ .feed = f, .arena = b->arena };
}

/* The place of a column of this block, empty at first. */
static int
place_column(struct feed_block *b, struct str name, struct feed_column **ret)
{
	struct feed *f = b->feed;
	struct map_entry *e = map_put(&f->names, name, NULL);
	struct feed_column *more;
	size_t at, n;

	if (e == NULL)
		return err_origin(-ENOMEM);
	at = (size_t)(e - f->names.entries);
	if (f->names.n > f->cap_columns) {
		n = f->cap_columns == 0 ? 64 : f->cap_columns * 2;
		more = reallocarray(f->columns, n, sizeof(*more));
		if (more == NULL)
			return err_origin(-ENOMEM);
		memset(more + f->cap_columns, 0, (n - f->cap_columns) * sizeof(*more));
		f->columns = more;
		f->cap_columns = n;
	}
	*ret = &f->columns[at];
	if ((*ret)->block != f->block)
		**ret = (struct feed_column){ .block = f->block };
	return 0;
}

/* Few rows are read singly, until they are so many that the whole column would have been no dearer. */
static int
feed_column(void *ctx, struct str name, const uint32_t *rows, size_t n, struct arena *arena,
    struct column *ret)
{
	struct feed_block *b = ctx;
	size_t n_all = b->hit.info.sum.n_rows;
	struct feed_column *c = NULL;
	int r = place_column(b, name, &c);

	if (r != 0)
		return err_fold(r);
	if (!c->whole && rows != NULL && n < n_all && c->n_some + n <= n_all / 4) {
		c->n_some += n;
		return err_trace(scan_hit_column(&b->hit, name, rows, n, arena, ret));
	}
	if (!c->whole) {
		r = scan_hit_column(&b->hit, name, NULL, n_all, &b->arena, &c->col);
		if (r < 0)
			return err_trace(r);
		c->whole = true;
	}
	if (rows != NULL && n < n_all)
		return err_trace(column_gather(&c->col, rows, n, arena, ret));
	*ret = c->col;
	ret->name = name;
	return 0;
}

static int
feed_known(void *ctx, const struct filter *leaf, enum match_known *ret)
{
	struct feed_block *b = ctx;

	return err_trace(scan_hit_known(&b->hit, leaf, ret));
}

static int
feed_contains(void *ctx, struct str name, const struct literals *l, uint64_t *sel)
{
	struct feed_block *b = ctx;
	int r = scan_hit_contains(&b->hit, name, l, sel);

	return r > 0 ? 1 : err_trace(r);
}

static int
feed_equals(void *ctx, struct str name, struct str value, struct arena *arena, uint64_t *sel)
{
	struct feed_block *b = ctx;
	int r = scan_hit_equals(&b->hit, name, value, arena, sel);

	return r > 0 ? 1 : err_trace(r);
}

static int
feed_word(void *ctx, struct str name, const struct literals *l, bool is_prefix, uint64_t *found)
{
	struct feed_block *b = ctx;
	int r = scan_hit_word(&b->hit, name, l, is_prefix, found);

	return r > 0 ? 1 : err_trace(r);
}

static int
feed_ipv4(void *ctx, const struct filter *leaf, uint64_t *sel)
{
	struct feed_block *b = ctx;
	int r = scan_hit_ipv4(&b->hit, leaf, sel);

	return r > 0 ? 1 : err_trace(r);
}

static int
match_plain(struct feed_block *b, const struct filter *leaf, uint64_t *sel)
{
	struct match_rows m = { b->hit.info.sum.n_rows, feed_column, feed_known, feed_contains,
		feed_equals, feed_word, feed_ipv4, b, NULL };

	return err_trace(match_filter(leaf, &m, &b->arena, sel));
}

/* A leaf that several filters have: on all rows of the block, once. */
static int
match_shared(struct feed_block *b, struct feed_part *part, uint64_t *sel)
{
	size_t n = b->hit.info.sum.n_rows, w;
	int r = 0;

	if (part->block != b->feed->block) {
		part->block = b->feed->block;
		r = bits_new(b, &part->rows);
		if (r < 0)
			return err_trace(r);
		memcpy(part->rows, b->rows, BITS_WORDS(n) * sizeof(*sel));
		r = match_plain(b, part->f, part->rows);
		if (r < 0)
			return err_trace(r);
	}
	for (w = 0; w < BITS_WORDS(n); w++)
		sel[w] &= part->rows[w];
	return 0;
}

static int match_node(struct feed_block *b, const struct feed_node *n, uint64_t *sel);

static int
match_or(struct feed_block *b, const struct feed_node *node, uint64_t *sel)
{
	size_t n = b->hit.info.sum.n_rows, n_words = BITS_WORDS(n), i, w;
	uint64_t *left, *some;
	int r = bits_new(b, &left);

	if (r == 0)
		r = bits_new(b, &some);
	if (r < 0)
		return err_trace(r);
	memcpy(left, sel, n_words * sizeof(*sel));
	bits_zero(sel, n);
	for (i = 0; r == 0 && i < node->f->n_children && !bits_none(left, n); i++) {
		memcpy(some, left, n_words * sizeof(*some));
		r = match_node(b, &node->children[i], some);
		for (w = 0; w < n_words; w++) {
			sel[w] |= some[w];
			left[w] &= ~some[w];
		}
	}
	return err_trace(r);
}

static int
match_not(struct feed_block *b, const struct feed_node *node, uint64_t *sel)
{
	size_t n_words = BITS_WORDS(b->hit.info.sum.n_rows), w;
	uint64_t *some;
	int r = bits_new(b, &some);

	if (r < 0)
		return err_trace(r);
	memcpy(some, sel, n_words * sizeof(*some));
	r = match_node(b, &node->children[0], some);
	for (w = 0; r == 0 && w < n_words; w++)
		sel[w] &= ~some[w];
	return err_trace(r);
}

static int
match_node(struct feed_block *b, const struct feed_node *n, uint64_t *sel)
{
	struct feed_part *part;
	size_t i;
	int r = 0;

	if (n->f->kind == FILTER_ALL)
		return 0;
	if (n->f->kind == FILTER_NONE) {
		bits_zero(sel, b->hit.info.sum.n_rows);
		return 0;
	}
	if (n->f->kind == FILTER_OR)
		return err_trace(match_or(b, n, sel));
	if (n->f->kind == FILTER_NOT)
		return err_trace(match_not(b, n, sel));
	if (n->f->kind != FILTER_AND) {
		part = &b->feed->parts[n->leaf];
		return err_trace(
		    part->users > 1 ? match_shared(b, part, sel) : match_plain(b, n->f, sel));
	}
	for (i = 0; r == 0 && i < n->f->n_children; i++) {
		r = match_node(b, &n->children[i], sel);
		if (bits_none(sel, b->hit.info.sum.n_rows))
			break;
	}
	return err_trace(r);
}

/* The rows that are fed but those of weir's own streams. */
static int
rows_seen(struct feed_block *b, const uint64_t **ret)
{
	int r;

	if (b->seen == NULL) {
		r = bits_new(b, &b->seen);
		if (r < 0)
			return err_trace(r);
		memcpy(b->seen, b->rows, BITS_WORDS(b->hit.info.sum.n_rows) * sizeof(*b->seen));
		r = scan_hide_weir(&b->hit, &b->arena, b->seen);
		if (r < 0)
			return err_trace(r);
	}
	*ret = b->seen;
	return 0;
}

int
feed_match(struct feed_block *b, size_t filter, const uint64_t **ret)
{
	struct feed_part *part = &b->feed->whole[filter];
	size_t n = b->hit.info.sum.n_rows;
	const uint64_t *from = b->rows;
	int r = 0;

	*ret = NULL;
	if (part->block != b->feed->block) {
		part->block = b->feed->block;
		part->rows = NULL;
		if (!filter_names_weir(part->f))
			r = rows_seen(b, &from);
		if (r < 0)
			return err_trace(r);
		memcpy(b->work, from, BITS_WORDS(n) * sizeof(*b->work));
		if (!bits_none(b->work, n))
			r = match_node(b, part->node, b->work);
		if (r < 0 || bits_none(b->work, n))
			return err_trace(r);
		part->rows = b->work;
		r = bits_new(b, &b->work);
	}
	*ret = part->rows;
	return err_trace(r);
}

const struct store_block_info *
feed_info(const struct feed_block *b)
{
	return &b->hit.info;
}

int
feed_times(struct feed_block *b, const int64_t **ret)
{
	size_t n = b->hit.info.sum.n_rows, i;
	struct column c = { 0 };
	int64_t *times;
	int r;

	if (b->times == NULL) {
		r = feed_column(b, STR("_time"), NULL, n, &b->arena, &c);
		if (r < 0)
			return err_trace(r);
		if (c.kind == COLUMN_TIME)
			b->times = c.ints;
	}
	/* Damaged: the least that is known. */
	if (b->times == NULL) {
		times = arena_alloc(&b->arena, (n + 1) * sizeof(*times));
		if (times == NULL)
			return err_origin(-ENOMEM);
		for (i = 0; i < n; i++)
			times[i] = b->hit.info.sum.min_time.ns;
		b->times = times;
	}
	*ret = b->times;
	return 0;
}

int
feed_only(struct feed_block *b, struct wall min, struct wall max)
{
	const struct block_summary *sum = &b->hit.info.sum;
	const int64_t *times;
	uint32_t i;
	int r;

	if (sum->min_time.ns >= min.ns && sum->max_time.ns <= max.ns)
		return 0;
	r = feed_times(b, &times);
	for (i = 0; r == 0 && i < sum->n_rows; i++)
		if (times[i] < min.ns || times[i] > max.ns)
			bits_clear(b->rows, i);
	return err_trace(r);
}

static int
batch_load_column(void *ctx, struct str name, const uint32_t *rows, size_t n, struct arena *arena,
    struct column *ret)
{
	return err_trace(feed_column(ctx, name, rows, n, arena, ret));
}

static int
batch_load_names(void *ctx, const struct str **ret, size_t *ret_n)
{
	struct feed_block *b = ctx;
	struct block_column_info info;
	size_t i, n = block_n_columns(b->hit.block);

	if (!b->listed) {
		b->names = arena_alloc(&b->arena, (n + 1) * sizeof(*b->names));
		if (b->names == NULL)
			return err_origin(-ENOMEM);
		for (i = 0; i < n; i++) {
			block_column_at(b->hit.block, i, &info);
			b->names[i] = info.name;
		}
		b->n_names = n;
		b->listed = true;
	}
	*ret = b->names;
	*ret_n = b->n_names;
	return 0;
}

int
feed_batch(struct feed_block *b, const uint64_t *sel, struct batch *batch,
    const uint32_t **ret_rows)
{
	size_t n_all = b->hit.info.sum.n_rows, n = bits_count(sel, n_all), i;
	uint64_t *arrivals;
	uint32_t *rows;

	batch_reset(batch, n);
	rows = arena_alloc(&batch->arena, (n + 1) * sizeof(*rows));
	if (rows == NULL)
		return err_origin(-ENOMEM);
	bits_list(sel, n_all, rows);
	batch->source =
	    (struct batch_source){ .load = batch_load_column, .names = batch_load_names, .ctx = b };
	batch->rows = rows;
	batch->first_arrival = (int64_t)b->hit.info.first_row;
	*ret_rows = rows;
	if (b->hit.info.end_row - b->hit.info.first_row == n_all)
		return 0;
	arrivals = arena_alloc(&batch->arena, (n_all + 1) * sizeof(*arrivals));
	if (arrivals == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < n_all; i++)
		arrivals[i] = store_view_row(b->hit.view, b->hit.number, (uint32_t)i);
	batch->arrivals = arrivals;
	return 0;
}
