/*
 * cli/cmd_query_explain.c - weir query --explain.
 * One job: the plan, and after the run what was read, in the place of the rows.
 * Floor: 6 (uses lib, query, store, base).
 */
#include "cli/cli.h"
#include "cli/cmd_query.h"
#include "query/explain.h"

/* Rows are read as for printing, and counted. */
static int
count_rows(void *ctx, struct batch *b)
{
	const struct str *names;
	size_t i, n = 0;
	int r;

	*(uint64_t *)ctx += b->n_rows;
	r = batch_names(b, &names, &n);
	for (i = 0; r == 0 && i < n; i++)
		if (batch_column(b, names[i]) == NULL)
			r = b->err;
	return r;
}

int
query_explain(struct show *s)
{
	AUTO(store_view_free) struct store_view *view = NULL;
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	uint64_t n = 0;
	int r = 0, exit;

	if (s->ask.n_inputs == 0) {
		r = store_view_open_between(&view, s->ask.store, s->ask.run.since, s->ask.run.until,
		    &s->error);
		if (r != 0)
			return cli_fail(CLI_FAILED, "%s",
			    s->error.n > 0 ? buf_c_str(&s->error) : err_str(r < 0 ? r : -EIO));
		s->ask.view = view;
	}
	r = explain_plan(s->query, view, &s->ask.run, &text);
	if (r < 0)
		return cli_fail(CLI_FAILED, "explain failed: %s", err_str(r));
	s->ask.run.explain = true;
	exit = show_run(s, count_rows, &n);
	buf_c(&text, "\n");
	explain_run(s->query, &s->stats, n, &text);
	(void)out_write(&s->out, text.p, text.n);
	s->ask.view = NULL;
	return out_finish(&s->out, exit == CLI_DONE && n == 0 ? CLI_NONE : exit);
}
