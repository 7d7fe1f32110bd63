/*
 * tests/unit/test_alerts_route.c - Alertmanager's configuration.
 * One job: what a file says, what it may not say, and which routes take an alert.
 */
#include <stdlib.h>
#include <time.h>

#include "alerts/matcher.h"
#include "alerts/route.h"
#include "alerts/route_internal.h"
#include "check.h"

static struct arena arena;

static struct routing *
parse(const char *text, struct buf *errors, struct buf *notes)
{
	struct routing *r = NULL;

	(void)routing_parse("am.yml", str_c(text), STR_NONE, &r, errors, notes);
	return r;
}

/* A file that must be fine. */
static struct routing *
good(const char *text)
{
	AUTO_FINI(buf_fini) struct buf errors = BUF_INIT;
	AUTO_FINI(buf_fini) struct buf notes = BUF_INIT;
	struct routing *r = parse(text, &errors, &notes);

	if (r == NULL)
		(void)fprintf(stderr, "%s", buf_c_str(&errors));
	MUST(r != NULL && errors.n == 0);
	return r;
}

static bool
says(const char *text, const char *what)
{
	AUTO_FINI(buf_fini) struct buf errors = BUF_INIT;
	AUTO_FINI(buf_fini) struct buf notes = BUF_INIT;
	struct routing *r = parse(text, &errors, &notes);
	bool found = r == NULL && strstr(buf_c_str(&errors), what) != NULL;

	if (!found)
		(void)fprintf(stderr, "expected '%s', got '%s'\n", what, buf_c_str(&errors));
	(void)routing_free(r);
	return found;
}

static struct labels
labels(const char *text)
{
	struct labels l = { NULL, 0 };

	MUST(labels_parse(str_c(text), &arena, &l) == 0);
	return l;
}

/* ---- matchers ---- */

static bool
matcher_is(const char *text, const char *name, enum matcher_op op, const char *value)
{
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	struct matcher m;

	return matcher_parse(str_c(text), &arena, &m, &why) == 0 && str_eq_c(m.name, name) &&
	    m.op == op && str_eq_c(m.value, value);
}

static bool
matcher_bad(const char *text)
{
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	struct matcher m;

	return matcher_parse(str_c(text), &arena, &m, &why) == MATCHER_E_BAD && why.n > 0;
}

static void
test_matchers(void)
{
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	struct matcher *all;
	struct labels l = labels("{a=\"x\", b=\"yy\"}");
	size_t n;

	CHECK(matcher_is("a=b", "a", MATCH_EQUAL, "b"));
	CHECK(matcher_is("  a !~ \"b c\" ", "a", MATCH_NOT_REGEX, "b c"));
	CHECK(matcher_is("a=~b.*", "a", MATCH_REGEX, "b.*"));
	CHECK(matcher_is("a!=", "a", MATCH_NOT_EQUAL, ""));
	CHECK(matcher_is("a=\"x\\\"y\\\\z\\n\\q\"", "a", MATCH_EQUAL, "x\"y\\z\n\\q"));
	CHECK(matcher_is("a=x\\", "a", MATCH_EQUAL, "x\\"));
	CHECK(matcher_bad("a"));
	CHECK(matcher_bad("=b"));
	CHECK(matcher_bad("1a=b"));
	CHECK(matcher_bad("a=\"b"));
	CHECK(matcher_bad("a=b\""));
	CHECK(matcher_bad("a=b\"c"));
	CHECK(matcher_bad("a=~("));
	CHECK(matchers_parse(STR("{b=~\"y+\", a!=\"x,y\",}"), &arena, &all, &n, &why) == 0);
	CHECK(n == 2 && matchers_match(all, n, &l));
	matchers_sort(all, n);
	matchers_format(&out, all, n);
	CHECK(str_eq(buf_view(&out), STR("{a!=\"x,y\",b=~\"y+\"}")));
	CHECK(matchers_parse(STR("{}"), &arena, &all, &n, &why) == 0 && n == 0);
	CHECK(matchers_parse(STR("a=b,,c=d"), &arena, &all, &n, &why) == MATCHER_E_BAD);
	/* A regular expression is of the whole value. */
	CHECK(matchers_parse(STR("b=~y"), &arena, &all, &n, &why) == 0 &&
	    !matchers_match(all, n, &l));
	/* A label that is not there is empty; a filter may ask whether it is there. */
	CHECK(matchers_parse(STR("c="), &arena, &all, &n, &why) == 0 &&
	    matchers_match(all, n, &l) && matchers_filter(all, n, &l));
	CHECK(
	    matchers_parse(STR("a!="), &arena, &all, &n, &why) == 0 && matchers_filter(all, n, &l));
	CHECK(matchers_parse(STR("c!="), &arena, &all, &n, &why) == 0 &&
	    !matchers_filter(all, n, &l));
}

/* ---- routes ---- */

static const char tree[] = "route:\n"
                           "  receiver: all\n"
                           "  group_by: [alertname, job]\n"
                           "  group_wait: 10s\n"
                           "  routes:\n"
                           "    - matchers: [ 'severity=\"page\"' ]\n"
                           "      receiver: pager\n"
                           "      continue: true\n"
                           "      group_by: ['...']\n"
                           "    - match: {team: db}\n"
                           "      match_re: {job: 'pg.*'}\n"
                           "      receiver: db\n"
                           "      repeat_interval: 1h\n"
                           "      routes:\n"
                           "        - matchers: [ 'a=\"1\", b!~\"x|y\"' ]\n"
                           "          group_wait: 0s\n"
                           "          group_by: [b]\n"
                           "    - matchers: [ 'severity=\"page\"' ]\n"
                           "receivers: [{name: all}, {name: pager}, {name: db}]\n";

static int
add_route(void *ctx, const struct route *r)
{
	struct buf *out = ctx;

	buf_printf(out, "%.*s@%.*s ", STR_ARG(r->receiver), STR_ARG(r->place));
	return 0;
}

static bool
taken(const struct routing *r, const char *l, const char *expected)
{
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;
	struct labels ls = labels(l);

	(void)routing_match(r, &ls, add_route, &out);
	if (strcmp(buf_c_str(&out), expected) != 0)
		(void)fprintf(stderr, "got '%s'\n", buf_c_str(&out));
	return strcmp(buf_c_str(&out), expected) == 0;
}

static void
test_tree(void)
{
	AUTO(routing_free) struct routing *r = good(tree);
	const struct route *db = &r->root.routes[1];

	CHECK(taken(r, "{a=\"9\"}", "all@{} "));
	CHECK(taken(r, "{severity=\"page\"}",
	    "pager@{}/{severity=\"page\"} all@{}/{severity=\"page\"}#2 "));
	CHECK(taken(r, "{job=\"pg1\", severity=\"page\", team=\"db\"}",
	    "pager@{}/{severity=\"page\"} db@{}/{job=~\"^(?:pg.*)$\",team=\"db\"} "));
	CHECK(taken(r, "{a=\"1\", b=\"z\", job=\"pg\", team=\"db\"}",
	    "db@{}/{job=~\"^(?:pg.*)$\",team=\"db\"}/{a=\"1\",b!~\"x|y\"} "));
	CHECK(r->root.routes[0].group_all && !r->root.group_all);
	CHECK(db->n_group_by == 2 && db->group_wait.ns == 10 * NS_PER_S);
	CHECK(db->group_interval.ns == 5 * NS_PER_MIN && db->repeat_interval.ns == NS_PER_HOUR);
	CHECK(db->routes[0].group_wait.ns == 0 && db->routes[0].repeat_interval.ns == NS_PER_HOUR);
	CHECK(!db->routes[0].group_all && db->routes[0].n_group_by == 1);
	CHECK(r->root.repeat_interval.ns == 4 * NS_PER_HOUR);
}

#define R "receivers: [{name: r}]\n"

static void
test_mistakes(void)
{
	CHECK(says("", "expected a mapping"));
	CHECK(says("route: [", "no YAML"));
	CHECK(says(R, "expected route"));
	CHECK(says("route: {}\n" R, "the first route says the receiver"));
	CHECK(says("route: {receiver: x}\n" R, "no receiver is called 'x'"));
	CHECK(says("route: {receiver: r, matchers: ['a=b']}\n" R, "no matchers"));
	CHECK(says("route: {receiver: r, continue: true}\n" R, "no continue"));
	CHECK(says("route: {receiver: r, mute_time_intervals: [n]}\n" R, "no time interval"));
	CHECK(says("route: {receiver: r, group_wiat: 5s}\n" R,
	    "am.yml:1:22: unknown key 'group_wiat', did you mean 'group_wait'"));
	CHECK(says("route: {receiver: r, group_by: [a, a]}\n" R, "twice"));
	CHECK(says("route: {receiver: r, group_by: ['...', a]}\n" R, "stands alone"));
	CHECK(says("route: {receiver: r, group_by: ['a-b']}\n" R, "no name of a label"));
	CHECK(says("route: {receiver: r, group_interval: 0s}\n" R, "above zero"));
	CHECK(says("route: {receiver: r, group_wait: 5}\n" R, "expected a duration"));
	CHECK(says("route: {receiver: r, routes: [{matchers: ['a=~(']}]}\n" R,
	    "bad regular expression"));
	CHECK(says("route: {receiver: r}\nroute: {receiver: r}\n" R, "twice"));
	CHECK(says("route: {receiver: r}\nreceivers: [{name: r}, {name: r}]\n", "two receivers"));
	CHECK(says("route: {receiver: r}\nreceivers: [{name: r, webhook_configs: [{}]}]\n",
	    "url or url_file"));
	CHECK(says(
	    "route: {receiver: r}\nreceivers: [{name: r, webhook_configs: [{url: 'http://u:p@h/'}]}]\n",
	    "secrets do not stand"));
	CHECK(says(
	    "route: {receiver: r}\nreceivers: [{name: r, webhook_configs: [{url: 'ftp://h/'}]}]\n",
	    "expected a URL"));
	CHECK(says("route: {receiver: r}\nreceivers: [{name: r, email_configs: [{to: a@b}]}]\n",
	    "smarthost"));
	CHECK(says("route: {receiver: r}\nglobal: {smtp_auth_password: x}\n" R,
	    "smtp_auth_password_file"));
	CHECK(says("route: {receiver: r}\nglobal: {http_config: {bearer_token: x}}\n" R,
	    "bearer_token_file"));
	CHECK(says(
	    "route: {receiver: r}\ntime_intervals: [{name: n, time_intervals: [{weekdays: ['friday:monday']}]}]\n" R,
	    "ends before"));
	CHECK(says(
	    "route: {receiver: r}\ntime_intervals: [{name: n, time_intervals: [{times: [{start_time: '23:00', end_time: '05:00'}]}]}]\n" R,
	    "two ranges"));
	CHECK(says("route: {receiver: r}\ntime_intervals: [{name: n}, {name: n}]\n" R,
	    "two time intervals"));
	CHECK(says(
	    "route: {receiver: r}\ntime_intervals: [{name: n, time_intervals: [{location: '../passwd'}]}]\n" R,
	    "no time zone"));
	CHECK(says("route: &a {receiver: r, routes: [*a]}\n" R, "routes"));
	CHECK(says("a: &a {<<: *a}\nroute: {receiver: r}\n" R, "unknown key 'a'"));
}

/* ---- receivers ---- */

static void
test_receivers(void)
{
	static const char text[] =
	    "global:\n"
	    "  smtp_smarthost: mail.example.org:587\n"
	    "  smtp_from: weir@example.org\n"
	    "  smtp_auth_username: weir\n"
	    "  smtp_auth_password_file: smtp\n"
	    "  slack_api_url: https://hooks.slack.com/x\n"
	    "templates: [a.tmpl]\n"
	    "route: {receiver: r}\n"
	    "receivers:\n"
	    "  - name: r\n"
	    "    slack_configs: [{api_url: https://hooks.slack.com/s, channel: '#c'}]\n"
	    "    webhook_configs:\n"
	    "      - url: http://127.0.0.1:1/a\n"
	    "        max_alerts: 5\n"
	    "        hmac_secret_file: /s/hmac\n"
	    "      - url_file: hook\n"
	    "        send_resolved: false\n"
	    "        http_config: {authorization: {credentials_file: tok}, follow_redirects: false}\n"
	    "    email_configs:\n"
	    "      - to: 'a@x.org, \"B, C\" <b@x.org>'\n"
	    "        headers: {Subject: 'hi', X-A: '{{ .x }}'}\n"
	    "        html: '{{ x }}'\n"
	    "      - to: c@x.org\n"
	    "        smarthost: localhost:25\n"
	    "        require_tls: false\n"
	    "        send_resolved: true\n";
	AUTO_FINI(buf_fini) struct buf errors = BUF_INIT;
	AUTO_FINI(buf_fini) struct buf notes = BUF_INIT;
	AUTO(routing_free) struct routing *r = NULL;
	const struct receiver *rc;
	const struct integration *in;

	MUST(routing_parse("/etc/weir/am.yml", str_c(text), STR("/sec"), &r, &errors, &notes) == 0);
	rc = &r->receivers[0];
	in = rc->integrations;
	MUST(rc->n == 4 && in[0].kind == RECEIVER_EMAIL && in[3].kind == RECEIVER_WEBHOOK);
	CHECK(in[0].n_to == 2 && str_eq(in[0].to[1], STR("\"B, C\" <b@x.org>")));
	CHECK(str_eq(in[0].auth_password_file, STR("/sec/smtp")) && in[0].require_tls);
	CHECK(!in[0].send_resolved && in[1].send_resolved && !in[1].require_tls);
	CHECK(str_eq(in[1].smarthost, STR("localhost:25")) && in[1].index == 1);
	CHECK(in[0].n_headers == 1 && str_eq(in[0].headers[0].value, STR("hi")));
	CHECK(in[2].index == 0 && in[2].max_alerts == 5 && in[2].send_resolved);
	CHECK(str_eq(in[2].http.hmac_file, STR("/s/hmac")) && in[2].http.follow_redirects);
	CHECK(str_eq(in[3].url_file, STR("/sec/hook")) && !in[3].send_resolved);
	CHECK(str_eq(in[3].http.bearer_file, STR("/sec/tok")) && !in[3].http.follow_redirects);
	/* What is not done is said by name. */
	CHECK(strstr(buf_c_str(&notes), "/etc/weir/am.yml:6:3: 'slack_api_url'") != NULL);
	CHECK(strstr(buf_c_str(&notes), "'slack_configs'") != NULL);
	CHECK(strstr(buf_c_str(&notes), "'templates'") != NULL);
	CHECK(strstr(buf_c_str(&notes), "'html'") != NULL);
	CHECK(strstr(buf_c_str(&notes), "X-A") != NULL);
	/* What is shown has no secrets. */
	CHECK(str_find(r->text, STR("hooks.slack")) == SIZE_MAX);
	CHECK(str_find(r->text, STR("slack_api_url: <secret>\n")) != SIZE_MAX);
	CHECK(str_find(r->text, STR("api_url: <secret>, channel")) != SIZE_MAX);
}

static void
test_merge(void)
{
	AUTO(routing_free)
	struct routing *r =
	    good("route:\n  receiver: r\n  routes:\n    - &one {group_wait: 1s, receiver: s}\n"
	         "    - {<<: *one, receiver: r}\n    - {<<: [*one, {group_interval: 7s}]}\n"
	         "receivers: [{name: r}, {name: s}]\n");

	CHECK(r->root.routes[1].group_wait.ns == NS_PER_S);
	CHECK(str_eq(r->root.routes[1].receiver, STR("r")));
	CHECK(str_eq(r->root.routes[2].receiver, STR("s")));
	CHECK(r->root.routes[2].group_interval.ns == 7 * NS_PER_S);
}

/* ---- inhibition and times ---- */

static void
test_inhibits(void)
{
	AUTO(routing_free)
	struct routing *r = good(
	    "route: {receiver: r}\n" R "inhibit_rules:\n"
	    "  - {source_match: {severity: critical}, target_match_re: {severity: 'w.*'}, equal: [a, b]}\n"
	    "  - {source_matchers: ['x=\"1\"'], target_matchers: ['y=~\"2\"', 'z!=3']}\n");

	CHECK(r->n_inhibits == 2 && r->inhibits[0].n_equal == 2);
	CHECK(r->inhibits[0].source[0].op == MATCH_EQUAL);
	CHECK(r->inhibits[0].target[0].op == MATCH_REGEX);
	CHECK(r->inhibits[1].n_target == 2 && r->inhibits[1].n_equal == 0);
}

static bool
in(const struct routing *r, const char *name, const char *when)
{
	struct str n = str_c(name);
	struct wall t;
	bool zone;

	MUST(wall_parse_rfc3339(str_c(when), 0, &t, &zone) == 0);
	return routing_in_interval(r, &n, 1, t);
}

static void
test_times(void)
{
	AUTO(routing_free)
	struct routing *r = good(
	    "route: {receiver: r}\n" R "mute_time_intervals:\n"
	    "  - name: office\n"
	    "    time_intervals:\n"
	    "      - {weekdays: ['monday:friday'], times: [{start_time: '09:00', end_time: '17:00'}]}\n"
	    "time_intervals:\n"
	    "  - name: berlin\n"
	    "    time_intervals: [{times: [{start_time: '09:00', end_time: '10:00'}], location: Europe/Berlin}]\n"
	    "  - name: end\n"
	    "    time_intervals: [{days_of_month: ['-2:-1', '5'], months: ['february', '4:6'], years: ['2024:2025', 2030]}]\n"
	    "  - name: never\n"
	    "    time_intervals: [{weekdays: []}]\n"
	    "  - name: always\n"
	    "    time_intervals: [{}]\n");

	CHECK(in(r, "office", "2024-05-06T09:00:00Z")); /* a Monday */
	CHECK(!in(r, "office", "2024-05-06T08:59:59Z"));
	CHECK(!in(r, "office", "2024-05-06T17:00:00Z"));
	CHECK(!in(r, "office", "2024-05-05T12:00:00Z"));
	CHECK(in(r, "berlin", "2024-01-15T08:30:00Z")); /* +01:00 */
	CHECK(in(r, "berlin", "2024-07-15T07:30:00Z")); /* +02:00 */
	CHECK(!in(r, "berlin", "2024-07-15T08:30:00Z"));
	CHECK(in(r, "berlin", "2060-07-15T07:30:00Z")); /* beyond the table: by its rule */
	CHECK(in(r, "berlin", "2060-01-15T08:30:00Z"));
	CHECK(in(r, "end", "2024-02-29T00:00:00Z"));
	CHECK(in(r, "end", "2025-02-27T00:00:00Z"));
	CHECK(!in(r, "end", "2024-02-27T00:00:00Z"));
	CHECK(in(r, "end", "2030-05-05T00:00:00Z"));
	CHECK(!in(r, "end", "2026-05-05T00:00:00Z"));
	CHECK(!in(r, "end", "2024-03-31T00:00:00Z"));
	CHECK(!in(r, "never", "2024-03-31T00:00:00Z"));
	CHECK(in(r, "always", "2024-03-31T00:00:00Z"));
	CHECK(!in(r, "unknown", "2024-03-31T00:00:00Z"));
}

/* Every zone of the host against libc, twice a month over 160 years; and cut files, which are refused. */
static void
test_zones(void)
{
	static const char *const names[] = { "Europe/Berlin", "America/New_York",
		"Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca", "America/Santiago",
		"Pacific/Apia", "Etc/GMT+5" };
	const struct zone *z;
	struct tm tm;
	time_t t;
	size_t i;

	for (i = 0; i < ARRAY_LEN(names); i++) {
		if (zone_load(str_c(names[i]), &arena, &z) != 0)
			continue; /* the host has no such zone */
		(void)setenv("TZ", names[i], 1);
		tzset();
		for (t = -2208988800; t < 2840140800; t += 15 * 86400 + 3600)
			if (localtime_r(&t, &tm) != NULL &&
			    zone_offset(z, (struct wall){ t * NS_PER_S }) != tm.tm_gmtoff) {
				(void)fprintf(stderr, "%s at %lld: %d, libc says %ld\n", names[i],
				    (long long)t, zone_offset(z, (struct wall){ t * NS_PER_S }),
				    tm.tm_gmtoff);
				CHECK(false);
				break;
			}
	}
	(void)unsetenv("TZ");
	CHECK(zone_parse(STR("TZif2"), &arena, &z) == ZONE_E_BAD);
	CHECK(zone_load(STR("No/Where"), &arena, &z) == ZONE_E_BAD);
}

int
main(void)
{
	AUTO(routing_free) struct routing *r = NULL;

	test_matchers();
	test_tree();
	test_mistakes();
	test_receivers();
	test_merge();
	test_inhibits();
	test_times();
	test_zones();
	CHECK(routing_default(&r) == 0 && r->n_receivers == 1 && r->receivers[0].n == 0);
	arena_fini(&arena);
	return check_failed != 0;
}
