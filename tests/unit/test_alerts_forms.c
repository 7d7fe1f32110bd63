/*
 * tests/unit/test_alerts_forms.c - rules for what is absent, new or unusual.
 * One job: each fires when it should, and says nothing where nothing can be known.
 */
#include "eval_bed.h"

static void
test_absent(void)
{
	struct said s = { .text = BUF_INIT };
	struct bed b;
	int i;

	bed_rule(&b, "1m", "window: 3m\nexpr: '*'\nabsent: {host: [a, b]}", 0);
	/* Less than a window: nothing is said to be missing. */
	for (i = 0; i < 3; i++) {
		CHECK_STR(str_c(bed_say(&b, &s, 60)), STR(""));
		CHECK(s.unknown);
		bed_line(&b, 1, "a", "info", "x");
	}
	CHECK_STR(str_c(bed_say(&b, &s, 60)), STR("{host=\"b\"} hits=0 [0]\n"));
	CHECK(!s.unknown);
	bed_line(&b, 1, "b", "info", "x");
	bed_line(&b, 1, "a", "info", "x");
	CHECK_STR(str_c(bed_say(&b, &s, 60)), STR(""));
	(void)bed_say(&b, &s, 60);
	(void)bed_say(&b, &s, 60);
	CHECK_STR(str_c(bed_say(&b, &s, 60)),
	    STR("{host=\"a\"} hits=0 [0]\n{host=\"b\"} hits=0 [0]\n"));
	/* A source that is down says nothing of its services. */
	{
		struct eval_source down = { .name = STR("journal"), .down = true };

		CHECK(unknown_with(&b, &down));
	}
	buf_fini(&s.text);
	bed_close(&b);
}

/* Instants that are made up after a start: a host that was off had no rows of any stream. */
static void
test_absent_off(void)
{
	struct said s = { .text = BUF_INIT };
	struct eval_options opt = { .n_threads = 1, .live = true };
	struct bed b;
	int i;

	bed_rule(&b, "1m", "window: 3m\nexpr: 'host:a'\nabsent: {host: [a]}", 0);
	b.eval = eval_free(b.eval);
	opt.store = b.path;
	MUST(eval_new(&b.eval, b.rules, &opt) == 0);
	for (i = 0; i < 8; i++) {
		(void)bed_say(&b, &s, 60);
		CHECK(s.unknown && s.n == 0);
	}
	/* Something runs, and a does not. */
	bed_line(&b, 1, "b", "info", "x");
	CHECK_STR(str_c(bed_say(&b, &s, 60)), STR("{host=\"a\"} hits=0 [0]\n"));
	CHECK(!s.unknown);
	buf_fini(&s.text);
	bed_close(&b);
}

static void
test_absent_learned(void)
{
	struct said s = { .text = BUF_INIT };
	struct bed b;
	int i;

	bed_rule(&b, "1m", "window: 2m\nexpr: '*'\nabsent: {host: learned}\nlearn: 1h", 0);
	bed_line(&b, 3000, "old", "info", "x");
	bed_line(&b, 7000, "gone", "info", "x");
	for (i = 0; i < 3; i++) {
		bed_line(&b, 1, "a", "info", "x");
		(void)bed_say(&b, &s, 60);
	}
	CHECK_STR(buf_view(&s.text), STR("{host=\"old\"} hits=0 [0]\n"));
	for (i = 0; i < 20; i++) {
		bed_line(&b, 1, "new", "info", "x");
		(void)bed_say(&b, &s, 60);
	}
	/* What was not seen for so long is no longer expected; what came since is. */
	CHECK_STR(buf_view(&s.text), STR("{host=\"a\"} hits=0 [0]\n"));
	buf_fini(&s.text);
	bed_close(&b);
}

static void
test_new_pattern(void)
{
	struct said s = { .text = BUF_INIT };
	struct bed b;
	int i;

	bed_rule(&b, "1m", "window: 3m\nexpr: 'level:error'\nnew_pattern: {since: 7d}", 0);
	bed_line(&b, 3 * 86400, "a", "error", "disk 7 is full");
	bed_line(&b, 3 * 86400, "a", "info", "nobody counts 12");
	CHECK_STR(str_c(bed_say(&b, &s, 60)), STR(""));
	bed_line(&b, 1, "a", "error", "disk 9 is full");
	CHECK_STR(str_c(bed_say(&b, &s, 60)), STR(""));
	bed_line(&b, 1, "a", "error", "pool 12 is gone");
	bed_line(&b, 2, "b", "error", "pool 99 is gone");
	(void)bed_say(&b, &s, 60);
	CHECK(s.n == 1);
	CHECK(str_find(buf_view(&s.text), STR("pattern=\"pool <*> is gone\"")) != SIZE_MAX);
	CHECK(str_find(buf_view(&s.text), STR(" hits=2 [2]")) != SIZE_MAX);
	for (i = 0; i < 2; i++) {
		(void)bed_say(&b, &s, 60);
		CHECK(s.n == 1);
	}
	/* It is known by now. */
	bed_line(&b, 1, "a", "error", "pool 13 is gone");
	CHECK_STR(str_c(bed_say(&b, &s, 60)), STR(""));
	buf_fini(&s.text);
	bed_close(&b);
}

static void
test_anomaly(void)
{
	struct said s = { .text = BUF_INIT };
	struct bed b;
	int week, minute, i;

	bed_rule(&b, "5m",
	    "expr: '* | stats by (host) count() hits'\nwindow: 5m\n"
	    "anomaly: {history: 28d, band: 5, min: 10}",
	    0);
	/* Some 10 rows in each five minutes of this hour in four weeks, 100 in the hour before. */
	for (week = 1; week <= 4; week++)
		for (minute = -60; minute < 60; minute += 5)
			for (i = 0; i < (minute < 0 ? 100 : 9 + (minute / 5 + week) % 3); i++)
				bed_line(&b, week * 7 * 86400 - minute * 60 - 10 - i, "a", "info",
				    "x");
	b.now.ns += 300 * NS_PER_S;
	for (i = 0; i < 11; i++)
		bed_line(&b, 10 + i, "a", "info", "x");
	CHECK_STR(str_c(bed_say(&b, &s, 300)), STR(""));
	for (i = 0; i < 40; i++)
		bed_line(&b, 10 + i, "a", "info", "x");
	(void)bed_say(&b, &s, 300);
	CHECK(s.n == 1);
	CHECK(str_find(buf_view(&s.text),
	          STR("{host=\"a\"} high=15 hits=40 low=5 median=10 [40]")) != SIZE_MAX);
	/* None at all is no row, which says nothing: absent is for that. */
	CHECK_STR(str_c(bed_say(&b, &s, 300)), STR(""));
	/* A label set without a history. */
	for (i = 0; i < 500; i++)
		bed_line(&b, 10 + i % 100, "b", "info", "x");
	CHECK_STR(str_c(bed_say(&b, &s, 300)), STR(""));
	buf_fini(&s.text);
	bed_close(&b);
}

int
main(void)
{
	test_absent();
	test_absent_off();
	test_absent_learned();
	test_new_pattern();
	test_anomaly();
	return check_done();
}
