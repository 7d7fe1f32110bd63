/*
 * tests/fuzz/fuzz_apiv2.c - any requests to the API.
 * One job: each has an answer, JSON where it says JSON, and what is shown can be asked for again; silences that are shown are read back.
 *
 * Input: requests, each "METHOD PATH PARAMS\n" and a body up to "\n.\n"; parameters are a=b&c=d.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "alerts/apiv2.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PARAMS_MAX = 8, REQUESTS_MAX = 20 };

static const char config[] =
    "route: {receiver: r, group_by: [g], group_wait: 0s, routes: [{matchers: ['t=s'], receiver: s}]}\n"
    "receivers: [{name: r}, {name: s, webhook_configs: [{url: 'http://h/'}]}]\n"
    "inhibit_rules: [{source_matchers: ['sev=crit'], target_matchers: ['sev=warn'], equal: [job]}]\n";

static struct str
take(struct str *s, uint8_t end)
{
	size_t at = str_find_byte(*s, end);
	struct str one = str_sub(*s, 0, at == SIZE_MAX ? s->n : at);

	*s = at == SIZE_MAX ? STR_NONE : str_sub(*s, at + 1, s->n);
	return one;
}

static void
ask(struct apiv2 *api, struct str head, struct str body, struct wall now)
{
	struct label params[PARAMS_MAX];
	struct api_request req = { .params = params, .body = body };
	struct api_answer a = { .body = BUF_INIT };
	struct str one;
	json_t *v;

	req.method = take(&head, ' ');
	req.path = take(&head, ' ');
	while (head.n > 0 && req.n_params < PARAMS_MAX) {
		one = take(&head, '&');
		params[req.n_params].name = take(&one, '=');
		params[req.n_params++].value = one;
	}
	if (apiv2_answer(api, &req, now, &a)) {
		if (a.status < 200 || a.status > 599)
			abort();
		if (a.body.n > 0 && strcmp(a.type, "application/json") == 0) {
			v = json_loadb((const char *)a.body.p, a.body.n,
			    JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
			if (v == NULL)
				abort();
			json_decref(v);
		}
	}
	buf_fini(&a.body);
}

/* Any body as a list of silences; true: it is one. */
static bool
read_back(struct str list, struct wall now, size_t *ret_n)
{
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	AUTO(silences_free) struct silences *other = NULL;
	int r;

	if (silences_new(&other, NULL) != 0)
		abort();
	r = silences_read(other, list, now, ret_n, &why);
	if (r > 0 && why.n == 0)
		abort();
	return r == 0;
}

static int
count(void *ctx, const struct silence *s)
{
	(void)s;
	(*(size_t *)ctx)++;
	return 0;
}

static void
read_all_back(struct apiv2 *api, struct wall now)
{
	struct api_request req = { .method = STR("GET"), .path = STR("/api/v2/silences") };
	struct api_answer a = { .body = BUF_INIT };
	size_t n = 0, n_back = 0;

	(void)silences_each(api->silences, count, &n);
	if (!apiv2_answer(api, &req, now, &a) || !read_back(buf_view(&a.body), now, &n_back) ||
	    n != n_back)
		abort();
	buf_fini(&a.body);
}

static int
told(void *ctx, const struct notification *n)
{
	(void)ctx;
	if (n->n == 0)
		abort();
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	AUTO(routing_free) struct routing *routing = NULL;
	AUTO(silences_free) struct silences *silences = NULL;
	AUTO(dispatch_free) struct dispatch *dispatch = NULL;
	struct apiv2 api = { 0 };
	struct str rest = str_of(data, size), head, body;
	struct wall now = { INT64_C(1714996800000000000) };
	size_t at, n;
	int i;

	if (routing_parse("x", str_c(config), STR_NONE, &routing, &why, &why) != 0 ||
	    silences_new(&silences, NULL) != 0 ||
	    dispatch_new(&dispatch, routing, silences, NULL) != 0)
		abort();
	api.routing = routing;
	api.silences = silences;
	api.dispatch = dispatch;
	for (i = 0; i < REQUESTS_MAX && rest.n > 0; i++) {
		head = take(&rest, '\n');
		at = str_find(rest, STR("\n.\n"));
		body = str_sub(rest, 0, at == SIZE_MAX ? rest.n : at);
		rest = at == SIZE_MAX ? STR_NONE : str_sub(rest, at + 3, rest.n);
		ask(&api, head, body, now);
		(void)read_back(body, now, &n);
		now.ns += NS_PER_S;
		if (dispatch_step(dispatch, now, told, NULL) < 0)
			abort();
	}
	ask(&api, STR("GET /api/v2/alerts/groups"), STR_NONE, now);
	ask(&api, STR("GET /api/v2/silences"), STR_NONE, now);
	read_all_back(&api, now);
	return 0;
}
