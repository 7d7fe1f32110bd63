/* tests/unit/test_moment.c - times as logs write them. */
#include <time.h>

#include "check.h"
#include "parsers/moment.h"
#include "parsers/parser.h"

static void
check_time(const char *text, int zone_s, const char *want)
{
	char out[WALL_TEXT_MAX];
	struct wall t = { -1 };

	CHECK(parser_time(str_c(text), zone_s, &t));
	CHECK_STR(str_of(out, wall_format(out, t)), str_c(want));
}

static void
test_good(void)
{
	check_time("2026-11-21T02:14:13Z", 0, "2026-11-21T02:14:13Z");
	check_time("2026-11-21T02:14:13.123456789123Z", 0, "2026-11-21T02:14:13.123456789Z");
	check_time("2026-11-21 02:14:13,5", 3600, "2026-11-21T01:14:13.5Z");
	check_time("2026-11-21T02:14:13+05:30", 0, "2026-11-20T20:44:13Z");
	check_time("2026-11-21T02:14:13-0800", 0, "2026-11-21T10:14:13Z");
	check_time("2026-11-21 02:14:13 +0000", 0, "2026-11-21T02:14:13Z");
	check_time("2026-11-21T02:14:13+01", 0, "2026-11-21T01:14:13Z");
	check_time("2026/11/21 02:14:13", 0, "2026-11-21T02:14:13Z");
	check_time("21/Nov/2026:02:14:13 +0100", 0, "2026-11-21T01:14:13Z");
	check_time("2026-11-21 02:14:13.5 UTC", 3600, "2026-11-21T02:14:13.5Z");
	check_time("Sat, 21 Nov 2026 02:14:13 GMT", 3600, "2026-11-21T02:14:13Z");
	check_time("21 Nov 2026 02:14:13.123", 3600, "2026-11-21T01:14:13.123Z");
	check_time("Sat Nov 21 02:14:13.902022 2026", 3600, "2026-11-21T01:14:13.902022Z");
	check_time("Mon Nov  2 02:14:13 2026", 0, "2026-11-02T02:14:13Z");
	check_time("21/Nov/2026:02:14:13", 3600, "2026-11-21T01:14:13Z");
	check_time("1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z");
	check_time("2100-02-28T23:59:60Z", 0, "2100-03-01T00:00:00Z");
	check_time("1700000000", 0, "2023-11-14T22:13:20Z");
	check_time("1700000000.25", 0, "2023-11-14T22:13:20.25Z");
	check_time("1700000000123", 0, "2023-11-14T22:13:20.123Z");
	check_time("1700000000123.5", 0, "2023-11-14T22:13:20.1235Z");
	check_time("1700000000123456", 0, "2023-11-14T22:13:20.123456Z");
	check_time("1700000000123456789", 0, "2023-11-14T22:13:20.123456789Z");
}

static void
test_bad(void)
{
	static const char *const bad[] = { "", "now", "12", "12.5", "99999999999", "2026-11-21",
		"2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-11-21T24:00:00Z",
		"2026-11-21T02:14:13Zx", "2026-11-21T02:14:13.", "2026-11-21T02:14:61Z",
		"2026-11/21 02:14:13", "Sat Nov 21 02:14:13", "Sat, 21 Nov 2026 02:14",
		"Sat Nov 31 02:14:13 2026", "21 Nov 2026 02:14:13 GMTx",
		"21/Foo/2026:02:14:13 +0000", "21/Nov/2026:02:14:13 x",
		"31/Nov/2026:02:14:13 +0000", "-1700000000", "1700000000.", "1e9",
		"99999999999999999999999", "9999-12-31T23:59:59Z", "1700000000x" };
	struct wall t;
	size_t i;

	for (i = 0; i < ARRAY_LEN(bad); i++)
		CHECK(!parser_time(str_c(bad[i]), 0, &t));
}

static void
check_local(struct moment *m, const char *text, const char *want)
{
	char out[WALL_TEXT_MAX];
	struct wall t = { -1 };

	CHECK(moment_parse(m, str_c(text), &t));
	CHECK_STR(str_of(out, wall_format(out, t)), str_c(want));
}

/* The host's zone, with the hour that is left out and the one that comes twice. */
static void
test_zone(void)
{
	struct moment m;

	(void)setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	moment_init(&m, false, 0);
	check_local(&m, "2026-01-01 12:00:00", "2026-01-01T11:00:00Z");
	check_local(&m, "2026-07-01 12:00:00", "2026-07-01T10:00:00Z");
	check_local(&m, "2026-03-29 01:59:59", "2026-03-29T00:59:59Z");
	check_local(&m, "2026-03-29 02:30:00", "2026-03-29T01:30:00Z");
	check_local(&m, "2026-03-29 03:00:00", "2026-03-29T01:00:00Z");
	check_local(&m, "2026-10-25 02:30:00", "2026-10-25T00:30:00Z");
	check_local(&m, "2026-10-25 03:00:00", "2026-10-25T02:00:00Z");
	check_local(&m, "2026-10-25T02:30:00Z", "2026-10-25T02:30:00Z");
	moment_init(&m, true, -3600);
	check_local(&m, "2026-07-01 12:00:00", "2026-07-01T13:00:00Z");
}

static void
test_prefix(void)
{
	struct moment m;
	struct wall t;

	moment_init(&m, true, 0);
	CHECK(moment_prefix(&m, STR("2026-11-21T02:14:13.5Z rest"), &t) == 22);
	CHECK(moment_prefix(&m, STR("2026/11/21 02:14:13 rest"), &t) == 19);
	CHECK(moment_prefix(&m, STR("2026-11-21 02:14:13 +01:00]"), &t) == 26);
	CHECK(moment_prefix(&m, STR("2026-11-21"), &t) == 0);
	CHECK(moment_month(STR("Dec ")) == 12 && moment_month(STR("dec")) == 0);
}

/* Two texts of one form: of the same minute, and the same but for digits of the second and the fraction. */
static bool
is_one_form(const char *a, const char *b)
{
	size_t i, n = strlen(a);
	bool same = n == strlen(b) && memcmp(a, b, 16) == 0;

	for (i = 16; same && i < n; i++)
		same = a[i] == b[i] ||
		    (i != 19 && a[i] >= '0' && a[i] <= '9' && b[i] >= '0' && b[i] <= '9');
	return same;
}

/* What one parser says of times one after the other is what a new one says of each. */
static void
test_one_after_another(void)
{
	static const char *const texts[] = { "2026-11-21T02:14:13.123456Z",
		"2026-11-21T02:14:14.000001Z", "2026-11-21T02:14:14.0001Z",
		"2026-11-21T02:14:14.00012Z", "2026-11-21T02:14:14,00012Z",
		"2026-11-21T02:14:59,99999Z", "2026-11-21T02:14:60,99999Z",
		"2026-11-21T02:14:61,99999Z", "2026-11-21T02:14:5:,99999Z",
		"2026-11-21T02:15:59,99999Z", "2026-11-21T02:15:59,99999z",
		"2026-11-21T02:15:59,9x999Z", "2026-11-21T02:15:59;99999Z",
		"2026-11-21T02:15-59,99999Z", "2026-11-21T02:15:59.1+02:00",
		"2026-11-21T02:15:58.2+02:00", "2026-11-21T02:15:58.2+03:00",
		"2026-11-21T02:15:58.2 +0300", "2026-11-21T02:15:58.3 +0300",
		"2026-11-21T02:15:58.34567 +03:00", "2026-11-21T02:15:58.3456789 +03:00",
		"2026-11-21T02:15:58.1456789 +03:00", "2026-11-21T02:15:58.345678912Z",
		"2026-11-21T02:15:58.345678913Z", "2026-11-21T02:15:58.3", "2026-11-21T02:15:57.4",
		"2026-11-21T02:15:58.3Z", "2026-11-21T02:15:5/.3Z", "2026-11-21T02:15:58.:Z",
		"2262-04-11T23:47:16.854775Z", "2262-04-11T23:47:16.954775Z",
		"1677-09-21T00:12:43.145225Z", "1677-09-21T00:12:42.145225Z",
		"0000-01-01T00:00:00.5Z" };
	struct moment one, fresh;
	struct wall a, b;
	uint64_t form;
	bool ok;
	size_t i, k, n_forms = 0;

	/* Each behind each. */
	for (i = 0; i < ARRAY_LEN(texts); i++)
		for (k = 0; k < ARRAY_LEN(texts); k++) {
			a = b = (struct wall){ -1 };
			moment_init(&one, true, 3600);
			moment_init(&fresh, true, 3600);
			(void)moment_parse(&one, str_c(texts[i]), &a);
			form = one.last_form;
			CHECK(form == 0 || texts[i][17] != '6');
			a = (struct wall){ -1 };
			ok = moment_parse(&fresh, str_c(texts[k]), &b);
			CHECK(moment_parse(&one, str_c(texts[k]), &a) == ok);
			CHECK(a.ns == b.ns);
			if (form != 0 && form == one.last_form) {
				CHECK(is_one_form(texts[i], texts[k]));
				n_forms++;
			}
		}
	/* Itself, and others. */
	CHECK(n_forms > ARRAY_LEN(texts) / 2);
}

int
main(void)
{
	test_good();
	test_bad();
	test_zone();
	test_prefix();
	test_one_after_another();
	return check_done();
}
