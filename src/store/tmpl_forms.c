/*
 * store/tmpl_forms.c - the forms of template-coded values.
 * One job: which skeleton each row has, from the table of templates and the rows' codes, without any variable.
 * Floor: 2 (uses record, base).
 *
 * Templates and skeletons go by one rule (record/skeleton.h): whatever the variables of a template are, each bears a digit and
 * ends where its bytes end.  So a template's words with some digit between them have the skeleton of all its rows.
 */
#include "record/forms.h"
#include "store/tmpl.h"

/* The number of each template's form, where some row has it; of the rows that have none and of text it is set elsewhere. */
static int
number_templates(struct tmpl_set *set, struct forms *f, uint32_t *numbers)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	const struct tmpl *t;
	size_t i, k;
	int r = tmpl_count(set);

	for (i = 0; r == 0 && i < set->n; i++) {
		t = &set->tmpls[i];
		if (t->n_rows == 0)
			continue;
		buf_clear(&text);
		buf_str(&text, t->pieces[0]);
		for (k = 0; k < t->n_slots; k++) {
			buf_byte(&text, '0');
			buf_str(&text, t->pieces[k + 1]);
		}
		r = buf_err(&text);
		if (r == 0)
			r = forms_number(f, buf_view(&text), &numbers[i + 1]);
	}
	return err_trace(r);
}

/* Every row has a value and none of them is text: a look-up a row. */
static void
look_up(const struct tmpl_set *set, const struct enc_rows *rows, const uint32_t *numbers,
    uint32_t *out)
{
	size_t k;

	for (k = 0; k < rows->n; k++)
		out[k] = numbers[set->codes[rows->rows != NULL ? rows->rows[k] : k]];
}

/* Some rows are text or have no value. */
static int
number_rows(struct tmpl_set *set, const struct enc_rows *rows, const uint32_t *numbers,
    struct forms *f, uint32_t *out)
{
	uint32_t *places = arena_alloc(set->arena, (rows->n + 1) * sizeof(*places));
	struct enc_rows text_rows;
	struct column text;
	size_t k;
	int r;

	if (places == NULL)
		return err_origin(-ENOMEM);
	r = tmpl_places(set, rows, out, places, &text_rows);
	if (r == 0)
		r = tmpl_text(set, &text_rows, &text);
	for (k = 0; r == 0 && k < rows->n; k++) {
		if (out[k] == TMPL_NONE)
			r = forms_number(f, STR_NONE, &out[k]);
		else if (out[k] == 0)
			r = forms_number(f, column_value(&text, places[k], NULL), &out[k]);
		else
			out[k] = numbers[out[k]];
	}
	return r;
}

static int
list_all(struct tmpl_set *set, struct enc_rows *rows)
{
	uint32_t *all = arena_alloc(set->arena, (rows->n + 1) * sizeof(*all));
	size_t i;

	if (all == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < rows->n; i++)
		all[i] = (uint32_t)i;
	rows->rows = all;
	return 0;
}

int
enc_tmpl_forms(const struct enc_chunk *c, const struct enc_rows *wanted, struct arena *arena,
    struct column *ret)
{
	AUTO_FINI(forms_fini) struct forms f = FORMS_INIT;
	AUTO_FINI(arena_fini) struct arena own = ARENA_INIT;
	struct enc_rows rows = *wanted;
	uint32_t *numbers, *out;
	struct tmpl_set set;
	int r;

	r = tmpl_open(c, &own, &set);
	if (r != 0)
		return r;
	numbers = arena_alloc(&own, (set.n + 1) * sizeof(*numbers));
	out = arena_alloc(arena, (rows.n + 1) * sizeof(*out));
	if (numbers == NULL || out == NULL)
		return err_origin(-ENOMEM);
	r = number_templates(&set, &f, numbers);
	if (r == 0 && set.present == NULL && set.n_text == 0) {
		look_up(&set, &rows, numbers, out);
	} else if (r == 0) {
		r = rows.rows == NULL ? list_all(&set, &rows) : 0;
		if (r == 0)
			r = number_rows(&set, &rows, numbers, &f, out);
	}
	return r != 0 ? r : err_trace(forms_column(&f, out, rows.n, arena, ret));
}
