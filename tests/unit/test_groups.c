/* tests/unit/test_groups.c - lines that belong together: traces, parts, time-outs, saved state; patterns. */
#include "check.h"
#include "render.h"

#define FAR_LATER INT64_C(3600)

static void
check_lines(const struct parser_options *opt, const char *text, const char *want)
{
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;

	CHECK(render_lines(&out, opt, str_c(text)) == 0);
	CHECK_STR(buf_view(&out), str_c(want));
}

static void
test_java(void)
{
	struct parser_options opt = { .name = "plain", .multiline = "java" };

	check_lines(&opt,
	    "ERROR x\njava.lang.IllegalStateException: y\n\tat a.b(C.java:1)\n\nCaused by: z\n"
	    "\t... 3 more\nINFO ok\n\nINFO more",
	    "-|_msg=ERROR x\njava.lang.IllegalStateException: y\n\tat a.b(C.java:1)\n\nCaused by: z\n"
	    "\t... 3 more ;; -|_msg=INFO ok ;; -|_msg=INFO more");
}

static void
test_python(void)
{
	struct parser_options opt = { .name = "auto", .multiline = "python" };

	check_lines(&opt,
	    "level=error msg=bad\nTraceback (most recent call last):\n  File \"a.py\", line 1\nKeyError: 1\n\n"
	    "During handling of the above exception, another exception occurred:\n\n"
	    "Traceback (most recent call last):\n  File \"b.py\"\nValueError: 2\nlevel=info msg=ok",
	    "-|level=error|_msg=bad\nTraceback (most recent call last):\n  File \"a.py\", line 1\nKeyError: 1\n\n"
	    "During handling of the above exception, another exception occurred:\n\n"
	    "Traceback (most recent call last):\n  File \"b.py\"\nValueError: 2 ;; -|level=info|_msg=ok");
}

static void
test_go(void)
{
	struct parser_options opt = { .name = "plain", .multiline = "go" };

	check_lines(&opt,
	    "ok\npanic: boom\n\ngoroutine 1 [running]:\nmain.main()\n\t/a/b.go:5 +0x1d\nexit status 2\nnext",
	    "-|_msg=ok ;; -|_msg=panic: boom\n\ngoroutine 1 [running]:\nmain.main()\n\t/a/b.go:5 +0x1d\n"
	    "exit status 2 ;; -|_msg=next");
	check_lines(&opt,
	    "http: panic serving 1.2.3.4:5: x\ngoroutine 7 [running]:\nnet/http.f(0x1)\n\t/a.go:1\nok",
	    "-|_msg=http: panic serving 1.2.3.4:5: x\ngoroutine 7 [running]:\nnet/http.f(0x1)\n\t/a.go:1 ;; -|_msg=ok");
}

static void
test_custom(void)
{
	struct parser_options opt = { .name = "plain",
		.multiline = "custom",
		.start = STR("^\\d+ ") };

	check_lines(&opt, "1 a\nb\n2 c\nd\ne", "-|_msg=1 a\nb ;; -|_msg=2 c\nd\ne");
	opt.start = STR_NONE;
	opt.continuation = STR("^[|+]");
	check_lines(&opt, "a\n|b\n+c\nd\n|e", "-|_msg=a\n|b\n+c ;; -|_msg=d\n|e");
}

/* The first line's own form holds for the group; a JSON line needs no group. */
static void
test_head(void)
{
	struct parser_options opt = { .name = "pattern",
		.multiline = "java",
		.pattern = STR("^(?<time>\\S+ \\S+) (?<level>\\w+) (?<message>.*)$") };

	check_lines(&opt,
	    "2026-01-01 00:00:00Z ERROR x\n\tat a.b(C.java:1)\n2026-01-01 00:00:01Z INFO y",
	    "2026-01-01T00:00:00Z|level=ERROR|_msg=x\n\tat a.b(C.java:1) ;; 2026-01-01T00:00:01Z|level=INFO|_msg=y");
}

/* JSON printed over many lines is one event again. */
static void
test_pretty(void)
{
	struct parser_options opt = { .name = "auto",
		.multiline = "custom",
		.start = STR("^\\S"),
		.continuation = STR("^(\\s|\\})") };

	check_lines(&opt, "{\n  \"msg\": \"m\",\n  \"a\": 1 }\nx\n{ no\n json",
	    "-|_msg=m|a=1 ;; -|_msg=x ;; -|_msg={ no\n json|parse_error=json: no key at byte 2");
}

static void
test_timeout(void)
{
	AUTO(parser_free) struct parser *p = NULL;
	AUTO_FINI(record_batch_fini) struct record_batch b = RECORD_BATCH_INIT;
	struct parser_options opt = { .name = "plain", .multiline = "java" };

	MUST(parser_new(&p, &opt, NULL) == 0);
	CHECK(!parser_pending(p));
	CHECK(parser_line(p, STR("a"), (struct wall){ 10 * NS_PER_S }, &b) == 0);
	CHECK(b.n == 0 && parser_pending(p));
	CHECK(parser_flush(p, (struct wall){ 14 * NS_PER_S }, false, &b) == 0 && b.n == 0);
	CHECK(parser_flush(p, (struct wall){ 15 * NS_PER_S }, false, &b) == 0 && b.n == 1);
	CHECK(!parser_pending(p) && b.recs[0].time.ns == 10 * NS_PER_S);
	/* A clock that was set back by hours does not hold a group for hours. */
	CHECK(parser_line(p, STR("b"), (struct wall){ FAR_LATER * NS_PER_S }, &b) == 0);
	CHECK(parser_flush(p, (struct wall){ 0 }, false, &b) == 0 && b.n == 2);
}

/* What is saved in the middle and loaded elsewhere goes on as if nothing had been. */
static void
test_save(void)
{
	static const char *const lines[] = { "2026-11-21T02:14:13.1000Z stdout F ERROR x",
		"2026-11-21T02:14:13.2000Z stdout F \tat a.b(C.java:1)",
		"2026-11-21T02:14:13.3000Z stderr P half ",
		"2026-11-21T02:14:13.4000Z stdout P \tat ",
		"2026-11-21T02:14:13.5000Z stderr F whole",
		"2026-11-21T02:14:13.6000Z stdout F d.e(F.java:2)" };
	const char *want =
	    "2026-11-21T02:14:13.1Z|_msg=ERROR x\n\tat a.b(C.java:1)\n\tat d.e(F.java:2)|"
	    "stream=stdout ;; 2026-11-21T02:14:13.3Z|_msg=half whole|stream=stderr";
	struct parser_options opt = { .name = "cri", .multiline = "java" };
	struct wall now = { RENDER_RECEIVED * NS_PER_S };
	size_t cut, i;

	for (cut = 0; cut <= ARRAY_LEN(lines); cut++) {
		AUTO(parser_free) struct parser *p = NULL;
		AUTO_FINI(record_batch_fini) struct record_batch b = RECORD_BATCH_INIT;
		AUTO_FINI(buf_fini) struct buf out = BUF_INIT, state = BUF_INIT;

		MUST(parser_new(&p, &opt, NULL) == 0);
		for (i = 0; i < ARRAY_LEN(lines); i++) {
			if (i == cut) {
				CHECK(parser_save(p, &state) == 0);
				p = parser_free(p);
				MUST(parser_new(&p, &opt, NULL) == 0);
				CHECK(parser_load(p, buf_view(&state)) == 0);
			}
			CHECK(parser_line(p, str_c(lines[i]), now, &b) == 0);
		}
		CHECK(parser_flush(p, now, true, &b) == 0);
		render_batch(&out, &b);
		CHECK_STR(buf_view(&out), str_c(want));
	}
}

/* What is saved is what a parser can load: after an event of this stream, and with lines longer than a group. */
static void
test_save_again(void)
{
	enum { LONG = 3 << 20 };
	static const char prefix[] = "2026-11-21T02:14:13.3000Z stderr P ";
	struct parser_options opt = { .name = "cri", .multiline = "java" };
	AUTO(parser_free) struct parser *p = NULL;
	AUTO(parser_free) struct parser *q = NULL;
	AUTO_FINI(record_batch_fini) struct record_batch b = RECORD_BATCH_INIT;
	AUTO_FINI(buf_fini) struct buf state = BUF_INIT;
	AUTO_FREE uint8_t *line = malloc(LONG);
	struct wall now = { 0 };

	MUST(line != NULL && parser_new(&p, &opt, NULL) == 0 && parser_new(&q, &opt, NULL) == 0);
	CHECK(parser_line(p, STR("2026-11-21T02:14:13.1Z stderr F whole"), now, &b) == 0);
	CHECK(parser_flush(p, now, true, &b) == 0);
	CHECK(parser_line(p, STR("2026-11-21T02:14:13.3Z stderr P half "), now, &b) == 0);
	CHECK(parser_save(p, &state) == 0);
	CHECK(parser_load(q, buf_view(&state)) == 0 && parser_pending(q));
	memset(line, 'x', LONG);
	memcpy(line, prefix, sizeof(prefix) - 1);
	CHECK(parser_line(p, str_of(line, LONG), now, &b) == 0);
	CHECK(parser_line(p, str_of(line + LONG / 2, LONG / 2), now, &b) == 0);
	buf_clear(&state);
	CHECK(parser_save(p, &state) == 0);
	CHECK(parser_load(q, buf_view(&state)) == 0 && parser_pending(q) == parser_pending(p));
}

static void
test_load_bad(void)
{
	AUTO(parser_free) struct parser *p = NULL;
	AUTO_FINI(record_batch_fini) struct record_batch b = RECORD_BATCH_INIT;
	AUTO_FINI(buf_fini) struct buf state = BUF_INIT;
	struct parser_options opt = { .name = "cri" };
	size_t n;

	MUST(parser_new(&p, &opt, NULL) == 0);
	CHECK(parser_line(p, STR("2026-11-21T02:14:13.3000Z stderr P half "), (struct wall){ 0 },
	          &b) == 0);
	CHECK(parser_save(p, &state) == 0 && state.n > 40);
	for (n = 1; n < state.n; n++) {
		CHECK(parser_load(p, str_sub(buf_view(&state), 0, n)) ==
		    (n == 1 ? 0 : PARSER_E_OPTION));
		CHECK(!parser_pending(p));
	}
	CHECK(parser_load(p, buf_view(&state)) == 0 && parser_pending(p));
	state.p[0] = 9;
	CHECK(parser_load(p, buf_view(&state)) == PARSER_E_OPTION && !parser_pending(p));
}

/* No group grows without end, and nothing of it is lost. */
static void
test_bounds(void)
{
	AUTO(parser_free) struct parser *p = NULL;
	AUTO_FINI(record_batch_fini) struct record_batch b = RECORD_BATCH_INIT;
	AUTO_FINI(buf_fini) struct buf line = BUF_INIT;
	struct parser_options opt = { .name = "plain", .multiline = "java" };
	size_t i, total = 0, partial = 0;

	MUST(parser_new(&p, &opt, NULL) == 0);
	buf_byte(&line, ' ');
	for (i = 1; i < 100000; i++)
		buf_byte(&line, 'x');
	for (i = 0; i < 40; i++)
		CHECK(parser_line(p, buf_view(&line), (struct wall){ 0 }, &b) == 0);
	CHECK(parser_flush(p, (struct wall){ 0 }, true, &b) == 0);
	CHECK(b.n > 2);
	for (i = 0; i < b.n; i++) {
		CHECK(record_get(&b.recs[i], STR("_msg")).n <= 1 << 20);
		total += record_get(&b.recs[i], STR("_msg")).n + 1;
		partial += (b.recs[i].flags & RECORD_PARTIAL) != 0;
	}
	CHECK(total == 40 * 100001 && partial == b.n - 1);
}

static void
test_pattern(void)
{
	struct parser_options opt = { .name = "pattern" };

	opt.pattern = STR("^(?<ip>\\S+) (?<status>\\d+)( (?<none>z))?");
	check_lines(&opt, "1.2.3.4 200 rest\nnothing",
	    "-|ip=1.2.3.4|status=200|_msg=1.2.3.4 200 rest ;; -|_msg=nothing|parse_error=pattern: no match");
	opt.pattern = STR("\\[(?<level>\\w+)\\] (?<message>\\w+)");
	check_lines(&opt, "head [info] hi tail\n[info] hi",
	    "-|level=info|_msg=hi|_rest=head  tail ;; -|level=info|_msg=hi");
}

/* Patterns that would take longer than the universe end at a limit, in bounded time. */
static void
test_catastrophic(void)
{
	static const char *const patterns[] = { "^(?<x>(a+)+)$", "^(?<x>(a|aa)+)$",
		"(?<x>(.*)*(.*)*z)", "^(?<x>(([a-z])+.)+[A-Z])$", "(?<x>(?:(?R)|a)+b)",
		"(?<x>(\\w*\\w*)*\\W)" };
	AUTO_FINI(buf_fini) struct buf line = BUF_INIT, out = BUF_INIT;
	struct parser_options opt = { .name = "pattern" };
	struct span start;
	size_t i, k;

	for (i = 0; i < 5000; i++)
		buf_byte(&line, 'a');
	buf_byte(&line, '!');
	for (i = 0; i < ARRAY_LEN(patterns); i++) {
		opt.pattern = str_c(patterns[i]);
		start = mono_now();
		for (k = 0; k < 10; k++) {
			buf_clear(&out);
			CHECK(render_lines(&out, &opt, buf_view(&line)) == 0);
			CHECK(out.n > 5000);
		}
		/* Far above what it takes, far below what it would take without a limit. */
		CHECK(mono_now().ns - start.ns < 20 * NS_PER_S);
	}
	opt.pattern = STR("^(?<x>(a+)+)$");
	buf_clear(&out);
	CHECK(render_lines(&out, &opt, buf_view(&line)) == 0);
	CHECK(str_ends(buf_view(&out),
	    STR("parse_error=pattern: gave up, a match limit was reached")));
}

int
main(void)
{
	test_java();
	test_python();
	test_go();
	test_custom();
	test_head();
	test_pretty();
	test_timeout();
	test_save();
	test_save_again();
	test_load_bad();
	test_bounds();
	test_pattern();
	test_catastrophic();
	return check_done();
}
