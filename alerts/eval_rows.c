/*
 * alerts/eval_rows.c - rows as results.
 * One job: which columns of an expression's rows are labels, which is the value; and batches of them as results.
 * Floor: 4 (uses query, logsql, record, base).
 */
#include "alerts/eval_internal.h"
#include "logsql/value.h"
#include "query/match.h"

static struct str
renamed(const struct pipe *p, struct str name)
{
	size_t i;

	for (i = 0; i < p->names.n && i < p->targets.n; i++)
		if (str_eq(p->names.p[i], name))
			return p->targets.p[i];
	return name;
}

/* What the pipes behind stats make of the names of labels and value. */
static void
follow_names(struct eval_rule *er, const struct pipe *p)
{
	size_t i;

	if (p->kind == PIPE_RENAME) {
		for (i = 0; i < er->labels.n; i++)
			er->labels.p[i] = renamed(p, er->labels.p[i]);
		er->value = renamed(p, er->value);
	}
	if (p->kind == PIPE_MATH && p->n_math > 0)
		er->value = p->math[p->n_math - 1].name;
	if ((p->kind == PIPE_RUNNING_STATS || p->kind == PIPE_TOTAL_STATS) && p->n_funcs > 0)
		er->value = p->funcs[p->n_funcs - 1].name;
}

static int
shape_stats(struct eval_rule *er, const struct pipe *p, struct arena *arena)
{
	size_t i;

	er->stats = p;
	er->value = p->n_funcs > 0 ? p->funcs[p->n_funcs - 1].name : STR_NONE;
	er->labels.n = p->n_by;
	er->labels.p = arena_alloc(arena, (p->n_by + 1) * sizeof(*er->labels.p));
	if (er->labels.p == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < p->n_by; i++)
		er->labels.p[i] = p->by[i].name;
	return 0;
}

int
eval_shape(struct eval_rule *er, struct arena *arena)
{
	const struct query *q = er->rule->query;
	size_t i, n = q->n_pipes;
	int r = 0;

	er->n_asked = n;
	while ((er->rule->resolve_when != NULL || er->rule->form == RULE_ANOMALY) &&
	    er->n_asked > 0 && q->pipes[er->n_asked - 1]->kind == PIPE_FILTER)
		er->n_asked--;
	if (er->rule->form == RULE_NEW_PATTERN) {
		r = eval_pattern_stats(arena, &er->first);
		return r < 0 ? err_trace(r) : err_trace(shape_stats(er, er->first, arena));
	}
	if (er->rule->n_row < n)
		er->first = q->pipes[er->rule->n_row];
	for (i = 0; r == 0 && i < n; i++) {
		const struct pipe *p = q->pipes[i];

		if (p->kind != PIPE_STATS) {
			if (er->stats != NULL)
				follow_names(er, p);
			continue;
		}
		r = shape_stats(er, p, arena);
	}
	return err_trace(r);
}

static bool
is_label(const struct eval_rule *er, struct str name)
{
	size_t i;

	for (i = 0; i < er->labels.n; i++)
		if (str_eq(er->labels.p[i], name))
			return true;
	/* The set of all label sets beyond the limit. */
	return er->stream != NULL && er->stream->n_over > 0 && str_eq_c(name, "overflow");
}

static int
grow_results(struct eval_take *t, size_t more)
{
	size_t cap = t->cap == 0 ? 16 : t->cap;
	struct eval_result *p;

	while (cap < t->set->n + more)
		cap *= 2;
	if (cap == t->cap)
		return 0;
	p = arena_alloc(t->arena, cap * sizeof(*p));
	if (p == NULL)
		return err_origin(-ENOMEM);
	if (t->set->n != 0)
		memcpy(p, t->set->results, t->set->n * sizeof(*p));
	t->set->results = p;
	t->cap = cap;
	return 0;
}

/* The rows that a filter over the result takes. */
static int
rows_taken(const struct filter *f, struct batch *b, uint64_t **ret)
{
	*ret = arena_zalloc(&b->arena, BITS_WORDS(b->n_rows) + 1, sizeof(**ret));
	if (*ret == NULL)
		return err_origin(-ENOMEM);
	bits_fill(*ret, b->n_rows);
	return f == NULL ? 0 : err_trace(match_batch(f, b, NULL, *ret));
}

/* The rows that hold the condition: all, but for those that trailing filters would drop. */
static int
rows_holding(const struct eval_rule *er, struct batch *b, uint64_t **ret)
{
	const struct query *q = er->rule->query;
	uint64_t *one;
	size_t i, w;
	int r = rows_taken(NULL, b, ret);

	for (i = er->n_asked; r == 0 && i < q->n_pipes; i++) {
		r = rows_taken(q->pipes[i]->filter, b, &one);
		for (w = 0; r == 0 && w < BITS_WORDS(b->n_rows); w++)
			(*ret)[w] &= one[w];
	}
	return err_trace(r);
}

/* One row's columns apart into labels and values. */
static int
take_row(struct eval_take *t, const struct str *names, const struct str **cols, size_t n,
    size_t row, struct eval_result *ret)
{
	struct label *pairs = arena_alloc(t->arena, 2 * (n + 1) * sizeof(*pairs));
	struct label *values = pairs + n + 1;
	size_t i, n_labels = 0, n_values = 0;
	struct str name, v;
	int r;

	if (pairs == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < n; i++) {
		name = arena_dup(t->arena, names[i]);
		v = arena_dup(t->arena, cols[i][row]);
		if (name.p == NULL || v.p == NULL)
			return err_origin(-ENOMEM);
		if (is_label(t->er, name))
			pairs[n_labels++] = (struct label){ name, v };
		else
			values[n_values++] = (struct label){ name, v };
		if (str_eq(name, t->er->value) && !value_number(v, &ret->value))
			ret->value = 0;
	}
	r = labels_make(t->arena, pairs, n_labels, &ret->labels);
	return r < 0 ? err_trace(r)
	             : err_trace(labels_make(t->arena, values, n_values, &ret->values));
}

int
eval_take_batch(void *ctx, struct batch *b)
{
	struct eval_take *t = ctx;
	uint64_t *holds, *resolve = NULL;
	const struct str *names, **cols;
	size_t i, n;
	int r;

	r = rows_holding(t->er, b, &holds);
	if (r == 0 && t->er->rule->resolve_when != NULL)
		r = rows_taken(t->er->rule->resolve_when, b, &resolve);
	if (r == 0)
		r = batch_names(b, &names, &n);
	if (r == 0)
		r = grow_results(t, b->n_rows);
	if (r < 0)
		return err_trace(r);
	cols = arena_alloc(&b->arena, (n + 1) * sizeof(*cols));
	if (cols == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < n; i++) {
		cols[i] = batch_strs(b, names[i]);
		if (cols[i] == NULL)
			return b->err != 0 ? b->err : err_origin(-ENOMEM);
	}
	for (i = 0; r == 0 && i < b->n_rows; i++) {
		struct eval_result *res = &t->set->results[t->set->n];

		*res = (struct eval_result){ .holds = bits_get(holds, i),
			.may_resolve = resolve != NULL && bits_get(resolve, i) };
		r = take_row(t, names, cols, n, i, res);
		t->set->n += r == 0 ? 1 : 0;
	}
	return err_trace(r);
}
