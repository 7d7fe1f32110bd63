/*
 * logsql/filter_new.c - making filters.
 * One job: nodes, leaves and lists in the arena of the parse.
 * Floor: 2 (uses record, base).
 */
#include "logsql/filter_internal.h"
#include "logsql/letter_internal.h"

static int
grow(void **p, size_t n, size_t *cap, size_t size, struct arena *arena)
{
	size_t more = *cap == 0 ? 4 : *cap * 2;
	void *bigger;

	if (n < *cap)
		return 0;
	bigger = arena_zalloc(arena, more, size);
	if (bigger == NULL)
		return err_origin(-ENOMEM);
	if (n != 0)
		memcpy(bigger, *p, n * size);
	*p = bigger;
	*cap = more;
	return 0;
}

int
filter_list_add(struct filter_list *list, struct arena *arena, struct filter *f)
{
	void *p = list->p;
	int r;

	r = grow(&p, list->n, &list->cap, sizeof(struct filter *), arena);
	if (r != 0)
		return err_trace(r);
	list->p = p;
	list->p[list->n++] = f;
	return 0;
}

int
str_list_add(struct str_list *list, struct arena *arena, struct str s)
{
	void *p = list->p;
	int r;

	r = grow(&p, list->n, &list->cap, sizeof(s), arena);
	if (r != 0)
		return err_trace(r);
	list->p = p;
	list->p[list->n++] = s;
	return 0;
}

static int
new_filter(struct arena *arena, enum filter_kind kind, struct filter **ret)
{
	struct filter *f = arena_zalloc(arena, 1, sizeof(*f));

	if (f == NULL)
		return err_origin(-ENOMEM);
	f->kind = kind;
	f->field = STR("_msg");
	*ret = f;
	return 0;
}

int
filter_new(struct lex *l, enum filter_kind kind, struct str field, struct filter **ret)
{
	int r;

	if (l->n_filters++ >= LOGSQL_FILTERS_MAX)
		return lex_fail(l,
		    "more than %d filters in one query; many values fit in one in(...)",
		    LOGSQL_FILTERS_MAX);
	r = new_filter(l->arena, kind, ret);
	if (r == 0 && field.n != 0)
		(*ret)->field = field;
	return err_trace(r);
}

int
filter_fold(struct lex *l, struct filter *f)
{
	struct buf b = BUF_INIT;
	int r;

	letter_lower_str(&b, f->text);
	r = buf_err(&b);
	if (r == 0) {
		f->folded = arena_dup(l->arena, buf_view(&b));
		if (f->folded.p == NULL)
			r = err_origin(-ENOMEM);
	}
	buf_fini(&b);
	return r;
}

int
filter_new_node(struct arena *arena, enum filter_kind kind, struct filter **children, size_t n,
    struct filter **ret)
{
	int r;

	if (n == 1 && kind != FILTER_NOT) {
		*ret = children[0];
		return 0;
	}
	r = new_filter(arena, kind, ret);
	if (r != 0)
		return err_trace(r);
	(*ret)->children = arena_alloc(arena, n * sizeof(struct filter *));
	if ((*ret)->children == NULL)
		return err_origin(-ENOMEM);
	memcpy((*ret)->children, children, n * sizeof(struct filter *));
	(*ret)->n_children = n;
	return 0;
}

static void
free_map(void *p)
{
	map_fini(p);
}

int
filter_new_set(struct lex *l, struct filter *f, const struct str_list *values)
{
	int r;

	f->set = arena_zalloc(l->arena, 1, sizeof(*f->set));
	if (f->set == NULL)
		return err_origin(-ENOMEM);
	*f->set = (struct map)MAP_INIT;
	r = arena_defer(l->arena, free_map, f->set);
	if (r != 0)
		return err_trace(r);
	f->values = values->p;
	f->n_values = values->n;
	return err_trace(filter_set_values(f, values->p, values->n));
}

int
filter_set_values(struct filter *leaf, const struct str *values, size_t n)
{
	size_t i;

	map_clear(leaf->set);
	for (i = 0; i < n; i++)
		if (map_put(leaf->set, values[i], NULL) == NULL)
			return err_origin(-ENOMEM);
	return 0;
}

int
filter_and(struct filter *a, struct filter *b, struct arena *arena, struct filter **ret)
{
	struct filter *both[2] = { a, b };

	if (a == NULL || b == NULL) {
		*ret = a != NULL ? a : b;
		return *ret != NULL ? 0 : err_trace(new_filter(arena, FILTER_ALL, ret));
	}
	return err_trace(filter_new_node(arena, FILTER_AND, both, 2, ret));
}

int
filter_new_time(struct wall min, struct wall max, struct arena *arena, struct filter **ret)
{
	char from[WALL_TEXT_MAX], to[WALL_TEXT_MAX];
	struct buf repr = BUF_INIT;
	struct filter *f = NULL;
	int r;

	r = new_filter(arena, FILTER_TIME, &f);
	if (r != 0)
		return err_trace(r);
	f->field = STR("_time");
	f->time_min = min.ns;
	f->time_max = max.ns;
	buf_byte(&repr, '[');
	buf_put(&repr, from, wall_format(from, min));
	buf_byte(&repr, ',');
	buf_put(&repr, to, wall_format(to, max));
	buf_byte(&repr, ']');
	r = buf_err(&repr);
	if (r == 0) {
		f->repr = arena_dup(arena, buf_view(&repr));
		r = f->repr.p == NULL ? err_origin(-ENOMEM) : 0;
	}
	buf_fini(&repr);
	if (r == 0)
		*ret = f;
	return r;
}
