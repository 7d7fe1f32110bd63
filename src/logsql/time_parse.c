/*
 * logsql/time_parse.c - moments as people write them.
 * One job: read the times that _time filters take, and say how much each of them spans.
 * Floor: 2 (uses record, base).
 */
#include "logsql/filter_internal.h"
#include "logsql/value.h"

enum { LEN_YEAR = 4, LEN_MONTH = 7, LEN_DAY = 10, LEN_HOUR = 13, LEN_MINUTE = 16, LEN_SECOND = 19 };

int64_t
time_sub(int64_t a, int64_t b)
{
	int64_t r;

	if (a == INT64_MIN || a == INT64_MAX)
		return a;
	/* A duration at its end stands for all that are longer. */
	if (b == INT64_MAX || b <= -INT64_MAX || __builtin_sub_overflow(a, b, &r))
		return b < 0 ? INT64_MAX : INT64_MIN;
	return r;
}

static bool
digits(struct str s, size_t from, size_t n, int *ret)
{
	size_t i;

	*ret = 0;
	for (i = from; i < from + n; i++) {
		if (i >= s.n || s.p[i] < '0' || s.p[i] > '9')
			return false;
		*ret = *ret * 10 + s.p[i] - '0';
	}
	return true;
}

static int
month_days(int64_t y, int m)
{
	return (int)(days_from_civil(m == 12 ? y + 1 : y, m == 12 ? 1 : m + 1, 1) -
	    days_from_civil(y, m, 1));
}

/* YYYY[-MM[-DD[Thh[:mm[:ss]]]]] as UTC. */
static bool
parse_civil(struct str s, int64_t *ret)
{
	struct civil c = { .month = 1, .day = 1 };
	int year;
	int64_t ns;

	if (!digits(s, 0, 4, &year))
		return false;
	c.year = year;
	if (s.n > LEN_YEAR && (s.p[4] != '-' || !digits(s, 5, 2, &c.month)))
		return false;
	if (s.n > LEN_MONTH && (s.p[7] != '-' || !digits(s, 8, 2, &c.day)))
		return false;
	if (s.n > LEN_DAY && (s.p[10] != 'T' || !digits(s, 11, 2, &c.hour)))
		return false;
	if (s.n > LEN_HOUR && (s.p[13] != ':' || !digits(s, 14, 2, &c.minute)))
		return false;
	if (s.n > LEN_MINUTE && (s.p[16] != ':' || !digits(s, 17, 2, &c.second)))
		return false;
	if (c.month < 1 || c.month > 12 || c.day < 1 || c.day > month_days(c.year, c.month) ||
	    c.hour > 23 || c.minute > 59 || c.second > 59)
		return false;
	ns = civil_wall(&c).ns;
	*ret = ns;
	return ns != INT64_MIN && ns != INT64_MAX;
}

/* Seconds, or ms, µs, ns where the number is too large for the unit before. */
static bool
parse_unix(struct str s, int64_t *ret)
{
	const int64_t limit = INT64_C(1) << 31;
	size_t point = str_find_byte(s, '.'), i;
	int64_t n = 0, scale = 1;

	for (i = 0; i < s.n; i++) {
		if (i == point)
			continue;
		if (s.p[i] < '0' || s.p[i] > '9' || __builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, s.p[i] - '0', &n))
			return false;
	}
	if (point != SIZE_MAX) {
		/* 1234567890.123 is seconds with a fraction, to the ns. */
		if (s.n - point - 1 == 0 || s.n - point - 1 > 9)
			return false;
		for (i = s.n - point - 1; i < 9; i++)
			scale *= 10;
		return !__builtin_mul_overflow(n, scale, ret);
	}
	if (n < limit)
		scale = NS_PER_S;
	else if (n < limit * 1000)
		scale = NS_PER_MS;
	else if (n < limit * 1000000)
		scale = NS_PER_US;
	return s.n > 0 && !__builtin_mul_overflow(n, scale, ret);
}

/* The zone at the end of s, which loses it: seconds east of UTC. */
static bool
take_zone(struct str *s, int zone_s, int *ret)
{
	int h, m;
	struct str z;

	*ret = 0;
	if (s->n > 0 && s->p[s->n - 1] == 'Z') {
		s->n--;
		return true;
	}
	if (s->n <= 6)
		return true;
	z = str_sub(*s, s->n - 6, s->n);
	if ((z.p[0] != '-' && z.p[0] != '+') || z.p[3] != ':') {
		*ret = zone_s;
		return true;
	}
	if (!digits(z, 1, 2, &h) || !digits(z, 4, 2, &m) || h > 23 || m > 59)
		return false;
	*ret = (z.p[0] == '-' ? -1 : 1) * (h * 3600 + m * 60);
	s->n -= 6;
	return true;
}

/* now, now-1h, now+1h, and 1h or -1h, which are that long ago. */
static bool
parse_relative(struct str s, struct wall now, int64_t *ret)
{
	bool named = str_starts(s, STR("now")), later;
	int64_t d = 0;

	s = str_sub(s, named ? 3 : 0, s.n);
	later = s.n > 0 && s.p[0] == '+';
	if (named && s.n > 0 && !later && s.p[0] != '-')
		return false;
	s = str_sub(s, later ? 1 : 0, s.n);
	if ((s.n > 0 || later) && (!value_duration(s, &d) || (later && d < 0)))
		return false;
	*ret = time_sub(now.ns, later ? -d : d < 0 ? -d : d);
	return true;
}

bool
time_parse(struct str s, struct wall now, int zone_s, int64_t *ret_ns)
{
	struct str orig = s;
	struct wall t;
	bool has_zone;
	int zone;

	if (s.n == 0 || !take_zone(&s, zone_s, &zone) || s.n == 0)
		return false;
	if (str_starts(s, STR("now")) || s.p[s.n - 1] > '9' || s.p[0] == '-')
		return parse_relative(s, now, ret_ns);
	if (s.n != LEN_YEAR && str_find_byte(orig, '-') == SIZE_MAX)
		return parse_unix(orig, ret_ns);
	switch (s.n) {
	case LEN_YEAR:
	case LEN_MONTH:
	case LEN_DAY:
	case LEN_HOUR:
	case LEN_MINUTE:
	case LEN_SECOND:
		if (!parse_civil(s, ret_ns))
			return false;
		*ret_ns = time_sub(*ret_ns, zone * NS_PER_S);
		return true;
	default:
		if (s.n < LEN_SECOND || wall_parse_rfc3339(orig, zone_s, &t, &has_zone) != 0)
			return false;
		*ret_ns = t.ns;
		return true;
	}
}

/* The start of the next month (months 1) or year (months 12), with the zone's shift kept. */
static int64_t
add_months(int64_t ns, int months)
{
	/* In a zone, a month may begin on the last day of the one before. */
	int64_t shift = (ns % NS_PER_DAY + NS_PER_DAY) % NS_PER_DAY;
	struct civil c = wall_civil((struct wall){ time_sub(ns, shift) });
	bool month_end = c.day != 1;

	if (month_end) {
		c.day = 1;
		c.month++;
	}
	c.month += months;
	c.year += (c.month - 1) / 12;
	c.month = (c.month - 1) % 12 + 1;
	return time_sub(civil_wall(&c).ns, (month_end ? NS_PER_DAY : 0) - shift);
}

int64_t
time_last(int64_t ns, struct str s)
{
	int64_t step = 1;
	int zone;

	(void)take_zone(&s, 0, &zone);
	if (s.n == LEN_YEAR)
		return time_sub(add_months(ns, 12), 1);
	if (s.n < LEN_YEAR || s.p[LEN_YEAR] != '-')
		return ns;
	switch (s.n) {
	case LEN_MONTH:
		return time_sub(add_months(ns, 1), 1);
	case LEN_DAY:
		step = NS_PER_DAY;
		break;
	case LEN_HOUR:
		step = NS_PER_HOUR;
		break;
	case LEN_MINUTE:
		step = NS_PER_MIN;
		break;
	case LEN_SECOND:
		step = NS_PER_S;
		break;
	case LEN_SECOND + 4:
		step = NS_PER_MS;
		break;
	case LEN_SECOND + 7:
		step = NS_PER_US;
		break;
	default:
		break;
	}
	return ns > INT64_MAX - step ? INT64_MAX : ns + step - 1;
}
