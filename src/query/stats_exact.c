/*
 * query/stats_exact.c - sums of doubles that no order of adding changes.
 * One job: a sum kept in full, rounded once when it is asked for.
 * Floor: 3 (uses base).
 */
#include "query/stats_exact.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"

/* Limbs of a double and of a square, from the one that its lowest bit is in; additions between carries; the widest window there is. */
enum { LIMBS_ONE = 3, LIMBS_SQUARE = 5, ADDED_MAX = 1 << 30, LIMBS_MAX = 256 };

/* A finite double as ${bits} · 2^power. */
struct parts {
	uint64_t bits;
	int power;
	bool negative;
};

static struct parts
parts_of(double v)
{
	struct parts p;
	uint64_t raw;
	int exponent;

	memcpy(&raw, &v, sizeof(raw));
	exponent = (int)(raw >> 52 & 0x7ff);
	p.bits = (raw & ((UINT64_C(1) << 52) - 1)) | (exponent != 0 ? UINT64_C(1) << 52 : 0);
	p.power = (exponent != 0 ? exponent : 1) - 1075;
	p.negative = raw >> 63 != 0;
	return p;
}

/* Have limbs [first, end) in the window. */
static int
widen(struct exact **e, int32_t first, int32_t end)
{
	const struct exact *old = *e;
	struct exact *fresh;

	if (old != NULL) {
		if (first >= old->first && end <= old->first + (int32_t)old->n)
			return 0;
		first = first < old->first ? first : old->first;
		end = end > old->first + (int32_t)old->n ? end : old->first + (int32_t)old->n;
	}
	fresh = calloc(1, sizeof(*fresh) + (size_t)(end - first) * sizeof(fresh->limbs[0]));
	if (fresh == NULL)
		return err_origin(-ENOMEM);
	fresh->first = first;
	fresh->n = (uint32_t)(end - first);
	if (old != NULL) {
		fresh->added = old->added;
		memcpy(fresh->limbs + (old->first - first), old->limbs,
		    old->n * sizeof(old->limbs[0]));
	}
	free(*e);
	*e = fresh;
	return 0;
}

/* Afterwards each limb but the highest is in [0, 2^32), and that one in [-2^32, 2^32). */
static void
carry(struct exact *e)
{
	int64_t up;
	uint32_t i;

	for (i = 0; i + 1 < e->n; i++) {
		/* Toward minus infinity, as gcc and clang shift. */
		up = e->limbs[i] >> 32;
		e->limbs[i] &= 0xffffffff;
		e->limbs[i + 1] += up;
	}
	e->added = 0;
}

static int
settle(struct exact **e)
{
	int64_t top;
	int r;

	if (*e == NULL || (*e)->added == 0)
		return 0;
	carry(*e);
	for (;;) {
		top = (*e)->limbs[(*e)->n - 1] >> 32;
		if (top == 0 || top == -1)
			return 0;
		r = widen(e, (*e)->first, (*e)->first + (int32_t)(*e)->n + 1);
		if (r != 0)
			return r;
		carry(*e);
	}
}

/* Make the window fit ${n} limbs from ${first} on, and one more addition. */
static int
ready(struct exact **e, int32_t first, int32_t n)
{
	int r = widen(e, first, first + n);

	if (r == 0 && (*e)->added + 2 >= ADDED_MAX)
		r = settle(e);
	if (r == 0)
		(*e)->added++;
	return r;
}

/* 32 times the whole of it, toward minus infinity. */
static int32_t
limb_of(int power)
{
	return (int32_t)((power + (1 << 20)) / 32 - (1 << 15));
}

static void
put(int64_t *limbs, unsigned __int128 bits, bool negative)
{
	size_t i;

	for (i = 0; bits != 0; i++, bits >>= 32)
		limbs[i] += negative ? -(int64_t)(uint32_t)bits : (int64_t)(uint32_t)bits;
}

int
exact_add(struct exact **e, double v)
{
	struct parts p = parts_of(v);
	int32_t at = limb_of(p.power);
	int r = ready(e, at, LIMBS_ONE);

	if (r != 0)
		return r;
	put((*e)->limbs + (at - (*e)->first), (unsigned __int128)p.bits << (p.power - at * 32),
	    p.negative);
	return 0;
}

int
exact_add_square(struct exact **e, double v)
{
	struct parts p = parts_of(v);
	unsigned __int128 bits = (unsigned __int128)p.bits * p.bits;
	int32_t at = limb_of(2 * p.power);
	unsigned shift = (unsigned)(2 * p.power - at * 32);
	int64_t *limbs;
	int r = ready(e, at, LIMBS_SQUARE);

	if (r != 0)
		return r;
	limbs = (*e)->limbs + (at - (*e)->first);
	put(limbs, (unsigned __int128)(uint64_t)bits << shift, false);
	put(limbs + 2, (bits >> 64) << shift, false);
	/* Two pieces came to one limb. */
	(*e)->added++;
	return 0;
}

int
exact_merge(struct exact **to, struct exact **from)
{
	const struct exact *b;
	uint32_t i;
	int r = settle(from);

	b = *from;
	if (r != 0 || b == NULL)
		return r;
	r = ready(to, b->first, (int32_t)b->n);
	for (i = 0; r == 0 && i < b->n; i++)
		(*to)->limbs[b->first - (*to)->first + (int32_t)i] += b->limbs[i];
	return r;
}

/* Of a settled sum that is not negative: the nearest double, ties to even. */
static double
nearest(const struct exact *e)
{
	uint64_t bits = 0;
	uint32_t n = e->n, i;
	int power, spare;
	bool rest = false;

	while (n > 0 && e->limbs[n - 1] == 0)
		n--;
	if (n == 0)
		return 0;
	/* 64 bits of the highest three limbs; whether there is anything below only matters for a tie. */
	spare = __builtin_clz((uint32_t)e->limbs[n - 1]);
	bits = (uint64_t)e->limbs[n - 1] << 32 | (n > 1 ? (uint64_t)e->limbs[n - 2] : 0);
	if (spare > 0) {
		bits = bits << spare | (n > 2 ? (uint64_t)e->limbs[n - 3] >> (32 - spare) : 0);
		rest = n > 2 && (uint32_t)((uint64_t)e->limbs[n - 3] << spare) != 0;
	} else {
		rest = n > 2 && e->limbs[n - 3] != 0;
	}
	for (i = 0; i + 3 < n; i++)
		rest = rest || e->limbs[i] != 0;
	power = 32 * (e->first + (int32_t)n - 2) - spare;
	return ldexp((double)(bits | rest), power);
}

static int
nearest_signed(const struct exact *e, double *ret)
{
	AUTO_FREE struct exact *copy = NULL;
	uint32_t i;
	bool negative;
	int r = widen(&copy, e->first, e->first + (int32_t)e->n);

	if (r != 0)
		return r;
	memcpy(copy->limbs, e->limbs, e->n * sizeof(e->limbs[0]));
	copy->added = 1;
	r = settle(&copy);
	if (r != 0)
		return r;
	negative = copy->limbs[copy->n - 1] < 0;
	if (negative) {
		for (i = 0; i < copy->n; i++)
			copy->limbs[i] = -copy->limbs[i];
		copy->added = 1;
		r = settle(&copy);
		if (r != 0)
			return r;
	}
	*ret = negative ? -nearest(copy) : nearest(copy);
	return 0;
}

int
exact_value(const struct exact *e, struct twice *ret)
{
	AUTO_FREE struct exact *rest = NULL;
	int r;

	*ret = (struct twice){ 0, 0 };
	if (e == NULL)
		return 0;
	r = nearest_signed(e, &ret->hi);
	if (r != 0 || ret->hi == 0 || !isfinite(ret->hi))
		return r;
	r = widen(&rest, e->first, e->first + (int32_t)e->n);
	if (r != 0)
		return r;
	memcpy(rest->limbs, e->limbs, e->n * sizeof(e->limbs[0]));
	rest->added = 1;
	r = settle(&rest);
	if (r == 0)
		r = exact_add(&rest, -ret->hi);
	if (r == 0)
		r = nearest_signed(rest, &ret->lo);
	return r;
}

int64_t
exact_bytes(const struct exact *e)
{
	return e == NULL ? 0 : (int64_t)(sizeof(*e) + e->n * sizeof(e->limbs[0]));
}

int
exact_save(struct exact **e, struct buf *out)
{
	uint32_t i, n;
	int r = settle(e);

	if (r != 0)
		return r;
	n = *e == NULL ? 0 : (*e)->n;
	buf_varint(out, n);
	if (n == 0)
		return buf_err(out);
	buf_varint(out, (uint64_t)((*e)->first + LIMBS_MAX));
	for (i = 0; i < n; i++) {
		int64_t v = (*e)->limbs[i];

		buf_varint(out, (uint64_t)v << 1 ^ (uint64_t)(v >> 63));
	}
	return buf_err(out);
}

int
exact_load(struct scan *in, struct exact **ret)
{
	uint64_t n = scan_varint(in), first, v;
	uint32_t i;
	int r;

	if (n == 0)
		return in->bad ? err_origin(-EPROTO) : 0;
	first = scan_varint(in);
	if (in->bad || n > LIMBS_MAX || first > 2 * LIMBS_MAX)
		return err_origin(-EPROTO);
	r = widen(ret, (int32_t)first - LIMBS_MAX, (int32_t)first - LIMBS_MAX + (int32_t)n);
	if (r != 0)
		return r;
	for (i = 0; i < n; i++) {
		v = scan_varint(in);
		(*ret)->limbs[i] = (int64_t)(v >> 1 ^ (0 - (v & 1)));
	}
	return in->bad ? err_origin(-EPROTO) : 0;
}
