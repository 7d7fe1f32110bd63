/*
 * alerts/silence.c - silences.
 * One job: keep silences and say which of them hold an alert.
 * Floor: 4 (uses logsql, base).
 *
 * A silence is never changed in a way that would rewrite what it silenced before: it expires, and another one is made.
 */
#include "alerts/silence.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "alerts/silence_internal.h"
#include "logsql/filter.h"

void
kept_free(struct kept *k)
{
	if (k == NULL)
		return;
	arena_fini(&k->arena);
	free(k);
}

int
silences_new(struct silences **ret, struct statedb *db)
{
	AUTO(silences_free) struct silences *s = calloc(1, sizeof(*s));
	int r;

	if (s == NULL)
		return err_origin(-ENOMEM);
	s->db = db;
	s->version = 1;
	r = db != NULL ? silences_load(s) : 0;
	if (r < 0)
		return err_trace(r);
	*ret = TAKE(s);
	return 0;
}

struct silences *
silences_free(struct silences *s)
{
	size_t i;

	if (s == NULL)
		return NULL;
	for (i = 0; i < s->n; i++)
		kept_free(s->all[i]);
	free(s->all);
	free(s);
	return NULL;
}

uint64_t
silences_version(const struct silences *s)
{
	return s->version;
}

enum silence_state
silence_state(const struct silence *s, struct wall now)
{
	if (now.ns < s->starts_at.ns)
		return SILENCE_PENDING;
	return now.ns > s->ends_at.ns ? SILENCE_EXPIRED : SILENCE_ACTIVE;
}

static struct kept *
find(const struct silences *s, struct str id)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (str_eq(s->all[i]->s.id, id))
			return s->all[i];
	return NULL;
}

const struct silence *
silence_get(const struct silences *s, struct str id)
{
	const struct kept *k = find(s, id);

	return k != NULL ? &k->s : NULL;
}

int
silences_each(struct silences *s, silence_fn fn, void *ctx)
{
	size_t i;
	int r = 0;

	for (i = 0; i < s->n && r == 0; i++)
		r = fn(ctx, &s->all[i]->s);
	return r;
}

/* ---- what it holds ---- */

struct row {
	const struct labels *labels, *annotations;
};

static struct str
row_get(void *ctx, struct str name)
{
	const struct row *row = ctx;
	struct str v = labels_get(row->labels, name);

	return v.n > 0 ? v : labels_get(row->annotations, name);
}

static bool
holds(const struct silence *s, const struct labels *l, const struct labels *annotations)
{
	struct row row = { l, annotations };

	if (s->n_matchers > 0 && !matchers_match(s->matchers, s->n_matchers, l))
		return false;
	return s->query == NULL || filter_match_row(s->query, row_get, &row) > 0;
}

bool
silences_may(struct silences *s, const struct labels *l, const struct labels *annotations,
    struct wall now)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (silence_state(&s->all[i]->s, now) != SILENCE_EXPIRED &&
		    holds(&s->all[i]->s, l, annotations))
			return true;
	return false;
}

static int
id_order(const void *a, const void *b)
{
	const struct str *x = a, *y = b;

	return str_cmp(*x, *y);
}

size_t
silences_match(struct silences *s, const struct labels *l, const struct labels *annotations,
    struct wall now, struct arena *arena, struct str **ret_ids)
{
	struct str *ids = NULL;
	size_t i, n = 0, cap = 0;

	for (i = 0; i < s->n; i++) {
		const struct silence *one = &s->all[i]->s;

		if (silence_state(one, now) != SILENCE_ACTIVE || !holds(one, l, annotations))
			continue;
		if (n == cap) {
			struct str *more = arena_zalloc(arena, cap * 2 + 8, sizeof(*more));

			if (more == NULL)
				break; /* those that were found hold it already */
			if (n > 0)
				memcpy(more, ids, n * sizeof(*more));
			ids = more;
			cap = cap * 2 + 8;
		}
		ids[n++] = one->id;
	}
	if (n > 1)
		qsort(ids, n, sizeof(*ids), id_order);
	*ret_ids = ids;
	return n;
}

/* ---- added and changed ---- */

static bool
matches_empty(const struct matcher *m)
{
	return (m->op == MATCH_EQUAL || m->op == MATCH_REGEX) && matcher_matches(m, STR(""));
}

int
silence_check(const struct silence *s, struct buf *why)
{
	bool all_empty = true;
	size_t i, n = s->query_text.n + s->comment.n + s->created_by.n;

	for (i = 0; i < s->n_matchers; i++) {
		const struct matcher *m = &s->matchers[i];

		n += m->name.n + m->value.n;
		if (!label_name_valid(m->name)) {
			buf_printf(why,
			    "silence invalid: invalid label matcher %zu: invalid label name \"%.*s\"",
			    i, STR_ARG(m->name));
			return SILENCE_E_BAD;
		}
		all_empty = all_empty && matches_empty(m);
	}
	if (n > SILENCE_TEXT_MAX || s->n_matchers > SILENCE_MATCHERS_MAX)
		buf_printf(why, "silence invalid: expected at most %d bytes and %d matchers",
		    SILENCE_TEXT_MAX, SILENCE_MATCHERS_MAX);
	else if (s->n_matchers == 0 && s->query == NULL)
		buf_c(why, "silence invalid: at least one matcher required");
	else if (all_empty && s->query == NULL)
		buf_c(why, "silence invalid: at least one matcher must not match the empty string");
	else if (s->starts_at.ns == 0)
		buf_c(why, "silence invalid: invalid zero start timestamp");
	else if (s->ends_at.ns == 0)
		buf_c(why, "silence invalid: invalid zero end timestamp");
	else if (s->ends_at.ns < s->starts_at.ns)
		buf_c(why, "silence invalid: end time must not be before start time");
	else
		return 0;
	return SILENCE_E_BAD;
}

static bool
may_update(const struct silence *old, const struct silence *s, struct wall now)
{
	if (!matchers_equal(old->matchers, old->n_matchers, s->matchers, s->n_matchers) ||
	    !str_eq(old->query_text, s->query_text))
		return false;
	switch (silence_state(old, now)) {
	case SILENCE_ACTIVE:
		/* Who read it over the API has its milliseconds alone. */
		return s->starts_at.ns / NS_PER_S == old->starts_at.ns / NS_PER_S &&
		    s->ends_at.ns >= now.ns;
	case SILENCE_PENDING:
		return s->starts_at.ns >= now.ns;
	case SILENCE_EXPIRED:
		return false;
	}
	return false;
}

/* UUID, version 4 (RFC 9562): random but for six bits. */
static int
make_id(struct arena *arena, struct str *ret)
{
	uint8_t b[16];
	char text[40];

	if (getrandom(b, sizeof(b), 0) != sizeof(b))
		return err_origin(-EIO);
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	(void)snprintf(text, sizeof(text),
	    "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
	    b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
	    b[15]);
	*ret = arena_dup(arena, str_c(text));
	return ret->p != NULL ? 0 : err_origin(-ENOMEM);
}

static int
copy_matchers(const struct silence *in, struct kept *k, struct buf *why)
{
	size_t i;
	int r;

	k->s.matchers = arena_zalloc(&k->arena, in->n_matchers + 1, sizeof(*k->s.matchers));
	if (k->s.matchers == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < in->n_matchers; i++) {
		r = matcher_make(in->matchers[i].op, in->matchers[i].name, in->matchers[i].value,
		    &k->arena, &k->s.matchers[i], why);
		if (r != 0)
			return r < 0 ? err_trace(r) : SILENCE_E_BAD;
	}
	k->s.n_matchers = in->n_matchers;
	return 0;
}

static int
copy_query(struct kept *k, struct wall now, struct buf *why)
{
	struct logsql_options opt = { .now = now, .zone_s = 0 };
	struct logsql_error error;
	int r;

	if (k->s.query_text.n == 0)
		return 0;
	r = query_parse_filter(k->s.query_text, &opt, &k->arena, &k->s.query, &error);
	if (r == LOGSQL_E_SYNTAX) {
		buf_c(why, "query: ");
		logsql_error_show(why, k->s.query_text, &error);
		return SILENCE_E_BAD;
	}
	return err_fold(r);
}

int
kept_new(const struct silence *in, struct wall now, struct kept **ret, struct buf *why)
{
	struct kept *k = calloc(1, sizeof(*k));
	int r;

	if (k == NULL)
		return err_origin(-ENOMEM);
	k->s = *in;
	k->s.query = NULL;
	k->s.id = arena_dup(&k->arena, in->id);
	k->s.query_text = arena_dup(&k->arena, in->query_text);
	k->s.created_by = arena_dup(&k->arena, in->created_by);
	k->s.comment = arena_dup(&k->arena, in->comment);
	r = copy_matchers(in, k, why);
	if (r == 0)
		r = copy_query(k, now, why);
	if (r == 0)
		r = k->s.comment.p == NULL ? err_origin(-ENOMEM) : 0;
	if (r != 0) {
		kept_free(k);
		return r;
	}
	*ret = k;
	return 0;
}

int
kept_add(struct silences *s, struct kept *k)
{
	struct kept **more;

	if (s->n == s->cap) {
		more = realloc(s->all, (s->cap * 2 + 16) * sizeof(struct kept *));
		if (more == NULL)
			return err_origin(-ENOMEM);
		s->all = more;
		s->cap = s->cap * 2 + 16;
	}
	s->all[s->n++] = k;
	s->version++;
	return 0;
}

static void
expire(struct silences *s, struct kept *k, struct wall now)
{
	if (silence_state(&k->s, now) == SILENCE_PENDING)
		k->s.starts_at = now;
	k->s.ends_at = now;
	k->s.updated_at = now;
	k->dirty = true;
	s->version++;
}

/* The one in place of ${old}; it stays where it was in the list. */
static void
replace(struct silences *s, struct kept *old, struct kept *k)
{
	size_t i;

	for (i = 0; s->all[i] != old; i++)
		;
	s->all[i] = k;
	kept_free(old);
	s->version++;
}

static int
add_new(struct silences *s, struct kept *k, struct wall now, struct buf *why)
{
	int r;

	if (s->n >= SILENCES_MAX) {
		buf_printf(why, "there are %d silences already", SILENCES_MAX);
		return SILENCE_E_FULL;
	}
	r = make_id(&k->arena, &k->s.id);
	if (r < 0)
		return err_trace(r);
	if (k->s.starts_at.ns < now.ns)
		k->s.starts_at = now;
	return err_trace(kept_add(s, k));
}

int
silence_set(struct silences *s, const struct silence *in, struct wall now, struct str *ret_id,
    struct buf *ret_why)
{
	struct kept *old = in->id.n > 0 ? find(s, in->id) : NULL, *k = NULL;
	int r;

	if (in->id.n > 0 && old == NULL) {
		buf_c(ret_why, "silence not found");
		return SILENCE_E_NONE;
	}
	r = kept_new(in, now, &k, ret_why);
	if (r == 0)
		r = silence_check(&k->s, ret_why);
	if (r != 0) {
		kept_free(k);
		return r;
	}
	k->s.updated_at = now;
	k->dirty = true;
	if (old != NULL && may_update(&old->s, &k->s, now)) {
		replace(s, old, k);
	} else {
		r = add_new(s, k, now, ret_why);
		if (r != 0) {
			kept_free(k);
			return r;
		}
		if (old != NULL && silence_state(&old->s, now) != SILENCE_EXPIRED)
			expire(s, old, now);
	}
	*ret_id = k->s.id;
	return 0;
}

int
silence_expire(struct silences *s, struct str id, struct wall now)
{
	struct kept *k = find(s, id);

	if (k == NULL)
		return SILENCE_E_NONE;
	if (silence_state(&k->s, now) == SILENCE_EXPIRED)
		return SILENCE_E_BAD;
	expire(s, k, now);
	return 0;
}
