/*
 * tests/unit/test_alerts_dispatch.c - from alerts to notifications.
 * One job: waits, repeats, ends, inhibition, silences, mute times, bounds, restarts, in simulated time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "alerts/dispatch_internal.h"
#include "check.h"

#define S  NS_PER_S
/* 2024-05-06T12:00:00Z, a Monday. */
#define T0 (INT64_C(1714996800) * S)

static struct arena arena;

/* One run: a configuration, a database, a clock, and all that was told, a line each. */
struct run {
	struct routing *routing;
	struct statedb *db;
	struct silences *silences;
	struct dispatch *d;
	int64_t now;
	struct buf told;
	size_t n_told, n_alerts, n_cut;
	char last_id[64];
};

static int
on_notify(void *ctx, const struct notification *n)
{
	static const char *const reasons[] = { "first", "changed", "repeat", "resolved" };
	struct run *r = ctx;
	size_t i;

	r->n_told++;
	r->n_alerts += n->n;
	r->n_cut += n->n_cut;
	CHECK(strcmp(r->last_id, (const char *)n->id.p) != 0);
	(void)snprintf(r->last_id, sizeof(r->last_id), "%.*s", STR_ARG(n->id));
	if (n->n > 20)
		return 0;
	buf_printf(&r->told, "%lld %.*s %.*s %s:", (long long)((r->now - T0) / S),
	    STR_ARG(n->receiver->name), STR_ARG(n->group_key), reasons[n->reason]);
	for (i = 0; i < n->n; i++)
		buf_printf(&r->told, " %s%.*s", n->alerts[i].ends_at.ns != 0 ? "-" : "+",
		    STR_ARG(labels_get(&n->alerts[i].labels, STR("a"))));
	buf_c(&r->told, "\n");
	return 0;
}

static void
run_open(struct run *r)
{
	MUST(silences_new(&r->silences, r->db) == 0);
	MUST(dispatch_new(&r->d, r->routing, r->silences, r->db) == 0);
}

static void
run_begin(struct run *r, const char *config)
{
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;

	*r = (struct run){ .now = T0 };
	if (routing_parse("am.yml", str_c(config), STR_NONE, &r->routing, &why, &why) != 0)
		(void)fprintf(stderr, "%s", buf_c_str(&why));
	MUST(r->routing != NULL);
	MUST(statedb_open(&r->db, ":memory:", &why) == 0);
	run_open(r);
}

static void
run_save(struct run *r)
{
	MUST(statedb_begin(r->db) == 0);
	MUST(dispatch_save(r->d) == 0);
	MUST(silences_save(r->silences, (struct wall){ r->now }) == 0);
	MUST(statedb_commit(r->db) == 0);
}

/* The process ends after what was saved last, and another begins. */
static void
run_restart(struct run *r)
{
	r->d = dispatch_free(r->d);
	r->silences = silences_free(r->silences);
	run_open(r);
}

static void
run_end(struct run *r)
{
	r->d = dispatch_free(r->d);
	r->silences = silences_free(r->silences);
	r->db = statedb_close(r->db);
	r->routing = routing_free(r->routing);
	buf_fini(&r->told);
}

/* Second by second up to T0 + s, as the daemon would. */
static void
until(struct run *r, int64_t s)
{
	for (; r->now < T0 + s * S; r->now += S)
		MUST(dispatch_step(r->d, (struct wall){ r->now }, on_notify, r) == 0);
	MUST(dispatch_step(r->d, (struct wall){ r->now }, on_notify, r) == 0);
}

static struct route_alert
alert(struct run *r, const char *labels)
{
	struct route_alert a = { .rule_id = 1, .starts_at = { r->now }, .updated_at = { r->now } };

	MUST(labels_parse(str_c(labels), &arena, &a.labels) == 0);
	return a;
}

static void
fires(struct run *r, const char *labels)
{
	struct route_alert a = alert(r, labels);

	MUST(dispatch_put(r->d, &a, 1, (struct wall){ r->now }) == 0);
}

static void
ends(struct run *r, const char *labels)
{
	struct route_alert a = alert(r, labels);

	a.ends_at.ns = r->now;
	MUST(dispatch_put(r->d, &a, 1, (struct wall){ r->now }) == 0);
}

static bool
told(struct run *r, const char *expected)
{
	bool same = strcmp(buf_c_str(&r->told), expected) == 0;

	if (!same)
		(void)fprintf(stderr, "told:\n%sexpected:\n%s", buf_c_str(&r->told), expected);
	buf_clear(&r->told);
	return same;
}

#define ROUTE(more)                                                                                          \
	"route: {receiver: r, group_by: [g], group_wait: 5s, group_interval: 10s, repeat_interval: 60s" more \
	"}\nreceivers:\n"                                                                                    \
	"  - {name: r, webhook_configs: [{url: 'http://h/'}]}\n"                                             \
	"  - {name: s, webhook_configs: [{url: 'http://h/', send_resolved: false}]}\n"

static void
test_life(void)
{
	struct run r;

	run_begin(&r, ROUTE(""));
	fires(&r, "{a=\"1\", g=\"x\"}");
	until(&r, 2);
	fires(&r, "{a=\"2\", g=\"x\"}");
	fires(&r, "{a=\"3\", g=\"y\"}");
	until(&r, 14);
	CHECK(told(&r, "5 r {}:{g=\"x\"} first: +1 +2\n7 r {}:{g=\"y\"} first: +3\n"));
	ends(&r, "{a=\"1\", g=\"x\"}");
	until(&r, 40);
	CHECK(told(&r, "15 r {}:{g=\"x\"} changed: -1 +2\n"));
	/* 15 + 60 is not past yet at 75: the next look is it. */
	until(&r, 86);
	CHECK(told(&r, "77 r {}:{g=\"y\"} repeat: +3\n85 r {}:{g=\"x\"} repeat: +2\n"));
	ends(&r, "{a=\"2\", g=\"x\"}");
	ends(&r, "{a=\"3\", g=\"y\"}");
	until(&r, 96);
	CHECK(told(&r, "87 r {}:{g=\"y\"} resolved: -3\n95 r {}:{g=\"x\"} resolved: -2\n"));
	until(&r, 200);
	CHECK(told(&r, ""));
	CHECK(r.d->n_all == 0);
	/* All over again: told at once what is new. */
	fires(&r, "{a=\"1\", g=\"x\"}");
	until(&r, 206);
	CHECK(told(&r, "205 r {}:{g=\"x\"} changed: +1\n"));
	run_end(&r);
}

/* Steps that come late move nothing: 5, 15, 25…, until one is late by a whole interval. */
static void
test_late_steps(void)
{
	struct run r;
	int i;

	run_begin(&r, ROUTE(""));
	fires(&r, "{a=\"0\", g=\"x\"}");
	for (i = 0; i < 6; i++) {
		r.now = T0 + (5 + 10 * i) * S + 3 * S;
		MUST(dispatch_step(r.d, (struct wall){ r.now }, on_notify, &r) == 0);
	}
	CHECK(told(&r, "8 r {}:{g=\"x\"} first: +0\n"));
	CHECK(dispatch_next(r.d).ns <= T0 + 65 * S);
	/* 5 + 60 is not past at 65, whenever the steps came; at 75 it is. */
	until(&r, 74);
	CHECK(told(&r, ""));
	until(&r, 75);
	CHECK(told(&r, "75 r {}:{g=\"x\"} repeat: +0\n"));
	r.now += 300 * S;
	MUST(dispatch_step(r.d, (struct wall){ r.now }, on_notify, &r) == 0);
	CHECK(told(&r, "375 r {}:{g=\"x\"} repeat: +0\n"));
	CHECK(r.d->all[0]->next.ns == r.now + 10 * S);
	run_end(&r);
}

/* One that was held back elsewhere for its group's wait does not wait again; one that ended before it was told is never told. */
static void
test_no_wait(void)
{
	struct run r;
	struct route_alert a;

	run_begin(&r, ROUTE(""));
	a = alert(&r, "{a=\"1\", g=\"x\"}");
	a.starts_at.ns -= 6 * S;
	MUST(dispatch_put(r.d, &a, 1, (struct wall){ r.now }) == 0);
	until(&r, 0);
	CHECK(told(&r, "0 r {}:{g=\"x\"} first: +1\n"));
	fires(&r, "{a=\"2\", g=\"y\"}");
	until(&r, 3);
	ends(&r, "{a=\"2\", g=\"y\"}");
	until(&r, 60);
	CHECK(told(&r, ""));
	run_end(&r);
}

static void
test_send_resolved(void)
{
	struct run r;

	run_begin(&r, ROUTE(", routes: [{matchers: ['t=s'], receiver: s}]"));
	fires(&r, "{a=\"1\", g=\"x\", t=\"s\"}");
	fires(&r, "{a=\"2\", g=\"x\", t=\"s\"}");
	until(&r, 6);
	ends(&r, "{a=\"1\", g=\"x\", t=\"s\"}");
	until(&r, 30);
	CHECK(told(&r, "5 s {}/{t=\"s\"}:{g=\"x\"} first: +1 +2\n"));
	ends(&r, "{a=\"2\", g=\"x\", t=\"s\"}");
	until(&r, 40);
	CHECK(told(&r, ""));
	/* It ended and began again: that is news. */
	fires(&r, "{a=\"2\", g=\"x\", t=\"s\"}");
	until(&r, 60);
	CHECK(told(&r, "45 s {}/{t=\"s\"}:{g=\"x\"} changed: +2\n"));
	run_end(&r);
}

static void
test_inhibit(void)
{
	struct run r;

	run_begin(&r,
	    ROUTE(
	        "") "inhibit_rules: [{source_matchers: ['sev=\"crit\"'], target_matchers: ['sev=~\"crit|warn\"'], equal: [h]}]\n");
	fires(&r, "{a=\"1\", g=\"x\", h=\"1\", sev=\"warn\"}");
	fires(&r, "{a=\"2\", g=\"x\", h=\"2\", sev=\"warn\"}");
	fires(&r, "{a=\"3\", g=\"y\", h=\"1\", sev=\"crit\"}");
	until(&r, 10);
	/* A source that is a target too does not hold itself or others like it. */
	CHECK(told(&r, "5 r {}:{g=\"x\"} first: +2\n5 r {}:{g=\"y\"} first: +3\n"));
	ends(&r, "{a=\"3\", g=\"y\", h=\"1\", sev=\"crit\"}");
	until(&r, 20);
	CHECK(told(&r, "15 r {}:{g=\"x\"} changed: +1 +2\n15 r {}:{g=\"y\"} resolved: -3\n"));
	run_end(&r);
}

static struct str
silence(struct run *r, const char *matchers, const char *query, int64_t from_s, int64_t to_s)
{
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	struct silence s = { .query_text = str_c(query),
		.starts_at = { T0 + from_s * S },
		.ends_at = { T0 + to_s * S },
		.created_by = STR("me"),
		.comment = STR("c") };
	struct str id;
	int res;

	MUST(matchers_parse(str_c(matchers), &arena, &s.matchers, &s.n_matchers, &why) == 0);
	res = silence_set(r->silences, &s, (struct wall){ r->now }, &id, &why);
	if (res != 0)
		(void)fprintf(stderr, "%s\n", buf_c_str(&why));
	MUST(res == 0);
	return arena_dup(&arena, id);
}

static void
test_silences(void)
{
	struct run r;
	struct str id;

	run_begin(&r, ROUTE(""));
	id = silence(&r, "a=1", "", 0, 12);
	(void)silence(&r, "", "g:y AND a:>=5", 0, 1000);
	fires(&r, "{a=\"1\", g=\"x\"}");
	fires(&r, "{a=\"4\", g=\"y\"}");
	fires(&r, "{a=\"5\", g=\"y\"}");
	until(&r, 14);
	CHECK(told(&r, "5 r {}:{g=\"y\"} first: +4\n"));
	until(&r, 20);
	CHECK(told(&r, "15 r {}:{g=\"x\"} first: +1\n"));
	CHECK(silence_expire(r.silences, id, (struct wall){ r.now }) == SILENCE_E_BAD);
	CHECK(silence_expire(r.silences, STR("none"), (struct wall){ r.now }) == SILENCE_E_NONE);
	/* One that comes later, and what ends meanwhile is not told as an end. */
	(void)silence(&r, "g=x", "", 22, 40);
	until(&r, 23);
	ends(&r, "{a=\"1\", g=\"x\"}");
	until(&r, 60);
	CHECK(told(&r, ""));
	run_end(&r);
}

static void
test_silence_rules(void)
{
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	struct silence s = { .starts_at = { T0 }, .ends_at = { T0 + 100 * S } };
	const struct silence *kept;
	struct str id, other;
	struct run r;

	run_begin(&r, ROUTE(""));
	CHECK(silence_set(r.silences, &s, (struct wall){ T0 }, &id, &why) == SILENCE_E_BAD);
	MUST(matchers_parse(STR("a=~\".*\""), &arena, &s.matchers, &s.n_matchers, &why) == 0);
	CHECK(silence_set(r.silences, &s, (struct wall){ T0 }, &id, &why) == SILENCE_E_BAD);
	s.query_text = STR("(");
	CHECK(silence_set(r.silences, &s, (struct wall){ T0 }, &id, &why) == SILENCE_E_BAD);
	id = silence(&r, "a=1", "", 0, 100);
	r.now += 10 * S;
	/* Its end may move; what it is about may not: that makes another one, and this one expires. */
	MUST(matchers_parse(STR("a=1"), &arena, &s.matchers, &s.n_matchers, &why) == 0);
	s.query_text = STR_NONE;
	s.id = id;
	s.ends_at.ns = T0 + 200 * S;
	CHECK(silence_set(r.silences, &s, (struct wall){ r.now }, &other, &why) == 0 &&
	    str_eq(id, other));
	CHECK(silence_get(r.silences, id)->ends_at.ns == T0 + 200 * S);
	MUST(matchers_parse(STR("a=2"), &arena, &s.matchers, &s.n_matchers, &why) == 0);
	CHECK(silence_set(r.silences, &s, (struct wall){ r.now }, &other, &why) == 0 &&
	    !str_eq(id, other));
	CHECK(silence_get(r.silences, id)->ends_at.ns == r.now);
	kept = silence_get(r.silences, other);
	CHECK(kept->starts_at.ns == r.now &&
	    silence_state(kept, (struct wall){ r.now }) == SILENCE_ACTIVE);
	s.id = STR("00000000-0000-4000-8000-000000000000");
	CHECK(silence_set(r.silences, &s, (struct wall){ r.now }, &other, &why) == SILENCE_E_NONE);
	run_save(&r);
	run_restart(&r);
	CHECK(silence_get(r.silences, id) != NULL && silence_get(r.silences, id)->n_matchers == 1);
	/* Old ones go, from the database too. */
	r.now = T0 + 6 * NS_PER_DAY;
	run_save(&r);
	run_restart(&r);
	CHECK(silence_get(r.silences, id) == NULL && silence_get(r.silences, other) == NULL);
	run_end(&r);
}

/* Noon is at second 0; the interval is 12:01 to 12:02. */
static void
test_times(void)
{
	static const char config[] = ROUTE(
	    ", routes: [{matchers: ['t=m'], mute_time_intervals: [n]}, {matchers: ['t=a'], active_time_intervals: [n]}]") "time_intervals: [{name: n, time_intervals: [{times: [{start_time: '12:01', end_time: '12:02'}]}]}]\n";
	struct run r;

	run_begin(&r, config);
	r.now += 50 * S;
	fires(&r, "{a=\"1\", g=\"x\", t=\"a\"}");
	until(&r, 58);
	CHECK(told(&r, ""));
	fires(&r, "{a=\"2\", g=\"x\", t=\"m\"}");
	until(&r, 119);
	CHECK(told(&r, "65 r {}/{t=\"a\"}:{g=\"x\"} first: +1\n"));
	until(&r, 130);
	CHECK(told(&r, "123 r {}/{t=\"m\"}:{g=\"x\"} first: +2\n"));
	run_end(&r);
}

/* Posted alerts: merged with what is known, resolved when nobody posts them again. */
static void
test_posted(void)
{
	struct route_alert a;
	struct entry *e;
	struct run r;

	run_begin(&r, ROUTE(""));
	a = alert(&r, "{a=\"1\", g=\"x\"}");
	a.rule_id = 0;
	a.timeout = true;
	a.ends_at.ns = T0 + 20 * S;
	MUST(dispatch_put(r.d, &a, 1, (struct wall){ r.now }) == 0);
	until(&r, 10);
	a.starts_at.ns = r.now;
	a.ends_at.ns = r.now + 20 * S;
	MUST(dispatch_put(r.d, &a, 1, (struct wall){ r.now }) == 0);
	e = table_get(&r.d->alerts, labels_fingerprint(&a.labels));
	CHECK(e->a.starts_at.ns == T0 && e->a.ends_at.ns == T0 + 30 * S);
	until(&r, 60);
	CHECK(told(&r, "5 r {}:{g=\"x\"} first: +1\n35 r {}:{g=\"x\"} resolved: -1\n"));
	/* An end that somebody said rules over one that is only for when nobody does. */
	a.timeout = false;
	a.starts_at.ns = r.now;
	a.ends_at.ns = r.now + 100 * S;
	MUST(dispatch_put(r.d, &a, 1, (struct wall){ r.now }) == 0);
	a.timeout = true;
	a.ends_at.ns = r.now + 50 * S;
	MUST(dispatch_put(r.d, &a, 1, (struct wall){ r.now }) == 0);
	CHECK(e->a.ends_at.ns == r.now + 100 * S);
	run_end(&r);
}

/* The same story with a restart after each second is told the same. */
static void
story(struct run *r, bool restarts, struct buf *out)
{
	int64_t s;

	run_begin(r,
	    ROUTE(
	        ", routes: [{matchers: ['t=s'], receiver: s, continue: true}, {matchers: ['t=s'], group_by: ['...']}]"));
	for (s = 0; s < 200; s++) {
		until(r, s);
		if (s % 17 == 3)
			fires(r, "{a=\"1\", g=\"x\"}");
		if (s % 40 == 9)
			ends(r, "{a=\"1\", g=\"x\"}");
		if (s == 20 || s == 90)
			fires(r, "{a=\"2\", g=\"y\", t=\"s\"}");
		if (s == 60)
			ends(r, "{a=\"2\", g=\"y\", t=\"s\"}");
		if (s == 30)
			(void)silence(r, "g=x", "", 30, 55);
		run_save(r);
		if (restarts)
			run_restart(r);
		r->now += S;
	}
	buf_str(out, buf_view(&r->told));
	run_end(r);
}

static void
test_restart(void)
{
	AUTO_FINI(buf_fini) struct buf one = BUF_INIT;
	AUTO_FINI(buf_fini) struct buf two = BUF_INIT;
	struct run r;

	story(&r, false, &one);
	story(&r, true, &two);
	CHECK(one.n > 0 && str_eq(buf_view(&one), buf_view(&two)));
	if (!str_eq(buf_view(&one), buf_view(&two)))
		(void)fprintf(stderr, "%s\n--- with restarts:\n%s", buf_c_str(&one),
		    buf_c_str(&two));
}

/* Another configuration: groups that stay keep their time, what was told is not told again. */
static void
test_reload(void)
{
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	struct routing *old, *fresh = NULL;
	struct run r;

	run_begin(&r, ROUTE(""));
	fires(&r, "{a=\"1\", g=\"x\"}");
	fires(&r, "{a=\"2\", g=\"y\"}");
	until(&r, 6);
	CHECK(told(&r, "5 r {}:{g=\"x\"} first: +1\n5 r {}:{g=\"y\"} first: +2\n"));
	MUST(routing_parse("am.yml", str_c(ROUTE(", routes: [{matchers: ['a=2'], receiver: s}]")),
	         STR_NONE, &fresh, &why, &why) == 0);
	MUST(dispatch_reload(r.d, fresh) == 0);
	old = r.routing;
	r.routing = fresh;
	old = routing_free(old);
	run_save(&r);
	until(&r, 50);
	CHECK(told(&r, "11 s {}/{a=\"2\"}:{g=\"y\"} first: +2\n"));
	ends(&r, "{a=\"1\", g=\"x\"}");
	until(&r, 60);
	CHECK(told(&r, "55 r {}:{g=\"x\"} resolved: -1\n"));
	run_end(&r);
}

/* ---- storms ---- */

enum { STORM = 50000 };

static void
storm(struct run *r, int64_t end)
{
	struct route_alert a = { .rule_id = 1, .starts_at = { r->now }, .updated_at = { r->now } };
	struct label l[4] = { { STR("alertname"), STR("Storm") }, { STR("g"), STR("x") },
		{ STR("job"), STR("a job with a name") }, { STR("n"), STR_NONE } };
	char text[16];
	int i;

	a.ends_at.ns = end;
	a.labels = (struct labels){ l, 4 };
	for (i = 0; i < STORM; i++) {
		(void)snprintf(text, sizeof(text), "%d", i);
		l[3].value = str_c(text);
		MUST(dispatch_put(r->d, &a, 1, (struct wall){ r->now }) == 0);
	}
}

/* All in one group: one notification that tells some and counts the rest. */
static void
test_storm_one_group(void)
{
	clock_t began = clock();
	struct run r;

	run_begin(&r, ROUTE(""));
	storm(&r, 0);
	fires(&r, "{a=\"1\", g=\"other\"}");
	until(&r, 5);
	CHECK(r.n_told == 2 && r.n_cut == STORM - DISPATCH_ALERTS_MAX);
	CHECK(told(&r, "5 r {}:{g=\"other\"} first: +1\n"));
	CHECK(r.d->n_bytes < 40 << 20);
	run_save(&r);
	run_restart(&r);
	until(&r, 30);
	CHECK(r.n_told == 2);
	storm(&r, r.now);
	until(&r, 40);
	CHECK(r.n_told == 3 && r.n_cut == 2 * (STORM - DISPATCH_ALERTS_MAX));
	until(&r, 80);
	run_save(&r);
	CHECK(r.d->n_all == 1);
	CHECK((double)(clock() - began) / CLOCKS_PER_SEC < 30);
	run_end(&r);
}

/* A group each: so many groups, and one more that tells of all others. */
static void
test_storm_groups(void)
{
	struct dispatch_stats stats;
	struct run r;

	run_begin(&r,
	    "route: {receiver: r, group_by: ['...'], group_wait: 5s, group_interval: 10s, repeat_interval: 1h}\n"
	    "receivers: [{name: r, webhook_configs: [{url: 'http://h/'}]}]\n");
	storm(&r, 0);
	dispatch_stats(r.d, &stats);
	CHECK(stats.n_groups == DISPATCH_GROUPS_MAX + 1);
	CHECK(stats.n_digested == STORM - DISPATCH_GROUPS_MAX && stats.n_refused == 0);
	until(&r, 60);
	CHECK(r.n_told == DISPATCH_GROUPS_MAX + 1);
	CHECK(r.n_alerts + r.n_cut == STORM);
	run_end(&r);
}

/* No room for more alerts: they are counted in the digest, and others go on when some have ended. */
static void
test_storm_memory(void)
{
	static char big[1 << 20];
	struct label l[2] = { { STR("g"), STR("x") }, { STR("n"), STR_NONE } };
	struct label note = { STR("text"), str_of(big, sizeof(big)) };
	struct dispatch_stats stats;
	struct route_alert a;
	struct run r;
	char text[16];
	int i;

	run_begin(&r, ROUTE(""));
	memset(big, 'x', sizeof(big));
	a = alert(&r, "{a=\"1\"}");
	a.labels = (struct labels){ l, 2 };
	a.annotations = (struct labels){ &note, 1 };
	for (i = 0; i < 80; i++) {
		(void)snprintf(text, sizeof(text), "%d", i);
		l[1].value = str_c(text);
		MUST(dispatch_put(r.d, &a, 1, (struct wall){ r.now }) == 0);
	}
	dispatch_stats(r.d, &stats);
	CHECK(stats.n_bytes < DISPATCH_MEMORY_MAX + (2 << 20));
	CHECK(stats.n_refused > 10 && stats.n_refused < 20);
	until(&r, 6);
	CHECK(r.n_told == 1);
	for (i = 0; i < 80; i++) {
		(void)snprintf(text, sizeof(text), "%d", i);
		l[1].value = str_c(text);
		a.ends_at.ns = r.now;
		if (table_get(&r.d->alerts, labels_fingerprint(&a.labels)) != NULL)
			MUST(dispatch_put(r.d, &a, 1, (struct wall){ r.now }) == 0);
	}
	until(&r, 70);
	fires(&r, "{a=\"1\", g=\"y\"}");
	until(&r, 80);
	dispatch_stats(r.d, &stats);
	CHECK(stats.n_alerts == 1);
	run_end(&r);
}

static void
test_why(void)
{
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;
	struct labels l;
	struct run r;

	run_begin(&r, ROUTE(""));
	fires(&r, "{a=\"1\", g=\"x\"}");
	(void)silence(&r, "a=1", "", 0, 100);
	MUST(labels_parse(STR("{a=\"1\", g=\"x\"}"), &arena, &l) == 0);
	until(&r, 6);
	CHECK(dispatch_why(r.d, &l, (struct wall){ r.now }, &out) == 0);
	CHECK(strstr(buf_c_str(&out), "held: silence ") != NULL);
	CHECK(strstr(buf_c_str(&out), "receiver r, group {}:{g=\"x\"}\n") != NULL);
	CHECK(strstr(buf_c_str(&out), "nothing told yet") != NULL);
	run_end(&r);
}

/* The table keeps what a plain array keeps. */
static void
test_table(void)
{
	static char there[512];
	struct table t = { NULL, 0, 0 };
	unsigned seed = 7, i, k;
	size_t n = 0;

	for (i = 0; i < 200000; i++) {
		seed = seed * 1103515245 + 12345;
		k = seed >> 16 & 511;
		CHECK((table_get(&t, (uint64_t)k << 24) != NULL) == (there[k] != 0));
		if (there[k])
			table_drop(&t, (uint64_t)k << 24);
		else
			MUST(table_put(&t, (uint64_t)k << 24, &there[k]) == 0);
		there[k] = !there[k];
		n += there[k] ? 1 : (size_t)-1;
		CHECK(t.n == n);
	}
	table_fini(&t);
}

int
main(void)
{
	test_table();
	test_life();
	test_late_steps();
	test_no_wait();
	test_send_resolved();
	test_inhibit();
	test_silences();
	test_silence_rules();
	test_times();
	test_posted();
	test_restart();
	test_reload();
	test_why();
	test_storm_one_group();
	test_storm_groups();
	test_storm_memory();
	arena_fini(&arena);
	return check_failed != 0;
}
