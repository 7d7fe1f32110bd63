/*
 * tests/unit/test_alerts_front.c - tests alerts/alerts*.c.
 * One job: instants in order and once, over stops and jumps of the clock; why a rule does not fire.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

#include "alerts/alerts.h"
#include "alerts/message.h"
#include "check.h"
#include "store/store.h"

static char place[] = "/tmp/weir-test-front.XXXXXX";
static const int64_t T0 = INT64_C(1700000040) * NS_PER_S; /* a whole minute */

static const char rules_text[] =
    "groups: [{name: g, interval: 1m, rules: ["
    "{alert: Errors, expr: 'level:error | stats by (app) count() n | filter n:>0', window: 5m},"
    "{alert: Quiet, expr: '* | stats count() n | filter n:<1', window: 5m}]}]";

struct bench {
	struct alerts *alerts;
	const char *rules;        /* NULL: rules_text */
	const char *routing;      /* NULL: nobody is told */
	struct message_mail mail; /* the first */
	struct buf events;
	unsigned n_events;
	uint64_t stored; /* events that the store has, when it is opened */
};

static int
on_event(void *ctx, struct str id, struct wall at, struct str text, const struct label *fields,
    size_t n)
{
	struct bench *b = ctx;

	(void)id;
	(void)fields;
	(void)n;
	buf_printf(&b->events, "%lld %.*s\n", (long long)((at.ns - T0) / NS_PER_S), STR_ARG(text));
	b->n_events++;
	return 0;
}

static int
on_notified(void *ctx, const struct notification *n, struct str stored)
{
	struct bench *b = ctx;

	(void)n;
	if (b->mail.text.n == 0)
		MUST(message_mail(stored, &b->mail) == 0);
	return 0;
}

static void
bench_open(struct bench *b, int64_t at_s, const char *db)
{
	AUTO_FINI(buf_fini) struct buf errors = BUF_INIT;
	struct alerts_ops ops = { .event = on_event, .notified = on_notified, .ctx = b };
	struct alerts_options opt = { .store = place,
		.db = db,
		.host = "h",
		.events_stored = b->stored };
	struct rule_set *set = NULL;
	struct routing *routing = NULL;

	opt.start.ns = T0 + at_s * NS_PER_S;
	MUST(rules_parse("r.yaml", str_c(b->rules != NULL ? b->rules : rules_text), 0, &set,
	         &errors) == 0);
	if (b->routing == NULL)
		MUST(routing_default(&routing) == 0);
	else
		MUST(routing_parse("am.yml", str_c(b->routing), STR_NONE, &routing, &errors,
		         &errors) == 0);
	MUST(alerts_new(&b->alerts, set, routing, &opt, &ops) == 0);
}

static void
bench_close(struct bench *b)
{
	b->alerts = alerts_free(b->alerts);
	buf_fini(&b->events);
	b->n_events = 0;
}

static void
step(struct bench *b, int64_t at_s)
{
	struct wall now = { T0 + at_s * NS_PER_S };

	do {
		CHECK(alerts_step(b->alerts, now, now, NULL, 0) == 0);
	} while (alerts_next(b->alerts).ns == 0);
}

static unsigned
evaluations(struct bench *b)
{
	static const char name[] = "\nweir_rules_evaluations_total ";
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;
	size_t at;

	MUST(alerts_enter(b->alerts, (struct span){ NS_PER_S }));
	alerts_metrics(b->alerts, &out);
	alerts_leave(b->alerts);
	at = str_find(buf_view(&out), str_c(name));
	return at != SIZE_MAX ? (unsigned)strtoul(buf_c_str(&out) + at + strlen(name), NULL, 10)
	                      : 0;
}

static bool
told(const struct bench *b, const char *what)
{
	return str_find(buf_view(&b->events), str_c(what)) != SIZE_MAX;
}

/* A row a minute for ten minutes, one of them an error. */
static void
store_make(void)
{
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	struct store_options opt = { .dir_mode = 0700 };
	struct store *s = NULL;
	int i;

	MUST(store_open(&s, place, &opt, (struct wall){ T0 }, &why) == 0);
	for (i = 0; i < 10; i++) {
		struct field f[] = {
			{ STR("_msg"), STR("line"), VALUE_STRING },
			{ STR("level"), i == 2 ? STR("error") : STR("info"), VALUE_STRING },
			{ STR("app"), STR("one"), VALUE_STRING },
		};
		struct record rec = { .fields = f,
			.n_fields = 3,
			.stream = STR("{}"),
			.time = { T0 + (i * 60 + 30) * NS_PER_S },
			.flags = RECORD_HAS_TIME };

		MUST(store_append(s, &rec, 1) == 0);
	}
	MUST(store_commit(s, (struct wall){ T0 + 600 * NS_PER_S }) == 0);
	s = store_close(s);
}

static void
test_made_up(void)
{
	struct bench one = { 0 }, many = { 0 };
	int i;

	/* Step by step, and all at once after a stop: the same. */
	bench_open(&one, 0, ":memory:");
	for (i = 0; i <= 10; i++)
		step(&one, i * 60);
	bench_open(&many, 0, ":memory:");
	step(&many, 600);
	CHECK(one.n_events == 2 && told(&one, "180 alert firing") &&
	    told(&one, "480 alert resolved"));
	CHECK_STR(buf_view(&many.events), buf_view(&one.events));
	CHECK(evaluations(&one) == 20 && evaluations(&many) == 20);
	/* Once more at the same time: nothing is evaluated again. */
	step(&one, 600);
	step(&one, 601);
	CHECK(evaluations(&one) == 20);
	bench_close(&one);
	bench_close(&many);
}

/* While a group waits its numbers go on: subject and text tell of the same moment. */
static void
test_one_moment(void)
{
	struct bench b = {
		.rules =
		    "groups: [{name: g, interval: 1m, rules: [{alert: Lines, window: 10m, expr: '* | stats count() n',"
		    " annotations: {summary: '{{ $value }} lines'}}]}]",
		.routing =
		    "{global: {smtp_smarthost: 'h:25', smtp_from: a@h}, route: {receiver: r, group_wait: 150s},"
		    " receivers: [{name: r, email_configs: [{to: b@h}]}]}",
	};
	int i;

	bench_open(&b, 0, ":memory:");
	for (i = 0; i <= 10; i++)
		step(&b, i * 60);
	CHECK_STR(buf_view(&b.mail.subject), STR("[FIRING:1] Lines on h: 3 lines"));
	CHECK(str_find(buf_view(&b.mail.text), STR("value       n=3\n")) != SIZE_MAX);
	CHECK(str_find(buf_view(&b.mail.text), STR("\n3 lines\n")) != SIZE_MAX);
	message_mail_fini(&b.mail);
	bench_close(&b);
}

static void
test_restart(void)
{
	struct bench b = { 0 };
	char db[300];

	(void)snprintf(db, sizeof(db), "%s/state.db", place);
	bench_open(&b, 0, db);
	step(&b, 300);
	CHECK(told(&b, "180 alert firing") && b.n_events == 1);
	bench_close(&b);
	/* The store has that event. */
	b.stored = 1;
	bench_open(&b, 330, db);
	step(&b, 600);
	CHECK(told(&b, "480 alert resolved") && b.n_events == 1);
	bench_close(&b);
	/* The last one it does not have: it comes again, with what is new behind it. */
	bench_open(&b, 600, db);
	CHECK(told(&b, "480 alert resolved") && b.n_events == 1);
	bench_close(&b);
	b.stored = 2;
	/* A clock that was set back while it was stopped. */
	bench_open(&b, -3600, db);
	step(&b, -3600 + 61);
	CHECK(evaluations(&b) == 2);
	bench_close(&b);
	(void)unlink(db);
}

/* An hour that was never lived through is neither made up nor taken for silence. */
static void
test_clock(void)
{
	struct bench b = { 0 };

	bench_open(&b, 0, ":memory:");
	step(&b, 600);
	CHECK(evaluations(&b) == 20);
	CHECK(alerts_jumped(b.alerts, (struct wall){ T0 + 600 * NS_PER_S },
	          (struct wall){ T0 + 4200 * NS_PER_S }) == 0);
	step(&b, 4200);
	CHECK(evaluations(&b) == 20);
	step(&b, 4260);
	CHECK(evaluations(&b) == 22);
	CHECK(told(&b, "clock went from") && told(&b, "rule unknown: Errors"));
	/* And back: it goes on at once, and nothing twice in the same minute. */
	CHECK(alerts_jumped(b.alerts, (struct wall){ T0 + 4260 * NS_PER_S },
	          (struct wall){ T0 + 660 * NS_PER_S }) == 0);
	step(&b, 660);
	CHECK(evaluations(&b) == 22);
	step(&b, 720);
	CHECK(evaluations(&b) == 24);
	bench_close(&b);
}

/* The answer to why-not, asked again after a step as its status says. */
static void
why_not(struct bench *b, const char *rule, const char *format, struct api_answer *ret)
{
	struct label params[] = { { STR("rule"), str_c(rule) }, { STR("format"), str_c(format) } };
	struct api_request req = { .method = STR("GET"),
		.path = STR("/api/weir/why-not"),
		.params = params,
		.n_params = 2 };
	int i;

	for (i = 0; i < 2; i++) {
		buf_clear(&ret->body);
		ret->status = 200;
		MUST(alerts_enter(b->alerts, (struct span){ NS_PER_S }));
		CHECK(alerts_answer(b->alerts, &req, (struct wall){ T0 + 600 * NS_PER_S }, ret));
		CHECK(alerts_wants_step(b->alerts) == (ret->status == 0));
		alerts_leave(b->alerts);
		if (ret->status != 0)
			return;
		CHECK(alerts_next(b->alerts).ns == 0);
		step(b, 600);
	}
}

static bool
has(const struct api_answer *answer, const char *text)
{
	return str_find(buf_view(&answer->body), str_c(text)) != SIZE_MAX;
}

static size_t
count(struct str text, const char *what)
{
	size_t n = 0, at;

	for (; (at = str_find(text, str_c(what))) != SIZE_MAX; n++)
		text = str_sub(text, at + 1, text.n);
	return n;
}

/* What the filter at the end keeps back is shown beside it. */
static void
test_why_not(void)
{
	struct api_answer answer = { .body = BUF_INIT };
	struct bench b = {
		.rules =
		    "groups: [{name: g, interval: 1m, limit: 3, rules: ["
		    "{alert: Many, expr: 'level:info | stats by (app) count() n | filter n:>10', window: 5m},"
		    "{alert: Low, expr: '* | stats by (_time:1m) count() n | filter n:<1', window: 10m},"
		    "{alert: Typo, expr: 'levle:error | stats by (app) count() n | filter n:>1', window: 5m},"
		    "{alert: Over, expr: '* | stats by (_time:1m) count() n', window: 10m},"
		    "{alert: Slow, expr: '* | stats count() n | filter n:>1', window: 5m, for: 1h}]}]"
	};

	bench_open(&b, 0, ":memory:");
	step(&b, 600);
	why_not(&b, "Many", "text", &answer);
	CHECK(answer.status == 200);
	CHECK(has(&answer, "2023-11-14T22:24:00Z  app=\"one\"  n=5   needs n:>10\n"));
	CHECK(has(&answer, "2023-11-14T22:20:00Z  app=\"one\"  n=4   needs n:>10\n"));
	CHECK(!has(&answer, "22:19:00Z  app") && !has(&answer, "no line matches its filter"));
	/* Others are asked anew, and rows are bounded. */
	why_not(&b, "Low", "text", &answer);
	CHECK(count(buf_view(&answer.body), "needs n:<1") == 20 && has(&answer, " more\n"));
	why_not(&b, "Typo", "text", &answer);
	CHECK(has(&answer, "no line matches its filter in these windows: levle:error"));
	CHECK(has(&answer, "field 'levle' was never there; did you mean 'level'?"));
	why_not(&b, "Over", "text", &answer);
	CHECK(count(buf_view(&answer.body), "n=1   holds\n") == 20 && has(&answer, "  its rows, "));
	why_not(&b, "Slow", "text", &answer);
	CHECK(has(&answer, "n=5   holds\n") && has(&answer, "pending") && has(&answer, ", of 1h"));
	why_not(&b, "Many", "json", &answer);
	CHECK(has(&answer, "\"needs\":\"n:>10\",\"windows\":[{\"at\":\"2023-11-14T22:24:00"));
	CHECK(has(&answer,
	    "\"shown\":[{\"labels\":{\"app\":\"one\"},\"values\":{\"n\":\"5\"},\"holds\":false}]"));
	why_not(&b, "Nobody", "text", &answer);
	CHECK(answer.status == 404);
	CHECK_STR(buf_view(&answer.body),
	    STR("no rule has this name: there are Many, Low, Typo, Over, Slow\n"));
	buf_fini(&answer.body);
	bench_close(&b);
}

static void
clean(void)
{
	struct dirent *e;
	DIR *dir = opendir(place);

	while (dir != NULL && (e = readdir(dir)) != NULL)
		(void)unlinkat(dirfd(dir), e->d_name, 0);
	if (dir != NULL)
		(void)closedir(dir);
	(void)rmdir(place);
}

int
main(void)
{
	MUST(mkdtemp(place) != NULL);
	store_make();
	test_made_up();
	test_one_moment();
	test_restart();
	test_clock();
	test_why_not();
	clean();
	return check_done();
}
