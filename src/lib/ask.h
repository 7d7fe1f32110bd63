/*
 * lib/ask.h - one question.
 * One job: a query's text and where to ask it, to rows; whatever goes wrong as text.
 * Floor: 4 (uses query, store, parsers, logsql, record, base).
 */
#pragma once

#include "query/input.h"
#include "store/read.h"

struct ask_options {
	const char *store;         /* path; or: */
	const char *const *inputs; /* files, "-", or "journal:" alone */
	size_t n_inputs;
	const char *parser; /* of inputs; NULL: auto */
	bool as_is;
	bool keep_line; /* the original lines are wanted (INPUT_LINE_NAME) */
	bool numbers,
	    empty;         /* of files: the numbers of lines (INPUT_NUMBER_NAME), and empty lines */
	const char *level; /* rows at least that severe; NULL: all */
	struct store_view *view; /* this one, instead of opening the store; borrowed */
	struct run_options run;
	/* Each part of the store or the inputs that could not be read, in words.  May be NULL. */
	void (*fault)(void *ctx, const char *text);
	void *fault_ctx;
	/* Readers of the live journal, where the program has one; NULL: not there. */
	int (*journal)(void *ctx, struct record_source *ret, struct buf *ret_error);
	void *journal_ctx;
};

enum {
	ASK_E_QUERY = 1, /* the query does not parse */
	ASK_E_USAGE = 2, /* an option has no such value */
	ASK_E_STORE = 3, /* no store, not readable, newer format */
};

/**
 * ask_parse(text, opt, arena, ret, ret_error):
 * The query, with opt->level as part of its filter.
 *
 * Errors: ASK_E_QUERY, ASK_E_USAGE (the level), -ENOMEM; ${ret_error} gets the text for people.
 */
int ask_parse(struct str text, const struct ask_options *opt, struct arena *arena,
    struct query **ret, struct buf *ret_error);

/**
 * ask_run(q, opt, put, ctx, ret_stats, ret_error):
 * Run it over the store or the inputs; parts that cannot be read are told through opt->fault and counted.
 *
 * Errors: ASK_E_STORE, ASK_E_USAGE, what run_store gives.
 */
int ask_run(const struct query *q, const struct ask_options *opt, run_put_fn put, void *ctx,
    struct run_stats *ret_stats, struct buf *ret_error);

/** ask_columns(q, arena, ret, ret_n): the columns that the last fields or stats pipe names, in its order; none when the
 * rows may have others. */
int ask_columns(const struct query *q, struct arena *arena, const struct str **ret, size_t *ret_n);

/** ask_has_subquery(q): whether the rows will be read more than once. */
bool ask_has_subquery(const struct query *q);
