/*
 * alerts/apiv2.c - Alertmanager's API, version 2.
 * One job: paths to what answers them, and what all of them need.
 * Floor: 4 (uses base).
 *
 * The shapes are those of Alertmanager 0.25's openapi.yaml, so that amtool and dashboards take weir for one.
 */
#include "alerts/apiv2.h"

#include <stdio.h>

#include "alerts/apiv2_internal.h"
#include "alerts/route_internal.h"

void
apiv2_fail(struct apiv2_call *c, unsigned status, const char *fmt, ...)
{
	char text[1000];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	c->ret->status = status;
	buf_clear(&c->ret->body);
	buf_json(&c->ret->body, str_c(text));
	buf_c(&c->ret->body, "\n");
}

/* ---- in ---- */

bool
apiv2_filters(struct apiv2_call *c, struct matcher **ret, size_t *ret_n)
{
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	struct matcher *all = arena_zalloc(&c->arena, APIV2_FILTERS_MAX, sizeof(*all));
	size_t i, n = 0;
	int r = all != NULL ? 0 : -ENOMEM;

	for (i = 0; r == 0 && i < c->req->n_params; i++) {
		if (!str_eq_c(c->req->params[i].name, "filter"))
			continue;
		if (n == APIV2_FILTERS_MAX) {
			apiv2_fail(c, 400, "expected at most %d filters", APIV2_FILTERS_MAX);
			return false;
		}
		r = matcher_parse(c->req->params[i].value, &c->arena, &all[n++], &why);
	}
	if (r != 0) {
		apiv2_fail(c, r < 0 ? 500 : 400, "%s", r < 0 ? "no memory" : buf_c_str(&why));
		return false;
	}
	*ret = all;
	*ret_n = n;
	return true;
}

bool
apiv2_flag(const struct apiv2_call *c, const char *name)
{
	static const char *const yes[] = { "true", "1", "yes", "ok", "y", "on", "selected",
		"checked", "t", "enabled" };
	struct str v;
	size_t i;

	if (!api_param(c->req, name, &v))
		return true;
	for (i = 0; i < ARRAY_LEN(yes); i++)
		if (str_eq_nocase(v, str_c(yes[i])))
			return true;
	return false;
}

struct str
apiv2_text(const json_t *v)
{
	return json_is_string(v) ? str_of(json_string_value(v), json_string_length(v)) : STR("");
}

bool
apiv2_read_time(const json_t *v, struct wall *ret)
{
	bool zone;

	*ret = (struct wall){ 0 };
	if (v == NULL || json_is_null(v))
		return true;
	if (!json_is_string(v))
		return false;
	/* Go's zero time is the year 1. */
	if (json_string_length(v) == 0 || str_starts(apiv2_text(v), STR("0001-01-01T")))
		return true;
	if (wall_parse_rfc3339(apiv2_text(v), 0, ret, &zone) != 0)
		return false;
	return ret->ns >= 0;
}

/* ---- out ---- */

void
apiv2_time(struct buf *out, struct wall t)
{
	struct civil c = wall_civil(t);

	buf_printf(out, "\"%04lld-%02d-%02dT%02d:%02d:%02d.%03dZ\"", (long long)c.year, c.month,
	    c.day, c.hour, c.minute, c.second, c.ns / (int)NS_PER_MS);
}

static void
get_receivers(struct apiv2_call *c)
{
	const struct routing *r = c->api->routing;
	struct buf *out = &c->ret->body;
	size_t i;

	buf_c(out, "[");
	for (i = 0; i < r->n_receivers; i++) {
		buf_c(out, i > 0 ? ",{\"name\":" : "{\"name\":");
		buf_json(out, r->receivers[i].name);
		buf_c(out, "}");
	}
	buf_c(out, "]\n");
}

/* The version is that of the API, which amtool compares with its own. */
static void
get_status(struct apiv2_call *c)
{
	struct buf *out = &c->ret->body;

	buf_c(out, "{\"cluster\":{\"peers\":[],\"status\":\"disabled\"},\"config\":{\"original\":");
	buf_json(out, c->api->routing->text);
	buf_c(out, "},\"uptime\":");
	apiv2_time(out, c->api->started);
	buf_c(out,
	    ",\"versionInfo\":{\"branch\":\"weir\",\"buildDate\":\"\",\"buildUser\":\"\",\"goVersion\":\"\","
	    "\"revision\":\"" WEIR_VERSION "\",\"version\":\"0.25.0\"}}\n");
}

/* ---- paths ---- */

static const struct apiv2_path {
	const char *method, *path;
	void (*answer)(struct apiv2_call *c);
	bool with_id;
} paths[] = {
	{ "GET", "/api/v2/alerts", apiv2_get_alerts, false },
	{ "POST", "/api/v2/alerts", apiv2_post_alerts, false },
	{ "GET", "/api/v2/alerts/groups", apiv2_get_groups, false },
	{ "GET", "/api/v2/silences", apiv2_get_silences, false },
	{ "POST", "/api/v2/silences", apiv2_post_silences, false },
	{ "GET", "/api/v2/silence/", apiv2_get_silence, true },
	{ "DELETE", "/api/v2/silence/", apiv2_delete_silence, true },
	{ "GET", "/api/v2/receivers", get_receivers, false },
	{ "GET", "/api/v2/status", get_status, false },
};

static bool
path_is(const struct apiv2_path *p, struct str path, struct str *ret_id)
{
	size_t n = strlen(p->path);

	if (!p->with_id)
		return str_eq_c(path, p->path);
	*ret_id = str_sub(path, n, path.n);
	return str_starts(path, str_c(p->path)) && path.n > n;
}

bool
apiv2_answer(struct apiv2 *api, const struct api_request *req, struct wall now,
    struct api_answer *ret)
{
	struct apiv2_call c = { .api = api,
		.req = req,
		.now = now,
		.ret = ret,
		.arena = ARENA_INIT };
	bool known = false;
	size_t i;

	ret->status = 200;
	ret->type = "application/json";
	for (i = 0; i < ARRAY_LEN(paths); i++) {
		if (!path_is(&paths[i], req->path, &c.id))
			continue;
		known = true;
		if (!str_eq_c(req->method, paths[i].method))
			continue;
		paths[i].answer(&c);
		arena_fini(&c.arena);
		return true;
	}
	if (known)
		apiv2_fail(&c, 405, "this path takes another method");
	return known;
}
