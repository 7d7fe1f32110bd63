/*
 * lib/columns.c - the columns of an answer.
 * One job: tell from a query which columns its rows have, for csv and table.
 * Floor: 4 (uses logsql, base).
 */
#include "lib/ask.h"
#include "logsql/pipe.h"

struct list {
	struct arena *arena;
	struct str *names;
	size_t n, cap;
	int err;
};

static void
add(struct list *l, struct str name)
{
	struct str *more;
	size_t i, cap;

	for (i = 0; i < l->n; i++)
		if (str_eq(l->names[i], name))
			return;
	if (name.n == 0 || l->err != 0)
		return;
	if (l->n == l->cap) {
		cap = l->cap == 0 ? 16 : l->cap * 2;
		more = arena_alloc(l->arena, cap * sizeof(*more));
		if (more == NULL) {
			l->err = err_origin(-ENOMEM);
			return;
		}
		if (l->n > 0)
			memcpy(more, l->names, l->n * sizeof(*more));
		l->names = more;
		l->cap = cap;
	}
	l->names[l->n++] = name;
}

static void
drop(struct list *l, struct str name)
{
	size_t i, k = 0;

	for (i = 0; i < l->n; i++)
		if (!name_matches(name, l->names[i]))
			l->names[k++] = l->names[i];
	l->n = k;
}

/* fields a, b*: a prefix says nothing of the names that will come. */
static bool
begin_fields(struct list *l, const struct pipe *p)
{
	size_t i;

	l->n = 0;
	for (i = 0; i < p->names.n; i++) {
		if (name_is_wild(p->names.p[i]))
			return false;
		add(l, p->names.p[i]);
	}
	return l->n > 0;
}

static bool
begin_stats(struct list *l, const struct pipe *p)
{
	size_t i;

	l->n = 0;
	for (i = 0; i < p->n_by; i++)
		add(l, p->by[i].name);
	for (i = 0; i < p->n_funcs; i++)
		add(l, p->funcs[i].name);
	return l->n > 0;
}

/* What a pipe behind it does to the columns. */
static void
change(struct list *l, const struct pipe *p)
{
	size_t i, k;

	if (p->kind == PIPE_DELETE) {
		for (i = 0; i < p->names.n; i++)
			drop(l, p->names.p[i]);
	} else if (p->kind == PIPE_RENAME || p->kind == PIPE_COPY) {
		for (i = 0; i < p->names.n && i < p->targets.n; i++) {
			if (p->kind == PIPE_COPY) {
				add(l, p->targets.p[i]);
				continue;
			}
			for (k = 0; k < l->n; k++)
				if (str_eq(l->names[k], p->names.p[i]))
					l->names[k] = p->targets.p[i];
		}
	} else {
		for (i = 0; i < p->n_math; i++)
			add(l, p->math[i].name);
		for (i = 0; i < p->n_steps; i++)
			if (p->kind == PIPE_EXTRACT)
				add(l, p->steps[i].field);
		if (p->kind == PIPE_FORMAT || p->kind == PIPE_LEN || p->kind == PIPE_HASH ||
		    p->kind == PIPE_PACK_JSON || p->kind == PIPE_PACK_LOGFMT)
			add(l, p->to);
		add(l, p->rank);
	}
}

int
ask_columns(const struct query *q, struct arena *arena, const struct str **ret, size_t *ret_n)
{
	struct list l = { .arena = arena };
	bool known = false;
	size_t i;

	for (i = 0; i < q->n_pipes; i++) {
		const struct pipe *p = q->pipes[i];

		if (p->kind == PIPE_FIELDS)
			known = begin_fields(&l, p);
		else if (p->kind == PIPE_STATS)
			known = begin_stats(&l, p);
		else if (p->kind == PIPE_TOP || p->kind == PIPE_UNIQ || p->kind == PIPE_FACETS ||
		    p->kind == PIPE_FIELD_NAMES || p->kind == PIPE_FIELD_VALUES)
			known = false;
		else if (known)
			change(&l, p);
	}
	*ret = known ? l.names : NULL;
	*ret_n = known ? l.n : 0;
	return err_trace(l.err);
}
