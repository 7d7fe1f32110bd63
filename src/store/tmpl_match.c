/*
 * store/tmpl_match.c - substrings in template-coded values.
 * One job: ask each template first, and put together only the rows of those that cannot tell.
 * Floor: 2 (uses record, base).
 *
 * A template is a run of bytes and of classes of bytes ("a digit, 1 to 18 times").  The literal runs over it as
 * a shift-and automaton (Baeza-Yates and Gonnet, 1992): bit p of a set is "the first p bytes have been
 * seen, ending here".  One set is carried over classes, another starts anew after each: a literal that is
 * complete in the second is in every row, one that is in the first only may be.
 */
#include "store/tmpl.h"

enum { RUN = 64 << 10 };

void
tmpl_literal_init(struct tmpl_literal *l, const struct block_match *m)
{
	size_t i;
	unsigned c;

	memset(l, 0, sizeof(*l));
	l->m = *m;
	l->n = m->literal.n < TMPL_LITERAL_MAX ? m->literal.n : TMPL_LITERAL_MAX;
	for (i = 0; i < l->n; i++) {
		c = m->literal.p[i];
		if (block_match_is_gap(m, i)) {
			for (c = 0; c < ARRAY_LEN(l->eq); c++)
				l->eq[c] |= UINT64_C(1) << i;
			continue;
		}
		l->eq[c] |= UINT64_C(1) << i;
		if (m->nocase && c >= 'a' && c <= 'z')
			l->eq[c - 'a' + 'A'] |= UINT64_C(1) << i;
	}
	for (c = '0'; c <= '9'; c++)
		l->digits |= l->eq[c];
	l->hex = l->digits;
	for (c = 'a'; c <= 'f'; c++)
		l->hex |= l->eq[c];
}

/* The automaton on its way through a template. */
struct walk {
	const struct tmpl_literal *l;
	uint64_t maybe, sure;
	uint64_t seen_maybe, seen_sure; /* all sets so far, for the last bit */
};

static void
walk_bytes(struct walk *w, struct str s)
{
	size_t i;
	uint64_t eq;

	for (i = 0; i < s.n; i++) {
		eq = w->l->eq[s.p[i]];
		w->maybe = (w->maybe & eq) << 1 | 1;
		w->sure = (w->sure & eq) << 1 | 1;
		w->seen_maybe |= w->maybe;
		w->seen_sure |= w->sure;
	}
}

/* From least to most bytes, each of them one of a class. */
static void
walk_class(struct walk *w, uint64_t class, size_t least, size_t most)
{
	uint64_t now = w->maybe, out = 0;
	size_t i;

	for (i = 1; i <= most; i++) {
		now = (now & class) << 1 | 1;
		w->seen_maybe |= now;
		if (i >= least)
			out |= now;
		/* Beyond the literal's length only bytes that repeat are left; and where not even its first byte can
		 * be of the class, nothing more begins. */
		if (i > w->l->n + least || (now == 1 && (class & 1) == 0))
			break;
	}
	w->maybe = out | 1;
	w->sure = 1;
}

static void
walk_pattern(struct walk *w, struct str pattern)
{
	size_t i;

	for (i = 0; i < pattern.n; i++) {
		if (pattern.p[i] == TMPL_DIGIT_MARK)
			walk_class(w, w->l->digits, 1, 1);
		else
			walk_bytes(w, str_sub(pattern, i, i + 1));
	}
}

/* The places of the literal whose byte is in a slot's set. */
static uint64_t
class_of(const struct tmpl_literal *l, uint64_t chars)
{
	uint64_t class = 0;
	unsigned c;

	for (c = '-'; c <= 'z'; c++)
		if (tmpl_char_bit((uint8_t)c) & chars)
			class |= l->eq[c];
	return class;
}

/* A canonical number: digits, and with a scale a point before the last of them. */
static void
walk_number(struct walk *w, const struct tmpl_slot *s)
{
	const struct tmpl_literal *l = w->l;

	if (s->scale == 0) {
		walk_class(w, l->digits, 1, s->size);
		return;
	}
	if (s->size < s->scale + 2) {
		walk_class(w, l->digits | l->eq['.'], 1, s->size);
		return;
	}
	walk_class(w, l->digits, 1, s->size - s->scale - 1);
	walk_bytes(w, STR("."));
	walk_class(w, l->digits, s->scale, s->scale);
}

static void
walk_ipv4(struct walk *w)
{
	unsigned i;

	for (i = 0; i < 4; i++) {
		if (i > 0)
			walk_bytes(w, STR("."));
		walk_class(w, w->l->digits, 1, 3);
	}
}

static void
walk_slot(struct walk *w, const struct tmpl_slot *s)
{
	const struct tmpl_literal *l = w->l;

	switch (s->type) {
	case SLOT_CONST:
		walk_bytes(w, s->text);
		break;
	case SLOT_NUM:
		walk_bytes(w, s->text);
		walk_number(w, s);
		walk_bytes(w, s->suffix);
		break;
	case SLOT_PATTERN:
		walk_pattern(w, s->text);
		break;
	case SLOT_HEX:
		walk_class(w, l->hex, s->size * 2, s->size * 2);
		break;
	case SLOT_IPV4:
		walk_ipv4(w);
		break;
	case SLOT_DICT:
	case SLOT_TEXT:
	case SLOT_COMMON:
		walk_class(w, class_of(l, s->chars), 1, s->size);
		break;
	}
}

/* Whether a gap may meet a character beyond ASCII, which is longer than a byte; variables have none. */
static bool
is_beyond(const struct tmpl *t, const struct tmpl_literal *l)
{
	uint8_t all = 0;
	size_t i, k;

	for (i = 0; l->m.gaps && i <= t->n_slots; i++)
		for (k = 0; k < t->pieces[i].n; k++)
			all |= t->pieces[i].p[k];
	return all >= 0x80;
}

enum tmpl_answer
tmpl_classify(const struct tmpl *t, const struct tmpl_literal *l)
{
	struct walk w = { l, 1, 1, 1, 1 };
	uint64_t last = UINT64_C(1) << l->n;
	size_t i;

	if (is_beyond(t, l))
		return TMPL_MAYBE;
	walk_bytes(&w, t->pieces[0]);
	for (i = 0; i < t->n_slots; i++) {
		walk_slot(&w, &t->slots[i]);
		walk_bytes(&w, t->pieces[i + 1]);
	}
	if (w.seen_sure & last)
		return l->n == l->m.literal.n ? TMPL_ALL : TMPL_MAYBE;
	return w.seen_maybe & last ? TMPL_MAYBE : TMPL_NO;
}

/* Rows put together, until there are enough to be searched at once. */
struct gather {
	const struct block_match *m;
	uint8_t *p;
	size_t n, cap;
	size_t total; /* bytes of all rows so far */
	uint32_t *ends, *rows;
	size_t n_rows;
	uint64_t *found;
};

static void
gather_search(struct gather *g)
{
	block_match_run(g->m, str_of(g->p, g->n), g->ends, g->rows, g->found);
	g->n = 0;
	g->n_rows = 0;
}

static int
gather_row(struct gather *g, struct arena *arena, const struct tmpl *t, size_t k, size_t row)
{
	if (g->cap - g->n < t->row_max) {
		gather_search(g);
		if (g->cap < t->row_max) {
			g->p = arena_alloc(arena, t->row_max);
			g->cap = t->row_max;
		}
		if (g->p == NULL)
			return err_origin(-ENOMEM);
	}
	g->total -= g->n;
	g->n = (size_t)(tmpl_write(t, k, g->p + g->n) - g->p);
	g->total += g->n;
	if (g->total > ENC_BYTES_MAX)
		return BLOCK_E_CORRUPT;
	g->ends[g->n_rows] = (uint32_t)g->n;
	g->rows[g->n_rows++] = (uint32_t)row;
	return 0;
}

/* The row of each value, or NULL when value i is row i. */
static int
find_rows(struct tmpl_set *set, uint32_t **ret)
{
	uint32_t *rows;
	size_t row, i = 0;

	*ret = NULL;
	if (set->present == NULL)
		return 0;
	rows = arena_alloc(set->arena, (set->n_values + 1) * sizeof(*rows));
	if (rows == NULL)
		return err_origin(-ENOMEM);
	BITS_FOREACH(row, set->present, set->c->n_rows)
	rows[i++] = (uint32_t)row;
	*ret = rows;
	return 0;
}

/* One question to the text for all values that are text; those that contain it are set in ${found}. */
static int
ask_text(struct tmpl_set *set, const struct block_match *m, const uint32_t *rows,
    const uint64_t *sel, uint64_t *found)
{
	uint64_t *text_sel = arena_zalloc(set->arena, BITS_WORDS(set->n_text) + 1, 8);
	size_t k, row;
	int r;

	if (text_sel == NULL)
		return err_origin(-ENOMEM);
	for (k = 0; k < set->n_text; k++) {
		row = rows != NULL ? rows[set->others[k]] : set->others[k];
		if (bits_get(sel, row))
			bits_set(text_sel, k);
	}
	if (bits_none(text_sel, set->n_text))
		return 0;
	r = tmpl_open_text(set);
	if (r == 0)
		r = enc_text_contains(&set->text, m, text_sel);
	if (r != 0)
		return r;
	BITS_FOREACH(k, text_sel, set->n_text)
	bits_set(found, rows != NULL ? rows[set->others[k]] : set->others[k]);
	return 0;
}

/* The answers of the templates; those that cannot tell are loaded. */
static int
ask_templates(struct tmpl_set *set, const struct block_match *m, uint8_t *answers, bool *ret_maybe)
{
	struct tmpl_literal l;
	size_t i;
	int r;

	tmpl_literal_init(&l, m);
	*ret_maybe = false;
	answers[0] = TMPL_NO; /* text is asked apart */
	for (i = 0; i < set->n; i++) {
		answers[i + 1] = (uint8_t)tmpl_classify(&set->tmpls[i], &l);
		if (answers[i + 1] != TMPL_MAYBE)
			continue;
		*ret_maybe = true;
		r = tmpl_load(set, &set->tmpls[i]);
		if (r != 0)
			return r;
	}
	return 0;
}

/* The rows of one template: a comparison a row, many at once. */
static void
find_one(const struct tmpl_set *set, uint32_t code, uint64_t *found)
{
	size_t n = set->c->n_rows, w, k;
	uint8_t equal[64];
	uint64_t byte;

	for (w = 0; w < n / 64; w++) {
		for (k = 0; k < 64; k++)
			equal[k] = set->codes[w * 64 + k] == code;
		for (k = 0; k < 8; k++) {
			memcpy(&byte, equal + 8 * k, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
			byte = __builtin_bswap64(byte);
#endif
			/* Eight bytes of 0 or 1 to eight bits. */
			found[w] |= (byte * UINT64_C(0x0102040810204080) >> 56) << (8 * k);
		}
	}
	for (k = w * 64; k < n; k++)
		found[w] |= (uint64_t)(set->codes[k] == code) << (k % 64);
}

/* Every row has a value: a table look-up a row says which templates have it in all their rows. */
static void
find_known(const struct tmpl_set *set, const uint8_t *all, uint64_t *found)
{
	size_t n = set->c->n_rows, w, k, end;
	const uint8_t *first = memchr(all, 1, set->n + 1);
	uint64_t bits;

	if (first == NULL)
		return;
	if (memchr(first + 1, 1, (size_t)(all + set->n - first)) == NULL) {
		find_one(set, (uint32_t)(first - all), found);
		return;
	}
	for (w = 0; w < BITS_WORDS(n); w++) {
		end = n - w * 64 < 64 ? n - w * 64 : 64;
		for (bits = k = 0; k < end; k++)
			bits |= (uint64_t)all[set->codes[w * 64 + k]] << k;
		found[w] |= bits;
	}
}

/* Some template cannot tell, or some row has no value. */
static int
find_unknown(struct tmpl_set *set, const uint8_t *answers, const uint32_t *rows,
    const uint64_t *sel, struct gather *g)
{
	uint32_t *next = arena_zalloc(set->arena, set->n + 1, sizeof(*next)), code, k;
	size_t row, i;
	int r;

	if (next == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < set->n_values; i++) {
		row = rows != NULL ? rows[i] : i;
		code = set->codes[i];
		k = next[code]++;
		if (code == 0 || answers[code] == TMPL_NO || !bits_get(sel, row))
			continue;
		if (answers[code] == TMPL_ALL) {
			bits_set(g->found, row);
			continue;
		}
		r = gather_row(g, set->arena, &set->tmpls[code - 1], k, row);
		if (r != 0)
			return r;
	}
	gather_search(g);
	return 0;
}

static int
gather_init(struct gather *g, struct tmpl_set *set)
{
	g->cap = RUN;
	g->p = arena_alloc(set->arena, g->cap);
	g->ends = arena_alloc(set->arena, (set->n_values + 1) * sizeof(*g->ends));
	g->rows = arena_alloc(set->arena, (set->n_values + 1) * sizeof(*g->rows));
	if (g->p == NULL || g->ends == NULL || g->rows == NULL)
		return err_origin(-ENOMEM);
	return 0;
}

/* All answers into g->found. */
static int
find_all(struct tmpl_set *set, const struct block_match *m, const uint64_t *sel, struct gather *g)
{
	uint8_t *answers = arena_zalloc(set->arena, set->n + 1, 1);
	uint32_t *rows;
	bool maybe;
	size_t i;
	int r;

	if (answers == NULL)
		return err_origin(-ENOMEM);
	r = ask_templates(set, m, answers, &maybe);
	if (r == 0)
		r = find_rows(set, &rows);
	if (r != 0)
		return r;
	if (maybe || rows != NULL) {
		r = gather_init(g, set);
		if (r == 0)
			r = find_unknown(set, answers, rows, sel, g);
	} else {
		for (i = 0; i <= set->n; i++)
			answers[i] = answers[i] == TMPL_ALL;
		find_known(set, answers, g->found);
	}
	return r != 0 ? r : ask_text(set, m, rows, sel, g->found);
}

int
enc_tmpl_contains(const struct enc_chunk *c, const struct block_match *m, uint64_t *sel)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	struct gather g = { .m = m };
	struct tmpl_set set;
	size_t i;
	int r;

	r = tmpl_open(c, &arena, &set);
	if (r != 0)
		return r;
	g.found = arena_zalloc(&arena, BITS_WORDS(c->n_rows) + 1, sizeof(*g.found));
	if (g.found == NULL)
		return err_origin(-ENOMEM);
	r = find_all(&set, m, sel, &g);
	for (i = 0; r == 0 && i < BITS_WORDS(c->n_rows); i++)
		sel[i] &= g.found[i];
	return r;
}
