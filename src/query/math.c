/*
 * query/math.c - the math pipe.
 * One job: expressions over numbers, all rows of a batch at a time.
 * Floor: 3 (uses logsql, record, base).
 */
#include <math.h>

#include "logsql/value.h"
#include "query/pipe_stage.h"

static const double not_a_number = (double)NAN;

static double
number_of(struct str s)
{
	double v;

	return value_math(s, &v) ? v : not_a_number;
}

/* The field as numbers; a constant or a dictionary's value is read once. */
static int
eval_field(struct batch *b, struct str name, double *out)
{
	const struct column *c = batch_column(b, name);
	char scratch[COLUMN_SCRATCH];
	double *dict, last = 0;
	size_t i;

	if (c == NULL)
		return b->err;
	if (c->kind == COLUMN_DICT) {
		dict = arena_alloc(&b->arena, (c->n_dict + 1) * sizeof(*dict));
		if (dict == NULL)
			return err_origin(-ENOMEM);
		for (i = 0; i < c->n_dict; i++)
			dict[i] = number_of(c->dict[i]);
		for (i = 0; i < b->n_rows; i++)
			out[i] = dict[c->codes[i]];
		return 0;
	}
	for (i = 0; i < b->n_rows; i++) {
		if (c->kind == COLUMN_TIME)
			last = (double)c->ints[i];
		else if (i == 0 || c->kind != COLUMN_CONST)
			last = number_of(column_value(c, i, scratch));
		out[i] = last;
	}
	return 0;
}

static double
bits_of(enum math_op op, double a, double b)
{
	uint64_t x, y;

	if (isnan(a) || isnan(b))
		return not_a_number;
	/* What does not fit 64 bits has no bits to speak of. */
	if (fabs(a) >= 18446744073709551616.0 || fabs(b) >= 18446744073709551616.0)
		return not_a_number;
	x = a < 0 ? (uint64_t)(int64_t)(a < -9223372036854775808.0 ? 0 : a) : (uint64_t)a;
	y = b < 0 ? (uint64_t)(int64_t)(b < -9223372036854775808.0 ? 0 : b) : (uint64_t)b;
	return (double)(op == MATH_AND ? x & y : op == MATH_OR ? x | y : x ^ y);
}

static double
modulo(double a, double b)
{
	if (b == 0)
		return not_a_number;
	if (fabs(a) < 9.2e18 && fabs(b) < 9.2e18 && a == (double)(int64_t)a &&
	    b == (double)(int64_t)b)
		return (double)((int64_t)a % (int64_t)b);
	return fmod(a, b);
}

/* Digits behind the point of the shortest decimal of ${v}; below 0 for zeros before it. */
static int
decimals(double v)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	size_t point;
	int zeros = 0;

	value_format_float(&text, v);
	point = str_find_byte(buf_view(&text), '.');
	if (point != SIZE_MAX)
		return (int)(text.n - point - 1);
	while (text.n > 1 && text.p[text.n - 1] == '0') {
		text.n--;
		zeros++;
	}
	return -zeros;
}

/*
 * To the nearest multiple of ${nearest}, halves away from zero, without the noise of binary
 * fractions.
 */
static double
round_to(double v, double nearest)
{
	double p10, whole;

	if (isnan(v) || isnan(nearest) || isinf(v) || nearest == 0)
		return not_a_number;
	p10 = pow(10, decimals(nearest));
	v += 0.5 * copysign(nearest, v);
	v -= fmod(v, nearest);
	(void)modf(v * p10, &whole);
	return whole / p10;
}

static double
binary(enum math_op op, double a, double b)
{
	switch (op) {
	case MATH_POW:
		return pow(a, b);
	case MATH_MUL:
		return a * b;
	case MATH_DIV:
		return a / b;
	case MATH_MOD:
		return modulo(a, b);
	case MATH_PLUS:
		return a + b;
	case MATH_MINUS:
		return a - b;
	case MATH_AND:
	case MATH_XOR:
	case MATH_OR:
		return bits_of(op, a, b);
	case MATH_DEFAULT:
		return isnan(a) ? b : a;
	case MATH_MAX:
		return isnan(a) || b > a ? b : a;
	case MATH_MIN:
		return isnan(a) || b < a ? b : a;
	case MATH_ROUND:
		return round_to(a, b);
	case MATH_CONST:
	case MATH_FIELD:
	case MATH_NEGATE:
	case MATH_ABS:
	case MATH_CEIL:
	case MATH_EXP:
	case MATH_FLOOR:
	case MATH_LN:
	case MATH_NOW:
	case MATH_RAND:
		break;
	}
	return not_a_number;
}

static double
unary(enum math_op op, double a)
{
	if (op == MATH_NEGATE)
		return -a;
	if (op == MATH_ABS)
		return fabs(a);
	if (op == MATH_CEIL)
		return ceil(a);
	if (op == MATH_EXP)
		return exp(a);
	if (op == MATH_FLOOR)
		return floor(a);
	if (op == MATH_LN)
		return log(a);
	return op == MATH_ROUND ? round(a) : a;
}

/* Uniform in [0, 1); good enough to thin rows out. */
static double
random_of(struct query_env *env, size_t row, const void *salt)
{
	uint64_t x = (uint64_t)mono_now().ns ^ (uint64_t)(uintptr_t)salt;

	x = (x + row + 1) * UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (double)((x ^ (x >> 31)) >> 11) / 9007199254740992.0;
}

static void
eval_leaf(const struct math_expr *e, struct query_env *env, struct batch *b, double *out)
{
	size_t i;

	for (i = 0; i < b->n_rows; i++)
		out[i] = e->op == MATH_CONST ? e->value
		    : e->op == MATH_NOW      ? (double)env->now.ns
		                             : random_of(env, i, out);
}

/* Recursion is bounded: math_expr.depth is at most LOGSQL_DEPTH_MAX. */
static int
eval(const struct math_expr *e, struct query_env *env, struct batch *b, double *out)
{
	double *arg;
	size_t i, k;
	int r;

	if (e->op == MATH_FIELD)
		return eval_field(b, e->text, out);
	if (e->n_args == 0) {
		eval_leaf(e, env, b, out);
		return 0;
	}
	r = eval(e->args[0], env, b, out);
	for (i = 0; r == 0 && e->n_args == 1 && i < b->n_rows; i++)
		out[i] = unary(e->op, out[i]);
	if (r != 0 || e->n_args == 1)
		return r;
	arg = arena_alloc(&b->arena, (b->n_rows + 1) * sizeof(*arg));
	if (arg == NULL)
		return err_origin(-ENOMEM);
	for (k = 1; r == 0 && k < e->n_args; k++) {
		r = eval(e->args[k], env, b, arg);
		for (i = 0; r == 0 && i < b->n_rows; i++)
			out[i] = binary(e->op, out[i], arg[i]);
	}
	return r;
}

static int
set_numbers(struct batch *b, struct str name, const double *values)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	struct str *out = arena_alloc(&b->arena, (b->n_rows + 1) * sizeof(*out));
	size_t i;

	if (out == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < b->n_rows; i++) {
		if (i > 0 && memcmp(&values[i], &values[i - 1], sizeof(*values)) == 0) {
			out[i] = out[i - 1];
			continue;
		}
		buf_clear(&text);
		value_format_float(&text, values[i]);
		out[i] = arena_dup(&b->arena, buf_view(&text));
		if (out[i].p == NULL)
			return err_origin(-ENOMEM);
	}
	return batch_set_strs(b, name, out);
}

int
pipe_math_apply(const struct pipe *p, struct query_env *env, struct batch *b)
{
	double *values = arena_alloc(&b->arena, (b->n_rows + 1) * sizeof(*values));
	size_t i;
	int r = 0;

	if (values == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; r == 0 && i < p->n_math; i++) {
		r = eval(p->math[i].expr, env, b, values);
		if (r == 0)
			r = set_numbers(b, p->math[i].name, values);
	}
	return r;
}
