/*
 * alerts/gotmpl_parse.c - the tree of a template.
 * One job: tokens to nodes, and everything that cannot run as a mistake with its place.
 * Floor: 4 (uses base).
 *
 * Types are followed as far as they are known before it runs ($value is a number, $labels.x a text), so that a field of a number or
 * %d of a text is found here and not when the alert fires.
 */
#include <stdio.h>

#include "alerts/gotmpl_internal.h"

struct variable {
	struct str name;
	enum tmpl_type type;
};

struct parse {
	struct tmpl_lex lex;
	struct arena *arena;
	struct variable vars[TMPL_VARS_MAX];
	unsigned n_vars;
	enum tmpl_type dot;
	unsigned depth;
};

static const struct {
	const char *name, *field;
	enum tmpl_type type;
} known[] = {
	{ "labels", "Labels", TMPL_MAP },
	{ "externalLabels", "ExternalLabels", TMPL_MAP },
	{ "values", "Values", TMPL_MAP },
	{ "value", "Value", TMPL_FLOAT },
};

static int parse_pipeline(struct parse *p, struct tmpl_expr **ret);
static int parse_list(struct parse *p, struct tmpl_node **ret, struct str *ret_end);

static int
advance(struct parse *p)
{
	return tmpl_lex_next(&p->lex);
}

static bool
is_sign(const struct parse *p, const char *sign)
{
	return p->lex.token.kind == TOKEN_SIGN && str_eq_c(p->lex.token.text, sign);
}

static bool
is_word(const struct parse *p, const char *word)
{
	return p->lex.token.kind == TOKEN_WORD && str_eq_c(p->lex.token.text, word);
}

static struct tmpl_expr *
new_expr(struct parse *p, enum tmpl_expr_kind kind, enum tmpl_type type)
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
parse_const(struct parse *p, const struct tmpl_value *v, struct tmpl_expr **ret)
{
	*ret = new_expr(p, EXPR_CONST, v->type);
	if (*ret == NULL)
		return err_origin(-ENOMEM);
	(*ret)->value = *v;
	return advance(p);
}

static int
fail_variable(struct parse *p, struct str name)
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
parse_variable(struct parse *p, struct tmpl_expr **ret)
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
		return advance(p);
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
	return advance(p);
}

static int
fail_root_field(struct parse *p, struct str name)
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
parse_field(struct parse *p, struct tmpl_expr *of, struct tmpl_expr **ret)
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
		return advance(p);
	case TMPL_ANY:
		return advance(p);
	case TMPL_ROOT:
		for (i = 0; i < ARRAY_LEN(known); i++)
			if (str_eq_c(name, known[i].field)) {
				e->type = known[i].type;
				return advance(p);
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
parse_brackets(struct parse *p, struct tmpl_expr **ret)
{
	size_t at = p->lex.token.at;
	int r;

	if (++p->depth > TMPL_DEPTH_MAX)
		return tmpl_lex_fail(&p->lex, at, "brackets and blocks stand more than %d deep",
		    TMPL_DEPTH_MAX);
	r = advance(p);
	if (r == 0)
		r = parse_pipeline(p, ret);
	if (r == 0 && !is_sign(p, ")"))
		return tmpl_lex_fail(&p->lex, p->lex.token.at, "expected ')'");
	p->depth--;
	return r != 0 ? r : advance(p);
}

static int
parse_function(struct parse *p, const struct tmpl_func **ret)
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
parse_operand(struct parse *p, struct tmpl_expr **ret)
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
		if (is_sign(p, "("))
			return parse_brackets(p, ret);
		if (!is_sign(p, "."))
			break;
		*ret = new_expr(p, EXPR_DOT, p->dot);
		return *ret != NULL ? advance(p) : err_origin(-ENOMEM);
	case TOKEN_WORD:
		if (is_word(p, "true") || is_word(p, "false"))
			return parse_const(p, is_word(p, "true") ? &yes : &no, ret);
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
check_args(struct parse *p, const struct tmpl_expr *e)
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
check_format(struct parse *p, const struct tmpl_expr *e)
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
finish_call(struct parse *p, struct tmpl_expr *e)
{
	int r = check_args(p, e);

	if (r == 0)
		r = check_format(p, e);
	e->type = e->func->ret;
	return r;
}

/* Fields that stand right behind: $labels.x, (index $m "k").y. */
static int
parse_term(struct parse *p, struct tmpl_expr **ret)
{
	int r = parse_operand(p, ret);

	while (r == 0 && p->lex.token.kind == TOKEN_FIELD && !p->lex.token.space &&
	    (*ret)->kind != EXPR_CALL)
		r = parse_field(p, *ret, ret);
	return r;
}

static bool
ends_command(const struct parse *p)
{
	return p->lex.token.kind == TOKEN_CLOSE || is_sign(p, "|") || is_sign(p, ")");
}

/* A function and its arguments. */
static int
parse_args(struct parse *p, struct tmpl_expr *e)
{
	struct tmpl_expr *arg;
	int r = advance(p);

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
				r = advance(p);
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
parse_command(struct parse *p, struct tmpl_expr *piped, struct tmpl_expr **ret)
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

static int
parse_pipeline(struct parse *p, struct tmpl_expr **ret)
{
	int r = parse_command(p, NULL, ret);

	while (r == 0 && is_sign(p, "|")) {
		r = advance(p);
		if (r == 0)
			r = parse_command(p, *ret, ret);
	}
	return r;
}

/* ---- variables ---- */

static int
declare(struct parse *p, struct str name, enum tmpl_type type, size_t at, int *ret)
{
	if (name.n == 0)
		return tmpl_lex_fail(&p->lex, at, "expected a name behind '$'");
	if (p->n_vars == TMPL_VARS_MAX)
		return tmpl_lex_fail(&p->lex, at, "expected at most %d variables", TMPL_VARS_MAX);
	p->vars[p->n_vars] = (struct variable){ name, type };
	*ret = (int)p->n_vars++;
	return 0;
}

static int
assign(struct parse *p, struct str name, enum tmpl_type type, size_t at, int *ret)
{
	unsigned i = p->n_vars;

	while (i > 0 && !str_eq(p->vars[i - 1].name, name))
		i--;
	if (i == 0)
		return tmpl_lex_fail(&p->lex, at, "$%.*s is not set before: expected ':='",
		    STR_ARG(name));
	if (p->vars[i - 1].type != type)
		p->vars[i - 1].type = TMPL_ANY;
	*ret = (int)i - 1;
	return 0;
}

/* What stands before a pipeline: $x := or $x =, for range $k, $v :=. */
struct target {
	struct str name, second;
	size_t at;
	bool set, has_second, declares;
};

static int
parse_second(struct parse *p, struct target *ret)
{
	int r = advance(p);

	if (r == 0 && p->lex.token.kind != TOKEN_VARIABLE)
		return tmpl_lex_fail(&p->lex, p->lex.token.at, "expected a second variable");
	ret->second = p->lex.token.text;
	ret->has_second = true;
	return r != 0 ? r : advance(p);
}

static int
parse_target(struct parse *p, bool range, struct target *ret)
{
	struct tmpl_lex before = p->lex;
	int r;

	*ret = (struct target){ 0 };
	if (p->lex.token.kind != TOKEN_VARIABLE)
		return 0;
	ret->name = p->lex.token.text;
	ret->at = p->lex.token.at;
	r = advance(p);
	if (r == 0 && range && is_sign(p, ","))
		r = parse_second(p, ret);
	if (r != 0)
		return r;
	ret->declares = is_sign(p, ":=");
	ret->set = ret->declares || is_sign(p, "=");
	if (ret->set)
		return advance(p);
	if (ret->has_second)
		return tmpl_lex_fail(&p->lex, p->lex.token.at, "expected ':='");
	p->lex = before;
	return 0;
}

static int
bind(struct parse *p, const struct target *t, struct str name, enum tmpl_type type, int *ret)
{
	if (t->declares)
		return declare(p, name, type, t->at, ret);
	return assign(p, name, type, t->at, ret);
}

/* ---- nodes ---- */

static struct tmpl_node *
new_node(struct parse *p, enum tmpl_node_kind kind)
{
	struct tmpl_node *n = arena_zalloc(p->arena, 1, sizeof(*n));

	if (n != NULL) {
		n->kind = kind;
		n->var = n->key_var = -1;
	}
	return n;
}

static int
expect_close(struct parse *p)
{
	if (p->lex.token.kind != TOKEN_CLOSE)
		return tmpl_lex_fail(&p->lex, p->lex.token.at, "expected '}}'");
	return advance(p);
}

static int
parse_print(struct parse *p, struct tmpl_node **ret)
{
	struct tmpl_node *n = new_node(p, NODE_PRINT);
	struct target t;
	int r;

	if (n == NULL)
		return err_origin(-ENOMEM);
	*ret = n;
	r = parse_target(p, false, &t);
	if (r == 0)
		r = parse_pipeline(p, &n->expr);
	if (r == 0 && t.set) {
		n->kind = NODE_SET;
		r = bind(p, &t, t.name, n->expr->type, &n->var);
	}
	return r != 0 ? r : expect_close(p);
}

static int
bind_range(struct parse *p, const struct target *t, struct tmpl_node *n)
{
	int r = 0;

	if (n->expr->type != TMPL_MAP && n->expr->type != TMPL_ANY)
		return tmpl_lex_fail(&p->lex, n->expr->at,
		    "range goes over $labels or $values, found %s", tmpl_type_name(n->expr->type));
	if (t->set && t->has_second)
		r = bind(p, t, t->name, TMPL_STRING, &n->key_var);
	if (r == 0 && t->set)
		r = bind(p, t, t->has_second ? t->second : t->name, TMPL_STRING, &n->var);
	p->dot = TMPL_STRING;
	return r;
}

static int parse_block(struct parse *p, enum tmpl_node_kind kind, struct tmpl_node **ret);

/* What stands behind else: another if, or a list up to end. */
static int
parse_else(struct parse *p, struct tmpl_node *n)
{
	struct str end;
	int r;

	if (is_word(p, "if") || is_word(p, "with")) {
		if (is_word(p, "with") != (n->kind == NODE_WITH))
			return tmpl_lex_fail(&p->lex, p->lex.token.at, "expected '}}' behind else");
		r = advance(p);
		if (r == 0)
			r = parse_block(p, n->kind, &n->other);
		return r;
	}
	r = expect_close(p);
	if (r == 0)
		r = parse_list(p, &n->other, &end);
	if (r == 0 && !str_eq_c(end, "end"))
		return tmpl_lex_fail(&p->lex, p->lex.token.at, "expected {{ end }}");
	return r != 0 ? r : expect_close(p);
}

static int
parse_head(struct parse *p, struct tmpl_node *n)
{
	struct target t;
	int r = parse_target(p, n->kind == NODE_RANGE, &t);

	if (r == 0)
		r = parse_pipeline(p, &n->expr);
	if (r == 0 && n->kind == NODE_RANGE)
		r = bind_range(p, &t, n);
	else if (r == 0 && t.set)
		r = bind(p, &t, t.name, n->expr->type, &n->var);
	if (r == 0 && n->kind == NODE_WITH)
		p->dot = n->expr->type;
	return r != 0 ? r : expect_close(p);
}

/* From behind "if", "with" or "range" to behind its end.  What is set inside is not seen outside. */
static int
parse_block(struct parse *p, enum tmpl_node_kind kind, struct tmpl_node **ret)
{
	struct tmpl_node *n = new_node(p, kind);
	enum tmpl_type dot = p->dot;
	unsigned n_vars = p->n_vars;
	size_t at = p->lex.token.at;
	struct str end = STR_NONE;
	int r;

	if (n == NULL)
		return err_origin(-ENOMEM);
	*ret = n;
	if (++p->depth > TMPL_DEPTH_MAX)
		return tmpl_lex_fail(&p->lex, at, "brackets and blocks stand more than %d deep",
		    TMPL_DEPTH_MAX);
	r = parse_head(p, n);
	if (r == 0)
		r = parse_list(p, &n->body, &end);
	p->dot = dot;
	if (r == 0 && str_eq_c(end, "else"))
		r = parse_else(p, n);
	else if (r == 0)
		r = expect_close(p);
	p->depth--;
	p->n_vars = n_vars;
	return r;
}

static int
refuse_word(struct parse *p, bool *ret)
{
	static const char *const words[] = { "define", "template", "block", "break", "continue" };
	size_t i;

	*ret = false;
	for (i = 0; i < ARRAY_LEN(words); i++)
		if (is_word(p, words[i]))
			return tmpl_lex_fail(&p->lex, p->lex.token.at, "%s is not done here",
			    words[i]);
	*ret = is_word(p, "end") || is_word(p, "else");
	return 0;
}

/* One action behind {{; ${ret_end}: end or else, which the block takes. */
static int
parse_action(struct parse *p, struct tmpl_node **ret, struct str *ret_end)
{
	static const struct {
		const char *word;
		enum tmpl_node_kind kind;
	} blocks[] = { { "if", NODE_IF }, { "with", NODE_WITH }, { "range", NODE_RANGE } };
	bool ends;
	size_t i;
	int r = refuse_word(p, &ends);

	if (r == 0 && ends) {
		*ret_end = p->lex.token.text;
		return advance(p);
	}
	for (i = 0; r == 0 && i < ARRAY_LEN(blocks); i++)
		if (is_word(p, blocks[i].word)) {
			r = advance(p);
			return r != 0 ? r : parse_block(p, blocks[i].kind, ret);
		}
	return r != 0 ? r : parse_print(p, ret);
}

static int
parse_list(struct parse *p, struct tmpl_node **ret, struct str *ret_end)
{
	struct tmpl_node **last = ret;
	int r = 0;

	*ret_end = STR_NONE;
	*last = NULL;
	while (r == 0 && p->lex.token.kind != TOKEN_END && ret_end->n == 0) {
		if (p->lex.token.kind == TOKEN_TEXT) {
			*last = new_node(p, NODE_TEXT);
			if (*last == NULL)
				return err_origin(-ENOMEM);
			(*last)->text = p->lex.token.text;
			r = advance(p);
		} else
			r = parse_action(p, last, ret_end);
		if (*last != NULL)
			last = &(*last)->next;
	}
	if (r == 0 && ret_end->n == 0 && p->depth > 0)
		return tmpl_lex_fail(&p->lex, p->lex.token.at, "expected {{ end }}");
	return r;
}

static int
parse_all(struct parse *p, struct gotmpl **ret)
{
	struct gotmpl *t = arena_zalloc(p->arena, 1, sizeof(*t));
	struct str end;
	size_t at;
	int r;

	if (t == NULL)
		return err_origin(-ENOMEM);
	r = advance(p);
	at = p->lex.token.at;
	if (r == 0)
		r = parse_list(p, &t->first, &end);
	if (r == 0 && end.n > 0)
		return tmpl_lex_fail(&p->lex, at, "{{ %.*s }} without if, with or range",
		    STR_ARG(end));
	if (r == 0)
		*ret = t;
	return r;
}

int
gotmpl_parse_at(struct str text, struct arena *arena, struct gotmpl **ret, size_t *ret_at,
    struct buf *ret_why)
{
	struct parse p = { .arena = arena, .dot = TMPL_ROOT };
	int r;

	p.lex.text = arena_dup(arena, text);
	p.lex.arena = arena;
	if (p.lex.text.p == NULL)
		return err_origin(-ENOMEM);
	r = parse_all(&p, ret);
	if (r > 0) {
		*ret_at = p.lex.error_at;
		buf_c(ret_why, p.lex.error);
	}
	return r;
}

int
gotmpl_parse(struct str text, struct arena *arena, struct gotmpl **ret, struct buf *ret_why)
{
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	size_t at = 0, line = 1, column = 1, i;
	int r = gotmpl_parse_at(text, arena, ret, &at, &why);

	if (r <= 0)
		return r;
	for (i = 0; i < at && i < text.n; i++) {
		if (text.p[i] == '\n') {
			line++;
			column = 1;
		} else if ((text.p[i] & 0xc0) != 0x80)
			column++;
	}
	buf_printf(ret_why, "%zu:%zu: %s", line, column, buf_c_str(&why));
	return GOTMPL_E_BAD;
}
