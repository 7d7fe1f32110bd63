/*
 * query/pipe_names.c - which fields there are.
 * One job: field_names: in how many rows each field has a value; facets: the most frequent values
 * of each field.
 * Floor: 3 (uses logsql, record, base).
 */
#include "base/map.h"
#include "query/pipe_stage.h"

/* The rows of the batch in which the column has a value. */
static uint64_t
count_filled(const struct column *c)
{
	char scratch[COLUMN_SCRATCH];
	uint64_t n = 0;
	size_t i;

	if (c->kind == COLUMN_CONST)
		return c->value.n != 0 ? c->n_rows : 0;
	if (c->kind == COLUMN_TIME)
		return c->n_rows;
	for (i = 0; i < c->n_rows; i++)
		n += column_value(c, i, scratch).n != 0 ? 1 : 0;
	return n;
}

struct names_stage {
	struct stage stage;
	const struct pipe *pipe;
	struct map parts[QUERY_WORKERS_MAX]; /* name to rows */
};

static int
names_push(struct stage *st, unsigned worker, struct batch *b)
{
	struct names_stage *s = (struct names_stage *)st;
	const struct column *c;
	const struct str *names;
	struct map_entry *e;
	size_t i, n;
	uint64_t filled;
	bool fresh;
	int r;

	r = batch_names(b, &names, &n);
	for (i = 0; r == 0 && i < n; i++) {
		if (s->pipe->text.n != 0 && str_find(names[i], s->pipe->text) == SIZE_MAX)
			continue;
		c = batch_column(b, names[i]);
		if (c == NULL)
			return b->err;
		filled = count_filled(c);
		if (filled == 0)
			continue;
		e = map_put(&s->parts[worker], names[i], &fresh);
		if (e == NULL)
			return err_origin(-ENOMEM);
		e->value += filled;
		if (fresh)
			r = env_charge(st->env, "field_names", (int64_t)names[i].n + 64);
	}
	return r;
}

static int
merge_counts(struct map *parts)
{
	size_t i, k;

	for (k = 1; k < QUERY_WORKERS_MAX; k++) {
		for (i = 0; i < parts[k].n; i++) {
			struct map_entry *e = map_put(&parts[0], parts[k].entries[i].key, NULL);

			if (e == NULL)
				return err_origin(-ENOMEM);
			e->value += parts[k].entries[i].value;
		}
	}
	return 0;
}

static int
key_order(const void *a, const void *b)
{
	const struct map_entry *const *x = a, *const *y = b;

	return str_cmp((*x)->key, (*y)->key);
}

static int
sorted_entries(const struct map *m, const struct map_entry ***ret)
{
	const struct map_entry **order = calloc(m->n + 1, sizeof(*order));
	size_t i;

	if (order == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < m->n; i++)
		order[i] = &m->entries[i];
	qsort(order, m->n, sizeof(*order), key_order);
	*ret = order;
	return 0;
}

static int
names_flush(struct stage *st)
{
	struct names_stage *s = (struct names_stage *)st;
	struct str names[2] = { s->pipe->to, STR("hits") };
	AUTO_FREE const struct map_entry **order = NULL;
	struct rows_out out;
	size_t i;
	int r;

	r = merge_counts(s->parts);
	if (r == 0)
		r = sorted_entries(&s->parts[0], &order);
	if (r != 0)
		return r;
	r = rows_out_init(&out, st->next, 0, names, 2);
	for (i = 0; r == 0 && i < s->parts[0].n; i++) {
		rows_out_set(&out, 0, order[i]->key);
		r = rows_out_uint(&out, 1, order[i]->value);
		if (r == 0)
			r = rows_out_next(&out);
	}
	if (r == 0)
		r = rows_out_flush(&out);
	rows_out_fini(&out);
	return r != 0 ? r : stage_flush(st->next);
}

static void
names_free(struct stage *st)
{
	struct names_stage *s = (struct names_stage *)st;
	size_t i;

	for (i = 0; i < QUERY_WORKERS_MAX; i++)
		map_fini(&s->parts[i]);
	free(s);
}

static const struct stage_ops names_ops = { "field_names", names_push, names_flush, names_free };

int
pipe_field_names_make(const struct stage_args *a, struct stage **ret)
{
	int r;

	r = stage_alloc(sizeof(struct names_stage), &names_ops, a->env, ret);
	if (r == 0)
		((struct names_stage *)*ret)->pipe = a->pipe;
	return r;
}

/* The values of one field; ignored for good once they are too many or too long. */
struct facet {
	struct map values; /* to rows */
	int64_t charged;
	bool ignored;
};

struct facets_part {
	struct map fields; /* name to number of its facet */
	struct facet *facets;
	size_t n, cap;
	uint64_t rows;
};

struct facets_stage {
	struct stage stage;
	const struct pipe *pipe;
	struct facets_part parts[QUERY_WORKERS_MAX];
};

static int
facet_of(struct facets_part *part, struct str name, struct facet **ret)
{
	struct facet *facets;
	struct map_entry *e;
	bool fresh;
	size_t cap;

	e = map_put(&part->fields, name, &fresh);
	if (e == NULL)
		return err_origin(-ENOMEM);
	if (fresh) {
		if (part->n == part->cap) {
			cap = part->cap == 0 ? 16 : part->cap * 2;
			facets = reallocarray(part->facets, cap, sizeof(*facets));
			if (facets == NULL)
				return err_origin(-ENOMEM);
			part->facets = facets;
			part->cap = cap;
		}
		part->facets[part->n] = (struct facet){ MAP_INIT, 0, false };
		e->value = part->n++;
	}
	*ret = &part->facets[e->value];
	return 0;
}

static void
ignore(struct facets_stage *s, struct facet *f)
{
	f->ignored = true;
	map_fini(&f->values);
	(void)env_charge(s->stage.env, "facets", -f->charged);
	f->charged = 0;
}

static int
facet_add(struct facets_stage *s, struct facet *f, struct str v, uint64_t n)
{
	struct map_entry *e;
	bool fresh;

	if (v.n == 0 || f->ignored)
		return 0;
	if (v.n > s->pipe->value_len_max) {
		ignore(s, f);
		return 0;
	}
	e = map_put(&f->values, v, &fresh);
	if (e == NULL)
		return err_origin(-ENOMEM);
	e->value += n;
	if (f->values.n > s->pipe->values_max) {
		ignore(s, f);
		return 0;
	}
	if (!fresh)
		return 0;
	f->charged += (int64_t)v.n + 64;
	return env_charge(s->stage.env, "facets", (int64_t)v.n + 64);
}

static int
facet_column(struct facets_stage *s, struct facet *f, struct batch *b, const struct column *c)
{
	char scratch[COLUMN_SCRATCH];
	uint64_t *counts;
	size_t i;
	int r = 0;

	if (c->kind == COLUMN_CONST)
		return facet_add(s, f, c->value, c->n_rows);
	if (c->kind != COLUMN_DICT) {
		for (i = 0; r == 0 && !f->ignored && i < c->n_rows; i++)
			r = facet_add(s, f, column_value(c, i, scratch), 1);
		return r;
	}
	counts = arena_zalloc(&b->arena, c->n_dict + 1, sizeof(*counts));
	if (counts == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < c->n_rows; i++)
		counts[c->codes[i]]++;
	for (i = 0; r == 0 && i < c->n_dict; i++)
		if (counts[i] != 0)
			r = facet_add(s, f, c->dict[i], counts[i]);
	return r;
}

static int
facets_push(struct stage *st, unsigned worker, struct batch *b)
{
	struct facets_stage *s = (struct facets_stage *)st;
	struct facets_part *part = &s->parts[worker];
	const struct column *c;
	const struct str *names;
	struct facet *f;
	size_t i, n;
	int r;

	part->rows += b->n_rows;
	r = batch_names(b, &names, &n);
	for (i = 0; r == 0 && i < n; i++) {
		r = facet_of(part, names[i], &f);
		if (r != 0 || f->ignored)
			continue;
		c = batch_column(b, names[i]);
		if (c == NULL)
			return b->err;
		r = facet_column(s, f, b, c);
	}
	return r;
}

static int
facets_merge(struct facets_stage *s, struct facets_part *from)
{
	struct facet *f, *g;
	size_t i, k;
	int r = 0;

	s->parts[0].rows += from->rows;
	for (i = 0; r == 0 && i < from->fields.n; i++) {
		g = &from->facets[from->fields.entries[i].value];
		r = facet_of(&s->parts[0], from->fields.entries[i].key, &f);
		if (r == 0 && g->ignored && !f->ignored)
			ignore(s, f);
		for (k = 0; r == 0 && k < g->values.n; k++)
			r = facet_add(s, f, g->values.entries[k].key, g->values.entries[k].value);
	}
	return r;
}

static int
hits_order(const void *a, const void *b)
{
	const struct map_entry *const *x = a, *const *y = b;

	if ((*x)->value != (*y)->value)
		return (*x)->value < (*y)->value ? 1 : -1;
	return str_cmp((*x)->key, (*y)->key);
}

static int
put_facet(struct facets_stage *s, struct rows_out *out, struct str name, const struct facet *f)
{
	AUTO_FREE const struct map_entry **order = NULL;
	size_t i, n = f->values.n;
	int r;

	/* A field that is the same everywhere tells nothing of the rows. */
	if (f->ignored || n == 0 ||
	    (n == 1 && f->values.entries[0].value == s->parts[0].rows && !s->pipe->flag))
		return 0;
	r = sorted_entries(&f->values, &order);
	if (r != 0)
		return r;
	qsort(order, n, sizeof(*order), hits_order);
	for (i = 0; r == 0 && i < n && i < s->pipe->limit; i++) {
		rows_out_set(out, 0, name);
		rows_out_set(out, 1, order[i]->key);
		r = rows_out_uint(out, 2, order[i]->value);
		if (r == 0)
			r = rows_out_next(out);
	}
	return r;
}

static int
facets_flush(struct stage *st)
{
	static const struct str names[] = { STR_INIT("field_name"), STR_INIT("field_value"),
		STR_INIT("hits") };
	struct facets_stage *s = (struct facets_stage *)st;
	AUTO_FREE const struct map_entry **order = NULL;
	struct rows_out out;
	size_t i;
	int r = 0;

	for (i = 1; r == 0 && i < QUERY_WORKERS_MAX; i++)
		r = facets_merge(s, &s->parts[i]);
	if (r == 0)
		r = sorted_entries(&s->parts[0].fields, &order);
	if (r != 0)
		return r;
	r = rows_out_init(&out, st->next, 0, names, 3);
	for (i = 0; r == 0 && i < s->parts[0].fields.n; i++)
		r = put_facet(s, &out, order[i]->key, &s->parts[0].facets[order[i]->value]);
	if (r == 0)
		r = rows_out_flush(&out);
	rows_out_fini(&out);
	return r != 0 ? r : stage_flush(st->next);
}

static void
facets_free(struct stage *st)
{
	struct facets_stage *s = (struct facets_stage *)st;
	size_t i, k;

	for (i = 0; i < QUERY_WORKERS_MAX; i++) {
		for (k = 0; k < s->parts[i].n; k++)
			map_fini(&s->parts[i].facets[k].values);
		free(s->parts[i].facets);
		map_fini(&s->parts[i].fields);
	}
	free(s);
}

static const struct stage_ops facets_ops = { "facets", facets_push, facets_flush, facets_free };

int
pipe_facets_make(const struct stage_args *a, struct stage **ret)
{
	int r;

	r = stage_alloc(sizeof(struct facets_stage), &facets_ops, a->env, ret);
	if (r == 0)
		((struct facets_stage *)*ret)->pipe = a->pipe;
	return r;
}
