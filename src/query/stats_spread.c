/*
 * query/stats_spread.c - how values are spread, as bytes.
 * One job: the cells of values, and saved spreads merged and read without being taken apart.
 * Floor: 3 (uses logsql, base).
 */
#include "query/stats_spread.h"

#include <math.h>

#include "logsql/value.h"

/* A saved spread: where its parts lie. */
struct saved {
	uint64_t n_empty, n_texts, n_numbers, n_cells;
	struct str texts, numbers, cells;
	bool has_cells, whole;
	double min, max;
};

struct number {
	double value;
	int64_t v;
	unsigned scale;
};

struct cell {
	uint64_t at, n;
};

double
spread_cell_value(size_t row, size_t cell)
{
	bool negative = row < SPREAD_EXPONENTS;
	uint64_t bits;
	double v;

	if (negative) {
		row = SPREAD_EXPONENTS - 1 - row;
		cell = SPREAD_CELLS - 1 - cell;
	} else {
		row -= SPREAD_EXPONENTS;
	}
	bits = (uint64_t)row << 52 | (uint64_t)cell << 45 | UINT64_C(1) << 44;
	memcpy(&v, &bits, sizeof(v));
	return negative ? -v : v;
}

static struct str
part_from(const struct scan *in, size_t from)
{
	return str_of(in->p + from, in->at - from);
}

static int
read_saved(struct scan *in, struct saved *ret)
{
	size_t from;
	uint64_t i;

	*ret = (struct saved){ 0 };
	if (scan_u8(in) == 0)
		return in->bad ? err_origin(-EPROTO) : 0;
	ret->n_empty = scan_varint(in);
	ret->n_texts = scan_varint(in);
	for (from = in->at, i = 0; i < ret->n_texts && !in->bad; i++)
		(void)stats_load_str(in);
	ret->texts = part_from(in, from);
	ret->n_numbers = scan_varint(in);
	for (from = in->at, i = 0; i < ret->n_numbers && !in->bad; i++) {
		(void)stats_load_int(in);
		(void)scan_u8(in);
	}
	ret->numbers = part_from(in, from);
	ret->has_cells = scan_u8(in) != 0;
	if (ret->has_cells) {
		ret->whole = scan_u8(in) != 0;
		ret->min = stats_load_double(in);
		ret->max = stats_load_double(in);
		ret->n_cells = scan_varint(in);
		for (from = in->at, i = 0; i < ret->n_cells && !in->bad; i++) {
			(void)scan_varint(in);
			(void)scan_varint(in);
		}
		ret->cells = part_from(in, from);
	}
	return in->bad ? err_origin(-EPROTO) : 0;
}

static void
list_numbers(const struct saved *s, struct number *out)
{
	struct scan in = SCAN_OF(s->numbers);
	uint64_t i;

	for (i = 0; i < s->n_numbers; i++) {
		struct stats_number n = { NUMBER_DECIMAL, 0, stats_load_int(&in), 0 };

		n.scale = scan_u8(&in);
		out[i] = (struct number){ stats_number_value(&n), n.v, n.scale };
	}
}

static void
put_numbers(const struct saved *a, const struct saved *b, struct buf *out)
{
	buf_varint(out, a->n_numbers + b->n_numbers);
	buf_str(out, a->numbers);
	buf_str(out, b->numbers);
	buf_byte(out, 0);
}

static int
cmp_cell(const void *a, const void *b)
{
	const struct cell *x = a, *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

/* The numbers of a spread as cells, and what they do to its bounds. */
static int
numbers_to_cells(struct saved *s, struct cell *out)
{
	AUTO_FREE struct number *numbers = calloc(s->n_numbers + 1, sizeof(*numbers));
	size_t i, row, cell;

	if (numbers == NULL)
		return err_origin(-ENOMEM);
	list_numbers(s, numbers);
	if (!s->has_cells) {
		s->whole = true;
		s->min = INFINITY;
		s->max = -INFINITY;
	}
	for (i = 0; i < s->n_numbers; i++) {
		double v = numbers[i].value;

		spread_cell(v, &row, &cell);
		out[i] = (struct cell){ row * SPREAD_CELLS + cell, 1 };
		s->whole = s->whole && (fabs(v) >= 9e15 || (double)(int64_t)v == v);
		s->min = v < s->min ? v : s->min;
		s->max = v > s->max ? v : s->max;
	}
	qsort(out, s->n_numbers, sizeof(*out), cmp_cell);
	return 0;
}

static void
list_cells(const struct saved *s, struct cell *out)
{
	struct scan in = SCAN_OF(s->cells);
	uint64_t at = 0, i;

	for (i = 0; i < s->n_cells; i++) {
		at += scan_varint(&in);
		out[i] = (struct cell){ at, scan_varint(&in) };
	}
}

/* Two lists that ascend as one; ${out} has room for both. */
static size_t
merge_cells(const struct cell *a, size_t n_a, const struct cell *b, size_t n_b, struct cell *out)
{
	size_t i = 0, k = 0, n = 0;
	struct cell next;

	while (i < n_a || k < n_b) {
		next = i < n_a && (k == n_b || a[i].at <= b[k].at) ? a[i++] : b[k++];
		if (n > 0 && out[n - 1].at == next.at)
			out[n - 1].n += next.n;
		else
			out[n++] = next;
	}
	return n;
}

/* All of one spread as cells. */
static int
all_cells(struct saved *s, struct cell *work, struct cell *out, size_t *ret_n)
{
	int r = numbers_to_cells(s, work);

	if (r != 0)
		return r;
	list_cells(s, work + s->n_numbers);
	*ret_n = merge_cells(work, s->n_numbers, work + s->n_numbers, s->n_cells, out);
	return 0;
}

static int
put_cells(struct saved *a, struct saved *b, struct buf *out)
{
	size_t n_a = a->n_numbers + a->n_cells, n_b = b->n_numbers + b->n_cells, i, n;
	AUTO_FREE struct cell *work = calloc(4 * (n_a + n_b) + 1, sizeof(*work));
	struct cell *x = work + n_a + n_b, *y = x + n_a, *both = y + n_b;
	uint64_t last = 0;
	int r = work == NULL ? err_origin(-ENOMEM) : 0;

	if (r == 0)
		r = all_cells(a, work, x, &n_a);
	if (r == 0)
		r = all_cells(b, work, y, &n_b);
	if (r != 0)
		return r;
	n = merge_cells(x, n_a, y, n_b, both);
	buf_varint(out, 0);
	buf_byte(out, 1);
	buf_byte(out, a->whole && b->whole);
	stats_save_double(out, a->min < b->min ? a->min : b->min);
	stats_save_double(out, a->max > b->max ? a->max : b->max);
	buf_varint(out, n);
	for (i = 0; i < n; i++) {
		buf_varint(out, both[i].at - last);
		buf_varint(out, both[i].n);
		last = both[i].at;
	}
	return 0;
}

int
spread_merge(struct scan *a, struct scan *b, struct buf *out)
{
	struct saved x, y;
	int r = read_saved(a, &x);

	if (r == 0)
		r = read_saved(b, &y);
	if (r != 0)
		return r;
	buf_byte(out, 1);
	buf_varint(out, x.n_empty + y.n_empty);
	buf_varint(out, x.n_texts + y.n_texts);
	buf_str(out, x.texts);
	buf_str(out, y.texts);
	if (!x.has_cells && !y.has_cells && x.n_numbers + y.n_numbers <= SPREAD_SAVED_MAX)
		put_numbers(&x, &y, out);
	else
		r = put_cells(&x, &y, out);
	return r != 0 ? r : buf_err(out);
}

/* As values are ordered: by number, then by the bytes of their text (5 before 5.0). */
static bool
is_less(const struct number *a, const struct number *b)
{
	return a->value < b->value || (a->value == b->value && a->scale < b->scale);
}

/* Put the number at ${index} of their order in its place (Hoare's selection). */
static void
select_number(struct number *v, size_t n, size_t index)
{
	size_t lo = 0, hi = n - 1, i, k;
	struct number pivot, tmp;

	while (lo < hi) {
		pivot = v[lo + (hi - lo) / 2];
		i = lo;
		k = hi;
		while (i <= k) {
			while (is_less(&v[i], &pivot))
				i++;
			while (is_less(&pivot, &v[k]))
				k--;
			if (i > k)
				break;
			tmp = v[i];
			v[i++] = v[k];
			v[k] = tmp;
			if (k == 0)
				break;
			k--;
		}
		if (index <= k && k < hi)
			hi = k;
		else if (index >= i)
			lo = i;
		else
			return;
	}
}

static int
put_number(const struct saved *s, uint64_t index, struct buf *out)
{
	AUTO_FREE struct number *numbers = calloc(s->n_numbers + 1, sizeof(*numbers));
	char text[COLUMN_SCRATCH];

	if (numbers == NULL)
		return err_origin(-ENOMEM);
	list_numbers(s, numbers);
	select_number(numbers, s->n_numbers, index);
	buf_put(out, text, column_format_int(text, numbers[index].v, numbers[index].scale));
	return 0;
}

static void
put_cell(const struct saved *s, uint64_t index, struct buf *out)
{
	struct scan in = SCAN_OF(s->cells);
	uint64_t at = 0, n, i;
	double v = s->max;

	for (i = 0; i < s->n_cells; i++) {
		at += scan_varint(&in);
		n = scan_varint(&in);
		if (index < n) {
			v = spread_cell_value(at / SPREAD_CELLS, at % SPREAD_CELLS);
			v = s->whole ? round(v) : v;
			v = v < s->min ? s->min : v > s->max ? s->max : v;
			break;
		}
		index -= n;
	}
	value_format_float(out, v);
}

static uint64_t
count_of(const struct saved *s)
{
	struct scan in = SCAN_OF(s->cells);
	uint64_t n = s->n_empty + s->n_numbers, i;

	for (i = 0; i < s->n_cells; i++) {
		(void)scan_varint(&in);
		n += scan_varint(&in);
	}
	return n;
}

int
spread_put(const struct stats_func *f, struct scan *in, struct buf *out)
{
	double phi = f->kind == STATS_MEDIAN ? 0.5 : f->phi;
	size_t from = in->at;
	struct saved s;
	uint64_t n, index;
	int r = read_saved(in, &s);

	if (r != 0)
		return r;
	if (s.n_texts > 0 || (s.has_cells && s.n_numbers > 0)) {
		in->at = from;
		return 1;
	}
	n = count_of(&s);
	if (n == 0)
		return 0;
	index = (uint64_t)(phi * (double)n);
	index = index >= n ? n - 1 : index;
	/* The empty value is below all others. */
	if (index < s.n_empty)
		return 0;
	index -= s.n_empty;
	if (!s.has_cells)
		return put_number(&s, index, out);
	put_cell(&s, index, out);
	return buf_err(out);
}
