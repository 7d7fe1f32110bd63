/*
 * query/scan.c - the store's blocks under a filter.
 * One job: which blocks a filter needs, and which of their rows match.
 * Floor: 3 (uses store, logsql, record, base).
 *
 * A block is left unread by its time range, by row number and by the ID index; in a block a leaf is decided
 * by what the directory says of its column (absent, constant, min and max), then by a literal on the encoded
 * bytes, and only then by the values.
 */
#include "query/scan.h"

#include <math.h>

#include "query/match.h"
#include "query/scan_internal.h"
#include "record/names.h"

/* Blocks that may hold one of the values: bits set in ret[n_all]. */
static int
mark_id(struct scan_plan *p, const struct filter_id *id, struct arena *arena, uint64_t *ret)
{
	struct store_id one;
	uint32_t *found;
	size_t i, k, n;
	int r;

	bits_zero(ret, p->n_all);
	for (i = 0; i < id->n_values; i++) {
		one = (struct store_id){ id->values[i].text, id->values[i].field,
			id->values[i].is_phrase, names_id_phrase(id->values[i].text) };
		r = store_view_find_id(p->view, &one, arena, &found, &n);
		if (r != 0)
			return err_fold(r);
		for (k = 0; k < n; k++)
			if (found[k] < p->n_all)
				bits_set(ret, found[k]);
	}
	return 0;
}

static int
mark_ids(struct scan_plan *p, struct arena *arena, uint64_t *sel)
{
	struct filter_id *ids;
	uint64_t *one = arena_zalloc(arena, BITS_WORDS(p->n_all) + 1, sizeof(*one));
	size_t i, w, n;
	int r;

	if (one == NULL)
		return err_origin(-ENOMEM);
	r = filter_ids(p->filter, arena, &ids, &n);
	for (i = 0; r == 0 && i < n; i++) {
		r = mark_id(p, &ids[i], arena, one);
		for (w = 0; w < BITS_WORDS(p->n_all); w++)
			sel[w] &= one[w];
	}
	p->n_by_id = n > 0 ? bits_count(sel, p->n_all) : SIZE_MAX;
	return err_trace(r);
}

/* How many segments have blocks to read, and how many there are. */
static int
count_segments(struct scan_plan *p, struct arena *arena)
{
	size_t n = store_view_n_segments(p->view), i, k;
	uint64_t *numbers = arena_alloc(arena, (n + 1) * sizeof(*numbers)), last = UINT64_MAX;
	bool *used = arena_zalloc(arena, n + 1, sizeof(*used));
	struct store_segment_info segment;
	struct store_block_info info;

	if (numbers == NULL || used == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < n; i++) {
		store_view_segment(p->view, i, &segment);
		numbers[i] = segment.number;
		p->n_segments_all += segment.n_blocks > 0;
	}
	for (i = 0; i < p->n_blocks; i++) {
		store_view_block(p->view, p->blocks[i], &info);
		for (k = 0; info.segment != last && k < n; k++)
			used[k] |= numbers[k] == info.segment;
		last = info.segment;
	}
	for (k = 0; k < n; k++)
		p->n_segments += used[k];
	return 0;
}

/* Whether block ${i}, of a segment that is open, may hold a match. */
static bool
is_wanted(const struct scan_plan *p, size_t i, const struct store_block_info *info)
{
	return bits_get(p->sel, i) && info->sum.n_rows > 0 && info->sum.max_time.ns >= p->min.ns &&
	    info->sum.min_time.ns <= p->max.ns && info->end_row > p->first_row;
}

/* The same of a segment that is shut. */
static bool
is_wanted_shut(const struct scan_plan *p, const struct store_segment_info *info)
{
	size_t end = info->first_block + info->n_numbers;

	return bits_next(p->sel, end, info->first_block) < end && info->max_time.ns >= p->min.ns &&
	    info->min_time.ns <= p->max.ns && info->end_row > p->first_row;
}

static void
clear_bits(uint64_t *w, size_t from, size_t to)
{
	while (from < to)
		if (from % 64 == 0 && to - from >= 64) {
			w[from / 64] = 0;
			from += 64;
		} else {
			bits_clear(w, from++);
		}
}

/* Segments that are shut: their blocks leave ${known}, and those that may hold a match are listed. */
static void
plan_segments(struct scan_plan *p, uint64_t *known)
{
	size_t n = store_view_n_segments(p->view), i;
	struct store_segment_info info;

	for (i = 0; i < n; i++) {
		store_view_segment(p->view, i, &info);
		if (!info.shut)
			continue;
		if (is_wanted_shut(p, &info)) {
			p->shut[p->n_shut++] = (uint32_t)i;
			p->n_shut_blocks += info.n_numbers;
		}
		p->rows_all += info.n_rows;
		clear_bits(known, info.first_block, info.first_block + info.n_numbers);
	}
}

/* The blocks that the caller and the ID index leave, as bits. */
static int
select_blocks(struct scan_plan *p, struct arena *arena)
{
	size_t i;

	p->sel = arena_zalloc(arena, BITS_WORDS(p->n_all) + 1, sizeof(*p->sel));
	if (p->sel == NULL)
		return err_origin(-ENOMEM);
	if (p->only_blocks == NULL)
		bits_fill(p->sel, p->n_all);
	for (i = 0; p->only_blocks != NULL && i < p->n_only_blocks; i++)
		if (p->only_blocks[i] < p->n_all)
			bits_set(p->sel, p->only_blocks[i]);
	if (p->filter->kind == FILTER_NONE)
		bits_zero(p->sel, p->n_all);
	return err_trace(mark_ids(p, arena, p->sel));
}

int
scan_plan_init(struct scan_plan *p, struct arena *arena)
{
	size_t n_segments = store_view_n_segments(p->view), i;
	struct store_block_info info;
	uint64_t *known;
	int r;

	p->n_all = store_view_n_blocks(p->view);
	p->hide_weir = !filter_names_weir(p->filter);
	filter_time_range(p->filter, &p->min, &p->max);
	known = arena_zalloc(arena, BITS_WORDS(p->n_all) + 1, sizeof(*known));
	p->blocks = arena_alloc(arena, (p->n_all + 1) * sizeof(*p->blocks));
	p->shut = arena_alloc(arena, (n_segments + 1) * sizeof(*p->shut));
	if (known == NULL || p->blocks == NULL || p->shut == NULL)
		return err_origin(-ENOMEM);
	bits_fill(known, p->n_all);
	r = select_blocks(p, arena);
	if (r < 0)
		return err_trace(r);
	plan_segments(p, known);
	BITS_FOREACH(i, known, p->n_all)
	{
		store_view_block(p->view, i, &info);
		p->rows_all += info.sum.n_rows;
		if (is_wanted(p, i, &info))
			p->blocks[p->n_blocks++] = (uint32_t)i;
	}
	return err_trace(count_segments(p, arena));
}

int
scan_open_shut(struct scan_plan *p, size_t i)
{
	size_t k, end, n = p->n_blocks;
	struct store_segment_info segment;
	struct store_block_info info;
	int r;

	store_view_segment(p->view, p->shut[i], &segment);
	end = segment.first_block + segment.n_numbers;
	r = store_view_open_segment(p->view, p->shut[i]);
	if (r < 0)
		return err_trace(r);
	for (k = segment.first_block; k < end; k++) {
		store_view_block(p->view, k, &info);
		if (is_wanted(p, k, &info))
			p->blocks[p->n_blocks++] = (uint32_t)k;
	}
	p->n_segments += p->n_blocks > n;
	return 0;
}

void
scan_fault(struct scan_hit *h, int r)
{
	struct str column;
	const char *what;
	uint64_t at;

	if (r > 0) {
		block_bad(h->block, &column, &at, &what);
		store_view_column_fault(h->view, h->number, column, at, what);
	} else {
		store_view_fault(h->view, h->number, 0, err_str(r));
	}
	atomic_fetch_add(&h->notes->faults, 1);
}

uint64_t
scan_arrival(const struct scan_hit *h, uint32_t row)
{
	return store_view_row(h->view, h->number, row);
}

/* Whether no number of the column can lie in the leaf's range; with slack, as a double may have rounded an int64. */
static bool
range_apart(const struct filter *leaf, const struct block_column_info *info)
{
	double unit = pow(10, (double)info->scale);
	double min = (double)info->min / unit, max = (double)info->max / unit;

	return leaf->kind == FILTER_RANGE && info->has_range && info->kind == COLUMN_INT &&
	    (min - fabs(min) * 1e-9 > leaf->max || max + fabs(max) * 1e-9 < leaf->min);
}

int
scan_hit_known(void *ctx, const struct filter *leaf, enum match_known *ret)
{
	struct scan_hit *h = ctx;
	struct block_column_info info;
	struct str value = STR_NONE;
	int r;

	*ret = MATCH_UNKNOWN;
	if (leaf->kind == FILTER_TIME) {
		if (h->info.sum.min_time.ns >= leaf->time_min &&
		    h->info.sum.max_time.ns <= leaf->time_max)
			*ret = MATCH_EVERY;
		return 0;
	}
	/* value_type asks how it is stored, _stream_id is no column of its own. */
	if (leaf->kind == FILTER_VALUE_TYPE || str_eq_c(leaf->field, "_stream_id") ||
	    str_eq_c(leaf->field, "_time") || str_eq_c(leaf->field, "_stream"))
		return 0;
	if (block_column_find(h->block, leaf->field, &info)) {
		if (range_apart(leaf, &info))
			*ret = MATCH_NO;
		if (info.kind != COLUMN_CONST)
			return 0;
		value = info.value;
	}
	r = filter_match_value(leaf, value);
	if (r < 0)
		return err_trace(r);
	*ret = r > 0 ? MATCH_EVERY : MATCH_NO;
	return 0;
}

/* What a column cannot tell as it is stored, be it damaged or unreadable, is asked of its values; who reads those says what is wrong. */
static int
ask_values(int r)
{
	return r == 0 || r == -ENOMEM || r == -ECANCELED ? err_trace(r) : 1;
}

/* Whether no literal is a mere piece of an ID. */
static bool
long_as_ids(const struct literals *l)
{
	size_t i;

	for (i = 0; i < l->n && l->p[i].n >= BLOCK_ID_TEXT_MIN; i++)
		;
	return i == l->n;
}

int
scan_hit_contains(void *ctx, struct str name, const struct literals *l, uint64_t *sel)
{
	struct scan_hit *h = ctx;
	struct block_column_info info;
	int r;

	if (!block_column_find(h->block, name, &info) ||
	    (info.kind != COLUMN_TEXT && !(info.id_form && long_as_ids(l))))
		return 1;
	r = block_contains_any(h->block, name, l, sel);
	return ask_values(r);
}

int
scan_hit_equals(void *ctx, struct str name, struct str value, struct arena *arena, uint64_t *sel)
{
	struct scan_hit *h = ctx;

	return ask_values(block_equals(h->block, name, value, arena, sel));
}

int
scan_hit_word(void *ctx, struct str name, const struct literals *l, bool is_prefix, uint64_t *found)
{
	struct scan_hit *h = ctx;

	return ask_values(block_word(h->block, name, l->p[0], l->nocase, is_prefix, found));
}

static bool
is_in_range(void *ctx, struct str text)
{
	const struct filter *const *leaf = ctx;

	/* Of an address nothing is asked that can fail. */
	return filter_match_value(*leaf, text) > 0;
}

int
scan_hit_ipv4(void *ctx, const struct filter *leaf, uint64_t *sel)
{
	struct scan_hit *h = ctx;

	return ask_values(
	    block_ipv4(h->block, leaf->field, leaf->from, leaf->to, is_in_range, &leaf, sel));
}

static int
hit_column(void *ctx, struct str name, const uint32_t *rows, size_t n, struct arena *arena,
    struct column *ret)
{
	return err_trace(scan_hit_column(ctx, name, rows, n, arena, ret));
}

static bool
is_weir_stream(struct str s)
{
	return str_starts(s, STR("{weir=\"")) || str_find(s, STR(",weir=\"")) != SIZE_MAX;
}

/* Rows of weir's own streams out of sel. */
int
scan_hide_weir(struct scan_hit *h, struct arena *arena, uint64_t *sel)
{
	char scratch[COLUMN_SCRATCH];
	struct block_column_info info;
	struct column c;
	bool any = false, *own = NULL;
	size_t i;
	int r;

	if (block_column_find(h->block, STR("_stream"), &info) && info.kind == COLUMN_CONST) {
		if (is_weir_stream(info.value))
			bits_zero(sel, h->info.sum.n_rows);
		return 0;
	}
	r = scan_hit_column(h, STR("_stream"), NULL, h->info.sum.n_rows, arena, &c);
	if (r < 0)
		return err_trace(r);
	if (c.kind == COLUMN_DICT) {
		own = arena_alloc(arena, c.n_dict + 1);
		if (own == NULL)
			return err_origin(-ENOMEM);
		for (i = 0; i < c.n_dict; i++)
			any |= own[i] = is_weir_stream(c.dict[i]);
		if (!any)
			return 0;
	}
	BITS_FOREACH(i, sel, h->info.sum.n_rows)
	if (own != NULL ? own[c.codes[i]] : is_weir_stream(column_value(&c, i, scratch)))
		bits_clear(sel, i);
	return 0;
}

/* sel to rows and times. */
static int
take_rows(struct scan_hit *h, const uint64_t *sel, bool times, struct arena *arena)
{
	size_t n_all = h->info.sum.n_rows, i;
	struct column c;
	int r;

	h->n = bits_count(sel, n_all);
	if (h->n == 0)
		return 0;
	h->rows = malloc(h->n * sizeof(*h->rows));
	h->times = times ? malloc(h->n * sizeof(*h->times)) : NULL;
	if (h->rows == NULL || (times && h->times == NULL))
		return err_origin(-ENOMEM);
	bits_list(sel, n_all, h->rows);
	if (!times)
		return 0;
	r = scan_hit_column(h, STR("_time"), h->n < n_all ? h->rows : NULL, h->n, arena, &c);
	if (r < 0)
		return err_trace(r);
	for (i = 0; i < h->n; i++)
		h->times[i] = c.kind == COLUMN_TIME ? c.ints[i] : h->info.sum.min_time.ns;
	return 0;
}

static int
match_hit(const struct scan_plan *p, struct scan_hit *h, bool times, struct arena *arena)
{
	struct match_rows m = { h->info.sum.n_rows, hit_column, scan_hit_known, scan_hit_contains,
		scan_hit_equals, scan_hit_word, scan_hit_ipv4, h, p->stop };
	uint64_t *sel = arena_zalloc(arena, BITS_WORDS(m.n) + 1, sizeof(*sel));
	size_t first = 0, i;
	int r;

	if (sel == NULL)
		return err_origin(-ENOMEM);
	bits_fill(sel, m.n);
	if (h->info.first_row < p->first_row)
		first = store_view_rows_from(p->view, h->number, p->first_row);
	for (i = 0; i < first && i < m.n; i++)
		bits_clear(sel, i);
	r = match_filter(p->filter, &m, arena, sel);
	if (r == 0 && p->hide_weir && !bits_none(sel, m.n))
		r = scan_hide_weir(h, arena, sel);
	/* Few lines are made sooner than a further literal is looked for. */
	for (i = 0; r == 0 && i < p->n_line && bits_count(sel, m.n) > (i > 0 ? m.n / 16 : 0); i++)
		r = ask_values(block_lines_may(h->block, &p->line[i], sel));
	if (r >= 0)
		r = take_rows(h, sel, times, arena);
	return err_trace(r);
}

static int
find_rows(const struct scan_plan *p, size_t i, bool times, struct arena *arena,
    struct scan_hit *ret)
{
	int r;

	*ret = (struct scan_hit){ .view = p->view, .number = p->blocks[i], .notes = p->notes };
	store_view_block(p->view, p->blocks[i], &ret->info);
	r = store_view_open_block(p->view, p->blocks[i], &ret->block);
	if (r == BLOCK_E_GONE)
		return 0;
	if (r != 0) {
		/* A block that cannot be read is told, and the others are answered. */
		if (r == -ENOMEM)
			return err_trace(r);
		ret->block = NULL;
		if (r < 0)
			store_view_fault(p->view, ret->number, 0, err_str(r));
		atomic_fetch_add(&p->notes->faults, 1);
		return 0;
	}
	/* The file has the last word on how many rows there are. */
	if (block_n_rows(ret->block) != ret->info.sum.n_rows)
		ret->info.sum.n_rows = (uint32_t)block_n_rows(ret->block);
	atomic_fetch_add(&p->notes->blocks_read, 1);
	atomic_fetch_add(&p->notes->rows_read, ret->info.sum.n_rows);
	r = match_hit(p, ret, times, arena);
	if (r < 0) {
		scan_hit_fini(ret);
		return err_trace(r);
	}
	atomic_fetch_add(&p->notes->rows_matched, ret->n);
	return 0;
}

int
scan_block(const struct scan_plan *p, size_t i, bool times, struct arena *arena,
    struct scan_hit *ret)
{
	struct span began = mono_now();
	int r = find_rows(p, i, times, arena, ret);

	atomic_fetch_add_explicit(&p->notes->ns, (uint64_t)(mono_now().ns - began.ns),
	    memory_order_relaxed);
	return err_trace(r);
}

void
scan_hit_fini(struct scan_hit *h)
{
	h->block = block_free(h->block);
	free(h->rows);
	free(h->times);
	h->rows = NULL;
	h->times = NULL;
	h->n = 0;
}
