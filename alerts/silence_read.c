/*
 * alerts/silence_read.c - silences out of JSON.
 * One job: what the API shows of silences read again, as they are: with their IDs and times, those that are over too.
 * Floor: 4 (uses base).
 */
#include "alerts/apiv2_internal.h"
#include "alerts/silence_internal.h"

static bool
read_flag(const json_t *v, bool otherwise)
{
	return json_is_boolean(v) ? json_is_true(v) : otherwise;
}

const char *
silence_read_matchers(const json_t *list, struct arena *arena, struct silence *s)
{
	size_t n = json_array_size(list), i;

	if (list != NULL && !json_is_array(list))
		return "matchers: expected a list";
	if (n > SILENCE_MATCHERS_MAX)
		return "matchers: too many";
	s->matchers = arena_zalloc(arena, n + 1, sizeof(*s->matchers));
	if (s->matchers == NULL)
		return "no memory";
	for (i = 0; i < n; i++) {
		const json_t *v = json_array_get(list, i);
		bool regex = read_flag(json_object_get(v, "isRegex"), false);
		bool equal = read_flag(json_object_get(v, "isEqual"), true);

		if (!json_is_string(json_object_get(v, "name")) ||
		    !json_is_string(json_object_get(v, "value")))
			return "matchers: expected name and value";
		s->matchers[i].name = apiv2_text(json_object_get(v, "name"));
		s->matchers[i].value = apiv2_text(json_object_get(v, "value"));
		s->matchers[i].op = regex ? (equal ? MATCH_REGEX : MATCH_NOT_REGEX)
		                          : (equal ? MATCH_EQUAL : MATCH_NOT_EQUAL);
	}
	s->n_matchers = n;
	return NULL;
}

static const char *
read_one(const json_t *v, struct arena *arena, struct silence *s)
{
	if (!json_is_object(v))
		return "expected an object";
	if (!apiv2_read_time(json_object_get(v, "startsAt"), &s->starts_at) ||
	    !apiv2_read_time(json_object_get(v, "endsAt"), &s->ends_at))
		return "startsAt and endsAt are times in RFC 3339";
	s->id = apiv2_text(json_object_get(v, "id"));
	s->created_by = apiv2_text(json_object_get(v, "createdBy"));
	s->comment = apiv2_text(json_object_get(v, "comment"));
	s->query_text = apiv2_text(json_object_get(v, "query"));
	return silence_read_matchers(json_object_get(v, "matchers"), arena, s);
}

static int
take_one(struct silences *s, const json_t *v, struct wall now, struct buf *why)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	struct silence one = { 0 };
	struct kept *k = NULL;
	const char *bad = read_one(v, &arena, &one);
	int r;

	if (bad != NULL) {
		buf_c(why, bad);
		return SILENCE_E_BAD;
	}
	r = kept_new(&one, now, &k, why);
	if (r == 0)
		r = silence_check(&k->s, why);
	if (r == 0)
		r = kept_add(s, k);
	if (r != 0)
		kept_free(k);
	return r;
}

static int
take_all(struct silences *s, const json_t *list, struct wall now, struct buf *why)
{
	AUTO_FINI(buf_fini) struct buf one = BUF_INIT;
	size_t i;
	int r;

	if (!json_is_array(list) || json_array_size(list) > SILENCES_MAX) {
		buf_printf(why, "expected a list of at most %d silences", SILENCES_MAX);
		return SILENCE_E_BAD;
	}
	for (i = 0; i < json_array_size(list); i++) {
		buf_clear(&one);
		r = take_one(s, json_array_get(list, i), now, &one);
		if (r > 0)
			buf_printf(why, "silence %zu: %.*s", i + 1, STR_ARG(buf_view(&one)));
		if (r != 0)
			return r;
	}
	return 0;
}

int
silences_read(struct silences *s, struct str json, struct wall now, size_t *ret_n,
    struct buf *ret_why)
{
	json_error_t error;
	json_t *list = json_loadb(json.n > 0 ? (const char *)json.p : "", json.n,
	    JSON_REJECT_DUPLICATES, &error);
	int r;

	if (list == NULL) {
		buf_printf(ret_why, "no JSON: line %d: %s", error.line, error.text);
		return SILENCE_E_BAD;
	}
	r = take_all(s, list, now, ret_why);
	*ret_n = json_array_size(list);
	json_decref(list);
	return r;
}
