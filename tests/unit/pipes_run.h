/*
 * tests/unit/pipes_run.h - pipes on rows that stand in a test.
 * One job: run the pipes of a query over rows given as text, by several workers in turn, and give
 * what comes out as text.
 */
#pragma once

#include "logsql/pipe.h"
#include "logsql/query.h"
#include "query/match.h"
#include "query/stage.h"

enum { RUN_COLS_MAX = 8, RUN_ROWS_MAX = 64 };

/* names: with blanks between; rows: values with '|' between, rows with '\n' behind. */
struct run_rows {
	const char *names;
	const char *rows;
};

enum { RUN_SEQUENCE_MAX = 100000 };

struct run_last {
	struct stage stage;
	struct buf *out;
};

struct run_ctx {
	const struct run_rows *rows;
	unsigned n_workers, depth;
};

static int run_stages(struct run_ctx *ctx, struct query_env *env, const struct query *q,
    struct stage *last);

static struct str
run_cut(struct str *s, uint8_t at)
{
	size_t n = str_find_byte(*s, at);
	struct str v = str_sub(*s, 0, n);

	*s = n == SIZE_MAX ? STR_NONE : str_sub(*s, n + 1, s->n);
	return v;
}

/* Row ${row} of the text and the next n - 1 as a batch. */
static int
run_batch(const struct run_rows *rows, size_t row, size_t n, struct batch *b)
{
	struct str names = str_c(rows->names), text = str_c(rows->rows), name, *cols[RUN_COLS_MAX];
	size_t i, k, n_cols = 0;
	int r = 0;

	batch_reset(b, n);
	b->closed = true;
	for (i = 0; i < row; i++)
		(void)run_cut(&text, '\n');
	for (k = 0; k < RUN_COLS_MAX; k++)
		cols[k] = arena_zalloc(&b->arena, n + 1, sizeof(**cols));
	for (i = 0; i < n; i++) {
		struct str line = run_cut(&text, '\n');

		for (k = 0; k < RUN_COLS_MAX && line.n != 0; k++)
			cols[k][i] = run_cut(&line, '|');
	}
	while (r == 0 && names.n != 0 && n_cols < RUN_COLS_MAX) {
		name = run_cut(&names, ' ');
		r = batch_set_strs(b, name, cols[n_cols++]);
	}
	return r;
}

static size_t
run_count(const struct run_rows *rows)
{
	size_t n = 0;
	const char *c;

	for (c = rows->rows; *c != '\0'; c++)
		n += *c == '\n' ? 1 : 0;
	return n;
}

/* One line a row: name=value with blanks between; empty ones are left out. */
static int
run_put(struct stage *s, unsigned worker, struct batch *b)
{
	struct buf *out = ((struct run_last *)s)->out;
	const struct str *names, *values;
	size_t i, k, n;
	int r;

	r = batch_names(b, &names, &n);
	for (i = 0; r == 0 && i < b->n_rows; i++) {
		const char *blank = "";

		for (k = 0; k < n; k++) {
			values = batch_strs(b, names[k]);
			if (values == NULL)
				return b->err;
			if (values[i].n == 0)
				continue;
			buf_c(out, blank);
			blank = " ";
			buf_str(out, names[k]);
			buf_byte(out, '=');
			buf_str(out, values[i]);
		}
		buf_byte(out, '\n');
	}
	return r;
}

static int
run_end(struct stage *s)
{
	return 0;
}

static const struct stage_ops run_last_ops = { "last", run_put, run_end, NULL };

/* A subquery's rows go to ${put}. */
struct run_nested {
	struct stage stage;
	int (*put)(void *ctx, struct batch *b);
	void *ctx;
};

static int
run_nested_push(struct stage *s, unsigned worker, struct batch *b)
{
	struct run_nested *n = (struct run_nested *)s;

	return n->put(n->ctx, b);
}

static const struct stage_ops run_nested_ops = { "nested", run_nested_push, run_end, NULL };

static int
run_subquery(void *run_ctx, struct query_env *env, const struct query *q,
    int (*put)(void *ctx, struct batch *b), void *put_ctx)
{
	struct run_nested last = { { &run_nested_ops, NULL, env }, put, put_ctx };
	struct run_ctx *ctx = run_ctx;
	int r;

	if (ctx->depth >= 3)
		return -ELOOP;
	ctx->depth++;
	r = run_stages(ctx, env, q, &last.stage);
	ctx->depth--;
	return r;
}

static int
run_stages(struct run_ctx *ctx, struct query_env *env, const struct query *q, struct stage *last)
{
	AUTO_FINI(batch_fini) struct batch b = BATCH_INIT;
	size_t n = run_count(ctx->rows), share = n / ctx->n_workers + 1, row;
	struct stage *first = NULL;
	uint64_t sel[RUN_ROWS_MAX / 64];
	unsigned worker = 0;
	int r;

	r = stages_new(q, env, last, &first);
	for (row = 0; r == 0 && row < n; row += share, worker++) {
		r = run_batch(ctx->rows, row, n - row < share ? n - row : share, &b);
		bits_fill(sel, b.n_rows);
		if (r == 0)
			r = match_batch(q->filter, &b, NULL, sel);
		if (r == 0)
			r = batch_select(&b, sel);
		if (r == 0 && b.n_rows != 0)
			r = stage_push(first, worker, &b);
	}
	if (r == 0)
		r = stage_flush(first);
	stages_free(first, last);
	return r;
}

/* A sequence may be as long as it likes; here it ends in time. */
static void
run_bound(const struct query *q)
{
	size_t i;

	for (i = 0; i < q->n_pipes; i++) {
		struct pipe *p = (struct pipe *)q->pipes[i];

		if (p->kind == PIPE_GENERATE_SEQUENCE && p->limit > RUN_SEQUENCE_MAX)
			p->limit = RUN_SEQUENCE_MAX;
		if (p->query != NULL)
			run_bound(p->query);
	}
}

/** run_text(query, rows, n_workers, memory, out): what comes out; below 0 what failed, 1 when it
 * does not parse. */
static int
run_text(struct str text, const struct run_rows *rows, unsigned n_workers, uint64_t memory,
    struct buf *out)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	const struct logsql_options opt = { { INT64_C(1714979289000000000) }, 0 };
	struct run_ctx ctx = { rows, n_workers, 0 };
	struct logsql_error error = { 0 };
	struct query_env env = { .n_workers = n_workers, .now = opt.now, .memory_max = memory };
	struct run_last last = { { &run_last_ops, NULL, &env }, out };
	struct query *q = NULL;
	int r;

	r = query_parse(text, &opt, &arena, &q, &error);
	if (r != 0)
		return r;
	run_bound(q);
	env.run_query = run_subquery;
	env.run_ctx = &ctx;
	return run_stages(&ctx, &env, q, &last.stage);
}
