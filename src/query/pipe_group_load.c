/*
 * query/pipe_group_load.c - the fields that rows are grouped by.
 * One job: a field of a batch as numbers of its different values, buckets of time without a division a row.
 * Floor: 3 (uses store, logsql, record, base).
 */
#include "query/pipe_group_internal.h"
#include "query/scan.h"

enum { LOOK_BACK = 8 };

static int
bucketed(struct batch *b, const struct stats_by *by, struct str s, struct buf *tmp, struct str *ret)
{
	buf_clear(tmp);
	bucket_put(tmp, by, s);
	if (tmp->failed)
		return buf_err(tmp);
	*ret = arena_dup(&b->arena, buf_view(tmp));
	return ret->p == NULL ? err_origin(-ENOMEM) : 0;
}

/* The buckets of a batch's times, in the order in which they were met. */
struct time_buckets {
	const struct stats_by *by;
	struct str *dict;
	struct time_bucket {
		uint64_t first, span; /* of its times; modulo 2^64 */
	} * buckets;
	uint32_t *counts;
	size_t n;
};

static int
time_buckets_init(struct time_buckets *t, const struct stats_by *by, struct batch *b)
{
	t->by = by;
	t->dict = arena_alloc(&b->arena, (b->n_rows + 1) * sizeof(*t->dict));
	t->buckets = arena_alloc(&b->arena, (b->n_rows + 1) * sizeof(*t->buckets));
	t->counts = arena_alloc(&b->arena, (b->n_rows + 1) * sizeof(*t->counts));
	if (t->dict == NULL || t->buckets == NULL || t->counts == NULL)
		return err_origin(-ENOMEM);
	return 0;
}

struct counting_times {
	struct batch *batch;
	struct time_buckets buckets;
};

static int
bucket_name(const struct stats_by *by, int64_t ns, struct arena *arena, struct str *ret)
{
	char text[WALL_TEXT_MAX];
	struct wall start = { bucket_time(by, ns) };

	*ret = arena_dup(arena, str_of(text, wall_format(text, start)));
	return ret->p == NULL ? err_origin(-ENOMEM) : 0;
}

/* The bucket of time ${ns}: one of the last few, or a new one.  One that comes again later has a second number and the same
 * name. */
static int
bucket_find(struct time_buckets *t, int64_t ns, struct arena *arena, uint32_t *ret)
{
	const struct time_bucket *old;
	int64_t first, last;
	size_t k;

	for (k = t->n; k > 0 && k + LOOK_BACK > t->n; k--) {
		old = &t->buckets[k - 1];
		if ((uint64_t)ns - old->first <= old->span) {
			*ret = (uint32_t)(k - 1);
			return 0;
		}
	}
	bucket_range(t->by, ns, &first, &last);
	t->buckets[t->n] =
	    (struct time_bucket){ (uint64_t)first, (uint64_t)last - (uint64_t)first };
	t->counts[t->n] = 0;
	*ret = (uint32_t)t->n++;
	return err_trace(bucket_name(t->by, ns, arena, &t->dict[*ret]));
}

/* Times are nearly in order, so that most rows are in the bucket of the row before: one comparison a row. */
static int
load_times(struct batch *b, const struct column *c, const struct stats_by *by,
    struct part_column *ret)
{
	uint32_t *codes = arena_alloc(&b->arena, (b->n_rows + 1) * sizeof(*codes)), code;
	struct time_buckets t = { 0 };
	struct time_bucket now;
	size_t i = 0, from;
	int r = time_buckets_init(&t, by, b);

	if (r == 0 && codes == NULL)
		r = err_origin(-ENOMEM);
	while (r == 0 && i < b->n_rows) {
		r = bucket_find(&t, c->ints[i], &b->arena, &code);
		if (r < 0)
			break;
		now = t.buckets[code];
		for (from = i; i < b->n_rows && (uint64_t)c->ints[i] - now.first <= now.span; i++)
			codes[i] = code;
		t.counts[code] += (uint32_t)(i - from);
	}
	*ret = (struct part_column){ .dict = t.dict,
		.n_dict = t.n,
		.codes = codes,
		.counts = t.counts };
	return err_trace(r);
}

static int
time_range(void *ctx, int64_t ns, struct block_times *ret)
{
	struct counting_times *c = ctx;
	const struct time_bucket *now;
	uint32_t code;
	int r = bucket_find(&c->buckets, ns, &c->batch->arena, &code);

	if (r < 0)
		return err_trace(r);
	now = &c->buckets.buckets[code];
	*ret = (struct block_times){ now->first, now->span, &c->buckets.counts[code] };
	return 0;
}

/* All times of the batch's block are in one bucket: none need be read. */
static bool
is_one_bucket(const struct batch *b, struct str name, const struct stats_by *by, int64_t *ret)
{
	struct block_column_info info;

	if (!scan_batch_column(b, name, &info) || info.kind != COLUMN_TIME || !info.has_range ||
	    info.min > info.max)
		return false;
	*ret = info.min;
	return bucket_time(by, info.min) == bucket_time(by, info.max);
}

static int
map_values(struct batch *b, const struct stats_by *by, const struct str *in, size_t n,
    const struct str **ret)
{
	AUTO_FINI(buf_fini) struct buf tmp = BUF_INIT;
	struct str *out;
	size_t i;
	int r = 0;

	*ret = in;
	if (by == NULL)
		return 0;
	out = arena_alloc(&b->arena, (n + 1) * sizeof(*out));
	if (out == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; r == 0 && i < n; i++)
		r = bucketed(b, by, in[i], &tmp, &out[i]);
	*ret = out;
	return r;
}

static int
load_one_bucket(struct batch *b, const struct stats_by *by, int64_t ns, struct part_column *ret)
{
	struct str *name = arena_alloc(&b->arena, sizeof(*name));

	if (name == NULL)
		return err_origin(-ENOMEM);
	*ret = (struct part_column){ .dict = name, .n_dict = 1 };
	return err_trace(bucket_name(by, ns, &b->arena, name));
}

int
group_load(const struct group_part *g, struct batch *b, size_t i, struct part_column *ret)
{
	struct str name = group_field(g, i);
	const struct stats_by *by = group_bucket(g, i);
	const struct column *c;
	const struct str *values;
	int64_t ns;

	if (by != NULL && is_one_bucket(b, name, by, &ns))
		return err_trace(load_one_bucket(b, by, ns, ret));
	c = batch_column(b, name);
	if (c == NULL)
		return b->err;
	*ret = (struct part_column){ .n_dict = 1 };
	if (c->kind == COLUMN_CONST)
		return map_values(b, by, &c->value, 1, &ret->dict);
	if (c->kind == COLUMN_DICT) {
		ret->n_dict = c->n_dict;
		ret->codes = c->codes;
		return map_values(b, by, c->dict, c->n_dict, &ret->dict);
	}
	if (c->kind == COLUMN_TIME && by != NULL)
		return load_times(b, c, by, ret);
	values = batch_strs(b, name);
	if (values == NULL)
		return b->err;
	return map_values(b, by, values, b->n_rows, &ret->values);
}

int
group_count_times(const struct group_part *g, struct batch *b, size_t i, struct part_column *ret)
{
	struct counting_times c = { .batch = b };
	const struct stats_by *by = group_bucket(g, i);
	int64_t ns;
	int r;

	if (by == NULL)
		return 1;
	if (is_one_bucket(b, group_field(g, i), by, &ns))
		return err_trace(load_one_bucket(b, by, ns, ret));
	r = time_buckets_init(&c.buckets, by, b);
	if (r == 0)
		r = scan_batch_times(b, group_field(g, i), time_range, &c);
	*ret = (struct part_column){ .dict = c.buckets.dict,
		.n_dict = c.buckets.n,
		.counts = c.buckets.counts };
	return err_trace(r);
}
