/*
 * logsql/query.c - the query.
 * One job: the outermost grammar: options, filter, pipes.
 * Floor: 2 (uses record, base).
 *
 *   query := ("options" "(" (name "=" value),* ")")? filter ("|" pipe)*
 */
#include "logsql/query.h"

#include "logsql/filter_internal.h"
#include "logsql/value.h"

static bool
is_bool(struct str s)
{
	static const char *const words[] = { "1", "t", "T", "TRUE", "true", "True", "0", "f", "F",
		"FALSE", "false", "False" };
	size_t i;

	for (i = 0; i < ARRAY_LEN(words); i++)
		if (str_eq(s, str_c(words[i])))
			return true;
	return false;
}

static int
check_option(struct lex *l, struct str name, struct str value)
{
	uint64_t n;

	if (str_eq(name, STR("concurrency")) || str_eq(name, STR("parallel_readers")))
		return value_uint(value, &n) ? 0 : lex_fail(l, "this option wants a number");
	if (str_eq(name, STR("ignore_global_time_filter")) ||
	    str_eq(name, STR("allow_partial_response")))
		return is_bool(value) ? 0 : lex_fail(l, "this option wants true or false");
	return lex_fail(l,
	    "there is no such option; there are concurrency, parallel_readers, ignore_global_time_filter and allow_partial_response");
}

/* One name=value. */
static int
parse_option(struct lex *l, struct str_list *options)
{
	struct lex place = *l;
	struct str name, value;
	int r;

	r = lex_compound_until(l, "= " LEX_STOPS, &name);
	if (r == 0)
		r = lex_expect(l, "=");
	if (r == 0)
		r = lex_compound_until(l, "= " LEX_STOPS, &value);
	if (r == 0)
		r = check_option(&place, name, value);
	if (r == 0)
		r = str_list_add(options, l->arena, name);
	if (r == 0)
		r = str_list_add(options, l->arena, value);
	return err_trace(r);
}

static int
parse_options(struct lex *l, struct query *q)
{
	struct str_list options = { 0 };
	int r;

	if (!lex_is(l, "options"))
		return 0;
	r = lex_next(l);
	if (r == 0)
		r = lex_expect(l, "(");
	while (r == 0 && !lex_is(l, ")")) {
		r = parse_option(l, &options);
		if (r != 0 || lex_is(l, ")"))
			break;
		r = lex_expect(l, ",");
	}
	if (r == 0)
		r = lex_next(l);
	q->options = options.p;
	q->n_options = options.n / 2;
	return err_trace(r);
}

static int
add_pipe(struct lex *l, struct query *q, struct pipe *p, size_t *cap)
{
	struct pipe **pipes;

	if (q->n_pipes == *cap) {
		*cap = *cap == 0 ? 4 : *cap * 2;
		pipes = arena_alloc(l->arena, *cap * sizeof(struct pipe *));
		if (pipes == NULL)
			return err_origin(-ENOMEM);
		if (q->n_pipes != 0)
			memcpy(pipes, q->pipes, q->n_pipes * sizeof(struct pipe *));
		q->pipes = pipes;
	}
	q->pipes[q->n_pipes++] = p;
	return 0;
}

static int
parse_pipes(struct lex *l, struct query *q)
{
	struct pipe *p;
	size_t cap = 0;
	int r = 0;

	while (r == 0 && lex_is(l, "|")) {
		r = lex_next(l);
		if (r == 0 && (l->end || lex_is_any(l, "| )")))
			return lex_fail_want(l, "a pipe, such as stats or limit");
		if (r == 0)
			r = pipe_parse(l, &p);
		if (r == 0)
			r = add_pipe(l, q, p, &cap);
		if (r == 0 && !l->end && !lex_is_any(l, "| )"))
			return lex_fail_want(l, "'|' or the end of the query");
	}
	return err_trace(r);
}

static int
parse(struct lex *l, struct query **ret)
{
	struct query *q = arena_zalloc(l->arena, 1, sizeof(*q));
	int r;

	if (q == NULL)
		return err_origin(-ENOMEM);
	r = lex_enter(l);
	if (r == 0)
		r = parse_options(l, q);
	if (r == 0)
		r = filter_parse(l, &q->filter);
	if (r == 0)
		r = parse_pipes(l, q);
	if (r != 0)
		return err_trace(r);
	lex_leave(l);
	*ret = q;
	return 0;
}

int
query_parse_nested(struct lex *l, struct query **ret)
{
	int r;

	r = lex_expect(l, "(");
	if (r == 0)
		r = parse(l, ret);
	if (r == 0)
		r = lex_expect(l, ")");
	return err_trace(r);
}

/* Tokens point into the text; the tree outlives the caller's copy of it. */
static int
begin(struct lex *l, struct str text, const struct logsql_options *opt, struct arena *arena,
    struct logsql_error *ret_error)
{
	text = arena_dup(arena, text);
	if (text.p == NULL)
		return err_origin(-ENOMEM);
	return err_trace(lex_init(l, text, opt->now, opt->zone_s, arena, ret_error));
}

int
query_parse(struct str text, const struct logsql_options *opt, struct arena *arena,
    struct query **ret, struct logsql_error *ret_error)
{
	struct lex l;
	int r;

	r = begin(&l, text, opt, arena, ret_error);
	if (r == 0)
		r = parse(&l, ret);
	if (r == 0 && !l.end)
		return lex_fail_want(&l, "the end of the query");
	return err_trace(r);
}

int
query_parse_filter(struct str text, const struct logsql_options *opt, struct arena *arena,
    struct filter **ret, struct logsql_error *ret_error)
{
	struct lex l;
	int r;

	r = begin(&l, text, opt, arena, ret_error);
	if (r == 0)
		r = filter_parse(&l, ret);
	if (r == 0 && !l.end)
		return lex_fail_want(&l, "the end of the filter");
	return err_trace(r);
}

bool
query_option(const struct query *q, const char *name, struct str *ret)
{
	size_t i;

	/* The last of two that have one name holds. */
	for (i = q->n_options; i-- > 0;) {
		if (str_eq_c(q->options[2 * i], name)) {
			*ret = q->options[2 * i + 1];
			return true;
		}
	}
	return false;
}

bool
query_ignores_times(const struct query *q, bool inherited)
{
	struct str value;

	if (!query_option(q, "ignore_global_time_filter", &value))
		return inherited;
	return str_eq_nocase(value, STR("true")) || str_eq_nocase(value, STR("t")) ||
	    str_eq(value, STR("1"));
}

void
query_format(struct buf *out, const struct query *q)
{
	size_t i;

	for (i = 0; i < q->n_options; i++) {
		buf_c(out, i == 0 ? "options(" : ", ");
		logsql_quote(out, q->options[2 * i]);
		buf_byte(out, '=');
		logsql_quote(out, q->options[2 * i + 1]);
	}
	if (q->n_options != 0)
		buf_c(out, ") ");
	filter_format(out, q->filter);
	for (i = 0; i < q->n_pipes; i++) {
		buf_c(out, " | ");
		pipe_format(out, q->pipes[i]);
	}
}
