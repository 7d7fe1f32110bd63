/*
 * query/pipe_sort.c - rows in order.
 * One job: sort, first and last: all rows, or with a limit a heap of no more than are wanted for
 * each partition.
 * Floor: 3 (uses logsql, record, base).
 */
#include "query/pipe_rows_kept.h"

enum { SORT_KEYS_MAX = 64 };

/*
 * The rows of one partition: a heap with the last of them on top while rows are limited, else a
 * list.
 */
struct heap {
	struct kept_row **rows;
	size_t n, cap;
};

/* What one worker has gathered. */
struct sort_part {
	struct map names;      /* of fields */
	struct map partitions; /* to the number of their heap; in order of coming */
	struct heap *heaps;
	size_t n_heaps, cap_heaps;
	uint64_t seq;
};

struct sort_stage {
	struct stage stage;
	const struct pipe *pipe;
	struct arena arena;
	struct needs needs;
	const char *name;
	uint64_t keep; /* rows of each partition; 0: all */
	struct sort_part parts[QUERY_WORKERS_MAX];
};

static int
compare(const struct sort_stage *s, const struct kept_row *a, const struct kept_row *b)
{
	int c = kept_compare(s->pipe->n_keys != 0 ? s->pipe->keys : NULL, a->n_keys, s->pipe->desc,
	    a->keys, b->keys);

	if (c == 0)
		c = (a->order > b->order) - (a->order < b->order);
	return c != 0 ? c : (a->seq > b->seq) - (a->seq < b->seq);
}

static int
heap_room(struct heap *h)
{
	struct kept_row **rows;
	size_t cap;

	if (h->n < h->cap)
		return 0;
	cap = h->cap == 0 ? 8 : h->cap * 2;
	rows = reallocarray(h->rows, cap, sizeof(struct kept_row *));
	if (rows == NULL)
		return err_origin(-ENOMEM);
	h->rows = rows;
	h->cap = cap;
	return 0;
}

static void
sift_up(const struct sort_stage *s, struct heap *h, size_t i)
{
	struct kept_row *row = h->rows[i];

	while (i > 0 && compare(s, h->rows[(i - 1) / 2], row) < 0) {
		h->rows[i] = h->rows[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	h->rows[i] = row;
}

static void
sift_down(const struct sort_stage *s, struct heap *h)
{
	struct kept_row *row = h->rows[0];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < h->n) {
		if (child + 1 < h->n && compare(s, h->rows[child], h->rows[child + 1]) < 0)
			child++;
		if (compare(s, row, h->rows[child]) >= 0)
			break;
		h->rows[i] = h->rows[child];
		i = child;
	}
	h->rows[i] = row;
}

/* The heap that the row's partition has. */
static int
heap_of(struct sort_stage *s, struct sort_part *part, struct str key, struct heap **ret)
{
	struct map_entry *e;
	struct heap *heaps;
	bool fresh;
	size_t cap;

	e = map_put(&part->partitions, key, &fresh);
	if (e == NULL)
		return err_origin(-ENOMEM);
	if (fresh) {
		if (part->n_heaps == part->cap_heaps) {
			cap = part->cap_heaps == 0 ? 8 : part->cap_heaps * 2;
			heaps = reallocarray(part->heaps, cap, sizeof(*heaps));
			if (heaps == NULL)
				return err_origin(-ENOMEM);
			part->heaps = heaps;
			part->cap_heaps = cap;
		}
		e->value = part->n_heaps;
		part->heaps[part->n_heaps++] = (struct heap){ NULL, 0, 0 };
	}
	*ret = &part->heaps[e->value];
	return fresh ? env_charge(s->stage.env, s->name, (int64_t)key.n + 128) : 0;
}

static int
add_row(struct sort_stage *s, uint64_t order, uint64_t seq, const struct kept_source *src,
    size_t row, struct heap *h, struct kept_key *keys)
{
	struct kept_row *fresh = NULL, *old = NULL;
	struct kept_row like = { .order = order, .seq = seq, .n_keys = src->n_keys, .keys = keys };
	int r;

	if (s->keep != 0 && h->n >= s->keep && compare(s, &like, h->rows[0]) >= 0)
		return 0;
	r = kept_row_new(src, row, keys, &fresh);
	if (r == 0)
		r = heap_room(h);
	if (r != 0) {
		free(fresh);
		return r;
	}
	fresh->order = order;
	fresh->seq = seq;
	r = env_charge(s->stage.env, s->name, (int64_t)(fresh->n_bytes + sizeof(fresh)));
	if (s->keep == 0 || h->n < s->keep) {
		h->rows[h->n++] = fresh;
		if (s->keep != 0)
			sift_up(s, h, h->n - 1);
		return r;
	}
	old = h->rows[0];
	h->rows[0] = fresh;
	sift_down(s, h);
	(void)env_charge(s->stage.env, s->name, -(int64_t)(old->n_bytes + sizeof(old)));
	free(old);
	return r;
}

/* All fields as one text, for a sort without keys. */
static int
whole_row_key(const struct kept_source *src, const struct map *names, size_t row, struct buf *text)
{
	char scratch[COLUMN_SCRATCH];
	struct str v;
	size_t i;

	buf_clear(text);
	for (i = 0; i < src->n; i++) {
		v = column_value(src->cols[i], row, scratch);
		if (v.n == 0)
			continue;
		buf_json(text, names->entries[src->names[i]].key);
		buf_byte(text, ':');
		buf_json(text, v);
		buf_byte(text, ',');
	}
	return buf_err(text);
}

static int
partition_key(struct batch *b, const struct names *by, size_t row, struct buf *key)
{
	char scratch[COLUMN_SCRATCH];
	const struct column *c;
	size_t i;

	buf_clear(key);
	for (i = 0; i < by->n; i++) {
		c = batch_column(b, by->p[i]);
		if (c == NULL)
			return b->err;
		key_put(key, column_value(c, row, scratch));
	}
	return buf_err(key);
}

/*
 * Ties stay in the order of arrival, where the source numbers its rows; else in that of coming in.
 */
static uint64_t
order_of(struct sort_part *part, unsigned worker, const struct batch *b, size_t row)
{
	return batch_order(b, row, ((uint64_t)worker << 48) + part->seq);
}

/* The only heap when it has all rows that are wanted, else NULL. */
static struct heap *
full_heap(const struct sort_stage *s, const struct sort_part *part)
{
	bool one =
	    s->keep != 0 && s->pipe->n_keys != 0 && s->pipe->targets.n == 0 && part->n_heaps == 1;

	return one && part->heaps[0].n >= s->keep ? &part->heaps[0] : NULL;
}

/* By their keys alone: leave out the rows that come behind all of a full heap's. */
static int
drop_late(struct sort_stage *s, unsigned worker, struct batch *b)
{
	static const struct needs none = { 0 };
	struct sort_part *part = &s->parts[worker];
	struct heap *h = full_heap(s, part);
	char scratch[SORT_KEYS_MAX][COLUMN_SCRATCH];
	struct kept_key keys[SORT_KEYS_MAX];
	struct kept_row like = { .keys = keys, .seq = UINT64_MAX };
	struct kept_source src;
	uint64_t *sel;
	size_t i;
	int r;

	if (h == NULL)
		return 0;
	r = kept_source_init(&src, b, &none, &part->names, s->pipe->keys, s->pipe->n_keys);
	sel = arena_zalloc(&b->arena, BITS_WORDS(b->n_rows) + 1, sizeof(*sel));
	if (r != 0 || sel == NULL)
		return r != 0 ? r : err_origin(-ENOMEM);
	like.n_keys = src.n_keys;
	for (i = 0; i < b->n_rows; i++) {
		kept_keys(&src, i, keys, scratch);
		like.order = order_of(part, worker, b, i);
		if (compare(s, &like, h->rows[0]) < 0)
			bits_set(sel, i);
	}
	return batch_select(b, sel);
}

/* The newest rows: once there are enough, what is older than the last of them need not be read. */
static void
tell_floor(struct sort_stage *s, const struct sort_part *part)
{
	struct heap *h = full_heap(s, part);
	int64_t now;

	if (h == NULL || !str_eq_c(s->pipe->keys[0].name, "_time") ||
	    s->pipe->keys[0].desc == s->pipe->desc || h->rows[0]->keys[0].kind != KEPT_TIME)
		return;
	now = atomic_load(&s->stage.env->newest_floor);
	while (h->rows[0]->keys[0].v > now &&
	    !atomic_compare_exchange_weak(&s->stage.env->newest_floor, &now, h->rows[0]->keys[0].v))
		continue;
}

static int
sort_push(struct stage *st, unsigned worker, struct batch *b)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	struct sort_stage *s = (struct sort_stage *)st;
	struct sort_part *part = &s->parts[worker];
	char scratch[SORT_KEYS_MAX][COLUMN_SCRATCH];
	struct kept_key keys[SORT_KEYS_MAX];
	struct kept_source src;
	struct heap *h = NULL;
	size_t i, n_all = b->n_rows;
	int r;

	r = drop_late(s, worker, b);
	if (r != 0 || b->n_rows == 0) {
		part->seq += n_all;
		return r;
	}
	r = kept_source_init(&src, b, &s->needs, &part->names, s->pipe->keys, s->pipe->n_keys);
	for (i = 0; r == 0 && i < b->n_rows; i++) {
		if (h == NULL || s->pipe->targets.n != 0) {
			r = partition_key(b, &s->pipe->targets, i, &text);
			if (r == 0)
				r = heap_of(s, part, buf_view(&text), &h);
		}
		if (r != 0)
			break;
		if (s->pipe->n_keys != 0) {
			kept_keys(&src, i, keys, scratch);
		} else {
			r = whole_row_key(&src, &part->names, i, &text);
			keys[0] = (struct kept_key){ .kind = KEPT_TEXT, .text = buf_view(&text) };
			src.n_keys = 1;
		}
		if (r == 0)
			r = add_row(s, order_of(part, worker, b, i),
			    ((uint64_t)worker << 48) + part->seq + i, &src, i, h, keys);
	}
	part->seq += n_all;
	tell_floor(s, part);
	return r;
}

static int
compare_rows(const void *a, const void *b, void *ctx)
{
	const struct kept_row *const *x = a, *const *y = b;

	return compare(ctx, *x, *y);
}

/*
 * Rows of all workers: field names get the numbers of the first part, and order stays that of
 * worker and arrival.
 */
static int
merge_part(struct sort_stage *s, struct sort_part *from)
{
	struct sort_part *to = &s->parts[0];
	AUTO_FREE uint32_t *numbers = calloc(from->names.n + 1, sizeof(*numbers));
	struct heap *h = NULL;
	size_t i, k, f;
	int r = 0;

	if (numbers == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < from->names.n; i++) {
		struct map_entry *e = map_put(&to->names, from->names.entries[i].key, NULL);

		if (e == NULL)
			return err_origin(-ENOMEM);
		numbers[i] = (uint32_t)(e - to->names.entries);
	}
	for (i = 0; r == 0 && i < from->partitions.n; i++) {
		struct heap *in = &from->heaps[from->partitions.entries[i].value];

		r = heap_of(s, to, from->partitions.entries[i].key, &h);
		for (k = 0; r == 0 && k < in->n; k++) {
			r = heap_room(h);
			if (r != 0)
				break;
			for (f = 0; f < in->rows[k]->n_fields; f++)
				in->rows[k]->fields[f].name = numbers[in->rows[k]->fields[f].name];
			h->rows[h->n++] = in->rows[k];
			in->rows[k] = NULL;
		}
	}
	return r;
}

/* The rows of a sorted heap that come out: [offset, to). */
static size_t
wanted_to(const struct sort_stage *s, const struct heap *h)
{
	return s->keep != 0 && h->n > s->keep ? (size_t)s->keep : h->n;
}

static int
put_partition(struct sort_stage *s, struct heap *h, struct rows_out *out, const uint32_t *columns)
{
	size_t last = wanted_to(s, h);
	uint64_t i;
	int r = 0;

	for (i = s->pipe->offset; r == 0 && i < last && !atomic_load(&s->stage.env->cancelled);
	     i++) {
		kept_put(out, columns, h->rows[i]);
		if (s->pipe->rank.n != 0)
			r = rows_out_uint(out, 0, i + 1);
		if (r == 0)
			r = rows_out_next(out);
	}
	return r;
}

static int
entry_order(const void *a, const void *b)
{
	const struct map_entry *const *x = a, *const *y = b;

	return str_cmp((*x)->key, (*y)->key);
}

/* All heaps, in the order of their partitions. */
static int
order_heaps(struct sort_stage *s, struct heap ***ret)
{
	const struct map *partitions = &s->parts[0].partitions;
	AUTO_FREE const struct map_entry **order = calloc(partitions->n + 1, sizeof(*order));
	struct heap **heaps = arena_alloc(&s->arena, (partitions->n + 1) * sizeof(struct heap *));
	struct heap *h;
	size_t i;

	if (order == NULL || heaps == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < partitions->n; i++)
		order[i] = &partitions->entries[i];
	qsort(order, partitions->n, sizeof(*order), entry_order);
	for (i = 0; i < partitions->n; i++) {
		h = heaps[i] = &s->parts[0].heaps[order[i]->value];
		qsort_r(h->rows, h->n, sizeof(struct kept_row *), compare_rows, s);
	}
	*ret = heaps;
	return 0;
}

/* The columns that come out: rank, then those of the rows. */
static int
find_columns(struct sort_stage *s, struct heap *const *heaps, struct kept_columns *ret)
{
	const struct sort_part *all = &s->parts[0];
	size_t i, k;
	int r = kept_columns_init(ret, &all->names, 1, &s->arena);

	if (r == 0 && s->pipe->rank.n != 0)
		(void)kept_columns_name(ret, &all->names, s->pipe->rank);
	for (i = 0; r == 0 && i < all->partitions.n; i++)
		for (k = s->pipe->offset; k < wanted_to(s, heaps[i]); k++)
			kept_columns_see(ret, &all->names, heaps[i]->rows[k]);
	return err_trace(r);
}

static int
put_all(struct sort_stage *s)
{
	struct kept_columns columns = { 0 };
	struct heap **heaps = NULL;
	struct rows_out out;
	size_t i;
	int r = order_heaps(s, &heaps);

	if (r == 0)
		r = find_columns(s, heaps, &columns);
	if (r != 0)
		return err_trace(r);
	r = rows_out_init(&out, s->stage.next, 0, columns.names, columns.n);
	for (i = 0; r == 0 && i < s->parts[0].partitions.n; i++)
		r = put_partition(s, heaps[i], &out, columns.columns);
	if (r == 0)
		r = rows_out_flush(&out);
	rows_out_fini(&out);
	return err_trace(r);
}

static int
sort_flush(struct stage *st)
{
	struct sort_stage *s = (struct sort_stage *)st;
	size_t i;
	int r = 0;

	for (i = 1; r == 0 && i < QUERY_WORKERS_MAX; i++)
		r = merge_part(s, &s->parts[i]);
	if (r == 0)
		r = put_all(s);
	return r != 0 ? r : stage_flush(st->next);
}

static void
sort_free(struct stage *st)
{
	struct sort_stage *s = (struct sort_stage *)st;
	size_t i, k, j;

	for (i = 0; i < QUERY_WORKERS_MAX; i++) {
		struct sort_part *part = &s->parts[i];

		for (k = 0; k < part->n_heaps; k++) {
			for (j = 0; j < part->heaps[k].n; j++)
				free(part->heaps[k].rows[j]);
			free(part->heaps[k].rows);
		}
		free(part->heaps);
		map_fini(&part->names);
		map_fini(&part->partitions);
	}
	arena_fini(&s->arena);
	free(s);
}

static const struct stage_ops sort_ops = { "sort", sort_push, sort_flush, sort_free };

int
pipe_sort_make(const struct stage_args *a, struct stage **ret)
{
	struct sort_stage *s;
	struct stage *st;
	int r;

	if (a->pipe->n_keys > SORT_KEYS_MAX)
		return env_fail(a->env, err_origin(-E2BIG), "sort: more than %d keys",
		    SORT_KEYS_MAX);
	r = stage_alloc(sizeof(struct sort_stage), &sort_ops, a->env, &st);
	if (r != 0)
		return r;
	s = (struct sort_stage *)st;
	s->pipe = a->pipe;
	s->name = pipe_kind_name(a->pipe->kind);
	if (a->pipe->limit != 0 &&
	    __builtin_add_overflow(a->pipe->limit, a->pipe->offset, &s->keep))
		s->keep = UINT64_MAX;
	r = needs_copy(a->after, &s->arena, &s->needs);
	if (a->pipe->n_keys == 0)
		s->needs.all = true;
	if (r != 0) {
		sort_free(st);
		return r;
	}
	*ret = st;
	return 0;
}
