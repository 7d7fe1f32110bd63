/*
 * query/pipe_patterns.c - the forms of messages.
 * One job: patterns: rows counted by the skeleton of their message, with share, first and last
 * seen, and one sample.
 * Floor: 3 (uses logsql, record, base).
 */
#include "query/pipe_group.h"

/* The forms of the batch's messages, as a column to group by; no field has that name. */
#define FORM_NAME STR("\001form")

enum { FORM_BYTES = 128 }; /* what one is charged for, beside its key and sample */

/* One form: of which rows its first, last and sample are. */
struct form {
	uint64_t count;
	int64_t first, last;
	struct str sample; /* of the first row, by time then bytes, so that workers do not matter */
};

/* Invariants: forms[i] is that of entry i of groups.keys; between batches, found[i] has no rows. */
struct patterns_part {
	struct group_part groups; /* by fields and skeleton */
	struct form *forms;
	struct form *found; /* what the batch has of each */
	size_t n, cap;
	struct arena arena;
	uint64_t rows;
};

struct patterns_stage {
	struct stage stage;
	const struct pipe *pipe;
	struct str *names; /* of the fields, and FORM_NAME */
	struct patterns_part parts[QUERY_WORKERS_MAX];
};

static const struct form no_rows = { 0, INT64_MAX, INT64_MIN, STR_NONE };

/* Forms up to ${n}; new ones have no rows. */
static int
grow_forms(struct patterns_stage *s, struct patterns_part *part, size_t n)
{
	size_t cap = n < 64 ? 64 : n * 2, more = n - part->n;
	struct form *forms, *found;

	if (n > part->cap) {
		forms = reallocarray(part->forms, cap, sizeof(*forms));
		if (forms == NULL)
			return err_origin(-ENOMEM);
		part->forms = forms;
		found = reallocarray(part->found, cap, sizeof(*found));
		if (found == NULL)
			return err_origin(-ENOMEM);
		part->found = found;
		part->cap = cap;
	}
	for (; part->n < n; part->n++)
		part->forms[part->n] = part->found[part->n] = no_rows;
	return more > 0 ? env_charge(s->stage.env, "patterns", (int64_t)(more * FORM_BYTES)) : 0;
}

/* The first sample takes its place; a form has few of them, for rows mostly come from the oldest on. */
static int
take_sample(struct patterns_stage *s, struct patterns_part *part, struct form *f, struct str sample)
{
	f->sample = arena_dup(&part->arena, sample);
	if (f->sample.p == NULL)
		return err_origin(-ENOMEM);
	return env_charge(s->stage.env, "patterns", (int64_t)sample.n);
}

static int
form_add(struct patterns_stage *s, struct patterns_part *part, struct form *f,
    const struct form *other)
{
	bool earlier = f->count == 0 || other->first < f->first ||
	    (other->first == f->first && str_cmp(other->sample, f->sample) < 0);

	f->count += other->count;
	f->first = other->first < f->first ? other->first : f->first;
	f->last = other->last > f->last ? other->last : f->last;
	return earlier ? take_sample(s, part, f, other->sample) : 0;
}

/* Times of all rows; of texts that are none 0. */
static const int64_t *
times_of(struct batch *b)
{
	const struct column *c = batch_column(b, STR("_time"));
	char scratch[COLUMN_SCRATCH];
	struct wall t;
	int64_t *times;
	bool zone;
	size_t i;

	if (c == NULL || c->kind == COLUMN_TIME)
		return c != NULL ? c->ints : NULL;
	times = arena_alloc(&b->arena, (b->n_rows + 1) * sizeof(*times));
	for (i = 0; times != NULL && i < b->n_rows; i++) {
		t.ns = 0;
		(void)wall_parse_rfc3339(column_value(c, i, scratch), 0, &t, &zone);
		times[i] = t.ns;
	}
	return times;
}

/* What the batch has of each group, but for samples; those that have rows are touched[0..*ret_n). */
static void
count_batch(struct patterns_part *part, const uint32_t *groups, const int64_t *times, size_t n,
    uint32_t *touched, size_t *ret_n)
{
	struct form *f;
	size_t i, n_touched = 0;

	for (i = 0; i < n; i++) {
		f = &part->found[groups[i]];
		if (f->count++ == 0)
			touched[n_touched++] = groups[i];
		f->first = times[i] < f->first ? times[i] : f->first;
		f->last = times[i] > f->last ? times[i] : f->last;
	}
	*ret_n = n_touched;
}

/* The messages of those rows that may be a sample: they are the first of their form, here and as far as is known. */
static int
find_samples(struct patterns_part *part, struct batch *b, const uint32_t *groups,
    const int64_t *times)
{
	struct form *f;
	uint32_t *rows = arena_alloc(&b->arena, (b->n_rows + 1) * sizeof(*rows));
	const struct str *msgs;
	size_t i, n = 0;
	int r;

	if (rows == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < b->n_rows; i++)
		if (times[i] == part->found[groups[i]].first &&
		    times[i] <= part->forms[groups[i]].first)
			rows[n++] = (uint32_t)i;
	if (n == 0)
		return 0;
	r = batch_some(b, STR("_msg"), rows, n, &msgs);
	for (i = 0; r == 0 && i < n; i++) {
		f = &part->found[groups[rows[i]]];
		if (f->sample.p == NULL || str_cmp(msgs[i], f->sample) < 0)
			f->sample = msgs[i].n > 0 ? msgs[i] : STR("");
	}
	return err_trace(r);
}

static int
take_batch(struct patterns_stage *s, struct patterns_part *part, struct batch *b,
    const uint32_t *groups)
{
	uint32_t *touched = arena_alloc(&b->arena, (b->n_rows + 1) * sizeof(*touched));
	const int64_t *times = times_of(b);
	size_t i, n;
	int r;

	if (touched == NULL || times == NULL)
		return b->err != 0 ? b->err : err_origin(-ENOMEM);
	part->rows += b->n_rows;
	count_batch(part, groups, times, b->n_rows, touched, &n);
	r = find_samples(part, b, groups, times);
	for (i = 0; i < n; i++) {
		if (r == 0)
			r = form_add(s, part, &part->forms[touched[i]], &part->found[touched[i]]);
		part->found[touched[i]] = no_rows;
	}
	return err_trace(r);
}

static int
patterns_push(struct stage *st, unsigned worker, struct batch *b)
{
	struct patterns_stage *s = (struct patterns_stage *)st;
	struct patterns_part *part = &s->parts[worker];
	const uint32_t *groups = NULL;
	struct column forms;
	int r;

	r = batch_forms(b, STR("_msg"), &forms);
	if (r == 0) {
		forms.name = FORM_NAME;
		r = batch_set(b, &forms);
	}
	if (r == 0)
		r = group_rows(&part->groups, s->stage.env, "patterns", b, &groups);
	if (r == 0)
		r = grow_forms(s, part, part->groups.keys.n);
	return r != 0 ? err_trace(r) : err_trace(take_batch(s, part, b, groups));
}

static int
merge_part(struct patterns_stage *s, struct patterns_part *from)
{
	struct patterns_part *to = &s->parts[0];
	struct map_entry *e;
	size_t i;
	int r = 0;

	to->rows += from->rows;
	for (i = 0; r == 0 && i < from->n; i++) {
		e = map_put(&to->groups.keys, from->groups.keys.entries[i].key, NULL);
		if (e == NULL)
			return err_origin(-ENOMEM);
		r = grow_forms(s, to, to->groups.keys.n);
		if (r == 0)
			r = form_add(s, to, &to->forms[e - to->groups.keys.entries],
			    &from->forms[i]);
	}
	return err_trace(r);
}

/* A key's fields before its skeleton, and that.  A lone skeleton is the key itself. */
static struct str
split_key(const struct patterns_part *all, size_t i, struct str *ret_fields)
{
	struct str key = all->groups.keys.entries[i].key, rest = key;
	size_t k;

	*ret_fields = STR_NONE;
	if (all->groups.n == 1)
		return key;
	for (k = 0; k + 1 < all->groups.n; k++)
		(void)key_take(&rest);
	*ret_fields = str_sub(key, 0, key.n - rest.n);
	return key_take(&rest);
}

static int
count_order(const void *a, const void *b, void *ctx)
{
	const struct patterns_part *all = ctx;
	const size_t *x = a, *y = b;
	const struct form *f = &all->forms[*x], *g = &all->forms[*y];
	struct str fields_f, fields_g, form_f, form_g;
	int r;

	if (f->count != g->count)
		return f->count < g->count ? 1 : -1;
	form_f = split_key(all, *x, &fields_f);
	form_g = split_key(all, *y, &fields_g);
	r = str_cmp(fields_f, fields_g);
	return r != 0 ? r : str_cmp(form_f, form_g);
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
	struct str fields, form = split_key(all, i, &fields);
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	size_t k, n = s->pipe->names.n;
	int r;

	for (k = 0; k < n; k++)
		rows_out_set(out, k, key_take(&fields));
	rows_out_set(out, n, form);
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
		group_part_fini(&s->parts[i].groups);
		free(s->parts[i].forms);
		free(s->parts[i].found);
		arena_fini(&s->parts[i].arena);
	}
	free(s->names);
	free(s);
}

static const struct stage_ops patterns_ops = { "patterns", patterns_push, patterns_flush,
	patterns_free };

int
pipe_patterns_make(const struct stage_args *a, struct stage **ret)
{
	size_t n = a->pipe->names.n, i;
	struct patterns_stage *s;
	int r;

	r = stage_alloc(sizeof(struct patterns_stage), &patterns_ops, a->env, ret);
	if (r != 0)
		return err_trace(r);
	s = (struct patterns_stage *)*ret;
	s->pipe = a->pipe;
	s->names = calloc(n + 1, sizeof(*s->names));
	if (s->names == NULL) {
		patterns_free(*ret);
		return err_origin(-ENOMEM);
	}
	for (i = 0; i < n; i++)
		s->names[i] = a->pipe->names.p[i];
	s->names[n] = FORM_NAME;
	for (i = 0; i < QUERY_WORKERS_MAX; i++)
		group_part_init(&s->parts[i].groups, s->names, n + 1);
	return 0;
}
