/*
 * store/tmpl_ipv4.c - IPv4 addresses among template-coded values.
 * One job: which rows have an address of a range, without their texts.
 * Floor: 2 (uses record, base).
 *
 * An address is one token, so that in a column of addresses one template is nothing but an address slot, and its values are
 * integers.  A template with a byte between its variables that no address has is none.  Any other template may have addresses
 * in forms of its own: then the column is not for here.
 */
#include "store/tmpl.h"

/* Where addresses are: the code of the template, or 0 when none has any. */
static bool
find_template(const struct tmpl_set *set, uint32_t *ret_code)
{
	const struct tmpl *t;
	size_t i, k, n;
	bool other;

	*ret_code = 0;
	for (i = 0; i < set->n; i++) {
		t = &set->tmpls[i];
		for (n = k = 0, other = false; k <= t->n_slots; k++) {
			for (n = 0; n < t->pieces[k].n && !other; n++)
				other = (t->pieces[k].p[n] < '0' || t->pieces[k].p[n] > '9') &&
				    t->pieces[k].p[n] != '.';
		}
		if (other)
			continue;
		if (*ret_code != 0 || t->n_slots != 1 || t->slots[0].type != SLOT_IPV4 ||
		    t->pieces[0].n != 0 || t->pieces[1].n != 0)
			return false;
		*ret_code = (uint32_t)i + 1;
	}
	return true;
}

/* The values in their order; those of row ${row}, which is value ${i}. */
struct ranged {
	const struct tmpl_set *set;
	const struct enc_ipv4 *q;
	const struct column *text;
	const int64_t *next;
	uint32_t code;
	size_t next_text;
	uint64_t *found;
};

static inline void
take(struct ranged *g, size_t i, size_t row, const uint64_t *sel)
{
	uint32_t code = g->set->codes[i];
	uint64_t v;

	if (code == 0) {
		if (bits_get(sel, row) &&
		    g->q->is_in(g->q->ctx, column_value(g->text, g->next_text, NULL)))
			bits_set(g->found, row);
		g->next_text++;
	} else if (code == g->code) {
		v = (uint64_t)*g->next++;
		g->found[row / 64] |= (uint64_t)(v >= g->q->min && v <= g->q->max) << (row % 64);
	}
}

int
enc_tmpl_ipv4(const struct enc_chunk *c, const struct enc_ipv4 *q, uint64_t *sel)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	struct ranged g = { .q = q };
	struct tmpl_set set;
	struct enc_rows all_text;
	struct column text;
	size_t row, i = 0;
	int r;

	r = tmpl_open(c, &arena, &set);
	if (r != 0)
		return r;
	if (!find_template(&set, &g.code))
		return BLOCK_E_OTHER;
	all_text = (struct enc_rows){ NULL, set.n_text };
	r = tmpl_text(&set, &all_text, &text);
	if (r == 0 && g.code != 0)
		r = tmpl_load(&set, &set.tmpls[g.code - 1]);
	if (r != 0)
		return r;
	g.set = &set;
	g.text = &text;
	g.next = g.code != 0 ? set.tmpls[g.code - 1].slots[0].ints : NULL;
	g.found = arena_zalloc(&arena, BITS_WORDS(c->n_rows) + 1, sizeof(*g.found));
	if (g.found == NULL)
		return err_origin(-ENOMEM);
	if (set.present == NULL)
		for (row = 0; row < c->n_rows; row++)
			take(&g, row, row, sel);
	else
		BITS_FOREACH(row, set.present, c->n_rows)
	take(&g, i++, row, sel);
	for (i = 0; i < BITS_WORDS(c->n_rows); i++)
		sel[i] &= g.found[i];
	return 0;
}
