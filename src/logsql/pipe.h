/*
 * logsql/pipe.h - pipes of a query.
 * One job: what each pipe was told to do, as its text says it.
 * Floor: 2 (uses record, base).
 *
 * A pipe is one flat struct: most of them share the same few parts (a condition, a field to read, a
 * field to write, a list of names), so that planning and needs can be told from the parts alone.
 * Everything lives in the arena of the parse and is read-only afterwards.
 */
#pragma once

#include "logsql/query.h"
#include "logsql/stats.h"

enum pipe_kind {
	PIPE_BLOCK_STATS,
	PIPE_BLOCKS_COUNT,
	PIPE_COLLAPSE_NUMS,
	PIPE_COPY,
	PIPE_DECOLORIZE,
	PIPE_DELETE,
	PIPE_DROP_EMPTY_FIELDS,
	PIPE_EXTRACT,
	PIPE_EXTRACT_REGEXP,
	PIPE_FACETS,
	PIPE_FIELD_NAMES,
	PIPE_FIELD_VALUES,
	PIPE_FIELDS,
	PIPE_FILTER,
	PIPE_FIRST,
	PIPE_FORMAT,
	PIPE_GENERATE_SEQUENCE,
	PIPE_HASH,
	PIPE_JOIN,
	PIPE_JSON_ARRAY_LEN,
	PIPE_LAST,
	PIPE_LEN,
	PIPE_LIMIT,
	PIPE_MATH,
	PIPE_OFFSET,
	PIPE_PACK_JSON,
	PIPE_PACK_LOGFMT,
	PIPE_PATTERNS,
	PIPE_QUERY_STATS,
	PIPE_RENAME,
	PIPE_REPLACE,
	PIPE_REPLACE_REGEXP,
	PIPE_RUNNING_STATS,
	PIPE_SAMPLE,
	PIPE_SET_STREAM_FIELDS,
	PIPE_SORT,
	PIPE_SPLIT,
	PIPE_STATS,
	PIPE_STREAM_CONTEXT,
	PIPE_TIME_ADD,
	PIPE_TOP,
	PIPE_TOTAL_STATS,
	PIPE_TRACE,
	PIPE_UNION,
	PIPE_UNIQ,
	PIPE_UNPACK_JSON,
	PIPE_UNPACK_LOGFMT,
	PIPE_UNPACK_SYSLOG,
	PIPE_UNPACK_WORDS,
	PIPE_UNROLL,
	PIPE_KINDS
};

struct regex;

/* One step of a pattern "text<field>text": the text before a field, then the field. */
struct pattern_step {
	struct str text;
	struct str field;  /* empty: no name, what stands here is skipped */
	struct str option; /* <option:field> */
	bool has_field;    /* false: text at the end */
};

/* One row of union rows({…}, {…}): names and values in turn. */
struct literal_row {
	struct str *pairs;
	size_t n_pairs;
};

enum math_op {
	MATH_CONST,
	MATH_FIELD,
	MATH_POW,
	MATH_MUL,
	MATH_DIV,
	MATH_MOD,
	MATH_PLUS,
	MATH_MINUS,
	MATH_AND,
	MATH_XOR,
	MATH_OR,
	MATH_DEFAULT,
	MATH_NEGATE,
	MATH_ABS,
	MATH_CEIL,
	MATH_EXP,
	MATH_FLOOR,
	MATH_LN,
	MATH_MAX,
	MATH_MIN,
	MATH_NOW,
	MATH_RAND,
	MATH_ROUND,
};

struct math_expr {
	enum math_op op;
	double value;    /* CONST */
	struct str text; /* CONST: as written; FIELD: its name */
	struct math_expr **args;
	size_t n_args;
	bool parens;    /* stood in brackets */
	unsigned depth; /* nodes on the longest way down; bounded by LOGSQL_DEPTH_MAX */
};

struct math_entry {
	struct math_expr *expr;
	struct str name; /* of the field that gets the result */
};

struct pipe {
	enum pipe_kind kind;
	struct filter *filter; /* filter: the filter; others: if (…), NULL when there is none */
	struct str from;       /* the field read */
	struct str to;         /* the field written; also "as …", prefix of join, name of hits */
	struct str rank;       /* sort, first, last, top: the field of the rank, empty: none */
	struct names names;    /* fields, delete, by (…), copy and rename: sources */
	struct names targets;  /* copy, rename: as; sort, first, last: partition by */
	struct names keep;     /* unpack_json: preserve_keys */
	struct str text;       /* pattern, substring, separator, filter of uniq, prefix */
	struct str with;       /* replacement */
	const struct regex *regex;  /* extract_regexp, replace_regexp */
	struct pattern_step *steps; /* extract, format */
	size_t n_steps;
	/* limit N, N of top, sample, generate_sequence; 0: none (but for limit itself) */
	uint64_t limit;
	uint64_t offset;                    /* offset N; before of stream_context */
	uint64_t after;                     /* stream_context */
	uint64_t values_max, value_len_max; /* facets */
	struct span span;                   /* time_add, unpack_syslog offset, time_window */
	bool has_span;
	bool keep_original, skip_empty; /* keep_original_fields, skip_empty_results */
	/* keep_const_fields, prettify, drop_duplicates, inner: each pipe has one at most */
	bool flag;
	struct sort_key *keys; /* sort, first, last */
	size_t n_keys;
	bool desc;
	struct math_entry *math;
	size_t n_math;
	struct stats_by *by; /* stats, running_stats, total_stats */
	size_t n_by;
	struct stats_func *funcs;
	size_t n_funcs;
	struct query *query; /* join, union */
	struct literal_row *rows;
	size_t n_rows; /* union rows(…) */
};

/** pipe_kind_name(kind): its first name; static. */
const char *pipe_kind_name(enum pipe_kind kind);

/** name_is_wild(name): whether it is a prefix with '*' at its end. */
bool name_is_wild(struct str name);
/** name_matches(pattern, name): equal, or beginning with the prefix. */
bool name_matches(struct str pattern, struct str name);
/** names_match(list, name): whether any of the list matches. */
bool names_match(const struct names *list, struct str name);
