/*
 * tests/unit/test_when.c - times and sizes on the command line.
 * One job: every form that options_when and options_size take, and what they refuse.
 */
#include <time.h>

#include "check.h"
#include "cli/options.h"

static const struct wall now = { INT64_C(1769860800) * NS_PER_S }; /* 2026-01-31T12:00:00Z */

static bool
is(const char *text, const char *want)
{
	char got[WALL_TEXT_MAX];
	struct wall t;

	if (!options_when(str_c(text), now, &t))
		return false;
	(void)wall_format(got, t);
	if (strcmp(got, want) != 0)
		fprintf(stderr, "%s: got %s, want %s\n", text, got, want);
	return strcmp(got, want) == 0;
}

static bool
refused(const char *text)
{
	struct wall t;

	return !options_when(str_c(text), now, &t);
}

static void
test_utc(void)
{
	CHECK(is("1h", "2026-01-31T11:00:00Z"));
	CHECK(is("-1h30m", "2026-01-31T10:30:00Z"));
	CHECK(is("now", "2026-01-31T12:00:00Z"));
	CHECK(is("2026-01-02T03:04:05.5+01:00", "2026-01-02T02:04:05.5Z"));
	CHECK(is("@1.25", "1970-01-01T00:00:01.25Z"));
	CHECK(is("@-1", "1969-12-31T23:59:59Z"));
	CHECK(refused("never"));
	CHECK(refused("2026-02-30"));
	CHECK(refused("2026-01-31 24:00"));
	CHECK(refused("@"));
	CHECK(refused("@1x"));
	CHECK(refused("@99999999999999999999"));
	CHECK(refused("@9223372036.9"));
	CHECK(refused("2026-00-10"));
	CHECK(refused("2023-02-29"));
	CHECK(is("2024-02-29", "2024-02-29T00:00:00Z"));
	/* Beyond what an instant can be: the last one. */
	CHECK(is("9999-12-31", "2262-04-11T23:47:16.854775807Z"));
	CHECK(is("0001-01-01", "1677-09-21T00:12:43.145224192Z"));
	CHECK(refused(""));
}

static void
test_local(void)
{
	(void)setenv("TZ", "Europe/Berlin", 1);
	tzset();
	CHECK(is("2026-01-31", "2026-01-30T23:00:00Z"));
	CHECK(is("2026-07-01", "2026-06-30T22:00:00Z"));
	/* Half an hour after the clock went forward. */
	CHECK(is("2026-03-29 03:30", "2026-03-29T01:30:00Z"));
	CHECK(is("2026-01-31T08:15:30", "2026-01-31T07:15:30Z"));
	CHECK(is("08:15", "2026-01-31T07:15:00Z"));
	CHECK(is("today", "2026-01-30T23:00:00Z"));
	CHECK(is("yesterday", "2026-01-29T23:00:00Z"));
}

static void
test_day_of_change(void)
{
	const struct wall noon = { INT64_C(1774778400) * NS_PER_S }; /* 2026-03-29T10:00:00Z */
	struct wall t;

	/* That day has 23 hours, and 08:15 is 08:15 on the clock. */
	CHECK(options_when(STR("08:15"), noon, &t) && t.ns == INT64_C(1774764900) * NS_PER_S);
	(void)setenv("TZ", "America/New_York", 1);
	tzset();
	CHECK(is("9999-12-31", "2262-04-11T23:47:16.854775807Z"));
}

static void
test_size(void)
{
	uint64_t v = 0;

	CHECK(options_size(STR("0"), &v) && v == 0);
	CHECK(options_size(STR("1500"), &v) && v == 1500);
	CHECK(options_size(STR("64MiB"), &v) && v == UINT64_C(64) << 20);
	CHECK(options_size(STR("10GB"), &v) && v == UINT64_C(10000000000));
	CHECK(options_size(STR("512k"), &v) && v == 512000);
	CHECK(options_size(STR("7B"), &v) && v == 7);
	CHECK(!options_size(STR(""), &v));
	CHECK(!options_size(STR("MiB"), &v));
	CHECK(!options_size(STR("1.5MiB"), &v));
	CHECK(!options_size(STR("12parsecs"), &v));
	CHECK(!options_size(STR("99999999999999999999"), &v));
	CHECK(!options_size(STR("99999999TiB"), &v));
}

int
main(void)
{
	(void)setenv("TZ", "UTC", 1);
	tzset();
	test_utc();
	test_local();
	test_day_of_change();
	test_size();
	return check_done();
}
