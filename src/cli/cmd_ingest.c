/*
 * cli/cmd_ingest.c - weir ingest.
 * One job: load files or standard input into a store.
 * Floor: 6 (uses base).
 */
#include "cli/cli.h"
#include "cli/load.h"
#include "cli/place.h"
#include "cli/socket.h"

static int
load(struct options *opt, const char *store)
{
	struct load_progress progress;
	int r;

	load_progress_start(&progress, opt->quiet);
	cli_catch_signals();
	r = load_store(opt, store, &progress);
	if (r == LOAD_E_LOCKED) {
		int fd = -1;

		/* Whoever holds it takes the lines, if it listens. */
		if (socket_open(store, &fd) != 0)
			return cli_fail(CLI_FAILED,
			    "store failed: %s: another process writes there, and takes no lines",
			    store);
		(void)close(fd);
		if (opt->multiline != NULL)
			return cli_fail(CLI_USAGE,
			    "ingest: --multiline: weird holds the store and joins no lines for it");
		r = load_socket(opt, store, &progress);
	}
	load_progress_show(&progress, true);
	return atomic_load(cli_stop_flag()) ? CLI_STOPPED : r;
}

static int
run_ingest(struct options *opt)
{
	AUTO_FINI(buf_fini) struct buf path = BUF_INIT;
	const char *store = place_store(opt, &path);

	if (opt->n_args == 0)
		return cli_fail(CLI_USAGE, "ingest: a file is wanted, or - for standard input");
	if (store == NULL)
		return cli_fail(CLI_FAILED, "%s", err_str(-ENOMEM));
	return load(opt, store);
}

static const struct option_row rows[] = {
	OPTION_STORE,
	{ 'p', "parser", "NAME", "auto, json, logfmt, access, syslog, plain, … (auto)", OPTION_TEXT,
	    OPTION_AT(parser) },
	{ 0, "stream", "K=V,…", "labels of the stream; a bare K takes the field of that name",
	    OPTION_LIST, OPTION_AT(stream) },
	{ 0, "multiline", "NAME", "lines that belong together: java, python, go", OPTION_TEXT,
	    OPTION_AT(multiline) },
	{ 'q', "quiet", NULL, "no progress", OPTION_FLAG, OPTION_AT(quiet) },
	OPTION_HELP,
};

const struct command command_ingest = {
	.name = "ingest",
	.args = "FILE…|-",
	.help = "Load files or standard input into the store.",
	.more =
	    "Files may be compressed by gzip, zstd or xz.  While weird holds the store, it takes\n"
	    "the lines through its socket.  The store is made if it is not there.\n",
	.rows = rows,
	.n_rows = ARRAY_LEN(rows),
	.run = run_ingest,
};
