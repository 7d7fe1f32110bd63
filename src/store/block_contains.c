/*
 * store/block_contains.c - substrings.
 * One job: which rows of a column contain a literal, with as little decoding as the encoding allows.
 * Floor: 2 (uses record, base).
 */
#include "store/block_contains.h"

#include "store/block_internal.h"

/* Whether the literal from ${at} on stands at text[from..).  A gap takes one byte of ASCII, or one beyond it and all that belong
 * to that. */
static bool
stands_at(const struct block_match *m, size_t at, struct str text, size_t from)
{
	uint8_t c;

	for (; at < m->literal.n; at++) {
		if (from == text.n)
			return false;
		c = text.p[from++];
		if (!block_match_is_gap(m, at)) {
			if ((m->nocase ? str_lower_byte(c) : c) != m->literal.p[at])
				return false;
			continue;
		}
		while (c >= 0x80 && from < text.n && (text.p[from] & 0xc0) == 0x80)
			from++;
	}
	return true;
}

size_t
block_match_gaps(const struct block_match *m, struct str text)
{
	struct str run = m->literal;
	size_t at = 0, n = 0, hit;

	while (n < run.n && !block_match_is_gap(m, n))
		n++;
	run.n = n;
	for (;; at += hit + 1) {
		hit = m->nocase ? str_find_nocase(str_sub(text, at, text.n), run)
		                : str_find(str_sub(text, at, text.n), run);
		if (hit == SIZE_MAX)
			return SIZE_MAX;
		if (stands_at(m, n, text, at + hit + n))
			return at + hit;
	}
}

void
block_match_run(const struct block_match *m, struct str text, const uint32_t *ends,
    const uint32_t *rows, uint64_t *found)
{
	size_t at = 0, k = 0, hit;

	while ((hit = block_match_find(m, str_sub(text, at, text.n))) != SIZE_MAX) {
		at += hit;
		while (ends[k] <= at)
			k++;
		/* A hit that spans two values is none. */
		if (at + m->literal.n <= ends[k]) {
			bits_set(found, rows[k]);
			at = ends[k];
		} else {
			at++;
		}
	}
}

/* Clear the bits of rows whose value, numbered by codes, is not in ${hit}. */
static void
keep_codes(const struct column *c, const uint8_t *hit, uint64_t *sel)
{
	size_t w, k, n;
	uint64_t keep;

	for (w = 0; w < BITS_WORDS(c->n_rows); w++) {
		if (sel[w] == 0)
			continue;
		n = c->n_rows - w * 64 < 64 ? c->n_rows - w * 64 : 64;
		keep = 0;
		for (k = 0; k < n; k++)
			keep |= (uint64_t)hit[c->codes[w * 64 + k]] << k;
		sel[w] &= keep;
	}
}

static int
keep_dict(const struct column *c, const struct block_match *m, struct arena *arena, uint64_t *sel)
{
	uint8_t *hit = arena_alloc(arena, c->n_dict + 1);
	size_t i, n = 0;

	if (hit == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < c->n_dict; i++)
		n += hit[i] = block_match_find(m, c->dict[i]) != SIZE_MAX;
	if (n == 0)
		bits_zero(sel, c->n_rows);
	else if (n < c->n_dict)
		keep_codes(c, hit, sel);
	return 0;
}

static void
keep_values(const struct column *c, const struct block_match *m, uint64_t *sel)
{
	char scratch[COLUMN_SCRATCH];
	size_t i;

	BITS_FOREACH(i, sel, c->n_rows)
	if (block_match_find(m, column_value(c, i, scratch)) == SIZE_MAX)
		bits_clear(sel, i);
}

/* No number contains a byte that is neither digit, '-' nor '.'. */
static bool
in_numbers(const struct block_match *m)
{
	const uint8_t *p = m->literal.p;
	size_t i;

	for (i = 0; i < m->literal.n; i++)
		if ((p[i] < '0' || p[i] > '9') && p[i] != '-' && p[i] != '.' &&
		    !block_match_is_gap(m, i))
			return false;
	return true;
}

static int
contains_decoded(struct block *b, struct block_entry *e, const struct block_match *m, uint64_t *sel)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	const struct enc_rows all = { NULL, b->header.n_rows };
	struct column c;
	int r;

	if (e->enc == ENC_INT && !in_numbers(m)) {
		bits_zero(sel, b->header.n_rows);
		return 0;
	}
	r = block_decode(b, e, &all, &arena, &c);
	if (r != 0)
		return r;
	if (c.kind == COLUMN_DICT)
		return err_trace(keep_dict(&c, m, &arena, sel));
	keep_values(&c, m, sel);
	return 0;
}

int
block_equals(struct block *b, struct str name, struct str value, struct arena *arena, uint64_t *sel)
{
	struct block_entry *e = block_entry_find(b, name);
	struct enc_chunk c;
	int r;

	if (e == NULL || e->enc != ENC_ID || e->version != 1 || e->role == ROLE_TIME)
		return BLOCK_E_OTHER;
	r = block_chunk(b, e, &c);
	if (r == 0)
		r = enc_id_equal(&c, value, arena, sel);
	return r == BLOCK_E_CORRUPT ? block_damaged(b, e) : r;
}

int
block_word(struct block *b, struct str name, struct str literal, bool nocase, bool is_prefix,
    uint64_t *found)
{
	const struct block_match m = { literal, nocase, false };
	struct block_entry *e = block_entry_find(b, name);
	struct enc_chunk c;
	int r;

	if (e == NULL || e->enc != ENC_TMPL || !enc_is_known(e->enc, e->version))
		return BLOCK_E_OTHER;
	r = block_chunk(b, e, &c);
	if (r == 0)
		r = enc_tmpl_word(&c, &m, is_prefix, found);
	return r == BLOCK_E_CORRUPT ? block_damaged(b, e) : r;
}

int
block_ipv4(struct block *b, struct str name, uint64_t min, uint64_t max,
    bool (*is_in)(void *ctx, struct str text), void *ctx, uint64_t *sel)
{
	const struct enc_ipv4 q = { min, max, is_in, ctx };
	struct block_entry *e = block_entry_find(b, name);
	struct enc_chunk c;
	int r;

	if (e == NULL || e->enc != ENC_TMPL || !enc_is_known(e->enc, e->version))
		return BLOCK_E_OTHER;
	r = block_chunk(b, e, &c);
	if (r == 0)
		r = enc_tmpl_ipv4(&c, &q, sel);
	return r == BLOCK_E_CORRUPT ? block_damaged(b, e) : r;
}

/* No ID contains a byte that is neither hex nor '-'. */
static bool
in_ids(const struct block_match *m)
{
	const uint8_t *p = m->literal.p;
	size_t i;

	for (i = 0; i < m->literal.n; i++)
		if ((p[i] < '0' || p[i] > '9') && p[i] != '-' && (p[i] < 'a' || p[i] > 'f') &&
		    !block_match_is_gap(m, i))
			return false;
	return true;
}

static int
contains_id(struct block *b, struct block_entry *e, const struct block_match *m, uint64_t *sel)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	struct enc_chunk c;
	int r;

	if (!in_ids(m)) {
		bits_zero(sel, b->header.n_rows);
		return 0;
	}
	if (e->version != 1 || m->gaps)
		return contains_decoded(b, e, m, sel);
	r = block_chunk(b, e, &c);
	if (r == 0)
		r = enc_id_contains(&c, m->literal, &arena, sel);
	if (r == BLOCK_E_OTHER)
		return contains_decoded(b, e, m, sel);
	return r == BLOCK_E_CORRUPT ? block_damaged(b, e) : r;
}

int
block_entry_contains(struct block *b, struct block_entry *e, const struct block_match *m,
    uint64_t *sel)
{
	struct enc_chunk c;
	int r;

	if (m->literal.n == 0 || bits_none(sel, b->header.n_rows))
		return 0;
	if (e == NULL || (e->enc == ENC_CONST && block_match_find(m, e->value) == SIZE_MAX)) {
		bits_zero(sel, b->header.n_rows);
		return 0;
	}
	if (e->enc == ENC_CONST)
		return 0;
	if (e->enc == ENC_ID)
		return contains_id(b, e, m, sel);
	if ((e->enc != ENC_TEXT && e->enc != ENC_TMPL) || !enc_is_known(e->enc, e->version))
		return contains_decoded(b, e, m, sel);
	r = block_chunk(b, e, &c);
	if (r != 0)
		return r;
	if (e->enc == ENC_TEXT)
		r = enc_text_contains(&c, m, sel);
	else
		r = enc_tmpl_contains(&c, m, sel);
	return r == BLOCK_E_CORRUPT ? block_damaged(b, e) : r;
}

int
block_contains(struct block *b, struct str name, struct str literal, bool nocase, uint64_t *sel)
{
	const struct block_match m = { literal, nocase, false };

	return err_trace(block_entry_contains(b, block_entry_find(b, name), &m, sel));
}

int
block_contains_any(struct block *b, struct str name, const struct literals *l, uint64_t *sel)
{
	size_t n = b->header.n_rows, n_words = BITS_WORDS(n), i, w;
	struct block_match m = { l->p[0], l->nocase, l->gaps };
	AUTO_FREE uint64_t *left = NULL, *one = NULL;
	int r = 0;

	if (l->n == 1)
		return err_trace(block_entry_contains(b, block_entry_find(b, name), &m, sel));
	left = malloc((n_words + 1) * sizeof(*left));
	one = malloc((n_words + 1) * sizeof(*one));
	if (left == NULL || one == NULL)
		return err_origin(-ENOMEM);
	memcpy(left, sel, n_words * sizeof(*left));
	for (i = 0; r == 0 && i < l->n && !bits_none(left, n); i++) {
		memcpy(one, left, n_words * sizeof(*one));
		m.literal = l->p[i];
		r = block_entry_contains(b, block_entry_find(b, name), &m, one);
		for (w = 0; r == 0 && w < n_words; w++)
			left[w] &= ~one[w];
	}
	for (w = 0; r == 0 && w < n_words; w++)
		sel[w] &= ~left[w];
	return r;
}
