/*
 * query/stats_quantile.c - how values are spread.
 * One job: quantile and median, exact while values are few and within 0.4 % after; histogram.
 * Floor: 3 (uses logsql, record, base).
 */
#include <math.h>

#include "logsql/value.h"
#include "query/stats_spread.h"

/* Exact while values are so few; then in the cells of stats_spread.h. */
enum { CELLS = SPREAD_CELLS, EXPONENTS = SPREAD_EXPONENTS, EXACT_MAX = 2048 };

struct spread_number {
	int64_t v;
	unsigned scale;
};

/*
 * Invariants: while hist is NULL, numbers holds every decimal; after, hist counts them by cell
 * (negative ones in the
 * first half, mirrored) and numbers is empty.  texts are all values that are no decimals but
 * "", which are counted.
 */
struct spread {
	struct spread_number *numbers;
	size_t n_numbers, cap_numbers;
	struct stats_text **texts;
	size_t n_texts, cap_texts;
	uint64_t n_empty; /* values "", which texts does not hold */
	uint64_t **hist;  /* rows of CELLS counts, by sign and exponent; NULL where none */
	bool whole;       /* all in hist are integers */
	double min, max;
};

static int
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
	free(p->texts);
	free(p->numbers);
	free(p);
	s->more = NULL;
}

static int
hist_add(struct spread *p, double v, uint64_t n)
{
	size_t row, cell;

	if (p->hist == NULL) {
		p->hist = calloc(2 * EXPONENTS, sizeof(*p->hist));
		if (p->hist == NULL)
			return err_origin(-ENOMEM);
		p->whole = true;
		p->min = p->max = v;
	}
	spread_cell(v, &row, &cell);
	if (p->hist[row] == NULL)
		p->hist[row] = calloc(CELLS, sizeof(**p->hist));
	if (p->hist[row] == NULL)
		return err_origin(-ENOMEM);
	p->hist[row][cell] += n;
	/* Cheaper than floor() where that is a call; greater doubles have no fraction. */
	p->whole = p->whole && (fabs(v) >= 9e15 || (double)(int64_t)v == v);
	p->min = v < p->min ? v : p->min;
	p->max = v > p->max ? v : p->max;
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

static int
add_number(struct spread *p, int64_t v, unsigned scale, int64_t *grown)
{
	struct spread_number *numbers, n = { v, scale };
	size_t cap;
	int r;

	if (p->hist != NULL)
		return hist_add(p, number_value(&n), 1);
	if (p->n_numbers == EXACT_MAX) {
		r = spill(p);
		return r != 0 ? r : hist_add(p, number_value(&n), 1);
	}
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

/* The hot path: count it where its cell is there already and nothing else changes; false: it is not. */
static inline bool
hist_count(struct spread *p, double v, bool fraction)
{
	size_t row, cell;

	if (p == NULL || p->hist == NULL || (p->whole && fraction) || v < p->min || v > p->max)
		return false;
	spread_cell(v, &row, &cell);
	if (p->hist[row] == NULL)
		return false;
	p->hist[row][cell]++;
	return true;
}

/* Rows of the batch that the function takes: those with a number, or those without a value. */
static int
list_ints(const struct column *c, struct stats_batch *sb, bool has, uint32_t **ret, size_t *ret_n)
{
	size_t n = sb->b->n_rows, w;
	uint32_t *rows = arena_alloc(&sb->b->arena, (n + 1) * sizeof(*rows));
	uint64_t *sel = arena_alloc(&sb->b->arena, (BITS_WORDS(n) + 1) * sizeof(*sel));

	if (rows == NULL || sel == NULL)
		return err_origin(-ENOMEM);
	bits_fill(sel, n);
	for (w = 0; w < BITS_WORDS(n); w++) {
		if (c->present != NULL)
			sel[w] &= has ? c->present[w] : ~c->present[w];
		if (sb->rows != NULL)
			sel[w] &= sb->rows[w];
	}
	bits_list(sel, n, rows);
	*ret = rows;
	*ret_n = bits_count(sel, n);
	return 0;
}

/* By group first: adding to what was just written waits for it. */
static int
add_empty(const struct column *c, struct stats_batch *sb)
{
	uint32_t *rows, *counts = arena_zalloc(&sb->b->arena, sb->n_groups + 1, sizeof(*counts));
	struct spread *p;
	size_t i, n;
	int r;

	if (counts == NULL)
		return err_origin(-ENOMEM);
	r = list_ints(c, sb, false, &rows, &n);
	for (i = 0; r == 0 && i < n; i++)
		counts[sb->groups[rows[i]]]++;
	for (i = 0; r == 0 && i < sb->n_groups; i++) {
		if (counts[i] == 0)
			continue;
		r = spread_of(&sb->states[i * sb->stride], &p);
		if (r == 0)
			p->n_empty += counts[i];
	}
	return r;
}

/* Integers as they are stored.  Rows are listed first, as a branch a row that guesses whether it has a value costs
 * more than all else. */
static int
add_ints(const struct column *c, bool named, struct stats_batch *sb)
{
	struct stats_number one = { NUMBER_DECIMAL, c->scale, 1, 0 };
	/* An exact power of ten, as stats_number_value divides by. */
	double unit = round(1 / stats_number_value(&one));
	struct spread *p;
	uint32_t *rows;
	size_t k, n;
	int r;

	r = list_ints(c, sb, true, &rows, &n);
	for (k = 0; r == 0 && k < n; k++) {
		struct stats_state *s = stats_state_of(sb, rows[k]);

		if (hist_count(s->more, (double)c->ints[rows[k]] / unit, c->scale != 0))
			continue;
		r = spread_of(s, &p);
		if (r == 0)
			r = add_number(p, c->ints[rows[k]], c->scale, &sb->grown);
	}
	if (r == 0 && named && c->present != NULL)
		r = add_empty(c, sb);
	return r;
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
			r = add_ints(c.cols[k], c.named, sb);
			continue;
		}
		r = stats_numbers(c.cols[k], sb->b, &numbers);
		for (i = 0; r == 0 && i < sb->b->n_rows; i++) {
			if (!stats_takes(sb, i))
				continue;
			r = spread_of(stats_state_of(sb, i), &p);
			if (r == 0 && numbers[i].kind == NUMBER_DECIMAL) {
				r = add_number(p, numbers[i].v, numbers[i].scale, &sb->grown);
				continue;
			}
			v = column_value(c.cols[k], i, scratch);
			if (r == 0 && (v.n != 0 || c.named))
				r = add_text(p, v, &sb->grown);
		}
	}
	return r;
}

static int
merge_hist(struct spread *a, const struct spread *b)
{
	size_t i, k;
	int r;

	r = spill(a);
	for (i = 0; r == 0 && i < 2 * EXPONENTS; i++)
		for (k = 0; r == 0 && b->hist[i] != NULL && k < CELLS; k++)
			if (b->hist[i][k] != 0)
				r = hist_add(a, spread_cell_value(i, k), b->hist[i][k]);
	if (r != 0)
		return r;
	/* The middles of cells are no integers; what the values were is known. */
	a->whole = b->whole;
	a->min = b->min < a->min ? b->min : a->min;
	a->max = b->max > a->max ? b->max : a->max;
	return 0;
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
	if (r == 0 && b->hist != NULL) {
		bool whole = (a->hist == NULL || a->whole) && b->whole;

		for (i = 0; i < a->n_numbers; i++)
			whole = whole && a->numbers[i].scale == 0;
		r = merge_hist(a, b);
		a->whole = whole;
	}
	for (i = 0; r == 0 && i < b->n_numbers; i++)
		r = add_number(a, b->numbers[i].v, b->numbers[i].scale, &grown);
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
		r = add_number(p, v, scan_u8(in), &grown);
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
	const struct spread *p = s->more;
	double phi = f->kind == STATS_MEDIAN ? 0.5 : f->phi;
	uint64_t n, index;

	if (p == NULL)
		return 0;
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

/*
 * VictoriaMetrics' buckets: 18 to a power of ten from 10^-9 to 10^18, below and above one each; by
 * log10.
 * Bounds are written with three digits of mantissa, as their names are.
 */
enum { VM_DECIMAL = 18, VM_MIN = -9, VM_MAX = 18, VM_BUCKETS = VM_DECIMAL * (VM_MAX - VM_MIN) };

static int
histogram_add(const struct stats_func *f, struct stats_batch *sb)
{
	const struct column *c = batch_column(sb->b, f->field);
	const struct stats_number *numbers;
	struct stats_state *s;
	uint64_t *counts;
	double at, v;
	size_t i, k;
	int r;

	if (c == NULL)
		return sb->b->err;
	r = stats_numbers(c, sb->b, &numbers);
	for (i = 0; r == 0 && i < sb->b->n_rows; i++) {
		if (numbers[i].kind == NUMBER_NONE || !stats_takes(sb, i))
			continue;
		v = stats_number_value(&numbers[i]);
		if (isnan(v) || v < 0)
			continue;
		s = stats_state_of(sb, i);
		if (s->more == NULL) {
			s->more = calloc(VM_BUCKETS + 2, sizeof(*counts));
			sb->grown += (VM_BUCKETS + 2) * (int64_t)sizeof(*counts);
		}
		counts = s->more;
		if (counts == NULL)
			return err_origin(-ENOMEM);
		at = v == 0 ? -1 : (log10(v) - VM_MIN) * VM_DECIMAL;
		k = at < 0 ? 0 : at >= VM_BUCKETS ? VM_BUCKETS + 1 : (size_t)at + 1;
		/* A value on a bound belongs to the bucket below it. */
		if (at > 0 && at < VM_BUCKETS && at == floor(at))
			k--;
		counts[k]++;
	}
	return r;
}

static void
histogram_fini(struct stats_state *s)
{
	free(s->more);
	s->more = NULL;
}

static int
histogram_save(const struct stats_func *f, struct stats_state *s, struct buf *out)
{
	const uint64_t *counts = s->more;
	size_t i, n = 0;

	for (i = 0; counts != NULL && i < VM_BUCKETS + 2; i++)
		n += counts[i] != 0;
	buf_varint(out, n);
	for (i = 0; counts != NULL && i < VM_BUCKETS + 2; i++)
		if (counts[i] != 0) {
			buf_varint(out, i);
			buf_varint(out, counts[i]);
		}
	return 0;
}

static int
histogram_load(const struct stats_func *f, struct scan *in, struct stats_state *s)
{
	uint64_t *counts, n = scan_varint(in), at;

	if (n == 0)
		return 0;
	counts = s->more = calloc(VM_BUCKETS + 2, sizeof(*counts));
	if (counts == NULL)
		return err_origin(-ENOMEM);
	for (; !in->bad && n > 0; n--) {
		at = scan_varint(in);
		if (at >= VM_BUCKETS + 2)
			return err_origin(-EPROTO);
		counts[at] = scan_varint(in);
	}
	return 0;
}

static int
histogram_merge(const struct stats_func *f, struct stats_state *to, struct stats_state *from)
{
	uint64_t *a = to->more, *b = from->more;
	size_t i;

	if (a == NULL) {
		to->more = TAKE(from->more);
		return 0;
	}
	for (i = 0; b != NULL && i < VM_BUCKETS + 2; i++)
		a[i] += b[i];
	histogram_fini(from);
	return 0;
}

static void
put_bound(struct buf *out, size_t bucket)
{
	buf_printf(out, "%.3e", pow(10, VM_MIN + (double)bucket / VM_DECIMAL));
}

static int
histogram_put(const struct stats_func *f, struct stats_state *s, struct buf *out)
{
	const uint64_t *counts = s->more;
	bool first = true;
	size_t i;

	buf_byte(out, '[');
	for (i = 0; counts != NULL && i < VM_BUCKETS + 2; i++) {
		if (counts[i] == 0)
			continue;
		buf_c(out, first ? "{\"vmrange\":\"" : ",{\"vmrange\":\"");
		first = false;
		if (i == 0)
			buf_byte(out, '0');
		else
			put_bound(out, i - 1);
		buf_c(out, "...");
		if (i == VM_BUCKETS + 1)
			buf_c(out, "+Inf");
		else
			put_bound(out, i);
		buf_c(out, "\",\"hits\":");
		buf_uint(out, counts[i]);
		buf_byte(out, '}');
	}
	buf_byte(out, ']');
	return buf_err(out);
}

const struct stats_ops stats_quantile_ops = { quantile_add, quantile_merge, quantile_put,
	spread_fini, quantile_save, quantile_load, quantile_merge_saved, quantile_put_saved };
const struct stats_ops stats_histogram_ops = { histogram_add, histogram_merge, histogram_put,
	histogram_fini, histogram_save, histogram_load, NULL, NULL };
