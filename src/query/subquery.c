/*
 * query/subquery.c - queries in a filter.
 * One job: run what stands in in(…), contains_any(…) and their kin first, and fill in what they found.
 * Floor: 3 (uses logsql, record, base).
 */
#include "base/map.h"
#include "logsql/filter.h"
#include "logsql/pipe.h"
#include "query/run_internal.h"

struct fill {
	struct run *run;
	struct query_env *env;
};

struct found {
	struct query_env *env;
	struct str field;
	struct map values;
};

static int
take_values(void *ctx, struct batch *b)
{
	struct found *f = ctx;
	const struct str *values = batch_strs(b, f->field);
	bool fresh;
	size_t i;
	int r = 0;

	if (values == NULL)
		return b->err != 0 ? b->err : err_origin(-ENOMEM);
	for (i = 0; r == 0 && i < b->n_rows; i++) {
		if (map_put(&f->values, values[i], &fresh) == NULL)
			return err_origin(-ENOMEM);
		if (fresh)
			r = env_charge(f->env, "in(query)", (int64_t)values[i].n + 64);
	}
	return err_trace(r);
}

static int
fill_leaf(void *ctx, struct filter *f)
{
	struct fill *fill = ctx;
	struct found found = { .env = fill->env, .field = f->query_field };
	AUTO_FREE struct str *values = NULL;
	size_t i;
	int r;

	if (f->query == NULL)
		return 0;
	r = run_nested(fill->run, fill->env, f->query, take_values, &found);
	if (r == 0)
		values = calloc(found.values.n + 1, sizeof(*values));
	if (r == 0 && values == NULL)
		r = err_origin(-ENOMEM);
	for (i = 0; r == 0 && i < found.values.n; i++)
		values[i] = found.values.entries[i].key;
	if (r == 0)
		r = filter_set_values(f, values, found.values.n);
	map_fini(&found.values);
	return err_trace(r);
}

static int
fill_filter(struct fill *fill, struct filter *f)
{
	return f != NULL ? err_trace(filter_walk(f, fill_leaf, fill)) : 0;
}

static int
fill_pipe(struct fill *fill, const struct pipe *p)
{
	size_t i, k;
	int r;

	r = fill_filter(fill, p->filter);
	for (i = 0; r == 0 && i < p->n_funcs; i++) {
		r = fill_filter(fill, p->funcs[i].filter);
		for (k = 0; r == 0 && k < p->funcs[i].n_not_any; k++)
			r = fill_filter(fill, p->funcs[i].not_any[k]);
	}
	return err_trace(r);
}

int
run_fill_subqueries(struct run *run, struct query_env *env, const struct query *q)
{
	struct fill fill = { run, env };
	size_t i;
	int r;

	r = fill_filter(&fill, q->filter);
	for (i = 0; r == 0 && i < q->n_pipes; i++)
		r = fill_pipe(&fill, q->pipes[i]);
	return err_trace(r);
}
