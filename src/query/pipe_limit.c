/*
 * query/pipe_limit.c - pipes that drop rows.
 * One job: filter, limit, offset and sample.
 * Floor: 3 (uses logsql, record, base).
 */
#include "query/pipe_stage.h"

int
pipe_filter_apply(const struct pipe *p, struct query_env *env, struct batch *b)
{
	const uint64_t *rows;
	int r;

	r = pipe_rows(p->filter, env, b, &rows);
	return r != 0 || rows == NULL ? r : batch_select(b, rows);
}

struct count_stage {
	struct stage stage;
	uint64_t n;            /* limit or offset */
	_Atomic uint64_t seen; /* rows of all workers */
};

static int
count_flush(struct stage *s)
{
	return stage_flush(s->next);
}

static void
count_free(struct stage *s)
{
	free(s);
}

static int
limit_push(struct stage *s, unsigned worker, struct batch *b)
{
	struct count_stage *c = (struct count_stage *)s;
	uint64_t before = atomic_fetch_add(&c->seen, b->n_rows);
	int r;

	if (before >= c->n) {
		atomic_store(&s->env->stop, true);
		return 0;
	}
	r = batch_slice(b, 0, c->n - before < b->n_rows ? (size_t)(c->n - before) : b->n_rows);
	if (r == 0)
		r = stage_push(s->next, worker, b);
	if (before + b->n_rows >= c->n)
		atomic_store(&s->env->stop, true);
	return r;
}

static const struct stage_ops limit_ops = { "limit", limit_push, count_flush, count_free };

static int
count_make(const struct stage_args *a, const struct stage_ops *ops, uint64_t n, struct stage **ret)
{
	int r;

	r = stage_alloc(sizeof(struct count_stage), ops, a->env, ret);
	if (r == 0)
		((struct count_stage *)*ret)->n = n;
	return r;
}

int
pipe_limit_make(const struct stage_args *a, struct stage **ret)
{
	return count_make(a, &limit_ops, a->pipe->limit, ret);
}

static int
offset_push(struct stage *s, unsigned worker, struct batch *b)
{
	struct count_stage *c = (struct count_stage *)s;
	uint64_t before = atomic_fetch_add(&c->seen, b->n_rows), skip;
	int r;

	skip = before >= c->n ? 0 : c->n - before;
	if (skip >= b->n_rows)
		return 0;
	r = batch_slice(b, (size_t)skip, b->n_rows);
	return r != 0 ? r : stage_push(s->next, worker, b);
}

static const struct stage_ops offset_ops = { "offset", offset_push, count_flush, count_free };

int
pipe_offset_make(const struct stage_args *a, struct stage **ret)
{
	return count_make(a, &offset_ops, a->pipe->offset, ret);
}

/* Every row has the same chance of 1 in n, by its number among all rows seen. */
static int
sample_push(struct stage *s, unsigned worker, struct batch *b)
{
	struct count_stage *c = (struct count_stage *)s;
	uint64_t row = atomic_fetch_add(&c->seen, b->n_rows), x;
	uint64_t *sel = arena_zalloc(&b->arena, BITS_WORDS(b->n_rows) + 1, sizeof(*sel));
	size_t i;
	int r;

	if (sel == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < b->n_rows; i++, row++) {
		/*
		 * A mix of bits as in splitmix64, so that the rows taken follow no period of the
		 * input.
		 */
		x = (row + (uint64_t)s->env->now.ns) * UINT64_C(0x9e3779b97f4a7c15);
		x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
		x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
		if ((x ^ (x >> 31)) % c->n == 0)
			bits_set(sel, i);
	}
	r = batch_select(b, sel);
	return r != 0 || b->n_rows == 0 ? r : stage_push(s->next, worker, b);
}

static const struct stage_ops sample_ops = { "sample", sample_push, count_flush, count_free };

int
pipe_sample_make(const struct stage_args *a, struct stage **ret)
{
	return count_make(a, &sample_ops, a->pipe->limit, ret);
}
