/*
 * query/stats_sum.c - stats functions that count and add.
 * One job: count, count_empty, sum, avg, rate, rate_sum, sum_len, stddev.
 * Floor: 3 (uses logsql, record, base).
 */
#include <math.h>

#include "logsql/value.h"
#include "query/stats_state.h"

static void
no_fini(struct stats_state *s)
{
}

static int
merge_n(const struct stats_func *f, struct stats_state *to, struct stats_state *from)
{
	to->n += from->n;
	return 0;
}

static int
put_n(const struct stats_func *f, struct stats_state *s, struct buf *out)
{
	buf_uint(out, s->n);
	return 0;
}

static bool
names_all(const struct names *names)
{
	return names->n == 1 && str_eq(names->p[0], STR("*"));
}

enum { TALLY_GROUPS_MAX = 256, TALLY_WAYS = 4 };

/*
 * Few groups: four tallies side by side, as rows of one group often come one after the other, and adding to the
 * place that was just written waits for it.
 */
static void
tally_rows(struct stats_batch *sb)
{
	uint32_t tally[TALLY_WAYS][TALLY_GROUPS_MAX] = { 0 };
	size_t i, k;

	for (i = 0; i + TALLY_WAYS <= sb->b->n_rows; i += TALLY_WAYS)
		for (k = 0; k < TALLY_WAYS; k++)
			tally[k][sb->groups[i + k]]++;
	for (; i < sb->b->n_rows; i++)
		tally[0][sb->groups[i]]++;
	for (i = 0; i < sb->n_groups; i++)
		for (k = 0; k < TALLY_WAYS; k++)
			sb->states[i * sb->stride].n += tally[k][i];
}

static int
count_rows(struct stats_batch *sb)
{
	size_t i;

	if (sb->rows == NULL && sb->n_groups == 1) {
		sb->states[0].n += sb->b->n_rows;
		return 0;
	}
	if (sb->rows == NULL && sb->n_groups <= TALLY_GROUPS_MAX &&
	    sb->b->n_rows > TALLY_GROUPS_MAX) {
		tally_rows(sb);
		return 0;
	}
	for (i = 0; i < sb->b->n_rows; i++)
		if (stats_takes(sb, i))
			stats_state_of(sb, i)->n++;
	return 0;
}

/* Count rows in which some column has a value (want), or none has. */
static int
count_filled(const struct stats_func *f, struct stats_batch *sb, bool want)
{
	char scratch[COLUMN_SCRATCH];
	struct stats_columns c;
	uint64_t *filled;
	size_t i, k;
	int r;

	r = stats_columns(&f->names, sb->b, &c);
	filled = arena_zalloc(&sb->b->arena, BITS_WORDS(sb->b->n_rows) + 1, sizeof(*filled));
	if (r != 0 || filled == NULL)
		return r != 0 ? r : err_origin(-ENOMEM);
	for (k = 0; k < c.n; k++)
		for (i = 0; i < sb->b->n_rows; i++)
			if (column_value(c.cols[k], i, scratch).n != 0)
				bits_set(filled, i);
	for (i = 0; i < sb->b->n_rows; i++)
		if (stats_takes(sb, i) && bits_get(filled, i) == want)
			stats_state_of(sb, i)->n++;
	return 0;
}

static int
count_add(const struct stats_func *f, struct stats_batch *sb)
{
	return names_all(&f->names) ? count_rows(sb) : count_filled(f, sb, true);
}

static int
count_empty_add(const struct stats_func *f, struct stats_batch *sb)
{
	return count_filled(f, sb, false);
}

static int
rate_add(const struct stats_func *f, struct stats_batch *sb)
{
	return count_rows(sb);
}

static int
rate_put(const struct stats_func *f, struct stats_state *s, struct buf *out)
{
	value_format_float(out, f->step_s > 0 ? (double)s->n / f->step_s : (double)s->n);
	return 0;
}

static int
sum_numbers(const struct column *c, struct stats_batch *sb)
{
	const struct stats_number *numbers;
	size_t i;
	int r;

	if (c->kind == COLUMN_INT && c->scale <= 9) {
		stats_add_ints(c, sb);
		return 0;
	}
	r = stats_numbers(c, sb->b, &numbers);
	for (i = 0; r == 0 && i < sb->b->n_rows; i++)
		if (numbers[i].kind != NUMBER_NONE && stats_takes(sb, i))
			r = stats_add_number(stats_state_of(sb, i), &numbers[i], &sb->grown);
	return r;
}

static int
sum_add(const struct stats_func *f, struct stats_batch *sb)
{
	struct stats_columns c;
	size_t k;
	int r;

	r = stats_columns(&f->names, sb->b, &c);
	for (k = 0; r == 0 && k < c.n; k++)
		r = sum_numbers(c.cols[k], sb);
	return r;
}

static int
sum_merge(const struct stats_func *f, struct stats_state *to, struct stats_state *from)
{
	return stats_add_sum(to, from);
}

/* A sum for each ${by}. */
static int
put_sum(const struct stats_state *s, double by, struct buf *out)
{
	double v = (double)NAN;
	int r = s->n == 0 ? 0 : stats_sum_value(s, &v);

	if (r != 0)
		return r;
	value_format_float(out, v / by);
	return 0;
}

static int
sum_put(const struct stats_func *f, struct stats_state *s, struct buf *out)
{
	return put_sum(s, 1, out);
}

/*
 * Flags, then the count and what is there: most sums are of decimals that fit 64 bits of 10^-9.
 */
enum { SUM_WIDE = 1, SUM_FLOAT = 2, SUM_EXACT = 4 };

static int
sum_save(const struct stats_func *f, struct stats_state *s, struct buf *out)
{
	bool wide = s->fixed_hi != s->fixed_lo >> 63, has_float = s->sum != 0 || isnan(s->sum);
	struct exact *e = s->more;
	int r = 0;

	buf_byte(out,
	    (uint8_t)((wide ? SUM_WIDE : 0) | (has_float ? SUM_FLOAT : 0) |
	        (e != NULL ? SUM_EXACT : 0)));
	buf_varint(out, s->n);
	if (wide)
		buf_u64(out, (uint64_t)s->fixed_hi);
	stats_save_int(out, s->fixed_lo);
	if (has_float)
		stats_save_double(out, s->sum);
	if (e != NULL)
		r = exact_save(&e, out);
	s->more = e;
	return r;
}

static int
sum_load(const struct stats_func *f, struct scan *in, struct stats_state *s)
{
	uint8_t flags = scan_u8(in);
	struct exact *e = NULL;
	int r = 0;

	s->n = scan_varint(in);
	if ((flags & SUM_WIDE) != 0)
		s->fixed_hi = (int64_t)scan_u64(in);
	s->fixed_lo = stats_load_int(in);
	if ((flags & SUM_WIDE) == 0)
		s->fixed_hi = s->fixed_lo >> 63;
	if ((flags & SUM_FLOAT) != 0)
		s->sum = stats_load_double(in);
	if ((flags & SUM_EXACT) != 0)
		r = exact_load(in, &e);
	s->more = e;
	return r;
}

static int
avg_put(const struct stats_func *f, struct stats_state *s, struct buf *out)
{
	return put_sum(s, (double)s->n, out);
}

static int
rate_sum_put(const struct stats_func *f, struct stats_state *s, struct buf *out)
{
	return put_sum(s, f->step_s > 0 ? f->step_s : 1, out);
}

static int
sum_len_add(const struct stats_func *f, struct stats_batch *sb)
{
	char scratch[COLUMN_SCRATCH];
	struct stats_columns c;
	size_t i, k;
	int r;

	r = stats_columns(&f->names, sb->b, &c);
	for (k = 0; r == 0 && k < c.n; k++)
		for (i = 0; i < sb->b->n_rows; i++)
			if (stats_takes(sb, i))
				stats_state_of(sb, i)->n += column_value(c.cols[k], i, scratch).n;
	return r;
}

/*
 * Sum and sum of squares, in full; of each the nearest two doubles (106 bits) make the variance, so that neither cancelling
 * nor the order of adding shows in the result.  Infinities and what is no number go to odd.
 */
struct moments {
	double n, odd;
	struct exact *sum, *square;
};

/* Two doubles that are exactly a + b (Knuth), a * b (by a fused multiply-add; Dekker 1971). */
static struct twice
exact_sum(double a, double b)
{
	double hi = a + b, part = hi - a;

	return (struct twice){ hi, (a - (hi - part)) + (b - part) };
}

static struct twice
exact_product(double a, double b)
{
	double hi = a * b;

	return (struct twice){ hi, fma(a, b, -hi) };
}

static struct twice
twice_add(struct twice a, struct twice b)
{
	struct twice s = exact_sum(a.hi, b.hi), t = exact_sum(a.lo, b.lo);

	s = exact_sum(s.hi, s.lo + t.hi);
	return exact_sum(s.hi, s.lo + t.lo);
}

static struct twice
twice_square(struct twice a)
{
	struct twice p = exact_product(a.hi, a.hi);

	return exact_sum(p.hi, p.lo + 2 * a.hi * a.lo);
}

/* (n square - sum²) / n², as a double. */
static int
variance(const struct moments *m, double *ret)
{
	struct twice square, sum, both, d;
	int r = exact_value(m->square, &square);

	if (r == 0)
		r = exact_value(m->sum, &sum);
	if (r != 0)
		return r;
	both = exact_product(square.hi, m->n);
	both = exact_sum(both.hi, both.lo + square.lo * m->n);
	sum = twice_square(sum);
	d = twice_add(both, (struct twice){ -sum.hi, -sum.lo });
	*ret = d.hi > 0 || isnan(d.hi) ? (d.hi + d.lo) / (m->n * m->n) : 0;
	if (m->odd != 0)
		*ret = (double)NAN;
	return 0;
}

static int
moments_of(struct stats_state *s, struct moments **ret)
{
	if (s->more == NULL)
		s->more = calloc(1, sizeof(struct moments));
	*ret = s->more;
	return s->more == NULL ? err_origin(-ENOMEM) : 0;
}

static int
moments_add(struct moments *m, double v, int64_t *grown)
{
	int64_t before = exact_bytes(m->sum) + exact_bytes(m->square);
	int r;

	m->n++;
	if (!isfinite(v)) {
		m->odd = 1;
		return 0;
	}
	r = exact_add(&m->sum, v);
	if (r == 0)
		r = exact_add_square(&m->square, v);
	*grown += exact_bytes(m->sum) + exact_bytes(m->square) - before;
	return r;
}

static int
stddev_add(const struct stats_func *f, struct stats_batch *sb)
{
	const struct stats_number *numbers;
	struct stats_columns c;
	struct moments *m;
	size_t i, k;
	int r;

	r = stats_columns(&f->names, sb->b, &c);
	for (k = 0; r == 0 && k < c.n; k++) {
		r = stats_numbers(c.cols[k], sb->b, &numbers);
		for (i = 0; r == 0 && i < sb->b->n_rows; i++) {
			if (numbers[i].kind == NUMBER_NONE || !stats_takes(sb, i))
				continue;
			r = moments_of(stats_state_of(sb, i), &m);
			if (r == 0)
				r = moments_add(m, stats_number_value(&numbers[i]), &sb->grown);
		}
	}
	return r;
}

static void
stddev_fini(struct stats_state *s)
{
	struct moments *m = s->more;

	if (m == NULL)
		return;
	free(m->sum);
	free(m->square);
	free(m);
	s->more = NULL;
}

static int
stddev_merge(const struct stats_func *f, struct stats_state *to, struct stats_state *from)
{
	struct moments *a, *b = from->more;
	int r;

	if (b == NULL)
		return 0;
	r = moments_of(to, &a);
	if (r != 0)
		return r;
	a->n += b->n;
	a->odd += b->odd;
	r = exact_merge(&a->sum, &b->sum);
	if (r == 0)
		r = exact_merge(&a->square, &b->square);
	stddev_fini(from);
	return r;
}

static int
stddev_put(const struct stats_func *f, struct stats_state *s, struct buf *out)
{
	const struct moments *m = s->more;
	double v = (double)NAN;
	int r = m == NULL ? 0 : variance(m, &v);

	if (r != 0)
		return r;
	value_format_float(out, sqrt(v));
	return 0;
}

static int
stddev_save(const struct stats_func *f, struct stats_state *s, struct buf *out)
{
	struct moments *m = s->more;
	int r;

	buf_byte(out, m != NULL);
	if (m == NULL)
		return 0;
	stats_save_double(out, m->n);
	stats_save_double(out, m->odd);
	r = exact_save(&m->sum, out);
	return r != 0 ? r : exact_save(&m->square, out);
}

static int
stddev_load(const struct stats_func *f, struct scan *in, struct stats_state *s)
{
	struct moments *m;
	int r;

	if (scan_u8(in) == 0)
		return 0;
	r = moments_of(s, &m);
	if (r != 0)
		return r;
	m->n = stats_load_double(in);
	m->odd = stats_load_double(in);
	r = exact_load(in, &m->sum);
	return r != 0 ? r : exact_load(in, &m->square);
}

const struct stats_ops stats_count_ops = { count_add, merge_n, put_n, no_fini, stats_save_n,
	stats_load_n, NULL, NULL };
const struct stats_ops stats_count_empty_ops = { count_empty_add, merge_n, put_n, no_fini,
	stats_save_n, stats_load_n, NULL, NULL };
const struct stats_ops stats_rate_ops = { rate_add, merge_n, rate_put, no_fini, stats_save_n,
	stats_load_n, NULL, NULL };
const struct stats_ops stats_sum_ops = { sum_add, sum_merge, sum_put, stats_sum_fini, sum_save,
	sum_load, NULL, NULL };
const struct stats_ops stats_avg_ops = { sum_add, sum_merge, avg_put, stats_sum_fini, sum_save,
	sum_load, NULL, NULL };
const struct stats_ops stats_rate_sum_ops = { sum_add, sum_merge, rate_sum_put, stats_sum_fini,
	sum_save, sum_load, NULL, NULL };
const struct stats_ops stats_sum_len_ops = { sum_len_add, merge_n, put_n, no_fini, stats_save_n,
	stats_load_n, NULL, NULL };
const struct stats_ops stats_stddev_ops = { stddev_add, stddev_merge, stddev_put, stddev_fini,
	stddev_save, stddev_load, NULL, NULL };
