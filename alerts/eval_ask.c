/*
 * alerts/eval_ask.c - a rule asked of the store.
 * One job: an expression run over its window at an instant, within bounds of rows and memory.
 * Floor: 4 (uses query, store, logsql, base).
 */
#include "alerts/eval_internal.h"

int
eval_fail(struct eval *e, struct eval_set *set, struct str why)
{
	set->failed = true;
	set->n = 0;
	set->why = arena_dup(&e->work, why);
	return set->why.p == NULL ? err_origin(-ENOMEM) : 0;
}

/* An expression with a time of its own means the instant: it is read again as of then. */
static int
query_at(struct eval *e, const struct eval_rule *er, struct wall at, struct query *ret)
{
	struct logsql_options opt = { at, e->opt.zone_s };
	struct logsql_error error = { 0 };
	struct query *q = NULL;
	int r;

	if (er->rule->window.ns != 0 || er->rule->expr.n == 0) {
		*ret = *er->rule->query;
		return 0;
	}
	r = query_parse(er->rule->expr, &opt, &e->work, &q, &error);
	if (r != 0)
		return err_fold(r);
	*ret = *q;
	return 0;
}

/* How many rows the blocks have that may have rows of [since, until]. */
static uint64_t
rows_of(const struct store_view *view, struct wall since, struct wall until)
{
	size_t i, n = store_view_n_blocks(view);
	struct store_block_info info;
	uint64_t rows = 0;

	for (i = 0; i < n; i++) {
		store_view_block(view, i, &info);
		if (info.sum.max_time.ns >= since.ns && info.sum.min_time.ns <= until.ns)
			rows += info.sum.n_rows;
	}
	return rows;
}

int
eval_ask(struct eval *e, const struct eval_rule *er, struct store_view *view, struct wall at,
    struct eval_set *ret)
{
	AUTO_FINI(buf_fini) struct buf error = BUF_INIT;
	struct span window = er->rule->window;
	struct eval_take take = { .er = er, .arena = &e->work, .set = ret };
	struct run_stats stats = { 0 };
	struct run_options opt = { .now = at,
		.zone_s = e->opt.zone_s,
		.n_threads = e->opt.n_threads != 0 ? e->opt.n_threads : 1,
		.memory_max = EVAL_ASK_MEMORY_MAX,
		.ordered = true,
		.since = { window.ns != 0 ? at.ns - window.ns + 1 : INT64_MIN },
		.until = { at.ns + 1 } };
	struct query q;
	int r;

	if (er->rule->form == RULE_NEW_PATTERN)
		return err_trace(eval_fail(e, ret, STR("its patterns take too much memory")));
	if (rows_of(view, opt.since, at) > EVAL_SCANNED_MAX)
		return err_trace(
		    eval_fail(e, ret, STR("its window has more rows than may be read")));
	r = query_at(e, er, at, &q);
	if (r < 0)
		return err_trace(r);
	if (er->n_asked < q.n_pipes)
		q.n_pipes = er->n_asked;
	r = run_store(view, &q, &opt, eval_take_batch, &take, &stats, &error);
	if (r < 0)
		return err_trace(eval_fail(e, ret, buf_view(&error)));
	ret->n_rows = stats.rows_matched;
	return 0;
}
