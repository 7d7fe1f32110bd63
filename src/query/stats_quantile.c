/*
 * query/stats_quantile.c - how values are spread.
 * One job: quantile and median, exact while values are few and within 0.4 % after; histogram.
 * Floor: 3 (uses logsql, record, base).
 */
#include "query/stats_quantile.h"

#include <math.h>

#include "logsql/value.h"

int
spread_of(struct stats_state *s, struct spread **ret)
{
	if (s->more == NULL)
		s->more = calloc(1, sizeof(struct spread));
	*ret = s->more;
	return s->more == NULL ? err_origin(-ENOMEM) : 0;
}

static void
spread_fini(struct stats_state *s)
{
	struct spread *p = s->more;
	size_t i;

	if (p == NULL)
		return;
	for (i = 0; i < p->n_texts; i++)
		free(p->texts[i]);
	for (i = 0; p->hist != NULL && i < 2 * EXPONENTS; i++)
		free(p->hist[i]);
	free(p->hist);
	free(p->near);
	free(p->texts);
	free(p->numbers);
	free(p);
	s->more = NULL;
}

enum { NEAR_ROWS_MAX = 64 };

static int
hist_count(struct spread *p, size_t row, size_t cell, uint64_t n)
{
	if (p->hist == NULL) {
		p->hist = calloc(2 * EXPONENTS, sizeof(*p->hist));
		p->hist_bytes = 2 * EXPONENTS * sizeof(*p->hist);
	}
	if (p->hist == NULL)
		return err_origin(-ENOMEM);
	if (p->hist[row] == NULL) {
		p->hist[row] = calloc(CELLS, sizeof(**p->hist));
		p->hist_bytes += CELLS * sizeof(**p->hist);
	}
	if (p->hist[row] == NULL)
		return err_origin(-ENOMEM);
	p->hist[row][cell] += n;
	return 0;
}

static int
hist_add(struct spread *p, double v, uint64_t n)
{
	size_t row, cell;

	if (p->hist == NULL) {
		p->whole = true;
		p->min = p->max = v;
	}
	/* Cheaper than floor() where that is a call; greater doubles have no fraction. */
	p->whole = p->whole && (fabs(v) >= 9e15 || (double)(int64_t)v == v);
	p->min = v < p->min ? v : p->min;
	p->max = v > p->max ? v : p->max;
	spread_cell(v, &row, &cell);
	return err_trace(hist_count(p, row, cell, n));
}

void
spread_settle(struct spread *p)
{
	size_t i, at;

	for (i = 0; p->near_total != 0 && i < p->n_near; i++) {
		at = p->near_first + i;
		if (p->near[i] != 0)
			p->hist[at / CELLS][at % CELLS] += p->near[i];
		p->near[i] = 0;
	}
	p->near_total = 0;
}

/* Whole rows of cells, the highest ones where there are too many. */
int
spread_want_near(struct spread *p, int64_t *grown)
{
	size_t first = spread_place(p->min) / CELLS, last = spread_place(p->max) / CELLS, i;
	uint32_t *near;
	int r = 0;

	if (last - first >= NEAR_ROWS_MAX)
		first = last - NEAR_ROWS_MAX + 1;
	if (p->near != NULL && p->near_first == first * CELLS &&
	    p->n_near == (last - first + 1) * CELLS)
		return 0;
	spread_settle(p);
	for (i = first; r == 0 && i <= last; i++)
		r = hist_count(p, i, 0, 0);
	near = r == 0 ? calloc((last - first + 1) * CELLS, sizeof(*near)) : NULL;
	if (near == NULL)
		return r != 0 ? err_trace(r) : err_origin(-ENOMEM);
	*grown += (int64_t)((last - first + 1) * CELLS * sizeof(*near)) -
	    (int64_t)(p->n_near * sizeof(*near));
	free(p->near);
	p->near = near;
	p->near_first = first * CELLS;
	p->n_near = (last - first + 1) * CELLS;
	return 0;
}

static double
number_value(const struct spread_number *n)
{
	struct stats_number x = { NUMBER_DECIMAL, n->scale, n->v, 0 };

	return stats_number_value(&x);
}

/* From single numbers to cells. */
static int
spill(struct spread *p)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < p->n_numbers; i++)
		r = hist_add(p, number_value(&p->numbers[i]), 1);
	free(p->numbers);
	p->numbers = NULL;
	p->n_numbers = p->cap_numbers = 0;
	return r;
}

/* Into cells, from the first number that is too many on. */
static int
add_to_hist(struct spread *p, const struct spread_number *n, int64_t *grown)
{
	size_t before = p->hist_bytes;
	int r = p->hist == NULL ? spill(p) : 0;

	if (r == 0)
		r = hist_add(p, number_value(n), 1);
	*grown += (int64_t)(p->hist_bytes - before);
	return err_trace(r);
}

int
spread_add(struct spread *p, int64_t v, unsigned scale, int64_t *grown)
{
	struct spread_number *numbers, n = { v, scale };
	size_t cap;

	if (p->hist != NULL || p->n_numbers == EXACT_MAX)
		return err_trace(add_to_hist(p, &n, grown));
	if (p->n_numbers == p->cap_numbers) {
		cap = p->cap_numbers == 0 ? 8 : p->cap_numbers * 2;
		numbers = reallocarray(p->numbers, cap, sizeof(*numbers));
		if (numbers == NULL)
			return err_origin(-ENOMEM);
		*grown += (int64_t)((cap - p->cap_numbers) * sizeof(*numbers));
		p->numbers = numbers;
		p->cap_numbers = cap;
	}
	p->numbers[p->n_numbers++] = n;
	return 0;
}

static int
add_text(struct spread *p, struct str s, int64_t *grown)
{
	struct stats_text **texts;
	size_t cap;

	if (s.n == 0) {
		p->n_empty++;
		return 0;
	}
	if (p->n_texts == p->cap_texts) {
		cap = p->cap_texts == 0 ? 4 : p->cap_texts * 2;
		texts = reallocarray(p->texts, cap, sizeof(*texts));
		if (texts == NULL)
			return err_origin(-ENOMEM);
		p->texts = texts;
		p->cap_texts = cap;
	}
	p->texts[p->n_texts] = NULL;
	*grown += (int64_t)(s.n + 32);
	return stats_text_set(&p->texts[p->n_texts++], s);
}

static int
quantile_add(const struct stats_func *f, struct stats_batch *sb)
{
	const struct stats_number *numbers;
	char scratch[COLUMN_SCRATCH];
	struct stats_columns c;
	struct spread *p;
	struct str v;
	size_t i, k;
	int r;

	r = stats_columns(&f->names, sb->b, &c);
	for (k = 0; r == 0 && k < c.n; k++) {
		if (c.cols[k]->kind == COLUMN_INT) {
			r = quantile_add_ints(c.cols[k], c.named, sb);
			continue;
		}
		r = stats_numbers(c.cols[k], sb->b, &numbers);
		for (i = 0; r == 0 && i < sb->b->n_rows; i++) {
			if (!stats_takes(sb, i))
				continue;
			r = spread_of(stats_state_of(sb, i), &p);
			if (r == 0 && numbers[i].kind == NUMBER_DECIMAL) {
				r = spread_add(p, numbers[i].v, numbers[i].scale, &sb->grown);
				continue;
			}
			v = column_value(c.cols[k], i, scratch);
			if (r == 0 && (v.n != 0 || c.named))
				r = add_text(p, v, &sb->grown);
		}
	}
	return r;
}

/* The middles of cells are not the values: which of these were whole, and the least and the greatest, is known. */
static int
merge_hist(struct spread *a, struct spread *b)
{
	bool first;
	size_t i, k;
	int r;

	spread_settle(b);
	r = spill(a);
	first = a->hist == NULL;
	for (i = 0; r == 0 && i < 2 * EXPONENTS; i++)
		for (k = 0; r == 0 && b->hist[i] != NULL && k < CELLS; k++)
			if (b->hist[i][k] != 0)
				r = hist_count(a, i, k, b->hist[i][k]);
	a->whole = (first || a->whole) && b->whole;
	a->min = first || b->min < a->min ? b->min : a->min;
	a->max = first || b->max > a->max ? b->max : a->max;
	return err_trace(r);
}

static int
quantile_merge(const struct stats_func *f, struct stats_state *to, struct stats_state *from)
{
	struct spread *a, *b = from->more;
	int64_t grown = 0;
	size_t i;
	int r;

	if (b == NULL)
		return 0;
	if (to->more == NULL) {
		to->more = TAKE(from->more);
		return 0;
	}
	r = spread_of(to, &a);
	if (r == 0 && b->hist != NULL)
		r = merge_hist(a, b);
	for (i = 0; r == 0 && i < b->n_numbers; i++)
		r = spread_add(a, b->numbers[i].v, b->numbers[i].scale, &grown);
	for (i = 0; r == 0 && i < b->n_texts; i++)
		r = add_text(a, stats_text_of(b->texts[i]), &grown);
	if (r == 0)
		a->n_empty += b->n_empty;
	spread_fini(from);
	return r;
}

/* Cells as steps from one to the next, and their counts. */
static void
save_hist(const struct spread *p, struct buf *out)
{
	size_t i, k, last = 0, n = 0;

	for (i = 0; i < 2 * EXPONENTS; i++)
		for (k = 0; p->hist[i] != NULL && k < CELLS; k++)
			n += p->hist[i][k] != 0;
	buf_byte(out, p->whole);
	stats_save_double(out, p->min);
	stats_save_double(out, p->max);
	buf_varint(out, n);
	for (i = 0; i < 2 * EXPONENTS; i++)
		for (k = 0; p->hist[i] != NULL && k < CELLS; k++) {
			if (p->hist[i][k] == 0)
				continue;
			buf_varint(out, i * CELLS + k - last);
			buf_varint(out, p->hist[i][k]);
			last = i * CELLS + k;
		}
}

static int
load_hist(struct scan *in, struct spread *p)
{
	bool whole = scan_u8(in) != 0;
	double min = stats_load_double(in), max = stats_load_double(in);
	uint64_t n = scan_varint(in), at = 0, count;
	int r = 0;

	for (; r == 0 && !in->bad && n > 0; n--) {
		at += scan_varint(in);
		count = scan_varint(in);
		if (at >= (uint64_t)2 * EXPONENTS * CELLS)
			return err_origin(-EPROTO);
		r = hist_add(p, spread_cell_value(at / CELLS, at % CELLS), count);
	}
	p->whole = whole;
	p->min = min;
	p->max = max;
	return r;
}

static int
quantile_save(const struct stats_func *f, struct stats_state *s, struct buf *out)
{
	struct spread *p = s->more;
	size_t i;
	int r = 0;

	buf_byte(out, p != NULL);
	if (p == NULL)
		return 0;
	spread_settle(p);
	if (p->n_numbers > SPREAD_SAVED_MAX)
		r = spill(p);
	if (r != 0)
		return r;
	buf_varint(out, p->n_empty);
	buf_varint(out, p->n_texts);
	for (i = 0; i < p->n_texts; i++)
		stats_save_str(out, stats_text_of(p->texts[i]));
	buf_varint(out, p->n_numbers);
	for (i = 0; i < p->n_numbers; i++) {
		stats_save_int(out, p->numbers[i].v);
		buf_byte(out, (uint8_t)p->numbers[i].scale);
	}
	buf_byte(out, p->hist != NULL);
	if (p->hist != NULL)
		save_hist(p, out);
	return 0;
}

static int
quantile_load(const struct stats_func *f, struct scan *in, struct stats_state *s)
{
	struct spread *p;
	int64_t grown = 0, v;
	uint64_t n;
	int r;

	if (scan_u8(in) == 0)
		return 0;
	r = spread_of(s, &p);
	if (r != 0)
		return r;
	p->n_empty = scan_varint(in);
	for (n = scan_varint(in); r == 0 && !in->bad && n > 0; n--)
		r = add_text(p, stats_load_str(in), &grown);
	for (n = scan_varint(in); r == 0 && !in->bad && n > 0; n--) {
		v = stats_load_int(in);
		r = spread_add(p, v, scan_u8(in), &grown);
	}
	if (r == 0 && scan_u8(in) != 0)
		r = load_hist(in, p);
	return r;
}

static int
quantile_merge_saved(const struct stats_func *f, struct scan *a, struct scan *b, struct buf *out)
{
	return spread_merge(a, b, out);
}

static int
quantile_put_saved(const struct stats_func *f, struct scan *in, struct buf *out)
{
	int r = spread_put(f, in, out);

	return r > 0 ? STATS_E_LOAD : r;
}

static int
text_order(const void *a, const void *b)
{
	const struct str *x = a, *y = b;

	return value_cmp(*x, *y);
}

/* All values are there: the one at ${index} in their order. */
static int
put_exact(const struct spread *p, size_t n, size_t index, struct buf *out)
{
	struct arena arena = ARENA_INIT;
	struct str *all = arena_alloc(&arena, (n + 1) * sizeof(*all));
	char text[COLUMN_SCRATCH];
	size_t i, k = 0;

	for (i = 0; all != NULL && i < p->n_texts; i++)
		all[k++] = stats_text_of(p->texts[i]);
	for (i = 0; all != NULL && i < p->n_numbers; i++)
		all[k++] = arena_dup(&arena,
		    str_of(text, column_format_int(text, p->numbers[i].v, p->numbers[i].scale)));
	if (all != NULL) {
		qsort(all, k, sizeof(*all), text_order);
		buf_str(out, all[index]);
	}
	arena_fini(&arena);
	return all == NULL ? err_origin(-ENOMEM) : buf_err(out);
}

/* Numbers in cells; empty texts stand before them and other texts behind. */
static int
put_hist(const struct spread *p, uint64_t index, struct buf *out)
{
	size_t i, k;
	double v;

	for (i = 0; i < 2 * EXPONENTS; i++) {
		for (k = 0; p->hist[i] != NULL && k < CELLS; k++) {
			if (index >= p->hist[i][k]) {
				index -= p->hist[i][k];
				continue;
			}
			v = spread_cell_value(i, k);
			v = p->whole ? round(v) : v;
			v = v < p->min ? p->min : v > p->max ? p->max : v;
			value_format_float(out, v);
			return buf_err(out);
		}
	}
	value_format_float(out, p->max);
	return buf_err(out);
}

static uint64_t
hist_total(const struct spread *p)
{
	uint64_t n = 0;
	size_t i, k;

	for (i = 0; p->hist != NULL && i < 2 * EXPONENTS; i++)
		for (k = 0; p->hist[i] != NULL && k < CELLS; k++)
			n += p->hist[i][k];
	return n;
}

static int
quantile_put(const struct stats_func *f, struct stats_state *s, struct buf *out)
{
	struct spread *p = s->more;
	double phi = f->kind == STATS_MEDIAN ? 0.5 : f->phi;
	uint64_t n, index;

	if (p == NULL)
		return 0;
	spread_settle(p);
	n = p->n_numbers + p->n_texts + hist_total(p) + p->n_empty;
	if (n == 0)
		return 0;
	index = (uint64_t)(phi * (double)n);
	index = index >= n ? n - 1 : index;
	/* The empty value is below all others. */
	if (index < p->n_empty)
		return 0;
	index -= p->n_empty;
	n -= p->n_empty;
	return p->hist != NULL ? put_hist(p, index, out)
	                       : put_exact(p, (size_t)n, (size_t)index, out);
}

const struct stats_ops stats_quantile_ops = { quantile_add, quantile_merge, quantile_put,
	spread_fini, quantile_save, quantile_load, quantile_merge_saved, quantile_put_saved };
