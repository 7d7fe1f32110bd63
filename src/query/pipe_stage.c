/*
 * query/pipe_stage.c - what the stages of pipes share.
 * One job: conditions, columns changed row by row, and rows that a stage makes.
 * Floor: 3 (uses logsql, record, base).
 */
#include "query/pipe_stage.h"

#include "query/match.h"

int
stage_alloc(size_t size, const struct stage_ops *ops, struct query_env *env, struct stage **ret)
{
	struct stage *s = calloc(1, size);

	if (s == NULL)
		return err_origin(-ENOMEM);
	s->ops = ops;
	s->env = env;
	*ret = s;
	return 0;
}

int
pipe_rows(const struct filter *f, struct query_env *env, struct batch *b, const uint64_t **ret)
{
	uint64_t *sel;

	*ret = NULL;
	if (f == NULL)
		return 0;
	sel = arena_zalloc(&b->arena, BITS_WORDS(b->n_rows) + 1, sizeof(*sel));
	if (sel == NULL)
		return err_origin(-ENOMEM);
	bits_fill(sel, b->n_rows);
	*ret = sel;
	return match_batch(f, b, &env->cancelled, sel);
}

/* The mapped value, in the batch's arena. */
static int
map_one(struct batch *b, value_map_fn fn, void *ctx, struct str in, struct buf *tmp,
    struct str *ret)
{
	int r;

	buf_clear(tmp);
	r = fn(ctx, in, tmp);
	if (r == 0)
		r = buf_err(tmp);
	if (r != 0)
		return r;
	*ret = arena_dup(&b->arena, buf_view(tmp));
	return ret->p == NULL ? err_origin(-ENOMEM) : 0;
}

static int
map_dict(struct batch *b, const struct column *c, struct str *out, value_map_fn fn, void *ctx,
    struct buf *tmp)
{
	struct str *mapped = arena_zalloc(&b->arena, c->n_dict + 1, sizeof(*mapped));
	bool *done = arena_zalloc(&b->arena, c->n_dict + 1, sizeof(*done));
	size_t i;
	int r;

	if (mapped == NULL || done == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < c->n_rows; i++) {
		uint32_t code = c->codes[i];

		if (!done[code]) {
			r = map_one(b, fn, ctx, c->dict[code], tmp, &mapped[code]);
			if (r != 0)
				return r;
			done[code] = true;
		}
		out[i] = mapped[code];
	}
	return 0;
}

static int
map_rows(struct batch *b, const struct column *c, const uint64_t *rows, struct str *out,
    value_map_fn fn, void *ctx, struct buf *tmp)
{
	char scratch[COLUMN_SCRATCH];
	struct str v, last = STR_NONE;
	size_t i, last_row = SIZE_MAX;
	int r;

	for (i = 0; i < c->n_rows; i++) {
		if (rows != NULL && !bits_get(rows, i))
			continue;
		v = column_value(c, i, scratch);
		/* Values of neighbours are often the same bytes. */
		if (last_row != SIZE_MAX && v.p != (const uint8_t *)scratch && v.p == last.p &&
		    v.n == last.n) {
			out[i] = out[last_row];
			continue;
		}
		r = map_one(b, fn, ctx, v, tmp, &out[i]);
		if (r != 0)
			return r;
		last = v;
		last_row = i;
	}
	return 0;
}

int
pipe_map(struct batch *b, struct str from, struct str to, const uint64_t *rows, value_map_fn fn,
    void *ctx)
{
	AUTO_FINI(buf_fini) struct buf tmp = BUF_INIT;
	const struct column *c = batch_column(b, from);
	const struct str *old = NULL;
	struct column made;
	struct str *out;
	int r;

	if (c == NULL)
		return b->err;
	pipe_text_limit(b, &tmp);
	if (c->kind == COLUMN_CONST && rows == NULL) {
		made = column_const(to, STR_NONE, b->n_rows);
		r = map_one(b, fn, ctx, c->value, &tmp, &made.value);
		return r != 0 ? r : batch_set(b, &made);
	}
	out = arena_zalloc(&b->arena, b->n_rows + 1, sizeof(*out));
	if (out == NULL)
		return err_origin(-ENOMEM);
	if (rows != NULL) {
		old = batch_strs(b, to);
		if (old == NULL)
			return b->err;
		memcpy(out, old, b->n_rows * sizeof(*out));
	}
	r = c->kind == COLUMN_DICT && rows == NULL ? map_dict(b, c, out, fn, ctx, &tmp)
	                                           : map_rows(b, c, rows, out, fn, ctx, &tmp);
	return r != 0 ? r : batch_set_strs(b, to, out);
}

struct str
pipe_keep_old(const struct pipe *p, struct str fresh, struct str old)
{
	if (old.n != 0 && (p->keep_original || (p->skip_empty && fresh.n == 0)))
		return old;
	return fresh;
}

/* Begin the next batch. */
static int
rows_out_begin(struct rows_out *o)
{
	size_t i;

	batch_reset(&o->batch, 0);
	o->n = 0;
	o->arrivals = NULL;
	o->cols = arena_alloc(&o->batch.arena, (o->n_names + 1) * sizeof(*o->cols));
	if (o->cols == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < o->n_names; i++) {
		o->cols[i] = arena_zalloc(&o->batch.arena, ROWS_OUT_MAX, sizeof(**o->cols));
		if (o->cols[i] == NULL)
			return err_origin(-ENOMEM);
	}
	o->n_empty = o->batch.arena.total;
	return 0;
}

int
rows_out_init(struct rows_out *o, struct stage *next, unsigned worker, const struct str *names,
    size_t n)
{
	*o = (struct rows_out){ .next = next,
		.worker = worker,
		.names = names,
		.n_names = n,
		.batch = BATCH_INIT };
	return rows_out_begin(o);
}

void
rows_out_fini(struct rows_out *o)
{
	batch_fini(&o->batch);
}

void
rows_out_set(struct rows_out *o, size_t i, struct str v)
{
	o->cols[i][o->n] = v;
}

int
rows_out_copy(struct rows_out *o, size_t i, struct str v)
{
	struct str copy = arena_dup(&o->batch.arena, v);

	if (copy.p == NULL)
		return err_origin(-ENOMEM);
	rows_out_set(o, i, copy);
	return 0;
}

int
rows_out_uint(struct rows_out *o, size_t i, uint64_t v)
{
	char text[24];
	size_t at = sizeof(text);

	do {
		text[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v != 0);
	return rows_out_copy(o, i, str_of(text + at, sizeof(text) - at));
}

int
rows_out_arrive(struct rows_out *o, uint64_t order)
{
	if (o->arrivals == NULL)
		o->arrivals = arena_alloc(&o->batch.arena, ROWS_OUT_MAX * sizeof(*o->arrivals));
	if (o->arrivals == NULL)
		return err_origin(-ENOMEM);
	o->arrivals[o->n] = order;
	return 0;
}

int
rows_out_flush(struct rows_out *o)
{
	size_t i;
	int r;

	if (o->n == 0)
		return 0;
	o->batch.n_rows = o->n;
	o->batch.closed = true;
	o->batch.arrivals = o->arrivals;
	for (i = 0; i < o->n_names; i++) {
		r = batch_set_strs(&o->batch, o->names[i], o->cols[i]);
		if (r != 0)
			return r;
	}
	r = stage_push(o->next, o->worker, &o->batch);
	return r != 0 ? r : rows_out_begin(o);
}

int
rows_out_next(struct rows_out *o)
{
	o->n++;
	return o->n == ROWS_OUT_MAX || o->batch.arena.total >= ROWS_OUT_BYTES + o->n_empty
	    ? rows_out_flush(o)
	    : 0;
}

void
key_put(struct buf *out, struct str s)
{
	buf_varint(out, s.n);
	buf_str(out, s);
}

struct str
key_take(struct str *s)
{
	struct scan at = SCAN_OF(*s);
	struct str v = scan_bytes(&at, (size_t)scan_varint(&at));

	*s = str_sub(*s, at.at, s->n);
	return v;
}
