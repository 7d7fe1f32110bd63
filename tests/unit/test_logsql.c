/*
 * tests/unit/test_logsql.c - the language's ground: tokens, strings, numbers, patterns, errors, limits.
 */
#include <math.h>

#include "check.h"
#include "logsql/filter.h"
#include "logsql/regex.h"
#include "logsql/value.h"

static const struct logsql_options opt = { { 0 }, 0 };

static void
test_tokens(void)
{
	static const char *const want[] = { "foo.bar", "-", "a b\n\xc3\xbf\xff", "=~", "!=", "!",
		"raw\\n", "(", "\xd1\x84" };
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	struct logsql_error e;
	struct lex l;
	size_t i;

	MUST(lex_init(&l,
	         STR("foo.bar- \"a b\\n\\u00ff\\xff\" =~ != ! # comment\n`raw\\n`(\xd1\x84"),
	         (struct wall){ 0 }, 0, &arena, &e) == 0);
	for (i = 0; i < ARRAY_LEN(want); i++) {
		CHECK_STR(l.token, str_c(want[i]));
		CHECK(l.quoted == (i == 2 || i == 6));
		CHECK(l.space == (i != 0 && i != 1 && i != 7 && i != 8));
		MUST(lex_next(&l) == 0);
	}
	CHECK(l.end && lex_is(&l, "") && l.prev_end == l.query.n);
}

static void
test_compound(void)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	struct logsql_error e;
	struct lex l;
	struct str s;

	MUST(lex_init(&l, STR("a-b:c/1.5e+3 'x y', z* ]"), (struct wall){ 0 }, 0, &arena, &e) == 0);
	MUST(lex_compound(&l, &s) == 0);
	CHECK_STR(s, STR("a-b:c/1.5e+3"));
	MUST(lex_compound(&l, &s) == 0);
	CHECK_STR(s, STR("x y"));
	CHECK(lex_compound(&l, &s) == LOGSQL_E_SYNTAX);
	MUST(lex_expect(&l, ",") == 0);
	MUST(lex_field_name(&l, &s) == 0);
	CHECK_STR(s, STR("z*"));
	CHECK(lex_is_any(&l, "( ) [ ]") && !lex_is_any(&l, "( ) ["));
}

static void
test_quote(void)
{
	static const char *const texts[][2] = {
		{ "foo.bar_1", "foo.bar_1" },
		{ "", "\"\"" },
		{ "a b", "\"a b\"" },
		{ "a\"\\\n", "\"a\\\"\\\\\\n\"" },
		{ "not", "\"not\"" },
		{ "In", "\"In\"" },
		{ "stats", "\"stats\"" },
		{ "\xd1\x84", "\xd1\x84" },
		{ "-", "\"-\"" },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(texts); i++) {
		AUTO_FINI(buf_fini) struct buf out = BUF_INIT;

		logsql_quote(&out, str_c(texts[i][0]));
		CHECK_STR(buf_view(&out), str_c(texts[i][1]));
	}
}

static void
test_numbers(void)
{
	static const struct {
		const char *text;
		double want;
	} numbers[] = {
		{ "12", 12 },
		{ "-1_000.5", -1000.5 },
		{ "1.5KiB", 1536 },
		{ "2MB500KB", 2.5e6 },
		{ "1h30m", 5400e9 },
		{ "-3\xc2\xb5s", -3000 },
		{ "1e3", 1000 },
		{ "0x1f", 31 },
		{ "0b101", 5 },
		{ "-inf", -INFINITY },
		{ "1.2.3.4", 16909060 },
		{ "1970-01-01T00:00:01Z", 1e9 },
	};
	static const char *const none[] = { "", "-", ".", "abc", "1.2.3", "5x", "1h5", "2024-05-06",
		"infx", "nan", "0x", "1e", "256.1.1.1" };
	double v;
	size_t i;

	for (i = 0; i < ARRAY_LEN(numbers); i++) {
		CHECK(value_math(str_c(numbers[i].text), &v));
		if (v != numbers[i].want)
			fprintf(stderr, "%s: %f\n", numbers[i].text, v);
		CHECK(v == numbers[i].want);
	}
	for (i = 0; i < ARRAY_LEN(none); i++)
		CHECK(!value_math(str_c(none[i]), &v));
}

static void
test_format_float(void)
{
	static const struct {
		double v;
		const char *want;
	} floats[] = { { 0, "0" }, { -1.5, "-1.5" }, { 0.1, "0.1" },
		{ 1e21, "1000000000000000000000" }, { 1e-7, "0.0000001" },
		{ 123456789.125, "123456789.125" }, { 1.0 / 3, "0.3333333333333333" },
		{ NAN, "NaN" }, { -INFINITY, "-Inf" }, { 9007199254740992, "9007199254740992" } };
	size_t i;

	for (i = 0; i < ARRAY_LEN(floats); i++) {
		AUTO_FINI(buf_fini) struct buf out = BUF_INIT;

		value_format_float(&out, floats[i].v);
		CHECK_STR(buf_view(&out), str_c(floats[i].want));
	}
}

static void
test_order(void)
{
	static const char *const ascending[] = { "-2", "1", "1.5", "2K", "10s", "1h", "a2", "a10",
		"ab", "b" };
	size_t i;

	for (i = 1; i < ARRAY_LEN(ascending); i++) {
		CHECK(value_less(str_c(ascending[i - 1]), str_c(ascending[i])));
		CHECK(!value_less(str_c(ascending[i]), str_c(ascending[i - 1])));
		CHECK(!value_less(str_c(ascending[i]), str_c(ascending[i])));
	}
}

static void
test_regex(void)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	struct regex_scratch scratch = REGEX_SCRATCH_INIT;
	char error[REGEX_ERROR_MAX];
	struct regex_span spans[3];
	const struct regex *re;

	CHECK(regex_compile(&re, STR("ab("), 0, &arena, error) == REGEX_E_SYNTAX);
	MUST(regex_compile(&re, STR("(?P<key>\\w+)=(\\d+)"), 0, &arena, error) == 0);
	CHECK(regex_n_groups(re) == 2);
	CHECK_STR(regex_group_name(re, 1), STR("key"));
	CHECK_STR(regex_group_name(re, 2), STR(""));
	CHECK(regex_find(re, &scratch, STR("a=x b=12"), 0, spans, 3) == 1);
	CHECK(spans[0].start == 4 && spans[1].end == 5 && spans[2].start == 6);
	CHECK(regex_find(re, &scratch, STR("a=x b=12"), 6, spans, 3) == 0);
	MUST(regex_compile(&re, STR("a.c$"), 0, &arena, error) == 0);
	CHECK(regex_test(re, &scratch, STR("abc")) == 1);
	CHECK(regex_test(re, &scratch, STR("abc\n")) == 0);
	CHECK(regex_test(re, &scratch, STR("a\nc")) == 0);
	MUST(regex_compile(&re, STR("b\\.c"), 0, &arena, error) == 0);
	CHECK(regex_is_plain(re) && regex_literals(re)->n == 1);
	CHECK_STR(regex_literals(re)->p[0], STR("b.c"));
	CHECK(regex_test(re, &scratch, STR("ab.cd")) == 1);
	MUST(regex_compile(&re, STR("x*"), 0, &arena, error) == 0);
	CHECK(regex_find(re, &scratch, STR("\xd1\x84\xd1\x84"), 1, spans, 1) == 1);
	CHECK(spans[0].start == 2 && spans[0].end == 2);
	/* Bytes that are no UTF-8 do no harm. */
	MUST(regex_compile(&re, STR("x+y"), 0, &arena, error) == 0);
	CHECK(regex_test(re, &scratch, STR("\xff\xfexxy")) == 1);
	/* A pattern that explodes gives up instead. */
	MUST(regex_compile(&re, STR("^(a+)+$"), 0, &arena, error) == 0);
	CHECK(regex_test(re, &scratch, STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!")) == 0);
	regex_scratch_fini(&scratch);
}

/* What is known of a pattern's matches: "plain" or not, "nocase" or not, the literals in their order. */
static void
test_literals(void)
{
	static const struct {
		const char *pattern, *want;
	} all[] = { { "timeout", "= timeout" }, { "timeout|refused", "= timeout refused" },
		{ "a(b|c)d", "= abd acd" },
		{ "upstream (timed out|refused)!", "= upstream timed out! upstream refused!" },
		{ "took [0-9]{3,}", "~ took " }, { "[0-9]+ of (one|two)", "~  of one  of two" },
		{ "^GET /a$", "~ GET /a" }, { "colou?r", "= colour color" }, { "ab+c", "~ ab" },
		{ "x*abc", "~ abc" }, { "(abc)*", "~" }, { "(abc|)", "~" },
		{ "[Tt]imeout", "= Timeout timeout" }, { "a.c|longer[0-9]", "~ a longer" },
		{ "aa.c|longer[0-9]", "~ aa longer" }, { "(?i)Timeout", "=i timeout" },
		{ "(?i)error", "=i error" }, { "(?i)broken", "~i bro" }, { "(?i:error)", "~" },
		{ "ab(?i)cd", "~" }, { "(?<![a-z])(?:foo|bar)(?![a-z])", "~ foo bar" },
		{ "\\bfoo\\b", "~ foo" }, { "\\Qa|b\\E", "~" }, { "(a)\\1", "~" },
		{ "a{2}b{0,1}c", "~ a" }, { "a\\.b\\|c", "= a.b|c" },
		{ "(?P<x>ab)(?<y>cd)", "= abcd" }, { "", "~" } };
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	char error[REGEX_ERROR_MAX];
	const struct literals *l;
	const struct regex *re;
	size_t i, k;

	for (i = 0; i < ARRAY_LEN(all); i++) {
		MUST(regex_compile(&re, str_c(all[i].pattern), 0, &arena, error) == 0);
		l = regex_literals(re);
		buf_clear(&text);
		buf_printf(&text, "%c%s", regex_is_plain(re) ? '=' : '~', l->nocase ? "i" : "");
		for (k = 0; k < l->n; k++)
			buf_printf(&text, " %.*s", STR_ARG(l->p[k]));
		CHECK_STR(buf_view(&text), str_c(all[i].want));
	}
}

/* Beyond ASCII only k and s have other cases of ASCII's letters: literals of any case rest on it. */
static void
test_nocase(void)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	struct regex_scratch scratch = REGEX_SCRATCH_INIT;
	char error[REGEX_ERROR_MAX];
	const struct regex *re;
	uint8_t utf8[4];
	unsigned c;
	size_t n;

	MUST(regex_compile(&re, STR("(?i)^[a-jl-rt-z]$"), 0, &arena, error) == 0);
	for (c = 0x80; c < 0x20000; c++) {
		if (c >= 0xd800 && c < 0xe000)
			continue;
		n = 0;
		if (c < 0x800) {
			utf8[n++] = (uint8_t)(0xc0 | c >> 6);
		} else if (c < 0x10000) {
			utf8[n++] = (uint8_t)(0xe0 | c >> 12);
			utf8[n++] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		} else {
			utf8[n++] = (uint8_t)(0xf0 | c >> 18);
			utf8[n++] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
			utf8[n++] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		}
		utf8[n++] = (uint8_t)(0x80 | (c & 0x3f));
		CHECK(regex_test(re, &scratch, str_of(utf8, n)) == 0);
	}
	regex_scratch_fini(&scratch);
}

/* The place and the words of an error. */
static void
check_error(const char *text, size_t at, const char *part)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	struct logsql_error e = { 0 };
	struct filter *f;

	CHECK(query_parse_filter(str_c(text), &opt, &arena, &f, &e) == LOGSQL_E_SYNTAX);
	if (e.at != at || strstr(e.text, part) == NULL)
		fprintf(stderr, "%s: %zu: %s\n", text, e.at, e.text);
	CHECK(e.at == at && strstr(e.text, part) != NULL);
}

static void
test_errors(void)
{
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;
	struct logsql_error e = { 8, "no such thing" };

	check_error("", 0, "filter");
	check_error("a (b", 4, "')'");
	check_error("contain_any(a)", 11, "contains_any");
	check_error("a:~\"(\"", 3, "regular expression");
	check_error("a 'b", 2, "no end");
	check_error("stats count()", 0, "pipe");
	check_error("_time:foo", 6, "duration");
	check_error("_time:2024-05-06+99:99", 6, "a time such as");
	check_error("_time:2024-05-06T07:08:09+24:00", 6, "a time such as");
	check_error("_time:[now5m, now]", 7, "a time such as");
	check_error("_time:[now+, now]", 7, "a time such as");
	check_error("_time:[now+-5m, now]", 7, "a time such as");
	check_error("a:range[1, x]", 11, "number");
	check_error("{a}", 2, "=~");
	logsql_error_show(&out, STR("a b\nc \xd1\x84 x y\nz"), &e);
	CHECK_STR(buf_view(&out),
	    STR("line 2, column 4: no such thing\n    c \xd1\x84 x y\n       ^\n"));
}

/* Hostile queries end in an error. */
static void
test_limits(void)
{
	static const char *const parts[] = { "(", "!", "a:(", "in(a:", ":", "not ", "aaa " };
	struct filter *f;
	size_t i, k;

	for (i = 0; i < ARRAY_LEN(parts); i++) {
		AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
		AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
		struct logsql_error e = { 0 };

		for (k = 0; k < 100000; k++)
			buf_c(&text, parts[i]);
		CHECK(query_parse_filter(buf_view(&text), &opt, &arena, &f, &e) == LOGSQL_E_SYNTAX);
	}
}

static void
test_nearest(void)
{
	static const char *const table[] = { "status", "stats", "sort", "limit" };

	CHECK(strcmp(logsql_nearest(STR("sats"), table, 4), "stats") == 0);
	CHECK(strcmp(logsql_nearest(STR("limti"), table, 4), "limit") == 0);
	CHECK(strcmp(logsql_nearest(STR("statsu"), table, 4), "status") == 0);
	CHECK(logsql_nearest(STR("quantile"), table, 4) == NULL);
}

int
main(void)
{
	test_tokens();
	test_compound();
	test_quote();
	test_numbers();
	test_format_float();
	test_order();
	test_regex();
	test_literals();
	test_nocase();
	test_errors();
	test_limits();
	test_nearest();
	return check_done();
}
