/*
 * logsql/filter_format.c - writing filters.
 * One job: the canonical text of a filter, which reads back as the same filter.
 * Floor: 2 (uses record, base).
 */
#include "logsql/filter_internal.h"

static void
put_field(struct buf *out, struct str field)
{
	if (str_eq(field, STR("_msg")))
		return;
	logsql_quote(out, field);
	buf_byte(out, ':');
}

/* (a,b,c) */
static void
put_args(struct buf *out, const char *name, const struct str *args, size_t n)
{
	size_t i;

	buf_c(out, name);
	buf_byte(out, '(');
	for (i = 0; i < n; i++) {
		if (i > 0)
			buf_byte(out, ',');
		logsql_quote(out, args[i]);
	}
	buf_byte(out, ')');
}

static void
put_set(struct buf *out, const char *name, const struct filter *f)
{
	if (f->query == NULL) {
		put_args(out, name, f->values, f->n_values);
		return;
	}
	buf_c(out, name);
	buf_byte(out, '(');
	query_format(out, f->query);
	buf_byte(out, ')');
}

static void
put_children(struct buf *out, const struct filter *f)
{
	const char *between = f->kind == FILTER_AND ? " " : " or ";
	const struct filter *c;
	size_t i;

	for (i = 0; i < f->n_children; i++) {
		c = f->children[i];
		if (i > 0)
			buf_c(out, between);
		if (c->kind == FILTER_OR) {
			buf_byte(out, '(');
			filter_format(out, c);
			buf_byte(out, ')');
		} else
			filter_format(out, c);
	}
}

static void
put_not(struct buf *out, const struct filter *c)
{
	bool brackets = c->kind == FILTER_AND || c->kind == FILTER_OR;

	buf_byte(out, '!');
	if (brackets)
		buf_byte(out, '(');
	filter_format(out, c);
	if (brackets)
		buf_byte(out, ')');
}

static void
put_stream(struct buf *out, const struct stream_filter *s)
{
	const struct label_test *t;
	size_t i, k;

	buf_byte(out, '{');
	for (i = 0; i < s->n; i++) {
		if (i > 0)
			buf_c(out, " or ");
		for (k = 0; k < s->ors[i].n; k++) {
			t = &s->ors[i].tests[k];
			if (k > 0)
				buf_byte(out, ',');
			logsql_quote(out, t->name);
			buf_c(out, t->negative ? "!" : t->regex == NULL ? "=" : "=~");
			if (t->negative)
				buf_byte(out, t->regex == NULL ? '=' : '~');
			logsql_quote_always(out, t->value);
		}
	}
	buf_byte(out, '}');
}

static void
put_ipv4(struct buf *out, uint64_t ip)
{
	buf_printf(out, "%u.%u.%u.%u", (unsigned)(ip >> 24) & 255, (unsigned)(ip >> 16) & 255,
	    (unsigned)(ip >> 8) & 255, (unsigned)ip & 255);
}

static void
put_ipv4_range(struct buf *out, const struct filter *f)
{
	buf_c(out, "ipv4_range(");
	put_ipv4(out, f->from);
	buf_c(out, ", ");
	put_ipv4(out, f->to);
	buf_byte(out, ')');
}

static void
put_ids(struct buf *out, const struct filter *f)
{
	buf_c(out, "_stream_id:");
	if (f->query == NULL && f->n_values == 1)
		logsql_quote(out, f->values[0]);
	else
		put_set(out, "in", f);
}

static void
put_text(struct buf *out, const char *before, struct str text, const char *after)
{
	buf_c(out, before);
	logsql_quote(out, text);
	buf_c(out, after);
}

/* How the leaves that are one text with something around it are written. */
static const struct around {
	const char *before, *after;
} around[] = {
	[FILTER_PHRASE] = { "", "" },
	[FILTER_PREFIX] = { "", "*" },
	[FILTER_SUBSTRING] = { "*", "*" },
	[FILTER_EXACT] = { "=", "" },
	[FILTER_EXACT_PREFIX] = { "=", "*" },
	[FILTER_NOCASE_PHRASE] = { "i(", ")" },
	[FILTER_NOCASE_PREFIX] = { "i(", "*)" },
	[FILTER_REGEX] = { "~", "" },
	[FILTER_VALUE_TYPE] = { "value_type(", ")" },
	[FILTER_MIN_LEVEL] = { "min_level(", ")" },
	[FILTER_EQ_FIELD] = { "eq_field(", ")" },
	[FILTER_LE_FIELD] = { "le_field(", ")" },
	[FILTER_LT_FIELD] = { "lt_field(", ")" },
};

/* And those that are a list of values. */
static const char *const list_names[] = {
	[FILTER_IN] = "in",
	[FILTER_CONTAINS_ALL] = "contains_all",
	[FILTER_CONTAINS_ANY] = "contains_any",
	[FILTER_CONTAINS_COMMON] = "contains_common_case",
	[FILTER_EQUALS_COMMON] = "equals_common_case",
	[FILTER_JSON_ARRAY_ANY] = "json_array_contains_any",
	[FILTER_SEQ] = "seq",
	[FILTER_STRING_RANGE] = "string_range",
	[FILTER_LEN_RANGE] = "len_range",
	[FILTER_IPV6_RANGE] = "ipv6_range",
};

/* A leaf that is not one of the special fields. */
static void
put_leaf(struct buf *out, const struct filter *f)
{
	if (f->kind == FILTER_ANY_VALUE)
		buf_byte(out, '*');
	else if (f->repr.n != 0)
		buf_str(out, f->repr);
	else if (f->kind == FILTER_PATTERN)
		put_args(out, pattern_function(f->pattern), &f->text, 1);
	else if (f->kind == FILTER_IPV4_RANGE)
		put_ipv4_range(out, f);
	else if (f->kind < ARRAY_LEN(around) && around[f->kind].before != NULL)
		put_text(out, around[f->kind].before, f->text, around[f->kind].after);
	else if (f->kind < ARRAY_LEN(list_names) && list_names[f->kind] != NULL)
		put_set(out, list_names[f->kind], f);
}

static void
put_time(struct buf *out, const struct filter *f)
{
	buf_c(out, "_time:");
	buf_str(out, f->repr);
}

void
filter_format(struct buf *out, const struct filter *f)
{
	if (f->kind == FILTER_ALL)
		buf_byte(out, '*');
	else if (f->kind == FILTER_NONE)
		buf_c(out, "!*");
	else if (f->kind == FILTER_AND || f->kind == FILTER_OR)
		put_children(out, f);
	else if (f->kind == FILTER_NOT)
		put_not(out, f->children[0]);
	else if (f->kind == FILTER_TIME || f->kind == FILTER_DAY_RANGE ||
	    f->kind == FILTER_WEEK_RANGE)
		put_time(out, f);
	else if (f->kind == FILTER_STREAM)
		put_stream(out, f->stream);
	else if (f->kind == FILTER_STREAM_ID)
		put_ids(out, f);
	else {
		/* A bare * would be every row. */
		if (f->kind == FILTER_ANY_VALUE && str_eq(f->field, STR("_msg")))
			buf_c(out, "_msg:");
		put_field(out, f->field);
		put_leaf(out, f);
	}
}
