/*
 * logsql/pipe_part_rows.c - which rows pipes hand on, and how many.
 * One job: limits, counts, by (…) and the options of top, uniq, facets and their like.
 * Floor: 2 (uses base).
 */
#include "logsql/pipe_internal.h"

enum { TOP_DEFAULT = 10, FACETS_VALUES = 1000, FACETS_VALUE_LEN = 128, PATTERNS_DEFAULT = 20 };

static void
put_uint(struct buf *out, const char *word, uint64_t v)
{
	buf_byte(out, ' ');
	if (*word != '\0') {
		buf_c(out, word);
		buf_byte(out, ' ');
	}
	buf_uint(out, v);
}

/* A count of rows in any notation of numbers: 10, 1_000, 10K. */
static int
parse_rows(struct lex *l, uint64_t *ret)
{
	struct lex start = *l;
	double v;
	int r;

	r = part_number(l, &v, NULL);
	if (r != 0)
		return r;
	if (!(v >= 0)) {
		*l = start;
		return lex_fail(l, "expected a number of rows, which cannot be negative");
	}
	*ret = v >= 18446744073709549568.0 ? UINT64_MAX : (uint64_t)v;
	return 0;
}

/* The same, but no part of a row. */
static int
parse_rows_whole(struct lex *l, uint64_t *ret)
{
	struct lex start = *l;
	struct str text;
	double v;
	int r;

	r = lex_compound(l, &text);
	if (r != 0)
		return err_trace(r);
	if (value_length(text, ret))
		return 0;
	*l = start;
	if (value_number(text, &v) && v < 0)
		return lex_fail(l, "expected a number of rows, which cannot be negative");
	return lex_fail(l, "expected a number of rows, a whole one");
}

/* Above 0, and cut to a whole one. */
static int
parse_rows_positive(struct lex *l, uint64_t *ret)
{
	struct lex start = *l;
	int r;

	r = parse_rows(l, ret);
	if (r == 0 && *ret == 0) {
		*l = start;
		return lex_fail(l, "expected a number above 0");
	}
	return r;
}

static bool
at_number(const struct lex *l)
{
	return !l->end && l->token.n > 0 &&
	    ((l->token.p[0] >= '0' && l->token.p[0] <= '9') || lex_is(l, "-") || lex_is(l, "+"));
}

static int
limit_or_10_parse(struct lex *l, struct pipe *p)
{
	p->limit = TOP_DEFAULT;
	return part_ends(l) ? 0 : parse_rows_whole(l, &p->limit);
}

static void
limit_n_format(struct buf *out, const struct pipe *p)
{
	put_uint(out, "", p->limit);
}

static int
offset_parse(struct lex *l, struct pipe *p)
{
	return parse_rows_whole(l, &p->offset);
}

static void
offset_format(struct buf *out, const struct pipe *p)
{
	put_uint(out, "", p->offset);
}

static int
sample_parse(struct lex *l, struct pipe *p)
{
	struct lex start = *l;
	int r = parse_rows_whole(l, &p->limit);

	if (r == 0 && p->limit == 0) {
		*l = start;
		return lex_fail(l, "expected a number above 0");
	}
	return err_trace(r);
}

static int
limit_parse(struct lex *l, struct pipe *p)
{
	bool had;
	int r;

	r = part_skip(l, "limit", &had);
	if (r != 0 || !had)
		return r;
	return part_uint(l, "the limit", &p->limit);
}

static void
limit_format(struct buf *out, const struct pipe *p)
{
	if (p->limit > 0)
		put_uint(out, "limit", p->limit);
}

/* [by] (names) or [by] name, name; ${stops} are words that are no names here. */
static int
parse_by(struct lex *l, const char *stops, struct names *ret)
{
	int r;

	r = part_skip(l, "by", NULL);
	if (r != 0)
		return r;
	if (lex_is(l, "("))
		r = part_names_in(l, false, ret);
	else if (!lex_is_any(l, stops) && !part_ends(l))
		r = part_names(l, false, ret);
	if (r == 0 && ret->n == 0)
		return lex_fail(l, "expected at least one field: by (field, …)");
	return r;
}

static void
by_format(struct buf *out, const struct pipe *p)
{
	if (p->names.n == 0)
		return;
	buf_c(out, " by (");
	part_format_names(out, &p->names);
	buf_byte(out, ')');
}

static int
unroll_by_parse(struct lex *l, struct pipe *p)
{
	return parse_by(l, "", &p->names);
}

int
part_rank(struct lex *l, struct str *ret)
{
	bool had_as;
	int r;

	*ret = STR("rank");
	r = lex_next(l);
	if (r == 0)
		r = part_skip(l, "as", &had_as);
	if (r != 0)
		return r;
	if (!had_as && (lex_is(l, "limit") || lex_is(l, "hits") || part_ends(l)))
		return 0;
	return part_name(l, ret);
}

void
part_format_rank(struct buf *out, struct str rank)
{
	if (rank.n == 0)
		return;
	buf_c(out, " rank");
	if (!str_eq(rank, STR("rank"))) {
		buf_c(out, " as ");
		logsql_quote(out, rank);
	}
}

static int
top_options_parse(struct lex *l, struct pipe *p)
{
	int r = 0;

	while (r == 0) {
		if (lex_is(l, "hits")) {
			r = lex_next(l);
			if (r == 0)
				r = part_skip(l, "as", NULL);
			if (r == 0)
				r = part_name(l, &p->to);
		} else if (lex_is(l, "rank")) {
			r = part_rank(l, &p->rank);
			if (r == 0)
				r = part_unique(l, p->rank, &p->names, &p->rank);
		} else {
			return part_unique(l, p->to, &p->names, &p->to);
		}
	}
	return r;
}

static int
top_parse(struct lex *l, struct pipe *p)
{
	int r = 0;

	p->limit = TOP_DEFAULT;
	p->to = STR("hits");
	if (at_number(l))
		r = parse_rows_positive(l, &p->limit);
	if (r == 0)
		r = parse_by(l, "hits rank", &p->names);
	if (r == 0)
		r = top_options_parse(l, p);
	return r;
}

static void
top_format(struct buf *out, const struct pipe *p)
{
	if (p->limit != TOP_DEFAULT)
		put_uint(out, "", p->limit);
	by_format(out, p);
	if (!str_eq(p->to, STR("hits"))) {
		buf_c(out, " hits as ");
		logsql_quote(out, p->to);
	}
	part_format_rank(out, p->rank);
}

static int
value_filter_parse(struct lex *l, struct pipe *p)
{
	bool had;
	int r;

	r = part_skip(l, "filter", &had);
	if (r != 0 || !had)
		return r;
	return lex_compound(l, &p->text);
}

static void
value_filter_format(struct buf *out, const struct pipe *p)
{
	if (p->text.n == 0)
		return;
	buf_c(out, " filter ");
	logsql_quote(out, p->text);
}

static int
uniq_parse(struct lex *l, struct pipe *p)
{
	bool with, hits;
	int r;

	r = parse_by(l, "filter with hits limit", &p->names);
	if (r == 0)
		r = value_filter_parse(l, p);
	if (r == 0 && p->text.n != 0 && p->names.n != 1)
		return lex_fail(l, "'filter' works with one field alone");
	if (r == 0)
		r = part_skip(l, "with", &with);
	if (r == 0 && with && !lex_is(l, "hits"))
		return lex_fail(l, "expected 'hits' after 'with'");
	if (r == 0)
		r = part_skip(l, "hits", &hits);
	if (r == 0 && hits)
		r = part_unique(l, STR("hits"), &p->names, &p->to);
	if (r == 0)
		r = limit_parse(l, p);
	return r;
}

static void
uniq_format(struct buf *out, const struct pipe *p)
{
	by_format(out, p);
	value_filter_format(out, p);
	if (p->to.n != 0)
		buf_c(out, " with hits");
	limit_format(out, p);
}

static int
facets_parse(struct lex *l, struct pipe *p)
{
	int r = 0;

	p->limit = TOP_DEFAULT;
	p->values_max = FACETS_VALUES;
	p->value_len_max = FACETS_VALUE_LEN;
	if (at_number(l))
		r = parse_rows_positive(l, &p->limit);
	while (r == 0) {
		bool had;

		r = part_skip(l, "max_values_per_field", &had);
		if (r == 0 && had) {
			r = parse_rows_positive(l, &p->values_max);
			continue;
		}
		r = part_skip(l, "max_value_len", &had);
		if (r == 0 && had) {
			r = parse_rows_positive(l, &p->value_len_max);
			continue;
		}
		if (!lex_is(l, "keep_const_fields"))
			return r;
		r = part_skip(l, "keep_const_fields", &p->flag);
	}
	return r;
}

static void
facets_format(struct buf *out, const struct pipe *p)
{
	if (p->limit != TOP_DEFAULT)
		put_uint(out, "", p->limit);
	if (p->values_max != FACETS_VALUES)
		put_uint(out, "max_values_per_field", p->values_max);
	if (p->value_len_max != FACETS_VALUE_LEN)
		put_uint(out, "max_value_len", p->value_len_max);
	if (p->flag)
		buf_c(out, " keep_const_fields");
}

static int
context_parse(struct lex *l, struct pipe *p)
{
	bool before = false, after = false, window = false, had;
	int r = 0;

	p->span.ns = NS_PER_HOUR;
	while (r == 0) {
		r = part_skip(l, "before", &had);
		if (r == 0 && had) {
			before = true;
			r = parse_rows(l, &p->offset);
			continue;
		}
		r = part_skip(l, "after", &had);
		if (r == 0 && had) {
			after = true;
			r = parse_rows(l, &p->after);
			continue;
		}
		if (r != 0 || !lex_is(l, "time_window"))
			break;
		r = part_skip(l, "time_window", &window);
		if (r == 0)
			r = part_span(l, "the window", &p->span);
		if (r == 0 && p->span.ns <= 0)
			return lex_fail(l, "the window must be above 0");
	}
	if (r == 0 && !before && !after)
		return lex_fail(l, "expected 'before N' or 'after N'");
	return r;
}

static void
context_format(struct buf *out, const struct pipe *p)
{
	char text[SPAN_TEXT_MAX];

	if (p->offset > 0)
		put_uint(out, "before", p->offset);
	if (p->after > 0 || p->offset == 0)
		put_uint(out, "after", p->after);
	if (p->span.ns == NS_PER_HOUR)
		return;
	buf_c(out, " time_window ");
	buf_put(out, text, span_format(text, p->span));
}

static int
optional_by_parse(struct lex *l, struct pipe *p)
{
	if (!lex_is(l, "by") && !lex_is(l, "("))
		return 0;
	return parse_by(l, "", &p->names);
}

static int
patterns_parse(struct lex *l, struct pipe *p)
{
	p->limit = PATTERNS_DEFAULT;
	return at_number(l) ? parse_rows_positive(l, &p->limit) : 0;
}

static void
patterns_format(struct buf *out, const struct pipe *p)
{
	if (p->limit != PATTERNS_DEFAULT)
		put_uint(out, "", p->limit);
}

const struct pipe_part part_limit_or_10 = { limit_or_10_parse, limit_n_format };
const struct pipe_part part_offset = { offset_parse, offset_format };
const struct pipe_part part_sample = { sample_parse, limit_n_format };
const struct pipe_part part_limit = { limit_parse, limit_format };
const struct pipe_part part_unroll_by = { unroll_by_parse, by_format };
const struct pipe_part part_by = { optional_by_parse, by_format };
const struct pipe_part part_top = { top_parse, top_format };
const struct pipe_part part_uniq = { uniq_parse, uniq_format };
const struct pipe_part part_facets = { facets_parse, facets_format };
const struct pipe_part part_value_filter = { value_filter_parse, value_filter_format };
const struct pipe_part part_context = { context_parse, context_format };
const struct pipe_part part_patterns = { patterns_parse, patterns_format };
