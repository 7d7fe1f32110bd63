/*
 * logsql/filter_match_column.c - matching a column.
 * One job: one leaf on the values of many rows, on their encoding where it can.
 * Floor: 2 (uses record, base).
 *
 * Constants are tested once and dictionaries once a value; numbers and times are compared as such where that is what
 * the text would come to; a literal is searched through a whole run of text at once, and only rows that have it are
 * tested.
 */
#include <math.h>

#include "logsql/filter_internal.h"
#include "logsql/value.h"

/* Rows whose text is worth a search through all of it: one of this many is still wanted. */
enum { SPARSE = 8, SEARCH_LITERAL_MIN = 2 };

static int
match_const(const struct filter *f, const struct column *c, uint64_t *sel,
    struct filter_scratch *scratch)
{
	int r;

	r = filter_test(f, c->value, scratch);
	if (r == 0)
		bits_zero(sel, c->n_rows);
	return r < 0 ? err_trace(r) : 0;
}

static int
match_dict(const struct filter *f, const struct column *c, uint64_t *sel,
    struct filter_scratch *scratch)
{
	AUTO_FREE uint8_t *yes = calloc(c->n_dict + 1, 1);
	size_t i, w, k, n, n_yes = 0;
	uint64_t keep;
	int r = 0;

	if (yes == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < c->n_dict && r >= 0; i++) {
		r = filter_test(f, c->dict[i], scratch);
		yes[i] = r == 1;
		n_yes += r == 1;
	}
	if (r < 0)
		return err_trace(r);
	/* Of most blocks all values or none are wanted: then no row need be looked at. */
	if (n_yes == 0)
		bits_zero(sel, c->n_rows);
	if (n_yes == 0 || n_yes == c->n_dict)
		return 0;
	for (w = 0; w < BITS_WORDS(c->n_rows); w++) {
		if (sel[w] == 0)
			continue;
		n = c->n_rows - w * 64 < 64 ? c->n_rows - w * 64 : 64;
		for (keep = k = 0; k < n; k++)
			keep |= (uint64_t)yes[c->codes[w * 64 + k]] << k;
		sel[w] &= keep;
	}
	return 0;
}

static bool
present(const struct column *c, size_t i)
{
	return c->present == NULL || bits_get(c->present, i);
}

/* The number that value_math makes of the text of ints[i], to the last bit. */
static double
int_number(int64_t v, unsigned scale)
{
	static const int64_t powers[] = { 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000,
		100000000, 1000000000, 10000000000, 100000000000, 1000000000000, 10000000000000,
		100000000000000, 1000000000000000, 10000000000000000, 100000000000000000,
		1000000000000000000 };
	int64_t whole, rest;
	double d;

	if (scale == 0)
		return (double)v;
	whole = v / powers[scale];
	rest = v % powers[scale];
	d = fma((double)(rest < 0 ? -rest : rest), pow(10, -(double)scale),
	    (double)(whole < 0 ? -whole : whole));
	return v < 0 ? -d : d;
}

/* The least integer whose number is at least ${bound}, or above it; INT64_MAX when there is none.  Numbers ascend. */
static int64_t
first_int(double bound, bool above, unsigned scale)
{
	int64_t lo = INT64_MIN, hi = INT64_MAX, mid;
	double v;

	while (lo < hi) {
		/* Half of the way, rounded down; the way itself may not fit. */
		mid = lo + (int64_t)(((uint64_t)hi - (uint64_t)lo) / 2);
		v = int_number(mid, scale);
		if (above ? v > bound : v >= bound)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

/* Up to this scale int_number ascends with its integer, so that bounds can be told in integers. */
enum { ASCENDS_MAX = 15 };

static void
match_int_bounds(const struct filter *f, const struct column *c, uint64_t *sel)
{
	double top = int_number(INT64_MAX, c->scale);
	int64_t min = first_int(f->min, false, c->scale), max = INT64_MAX;
	size_t w, k, n;
	uint64_t keep;

	if (top > f->max)
		max = first_int(f->max, true, c->scale);
	if (top < f->min || max == INT64_MIN) {
		bits_zero(sel, c->n_rows);
		return;
	}
	/* From "none of these" to "the last one". */
	max -= top > f->max ? 1 : 0;
	for (w = 0; w < BITS_WORDS(c->n_rows); w++) {
		if (sel[w] == 0)
			continue;
		n = c->n_rows - w * 64 < 64 ? c->n_rows - w * 64 : 64;
		for (keep = k = 0; k < n; k++)
			keep |=
			    (uint64_t)((c->ints[w * 64 + k] >= min) & (c->ints[w * 64 + k] <= max))
			    << k;
		sel[w] &= c->present != NULL ? keep & c->present[w] : keep;
	}
}

static void
match_int_range(const struct filter *f, const struct column *c, uint64_t *sel)
{
	size_t i;
	double v;

	if (c->scale <= ASCENDS_MAX && !isnan(f->min) && !isnan(f->max)) {
		match_int_bounds(f, c, sel);
		return;
	}
	BITS_FOREACH(i, sel, c->n_rows)
	{
		v = int_number(c->ints[i], c->scale);
		/* A bound may be NaN, which nothing is above or below. */
		if (!present(c, i) || !(v >= f->min && v <= f->max))
			bits_clear(sel, i);
	}
}

/* Sorted numbers, and whether an absent value matches too. */
struct wanted {
	int64_t *ints;
	size_t n;
	bool absent;
};

static int
order_ints(const void *a, const void *b)
{
	int64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

/* The number in a column of this scale whose text is ${text}: no other number has it. */
static void
want(struct wanted *w, struct str text, unsigned scale)
{
	unsigned own;
	int64_t v;

	if (text.n == 0)
		w->absent = true;
	else if (column_parse_int(text, &v, &own) && own == scale)
		w->ints[w->n++] = v;
}

static bool
is_wanted(const struct wanted *w, int64_t v)
{
	size_t lo = 0, hi = w->n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (w->ints[mid] < v)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < w->n && w->ints[lo] == v;
}

/* =text, in(texts), and a phrase, which is found in whole numbers with and without a '-' before it. */
static int
match_int_set(const struct filter *f, const struct column *c, uint64_t *sel)
{
	size_t i, n = f->kind == FILTER_IN ? f->set->n : 2;
	AUTO_FREE int64_t *ints = calloc(n + 1, sizeof(*ints));
	struct wanted w = { ints, 0, false };

	if (ints == NULL)
		return err_origin(-ENOMEM);
	if (f->kind == FILTER_IN)
		for (i = 0; i < n; i++)
			want(&w, f->set->entries[i].key, c->scale);
	else
		want(&w, f->text, c->scale);
	if (f->kind == FILTER_PHRASE && w.n == 1 && ints[0] > 0)
		ints[w.n++] = -ints[0];
	qsort(ints, w.n, sizeof(*ints), order_ints);
	BITS_FOREACH(i, sel, c->n_rows)
	if (present(c, i) ? !is_wanted(&w, c->ints[i]) : !w.absent)
		bits_clear(sel, i);
	return 0;
}

static int
match_rows(const struct filter *f, const struct column *c, uint64_t *sel,
    struct filter_scratch *scratch)
{
	char text[COLUMN_SCRATCH];
	size_t i;
	int r;

	BITS_FOREACH(i, sel, c->n_rows)
	{
		r = filter_test(f, column_value(c, i, text), scratch);
		if (r < 0)
			return err_trace(r);
		if (r == 0)
			bits_clear(sel, i);
	}
	return 0;
}

static int
match_int(const struct filter *f, const struct column *c, uint64_t *sel,
    struct filter_scratch *scratch)
{
	/* column.h bounds the scale; a column from elsewhere must not pass the table of powers. */
	if (f->kind == FILTER_RANGE && c->scale <= 18) {
		match_int_range(f, c, sel);
		return 0;
	}
	/* A phrase in whole numbers is the number itself, but for the '-' alone. */
	if (f->kind == FILTER_EXACT || f->kind == FILTER_IN ||
	    (f->kind == FILTER_PHRASE && (c->scale == 0 || f->text.n == 0) &&
	        !str_eq(f->text, STR("-"))))
		return err_trace(match_int_set(f, c, sel));
	return err_trace(match_rows(f, c, sel, scratch));
}

static int
match_times(const struct filter *f, const struct column *c, uint64_t *sel,
    struct filter_scratch *scratch)
{
	size_t i;

	if (f->kind != FILTER_TIME && f->kind != FILTER_DAY_RANGE && f->kind != FILTER_WEEK_RANGE)
		return err_trace(match_rows(f, c, sel, scratch));
	BITS_FOREACH(i, sel, c->n_rows)
	if (!filter_test_time(f, c->ints[i]))
		bits_clear(sel, i);
	return 0;
}

static void
clear_range(uint64_t *sel, size_t from, size_t to)
{
	for (; from < to && from % 64 != 0; from++)
		bits_clear(sel, from);
	for (; from + 64 <= to; from += 64)
		sel[from / 64] = 0;
	for (; from < to; from++)
		bits_clear(sel, from);
}

/* The row that byte ${at} of the run lies in, from row ${from} on. */
static size_t
row_of(const struct column *c, size_t from, size_t at)
{
	size_t step = 1, lo = from, hi;

	while (lo + step < c->n_rows && c->offs[lo + step] <= at) {
		lo += step;
		step *= 2;
	}
	hi = lo + step < c->n_rows ? lo + step : c->n_rows;
	while (lo + 1 < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (c->offs[mid] <= at)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

static int
match_text(const struct filter *f, const struct column *c, uint64_t *sel, struct str literal,
    bool nocase, struct filter_scratch *scratch)
{
	size_t row = 0, at = c->offs[0], hit, found;
	struct str rest;
	int r;

	while (row < c->n_rows) {
		rest = str_of(c->bytes + at, c->offs[c->n_rows] - at);
		hit = nocase ? str_find_nocase(rest, literal) : str_find(rest, literal);
		found = hit == SIZE_MAX ? c->n_rows : row_of(c, row, at + hit);
		clear_range(sel, row, found);
		if (found == c->n_rows)
			break;
		if (bits_get(sel, found)) {
			r = filter_test(f, column_value(c, found, NULL), scratch);
			if (r < 0)
				return err_trace(r);
			if (r == 0)
				bits_clear(sel, found);
		}
		row = found + 1;
		at = c->offs[row];
	}
	return 0;
}

int
filter_match_column(const struct filter *f, const struct column *c, uint64_t *sel)
{
	struct filter_scratch scratch = FILTER_SCRATCH_INIT;
	struct str literal;
	bool nocase;
	int r = 0;

	if (f->kind == FILTER_ALL)
		return 0;
	if (f->kind == FILTER_NONE || f->kind == FILTER_VALUE_TYPE) {
		if (f->kind == FILTER_NONE || !str_eq_c(f->text, column_type_name(c)))
			bits_zero(sel, c->n_rows);
		return 0;
	}
	switch (c->kind) {
	case COLUMN_CONST:
		r = match_const(f, c, sel, &scratch);
		break;
	case COLUMN_DICT:
		r = match_dict(f, c, sel, &scratch);
		break;
	case COLUMN_INT:
		r = match_int(f, c, sel, &scratch);
		break;
	case COLUMN_TIME:
		r = match_times(f, c, sel, &scratch);
		break;
	case COLUMN_TEXT:
		if (filter_literal(f, &literal, &nocase) && literal.n >= SEARCH_LITERAL_MIN &&
		    bits_count(sel, c->n_rows) > c->n_rows / SPARSE)
			r = match_text(f, c, sel, literal, nocase, &scratch);
		else
			r = match_rows(f, c, sel, &scratch);
		break;
	case COLUMN_STRS:
		r = match_rows(f, c, sel, &scratch);
		break;
	}
	filter_scratch_fini(&scratch);
	return err_trace(r);
}
