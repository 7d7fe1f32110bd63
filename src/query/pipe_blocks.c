/*
 * query/pipe_blocks.c - what a query touched.
 * One job: blocks_count, block_stats, query_stats: numbers about blocks and the run instead of
 * rows.
 * Floor: 3 (uses store, logsql, record, base).
 */
#include "query/pipe_stage.h"
#include "query/scan.h"

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

/* Bytes of its values as text, or of its dictionary's. */
static uint64_t
bytes_of(const struct column *c, bool dict)
{
	char scratch[COLUMN_SCRATCH];
	uint64_t n = 0;
	size_t i;

	for (i = 0; dict && i < c->n_dict; i++)
		n += c->dict[i].n;
	for (i = 0; !dict && i < (c->kind == COLUMN_CONST ? 1 : c->n_rows); i++)
		n += column_value(c, i, scratch).n;
	return n;
}

/* What is told of one column: as the block of a store has it, or as it is in memory. */
struct column_stats {
	const char *type;
	uint64_t n_bytes, dict_items, dict_bytes;
};

static int
column_stats(struct batch *b, struct str name, struct column_stats *ret)
{
	struct block_column_info info;
	bool stored = scan_batch_column(b, name, &info);
	const struct column *c = NULL;

	*ret = (struct column_stats){ 0 };
	if (stored) {
		ret->type = info.encoding;
		ret->n_bytes = info.n_bytes;
	}
	if (stored && info.kind != COLUMN_DICT)
		return 0;
	c = batch_column(b, name);
	if (c == NULL)
		return b->err;
	if (!stored) {
		ret->type = kind_name(c->kind);
		ret->n_bytes = bytes_of(c, false);
	}
	if (c->kind == COLUMN_DICT) {
		ret->dict_items = c->n_dict;
		ret->dict_bytes = bytes_of(c, true);
	}
	return 0;
}

enum { OUT_FIELD, OUT_TYPE, OUT_BYTES, OUT_DICT_ITEMS, OUT_DICT_BYTES, OUT_ROWS, OUT_PART };

/* A row for each column of the batch. */
static int
put_columns(struct stage *s, unsigned worker, struct batch *b)
{
	static const struct str out_names[] = { STR_INIT("field"), STR_INIT("type"),
		STR_INIT("values_bytes"), STR_INIT("dict_items"), STR_INIT("dict_bytes"),
		STR_INIT("rows"), STR_INIT("part_path") };
	const char *part = "inmemory";
	struct store_block_info block;
	struct column_stats stats;
	const struct str *names;
	struct rows_out out;
	size_t i, n;
	int r;

	r = batch_names(b, &names, &n);
	if (r != 0)
		return r;
	(void)scan_batch_block(b, &block, &part);
	r = rows_out_init(&out, s->next, worker, out_names, ARRAY_LEN(out_names));
	for (i = 0; r == 0 && i < n; i++) {
		r = column_stats(b, names[i], &stats);
		if (r != 0)
			break;
		r = rows_out_copy(&out, OUT_FIELD, names[i]);
		rows_out_set(&out, OUT_TYPE, str_c(stats.type));
		rows_out_set(&out, OUT_PART, str_c(part));
		if (r == 0)
			r = rows_out_uint(&out, OUT_BYTES, stats.n_bytes);
		if (r == 0)
			r = rows_out_uint(&out, OUT_DICT_ITEMS, stats.dict_items);
		if (r == 0)
			r = rows_out_uint(&out, OUT_DICT_BYTES, stats.dict_bytes);
		if (r == 0)
			r = rows_out_uint(&out, OUT_ROWS, b->n_rows);
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
