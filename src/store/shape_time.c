/*
 * store/shape_time.c - how a time was written.
 * One job: find a known instant in a line, and write it in the same way again.
 * Floor: 2 (uses base).
 */
#include <stdio.h>

#include "store/shape.h"

enum {
	DATE_TEXT = 19,
	EPOCH_TEXT = 10,
	CLF_TEXT = 20,
	SYSLOG_TEXT = 15,
	CLOCK_TEXT = 8,
	ZONE_MAX = 14 * 60,
	DAY_S = 86400
};

static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep",
	"Oct", "Nov", "Dec" };

static char *
put_digits(char *out, uint64_t v, size_t n)
{
	size_t i;

	for (i = n; i-- > 0; v /= 10)
		out[i] = (char)('0' + v % 10);
	return out + n;
}

static inline char *
put_two(char *out, unsigned v)
{
	static const char pairs[] = "00010203040506070809101112131415161718192021222324"
	                            "25262728293031323334353637383940414243444546474849"
	                            "50515253545556575859606162636465666768697071727374"
	                            "75767778798081828384858687888990919293949596979899";

	memcpy(out, pairs + (size_t)2 * v, 2);
	return out + 2;
}

/* 10^9 over 10^digits. */
static const uint32_t units[10] = { 1000000000, 100000000, 10000000, 1000000, 100000, 10000, 1000,
	100, 10, 1 };

static char *
put_fraction(char *out, const struct time_style *st, uint64_t ns)
{
	uint32_t v;
	unsigned i;

	if (st->digits == 0)
		return out;
	if (st->point != 0)
		*out++ = (char)st->point;
	v = (uint32_t)ns / units[st->digits];
	for (i = st->digits; i >= 2; i -= 2, v /= 100)
		(void)put_two(out + i - 2, v % 100);
	if (i != 0)
		out[0] = (char)('0' + v);
	return out + st->digits;
}

static char *
put_zone(char *out, const struct time_style *st)
{
	unsigned m = (unsigned)(st->minutes < 0 ? -st->minutes : st->minutes);

	if (st->zone == 'Z')
		*out++ = 'Z';
	if (st->zone == 0 || st->zone == 'Z')
		return out;
	*out++ = st->minutes < 0 ? '-' : '+';
	out = put_digits(out, m / 60, 2);
	if (st->zone == ':')
		*out++ = ':';
	return put_digits(out, m % 60, 2);
}

struct instant {
	int64_t s;
	uint64_t ns;
};

static struct instant
instant_of(int64_t t)
{
	int64_t s = t / NS_PER_S, ns = t % NS_PER_S;

	return ns < 0 ? (struct instant){ s - 1, (uint64_t)(ns + NS_PER_S) }
	              : (struct instant){ s, (uint64_t)ns };
}

/* The date, and what stands between it and the time. */
static char *
put_day(char *p, const struct time_style *st, const struct civil *c)
{
	const char *month = months[(unsigned)(c->month - 1) % 12];

	if (st->form == TIME_SYSLOG) {
		p = mempcpy(p, month, 3);
		*p++ = ' ';
		p = put_digits(p, (uint64_t)c->day, 2);
		if (c->day < 10)
			p[-2] = (char)st->separator;
		*p++ = ' ';
		return p;
	}
	if (st->form == TIME_CLF) {
		p = put_digits(p, (uint64_t)c->day, 2);
		*p++ = '/';
		p = mempcpy(p, month, 3);
		*p++ = '/';
		p = put_digits(p, (uint64_t)c->year, 4);
		*p++ = ':';
		return p;
	}
	p = put_digits(p, (uint64_t)c->year, 4);
	*p++ = '-';
	p = put_digits(p, (uint64_t)c->month, 2);
	*p++ = '-';
	p = put_digits(p, (uint64_t)c->day, 2);
	*p++ = (char)st->separator;
	return p;
}

/* hh:mm:ss of second ${s} of a day. */
static char *
put_clock(char *p, unsigned s)
{
	p = put_two(p, s / 3600);
	*p++ = ':';
	p = put_two(p, s / 60 % 60);
	*p++ = ':';
	return put_two(p, s % 60);
}

/* ${ret_at} is where the fraction begins, behind the clock where there is one. */
static size_t
write_time(const struct time_style *st, struct instant i, char out[TIME_STYLE_TEXT], size_t *ret_at)
{
	struct civil c;
	char *p = out;

	if (st->form == TIME_EPOCH) {
		/* Before 2001 and from 2286 on the number has not ten digits: the line is kept. */
		p = put_digits(p, (uint64_t)i.s, EPOCH_TEXT);
		*ret_at = (size_t)(p - out);
		return (size_t)(put_fraction(p, st, i.ns) - out);
	}
	if (i.s > INT64_MAX / NS_PER_S - DAY_S || i.s < INT64_MIN / NS_PER_S + DAY_S)
		return 0;
	c = wall_civil((struct wall){ i.s * NS_PER_S + st->minutes * NS_PER_MIN });
	p = put_clock(put_day(p, st, &c),
	    (unsigned)c.hour * 3600 + (unsigned)c.minute * 60 + (unsigned)c.second);
	*ret_at = (size_t)(p - out);
	p = put_fraction(p, st, i.ns);
	if (st->form == TIME_CLF && st->zone != 0)
		*p++ = ' ';
	return (size_t)(put_zone(p, st) - out);
}

size_t
time_style_write(const struct time_style *st, int64_t t, char out[TIME_STYLE_TEXT])
{
	size_t at;

	return write_time(st, instant_of(t), out, &at);
}

_Static_assert(sizeof(struct time_style) == 8, "no padding among what is compared");

static bool
style_equal(const struct time_style *a, const struct time_style *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static int64_t
day_start(int64_t s)
{
	int64_t into = s % DAY_S;

	return s - (into < 0 ? into + DAY_S : into);
}

struct str
time_text_of(struct time_text *c, const struct time_style *st, int64_t t)
{
	struct instant i = instant_of(t);

	if (i.s >= c->first && i.s < c->end && style_equal(&c->style, st)) {
		if (i.s != c->now && st->form != TIME_EPOCH)
			(void)put_clock(c->text + c->at - CLOCK_TEXT, (unsigned)(i.s - c->first));
		c->now = i.s;
		(void)put_fraction(c->text + c->at, st, i.ns);
		return str_of(c->text, c->n);
	}
	c->n = write_time(st, i, c->text, &c->at);
	c->style = *st;
	c->first = c->now = i.s;
	c->end = c->n > 0 ? i.s + 1 : i.s;
	if (st->form != TIME_EPOCH && c->n > 0) {
		c->first = day_start(i.s + st->minutes * 60) - st->minutes * 60;
		c->end = c->first + DAY_S;
	}
	return str_of(c->text, c->n);
}

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static size_t
count_digits(struct str s, size_t at)
{
	size_t n = 0;

	while (at + n < s.n && is_digit(s.p[at + n]))
		n++;
	return n;
}

/* What stands behind the seconds at ${at}. */
static void
find_fraction(struct str s, size_t *at, struct time_style *st)
{
	size_t n;

	if (*at >= s.n || (s.p[*at] != '.' && s.p[*at] != ','))
		return;
	n = count_digits(s, *at + 1);
	if (n == 0 || n > 9)
		return;
	st->point = s.p[*at];
	st->digits = (uint8_t)n;
	*at += n + 1;
}

static void
find_zone(struct str s, size_t at, struct time_style *st)
{
	if (at >= s.n)
		return;
	if (s.p[at] == 'Z')
		st->zone = 'Z';
	else if ((s.p[at] == '+' || s.p[at] == '-') && count_digits(s, at + 1) == 4)
		st->zone = '+';
	else if ((s.p[at] == '+' || s.p[at] == '-') && count_digits(s, at + 1) == 2 &&
	    at + 3 < s.n && s.p[at + 3] == ':')
		st->zone = ':';
}

/* Whether the text at ${at} has the form: d is a digit, a a letter, s a digit or a blank, ? any byte. */
static bool
looks_like(struct str s, size_t at, const char *form)
{
	size_t i;
	uint8_t c;

	for (i = 0; form[i] != 0; i++) {
		if (at + i >= s.n)
			return false;
		c = s.p[at + i];
		if (form[i] == 'd'       ? !is_digit(c)
		        : form[i] == 's' ? !is_digit(c) && c != ' '
		        : form[i] == 'a' ? (c | 32) < 'a' || (c | 32) > 'z'
		                         : form[i] != '?' && c != (uint8_t)form[i])
			return false;
	}
	return true;
}

static bool
same_text(struct str s, size_t at, const struct time_style *st, int64_t t)
{
	char text[TIME_STYLE_TEXT];
	size_t n = time_style_write(st, t, text);

	return n != 0 && n <= s.n - at && memcmp(s.p + at, text, n) == 0;
}

/* The rest of a style whose clock shows ${iso} (DATE_TEXT bytes) and ends at ${end}. */
static bool
local_style(struct str s, size_t at, size_t end, const char *iso, int64_t t, struct time_style *st)
{
	struct wall local;
	int64_t apart;
	bool zone;

	if (wall_parse_rfc3339(str_of(iso, DATE_TEXT), 0, &local, &zone) != 0)
		return false;
	apart = local.ns / NS_PER_MIN - t / NS_PER_MIN;
	if (apart > ZONE_MAX || apart < -ZONE_MAX)
		return false;
	st->minutes = (int16_t)apart;
	find_fraction(s, &end, st);
	if (st->form == TIME_CLF)
		end += end < s.n && s.p[end] == ' ' ? 1 : 0;
	if (st->form != TIME_SYSLOG)
		find_zone(s, end, st);
	/* A blank that no zone follows belongs to what comes next. */
	if (st->form == TIME_CLF && st->zone != '+')
		st->zone = 0;
	return same_text(s, at, st, t);
}

/* A date at ${at} that is ${t} in some zone. */
static bool
date_style(struct str s, size_t at, int64_t t, struct time_style *st)
{
	char iso[DATE_TEXT + 1];

	*st = (struct time_style){ .separator = s.p[at + 10] };
	memcpy(iso, s.p + at, DATE_TEXT);
	iso[10] = 'T';
	return local_style(s, at, at + DATE_TEXT, iso, t, st);
}

/* The month's number from 1, or 0. */
static unsigned
month_at(struct str s, size_t at)
{
	unsigned m = 0;

	while (m < ARRAY_LEN(months) && memcmp(s.p + at, months[m], 3) != 0)
		m++;
	return m < ARRAY_LEN(months) ? m + 1 : 0;
}

static bool
clf_style(struct str s, size_t at, int64_t t, struct time_style *st)
{
	char iso[64];
	unsigned month = month_at(s, at + 3);

	*st = (struct time_style){ .form = TIME_CLF };
	if (month == 0)
		return false;
	(void)snprintf(iso, sizeof(iso), "%.4s-%02u-%.2sT%.8s", (const char *)s.p + at + 7, month,
	    (const char *)s.p + at, (const char *)s.p + at + 12);
	return local_style(s, at, at + CLF_TEXT, iso, t, st);
}

static bool
syslog_style(struct str s, size_t at, int64_t t, struct time_style *st)
{
	char iso[64];
	unsigned month = month_at(s, at), pad = s.p[at + 4];
	int64_t year;
	int i;

	if (month == 0 || t > INT64_MAX - NS_PER_DAY || t < INT64_MIN + NS_PER_DAY)
		return false;
	/* Around the new year its zone may have another year than UTC. */
	year = wall_civil((struct wall){ t }).year;
	for (i = -1; i <= 1; i++) {
		*st =
		    (struct time_style){ .form = TIME_SYSLOG, .separator = pad == ' ' ? ' ' : '0' };
		if (year + i < 1 || year + i > 9999)
			continue;
		(void)snprintf(iso, sizeof(iso), "%04u-%02u-%c%cT%.8s", (unsigned)(year + i), month,
		    pad == ' ' ? '0' : (char)pad, (char)s.p[at + 5], (const char *)s.p + at + 7);
		if (local_style(s, at, at + SYSLOG_TEXT, iso, t, st))
			return true;
	}
	return false;
}

/* A number at ${at} whose first digits are the seconds of ${t}. */
static bool
epoch_style(struct str s, size_t at, int64_t t, struct time_style *st)
{
	size_t n = count_digits(s, at), end = at + n;

	*st = (struct time_style){ .form = TIME_EPOCH };
	if (n != 10 && n != 13 && n != 16 && n != 19)
		return false;
	st->digits = (uint8_t)(n - EPOCH_TEXT);
	if (n == EPOCH_TEXT)
		find_fraction(s, &end, st);
	return same_text(s, at, st, t);
}

bool
time_style_find(struct str s, int64_t t, size_t *ret_at, struct time_style *ret_st)
{
	size_t i;

	for (i = 0; i + EPOCH_TEXT <= s.n; i++) {
		*ret_at = i;
		if (looks_like(s, i, "aaa sd dd:dd:dd") && syslog_style(s, i, t, ret_st))
			return true;
		if (!is_digit(s.p[i]) || (i > 0 && is_digit(s.p[i - 1])))
			continue;
		if ((looks_like(s, i, "dddd-dd-dd?dd:dd:dd") && date_style(s, i, t, ret_st)) ||
		    (looks_like(s, i, "dd/aaa/dddd:dd:dd:dd") && clf_style(s, i, t, ret_st)) ||
		    epoch_style(s, i, t, ret_st))
			return true;
	}
	return false;
}
