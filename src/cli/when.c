/*
 * cli/when.c - times on the command line.
 * One job: the forms in which people write a time.
 * Floor: 6 (uses base).
 */
#include "cli/options.h"

/* t - seconds; at the ends of what can be said it stays there. */
static struct wall
earlier(struct wall t, int64_t seconds)
{
	int64_t ns;

	if (__builtin_sub_overflow(t.ns, seconds * NS_PER_S, &ns))
		ns = seconds < 0 ? INT64_MAX : INT64_MIN;
	return (struct wall){ ns };
}

/* An instant whose civil fields in the host's zone are those of ${utc} in UTC. */
static struct wall
from_local(struct wall utc)
{
	struct wall t = earlier(utc, wall_local_offset(utc));

	/* Near a change of the zone's offset the first guess can be off by that change. */
	return earlier(utc, wall_local_offset(t));
}

static bool
digits(struct str s, size_t at, size_t n, int *ret)
{
	size_t i;

	*ret = 0;
	for (i = at; i < at + n; i++) {
		if (i >= s.n || s.p[i] < '0' || s.p[i] > '9')
			return false;
		*ret = *ret * 10 + s.p[i] - '0';
	}
	return true;
}

static bool
byte_at(struct str s, size_t at, char c)
{
	return at < s.n && s.p[at] == (uint8_t)c;
}

/* HH:MM or HH:MM:SS at the end of s from at. */
static bool
time_of_day(struct str s, size_t at, struct civil *c)
{
	if (!digits(s, at, 2, &c->hour) || !byte_at(s, at + 2, ':') ||
	    !digits(s, at + 3, 2, &c->minute) || c->hour > 23 || c->minute > 59)
		return false;
	if (s.n == at + 5)
		return true;
	return s.n == at + 8 && byte_at(s, at + 5, ':') && digits(s, at + 6, 2, &c->second) &&
	    c->second < 60;
}

static bool
is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* YYYY-MM-DD, then nothing or 'T' or a blank and the time of the day. */
static bool
local_date(struct str s, struct wall *ret)
{
	struct civil c = { 0 }, day = { 0 }, back;
	int year;

	if (!digits(s, 0, 4, &year) || !byte_at(s, 4, '-') || !digits(s, 5, 2, &c.month) ||
	    !byte_at(s, 7, '-') || !digits(s, 8, 2, &c.day))
		return false;
	c.year = year;
	if (s.n > 10 && ((!byte_at(s, 10, 'T') && !byte_at(s, 10, ' ')) || !time_of_day(s, 11, &c)))
		return false;
	if (c.month < 1 || c.month > 12 || c.day < 1 || c.day > 31)
		return false;
	/* 30 February comes back as another day.  2000 and 2001 have all kinds of them, and 9999 is no instant. */
	day = (struct civil){ .year = is_leap(year) ? 2000 : 2001, .month = c.month, .day = c.day };
	back = wall_civil(civil_wall(&day));
	if (back.day != c.day || back.month != c.month)
		return false;
	*ret = from_local(civil_wall(&c));
	return true;
}

/* The time ${of_day} of the day that is ${days} before today, in the host's zone. */
static struct wall
on_day(struct wall now, int64_t days, int64_t of_day)
{
	int64_t local = now.ns + wall_local_offset(now) * NS_PER_S;
	int64_t rest = local % NS_PER_DAY;

	if (rest < 0)
		rest += NS_PER_DAY;
	return from_local((struct wall){ local - rest - days * NS_PER_DAY + of_day });
}

static bool
epoch(struct str s, struct wall *ret)
{
	int64_t v = 0, unit = NS_PER_S;
	bool negative = s.n > 0 && s.p[0] == '-';
	size_t i = negative ? 1 : 0;

	if (i == s.n)
		return false;
	for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++)
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, s.p[i] - '0', &v))
			return false;
	if (__builtin_mul_overflow(v, NS_PER_S, &v))
		return false;
	if (i < s.n && s.p[i] == '.')
		for (i++; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++) {
			unit /= 10;
			if (__builtin_add_overflow(v, (s.p[i] - '0') * unit, &v))
				return false;
		}
	*ret = (struct wall){ negative ? -v : v };
	return i == s.n;
}

bool
options_when(struct str s, struct wall now, struct wall *ret)
{
	struct civil c = { 0 };
	struct span ago;
	bool has_zone;

	if (s.n > 1 && s.p[0] == '@')
		return epoch(str_sub(s, 1, s.n), ret);
	if (span_parse(s, &ago) == 0) {
		/* -1h says what 1h says. */
		*ret = (struct wall){ now.ns - (ago.ns < 0 ? -ago.ns : ago.ns) };
		return true;
	}
	if (str_eq_c(s, "now") || str_eq_c(s, "today") || str_eq_c(s, "yesterday")) {
		*ret = s.n == 3 ? now : on_day(now, s.n == 9 ? 1 : 0, 0);
		return true;
	}
	if (local_date(s, ret))
		return true;
	if (time_of_day(s, 0, &c)) {
		*ret = on_day(now, 0,
		    c.hour * NS_PER_HOUR + c.minute * NS_PER_MIN + c.second * NS_PER_S);
		return true;
	}
	if (wall_parse_rfc3339(s, 0, ret, &has_zone) != 0)
		return false;
	if (!has_zone)
		*ret = from_local(*ret);
	return true;
}
