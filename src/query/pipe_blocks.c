/*
 * query/pipe_blocks.c - what a query touched.
 * One job: blocks_count, block_stats, query_stats: numbers about blocks and the run instead of
 * rows.
 * Floor: 3 (uses logsql, record, base).
 */
#include "query/pipe_stage.h"

struct blocks_stage {
	struct stage stage;
	const struct pipe *pipe;
	_Atomic uint64_t blocks, rows;
};

static const char *
kind_name(enum column_kind kind)
{
	switch (kind) {
	case COLUMN_CONST:
		return "const";
	case COLUMN_DICT:
		return "dict";
	case COLUMN_INT:
		return "int";
	case COLUMN_TIME:
		return "time";
	case COLUMN_TEXT:
	case COLUMN_STRS:
		return "string";
	}
	return "";
}

static uint64_t
bytes_of(const struct column *c)
{
	char scratch[COLUMN_SCRATCH];
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < (c->kind == COLUMN_CONST ? 1 : c->n_rows); i++)
		n += column_value(c, i, scratch).n;
	return n;
}

/* A row for each column of the batch. */
static int
put_columns(struct stage *s, unsigned worker, struct batch *b)
{
	static const struct str out_names[] = { STR_INIT("field"), STR_INIT("type"),
		STR_INIT("values_bytes"), STR_INIT("dict_items"), STR_INIT("rows") };
	const struct column *c;
	const struct str *names;
	struct rows_out out;
	size_t i, n;
	int r;

	r = batch_names(b, &names, &n);
	if (r != 0)
		return r;
	r = rows_out_init(&out, s->next, worker, out_names, ARRAY_LEN(out_names));
	for (i = 0; r == 0 && i < n; i++) {
		c = batch_column(b, names[i]);
		if (c == NULL) {
			r = b->err;
			break;
		}
		r = rows_out_copy(&out, 0, names[i]);
		rows_out_set(&out, 1, str_c(kind_name(c->kind)));
		if (r == 0)
			r = rows_out_uint(&out, 2, bytes_of(c));
		if (r == 0)
			r = rows_out_uint(&out, 3, c->kind == COLUMN_DICT ? c->n_dict : 0);
		if (r == 0)
			r = rows_out_uint(&out, 4, b->n_rows);
		if (r == 0)
			r = rows_out_next(&out);
	}
	if (r == 0)
		r = rows_out_flush(&out);
	rows_out_fini(&out);
	return r;
}

static int
blocks_push(struct stage *s, unsigned worker, struct batch *b)
{
	struct blocks_stage *t = (struct blocks_stage *)s;

	if (b->n_rows == 0)
		return 0;
	t->blocks++;
	t->rows += b->n_rows;
	return t->pipe->kind == PIPE_BLOCK_STATS ? put_columns(s, worker, b) : 0;
}

static int
put_numbers(struct stage *s, const struct str *names, const uint64_t *values, size_t n)
{
	struct rows_out out;
	size_t i;
	int r;

	r = rows_out_init(&out, s->next, 0, names, n);
	for (i = 0; r == 0 && i < n; i++)
		r = rows_out_uint(&out, i, values[i]);
	if (r == 0)
		r = rows_out_next(&out);
	if (r == 0)
		r = rows_out_flush(&out);
	rows_out_fini(&out);
	return r;
}

static int
blocks_flush(struct stage *s)
{
	struct blocks_stage *t = (struct blocks_stage *)s;
	const struct query_hooks *hooks = s->env->hooks;
	struct str own_names[] = { STR("BlocksProcessed"), STR("RowsFound") };
	uint64_t own[] = { t->blocks, t->rows };
	const struct str *names = own_names;
	const uint64_t *values = own;
	size_t n = 2;
	int r = 0;

	if (t->pipe->kind == PIPE_BLOCKS_COUNT)
		r = put_numbers(s, &t->pipe->to, values, 1);
	else if (t->pipe->kind == PIPE_QUERY_STATS) {
		if (hooks != NULL && hooks->counts != NULL)
			r = hooks->counts(s->env->run_ctx, &names, &values, &n);
		if (r == 0)
			r = put_numbers(s, names, values, n);
	}
	return r != 0 ? r : stage_flush(s->next);
}

static void
blocks_free(struct stage *s)
{
	free(s);
}

static const struct stage_ops blocks_ops = { "blocks_count", blocks_push, blocks_flush,
	blocks_free };

int
pipe_blocks_make(const struct stage_args *a, struct stage **ret)
{
	int r;

	r = stage_alloc(sizeof(struct blocks_stage), &blocks_ops, a->env, ret);
	if (r == 0)
		((struct blocks_stage *)*ret)->pipe = a->pipe;
	return r;
}
