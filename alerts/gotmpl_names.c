/*
 * alerts/gotmpl_names.c - what a template reads.
 * One job: the names of labels and values in it, for lint.
 * Floor: 4 (uses base).
 */
#include "alerts/gotmpl_internal.h"

struct walk_names {
	gotmpl_name_fn fn;
	void *ctx;
};

/* Which of the maps ${e} is: 'L' $labels, 'V' $values, 0 neither. */
static char
map_of(const struct tmpl_expr *e)
{
	if (e->kind != EXPR_FIELD || e->of->type != TMPL_ROOT)
		return 0;
	if (str_eq_c(e->name, "Labels"))
		return 'L';
	return str_eq_c(e->name, "Values") ? 'V' : 0;
}

static int
found(const struct walk_names *w, const struct tmpl_expr *map, struct str name)
{
	char which = map_of(map);

	return which != 0 ? w->fn(w->ctx, which == 'L', name) : 0;
}

static int
walk_expr(const struct walk_names *w, const struct tmpl_expr *e)
{
	size_t i;
	int r = 0;

	if (e->kind == EXPR_FIELD) {
		r = found(w, e->of, e->name);
		return r != 0 ? r : walk_expr(w, e->of);
	}
	if (e->kind == EXPR_CALL && strcmp(e->func->name, "index") == 0 &&
	    e->args[1]->kind == EXPR_CONST)
		r = found(w, e->args[0], e->args[1]->value.s);
	for (i = 0; r == 0 && i < e->n_args; i++)
		r = walk_expr(w, e->args[i]);
	return r;
}

static int
walk_list(const struct walk_names *w, const struct tmpl_node *n)
{
	int r = 0;

	for (; r == 0 && n != NULL; n = n->next) {
		if (n->expr != NULL)
			r = walk_expr(w, n->expr);
		if (r == 0)
			r = walk_list(w, n->body);
		if (r == 0)
			r = walk_list(w, n->other);
	}
	return r;
}

int
gotmpl_names(const struct gotmpl *t, gotmpl_name_fn fn, void *ctx)
{
	const struct walk_names w = { fn, ctx };

	return walk_list(&w, t->first);
}
