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

static const int64_t units[] = { 1000000000, 1000000, 1000, 1 };

static unsigned
common_unit(const int64_t *ns, size_t n)
{
	unsigned u = 0;
	size_t i;

	for (i = 0; i < n && u < 3; i++)
		while (ns[i] % units[u] != 0)
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
		firsts[i / ENC_GROUP] = ns[i] / units[u];
	enc_ints_put(out, firsts, (n + ENC_GROUP - 1) / ENC_GROUP);
	for (i = 0; i < n; i += k) {
		for (k = 0; k < ENC_GROUP && i + k < n; k++) {
			now = ns[i + k] / units[u];
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

int
enc_time_get(const struct enc_chunk *c, const struct enc_rows *rows, struct arena *arena,
    struct column *ret)
{
	int64_t firsts[BLOCK_ROWS_MAX / ENC_GROUP], *out;
	struct scan s = SCAN_OF(c->head);
	unsigned digits = scan_u8(&s);
	uint64_t unit;
	bool ok;

	if (s.bad || digits > 9 || digits % 3 != 0 || c->n_rows > BLOCK_ROWS_MAX)
		return BLOCK_E_CORRUPT;
	unit = (uint64_t)units[3 - digits / 3];
	if (!enc_ints_get(&s, firsts, (c->n_rows + ENC_GROUP - 1) / ENC_GROUP))
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
