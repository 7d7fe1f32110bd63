/*
 * store/tmpl_word.c - words in the fixed part of template-coded values.
 * One job: which rows have a word for certain, by their template alone.
 * Floor: 2 (uses record, base).
 *
 * A word that stands in what all rows of a template share, between bytes that are part of no word, is in each of them: none
 * is put together.  Beside a variable or a byte that is not ASCII nothing is certain, and the row is left to be tested.
 */
#include "store/tmpl.h"

static bool
ends_word(uint8_t c)
{
	return c < 0x80 && !(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'Z') &&
	    !(c >= 'a' && c <= 'z') && c != '_';
}

/* ${starts}, ${ends}: the piece begins, ends the value. */
static bool
is_in_piece(struct str piece, bool starts, bool ends, const struct block_match *m, bool is_prefix)
{
	size_t at = 0, hit, end;
	bool before, after;

	while ((hit = block_match_find(m, str_sub(piece, at, piece.n))) != SIZE_MAX) {
		at += hit;
		end = at + m->literal.n;
		before = at == 0 ? starts : ends_word(piece.p[at - 1]);
		after = is_prefix || (end == piece.n ? ends : ends_word(piece.p[end]));
		if (before && after)
			return true;
		at++;
	}
	return false;
}

static bool
is_in_template(const struct tmpl *t, const struct block_match *m, bool is_prefix)
{
	size_t i;

	for (i = 0; i <= t->n_slots; i++)
		if (is_in_piece(t->pieces[i], i == 0, i == t->n_slots, m, is_prefix))
			return true;
	return false;
}

int
enc_tmpl_word(const struct enc_chunk *c, const struct block_match *m, bool is_prefix,
    uint64_t *found)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	struct tmpl_set set;
	uint8_t *yes;
	size_t row, i, n = 0;
	int r;

	r = tmpl_open(c, &arena, &set);
	if (r != 0)
		return r;
	yes = arena_zalloc(&arena, set.n + 1, 1);
	if (yes == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < set.n; i++)
		n += yes[i + 1] = is_in_template(&set.tmpls[i], m, is_prefix);
	if (n == 0)
		return 0;
	if (set.present == NULL) {
		for (row = 0; row < c->n_rows; row++)
			found[row / 64] |= (uint64_t)yes[set.codes[row]] << (row % 64);
		return 0;
	}
	i = 0;
	BITS_FOREACH(row, set.present, c->n_rows)
	found[row / 64] |= (uint64_t)yes[set.codes[i++]] << (row % 64);
	return 0;
}
