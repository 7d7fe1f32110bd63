/*
 * query/pipe_extract.c - fields taken out of a text.
 * One job: extract by a pattern of text and fields, extract_regexp by named groups.
 * Floor: 3 (uses logsql, record, base).
 */
#include "logsql/regex.h"
#include "query/pipe_stage.h"

enum { FIELDS_MAX = 256 };

/* The fields that one value gives: names are fixed, values change from row to row. */
struct taken {
	const struct pipe *p;
	struct arena *arena;
	struct regex_scratch scratch;
	struct str names[FIELDS_MAX];
	struct str values[FIELDS_MAX];
	size_t step[FIELDS_MAX]; /* the step or group that gives the value */
	size_t n;
};

/* Match the steps one after the other; those behind the first mismatch stay empty. */
static int
take_pattern(struct taken *t, struct str s, struct str *values)
{
	const struct pattern_step *steps = t->p->steps;
	struct str next;
	size_t i, at, n = 0;
	int r;

	at = str_find(s, steps[0].text);
	if (at == SIZE_MAX)
		return 0;
	s = str_sub(s, at + steps[0].text.n, s.n);
	for (i = 0; i < t->p->n_steps && steps[i].has_field; i++) {
		next = i + 1 < t->p->n_steps ? steps[i + 1].text : STR_NONE;
		r = str_eq(steps[i].option, STR("plain"))
		    ? 0
		    : pipe_unquote(s, t->arena, &values[i], &n);
		if (r < 0)
			return err_trace(r);
		if (n > 0) {
			s = str_sub(s, n, s.n);
			if (!str_starts(s, next))
				return 0;
			s = str_sub(s, next.n, s.n);
			continue;
		}
		if (next.n == 0) {
			values[i] = s;
			return 0;
		}
		at = str_find(s, next);
		if (at == SIZE_MAX)
			return 0;
		values[i] = str_sub(s, 0, at);
		s = str_sub(s, at + next.n, s.n);
	}
	return 0;
}

static int
take_regexp(struct taken *t, struct str s, struct str *values)
{
	struct regex_span spans[REGEX_GROUPS_MAX];
	size_t i;
	int r;

	r = regex_find(t->p->regex, &t->scratch, s, 0, spans, REGEX_GROUPS_MAX);
	if (r <= 0)
		return r;
	for (i = 1; i <= regex_n_groups(t->p->regex) && i < REGEX_GROUPS_MAX; i++)
		if (spans[i].start != SIZE_MAX)
			values[i] = str_sub(s, spans[i].start, spans[i].end);
	return 0;
}

static int
take(struct taken *t, struct str s)
{
	struct str values[FIELDS_MAX];
	size_t i;
	int r;

	memset(values, 0, sizeof(values));
	r = t->p->regex != NULL ? take_regexp(t, s, values) : take_pattern(t, s, values);
	for (i = 0; i < t->n; i++)
		t->values[i] = values[t->step[i]];
	return r;
}

static void
add_name(struct taken *t, struct str name, size_t step)
{
	size_t i;

	if (name.n == 0 || step >= FIELDS_MAX)
		return;
	/* A name that stands twice means the last of them. */
	for (i = 0; i < t->n && !str_eq(t->names[i], name); i++)
		continue;
	t->names[i] = name;
	t->step[i] = step;
	if (i == t->n)
		t->n++;
}

static int
apply_rows(struct taken *t, struct batch *b, const uint64_t *rows, const struct str *from)
{
	const struct str *old[FIELDS_MAX];
	struct str *out[FIELDS_MAX], last = STR_NONE;
	bool have = false;
	size_t i, k;
	int r = 0;

	for (k = 0; k < t->n; k++) {
		old[k] = batch_strs(b, t->names[k]);
		out[k] = arena_alloc(&b->arena, (b->n_rows + 1) * sizeof(*out[k]));
		if (old[k] == NULL || out[k] == NULL)
			return b->err != 0 ? b->err : err_origin(-ENOMEM);
	}
	for (i = 0; r == 0 && i < b->n_rows; i++) {
		bool wanted = rows == NULL || bits_get(rows, i);

		if (wanted && !(have && last.p == from[i].p && last.n == from[i].n)) {
			r = take(t, from[i]);
			last = from[i];
			have = true;
		}
		for (k = 0; k < t->n; k++)
			out[k][i] =
			    wanted ? pipe_keep_old(t->p, t->values[k], old[k][i]) : old[k][i];
	}
	for (k = 0; r == 0 && k < t->n; k++)
		r = batch_set_strs(b, t->names[k], out[k]);
	return r;
}

static int
apply(struct taken *t, struct query_env *env, struct batch *b)
{
	const struct str *from;
	const uint64_t *rows;
	int r;

	t->arena = &b->arena;
	r = pipe_rows(t->p->filter, env, b, &rows);
	if (r != 0)
		return r;
	from = batch_strs(b, t->p->from);
	return from == NULL ? b->err : apply_rows(t, b, rows, from);
}

int
pipe_extract_apply(const struct pipe *p, struct query_env *env, struct batch *b)
{
	struct taken t = { .p = p };
	size_t i;

	if (p->n_steps > FIELDS_MAX)
		return env_fail(env, err_origin(-E2BIG), "extract: more than %d fields",
		    FIELDS_MAX);
	for (i = 0; i < p->n_steps; i++)
		add_name(&t, p->steps[i].field, i);
	return apply(&t, env, b);
}

int
pipe_extract_regexp_apply(const struct pipe *p, struct query_env *env, struct batch *b)
{
	struct taken t = { .p = p, .scratch = REGEX_SCRATCH_INIT };
	size_t i;
	int r;

	for (i = 1; i <= regex_n_groups(p->regex) && i < REGEX_GROUPS_MAX; i++)
		add_name(&t, regex_group_name(p->regex, i), i);
	r = apply(&t, env, b);
	regex_scratch_fini(&t.scratch);
	return r;
}
