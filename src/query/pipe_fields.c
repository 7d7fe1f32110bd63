/*
 * query/pipe_fields.c - pipes that move columns.
 * One job: fields, delete, copy, rename, drop_empty_fields and set_stream_fields: no value is
 * decoded that need not be.
 * Floor: 3 (uses logsql, record, base).
 */
#include "query/pipe_stage.h"

int
pipe_fields_apply(const struct pipe *p, struct query_env *env, struct batch *b)
{
	return batch_keep(b, p->names.p, p->names.n);
}

/* The names of the batch that ${pattern} means. */
static int
matching_names(struct batch *b, struct str pattern, const struct str **ret, size_t *ret_n)
{
	const struct str *names;
	struct str *some;
	size_t i, n = 0, n_names;
	int r;

	r = batch_names(b, &names, &n_names);
	if (r != 0)
		return r;
	some = arena_alloc(&b->arena, (n_names + 1) * sizeof(*some));
	if (some == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < n_names; i++)
		if (name_matches(pattern, names[i]))
			some[n++] = names[i];
	*ret = some;
	*ret_n = n;
	return 0;
}

int
pipe_delete_apply(const struct pipe *p, struct query_env *env, struct batch *b)
{
	const struct str *names;
	size_t i, k, n;
	int r;

	for (i = 0; i < p->names.n; i++) {
		names = &p->names.p[i];
		n = 1;
		if (name_is_wild(p->names.p[i])) {
			r = matching_names(b, p->names.p[i], &names, &n);
			if (r != 0)
				return r;
		}
		for (k = 0; k < n; k++) {
			r = batch_drop(b, names[k]);
			if (r != 0)
				return r;
		}
	}
	return 0;
}

/* What ${name}, which matches ${from}, is called after: prefix for prefix. */
static int
target_name(struct batch *b, struct str from, struct str to, struct str name, struct str *ret)
{
	size_t n_to = to.n - 1, n_rest = name.n - (from.n - 1);
	uint8_t *p;

	*ret = to;
	if (!name_is_wild(to))
		return 0;
	p = arena_alloc(&b->arena, n_to + n_rest + 1);
	if (p == NULL)
		return err_origin(-ENOMEM);
	memcpy(p, to.p, n_to);
	memcpy(p + n_to, name.p + from.n - 1, n_rest);
	*ret = str_of(p, n_to + n_rest);
	return 0;
}

typedef int (*move_fn)(struct batch *b, struct str from, struct str to);

static int
move_one(struct batch *b, struct str from, struct str to, move_fn move)
{
	const struct str *names;
	struct str target;
	size_t i, n;
	int r;

	if (!name_is_wild(from))
		return move(b, from, to);
	r = matching_names(b, from, &names, &n);
	for (i = 0; r == 0 && i < n; i++) {
		r = target_name(b, from, to, names[i], &target);
		if (r == 0)
			r = move(b, names[i], target);
	}
	return r;
}

static int
move_all(const struct pipe *p, struct batch *b, move_fn move)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < p->names.n; i++)
		r = move_one(b, p->names.p[i], p->targets.p[i], move);
	return r;
}

int
pipe_copy_apply(const struct pipe *p, struct query_env *env, struct batch *b)
{
	return move_all(p, b, batch_copy);
}

int
pipe_rename_apply(const struct pipe *p, struct query_env *env, struct batch *b)
{
	return move_all(p, b, batch_rename);
}

/* Columns that are empty in all rows go; rows without any value too. */
int
pipe_drop_empty_apply(const struct pipe *p, struct query_env *env, struct batch *b)
{
	char scratch[COLUMN_SCRATCH];
	const struct str *names;
	const struct column *c;
	uint64_t *any;
	size_t i, k, n;
	bool filled;
	int r;

	r = batch_names(b, &names, &n);
	any = arena_zalloc(&b->arena, BITS_WORDS(b->n_rows) + 1, sizeof(*any));
	if (r == 0 && any == NULL)
		r = err_origin(-ENOMEM);
	for (i = 0; r == 0 && i < n; i++) {
		c = batch_column(b, names[i]);
		if (c == NULL)
			return b->err;
		for (filled = false, k = 0; k < b->n_rows; k++) {
			if (column_value(c, k, scratch).n != 0) {
				bits_set(any, k);
				filled = true;
			}
		}
		if (!filled)
			r = batch_drop(b, names[i]);
	}
	return r != 0 ? r : batch_select(b, any);
}

/* {name="value",…} of the fields that the list takes and that are not empty. */
static int
stream_of(const struct pipe *p, struct batch *b, const struct str *names, size_t n, size_t row,
    struct buf *out)
{
	const struct str *values;
	bool first = true;
	size_t i;

	buf_byte(out, '{');
	for (i = 0; i < n; i++) {
		if (!names_match(&p->names, names[i]))
			continue;
		values = batch_strs(b, names[i]);
		if (values == NULL)
			return b->err;
		if (values[row].n == 0)
			continue;
		if (!first)
			buf_byte(out, ',');
		first = false;
		buf_str(out, names[i]);
		buf_byte(out, '=');
		buf_json(out, values[row]);
	}
	buf_byte(out, '}');
	return buf_err(out);
}

static int
name_order(const void *a, const void *b)
{
	struct str x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return str_cmp(x, y);
}

int
pipe_stream_fields_apply(const struct pipe *p, struct query_env *env, struct batch *b)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	const struct str *names, *old;
	struct str *sorted, *out;
	const uint64_t *rows;
	size_t i, n;
	int r;

	r = pipe_rows(p->filter, env, b, &rows);
	if (r == 0)
		r = batch_names(b, &names, &n);
	if (r != 0)
		return r;
	old = batch_strs(b, STR("_stream"));
	sorted = arena_alloc(&b->arena, (n + 1) * sizeof(*sorted));
	out = arena_alloc(&b->arena, (b->n_rows + 1) * sizeof(*out));
	if (old == NULL || sorted == NULL || out == NULL)
		return b->err != 0 ? b->err : err_origin(-ENOMEM);
	if (n != 0)
		memcpy(sorted, names, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), name_order);
	for (i = 0; i < b->n_rows; i++) {
		out[i] = old[i];
		if (rows != NULL && !bits_get(rows, i))
			continue;
		buf_clear(&text);
		r = stream_of(p, b, sorted, n, i, &text);
		out[i] = arena_dup(&b->arena, buf_view(&text));
		if (r != 0 || out[i].p == NULL)
			return r != 0 ? r : err_origin(-ENOMEM);
	}
	r = batch_set_strs(b, STR("_stream"), out);
	return r != 0 ? r : batch_drop(b, STR("_stream_id"));
}
