/*
 * alerts/gotmpl_parse.c - the tree of a template.
 * One job: text and blocks as nodes, and everything that cannot run as a mistake with its place.
 * Floor: 4 (uses base).
 */
#include "alerts/gotmpl_parse.h"

static int parse_list(struct tmpl_parse *p, struct tmpl_node **ret, struct str *ret_end);

/* ---- variables ---- */

static int
declare(struct tmpl_parse *p, struct str name, enum tmpl_type type, size_t at, int *ret)
{
	if (name.n == 0)
		return tmpl_lex_fail(&p->lex, at, "expected a name behind '$'");
	if (p->n_vars == TMPL_VARS_MAX)
		return tmpl_lex_fail(&p->lex, at, "expected at most %d variables", TMPL_VARS_MAX);
	p->vars[p->n_vars] = (struct tmpl_variable){ name, type };
	*ret = (int)p->n_vars++;
	return 0;
}

static int
assign(struct tmpl_parse *p, struct str name, enum tmpl_type type, size_t at, int *ret)
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
parse_second(struct tmpl_parse *p, struct target *ret)
{
	int r = tmpl_advance(p);

	if (r == 0 && p->lex.token.kind != TOKEN_VARIABLE)
		return tmpl_lex_fail(&p->lex, p->lex.token.at, "expected a second variable");
	ret->second = p->lex.token.text;
	ret->has_second = true;
	return r != 0 ? r : tmpl_advance(p);
}

static int
parse_target(struct tmpl_parse *p, bool range, struct target *ret)
{
	struct tmpl_lex before = p->lex;
	int r;

	*ret = (struct target){ 0 };
	if (p->lex.token.kind != TOKEN_VARIABLE)
		return 0;
	ret->name = p->lex.token.text;
	ret->at = p->lex.token.at;
	r = tmpl_advance(p);
	if (r == 0 && range && tmpl_is_sign(p, ","))
		r = parse_second(p, ret);
	if (r != 0)
		return r;
	ret->declares = tmpl_is_sign(p, ":=");
	ret->set = ret->declares || tmpl_is_sign(p, "=");
	if (ret->set)
		return tmpl_advance(p);
	if (ret->has_second)
		return tmpl_lex_fail(&p->lex, p->lex.token.at, "expected ':='");
	p->lex = before;
	return 0;
}

static int
bind(struct tmpl_parse *p, const struct target *t, struct str name, enum tmpl_type type, int *ret)
{
	if (t->declares)
		return declare(p, name, type, t->at, ret);
	return assign(p, name, type, t->at, ret);
}

/* ---- nodes ---- */

static struct tmpl_node *
new_node(struct tmpl_parse *p, enum tmpl_node_kind kind)
{
	struct tmpl_node *n = arena_zalloc(p->arena, 1, sizeof(*n));

	if (n != NULL) {
		n->kind = kind;
		n->var = n->key_var = -1;
	}
	return n;
}

static int
expect_close(struct tmpl_parse *p)
{
	if (p->lex.token.kind != TOKEN_CLOSE)
		return tmpl_lex_fail(&p->lex, p->lex.token.at, "expected '}}'");
	return tmpl_advance(p);
}

static int
parse_print(struct tmpl_parse *p, struct tmpl_node **ret)
{
	struct tmpl_node *n = new_node(p, NODE_PRINT);
	struct target t;
	int r;

	if (n == NULL)
		return err_origin(-ENOMEM);
	*ret = n;
	r = parse_target(p, false, &t);
	if (r == 0)
		r = tmpl_parse_pipeline(p, &n->expr);
	if (r == 0 && t.set) {
		n->kind = NODE_SET;
		r = bind(p, &t, t.name, n->expr->type, &n->var);
	}
	return r != 0 ? r : expect_close(p);
}

static int
bind_range(struct tmpl_parse *p, const struct target *t, struct tmpl_node *n)
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

static int parse_block(struct tmpl_parse *p, enum tmpl_node_kind kind, struct tmpl_node **ret);

/* What stands behind else: another if, or a list up to end. */
static int
parse_else(struct tmpl_parse *p, struct tmpl_node *n)
{
	struct str end;
	int r;

	if (tmpl_is_word(p, "if") || tmpl_is_word(p, "with")) {
		if (tmpl_is_word(p, "with") != (n->kind == NODE_WITH))
			return tmpl_lex_fail(&p->lex, p->lex.token.at, "expected '}}' behind else");
		r = tmpl_advance(p);
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
parse_head(struct tmpl_parse *p, struct tmpl_node *n)
{
	struct target t;
	int r = parse_target(p, n->kind == NODE_RANGE, &t);

	if (r == 0)
		r = tmpl_parse_pipeline(p, &n->expr);
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
parse_block(struct tmpl_parse *p, enum tmpl_node_kind kind, struct tmpl_node **ret)
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
refuse_word(struct tmpl_parse *p, bool *ret)
{
	static const char *const words[] = { "define", "template", "block", "break", "continue" };
	size_t i;

	*ret = false;
	for (i = 0; i < ARRAY_LEN(words); i++)
		if (tmpl_is_word(p, words[i]))
			return tmpl_lex_fail(&p->lex, p->lex.token.at, "%s is not done here",
			    words[i]);
	*ret = tmpl_is_word(p, "end") || tmpl_is_word(p, "else");
	return 0;
}

/* One action behind {{; ${ret_end}: end or else, which the block takes. */
static int
parse_action(struct tmpl_parse *p, struct tmpl_node **ret, struct str *ret_end)
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
		return tmpl_advance(p);
	}
	for (i = 0; r == 0 && i < ARRAY_LEN(blocks); i++)
		if (tmpl_is_word(p, blocks[i].word)) {
			r = tmpl_advance(p);
			return r != 0 ? r : parse_block(p, blocks[i].kind, ret);
		}
	return r != 0 ? r : parse_print(p, ret);
}

static int
parse_list(struct tmpl_parse *p, struct tmpl_node **ret, struct str *ret_end)
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
			r = tmpl_advance(p);
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
parse_all(struct tmpl_parse *p, struct gotmpl **ret)
{
	struct gotmpl *t = arena_zalloc(p->arena, 1, sizeof(*t));
	struct str end;
	size_t at;
	int r;

	if (t == NULL)
		return err_origin(-ENOMEM);
	r = tmpl_advance(p);
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
	struct tmpl_parse p = { .arena = arena, .dot = TMPL_ROOT };
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
