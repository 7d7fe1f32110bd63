/*
 * query/stats_histogram.c - the histogram function.
 * One job: numbers counted in VictoriaMetrics' buckets.
 * Floor: 3 (uses logsql, record, base).
 */
#include <math.h>

#include "query/stats_state.h"

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

const struct stats_ops stats_histogram_ops = { histogram_add, histogram_merge, histogram_put,
	histogram_fini, histogram_save, histogram_load, NULL, NULL };
