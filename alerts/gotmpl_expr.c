/*
 * alerts/gotmpl_expr.c - values and calls in a template.
 * One job: what stands between {{ and }} as a tree, and every value that a function cannot take as a mistake.
 * Floor: 4 (uses base).
 *
 * Types are followed as far as they are known before it runs ($value is a number, $labels.x a text), so that a field of a number or
 * %d of a text is found here and not when the alert fires.
 */
#include "alerts/gotmpl_parse.h"

static const struct {
	const char *name, *field;
	enum tmpl_type type;
} known[] = {
	{ "labels", "Labels", TMPL_MAP },
	{ "externalLabels", "ExternalLabels", TMPL_MAP },
	{ "values", "Values", TMPL_MAP },
	{ "value", "Value", TMPL_FLOAT },
};

static struct tmpl_expr *
new_expr(struct tmpl_parse *p, enum tmpl_expr_kind kind, enum tmpl_type type)
{
	struct tmpl_expr *e = arena_zalloc(p->arena, 1, sizeof(*e));

	if (e != NULL) {
		e->kind = kind;
		e->type = type;
		e->at = p->lex.token.at;
	}
	return e;
}

/* ---- operands ---- */

static int
parse_const(struct tmpl_parse *p, const struct tmpl_value *v, struct tmpl_expr **ret)
{
	*ret = new_expr(p, EXPR_CONST, v->type);
	if (*ret == NULL)
		return err_origin(-ENOMEM);
	(*ret)->value = *v;
	return tmpl_advance(p);
}

static int
fail_variable(struct tmpl_parse *p, struct str name)
{
	size_t at = p->lex.token.at, i;

	for (i = 0; i < ARRAY_LEN(known); i++)
		if (str_eq_nocase(name, str_c(known[i].name)))
			return tmpl_lex_fail(&p->lex, at, "no variable $%.*s, did you mean $%s?",
			    STR_ARG(name), known[i].name);
	return tmpl_lex_fail(&p->lex, at,
	    "no variable $%.*s: there are $labels, $value, $values, $externalLabels and those set before",
	    STR_ARG(name));
}

static int
parse_variable(struct tmpl_parse *p, struct tmpl_expr **ret)
{
	struct str name = p->lex.token.text;
	unsigned i = p->n_vars;
	struct tmpl_expr *root, *e;
	size_t k;

	while (i > 0 && !str_eq(p->vars[i - 1].name, name))
		i--;
	root = new_expr(p, i > 0 ? EXPR_VAR : EXPR_ROOT, i > 0 ? p->vars[i - 1].type : TMPL_ROOT);
	if (root == NULL)
		return err_origin(-ENOMEM);
	root->var = i > 0 ? i - 1 : 0;
	*ret = root;
	if (i > 0 || name.n == 0)
		return tmpl_advance(p);
	for (k = 0; k < ARRAY_LEN(known) && !str_eq_c(name, known[k].name); k++)
		;
	if (k == ARRAY_LEN(known))
		return fail_variable(p, name);
	e = new_expr(p, EXPR_FIELD, known[k].type);
	if (e == NULL)
		return err_origin(-ENOMEM);
	e->name = str_c(known[k].field);
	e->of = root;
	*ret = e;
	return tmpl_advance(p);
}

static int
fail_root_field(struct tmpl_parse *p, struct str name)
{
	size_t at = p->lex.token.at, i;

	for (i = 0; i < ARRAY_LEN(known); i++)
		if (str_eq_nocase(name, str_c(known[i].field)))
			return tmpl_lex_fail(&p->lex, at, "no field .%.*s, did you mean .%s?",
			    STR_ARG(name), known[i].field);
	return tmpl_lex_fail(&p->lex, at,
	    "no field .%.*s here: there are .Labels, .Value, .Values and .ExternalLabels",
	    STR_ARG(name));
}

/* .name behind ${of}. */
static int
parse_field(struct tmpl_parse *p, struct tmpl_expr *of, struct tmpl_expr **ret)
{
	struct str name = p->lex.token.text;
	struct tmpl_expr *e = new_expr(p, EXPR_FIELD, TMPL_ANY);
	size_t i;

	if (e == NULL)
		return err_origin(-ENOMEM);
	e->name = name;
	e->of = of;
	*ret = e;
	switch (of->type) {
	case TMPL_MAP:
		e->type = TMPL_STRING;
		return tmpl_advance(p);
	case TMPL_ANY:
		return tmpl_advance(p);
	case TMPL_ROOT:
		for (i = 0; i < ARRAY_LEN(known); i++)
			if (str_eq_c(name, known[i].field)) {
				e->type = known[i].type;
				return tmpl_advance(p);
			}
		return fail_root_field(p, name);
	case TMPL_STRING:
		return tmpl_lex_fail(&p->lex, p->lex.token.at,
		    "a text has no field .%.*s; a label with dots in its name is {{ index $labels \"a.b\" }}",
		    STR_ARG(name));
	case TMPL_BOOL:
	case TMPL_INT:
	case TMPL_FLOAT:
	case TMPL_TIME:
		return tmpl_lex_fail(&p->lex, p->lex.token.at, "%s has no field .%.*s",
		    tmpl_type_name(of->type), STR_ARG(name));
	}
	return 0;
}

static int
parse_brackets(struct tmpl_parse *p, struct tmpl_expr **ret)
{
	size_t at = p->lex.token.at;
	int r;

	if (++p->depth > TMPL_DEPTH_MAX)
		return tmpl_lex_fail(&p->lex, at, "brackets and blocks stand more than %d deep",
		    TMPL_DEPTH_MAX);
	r = tmpl_advance(p);
	if (r == 0)
		r = tmpl_parse_pipeline(p, ret);
	if (r == 0 && !tmpl_is_sign(p, ")"))
		return tmpl_lex_fail(&p->lex, p->lex.token.at, "expected ')'");
	p->depth--;
	return r != 0 ? r : tmpl_advance(p);
}

static int
parse_function(struct tmpl_parse *p, const struct tmpl_func **ret)
{
	struct str name = p->lex.token.text;
	const struct tmpl_func *f = tmpl_func_find(name);
	const char *near;

	if (f == NULL) {
		near = tmpl_func_near(name);
		if (near != NULL)
			return tmpl_lex_fail(&p->lex, p->lex.token.at,
			    "no function '%.*s', did you mean '%s'?", STR_ARG(name), near);
		return tmpl_lex_fail(&p->lex, p->lex.token.at, "no function '%.*s'", STR_ARG(name));
	}
	if (f->fn == NULL)
		return tmpl_lex_fail(&p->lex, p->lex.token.at, "%s: %s", f->name, f->args);
	*ret = f;
	return 0;
}

/* One argument; a function by itself is a call without arguments. */
static int
parse_operand(struct tmpl_parse *p, struct tmpl_expr **ret)
{
	static const struct tmpl_value yes = { .type = TMPL_BOOL, .b = true },
	                               no = { .type = TMPL_BOOL };
	const struct tmpl_token *t = &p->lex.token;
	struct tmpl_value v;

	switch (t->kind) {
	case TOKEN_STRING:
		v = (struct tmpl_value){ .type = TMPL_STRING, .s = t->text };
		return parse_const(p, &v, ret);
	case TOKEN_NUMBER:
		v = t->number;
		return parse_const(p, &v, ret);
	case TOKEN_VARIABLE:
		return parse_variable(p, ret);
	case TOKEN_FIELD:
		*ret = new_expr(p, EXPR_DOT, p->dot);
		return *ret != NULL ? parse_field(p, *ret, ret) : err_origin(-ENOMEM);
	case TOKEN_SIGN:
		if (tmpl_is_sign(p, "("))
			return parse_brackets(p, ret);
		if (!tmpl_is_sign(p, "."))
			break;
		*ret = new_expr(p, EXPR_DOT, p->dot);
		return *ret != NULL ? tmpl_advance(p) : err_origin(-ENOMEM);
	case TOKEN_WORD:
		if (tmpl_is_word(p, "true") || tmpl_is_word(p, "false"))
			return parse_const(p, tmpl_is_word(p, "true") ? &yes : &no, ret);
		*ret = new_expr(p, EXPR_CALL, TMPL_ANY);
		if (*ret == NULL)
			return err_origin(-ENOMEM);
		return parse_function(p, &(*ret)->func);
	case TOKEN_END:
	case TOKEN_TEXT:
	case TOKEN_CLOSE:
		break;
	}
	return tmpl_lex_fail(&p->lex, t->at, "expected a value, such as $value or $labels.job");
}

/* ---- calls ---- */

static bool
fits(char want, enum tmpl_type is)
{
	switch (is) {
	case TMPL_ANY:
		return true;
	case TMPL_INT:
	case TMPL_FLOAT:
		return want == 'n' || want == 'a';
	case TMPL_STRING:
		return want == 's' || want == 'n' || want == 'a';
	case TMPL_MAP:
		return want == 'm' || want == 'a';
	case TMPL_TIME:
	case TMPL_BOOL:
	case TMPL_ROOT:
		return want == 'a';
	}
	return false;
}

static const char *
want_name(char want)
{
	switch (want) {
	case 'n':
		return "a number";
	case 's':
		return "a text (print makes one)";
	case 'm':
		return "labels or values";
	default:
		return "a value";
	}
}

/* The letter of argument ${i}; '\0': it takes no more. */
static char
letter_of(const char *args, size_t i)
{
	for (; *args != '\0'; args++) {
		if (args[1] == '+' || args[1] == '*' || i == 0)
			return *args;
		i--;
	}
	return '\0';
}

static size_t
least_of(const char *args)
{
	size_t n = 0;

	for (; *args != '\0'; args++)
		n += *args != '+' && *args != '*' && args[1] != '*';
	return n;
}

static int
check_args(struct tmpl_parse *p, const struct tmpl_expr *e)
{
	char want;
	size_t i;

	for (i = 0; i < e->n_args; i++) {
		want = letter_of(e->func->args, i);
		if (want == '\0')
			return tmpl_lex_fail(&p->lex, e->args[i]->at,
			    "%s takes %zu value%s, found more", e->func->name, i,
			    i == 1 ? "" : "s");
		if (!fits(want, e->args[i]->type))
			return tmpl_lex_fail(&p->lex, e->args[i]->at, "%s takes %s, found %s",
			    e->func->name, want_name(want), tmpl_type_name(e->args[i]->type));
	}
	if (i < least_of(e->func->args))
		return tmpl_lex_fail(&p->lex, e->at, "%s: expected %s as value %zu", e->func->name,
		    want_name(letter_of(e->func->args, i)), i + 1);
	return 0;
}

static int
check_format(struct tmpl_parse *p, const struct tmpl_expr *e)
{
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	enum tmpl_type types[TMPL_ARGS_MAX];
	size_t i;

	if (e->func->fn != tmpl_printf || e->args[0]->kind != EXPR_CONST)
		return 0;
	for (i = 1; i < e->n_args; i++)
		types[i - 1] = e->args[i]->type;
	if (tmpl_format_check(e->args[0]->value.s, types, e->n_args - 1, &why))
		return 0;
	return tmpl_lex_fail(&p->lex, e->args[0]->at, "printf: %s", buf_c_str(&why));
}

static int
finish_call(struct tmpl_parse *p, struct tmpl_expr *e)
{
	int r = check_args(p, e);

	if (r == 0)
		r = check_format(p, e);
	e->type = e->func->ret;
	return r;
}

/* Fields that stand right behind: $labels.x, (index $m "k").y. */
static int
parse_term(struct tmpl_parse *p, struct tmpl_expr **ret)
{
	int r = parse_operand(p, ret);

	while (r == 0 && p->lex.token.kind == TOKEN_FIELD && !p->lex.token.space &&
	    (*ret)->kind != EXPR_CALL)
		r = parse_field(p, *ret, ret);
	return r;
}

static bool
ends_command(const struct tmpl_parse *p)
{
	return p->lex.token.kind == TOKEN_CLOSE || tmpl_is_sign(p, "|") || tmpl_is_sign(p, ")");
}

/* A function and its arguments. */
static int
parse_args(struct tmpl_parse *p, struct tmpl_expr *e)
{
	struct tmpl_expr *arg;
	int r = tmpl_advance(p);

	e->args = arena_zalloc(p->arena, TMPL_ARGS_MAX, sizeof(struct tmpl_expr *));
	if (r == 0 && e->args == NULL)
		return err_origin(-ENOMEM);
	while (r == 0 && !ends_command(p)) {
		r = parse_term(p, &arg);
		if (r != 0)
			return r;
		if (arg->kind == EXPR_CALL && arg->args == NULL) {
			/* A function as an argument is called without any. */
			arg->args = e->args;
			r = finish_call(p, arg);
			if (r == 0)
				r = tmpl_advance(p);
		}
		/* One place is for what a pipe hands over. */
		if (r == 0 && e->n_args + 1 == TMPL_ARGS_MAX)
			return tmpl_lex_fail(&p->lex, arg->at, "expected at most %d values",
			    TMPL_ARGS_MAX - 1);
		if (r == 0)
			e->args[e->n_args++] = arg;
	}
	return r;
}

/* A value, or a function with its arguments; ${piped}: what stood before the '|', its last one. */
static int
parse_command(struct tmpl_parse *p, struct tmpl_expr *piped, struct tmpl_expr **ret)
{
	struct tmpl_expr *e;
	int r = parse_term(p, &e);

	if (r != 0)
		return r;
	*ret = e;
	if (e->kind == EXPR_CALL && e->args == NULL) {
		r = parse_args(p, e);
		if (r == 0 && piped != NULL)
			e->args[e->n_args++] = piped;
		return r != 0 ? r : finish_call(p, e);
	}
	if (piped != NULL)
		return tmpl_lex_fail(&p->lex, e->at, "expected a function behind '|'");
	if (!ends_command(p))
		return tmpl_lex_fail(&p->lex, p->lex.token.at,
		    "expected '|' or '}}' behind a value");
	return 0;
}

int
tmpl_parse_pipeline(struct tmpl_parse *p, struct tmpl_expr **ret)
{
	int r = parse_command(p, NULL, ret);

	while (r == 0 && tmpl_is_sign(p, "|")) {
		r = tmpl_advance(p);
		if (r == 0)
			r = parse_command(p, *ret, ret);
	}
	return r;
}
