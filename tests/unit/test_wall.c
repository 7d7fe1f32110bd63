/* tests/unit/test_wall.c - time: text forms and their limits. */
#include "base/wall.h"
#include "check.h"

static void
check_time(const char *text, int64_t want)
{
	struct wall t = { -1 };
	bool zone;

	CHECK(wall_parse_rfc3339(str_c(text), 0, &t, &zone) == 0);
	CHECK(t.ns == want);
}

static void
test_parse(void)
{
	static const char *const bad[] = { "", "2024", "2024-02-30T00:00:00Z",
		"2023-02-29T00:00:00Z", "2024-13-01T00:00:00Z", "2024-01-01T24:00:00Z",
		"2024-01-01T00:00:61Z", "2024-01-01T00:00:00+", "2024-01-01T00:00:00+1",
		"2024-01-01T00:00:00Zx", "2024-01-01T00:00:00.", "9999-12-31T23:59:59Z" };
	struct wall t;
	bool zone;
	size_t i;

	check_time("1970-01-01T00:00:00Z", 0);
	check_time("1970-01-01 00:00:01.5+00:00", 1500000000);
	check_time("2024-02-29T12:00:00,123456789123+0200", 1709200800123456789);
	check_time("1969-12-31T23:59:59.999999999Z", -1);
	for (i = 0; i < ARRAY_LEN(bad); i++)
		CHECK(wall_parse_rfc3339(str_c(bad[i]), 0, &t, &zone) == WALL_E_SYNTAX);
	CHECK(wall_parse_rfc3339(STR("2024-01-01T00:00:00"), 3600, &t, &zone) == 0 && !zone);
	CHECK(t.ns == (INT64_C(1704067200) - 3600) * NS_PER_S);
}

static void
test_format(void)
{
	char out[WALL_TEXT_MAX];
	struct wall back;
	bool zone;
	int64_t t;

	CHECK_STR(str_of(out, wall_format(out, (struct wall){ 0 })), STR("1970-01-01T00:00:00Z"));
	CHECK_STR(str_of(out, wall_format(out, (struct wall){ 1500000000 })),
	    STR("1970-01-01T00:00:01.5Z"));
	CHECK_STR(str_of(out, wall_format(out, (struct wall){ -1 })),
	    STR("1969-12-31T23:59:59.999999999Z"));
	for (t = -4000000000 * NS_PER_S; t < 4000000000 * NS_PER_S; t += 86399123456789 * 37) {
		CHECK(wall_parse_rfc3339(str_of(out, wall_format(out, (struct wall){ t })), 0,
		          &back, &zone) == 0);
		CHECK(back.ns == t);
	}
}

static void
check_span(const char *text, int64_t want, const char *canonical)
{
	char out[SPAN_TEXT_MAX];
	struct span d = { 0 };

	CHECK(span_parse(str_c(text), &d) == 0);
	CHECK(d.ns == want);
	CHECK_STR(str_of(out, span_format(out, d)), str_c(canonical));
}

static void
test_span(void)
{
	static const char *const bad[] = { "", "-", "5", "m", "5x", "1h30", ".s",
		"99999999999999999999s", "300000y" };
	struct span d;
	size_t i;

	check_span("1h30m", 5400 * NS_PER_S, "1h30m");
	check_span("1.5s", 1500000000, "1.5s");
	check_span("-5m", -300 * NS_PER_S, "-5m");
	check_span("2d", 2 * NS_PER_DAY, "2d");
	check_span("1w1d", 8 * NS_PER_DAY, "1w1d");
	check_span("200ms", 200 * NS_PER_MS, "200ms");
	check_span("3\xc2\xb5s", 3000, "3\xc2\xb5s");
	check_span("10ns", 10, "10ns");
	check_span("0s", 0, "0s");
	for (i = 0; i < ARRAY_LEN(bad); i++)
		CHECK(span_parse(str_c(bad[i]), &d) == WALL_E_SYNTAX);
}

int
main(void)
{
	test_parse();
	test_format();
	test_span();
	return check_done();
}
