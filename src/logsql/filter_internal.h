/*
 * logsql/filter_internal.h - the filter, for the room's own files.
 * One job: what parsing, printing and matching of filters share.
 * Floor: 2 (uses record, base).
 */
#pragma once

#include "base/map.h"
#include "logsql/filter.h"
#include "logsql/lex_internal.h"
#include "logsql/regex.h"

/* One test of a label: = != =~ !~ ; regex where it is one of the last two. */
struct label_test {
	struct str name;
	struct str value;
	const struct regex *regex;
	bool negative;
};

/* All of tests[n]. */
struct label_and {
	struct label_test *tests;
	size_t n;
};

/* Any of ors[n]. */
struct stream_filter {
	struct label_and *ors;
	size_t n;
};

/* What one thread needs to match; FILTER_SCRATCH_INIT, then filter_scratch_fini. */
struct filter_scratch {
	struct regex_scratch regex;
	struct buf folded;
	struct arena arena;
};
#define FILTER_SCRATCH_INIT                              \
	{                                                \
		REGEX_SCRATCH_INIT, BUF_INIT, ARENA_INIT \
	}
void filter_scratch_fini(struct filter_scratch *s);

/** filter_new(l, kind, field, ret): a leaf; field "" is _msg.  LOGSQL_E_SYNTAX when there are too many. */
int filter_new(struct lex *l, enum filter_kind kind, struct str field, struct filter **ret);

/** filter_fold(l, f): make f->folded of f->text. */
int filter_fold(struct lex *l, struct filter *f);

/** filter_new_node(arena, kind, children, n, ret): AND, OR or NOT; the one child itself where AND or OR has no other. */
int filter_new_node(struct arena *arena, enum filter_kind kind, struct filter **children, size_t n,
    struct filter **ret);

/* A growing list of filters in an arena. */
struct filter_list {
	struct filter **p;
	size_t n, cap;
};
int filter_list_add(struct filter_list *list, struct arena *arena, struct filter *f);

/* A growing list of strs in an arena. */
struct str_list {
	struct str *p;
	size_t n, cap;
};
int str_list_add(struct str_list *list, struct arena *arena, struct str s);

/** filter_parse_generic(l, field, ret): one filter; field is "" when none was named yet. */
int filter_parse_generic(struct lex *l, struct str field, struct filter **ret);

/** filter_parse_word(l, field, start, ret): a phrase that begins with the function's name before the current token,
 * at offset ${start}, which turned out to be a plain word; or the rest of a field name. */
int filter_parse_word(struct lex *l, struct str field, size_t start, struct filter **ret);

/** filter_parse_function(l, field, ret, ret_done): a function's filter when the token names one. */
int filter_parse_function(struct lex *l, struct str field, struct filter **ret, bool *ret_done);

/** filter_parse_op(l, field, ret, ret_done): > >= < <= = != ~ !~ when the token is one. */
int filter_parse_op(struct lex *l, struct str field, struct filter **ret, bool *ret_done);

/** filter_parse_time(l, ret), filter_parse_stream(l, ret), filter_parse_stream_id(l, ret): what follows _time:,
 * _stream: and _stream_id:. */
int filter_parse_time(struct lex *l, struct filter **ret);
int filter_parse_stream(struct lex *l, struct filter **ret);
int filter_parse_stream_id(struct lex *l, struct filter **ret);

/** filter_parse_args(l, ret): "(" word, word, … ")"; "*" is an argument too. */
int filter_parse_args(struct lex *l, struct str_list *ret);

/** filter_parse_subquery(l, f, ret_all): "(" query ")" that ends in one field; ${ret_all} when it is *. */
int filter_parse_subquery(struct lex *l, struct filter *f, bool *ret_all);

/** filter_parse_number(l, ret, ret_text): a number as value_math reads it. */
int filter_parse_number(struct lex *l, double *ret, struct str *ret_text);

/** filter_parse_compare(l, ret_greater, ret_equal): > >= < or <=, where the token is > or <. */
int filter_parse_compare(struct lex *l, bool *ret_greater, bool *ret_equal);

/** filter_set_repr(l, f, text): f->repr := a copy of ${text}. */
int filter_set_repr(struct lex *l, struct filter *f, struct str text);

/** filter_new_set(l, f, values): f->set of these values. */
int filter_new_set(struct lex *l, struct filter *f, const struct str_list *values);

/** filter_new_regex(l, field, at, pattern, ret): ~pattern, or what it comes to. */
int filter_new_regex(struct lex *l, struct str field, size_t at, struct str pattern,
    struct filter **ret);

/** ip4_range(f, first, last), ip6_range(…): the range of f from two addresses, or (last NULL) one address or network. */
bool ip4_range(struct filter *f, struct str first, const struct str *last);
bool ip6_range(struct filter *f, struct str first, const struct str *last);

/** filter_repr_range(l, f, open, text, close): f->repr := range[a, b]. */
int filter_repr_range(struct lex *l, struct filter *f, char open, const struct str text[2],
    char close);

/** filter_new_levels(l, leaf, ret): min_level() with no field: on the level of a row, wherever it stands. */
int filter_new_levels(struct lex *l, struct filter *leaf, struct filter **ret);

/** filter_nearest_function(word): the function that ${word} was meant to be, or NULL. */
const char *filter_nearest_function(struct str word);

/** pipe_one_field(p, ret): whether pipe ${p} (fields, uniq) leaves one field, and which. */
bool pipe_one_field(const struct pipe *p, struct str *ret);

/* Patterns of pattern_match. */
enum pattern_where { PATTERN_ANYWHERE, PATTERN_FULL, PATTERN_START, PATTERN_END };
int pattern_new(const struct pattern **ret, struct str text, enum pattern_where where,
    struct arena *arena);
bool pattern_match(const struct pattern *p, struct str s);
const char *pattern_function(const struct pattern *p);
struct str pattern_literal(const struct pattern *p);

/** json_array_has(s, value): ${s} is a JSON array with ${value} among its elements: a string's text, or a number, true,
 * false or null as written. */
bool json_array_has(struct str s, struct str value);

/** common_cases(values, arena, ret): each value as it is, in lower case, in upper case, and with each word's first
 * letter raised. */
int common_cases(const struct str_list *values, struct arena *arena, struct str_list *ret);

/* Where words are, on values. */
size_t phrase_find(struct str s, struct str phrase);
bool phrase_match(struct str s, struct str phrase);
bool prefix_match(struct str s, struct str prefix);

/**
 * nocase_literal(folded):
 * The longest part of ${folded} that is the same in ASCII alone: all that folds to it is found by str_find_nocase.  'k' and 'i'
 * are the lower case of letters beyond ASCII too (the Kelvin sign, the dotted I).
 */
struct str nocase_literal(struct str folded);

/** filter_test(leaf, value, scratch): filter_match_value with memory that is reused. */
int filter_test(const struct filter *leaf, struct str value, struct filter_scratch *scratch);

/** filter_test_time(leaf, ns): FILTER_TIME, FILTER_DAY_RANGE and FILTER_WEEK_RANGE on a time. */
bool filter_test_time(const struct filter *leaf, int64_t ns);

/** value_type_name(value): what value_type calls a value that stands alone. */
const char *value_type_name(struct str value);

/** column_type_name(c): the same of a column. */
const char *column_type_name(const struct column *c);

/** filter_test_stream(leaf, labels, arena): FILTER_STREAM on canonical labels; -ENOMEM. */
int filter_test_stream(const struct filter *leaf, struct str labels, struct arena *arena,
    struct regex_scratch *regex);

/**
 * time_parse(s, now, zone_s, ret_ns):
 * A moment as _time: takes it: now, now-1h, now+1h, -5m, 2024, 2024-05, 2024-05-06, …T07, …T07:08, RFC 3339, UNIX time in s,
 * ms, µs or ns.
 */
bool time_parse(struct str s, struct wall now, int zone_s, int64_t *ret_ns);

/** time_last(ns, s): the last ns of what ${s} names: of the year for 2024, of the day for 2024-05-06. */
int64_t time_last(int64_t ns, struct str s);

/** time_sub(a, b): a - b, saturated, also where the duration b is; a stays where it is an end of the range. */
int64_t time_sub(int64_t a, int64_t b);
