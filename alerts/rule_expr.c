/*
 * alerts/rule_expr.c - the expression of a rule.
 * One job: its window, and whether it can be evaluated on the stream.
 * Floor: 4 (uses query, logsql, base).
 *
 * The window is what the _time filters of the top AND say, when they end at the instant of evaluation: expr is parsed as of
 * an instant that no written time can hit, and a filter that ends exactly there is relative to it.  These filters are taken out, so
 * that the rest holds at any instant.
 */
#include <stdio.h>

#include "alerts/rule_internal.h"
#include "logsql/filter.h"
#include "logsql/pipe.h"
#include "query/stage.h"

/* 2100-01-01 and an odd rest: the instant of the parse. */
#define PROBE_NS INT64_C(4102444800123456789)

static int
fail(struct logsql_error *e, size_t at, const char *text)
{
	e->at = at;
	(void)snprintf(e->text, sizeof(e->text), "%s", text);
	return LOGSQL_E_SYNTAX;
}

/* ---- the window ---- */

struct take {
	int64_t window; /* the smallest; 0: none */
	struct arena *arena;
};

/* How long a filter on _time reaches back from the instant of evaluation; 0: it does not end there. */
static int64_t
window_of(const struct filter *f)
{
	if (f->kind != FILTER_TIME || f->time_min == INT64_MIN ||
	    (f->time_max != PROBE_NS && f->time_max != PROBE_NS - 1))
		return 0;
	/* _time:<5m leaves the first nanosecond out, which windows do anyway, and [now-5m, now) the last. */
	return PROBE_NS - f->time_min + ((PROBE_NS - f->time_min) % 1000 == 999);
}

/* ${f} without the windows of its top AND; NULL when nothing is left of it. */
static struct filter *
take_windows(struct take *t, struct filter *f)
{
	int64_t window = window_of(f);
	size_t i, n = 0;

	if (window > 0) {
		if (t->window == 0 || window < t->window)
			t->window = window;
		return NULL;
	}
	if (f->kind != FILTER_AND)
		return f;
	for (i = 0; i < f->n_children; i++) {
		struct filter *left = take_windows(t, f->children[i]);

		if (left != NULL)
			f->children[n++] = left;
	}
	f->n_children = n;
	if (n < 2)
		return n == 1 ? f->children[0] : NULL;
	return f;
}

static int
take_window(struct query *q, struct arena *arena, int64_t *ret_window)
{
	struct take t = { 0, arena };
	struct filter *left = take_windows(&t, q->filter);

	*ret_window = t.window;
	if (left != NULL) {
		q->filter = left;
		return 0;
	}
	return err_trace(filter_and(NULL, NULL, arena, &q->filter));
}

/* ---- why an expression is no stream ---- */

static int
find_time(void *ctx, struct filter *f)
{
	return f->kind == FILTER_TIME;
}

static int
find_query(void *ctx, struct filter *f)
{
	return f->query != NULL;
}

static bool
filter_has(struct filter *f, filter_walk_fn fn)
{
	return f != NULL && filter_walk(f, fn, NULL) != 0;
}

static bool
pipe_filters_have(const struct pipe *p, filter_walk_fn fn)
{
	size_t i, k;

	if (filter_has(p->filter, fn))
		return true;
	for (i = 0; i < p->n_funcs; i++) {
		if (filter_has(p->funcs[i].filter, fn))
			return true;
		for (k = 0; k < p->funcs[i].n_not_any; k++)
			if (filter_has(p->funcs[i].not_any[k], fn))
				return true;
	}
	return false;
}

static bool
math_has(const struct math_expr *e, enum math_op op)
{
	size_t i;

	if (e->op == op)
		return true;
	for (i = 0; i < e->n_args; i++)
		if (math_has(e->args[i], op))
			return true;
	return false;
}

static const char *
why_not_pipe(const struct pipe *p, bool behind_stats)
{
	size_t i;

	if (p->query != NULL || pipe_filters_have(p, find_query))
		return "it reads another query";
	if (pipe_filters_have(p, find_time))
		return "a time in a pipe's filter differs from instant to instant";
	for (i = 0; i < p->n_math && !behind_stats; i++)
		if (math_has(p->math[i].expr, MATH_NOW) || math_has(p->math[i].expr, MATH_RAND))
			return "now() or rand() before stats differs from instant to instant";
	if (p->kind == PIPE_STREAM_CONTEXT || p->kind == PIPE_TRACE ||
	    p->kind == PIPE_BLOCKS_COUNT || p->kind == PIPE_BLOCK_STATS ||
	    p->kind == PIPE_QUERY_STATS)
		return "it reads the store";
	return NULL;
}

static bool
has_time_offset(const struct query *q)
{
	size_t i;

	for (i = 0; i < q->n_options; i++)
		if (str_eq_c(q->options[2 * i], "time_offset"))
			return true;
	return false;
}

static size_t
first_stats(const struct query *q)
{
	size_t i = 0;

	while (i < q->n_pipes && q->pipes[i]->kind != PIPE_STATS)
		i++;
	return i;
}

/* The first reason, or NULL; ${ret_pipe} is what it is about. */
static const char *
why_not(const struct rule *r, const struct pipe **ret_pipe)
{
	const struct query *q = r->query;
	const char *why;
	size_t i, n_prefix;

	*ret_pipe = NULL;
	if (r->window.ns == 0)
		return "its _time filter is no window that ends at the instant of evaluation";
	if (filter_has(q->filter, find_time))
		return "a _time filter stands beside others than by AND";
	if (filter_has(q->filter, find_query))
		return "its filter reads another query";
	if (has_time_offset(q))
		return "options(time_offset) moves its times";
	(void)stages_keep_rows(q, &n_prefix);
	for (i = 0; i < q->n_pipes; i++) {
		*ret_pipe = q->pipes[i];
		if (i < r->n_row && i >= n_prefix)
			return "before stats it needs more than one row at a time";
		why = why_not_pipe(q->pipes[i], i > r->n_row);
		if (why != NULL)
			return why;
	}
	return NULL;
}

static int
split(struct rule *r, struct arena *arena)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	const struct pipe *pipe;
	const char *why;

	r->n_row = first_stats(r->query);
	why = why_not(r, &pipe);
	r->stream = why == NULL;
	if (r->stream)
		return 0;
	if (pipe != NULL)
		buf_printf(&text, "%s: ", pipe_kind_name(pipe->kind));
	buf_c(&text, why);
	r->why_not_stream = arena_dup(arena, buf_view(&text));
	return r->why_not_stream.p != NULL ? 0 : err_origin(-ENOMEM);
}

/* ---- what an expression must have ---- */

/* absent and new_pattern may leave stats away: what they count by is said by the rule. */
static int
add_stats(struct rule *r, struct arena *arena)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;

	buf_str(&text, r->expr);
	buf_c(&text, " | stats by (");
	logsql_quote(&text, r->absent_label);
	buf_c(&text, ") count() hits");
	if (buf_err(&text) != 0)
		return buf_err(&text);
	r->expr = arena_dup(arena, buf_view(&text));
	return r->expr.p != NULL ? 0 : err_origin(-ENOMEM);
}

static bool
stats_by(const struct pipe *p, struct str name)
{
	size_t i;

	for (i = 0; i < p->n_by; i++)
		if (str_eq(p->by[i].name, name))
			return true;
	return false;
}

static int
check_absent(const struct rule *r, struct logsql_error *e)
{
	const struct pipe *p = r->query->pipes[r->n_row];

	if (stats_by(p, r->absent_label))
		return 0;
	e->at = 0;
	(void)snprintf(e->text, sizeof(e->text),
	    "absent looks at '%.*s': expected stats by (%.*s), or no stats at all",
	    STR_ARG(r->absent_label), STR_ARG(r->absent_label));
	return LOGSQL_E_SYNTAX;
}

static int
check_shape(const struct rule *r, struct logsql_error *e)
{
	bool has_stats = r->n_row < r->query->n_pipes;

	switch (r->form) {
	case RULE_NEW_PATTERN:
		if (has_stats)
			return fail(e, 0,
			    "new_pattern reads rows: expected a filter without stats");
		return 0;
	case RULE_THRESHOLD:
	case RULE_ANOMALY:
	case RULE_ABSENT:
		if (!has_stats)
			return fail(e, r->expr.n,
			    "expected a stats pipe, such as '| stats by (unit) count() hits | filter hits:>10'");
		return r->form == RULE_ABSENT ? check_absent(r, e) : 0;
	}
	return 0;
}

/* How long expr looks back: what it says itself, the rule, or the group's interval. */
static struct span
choose_window(const struct query *q, int64_t own, struct span window, struct span interval)
{
	struct wall min, max;

	if (own > 0)
		return (struct span){ own };
	filter_time_range(q->filter, &min, &max);
	if (min.ns != INT64_MIN || max.ns != INT64_MAX)
		return (struct span){ 0 };
	return window.ns > 0 ? window : interval;
}

int
rule_expr_parse(struct rule *r, struct span window, struct span interval, int zone_s,
    struct arena *arena, struct logsql_error *ret_error)
{
	struct logsql_options opt = { { PROBE_NS }, zone_s };
	int64_t own;
	int ret;

	ret = query_parse(r->expr, &opt, arena, &r->query, ret_error);
	if (ret == 0 && r->form == RULE_ABSENT && first_stats(r->query) == r->query->n_pipes) {
		ret = add_stats(r, arena);
		if (ret == 0)
			ret = query_parse(r->expr, &opt, arena, &r->query, ret_error);
	}
	if (ret != 0)
		return ret;
	r->n_row = first_stats(r->query);
	ret = check_shape(r, ret_error);
	if (ret == 0)
		ret = take_window(r->query, arena, &own);
	if (ret != 0)
		return ret;
	if (own > 0 && window.ns > 0 && own != window.ns)
		return fail(ret_error, 0,
		    "expr has a _time filter and the rule a window: expected one of them");
	r->window = choose_window(r->query, own, window, interval);
	return err_trace(split(r, arena));
}

int
rule_query_at(const struct rule *r, struct wall at, int zone_s, struct arena *arena,
    struct query **ret)
{
	struct logsql_options opt = { at, zone_s };
	struct logsql_error e;
	struct filter *window = NULL;
	struct query *q;
	int ret_code;

	ret_code = query_parse(r->expr, &opt, arena, &q, &e);
	if (ret_code != 0)
		return err_fold(ret_code);
	if (r->window.ns > 0) {
		ret_code =
		    filter_new_time((struct wall){ at.ns - r->window.ns + 1 }, at, arena, &window);
		if (ret_code == 0)
			ret_code = filter_and(q->filter, window, arena, &q->filter);
	}
	if (ret_code == 0)
		*ret = q;
	return err_trace(ret_code);
}
