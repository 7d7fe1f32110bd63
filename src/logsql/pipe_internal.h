/*
 * logsql/pipe_internal.h - the parts that pipes are made of.
 * One job: one place for each piece of syntax that several pipes share: how it is read, and how it
 * is written again.
 * Floor: 2 (uses base).
 */
#pragma once

#include "logsql/pipe.h"
#include "logsql/value.h"

/*
 * One piece of a pipe's syntax.  parse leaves the pipe as it is when an optional part does not
 * stand there.
 */
struct pipe_part {
	int (*parse)(struct lex *l, struct pipe *p);
	void (*format)(struct buf *out, const struct pipe *p); /* with the blank before it */
};

enum { PIPE_PARTS_MAX = 8 };

/* pipe_part.c: what stands in all of them. */

/** part_ends(l): the current token ends a pipe: '|', ')', ';' or the end of the query. */
bool part_ends(const struct lex *l);
/** part_skip(l, word, ret): take ${word} if it is there; ${ret} (may be NULL) says so. */
int part_skip(struct lex *l, const char *word, bool *ret);
/** part_name(l, ret): a field name without '*'; "" is _msg. */
int part_name(struct lex *l, struct str *ret);
/** part_wild(l, ret): a field name or prefix*. */
int part_wild(struct lex *l, struct str *ret);
/** part_names_in(l, wild, ret): "(" names ")". */
int part_names_in(struct lex *l, bool wild, struct names *ret);
/** part_names(l, wild, ret): names with commas between, at least one. */
int part_names(struct lex *l, bool wild, struct names *ret);
/** part_names_add(l, list, name): append. */
int part_names_add(struct lex *l, struct names *list, struct str name);
/** part_number(l, ret, ret_text): a number of any notation; ret_text may be NULL. */
int part_number(struct lex *l, double *ret, struct str *ret_text);
/** part_uint(l, what, ret): an integer not below 0; digits and '_' alone. */
int part_uint(struct lex *l, const char *what, uint64_t *ret);
/** part_span(l, what, ret): a duration. */
int part_span(struct lex *l, const char *what, struct span *ret);
/** part_condition(l, ret): "(" filter ")". */
int part_condition(struct lex *l, struct filter **ret);
/** part_sort_keys(l, p): "(" field [asc|desc], … ")". */
int part_sort_keys(struct lex *l, struct sort_key **ret, size_t *ret_n);
/** part_unique(l, name, taken): name, or name with as many 's' behind as make it differ from all
 * of taken. */
int part_unique(struct lex *l, struct str name, const struct names *taken, struct str *ret);

/** part_rank(l, ret): rank [as name], at "rank". */
int part_rank(struct lex *l, struct str *ret);

void part_format_rank(struct buf *out, struct str rank); /* nothing when it is empty */
void part_format_name(struct buf *out, struct str name);
void part_format_names(struct buf *out, const struct names *list);
void part_format_sort_keys(struct buf *out, const struct sort_key *keys, size_t n);

/* pipe_part_field.c: fields read and written. */
extern const struct pipe_part part_if, part_filter, part_from, part_from_bare, part_from_arg,
    part_at, part_at_time;
extern const struct pipe_part part_as, part_as_word, part_as_from, part_as_count, part_as_name,
    part_names_wild;
extern const struct pipe_part part_bare_field, part_pairs, part_fields_in, part_preserve_keys,
    part_prefix;
extern const struct pipe_part part_keep, part_keep_skip;

/* pipe_part_text.c: patterns and replacements. */
extern const struct pipe_part part_extract, part_extract_regexp, part_format_text, part_replace,
    part_replace_regexp;
extern const struct pipe_part part_separator, part_prettify, part_drop_duplicates, part_time_add,
    part_syslog_offset;

/* pipe_part_rows.c: which rows, and how many. */
extern const struct pipe_part part_limit_or_10, part_offset, part_sample, part_limit,
    part_unroll_by;
extern const struct pipe_part part_top, part_uniq, part_facets, part_value_filter, part_context,
    part_patterns, part_by;

/* pipe_part_sort.c: in which order. */
extern const struct pipe_part part_sort, part_first;

/* pipe_part_join.c: pipes with queries in them. */
extern const struct pipe_part part_join, part_union;

/* pipe_math.c, pipe_stats.c. */
extern const struct pipe_part part_math, part_stats, part_running_stats;

/** steps_parse(l, text, ret, ret_n): the steps of "text<field>text"; fails with the lexer at its
 * place. */
int steps_parse(struct lex *l, struct str text, struct pattern_step **ret, size_t *ret_n);
