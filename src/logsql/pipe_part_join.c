/*
 * logsql/pipe_part_join.c - pipes with rows from elsewhere.
 * One job: join and union: their subqueries, and rows written out in the query.
 * Floor: 2 (uses base).
 */
#include "logsql/pipe_internal.h"

enum { ROWS_MAX = 1024, ROW_FIELDS_MAX = 256 };

static int
row_parse(struct lex *l, struct literal_row *ret)
{
	struct names pairs = { NULL, 0 };
	struct str name, value;
	bool more = true;
	int r;

	r = lex_expect(l, "{");
	while (r == 0 && more && !lex_is(l, "}")) {
		r = lex_compound_until(l, ", ( ) [ ] | : = { }", &name);
		if (r == 0)
			r = lex_is(l, "=") ? lex_next(l) : lex_expect(l, ":");
		if (r == 0)
			r = lex_compound_until(l, ", ( ) [ ] | { }", &value);
		if (r == 0)
			r = part_names_add(l, &pairs, name.n == 0 ? STR("_msg") : name);
		if (r == 0)
			r = part_names_add(l, &pairs, value);
		if (r == 0)
			r = part_skip(l, ",", &more);
	}
	ret->pairs = pairs.p;
	ret->n_pairs = pairs.n / 2;
	return r != 0 ? r : lex_expect(l, "}");
}

/* rows({a:1, b:2}, {…}), at "(". */
static int
rows_parse(struct lex *l, struct pipe *p)
{
	bool more = true;
	int r;

	p->rows = arena_zalloc(l->arena, ROWS_MAX, sizeof(*p->rows));
	if (p->rows == NULL)
		return err_origin(-ENOMEM);
	r = lex_expect(l, "(");
	while (r == 0 && more && !lex_is(l, ")")) {
		if (p->n_rows == ROWS_MAX)
			return lex_fail(l, "more than %d rows", ROWS_MAX);
		r = row_parse(l, &p->rows[p->n_rows++]);
		if (r == 0)
			r = part_skip(l, ",", &more);
	}
	return r != 0 ? r : lex_expect(l, ")");
}

/* rows(…) or (query). */
static int
source_parse(struct lex *l, struct pipe *p)
{
	bool rows;
	int r;

	r = part_skip(l, "rows", &rows);
	if (r != 0)
		return r;
	return rows ? rows_parse(l, p) : query_parse_nested(l, &p->query);
}

static void
rows_format(struct buf *out, const struct pipe *p)
{
	size_t i, k;

	buf_c(out, " rows(");
	for (i = 0; i < p->n_rows; i++) {
		buf_c(out, i > 0 ? ", {" : "{");
		for (k = 0; k < p->rows[i].n_pairs; k++) {
			if (k > 0)
				buf_c(out, ", ");
			logsql_quote(out, p->rows[i].pairs[2 * k]);
			buf_byte(out, ':');
			logsql_quote_always(out, p->rows[i].pairs[2 * k + 1]);
		}
		buf_byte(out, '}');
	}
	buf_byte(out, ')');
}

static void
source_format(struct buf *out, const struct pipe *p)
{
	if (p->query == NULL) {
		rows_format(out, p);
		return;
	}
	buf_c(out, " (");
	query_format(out, p->query);
	buf_byte(out, ')');
}

static int
join_options_parse(struct lex *l, struct pipe *p)
{
	bool had;
	int r = 0;

	while (r == 0) {
		if (!p->flag && lex_is(l, "inner")) {
			r = part_skip(l, "inner", &p->flag);
			continue;
		}
		if (p->to.n != 0)
			return 0;
		r = part_skip(l, "prefix", &had);
		if (r != 0 || !had)
			return r;
		r = lex_compound(l, &p->to);
		if (r == 0 && p->to.n == 0)
			return 0;
	}
	return r;
}

static int
join_parse(struct lex *l, struct pipe *p)
{
	int r = 0;

	if (lex_is_any(l, "by on"))
		r = lex_next(l);
	if (r == 0)
		r = part_names_in(l, false, &p->names);
	if (r == 0 && p->names.n == 0)
		return lex_fail(l, "expected at least one field: join by (field, …) (query)");
	if (r == 0)
		r = source_parse(l, p);
	if (r == 0)
		r = join_options_parse(l, p);
	return r;
}

static void
join_format(struct buf *out, const struct pipe *p)
{
	buf_c(out, " by (");
	part_format_names(out, &p->names);
	buf_byte(out, ')');
	source_format(out, p);
	if (p->flag)
		buf_c(out, " inner");
	if (p->to.n == 0)
		return;
	buf_c(out, " prefix ");
	logsql_quote(out, p->to);
}

const struct pipe_part part_join = { join_parse, join_format };
const struct pipe_part part_union = { source_parse, source_format };
