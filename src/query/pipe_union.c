/*
 * query/pipe_union.c - rows from elsewhere, behind or instead.
 * One job: union: rows of a subquery or of the query's own text behind the others; generate_sequence.
 * Floor: 3 (uses logsql, record, base).
 */
#include "query/pipe_stage.h"

static int
run_subquery(struct query_env *env, const char *who, const struct query *q,
    int (*put)(void *ctx, struct batch *b), void *ctx)
{
	if (env->run_query == NULL)
		return env_fail(env, err_origin(-ENOSYS), "%s: no subquery can be run here", who);
	return env->run_query(env->run_ctx, env, q, put, ctx);
}

/* Rows that stand in the query, as a batch. */
static int
literal_batch(const struct pipe *p, struct batch *b)
{
	struct str *col;
	size_t i, k;
	int r = 0;

	batch_reset(b, p->n_rows);
	b->closed = true;
	for (i = 0; r == 0 && i < p->n_rows; i++) {
		for (k = 0; r == 0 && k < p->rows[i].n_pairs; k++) {
			const struct str *old = batch_strs(b, p->rows[i].pairs[2 * k]);

			col = arena_alloc(&b->arena, (b->n_rows + 1) * sizeof(*col));
			if (old == NULL || col == NULL)
				return err_origin(-ENOMEM);
			memcpy(col, old, b->n_rows * sizeof(*col));
			col[i] = p->rows[i].pairs[2 * k + 1];
			r = batch_set_strs(b, p->rows[i].pairs[2 * k], col);
		}
	}
	return r;
}

int
pipe_rows_of(struct query_env *env, const struct pipe *p, int (*put)(void *ctx, struct batch *b),
    void *ctx)
{
	AUTO_FINI(batch_fini) struct batch rows = BATCH_INIT;
	int r;

	if (p->query != NULL)
		return run_subquery(env, pipe_kind_name(p->kind), p->query, put, ctx);
	r = literal_batch(p, &rows);
	return r != 0 ? r : put(ctx, &rows);
}

struct pipe_stage {
	struct stage stage;
	const struct pipe *pipe;
};

static void
plain_free(struct stage *s)
{
	free(s);
}

static int
pipe_stage_make(const struct stage_args *a, const struct stage_ops *ops, struct stage **ret)
{
	int r;

	r = stage_alloc(sizeof(struct pipe_stage), ops, a->env, ret);
	if (r == 0)
		((struct pipe_stage *)*ret)->pipe = a->pipe;
	return r;
}

static int
union_push(struct stage *s, unsigned worker, struct batch *b)
{
	return stage_push(s->next, worker, b);
}

static int
union_put(void *ctx, struct batch *b)
{
	struct stage *s = ctx;

	return b->n_rows == 0 ? 0 : stage_push(s->next, 0, b);
}

static int
union_flush(struct stage *s)
{
	int r;

	r = pipe_rows_of(s->env, ((struct pipe_stage *)s)->pipe, union_put, s);
	return r != 0 ? r : stage_flush(s->next);
}

static const struct stage_ops union_ops = { "union", union_push, union_flush, plain_free };

int
pipe_union_make(const struct stage_args *a, struct stage **ret)
{
	return pipe_stage_make(a, &union_ops, ret);
}

static int
sequence_push(struct stage *s, unsigned worker, struct batch *b)
{
	atomic_store(&s->env->stop, true);
	return 0;
}

static int
sequence_flush(struct stage *s)
{
	static const struct str names[] = { STR_INIT("_msg") };
	const struct pipe *p = ((struct pipe_stage *)s)->pipe;
	struct rows_out out;
	uint64_t i;
	int r;

	/* Its own doing; from here on it is a limit behind it that wants no more. */
	atomic_store(&s->env->stop, false);
	r = rows_out_init(&out, s->next, 0, names, 1);
	for (i = 0; r == 0 && i < p->limit && !atomic_load(&s->env->stop) &&
	     !atomic_load(&s->env->cancelled);
	     i++) {
		r = rows_out_uint(&out, 0, i);
		if (r == 0)
			r = rows_out_next(&out);
	}
	if (r == 0)
		r = rows_out_flush(&out);
	rows_out_fini(&out);
	return r != 0 ? r : stage_flush(s->next);
}

static const struct stage_ops sequence_ops = { "generate_sequence", sequence_push, sequence_flush,
	plain_free };

int
pipe_sequence_make(const struct stage_args *a, struct stage **ret)
{
	return pipe_stage_make(a, &sequence_ops, ret);
}
