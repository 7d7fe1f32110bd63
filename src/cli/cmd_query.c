/*
 * cli/cmd_query.c - weir query.
 * One job: a LogsQL query over the store, files or standard input.
 * Floor: 6 (uses lib, query, logsql, base).
 */
#include "cli/cmd_query.h"

#include <stdio.h>

#include "cli/cli.h"
#include "logsql/query.h"

/* --check: the canonical form, or where it is wrong. */
static int
check_query(const struct options *opt, struct str text)
{
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;
	AUTO_FINI(buf_fini) struct buf error = BUF_INIT;
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	struct ask_options ask = { .run = { .now = opt->now }, .level = opt->level };
	struct query *q;
	struct out o;
	int r;

	r = ask_parse(text, &ask, &arena, &q, &error);
	if (r > 0) {
		cli_warn(buf_c_str(&error));
		return CLI_USAGE;
	}
	if (r < 0)
		return cli_fail(CLI_FAILED, "check failed: %s", err_str(r));
	query_format(&out, q);
	buf_byte(&out, '\n');
	out_init(&o, false, false);
	(void)out_write(&o, out.p, out.n);
	return out_finish(&o, CLI_DONE);
}

static int
run_query_command(struct options *opt)
{
	struct str text;

	if (opt->n_args != 1)
		return cli_fail(CLI_USAGE,
		    opt->n_args == 0 ? "query: the query is missing"
		                     : "query: one query is wanted; put it in quotes");
	text = str_c(opt->args[0]);
	if (opt->check)
		return check_query(opt, text);
	return show_ask(opt, text, opt->explain ? query_explain : show_print);
}

static const struct option_row rows[] = {
	OPTION_STORE,
	OPTION_INPUT,
	OPTION_PARSER,
	OPTION_AS_IS,
	OPTION_SINCE,
	OPTION_UNTIL,
	OPTION_LIMIT,
	OPTION_LEVEL,
	OPTION_OUTPUT,
	OPTION_UTC,
	{ 0, "check", NULL, "only say whether the query parses, and its canonical form",
	    OPTION_FLAG, OPTION_AT(check) },
	{ 0, "explain", NULL, "print the plan, and after the run what was read", OPTION_FLAG,
	    OPTION_AT(explain) },
	OPTION_MEMORY,
	OPTION_THREADS,
	OPTION_NO_PAGER,
	OPTION_URL,
	OPTION_HELP,
};

const struct command command_query = {
	.name = "query",
	.args = "[--] 'LOGSQL'",
	.help = "Rows that match a LogsQL query, from the store or from files.",
	.more = "examples:\n"
	        "  weir query 'error'\n"
	        "  weir query --since 1h 'status:>=500 | stats by (route) count() n'\n"
	        "  zcat old.gz | weir query --input - --output json 'level:=error'\n"
	        "\n"
	        "exit: 0 rows came out, 1 none did, 2 wrong usage, 3 failed, 130 stopped.\n",
	.rows = rows,
	.n_rows = ARRAY_LEN(rows),
	.run = run_query_command,
};
