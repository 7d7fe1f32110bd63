/*
 * logsql/pipe_part_sort.c - the order of rows.
 * One job: sort, first and last: keys, directions, limits, partitions and ranks.
 * Floor: 2 (uses base).
 */
#include "logsql/pipe_internal.h"

enum { SORT_KEYS_MAX = 64 };

int
part_sort_keys(struct lex *l, struct sort_key **ret, size_t *ret_n)
{
	struct sort_key *keys;
	struct lex start = *l;
	bool more = true;
	size_t n = 0;
	int r;

	r = lex_expect(l, "(");
	keys = arena_zalloc(l->arena, SORT_KEYS_MAX, sizeof(*keys));
	if (keys == NULL)
		return err_origin(-ENOMEM);
	while (r == 0 && more && !lex_is(l, ")")) {
		if (n == SORT_KEYS_MAX)
			return lex_fail(&start, "more than %d keys", SORT_KEYS_MAX);
		r = part_name(l, &keys[n].name);
		if (r == 0)
			r = part_skip(l, "desc", &keys[n].desc);
		if (r == 0 && !keys[n].desc)
			r = part_skip(l, "asc", NULL);
		if (r == 0)
			r = part_skip(l, ",", &more);
		n++;
	}
	if (r != 0)
		return r;
	*ret = keys;
	*ret_n = n;
	return lex_expect(l, ")");
}

void
part_format_sort_keys(struct buf *out, const struct sort_key *keys, size_t n)
{
	size_t i;

	buf_byte(out, '(');
	for (i = 0; i < n; i++) {
		if (i > 0)
			buf_c(out, ", ");
		logsql_quote(out, keys[i].name);
		if (keys[i].desc)
			buf_c(out, " desc");
	}
	buf_byte(out, ')');
}

static int
by_parse(struct lex *l, struct pipe *p)
{
	bool had;
	int r;

	r = part_skip(l, "by", &had);
	if (r != 0 || (!had && !lex_is(l, "(")))
		return r;
	return part_sort_keys(l, &p->keys, &p->n_keys);
}

/* partition [by] (fields), at "partition". */
static int
partition_parse(struct lex *l, struct pipe *p)
{
	int r;

	if (p->targets.n > 0)
		return lex_fail(l, "'partition by' stands here twice");
	r = lex_next(l);
	if (r == 0)
		r = part_skip(l, "by", NULL);
	if (r == 0)
		r = part_names_in(l, false, &p->targets);
	return r;
}

/* word N, at ${word}; once. */
static int
count_parse(struct lex *l, const char *word, uint64_t *ret)
{
	int r;

	if (*ret > 0)
		return lex_fail(l, "'%s' stands here twice", word);
	r = lex_next(l);
	if (r == 0)
		r = part_uint(l, "a number of rows", ret);
	return r;
}

static int
sort_options_parse(struct lex *l, struct pipe *p)
{
	int r = 0;

	while (r == 0) {
		if (lex_is(l, "offset"))
			r = count_parse(l, "offset", &p->offset);
		else if (lex_is(l, "limit"))
			r = count_parse(l, "limit", &p->limit);
		else if (lex_is(l, "rank"))
			r = part_rank(l, &p->rank);
		else if (lex_is(l, "partition"))
			r = partition_parse(l, p);
		else
			break;
	}
	if (r == 0 && p->targets.n > 0 && p->limit == 0)
		return lex_fail(l, "'partition by' needs a 'limit'");
	return r;
}

static int
sort_parse(struct lex *l, struct pipe *p)
{
	int r;

	r = by_parse(l, p);
	if (r == 0)
		r = part_skip(l, "desc", &p->desc);
	if (r == 0 && !p->desc)
		r = part_skip(l, "asc", NULL);
	if (r == 0)
		r = sort_options_parse(l, p);
	return r;
}

static void
keys_format(struct buf *out, const struct pipe *p)
{
	if (p->n_keys == 0)
		return;
	buf_c(out, " by ");
	part_format_sort_keys(out, p->keys, p->n_keys);
}

static void
partition_format(struct buf *out, const struct pipe *p)
{
	if (p->targets.n == 0)
		return;
	buf_c(out, " partition by (");
	part_format_names(out, &p->targets);
	buf_byte(out, ')');
}

static void
sort_format(struct buf *out, const struct pipe *p)
{
	keys_format(out, p);
	if (p->desc)
		buf_c(out, " desc");
	partition_format(out, p);
	if (p->offset > 0) {
		buf_c(out, " offset ");
		buf_uint(out, p->offset);
	}
	if (p->limit > 0) {
		buf_c(out, " limit ");
		buf_uint(out, p->limit);
	}
	part_format_rank(out, p->rank);
}

static int
first_parse(struct lex *l, struct pipe *p)
{
	int r = 0;

	p->limit = 1;
	p->desc = p->kind == PIPE_LAST;
	if (!lex_is_any(l, "by partition rank (") && !part_ends(l)) {
		r = part_uint(l, "a number of rows", &p->limit);
		if (r == 0 && p->limit == 0)
			return lex_fail(l, "the number of rows must be above 0");
	}
	if (r == 0)
		r = by_parse(l, p);
	if (r == 0 && lex_is(l, "partition"))
		r = partition_parse(l, p);
	if (r == 0 && lex_is(l, "rank"))
		r = part_rank(l, &p->rank);
	return r;
}

static void
first_format(struct buf *out, const struct pipe *p)
{
	if (p->limit != 1) {
		buf_byte(out, ' ');
		buf_uint(out, p->limit);
	}
	keys_format(out, p);
	partition_format(out, p);
	part_format_rank(out, p->rank);
}

const struct pipe_part part_sort = { sort_parse, sort_format };
const struct pipe_part part_first = { first_parse, first_format };
