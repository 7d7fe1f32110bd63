/*
 * query/pipe_patterns.c - the forms of messages.
 * One job: patterns: rows counted by the skeleton of their message, with share, first and last
 * seen, and one sample.
 * Floor: 3 (uses logsql, record, base).
 */
#include "base/map.h"
#include "query/pipe_stage.h"
#include "record/skeleton.h"

/* One form: of which rows its first, last and sample are. */
struct form {
	uint64_t count;
	int64_t first, last;
	struct str sample; /* of the first row, by time then bytes, so that workers do not matter */
};

struct patterns_part {
	struct map keys; /* by fields and skeleton, to number of the form */
	struct form *forms;
	size_t n, cap;
	struct arena arena;
	uint64_t rows;
};

struct patterns_stage {
	struct stage stage;
	const struct pipe *pipe;
	struct patterns_part parts[QUERY_WORKERS_MAX];
};

static int
form_of(struct patterns_stage *s, struct patterns_part *part, struct str key, struct form **ret)
{
	struct form *forms;
	struct map_entry *e;
	bool fresh;
	size_t cap;

	e = map_put(&part->keys, key, &fresh);
	if (e == NULL)
		return err_origin(-ENOMEM);
	if (fresh) {
		if (part->n == part->cap) {
			cap = part->cap == 0 ? 64 : part->cap * 2;
			forms = reallocarray(part->forms, cap, sizeof(*forms));
			if (forms == NULL)
				return err_origin(-ENOMEM);
			part->forms = forms;
			part->cap = cap;
		}
		part->forms[part->n] = (struct form){ 0, INT64_MAX, INT64_MIN, STR_NONE };
		e->value = part->n++;
	}
	*ret = &part->forms[e->value];
	return fresh ? env_charge(s->stage.env, "patterns", (int64_t)key.n + 160) : 0;
}

static int
form_add(struct patterns_part *part, struct form *f, const struct form *other)
{
	bool earlier = f->count == 0 || other->first < f->first ||
	    (other->first == f->first && str_cmp(other->sample, f->sample) < 0);

	if (earlier) {
		f->sample = arena_dup(&part->arena, other->sample);
		if (f->sample.p == NULL)
			return err_origin(-ENOMEM);
	}
	f->count += other->count;
	f->first = other->first < f->first ? other->first : f->first;
	f->last = other->last > f->last ? other->last : f->last;
	return 0;
}

static int64_t
time_of(const struct column *c, size_t row)
{
	char scratch[COLUMN_SCRATCH];
	struct wall t;
	bool zone;

	if (c->kind == COLUMN_TIME)
		return c->ints[row];
	if (wall_parse_rfc3339(column_value(c, row, scratch), 0, &t, &zone) != 0)
		return 0;
	return t.ns;
}

static int
patterns_push(struct stage *st, unsigned worker, struct batch *b)
{
	AUTO_FINI(buf_fini) struct buf key = BUF_INIT;
	struct patterns_stage *s = (struct patterns_stage *)st;
	struct patterns_part *part = &s->parts[worker];
	const struct column *times = batch_column(b, STR("_time"));
	const struct str *msgs = batch_strs(b, STR("_msg")), *by;
	struct form *f = NULL, row;
	size_t i, k;
	int r = 0;

	if (times == NULL || msgs == NULL)
		return b->err;
	part->rows += b->n_rows;
	for (i = 0; r == 0 && i < b->n_rows; i++) {
		buf_clear(&key);
		for (k = 0; k < s->pipe->names.n; k++) {
			by = batch_strs(b, s->pipe->names.p[k]);
			if (by == NULL)
				return b->err;
			key_put(&key, by[i]);
		}
		skeleton_of(&key, msgs[i]);
		r = buf_err(&key);
		if (r == 0)
			r = form_of(s, part, buf_view(&key), &f);
		row = (struct form){ 1, time_of(times, i), time_of(times, i), msgs[i] };
		if (r == 0)
			r = form_add(part, f, &row);
	}
	return r;
}

static int
merge_part(struct patterns_stage *s, struct patterns_part *from)
{
	struct form *f = NULL;
	size_t i;
	int r = 0;

	s->parts[0].rows += from->rows;
	for (i = 0; r == 0 && i < from->keys.n; i++) {
		r = form_of(s, &s->parts[0], from->keys.entries[i].key, &f);
		if (r == 0)
			r = form_add(&s->parts[0], f, &from->forms[from->keys.entries[i].value]);
	}
	return r;
}

static int
count_order(const void *a, const void *b, void *ctx)
{
	const struct patterns_part *all = ctx;
	const size_t *x = a, *y = b;
	const struct form *f = &all->forms[*x], *g = &all->forms[*y];

	if (f->count != g->count)
		return f->count < g->count ? 1 : -1;
	return str_cmp(all->keys.entries[*x].key, all->keys.entries[*y].key);
}

static int
put_time(struct rows_out *out, size_t i, int64_t ns)
{
	char text[WALL_TEXT_MAX];

	return rows_out_copy(out, i, str_of(text, wall_format(text, (struct wall){ ns })));
}

static int
put_form(struct patterns_stage *s, struct rows_out *out, size_t i)
{
	const struct patterns_part *all = &s->parts[0];
	const struct form *f = &all->forms[i];
	struct str key = all->keys.entries[i].key;
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	size_t k, n = s->pipe->names.n;
	int r;

	for (k = 0; k < n; k++)
		rows_out_set(out, k, key_take(&key));
	rows_out_set(out, n, key);
	buf_printf(&text, "%.2f", 100.0 * (double)f->count / (double)all->rows);
	r = rows_out_uint(out, n + 1, f->count);
	if (r == 0)
		r = rows_out_copy(out, n + 2, buf_view(&text));
	if (r == 0)
		r = put_time(out, n + 3, f->first);
	if (r == 0)
		r = put_time(out, n + 4, f->last);
	rows_out_set(out, n + 5, f->sample);
	return r != 0 ? r : rows_out_next(out);
}

static int
patterns_flush(struct stage *st)
{
	static const struct str own[] = { STR_INIT("pattern"), STR_INIT("count"), STR_INIT("share"),
		STR_INIT("first_seen"), STR_INIT("last_seen"), STR_INIT("sample") };
	struct patterns_stage *s = (struct patterns_stage *)st;
	size_t n_by = s->pipe->names.n, i;
	AUTO_FREE struct str *names = calloc(n_by + ARRAY_LEN(own), sizeof(*names));
	AUTO_FREE size_t *order = NULL;
	struct rows_out out;
	int r = names == NULL ? err_origin(-ENOMEM) : 0;

	for (i = 1; r == 0 && i < QUERY_WORKERS_MAX; i++)
		r = merge_part(s, &s->parts[i]);
	order = calloc(s->parts[0].n + 1, sizeof(*order));
	if (r != 0 || order == NULL)
		return r != 0 ? r : err_origin(-ENOMEM);
	for (i = 0; i < n_by + ARRAY_LEN(own); i++)
		names[i] = i < n_by ? s->pipe->names.p[i] : own[i - n_by];
	for (i = 0; i < s->parts[0].n; i++)
		order[i] = i;
	qsort_r(order, s->parts[0].n, sizeof(*order), count_order, &s->parts[0]);
	r = rows_out_init(&out, st->next, 0, names, n_by + ARRAY_LEN(own));
	for (i = 0; r == 0 && i < s->parts[0].n && i < s->pipe->limit; i++)
		r = put_form(s, &out, order[i]);
	if (r == 0)
		r = rows_out_flush(&out);
	rows_out_fini(&out);
	return r != 0 ? r : stage_flush(st->next);
}

static void
patterns_free(struct stage *st)
{
	struct patterns_stage *s = (struct patterns_stage *)st;
	size_t i;

	for (i = 0; i < QUERY_WORKERS_MAX; i++) {
		map_fini(&s->parts[i].keys);
		free(s->parts[i].forms);
		arena_fini(&s->parts[i].arena);
	}
	free(s);
}

static const struct stage_ops patterns_ops = { "patterns", patterns_push, patterns_flush,
	patterns_free };

int
pipe_patterns_make(const struct stage_args *a, struct stage **ret)
{
	int r;

	r = stage_alloc(sizeof(struct patterns_stage), &patterns_ops, a->env, ret);
	if (r == 0)
		((struct patterns_stage *)*ret)->pipe = a->pipe;
	return r;
}
