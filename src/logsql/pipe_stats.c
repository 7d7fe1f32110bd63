/*
 * logsql/pipe_stats.c - the stats pipes.
 * One job: stats, running_stats and total_stats: by (…), their functions with conditions, and the
 * names of results.
 * Floor: 2 (uses base).
 */
#include "logsql/lex_internal.h"
#include "logsql/pipe_internal.h"

enum { FUNCS_MAX = 256 };

static int
func_add(struct lex *l, struct pipe *p, const struct stats_func *f)
{
	if (p->funcs == NULL)
		p->funcs = arena_zalloc(l->arena, FUNCS_MAX, sizeof(*p->funcs));
	if (p->funcs == NULL)
		return err_origin(-ENOMEM);
	if (p->n_funcs == FUNCS_MAX)
		return lex_fail(l, "more than %d functions", FUNCS_MAX);
	p->funcs[p->n_funcs++] = *f;
	return 0;
}

static void
condition_format(struct buf *out, const struct filter *f)
{
	if (f == NULL)
		return;
	buf_c(out, " if (");
	filter_format(out, f);
	buf_byte(out, ')');
}

/* The result that was given no name is named by the function's text. */
static int
name_of(struct lex *l, const struct stats_func *f, struct str *ret)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;

	stats_func_format(&text, f);
	condition_format(&text, f->filter);
	if (buf_err(&text) != 0)
		return buf_err(&text);
	*ret = arena_dup(l->arena, buf_view(&text));
	return ret->p == NULL ? err_origin(-ENOMEM) : 0;
}

static int
result_name(struct lex *l, struct stats_func *f)
{
	int r;

	if (lex_is(l, ",") || part_ends(l))
		return name_of(l, f, &f->name);
	r = part_skip(l, "as", NULL);
	if (r == 0)
		r = part_name(l, &f->name);
	return r;
}

/* case (filter) as name, or default as name. */
static int
case_parse(struct lex *l, struct stats_func *f)
{
	int r;

	f->filter = NULL;
	f->is_default = lex_is(l, "default");
	if (!f->is_default && !lex_is_any(l, "case if"))
		return lex_fail_want(l, "'case' or 'default'");
	r = lex_next(l);
	if (r == 0 && !f->is_default)
		r = part_condition(l, &f->filter);
	if (r == 0)
		r = part_skip(l, "as", NULL);
	if (r == 0)
		r = part_name(l, &f->name);
	return r;
}

/* The default of a switch counts what none of its cases takes. */
static int
close_switch(struct lex *l, struct stats_func *cases, size_t n)
{
	struct filter **all = arena_alloc(l->arena, (n + 1) * sizeof(*all));
	size_t i, n_all = 0, n_defaults = 0;

	if (all == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < n; i++) {
		if (!cases[i].is_default)
			all[n_all++] = cases[i].filter;
		n_defaults += cases[i].is_default ? 1 : 0;
	}
	if (n == 0 || n_defaults > 1)
		return lex_fail(l, "expected cases, and at most one default");
	for (i = 0; i < n; i++) {
		if (!cases[i].is_default)
			continue;
		cases[i].not_any = all;
		cases[i].n_not_any = n_all;
	}
	cases[0].n_cases = n;
	return 0;
}

static int
switch_parse(struct lex *l, struct pipe *p, struct stats_func *f)
{
	size_t first = p->n_funcs;
	bool more = true;
	int r;

	r = lex_next(l);
	if (r == 0)
		r = lex_expect(l, "(");
	f->is_case = true;
	while (r == 0 && more && !lex_is(l, ")")) {
		r = case_parse(l, f);
		if (r == 0)
			r = func_add(l, p, f);
		if (r == 0)
			r = part_skip(l, ",", &more);
	}
	if (r == 0)
		r = p->n_funcs == first ? lex_fail_want(l, "'case' or 'default'")
		                        : close_switch(l, p->funcs + first, p->n_funcs - first);
	return r != 0 ? r : lex_expect(l, ")");
}

static int
entry_parse(struct lex *l, struct pipe *p, bool running)
{
	struct stats_func f = { 0 };
	bool had = false;
	int r;

	r = stats_func_parse(l, running, &f);
	if (r == 0 && !running && lex_is(l, "switch"))
		return switch_parse(l, p, &f);
	if (r == 0 && !running)
		r = part_skip(l, "if", &had);
	if (r == 0 && had)
		r = part_condition(l, &f.filter);
	if (r == 0)
		r = result_name(l, &f);
	return r != 0 ? r : func_add(l, p, &f);
}

/* rate() and rate_sum() count by second of the bucket of _time. */
static void
set_rate_steps(struct pipe *p)
{
	size_t i, k;

	for (i = 0; i < p->n_by; i++)
		if (str_eq(p->by[i].name, STR("_time")) &&
		    (p->by[i].bucket == BUCKET_SIZE || p->by[i].bucket == BUCKET_WEEK))
			for (k = 0; k < p->n_funcs; k++)
				p->funcs[k].step_s = p->by[i].size / 1e9;
}

static int
check_results(struct lex *l, const struct pipe *p, bool running)
{
	size_t i, k;

	for (i = 0; i < p->n_funcs; i++) {
		for (k = 0; k < p->n_by && !running; k++)
			if (str_eq(p->by[k].name, p->funcs[i].name))
				return lex_fail(l, "the result %.*s has the name of a 'by' field",
				    p->funcs[i].name.n > 80 ? 80 : (int)p->funcs[i].name.n,
				    (const char *)p->funcs[i].name.p);
		for (k = 0; k < i; k++)
			if (str_eq(p->funcs[k].name, p->funcs[i].name))
				return lex_fail(l, "two results have the name %.*s",
				    p->funcs[i].name.n > 80 ? 80 : (int)p->funcs[i].name.n,
				    (const char *)p->funcs[i].name.p);
	}
	return 0;
}

static int
any_stats_parse(struct lex *l, struct pipe *p, bool running)
{
	bool more = true;
	int r = 0;

	if (lex_is_any(l, "by (")) {
		r = part_skip(l, "by", NULL);
		if (r == 0)
			r = stats_by_parse(l, &p->by, &p->n_by);
	}
	while (r == 0 && more) {
		r = entry_parse(l, p, running);
		if (r == 0)
			r = part_skip(l, ",", &more);
	}
	if (r != 0)
		return r;
	set_rate_steps(p);
	return check_results(l, p, running);
}

static int
stats_parse(struct lex *l, struct pipe *p)
{
	return any_stats_parse(l, p, false);
}

static int
running_parse(struct lex *l, struct pipe *p)
{
	return any_stats_parse(l, p, true);
}

static void
switch_format(struct buf *out, const struct stats_func *cases)
{
	size_t i;

	stats_func_format(out, cases);
	buf_c(out, " switch(");
	for (i = 0; i < cases->n_cases; i++) {
		buf_c(out, i > 0 ? ", " : "");
		if (cases[i].is_default) {
			buf_c(out, "default");
		} else {
			buf_c(out, "case (");
			filter_format(out, cases[i].filter);
			buf_byte(out, ')');
		}
		buf_c(out, " as ");
		logsql_quote(out, cases[i].name);
	}
	buf_byte(out, ')');
}

static void
stats_format(struct buf *out, const struct pipe *p)
{
	size_t i;

	stats_by_format(out, p->by, p->n_by);
	for (i = 0; i < p->n_funcs; i++) {
		if (p->funcs[i].is_case && p->funcs[i].n_cases == 0)
			continue;
		buf_c(out, i > 0 ? ", " : " ");
		if (p->funcs[i].n_cases > 0) {
			switch_format(out, &p->funcs[i]);
			continue;
		}
		stats_func_format(out, &p->funcs[i]);
		condition_format(out, p->funcs[i].filter);
		buf_c(out, " as ");
		logsql_quote(out, p->funcs[i].name);
	}
}

const struct pipe_part part_stats = { stats_parse, stats_format };
const struct pipe_part part_running_stats = { running_parse, stats_format };
