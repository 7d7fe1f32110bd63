/*
 * store/enc_ints.c - runs of integers.
 * One job: any int64s in few bits, where most of a neighbourhood are near each other.
 * Floor: 2 (uses base).
 *
 * Integers, version 1: groups of ENC_GROUP values, the last one shorter; how many there are in all is
 * known from elsewhere.  A group:
 *
 *   size       field
 *   varint     base     zigzag
 *   1          width    0 to 64
 *   varint     n_exc    patched values, at most as many as the group has
 *   varint     exc_len  bytes of the two lists of patches
 *   packed     value i = base + bits i (modulo 2^64)
 *   2 * n_exc  place of each patched value, ascending
 *   varints    what to add to it, in units of 2^width
 *
 * The idea is PFOR (Zukowski and others, ICDE 2006): the width is the one that costs least when a value
 * that does not fit costs a patch.  A value below the base wraps round and is patched as well, so that one
 * outlier on either side costs itself only.
 */
#include "store/enc.h"

enum { PATCH_BITS = 20, PATCH_MIN = PATCH_BITS + 8, SAMPLE = 32 };

/* How a group is to be written. */
struct frame {
	int64_t base;
	unsigned width;
	size_t cost; /* bits */
};

static void
frame_choose(const int64_t *v, size_t n, int64_t base, struct frame *best)
{
	/* Two of them: neighbours are often as wide as each other, and a count waits for the one before it. */
	uint32_t hist[65] = { 0 }, other[65] = { 0 };
	struct frame own = { base, 64, SIZE_MAX };
	size_t i, cost, n_exc;
	unsigned w, longest, k;

	for (i = 0; i + 1 < n; i += 2) {
		hist[enc_bits_width((uint64_t)v[i] - (uint64_t)base)]++;
		other[enc_bits_width((uint64_t)v[i + 1] - (uint64_t)base)]++;
	}
	if (i < n)
		hist[enc_bits_width((uint64_t)v[i] - (uint64_t)base)]++;
	for (w = 0; w < ARRAY_LEN(hist); w++)
		hist[w] += other[w];
	for (w = 64; w > 0 && hist[w] == 0; w--)
		;
	/* From the width of all down: each step leaves out more values, and no width is better once the least that their patches
	 * take is too much. */
	for (longest = w, n_exc = 0; n_exc * PATCH_MIN <= own.cost; n_exc += hist[w--]) {
		cost = n * w;
		/* A patch is a place and a varint of what does not fit. */
		for (k = w + 1; k <= longest; k++)
			cost += (size_t)hist[k] * (PATCH_BITS + (k - w + 6) / 7 * 8);
		if (cost <= own.cost)
			own = (struct frame){ base, w, cost };
		if (w == 0)
			break;
	}
	if (own.cost < best->cost)
		*best = own;
}

/* A base that leaves out values far below the others: the lowest that is no farther below a sample's second
 * lowest than the sample is wide. */
static int64_t
near_base(const int64_t *v, size_t n)
{
	int64_t s[SAMPLE], x, base;
	uint64_t wide;
	size_t i, k;

	for (i = 0; i < SAMPLE; i++) {
		x = v[i * n / SAMPLE];
		for (k = i; k > 0 && s[k - 1] > x; k--)
			s[k] = s[k - 1];
		s[k] = x;
	}
	wide = (uint64_t)s[SAMPLE - 2] - (uint64_t)s[1];
	base = s[1];
	for (i = 0; i < n; i++)
		if (v[i] < base && (uint64_t)s[1] - (uint64_t)v[i] <= wide)
			base = v[i];
	return base;
}

/* The greatest number of so many bits. */
static inline uint64_t
most_of(unsigned width)
{
	return width == 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1;
}

static void
put_patches(struct buf *out, const uint64_t *d, size_t n, unsigned width, size_t n_exc)
{
	uint64_t most = most_of(width), high;
	size_t i, from;

	if (n_exc == 0) {
		buf_byte(out, 0);
		return;
	}
	from = out->n;
	/* The length goes in front: written first as two bytes, which hold up to 16383 (n_exc * 12 < that). */
	buf_u16(out, 0);
	for (i = 0; i < n; i++)
		if (d[i] > most)
			buf_u16(out, (uint16_t)i);
	for (i = 0; i < n; i++)
		if (d[i] > most) {
			high = d[i] >> width;
			buf_varint(out, high);
		}
	if (out->failed)
		return;
	n = out->n - from - 2;
	out->p[from] = (uint8_t)(n | 0x80);
	out->p[from + 1] = (uint8_t)(n >> 7);
}

static void
put_group(struct buf *out, const int64_t *v, size_t n)
{
	struct frame f = { 0, 64, SIZE_MAX };
	uint64_t d[ENC_GROUP], most;
	int64_t min = v[0], near;
	size_t i, n_exc = 0;

	for (i = 1; i < n; i++)
		min = v[i] < min ? v[i] : min;
	frame_choose(v, n, min, &f);
	if (f.cost > 6 * n && n >= 4 * SAMPLE) {
		near = near_base(v, n);
		if (near != min)
			frame_choose(v, n, near, &f);
	}
	most = most_of(f.width);
	for (i = 0; i < n; i++) {
		d[i] = (uint64_t)v[i] - (uint64_t)f.base;
		n_exc += d[i] > most;
	}
	buf_varint(out, ((uint64_t)f.base << 1) ^ (uint64_t)(f.base >> 63));
	buf_byte(out, (uint8_t)f.width);
	buf_varint(out, n_exc);
	put_patches(out, d, n, f.width, n_exc);
	enc_bits_put(out, d, n, f.width);
}

void
enc_ints_put(struct buf *out, const int64_t *v, size_t n)
{
	size_t i, k;

	for (i = 0; i < n; i += k) {
		k = n - i < ENC_GROUP ? n - i : ENC_GROUP;
		put_group(out, v + i, k);
	}
}

/* A group's header; its packed bits and patches are behind it. */
struct group {
	uint64_t base;
	unsigned width;
	size_t n_exc;
	struct str patches;
	struct str packed;
};

static bool
get_group(struct scan *s, size_t n, struct group *g)
{
	uint64_t zigzag = scan_varint(s), n_exc, exc_len;

	g->base = (zigzag >> 1) ^ (0 - (zigzag & 1));
	g->width = scan_u8(s);
	n_exc = scan_varint(s);
	exc_len = scan_varint(s);
	if (s->bad || g->width > 64 || n_exc > n || exc_len > s->n)
		return false;
	g->n_exc = n_exc;
	g->patches = scan_bytes(s, exc_len);
	g->packed = scan_bytes(s, enc_bits_bytes(n, g->width));
	return !s->bad;
}

static bool
apply_patches(const struct group *g, int64_t *out, size_t n)
{
	struct scan places = SCAN_OF(g->patches), highs = SCAN_OF(g->patches);
	size_t i, at;
	uint64_t high;

	(void)scan_bytes(&highs, g->n_exc * 2);
	for (i = 0; i < g->n_exc; i++) {
		at = scan_u16(&places);
		high = scan_varint(&highs);
		if (places.bad || highs.bad || at >= n || g->width >= 64)
			return false;
		out[at] = (int64_t)((uint64_t)out[at] + (high << g->width));
	}
	return true;
}

bool
enc_ints_get(struct scan *s, int64_t *out, size_t n)
{
	struct group g;
	size_t i, k;

	for (i = 0; i < n; i += k) {
		k = n - i < ENC_GROUP ? n - i : ENC_GROUP;
		if (!get_group(s, k, &g))
			return false;
		enc_bits_get(g.packed.p, k, g.width, g.base, out + i);
		if (g.n_exc != 0 && !apply_patches(&g, out + i, k))
			return false;
	}
	return true;
}

bool
enc_ints_pick(struct scan *s, size_t n, const uint32_t *at, size_t k, int64_t *out)
{
	int64_t v[ENC_GROUP];
	struct group g;
	size_t i, len, done = 0;

	for (i = 0; i < n && done < k; i += len) {
		len = n - i < ENC_GROUP ? n - i : ENC_GROUP;
		if (!get_group(s, len, &g))
			return false;
		if (at[done] >= i + len)
			continue;
		enc_bits_get(g.packed.p, len, g.width, g.base, v);
		if (g.n_exc != 0 && !apply_patches(&g, v, len))
			return false;
		for (; done < k && at[done] < i + len; done++)
			out[done] = v[at[done] - i];
	}
	return done == k;
}

bool
enc_ints_skip(struct scan *s, size_t n)
{
	struct group g;
	size_t i, k;

	for (i = 0; i < n; i += k) {
		k = n - i < ENC_GROUP ? n - i : ENC_GROUP;
		if (!get_group(s, k, &g))
			return false;
	}
	return true;
}
