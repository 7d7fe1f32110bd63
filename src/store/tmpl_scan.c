/*
 * store/tmpl_scan.c - which values have the same words.
 * One job: take the variables out of each value and number what is left.
 * Floor: 2 (uses base).
 *
 * Which bytes are digits and which stand in tokens, tmpl_bits.h says, many bytes at a time; then each variable costs
 * three searches in bits, whatever the words between them.  One hash of the pieces between the variables, and one
 * comparison with the first value of the same hash.
 */
#include "base/bits.h"
#include "store/tmpl.h"
#include "store/tmpl_bits.h"

enum { TRIAL = 1024, SLOTS = 4 * TMPL_MAX, WINDOW = 4096, WINDOW_MAX = TMPL_VALUE_MAX };

/* The bits of bytes[from..to), of as many as are looked at at once: all of at least one value.  Two words of 0 stand behind them. */
struct window {
	uint64_t *token, *digit;
	uint32_t from, to;
};

/* ENC_PAD makes the loads safe. */
static inline uint64_t
mix(uint64_t h, const uint8_t *p, size_t n)
{
	return enc_mix(h, p, n, bytes_ends_of(p, n));
}

static inline bool
same_piece(const uint8_t *a, const uint8_t *b, size_t n)
{
	return bytes_equal_ends(a, bytes_ends_of(a, n), b, bytes_ends_of(b, n), n);
}

/* The span ${at} of bytes, n of them. */
static inline bool
add_span(struct tmpl_found *f, struct arena *arena, const uint8_t *bytes, uint32_t at, uint32_t n)
{
	struct enc_span *spans;
	size_t cap;

	if (UNLIKELY(f->n_spans == f->cap_spans)) {
		cap = f->cap_spans * 2;
		spans = arena_alloc(arena, cap * sizeof(*spans));
		if (spans == NULL)
			return false;
		memcpy(spans, f->spans, f->n_spans * sizeof(*spans));
		f->spans = spans;
		f->cap_spans = cap;
	}
	f->spans[f->n_spans++] = (struct enc_span){ at, n, bytes_ends_of(bytes + at, n).first };
	return true;
}

/* Move the window so that bytes[from..to) is in it. */
static void
window_cover(struct window *w, const struct enc_values *v, uint32_t from, uint32_t to)
{
	uint32_t end = v->offs[v->n];

	if (to <= w->to)
		return;
	w->from = from;
	w->to = end - from < WINDOW ? end : from + WINDOW;
	if (w->to < to)
		w->to = to;
	tmpl_bits_table[cpu_level()](v->bytes + from, w->to - from, w->token, w->digit);
	memset(w->token + BITS_WORDS(w->to - from), 0, 2 * sizeof(*w->token));
	memset(w->digit + BITS_WORDS(w->to - from), 0, 2 * sizeof(*w->digit));
}

/*
 * The spans of bytes[from..to), and the hash of the rest.  From the first digit that is not in a span yet, the token
 * around it goes back and forth to the next byte that is in none.
 */
static bool
scan_value(struct tmpl_found *f, struct arena *arena, const struct window *w, const uint8_t *bytes,
    uint32_t from, uint32_t to, uint64_t *ret_hash)
{
	const uint8_t *base = bytes + w->from; /* of the window's places */
	size_t n = to - w->from, piece = from - w->from, start, end;
	size_t digit = bits_seek(w->digit, n, piece);
	uint64_t h = 0;

	while (digit < n) {
		start = bits_run_start(w->token, digit, piece);
		end = bits_run_end(w->token, n, digit);
		h = mix(h, base + piece, start - piece);
		if (!add_span(f, arena, bytes, w->from + (uint32_t)start, (uint32_t)(end - start)))
			return false;
		piece = end;
		digit = bits_seek(w->digit, n, end);
	}
	*ret_hash = mix(h, base + piece, n - piece) | 1;
	return true;
}

/* Whether rows a and b have the same bytes between their variables. */
static bool
same_pieces(const struct enc_values *v, const struct tmpl_found *f, size_t a, size_t b, size_t n)
{
	const struct enc_span *x = f->spans + f->first[a], *y = f->spans + f->first[b];
	uint32_t i = v->offs[a], k = v->offs[b], len;
	size_t s;

	for (s = 0; s <= n; s++) {
		len = (s < n ? x[s].at : v->offs[a + 1]) - i;
		if (len != (s < n ? y[s].at : v->offs[b + 1]) - k)
			return false;
		if (!same_piece(v->bytes + i, v->bytes + k, len))
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

/* The template of row ${row}, which has a value. */
static int
scan_row(const struct enc_values *v, struct arena *arena, struct tmpl_found *f, struct window *w,
    uint32_t *slots, size_t row)
{
	uint32_t from = v->offs[row], to = v->offs[row + 1];
	uint64_t hash;
	size_t n_spans;

	window_cover(w, v, from, to);
	if (!scan_value(f, arena, w, v->bytes, from, to, &hash))
		return err_origin(-ENOMEM);
	n_spans = f->n_spans - f->first[row];
	if (n_spans <= TMPL_SLOTS_MAX)
		f->tmpls[row] = kind_of_row(v, f, slots, row, hash, n_spans);
	if (f->tmpls[row] == TMPL_NONE)
		f->n_spans = f->first[row];
	return 0;
}

int
tmpl_scan(const struct enc_values *v, struct arena *arena, struct tmpl_found *f, bool *ret_ok)
{
	uint32_t *slots = arena_zalloc(arena, SLOTS, sizeof(*slots));
	struct window w = { .token = arena_alloc(arena, WINDOW_MAX / 8 + 16),
		.digit = arena_alloc(arena, WINDOW_MAX / 8 + 16) };
	size_t i, n_seen = 0;
	int r;

	*ret_ok = false;
	*f = (struct tmpl_found){ .tmpls = arena_alloc(arena, (v->n + 1) * sizeof(*f->tmpls)),
		.first = arena_alloc(arena, (v->n + 1) * sizeof(*f->first)),
		.kinds = arena_alloc(arena, TMPL_MAX * sizeof(*f->kinds)),
		.spans = arena_alloc(arena, (2 * v->n + 1) * sizeof(*f->spans)),
		.cap_spans = 2 * v->n + 1 };
	if (slots == NULL || w.token == NULL || w.digit == NULL || f->tmpls == NULL ||
	    f->first == NULL || f->kinds == NULL || f->spans == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < v->n; i++) {
		f->first[i] = (uint32_t)f->n_spans;
		f->tmpls[i] = TMPL_NONE;
		if (v->offs[i] == v->offs[i + 1] || v->offs[i + 1] - v->offs[i] > TMPL_VALUE_MAX)
			continue;
		r = scan_row(v, arena, f, &w, slots, i);
		if (r != 0)
			return r;
		/* Free text: no need to look at all of it. */
		if (++n_seen == TRIAL && f->n_kinds > TRIAL / 2)
			return 0;
	}
	*ret_ok = true;
	return 0;
}
