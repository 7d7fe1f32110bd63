/*
 * tests/unit/test_alerts_apiv2.c - Alertmanager's API, version 2.
 * One job: requests in, the JSON of Alertmanager 0.25 out.
 */
#include <jansson.h>
#include <stdio.h>

#include "alerts/apiv2.h"
#include "check.h"

#define S  NS_PER_S
#define T0 (INT64_C(1714996800) * S) /* 2024-05-06T12:00:00Z */

static struct routing *routing;
static struct silences *silences;
static struct dispatch *dispatch;
static struct apiv2 api;
static int64_t now;
static struct buf body;

static const char config[] =
    "global: {resolve_timeout: 1m}\n"
    "route: {receiver: r, group_by: [g], routes: [{matchers: ['t=s'], receiver: s, continue: true}, {matchers: ['t=s'], receiver: q}]}\n"
    "receivers: [{name: r}, {name: s}, {name: q}]\n"
    "inhibit_rules: [{source_matchers: ['sev=crit'], target_matchers: ['sev=warn']}]\n";

/* The status; the answer is in body. */
static unsigned
ask(const char *method, const char *path, const char *params, const char *text)
{
	struct label p[8];
	struct api_request req = { .method = str_c(method),
		.path = str_c(path),
		.params = p,
		.body = str_c(text) };
	struct api_answer a = { .body = BUF_INIT };
	char copy[512], *at = copy, *one, *eq;

	(void)snprintf(copy, sizeof(copy), "%s", params);
	while ((one = strsep(&at, "&")) != NULL)
		if ((eq = strchr(one, '=')) != NULL) {
			*eq = '\0';
			p[req.n_params++] = (struct label){ str_c(one), str_c(eq + 1) };
		}
	if (!apiv2_answer(&api, &req, (struct wall){ now }, &a))
		a.status = 0;
	buf_fini(&body);
	body = a.body;
	return a.status;
}

static size_t
count(const char *path, const char *params)
{
	json_t *v;
	size_t n;

	if (ask("GET", path, params, "") != 200)
		return SIZE_MAX;
	v = json_loadb((const char *)body.p, body.n, 0, NULL);
	MUST(v != NULL && json_is_array(v));
	n = json_array_size(v);
	json_decref(v);
	return n;
}

static bool
has(const char *text)
{
	if (strstr(buf_c_str(&body), text) != NULL)
		return true;
	(void)fprintf(stderr, "'%s' is not in %s\n", text, buf_c_str(&body));
	return false;
}

#define ALERTS "/api/v2/alerts"

static void
test_alerts(void)
{
	CHECK(count(ALERTS, "") == 0);
	CHECK(
	    ask("POST", ALERTS, "",
	        "[{\"labels\":{\"alertname\":\"A\",\"g\":\"1\",\"e\":\"\"},\"annotations\":{\"x\":\"<b>\\u00e9\"},"
	        "\"generatorURL\":\"http://p/\"},"
	        "{\"labels\":{\"alertname\":\"B\",\"g\":\"2\",\"t\":\"s\",\"sev\":\"warn\"},\"startsAt\":\"2024-05-06T13:00:00+02:00\","
	        "\"endsAt\":\"0001-01-01T00:00:00Z\"},"
	        "{\"labels\":{\"alertname\":\"C\"},\"endsAt\":\"2024-05-06T11:00:00Z\"}]") == 200);
	CHECK(api.changed && body.n == 0);
	CHECK(count(ALERTS, "") == 2);
	/* What Alertmanager 0.25 answers to the same. */
	CHECK(has(
	    "{\"annotations\":{\"x\":\"<b>\xc3\xa9\"},\"endsAt\":\"2024-05-06T12:01:00.000Z\",\"fingerprint\":\""));
	CHECK(has("\",\"receivers\":[{\"name\":\"r\"}],\"startsAt\":\"2024-05-06T12:00:00.000Z\","
	          "\"status\":{\"inhibitedBy\":[],\"silencedBy\":[],\"state\":\"active\"},"
	          "\"updatedAt\":\"2024-05-06T12:00:00.000Z\",\"generatorURL\":\"http://p/\","
	          "\"labels\":{\"alertname\":\"A\",\"g\":\"1\"}}"));
	CHECK(has(
	    "\"receivers\":[{\"name\":\"s\"},{\"name\":\"q\"}],\"startsAt\":\"2024-05-06T11:00:00.000Z\""));
	CHECK(count(ALERTS, "filter=alertname=\"A\"") == 1);
	CHECK(count(ALERTS, "filter=alertname=~\"A|B\"&filter=t!=s") == 1);
	CHECK(count(ALERTS, "receiver=s|x") == 1);
	CHECK(count(ALERTS, "receiver=x") == 0);
	CHECK(count(ALERTS, "active=false") == 0);
	CHECK(ask("GET", ALERTS, "filter=x", "") == 400 && has("\"bad matcher format: x\""));
	CHECK(ask("GET", ALERTS, "receiver=(", "") == 400 && has("failed to parse receiver param"));
	/* Inhibited. */
	CHECK(ask("POST", ALERTS, "", "[{\"labels\":{\"alertname\":\"D\",\"sev\":\"crit\"}}]") ==
	    200);
	CHECK(count(ALERTS, "inhibited=false") == 2);
	CHECK(count(ALERTS, "active=false") == 1 && has("\"state\":\"suppressed\""));
	CHECK(count(ALERTS, "") == 3 && has("\"inhibitedBy\":[\""));
}

static void
test_refused(void)
{
	CHECK(ask("POST", ALERTS, "", "") == 400);
	CHECK(ask("POST", ALERTS, "", "{}") == 400);
	CHECK(ask("POST", ALERTS, "", "[1]") == 400);
	CHECK(
	    ask("POST", ALERTS, "", "[{\"labels\":{}}]") == 400 && has("at least one label pair"));
	CHECK(ask("POST", ALERTS, "", "[{\"labels\":{\"a-b\":\"x\"}}]") == 400);
	CHECK(ask("POST", ALERTS, "", "[{\"labels\":{\"a\":1}}]") == 400);
	CHECK(ask("POST", ALERTS, "", "[{\"labels\":{\"a\":\"1\"},\"startsAt\":\"x\"}]") == 400);
	CHECK(
	    ask("POST", ALERTS, "",
	        "[{\"labels\":{\"a\":\"1\"},\"startsAt\":\"2024-05-06T12:00:00Z\",\"endsAt\":\"2024-05-06T11:00:00Z\"}]") ==
	    400);
	/* The good ones are taken all the same. */
	CHECK(count(ALERTS, "filter=good=1") == 0);
	CHECK(ask("POST", ALERTS, "", "[{\"labels\":{}},{\"labels\":{\"good\":\"1\"}}]") == 400);
	CHECK(count(ALERTS, "filter=good=1") == 1);
	CHECK(ask("PUT", ALERTS, "", "") == 405);
	CHECK(ask("GET", "/api/v2/nothing", "", "") == 0);
	CHECK(ask("GET", "/api/v1/alerts", "", "") == 0);
}

static void
test_groups(void)
{
	json_t *v;

	CHECK(count("/api/v2/alerts/groups", "receiver=s") == 1);
	CHECK(has("],\"labels\":{\"g\":\"2\"},\"receiver\":{\"name\":\"s\"}}]"));
	CHECK(count("/api/v2/alerts/groups", "filter=alertname=B") == 2);
	CHECK(has("\"receivers\":[{\"name\":\"q\"},{\"name\":\"s\"}]"));
	CHECK(ask("GET", "/api/v2/alerts/groups", "", "") == 200);
	v = json_loadb((const char *)body.p, body.n, 0, NULL);
	CHECK(json_array_size(v) == 4);
	/* {} comes before {g}, and {g=1} before {g=2}. */
	CHECK(json_object_size(json_object_get(json_array_get(v, 0), "labels")) == 0);
	json_decref(v);
}

static void
test_silences(void)
{
	char id[64], path[100];
	const char *at;

	CHECK(
	    ask("POST", "/api/v2/silences", "",
	        "{\"matchers\":[{\"name\":\"alertname\",\"value\":\"A|Z\",\"isRegex\":true}],\"startsAt\":\"2024-05-06T11:00:00Z\","
	        "\"endsAt\":\"2024-05-06T14:00:00Z\",\"createdBy\":\"me\",\"comment\":\"c\"}") ==
	    200);
	MUST((at = strstr(buf_c_str(&body), "{\"silenceID\":\"")) != NULL);
	(void)snprintf(id, sizeof(id), "%.36s", at + 14);
	CHECK(count(ALERTS, "silenced=false&filter=alertname=A") == 0);
	CHECK(
	    count(ALERTS, "filter=alertname=A") == 1 && has(id) && has("\"state\":\"suppressed\""));
	CHECK(count("/api/v2/silences", "") == 1);
	CHECK(has(
	    "\",\"status\":{\"state\":\"active\"},\"updatedAt\":\"2024-05-06T12:00:00.000Z\",\"comment\":\"c\","
	    "\"createdBy\":\"me\",\"endsAt\":\"2024-05-06T14:00:00.000Z\",\"matchers\":[{\"isEqual\":true,"
	    "\"isRegex\":true,\"name\":\"alertname\",\"value\":\"A|Z\"}],\"startsAt\":\"2024-05-06T12:00:00.000Z\"}"));
	CHECK(count("/api/v2/silences", "filter=alertname=~\"A|Z\"") == 1);
	CHECK(count("/api/v2/silences", "filter=other=x") == 0);
	/* Ours: a query, alone. */
	CHECK(
	    ask("POST", "/api/v2/silences", "",
	        "{\"query\":\"sev:crit\",\"startsAt\":\"2024-05-06T12:30:00Z\",\"endsAt\":\"2024-05-06T14:00:00Z\"}") ==
	    200);
	CHECK(count("/api/v2/silences", "") == 2 && has("\"matchers\":[],\"query\":\"sev:crit\"") &&
	    has("\"pending\""));
	CHECK(ask("POST", "/api/v2/silences", "", "{}") == 400);
	CHECK(
	    ask("POST", "/api/v2/silences", "",
	        "{\"query\":\"(\",\"startsAt\":\"2024-05-06T12:30:00Z\",\"endsAt\":\"2024-05-06T14:00:00Z\"}") ==
	    400);
	CHECK(
	    ask("POST", "/api/v2/silences", "",
	        "{\"matchers\":[{\"name\":\"a\",\"value\":\"b\"}],\"startsAt\":\"2024-05-06T10:30:00Z\",\"endsAt\":\"2024-05-06T11:00:00Z\"}") ==
	    400);
	CHECK(has("end time can't be in the past"));
	(void)snprintf(path, sizeof(path), "/api/v2/silence/%s", id);
	CHECK(ask("GET", path, "", "") == 200 && has(id));
	CHECK(ask("GET", "/api/v2/silence/x", "", "") == 404);
	CHECK(ask("DELETE", "/api/v2/silence/x", "", "") == 404);
	CHECK(ask("DELETE", path, "", "") == 200);
	now += S;
	CHECK(ask("DELETE", path, "", "") == 200);
	CHECK(count("/api/v2/silences", "") == 2);
	/* Those that hold come first, expired ones last. */
	CHECK(strstr(buf_c_str(&body), "pending") < strstr(buf_c_str(&body), "expired"));
	CHECK(count(ALERTS, "silenced=false&filter=alertname=A") == 1);
}

static void
test_rest(void)
{
	json_t *v;

	CHECK(ask("GET", "/api/v2/receivers", "", "") == 200);
	CHECK(has("[{\"name\":\"r\"},{\"name\":\"s\"},{\"name\":\"q\"}]"));
	CHECK(ask("GET", "/api/v2/status", "", "") == 200);
	v = json_loadb((const char *)body.p, body.n, 0, NULL);
	MUST(v != NULL);
	CHECK(strcmp(json_string_value(json_object_get(json_object_get(v, "config"), "original")),
	          config) == 0);
	CHECK(strcmp(json_string_value(json_object_get(json_object_get(v, "cluster"), "status")),
	          "disabled") == 0);
	json_decref(v);
}

int
main(void)
{
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;

	now = T0;
	MUST(routing_parse("am.yml", str_c(config), STR_NONE, &routing, &why, &why) == 0);
	MUST(silences_new(&silences, NULL) == 0 &&
	    dispatch_new(&dispatch, routing, silences, NULL) == 0);
	api = (struct apiv2){ .dispatch = dispatch,
		.silences = silences,
		.routing = routing,
		.started = { T0 } };
	test_alerts();
	test_refused();
	test_groups();
	test_silences();
	test_rest();
	buf_fini(&body);
	dispatch = dispatch_free(dispatch);
	silences = silences_free(silences);
	routing = routing_free(routing);
	return check_failed != 0;
}
