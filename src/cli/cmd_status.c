/*
 * cli/cmd_status.c - weir status.
 * One job: what the daemon that holds the store has to say of itself.
 * Floor: 6 (uses base).
 */
#include "cli/cli.h"
#include "cli/out.h"
#include "cli/place.h"
#include "cli/socket.h"
#include "cli/status_text.h"

static int
ask(const struct options *opt, const char *store)
{
	AUTO_FINI(buf_fini) struct buf answer = BUF_INIT;
	AUTO_FINI(buf_fini) struct buf page = BUF_INIT;
	AUTO_CLOSE int fd = -1;
	struct out o;
	int r, status = 0;

	r = socket_open(store, &fd);
	if (r == SOCKET_E_NONE)
		return cli_fail(CLI_FAILED,
		    "no daemon runs on the store %s: start weird, or see weir store stats", store);
	if (r == 0)
		r = socket_request(fd, "GET", "/status", "", STR_NONE, &status, &answer);
	if (r != 0)
		return cli_fail(CLI_FAILED, "status failed: %s/weir.sock: %s", store,
		    r < 0 ? err_str(r) : "no answer that can be read");
	if (status != 200)
		return cli_fail(CLI_FAILED, "status failed: %s/weir.sock: HTTP %d %.*s", store,
		    status, STR_ARG(str_trim(buf_view(&answer))));
	out_init(&o, !opt->no_pager, true);
	if ((opt->output != NULL && strcmp(opt->output, "json") == 0) ||
	    status_text(&page, buf_view(&answer)) != 0)
		(void)out_write(&o, answer.p, answer.n);
	else
		(void)out_write(&o, page.p, page.n);
	return out_finish(&o, CLI_DONE);
}

static int
run_status(struct options *opt)
{
	AUTO_FINI(buf_fini) struct buf path = BUF_INIT;
	const char *store = place_store(opt, &path);
	int r;

	if (opt->n_args > 0)
		return cli_fail(CLI_USAGE, "status: %s: no argument is wanted", opt->args[0]);
	if (opt->output != NULL && strcmp(opt->output, "json") != 0 &&
	    strcmp(opt->output, "text") != 0)
		return cli_fail(CLI_USAGE, "--output %s: expected json or text", opt->output);
	if (store == NULL)
		return cli_fail(CLI_FAILED, "%s", err_str(-ENOMEM));
	r = place_check(store);
	return r != 0 ? r : ask(opt, store);
}

static const struct option_row rows[] = {
	OPTION_STORE,
	{ 'o', "output", "FORMAT", "json or text (text)", OPTION_TEXT, OPTION_AT(output) },
	OPTION_NO_PAGER,
	OPTION_HELP,
};

const struct command command_status = {
	.name = "status",
	.args = "",
	.help = "What the daemon does: sources, positions, lag, losses, store.",
	.rows = rows,
	.n_rows = ARRAY_LEN(rows),
	.run = run_status,
};
