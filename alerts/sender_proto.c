/*
 * alerts/sender_proto.c - what main and the send process say to each other.
 * One job: write frames, and read them as if a stranger had written them.
 * Floor: 4 (uses base).
 */
#include "alerts/sender_proto.h"

#include <assert.h>
#include <endian.h>
#include <jansson.h>

void
send_report_fini(struct send_report *rep)
{
	buf_fini(&rep->id);
	buf_fini(&rep->to_left);
	buf_fini(&rep->to_failed);
	buf_fini(&rep->why);
	memset(&rep->r, 0, sizeof(rep->r));
}

void
send_report_close(struct send_report *rep)
{
	rep->r.id = buf_view(&rep->id);
	rep->r.to_left = buf_view(&rep->to_left);
	rep->r.to_failed = buf_view(&rep->to_failed);
	rep->r.why = buf_view(&rep->why);
}

size_t
send_frame_begin(struct buf *out, enum send_frame_type type)
{
	size_t at = out->n;

	buf_u32(out, 0);
	buf_byte(out, SEND_FRAME_VERSION);
	buf_byte(out, (uint8_t)type);
	buf_u16(out, 0);
	return at;
}

void
send_frame_end(struct buf *out, size_t at)
{
	uint32_t n;

	if (out->failed)
		return;
	assert(out->n - at >= SEND_FRAME_HEAD && out->n - at <= UINT32_MAX);
	n = htole32((uint32_t)(out->n - at - SEND_FRAME_HEAD));
	memcpy(out->p + at, &n, sizeof(n));
}

int
send_frame_next(struct str s, enum send_frame_type *ret_type, struct str *ret_payload,
    size_t *ret_n)
{
	struct scan sc = SCAN_OF(s);
	uint8_t version, type;
	uint32_t n;

	if (s.n < SEND_FRAME_HEAD)
		return SEND_PROTO_E_MORE;
	n = scan_u32(&sc);
	version = scan_u8(&sc);
	type = scan_u8(&sc);
	if (n > SENDER_FRAME_MAX || version != SEND_FRAME_VERSION || type < SEND_FRAME_JOB ||
	    type > SEND_FRAME_PHASE || scan_u16(&sc) != 0)
		return SEND_PROTO_E_FORMAT;
	if (type != SEND_FRAME_JOB && n > SEND_RESULT_MAX)
		return SEND_PROTO_E_FORMAT;
	if (s.n - SEND_FRAME_HEAD < n)
		return SEND_PROTO_E_MORE;
	*ret_type = (enum send_frame_type)type;
	*ret_payload = (struct str){ s.p + SEND_FRAME_HEAD, n };
	*ret_n = SEND_FRAME_HEAD + (size_t)n;
	return 0;
}

/* One field of a struct as one key of an object. */
static_assert(sizeof(struct span) == 8 && sizeof(struct wall) == 8, "one number");
enum field_kind { FIELD_TEXT, FIELD_BOOL, FIELD_SPAN, FIELD_WALL };
struct field {
	const char *name;
	enum field_kind kind;
	size_t at;
	size_t max; /* bytes of a text */
};

#define JOB(member, kind, max)                                          \
	{                                                               \
#member, kind, offsetof(struct send_job, member), (max) \
	}
#define RESULT(member, kind, max)                                          \
	{                                                                  \
#member, kind, offsetof(struct send_result, member), (max) \
	}

static const struct field job_fields[] = {
	JOB(id, FIELD_TEXT, SEND_NAME_MAX),
	JOB(timeout, FIELD_SPAN, 0),
	JOB(at, FIELD_WALL, 0),
	JOB(smarthost, FIELD_TEXT, SEND_NAME_MAX),
	JOB(hello, FIELD_TEXT, SEND_NAME_MAX),
	JOB(from, FIELD_TEXT, SEND_NAME_MAX),
	JOB(to, FIELD_TEXT, SEND_TO_MAX * 1024),
	JOB(auth_username, FIELD_TEXT, SEND_NAME_MAX),
	JOB(auth_password_file, FIELD_TEXT, SEND_NAME_MAX),
	JOB(require_tls, FIELD_BOOL, 0),
	JOB(message_id, FIELD_TEXT, SEND_NAME_MAX),
	JOB(in_reply_to, FIELD_TEXT, SEND_NAME_MAX),
	JOB(subject, FIELD_TEXT, SEND_NAME_MAX),
	JOB(text, FIELD_TEXT, SENDER_FRAME_MAX),
	JOB(html, FIELD_TEXT, SENDER_FRAME_MAX),
	JOB(url, FIELD_TEXT, SEND_NAME_MAX),
	JOB(url_file, FIELD_TEXT, SEND_NAME_MAX),
	JOB(body, FIELD_TEXT, SENDER_FRAME_MAX),
	JOB(http.basic_user, FIELD_TEXT, SEND_NAME_MAX),
	JOB(http.basic_password_file, FIELD_TEXT, SEND_NAME_MAX),
	JOB(http.bearer_file, FIELD_TEXT, SEND_NAME_MAX),
	JOB(http.ca_file, FIELD_TEXT, SEND_NAME_MAX),
	JOB(http.cert_file, FIELD_TEXT, SEND_NAME_MAX),
	JOB(http.key_file, FIELD_TEXT, SEND_NAME_MAX),
	JOB(http.server_name, FIELD_TEXT, SEND_NAME_MAX),
	JOB(http.insecure_skip_verify, FIELD_BOOL, 0),
	JOB(http.follow_redirects, FIELD_BOOL, 0),
	JOB(http.hmac_file, FIELD_TEXT, SEND_NAME_MAX),
};

static const struct field result_fields[] = {
	RESULT(id, FIELD_TEXT, SEND_NAME_MAX),
	RESULT(retry_after, FIELD_SPAN, 0),
	RESULT(to_left, FIELD_TEXT, SEND_TO_MAX * 1024),
	RESULT(to_failed, FIELD_TEXT, SEND_TO_MAX * 1024),
	RESULT(why, FIELD_TEXT, 64 << 10),
	RESULT(unsure, FIELD_BOOL, 0),
};

static void
field_put(struct buf *out, const struct field *f, const void *from)
{
	const char *p = (const char *)from + f->at;
	struct str s;
	int64_t v;
	bool b;

	buf_c(out, out->p[out->n - 1] == '{' ? "\"" : ",\"");
	buf_c(out, f->name);
	buf_c(out, "\":");
	switch (f->kind) {
	case FIELD_TEXT:
		memcpy(&s, p, sizeof(s));
		buf_json(out, s);
		break;
	case FIELD_BOOL:
		memcpy(&b, p, sizeof(b));
		buf_c(out, b ? "true" : "false");
		break;
	case FIELD_SPAN:
	case FIELD_WALL:
		memcpy(&v, p, sizeof(v));
		buf_int(out, v);
		break;
	}
}

/* A copy: jansson's text ends with its document. */
static int
text_get(const json_t *v, size_t max, struct arena *arena, struct str *ret)
{
	if (!json_is_string(v) || json_string_length(v) > max)
		return SEND_PROTO_E_FORMAT;
	*ret = arena_dup(arena, str_of(json_string_value(v), json_string_length(v)));
	return ret->p != NULL ? 0 : err_origin(-ENOMEM);
}

/* A key that is not there leaves what is there: nothing. */
static int
field_get(const json_t *doc, const struct field *f, struct arena *arena, void *to)
{
	const json_t *v = json_object_get(doc, f->name);
	char *p = (char *)to + f->at;
	struct str s;
	int64_t n;
	bool b;
	int r;

	if (v == NULL)
		return 0;
	switch (f->kind) {
	case FIELD_TEXT:
		r = text_get(v, f->max, arena, &s);
		if (r != 0)
			return r;
		memcpy(p, &s, sizeof(s));
		return 0;
	case FIELD_BOOL:
		if (!json_is_boolean(v))
			return SEND_PROTO_E_FORMAT;
		b = json_is_true(v);
		memcpy(p, &b, sizeof(b));
		return 0;
	case FIELD_SPAN:
	case FIELD_WALL:
		break;
	}
	if (!json_is_integer(v))
		return SEND_PROTO_E_FORMAT;
	n = json_integer_value(v);
	memcpy(p, &n, sizeof(n));
	return 0;
}

static int
doc_load(struct str payload, json_t **ret)
{
	*ret = json_loadb((const char *)payload.p, payload.n,
	    JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	if (*ret != NULL && json_is_object(*ret))
		return 0;
	json_decref(*ret);
	*ret = NULL;
	return SEND_PROTO_E_FORMAT;
}

static void
doc_free(json_t **doc)
{
	json_decref(*doc);
}

void
send_job_put(struct buf *out, const struct send_job *job)
{
	size_t at = send_frame_begin(out, SEND_FRAME_JOB), i;

	buf_byte(out, '{');
	for (i = 0; i < ARRAY_LEN(job_fields) && !out->failed; i++)
		field_put(out, &job_fields[i], job);
	buf_printf(out, ",\"kind\":\"%s\",\"headers\":[",
	    job->kind == RECEIVER_EMAIL ? "mail" : "webhook");
	for (i = 0; i < job->n_headers; i++) {
		buf_c(out, i > 0 ? ",[" : "[");
		buf_json(out, job->headers[i].name);
		buf_byte(out, ',');
		buf_json(out, job->headers[i].value);
		buf_byte(out, ']');
	}
	buf_c(out, "]}");
	send_frame_end(out, at);
}

static int
headers_get(const json_t *list, struct arena *arena, struct send_job *ret)
{
	size_t i, n = json_array_size(list);
	int r = 0;

	if (list == NULL || n == 0)
		return 0;
	if (n > SEND_HEADERS_MAX)
		return SEND_PROTO_E_FORMAT;
	ret->headers = arena_zalloc(arena, n, sizeof(*ret->headers));
	if (ret->headers == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < n && r == 0; i++) {
		const json_t *one = json_array_get(list, i);

		r = text_get(json_array_get(one, 0), SEND_NAME_MAX, arena, &ret->headers[i].name);
		if (r == 0)
			r = text_get(json_array_get(one, 1), SEND_NAME_MAX, arena,
			    &ret->headers[i].value);
	}
	ret->n_headers = n;
	return r;
}

int
send_job_get(struct str payload, struct arena *arena, struct send_job *ret)
{
	__attribute__((__cleanup__(doc_free))) json_t *doc = NULL;
	struct send_job job = { 0 };
	struct str kind = STR_NONE;
	size_t i;
	int r;

	r = doc_load(payload, &doc);
	for (i = 0; r == 0 && i < ARRAY_LEN(job_fields); i++)
		r = field_get(doc, &job_fields[i], arena, &job);
	if (r == 0)
		r = headers_get(json_object_get(doc, "headers"), arena, &job);
	if (r == 0)
		r = text_get(json_object_get(doc, "kind"), SEND_NAME_MAX, arena, &kind);
	if (r != 0)
		return r;
	if (job.id.n == 0 || job.timeout.ns < 0 ||
	    (!str_eq_c(kind, "mail") && !str_eq_c(kind, "webhook")))
		return SEND_PROTO_E_FORMAT;
	job.kind = str_eq_c(kind, "mail") ? RECEIVER_EMAIL : RECEIVER_WEBHOOK;
	*ret = job;
	return 0;
}

static const char *const outcome_names[] = {
	[SEND_DONE] = "done", [SEND_LATER] = "later", [SEND_NEVER] = "never"
};

void
send_result_put(struct buf *out, const struct send_result *r)
{
	size_t at = send_frame_begin(out, SEND_FRAME_RESULT), i;

	buf_byte(out, '{');
	for (i = 0; i < ARRAY_LEN(result_fields) && !out->failed; i++)
		field_put(out, &result_fields[i], r);
	buf_printf(out, ",\"outcome\":\"%s\"}", outcome_names[r->outcome]);
	send_frame_end(out, at);
}

int
send_result_get(struct str payload, struct arena *arena, struct send_result *ret)
{
	__attribute__((__cleanup__(doc_free))) json_t *doc = NULL;
	struct send_result res = { 0 };
	struct str outcome = STR_NONE;
	size_t i;
	int r;

	r = doc_load(payload, &doc);
	for (i = 0; r == 0 && i < ARRAY_LEN(result_fields); i++)
		r = field_get(doc, &result_fields[i], arena, &res);
	if (r == 0)
		r = text_get(json_object_get(doc, "outcome"), SEND_NAME_MAX, arena, &outcome);
	if (r != 0)
		return r;
	for (i = 0; i < ARRAY_LEN(outcome_names); i++)
		if (str_eq_c(outcome, outcome_names[i]))
			break;
	if (i == ARRAY_LEN(outcome_names) || res.id.n == 0 || res.retry_after.ns < 0)
		return SEND_PROTO_E_FORMAT;
	res.outcome = i == SEND_DONE ? SEND_DONE : i == SEND_LATER ? SEND_LATER : SEND_NEVER;
	*ret = res;
	return 0;
}

void
send_phase_put(struct buf *out, const char *phase, bool unsure)
{
	size_t at = send_frame_begin(out, SEND_FRAME_PHASE);

	buf_c(out, "{\"phase\":");
	buf_json(out, str_c(phase));
	buf_printf(out, ",\"unsure\":%s}", unsure ? "true" : "false");
	send_frame_end(out, at);
}

int
send_phase_get(struct str payload, struct arena *arena, struct str *ret_phase, bool *ret_unsure)
{
	__attribute__((__cleanup__(doc_free))) json_t *doc = NULL;
	int r;

	r = doc_load(payload, &doc);
	if (r == 0)
		r = text_get(json_object_get(doc, "phase"), SEND_NAME_MAX, arena, ret_phase);
	if (r == 0)
		*ret_unsure = json_is_true(json_object_get(doc, "unsure"));
	return r;
}
