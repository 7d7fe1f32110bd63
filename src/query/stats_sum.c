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

static int
count_rows(struct stats_batch *sb)
{
	size_t i;

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
 * Mean and sum of squared distances, updated value by value (Welford 1962), so that nothing
 * cancels.
 */
struct moments {
	double n, mean, square;
};

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
	double v, delta;
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
			delta = v - m->mean;
			m->mean += delta / m->n;
			m->square += delta * (v - m->mean);
		}
	}
	return r;
}

static int
stddev_merge(const struct stats_func *f, struct stats_state *to, struct stats_state *from)
{
	struct moments *a, *b = from->more;
	double n, delta;
	int r;

	if (b == NULL)
		return 0;
	r = moments_of(to, &a);
	if (r != 0)
		return r;
	n = a->n + b->n;
	delta = b->mean - a->mean;
	a->square += b->square + delta * delta * a->n * b->n / n;
	a->mean += delta * b->n / n;
	a->n = n;
	free(b);
	from->more = NULL;
	return 0;
}

static int
stddev_put(const struct stats_func *f, struct stats_state *s, struct buf *out)
{
	const struct moments *m = s->more;

	value_format_float(out, m == NULL ? (double)NAN : sqrt(m->square / m->n));
	return 0;
}

static void
more_fini(struct stats_state *s)
{
	free(s->more);
	s->more = NULL;
}

const struct stats_ops stats_count_ops = { count_add, merge_n, put_n, no_fini };
const struct stats_ops stats_count_empty_ops = { count_empty_add, merge_n, put_n, no_fini };
const struct stats_ops stats_rate_ops = { rate_add, merge_n, rate_put, no_fini };
const struct stats_ops stats_sum_ops = { sum_add, sum_merge, sum_put, no_fini };
const struct stats_ops stats_avg_ops = { sum_add, sum_merge, avg_put, no_fini };
const struct stats_ops stats_rate_sum_ops = { sum_add, sum_merge, rate_sum_put, no_fini };
const struct stats_ops stats_sum_len_ops = { sum_len_add, merge_n, put_n, no_fini };
const struct stats_ops stats_stddev_ops = { stddev_add, stddev_merge, stddev_put, more_fini };
