/*
 * logsql/filter.h - the filter.
 * One job: the tree of a query's filter, matching rows and columns with it, and what it tells a planner.
 * Floor: 2 (uses record, base).
 *
 * AND, OR and NOT hold children; all else are leaves, which test one field (a few test more, see
 * filter_is_value_leaf).  The tree lives in the arena of the parse and is read-only once parsed, but for
 * filter_set_values; any number of threads may match with it at once.
 */
#pragma once

#include "base/literals.h"
#include "logsql/query.h"
#include "record/column.h"
#include "record/level.h"

enum filter_kind {
	FILTER_ALL,  /* every row */
	FILTER_NONE, /* no row; made by filter_simplify */
	FILTER_AND,
	FILTER_OR,
	FILTER_NOT,             /* one child */
	FILTER_ANY_VALUE,       /* field:* : not empty */
	FILTER_PHRASE,          /* text at word boundaries; "" is the empty value */
	FILTER_PREFIX,          /* text* at a word's start */
	FILTER_SUBSTRING,       /* *text* */
	FILTER_EXACT,           /* =text */
	FILTER_EXACT_PREFIX,    /* =text* */
	FILTER_NOCASE_PHRASE,   /* i(text) */
	FILTER_NOCASE_PREFIX,   /* i(text*) */
	FILTER_REGEX,           /* ~text */
	FILTER_IN,              /* in(values), in(query) */
	FILTER_CONTAINS_ALL,    /* of values or query */
	FILTER_CONTAINS_ANY,    /* of values or query */
	FILTER_CONTAINS_COMMON, /* contains_common_case(values) */
	FILTER_EQUALS_COMMON,   /* equals_common_case(values) */
	FILTER_JSON_ARRAY_ANY,  /* json_array_contains_any(values) */
	FILTER_SEQ,             /* values, one after the other */
	FILTER_PATTERN,         /* pattern_match…(text) */
	FILTER_RANGE,           /* number in [min, max] */
	FILTER_STRING_RANGE,    /* value in [values[0], values[1]) */
	FILTER_LEN_RANGE,       /* characters in [from, to] */
	FILTER_IPV4_RANGE,      /* address in [from, to] */
	FILTER_IPV6_RANGE,      /* address in [ip6_min, ip6_max] */
	FILTER_VALUE_TYPE,      /* how the column is stored */
	FILTER_MIN_LEVEL,       /* at least as severe as .level */
	FILTER_EQ_FIELD,        /* value == that of field text */
	FILTER_LE_FIELD,
	FILTER_LT_FIELD,
	FILTER_TIME,       /* _time in [time_min, time_max], both included */
	FILTER_DAY_RANGE,  /* time of the day, ns in [from, to] after offset */
	FILTER_WEEK_RANGE, /* day of the week in [from, to], 0 is Sunday, after offset */
	FILTER_STREAM,     /* {label="value",…} */
	FILTER_STREAM_ID,  /* one of values, or of query */
};

struct regex;
struct stream_filter;
struct map;
struct pattern;

/*
 * Invariants: field is never empty ("_msg" where none was written); exactly one child in NOT, at least one in AND and
 * OR; set holds values, each once, where kind is IN, CONTAINS_ALL, CONTAINS_ANY or STREAM_ID.
 */
struct filter {
	enum filter_kind kind;
	struct str field;
	struct filter **children;
	size_t n_children;

	struct str text;   /* phrase, prefix, value, pattern, other field */
	struct str folded; /* text in lower case */
	struct str repr;   /* arguments as written, where the canonical text keeps them */
	struct str *values;
	size_t n_values;
	struct map *set;
	struct query *query;    /* in(query): run it, then filter_set_values */
	struct str query_field; /* the field of its rows that has the values */

	double min, max;
	int64_t time_min, time_max, offset;
	uint64_t from, to;
	uint8_t ip6_min[16], ip6_max[16];
	enum severity level;
	const struct regex *regex;
	const struct stream_filter *stream;
	const struct pattern *pattern;
};

/*
 * filter_walk(f, fn, ctx): fn for each node, parents first; fn returns 0 to go on, else what walk returns.
 * Subqueries are not entered.
 */
typedef int (*filter_walk_fn)(void *ctx, struct filter *f);
int filter_walk(struct filter *f, filter_walk_fn fn, void *ctx);

/**
 * filter_set_values(leaf, values, n):
 * The values that the query of ${leaf} found; copied.  Not while another thread matches with the tree.
 */
int filter_set_values(struct filter *leaf, const struct str *values, size_t n);

/* Matching. ---------------------------------------------------------------------------------- */

/** filter_is_value_leaf(f): a leaf that needs the value of .field alone: filter_match_value and _column take it.  AND,
 * OR, NOT and *_FIELD do not. */
bool filter_is_value_leaf(const struct filter *f);

/**
 * filter_match_value(leaf, value):
 * Whether the value of leaf->field matches; an absent field is an empty value.  _time is RFC 3339 text, _stream the
 * canonical labels.  A pattern that gives up (its match limit) does not match.
 *
 * Errors: 1 yes, 0 no, -ENOMEM.
 */
int filter_match_value(const struct filter *leaf, struct str value);

/** filter_match_two(leaf, a, b): *_FIELD on the values of its .field and of the field .text. */
bool filter_match_two(const struct filter *leaf, struct str a, struct str b);

/**
 * filter_match_row(f, get, ctx):
 * Whether a row matches the whole tree; get gives a field's value, or empty.
 *
 * Errors: 1 yes, 0 no, -ENOMEM.
 */
typedef struct str (*filter_get_fn)(void *ctx, struct str name);
int filter_match_row(const struct filter *f, filter_get_fn get, void *ctx);

/**
 * filter_match_column(leaf, c, sel):
 * Clear the bits of sel[c->n_rows] whose value in column ${c} (that of leaf->field) does not match ${leaf}, a value
 * leaf.  Dictionaries and constants are tested once a value, integers and times as numbers.
 */
int filter_match_column(const struct filter *leaf, const struct column *c, uint64_t *sel);

/* Planning. ---------------------------------------------------------------------------------- */

/**
 * filter_simplify(f, arena, ret):
 * The same filter, flat and with constants folded: no AND in AND, no OR in OR, no NOT of NOT, FILTER_ALL and FILTER_NONE
 * only as the whole tree, children in order of cost.  Shares leaves with ${f}.
 */
int filter_simplify(struct filter *f, struct arena *arena, struct filter **ret);

/** filter_cost(f): how dear a row is, in arbitrary units, for ordering. */
unsigned filter_cost(const struct filter *f);

/** filter_fields(f, arena, ret, ret_n): the names of all fields it reads, each once. */
int filter_fields(const struct filter *f, struct arena *arena, struct str **ret, size_t *ret_n);

/**
 * filter_literal(leaf, ret, ret_nocase):
 * A substring that every value that matches contains; ${ret_nocase}: in any case of ASCII letters, and given in lower
 * case.  False when there is none.
 */
bool filter_literal(const struct filter *leaf, struct str *ret, bool *ret_nocase);

/** filter_literals(leaf, ret): the same where it may be one of several; ret->n is 0 when there are none.  True when whatever contains one of
 * them matches. */
bool filter_literals(const struct filter *leaf, struct literals *ret);

/** filter_pieces(leaf): what every match of it has, all of them, which says more than its literals; NULL when that is not known. */
struct regex_pieces;
const struct regex_pieces *filter_pieces(const struct filter *leaf);

/** filter_time_range(f, ret_min, ret_max): bounds, both included, that _time of every match keeps; min above max when
 * nothing can match. */
void filter_time_range(const struct filter *f, struct wall *ret_min, struct wall *ret_max);

/*
 * Every row that matches has one of values in field: from field:=x and field:in(x, y) in the top AND, or in each branch
 * of an OR there; field is empty where the branches name different ones.
 */
struct filter_id_value {
	struct str text, field;
	bool is_phrase; /* which may be a part of the field's values (names_id_phrase) */
};
struct filter_id {
	struct str field;
	const struct filter_id_value *values;
	size_t n_values;
};

/** filter_by_id(f): whether a leaf gives such values. */
bool filter_by_id(const struct filter *f);

/** filter_ids(f, arena, ret, ret_n): all of them, of ID fields (record/names.h) alone; values are not empty.  After
 * filter_set_values, the values of subqueries count too. */
int filter_ids(const struct filter *f, struct arena *arena, struct filter_id **ret, size_t *ret_n);

/** filter_names_weir(f): the filter names the label or field ${weir}, and so may see weir's own streams. */
bool filter_names_weir(const struct filter *f);

/**
 * filter_stream_label(f, name, ret):
 * The value that label ${name} must have in every match ({name="value"} in the top AND).  False when it may be any.
 */
bool filter_stream_label(const struct filter *f, struct str name, struct str *ret);

/** filter_and(a, b, arena, ret): both; a or b may be NULL. */
int filter_and(struct filter *a, struct filter *b, struct arena *arena, struct filter **ret);

/** filter_new_time(min, max, arena, ret): _time in [min, max], both included. */
int filter_new_time(struct wall min, struct wall max, struct arena *arena, struct filter **ret);
