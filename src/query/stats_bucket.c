/*
 * query/stats_bucket.c - buckets of values.
 * One job: the bucket that a value falls into: steps of time with their calendar, of numbers, sizes
 * and addresses.
 * Floor: 3 (uses logsql, base).
 */
#include <math.h>

#include "logsql/value.h"
#include "query/pipe_group.h"

static int64_t
sub(int64_t a, int64_t b)
{
	int64_t v;

	if (__builtin_sub_overflow(a, b, &v))
		return b < 0 ? INT64_MAX : INT64_MIN;
	return v;
}

/* Without its fraction; beyond int64 the end of it that has a negative. */
static int64_t
whole(double v)
{
	if (v >= 9223372036854775807.0)
		return INT64_MAX;
	return v <= -9223372036854775807.0 ? -INT64_MAX : (int64_t)v;
}

/* v down to a multiple of ${size}, counted from ${offset}. */
static int64_t
floor_to(int64_t v, int64_t size, int64_t offset)
{
	int64_t rest;

	if (size <= 1)
		return v;
	/* mostly it is 0, and a division costs more than to see that */
	if (offset <= -size || offset >= size)
		offset %= size;
	rest = sub(v, offset) % size;
	if (rest < 0)
		rest += size;
	return sub(v, rest);
}

static int64_t
calendar(int64_t ns, bool year, int64_t offset)
{
	struct civil c = wall_civil((struct wall){ sub(ns, offset) });
	struct civil first = { .year = c.year, .month = year ? 1 : c.month, .day = 1 };

	return sub(civil_wall(&first).ns, -offset);
}

int64_t
bucket_time(const struct stats_by *by, int64_t ns)
{
	int64_t offset = whole(by->offset);

	if (by->bucket == BUCKET_MONTH || by->bucket == BUCKET_YEAR)
		return calendar(ns, by->bucket == BUCKET_YEAR, offset);
	/* The epoch was a Thursday; weeks begin on Mondays. */
	if (by->bucket == BUCKET_WEEK)
		offset = offset % (7 * NS_PER_DAY) + 4 * NS_PER_DAY;
	return floor_to(ns, whole(by->size), offset);
}

/* The first time behind the bucket that starts at ${start}, if nothing overflows. */
static int64_t
bucket_end(const struct stats_by *by, int64_t start)
{
	int64_t offset = whole(by->offset), size = whole(by->size), end;
	struct civil next;

	if (by->bucket != BUCKET_MONTH && by->bucket != BUCKET_YEAR)
		return __builtin_add_overflow(start, size > 1 ? size : 1, &end) ? INT64_MAX : end;
	next = wall_civil((struct wall){ sub(start, offset) });
	if (by->bucket == BUCKET_YEAR || next.month == 12)
		next = (struct civil){ .year = next.year + 1, .month = 1, .day = 1 };
	else
		next = (struct civil){ .year = next.year, .month = next.month + 1, .day = 1 };
	return sub(civil_wall(&next).ns, -offset);
}

void
bucket_range(const struct stats_by *by, int64_t ns, int64_t *ret_first, int64_t *ret_last)
{
	int64_t first = bucket_time(by, ns), last = sub(bucket_end(by, first), 1);

	/* As buckets never fall, what holds at both ends holds between them. */
	if (first > ns || last < ns || bucket_time(by, first) != first ||
	    bucket_time(by, last) != first)
		first = last = ns;
	*ret_first = first;
	*ret_last = last;
}

/* Fractions are taken as whole numbers of their last decimal, so that 0.3 by 0.1 is 0.3. */
static double
floor_float(double v, double size, double offset)
{
	double p10 = 1;
	int64_t scaled, step;
	int i;

	if (size <= 0)
		size = 1;
	for (i = 0; i < 12 && floor(size * p10) != size * p10; i++)
		p10 *= 10;
	if (fabs((v - offset) * p10) > 9e15 || fabs(size * p10) > 9e15)
		return v - fmod(v - offset, size);
	scaled = (int64_t)floor((v - offset) * p10);
	step = (int64_t)(size * p10);
	return (double)floor_to(scaled, step, 0) / p10 + offset;
}

static void
put_ipv4(struct buf *out, const struct stats_by *by, uint32_t ip)
{
	uint64_t v = (uint64_t)floor_to((int64_t)ip, whole(by->size), whole(by->offset));

	buf_printf(out, "%u.%u.%u.%u", (unsigned)(v >> 24 & 255), (unsigned)(v >> 16 & 255),
	    (unsigned)(v >> 8 & 255), (unsigned)(v & 255));
}

static void
put_duration(struct buf *out, int64_t ns)
{
	char text[SPAN_TEXT_MAX];

	buf_put(out, text, span_format(text, (struct span){ ns }));
}

void
bucket_put(struct buf *out, const struct stats_by *by, struct str s)
{
	char text[WALL_TEXT_MAX];
	int64_t n, size = whole(by->size), offset = whole(by->offset);
	uint32_t ip;
	double v;

	if (s.n == 0 || (s.p[0] != '-' && (s.p[0] < '0' || s.p[0] > '9'))) {
		buf_str(out, s);
	} else if (value_int(s, &n) && by->size == floor(by->size)) {
		buf_int(out, floor_to(n, size, offset));
	} else if (value_float(s, &v)) {
		value_format_float(out, floor_float(v, by->size, by->offset));
	} else if (value_time(s, &n)) {
		buf_put(out, text, wall_format(text, (struct wall){ bucket_time(by, n) }));
	} else if (value_ipv4(s, &ip)) {
		put_ipv4(out, by, ip);
	} else if (value_duration(s, &n)) {
		put_duration(out, floor_to(n, size, offset));
	} else if (value_bytes(s, &n)) {
		buf_int(out, floor_to(n, size, offset));
	} else {
		buf_str(out, s);
	}
}
