/*
 * base/wall.c - time.
 * One job: instants and lengths of time, and their text forms.
 * Floor: 0.
 *
 * The calendar is Howard Hinnant's days_from_civil: eras of 400 years that begin in March, so that
 * the leap day is the last of its year.
 */
#include "base/wall.h"

#include <stdio.h>
#include <time.h>

static int64_t
clock_ns(clockid_t id)
{
	struct timespec ts = { 0, 0 };

	(void)clock_gettime(id, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

struct wall
wall_now(void)
{
	return (struct wall){ clock_ns(CLOCK_REALTIME) };
}

struct span
mono_now(void)
{
	return (struct span){ clock_ns(CLOCK_MONOTONIC) };
}

struct span
boot_now(void)
{
	return (struct span){ clock_ns(CLOCK_BOOTTIME) };
}

int64_t
days_from_civil(int64_t y, int m, int d)
{
	int64_t era, yoe, doy, doe;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + doe - 719468;
}

struct civil
wall_civil(struct wall t)
{
	struct civil c;
	int64_t days = t.ns / NS_PER_DAY, rest = t.ns % NS_PER_DAY, era, doe, yoe, doy, mp;

	if (rest < 0) {
		rest += NS_PER_DAY;
		days--;
	}
	c.weekday = (int)((days % 7 + 11) % 7);
	c.ns = (int)(rest % NS_PER_S);
	rest /= NS_PER_S;
	c.hour = (int)(rest / 3600);
	c.minute = (int)(rest / 60 % 60);
	c.second = (int)(rest % 60);
	days += 719468;
	era = (days >= 0 ? days : days - 146096) / 146097;
	doe = days - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	c.day = (int)(doy - (153 * mp + 2) / 5 + 1);
	c.month = (int)(mp < 10 ? mp + 3 : mp - 9);
	c.year = yoe + era * 400 + (c.month <= 2);
	return c;
}

struct wall
civil_wall(const struct civil *c)
{
	int64_t s, ns;

	s = days_from_civil(c->year, c->month, c->day) * 86400 + c->hour * 3600 + c->minute * 60 +
	    c->second;
	if (__builtin_mul_overflow(s, NS_PER_S, &ns) || __builtin_add_overflow(ns, c->ns, &ns))
		ns = s < 0 ? INT64_MIN : INT64_MAX;
	return (struct wall){ ns };
}

static char *
put_digits(char *out, int64_t v, int n)
{
	int i;

	for (i = n - 1; i >= 0; i--) {
		out[i] = (char)('0' + v % 10);
		v /= 10;
	}
	return out + n;
}

size_t
wall_format(char out[WALL_TEXT_MAX], struct wall t)
{
	struct civil c = wall_civil(t);
	char *p = out;
	int64_t y = c.year;

	if (y < 0) {
		*p++ = '-';
		y = -y;
	}
	p = put_digits(p, y, 4);
	*p++ = '-';
	p = put_digits(p, c.month, 2);
	*p++ = '-';
	p = put_digits(p, c.day, 2);
	*p++ = 'T';
	p = put_digits(p, c.hour, 2);
	*p++ = ':';
	p = put_digits(p, c.minute, 2);
	*p++ = ':';
	p = put_digits(p, c.second, 2);
	if (c.ns != 0) {
		*p++ = '.';
		p = put_digits(p, c.ns, 9);
		while (p[-1] == '0')
			p--;
	}
	*p++ = 'Z';
	*p = '\0';
	return (size_t)(p - out);
}

static bool
two(const uint8_t *p, int *ret)
{
	if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
		return false;
	*ret = (p[0] - '0') * 10 + p[1] - '0';
	return true;
}

static int
month_days(int64_t y, int m)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return m == 2 && y % 4 == 0 && (y % 100 != 0 || y % 400 == 0) ? 29 : days[m - 1];
}

/* s[0..] after the seconds: [.fraction][zone] */
static int
parse_tail(struct str s, struct civil *c, int zone_s, int *ret_zone, bool *ret_has_zone)
{
	size_t i = 0;
	int scale = 100000000, h, m;

	if (s.n > 1 && (s.p[0] == '.' || s.p[0] == ',') && s.p[1] >= '0' && s.p[1] <= '9') {
		for (i = 1; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++, scale /= 10)
			c->ns += (s.p[i] - '0') * scale;
	}
	*ret_zone = zone_s;
	*ret_has_zone = i < s.n;
	if (i == s.n)
		return 0;
	if (s.n - i == 1 && (s.p[i] == 'Z' || s.p[i] == 'z')) {
		*ret_zone = 0;
		return 0;
	}
	if ((s.p[i] != '+' && s.p[i] != '-') || s.n - i < 5 || !two(s.p + i + 1, &h))
		return WALL_E_SYNTAX;
	if (s.n - i == 6 && s.p[i + 3] == ':' ? !two(s.p + i + 4, &m)
	                                      : s.n - i != 5 || !two(s.p + i + 3, &m))
		return WALL_E_SYNTAX;
	if (h > 23 || m > 59)
		return WALL_E_SYNTAX;
	*ret_zone = (s.p[i] == '-' ? -1 : 1) * (h * 3600 + m * 60);
	return 0;
}

int
wall_parse_rfc3339(struct str s, int zone_s, struct wall *ret_t, bool *ret_has_zone)
{
	struct civil c = { 0 };
	int hi, lo, zone;
	int64_t ns;

	if (s.n < 19 || !two(s.p, &hi) || !two(s.p + 2, &lo) || s.p[4] != '-' ||
	    !two(s.p + 5, &c.month) || s.p[7] != '-' || !two(s.p + 8, &c.day) ||
	    (s.p[10] != 'T' && s.p[10] != ' ' && s.p[10] != 't') || !two(s.p + 11, &c.hour) ||
	    s.p[13] != ':' || !two(s.p + 14, &c.minute) || s.p[16] != ':' ||
	    !two(s.p + 17, &c.second))
		return WALL_E_SYNTAX;
	c.year = hi * 100 + lo;
	if (c.month < 1 || c.month > 12 || c.day < 1 || c.day > month_days(c.year, c.month) ||
	    c.hour > 23 || c.minute > 59 || c.second > 60)
		return WALL_E_SYNTAX;
	if (parse_tail(str_sub(s, 19, s.n), &c, zone_s, &zone, ret_has_zone) != 0)
		return WALL_E_SYNTAX;
	ns = civil_wall(&c).ns;
	if (ns == INT64_MAX || ns == INT64_MIN)
		return WALL_E_SYNTAX;
	if (__builtin_sub_overflow(ns, zone * NS_PER_S, &ns))
		return WALL_E_SYNTAX;
	*ret_t = (struct wall){ ns };
	return 0;
}

static const struct unit {
	const char *name;
	int64_t ns;
} units[] = {
	{ "ns", 1 },
	{ "us", NS_PER_US },
	{ "\xc2\xb5s", NS_PER_US },
	{ "\xce\xbcs", NS_PER_US },
	{ "ms", NS_PER_MS },
	{ "s", NS_PER_S },
	{ "m", NS_PER_MIN },
	{ "h", NS_PER_HOUR },
	{ "d", NS_PER_DAY },
	{ "w", 7 * NS_PER_DAY },
	{ "y", 365 * NS_PER_DAY },
};

static size_t
find_unit(struct str s, int64_t *ret_ns)
{
	size_t i, n, best = 0;

	for (i = 0; i < ARRAY_LEN(units); i++) {
		n = strlen(units[i].name);
		if (n > best && str_starts(s, str_c(units[i].name))) {
			best = n;
			*ret_ns = units[i].ns;
		}
	}
	return best;
}

/* One number with its unit at the start of s: the bytes taken, or 0. */
static size_t
span_part(struct str s, int64_t *total)
{
	int64_t whole = 0, frac = 0, scale = 1, unit = 0, v;
	size_t i = 0, n, digits = 0;

	for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++, digits++)
		if (__builtin_mul_overflow(whole, 10, &whole) ||
		    __builtin_add_overflow(whole, s.p[i] - '0', &whole))
			return 0;
	if (i < s.n && s.p[i] == '.')
		for (i++; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++, digits++)
			if (scale < INT64_C(1000000000000000)) {
				frac = frac * 10 + s.p[i] - '0';
				scale *= 10;
			}
	n = digits != 0 ? find_unit(str_sub(s, i, s.n), &unit) : 0;
	if (n == 0 || __builtin_mul_overflow(whole, unit, &v) ||
	    __builtin_add_overflow(v, (int64_t)((__int128)frac * unit / scale), &v) ||
	    __builtin_add_overflow(*total, v, total))
		return 0;
	return i + n;
}

int
span_parse(struct str s, struct span *ret)
{
	bool negative = s.n > 0 && s.p[0] == '-';
	int64_t total = 0;
	size_t at = negative ? 1 : 0, n;

	if (at == s.n)
		return WALL_E_SYNTAX;
	for (; at < s.n; at += n) {
		n = span_part(str_sub(s, at, s.n), &total);
		if (n == 0)
			return WALL_E_SYNTAX;
	}
	*ret = (struct span){ negative ? -total : total };
	return 0;
}

size_t
span_format(char out[SPAN_TEXT_MAX], struct span d)
{
	static const struct unit parts[] = { { "w", 7 * NS_PER_DAY }, { "d", NS_PER_DAY },
		{ "h", NS_PER_HOUR }, { "m", NS_PER_MIN }, { "s", NS_PER_S }, { "ms", NS_PER_MS },
		{ "\xc2\xb5s", NS_PER_US }, { "ns", 1 } };
	uint64_t v = d.ns < 0 ? 0 - (uint64_t)d.ns : (uint64_t)d.ns, unit;
	char *p = out;
	size_t i;

	if (v == 0)
		return (size_t)snprintf(out, SPAN_TEXT_MAX, "0s");
	if (d.ns < 0)
		*p++ = '-';
	for (i = 0; i < ARRAY_LEN(parts) && v != 0; i++) {
		unit = (uint64_t)parts[i].ns;
		if (v < unit)
			continue;
		p += snprintf(p, (size_t)(out + SPAN_TEXT_MAX - p), "%llu",
		    (unsigned long long)(v / unit));
		v %= unit;
		/* From seconds down one unit carries the rest as its fraction. */
		if (unit <= (uint64_t)NS_PER_S && v != 0) {
			uint64_t rest = v;

			*p++ = '.';
			for (; rest != 0 && unit > 1; rest %= unit) {
				unit /= 10;
				*p++ = (char)('0' + rest / unit);
			}
			v = 0;
		}
		p += snprintf(p, (size_t)(out + SPAN_TEXT_MAX - p), "%s", parts[i].name);
	}
	return (size_t)(p - out);
}

int
wall_local_offset(struct wall t)
{
	time_t s = (time_t)(t.ns / NS_PER_S);
	struct tm tm;

	return localtime_r(&s, &tm) != NULL ? (int)tm.tm_gmtoff : 0;
}
