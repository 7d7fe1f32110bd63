/*
 * query/pipe_running.c - stats beside the rows.
 * One job: running_stats: up to each row in the order of time; total_stats: of all rows of the
 * group.
 * Floor: 3 (uses logsql, record, base).
 */
#include <math.h>

#include "logsql/value.h"
#include "query/pipe_rows_kept.h"
#include "query/stats_state.h"

struct running_row {
	struct kept_row *row;
	struct str group;
};

struct running_part {
	struct map names;
	struct map groups; /* keys are what rows point to */
	struct running_row *rows;
	size_t n, cap;
};

struct running_stage {
	struct stage stage;
	const struct pipe *pipe;
	struct arena arena;
	struct needs needs;
	const char *name;
	struct running_part parts[QUERY_WORKERS_MAX];
};

static const struct sort_key time_key[1] = { { STR_INIT("_time"), false } };

static int
add_row(struct running_stage *s, struct running_part *part, struct kept_row *row, struct str group)
{
	struct running_row *rows;
	size_t cap;

	if (part->n == part->cap) {
		cap = part->cap == 0 ? 64 : part->cap * 2;
		rows = reallocarray(part->rows, cap, sizeof(*rows));
		if (rows == NULL) {
			free(row);
			return err_origin(-ENOMEM);
		}
		part->rows = rows;
		part->cap = cap;
	}
	part->rows[part->n++] = (struct running_row){ row, group };
	return env_charge(s->stage.env, s->name, (int64_t)(row->n_bytes + sizeof(*rows)));
}

static int
group_key(struct running_stage *s, struct batch *b, size_t row, struct buf *key)
{
	char scratch[COLUMN_SCRATCH];
	const struct column *c;
	size_t i;

	buf_clear(key);
	for (i = 0; i < s->pipe->n_by; i++) {
		c = batch_column(b, s->pipe->by[i].name);
		if (c == NULL)
			return b->err;
		key_put(key, column_value(c, row, scratch));
	}
	return buf_err(key);
}

static int
running_push(struct stage *st, unsigned worker, struct batch *b)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	struct running_stage *s = (struct running_stage *)st;
	struct running_part *part = &s->parts[worker];
	char scratch[1][COLUMN_SCRATCH];
	struct kept_source src;
	struct kept_key key[1];
	struct kept_row *row;
	size_t i;
	int r;

	r = kept_source_init(&src, b, &s->needs, &part->names, time_key, 1);
	for (i = 0; r == 0 && i < b->n_rows; i++) {
		struct map_entry *e;

		r = group_key(s, b, i, &text);
		if (r != 0)
			return r;
		e = map_put(&part->groups, buf_view(&text), NULL);
		if (e == NULL)
			return err_origin(-ENOMEM);
		kept_keys(&src, i, key, scratch);
		r = kept_row_new(&src, i, key, &row);
		if (r != 0)
			return r;
		/* Rows of one time stay in the order of arrival, as in a sort. */
		row->order = batch_order(b, i, ((uint64_t)worker << 48) + part->n - i);
		r = add_row(s, part, row, e->key);
	}
	return r;
}

static int
row_order(const void *a, const void *b)
{
	const struct running_row *x = a, *y = b;
	int c = str_cmp(x->group, y->group);

	if (c == 0)
		c = kept_compare(time_key, 1, false, x->row->keys, y->row->keys);
	return c != 0 ? c : (x->row->order > y->row->order) - (x->row->order < y->row->order);
}

/* Rows of all workers in the first part, with its numbers of names. */
static int
merge_part(struct running_stage *s, struct running_part *from)
{
	struct running_part *to = &s->parts[0];
	AUTO_FREE uint32_t *numbers = calloc(from->names.n + 1, sizeof(*numbers));
	size_t i, f;
	int r = 0;

	if (numbers == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < from->names.n; i++) {
		struct map_entry *e = map_put(&to->names, from->names.entries[i].key, NULL);

		if (e == NULL)
			return err_origin(-ENOMEM);
		numbers[i] = (uint32_t)(e - to->names.entries);
	}
	for (i = 0; r == 0 && i < from->n; i++) {
		struct kept_row *row = TAKE(from->rows[i].row);

		for (f = 0; f < row->n_fields; f++)
			row->fields[f].name = numbers[row->fields[f].name];
		r = add_row(s, to, row, from->rows[i].group);
	}
	return r;
}

static struct str
field_of(const struct running_stage *s, const struct kept_row *row, struct str name)
{
	size_t i;

	for (i = 0; i < row->n_fields; i++)
		if (str_eq(s->parts[0].names.entries[row->fields[i].name].key, name))
			return row->fields[i].value;
	return STR_NONE;
}

/* What a function has come to within a group. */
struct running_state {
	struct stats_state sum;
	struct str value; /* of min and max; in a row's memory */
};

static int
feed_value(const struct stats_func *f, struct running_state *st, struct str v)
{
	struct stats_number n;
	int64_t grown = 0;

	if (v.n == 0)
		return 0;
	if (f->kind == STATS_SUM) {
		n = stats_number_of(v);
		/* A bounded piece for each function: not charged. */
		return n.kind == NUMBER_NONE ? 0 : stats_add_number(&st->sum, &n, &grown);
	}
	if (st->value.n == 0 ||
	    (f->kind == STATS_MAX ? value_less(st->value, v) : value_less(v, st->value)))
		st->value = v;
	return 0;
}

static int
feed(const struct running_stage *s, const struct stats_func *f, struct running_state *st,
    const struct kept_row *row)
{
	const struct map *names = &s->parts[0].names;
	bool any = false;
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < row->n_fields; i++) {
		if (!names_match(&f->names, names->entries[row->fields[i].name].key))
			continue;
		any = true;
		if (f->kind != STATS_COUNT)
			r = feed_value(f, st, row->fields[i].value);
	}
	if (f->kind == STATS_COUNT && (any || names_match(&f->names, STR("*"))))
		st->sum.n++;
	return r;
}

/* The result at row ${i} of the group's rows[0..). */
static int
put_result(const struct running_stage *s, const struct stats_func *f,
    const struct running_state *st, const struct running_row *rows, size_t i, struct buf *out)
{
	double sum = (double)NAN;
	int r;

	buf_clear(out);
	if (f->kind == STATS_SUM) {
		r = st->sum.n == 0 ? 0 : stats_sum_value(&st->sum, &sum);
		if (r != 0)
			return r;
		value_format_float(out, sum);
		return buf_err(out);
	}
	if (f->kind == STATS_COUNT)
		buf_uint(out, st->sum.n);
	else if (f->kind == STATS_FIRST && f->limit <= i)
		buf_str(out, field_of(s, rows[f->limit].row, f->field));
	else if (f->kind == STATS_LAST && f->limit <= i)
		buf_str(out, field_of(s, rows[i - f->limit].row, f->field));
	else if (f->kind == STATS_MIN || f->kind == STATS_MAX)
		buf_str(out, st->value);
	return buf_err(out);
}

struct running_out {
	struct rows_out out;
	const uint32_t *columns; /* of names */
	uint32_t *results;       /* of functions */
};

static int
put_group(struct running_stage *s, struct running_out *o, const struct running_row *rows, size_t n)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	const struct pipe *p = s->pipe;
	AUTO_FREE struct running_state *states = calloc(p->n_funcs + 1, sizeof(*states));
	bool total = p->kind == PIPE_TOTAL_STATS;
	size_t i, k;
	int r = states == NULL ? err_origin(-ENOMEM) : 0;

	for (i = 0; r == 0 && total && i < n; i++)
		for (k = 0; r == 0 && k < p->n_funcs; k++)
			r = feed(s, &p->funcs[k], &states[k], rows[i].row);
	for (i = 0; r == 0 && i < n; i++) {
		kept_put(&o->out, o->columns, rows[i].row);
		for (k = 0; r == 0 && k < p->n_funcs; k++) {
			if (!total)
				r = feed(s, &p->funcs[k], &states[k], rows[i].row);
			if (r == 0)
				r = put_result(s, &p->funcs[k], &states[k], rows, total ? n - 1 : i,
				    &text);
			if (r == 0)
				r = rows_out_copy(&o->out, o->results[k], buf_view(&text));
		}
		if (r == 0)
			r = rows_out_next(&o->out);
	}
	for (k = 0; states != NULL && k < p->n_funcs; k++)
		stats_sum_fini(&states[k].sum);
	return r;
}

static int
out_init(struct running_stage *s, struct running_out *o)
{
	const struct running_part *all = &s->parts[0];
	size_t n_funcs = s->pipe->n_funcs, i;
	struct kept_columns c;
	int r = kept_columns_init(&c, &all->names, n_funcs, &s->arena);

	o->results = arena_alloc(&s->arena, (n_funcs + 1) * sizeof(*o->results));
	if (r != 0 || o->results == NULL)
		return r != 0 ? err_trace(r) : err_origin(-ENOMEM);
	for (i = 0; i < all->n; i++)
		kept_columns_see(&c, &all->names, all->rows[i].row);
	for (i = 0; i < n_funcs; i++)
		o->results[i] = kept_columns_name(&c, &all->names, s->pipe->funcs[i].name);
	o->columns = c.columns;
	return err_trace(rows_out_init(&o->out, s->stage.next, 0, c.names, c.n));
}

static int
running_flush(struct stage *st)
{
	struct running_stage *s = (struct running_stage *)st;
	struct running_part *all = &s->parts[0];
	struct running_out o = { .columns = NULL };
	size_t i, from;
	int r = 0;

	for (i = 1; r == 0 && i < QUERY_WORKERS_MAX; i++)
		r = merge_part(s, &s->parts[i]);
	if (r != 0)
		return r;
	if (all->n != 0)
		qsort(all->rows, all->n, sizeof(*all->rows), row_order);
	r = out_init(s, &o);
	for (from = 0, i = 0; r == 0 && i < all->n; i++) {
		if (i + 1 < all->n && str_eq(all->rows[i].group, all->rows[i + 1].group))
			continue;
		r = put_group(s, &o, all->rows + from, i + 1 - from);
		from = i + 1;
	}
	if (r == 0)
		r = rows_out_flush(&o.out);
	rows_out_fini(&o.out);
	return r != 0 ? r : stage_flush(st->next);
}

static void
running_free(struct stage *st)
{
	struct running_stage *s = (struct running_stage *)st;
	size_t i, k;

	for (i = 0; i < QUERY_WORKERS_MAX; i++) {
		for (k = 0; k < s->parts[i].n; k++)
			free(s->parts[i].rows[k].row);
		free(s->parts[i].rows);
		map_fini(&s->parts[i].names);
		map_fini(&s->parts[i].groups);
	}
	arena_fini(&s->arena);
	free(s);
}

static const struct stage_ops running_ops = { "running_stats", running_push, running_flush,
	running_free };

int
pipe_running_make(const struct stage_args *a, struct stage **ret)
{
	struct running_stage *s;
	struct stage *st;
	int r;

	r = stage_alloc(sizeof(struct running_stage), &running_ops, a->env, &st);
	if (r != 0)
		return r;
	s = (struct running_stage *)st;
	s->pipe = a->pipe;
	s->name = pipe_kind_name(a->pipe->kind);
	r = needs_copy(a->after, &s->arena, &s->needs);
	if (r == 0)
		r = needs_before(a->pipe, &s->arena, &s->needs);
	if (r != 0) {
		running_free(st);
		return r;
	}
	*ret = st;
	return 0;
}
