/*
 * tests/unit/test_filter.c - filters: parsed, matched on rows and columns, printed, planned.
 */
#include "check.h"
#include "logsql/filter.h"

/* 2024-05-06T07:08:09Z, a Monday. */
#define NOW INT64_C(1714979289000000000)

static const struct logsql_options opt = { { NOW }, 0 };

/* A row is "name=value|name=value"; a value may hold all but '|'. */
static struct str
get(void *ctx, struct str name)
{
	const struct str *text = ctx;
	struct str row = *text, one;
	size_t end, eq;

	while (row.n != 0) {
		end = str_find_byte(row, '|');
		one = str_sub(row, 0, end);
		eq = str_find_byte(one, '=');
		if (eq != SIZE_MAX && str_eq(str_sub(one, 0, eq), name))
			return str_sub(one, eq + 1, one.n);
		row = end == SIZE_MAX ? STR_NONE : str_sub(row, end + 1, row.n);
	}
	return STR_NONE;
}

static struct filter *
parse(const char *text, struct arena *arena)
{
	struct logsql_error e = { 0 };
	struct filter *f = NULL;

	if (query_parse_filter(str_c(text), &opt, arena, &f, &e) != 0)
		fprintf(stderr, "%s: %zu: %s\n", text, e.at, e.text);
	return f;
}

static const struct match {
	const char *filter;
	const char *row;
	bool yes;
} matches[] = {
	{ "*", "", true },
	{ "error", "_msg=an error here", true },
	{ "error", "_msg=an errors here", false },
	{ "error", "_msg=the_error", false },
	{ "error", "_msg=(error)", true },
	{ "err*", "_msg=an errors here", true },
	{ "rror*", "_msg=an errors here", false },
	{ "*rror*", "_msg=an errors here", true },
	{ "a:*b c*", "a=xb|_msg=c", false },
	{ "\":x\"", "_msg=a:x", true },
	{ "\"x:\"", "_msg=x:a", true },
	{ "a:b", "a=b", true },
	{ "a:b", "_msg=b", false },
	{ "a:\"\"", "_msg=b", true },
	{ "a:*", "_msg=b", false },
	{ "a:=b", "a=b c", false },
	{ "a:=b*", "a=b c", true },
	{ "a:!=b", "a=b c", true },
	{ "a:(b or c) -d", "a=c|_msg=x", true },
	{ "a:(b or c) -d", "a=c|_msg=d", false },
	{ "a b or c", "_msg=c", true },
	{ "!(a b)", "_msg=a", true },
	{ "i(ERROR)", "_msg=Error", true },
	{ "i(kite)", "_msg=\xe2\x84\xaaITE", true },
	{ "i(Connection)", "_msg=2024-05-06 the long way to a CONNECTION", true },
	{ "i(Connection)", "_msg=2024-05-06 the long way to a CONNECTED end of it", false },
	{ "i(\xd0\xa4*)", "_msg=\xd1\x84oo", true },
	{ "a:~\"^[0-9]+$\"", "a=123", true },
	{ "a:~\"^[0-9]+$\"", "a=123x", false },
	{ "~\"a.c\"", "_msg=a\nc", false },
	{ "a:>10", "a=10.5", true },
	{ "a:>10", "a=10", false },
	{ "a:>=10KiB", "a=10240", true },
	{ "a:<5ms", "a=4900us", true },
	{ "a:<5ms", "a=x", false },
	{ "a:>abc", "a=abd", true },
	{ "a:<=abc", "a=abc", true },
	{ "a:range(1, 3]", "a=3", true },
	{ "a:range(1, 3]", "a=1", false },
	{ "a:range[1, inf)", "a=1e3", true },
	{ "a:in(x, y)", "a=y", true },
	{ "a:in(x, y)", "a=xy", false },
	{ "a:in(*)", "", true },
	{ "contains_all(a, b)", "_msg=b a", true },
	{ "contains_any(a, b)", "_msg=c", false },
	{ "seq(a, b)", "_msg=a b", true },
	{ "seq(a, b)", "_msg=b a", false },
	{ "a:ipv4_range(10.0.0.0/8)", "a=10.9.8.7", true },
	{ "a:ipv4_range(10.0.0.0/8)", "a=11.9.8.7", false },
	{ "a:ipv6_range(fe80::/10)", "a=fe80::1", true },
	{ "a:len_range(2, 3)", "a=\xd1\x84\xd1\x84\xd1\x84", true },
	{ "a:string_range(b, d)", "a=d", false },
	{ "a:eq_field(b)", "a=1|b=1", true },
	{ "a:lt_field(b)", "a=9|b=10", true },
	{ "a:le_field(b)", "a=1s|b=1000ms", true },
	{ "a:json_array_contains_any(x, 2)", "a=[1,\"x\"]", true },
	{ "a:json_array_contains_any(x)", "a=[\"xx\", {\"x\":1}]", false },
	{ "pattern_match(\"took <N>ms\")", "_msg=it took 25ms", true },
	{ "pattern_match_full(\"took <N>ms\")", "_msg=it took 25ms", false },
	{ "pattern_match(\"<DATETIME> ok\")", "_msg=[2024-05-06T07:08:09.1Z ok", true },
	{ "contains_common_case(Error)", "_msg=ERROR", true },
	{ "contains_common_case(Error)", "_msg=eRROR", false },
	{ "level:min_level(warn)", "level=error", true },
	{ "level:min_level(warn)", "level=info", false },
	{ "min_level(info)", "level=debug|PRIORITY=6", false },
	{ "min_level(info)", "PRIORITY=6", true },
	{ "_time:5m", "_time=2024-05-06T07:05:00Z", true },
	{ "_time:5m", "_time=2024-05-06T07:03:00Z", false },
	{ "_time:>5m", "_time=2024-05-06T07:03:00Z", true },
	{ "_time:2024-05", "_time=2024-05-31T23:59:59.9Z", true },
	{ "_time:2024-05", "_time=2024-06-01T00:00:00Z", false },
	{ "_time:2024-05-06+02:00", "_time=2024-05-05T22:00:00Z", true },
	{ "_time:[2024, 2024-05-06T07]", "_time=2024-05-06T07:59:59Z", true },
	{ "_time:[2024, 2024-05-06T07)", "_time=2024-05-06T07:00:00Z", false },
	{ "_time:(now-1h, now-5m]", "_time=2024-05-06T06:30:00Z", true },
	{ "_time:[now, now+1h]", "_time=2024-05-06T07:30:00Z", true },
	{ "_time:[now, now+1h]", "_time=2024-05-06T07:00:00Z", false },
	{ "_time:[1h, now+5000000y]", "_time=2262-04-11T23:47:16.854775806Z", true },
	{ "_time:5000000y", "_time=1677-09-21T00:12:44Z", true },
	{ "_time:>5000000y", "_time=1677-09-21T00:12:44Z", false },
	{ "_time:292y", "_time=1700-01-01T00:00:00Z", false },
	{ "_time:1d offset 5000000y", "_time=1677-09-21T00:12:44Z", false },
	{ "_time:offset -5000000y", "_time=2262-04-11T23:47:16.854775806Z", true },
	{ "_time:2262", "_time=2262-04-11T23:47:16.854775806Z", true },
	{ "_time:2262+05:00", "_time=2262-04-11T23:47:16.854775806Z", true },
	{ "_time:2262-04-05:00", "_time=2262-04-11T23:47:16.854775806Z", true },
	{ "_time:1960-05-05:00", "_time=1960-06-01T04:59:59.9Z", true },
	{ "_time:1960-05-05:00", "_time=1960-06-01T05:00:00Z", false },
	{ "_time:1960-05+05:00", "_time=1960-05-31T19:00:00Z", false },
	{ "_time:1960-05:00", "_time=1961-01-01T05:00:00Z", false },
	{ "_time:5m offset 1d", "_time=2024-05-05T07:05:00Z", true },
	{ "_time:day_range[08:00, 18:00)", "_time=2024-05-06T07:59:59Z", false },
	{ "_time:day_range[08:00, 18:00) offset 2h", "_time=2024-05-06T06:00:00Z", true },
	{ "_time:day_range[08:00, 18:00) offset 5200w2h", "_time=2024-05-06T06:00:00Z", true },
	{ "_time:day_range[08:00, 18:00) offset 9223372036854775807ns",
	    "_time=2262-04-11T23:47:16Z", false },
	{ "_time:week_range[Mon, Fri]", "_time=2024-05-06T07:00:00Z", true },
	{ "_time:week_range(Mon, Fri]", "_time=2024-05-06T07:00:00Z", false },
	{ "_time:[1714979289, 1714979290)", "_time=2024-05-06T07:08:09Z", true },
	{ "{a=\"b\"}", "_stream={a=\"b\",c=\"d\"}", true },
	{ "{a=b,c!=d}", "_stream={a=\"b\",c=\"d\"}", false },
	{ "{a=x or c=~\"d|e\"}", "_stream={a=\"b\",c=\"d\"}", true },
	{ "{a=~\"b.*\"}", "_stream={a=\"ab\"}", false },
	{ "_stream:{a in (x, b)}", "_stream={a=\"b\"}", true },
	{ "{a not_in (x, b)}", "_stream={a=\"b\"}", false },
	{ "{}", "", true },
};

static void
test_matches(void)
{
	const struct match *m;
	struct filter *f, *simple;
	struct str row;
	int a, b;

	for (m = matches; m < matches + ARRAY_LEN(matches); m++) {
		AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;

		f = parse(m->filter, &arena);
		MUST(f != NULL);
		MUST(filter_simplify(f, &arena, &simple) == 0);
		row = str_c(m->row);
		a = filter_match_row(f, get, &row);
		b = filter_match_row(simple, get, &row);
		if (a != m->yes || b != m->yes)
			fprintf(stderr, "%s on %s: %d, %d\n", m->filter, m->row, a, b);
		CHECK(a == m->yes && b == m->yes);
	}
}

/* The same answer from each encoding of the same values. */
static void
check_columns(const char *text, const struct str *values, size_t n, bool ints_too)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	struct filter *f = parse(text, &arena);
	uint64_t want[4], sel[4], present[4] = { 0 };
	uint32_t codes[256], offs[257];
	int64_t ints[256];
	uint8_t bytes[4096];
	unsigned scale = 0, one;
	size_t i;
	struct column cols[] = {
		{ .kind = COLUMN_STRS, .n_rows = n, .strs = values },
		{ .kind = COLUMN_TEXT, .n_rows = n, .bytes = bytes, .offs = offs },
		{ .kind = COLUMN_DICT, .n_rows = n, .dict = values, .n_dict = n, .codes = codes },
		{ .kind = COLUMN_INT, .n_rows = n, .ints = ints, .present = present },
	};

	MUST(f != NULL && filter_is_value_leaf(f));
	bits_zero(want, n);
	for (i = 0, offs[0] = 0; i < n; i++) {
		if (filter_match_value(f, values[i]) == 1)
			bits_set(want, i);
		memcpy(bytes + offs[i], values[i].p, values[i].n);
		offs[i + 1] = offs[i] + (uint32_t)values[i].n;
		codes[i] = (uint32_t)i;
		if (ints_too && values[i].n != 0) {
			MUST(column_parse_int(values[i], &ints[i], &one));
			scale = one;
			bits_set(present, i);
		}
	}
	cols[3].scale = scale;
	for (i = 0; i < (ints_too ? 4 : 3); i++) {
		bits_fill(sel, n);
		MUST(filter_match_column(f, &cols[i], sel) == 0);
		if (memcmp(sel, want, BITS_WORDS(n) * 8) != 0)
			fprintf(stderr, "%s: column %zu differs\n", text, i);
		CHECK(memcmp(sel, want, BITS_WORDS(n) * 8) == 0);
	}
}

static void
test_columns(void)
{
	static const char *const texts[] = { "an error", "errors", "Error", "x", "error x",
		"prefix error", "12", "" };
	static const char *const numbers[] = { "1", "-5", "", "300", "9007199254740993", "12" };
	static const char *const decimals[] = { "0.10", "-1.25", "12.34", "99.99" };
	static const char *const on_text[] = { "error", "err*", "*rr*", "=error*", "=\"an error\"",
		"i(ERROR)", "~\"err.*x\"", "in(x, \"\")", "\"\"", "_msg:*", "seq(prefix, error)",
		">5", "len_range(0, 2)", "contains_all(error, x)" };
	static const char *const on_numbers[] = { ">5", "<=12", "=12", "=\"\"", "\"\"", "12", "1*",
		">9007199254740992", "range(-6, 2)", "in(1, 300)", "=012" };
	struct str values[128];
	size_t i, n = 120;

	for (i = 0; i < n; i++)
		values[i] = str_c(texts[i * 7 % ARRAY_LEN(texts)]);
	for (i = 0; i < ARRAY_LEN(on_text); i++)
		check_columns(on_text[i], values, n, false);
	for (i = 0; i < n; i++)
		values[i] = str_c(numbers[i % ARRAY_LEN(numbers)]);
	for (i = 0; i < ARRAY_LEN(on_numbers); i++)
		check_columns(on_numbers[i], values, n, true);
	for (i = 0; i < n; i++)
		values[i] = str_c(decimals[i % ARRAY_LEN(decimals)]);
	check_columns(">12.34", values, n, true);
	check_columns(">=12.34", values, n, true);
	check_columns("=0.1", values, n, true);
	check_columns("=0.10", values, n, true);
}

static void
test_canonical(void)
{
	static const char *const texts[][2] = {
		{ "a AND  b", "a b" },
		{ "a (b OR c)", "a (b or c)" },
		{ "not (a b)", "!(a b)" },
		{ "x:(a b)", "x:a x:b" },
		{ "'and' \"fields\"", "\"and\" \"fields\"" },
		{ "x:>5 y:<=\"a b\"", "x:>5 y:<=\"a b\"" },
		{ "_msg:*", "_msg:*" },
		{ "re('a\\\\d')", "~\"a\\\\d\"" },
		{ "_time:( now-1h , now ]", "_time:( now-1h , now ]" },
		{ "_stream:{a=b, c!~'d'}", "{a=\"b\",c!~\"d\"}" },
		{ "x:in(1,a) y:ipv4_range(1.2.3.4)", "x:in(1,a) y:ipv4_range(1.2.3.4, 1.2.3.4)" },
		{ "i(\"a b\"*)", "i(\"a b\"*)" },
		{ "`\xff\n`", "\"\\xff\\n\"" },
	};
	struct filter *f;
	size_t i;

	for (i = 0; i < ARRAY_LEN(texts); i++) {
		AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
		AUTO_FINI(buf_fini) struct buf out = BUF_INIT;

		f = parse(texts[i][0], &arena);
		MUST(f != NULL);
		filter_format(&out, f);
		CHECK_STR(buf_view(&out), str_c(texts[i][1]));
	}
}

static void
test_planning(void)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	struct filter_id *ids;
	struct wall min, max;
	struct str lit = STR_NONE, *names;
	struct filter *f;
	bool nocase;
	size_t n;

	f = parse("trace_id:=abc a:x _time:[2024-05-06, 2024-05-07)", &arena);
	MUST(f != NULL && filter_ids(f, &arena, &ids, &n) == 0 && n == 1);
	CHECK_STR(ids[0].values[0].text, STR("abc"));
	filter_time_range(f, &min, &max);
	CHECK(max.ns - min.ns == NS_PER_DAY - 1);
	MUST(filter_fields(f, &arena, &names, &n) == 0);
	CHECK(n == 3);

	f = parse("trace_id:=abc or a:x", &arena);
	MUST(f != NULL && filter_ids(f, &arena, &ids, &n) == 0);
	CHECK(n == 0);
	f = parse("(trace_id:=abc or request_id:in(d, e) a:x) b:y", &arena);
	MUST(f != NULL && filter_ids(f, &arena, &ids, &n) == 0 && n == 1);
	CHECK(ids[0].n_values == 3 && ids[0].field.n == 0);
	f = parse("trace_id:in(abc, \"\")", &arena);
	MUST(f != NULL && filter_ids(f, &arena, &ids, &n) == 0);
	CHECK(n == 0);

	f = parse("~\"ab+cde(f|g)?h{2}\"", &arena);
	CHECK(f != NULL && filter_literal(f, &lit, &nocase));
	CHECK_STR(lit, STR("bcde"));
	f = parse("~\"abc|d\"", &arena);
	CHECK(f != NULL && !filter_literal(f, &lit, &nocase));
	f = parse("i(Error)", &arena);
	CHECK(f != NULL && filter_literal(f, &lit, &nocase) && nocase);
	CHECK_STR(lit, STR("error"));

	f = parse("a {weir=log}", &arena);
	CHECK(f != NULL && filter_names_weir(f));
	f = parse("a {job=weir}", &arena);
	CHECK(f != NULL && !filter_names_weir(f));

	f = parse("a (* or b) in(c) !*", &arena);
	MUST(f != NULL && filter_simplify(f, &arena, &f) == 0);
	CHECK(f->kind == FILTER_NONE);
	f = parse("a (b c) *", &arena);
	MUST(f != NULL && filter_simplify(f, &arena, &f) == 0);
	CHECK(f->kind == FILTER_AND && f->n_children == 3);
}

/* The values of a subquery come from outside. */
static void
test_subquery(void)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	static const struct str values[] = { STR_INIT("x"), STR_INIT("y") };
	struct filter *f = parse("a:in(b:c | fields a)", &arena);
	struct str row = STR("a=y");

	MUST(f != NULL && f->query != NULL);
	CHECK_STR(f->query_field, STR("a"));
	CHECK(filter_match_row(f, get, &row) == 0);
	CHECK(filter_set_values(f, values, 2) == 0);
	CHECK(filter_match_row(f, get, &row) == 1);
	CHECK(filter_set_values(f, values, 1) == 0);
	CHECK(filter_match_row(f, get, &row) == 0);
}

int
main(void)
{
	test_matches();
	test_columns();
	test_canonical();
	test_planning();
	test_subquery();
	return check_done();
}
