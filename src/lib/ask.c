/*
 * lib/ask.c - one question.
 * One job: a query's text and where to ask it, to rows; whatever goes wrong as text.
 * Floor: 4 (uses query, store, parsers, logsql, record, base).
 */
#include "lib/ask.h"

#include "logsql/filter.h"
#include "logsql/pipe.h"

static int
add_level(struct query *q, const char *level, const struct logsql_options *opt, struct arena *arena,
    struct buf *ret_error)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	struct logsql_error error = { 0 };
	struct filter *f;
	int r;

	if (level_severity(str_c(level)) == SEVERITY_UNKNOWN) {
		buf_printf(ret_error,
		    "unknown level: %s: expected emerg, alert, crit, err, warning, notice, info, debug or trace",
		    level);
		return ASK_E_USAGE;
	}
	buf_c(&text, "min_level(");
	logsql_quote(&text, str_c(level));
	buf_c(&text, ")");
	if (text.failed)
		return err_origin(-ENOMEM);
	/* The tree points into its text. */
	r = query_parse_filter(arena_dup(arena, buf_view(&text)), opt, arena, &f, &error);
	if (r > 0) {
		buf_c(ret_error, error.text);
		return ASK_E_USAGE;
	}
	if (r == 0)
		r = filter_and(f, q->filter, arena, &q->filter);
	return err_trace(r);
}

int
ask_parse(struct str text, const struct ask_options *opt, struct arena *arena, struct query **ret,
    struct buf *ret_error)
{
	struct logsql_options how = { opt->run.now, opt->run.zone_s };
	struct logsql_error error = { 0 };
	struct query *q;
	int r;

	r = query_parse(text, &how, arena, &q, &error);
	if (r > 0) {
		logsql_error_show(ret_error, text, &error);
		/* Without the last newline, as all messages are. */
		while (ret_error->n > 0 && ret_error->p[ret_error->n - 1] == '\n')
			ret_error->n--;
		return ASK_E_QUERY;
	}
	if (r == 0 && opt->level != NULL)
		r = add_level(q, opt->level, &how, arena, ret_error);
	if (r != 0)
		return err_trace(r);
	*ret = q;
	return 0;
}

static int
has_query(void *ctx, struct filter *f)
{
	return f->query != NULL ? 1 : 0;
}

static bool
pipe_has_query(const struct pipe *p)
{
	size_t i, k;

	if (p->query != NULL || (p->filter != NULL && filter_walk(p->filter, has_query, NULL) != 0))
		return true;
	for (i = 0; i < p->n_funcs; i++) {
		if (p->funcs[i].filter != NULL &&
		    filter_walk(p->funcs[i].filter, has_query, NULL) != 0)
			return true;
		for (k = 0; k < p->funcs[i].n_not_any; k++)
			if (filter_walk(p->funcs[i].not_any[k], has_query, NULL) != 0)
				return true;
	}
	/* These look at the rows around those that match. */
	return p->kind == PIPE_STREAM_CONTEXT || p->kind == PIPE_TRACE;
}

bool
ask_has_subquery(const struct query *q)
{
	size_t i;

	if (filter_walk(q->filter, has_query, NULL) != 0)
		return true;
	for (i = 0; i < q->n_pipes; i++)
		if (pipe_has_query(q->pipes[i]))
			return true;
	return false;
}

static void
tell_fault(void *ctx, const char *text)
{
	const struct ask_options *opt = ctx;

	if (opt->fault != NULL)
		opt->fault(opt->fault_ctx, text);
}

static int
run_over_store(const struct query *q, const struct ask_options *opt, run_put_fn put, void *ctx,
    struct run_stats *ret_stats, struct buf *ret_error)
{
	AUTO(store_view_free) struct store_view *own = NULL;
	struct store_view *view = opt->view;
	size_t n;
	int r;

	if (view == NULL) {
		r = store_view_open_between(&own, opt->store, opt->run.since, opt->run.until,
		    ret_error);
		if (r != 0)
			return r > 0 ? ASK_E_STORE : err_trace(r);
		view = own;
	}
	r = run_store(view, q, &opt->run, put, ctx, ret_stats, ret_error);
	n = store_view_faults(view, tell_fault, (void *)(uintptr_t)opt);
	if (n > ret_stats->faults)
		ret_stats->faults = n;
	return err_trace(r);
}

static int
run_over_journal(const struct query *q, const struct ask_options *opt, run_put_fn put, void *ctx,
    struct run_stats *ret_stats, struct buf *ret_error)
{
	AUTO(rows_free) struct rows *rows = NULL;
	struct record_source journal;
	struct row_source src;
	int r;

	if (opt->journal == NULL || opt->n_inputs != 1) {
		buf_c(ret_error,
		    opt->journal == NULL ? "--input journal: is not in this build"
		                         : "--input journal: cannot be mixed with files");
		return ASK_E_USAGE;
	}
	r = opt->journal(opt->journal_ctx, &journal, ret_error);
	if (r == 0)
		r = rows_new(&rows, &journal, false);
	if (r != 0)
		return r < 0 ? err_trace(r) : ASK_E_STORE;
	rows_source(rows, &src);
	return err_trace(run_source(&src, q, &opt->run, put, ctx, ret_stats, ret_error));
}

static int
run_over_inputs(const struct query *q, const struct ask_options *opt, run_put_fn put, void *ctx,
    struct run_stats *ret_stats, struct buf *ret_error)
{
	AUTO(input_free) struct input *in = NULL;
	struct input_options how = { .paths = opt->inputs,
		.n_paths = opt->n_inputs,
		.parser = { .name = opt->parser, .as_is = opt->as_is, .keep_line = opt->keep_line },
		.numbers = opt->numbers,
		.empty = opt->empty,
		.keep = ask_has_subquery(q),
		.now = opt->run.now,
		.fault = opt->fault,
		.fault_ctx = opt->fault_ctx,
		.cancel = opt->run.cancel };
	struct row_source src;
	int r;

	r = input_new(&in, &how, ret_error);
	if (r > 0)
		return ASK_E_USAGE;
	if (r < 0)
		return err_trace(r);
	input_source(in, &src);
	r = run_source(&src, q, &opt->run, put, ctx, ret_stats, ret_error);
	ret_stats->faults += input_faults(in);
	ret_stats->bytes_read += input_bytes(in);
	return err_trace(r);
}

int
ask_run(const struct query *q, const struct ask_options *opt, run_put_fn put, void *ctx,
    struct run_stats *ret_stats, struct buf *ret_error)
{
	size_t i;

	*ret_stats = (struct run_stats){ 0 };
	if (opt->n_inputs == 0)
		return err_trace(run_over_store(q, opt, put, ctx, ret_stats, ret_error));
	for (i = 0; i < opt->n_inputs; i++)
		if (strcmp(opt->inputs[i], "journal:") == 0)
			return err_trace(run_over_journal(q, opt, put, ctx, ret_stats, ret_error));
	return err_trace(run_over_inputs(q, opt, put, ctx, ret_stats, ret_error));
}
