/*
 * store/enc_distinct.c - distinct values.
 * One job: number the different values of a column in the order of their first row.
 * Floor: 2 (uses base).
 *
 * Open addressing; a slot holds half of the hash beside the number, so that only equal values are compared.
 * About 6 ns a row.  The hash is for this table only and is never written down.
 */
#include "store/enc.h"

/* Mixes the first and the last bytes of a value; ENC_PAD makes the loads safe. */
static inline uint64_t
quick_hash(struct str v)
{
	uint64_t a, b, h;
	size_t i;

	memcpy(&a, v.p, 8);
	if (v.n < 8) {
		a &= (UINT64_C(1) << (v.n * 8)) - 1;
		b = 0;
	} else {
		memcpy(&b, v.p + v.n - 8, 8);
	}
	h = (a ^ (v.n << 56)) * UINT64_C(0x9e3779b97f4a7c15);
	h = (h ^ (h >> 32) ^ b) * UINT64_C(0xd6e8feb86659fd93);
	for (i = 8; i + 8 < v.n; i += 8) {
		memcpy(&a, v.p + i, 8);
		h = (h ^ (h >> 29) ^ a) * UINT64_C(0xd6e8feb86659fd93);
	}
	return h ^ (h >> 32);
}

static inline bool
same(struct str a, struct str b)
{
	return a.n == b.n && bytes_equal(a.p, b.p, a.n);
}

int
enc_distinct(const struct enc_values *v, size_t max, struct arena *arena, struct enc_distinct *ret,
    bool *ret_ok)
{
	size_t n_slots = 256, i, at, cap = max < v->n ? max : v->n;
	uint64_t *slots, h;
	struct str x;

	while (n_slots < cap * 2)
		n_slots *= 2;
	slots = arena_zalloc(arena, n_slots, sizeof(*slots));
	*ret = (struct enc_distinct){ .values = arena_alloc(arena, (cap + 1) * sizeof(x)),
		.codes = arena_alloc(arena, (v->n + 1) * sizeof(uint32_t)) };
	if (slots == NULL || ret->values == NULL || ret->codes == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < v->n; i++) {
		x = enc_value(v, i);
		h = quick_hash(x);
		at = h & (n_slots - 1);
		while (slots[at] != 0 &&
		    ((slots[at] ^ h) >> 32 != 0 || !same(ret->values[(uint32_t)slots[at] - 1], x)))
			at = (at + 1) & (n_slots - 1);
		if (slots[at] == 0) {
			if (ret->n == cap) {
				*ret_ok = false;
				return 0;
			}
			ret->values[ret->n++] = x;
			ret->n_bytes += x.n;
			slots[at] = (h & ~UINT64_C(0xffffffff)) | ret->n;
		}
		ret->codes[i] = (uint32_t)slots[at] - 1;
	}
	*ret_ok = true;
	return 0;
}
