/*
 * cli/cmd_tail.c - weir tail.
 * One job: new rows as they are committed.
 * Floor: 6 (uses lib, query, store, base).
 *
 * A tail is a view of the store that is refreshed, and the number of the first row not seen yet.  No row is dropped:
 * a slow terminal reads on where it was, and is told how far behind it is.
 */
#include <poll.h>
#include <sys/inotify.h>

#include "cli/cli.h"
#include "cli/show.h"
#include "logsql/pipe.h"

enum {
	LAST_DEFAULT = 10,
	POLL_MS = 1000, /* without inotify, and for what it may miss */
	SETTLE_MS = 20, /* commits that follow each other closely are shown together */
	BEHIND_ROWS = 1000,
	BEHIND_MS = 2000,
};

struct tail {
	struct show *s;
	struct printer *p;
	struct store_view *view;
	uint64_t next_row;
	bool told_gone;
};

static uint64_t
end_row(const struct store_view *view)
{
	struct store_block_info info;
	uint64_t end = 0;
	size_t i;

	for (i = 0; i < store_view_n_blocks(view); i++) {
		store_view_block(view, i, &info);
		if (info.end_row > end)
			end = info.end_row;
	}
	return end;
}

/* Rows from t->next_row on.  Returns an exit code. */
static int
print_new(struct tail *t, uint64_t limit)
{
	uint64_t end = end_row(t->view);
	int exit, r;

	t->s->ask.run.first_row = t->next_row;
	t->s->ask.run.limit = limit;
	if (end > t->next_row || limit > 0) {
		exit = show_run(t->s, printer_put, t->p);
		if (exit != CLI_DONE && exit != CLI_FAILED)
			return exit;
		r = printer_flush(t->p);
		if (r < 0 && !t->s->out.closed && t->s->out.err == 0)
			return cli_fail(CLI_FAILED, "tail failed: %s", err_str(r));
	}
	t->next_row = end;
	return CLI_DONE;
}

/* A pipe whose reader has gone (weir tail | head) ends the tail, also when no row comes. */
static void
wait_change(int fd, struct out *out)
{
	struct pollfd p[2] = { { .fd = fd, .events = POLLIN }, { .fd = out->fd } };
	char events[4096];

	if (poll(p, 2, POLL_MS) <= 0)
		return;
	if ((p[1].revents & POLLERR) != 0)
		out->closed = true;
	while (p[0].revents != 0 && read(fd, events, sizeof(events)) > 0)
		continue;
	(void)poll(NULL, 0, SETTLE_MS);
}

static void
refresh(struct tail *t)
{
	int r = store_view_refresh(t->view);

	if (r != 0 && !t->told_gone)
		(void)cli_fail(0, "store: %s: %s; waiting for it", t->s->ask.store,
		    r < 0 ? err_str(r) : "gone");
	t->told_gone = r != 0;
}

static int
follow(struct tail *t)
{
	AUTO_CLOSE int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	struct span before;
	uint64_t behind;
	int exit = CLI_DONE;

	if (fd >= 0)
		(void)inotify_add_watch(fd, t->s->ask.store,
		    IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_DELETE);
	while (exit == CLI_DONE && !atomic_load(cli_stop_flag()) && !t->s->out.closed &&
	    t->s->out.err == 0) {
		wait_change(fd, &t->s->out);
		if (t->s->out.closed)
			break;
		refresh(t);
		before = mono_now();
		exit = print_new(t, 0);
		if (mono_now().ns - before.ns < BEHIND_MS * NS_PER_MS)
			continue;
		/* The terminal was slow: see what has come meanwhile. */
		refresh(t);
		behind = end_row(t->view) - t->next_row;
		if (behind >= BEHIND_ROWS)
			(void)cli_fail(0, "%llu rows behind", (unsigned long long)behind);
	}
	return atomic_load(cli_stop_flag()) ? CLI_STOPPED : exit;
}

static int
tail_store(struct show *s)
{
	AUTO(store_view_free) struct store_view *view = NULL;
	AUTO(printer_free) struct printer *p = NULL;
	struct print_sink sink = { out_write, &s->out };
	struct tail t = { .s = s };
	int r;

	r = store_view_open(&view, s->ask.store, &s->error);
	if (r != 0)
		return cli_fail(CLI_FAILED, "%s",
		    s->error.n > 0 ? buf_c_str(&s->error) : err_str(r < 0 ? r : -EIO));
	r = printer_new(&p, &s->print, &sink);
	if (r < 0)
		return cli_fail(CLI_FAILED, "tail failed: %s", err_str(r));
	s->ask.view = view;
	t.view = view;
	t.p = p;
	cli_catch_signals();
	r = s->opt->last > 0 ? print_new(&t, s->opt->last) : 0;
	t.next_row = end_row(view);
	return r != CLI_DONE || s->opt->no_follow ? r : follow(&t);
}

/* A pipe that gathers has nothing to show before the end, which never comes. */
static int
check_pipes(const struct show *s)
{
	size_t n = 0;

	if (stages_keep_rows(s->query, &n))
		return CLI_DONE;
	return cli_fail(CLI_USAGE, "tail: the pipe %s needs all rows, and a tail has no end",
	    n < s->query->n_pipes ? pipe_kind_name(s->query->pipes[n]->kind) : "");
}

static int
run_tail(struct options *opt)
{
	struct show s;
	int r;

	if (opt->n_args > 1)
		return cli_fail(CLI_USAGE, "tail: one query is wanted; put it in quotes");
	opt->no_pager = true;
	if (!opt->has_last)
		opt->last = LAST_DEFAULT;
	r = show_init(&s, opt);
	if (r == 0 && (s.print.format == PRINT_TABLE || s.print.format == PRINT_CSV))
		r = cli_fail(CLI_USAGE, "tail: --output csv and table need all rows");
	if (r == 0)
		r = show_parse(&s, opt->n_args > 0 ? str_c(opt->args[0]) : STR("*"));
	if (r == 0)
		r = check_pipes(&s);
	if (r == 0)
		r = out_finish(&s.out, tail_store(&s));
	show_fini(&s);
	return r;
}

static const struct option_row rows[] = {
	OPTION_STORE,
	{ 'n', "lines", "N", "begin with the last N rows (10)", OPTION_COUNT, OPTION_AT(last) },
	OPTION_LEVEL,
	OPTION_OUTPUT,
	OPTION_UTC,
	{ 0, "no-follow", NULL, "end after the last rows", OPTION_FLAG, OPTION_AT(no_follow) },
	OPTION_HELP,
};

const struct command command_tail = {
	.name = "tail",
	.args = "[QUERY]",
	.help = "The last rows, and new ones as they come.",
	.rows = rows,
	.n_rows = ARRAY_LEN(rows),
	.run = run_tail,
};
