/*
 * logsql/stats.c - stats functions of a query.
 * One job: which functions there are, what stands in their brackets, and how they are written
 * again.
 * Floor: 2 (uses base).
 */
#include "logsql/lex_internal.h"
#include "logsql/pipe_internal.h"

enum stats_args {
	ARGS_WILD,  /* any names and prefixes; none is all of them */
	ARGS_PLAIN, /* at least one name, no prefixes */
	ARGS_NONE,
	ARGS_ONE,   /* one name */
	ARGS_TWO,   /* two names: the field that decides, the field that is given */
	ARGS_FIRST, /* one name that decides, then any */
	ARGS_PHI,   /* a number from 0 to 1, then any */
};

static const struct {
	const char *name;
	enum stats_kind kind;
	enum stats_args args;
	bool limit;   /* limit N may follow */
	bool running; /* running_stats and total_stats have it */
	bool only_running;
} stats_funcs[] = {
	{ "any", STATS_ANY, ARGS_ONE, false, false, false },
	{ "avg", STATS_AVG, ARGS_WILD, false, false, false },
	{ "count", STATS_COUNT, ARGS_WILD, false, true, false },
	{ "count_empty", STATS_COUNT_EMPTY, ARGS_WILD, false, false, false },
	{ "count_uniq", STATS_COUNT_UNIQ, ARGS_PLAIN, true, false, false },
	{ "count_uniq_hash", STATS_COUNT_UNIQ_HASH, ARGS_PLAIN, true, false, false },
	{ "field_max", STATS_FIELD_MAX, ARGS_TWO, false, false, false },
	{ "field_min", STATS_FIELD_MIN, ARGS_TWO, false, false, false },
	{ "first", STATS_FIRST, ARGS_ONE, false, true, true },
	{ "histogram", STATS_HISTOGRAM, ARGS_ONE, false, false, false },
	{ "json_values", STATS_JSON_VALUES, ARGS_WILD, true, false, false },
	{ "last", STATS_LAST, ARGS_ONE, false, true, true },
	{ "max", STATS_MAX, ARGS_WILD, false, true, false },
	{ "median", STATS_MEDIAN, ARGS_WILD, false, false, false },
	{ "min", STATS_MIN, ARGS_WILD, false, true, false },
	{ "quantile", STATS_QUANTILE, ARGS_PHI, false, false, false },
	{ "rate", STATS_RATE, ARGS_NONE, false, false, false },
	{ "rate_sum", STATS_RATE_SUM, ARGS_WILD, false, false, false },
	{ "row_any", STATS_ROW_ANY, ARGS_WILD, false, false, false },
	{ "row_max", STATS_ROW_MAX, ARGS_FIRST, false, false, false },
	{ "row_min", STATS_ROW_MIN, ARGS_FIRST, false, false, false },
	{ "stddev", STATS_STDDEV, ARGS_WILD, false, false, false },
	{ "sum", STATS_SUM, ARGS_WILD, false, true, false },
	{ "sum_len", STATS_SUM_LEN, ARGS_WILD, false, false, false },
	{ "uniq_values", STATS_UNIQ_VALUES, ARGS_WILD, true, false, false },
	{ "values", STATS_VALUES, ARGS_WILD, true, false, false },
};

bool
stats_is_func(struct str word)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(stats_funcs); i++)
		if (!stats_funcs[i].only_running && str_eq_nocase(word, str_c(stats_funcs[i].name)))
			return true;
	return false;
}

static int
fail_unknown(struct lex *l, bool running)
{
	const char *table[ARRAY_LEN(stats_funcs)];
	const char *near;
	size_t i, n = 0;

	for (i = 0; i < ARRAY_LEN(stats_funcs); i++)
		if (running ? stats_funcs[i].running : !stats_funcs[i].only_running)
			table[n++] = stats_funcs[i].name;
	near = l->end || l->quoted ? NULL : logsql_nearest(l->token, table, n);
	if (near == NULL)
		return lex_fail_want(l, "a stats function");
	return lex_fail(l, "there is no stats function %.*s; did you mean %s?",
	    l->token.n > 40 ? 40 : (int)l->token.n, (const char *)l->token.p, near);
}

static int
take_phi(struct lex *start, struct stats_func *f)
{
	if (f->names.n == 0 || !value_float(f->names.p[0], &f->phi))
		return lex_fail(start, "expected a number from 0 to 1 first");
	if (!(f->phi >= 0 && f->phi <= 1))
		return lex_fail(start, "expected a number from 0 to 1");
	f->phi_text = f->names.p[0];
	f->names.p++;
	f->names.n--;
	return 0;
}

static int
take_field(struct lex *start, struct stats_func *f)
{
	if (f->names.n == 0 || name_is_wild(f->names.p[0]))
		return lex_fail(start, "expected the name of a field first");
	f->field = f->names.p[0];
	f->names.p++;
	f->names.n--;
	return 0;
}

/* A list without a name, or with "*" in it, is all fields. */
static void
widen(struct names *names)
{
	static struct str all[1] = { STR_INIT("*") };
	size_t i;

	for (i = 0; i < names->n; i++)
		if (str_eq(names->p[i], STR("*")))
			break;
	if (names->n != 0 && i == names->n)
		return;
	names->p = all;
	names->n = 1;
}

static int
check_args(struct lex *start, enum stats_args args, struct stats_func *f)
{
	int r;

	switch (args) {
	case ARGS_WILD:
		widen(&f->names);
		return 0;
	case ARGS_PLAIN:
		return f->names.n > 0 ? 0 : lex_fail(start, "expected at least one field");
	case ARGS_NONE:
		return f->names.n == 0 ? 0 : lex_fail(start, "takes no fields");
	case ARGS_ONE:
		r = take_field(start, f);
		if (r == 0 && f->names.n != 0)
			return lex_fail(start, "takes one field alone");
		return r;
	case ARGS_TWO:
		r = take_field(start, f);
		if (r == 0 && f->names.n != 1)
			return lex_fail(start, "takes two fields");
		return r;
	case ARGS_FIRST:
		r = take_field(start, f);
		widen(&f->names);
		return r;
	case ARGS_PHI:
		r = take_phi(start, f);
		widen(&f->names);
		return r;
	}
	return 0;
}

static int
options_parse(struct lex *l, bool limit, struct stats_func *f)
{
	bool had = false;
	int r = 0;

	if (f->kind == STATS_JSON_VALUES && lex_is_any(l, "sort order")) {
		r = lex_next(l);
		if (r == 0)
			r = part_skip(l, "by", NULL);
		if (r == 0)
			r = part_sort_keys(l, &f->sort, &f->n_sort);
	}
	if (r == 0 && limit)
		r = part_skip(l, "limit", &had);
	if (r == 0 && had)
		r = part_uint(l, "the limit", &f->limit);
	if (r == 0 && (f->kind == STATS_FIRST || f->kind == STATS_LAST))
		r = part_skip(l, "offset", &had);
	else
		had = false;
	if (r == 0 && had)
		r = part_uint(l, "the offset", &f->limit);
	return r;
}

int
stats_func_parse(struct lex *l, bool running, struct stats_func *ret)
{
	struct lex start = *l;
	bool wild;
	size_t i;
	int r;

	for (i = 0; i < ARRAY_LEN(stats_funcs); i++)
		if ((running ? stats_funcs[i].running : !stats_funcs[i].only_running) &&
		    lex_is(l, stats_funcs[i].name))
			break;
	if (i == ARRAY_LEN(stats_funcs))
		return fail_unknown(l, running);
	*ret = (struct stats_func){ .kind = stats_funcs[i].kind };
	wild = stats_funcs[i].args == ARGS_WILD || stats_funcs[i].args == ARGS_FIRST ||
	    stats_funcs[i].args == ARGS_PHI;
	r = lex_next(l);
	if (r == 0)
		r = part_names_in(l, wild, &ret->names);
	if (r == 0)
		r = check_args(&start, stats_funcs[i].args, ret);
	if (r == 0)
		r = options_parse(l, stats_funcs[i].limit, ret);
	return r;
}

static bool
is_all(const struct names *names)
{
	return names->n == 1 && str_eq(names->p[0], STR("*"));
}

void
stats_func_format(struct buf *out, const struct stats_func *f)
{
	const char *between = "";
	size_t i;

	for (i = 0; stats_funcs[i].kind != f->kind; i++)
		continue;
	buf_c(out, stats_funcs[i].name);
	buf_byte(out, '(');
	if (f->phi_text.n != 0 || f->field.n != 0) {
		if (f->phi_text.n != 0)
			buf_str(out, f->phi_text);
		else
			logsql_quote(out, f->field);
		between = ", ";
	}
	if (f->names.n != 0 && (*between == '\0' || !is_all(&f->names))) {
		buf_c(out, between);
		part_format_names(out, &f->names);
	}
	buf_byte(out, ')');
	if (f->n_sort != 0) {
		buf_c(out, " sort by ");
		part_format_sort_keys(out, f->sort, f->n_sort);
	}
	if (f->limit == 0)
		return;
	buf_c(out, stats_funcs[i].only_running ? " offset " : " limit ");
	buf_uint(out, f->limit);
}

static const struct {
	const char *name;
	enum stats_bucket bucket;
	double size;
} bucket_names[] = {
	{ "nanosecond", BUCKET_SIZE, 1 },
	{ "microsecond", BUCKET_SIZE, 1e3 },
	{ "millisecond", BUCKET_SIZE, 1e6 },
	{ "second", BUCKET_SIZE, 1e9 },
	{ "minute", BUCKET_SIZE, 60e9 },
	{ "hour", BUCKET_SIZE, 3600e9 },
	{ "day", BUCKET_SIZE, 86400e9 },
	{ "week", BUCKET_WEEK, 604800e9 },
	{ "month", BUCKET_MONTH, 86400e9 },
	{ "year", BUCKET_YEAR, 86400e9 },
};

/* A number, duration or size. */
static bool
parse_amount(struct str s, double *ret)
{
	int64_t n;

	if (value_float(s, ret))
		return true;
	if (!value_duration(s, &n) && !value_bytes(s, &n))
		return false;
	*ret = (double)n;
	return true;
}

static bool
bucket_of(struct str s, struct stats_by *by)
{
	uint64_t bits;
	size_t i;

	for (i = 0; i < ARRAY_LEN(bucket_names); i++) {
		if (str_eq_c(s, bucket_names[i].name)) {
			by->bucket = bucket_names[i].bucket;
			by->size = bucket_names[i].size;
			return true;
		}
	}
	by->bucket = BUCKET_SIZE;
	if (parse_amount(s, &by->size))
		return by->size > 0;
	if (s.n < 2 || s.p[0] != '/' || !value_uint(str_sub(s, 1, s.n), &bits) || bits > 32)
		return false;
	by->bucket = BUCKET_IPV4;
	by->size = (double)(UINT64_C(1) << (32 - bits));
	return true;
}

static int
by_one(struct lex *l, struct stats_by *by)
{
	struct lex start;
	bool had;
	int r;

	start = *l;
	r = lex_compound_until(l, LEX_STOPS " :", &by->name);
	if (r == 0 && by->name.n == 0)
		by->name = STR("_msg");
	if (r == 0 && name_is_wild(by->name))
		return lex_fail(&start, "expected the name of one field, without '*'");
	if (r == 0)
		r = part_skip(l, ":", &had);
	if (r != 0 || !had)
		return r;
	start = *l;
	r = lex_compound(l, &by->size_text);
	if (r == 0 && !bucket_of(by->size_text, by))
		return lex_fail(&start, "expected a bucket: 5m, 1KiB, 10, /24, day, month, …");
	if (r == 0)
		r = part_skip(l, "offset", &had);
	if (r != 0 || !had)
		return r;
	start = *l;
	r = lex_compound(l, &by->offset_text);
	if (r == 0 && !parse_amount(by->offset_text, &by->offset))
		return lex_fail(&start, "expected an offset: a duration, size or number");
	return r;
}

enum { BY_MAX = 64 };

int
stats_by_parse(struct lex *l, struct stats_by **ret, size_t *ret_n)
{
	struct stats_by *by = arena_zalloc(l->arena, BY_MAX, sizeof(*by));
	bool more = true;
	size_t n = 0;
	int r;

	if (by == NULL)
		return err_origin(-ENOMEM);
	r = lex_expect(l, "(");
	while (r == 0 && more && !lex_is(l, ")")) {
		if (n == BY_MAX)
			return lex_fail(l, "more than %d fields", BY_MAX);
		r = by_one(l, &by[n++]);
		if (r == 0)
			r = part_skip(l, ",", &more);
	}
	if (r != 0)
		return r;
	*ret = by;
	*ret_n = n;
	return lex_expect(l, ")");
}

void
stats_by_format(struct buf *out, const struct stats_by *by, size_t n)
{
	size_t i;

	if (n == 0)
		return;
	buf_c(out, " by (");
	for (i = 0; i < n; i++) {
		if (i > 0)
			buf_c(out, ", ");
		logsql_quote(out, by[i].name);
		if (by[i].size_text.n == 0)
			continue;
		buf_byte(out, ':');
		buf_str(out, by[i].size_text);
		if (by[i].offset_text.n == 0)
			continue;
		buf_c(out, " offset ");
		buf_str(out, by[i].offset_text);
	}
	buf_byte(out, ')');
}
