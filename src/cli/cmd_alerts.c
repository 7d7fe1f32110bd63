/*
 * cli/cmd_alerts.c - weir alerts, weir why, weir why-not.
 * One job: what the daemon says of alerts and rules now; what the store says of them before.
 * Floor: 6 (uses lib, base).
 */
#include "cli/cli.h"
#include "cli/out.h"
#include "cli/place.h"
#include "cli/show.h"
#include "cli/socket.h"
#include "lib/print.h"

static bool
wants_json(const struct options *opt)
{
	return opt->output != NULL && strcmp(opt->output, "json") == 0;
}

/* ---- now: the daemon ---- */

/* Lines from the daemon; texts of logs are in them. */
static void
print_lines(struct out *o, struct str text)
{
	AUTO_FINI(buf_fini) struct buf line = BUF_INIT;
	size_t end;

	while (text.n > 0) {
		end = str_find_byte(text, '\n');
		if (end == SIZE_MAX)
			end = text.n;
		buf_clear(&line);
		print_escape(&line, str_sub(text, 0, end));
		buf_byte(&line, '\n');
		if (out_write(o, line.p, line.n) != 0)
			return;
		text = str_sub(text, end + 1, text.n);
	}
}

static void
put_param(struct buf *path, const char *name, const char *value)
{
	const char *p;

	buf_printf(path, "%c%s=", memchr(path->p, '?', path->n) != NULL ? '&' : '?', name);
	for (p = value; *p != '\0'; p++) {
		uint8_t c = (uint8_t)*p, l = str_lower_byte(c);

		if ((l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_')
			buf_byte(path, c);
		else
			buf_printf(path, "%%%02X", c);
	}
}

static int
answer_get(const char *store, const char *path, int *ret_status, struct buf *answer)
{
	AUTO_CLOSE int fd = -1;
	int r;

	r = socket_open(store, &fd);
	if (r == SOCKET_E_NONE)
		return cli_fail(CLI_FAILED,
		    "no daemon runs on the store %s: start weird, or see weir alerts --history",
		    store);
	if (r == 0)
		r = socket_request(fd, "GET", path, "", STR_NONE, ret_status, answer);
	if (r != 0)
		return cli_fail(CLI_FAILED, "%s/weir.sock: %s", store,
		    r < 0 ? err_str(r) : "no answer that can be read");
	return CLI_DONE;
}

/* GET, and what comes back as it is; nothing there: exit 1. */
static int
ask(const struct options *opt, struct buf *path, const char *what)
{
	AUTO_FINI(buf_fini) struct buf answer = BUF_INIT;
	AUTO_FINI(buf_fini) struct buf place = BUF_INIT;
	const char *store = place_store(opt, &place);
	bool json = wants_json(opt);
	struct out o;
	int r, status = 0;

	if (!json)
		put_param(path, "format", "text");
	if (store == NULL || path->failed)
		return cli_fail(CLI_FAILED, "%s", err_str(-ENOMEM));
	r = place_check(store);
	if (r == 0)
		r = answer_get(store, buf_c_str(path), &status, &answer);
	if (r != 0)
		return r;
	if (status == 404 && str_starts(buf_view(&answer), STR("no such path")))
		return cli_fail(CLI_FAILED,
		    "%s: the daemon has no rules: is rules: or alerting: set in weir.yaml?", what);
	if (status != 200 && status != 404)
		return cli_fail(status == 400 ? CLI_USAGE : CLI_FAILED, "%s: HTTP %d: %.*s", what,
		    status, STR_ARG(str_trim(buf_view(&answer))));
	if (status == 404 && !json && answer.n > 0) {
		cli_warn(buf_c_str(&answer));
		return CLI_NONE;
	}
	out_init(&o, !opt->no_pager, true);
	if (json)
		(void)out_write(&o, answer.p, answer.n);
	else
		print_lines(&o, buf_view(&answer));
	return out_finish(&o, status == 404 || (!json && answer.n == 0) ? CLI_NONE : CLI_DONE);
}

static int
check_output(const struct options *opt)
{
	if (opt->output != NULL && strcmp(opt->output, "json") != 0 &&
	    strcmp(opt->output, "text") != 0)
		return cli_fail(CLI_USAGE, "--output %s: expected json or text", opt->output);
	return 0;
}

/* ---- before: the store ---- */

static int
show_history(const struct options *opt)
{
	/* Without a format it is for people. */
	return show_query(opt,
	    opt->output != NULL ? STR("{weir=\"alerts\"} alert:*")
	                        : STR("{weir=\"alerts\"} alert:* | fields _time, level, _msg"));
}

/* The last change of each alert until then says what it was. */
static int
show_at(const struct options *opt)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	char at[WALL_TEXT_MAX];

	buf_printf(&text,
	    "{weir=\"alerts\"} alert:* _time:<=%.*s | last 1 by (_time) partition by (fingerprint)"
	    " | filter state:in(firing, pending)",
	    (int)wall_format(at, opt->at), at);
	if (opt->output == NULL)
		buf_c(&text,
		    " | format \"<state>: <alert_labels> value <value>\" as _msg | fields _time, _msg");
	if (text.failed)
		return cli_fail(CLI_FAILED, "%s", err_str(-ENOMEM));
	return show_query(opt, buf_view(&text));
}

static int
run_alerts(struct options *opt)
{
	AUTO_FINI(buf_fini) struct buf path = BUF_INIT;
	bool outbox = opt->n_args == 1 && strcmp(opt->args[0], "outbox") == 0;
	int r;

	if (opt->n_args > (outbox ? 1 : 0))
		return cli_fail(CLI_USAGE, "alerts: %s: expected outbox or nothing", opt->args[0]);
	if (outbox && (opt->history || opt->at.ns != 0))
		return cli_fail(CLI_USAGE, "alerts outbox: --history and --at do not go with it");
	if (!opt->history &&
	    (opt->since.ns != INT64_MIN || opt->until.ns != INT64_MAX || opt->has_limit))
		return cli_fail(CLI_USAGE,
		    "alerts: --since, --until and --limit go with --history");
	if (opt->at.ns != 0)
		return show_at(opt);
	if (opt->history)
		return show_history(opt);
	r = check_output(opt);
	if (r != 0)
		return r;
	buf_c(&path, outbox ? "/api/weir/outbox" : "/api/weir/alerts");
	if (outbox && opt->all)
		put_param(&path, "all", "1");
	return ask(opt, &path, "alerts");
}

/* ---- why ---- */

static int
run_why(struct options *opt)
{
	AUTO_FINI(buf_fini) struct buf path = BUF_INIT;
	bool is_not = strcmp(opt->command->name, "why-not") == 0;
	int r = check_output(opt);

	if (r != 0)
		return r;
	if (opt->n_args != 1 || opt->args[0][0] == '\0')
		return cli_fail(CLI_USAGE,
		    is_not ? "why-not: the name of a rule is wanted"
		           : "why: an alert is wanted: its name, fingerprint or {labels}");
	buf_c(&path, is_not ? "/api/weir/why-not" : "/api/weir/why");
	put_param(&path, is_not ? "rule" : "alert", opt->args[0]);
	r = ask(opt, &path, opt->command->name);
	if (r == CLI_NONE && !is_not)
		cli_warn("no such alert is pending or fires: see weir why-not RULE");
	return r;
}

static const struct option_row alerts_rows[] = {
	OPTION_STORE,
	{ 0, "history", NULL, "all changes of alerts, from the store", OPTION_FLAG,
	    OPTION_AT(history) },
	{ 0, "at", "TIME", "the alerts that there were then, from the store", OPTION_TIME,
	    OPTION_AT(at) },
	{ 0, "all", NULL, "of the outbox: what is over as well", OPTION_FLAG, OPTION_AT(all) },
	OPTION_SINCE,
	OPTION_UNTIL,
	OPTION_LIMIT,
	{ 'o', "output", "FORMAT", "json or text (text); of the store as query has it", OPTION_TEXT,
	    OPTION_AT(output) },
	OPTION_UTC,
	OPTION_NO_PAGER,
	OPTION_HELP,
};

const struct command command_alerts = {
	.name = "alerts",
	.args = "[outbox]",
	.help = "Alerts that are pending or fire; what waits to be sent; what was.",
	.more =
	    "--history and --at need no daemon.  --since, --until and --limit go with --history.\n",
	.rows = alerts_rows,
	.n_rows = ARRAY_LEN(alerts_rows),
	.run = run_alerts,
};

static const struct option_row why_rows[] = {
	OPTION_STORE,
	{ 'o', "output", "FORMAT", "json or text (text)", OPTION_TEXT, OPTION_AT(output) },
	OPTION_NO_PAGER,
	OPTION_HELP,
};

const struct command command_why = {
	.name = "why",
	.args = "ALERT",
	.help = "Why an alert fires, and what held its notification.",
	.more = "ALERT is its name, its fingerprint, or its labels as weir alerts shows them.\n",
	.rows = why_rows,
	.n_rows = ARRAY_LEN(why_rows),
	.run = run_why,
};

const struct command command_why_not = {
	.name = "why-not",
	.args = "RULE",
	.help = "Why a rule does not fire: its last evaluations and their values.",
	.rows = why_rows,
	.n_rows = ARRAY_LEN(why_rows),
	.run = run_why,
};
