/*
 * query/stats_set.c - stats functions that gather values.
 * One job: count_uniq, count_uniq_hash, uniq_values, values, json_values.
 * Floor: 3 (uses logsql, record, base).
 */
#include "base/hash.h"
#include "base/map.h"
#include "logsql/value.h"
#include "query/pipe_rows_kept.h"
#include "query/stats_state.h"

/*
 * Hashes of 64 bits in open addressing: 8 bytes a value; of 10^7 values two are one with a chance
 * of 3 * 10^-6.
 */
struct hashes {
	uint64_t *slots; /* 0: empty */
	size_t n_slots;  /* a power of two above n * 3 / 2 */
	size_t n;
};

static void
hashes_place(struct hashes *h, uint64_t v)
{
	size_t i = (size_t)v & (h->n_slots - 1);

	while (h->slots[i] != 0 && h->slots[i] != v)
		i = (i + 1) & (h->n_slots - 1);
	h->n += h->slots[i] == 0 ? 1 : 0;
	h->slots[i] = v;
}

static int
hashes_add(struct hashes *h, uint64_t v, int64_t *grown)
{
	struct hashes wider = { NULL, h->n_slots == 0 ? 16 : h->n_slots * 2, 0 };
	size_t i;

	if ((h->n + 1) * 3 / 2 >= h->n_slots) {
		wider.slots = calloc(wider.n_slots, sizeof(*wider.slots));
		if (wider.slots == NULL)
			return err_origin(-ENOMEM);
		for (i = 0; i < h->n_slots; i++)
			if (h->slots[i] != 0)
				hashes_place(&wider, h->slots[i]);
		*grown += (int64_t)((wider.n_slots - h->n_slots) * sizeof(*h->slots));
		free(h->slots);
		*h = wider;
	}
	hashes_place(h, v == 0 ? 1 : v);
	return 0;
}

static int
hashes_of(struct stats_state *s, struct hashes **ret)
{
	if (s->more == NULL)
		s->more = calloc(1, sizeof(struct hashes));
	*ret = s->more;
	return s->more == NULL ? err_origin(-ENOMEM) : 0;
}

/* The hash of a row's values; false when all of them are empty, which is no value. */
static bool
row_hash(const struct stats_columns *c, size_t row, struct buf *key, uint64_t *ret)
{
	char scratch[COLUMN_SCRATCH];
	bool any = false;
	struct str v;
	size_t k;

	if (c->n == 1) {
		v = column_value(c->cols[0], row, scratch);
		*ret = hash64(v);
		return v.n != 0;
	}
	buf_clear(key);
	for (k = 0; k < c->n; k++) {
		v = column_value(c->cols[k], row, scratch);
		any = any || v.n != 0;
		key_put(key, v);
	}
	*ret = hash64(buf_view(key));
	return any;
}

static int
uniq_add(const struct stats_func *f, struct stats_batch *sb)
{
	AUTO_FINI(buf_fini) struct buf key = BUF_INIT;
	struct stats_columns c;
	struct hashes *h;
	uint64_t hash;
	size_t i;
	int r;

	r = stats_columns(&f->names, sb->b, &c);
	for (i = 0; r == 0 && i < sb->b->n_rows; i++) {
		if (!stats_takes(sb, i) || !row_hash(&c, i, &key, &hash))
			continue;
		r = hashes_of(stats_state_of(sb, i), &h);
		if (r == 0 && (f->limit == 0 || h->n <= f->limit))
			r = hashes_add(h, hash, &sb->grown);
	}
	return r != 0 ? r : buf_err(&key);
}

static void
uniq_fini(struct stats_state *s)
{
	struct hashes *h = s->more;

	if (h != NULL)
		free(h->slots);
	free(h);
	s->more = NULL;
}

static int
uniq_merge(const struct stats_func *f, struct stats_state *to, struct stats_state *from)
{
	struct hashes *a, *b = from->more;
	int64_t grown = 0;
	size_t i;
	int r;

	if (b == NULL)
		return 0;
	r = hashes_of(to, &a);
	for (i = 0; r == 0 && i < b->n_slots; i++)
		if (b->slots[i] != 0)
			r = hashes_add(a, b->slots[i], &grown);
	uniq_fini(from);
	return r;
}

static int
uniq_save(const struct stats_func *f, struct stats_state *s, struct buf *out)
{
	const struct hashes *h = s->more;
	size_t i;

	buf_varint(out, h == NULL ? 0 : h->n);
	for (i = 0; h != NULL && i < h->n_slots; i++)
		if (h->slots[i] != 0)
			buf_u64(out, h->slots[i]);
	return 0;
}

static int
uniq_load(const struct stats_func *f, struct scan *in, struct stats_state *s)
{
	uint64_t n = scan_varint(in);
	struct hashes *h;
	int64_t grown = 0;
	int r = 0;

	if (n > 0)
		r = hashes_of(s, &h);
	for (; r == 0 && !in->bad && n > 0; n--)
		r = hashes_add(h, scan_u64(in), &grown);
	return r;
}

static int
uniq_put(const struct stats_func *f, struct stats_state *s, struct buf *out)
{
	const struct hashes *h = s->more;
	uint64_t n = h == NULL ? 0 : h->n;

	buf_uint(out, f->limit != 0 && n > f->limit ? f->limit : n);
	return 0;
}

static int
map_of(struct stats_state *s, struct map **ret)
{
	if (s->more == NULL)
		s->more = calloc(1, sizeof(struct map));
	*ret = s->more;
	return s->more == NULL ? err_origin(-ENOMEM) : 0;
}

static void
map_state_fini(struct stats_state *s)
{
	if (s->more != NULL)
		map_fini(s->more);
	free(s->more);
	s->more = NULL;
}

static int
value_order(const void *a, const void *b)
{
	const struct map_entry *const *x = a, *const *y = b;

	return value_cmp((*x)->key, (*y)->key);
}

/* The values of a map in their order. */
static int
list_values(const struct map *m, const struct map_entry ***ret)
{
	size_t n = m == NULL ? 0 : m->n, i;
	const struct map_entry **order = calloc(n + 1, sizeof(*order));

	if (order == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < n; i++)
		order[i] = &m->entries[i];
	qsort(order, n, sizeof(*order), value_order);
	*ret = order;
	return 0;
}

enum { UNIQ_SLACK = 64 };

/* With a limit the first values in their order are kept, whoever came first; from time to time the others leave. */
static int
uniq_values_trim(const struct stats_func *f, struct map *m, int64_t *grown)
{
	AUTO_FREE const struct map_entry **order = NULL;
	struct map first = MAP_INIT;
	size_t i;
	int r = 0;

	if (f->limit == 0 || m->n < UNIQ_SLACK || m->n / 2 < f->limit)
		return 0;
	r = list_values(m, &order);
	for (i = 0; r == 0 && i < m->n; i++) {
		if (i >= f->limit)
			*grown -= (int64_t)order[i]->key.n + 48;
		else if (map_put(&first, order[i]->key, NULL) == NULL)
			r = err_origin(-ENOMEM);
	}
	if (r != 0) {
		map_fini(&first);
		return err_trace(r);
	}
	map_fini(m);
	*m = first;
	return 0;
}

static int
uniq_value_add(const struct stats_func *f, struct stats_batch *sb, size_t row, struct str v)
{
	struct map *m;
	bool fresh;
	int r;

	r = map_of(stats_state_of(sb, row), &m);
	if (r != 0 || v.n == 0)
		return r;
	if (map_put(m, v, &fresh) == NULL)
		return err_origin(-ENOMEM);
	if (!fresh)
		return 0;
	sb->grown += (int64_t)v.n + 48;
	return err_trace(uniq_values_trim(f, m, &sb->grown));
}

static int
uniq_values_add(const struct stats_func *f, struct stats_batch *sb)
{
	char scratch[COLUMN_SCRATCH];
	struct stats_columns c;
	size_t i, k;
	int r;

	r = stats_columns(&f->names, sb->b, &c);
	for (k = 0; r == 0 && k < c.n; k++)
		for (i = 0; r == 0 && i < sb->b->n_rows; i++)
			if (stats_takes(sb, i))
				r = uniq_value_add(f, sb, i, column_value(c.cols[k], i, scratch));
	return r;
}

static int
uniq_values_merge(const struct stats_func *f, struct stats_state *to, struct stats_state *from)
{
	struct map *a, *b = from->more;
	int64_t grown = 0;
	size_t i;
	int r;

	if (b == NULL)
		return 0;
	r = map_of(to, &a);
	for (i = 0; r == 0 && i < b->n; i++)
		if (map_put(a, b->entries[i].key, NULL) == NULL)
			r = err_origin(-ENOMEM);
	if (r == 0)
		r = uniq_values_trim(f, a, &grown);
	map_state_fini(from);
	return r;
}

static int
uniq_values_save(const struct stats_func *f, struct stats_state *s, struct buf *out)
{
	const struct map *m = s->more;
	size_t i;

	buf_varint(out, m == NULL ? 0 : m->n);
	for (i = 0; m != NULL && i < m->n; i++)
		stats_save_str(out, m->entries[i].key);
	return 0;
}

static int
uniq_values_load(const struct stats_func *f, struct scan *in, struct stats_state *s)
{
	uint64_t n = scan_varint(in);
	struct map *m;
	int r = 0;

	if (n > 0)
		r = map_of(s, &m);
	for (; r == 0 && !in->bad && n > 0; n--)
		if (map_put(m, stats_load_str(in), NULL) == NULL)
			r = err_origin(-ENOMEM);
	return r;
}

static int
uniq_values_put(const struct stats_func *f, struct stats_state *s, struct buf *out)
{
	const struct map *m = s->more;
	size_t n = m == NULL ? 0 : m->n, i;
	AUTO_FREE const struct map_entry **order = NULL;
	int r = list_values(m, &order);

	if (r != 0)
		return err_trace(r);
	if (f->limit != 0 && n > f->limit)
		n = (size_t)f->limit;
	buf_byte(out, '[');
	for (i = 0; i < n; i++) {
		if (i > 0)
			buf_byte(out, ',');
		buf_json(out, order[i]->key);
	}
	buf_byte(out, ']');
	return buf_err(out);
}

/* Texts in the order of their keys (json_values … sort by), then of the function's fields, then of arrival. */
struct list_item {
	struct str text;
	struct kept_key *keys;
	uint64_t order;
	uint32_t field;
};

/* Invariants: with a limit, n is below LIST_SLACK times of it; once trimmed, the first limit items are in order. */
struct list {
	struct list_item *items;
	size_t n, cap;
	bool trimmed;
	size_t charged;
	struct arena arena;
};
enum { LIST_SLACK = 2, LIST_LEAST = 16 };

static int
list_of(struct stats_state *s, struct list **ret)
{
	if (s->more == NULL)
		s->more = calloc(1, sizeof(struct list));
	*ret = s->more;
	return s->more == NULL ? err_origin(-ENOMEM) : 0;
}

static void
list_fini(struct stats_state *s)
{
	struct list *l = s->more;

	if (l != NULL) {
		free(l->items);
		arena_fini(&l->arena);
	}
	free(l);
	s->more = NULL;
}

static int
list_push(struct list *l, const struct list_item *item, size_t n_keys, int64_t *grown)
{
	struct list_item *items, copy = *item;
	size_t cap, i;

	if (l->n == l->cap) {
		cap = l->cap == 0 ? 4 : l->cap * 2;
		items = reallocarray(l->items, cap, sizeof(*items));
		if (items == NULL)
			return err_origin(-ENOMEM);
		l->items = items;
		l->cap = cap;
	}
	copy.text = arena_dup(&l->arena, item->text);
	copy.keys = arena_alloc(&l->arena, (n_keys + 1) * sizeof(*copy.keys));
	if (copy.text.p == NULL || copy.keys == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < n_keys; i++) {
		copy.keys[i] = item->keys[i];
		copy.keys[i].text = arena_dup(&l->arena, item->keys[i].text);
		if (copy.keys[i].text.p == NULL)
			return err_origin(-ENOMEM);
	}
	l->items[l->n++] = copy;
	*grown += (int64_t)(item->text.n + sizeof(copy) + n_keys * sizeof(*copy.keys) + 32);
	return 0;
}

static int
compare_items(const struct stats_func *f, const struct list_item *x, const struct list_item *y)
{
	int c = f->n_sort == 0 ? 0 : kept_compare(f->sort, f->n_sort, false, x->keys, y->keys);

	if (c == 0)
		c = (x->field > y->field) - (x->field < y->field);
	return c != 0 ? c : (x->order > y->order) - (x->order < y->order);
}

static int
item_order(const void *a, const void *b, void *ctx)
{
	return compare_items(ctx, a, b);
}

static void
list_sort(const struct stats_func *f, struct list *l)
{
	struct stats_func copy = *f;

	if (l->n > 1)
		qsort_r(l->items, l->n, sizeof(*l->items), item_order, &copy);
}

/* Only the first that the limit lets in stay, and their texts. */
static int
list_trim(const struct stats_func *f, struct list *l, int64_t *grown)
{
	struct list kept = { .trimmed = true };
	int64_t size = 0;
	size_t i;
	int r = 0;

	list_sort(f, l);
	for (i = 0; r == 0 && i < l->n && i < f->limit; i++)
		r = list_push(&kept, &l->items[i], f->n_sort, &size);
	*grown += size - (int64_t)l->charged;
	kept.charged = (size_t)size;
	free(l->items);
	arena_fini(&l->arena);
	*l = kept;
	return r;
}

/* Whether it comes behind as many as the limit lets in. */
static bool
list_is_late(const struct stats_func *f, const struct list *l, const struct list_item *item)
{
	return f->limit != 0 && l->trimmed && l->n >= f->limit &&
	    compare_items(f, item, &l->items[f->limit - 1]) > 0;
}

static int
list_add(const struct stats_func *f, struct list *l, const struct list_item *item, int64_t *grown)
{
	int64_t size = 0;
	int r;

	if (list_is_late(f, l, item))
		return 0;
	r = list_push(l, item, f->n_sort, &size);
	l->charged += (size_t)size;
	*grown += size;
	if (r == 0 && f->limit != 0 && l->n >= LIST_LEAST && l->n / LIST_SLACK >= f->limit)
		r = list_trim(f, l, grown);
	return r;
}

static int
values_add(const struct stats_func *f, struct stats_batch *sb)
{
	char scratch[COLUMN_SCRATCH];
	struct list_item item = { STR_NONE, NULL, 0, 0 };
	struct stats_columns c;
	struct list *l;
	size_t i, k;
	int r;

	r = stats_columns(&f->names, sb->b, &c);
	for (k = 0; r == 0 && k < c.n; k++) {
		for (i = 0; r == 0 && i < sb->b->n_rows; i++) {
			if (!stats_takes(sb, i))
				continue;
			item.text = column_value(c.cols[k], i, scratch);
			if (item.text.n == 0 && !c.named)
				continue;
			item.order = stats_order(sb, i);
			item.field = (uint32_t)k;
			r = list_of(stats_state_of(sb, i), &l);
			if (r == 0)
				r = list_add(f, l, &item, &sb->grown);
		}
	}
	return r;
}

static int
list_merge(const struct stats_func *f, struct stats_state *to, struct stats_state *from)
{
	struct list *a, *b = from->more;
	int64_t grown = 0;
	size_t i;
	int r;

	if (b == NULL)
		return 0;
	r = list_of(to, &a);
	for (i = 0; r == 0 && i < b->n; i++)
		r = list_add(f, a, &b->items[i], &grown);
	list_fini(from);
	return r;
}

static int
list_save(const struct stats_func *f, struct stats_state *s, struct buf *out)
{
	const struct list *l = s->more;
	const struct kept_key *key;
	size_t i, k;

	buf_varint(out, l == NULL ? 0 : l->n);
	for (i = 0; l != NULL && i < l->n; i++) {
		stats_save_str(out, l->items[i].text);
		buf_varint(out, l->items[i].order);
		buf_varint(out, l->items[i].field);
		for (k = 0; k < f->n_sort; k++) {
			key = &l->items[i].keys[k];
			buf_byte(out, (uint8_t)key->kind);
			stats_save_int(out, key->v);
			stats_save_str(out, key->text);
		}
	}
	return 0;
}

static int
list_load(const struct stats_func *f, struct scan *in, struct stats_state *s)
{
	AUTO_FREE struct kept_key *keys = calloc(f->n_sort + 1, sizeof(*keys));
	struct list_item item = { .keys = keys };
	uint64_t n = scan_varint(in);
	int64_t grown = 0;
	struct list *l;
	size_t k;
	int r = keys == NULL ? err_origin(-ENOMEM) : 0;

	if (r == 0 && n > 0)
		r = list_of(s, &l);
	for (; r == 0 && !in->bad && n > 0; n--) {
		item.text = stats_load_str(in);
		item.order = scan_varint(in);
		item.field = (uint32_t)scan_varint(in);
		for (k = 0; k < f->n_sort; k++) {
			keys[k].kind = (enum kept_kind)scan_u8(in);
			keys[k].v = stats_load_int(in);
			keys[k].text = stats_load_str(in);
		}
		if (!in->bad)
			r = list_add(f, l, &item, &grown);
	}
	return r;
}

static int
list_put(const struct stats_func *f, struct list *l, bool quote, struct buf *out)
{
	size_t n = l == NULL ? 0 : l->n, i;

	if (l != NULL)
		list_sort(f, l);
	if (f->limit != 0 && n > f->limit)
		n = (size_t)f->limit;
	buf_byte(out, '[');
	for (i = 0; i < n; i++) {
		if (i > 0)
			buf_byte(out, ',');
		if (quote)
			buf_json(out, l->items[i].text);
		else
			buf_str(out, l->items[i].text);
	}
	buf_byte(out, ']');
	return buf_err(out);
}

static int
values_put(const struct stats_func *f, struct stats_state *s, struct buf *out)
{
	return list_put(f, s->more, true, out);
}

enum { JSON_SORT_MAX = 64 };

static int
json_values_add(const struct stats_func *f, struct stats_batch *sb)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	char scratch[JSON_SORT_MAX][COLUMN_SCRATCH];
	struct kept_key keys[JSON_SORT_MAX];
	struct kept_source src = { .n_keys = f->n_sort };
	struct list_item item = { STR_NONE, keys, 0, 0 };
	struct stats_columns c;
	struct list *l;
	size_t i;
	int r;

	r = stats_columns(&f->names, sb->b, &c);
	src.keys = arena_alloc(&sb->b->arena, (f->n_sort + 1) * sizeof(*src.keys));
	if (r == 0 && src.keys == NULL)
		r = err_origin(-ENOMEM);
	for (i = 0; r == 0 && i < f->n_sort; i++) {
		src.keys[i] = batch_column(sb->b, f->sort[i].name);
		if (src.keys[i] == NULL)
			return sb->b->err;
	}
	for (i = 0; r == 0 && i < sb->b->n_rows; i++) {
		if (!stats_takes(sb, i))
			continue;
		r = list_of(stats_state_of(sb, i), &l);
		kept_keys(&src, i, keys, scratch);
		item.order = stats_order(sb, i);
		if (r != 0 || list_is_late(f, l, &item))
			continue;
		buf_clear(&text);
		r = stats_row_json(&c, i, &text);
		item.text = buf_view(&text);
		if (r == 0)
			r = list_add(f, l, &item, &sb->grown);
	}
	return r;
}

static int
json_values_put(const struct stats_func *f, struct stats_state *s, struct buf *out)
{
	return list_put(f, s->more, false, out);
}

const struct stats_ops stats_uniq_ops = { uniq_add, uniq_merge, uniq_put, uniq_fini, uniq_save,
	uniq_load, NULL, NULL };
const struct stats_ops stats_uniq_values_ops = { uniq_values_add, uniq_values_merge,
	uniq_values_put, map_state_fini, uniq_values_save, uniq_values_load, NULL, NULL };
const struct stats_ops stats_values_ops = { values_add, list_merge, values_put, list_fini,
	list_save, list_load, NULL, NULL };
const struct stats_ops stats_json_values_ops = { json_values_add, list_merge, json_values_put,
	list_fini, list_save, list_load, NULL, NULL };
