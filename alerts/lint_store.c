/*
 * alerts/lint_store.c - a rule against what a store has held.
 * One job: fields that were never there, filters that never matched, labels with too many values, evaluations that read too much.
 * Floor: 4 (uses query, store, logsql, record, base).
 */
#include <inttypes.h>
#include <stdio.h>

#include "alerts/lint.h"
#include "base/map.h"
#include "doc/walk.h"
#include "logsql/filter.h"
#include "logsql/pipe.h"
#include "query/run.h"

enum { HURRIED_MEMORY_MAX = 64 << 20 }; /* bytes of a query of whoever cannot wait */

struct lint_store {
	struct store_view *view;
	struct wall since, until;
	int zone_s;
	atomic_bool *cancel; /* NULL: none */
	struct map fields;
	const char **names; /* the same, NUL-terminated */
	size_t n_names;
	struct arena arena;
};

/* Columns of the one row of a stats query, or of all rows of field_names. */
struct answer {
	struct lint_store *s;
	uint64_t *values;
	size_t n_values;
};

static int
run(struct lint_store *s, const struct query *q, struct wall since, struct wall until,
    run_put_fn put, void *ctx, struct run_stats *ret_stats)
{
	AUTO_FINI(buf_fini) struct buf error = BUF_INIT;
	struct run_options opt = { .now = until,
		.zone_s = s->zone_s,
		.cancel = s->cancel,
		.n_threads = s->cancel != NULL ? 1 : 0,
		.memory_max = s->cancel != NULL ? HURRIED_MEMORY_MAX : 0,
		.since = since,
		.until = until };

	return run_store(s->view, q, &opt, put, ctx, ret_stats, &error);
}

/* ---- the fields of the store ---- */

static int
put_names(void *ctx, struct batch *b)
{
	struct lint_store *s = ctx;
	const struct str *names = batch_strs(b, STR("name"));
	size_t i;

	if (names == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < b->n_rows; i++)
		if (map_put(&s->fields, names[i], NULL) == NULL)
			return err_origin(-ENOMEM);
	return 0;
}

static int
list_names(struct lint_store *s)
{
	char *copy;
	size_t i;

	s->names = arena_zalloc(&s->arena, s->fields.n + 1, sizeof(*s->names));
	if (s->names == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < s->fields.n; i++) {
		const struct str key = s->fields.entries[i].key;

		copy = arena_alloc(&s->arena, key.n + 1);
		if (copy == NULL)
			return err_origin(-ENOMEM);
		if (key.n > 0)
			memcpy(copy, key.p, key.n);
		copy[key.n] = '\0';
		s->names[s->n_names++] = copy;
	}
	return 0;
}

static int
read_fields(struct lint_store *s)
{
	const struct logsql_options opt = { s->until, s->zone_s };
	struct logsql_error e;
	struct run_stats stats;
	struct query *q;
	int r = query_parse(STR("* | field_names"), &opt, &s->arena, &q, &e);

	if (r == 0)
		r = run(s, q, s->since, s->until, put_names, s, &stats);
	return r != 0 ? err_fold(r) : err_trace(list_names(s));
}

int
lint_store_new(struct lint_store **ret, struct store_view *view, struct wall since,
    struct wall until, int zone_s, atomic_bool *cancel)
{
	AUTO(lint_store_free) struct lint_store *s = calloc(1, sizeof(*s));
	int r;

	if (s == NULL)
		return err_origin(-ENOMEM);
	s->view = view;
	s->since = since;
	s->until = until;
	s->zone_s = zone_s;
	s->cancel = cancel;
	r = read_fields(s);
	if (r == 0)
		*ret = TAKE(s);
	return r;
}

struct lint_store *
lint_store_free(struct lint_store *s)
{
	if (s != NULL) {
		map_fini(&s->fields);
		arena_fini(&s->arena);
	}
	free(s);
	return NULL;
}

/* ---- one rule ---- */

struct check {
	struct lint_store *s;
	const struct rule_group *group;
	const struct rule *rule;
	lint_fn fn;
	void *ctx;
	struct arena arena;
};

static int say(struct check *c, const char *fmt, ...) PRINTF_LIKE(2, 3);

static int
say(struct check *c, const char *fmt, ...)
{
	char text[500];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return c->fn(c->ctx, c->group, c->rule, str_c(text));
}

static int
check_field(struct check *c, struct str name)
{
	const char *near;

	if (name.n == 0 || name.p[name.n - 1] == '*' || map_get(&c->s->fields, name) != NULL ||
	    str_starts(name, STR("_stream")) || str_eq_c(name, "_msg") || str_eq_c(name, "_time"))
		return 0;
	near = walk_nearest(name, c->s->names, c->s->n_names, sizeof(*c->s->names));
	if (near != NULL)
		return say(c, "field '%.*s' was never there; did you mean '%s'?", STR_ARG(name),
		    near);
	return say(c, "field '%.*s' was never there", STR_ARG(name));
}

static bool
is_among(const struct str *names, size_t n, struct str name)
{
	size_t i = 0;

	while (i < n && !str_eq(names[i], name))
		i++;
	return i < n;
}

/* What filter and pipes read of the rows; what pipes make themselves is not among it. */
static int
check_fields(struct check *c)
{
	const struct query *q = c->rule->query;
	size_t n_pipes = c->rule->n_row + (c->rule->n_row < q->n_pipes), i, n_names, n;
	const struct query head = { .filter = q->filter, .pipes = q->pipes, .n_pipes = n_pipes };
	const struct str *needs;
	struct str *names;
	bool all;
	int r = filter_fields(q->filter, &c->arena, &names, &n_names);

	for (i = 0; r == 0 && i < n_names; i++)
		r = check_field(c, names[i]);
	if (r == 0)
		r = stages_needs(&head, &c->arena, &needs, &n, &all);
	for (i = 0; r == 0 && !all && i < n; i++)
		if (!is_among(names, n_names, needs[i]))
			r = check_field(c, needs[i]);
	return r;
}

static int
put_counts(void *ctx, struct batch *b)
{
	struct answer *a = ctx;
	const struct str *v;
	char name[24];
	size_t i, k;

	for (i = 0; i < a->n_values && b->n_rows > 0; i++) {
		(void)snprintf(name, sizeof(name), "n%zu", i);
		v = batch_strs(b, str_c(name));
		if (v == NULL)
			return err_origin(-ENOMEM);
		a->values[i] = 0;
		for (k = 0; k < v[0].n && v[0].p[k] >= '0' && v[0].p[k] <= '9'; k++)
			a->values[i] = a->values[i] * 10 + (uint64_t)(v[0].p[k] - '0');
	}
	return 0;
}

/* Rows that match, as n0, and values of each label, as n1 on. */
static int
count_query(struct check *c, const struct pipe *stats, struct query **ret)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	const struct logsql_options opt = { c->s->until, c->s->zone_s };
	const struct query *q = c->rule->query;
	struct logsql_error e;
	struct query *count = NULL;
	size_t i;
	int r;

	buf_c(&text, "* | stats count() n0");
	for (i = 0; stats != NULL && i < stats->n_by; i++) {
		buf_c(&text, ", count_uniq(");
		logsql_quote(&text, stats->by[i].name);
		buf_printf(&text, ") limit 100000 n%zu", i + 1);
	}
	if (text.failed)
		return err_origin(-ENOMEM);
	r = query_parse(buf_view(&text), &opt, &c->arena, &count, &e);
	if (r != 0)
		return err_fold(r);
	*ret = arena_zalloc(&c->arena, 1, sizeof(**ret));
	if (*ret == NULL)
		return err_origin(-ENOMEM);
	(*ret)->filter = q->filter;
	(*ret)->pipes = arena_zalloc(&c->arena, c->rule->n_row + 1, sizeof(struct pipe *));
	if ((*ret)->pipes == NULL)
		return err_origin(-ENOMEM);
	if (c->rule->n_row > 0)
		memcpy((*ret)->pipes, q->pipes, c->rule->n_row * sizeof(struct pipe *));
	(*ret)->pipes[c->rule->n_row] = count->pipes[0];
	(*ret)->n_pipes = c->rule->n_row + 1;
	return 0;
}

/* The range that was looked at: whole days, or exactly. */
static size_t
days_text(const struct lint_store *s, char text[SPAN_TEXT_MAX])
{
	int64_t ns = s->until.ns - s->since.ns;

	if (ns % NS_PER_DAY == 0)
		return (size_t)snprintf(text, SPAN_TEXT_MAX, "%" PRIi64 "d", ns / NS_PER_DAY);
	return span_format(text, (struct span){ ns });
}

static int
check_counts(struct check *c, const struct pipe *stats, const uint64_t *n)
{
	char text[SPAN_TEXT_MAX];
	size_t i, len;
	int r = 0;

	len = days_text(c->s, text);
	if (n[0] == 0 && c->rule->form != RULE_ABSENT)
		return say(c, "matched no row in %.*s", (int)len, text);
	for (i = 0; r == 0 && stats != NULL && i < stats->n_by; i++)
		if (n[i + 1] > LINT_VALUES_MAX)
			r = say(c,
			    "label %.*s had %" PRIu64 "%s values in %.*s: each can be an alert",
			    STR_ARG(stats->by[i].name), n[i + 1],
			    n[i + 1] >= 100000 ? " or more" : "", (int)len, text);
	return r;
}

static int
check_stream(struct check *c)
{
	const struct query *q = c->rule->query;
	const struct pipe *stats = c->rule->n_row < q->n_pipes ? q->pipes[c->rule->n_row] : NULL;
	struct answer a = { c->s, NULL, 1 + (stats != NULL ? stats->n_by : 0) };
	struct run_stats ran;
	struct query *count = NULL;
	int r;

	a.values = arena_zalloc(&c->arena, a.n_values, sizeof(*a.values));
	if (a.values == NULL)
		return err_origin(-ENOMEM);
	r = count_query(c, stats, &count);
	if (r == 0)
		r = run(c->s, count, c->s->since, c->s->until, put_counts, &a, &ran);
	return r != 0 ? r : check_counts(c, stats, a.values);
}

static int
put_nothing(void *ctx, struct batch *b)
{
	return 0;
}

/* An expression that asks the store is run once, as of the end. */
static int
check_cost(struct check *c)
{
	struct run_stats ran = { 0 };
	struct query *q;
	int r = rule_query_at(c->rule, c->s->until, c->s->zone_s, &c->arena, &q);

	if (r == 0)
		r = run(c->s, q, (struct wall){ INT64_MIN }, (struct wall){ INT64_MAX },
		    put_nothing, NULL, &ran);
	if (r != 0)
		return r;
	if (ran.bytes_read > LINT_READ_MAX)
		r = say(c, "reads too much: %" PRIu64 " MiB at each evaluation",
		    ran.bytes_read >> 20);
	if (r == 0 && ran.took.ns > c->group->interval.ns / 10)
		r = say(c, "takes too long: %" PRIi64 " ms at each evaluation",
		    ran.took.ns / NS_PER_MS);
	return r;
}

int
lint_store_fields(struct lint_store *s, const struct rule_group *g, const struct rule *rule,
    lint_fn fn, void *ctx)
{
	struct check c = { s, g, rule, fn, ctx, ARENA_INIT };
	int r = s->fields.n > 0 ? check_fields(&c) : 0;

	arena_fini(&c.arena);
	return r;
}

int
lint_store_rule(struct lint_store *s, const struct rule_group *g, const struct rule *rule,
    lint_fn fn, void *ctx)
{
	struct check c = { s, g, rule, fn, ctx, ARENA_INIT };
	int r = s->fields.n > 0 ? check_fields(&c) : 0;

	if (r == 0)
		r = rule->stream ? check_stream(&c) : check_cost(&c);
	arena_fini(&c.arena);
	return r;
}
