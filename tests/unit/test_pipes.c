/*
 * tests/unit/test_pipes.c - pipes, each on a few rows.
 * What comes out is known to the letter, and is the same with one worker and with three.
 */
#include "check.h"
#include "tests/unit/pipes_run.h"

static const struct run_rows logs = { "_time _msg host n", //
	"2025-01-06T10:00:00Z|user 12 in|a|10\n"
	"2025-01-06T10:00:30Z|user 13 in|b|2.5\n"
	"2025-01-06T10:01:00Z|disk full|a|\n"
	"2025-01-13T10:01:00Z|user 7 in|b|1s\n" };

static const struct {
	const char *query, *want;
} cases[] = {
	{ "* | count()", "count(*)=4\n" },
	{ "* | stats by (host) count() c, sum(n) s",
	    "host=a c=2 s=10\nhost=b c=2 s=1000000002.5\n" },
	{ "* | stats by (_time:1m) count() c",
	    "_time=2025-01-06T10:00:00Z c=2\n_time=2025-01-06T10:01:00Z c=1\n"
	    "_time=2025-01-13T10:01:00Z c=1\n" },
	{ "* | stats by (_time:week) count() c",
	    "_time=2025-01-06T00:00:00Z c=3\n_time=2025-01-13T00:00:00Z c=1\n" },
	{ "* | stats by (_time:year offset 1h) rate() r", "_time=2025-01-01T01:00:00Z r=4\n" },
	{ "nothing | stats count() c, sum(n) s, min(n) m, uniq_values(n) u", "c=0 s=NaN u=[]\n" },
	{ "* | stats min(host) a, max(host) b, count_uniq(host) c, avg(n) d",
	    "a=a b=b c=2 d=333333337.5\n" },
	{ "* | stats count() switch(case (host:a) as x, default as y)", "x=2 y=2\n" },
	{ "* | stats values(host) v, uniq_values(host) u, any(host) w | fields u, w",
	    "u=[\"a\",\"b\"] w=a\n" },
	{ "* | stats json_values(n) sort by (n) limit 2 j", "j=[{},{\"n\":\"2.5\"}]\n" },
	{ "* | stats field_max(_time, host) m, row_min(_time, host, n) r",
	    "m=b r={\"host\":\"a\",\"n\":\"10\"}\n" },
	{ "* | sort by (n desc) limit 2 | fields n", "n=1s\nn=10\n" },
	{ "* | sort by (_msg) | fields _msg",
	    "_msg=disk full\n_msg=user 7 in\n_msg=user 12 in\n_msg=user 13 in\n" },
	{ "* | first 1 by (_time) partition by (host) rank as r | fields r, host, _msg",
	    "r=1 host=a _msg=user 12 in\nr=1 host=b _msg=user 13 in\n" },
	{ "* | last by (_time) | fields _msg", "_msg=user 7 in\n" },
	{ "* | top by (host) rank", "host=a hits=2 rank=1\nhost=b hits=2 rank=2\n" },
	{ "* | uniq by (host) with hits", "host=a hits=2\nhost=b hits=2\n" },
	{ "* | field_values host", "host=a hits=2\nhost=b hits=2\n" },
	{ "* | field_names | filter name:n", "name=n hits=3\n" },
	{ "* | patterns 1 | fields pattern, count, share",
	    "pattern=user <*> in count=3 share=75.00\n" },
	{ "* | running_stats by (host) count() c | fields host, c",
	    "host=a c=1\nhost=a c=2\nhost=b c=1\nhost=b c=2\n" },
	{ "* | total_stats sum(n) s | limit 1 | fields s", "s=1000000012.5\n" },
	{ "user | extract 'user <id> in' | fields id", "id=12\nid=13\nid=7\n" },
	{ "* | extract_regexp '(?P<what>us|di)' | uniq by (what)", "what=di\nwhat=us\n" },
	{ "disk | format '<uc:host>-<_msg>' as x | fields x", "x=A-disk full\n" },
	{ "disk | replace ('disk', 'tape') | fields _msg", "_msg=tape full\n" },
	{ "user | replace_regexp ('user ([0-9]+)', 'u$1') | limit 1 | fields _msg",
	    "_msg=u12 in\n" },
	{ "user | collapse_nums | uniq by (_msg)", "_msg=user <N> in\n" },
	{ "disk | math n + 1 as x, 2 ^ 3 * 2 as y, 7 % 4 z | fields x, y, z", "x=NaN y=16 z=3\n" },
	{ "disk | math round(2.3456, 0.01) a, 1 - 2 - 3 b, -2 c, min(3, 1, 2) d | fields a, b, c, d",
	    "a=2.35 b=-4 c=-2 d=1\n" },
	{ "disk | split ' ' as w | unroll w | fields w", "w=disk\nw=full\n" },
	{ "disk | unpack_words as w | json_array_len(w) l | len(_msg) m | fields w, l, m",
	    "w=[\"disk\",\"full\"] l=2 m=9\n" },
	{ "disk | pack_json fields (host, _msg) as j | unpack_json from j fields (host) result_prefix p_ "
	  "| fields j, p_host",
	    "j={\"host\":\"a\",\"_msg\":\"disk full\"} p_host=a\n" },
	{ "disk | copy h* as x_* | rename host as y | delete _* | drop_empty_fields",
	    "x_ost=a y=a\n" },
	{ "disk | set_stream_fields host | fields _stream", "_stream={host=\"a\"}\n" },
	{ "disk | time_add -1m | fields _time", "_time=2025-01-06T10:00:00Z\n" },
	{ "disk | union (user | limit 1) | fields host", "host=a\nhost=a\n" },
	{ "disk | union rows({host=z}) | fields host", "host=a\nhost=z\n" },
	{ "disk | join by (host) (* | stats by (host) count() c) | fields host, c",
	    "host=a c=2\n" },
	{ "disk | trace by (host) | fields _msg", "_msg=user 12 in\n_msg=disk full\n" },
	{ "disk | generate_sequence 2", "_msg=0\n_msg=1\n" },
	{ "* | facets 1 | fields field_name, hits | filter field_name:host",
	    "field_name=host hits=2\n" },
};

static void
check_case(size_t i, unsigned n_workers)
{
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;

	CHECK(run_text(str_c(cases[i].query), &logs, n_workers, 0, &out) == 0);
	if (!str_eq(buf_view(&out), str_c(cases[i].want))) {
		fprintf(stderr, "%s\n got %.*s\nwant %s\n", cases[i].query, STR_ARG(buf_view(&out)),
		    cases[i].want);
		check_failed++;
	}
}

/* A pipe that gathers ends at the bound, and says who it was. */
static void
test_bound(void)
{
	static const char *const gather[] = { "* | sort by (n)", "* | stats by (_msg) values(n)",
		"* | uniq by (_msg)", "* | running_stats count()", "* | patterns", "* | facets" };
	size_t i;

	for (i = 0; i < ARRAY_LEN(gather); i++) {
		AUTO_FINI(buf_fini) struct buf out = BUF_INIT;

		CHECK(run_text(str_c(gather[i]), &logs, 1, 64, &out) == -ENOMEM);
	}
}

int
main(void)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(cases); i++) {
		check_case(i, 1);
		check_case(i, 3);
	}
	test_bound();
	return check_done();
}
