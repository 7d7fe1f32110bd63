/*
 * cli/show.c - ask and print.
 * One job: what query, fields, values, patterns and trace have in common.
 * Floor: 6 (uses lib, query, base).
 */
#include "cli/show.h"

#include <stdio.h>

#include "cli/journal.h"
#include "cli/place.h"
#include "cli/say.h"
#include "cli/stop.h"
#include "lib/hint.h"

enum { HINT_BYTES_MAX = 64 << 20 };

static void
on_fault(void *ctx, const char *text)
{
	struct show *s = ctx;

	s->n_faults++;
	cli_warn(text);
}

/* What cannot go together. */
static int
check_usage(const struct options *opt)
{
	if (opt->url != NULL)
		return cli_fail(CLI_USAGE, "--url is not in this version");
	if (opt->inputs.n > 0 && opt->store != NULL)
		return cli_fail(CLI_USAGE, "--input and --store cannot be used together");
	if (opt->inputs.n == 0 && opt->as_is)
		return cli_fail(CLI_USAGE, "--as-is goes with --input");
	if (opt->inputs.n == 0 && opt->parser != NULL)
		return cli_fail(CLI_USAGE, "--parser goes with --input");
	return 0;
}

static int
init_place(struct show *s, const struct options *opt)
{
	size_t i;

	for (i = 0; i < opt->inputs.n; i++)
		if (strcmp(opt->inputs.p[i], "journal:") == 0 && journal_input_get()->open == NULL)
			return journal_exec(opt->argv);
	s->ask.journal = journal_input_get()->open;
	s->ask.journal_ctx = journal_input_get()->ctx;
	if (opt->inputs.n > 0) {
		s->ask.inputs = opt->inputs.p;
		s->ask.n_inputs = opt->inputs.n;
		return 0;
	}
	s->ask.store = place_store(opt, &s->store);
	if (s->ask.store == NULL)
		return cli_fail(CLI_FAILED, "%s", err_str(-ENOMEM));
	return place_check(s->ask.store);
}

int
show_init(struct show *s, const struct options *opt)
{
	int r;

	*s = (struct show){ .opt = opt };
	if (opt->output != NULL && !print_format_find(opt->output, &s->print.format))
		return cli_fail(CLI_USAGE, "--output %s: expected %s", opt->output,
		    print_format_names());
	r = check_usage(opt);
	if (r != 0)
		return r;
	if (opt->since.ns >= opt->until.ns)
		cli_warn("--since is not before --until: no row can match");
	s->ask.parser = opt->parser;
	s->ask.as_is = opt->as_is;
	s->ask.keep_line = s->print.format == PRINT_RAW;
	s->ask.level = opt->level;
	s->ask.run = (struct run_options){ .now = opt->now,
		.zone_s = 0,
		.n_threads =
		    (unsigned)(opt->threads > QUERY_WORKERS_MAX ? QUERY_WORKERS_MAX : opt->threads),
		.memory_max = opt->memory,
		.since = opt->since,
		.until = opt->until,
		.limit = opt->limit,
		.lines = s->print.format == PRINT_RAW,
		.ordered = true,
		.cancel = cli_stop_flag() };
	s->ask.fault = on_fault;
	s->ask.fault_ctx = s;
	out_init(&s->out, !opt->no_pager, true);
	s->print.utc = opt->utc;
	s->print.color = s->out.color;
	s->print.terminal = s->out.terminal;
	s->print.width = s->out.terminal ? s->out.width : 0;
	return init_place(s, opt);
}

void
show_fini(struct show *s)
{
	if (journal_input_get()->close != NULL)
		journal_input_get()->close(journal_input_get()->ctx);
	buf_fini(&s->store);
	buf_fini(&s->error);
	arena_fini(&s->arena);
}

int
show_parse(struct show *s, struct str text)
{
	int r = ask_parse(text, &s->ask, &s->arena, &s->query, &s->error);

	if (r == 0)
		return 0;
	if (r < 0)
		return cli_fail(CLI_FAILED, "query failed: %s", err_str(r));
	cli_warn(buf_c_str(&s->error));
	return CLI_USAGE;
}

int
show_run(struct show *s, run_put_fn put, void *ctx)
{
	int r;

	cli_catch_signals();
	r = ask_run(s->query, &s->ask, put, ctx, &s->stats, &s->error);
	if (atomic_load(cli_stop_flag()))
		return CLI_STOPPED;
	/* A reader that has gone, or a disk that is full, is out_finish's to tell. */
	if (s->out.closed || s->out.err != 0)
		return CLI_DONE;
	if (r == ASK_E_USAGE || r == ASK_E_QUERY) {
		cli_warn(buf_c_str(&s->error));
		return CLI_USAGE;
	}
	if (r != 0)
		return cli_fail(CLI_FAILED, "query failed: %s",
		    s->error.n > 0 ? buf_c_str(&s->error) : err_str(r < 0 ? r : -EIO));
	return s->stats.faults > 0 || s->n_faults > 0 ? CLI_FAILED : CLI_DONE;
}

static void
tell_hints(struct show *s)
{
	AUTO_FINI(buf_fini) struct buf hints = BUF_INIT;

	/* Large files are not read again for a hint. */
	if (s->ask.n_inputs > 0 && s->stats.bytes_read > HINT_BYTES_MAX)
		return;
	if (hint_empty(s->query, &s->ask, &hints) == 0 && hints.n > 0)
		cli_warn(buf_c_str(&hints));
}

int
show_print(struct show *s)
{
	AUTO(printer_free) struct printer *p = NULL;
	struct print_sink sink = { out_write, &s->out };
	int r, exit;

	if (s->opt->has_limit && s->opt->limit == 0)
		return out_finish(&s->out, CLI_NONE);
	r = ask_columns(s->query, &s->arena, &s->print.columns, &s->print.n_columns);
	if (r == 0)
		r = printer_new(&p, &s->print, &sink);
	if (r < 0)
		return cli_fail(CLI_FAILED, "query failed: %s", err_str(r));
	exit = show_run(s, printer_put, p);
	/* What was found before a failure or Ctrl-C is shown. */
	r = printer_finish(p);
	s->n_rows = printer_rows(p);
	if (r < 0 && !s->out.closed && s->out.err == 0 && exit == CLI_DONE)
		exit = cli_fail(CLI_FAILED, "query failed: %s", err_str(r));
	if (exit == CLI_DONE && s->n_rows == 0 && !s->out.closed && s->out.err == 0) {
		exit = CLI_NONE;
		tell_hints(s);
	}
	return out_finish(&s->out, exit);
}

int
show_ask(const struct options *opt, struct str text, int (*answer)(struct show *s))
{
	struct show s;
	int r;

	r = show_init(&s, opt);
	if (r == 0)
		r = show_parse(&s, text);
	if (r == 0)
		r = answer(&s);
	show_fini(&s);
	return r;
}

int
show_query(const struct options *opt, struct str text)
{
	return show_ask(opt, text, show_print);
}
