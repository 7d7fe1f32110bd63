/*
 * store/block_rest.c - rare fields out.
 * One job: decode the column of rare fields once a block, and find a name's values in it.
 * Floor: 2 (uses record, base).
 *
 * The column has a list of (number of the name, value) for each row.  They are put in order of the names, so that
 * all names together cost what the lists have in bytes, however many names there are.
 */
#include "store/block_internal.h"

/*
 * Invariants: the values of name i are those from first[i] to first[i + 1] of rows and at; rows ascend there; at is
 * where a value's length and bytes begin in a list that was checked.
 */
struct block_rest {
	struct arena arena;
	size_t n_names;
	uint32_t *first; /* n_names + 1 */
	uint32_t *rows;
	const uint8_t **at;
};

struct block_rest *
block_rest_free(struct block_rest *rest)
{
	if (rest == NULL)
		return NULL;
	arena_fini(&rest->arena);
	free(rest);
	return NULL;
}

/* One list; calls fn for each name that has a value in it.  False when it is broken. */
typedef void (*rest_fn)(struct block_rest *rest, uint32_t name, uint32_t row, const uint8_t *at);

static bool
walk_list(struct block_rest *rest, struct str list, uint32_t row, rest_fn fn)
{
	struct scan s = SCAN_OF(list);
	uint64_t name, len;
	const uint8_t *at;

	while (s.at < s.n) {
		name = scan_varint(&s);
		at = s.p + s.at;
		len = scan_varint(&s);
		(void)scan_bytes(&s, len);
		if (s.bad || name >= rest->n_names)
			return false;
		if (len > 0)
			fn(rest, (uint32_t)name, row, at);
	}
	return true;
}

static bool
walk_lists(struct block_rest *rest, const struct column *lists, rest_fn fn)
{
	size_t i;

	for (i = 0; i < lists->n_rows; i++)
		if (!walk_list(rest, column_value(lists, i, NULL), (uint32_t)i, fn))
			return false;
	return true;
}

static void
count_value(struct block_rest *rest, uint32_t name, uint32_t row, const uint8_t *at)
{
	rest->first[name + 1]++;
}

/* first[name] is where its next value goes. */
static void
put_value(struct block_rest *rest, uint32_t name, uint32_t row, const uint8_t *at)
{
	uint32_t to = rest->first[name]++;

	rest->rows[to] = row;
	rest->at[to] = at;
}

static int
sort_values(struct block_rest *rest, const struct column *lists, bool *ret_ok)
{
	size_t i, n;

	*ret_ok = false;
	rest->first = arena_zalloc(&rest->arena, rest->n_names + 2, sizeof(*rest->first));
	if (rest->first == NULL)
		return err_origin(-ENOMEM);
	if (!walk_lists(rest, lists, count_value))
		return 0;
	for (i = 0; i < rest->n_names; i++)
		rest->first[i + 1] += rest->first[i];
	n = rest->first[rest->n_names];
	rest->rows = arena_alloc(&rest->arena, (n + 1) * sizeof(*rest->rows));
	rest->at = arena_alloc(&rest->arena, (n + 1) * sizeof(*rest->at));
	if (rest->rows == NULL || rest->at == NULL)
		return err_origin(-ENOMEM);
	(void)walk_lists(rest, lists, put_value);
	memmove(rest->first + 1, rest->first, rest->n_names * sizeof(*rest->first));
	rest->first[0] = 0;
	*ret_ok = true;
	return 0;
}

static int
load(struct block *b, struct block_entry *e, struct block_rest *rest)
{
	const struct enc_rows all = { NULL, b->header.n_rows };
	struct column lists;
	bool ok;
	size_t i;
	int r;

	for (i = 0; i < b->n_listed; i++)
		rest->n_names += b->entries[i].enc == ENC_REST;
	r = block_decode(b, e, &all, &rest->arena, &lists);
	if (r != 0)
		return r;
	if (!column_is_bytes(&lists))
		return block_fault(b, e, b->data_at + e->at, "damaged");
	r = sort_values(rest, &lists, &ok);
	if (r == 0 && !ok)
		return block_fault(b, e, b->data_at + e->at, "damaged");
	return err_trace(r);
}

/* The block's, decoded now if it was not; one that is damaged is not read again. */
static int
get_rest(struct block *b, const struct block_entry *wanted, struct block_rest **ret)
{
	AUTO(block_rest_free) struct block_rest *rest = NULL;
	struct block_entry *e = NULL;
	size_t i;
	int r;

	*ret = b->rest;
	if (b->rest != NULL)
		return 0;
	for (i = b->n_listed; i < b->n_entries; i++)
		if (b->entries[i].role == ROLE_REST)
			e = &b->entries[i];
	if (e == NULL || e->enc == ENC_REST)
		return block_fault(b, wanted, b->data_at, "the column of rare fields is missing");
	if (b->rest_bad_what != NULL)
		return block_fault(b, e, b->rest_bad_at, b->rest_bad_what);
	rest = calloc(1, sizeof(*rest));
	if (rest == NULL)
		return err_origin(-ENOMEM);
	r = load(b, e, rest);
	if (r == BLOCK_E_CORRUPT) {
		b->rest_bad_at = b->bad_at;
		b->rest_bad_what = b->bad_what;
	}
	if (r != 0)
		return r;
	*ret = b->rest = TAKE(rest);
	return 0;
}

static struct str
value_at(const uint8_t *at)
{
	struct scan s = { at, 10, 0, false };
	size_t n = scan_varint(&s);

	return str_of(at + s.at, n);
}

/* The place of ${row} among those asked for, from ${from} on; n when it is not there. */
static size_t
place_of(const struct enc_rows *rows, size_t from, uint32_t row)
{
	size_t lo = from, hi = rows->n, mid;

	if (rows->rows == NULL)
		return row;
	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (rows->rows[mid] < row)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < rows->n && rows->rows[lo] == row ? lo : rows->n;
}

/* A name that none of the rows has takes no memory: in a wide block that is nearly every one. */
int
block_rest_column(struct block *b, const struct block_entry *e, const struct enc_rows *rows,
    struct arena *arena, struct column *ret)
{
	struct block_rest *rest;
	struct str *strs = NULL;
	size_t i, k = 0;
	int r;

	r = get_rest(b, e, &rest);
	if (r != 0)
		return r;
	*ret = column_const(e->name, STR_NONE, rows->n);
	for (i = rest->first[e->rest_at]; i < rest->first[e->rest_at + 1]; i++) {
		k = place_of(rows, 0, rest->rows[i]);
		if (k >= rows->n)
			continue;
		if (strs == NULL)
			strs = arena_zalloc(arena, rows->n + 1, sizeof(*strs));
		if (strs == NULL)
			return err_origin(-ENOMEM);
		/* A name twice in a list, which no writer makes: the first one holds. */
		if (strs[k].n == 0)
			strs[k] = value_at(rest->at[i]);
	}
	if (strs == NULL)
		return 0;
	*ret = (struct column){ .name = e->name,
		.kind = COLUMN_STRS,
		.n_rows = rows->n,
		.strs = strs };
	return 0;
}

int
block_rest_each(struct block *b, const struct block_entry *e, uint32_t from, uint32_t n,
    block_rest_fn fn, void *ctx)
{
	struct block_rest *rest;
	uint32_t row, last = UINT32_MAX;
	size_t i;
	int r;

	r = get_rest(b, e, &rest);
	if (r != 0)
		return r;
	for (i = rest->first[e->rest_at]; i < rest->first[e->rest_at + 1]; i++) {
		row = rest->rows[i];
		if (row < from || row - from >= n || row == last)
			continue;
		last = row;
		fn(ctx, row - from, e->name, value_at(rest->at[i]));
	}
	return 0;
}
