/*
 * cli/show.h - ask and print.
 * One job: what query, fields, values, patterns and trace have in common.
 * Floor: 6 (uses lib, query, base).
 */
#pragma once

#include "cli/options.h"
#include "cli/out.h"
#include "lib/ask.h"
#include "lib/print.h"

/* A question on its way: init, run, finish. */
struct show {
	const struct options *opt;
	struct ask_options ask;
	struct print_options print;
	struct out out;
	struct buf store; /* path */
	struct buf error;
	struct arena arena;
	struct query *query;
	struct run_stats stats;
	uint64_t n_rows;
	uint64_t n_faults;
};

/**
 * show_init(s, opt):
 * Fill in everything that the options say: where, when, format.  Returns 0, or an exit code after a message.
 */
int show_init(struct show *s, const struct options *opt);
void show_fini(struct show *s);

/** show_parse(s, text): parse the query.  0, or an exit code after a message. */
int show_parse(struct show *s, struct str text);

/** show_run(s, put, ctx): run it; rows go to ${put}.  Returns an exit code; a message was given for 3. */
int show_run(struct show *s, run_put_fn put, void *ctx);

/** show_print(s): run it and print the rows in the format wanted.  Returns the exit code. */
int show_print(struct show *s);

/** show_ask(opt, text, answer): init, parse, ${answer}, fini.  Returns the exit code. */
int show_ask(const struct options *opt, struct str text, int (*answer)(struct show *s));

/** show_query(opt, text): all of it with show_print, for commands that are one query. */
int show_query(const struct options *opt, struct str text);
