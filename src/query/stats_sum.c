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
sum_add(const struct stats_func *f, struct stats_batch *sb)
{
	const struct stats_number *numbers;
	struct stats_columns c;
	size_t i, k;
	int r;

	r = stats_columns(&f->names, sb->b, &c);
	for (k = 0; r == 0 && k < c.n; k++) {
		r = stats_numbers(c.cols[k], sb->b, &numbers);
		for (i = 0; r == 0 && i < sb->b->n_rows; i++)
			if (numbers[i].kind != NUMBER_NONE && stats_takes(sb, i))
				stats_add_number(stats_state_of(sb, i), &numbers[i], 1);
	}
	return r;
}

static int
sum_merge(const struct stats_func *f, struct stats_state *to, struct stats_state *from)
{
	stats_add_sum(to, from);
	return 0;
}

static int
sum_put(const struct stats_func *f, struct stats_state *s, struct buf *out)
{
	value_format_float(out, s->n == 0 ? (double)NAN : stats_sum_value(s));
	return 0;
}

/*
 * Flags, then the count and what is there: most sums are of decimals that fit 64 bits of 10^-9.
 */
enum { SUM_WIDE = 1, SUM_FLOAT = 2 };

static int
sum_save(const struct stats_func *f, struct stats_state *s, struct buf *out)
{
	bool wide = s->fixed_hi != s->fixed_lo >> 63, has_float = s->sum != 0 || isnan(s->sum);

	buf_byte(out, (uint8_t)((wide ? SUM_WIDE : 0) | (has_float ? SUM_FLOAT : 0)));
	buf_varint(out, s->n);
	if (wide)
		buf_u64(out, (uint64_t)s->fixed_hi);
	stats_save_int(out, s->fixed_lo);
	if (has_float)
		stats_save_double(out, s->sum);
	return 0;
}

static int
sum_load(const struct stats_func *f, struct scan *in, struct stats_state *s)
{
	uint8_t flags = scan_u8(in);

	s->n = scan_varint(in);
	if ((flags & SUM_WIDE) != 0)
		s->fixed_hi = (int64_t)scan_u64(in);
	s->fixed_lo = stats_load_int(in);
	if ((flags & SUM_WIDE) == 0)
		s->fixed_hi = s->fixed_lo >> 63;
	if ((flags & SUM_FLOAT) != 0)
		s->sum = stats_load_double(in);
	return 0;
}

static int
avg_put(const struct stats_func *f, struct stats_state *s, struct buf *out)
{
	value_format_float(out, s->n == 0 ? (double)NAN : stats_sum_value(s) / (double)s->n);
	return 0;
}

static int
rate_sum_put(const struct stats_func *f, struct stats_state *s, struct buf *out)
{
	double step = f->step_s > 0 ? f->step_s : 1;

	value_format_float(out, s->n == 0 ? (double)NAN : stats_sum_value(s) / step);
	return 0;
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
 * Sum and sum of squares, each as two doubles that do not overlap (Dekker 1971): 106 bits, so that neither cancelling
 * nor the order of adding shows in the result.
 */
struct twice {
	double hi, lo;
};

struct moments {
	double n;
	struct twice sum, square;
};

/* Two doubles that are exactly a + b (Knuth), a * b (by a fused multiply-add). */
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
static double
variance(const struct moments *m)
{
	struct twice both = exact_product(m->square.hi, m->n), sum = twice_square(m->sum), d;

	both = exact_sum(both.hi, both.lo + m->square.lo * m->n);
	d = twice_add(both, (struct twice){ -sum.hi, -sum.lo });
	return d.hi > 0 || isnan(d.hi) ? (d.hi + d.lo) / (m->n * m->n) : 0;
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
stddev_add(const struct stats_func *f, struct stats_batch *sb)
{
	const struct stats_number *numbers;
	struct stats_columns c;
	struct moments *m;
	double v;
	size_t i, k;
	int r;

	r = stats_columns(&f->names, sb->b, &c);
	for (k = 0; r == 0 && k < c.n; k++) {
		r = stats_numbers(c.cols[k], sb->b, &numbers);
		for (i = 0; r == 0 && i < sb->b->n_rows; i++) {
			if (numbers[i].kind == NUMBER_NONE || !stats_takes(sb, i))
				continue;
			r = moments_of(stats_state_of(sb, i), &m);
			if (r != 0)
				break;
			v = stats_number_value(&numbers[i]);
			m->n++;
			m->sum = twice_add(m->sum, (struct twice){ v, 0 });
			m->square = twice_add(m->square, exact_product(v, v));
		}
	}
	return r;
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
	a->sum = twice_add(a->sum, b->sum);
	a->square = twice_add(a->square, b->square);
	free(b);
	from->more = NULL;
	return 0;
}

static int
stddev_put(const struct stats_func *f, struct stats_state *s, struct buf *out)
{
	const struct moments *m = s->more;

	value_format_float(out, m == NULL ? (double)NAN : sqrt(variance(m)));
	return 0;
}

static int
stddev_save(const struct stats_func *f, struct stats_state *s, struct buf *out)
{
	const struct moments *m = s->more;

	buf_byte(out, m != NULL);
	if (m == NULL)
		return 0;
	stats_save_double(out, m->n);
	stats_save_double(out, m->sum.hi);
	stats_save_double(out, m->sum.lo);
	stats_save_double(out, m->square.hi);
	stats_save_double(out, m->square.lo);
	return 0;
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
	m->sum.hi = stats_load_double(in);
	m->sum.lo = stats_load_double(in);
	m->square.hi = stats_load_double(in);
	m->square.lo = stats_load_double(in);
	return 0;
}

static void
more_fini(struct stats_state *s)
{
	free(s->more);
	s->more = NULL;
}

const struct stats_ops stats_count_ops = { count_add, merge_n, put_n, no_fini, stats_save_n,
	stats_load_n, NULL, NULL };
const struct stats_ops stats_count_empty_ops = { count_empty_add, merge_n, put_n, no_fini,
	stats_save_n, stats_load_n, NULL, NULL };
const struct stats_ops stats_rate_ops = { rate_add, merge_n, rate_put, no_fini, stats_save_n,
	stats_load_n, NULL, NULL };
const struct stats_ops stats_sum_ops = { sum_add, sum_merge, sum_put, no_fini, sum_save, sum_load,
	NULL, NULL };
const struct stats_ops stats_avg_ops = { sum_add, sum_merge, avg_put, no_fini, sum_save, sum_load,
	NULL, NULL };
const struct stats_ops stats_rate_sum_ops = { sum_add, sum_merge, rate_sum_put, no_fini, sum_save,
	sum_load, NULL, NULL };
const struct stats_ops stats_sum_len_ops = { sum_len_add, merge_n, put_n, no_fini, stats_save_n,
	stats_load_n, NULL, NULL };
const struct stats_ops stats_stddev_ops = { stddev_add, stddev_merge, stddev_put, more_fini,
	stddev_save, stddev_load, NULL, NULL };
