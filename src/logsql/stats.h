/*
 * logsql/stats.h - stats functions of a query.
 * One job: what stats, running_stats and total_stats were told to count, as their text says it.
 * Floor: 2 (uses record, base).
 */
#pragma once

#include "logsql/lex.h"

struct filter;

/* A list of field names; those that may be prefixes end in '*'. */
struct names {
	struct str *p;
	size_t n;
};

enum stats_kind {
	STATS_ANY,
	STATS_AVG,
	STATS_COUNT,
	STATS_COUNT_EMPTY,
	STATS_COUNT_UNIQ,
	STATS_COUNT_UNIQ_HASH,
	STATS_FIELD_MAX,
	STATS_FIELD_MIN,
	STATS_FIRST, /* running_stats and total_stats alone */
	STATS_HISTOGRAM,
	STATS_JSON_VALUES,
	STATS_LAST, /* running_stats and total_stats alone */
	STATS_MAX,
	STATS_MEDIAN,
	STATS_MIN,
	STATS_QUANTILE,
	STATS_RATE,
	STATS_RATE_SUM,
	STATS_ROW_ANY,
	STATS_ROW_MAX,
	STATS_ROW_MIN,
	STATS_STDDEV,
	STATS_SUM,
	STATS_SUM_LEN,
	STATS_UNIQ_VALUES,
	STATS_VALUES,
	STATS_KINDS
};

struct sort_key {
	struct str name;
	bool desc;
};

struct stats_func {
	enum stats_kind kind;
	struct names names; /* arguments; of row_max and field_max without the first */
	struct str
	    field;  /* row_max, row_min, field_max, field_min, histogram: the field that decides */
	double phi; /* quantile */
	struct str phi_text;   /* as written */
	uint64_t limit;        /* 0: none */
	struct sort_key *sort; /* json_values sort by (…) */
	size_t n_sort;
	struct filter *filter;   /* if (…) or case (…); NULL: none */
	struct filter **not_any; /* default of switch: rows that none of these matches */
	size_t n_not_any;
	size_t n_cases;  /* above 0: the first of so many cases of one switch */
	bool is_case;    /* belongs to a switch */
	bool is_default; /* the default of a switch */
	double step_s;   /* rate, rate_sum: length of the bucket in s; 0: no bucket */
	struct str name; /* of the result */
};

enum stats_bucket {
	BUCKET_NONE,
	BUCKET_SIZE, /* a number, size or duration in ns */
	BUCKET_IPV4, /* a mask: size is 2^(32 - bits) */
	BUCKET_WEEK,
	BUCKET_MONTH,
	BUCKET_YEAR,
};

struct stats_by {
	struct str name;
	enum stats_bucket bucket;
	double size;
	double offset;
	struct str size_text, offset_text; /* as written */
};

/** stats_is_func(word): whether it names a stats function, in any case. */
bool stats_is_func(struct str word);

/** stats_func_parse(l, running, ret): one function with its arguments, without condition and
 * name. */
int stats_func_parse(struct lex *l, bool running, struct stats_func *ret);

/** stats_func_format(out, f): its canonical text, without condition and name. */
void stats_func_format(struct buf *out, const struct stats_func *f);

/** stats_by_parse(l, ret, ret_n): "(" field[:bucket [offset o]], … ")". */
int stats_by_parse(struct lex *l, struct stats_by **ret, size_t *ret_n);
void stats_by_format(struct buf *out, const struct stats_by *by, size_t n);
