/*
 * logsql/filter_parse_func.c - reading functions.
 * One job: name(arguments), by a table of names.
 * Floor: 2 (uses record, base).
 *
 * A name without its bracket is a word like any other.
 */
#include <math.h>

#include "logsql/filter_internal.h"
#include "logsql/value.h"

struct func {
	const char *name;
	/* At the bracket after the name. */
	int (*parse)(struct lex *l, struct str field, const struct func *fn, struct filter **ret);
	enum filter_kind kind;
	unsigned n_args; /* exactly; 0: any number */
	int extra;       /* the function's own */
};

/* "(" arguments ")" and a leaf for them. */
static int
parse_leaf(struct lex *l, struct str field, const struct func *fn, struct str_list *ret_args,
    struct filter **ret)
{
	size_t at = l->at;
	struct lex place;
	int r;

	r = filter_parse_args(l, ret_args);
	if (r != 0)
		return err_trace(r);
	if (fn->n_args != 0 && ret_args->n != fn->n_args) {
		place = *l;
		place.at = at;
		return lex_fail(&place, "%s() wants %u argument%s, not %zu", fn->name, fn->n_args,
		    fn->n_args == 1 ? "" : "s", ret_args->n);
	}
	r = filter_new(l, fn->kind, field, ret);
	if (r != 0)
		return err_trace(r);
	(*ret)->values = ret_args->p;
	(*ret)->n_values = ret_args->n;
	if (fn->n_args == 1)
		(*ret)->text = ret_args->p[0];
	return 0;
}

static int
parse_plain(struct lex *l, struct str field, const struct func *fn, struct filter **ret)
{
	struct str_list args = { 0 };

	return err_trace(parse_leaf(l, field, fn, &args, ret));
}

static int
parse_other_field(struct lex *l, struct str field, const struct func *fn, struct filter **ret)
{
	int r;

	r = parse_plain(l, field, fn, ret);
	if (r == 0 && (*ret)->text.n == 0)
		(*ret)->text = STR("_msg");
	return err_trace(r);
}

/* exact(text), exact(text*), i(text), i(text*); the kind for a prefix is the next one. */
static int
parse_maybe_prefix(struct lex *l, struct str field, const struct func *fn, struct filter **ret)
{
	enum filter_kind kind = fn->kind;
	struct str text = STR_NONE;
	int r;

	r = lex_expect(l, "(");
	if (r == 0 && !lex_is(l, "*"))
		r = lex_compound_until(l, "* , ( ) |", &text);
	if (r == 0 && lex_is(l, "*") && (!l->space || text.n == 0)) {
		kind = fn->kind == FILTER_EXACT ? FILTER_EXACT_PREFIX : FILTER_NOCASE_PREFIX;
		r = lex_next(l);
	}
	if (r == 0)
		r = lex_expect(l, ")");
	if (r == 0)
		r = filter_new(l, kind, field, ret);
	if (r != 0)
		return err_trace(r);
	(*ret)->text = text;
	return err_trace(filter_fold(l, *ret));
}

static int
parse_regex(struct lex *l, struct str field, const struct func *fn, struct filter **ret)
{
	struct str_list args = { 0 };
	size_t at = l->at;
	int r;

	r = parse_leaf(l, field, fn, &args, ret);
	if (r != 0)
		return err_trace(r);
	return err_trace(filter_new_regex(l, field, at, args.p[0], ret));
}

/* name(values) or name(query). */
static int
parse_set(struct lex *l, struct str field, const struct func *fn, struct filter **ret)
{
	struct lex saved = *l;
	struct str_list args = { 0 };
	struct logsql_error first;
	bool all = false;
	int r;

	r = filter_new(l, fn->kind, field, ret);
	if (r != 0)
		return err_trace(r);
	r = filter_parse_args(l, &args);
	if (r == 0) {
		/* name(*) asks for nothing. */
		if (args.n == 1 && str_eq(args.p[0], STR("*")))
			(*ret)->kind = FILTER_ALL;
		return err_trace(filter_new_set(l, *ret, &args));
	}
	if (r != LOGSQL_E_SYNTAX)
		return err_trace(r);
	first = *l->error;
	*l = saved;
	args.n = 0;
	r = filter_parse_subquery(l, *ret, &all);
	/* Of two ways to read it, the one that came further is the one that was meant. */
	if (r == LOGSQL_E_SYNTAX && first.at >= l->error->at)
		*l->error = first;
	if (r != 0)
		return err_trace(r);
	if (all)
		(*ret)->kind = FILTER_ALL;
	return err_trace(filter_new_set(l, *ret, &args));
}

static int
parse_common(struct lex *l, struct str field, const struct func *fn, struct filter **ret)
{
	struct str_list args = { 0 }, cases = { 0 };
	int r;

	r = parse_leaf(l, field, fn, &args, ret);
	if (r == 0)
		r = common_cases(&args, l->arena, &cases);
	if (r == 0)
		r = filter_new_set(l, *ret, &cases);
	if (r != 0)
		return err_trace(r);
	(*ret)->values = args.p;
	(*ret)->n_values = args.n;
	return 0;
}

static int
parse_pattern(struct lex *l, struct str field, const struct func *fn, struct filter **ret)
{
	int r;

	r = parse_plain(l, field, fn, ret);
	if (r != 0)
		return err_trace(r);
	return err_trace(
	    pattern_new(&(*ret)->pattern, (*ret)->text, (enum pattern_where)fn->extra, l->arena));
}

static int
parse_ip_range(struct lex *l, struct str field, const struct func *fn, struct filter **ret)
{
	struct str_list args = { 0 };
	struct lex place = *l;
	struct str last;
	int r;

	r = parse_leaf(l, field, fn, &args, ret);
	if (r != 0)
		return err_trace(r);
	if (args.n != 1 && args.n != 2)
		return lex_fail(&place, "%s() wants one or two addresses, or a network", fn->name);
	last = args.p[args.n - 1];
	if (fn->kind == FILTER_IPV4_RANGE ? ip4_range(*ret, args.p[0], args.n == 2 ? &last : NULL)
	                                  : ip6_range(*ret, args.p[0], args.n == 2 ? &last : NULL))
		return 0;
	return lex_fail(&place, "%s() wants addresses such as %s", fn->name,
	    fn->kind == FILTER_IPV4_RANGE ? "10.0.0.1 or 10.0.0.0/8" : "::1 or fe80::/10");
}

static int
parse_len_range(struct lex *l, struct str field, const struct func *fn, struct filter **ret)
{
	struct str_list args = { 0 };
	struct lex place = *l;
	int r;

	r = parse_leaf(l, field, fn, &args, ret);
	if (r != 0)
		return err_trace(r);
	if (!value_length(args.p[0], &(*ret)->from) || !value_length(args.p[1], &(*ret)->to))
		return lex_fail(&place, "%s() wants two lengths", fn->name);
	return 0;
}

static int
parse_min_level(struct lex *l, struct str field, const struct func *fn, struct filter **ret)
{
	struct lex place = *l;
	int r;

	r = parse_plain(l, field, fn, ret);
	if (r != 0)
		return err_trace(r);
	(*ret)->level = level_severity((*ret)->text);
	if ((*ret)->level == SEVERITY_UNKNOWN)
		return lex_fail(&place, "%s() wants a level such as error, warn or info", fn->name);
	if (field.n == 0)
		return err_trace(filter_new_levels(l, *ret, ret));
	return 0;
}

/* After its opening bracket: nextafter where a bound is left out. */
static int
parse_bounds(struct lex *l, bool open_min, struct filter *f)
{
	struct str text[2];
	bool open_max;
	int r;

	r = filter_parse_number(l, &f->min, &text[0]);
	if (r == 0)
		r = lex_expect(l, ",");
	if (r == 0)
		r = filter_parse_number(l, &f->max, &text[1]);
	if (r != 0)
		return err_trace(r);
	open_max = lex_is(l, ")");
	if (!open_max && !lex_is(l, "]"))
		return lex_fail_want(l, "')' or ']'");
	if (open_min && !isinf(f->min))
		f->min = nextafter(f->min, INFINITY);
	if (open_max && !isinf(f->max))
		f->max = nextafter(f->max, -INFINITY);
	r = filter_repr_range(l, f, open_min ? '(' : '[', text, open_max ? ')' : ']');
	return r != 0 ? err_trace(r) : err_trace(lex_next(l));
}

static int
parse_range(struct lex *l, struct str field, const struct func *fn, struct filter **ret)
{
	bool open_min = lex_is(l, "(");
	int r;

	r = lex_next(l);
	if (r == 0)
		r = filter_new(l, fn->kind, field, ret);
	if (r != 0)
		return err_trace(r);
	return err_trace(parse_bounds(l, open_min, *ret));
}

static const struct func funcs[] = {
	{ "contains_all", parse_set, FILTER_CONTAINS_ALL, 0, 0 },
	{ "contains_any", parse_set, FILTER_CONTAINS_ANY, 0, 0 },
	{ "contains_common_case", parse_common, FILTER_CONTAINS_COMMON, 0, 0 },
	{ "eq_field", parse_other_field, FILTER_EQ_FIELD, 1, 0 },
	{ "equals_common_case", parse_common, FILTER_EQUALS_COMMON, 0, 0 },
	{ "exact", parse_maybe_prefix, FILTER_EXACT, 0, 0 },
	{ "i", parse_maybe_prefix, FILTER_NOCASE_PHRASE, 0, 0 },
	{ "in", parse_set, FILTER_IN, 0, 0 },
	{ "ipv4_range", parse_ip_range, FILTER_IPV4_RANGE, 0, 0 },
	{ "ipv6_range", parse_ip_range, FILTER_IPV6_RANGE, 0, 0 },
	{ "json_array_contains_any", parse_plain, FILTER_JSON_ARRAY_ANY, 0, 0 },
	{ "le_field", parse_other_field, FILTER_LE_FIELD, 1, 0 },
	{ "len_range", parse_len_range, FILTER_LEN_RANGE, 2, 0 },
	{ "lt_field", parse_other_field, FILTER_LT_FIELD, 1, 0 },
	{ "min_level", parse_min_level, FILTER_MIN_LEVEL, 1, 0 },
	{ "pattern_match", parse_pattern, FILTER_PATTERN, 1, PATTERN_ANYWHERE },
	{ "pattern_match_full", parse_pattern, FILTER_PATTERN, 1, PATTERN_FULL },
	{ "pattern_match_prefix", parse_pattern, FILTER_PATTERN, 1, PATTERN_START },
	{ "pattern_match_suffix", parse_pattern, FILTER_PATTERN, 1, PATTERN_END },
	{ "range", parse_range, FILTER_RANGE, 0, 0 },
	{ "re", parse_regex, FILTER_REGEX, 1, 0 },
	{ "seq", parse_plain, FILTER_SEQ, 0, 0 },
	{ "string_range", parse_plain, FILTER_STRING_RANGE, 2, 0 },
	{ "value_type", parse_plain, FILTER_VALUE_TYPE, 1, 0 },
};

int
filter_parse_function(struct lex *l, struct str field, struct filter **ret, bool *ret_done)
{
	const struct func *fn = NULL;
	size_t i, start = l->at;
	int r;

	for (i = 0; i < ARRAY_LEN(funcs) && fn == NULL; i++)
		if (lex_is(l, funcs[i].name))
			fn = &funcs[i];
	*ret_done = fn != NULL;
	if (fn == NULL)
		return 0;
	r = lex_next(l);
	if (r != 0)
		return err_trace(r);
	if (lex_is(l, "(") || (fn->kind == FILTER_RANGE && lex_is(l, "[")))
		return err_trace(fn->parse(l, field, fn, ret));
	return err_trace(filter_parse_word(l, field, start, ret));
}
