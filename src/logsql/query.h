/*
 * logsql/query.h - the query.
 * One job: text to tree, and back to canonical text.
 * Floor: 2 (uses record, base).
 *
 * query := filter ("|" pipe)* ; the tree and all its texts live in the arena of the parse, and are
 * read-only afterwards, so that all workers share them.
 */
#pragma once

#include "logsql/lex.h"

struct filter; /* logsql/filter.h */
struct pipe;   /* logsql/pipe.h */

struct query {
	struct filter *filter; /* never NULL: * is a filter that matches all */
	struct pipe **pipes;
	size_t n_pipes;
	struct str *options; /* options(…): pairs of name and value */
	size_t n_options;    /* pairs */
};

struct logsql_options {
	struct wall now; /* what relative times count from */
	int zone_s;      /* of times without a zone, seconds east of UTC */
};

/**
 * query_parse(text, opt, arena, ret, ret_error):
 * Parse a whole query.
 *
 * Errors: LOGSQL_E_SYNTAX (${ret_error} says what and where), -ENOMEM.
 * Source: docs/LOGSQL.md.
 */
int query_parse(struct str text, const struct logsql_options *opt, struct arena *arena,
    struct query **ret, struct logsql_error *ret_error);

/** query_parse_filter(…): a filter alone, as drop filters, classes and silences have it. */
int query_parse_filter(struct str text, const struct logsql_options *opt, struct arena *arena,
    struct filter **ret, struct logsql_error *ret_error);

/** query_option(q, name, ret): the value that options(…) before the query's own filter give ${name}; false without. */
bool query_option(const struct query *q, const char *name, struct str *ret);
/** query_ignores_times(q, inherited): whether the caller's bounds of time are left out; ${inherited} where it says nothing. */
bool query_ignores_times(const struct query *q, bool inherited);

/** query_format(out, q), filter_format(out, f), pipe_format(out, p): append the canonical text. */
void query_format(struct buf *out, const struct query *q);
void filter_format(struct buf *out, const struct filter *f);
void pipe_format(struct buf *out, const struct pipe *p);

/* For the rooms' own files: parts of a query at the lexer's place. */
int filter_parse(struct lex *l, struct filter **ret);      /* up to '|', ')' or the end */
int pipe_parse(struct lex *l, struct pipe **ret);          /* one pipe, up to '|', ')' or the end */
int query_parse_nested(struct lex *l, struct query **ret); /* "(" query ")" */

/**
 * logsql_error_show(out, query, e):
 * Append the message for people: line, column, the line of the query, a caret below it.
 */
void logsql_error_show(struct buf *out, struct str query, const struct logsql_error *e);
