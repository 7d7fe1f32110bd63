/*
 * parsers/moment.c - times as logs write them.
 * One job: from text to an instant, in the source's zone where the text has none.
 * Floor: 2 (uses base).
 *
 * Lines of a log follow each other in time, so the minute is nearly always that of the line before, and the date almost
 * ever: what is left of the text is computed anew.
 */
#include "base/digits.h"
#include "parsers/moment_internal.h"
#include "parsers/parser.h"
#include "record/record.h"

enum {
	BUCKET_S = 900,
	FRACTION_DIGITS = 9,
	SECONDS_AT = 17,
	POINT_AT = 19,
	FRACTION_AT = 20,
	FORM_DIGITS_MAX = 7
};

/* Epochs count as times from 1980 to 2200; in these bounds s, ms, us and ns cannot be mixed up. */
#define EPOCH_MIN_S INT64_C(315532800)
#define EPOCH_MAX_S INT64_C(7258118400)

void
moment_init(struct moment *m, bool zone_set, int zone_s)
{
	*m = (struct moment){ .zone_set = zone_set, .zone_s = zone_s };
}

/*
 * The offset before the change nearest to local time s, if that local time exists with it, else the one
 * after, else (the hour left out) the one before.
 */
static int
host_offset(int64_t s)
{
	int before = wall_local_offset((struct wall){ (s - 86400) * NS_PER_S });
	int after = wall_local_offset((struct wall){ (s + 86400) * NS_PER_S });

	if (before == after ||
	    wall_local_offset((struct wall){ (s - before) * NS_PER_S }) == before)
		return before;
	return wall_local_offset((struct wall){ (s - after) * NS_PER_S }) == after ? after : before;
}

struct wall
moment_local(struct moment *m, int64_t local_ns)
{
	int64_t s = local_ns / NS_PER_S, bucket = s / BUCKET_S;
	int64_t ns;

	if (m->zone_set)
		m->offset_s = m->zone_s;
	else if (s > INT64_MAX / NS_PER_S - 2 * 86400 || s < INT64_MIN / NS_PER_S + 2 * 86400)
		m->offset_s = 0;
	else if (!m->have_bucket || bucket != m->bucket) {
		m->offset_s = host_offset(s);
		m->bucket = bucket;
		m->have_bucket = true;
	}
	if (__builtin_sub_overflow(local_ns, m->offset_s * NS_PER_S, &ns))
		ns = local_ns;
	return (struct wall){ ns };
}

int
moment_month(struct str s)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int i;

	if (s.n >= 3)
		for (i = 0; i < 12; i++)
			if (memcmp(s.p, names + 3 * i, 3) == 0)
				return i + 1;
	return 0;
}

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* n digits at p as a number, or -1. */
int
moment_digits(const uint8_t *p, size_t n)
{
	int v = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		if (!is_digit(p[i]))
			return -1;
		v = v * 10 + (p[i] - '0');
	}
	return v;
}

/* Two digits at p as a number; a number beyond 99 where they are none. */
static inline unsigned
two_digits(const uint8_t *p)
{
	unsigned tens = p[0] - (unsigned)'0', ones = p[1] - (unsigned)'0';

	return tens > 9 || ones > 9 ? 100 : tens * 10 + ones;
}

/* hh:mm:ss at p, in seconds, or -1. */
int
moment_clock_seconds(const uint8_t *p)
{
	unsigned h = two_digits(p), m = two_digits(p + 3), s = two_digits(p + 6);

	if (p[2] != ':' || p[5] != ':' || h > 23 || m > 59 || s > 60)
		return -1;
	return (int)(h * 3600 + m * 60 + s);
}

static int
month_days(int y, int m)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return m == 2 && ((y % 4 == 0 && y % 100 != 0) || y % 400 == 0) ? 29 : days[m - 1];
}

bool
moment_date_days(int y, int mo, int d, int64_t *ret)
{
	if (y < 0 || mo < 1 || mo > 12 || d < 1 || d > month_days(y, mo))
		return false;
	*ret = days_from_civil(y, mo, d);
	return true;
}

/* yyyy-mm-dd or yyyy/mm/dd at p[10]. */
static bool
iso_days(struct moment *m, const uint8_t *p, int64_t *ret)
{
	if (m->have_date && memcmp(p, m->date, sizeof(m->date)) == 0) {
		*ret = m->days;
		return true;
	}
	if ((p[4] != '-' && p[4] != '/') || p[7] != p[4] ||
	    !moment_date_days(moment_digits(p, 4), moment_digits(p + 5, 2), moment_digits(p + 8, 2),
	        ret))
		return false;
	memcpy(m->date, p, sizeof(m->date));
	m->days = *ret;
	m->have_date = true;
	return true;
}

static const int fraction_units[FRACTION_DIGITS + 1] = { 1000000000, 100000000, 10000000, 1000000,
	100000, 10000, 1000, 100, 10, 1 };

/* The digits after '.' or ',' at s[at] as ns; returns where they end, at when there are none. */
size_t
moment_fraction(struct str s, size_t at, int *ret_ns)
{
	size_t from = at + 1, most = from + FRACTION_DIGITS, i;
	uint64_t x;
	int v = 0;

	*ret_ns = 0;
	if (at >= s.n || (s.p[at] != '.' && s.p[at] != ','))
		return at;
	/* Milliseconds and microseconds without a loop; what stands before them is shifted out where little stands behind. */
	if (s.n >= 8 && s.n > from) {
		x = s.n - from >= 8 ? bytes_load_le(s.p + from)
		                    : bytes_load_le(s.p + s.n - 8) >> (8 - (s.n - from)) * 8;
		i = digits_count_of(x);
		if (i != 0 && i != 8) {
			*ret_ns = (int)digits_value_of(x, i) * fraction_units[i];
			return from + i;
		}
	}
	most = most < s.n ? most : s.n;
	for (i = from; i < most && is_digit(s.p[i]); i++)
		v = v * 10 + (s.p[i] - '0');
	if (i == from)
		return at;
	*ret_ns = v * fraction_units[i - from];
	/* What is finer than a nanosecond. */
	while (i < s.n && is_digit(s.p[i]))
		i++;
	return i;
}

/* Z, +hh:mm, +hhmm or +hh at s[at]: where it ends, or at when there is none. */
size_t
moment_zone(struct str s, size_t at, int *ret_s)
{
	size_t left = s.n - at;
	int h, m = 0;
	size_t n;

	if (left >= 1 && (s.p[at] == 'Z' || s.p[at] == 'z')) {
		*ret_s = 0;
		return at + 1;
	}
	if (left >= 3 && (memcmp(s.p + at, "UTC", 3) == 0 || memcmp(s.p + at, "GMT", 3) == 0)) {
		*ret_s = 0;
		return at + 3;
	}
	if (left < 3 || (s.p[at] != '+' && s.p[at] != '-'))
		return at;
	h = moment_digits(s.p + at + 1, 2);
	n = 3;
	if (left >= 6 && s.p[at + 3] == ':' && (m = moment_digits(s.p + at + 4, 2)) >= 0)
		n = 6;
	else if (left >= 5 && (m = moment_digits(s.p + at + 3, 2)) >= 0)
		n = 5;
	else
		m = 0;
	if (h < 0 || h > 23 || m > 59)
		return at;
	*ret_s = (s.p[at] == '-' ? -1 : 1) * (h * 3600 + m * 60);
	return at + n;
}

/* What days, seconds of the day, fraction and zone make; without a zone by local rules. */
bool
moment_assemble(struct moment *m, int64_t days, int secs, int ns, const int *zone_s,
    struct wall *ret)
{
	int64_t t;

	if (__builtin_mul_overflow(days * 86400 + secs, NS_PER_S, &t) ||
	    __builtin_add_overflow(t, ns, &t))
		return false;
	if (zone_s == NULL)
		*ret = moment_local(m, t);
	else if (__builtin_sub_overflow(t, *zone_s * NS_PER_S, &ret->ns))
		return false;
	return true;
}

size_t
moment_zoned(struct moment *m, struct str s, size_t at, int64_t days, int secs, int ns,
    struct wall *ret)
{
	/* Some write a blank before the zone: 2026-11-21 02:14:13 +0000. */
	size_t from = at + (at < s.n && s.p[at] == ' ');
	int zone_s = 0;
	size_t end = moment_zone(s, from, &zone_s);

	if (end == from)
		return moment_assemble(m, days, secs, ns, NULL, ret) ? at : 0;
	return moment_assemble(m, days, secs, ns, &zone_s, ret) ? end : 0;
}

size_t
moment_prefix(struct moment *m, struct str s, struct wall *ret)
{
	int64_t days;
	int secs, ns;
	size_t at;

	if (s.n < 19 || (s.p[10] != 'T' && s.p[10] != ' ' && s.p[10] != 't') ||
	    !iso_days(m, s.p, &days) || (secs = moment_clock_seconds(s.p + 11)) < 0)
		return 0;
	at = moment_fraction(s, 19, &ns);
	return moment_zoned(m, s, at, days, secs, ns, ret);
}

/* The integer's unit shows by its size; 0 when it is no plausible time. */
static int64_t
epoch_unit(int64_t v)
{
	int64_t unit;

	for (unit = NS_PER_S; unit != 0; unit /= 1000)
		if (v >= EPOCH_MIN_S * (NS_PER_S / unit) && v / (NS_PER_S / unit) < EPOCH_MAX_S)
			return unit;
	return 0;
}

static bool
parse_epoch(struct str s, struct wall *ret)
{
	int64_t v = 0, unit;
	size_t i, end;
	int ns;

	for (i = 0; i < s.n && is_digit(s.p[i]); i++)
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, s.p[i] - '0', &v))
			return false;
	if (i == 0)
		return false;
	unit = epoch_unit(v);
	end = moment_fraction(s, i, &ns);
	if (unit == 0 || end != s.n || (i < s.n && s.p[i] != '.'))
		return false;
	/* ns are of a second; of a smaller unit the fraction counts so much less. */
	*ret = (struct wall){ v * unit + ns / (NS_PER_S / unit) };
	return true;
}

/* The digits of the fraction, from the lowest byte on, and no matter what behind them. */
static inline uint64_t
form_fraction(const struct moment_form *f, const uint8_t *p)
{
	return bytes_load_le(p + f->at) >> f->shift;
}

/* A time that is written as the last one was, in the same minute. */
static inline bool
form_parse(const struct moment_form *f, struct str s, struct wall *ret)
{
	uint64_t x, other;
	unsigned second;

	if (s.n != f->n || s.n == 0)
		return false;
	other = (bytes_load_le(s.p) ^ f->minute[0]) | (bytes_load_le(s.p + 8) ^ f->minute[1]);
	other |= (bytes_load_le(s.p + s.n - 8) & f->tail_mask) ^ f->tail;
	second = two_digits(s.p + SECONDS_AT);
	x = form_fraction(f, s.p);
	if (other != 0 || s.p[SECONDS_AT - 1] != ':' || second > 59 || s.p[POINT_AT] != f->point ||
	    digits_count_of(x) != f->digits)
		return false;
	ret->ns = f->start_ns + second * NS_PER_S +
	    (int64_t)digits_value_of(x, f->digits) * fraction_units[f->digits];
	return true;
}

/* Note how ${s}, which is time ${t} and nothing else, is written. */
static void
form_learn(struct moment_form *f, struct str s, struct wall t)
{
	unsigned second;
	size_t tail_n;
	uint64_t x;
	int64_t into;

	f->n = 0;
	if (s.n <= FRACTION_AT + 1 || (s.p[POINT_AT] != '.' && s.p[POINT_AT] != ','))
		return;
	f->at = s.n < FRACTION_AT + 8 ? s.n - 8 : FRACTION_AT;
	f->shift = (unsigned)(FRACTION_AT - f->at) * 8;
	f->point = s.p[POINT_AT];
	x = form_fraction(f, s.p);
	f->digits = (unsigned)digits_count_of(x);
	tail_n = s.n - FRACTION_AT - f->digits;
	if (f->digits == 0 || f->digits > FORM_DIGITS_MAX || tail_n == 0 || tail_n > 8)
		return;
	f->tail_mask = UINT64_MAX << (8 - tail_n) * 8;
	f->tail = bytes_load_le(s.p + s.n - 8) & f->tail_mask;
	f->minute[0] = bytes_load_le(s.p);
	f->minute[1] = bytes_load_le(s.p + 8);
	second = two_digits(s.p + SECONDS_AT);
	into =
	    second * NS_PER_S + (int64_t)digits_value_of(x, f->digits) * fraction_units[f->digits];
	/* Second 60 is written like the others, and is of the next minute. */
	if (second > 59 || __builtin_sub_overflow(t.ns, into, &f->start_ns) ||
	    f->start_ns > INT64_MAX - NS_PER_MIN)
		return;
	f->n = s.n;
	f->id = record_time_form_new();
}

bool
moment_parse(struct moment *m, struct str s, struct wall *ret)
{
	struct wall t;

	if (s.n < 9 || s.n > 64)
		return false;
	/* The usual forms first. */
	m->last_form = m->form.id;
	if (LIKELY(form_parse(&m->form, s, ret)))
		return true;
	m->last_form = 0;
	if (moment_prefix(m, s, &t) == s.n) {
		form_learn(&m->form, s, t);
		m->last_form = m->form.n != 0 ? m->form.id : 0;
		*ret = t;
		return true;
	}
	if (is_digit(s.p[0]) && parse_epoch(s, ret))
		return true;
	if (moment_english(m, s, &t) != s.n)
		return false;
	*ret = t;
	return true;
}

bool
parser_time(struct str s, int zone_s, struct wall *ret)
{
	struct moment m;

	moment_init(&m, true, zone_s);
	return moment_parse(&m, str_trim(s), ret);
}
