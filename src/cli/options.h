/*
 * cli/options.h - options of a command line.
 * One job: words to values, by a table of rows per command.
 * Floor: 6 (uses base).
 */
#pragma once

#include "base/wall.h"

enum option_kind {
	OPTION_FLAG,  /* bool */
	OPTION_TEXT,  /* const char * */
	OPTION_LIST,  /* struct option_list: may be given often */
	OPTION_COUNT, /* uint64_t: a number */
	OPTION_SIZE,  /* uint64_t: bytes, 64MiB */
	OPTION_TIME,  /* struct wall */
	OPTION_NONE,  /* not to be had: help says why, where it is given */
};

struct option_row {
	char letter; /* 0: none */
	const char *name;
	const char *arg; /* NULL: it is a flag */
	const char *help;
	enum option_kind kind;
	size_t at; /* offset in struct options */
};

enum { OPTION_LIST_MAX = 4096 };

struct option_list {
	const char *p[OPTION_LIST_MAX];
	size_t n;
};

struct options;

struct command {
	const char *name;
	const char *args; /* as help shows them */
	const char *help; /* one line */
	const char *more; /* paragraphs below the options; may be NULL */
	const struct option_row *rows;
	size_t n_rows;
	int (*run)(struct options *opt);
};

/* Every option of every command; a command reads those of its own table. */
struct options {
	const struct command *command;
	char **argv; /* of the whole program */
	struct wall now;
	const char *args[OPTION_LIST_MAX]; /* what is no option */
	size_t n_args;

	bool help;
	const char *store, *url, *parser, *output, *level;
	struct option_list inputs, stream;
	struct wall since, until;
	uint64_t limit, memory, threads;
	bool has_limit; /* --limit 0 is no row, and not all of them */
	bool as_is, check, explain, utc, no_pager, no_color, color, quiet;

	/* grep */
	bool nocase, invert, count, fixed, extended, word, whole, names_only, only;
	bool numbers, with_name, no_name, no_messages;
	struct option_list patterns, pattern_files;
	uint64_t max, after, before, context;
	bool has_max, has_after, has_before, has_context;

	/* tail, trace */
	uint64_t last;
	bool has_last;
	bool no_follow, deep, related;

	/* alerts */
	bool history;
	struct wall at;

	/* ingest */
	const char *multiline;

	/* silence */
	const char *query, *length, *comment, *author;
	bool all;

	/* rules */
	const char *alerting, *silences;
	bool sweep;
};

/**
 * options_parse(cmd, argc, argv, opt):
 * Options and arguments in any order, --name=value, --name value, -xVALUE, -xy; -- ends the options.
 * Messages go to standard error.
 *
 * Errors: 0, or 2 for wrong usage.
 */
int options_parse(const struct command *cmd, int argc, char **argv, struct options *opt);

/** options_help(cmd, out): append the help of a command. */
void options_help(const struct command *cmd, struct buf *out);

/** options_size(s, ret): 1048576, 64MiB, 10GB, 512k. */
bool options_size(struct str s, uint64_t *ret);

/**
 * options_when(s, now, ret):
 * A time on the command line: a duration (that long ago), RFC 3339, a date with or without a time of the day (in the
 * host's zone when it has none), HH:MM today, today, yesterday, now, @epoch.
 */
bool options_when(struct str s, struct wall now, struct wall *ret);

#define OPTION_AT(field) offsetof(struct options, field)
#define OPTION_STORE                                                                    \
	{                                                                               \
		's', "store", "DIR", "the store (default: $WEIR_STORE, /var/lib/weir)", \
		    OPTION_TEXT, OPTION_AT(store)                                       \
	}
#define OPTION_INPUT                                                                          \
	{                                                                                     \
		'i', "input", "FILE", "read FILE instead, - or journal:; may be given often", \
		    OPTION_LIST, OPTION_AT(inputs)                                            \
	}
#define OPTION_PARSER                                                                           \
	{                                                                                       \
		'p', "parser", "NAME", "of --input: auto, json, logfmt, access, syslog, plain", \
		    OPTION_TEXT, OPTION_AT(parser)                                              \
	}
#define OPTION_SINCE                                                                              \
	{                                                                                         \
		'S', "since", "T", "from then on: 1h, 2026-01-31, RFC 3339, @epoch", OPTION_TIME, \
		    OPTION_AT(since)                                                              \
	}
#define OPTION_UNTIL                                                            \
	{                                                                       \
		'U', "until", "T", "before then", OPTION_TIME, OPTION_AT(until) \
	}
#define OPTION_OUTPUT                                                                    \
	{                                                                                \
		'o', "output", "FORMAT", "json, text, logfmt, csv, table or raw (text)", \
		    OPTION_TEXT, OPTION_AT(output)                                       \
	}
#define OPTION_LIMIT                                                                        \
	{                                                                                   \
		'n', "limit", "N", "only the newest N rows", OPTION_COUNT, OPTION_AT(limit) \
	}
#define OPTION_LEVEL                                                                              \
	{                                                                                         \
		'l', "level", "LEVEL", "rows at least that severe", OPTION_TEXT, OPTION_AT(level) \
	}
#define OPTION_UTC                                                          \
	{                                                                   \
		0, "utc", NULL, "times in UTC", OPTION_FLAG, OPTION_AT(utc) \
	}
#define OPTION_NO_PAGER                                                                       \
	{                                                                                     \
		0, "no-pager", NULL, "do not start a pager", OPTION_FLAG, OPTION_AT(no_pager) \
	}
#define OPTION_MEMORY                                                                   \
	{                                                                               \
		0, "memory", "SIZE", "bound on memory (a quarter of it, at most 1GiB)", \
		    OPTION_SIZE, OPTION_AT(memory)                                      \
	}
#define OPTION_THREADS                                                                  \
	{                                                                               \
		0, "threads", "N", "at most so many threads (all cores)", OPTION_COUNT, \
		    OPTION_AT(threads)                                                  \
	}
#define OPTION_AS_IS                                                                    \
	{                                                                               \
		0, "as-is", NULL, "JSON keys of --input are the fields, to the letter", \
		    OPTION_FLAG, OPTION_AT(as_is)                                       \
	}
#define OPTION_URL                                                               \
	{                                                                        \
		0, "url", "URL", "ask another host", OPTION_TEXT, OPTION_AT(url) \
	}
#define OPTION_HELP                                                          \
	{                                                                    \
		'h', "help", NULL, "show this", OPTION_FLAG, OPTION_AT(help) \
	}
