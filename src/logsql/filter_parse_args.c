/*
 * logsql/filter_parse_args.c - reading arguments.
 * One job: what stands between the brackets of functions: lists, subqueries, networks.
 * Floor: 2 (uses record, base).
 */
#include "logsql/filter_internal.h"
#include "logsql/pipe.h"
#include "logsql/value.h"

static int
parse_arg(struct lex *l, struct str *ret)
{
	if (!lex_is(l, "*"))
		return err_trace(lex_compound_until(l, "* , ( ) |", ret));
	*ret = l->token;
	return err_trace(lex_next(l));
}

int
filter_parse_args(struct lex *l, struct str_list *ret)
{
	struct str arg;
	int r;

	r = lex_expect(l, "(");
	while (r == 0 && !lex_is(l, ")")) {
		r = parse_arg(l, &arg);
		if (r == 0)
			r = str_list_add(ret, l->arena, arg);
		if (r != 0 || lex_is(l, ")"))
			break;
		if (!lex_is(l, ","))
			return lex_fail_want(l, "',' or ')'");
		r = lex_next(l);
		if (r == 0 && l->end)
			return lex_fail_want(l, "another argument or ')'");
	}
	return r != 0 ? err_trace(r) : err_trace(lex_next(l));
}

bool
pipe_one_field(const struct pipe *p, struct str *ret)
{
	if ((p->kind != PIPE_FIELDS && p->kind != PIPE_UNIQ) || p->names.n != 1)
		return false;
	*ret = p->names.p[0];
	return p->kind == PIPE_UNIQ || !name_is_wild(*ret);
}

int
filter_parse_subquery(struct lex *l, struct filter *f, bool *ret_all)
{
	struct lex place = *l;
	struct query *q;
	int r;

	*ret_all = false;
	r = query_parse_nested(l, &q);
	if (r != 0)
		return err_trace(r);
	if (q->n_pipes == 0 && q->filter->kind == FILTER_ALL) {
		*ret_all = true;
		return 0;
	}
	if (q->n_pipes == 0 || !pipe_one_field(q->pipes[q->n_pipes - 1], &f->query_field))
		return lex_fail(&place,
		    "a query in brackets must end in '| fields name' or '| uniq by (name)'");
	f->query = q;
	return 0;
}

bool
ip4_range(struct filter *f, struct str first, const struct str *last)
{
	size_t slash = last == NULL ? str_find_byte(first, '/') : SIZE_MAX;
	uint32_t min, max, rest;
	uint64_t bits = 32;

	if (!value_ipv4(str_sub(first, 0, slash), &min))
		return false;
	max = min;
	if (last != NULL && !value_ipv4(*last, &max))
		return false;
	if (slash != SIZE_MAX) {
		if (!value_uint(str_sub(first, slash + 1, first.n), &bits) || bits > 32)
			return false;
		rest = bits == 0 ? UINT32_MAX : (UINT32_C(1) << (32 - bits)) - 1;
		min &= ~rest;
		max |= rest;
	}
	f->from = min;
	f->to = max;
	return true;
}

bool
ip6_range(struct filter *f, struct str first, const struct str *last)
{
	size_t slash = last == NULL ? str_find_byte(first, '/') : SIZE_MAX;
	uint64_t bits = 128, i;
	uint8_t bit;

	if (!value_ipv6(str_sub(first, 0, slash), f->ip6_min))
		return false;
	memcpy(f->ip6_max, f->ip6_min, sizeof(f->ip6_max));
	if (last != NULL && !value_ipv6(*last, f->ip6_max))
		return false;
	if (slash != SIZE_MAX &&
	    (!value_uint(str_sub(first, slash + 1, first.n), &bits) || bits > 128))
		return false;
	for (i = bits; i < 128; i++) {
		bit = (uint8_t)(0x80 >> (i % 8));
		f->ip6_min[i / 8] = (uint8_t)(f->ip6_min[i / 8] & ~bit);
		f->ip6_max[i / 8] = (uint8_t)(f->ip6_max[i / 8] | bit);
	}
	return true;
}

int
filter_repr_range(struct lex *l, struct filter *f, char open, const struct str text[2], char close)
{
	AUTO_FINI(buf_fini) struct buf b = BUF_INIT;
	int r;

	buf_c(&b, "range");
	buf_byte(&b, (uint8_t)open);
	logsql_quote(&b, text[0]);
	buf_c(&b, ", ");
	logsql_quote(&b, text[1]);
	buf_byte(&b, (uint8_t)close);
	r = buf_err(&b);
	return r == 0 ? err_trace(filter_set_repr(l, f, buf_view(&b))) : err_trace(r);
}

/* a, where its field is not empty, else b. */
static int
or_else(struct lex *l, struct filter *a, struct filter *b, struct filter **ret)
{
	struct filter *none, *both[2];
	int r;

	r = filter_new(l, FILTER_PHRASE, a->field, &none);
	if (r != 0)
		return err_trace(r);
	both[0] = none;
	both[1] = b;
	r = filter_new_node(l->arena, FILTER_AND, both, 2, &b);
	if (r != 0)
		return err_trace(r);
	both[0] = a;
	both[1] = b;
	return err_trace(filter_new_node(l->arena, FILTER_OR, both, 2, ret));
}

int
filter_new_levels(struct lex *l, struct filter *leaf, struct filter **ret)
{
	/* The first of these that a row has is its level; the last is what journald says of any line. */
	static const char *const names[] = { "PRIORITY", "severity", "level" };
	struct filter *f = NULL, *one;
	size_t i;
	int r;

	for (i = 0; i < ARRAY_LEN(names); i++) {
		r = filter_new(l, FILTER_MIN_LEVEL, str_c(names[i]), &one);
		if (r != 0)
			return err_trace(r);
		one->text = leaf->text;
		one->level = leaf->level;
		if (f == NULL) {
			f = one;
			continue;
		}
		r = or_else(l, one, f, &f);
		if (r != 0)
			return err_trace(r);
	}
	*ret = f;
	return 0;
}
