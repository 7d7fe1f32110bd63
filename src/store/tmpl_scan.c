/*
 * store/tmpl_scan.c - which values have the same words.
 * One job: take the variables out of each value and number what is left.
 * Floor: 2 (uses base).
 *
 * One look at each byte through a table of classes (about 1 ns), one hash of the pieces between the
 * variables, and one comparison with the first value of the same hash.
 */
#include "store/tmpl.h"

enum { TRIAL = 1024, SLOTS = 4 * TMPL_MAX };

/* 0: not in a token, 1: in a token, 3: a digit. */
static const uint8_t classes[256] = {
	['0'] = 3,
	['1'] = 3,
	['2'] = 3,
	['3'] = 3,
	['4'] = 3,
	['5'] = 3,
	['6'] = 3,
	['7'] = 3,
	['8'] = 3,
	['9'] = 3,
	['.'] = 1,
	['_'] = 1,
	['-'] = 1,
	['a'] = 1,
	['b'] = 1,
	['c'] = 1,
	['d'] = 1,
	['e'] = 1,
	['f'] = 1,
	['g'] = 1,
	['h'] = 1,
	['i'] = 1,
	['j'] = 1,
	['k'] = 1,
	['l'] = 1,
	['m'] = 1,
	['n'] = 1,
	['o'] = 1,
	['p'] = 1,
	['q'] = 1,
	['r'] = 1,
	['s'] = 1,
	['t'] = 1,
	['u'] = 1,
	['v'] = 1,
	['w'] = 1,
	['x'] = 1,
	['y'] = 1,
	['z'] = 1,
	['A'] = 1,
	['B'] = 1,
	['C'] = 1,
	['D'] = 1,
	['E'] = 1,
	['F'] = 1,
	['G'] = 1,
	['H'] = 1,
	['I'] = 1,
	['J'] = 1,
	['K'] = 1,
	['L'] = 1,
	['M'] = 1,
	['N'] = 1,
	['O'] = 1,
	['P'] = 1,
	['Q'] = 1,
	['R'] = 1,
	['S'] = 1,
	['T'] = 1,
	['U'] = 1,
	['V'] = 1,
	['W'] = 1,
	['X'] = 1,
	['Y'] = 1,
	['Z'] = 1,
};

/* ENC_PAD makes the load of the last bytes safe. */
static inline uint64_t
mix(uint64_t h, const uint8_t *p, size_t n)
{
	uint64_t w;

	for (; n >= 8; p += 8, n -= 8) {
		memcpy(&w, p, 8);
		h = (h ^ w) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 29;
	}
	memcpy(&w, p, 8);
	w &= (UINT64_C(1) << (n * 8)) - 1;
	h = (h ^ w ^ ((uint64_t)(n + 1) << 56)) * UINT64_C(0xd6e8feb86659fd93);
	return h ^ (h >> 32);
}

static bool
add_span(struct tmpl_found *f, struct arena *arena, uint32_t at, uint32_t n)
{
	struct tmpl_span *spans;
	size_t cap;

	if (f->n_spans == f->cap_spans) {
		cap = f->cap_spans == 0 ? 4096 : f->cap_spans * 2;
		spans = arena_alloc(arena, cap * sizeof(*spans));
		if (spans == NULL)
			return false;
		if (f->n_spans != 0)
			memcpy(spans, f->spans, f->n_spans * sizeof(*spans));
		f->spans = spans;
		f->cap_spans = cap;
	}
	f->spans[f->n_spans++] = (struct tmpl_span){ at, n };
	return true;
}

/* The spans of bytes[from..to), and the hash of the rest. */
static bool
scan_value(struct tmpl_found *f, struct arena *arena, const uint8_t *bytes, uint32_t from,
    uint32_t to, uint64_t *ret_hash)
{
	uint32_t i = from, start, piece = from;
	uint64_t h = 0;
	unsigned c, seen;

	while (i < to) {
		if (classes[bytes[i]] == 0) {
			i++;
			continue;
		}
		start = i;
		seen = 0;
		while (i < to && (c = classes[bytes[i]]) != 0) {
			seen |= c;
			i++;
		}
		if (seen == 3) {
			h = mix(h, bytes + piece, start - piece);
			if (!add_span(f, arena, start, i - start))
				return false;
			piece = i;
		}
	}
	*ret_hash = mix(h, bytes + piece, to - piece) | 1;
	return true;
}

/* Whether rows a and b have the same bytes between their variables. */
static bool
same_pieces(const struct enc_values *v, const struct tmpl_found *f, size_t a, size_t b, size_t n)
{
	const struct tmpl_span *x = f->spans + f->first[a], *y = f->spans + f->first[b];
	uint32_t i = v->offs[a], k = v->offs[b], len;
	size_t s;

	for (s = 0; s <= n; s++) {
		len = (s < n ? x[s].at : v->offs[a + 1]) - i;
		if (len != (s < n ? y[s].at : v->offs[b + 1]) - k)
			return false;
		if (memcmp(v->bytes + i, v->bytes + k, len) != 0)
			return false;
		if (s == n)
			break;
		i = x[s].at + x[s].n;
		k = y[s].at + y[s].n;
	}
	return true;
}

static uint32_t
kind_of_row(const struct enc_values *v, struct tmpl_found *f, uint32_t *slots, size_t row,
    uint64_t hash, size_t n_spans)
{
	size_t at = hash >> 20 & (SLOTS - 1);
	struct tmpl_kind *k;

	for (; slots[at] != 0; at = (at + 1) & (SLOTS - 1)) {
		k = &f->kinds[slots[at] - 1];
		if (k->hash == hash && k->n_slots == n_spans &&
		    same_pieces(v, f, k->row, row, n_spans)) {
			k->n_rows++;
			return slots[at] - 1;
		}
	}
	if (f->n_kinds == TMPL_MAX)
		return TMPL_NONE;
	f->kinds[f->n_kinds++] =
	    (struct tmpl_kind){ hash, (uint32_t)row, (uint32_t)n_spans, 1, TMPL_NONE };
	slots[at] = (uint32_t)f->n_kinds;
	return slots[at] - 1;
}

int
tmpl_scan(const struct enc_values *v, struct arena *arena, struct tmpl_found *f, bool *ret_ok)
{
	uint32_t *slots = arena_zalloc(arena, SLOTS, sizeof(*slots));
	size_t i, n_spans, n_seen = 0;
	uint64_t hash;

	*ret_ok = false;
	*f = (struct tmpl_found){ .tmpls = arena_alloc(arena, (v->n + 1) * sizeof(*f->tmpls)),
		.first = arena_alloc(arena, (v->n + 1) * sizeof(*f->first)),
		.kinds = arena_alloc(arena, TMPL_MAX * sizeof(*f->kinds)) };
	if (slots == NULL || f->tmpls == NULL || f->first == NULL || f->kinds == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < v->n; i++) {
		f->first[i] = (uint32_t)f->n_spans;
		f->tmpls[i] = TMPL_NONE;
		if (v->offs[i] == v->offs[i + 1] || v->offs[i + 1] - v->offs[i] > TMPL_VALUE_MAX)
			continue;
		if (!scan_value(f, arena, v->bytes, v->offs[i], v->offs[i + 1], &hash))
			return err_origin(-ENOMEM);
		n_spans = f->n_spans - f->first[i];
		if (n_spans <= TMPL_SLOTS_MAX)
			f->tmpls[i] = kind_of_row(v, f, slots, i, hash, n_spans);
		if (f->tmpls[i] == TMPL_NONE)
			f->n_spans = f->first[i];
		/* Free text: no need to look at all of it. */
		if (++n_seen == TRIAL && f->n_kinds > TRIAL / 2)
			return 0;
	}
	*ret_ok = true;
	return 0;
}
