/*
 * logsql/filter_parse_stream.c - reading stream filters.
 * One job: {label="value",…} and _stream_id:….
 * Floor: 2 (uses record, base).
 *
 *   "{" and ("or" and)* "}"        and := test ("," test)* ","?
 *   test := label ("=" | "!=" | "=~" | "!~") value | label ("in" | "not_in") "(" values ")"
 */
#include "logsql/filter_internal.h"
#include "record/stream.h"

#define NAME_STOPS  "= != =~ !~ , { } ( ) [ ] |"
#define VALUE_STOPS ", { }"

/* in(a, b) is =~"a|b" with all of it taken to the letter. */
static int
parse_in(struct lex *l, struct str *ret)
{
	struct str_list args = { 0 };
	struct buf b = BUF_INIT;
	size_t i;
	int r;

	r = filter_parse_args(l, &args);
	if (r != 0)
		return err_trace(r);
	if (args.n == 1 && str_eq(args.p[0], STR("*"))) {
		*ret = STR(".*");
		return 0;
	}
	for (i = 0; i < args.n; i++) {
		if (i > 0)
			buf_byte(&b, '|');
		regex_quote(&b, args.p[i]);
	}
	r = buf_err(&b);
	if (r == 0) {
		*ret = arena_dup(l->arena, buf_view(&b));
		r = ret->p == NULL ? err_origin(-ENOMEM) : 0;
	}
	buf_fini(&b);
	return r;
}

static int
parse_test(struct lex *l, struct label_test *t)
{
	char error[REGEX_ERROR_MAX];
	bool in, regex;
	struct lex place;
	int r;

	r = lex_compound_until(l, NAME_STOPS, &t->name);
	if (r != 0)
		return err_trace(r);
	if (!lex_is_any(l, "= != =~ !~ in not_in"))
		return lex_fail_want(l, "=, !=, =~, !~, in or not_in");
	in = lex_is_any(l, "in not_in");
	regex = in || lex_is_any(l, "=~ !~");
	t->negative = lex_is_any(l, "!= !~ not_in");
	r = lex_next(l);
	place = *l;
	if (r == 0)
		r = in ? parse_in(l, &t->value) : lex_compound_until(l, VALUE_STOPS, &t->value);
	if (r != 0 || !regex)
		return err_trace(r);
	r = regex_compile(&t->regex, t->value, REGEX_ANCHORED | REGEX_DOTALL, l->arena, error);
	if (r == REGEX_E_SYNTAX)
		return lex_fail(&place, "bad regular expression: %s", error);
	return err_trace(r);
}

/* Tests up to "or" or "}". */
static int
parse_and(struct lex *l, struct label_and *ret)
{
	struct label_test *tests;
	size_t cap = 0;
	int r;

	*ret = (struct label_and){ 0 };
	while (!lex_is(l, "}")) {
		if (ret->n == cap) {
			cap = cap == 0 ? 4 : cap * 2;
			tests = arena_zalloc(l->arena, cap, sizeof(*tests));
			if (tests == NULL)
				return err_origin(-ENOMEM);
			if (ret->n != 0)
				memcpy(tests, ret->tests, ret->n * sizeof(*tests));
			ret->tests = tests;
		}
		r = parse_test(l, &ret->tests[ret->n]);
		if (r != 0)
			return err_trace(r);
		ret->n++;
		if (lex_is_any(l, "or }"))
			break;
		if (!lex_is(l, ","))
			return lex_fail_want(l, "',', 'or' or '}'");
		r = lex_next(l);
		if (r != 0)
			return err_trace(r);
	}
	return 0;
}

static int
parse_ors(struct lex *l, struct stream_filter *s)
{
	struct label_and *ors;
	size_t cap = 0;
	int r;

	for (;;) {
		if (s->n == cap) {
			cap = cap == 0 ? 2 : cap * 2;
			ors = arena_zalloc(l->arena, cap, sizeof(*ors));
			if (ors == NULL)
				return err_origin(-ENOMEM);
			if (s->n != 0)
				memcpy(ors, s->ors, s->n * sizeof(*ors));
			s->ors = ors;
		}
		r = parse_and(l, &s->ors[s->n]);
		if (r != 0)
			return err_trace(r);
		s->n++;
		if (lex_is(l, "}"))
			return err_trace(lex_next(l));
		r = lex_expect(l, "or");
		if (r != 0)
			return err_trace(r);
		if (lex_is(l, "}"))
			return lex_fail_want(l, "labels after 'or'");
	}
}

int
filter_parse_stream(struct lex *l, struct filter **ret)
{
	struct stream_filter *s = arena_zalloc(l->arena, 1, sizeof(*s));
	int r;

	if (s == NULL)
		return err_origin(-ENOMEM);
	r = lex_expect(l, "{");
	if (r == 0)
		r = parse_ors(l, s);
	if (r == 0)
		r = filter_new(l, FILTER_STREAM, STR("_stream"), ret);
	if (r == 0)
		(*ret)->stream = s;
	return err_trace(r);
}

/* A valid _stream_id in lower case, or .p NULL without memory; ${ret_ok} says whether it is one. */
static struct str
stream_id_of(struct lex *l, struct str s, bool *ret_ok)
{
	uint8_t *p = arena_alloc(l->arena, s.n);
	size_t i;

	*ret_ok = s.n == STREAM_ID_TEXT;
	for (i = 0; p != NULL && i < s.n; i++) {
		p[i] = str_lower_byte(s.p[i]);
		*ret_ok = *ret_ok && memchr("0123456789abcdef", p[i], 16) != NULL;
	}
	return str_of(p, s.n);
}

static int
check_ids(struct lex *l, struct str_list *ids)
{
	size_t i;
	bool ok;

	for (i = 0; i < ids->n; i++) {
		ids->p[i] = stream_id_of(l, ids->p[i], &ok);
		if (ids->p[i].p == NULL)
			return err_origin(-ENOMEM);
		if (!ok)
			return lex_fail(l, "a _stream_id has %d hexadecimal digits",
			    STREAM_ID_TEXT);
	}
	return 0;
}

/* in(ids) or in(query); the current token is the bracket. */
static int
parse_ids(struct lex *l, struct filter *f)
{
	struct str_list ids = { 0 };
	struct lex saved = *l;
	struct logsql_error first;
	bool all = false;
	int r;

	r = filter_parse_args(l, &ids);
	if (r == 0)
		r = check_ids(&saved, &ids);
	if (r == 0)
		return err_trace(filter_new_set(l, f, &ids));
	if (r != LOGSQL_E_SYNTAX)
		return err_trace(r);
	first = *l->error;
	*l = saved;
	ids.n = 0;
	r = filter_parse_subquery(l, f, &all);
	if (r == LOGSQL_E_SYNTAX && first.at >= l->error->at)
		*l->error = first;
	if (r != 0)
		return err_trace(r);
	if (all)
		f->kind = FILTER_ALL;
	return err_trace(filter_new_set(l, f, &ids));
}

int
filter_parse_stream_id(struct lex *l, struct filter **ret)
{
	struct str_list ids = { 0 };
	struct lex place;
	struct str id;
	int r;

	r = filter_new(l, FILTER_STREAM_ID, STR("_stream_id"), ret);
	if (r != 0)
		return err_trace(r);
	if (lex_is(l, "in")) {
		r = lex_next(l);
		return r != 0 ? err_trace(r) : err_trace(parse_ids(l, *ret));
	}
	place = *l;
	r = lex_compound(l, &id);
	if (r == 0)
		r = str_list_add(&ids, l->arena, id);
	if (r == 0)
		r = check_ids(&place, &ids);
	if (r == 0)
		r = filter_new_set(l, *ret, &ids);
	return err_trace(r);
}
