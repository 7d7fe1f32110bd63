/*
 * parsers/moment_english.c - times with the English names of months.
 * One job: the forms of web servers, mail, ctime and Redis.
 * Floor: 2 (uses base).
 *
 *   21/Nov/2026:02:14:13 +0000          access logs
 *   [Sat ]Nov 21 02:14:13.123 2026      ctime, Apache's error log
 *   [Sat, ]21 Nov 2026 02:14:13.123 GMT RFC 5322, HTTP, Redis
 */
#include "parsers/moment_internal.h"

enum { CLOCK = 8 };

static bool
is_letter(uint8_t c)
{
	return str_lower_byte(c) >= 'a' && str_lower_byte(c) <= 'z';
}

/* One or two digits, or a blank and one, at s[*at]; -1 when there are none. */
static int
take_day(struct str s, size_t *at)
{
	int d;

	*at += *at < s.n && s.p[*at] == ' ';
	if (*at + 2 > s.n)
		return -1;
	d = moment_digits(s.p + *at, 2);
	*at += d >= 0 ? 2 : 1;
	return d >= 0 ? d : moment_digits(s.p + *at - 1, 1);
}

static size_t
access_form(struct moment *m, struct str s, struct wall *ret)
{
	int64_t days;
	int secs;

	if (s.n < 20 || s.p[2] != '/' || s.p[6] != '/' || s.p[11] != ':' ||
	    !moment_date_days(moment_digits(s.p + 7, 4), moment_month(str_sub(s, 3, 6)),
	        moment_digits(s.p, 2), &days))
		return 0;
	secs = moment_clock_seconds(s.p + 12);
	return secs >= 0 ? moment_zoned(m, s, 20, days, secs, 0, ret) : 0;
}

/* Mmm dd hh:mm:ss.123 yyyy at s[at] */
static size_t
ctime_form(struct moment *m, struct str s, size_t at, struct wall *ret)
{
	int month = moment_month(str_sub(s, at, s.n)), day, secs, ns;
	int64_t days;

	at += 4;
	day = take_day(s, &at);
	if (month == 0 || day < 0 || at + 1 + CLOCK + 5 > s.n || s.p[at] != ' ')
		return 0;
	secs = moment_clock_seconds(s.p + at + 1);
	at = moment_fraction(s, at + 1 + CLOCK, &ns);
	if (secs < 0 || at + 5 > s.n || s.p[at] != ' ' ||
	    !moment_date_days(moment_digits(s.p + at + 1, 4), month, day, &days))
		return 0;
	return moment_assemble(m, days, secs, ns, NULL, ret) ? at + 5 : 0;
}

/* dd Mmm yyyy hh:mm:ss.123 zone at s[at] */
static size_t
mail_form(struct moment *m, struct str s, size_t at, struct wall *ret)
{
	int day = take_day(s, &at), secs, ns;
	int64_t days;

	if (day < 0 || at + 10 + CLOCK > s.n || s.p[at] != ' ' || s.p[at + 4] != ' ' ||
	    s.p[at + 9] != ' ' ||
	    !moment_date_days(moment_digits(s.p + at + 5, 4),
	        moment_month(str_sub(s, at + 1, at + 4)), day, &days))
		return 0;
	secs = moment_clock_seconds(s.p + at + 10);
	at = moment_fraction(s, at + 10 + CLOCK, &ns);
	return secs >= 0 ? moment_zoned(m, s, at, days, secs, ns, ret) : 0;
}

size_t
moment_english(struct moment *m, struct str s, struct wall *ret)
{
	size_t at = 0;

	if (s.n < 19)
		return 0;
	if (s.p[2] == '/')
		return access_form(m, s, ret);
	/* The day of the week says nothing that the date does not. */
	if (is_letter(s.p[0]) && is_letter(s.p[2]) && s.p[3] == ',' && s.p[4] == ' ')
		at = 5;
	else if (is_letter(s.p[0]) && s.p[3] == ' ' && is_letter(s.p[4]))
		at = 4;
	return is_letter(s.p[at]) ? ctime_form(m, s, at, ret) : mail_form(m, s, at, ret);
}
