/*
 * cli/cmd_fields.c - weir fields, weir values, weir patterns.
 * One job: the commands that are a query with one pipe at its end.
 * Floor: 6 (uses lib, logsql, base).
 */
#include "cli/cli.h"
#include "cli/show.h"
#include "logsql/lex.h"

/* The query, or * when there is none, with the pipe behind it on a line of its own: a comment may end the query. */
static int
run_with_pipe(const struct options *opt, const char *query, struct str pipe)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;

	buf_c(&text, query != NULL ? query : "*");
	buf_c(&text, "\n| ");
	buf_str(&text, pipe);
	if (text.failed)
		return cli_fail(CLI_FAILED, "%s", err_str(-ENOMEM));
	return show_query(opt, buf_view(&text));
}

static int
run_fields(struct options *opt)
{
	if (opt->n_args > 1)
		return cli_fail(CLI_USAGE, "fields: one query is wanted; put it in quotes");
	return run_with_pipe(opt, opt->n_args > 0 ? opt->args[0] : NULL, STR("field_names"));
}

static int
run_values(struct options *opt)
{
	AUTO_FINI(buf_fini) struct buf pipe = BUF_INIT;

	if (opt->n_args < 1 || opt->n_args > 2)
		return cli_fail(CLI_USAGE,
		    opt->n_args == 0 ? "values: the field is missing"
		                     : "values: a field and one query are wanted");
	buf_c(&pipe, "field_values ");
	logsql_quote(&pipe, str_c(opt->args[0]));
	return run_with_pipe(opt, opt->n_args > 1 ? opt->args[1] : NULL, buf_view(&pipe));
}

static int
run_patterns(struct options *opt)
{
	if (opt->n_args > 1)
		return cli_fail(CLI_USAGE, "patterns: one query is wanted; put it in quotes");
	return run_with_pipe(opt, opt->n_args > 0 ? opt->args[0] : NULL, STR("patterns"));
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
	OPTION_MEMORY,
	OPTION_THREADS,
	OPTION_NO_PAGER,
	OPTION_HELP,
};

const struct command command_fields = {
	.name = "fields",
	.args = "[QUERY]",
	.help = "Names of fields, and how many rows have each.",
	.rows = rows,
	.n_rows = ARRAY_LEN(rows),
	.run = run_fields,
};

const struct command command_values = {
	.name = "values",
	.args = "FIELD [QUERY]",
	.help = "Values of a field, and how many rows have each.",
	.rows = rows,
	.n_rows = ARRAY_LEN(rows),
	.run = run_values,
};

const struct command command_patterns = {
	.name = "patterns",
	.args = "[QUERY]",
	.help = "Rows grouped by the skeleton of their message.",
	.rows = rows,
	.n_rows = ARRAY_LEN(rows),
	.run = run_patterns,
};
