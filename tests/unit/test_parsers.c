/* tests/unit/test_parsers.c - each format, as a table of lines and records. */
#include "check.h"
#include "render.h"

struct row {
	const char *format;
	const char *text; /* lines */
	const char *want; /* as render_batch writes them */
};

static const struct row rows[] = {
	/* plain */
	{ "plain", "hello  world", "-|_msg=hello  world" },
	{ "plain", "2026-11-21 02:14:13,123 ERROR x",
	    "2026-11-21T02:14:13.123Z|_msg=2026-11-21 02:14:13,123 ERROR x" },
	{ "plain", "[2026-11-21T02:14:13Z] x",
	    "2026-11-21T02:14:13Z|_msg=[2026-11-21T02:14:13Z] x" },
	{ "plain", "[Sat Nov 21 02:14:13.5 2026] [core:error] x",
	    "2026-11-21T02:14:13.5Z|_msg=[Sat Nov 21 02:14:13.5 2026] [core:error] x" },
	{ "plain", "1234:M 21 Nov 2026 02:14:13.123 * Ready",
	    "2026-11-21T02:14:13.123Z|_msg=1234:M 21 Nov 2026 02:14:13.123 * Ready" },
	{ "plain", "2026-11-21T02:14:13Zebra", "-|_msg=2026-11-21T02:14:13Zebra" },
	{ "plain", "a\r\n\nb\r", "-|_msg=a ;; -|_msg=b" },
	{ "plain",
	    "\xef\xbb\xbf"
	    "first",
	    "-|_msg=first" },
	{ "plain", "{\"a\":1}", "-|_msg={\"a\":1}" },
	/* json: time and message */
	{ "json", "{\"time\":\"2026-11-21T02:14:13Z\",\"msg\":\"m\",\"a\":1}",
	    "2026-11-21T02:14:13Z|_msg=m|a=1" },
	{ "json", "{\"msg\":\"second\",\"message\":\"first\"}", "-|msg=second|_msg=first" },
	{ "json", "{\"message\":\"\",\"msg\":\"m\"}", "-|message=|_msg=m" },
	{ "json", "{\"_msg\":\"b\",\"log\":\"a\"}", "-|_msg_=b|_msg=a" },
	{ "json", "{\"time\":\"2026-01-01T00:00:00Z\",\"timestamp\":1700000000}",
	    "2023-11-14T22:13:20Z|time=2026-01-01T00:00:00Z" },
	{ "json", "{\"timestamp\":\"x\",\"time\":\"2026-01-01T00:00:00Z\"}",
	    "2026-01-01T00:00:00Z|timestamp=x" },
	{ "json", "{\"ts\":12.5}", "-|ts=12.5" },
	{ "json", "{\"_time\":\"2026-01-01T00:00:00Z\",\"_msg\":\"x\"}",
	    "2026-01-01T00:00:00Z|_msg=x" },
	{ "json", "{\"_time\":\"x\",\"_stream\":\"s\",\"_stream_id\":\"i\",\"weir\":\"w\"}",
	    "-|_time_=x|_stream_=s|_stream_id_=i|weir_=w" },
	{ "json", "{\"weir\":1,\"weir_\":2}", "-|weir__=1|weir_=2" },
	/* json: values */
	{ "json", "{\"a\":{\"b\":{\"c\":1},\"d\":[1, {\"e\":2}],\"e\":{},\"f\":[]}}",
	    "-|a.b.c=1|a.d=[1, {\"e\":2}]|a.e={}|a.f=[]" },
	{ "json", "{\"a\":1e400,\"b\":-0,\"c\":12345678901234567890123,\"d\":1.50}",
	    "-|a=1e400|b=-0|c=12345678901234567890123|d=1.50" },
	{ "json", "{\"a\":null,\"b\":true,\"c\":false}", "-|a=|b=true|c=false" },
	{ "json", "{\"a\":\"\\u00e4\\ud83d\\ude00\\n\\\"\\\\\\/\"}",
	    "-|a=\xc3\xa4\xf0\x9f\x98\x80\n\"\\/" },
	{ "json", "{\"a\":\"\\ud800x\",\"b\":\"\\udc00\\ud800\"}",
	    "-|a=\xed\xa0\x80x|b=\xed\xb0\x80\xed\xa0\x80" },
	{ "json", "{\"a\":\"\xff\xc0\xaf\"}", "-|a=\xff\xc0\xaf" },
	{ "json", "{\"\":1,\"a\":{\"\":2}}", "-|_=1|a.=2" },
	{ "json", "{\"k\\u0065y\":1}", "-|key=1" },
	{ "json", " {\t\"a\" : 1 , \"b\" :[ ] } ", "-|a=1|b=[ ]" },
	{ "json", "{}", "-" },
	/* json: duplicates */
	{ "json", "{\"a\":1,\"b\":2,\"a\":3}", "-|a=3|b=2|dup_keys=a" },
	{ "json", "{\"a.b\":1,\"a\":{\"b\":2}}", "-|a.b=2|dup_keys=a.b" },
	{ "json", "{\"a\":1,\"a\":2,\"a\":3,\"b\":1,\"b\":2}", "-|a=3|b=2|dup_keys=a,b" },
	{ "json", "{\"dup_keys\":1,\"a\":1,\"a\":2}", "-|dup_keys=1|a=2|dup_keys_=a" },
	{ "json", "{\"a\":1,\"b\":2,\"b\":3,\"time\":\"2026-01-01T00:00:00Z\",\"c\":1,\"c\":2}",
	    "2026-01-01T00:00:00Z|a=1|b=3|c=2|dup_keys=b,c" },
	{ "json", "{\"a\":1,\"time\":\"x\",\"time\":\"2026-01-01T00:00:00Z\"}",
	    "2026-01-01T00:00:00Z|a=1|dup_keys=time" },
	/* json: blanks where the line before had none */
	{ "json",
	    "{\"a\":1,\"b\":2}\n{\"a\":1,  \"b\":2}\n{\"a\":1, \t\"b\":2}\n{\"a\":1,\t\"b\":2}",
	    "-|a=1|b=2 ;; -|a=1|b=2 ;; -|a=1|b=2 ;; -|a=1|b=2" },
	/* json: what is none */
	{ "json", "{\"a\":1,}", "-|_msg={\"a\":1,}|parse_error=json: no key at byte 7" },
	{ "json", "{\"a\":1} x",
	    "-|_msg={\"a\":1} x|parse_error=json: more behind the object at byte 8" },
	{ "json", "{\"a\":1}{}",
	    "-|_msg={\"a\":1}{}|parse_error=json: more behind the object at byte 7" },
	{ "json", "{\"a\":\"x",
	    "-|_msg={\"a\":\"x|parse_error=json: the text ends too early at byte 7" },
	{ "json", "{\"a\":tru}", "-|_msg={\"a\":tru}|parse_error=json: no value at byte 5" },
	{ "json", "{\"a\":01}", "-|_msg={\"a\":01}|parse_error=json: bad number at byte 7" },
	{ "json", "{\"a\":\"\\x\"}",
	    "-|_msg={\"a\":\"\\x\"}|parse_error=json: bad escape at byte 6" },
	{ "json", "{\"a\":\"\t\"}",
	    "-|_msg={\"a\":\"\t\"}|parse_error=json: control character in a string at byte 6" },
	{ "json", "[1]", "-|_msg=[1]|parse_error=json: not an object at byte 0" },
	{ "json", "{'a':1}", "-|_msg={'a':1}|parse_error=json: no key at byte 1" },
	/* W3C trace context */
	{ "json", "{\"traceparent\":\"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\"}",
	    "-|traceparent=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	    "|trace_id=0af7651916cd43dd8448eb211c80319c" },
	{ "json",
	    "{\"trace_id\":\"t\",\"traceparent\":\"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\"}",
	    "-|trace_id=t|traceparent=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" },
	{ "json", "{\"traceparent\":\"short\"}", "-|traceparent=short" },
	/* logfmt */
	{ "logfmt", "level=info msg=\"a \\\"b\\\" \\u00e4\" n=1",
	    "-|level=info|_msg=a \"b\" \xc3\xa4|n=1" },
	{ "logfmt", "ts=2026-01-01T00:00:00Z a= b", "2026-01-01T00:00:00Z|a=|_msg=b" },
	{ "logfmt", "starting up port=80", "-|port=80|_msg=starting up" },
	{ "logfmt", "msg=x lost words a=1", "-|_msg=x|a=1|_rest=lost words" },
	{ "logfmt", "a=\"open", "-|a=\"open" },
	{ "logfmt", "no pair", "-|_msg=no pair|parse_error=logfmt: no key=value pair" },
	/* access */
	{ "access", "1.2.3.4 - - [21/Nov/2026:02:14:13 +0000] \"GET /a?b=1 HTTP/1.1\" 200 612",
	    "2026-11-21T02:14:13Z|remote_addr=1.2.3.4|_msg=GET /a?b=1 HTTP/1.1|method=GET"
	    "|path=/a?b=1|proto=HTTP/1.1|status=200|bytes=612" },
	{ "access",
	    "::1 id bob [21/Nov/2026:02:14:13 +0100] \"POST /x HTTP/2.0\" 500 - \"http://r/\" \"cu \\\"rl\" "
	    "0.123 540e7c9fe115462a81205c3a14bd3a9d 0.120 - \"1.2.3.4\" rt=0.5",
	    "2026-11-21T01:14:13Z|remote_addr=::1|ident=id|user=bob|_msg=POST /x HTTP/2.0|method=POST"
	    "|path=/x|proto=HTTP/2.0|status=500|referer=http://r/|user_agent=cu \\\"rl|request_time=0.123"
	    "|request_id=540e7c9fe115462a81205c3a14bd3a9d|upstream_time=0.120|extra_5=1.2.3.4|rt=0.5" },
	{ "access",
	    "v:443 1.1.1.1 - - [21/Nov/2026:02:14:13 +0000] \"\\x16\\x03\" 400 0 \"-\" \"-\"",
	    "2026-11-21T02:14:13Z|vhost=v:443|remote_addr=1.1.1.1|_msg=\\x16\\x03|status=400|bytes=0" },
	{ "access", "what is this",
	    "-|_msg=what is this|parse_error=access: not as expected at byte 0" },
	/* syslog */
	{ "syslog", "<13>Nov 20 02:14:13 web1 app[123]: hello: world",
	    "2026-11-20T02:14:13Z|priority=13|facility_keyword=user|level=notice|facility=1|severity=5"
	    "|format=rfc3164|hostname=web1|app_name=app|proc_id=123|_msg=hello: world" },
	{ "syslog", "Dec 31 23:59:59 web1 cron: x",
	    "2025-12-31T23:59:59Z|format=rfc3164|hostname=web1|app_name=cron|_msg=x" },
	{ "syslog", "Jan  1 00:00:01 web1 cron: x",
	    "2026-01-01T00:00:01Z|format=rfc3164|hostname=web1|app_name=cron|_msg=x" },
	{ "syslog", "Mar  1 00:00:01 web1 cron: x",
	    "2026-03-01T00:00:01Z|format=rfc3164|hostname=web1|app_name=cron|_msg=x" },
	{ "syslog",
	    "<34>1 2026-10-11T22:14:15.003Z h su - ID47 [e@1 i=\"3\" q=\"a\\\"b\\]\\\\\"][x a=\"1\"] \xef\xbb\xbf"
	    "failed",
	    "2026-10-11T22:14:15.003Z|priority=34|facility_keyword=auth|level=critical|facility=4|severity=2"
	    "|format=rfc5424|hostname=h|app_name=su|msg_id=ID47|e@1.i=3|e@1.q=a\"b]\\|x.a=1|_msg=failed" },
	{ "syslog", "<0>1 - - - - - -",
	    "-|priority=0|facility_keyword=kern|level=emerg|facility=0"
	    "|severity=0|format=rfc5424" },
	{ "syslog", "<13>no time here",
	    "-|priority=13|facility_keyword=user|level=notice|facility=1"
	    "|severity=5|format=rfc3164|_msg=no time here" },
	{ "syslog", "<999>x", "-|_msg=<999>x|parse_error=syslog: not as expected at byte 0" },
	{ "syslog", "<34>1 2026-10-11T22:14:15Z h a p m [e x=\"y\" z",
	    "-|_msg=<34>1 2026-10-11T22:14:15Z h a p m [e x=\"y\" z|parse_error=syslog: not as expected at byte 45" },
	/* auto */
	{ "auto", "{\"a\":1}\nplain text\na=1 b=2\nuser=5 logged in\n<13>x y",
	    "-|a=1 ;; -|_msg=plain text ;; -|a=1|b=2 ;; -|_msg=user=5 logged in ;; "
	    "-|priority=13|facility_keyword=user|level=notice|facility=1|severity=5|format=rfc3164|_msg=x y" },
	{ "auto", " {\"a\":1}\n {oops", "-|a=1 ;; -|_msg= {oops" },
	{ "auto", "Nov 20 02:14:13 web1 last message repeated 2 times",
	    "2026-11-20T02:14:13Z|format=rfc3164|hostname=web1|_msg=last message repeated 2 times" },
	{ "auto", "{oops", "-|_msg={oops|parse_error=json: no key at byte 1" },
	{ "auto", "[info] x\n<b>x</b>\na = 1\n1=2 3=4\nx",
	    "-|_msg=[info] x ;; -|_msg=<b>x</b> ;; "
	    "-|_msg=a = 1 ;; -|_msg=1=2 3=4 ;; -|_msg=x" },
	{ "auto", "1.2.3.4 - - [21/Nov/2026:02:14:13 +0000] \"GET / HTTP/1.1\" 200 6 \"-\" \"x\"",
	    "2026-11-21T02:14:13Z|remote_addr=1.2.3.4|_msg=GET / HTTP/1.1|method=GET|path=/"
	    "|proto=HTTP/1.1|status=200|bytes=6|user_agent=x" },
	{ "auto", "2026-11-21T02:14:13.5+00:00 web1 sshd[12]: Failed",
	    "2026-11-21T02:14:13.5Z|format=rfc3164|hostname=web1|app_name=sshd|proc_id=12|_msg=Failed" },
	/* containers */
	{ "auto",
	    "{\"log\":\"level=info msg=hi\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-21T02:14:13.1Z\"}",
	    "2026-11-21T02:14:13.1Z|level=info|_msg=hi|stream=stdout" },
	{ "auto",
	    "{\"log\":\"half \",\"stream\":\"stderr\",\"time\":\"2026-11-21T02:14:13Z\"}\n"
	    "{\"log\":\"whole\\n\",\"stream\":\"stderr\",\"time\":\"2026-11-21T02:14:14Z\",\"attrs\":{\"tag\":\"x\"}}",
	    "2026-11-21T02:14:13Z|_msg=half whole|attrs.tag=x|stream=stderr" },
	{ "docker",
	    "{\"log\":\"{\\\"time\\\":\\\"2026-01-01T00:00:00Z\\\",\\\"stream\\\":\\\"q\\\"}\\n\","
	    "\"stream\":\"stdout\",\"time\":\"2026-11-21T02:14:13Z\"}",
	    "2026-01-01T00:00:00Z|stream=q|stream_=stdout|container_time=2026-11-21T02:14:13Z" },
	{ "auto", "{\"log\":\"not docker\",\"stream\":\"other\"}",
	    "-|_msg=not docker|stream=other" },
	{ "cri",
	    "2026-11-21T02:14:13.1Z stdout F {\"msg\":\"in\"}\n2026-11-21T02:14:13.1Z stderr P one,\n"
	    "2026-11-21T02:14:13.2Z stdout F other\n2026-11-21T02:14:13.3+00:00 stderr F two",
	    "2026-11-21T02:14:13.1Z|_msg=in|stream=stdout ;; 2026-11-21T02:14:13.2Z|_msg=other|stream=stdout"
	    " ;; 2026-11-21T02:14:13.1Z|_msg=one,two|stream=stderr" },
	{ "cri", "2026-11-21T02:14:13.123456789Z stdout P:x cut",
	    "2026-11-21T02:14:13.123456789Z|_msg=cut|stream=stdout" },
	{ "cri", "2026-11-21T02:14:13.123456789Z stdout X cut",
	    "2026-11-21T02:14:13.123456789Z|_msg=2026-11-21T02:14:13.123456789Z stdout X cut" },
};

static void
test_rows(void)
{
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;
	struct parser_options opt = { .zone_set = true };
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		buf_clear(&out);
		opt.name = rows[i].format;
		CHECK(render_lines(&out, &opt, str_c(rows[i].text)) == 0);
		CHECK_STR(buf_view(&out), str_c(rows[i].want));
	}
}

/* The line's time by the year that suits its receipt. */
static void
check_year(const char *line, const char *received, const char *want)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	struct record rec = { 0 };
	struct wall t = { 0 };

	MUST(parser_time(str_c(received), 0, &t));
	CHECK(syslog_fields(str_c(line), t, 0, &arena, &rec.fields, &rec.n_fields) == 0);
	CHECK_STR(record_get(&rec, STR("timestamp")), str_c(want));
}

static void
test_year(void)
{
	check_year("Dec 31 23:59:59 h a: x", "2026-01-01T00:00:01Z", "2025-12-31T23:59:59Z");
	check_year("Jan  1 00:00:02 h a: x", "2025-12-31T23:59:59Z", "2026-01-01T00:00:02Z");
	check_year("Jan  1 00:00:02 h a: x", "2026-01-01T00:00:01Z", "2026-01-01T00:00:02Z");
	check_year("Feb 29 10:00:00 h a: x", "2026-03-01T00:00:00Z", "");
	check_year("Feb 29 10:00:00 h a: x", "2025-01-01T00:00:00Z", "2024-02-29T10:00:00Z");
	check_year("Nov 21 10:00:00 h a: x", "2026-02-01T00:00:00Z", "2025-11-21T10:00:00Z");
}

/* What the pipes give is what stands there. */
static void
test_fields(void)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	struct record rec = { 0 };

	CHECK(json_fields(STR("{\"_time\":1,\"a\":{\"b\":null}}"), &arena, &rec.fields,
	          &rec.n_fields) == 0);
	CHECK(rec.n_fields == 2);
	CHECK_STR(rec.fields[0].name, STR("_time"));
	CHECK_STR(rec.fields[1].name, STR("a.b"));
	CHECK(json_fields(STR("[1]"), &arena, &rec.fields, &rec.n_fields) == PARSE_E_SYNTAX);
	CHECK(syslog_fields(STR("<165>1 2026-01-01T00:00:00Z h a - - - hi"), (struct wall){ 0 }, 0,
	          &arena, &rec.fields, &rec.n_fields) == 0);
	CHECK_STR(record_get(&rec, STR("proc_id")), STR("-"));
	CHECK_STR(record_get(&rec, STR("facility_keyword")), STR("local4"));
	CHECK_STR(record_get(&rec, STR("timestamp")), STR("2026-01-01T00:00:00Z"));
	CHECK_STR(record_get(&rec, STR("message")), STR("hi"));
}

static void
check_as_is(const char *text, const char *want)
{
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;
	struct parser_options opt = { .as_is = true };

	CHECK(render_lines(&out, &opt, str_c(text)) == 0);
	CHECK_STR(buf_view(&out), str_c(want));
}

static void
test_as_is(void)
{
	check_as_is(
	    "{\"_time\":\"2026-01-01T00:00:00Z\",\"time\":\"x\",\"message\":\"m\",\"_stream\":\"s\",\"n\":null}",
	    "2026-01-01T00:00:00Z|_time=2026-01-01T00:00:00Z|time=x|message=m|_stream=s|n=");
	check_as_is("{\"timestamp\":\"2026-01-01T00:00:00Z\",\"a\":{\"b\":1},\"c\":1,\"c\":2}",
	    "-|timestamp=2026-01-01T00:00:00Z|a.b=1|c=2");
	check_as_is("{\"log\":\"x\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-21T02:14:13.1Z\"}",
	    "-|log=x\n|stream=stdout|time=2026-11-21T02:14:13.1Z");
}

static void
test_nul(void)
{
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;
	struct parser_options opt = { .name = "auto" };

	CHECK(render_lines(&out, &opt, STR("{\"a\\u0000b\":\"x\\u0000y\"}\np\0q")) == 0);
	CHECK_STR(buf_view(&out), STR("-|a\0b=x\0y ;; -|_msg=p\0q"));
}

/* A line with more than a record has fields keeps what is left, in every format. */
static void
test_full(void)
{
	static const struct {
		const char *format, *head;
	} cases[] = { { "logfmt", "msg=x" },
		{ "access", "1.1.1.1 - - [21/Nov/2026:02:14:13 +0000] \"GET / HTTP/1.1\" 200 1" },
		{ "syslog", "<1>1 - h a - - [x" } };
	AUTO_FINI(buf_fini) struct buf line = BUF_INIT, out = BUF_INIT;
	struct parser_options opt = { 0 };
	size_t i, k;

	for (i = 0; i < ARRAY_LEN(cases); i++) {
		buf_clear(&line);
		buf_clear(&out);
		buf_c(&line, cases[i].head);
		for (k = 0; k < 1500; k++) {
			buf_c(&line, " k");
			buf_byte(&line, (uint8_t)('a' + k / 676 % 26));
			buf_byte(&line, (uint8_t)('a' + k / 26 % 26));
			buf_byte(&line, (uint8_t)('a' + k % 26));
			buf_c(&line, "=\"v\"");
		}
		buf_c(&line, i == 2 ? "] m" : "");
		opt.name = cases[i].format;
		CHECK(render_lines(&out, &opt, buf_view(&line)) == 0);
		CHECK(str_find(buf_view(&out), STR("|_rest=")) != SIZE_MAX);
		CHECK(str_find(buf_view(&out), STR("kcfr=\"v\"")) != SIZE_MAX);
	}
}

static void
test_keep_line(void)
{
	AUTO(parser_free) struct parser *p = NULL;
	AUTO_FINI(record_batch_fini) struct record_batch b = RECORD_BATCH_INIT;
	struct parser_options opt = { .keep_line = true };

	MUST(parser_new(&p, &opt, NULL) == 0);
	CHECK(parser_line(p, STR("{\"a\":1}\r"), (struct wall){ 5 }, &b) == 0);
	MUST(b.n == 1);
	CHECK_STR(b.recs[0].line, STR("{\"a\":1}"));
	CHECK(b.recs[0].time.ns == 5 && b.recs[0].flags == 0);
	CHECK(b.recs[0].fields[0].kind == VALUE_NUMBER);
}

static void
test_options(void)
{
	AUTO_FINI(buf_fini) struct buf error = BUF_INIT;
	struct parser_options opt = { .name = "jsn" };
	struct parser *p = NULL;

	CHECK(parser_new(&p, &opt, &error) == PARSER_E_OPTION && p == NULL);
	CHECK_STR(buf_view(&error),
	    STR("unknown parser \"jsn\": expected auto|json|logfmt|access|nginx|apache|syslog|pattern|plain|docker|cri"));
	opt = (struct parser_options){ .name = "pattern", .pattern = STR("(?<a") };
	CHECK(parser_new(&p, &opt, NULL) == PARSER_E_OPTION);
	opt = (struct parser_options){ .multiline = "custom" };
	CHECK(parser_new(&p, &opt, NULL) == PARSER_E_OPTION);
	opt = (struct parser_options){ .name = "pattern" };
	CHECK(parser_new(&p, &opt, NULL) == PARSER_E_OPTION);
	opt = (struct parser_options){ .name = "json", .pattern = STR("(?<a>.)") };
	CHECK(parser_new(&p, &opt, NULL) == PARSER_E_OPTION);
	opt = (struct parser_options){ .multiline = "java", .start = STR("a") };
	CHECK(parser_new(&p, &opt, NULL) == PARSER_E_OPTION);
	opt = (struct parser_options){ .continuation = STR("a") };
	CHECK(parser_new(&p, &opt, NULL) == PARSER_E_OPTION);
	opt = (struct parser_options){ .multiline = "perl" };
	CHECK(parser_new(&p, &opt, NULL) == PARSER_E_OPTION);
}

int
main(void)
{
	test_rows();
	test_year();
	test_fields();
	test_as_is();
	test_nul();
	test_full();
	test_keep_line();
	test_options();
	return check_done();
}
