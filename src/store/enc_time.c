/*
 * store/enc_time.c - the time encoding.
 * One job: instants in arrival order, as the steps between them.
 * Floor: 2 (uses base).
 *
 * Times, version 1:
 *
 *   size   field
 *   1      digits  decimal digits that all times have as zeros at their end: 0, 3, 6 or 9
 *   ...    firsts  "Integers": the first time of each run of ENC_GROUP rows, in units of 10^digits ns
 *   ...    steps   "Integers": n_rows steps from the row before, 0 for the first of a run
 *
 * Arithmetic is modulo 2^64.  A clock that jumps costs two patched steps and no more.
 */
#include "store/enc.h"
#include "store/unpack.h"

static const int64_t units[] = { 1000000000, 1000000, 1000, 1 };

/* ns / units[u]; by a constant, since a division takes long. */
static inline int64_t
in_unit(int64_t ns, unsigned u)
{
	switch (u) {
	case 0:
		return ns / units[0];
	case 1:
		return ns / units[1];
	case 2:
		return ns / units[2];
	default:
		return ns;
	}
}

static unsigned
common_unit(const int64_t *ns, size_t n)
{
	unsigned u = 0;
	size_t i;

	for (i = 0; i < n && u < 3; i++)
		while (in_unit(ns[i], u) * units[u] != ns[i])
			u++;
	return u;
}

void
enc_time_put(struct buf *out, struct enc_scratch *s, const int64_t *ns, size_t n)
{
	int64_t firsts[BLOCK_ROWS_MAX / ENC_GROUP], steps[ENC_GROUP], now, last = 0;
	unsigned u = common_unit(ns, n);
	size_t i, k;

	buf_byte(out, (uint8_t)((3 - u) * 3));
	for (i = 0; i < n; i += ENC_GROUP)
		firsts[i / ENC_GROUP] = in_unit(ns[i], u);
	enc_ints_put(out, firsts, (n + ENC_GROUP - 1) / ENC_GROUP);
	for (i = 0; i < n; i += k) {
		for (k = 0; k < ENC_GROUP && i + k < n; k++) {
			now = in_unit(ns[i + k], u);
			steps[k] = k == 0 ? 0 : (int64_t)((uint64_t)now - (uint64_t)last);
			last = now;
		}
		enc_ints_put(out, steps, k);
	}
}

/* Decode the run that begins at row ${from} into out[0..k). */
static bool
get_run(struct scan *s, uint64_t first, uint64_t unit, size_t k, int64_t *out)
{
	uint64_t at = first;
	size_t i;

	if (!enc_ints_get(s, out, k))
		return false;
	for (i = 0; i < k; i++) {
		at += (uint64_t)out[i];
		out[i] = (int64_t)(at * unit);
	}
	return true;
}

static bool
get_rows(struct scan *s, const int64_t *firsts, uint64_t unit, size_t n_rows,
    const struct enc_rows *rows, int64_t *out)
{
	int64_t run[ENC_GROUP];
	size_t i, k, at = 0;

	for (i = 0; i < n_rows && at < rows->n; i += k) {
		k = n_rows - i < ENC_GROUP ? n_rows - i : ENC_GROUP;
		if (rows->rows[at] >= i + k) {
			if (!enc_ints_skip(s, k))
				return false;
			continue;
		}
		if (!get_run(s, (uint64_t)firsts[i / ENC_GROUP], unit, k, run))
			return false;
		for (; at < rows->n && rows->rows[at] < i + k; at++)
			out[at] = run[rows->rows[at] - i];
	}
	return true;
}

static bool
get_all(struct scan *s, const int64_t *firsts, uint64_t unit, size_t n_rows, int64_t *out)
{
	size_t i, k;

	for (i = 0; i < n_rows; i += k) {
		k = n_rows - i < ENC_GROUP ? n_rows - i : ENC_GROUP;
		if (!get_run(s, (uint64_t)firsts[i / ENC_GROUP], unit, k, out + i))
			return false;
	}
	return true;
}

/* The head, up to the steps. */
static bool
get_firsts(const struct enc_chunk *c, struct scan *s, uint64_t *ret_unit, int64_t *firsts)
{
	unsigned digits = scan_u8(s);

	if (s->bad || digits > 9 || digits % 3 != 0 || c->n_rows > BLOCK_ROWS_MAX)
		return false;
	*ret_unit = (uint64_t)units[3 - digits / 3];
	return enc_ints_get(s, firsts, (c->n_rows + ENC_GROUP - 1) / ENC_GROUP);
}

int
enc_time_get(const struct enc_chunk *c, const struct enc_rows *rows, struct arena *arena,
    struct column *ret)
{
	int64_t firsts[BLOCK_ROWS_MAX / ENC_GROUP], *out;
	struct scan s = SCAN_OF(c->head);
	uint64_t unit;
	bool ok;

	if (!get_firsts(c, &s, &unit, firsts))
		return BLOCK_E_CORRUPT;
	out = arena_alloc(arena, (rows->n + 1) * sizeof(*out));
	if (out == NULL)
		return err_origin(-ENOMEM);
	if (rows->rows != NULL)
		ok = get_rows(&s, firsts, unit, c->n_rows, rows, out);
	else
		ok = get_all(&s, firsts, unit, c->n_rows, out);
	if (!ok)
		return BLOCK_E_CORRUPT;
	*ret =
	    (struct column){ .name = c->name, .kind = COLUMN_TIME, .n_rows = rows->n, .ints = out };
	return 0;
}

enum { STRIDE = 64 }; /* rows that are counted at once; a word of a bitmap */

/* Times on their way into counts. */
struct counting {
	block_times_fn range;
	void *ctx;
	struct block_times now; /* that the last row was in; n is NULL before the first */
	uint64_t unit;
	uint64_t at;    /* of the last row, in units */
	uint64_t limit; /* of a step, so that STRIDE of them do not wrap round in ns */
	const struct unpack_ops *ops;
};

/* Rows up to the first that leaves the range, which stays; ${ret_n} of them are wanted. */
static size_t
count_inside(struct counting *t, const int64_t *steps, size_t n, uint64_t wanted, uint32_t *ret_n)
{
	uint64_t at = t->at, next;
	uint32_t n_in = 0;
	size_t i;

	for (i = 0; i < n; i++, at = next) {
		next = at + (uint64_t)steps[i];
		if (next * t->unit - t->now.first > t->now.span)
			break;
		n_in += (uint32_t)(wanted >> i) & 1;
	}
	t->at = at;
	*ret_n = n_in;
	return i;
}

/* Rows whose bit in ${wanted} is set, one after the other. */
static int
count_each(struct counting *t, const int64_t *steps, size_t n, uint64_t wanted)
{
	uint32_t n_in;
	size_t i = 0;
	int r;

	while (i < n) {
		if (t->now.n != NULL) {
			i += count_inside(t, steps + i, n - i, wanted >> i, &n_in);
			*t->now.n += n_in;
		}
		if (i == n)
			break;
		t->at += (uint64_t)steps[i];
		if ((wanted >> i & 1) != 0) {
			r = t->range(t->ctx, (int64_t)(t->at * t->unit), &t->now);
			if (r != 0)
				return r;
			++*t->now.n;
		}
		i++;
	}
	return 0;
}

/* At most STRIDE rows.  Where no order of the steps would leave the range of the row before, all are in it. */
static int
count_stride(struct counting *t, const int64_t *steps, size_t n, uint64_t wanted)
{
	uint64_t from = t->at * t->unit - t->now.first;
	struct unpack_sums s;

	if (t->now.n == NULL || from > t->now.span)
		return err_trace(count_each(t, steps, n, wanted));
	t->ops->sums(steps, n, &s);
	/* Steps beyond the limit might wrap round in sum. */
	if (s.any >= t->limit || s.on * t->unit > t->now.span - from || s.back * t->unit > from)
		return err_trace(count_each(t, steps, n, wanted));
	t->at += s.on - s.back;
	*t->now.n += (uint32_t)__builtin_popcountll(wanted);
	return 0;
}

/* The run of k rows from ${row} on. */
static int
count_run(struct counting *t, const int64_t *steps, size_t k, size_t row, const uint64_t *sel)
{
	size_t i, n;
	uint64_t all;
	int r = 0;

	for (i = 0; r == 0 && i < k; i += n) {
		n = k - i < STRIDE ? k - i : STRIDE;
		all = n == STRIDE ? ~UINT64_C(0) : (UINT64_C(1) << n) - 1;
		r = count_stride(t, steps + i, n,
		    sel == NULL ? all : sel[(row + i) / STRIDE] & all);
	}
	return r;
}

int
enc_time_count(const struct enc_chunk *c, const uint64_t *sel, block_times_fn range, void *ctx)
{
	int64_t firsts[BLOCK_ROWS_MAX / ENC_GROUP], steps[ENC_GROUP];
	struct counting t = { .range = range, .ctx = ctx };
	struct scan s = SCAN_OF(c->head);
	size_t row, k;
	int r = 0;

	if (!get_firsts(c, &s, &t.unit, firsts))
		return BLOCK_E_CORRUPT;
	t.limit = (UINT64_C(1) << 56) / t.unit;
	t.ops = unpack_best();
	for (row = 0; r == 0 && row < c->n_rows; row += k) {
		k = c->n_rows - row < ENC_GROUP ? c->n_rows - row : ENC_GROUP;
		if (sel != NULL && bits_none(sel + row / 64, k)) {
			if (!enc_ints_skip(&s, k))
				return BLOCK_E_CORRUPT;
			continue;
		}
		if (!enc_ints_get(&s, steps, k))
			return BLOCK_E_CORRUPT;
		t.at = (uint64_t)firsts[row / ENC_GROUP];
		r = count_run(&t, steps, k, row, sel);
	}
	return r;
}
