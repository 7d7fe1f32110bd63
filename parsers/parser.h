/*
 * parsers/parser.h - log formats.
 * One job: lines in, records out; one file and one row in a table per format.
 * Floor: 2 (uses record, base).  No I/O.
 *
 * Nothing of a line is ever dropped: one that does not parse becomes a record whose _msg is the line and
 * whose parse_error says why.
 */
#pragma once

#include "record/record.h"

struct parser;

enum { PARSER_E_OPTION = 1 };

struct parser_options {
	const char *name; /* auto, json, logfmt, access, syslog, pattern, plain, … ; NULL is auto */
	struct str pattern;      /* pattern: PCRE2 with named groups */
	const char *multiline;   /* NULL, java, python, go, or "custom" with the two below */
	struct str start;        /* custom: a line that begins an event */
	struct str continuation; /* custom: a line that goes on with it */
	struct span
	    group_timeout; /* a group without a new line for so long is finished; 0 is 5 s */
	bool zone_set;     /* whether zone_s holds; else the host's zone */
	int zone_s;        /* seconds east of UTC, for times without a zone */
	bool as_is;        /* JSON keys are the fields, nothing is renamed, added or unwrapped */
	bool keep_line;    /* set record.line */
};

/**
 * parser_new(ret, opt, ret_error):
 * A parser with its own state for one source (one file, one unit): it may be gathering a group.
 *
 * Errors: PARSER_E_OPTION (unknown name, bad pattern; ${ret_error} gets one line of text), -ENOMEM.
 */
int parser_new(struct parser **ret, const struct parser_options *opt, struct buf *ret_error);
struct parser *parser_free(struct parser *p);
DEFINE_AUTO(struct parser *, parser_free)

/**
 * parser_line(p, line, received, out):
 * Take one line; add the records that are complete by it (none while a group is being gathered) to
 * ${out}.  Names and values of the records point into ${line}, into out->arena or into static memory;
 * those of an earlier line's group are in out->arena.  An empty line gives no record, and belongs to
 * a group where one goes on.
 *
 * Shapes: line[n] without its newline, any bytes; one CR at its end is dropped.
 * Units:  received is the time at which the line was seen, used when it has none of its own.
 * Errors: -ENOMEM only.
 */
int parser_line(struct parser *p, struct str line, struct wall received, struct record_batch *out);

/** parser_flush(p, now, all, out): finish groups older than their time-out, or ${all}. */
int parser_flush(struct parser *p, struct wall now, bool all, struct record_batch *out);

/** parser_pending(p): whether a group is being gathered.  Its bytes are what parser_save writes. */
bool parser_pending(const struct parser *p);

/** parser_save(p, out), parser_load(p, s): the unfinished groups as bytes, for a commit; and back.
 * Bytes that are no such state load as nothing (PARSER_E_OPTION). */
int parser_save(const struct parser *p, struct buf *out);
int parser_load(struct parser *p, struct str s);

/*
 * The formats by themselves, for pipes (unpack_json, unpack_syslog): fields only, nothing
 * renamed.  Fields are an array in ${arena}; values borrow from ${s} or the arena.
 * Return 0, PARSE_E_SYNTAX (s is not of that format), or -ENOMEM.
 */
enum { PARSE_E_SYNTAX = 1 };
int json_fields(struct str s, struct arena *arena, struct field **ret, size_t *ret_n);
/** json_fields_keep: the same, but objects whose dotted names are among keep[n_keep) stay JSON text. */
int json_fields_keep(struct str s, const struct str *keep, size_t n_keep, struct arena *arena,
    struct field **ret, size_t *ret_n);
int syslog_fields(struct str s, struct wall received, int zone_s, struct arena *arena,
    struct field **ret, size_t *ret_n);

/**
 * parser_time(s, zone_s, ret):
 * A time as logs write it: RFC 3339 with any offset or none, a plausible epoch in s, ms, us or ns
 * (integer, or with a fraction), or the forms of web servers, mail and ctime.  False when it is none.
 */
bool parser_time(struct str s, int zone_s, struct wall *ret);
