/*
 * alerts/gotmpl_run.c - running a template.
 * One job: nodes and data to text, within bounds of steps, bytes and memory.
 * Floor: 4 (uses base).
 */
#include <stdio.h>

#include "alerts/gotmpl_internal.h"

static int eval(struct tmpl_run *run, const struct tmpl_expr *e, struct tmpl_value *ret);
static int run_list(struct tmpl_run *run, const struct tmpl_node *n);

int
tmpl_fail(struct tmpl_run *run, const char *fmt, ...)
{
	char text[300];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buf_c(run->why, text);
	return GOTMPL_E_BAD;
}

int
tmpl_keep(struct tmpl_run *run, const struct buf *text, struct tmpl_value *ret)
{
	struct str s;

	if (text->failed)
		return err_origin(-ENOMEM);
	if (text->n > GOTMPL_OUT_MAX || run->arena.total > TMPL_MEMORY_MAX)
		return tmpl_fail(run, "more than %d bytes come out", GOTMPL_OUT_MAX);
	s = arena_dup(&run->arena, buf_view(text));
	if (s.p == NULL)
		return err_origin(-ENOMEM);
	*ret = (struct tmpl_value){ .type = TMPL_STRING, .s = s };
	return 0;
}

static int
step(struct tmpl_run *run)
{
	if (++run->n_steps > GOTMPL_STEPS_MAX)
		return tmpl_fail(run, "it takes more than %d steps", GOTMPL_STEPS_MAX);
	return 0;
}

/* ---- values ---- */

static struct tmpl_value
map_value(const struct labels *map)
{
	return (struct tmpl_value){ .type = TMPL_MAP, .map = *map };
}

static struct tmpl_value
root_field(const struct gotmpl_data *data, struct str name)
{
	if (str_eq_c(name, "Labels"))
		return map_value(&data->labels);
	if (str_eq_c(name, "ExternalLabels"))
		return map_value(&data->external);
	if (str_eq_c(name, "Values"))
		return map_value(&data->values);
	return (struct tmpl_value){ .type = TMPL_FLOAT, .f = data->value };
}

static int
eval_field(struct tmpl_run *run, const struct tmpl_expr *e, struct tmpl_value *ret)
{
	struct tmpl_value of;
	int r = eval(run, e->of, &of);

	if (r != 0)
		return r;
	if (of.type == TMPL_ROOT)
		*ret = root_field(run->data, e->name);
	else if (of.type == TMPL_MAP)
		*ret =
		    (struct tmpl_value){ .type = TMPL_STRING, .s = labels_get(&of.map, e->name) };
	else
		return tmpl_fail(run, "%s has no field .%.*s", tmpl_type_name(of.type),
		    STR_ARG(e->name));
	return 0;
}

/* What could not be known when it was parsed. */
static int
check_arg(struct tmpl_run *run, const struct tmpl_func *f, char want, const struct tmpl_value *v)
{
	if ((want == 's' && v->type != TMPL_STRING) || (want == 'm' && v->type != TMPL_MAP))
		return tmpl_fail(run, "%s takes %s, found %s", f->name,
		    want == 's' ? "a text" : "a map", tmpl_type_name(v->type));
	return 0;
}

static int
eval_call(struct tmpl_run *run, const struct tmpl_expr *e, struct tmpl_value *ret)
{
	struct tmpl_value args[TMPL_ARGS_MAX];
	const char *want = e->func->args;
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < e->n_args; i++) {
		r = eval(run, e->args[i], &args[i]);
		if (r == 0)
			r = check_arg(run, e->func, *want, &args[i]);
		if (want[1] != '+' && want[1] != '*')
			want++;
	}
	return r != 0 ? r : e->func->fn(run, args, e->n_args, ret);
}

static int
eval(struct tmpl_run *run, const struct tmpl_expr *e, struct tmpl_value *ret)
{
	int r = step(run);

	if (r != 0)
		return r;
	switch (e->kind) {
	case EXPR_CONST:
		*ret = e->value;
		return 0;
	case EXPR_DOT:
		*ret = run->dot;
		return 0;
	case EXPR_ROOT:
		*ret = (struct tmpl_value){ .type = TMPL_ROOT };
		return 0;
	case EXPR_VAR:
		*ret = run->vars[e->var];
		return 0;
	case EXPR_FIELD:
		return eval_field(run, e, ret);
	case EXPR_CALL:
		return eval_call(run, e, ret);
	}
	return 0;
}

/* ---- nodes ---- */

static int
put_bound(struct tmpl_run *run)
{
	if (run->out->failed)
		return err_origin(-ENOMEM);
	if (run->out->n - run->start > GOTMPL_OUT_MAX)
		return tmpl_fail(run, "more than %d bytes come out", GOTMPL_OUT_MAX);
	return 0;
}

static int
run_choice(struct tmpl_run *run, const struct tmpl_node *n)
{
	struct tmpl_value v, dot = run->dot;
	int r = eval(run, n->expr, &v);

	if (r != 0)
		return r;
	if (n->var >= 0)
		run->vars[n->var] = v;
	if (!tmpl_true(&v))
		return run_list(run, n->other);
	if (n->kind == NODE_WITH)
		run->dot = v;
	r = run_list(run, n->body);
	run->dot = dot;
	return r;
}

static int
run_range(struct tmpl_run *run, const struct tmpl_node *n)
{
	struct tmpl_value v, dot = run->dot;
	size_t i;
	int r = eval(run, n->expr, &v);

	if (r != 0)
		return r;
	if (v.type != TMPL_MAP)
		return tmpl_fail(run, "range goes over $labels or $values, found %s",
		    tmpl_type_name(v.type));
	if (v.map.n == 0)
		return run_list(run, n->other);
	for (i = 0; r == 0 && i < v.map.n; i++) {
		run->dot = (struct tmpl_value){ .type = TMPL_STRING, .s = v.map.p[i].value };
		if (n->var >= 0)
			run->vars[n->var] = run->dot;
		if (n->key_var >= 0)
			run->vars[n->key_var] =
			    (struct tmpl_value){ .type = TMPL_STRING, .s = v.map.p[i].name };
		r = run_list(run, n->body);
	}
	run->dot = dot;
	return r;
}

static int
run_node(struct tmpl_run *run, const struct tmpl_node *n)
{
	struct tmpl_value v;
	int r = step(run);

	if (r != 0)
		return r;
	switch (n->kind) {
	case NODE_TEXT:
		buf_str(run->out, n->text);
		return put_bound(run);
	case NODE_PRINT:
		r = eval(run, n->expr, &v);
		if (r == 0)
			tmpl_print(run->out, &v);
		return r != 0 ? r : put_bound(run);
	case NODE_SET:
		r = eval(run, n->expr, &v);
		if (r == 0)
			run->vars[n->var] = v;
		return r;
	case NODE_IF:
	case NODE_WITH:
		return run_choice(run, n);
	case NODE_RANGE:
		return run_range(run, n);
	}
	return 0;
}

static int
run_list(struct tmpl_run *run, const struct tmpl_node *n)
{
	int r = 0;

	for (; r == 0 && n != NULL; n = n->next)
		r = run_node(run, n);
	return r;
}

int
gotmpl_run(const struct gotmpl *t, const struct gotmpl_data *data, struct buf *out,
    struct buf *ret_why)
{
	struct tmpl_run run = { .data = data, .out = out, .why = ret_why, .start = out->n };
	int r;

	run.dot.type = TMPL_ROOT;
	r = run_list(&run, t->first);
	if (r != 0)
		out->n = run.start;
	arena_fini(&run.arena);
	return r;
}
