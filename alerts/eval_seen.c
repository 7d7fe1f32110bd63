/*
 * alerts/eval_seen.c - what a rule remembers.
 * One job: values that a rule has seen and when, and the reading of the store that begins it.
 * Floor: 4 (uses query, store, logsql, base).
 */
#include "alerts/eval_internal.h"

int
eval_form_new(struct eval_rule *er)
{
	er->form = calloc(1, sizeof(*er->form));
	if (er->form == NULL)
		return err_origin(-ENOMEM);
	er->form->first = INT64_MIN;
	er->form->hour = INT64_MIN;
	return 0;
}

struct eval_form *
eval_form_free(struct eval_form *f)
{
	if (f == NULL)
		return NULL;
	map_fini(&f->keys);
	free(f->seen);
	free(f->bands);
	free(f);
	return NULL;
}

int
eval_form_at(struct eval_form *f, struct str key, bool *ret_fresh, size_t *ret)
{
	struct map_entry *e = map_put(&f->keys, key, ret_fresh);
	struct eval_seen *seen;
	struct eval_band *bands;
	size_t cap;

	if (e == NULL)
		return err_origin(-ENOMEM);
	*ret = (size_t)(e - f->keys.entries);
	if (f->keys.n > f->cap) {
		cap = f->cap == 0 ? 16 : f->cap * 2;
		seen = reallocarray(f->seen, cap, sizeof(*seen));
		if (seen == NULL)
			return err_origin(-ENOMEM);
		f->seen = seen;
		bands = reallocarray(f->bands, cap, sizeof(*bands));
		if (bands == NULL)
			return err_origin(-ENOMEM);
		f->bands = bands;
		f->cap = cap;
	}
	if (*ret_fresh) {
		f->seen[*ret] = (struct eval_seen){ INT64_MIN, INT64_MIN };
		f->bands[*ret] = (struct eval_band){ 0 };
	}
	return 0;
}

/* The newest blocks that may have rows of (from, to], up to so many rows, ascending. */
static int
choose_blocks(struct eval *e, const struct store_view *view, int64_t from, int64_t to,
    uint64_t rows_max, uint32_t **ret, size_t *ret_n)
{
	size_t n_all = store_view_n_blocks(view), i, at = n_all;
	uint32_t *blocks = arena_alloc(&e->work, (n_all + 1) * sizeof(*blocks));
	struct store_block_info info;
	uint64_t rows = 0;

	if (blocks == NULL)
		return err_origin(-ENOMEM);
	for (i = n_all; i-- > 0 && rows < rows_max;) {
		store_view_block(view, i, &info);
		if (info.sum.max_time.ns <= from || info.sum.min_time.ns > to)
			continue;
		rows += info.sum.n_rows;
		blocks[--at] = (uint32_t)i;
	}
	*ret = blocks + at;
	*ret_n = n_all - at;
	return 0;
}

int
eval_learn(struct eval *e, const struct eval_rule *er, struct store_view *view, int64_t from,
    int64_t to, uint64_t rows_max, struct pipe *stats, run_put_fn take, void *ctx)
{
	AUTO_FINI(buf_fini) struct buf error = BUF_INIT;
	struct query q = *er->rule->query;
	struct pipe **pipes = arena_alloc(&e->work, (er->rule->n_row + 1) * sizeof(struct pipe *));
	struct run_options opt = { .now = { to },
		.zone_s = e->opt.zone_s,
		.n_threads = e->opt.n_threads != 0 ? e->opt.n_threads : 1,
		.memory_max = EVAL_ASK_MEMORY_MAX,
		.since = { from + 1 },
		.until = { to + 1 } };
	uint32_t *blocks = NULL;
	int r;

	if (pipes == NULL)
		return err_origin(-ENOMEM);
	r = choose_blocks(e, view, from, to, rows_max, &blocks, &opt.n_only_blocks);
	if (r < 0 || opt.n_only_blocks == 0)
		return err_trace(r);
	opt.only_blocks = blocks;
	if (er->rule->n_row != 0)
		memcpy(pipes, q.pipes, er->rule->n_row * sizeof(struct pipe *));
	pipes[er->rule->n_row] = stats;
	q.pipes = pipes;
	q.n_pipes = er->rule->n_row + (stats != NULL ? 1 : 0);
	return err_trace(run_store(view, &q, &opt, take, ctx, NULL, &error));
}
