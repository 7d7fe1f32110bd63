/*
 * alerts/apiv2_silences.c - silences over the API.
 * One job: list, show, set and expire them.
 * Floor: 4 (uses base).
 *
 * Ours besides: "query" (LogsQL) in a silence, "filters" (matchers as text) in one that is posted, and format=text of the
 * list, for weir silence.
 */
#include <stdlib.h>

#include "alerts/apiv2_internal.h"

/* ---- out ---- */

static const char *
state_name(enum silence_state s)
{
	switch (s) {
	case SILENCE_PENDING:
		return "pending";
	case SILENCE_ACTIVE:
		return "active";
	case SILENCE_EXPIRED:
		return "expired";
	}
	return "expired";
}

static void
put_matchers(struct buf *out, const struct silence *s)
{
	size_t i;

	buf_c(out, "[");
	for (i = 0; i < s->n_matchers; i++) {
		const struct matcher *m = &s->matchers[i];

		buf_printf(out, "%s{\"isEqual\":%s,\"isRegex\":%s,\"name\":", i > 0 ? "," : "",
		    m->op == MATCH_EQUAL || m->op == MATCH_REGEX ? "true" : "false",
		    m->op == MATCH_REGEX || m->op == MATCH_NOT_REGEX ? "true" : "false");
		buf_json(out, m->name);
		buf_c(out, ",\"value\":");
		buf_json(out, m->value);
		buf_c(out, "}");
	}
	buf_c(out, "]");
}

static void
put_silence(struct buf *out, const struct silence *s, struct wall now)
{
	buf_c(out, "{\"id\":");
	buf_json(out, s->id);
	buf_printf(out,
	    ",\"status\":{\"state\":\"%s\"},\"updatedAt\":", state_name(silence_state(s, now)));
	apiv2_time(out, s->updated_at);
	buf_c(out, ",\"comment\":");
	buf_json(out, s->comment);
	buf_c(out, ",\"createdBy\":");
	buf_json(out, s->created_by);
	buf_c(out, ",\"endsAt\":");
	apiv2_time(out, s->ends_at);
	buf_c(out, ",\"matchers\":");
	put_matchers(out, s);
	if (s->query_text.n > 0) {
		buf_c(out, ",\"query\":");
		buf_json(out, s->query_text);
	}
	buf_c(out, ",\"startsAt\":");
	apiv2_time(out, s->starts_at);
	buf_c(out, "}");
}

/* A line for people: ID, state, when that ends, what it is about, who and why. */
static void
put_line(struct buf *out, const struct silence *s, enum silence_state state)
{
	char text[WALL_TEXT_MAX];
	struct wall at = state == SILENCE_PENDING ? s->starts_at : s->ends_at;
	size_t n = wall_format(text, (struct wall){ at.ns / NS_PER_S * NS_PER_S });

	buf_printf(out, "%.*s  %-7s %s %.*s  ", STR_ARG(s->id), state_name(state),
	    state == SILENCE_PENDING ? "from " : "until", (int)n, text);
	if (s->n_matchers > 0)
		matchers_format(out, s->matchers, s->n_matchers);
	if (s->query_text.n > 0) {
		buf_c(out, s->n_matchers > 0 ? " query " : "query ");
		buf_json(out, s->query_text);
	}
	if (s->created_by.n > 0) {
		buf_c(out, "  by ");
		buf_json(out, s->created_by);
	}
	if (s->comment.n > 0) {
		buf_c(out, "  ");
		buf_json(out, s->comment);
	}
	buf_c(out, "\n");
}

struct list {
	const struct silence **p;
	size_t n;
	const struct matcher *filters;
	size_t n_filters;
};

/* A filter asks for silences that have this very matcher. */
static bool
has_matcher(const struct silence *s, const struct matcher *m)
{
	size_t i;

	for (i = 0; i < s->n_matchers; i++)
		if (matchers_equal(&s->matchers[i], 1, m, 1))
			return true;
	return false;
}

static int
add_silence(void *ctx, const struct silence *s)
{
	struct list *l = ctx;
	size_t i;

	for (i = 0; i < l->n_filters; i++)
		if (!has_matcher(s, &l->filters[i]))
			return 0;
	l->p[l->n++] = s;
	return 0;
}

/* qsort's comparison has no context: the states are those at this instant. */
struct sorted {
	const struct silence *s;
	enum silence_state state;
};

/* Active ones by their end, pending ones by their start, expired ones with the latest first. */
static int
silence_order(const void *a, const void *b)
{
	static const int
	    place[] = { [SILENCE_ACTIVE] = 0, [SILENCE_PENDING] = 1, [SILENCE_EXPIRED] = 2 };
	const struct sorted *x = a, *y = b;
	int64_t u, v;

	if (x->state != y->state)
		return place[x->state] - place[y->state];
	u = x->state == SILENCE_PENDING ? x->s->starts_at.ns : x->s->ends_at.ns;
	v = x->state == SILENCE_PENDING ? y->s->starts_at.ns : y->s->ends_at.ns;
	return x->state == SILENCE_EXPIRED ? (u < v) - (u > v) : (u > v) - (u < v);
}

static void
put_lines(struct apiv2_call *c, const struct sorted *all, size_t n)
{
	size_t i;

	c->ret->type = "text/plain; charset=utf-8";
	for (i = 0; i < n; i++)
		put_line(&c->ret->body, all[i].s, all[i].state);
}

static void
put_list(struct apiv2_call *c, const struct sorted *all, size_t n)
{
	size_t i;

	buf_c(&c->ret->body, "[");
	for (i = 0; i < n; i++) {
		if (i > 0)
			buf_c(&c->ret->body, ",");
		put_silence(&c->ret->body, all[i].s, c->now);
	}
	buf_c(&c->ret->body, "]\n");
}

/* Ours: expired=false leaves them out. */
void
apiv2_get_silences(struct apiv2_call *c)
{
	bool expired = apiv2_flag(c, "expired");
	enum silence_state state;
	struct str format;
	size_t n = 0;
	struct list list = { 0 };
	struct matcher *filters;
	struct sorted *sorted;
	size_t i;

	if (!apiv2_filters(c, &filters, &list.n_filters))
		return;
	list.filters = filters;
	list.p = arena_zalloc(&c->arena, SILENCES_MAX + 1, sizeof(struct silence *));
	sorted = arena_zalloc(&c->arena, SILENCES_MAX + 1, sizeof(*sorted));
	if (list.p == NULL || sorted == NULL ||
	    silences_each(c->api->silences, add_silence, &list) < 0) {
		apiv2_fail(c, 500, "no memory");
		return;
	}
	for (i = 0; i < list.n; i++) {
		state = silence_state(list.p[i], c->now);
		if (expired || state != SILENCE_EXPIRED)
			sorted[n++] = (struct sorted){ list.p[i], state };
	}
	if (n > 1)
		qsort(sorted, n, sizeof(*sorted), silence_order);
	if (api_param(c->req, "format", &format) && str_eq(format, STR("text")))
		put_lines(c, sorted, n);
	else
		put_list(c, sorted, n);
}

void
apiv2_get_silence(struct apiv2_call *c)
{
	const struct silence *s = silence_get(c->api->silences, c->id);

	if (s == NULL) {
		c->ret->status = 404;
		return;
	}
	put_silence(&c->ret->body, s, c->now);
	buf_c(&c->ret->body, "\n");
}

/* ---- in ---- */

/* Matchers as text, behind those that are objects. */
static const char *
read_filters(struct apiv2_call *c, const json_t *list, struct silence *s, struct buf *error)
{
	size_t n = json_array_size(list), i;
	struct matcher *all;

	if (n == 0)
		return NULL;
	if (n + s->n_matchers > SILENCE_MATCHERS_MAX)
		return "filters: too many";
	all = arena_zalloc(&c->arena, s->n_matchers + n, sizeof(*all));
	if (all == NULL)
		return "no memory";
	if (s->n_matchers > 0)
		memcpy(all, s->matchers, s->n_matchers * sizeof(*all));
	for (i = 0; i < n; i++)
		if (matcher_parse(apiv2_text(json_array_get(list, i)), &c->arena,
		        &all[s->n_matchers + i], error) != 0)
			return error->n > 0 ? buf_c_str(error) : "no memory";
	s->matchers = all;
	s->n_matchers += n;
	return NULL;
}

static const char *
read_silence(struct apiv2_call *c, const json_t *v, struct silence *s, struct buf *error)
{
	const char *why;

	if (!json_is_object(v))
		return "expected an object";
	if (!apiv2_read_time(json_object_get(v, "startsAt"), &s->starts_at) ||
	    !apiv2_read_time(json_object_get(v, "endsAt"), &s->ends_at))
		return "startsAt and endsAt are times in RFC 3339";
	why = silence_read_matchers(json_object_get(v, "matchers"), &c->arena, s);
	if (why == NULL)
		why = read_filters(c, json_object_get(v, "filters"), s, error);
	if (why != NULL)
		return why;
	s->id = apiv2_text(json_object_get(v, "id"));
	s->created_by = apiv2_text(json_object_get(v, "createdBy"));
	s->comment = apiv2_text(json_object_get(v, "comment"));
	s->query_text = apiv2_text(json_object_get(v, "query"));
	if (s->starts_at.ns >= s->ends_at.ns)
		return "failed to create silence: start time must be before end time";
	if (s->ends_at.ns < c->now.ns)
		return "failed to create silence: end time can't be in the past";
	return NULL;
}

static void
set_silence(struct apiv2_call *c, const json_t *body)
{
	AUTO_FINI(buf_fini) struct buf error = BUF_INIT;
	struct silence s = { 0 };
	const char *why = read_silence(c, body, &s, &error);
	struct str id;
	int r;

	if (why != NULL) {
		apiv2_fail(c, 400, "%s", why);
		return;
	}
	buf_clear(&error);
	r = silence_set(c->api->silences, &s, c->now, &id, &error);
	if (r != 0) {
		apiv2_fail(c,
		    r < 0                     ? 500
		        : r == SILENCE_E_NONE ? 404
		                              : 400,
		    "%s", r < 0 ? "the silence could not be made" : buf_c_str(&error));
		return;
	}
	c->api->changed = true;
	buf_c(&c->ret->body, "{\"silenceID\":");
	buf_json(&c->ret->body, id);
	buf_c(&c->ret->body, "}\n");
}

void
apiv2_post_silences(struct apiv2_call *c)
{
	json_error_t error;
	json_t *body = json_loadb(c->req->body.n > 0 ? (const char *)c->req->body.p : "",
	    c->req->body.n, JSON_REJECT_DUPLICATES, &error);

	if (body == NULL)
		apiv2_fail(c, 400, "no JSON: %s", error.text);
	else
		set_silence(c, body);
	json_decref(body);
}

void
apiv2_delete_silence(struct apiv2_call *c)
{
	int r = silence_expire(c->api->silences, c->id, c->now);

	if (r == SILENCE_E_NONE)
		c->ret->status = 404;
	else if (r < 0)
		apiv2_fail(c, 500, "the silence could not be expired");
	else if (r == 0)
		c->api->changed =
		    true; /* else it has expired already, which is what was asked for */
}
