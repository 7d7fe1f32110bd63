/*
 * cli/rules_silences.c - silences for a backtest.
 * One job: those of a file, or of the daemon that holds the store.
 * Floor: 6 (uses alerts, base).
 */
#include "cli/rules_silences.h"

#include <fcntl.h>

#include "base/io.h"
#include "cli/cli.h"
#include "cli/socket.h"

enum { FILE_MAX = 256 << 20 };

/* Without a daemon, or without alerting in it, there are none. */
static int
ask_daemon(const char *store, struct buf *ret)
{
	AUTO_CLOSE int fd = -1;
	int r, status = 0;

	r = socket_open(store, &fd);
	if (r == SOCKET_E_NONE)
		return 0;
	if (r == 0)
		r = socket_request(fd, "GET", "/api/v2/silences", "", STR_NONE, &status, ret);
	if (r == 0 && status == 200)
		return 0;
	buf_clear(ret);
	if (r == 0 && status == 404)
		return 0;
	cli_warn("the daemon gives no silences: goes on without them; --silences FILE names some");
	return 0;
}

int
rules_silences(const struct options *opt, const char *store, struct silences **ret, size_t *ret_n)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT, why = BUF_INIT;
	AUTO(silences_free) struct silences *s = NULL;
	int r;

	*ret = NULL;
	*ret_n = 0;
	if (opt->silences != NULL)
		r = io_read_file(AT_FDCWD, opt->silences, FILE_MAX, &text);
	else
		r = ask_daemon(store, &text);
	if (r < 0)
		return cli_fail(CLI_FAILED, "%s: %s", opt->silences, err_str(r));
	if (text.n == 0 && opt->silences == NULL)
		return 0;
	r = silences_new(&s, NULL);
	if (r == 0)
		r = silences_read(s, buf_view(&text), opt->now, ret_n, &why);
	if (r > 0)
		return cli_fail(opt->silences != NULL ? CLI_USAGE : CLI_FAILED, "%s: %s",
		    opt->silences != NULL ? opt->silences : "/api/v2/silences", buf_c_str(&why));
	if (r < 0)
		return cli_fail(CLI_FAILED, "%s", err_str(r));
	if (*ret_n > 0)
		*ret = TAKE(s);
	return 0;
}
