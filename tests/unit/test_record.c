/* tests/unit/test_record.c - levels, names, skeletons, streams. */
#include "base/arena.h"
#include "base/hash.h"
#include "check.h"
#include "record/level.h"
#include "record/names.h"
#include "record/skeleton.h"
#include "record/stream.h"

static void
test_level(void)
{
	static const struct {
		const char *text;
		enum severity want;
	} cases[] = { { "INFO", SEVERITY_INFO }, { "Warn", SEVERITY_WARNING },
		{ "error", SEVERITY_ERR }, { "E", SEVERITY_ERR }, { "fatal", SEVERITY_CRIT },
		{ "3", SEVERITY_ERR }, { "7", SEVERITY_DEBUG }, { "10", SEVERITY_TRACE },
		{ "30", SEVERITY_INFO }, { "60", SEVERITY_CRIT }, { "35", SEVERITY_INFO },
		{ "8", SEVERITY_UNKNOWN }, { "99", SEVERITY_UNKNOWN }, { "", SEVERITY_UNKNOWN },
		{ "infos", SEVERITY_UNKNOWN }, { "emerg", SEVERITY_EMERG },
		{ "notice", SEVERITY_NOTICE } };
	size_t i;

	for (i = 0; i < ARRAY_LEN(cases); i++)
		CHECK(level_severity(str_c(cases[i].text)) == cases[i].want);
	for (i = 0; i < 8; i++)
		CHECK(level_severity(str_c(level_priority_name((int)i))) == (enum severity)i);
	CHECK(level_priority_name(8) == NULL && level_priority_name(-1) == NULL);
}

static void
test_names(void)
{
	static const char *const times[] = { "timestamp", "time", "ts", "@timestamp" };
	static const char *const msgs[] = { "message", "msg", "log", "MESSAGE", "_msg" };
	struct str own = STR("Order-No");
	int rank = -1;
	size_t i;

	for (i = 0; i < ARRAY_LEN(times); i++) {
		CHECK(names_time_rank(str_c(times[i])) == (int)i);
		CHECK(names_role(str_c(times[i]), &rank) == NAME_TIME && rank == (int)i);
	}
	for (i = 0; i < ARRAY_LEN(msgs); i++) {
		CHECK(names_msg_rank(str_c(msgs[i])) == (int)i);
		CHECK(names_role(str_c(msgs[i]), &rank) == NAME_MSG && rank == (int)i);
	}
	CHECK(names_role(STR("_time"), &rank) == NAME_TIME);
	CHECK(names_role(STR("_stream"), &rank) == NAME_RESERVED);
	CHECK(names_role(STR("_stream_id"), &rank) == NAME_RESERVED);
	CHECK(names_role(STR("weir"), &rank) == NAME_RESERVED);
	CHECK(names_role(STR("traceparent"), &rank) == NAME_TRACEPARENT);
	CHECK(names_role(STR("Message"), &rank) == NAME_PLAIN);
	CHECK(names_role(STR(""), &rank) == NAME_PLAIN);
	CHECK(names_is_level(STR("LogLevel")) && !names_is_level(STR("levels")));
	CHECK(names_is_id(STR("request_id")) && names_is_id(STR("http.headers.X-Request-ID")));
	CHECK(
	    names_is_id(STR("TraceID")) && !names_is_id(STR("user_id")) && !names_is_id(STR("id")));
	CHECK(names_set_ids(&own, 1) == 0);
	CHECK(names_is_id(STR("a.order_no")) && !names_is_id(STR("request_id")));
}

/* A name with a role must pass the filter that is asked before. */
static void
test_names_filter(void)
{
	static const char *const all[] = { "timestamp", "time", "ts", "@timestamp", "datetime",
		"time_local", "time_iso8601", "eventTime", "event_time", "Timestamp", "asctime",
		"__REALTIME_TIMESTAMP", "_time", "message", "msg", "log", "MESSAGE", "_msg",
		"_stream", "_stream_id", "weir", "traceparent" };
	size_t i;

	for (i = 0; i < ARRAY_LEN(all); i++)
		CHECK(names_may_have_role(str_c(all[i])));
	CHECK(!names_may_have_role(STR("level")) && !names_may_have_role(STR("duration_ms")));
}

static void
check_skeleton(const char *msg, const char *want)
{
	AUTO_FINI(buf_fini) struct buf b = BUF_INIT;

	skeleton_of(&b, str_c(msg));
	CHECK_STR(buf_view(&b), str_c(want));
	CHECK(skeleton_hash(str_c(msg)) == hash64(str_c(want)));
}

static void
test_skeleton(void)
{
	AUTO_FINI(buf_fini) struct buf big = BUF_INIT, want = BUF_INIT;
	size_t from = 0, start, end, i;

	check_skeleton("", "");
	check_skeleton("no variable here", "no variable here");
	check_skeleton("1 2", "<*> <*>");
	check_skeleton("took 3.075 ms", "took <*> ms");
	check_skeleton("GET /api/v1/items/17?x=a", "GET /api/<*>/items/<*>?x=a");
	check_skeleton("id=540e7c9f-e115 from 10.0.0.1:80", "id=<*> from <*>:<*>");
	check_skeleton("a_b-c.d", "a_b-c.d");
	check_skeleton("\xc3\xa4"
	               "1\xc3\xb6",
	    "\xc3\xa4<*>\xc3\xb6");
	CHECK(skeleton_next(STR("a b2 c3"), from, &start, &end) && start == 2 && end == 4);
	CHECK(skeleton_next(STR("a b2 c3"), end, &start, &end) && start == 5 && end == 7);
	CHECK(!skeleton_next(STR("a b2 c3"), end, &start, &end));
	for (i = 0; i < 5000; i++) {
		buf_c(&big, "9 ");
		buf_c(&want, "<*> ");
	}
	CHECK(skeleton_hash(buf_view(&big)) == hash64(buf_view(&want)));
}

static void
test_stream(void)
{
	struct label labels[] = { { STR("unit"), STR("a\"b\\c\n\x01\xff") },
		{ STR("empty"), STR("") }, { STR("host"), STR("web1") },
		{ STR("a b"), STR("\xc3\xa4") } };
	struct label back[STREAM_LABELS_MAX];
	AUTO_FINI(buf_fini) struct buf b = BUF_INIT;
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	char id[STREAM_ID_TEXT + 1], other[STREAM_ID_TEXT + 1];
	size_t n = 0;

	stream_format(&b, labels, ARRAY_LEN(labels));
	CHECK_STR(buf_view(&b),
	    STR("{\"a b\"=\"\xc3\xa4\",host=\"web1\",unit=\"a\\\"b\\\\c\\n\\x01\\xff\"}"));
	CHECK(stream_parse(buf_view(&b), &arena, back, &n) == 0 && n == 3);
	CHECK_STR(back[0].name, STR("a b"));
	CHECK_STR(back[1].value, STR("web1"));
	CHECK_STR(back[2].value, STR("a\"b\\c\n\x01\xff"));
	stream_id(id, buf_view(&b));
	CHECK(strlen(id) == STREAM_ID_TEXT && strncmp(id, "0000000000000000", 16) == 0);
	stream_id(id, STR(""));
	stream_id(other, STR("{}"));
	CHECK(strcmp(id, other) == 0);
	buf_clear(&b);
	stream_format(&b, labels, 0);
	CHECK_STR(buf_view(&b), STR("{}"));
}

static void
test_stream_bad(void)
{
	static const char *const bad[] = { "{", "}", "{a}", "{a=}", "{a=\"b}", "{a=\"b\"",
		"{a=\"b\",}", "{,a=\"b\"}", "{a=\"\\q\"}", "{a=\"\\x1\"}", "{a=\"b\"}x", "{=\"b\"}",
		"x", "{a=\"\\" };
	struct label back[STREAM_LABELS_MAX];
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	size_t i, n = 0;

	for (i = 0; i < ARRAY_LEN(bad); i++)
		CHECK(stream_parse(str_c(bad[i]), &arena, back, &n) == STREAM_E_SYNTAX);
	CHECK(stream_parse(STR(""), &arena, back, &n) == 0 && n == 0);
	CHECK(stream_parse(STR("{a=\"\\u00e4\\U0001f600\"}"), &arena, back, &n) == 0 && n == 1);
	CHECK_STR(back[0].value, STR("\xc3\xa4\xf0\x9f\x98\x80"));
}

int
main(void)
{
	test_level();
	test_names_filter();
	test_names();
	test_skeleton();
	test_stream();
	test_stream_bad();
	return check_done();
}
