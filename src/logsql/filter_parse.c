/*
 * logsql/filter_parse.c - reading filters.
 * One job: the grammar of filters: or, and, not, brackets, field names, words and phrases.
 * Floor: 2 (uses record, base).
 *
 *   or      := and ("or" and)*
 *   and     := generic ("and"? generic)*
 *   generic := ("not" | "!" | "-") generic | "(" or ")" | "{" … "}" | "*" | "*"text"*" | op value
 *            | function "(" … ")" | field ":" generic | text | text"*"
 *
 * A field name holds for all that stands in the brackets after it.
 */
#include "logsql/filter_internal.h"

static int parse_or(struct lex *l, struct str field, struct filter **ret);

static int
parse_and(struct lex *l, struct str field, struct filter **ret)
{
	struct filter_list list = { 0 };
	struct filter *f;
	int r;

	for (;;) {
		r = filter_parse_generic(l, field, &f);
		if (r == 0)
			r = filter_list_add(&list, l->arena, f);
		if (r != 0)
			return err_trace(r);
		if (l->end || lex_is_any(l, "or | )"))
			return err_trace(
			    filter_new_node(l->arena, FILTER_AND, list.p, list.n, ret));
		if (!lex_is(l, "and"))
			continue;
		r = lex_next(l);
		if (r != 0)
			return err_trace(r);
		if (l->end)
			return lex_fail_want(l, "a filter after 'and'");
	}
}

static int
parse_or(struct lex *l, struct str field, struct filter **ret)
{
	struct filter_list list = { 0 };
	struct filter *f;
	int r;

	for (;;) {
		r = parse_and(l, field, &f);
		if (r == 0)
			r = filter_list_add(&list, l->arena, f);
		if (r != 0)
			return err_trace(r);
		if (!lex_is(l, "or"))
			return err_trace(filter_new_node(l->arena, FILTER_OR, list.p, list.n, ret));
		r = lex_next(l);
		if (r != 0)
			return err_trace(r);
		if (l->end)
			return lex_fail_want(l, "a filter after 'or'");
	}
}

int
filter_parse(struct lex *l, struct filter **ret)
{
	if (l->end || lex_is_any(l, "| )"))
		return lex_fail_want(l, "a filter, such as * or error");
	if (!l->quoted && logsql_is_pipe_word(l->token))
		return lex_fail(l,
		    "a filter cannot begin with the pipe name '%.*s': write * | %.*s ..., or put it in quotes",
		    STR_ARG(l->token), STR_ARG(l->token));
	return err_trace(parse_or(l, STR_NONE, ret));
}

/* A word directly before a bracket is a function that we do not have. */
static int
check_bracket(struct lex *l)
{
	const char *near;

	if (l->space || l->prev.n == 0 || str_eq_nocase(l->prev, STR("not")) ||
	    str_eq_nocase(l->prev, STR("and")) || str_eq_nocase(l->prev, STR("or")) ||
	    (l->prev.n == 1 && strchr(":(!-", l->prev.p[0]) != NULL))
		return 0;
	near = filter_nearest_function(l->prev);
	if (near != NULL)
		return lex_fail(l, "there is no filter '%.*s(': did you mean '%s'?",
		    (int)(l->prev.n > 60 ? 60 : l->prev.n), (const char *)l->prev.p, near);
	return lex_fail(l, "expected a blank between '%.*s' and '('",
	    (int)(l->prev.n > 60 ? 60 : l->prev.n), (const char *)l->prev.p);
}

static int
parse_brackets(struct lex *l, struct str field, struct filter **ret)
{
	int r;

	r = check_bracket(l);
	if (r == 0)
		r = lex_next(l);
	if (r == 0)
		r = parse_or(l, field, ret);
	if (r == 0)
		r = lex_expect(l, ")");
	return err_trace(r);
}

static int
parse_not(struct lex *l, struct str field, struct filter **ret)
{
	struct filter *f;
	int r;

	r = lex_next(l);
	if (r == 0 && l->end)
		return lex_fail_want(l, "a filter after 'not'");
	if (r == 0)
		r = filter_parse_generic(l, field, &f);
	if (r != 0)
		return err_trace(r);
	if (f->kind == FILTER_NOT) {
		*ret = f->children[0];
		return 0;
	}
	return err_trace(filter_new_node(l->arena, FILTER_NOT, &f, 1, ret));
}

/* text* after "*": the whole is *text*. */
static int
parse_substring(struct lex *l, struct str field, struct filter **ret, bool *ret_done)
{
	struct lex saved = *l;
	struct str text;
	int r;

	*ret_done = false;
	if (l->space || l->end || lex_is_any(l, "* , ( ) [ ] | :"))
		return 0;
	r = lex_compound_until(l, field.n != 0 ? "* , ( ) [ ] |" : "* , ( ) [ ] | :", &text);
	if (r < 0)
		return err_trace(r);
	if (r == 0 && !l->space && lex_is(l, "*")) {
		r = lex_next(l);
		if (r != 0)
			return err_trace(r);
		if (l->space || l->end || lex_is_any(l, ") |")) {
			*ret_done = true;
			r = filter_new(l, FILTER_SUBSTRING, field, ret);
			if (r == 0)
				(*ret)->text = text;
			return err_trace(r);
		}
	}
	*l = saved;
	return 0;
}

static int
parse_star(struct lex *l, struct str field, struct filter **ret)
{
	bool done;
	int r;

	r = lex_next(l);
	if (r != 0)
		return err_trace(r);
	if (lex_is(l, ":"))
		return lex_fail(l, "a field name cannot be *");
	r = parse_substring(l, field, ret, &done);
	if (r != 0 || done)
		return err_trace(r);
	return err_trace(filter_new(l, field.n != 0 ? FILTER_ANY_VALUE : FILTER_ALL, field, ret));
}

/* After a field's name; the current token is ':'. */
static int
parse_field(struct lex *l, struct str field, struct filter **ret)
{
	int r;

	r = lex_next(l);
	if (r != 0)
		return err_trace(r);
	if (l->end)
		return lex_fail_want(l, "a filter after the field's name");
	if (str_eq(field, STR("_time")))
		return err_trace(filter_parse_time(l, ret));
	if (str_eq(field, STR("_stream")))
		return err_trace(filter_parse_stream(l, ret));
	if (str_eq(field, STR("_stream_id")))
		return err_trace(filter_parse_stream_id(l, ret));
	return err_trace(filter_parse_generic(l, field, ret));
}

/* What ${text} is: a field's name, a prefix, or a phrase. */
static int
parse_text(struct lex *l, struct str field, struct str text, struct filter **ret)
{
	enum filter_kind kind = FILTER_PHRASE;
	int r;

	if (field.n == 0 && lex_is(l, ":"))
		return err_trace(parse_field(l, text, ret));
	if (lex_is(l, "*") && !l->space) {
		kind = FILTER_PREFIX;
		r = lex_next(l);
		if (r != 0)
			return err_trace(r);
		if (lex_is(l, ":"))
			return lex_fail(l, "a field name cannot end in *");
	}
	if (kind == FILTER_PREFIX && text.n == 0)
		kind = FILTER_ANY_VALUE;
	r = filter_new(l, kind, field, ret);
	if (r == 0)
		(*ret)->text = text;
	return err_trace(r);
}

static const char *
text_stops(struct str field)
{
	return field.n != 0 ? "* , ( ) [ ] |" : "* , ( ) [ ] | :";
}

int
filter_parse_word(struct lex *l, struct str field, size_t start, struct filter **ret)
{
	struct str suffix;
	int r;

	r = lex_suffix(l, text_stops(field), &suffix);
	if (r != 0)
		return err_trace(r);
	return err_trace(parse_text(l, field, str_sub(l->query, start, l->prev_end), ret));
}

static int
parse_one(struct lex *l, struct str field, struct filter **ret)
{
	struct str text;
	bool done = true;
	int r;

	if (lex_is(l, "{")) {
		if (field.n != 0 && !str_eq(field, STR("_stream")))
			return lex_fail(l, "{...} selects streams, not values of a field");
		return err_trace(filter_parse_stream(l, ret));
	}
	if (lex_is(l, ":")) {
		r = lex_next(l);
		if (r == 0 && l->end)
			return lex_fail_want(l, "a filter after ':'");
		return r != 0 ? err_trace(r) : err_trace(filter_parse_generic(l, field, ret));
	}
	if (lex_is(l, "*"))
		return err_trace(parse_star(l, field, ret));
	if (lex_is(l, "("))
		return err_trace(parse_brackets(l, field, ret));
	if (lex_is_any(l, "not ! -"))
		return err_trace(parse_not(l, field, ret));
	r = filter_parse_op(l, field, ret, &done);
	if (r != 0 || done)
		return err_trace(r);
	r = filter_parse_function(l, field, ret, &done);
	if (r != 0 || done)
		return err_trace(r);
	if (lex_is_any(l, ", ) [ ]"))
		return lex_fail_want(l, "a filter");
	r = lex_compound_until(l, text_stops(field), &text);
	if (r != 0)
		return err_trace(r);
	return err_trace(parse_text(l, field, text, ret));
}

int
filter_parse_generic(struct lex *l, struct str field, struct filter **ret)
{
	int r;

	r = lex_enter(l);
	if (r != 0)
		return r;
	r = parse_one(l, field, ret);
	lex_leave(l);
	return err_trace(r);
}
