/*
 * store/enc_distinct.c - distinct values.
 * One job: number the different values of a column in the order of their first row.
 * Floor: 2 (uses base).
 *
 * Open addressing; a slot holds half of the hash beside the number, so that only equal values are compared.
 * About 4 ns a row.  The hash is for this table only and is never written down.
 */
#include "store/enc.h"

/* What is compared of a value. */
struct known {
	struct bytes_ends ends;
	size_t n;
	const uint8_t *p;
};

/* The table on its way. */
struct table {
	uint64_t *slots;
	size_t n_slots;
	size_t cap;
	struct known *known; /* of each value */
	struct enc_distinct *d;
};

static int
table_init(struct table *t, size_t n, size_t max, struct arena *arena, struct enc_distinct *ret)
{
	*t = (struct table){ .n_slots = 256, .cap = max < n ? max : n, .d = ret };
	while (t->n_slots < t->cap * 2)
		t->n_slots *= 2;
	t->slots = arena_zalloc(arena, t->n_slots, sizeof(*t->slots));
	t->known = arena_alloc(arena, (t->cap + 1) * sizeof(*t->known));
	*ret = (struct enc_distinct){ .values =
		                          arena_alloc(arena, (t->cap + 1) * sizeof(*ret->values)),
		.codes = arena_alloc(arena, (n + 1) * sizeof(*ret->codes)) };
	return t->slots == NULL || t->known == NULL || ret->values == NULL || ret->codes == NULL
	    ? err_origin(-ENOMEM)
	    : 0;
}

/* The number of the value, which is not there yet; false when it is one too many. */
static bool
table_add(struct table *t, size_t at, uint64_t h, const struct known *k)
{
	if (t->d->n == t->cap)
		return false;
	t->known[t->d->n] = *k;
	t->d->values[t->d->n++] = str_of(k->p, k->n);
	t->d->n_bytes += k->n;
	t->slots[at] = (h & ~UINT64_C(0xffffffff)) | t->d->n;
	return true;
}

/* The number of ${x}, which has these ends; false when it is one too many. */
static inline bool
table_put(struct table *t, struct str x, struct bytes_ends e, uint32_t *ret)
{
	/* Numbers that are written could be t's, as far as the compiler knows. */
	const uint64_t *slots = t->slots;
	const struct known *known = t->known, *k;
	uint64_t h = enc_mix(0, x.p, x.n, e), slot;
	size_t mask = t->n_slots - 1, at = h & mask;

	for (; (slot = slots[at]) != 0; at = (at + 1) & mask) {
		if (UNLIKELY((slot ^ h) >> 32 != 0))
			continue;
		k = &known[(uint32_t)slot - 1];
		if (LIKELY(k->n == x.n && bytes_equal_ends(k->p, k->ends, x.p, e, x.n))) {
			*ret = (uint32_t)slot - 1;
			return true;
		}
	}
	*ret = (uint32_t)t->d->n;
	return table_add(t, at, h, &(struct known){ e, x.n, x.p });
}

int
enc_distinct(const struct enc_values *v, size_t max, struct arena *arena, struct enc_distinct *ret,
    bool *ret_ok)
{
	struct table t;
	int r = table_init(&t, v->n, max, arena, ret);
	uint32_t *codes = ret->codes, none = UINT32_MAX;
	struct str x;
	size_t i;

	*ret_ok = false;
	if (r < 0)
		return err_trace(r);
	for (i = 0; i < v->n; i++) {
		x = enc_value(v, i);
		/* In most columns rows have a value always or rarely. */
		if (x.n == 0 && none != UINT32_MAX)
			codes[i] = none;
		else if (!table_put(&t, x, bytes_ends_of(x.p, x.n), &codes[i]))
			return 0;
		else if (x.n == 0)
			none = codes[i];
	}
	*ret_ok = true;
	return 0;
}

int
enc_distinct_spans(const uint8_t *bytes, const struct enc_span *spans, size_t n, size_t max,
    struct arena *arena, struct enc_distinct *ret, bool *ret_ok)
{
	struct table t;
	int r = table_init(&t, n, max, arena, ret);
	uint32_t *codes = ret->codes;
	struct bytes_ends e;
	struct str x;
	size_t i;

	*ret_ok = false;
	if (r < 0)
		return err_trace(r);
	for (i = 0; i < n; i++) {
		x = str_of(bytes + spans[i].at, spans[i].n);
		e.first = e.last = spans[i].head;
		if (x.n > 8)
			e.last = bytes_load_le(x.p + x.n - 8);
		if (!table_put(&t, x, e, &codes[i]))
			return 0;
	}
	*ret_ok = true;
	return 0;
}
