/*
 * cli/cmd_trace.c - weir trace.
 * One job: one request's life, from the first line that bears its ID to the last.
 * Floor: 6 (uses lib, query, store, base).
 */
#include "cli/cli.h"
#include "cli/show.h"
#include "lib/trace.h"

/* Rows of inputs are looked at one by one: there is no index to ask. */
struct sieve {
	struct str id;
	bool deep;
	run_put_fn put;
	void *ctx;
};

static int
sieve_put(void *ctx, struct batch *b)
{
	struct sieve *s = ctx;
	uint64_t *sel = arena_zalloc(&b->arena, BITS_WORDS(b->n_rows) + 1, sizeof(*sel));
	int r;

	if (sel == NULL)
		return err_origin(-ENOMEM);
	r = trace_batch_has(b, s->id, s->deep, sel);
	if (r == 0)
		r = batch_select(b, sel);
	if (r < 0 || b->n_rows == 0)
		return err_trace(r);
	return s->put(s->ctx, b);
}

static void
on_fault(void *ctx, const char *text)
{
	cli_warn(text);
}

/* No block has the ID; that is an answer only when all of them could be asked. */
static int
find_none(struct show *s)
{
	return store_view_faults(s->ask.view, on_fault, NULL) > 0 ? CLI_FAILED : CLI_DONE;
}

/* Rows with one of the IDs to ${put}.  Returns an exit code. */
static int
find_rows(struct show *s, const struct str *ids, size_t n, run_put_fn put, void *ctx)
{
	struct sieve sieve = { ids[0], s->opt->deep, put, ctx };
	struct trace_find find = { .query = BUF_INIT };
	int r;

	if (s->ask.view == NULL) {
		r = show_parse(s, STR("*"));
		return r != 0 ? r : show_run(s, sieve_put, &sieve);
	}
	r = trace_find_id(s->ask.view, ids, n, s->opt->deep, &s->arena, &find);
	if (r < 0)
		return cli_fail(CLI_FAILED, "trace failed: %s", err_str(r));
	s->ask.run.only_blocks = find.blocks;
	s->ask.run.n_only_blocks = find.n_blocks;
	r = find.query.n > 0 ? show_parse(s, arena_dup(&s->arena, buf_view(&find.query)))
	                     : CLI_NONE;
	trace_find_fini(&find);
	if (r == CLI_NONE)
		return find_none(s);
	return r != 0 ? r : show_run(s, put, ctx);
}

/* The rows of inputs come as they stand there: they are kept, and sorted at the end. */
static int
print_sorted(struct show *s, struct str id, struct printer *p)
{
	AUTO_FINI(trace_rows_fini) struct trace_rows rows = { .lines = s->ask.keep_line };
	int exit = find_rows(s, &id, 1, trace_rows_put, &rows), r;

	r = trace_rows_give(&rows, printer_put, p);
	if (r < 0 && exit == CLI_DONE && !s->out.closed && s->out.err == 0)
		exit = cli_fail(CLI_FAILED, "trace failed: %s", err_str(r));
	return exit;
}

static int
print_rows(struct show *s, const struct str *ids, size_t n)
{
	AUTO(printer_free) struct printer *p = NULL;
	struct print_sink sink = { out_write, &s->out };
	int r, exit;

	r = printer_new(&p, &s->print, &sink);
	if (r < 0)
		return cli_fail(CLI_FAILED, "trace failed: %s", err_str(r));
	exit =
	    s->ask.view == NULL ? print_sorted(s, ids[0], p) : find_rows(s, ids, n, printer_put, p);
	r = printer_finish(p);
	if (r < 0 && exit == CLI_DONE && !s->out.closed && s->out.err == 0)
		exit = cli_fail(CLI_FAILED, "trace failed: %s", err_str(r));
	return exit == CLI_DONE && printer_rows(p) == 0 ? CLI_NONE : exit;
}

/* The ID, then all others that the rows of the first step bear. */
static int
related_ids(struct show *s, const struct trace *t, struct str id, const struct str **ret,
    size_t *ret_n)
{
	struct str *ids = arena_alloc(&s->arena, (t->ids.n + 1) * sizeof(*ids));
	size_t i, n = 0;

	if (ids == NULL)
		return cli_fail(CLI_FAILED, "trace failed: %s", err_str(-ENOMEM));
	ids[n++] = id;
	for (i = 0; i < t->ids.n; i++)
		if (!str_eq(t->ids.entries[i].key, id))
			ids[n++] = arena_dup(&s->arena, t->ids.entries[i].key);
	*ret = ids;
	*ret_n = n;
	return CLI_DONE;
}

static int
show_trace(struct show *s, struct str id)
{
	AUTO_FINI(trace_fini) struct trace t = { 0 };
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	const struct str *ids = &id;
	size_t n = 1;
	int exit = CLI_DONE;

	if (s->opt->related) {
		exit = find_rows(s, ids, n, trace_put, &t);
		if (exit == CLI_DONE)
			exit = t.n > 0 ? related_ids(s, &t, id, &ids, &n) : CLI_NONE;
		trace_fini(&t);
		if (exit != CLI_DONE)
			return exit;
		s->ask.run.limit = TRACE_RELATED_MAX;
	}
	if (s->opt->output != NULL)
		return print_rows(s, ids, n);
	exit = find_rows(s, ids, n, trace_put, &t);
	trace_sort(&t);
	trace_print(&text, &t, id, s->print.utc, s->print.color, s->print.terminal, s->print.width);
	if (text.n > 0)
		(void)out_write(&s->out, text.p, text.n);
	if (exit != CLI_DONE || t.n > 0)
		return exit;
	if (!s->opt->deep)
		cli_warn("no ID field has this ID: --deep looks in any text");
	return CLI_NONE;
}

static int
run_trace(struct options *opt)
{
	AUTO(store_view_free) struct store_view *view = NULL;
	struct show s;
	int r;

	if (opt->n_args != 1 || opt->args[0][0] == '\0')
		return cli_fail(CLI_USAGE, "trace: one ID is wanted");
	if (opt->related && opt->inputs.n > 0)
		return cli_fail(CLI_USAGE, "trace: --related needs a store");
	r = show_init(&s, opt);
	if (r == 0 && opt->inputs.n == 0) {
		r = store_view_open_between(&view, s.ask.store, s.ask.run.since, s.ask.run.until,
		    &s.error);
		if (r != 0)
			r = cli_fail(CLI_FAILED, "%s",
			    s.error.n > 0 ? buf_c_str(&s.error) : err_str(r < 0 ? r : -EIO));
		s.ask.view = view;
	}
	if (r == 0)
		r = out_finish(&s.out, show_trace(&s, str_c(opt->args[0])));
	show_fini(&s);
	return r;
}

static const struct option_row rows[] = {
	OPTION_STORE,
	OPTION_INPUT,
	OPTION_PARSER,
	OPTION_SINCE,
	OPTION_UNTIL,
	OPTION_OUTPUT,
	{ 0, "deep", NULL, "find the ID in any text, not in ID fields alone", OPTION_FLAG,
	    OPTION_AT(deep) },
	{ 0, "related", NULL, "also rows of other IDs that its rows bear", OPTION_FLAG,
	    OPTION_AT(related) },
	OPTION_UTC,
	OPTION_MEMORY,
	OPTION_THREADS,
	OPTION_NO_PAGER,
	OPTION_HELP,
};

const struct command command_trace = {
	.name = "trace",
	.args = "ID",
	.help = "One request's life: every row that bears its ID.",
	.more = "With --output the rows are printed as query would print them.\n",
	.rows = rows,
	.n_rows = ARRAY_LEN(rows),
	.run = run_trace,
};
