/*
 * store/block_layout.c - rows of a known layout.
 * One job: say at once which columns and which shape a record has, when one of its layout came before.
 * Floor: 2 (uses record, base).
 *
 * A shape says what stands between the values, and that is the same for all lines of a layout: it is compared once a
 * block, not once a row.  What differs is the time, which has to be written again to see that its text comes back.
 */
#include "store/block_build.h"

const struct build_layout *
block_layout_find(struct block_builder *b, const struct record *rec, size_t n)
{
	const struct build_layout *l = &b->layouts[rec->layout % BUILD_LAYOUTS];
	struct str text;
	size_t i;

	if (l->id != rec->layout || l->n != rec->n_fields)
		return NULL;
	for (i = l->n_lined; i < l->n; i++)
		n -= rec->fields[i].value.n;
	/* Lengths that do not add up: somebody changed the record after all. */
	if (rec->line.n != n + l->n_fixed + rec->time_text.n)
		return NULL;
	if (l->style == NULL)
		return l;
	text = time_text_of(&b->shapes.time, l->style, rec->time.ns);
	if (text.n != rec->time_text.n || !bytes_equal(text.p, rec->time_text.p, text.n))
		return NULL;
	return l;
}

void
block_layout_learn(struct block_builder *b, const struct record *rec)
{
	struct build_layout *l = &b->layouts[rec->layout % BUILD_LAYOUTS];
	uint32_t code = b->codes[b->n_rows - 1];
	struct shape_fixed fixed;
	size_t i;

	l->id = 0;
	if (rec->n_fields > BUILD_LAYOUT_FIELDS || code < SHAPE_FIRST || b->rest_row.n != 0 ||
	    !shapes_fixed(&b->shapes, code, rec, &fixed))
		return;
	for (i = 0; i < rec->n_fields; i++)
		l->columns[i] =
		    rec->fields[i].value.n != 0 ? (uint16_t)b->columns_of[i] : BLOCK_NO_COLUMN;
	l->style = fixed.style;
	l->n_fixed = fixed.n;
	l->n_lined = fixed.n_lined;
	l->id = rec->layout;
	l->n = rec->n_fields;
	l->code = code;
}
