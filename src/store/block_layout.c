/*
 * store/block_layout.c - rows of a known layout.
 * One job: say at once which columns and which shape a record has, when one of its layout came before.
 * Floor: 2 (uses record, base).
 *
 * A shape says what stands between the values, and that is the same for all lines of a layout: it is compared once a
 * block, not once a row.  What differs is the time, which has to be written again to see that its text comes back; once a form
 * where that is known.
 */
#include "store/block_build.h"

const struct build_layout *
block_layout_find(struct block_builder *b, const struct record *rec)
{
	struct build_layout *l = &b->layouts[rec->layout % BUILD_LAYOUTS];
	struct str text = rec->time_text, now;

	if (l->id != rec->layout || l->n != rec->n_fields)
		return NULL;
	if (l->style == NULL)
		return text.n == 0 ? l : NULL;
	/* Second and fraction have as many digits in all texts of a form, and all else is the same. */
	if (LIKELY(rec->time_form != 0 && rec->time_form == l->time_form))
		return l;
	now = time_text_of(&b->shapes.time, l->style, rec->time.ns);
	if (now.n != text.n || !bytes_equal(now.p, text.p, text.n))
		return NULL;
	l->time_form = rec->time_form;
	return l;
}

/* A name that stands twice: its values are one column's, and only the first of them is in it. */
static bool
has_twice(const struct build_layout *l)
{
	size_t i, k;

	for (i = 0; i < l->n; i++)
		for (k = 0; k < i; k++)
			if (l->columns[k] == l->columns[i] && l->columns[i] != BLOCK_NO_COLUMN)
				return true;
	return false;
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
	l->time_form = rec->time_form;
	l->n_fixed = fixed.n;
	l->n_lined = fixed.n_lined;
	l->n = rec->n_fields;
	l->code = code;
	l->id = has_twice(l) ? 0 : rec->layout;
}
