/*
 * cli/cmd_silence.c - weir silence.
 * One job: silences made, listed and ended by the daemon that holds the store.
 * Floor: 6 (uses base).
 */
#include <pwd.h>
#include <stdio.h>

#include "cli/cli.h"
#include "cli/out.h"
#include "cli/place.h"
#include "cli/socket.h"

/* One request; the answer when it is a good one, else what went wrong was said. */
static int
ask(const char *store, const char *method, const char *path, struct str body, struct buf *answer)
{
	AUTO_CLOSE int fd = -1;
	int r, status = 0;

	r = socket_open(store, &fd);
	if (r == SOCKET_E_NONE)
		return cli_fail(CLI_FAILED, "no daemon runs on the store %s: start weird", store);
	if (r == 0)
		r = socket_request(fd, method, path, "Content-Type: application/json\r\n", body,
		    &status, answer);
	if (r != 0)
		return cli_fail(CLI_FAILED, "silence: %s/weir.sock: %s", store,
		    r < 0 ? err_str(r) : "no answer that can be read");
	if (status == 200)
		return CLI_DONE;
	if (status == 404)
		return cli_fail(CLI_FAILED,
		    answer->n > 0 ? "silence: no alerting here: is alerting: set in weir.yaml?"
		                  : "silence: no such silence");
	return cli_fail(status == 400 ? CLI_USAGE : CLI_FAILED, "silence: HTTP %d: %.*s", status,
	    STR_ARG(str_trim(buf_view(answer))));
}

/* ---- add ---- */

static void
put_time(struct buf *out, const char *name, struct wall t)
{
	char text[WALL_TEXT_MAX];

	buf_printf(out, "\"%s\":\"%.*s\",", name, (int)wall_format(text, t), text);
}

static const char *
author(const struct options *opt)
{
	const struct passwd *user;

	if (opt->author != NULL)
		return opt->author;
	user = getpwuid(getuid());
	return user != NULL ? user->pw_name : "";
}

/* A word alone is the alert's name, as amtool has it. */
static void
put_filter(struct buf *out, const char *arg)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;

	if (strpbrk(arg, "=~!") != NULL)
		buf_c(&text, arg);
	else
		buf_printf(&text, "alertname=\"%s\"", arg);
	buf_json(out, buf_view(&text));
}

static int
add(const struct options *opt, const char *store, struct buf *answer)
{
	AUTO_FINI(buf_fini) struct buf body = BUF_INIT;
	struct span length = { NS_PER_HOUR };
	struct str id;
	size_t i, at;
	int r;

	if (opt->n_args < 2 && opt->query == NULL)
		return cli_fail(CLI_USAGE,
		    "silence add: expected matchers such as alertname=X, or --query");
	if (opt->length != NULL && (span_parse(str_c(opt->length), &length) != 0 || length.ns <= 0))
		return cli_fail(CLI_USAGE, "--for %s: expected a duration such as 2h", opt->length);
	buf_c(&body, "{");
	put_time(&body, "startsAt", opt->now);
	put_time(&body, "endsAt", (struct wall){ opt->now.ns + length.ns });
	buf_c(&body, "\"filters\":[");
	for (i = 1; i < opt->n_args; i++) {
		buf_c(&body, i > 1 ? "," : "");
		put_filter(&body, opt->args[i]);
	}
	buf_c(&body, "],\"createdBy\":");
	buf_json(&body, str_c(author(opt)));
	buf_c(&body, ",\"comment\":");
	buf_json(&body, str_c(opt->comment));
	buf_c(&body, ",\"query\":");
	buf_json(&body, str_c(opt->query));
	buf_c(&body, "}");
	if (buf_err(&body) < 0)
		return cli_fail(CLI_FAILED, "%s", err_str(-ENOMEM));
	r = ask(store, "POST", "/api/v2/silences", buf_view(&body), answer);
	at = str_find(buf_view(answer), STR("\"silenceID\":\""));
	if (r != CLI_DONE || at == SIZE_MAX ||
	    (opt->output != NULL && strcmp(opt->output, "json") == 0))
		return r;
	id = str_sub(buf_view(answer), at + 13, at + 13 + 36);
	memmove(answer->p, id.p, id.n);
	answer->n = id.n;
	buf_c(answer, "\n");
	return r;
}

/* ---- list, expire ---- */

static int
list(const struct options *opt, const char *store, struct buf *answer)
{
	AUTO_FINI(buf_fini) struct buf path = BUF_INIT;
	bool json = opt->output != NULL && strcmp(opt->output, "json") == 0;
	int r;

	if (opt->n_args > 1)
		return cli_fail(CLI_USAGE, "silence list: %s: no argument is wanted", opt->args[1]);
	buf_printf(&path, "/api/v2/silences?expired=%s%s", opt->all ? "true" : "false",
	    json ? "" : "&format=text");
	r = ask(store, "GET", buf_c_str(&path), STR_NONE, answer);
	return r == CLI_DONE && !json && answer->n == 0 ? CLI_NONE : r;
}

static int
expire(const struct options *opt, const char *store, struct buf *answer)
{
	AUTO_FINI(buf_fini) struct buf path = BUF_INIT;
	size_t i;
	int r = CLI_DONE, one;

	if (opt->n_args < 2)
		return cli_fail(CLI_USAGE, "silence expire: expected the ID of a silence");
	for (i = 1; i < opt->n_args; i++) {
		if (strspn(opt->args[i], "0123456789abcdefABCDEF-") != strlen(opt->args[i]))
			return cli_fail(CLI_USAGE, "silence expire: %s: expected an ID",
			    opt->args[i]);
		buf_clear(&path);
		buf_printf(&path, "/api/v2/silence/%s", opt->args[i]);
		one = ask(store, "DELETE", buf_c_str(&path), STR_NONE, answer);
		r = r != CLI_DONE ? r : one;
	}
	return r;
}

static int
run_silence(struct options *opt)
{
	static const struct {
		const char *name;
		int (*run)(const struct options *opt, const char *store, struct buf *answer);
	} verbs[] = { { "add", add }, { "list", list }, { "expire", expire } };
	AUTO_FINI(buf_fini) struct buf path = BUF_INIT;
	AUTO_FINI(buf_fini) struct buf answer = BUF_INIT;
	const char *store = place_store(opt, &path);
	struct out o;
	size_t i;
	int r;

	for (i = 0; i < ARRAY_LEN(verbs); i++)
		if (opt->n_args > 0 && strcmp(opt->args[0], verbs[i].name) == 0)
			break;
	if (i == ARRAY_LEN(verbs))
		return cli_fail(CLI_USAGE, "silence: expected add, list or expire");
	if (opt->output != NULL && strcmp(opt->output, "json") != 0 &&
	    strcmp(opt->output, "text") != 0)
		return cli_fail(CLI_USAGE, "--output %s: expected json or text", opt->output);
	if (store == NULL)
		return cli_fail(CLI_FAILED, "%s", err_str(-ENOMEM));
	r = place_check(store);
	if (r == 0)
		r = verbs[i].run(opt, store, &answer);
	if (r != CLI_DONE)
		return r;
	out_init(&o, true, true);
	(void)out_write(&o, answer.p, answer.n);
	return out_finish(&o, CLI_DONE);
}

static const struct option_row rows[] = {
	OPTION_STORE,
	{ 0, "query", "LOGSQL", "add: alerts whose labels and annotations match it", OPTION_TEXT,
	    OPTION_AT(query) },
	{ 'd', "for", "DURATION", "add: for so long (1h)", OPTION_TEXT, OPTION_AT(length) },
	{ 'c', "comment", "TEXT", "add: why", OPTION_TEXT, OPTION_AT(comment) },
	{ 'a', "author", "NAME", "add: who (the user)", OPTION_TEXT, OPTION_AT(author) },
	{ 0, "all", NULL, "list: expired ones too", OPTION_FLAG, OPTION_AT(all) },
	{ 'o', "output", "FORMAT", "json or text (text)", OPTION_TEXT, OPTION_AT(output) },
	OPTION_HELP,
};

const struct command command_silence = {
	.name = "silence",
	.args = "add MATCHER… | list | expire ID…",
	.help = "Silences: hold notifications of some alerts for a while.",
	.more =
	    "A MATCHER is Alertmanager's: alertname=\"Down\", job=~\"api|db\", severity!=\"page\"; a word alone is\n"
	    "the name of the alert.  All of them must match.  add prints the silence's ID.\n",
	.rows = rows,
	.n_rows = ARRAY_LEN(rows),
	.run = run_silence,
};
