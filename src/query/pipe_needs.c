/*
 * query/pipe_needs.c - which fields pipes read.
 * One job: from what is read behind a pipe to what is read before it, so that nobody gathers what
 * nobody reads.
 * Floor: 3 (uses logsql, record, base).
 */
#include "query/pipe_needs.h"

#include "logsql/filter.h"

static int
add(struct needs *needs, struct arena *arena, struct str name)
{
	struct str *p;

	if (needs->all || name.n == 0 || names_match(&needs->names, name))
		return 0;
	if (str_eq(name, STR("*"))) {
		needs->all = true;
		return 0;
	}
	p = arena_alloc(arena, (needs->names.n + 1) * sizeof(*p));
	if (p == NULL)
		return err_origin(-ENOMEM);
	if (needs->names.n != 0)
		memcpy(p, needs->names.p, needs->names.n * sizeof(*p));
	p[needs->names.n++] = name;
	needs->names.p = p;
	return 0;
}

static int
add_names(struct needs *needs, struct arena *arena, const struct names *names)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < names->n; i++)
		r = add(needs, arena, names->p[i]);
	return r;
}

static int
add_filter(struct needs *needs, struct arena *arena, const struct filter *f)
{
	struct str *names;
	size_t i, n;
	int r;

	if (f == NULL)
		return 0;
	r = filter_fields(f, arena, &names, &n);
	for (i = 0; r == 0 && i < n; i++)
		r = add(needs, arena, names[i]);
	return r;
}

static int
add_math(struct needs *needs, struct arena *arena, const struct math_expr *e)
{
	size_t i;
	int r = 0;

	if (e->op == MATH_FIELD)
		return add(needs, arena, e->text);
	for (i = 0; r == 0 && i < e->n_args; i++)
		r = add_math(needs, arena, e->args[i]);
	return r;
}

static int
add_func(struct needs *needs, struct arena *arena, const struct stats_func *f)
{
	size_t i;
	int r;

	/* count(*) counts rows and reads none. */
	if (f->kind == STATS_COUNT && f->names.n == 1 && str_eq(f->names.p[0], STR("*")))
		r = 0;
	else
		r = add_names(needs, arena, &f->names);
	if (r == 0)
		r = add(needs, arena, f->field);
	if (r == 0)
		r = add_filter(needs, arena, f->filter);
	for (i = 0; r == 0 && i < f->n_not_any; i++)
		r = add_filter(needs, arena, f->not_any[i]);
	for (i = 0; r == 0 && i < f->n_sort; i++)
		r = add(needs, arena, f->sort[i].name);
	return r;
}

/* All that the pipe's parts name as read. */
static int
add_parts(const struct pipe *p, struct arena *arena, struct needs *needs)
{
	size_t i;
	int r;

	r = add_names(needs, arena, &p->names);
	if (r == 0)
		r = add(needs, arena, p->from);
	if (r == 0)
		r = add_filter(needs, arena, p->filter);
	for (i = 0; r == 0 && i < p->n_keys; i++)
		r = add(needs, arena, p->keys[i].name);
	for (i = 0; r == 0 && i < p->n_by; i++)
		r = add(needs, arena, p->by[i].name);
	for (i = 0; r == 0 && i < p->n_funcs; i++)
		r = add_func(needs, arena, &p->funcs[i]);
	for (i = 0; r == 0 && i < p->n_math; i++)
		r = add_math(needs, arena, p->math[i].expr);
	for (i = 0; r == 0 && p->kind == PIPE_FORMAT && i < p->n_steps; i++)
		r = add(needs, arena, p->steps[i].field);
	if (r == 0 && (p->kind == PIPE_SORT || p->kind == PIPE_FIRST || p->kind == PIPE_LAST))
		r = add_names(needs, arena, &p->targets);
	return r;
}

/* Of what is read behind a list of fields, only those of the list are read before it. */
static int
only_fields(const struct pipe *p, struct arena *arena, struct needs *needs)
{
	struct needs before = { .all = false };
	size_t i;
	int r = 0;

	if (needs->all) {
		r = add_names(&before, arena, &p->names);
	} else {
		for (i = 0; r == 0 && i < needs->names.n; i++)
			if (name_is_wild(needs->names.p[i]) ||
			    names_match(&p->names, needs->names.p[i]))
				r = add(&before, arena, needs->names.p[i]);
	}
	/* Rows of chosen fields are no lines any more. */
	*needs = before;
	return r;
}

/* Which of them make their rows anew, so that nothing behind them reads what came in. */
static bool
makes_rows(enum pipe_kind kind)
{
	return kind == PIPE_STATS || kind == PIPE_UNIQ || kind == PIPE_TOP ||
	    kind == PIPE_FIELD_VALUES || kind == PIPE_BLOCKS_COUNT || kind == PIPE_BLOCK_STATS ||
	    kind == PIPE_QUERY_STATS || kind == PIPE_GENERATE_SEQUENCE || kind == PIPE_PATTERNS;
}

static bool
reads_all(const struct pipe *p)
{
	return p->kind == PIPE_FACETS || p->kind == PIPE_FIELD_NAMES ||
	    p->kind == PIPE_DROP_EMPTY_FIELDS || p->kind == PIPE_TRACE ||
	    p->kind == PIPE_STREAM_CONTEXT ||
	    ((p->kind == PIPE_PACK_JSON || p->kind == PIPE_PACK_LOGFMT) && p->names.n == 0) ||
	    ((p->kind == PIPE_SORT || p->kind == PIPE_FIRST || p->kind == PIPE_LAST) &&
	        p->n_keys == 0);
}

int
needs_before(const struct pipe *p, struct arena *arena, struct needs *needs)
{
	int r = 0;

	if (p->kind == PIPE_FACETS || p->kind == PIPE_FIELD_NAMES)
		needs->lines = false;
	if (reads_all(p)) {
		needs->all = true;
		return 0;
	}
	if (p->kind == PIPE_FIELDS)
		return only_fields(p, arena, needs);
	if (p->kind == PIPE_DELETE)
		return 0;
	if (makes_rows(p->kind))
		*needs = (struct needs){ .all = false };
	if (p->kind == PIPE_PATTERNS) {
		r = add(needs, arena, STR("_msg"));
		if (r == 0)
			r = add(needs, arena, STR("_time"));
	}
	if (r == 0 && (p->kind == PIPE_RUNNING_STATS || p->kind == PIPE_TOTAL_STATS))
		r = add(needs, arena, STR("_time"));
	return r != 0 ? r : add_parts(p, arena, needs);
}

struct needs
needs_wanted(const struct query_env *env)
{
	return (struct needs){ .all = true, .lines = env->lines };
}

bool
needs_name(const struct needs *n, struct str name)
{
	return n->all || names_match(&n->names, name);
}

int
needs_copy(const struct needs *n, struct arena *arena, struct needs *ret)
{
	*ret = (struct needs){ .all = n->all, .lines = n->lines };
	return add_names(ret, arena, &n->names);
}
