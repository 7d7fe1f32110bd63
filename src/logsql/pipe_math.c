/*
 * logsql/pipe_math.c - expressions of the math pipe.
 * One job: text to tree of an expression, by the rank of its operators, and back.
 * Floor: 2 (uses base).
 */
#include <math.h>

#include "logsql/lex_internal.h"
#include "logsql/pipe_internal.h"

/* Binary operators; the lower the rank, the closer they bind; all group from the left. */
static const struct {
	const char *name;
	enum math_op op;
	int rank;
} operators[] = {
	{ "^", MATH_POW, 1 },
	{ "*", MATH_MUL, 2 },
	{ "/", MATH_DIV, 2 },
	{ "%", MATH_MOD, 2 },
	{ "+", MATH_PLUS, 3 },
	{ "-", MATH_MINUS, 3 },
	{ "&", MATH_AND, 4 },
	{ "xor", MATH_XOR, 5 },
	{ "or", MATH_OR, 6 },
	{ "default", MATH_DEFAULT, 10 },
};

enum { RANK_MAX = 10, MATH_ARGS_MAX = 64 };

static const struct {
	const char *name;
	enum math_op op;
	size_t args_min, args_max;
} functions[] = {
	{ "abs", MATH_ABS, 1, 1 },
	{ "ceil", MATH_CEIL, 1, 1 },
	{ "exp", MATH_EXP, 1, 1 },
	{ "floor", MATH_FLOOR, 1, 1 },
	{ "ln", MATH_LN, 1, 1 },
	{ "max", MATH_MAX, 2, MATH_ARGS_MAX },
	{ "min", MATH_MIN, 2, MATH_ARGS_MAX },
	{ "now", MATH_NOW, 0, 0 },
	{ "rand", MATH_RAND, 0, 0 },
	{ "round", MATH_ROUND, 1, 2 },
};

static int expr_parse(struct lex *l, int rank, struct math_expr **ret);

static int
expr_new(struct lex *l, enum math_op op, size_t n_args, struct math_expr **ret)
{
	struct math_expr *e = arena_zalloc(l->arena, 1, sizeof(*e));

	if (e == NULL)
		return err_origin(-ENOMEM);
	e->op = op;
	e->n_args = n_args;
	e->args = arena_zalloc(l->arena, n_args + 1, sizeof(*e->args));
	if (e->args == NULL)
		return err_origin(-ENOMEM);
	*ret = e;
	return 0;
}

/*
 * Set the depth from the arguments; a tree that is too deep would not fit the stack when it is run.
 */
static int
expr_close(struct lex *l, struct math_expr *e)
{
	size_t i;

	e->depth = 1;
	for (i = 0; i < e->n_args; i++)
		if (e->args[i]->depth >= e->depth)
			e->depth = e->args[i]->depth + 1;
	if (e->depth > LOGSQL_DEPTH_MAX)
		return lex_fail(l, "the expression is nested deeper than %d", LOGSQL_DEPTH_MAX);
	return 0;
}

static int
args_parse(struct lex *l, struct math_expr *e, size_t max)
{
	bool more = true;
	int r;

	r = lex_expect(l, "(");
	while (r == 0 && more && !lex_is(l, ")")) {
		if (e->n_args == max)
			return lex_fail(l, "too many arguments");
		r = expr_parse(l, RANK_MAX, &e->args[e->n_args++]);
		if (r == 0)
			r = part_skip(l, ",", &more);
	}
	if (r == 0)
		r = lex_expect(l, ")");
	return r;
}

static int
function_parse(struct lex *l, size_t k, struct math_expr **ret)
{
	struct lex start = *l;
	struct math_expr *e = NULL;
	int r;

	r = expr_new(l, functions[k].op, functions[k].args_max, &e);
	if (r != 0)
		return r;
	e->n_args = 0;
	r = lex_next(l);
	if (r == 0)
		r = args_parse(l, e, functions[k].args_max);
	if (r != 0)
		return r;
	if (e->n_args < functions[k].args_min)
		return lex_fail(&start, "%s needs %zu arguments", functions[k].name,
		    functions[k].args_min);
	*ret = e;
	return expr_close(l, e);
}

/* Whether a token begins as numbers do: 5, .5, "-5", inf. */
static bool
is_number_start(struct str s)
{
	if (s.n > 1 && (s.p[0] == '-' || s.p[0] == '+'))
		s = str_sub(s, 1, s.n);
	if (str_eq_nocase(s, STR("inf")))
		return true;
	if (s.n > 1 && s.p[0] == '.')
		s = str_sub(s, 1, s.n);
	return s.n > 0 && s.p[0] >= '0' && s.p[0] <= '9';
}

/*
 * A number, a quoted text or the name of a field: one token and what hangs on to it but is no
 * operator.
 */
static int
value_parse(struct lex *l, struct math_expr **ret)
{
	struct lex start = *l;
	bool numeric;
	struct str text;
	struct math_expr *e = NULL;
	int r;

	if (part_ends(l))
		return lex_fail_want(l, "a number, a field or an expression");
	numeric = is_number_start(l->token);
	r = lex_compound_until(l, LEX_STOPS " + - * / % ^ & = ! ~ < > { } ;", &text);
	if (r == 0)
		r = expr_new(l, numeric ? MATH_CONST : MATH_FIELD, 0, &e);
	if (r != 0)
		return r;
	e->text = text;
	if (numeric && !value_math(text, &e->value))
		return lex_fail(&start, "expected a number");
	if (!numeric && text.n == 0)
		e->text = STR("_msg");
	*ret = e;
	return expr_close(l, e);
}

static int
negate_parse(struct lex *l, struct math_expr **ret)
{
	struct math_expr *e = NULL;
	int r;

	r = expr_new(l, MATH_NEGATE, 1, &e);
	if (r == 0)
		r = expr_parse(l, 0, &e->args[0]);
	if (r != 0)
		return r;
	*ret = e;
	return expr_close(l, e);
}

static int
operand_parse(struct lex *l, struct math_expr **ret)
{
	bool had;
	size_t k;
	int r;

	r = part_skip(l, "(", &had);
	if (r == 0 && had) {
		r = expr_parse(l, RANK_MAX, ret);
		if (r != 0)
			return r;
		(*ret)->parens = true;
		return lex_expect(l, ")");
	}
	if (r == 0)
		r = part_skip(l, "-", &had);
	if (r == 0 && had)
		return negate_parse(l, ret);
	if (r == 0)
		r = part_skip(l, "+", &had);
	if (r == 0 && had)
		return expr_parse(l, 0, ret);
	for (k = 0; r == 0 && k < ARRAY_LEN(functions); k++)
		if (lex_is(l, functions[k].name))
			return function_parse(l, k, ret);
	return r != 0 ? r : value_parse(l, ret);
}

/* The operator that stands here and binds at least as close as ${rank}, or SIZE_MAX. */
static size_t
operator_at(const struct lex *l, int rank)
{
	size_t k;

	for (k = 0; k < ARRAY_LEN(operators); k++)
		if (!l->quoted && str_eq_c(l->token, operators[k].name))
			return operators[k].rank <= rank ? k : SIZE_MAX;
	return SIZE_MAX;
}

/* An expression of operators that bind at least as close as ${rank}; 0: an operand alone. */
static int
expr_parse(struct lex *l, int rank, struct math_expr **ret)
{
	struct math_expr *left = NULL, *e = NULL;
	size_t k;
	int r;

	r = lex_enter(l);
	if (r == 0)
		r = operand_parse(l, &left);
	while (r == 0 && (k = operator_at(l, rank)) != SIZE_MAX) {
		r = expr_new(l, operators[k].op, 2, &e);
		if (r == 0)
			r = lex_next(l);
		if (r != 0)
			return r;
		e->args[0] = left;
		r = expr_parse(l, operators[k].rank - 1, &e->args[1]);
		if (r == 0)
			r = expr_close(l, e);
		left = e;
	}
	if (r != 0)
		return r;
	lex_leave(l);
	*ret = left;
	return 0;
}

static int
operator_rank(enum math_op op, const char **ret_name)
{
	size_t k;

	for (k = 0; k < ARRAY_LEN(operators); k++) {
		if (operators[k].op == op) {
			*ret_name = operators[k].name;
			return operators[k].rank;
		}
	}
	return 0;
}

static void expr_format(struct buf *out, const struct math_expr *e);

static void
format_in_parens(struct buf *out, const struct math_expr *e, bool parens)
{
	if (parens)
		buf_byte(out, '(');
	expr_format(out, e);
	if (parens)
		buf_byte(out, ')');
}

static void
function_format(struct buf *out, const struct math_expr *e)
{
	size_t k, i;

	for (k = 0; k < ARRAY_LEN(functions) && functions[k].op != e->op; k++)
		continue;
	buf_c(out, functions[k].name);
	buf_byte(out, '(');
	for (i = 0; i < e->n_args; i++) {
		if (i > 0)
			buf_c(out, ", ");
		expr_format(out, e->args[i]);
	}
	buf_byte(out, ')');
}

static void
expr_format(struct buf *out, const struct math_expr *e)
{
	const char *name, *other;
	int rank;

	if (e->op == MATH_CONST || e->op == MATH_FIELD) {
		logsql_quote(out, e->text);
		return;
	}
	if (e->op == MATH_NEGATE) {
		buf_byte(out, '-');
		format_in_parens(out, e->args[0], operator_rank(e->args[0]->op, &other) > 0);
		return;
	}
	rank = operator_rank(e->op, &name);
	if (rank == 0) {
		function_format(out, e);
		return;
	}
	format_in_parens(out, e->args[0], operator_rank(e->args[0]->op, &other) > rank);
	buf_byte(out, ' ');
	buf_c(out, name);
	buf_byte(out, ' ');
	format_in_parens(out, e->args[1], operator_rank(e->args[1]->op, &other) >= rank);
}

/* The name of a result that was given none: the expression itself. */
static int
name_of(struct lex *l, const struct math_expr *e, struct str *ret)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;

	expr_format(&text, e);
	if (buf_err(&text) != 0)
		return buf_err(&text);
	*ret = arena_dup(l->arena, buf_view(&text));
	return ret->p == NULL ? err_origin(-ENOMEM) : 0;
}

static int
entry_parse(struct lex *l, struct math_entry *ret)
{
	int r;

	r = expr_parse(l, RANK_MAX, &ret->expr);
	if (r != 0)
		return r;
	if (lex_is(l, ",") || part_ends(l))
		return name_of(l, ret->expr, &ret->name);
	r = part_skip(l, "as", NULL);
	if (r == 0)
		r = part_name(l, &ret->name);
	return r;
}

static int
math_parse(struct lex *l, struct pipe *p)
{
	bool more = true;
	int r = 0;

	p->math = arena_zalloc(l->arena, MATH_ARGS_MAX, sizeof(*p->math));
	if (p->math == NULL)
		return err_origin(-ENOMEM);
	while (r == 0 && more) {
		if (p->n_math == MATH_ARGS_MAX)
			return lex_fail(l, "more than %d expressions", MATH_ARGS_MAX);
		r = entry_parse(l, &p->math[p->n_math++]);
		if (r == 0)
			r = part_skip(l, ",", &more);
	}
	return r;
}

static void
math_format(struct buf *out, const struct pipe *p)
{
	const char *name;
	size_t i;

	for (i = 0; i < p->n_math; i++) {
		buf_c(out, i > 0 ? ", " : " ");
		format_in_parens(out, p->math[i].expr,
		    operator_rank(p->math[i].expr->op, &name) > 0);
		buf_c(out, " as ");
		logsql_quote(out, p->math[i].name);
	}
}

const struct pipe_part part_math = { math_parse, math_format };
