/*
 * query/stats_partial.c - partial results of stats as bytes.
 * One job: groups with their states, small, and merged as often as wanted.
 * Floor: 3 (uses logsql, record, base).
 */
#include "query/stats_partial.h"

void
partial_init(struct partial *p, const struct stats_func *funcs, size_t n)
{
	size_t i;

	*p = (struct partial){ funcs, n, n > 0 };
	for (i = 0; i < n; i++)
		p->counts = p->counts && stats_ops_of(funcs[i].kind)->save == stats_save_n;
}

struct stats_state *
partial_free(const struct partial *p, struct stats_state *states, size_t n_groups)
{
	size_t i;

	for (i = 0; !p->counts && states != NULL && i < n_groups * p->n; i++)
		stats_ops_of(p->funcs[i % p->n].kind)->fini(&states[i]);
	free(states);
	return NULL;
}

int
partial_add(const struct partial *p, struct query_env *env, struct batch *b, const uint32_t *groups,
    size_t n_groups, uint64_t first, struct stats_state **ret)
{
	struct stats_state *states = calloc(n_groups * p->n + 1, sizeof(*states));
	struct stats_batch sb = { .b = b,
		.env = env,
		.groups = groups,
		.stride = p->n,
		.n_groups = n_groups,
		.first_order = first };
	size_t i;
	int r = states == NULL ? err_origin(-ENOMEM) : 0;

	for (i = 0; r == 0 && i < p->n; i++) {
		sb.states = states + i;
		r = stats_func_rows(&p->funcs[i], env, b, &sb.rows);
		if (r == 0)
			r = stats_ops_of(p->funcs[i].kind)->add(&p->funcs[i], &sb);
		if (r == 0)
			r = b->err;
	}
	if (r != 0)
		states = partial_free(p, states, n_groups);
	*ret = states;
	return r;
}

void
partial_put_entry(struct buf *out, uint32_t last, uint32_t group, struct str entry)
{
	buf_varint(out, last == UINT32_MAX ? group : group - last);
	buf_str(out, entry);
}

/* The states of one group. */
static int
save_entry(const struct partial *p, struct stats_state *states, struct buf *tmp, struct buf *out)
{
	size_t i;
	int r = 0;

	for (i = 0; p->counts && i < p->n; i++)
		buf_varint(out, states[i].n);
	if (p->counts)
		return 0;
	buf_clear(tmp);
	for (i = 0; r == 0 && i < p->n; i++)
		r = stats_ops_of(p->funcs[i].kind)->save(&p->funcs[i], &states[i], tmp);
	buf_varint(out, tmp->n);
	buf_str(out, buf_view(tmp));
	return r != 0 ? r : buf_err(tmp);
}

int
partial_save(const struct partial *p, struct stats_state *states, const uint32_t *ids, size_t n,
    struct buf *out)
{
	AUTO_FINI(buf_fini) struct buf tmp = BUF_INIT;
	uint32_t last = UINT32_MAX;
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < n; i++) {
		partial_put_entry(out, last, ids[i], STR_NONE);
		r = save_entry(p, &states[i * p->n], &tmp, out);
		last = ids[i];
	}
	return r != 0 ? r : buf_err(out);
}

struct partial_cursor
partial_open(const struct partial *p, struct str bytes)
{
	return (struct partial_cursor){ .p = p, .in = SCAN_OF(bytes), .first = true };
}

bool
partial_next(struct partial_cursor *c)
{
	uint64_t step, n;
	size_t from, i;

	if (c->in.bad || c->in.at == c->in.n)
		return false;
	step = scan_varint(&c->in);
	c->group = (uint32_t)(c->first ? step : c->group + step);
	c->first = false;
	from = c->in.at;
	if (c->p->counts) {
		for (i = 0; i < c->p->n; i++)
			(void)scan_varint(&c->in);
	} else {
		n = scan_varint(&c->in);
		(void)scan_bytes(&c->in, n);
	}
	c->entry = str_of(c->in.p + from, c->in.at - from);
	return !c->in.bad;
}

static int
merge_counts(const struct partial *p, struct str a, struct str b, struct buf *out)
{
	struct scan x = SCAN_OF(a), y = SCAN_OF(b);
	size_t i;

	for (i = 0; i < p->n; i++)
		buf_varint(out, scan_varint(&x) + scan_varint(&y));
	return x.bad || y.bad ? err_origin(-EPROTO) : 0;
}

/* One function's states of two entries, each read to its end. */
static int
merge_one(const struct stats_func *f, struct scan *a, struct scan *b, struct buf *out)
{
	const struct stats_ops *ops = stats_ops_of(f->kind);
	struct stats_state x = { 0 }, y = { 0 };
	int r;

	if (ops->merge_saved != NULL)
		return ops->merge_saved(f, a, b, out);
	r = ops->load(f, a, &x);
	if (r == 0)
		r = ops->load(f, b, &y);
	if (r == 0)
		r = ops->merge(f, &x, &y);
	if (r == 0)
		r = ops->save(f, &x, out);
	ops->fini(&x);
	ops->fini(&y);
	return r;
}

static int
merge_entries(const struct partial *p, struct str a, struct str b, struct buf *tmp, struct buf *out)
{
	struct scan x = SCAN_OF(a), y = SCAN_OF(b);
	size_t i;
	int r = 0;

	if (p->counts)
		return merge_counts(p, a, b, out);
	(void)scan_varint(&x);
	(void)scan_varint(&y);
	buf_clear(tmp);
	for (i = 0; r == 0 && i < p->n; i++)
		r = merge_one(&p->funcs[i], &x, &y, tmp);
	if (r == 0 && (x.bad || y.bad))
		r = err_origin(-EPROTO);
	buf_varint(out, tmp->n);
	buf_str(out, buf_view(tmp));
	return r != 0 ? r : buf_err(tmp);
}

int
partial_merge(const struct partial *p, struct str a, struct str b, struct buf *out)
{
	AUTO_FINI(buf_fini) struct buf tmp = BUF_INIT;
	struct partial_cursor x = partial_open(p, a), y = partial_open(p, b);
	bool has_x = partial_next(&x), has_y = partial_next(&y);
	uint32_t last = UINT32_MAX, group;
	int r = 0;

	while (r == 0 && (has_x || has_y)) {
		group = has_x && (!has_y || x.group <= y.group) ? x.group : y.group;
		partial_put_entry(out, last, group, STR_NONE);
		if (has_x && has_y && x.group == y.group)
			r = merge_entries(p, x.entry, y.entry, &tmp, out);
		else
			buf_str(out, has_x && x.group == group ? x.entry : y.entry);
		last = group;
		/* Both are asked before either moves. */
		has_y = has_y && y.group == group ? partial_next(&y) : has_y;
		has_x = has_x && x.group == group ? partial_next(&x) : has_x;
	}
	if (r == 0 && (x.in.bad || y.in.bad))
		r = err_origin(-EPROTO);
	return r != 0 ? r : buf_err(out);
}

static int
show_one(const struct stats_func *f, struct scan *in, bool empty, struct buf *out)
{
	const struct stats_ops *ops = stats_ops_of(f->kind);
	struct stats_state s = { 0 };
	int r = 0;

	if (!empty && ops->put_saved != NULL) {
		r = ops->put_saved(f, in, out);
		if (r <= 0)
			return r;
		r = 0;
	}
	if (!empty)
		r = ops->load(f, in, &s);
	if (r == 0)
		r = ops->put(f, &s, out);
	ops->fini(&s);
	return r;
}

int
partial_show(const struct partial *p, struct str entry, struct buf *out, size_t *ends)
{
	struct scan in = SCAN_OF(entry);
	size_t i, from = out->n;
	int r = 0;

	if (!p->counts && entry.n != 0)
		(void)scan_varint(&in);
	for (i = 0; r == 0 && i < p->n; i++) {
		r = show_one(&p->funcs[i], &in, entry.n == 0, out);
		ends[i] = out->n - from;
	}
	if (r == 0 && in.bad)
		r = err_origin(-EPROTO);
	return r != 0 ? r : buf_err(out);
}
