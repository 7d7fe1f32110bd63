/*
 * alerts/gotmpl_parse.h - shared by gotmpl_parse.c and gotmpl_expr.c.
 * One job: where a parse of a template stands.
 * Floor: 4 (uses base).
 */
#pragma once

#include "alerts/gotmpl_internal.h"

struct tmpl_variable {
	struct str name;
	enum tmpl_type type; /* as far as it is known */
};

struct tmpl_parse {
	struct tmpl_lex lex;
	struct arena *arena;
	struct tmpl_variable vars[TMPL_VARS_MAX]; /* those that are seen here, the innermost last */
	unsigned n_vars;
	enum tmpl_type dot;
	unsigned depth;
};

/** tmpl_parse_pipeline(p, ret): a value, or functions with | between them, up to }} or ). */
int tmpl_parse_pipeline(struct tmpl_parse *p, struct tmpl_expr **ret);

static inline int
tmpl_advance(struct tmpl_parse *p)
{
	return tmpl_lex_next(&p->lex);
}

static inline bool
tmpl_is_sign(const struct tmpl_parse *p, const char *sign)
{
	return p->lex.token.kind == TOKEN_SIGN && str_eq_c(p->lex.token.text, sign);
}

static inline bool
tmpl_is_word(const struct tmpl_parse *p, const char *word)
{
	return p->lex.token.kind == TOKEN_WORD && str_eq_c(p->lex.token.text, word);
}
