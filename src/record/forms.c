/*
 * record/forms.c - which forms messages have.
 * One job: numbers for skeletons, so that rows of one form are known by a small number.
 * Floor: 1 (uses base).
 */
#include "record/forms.h"

#include "record/skeleton.h"

void
forms_fini(struct forms *f)
{
	map_fini(&f->numbers);
	buf_fini(&f->text);
}

int
forms_number(struct forms *f, struct str msg, uint32_t *ret)
{
	struct map_entry *e;
	bool is_new;

	buf_clear(&f->text);
	skeleton_of(&f->text, msg);
	if (f->text.failed)
		return buf_err(&f->text);
	e = map_put(&f->numbers, buf_view(&f->text), &is_new);
	if (e == NULL)
		return err_origin(-ENOMEM);
	*ret = (uint32_t)(e - f->numbers.entries);
	return 0;
}

int
forms_column(const struct forms *f, const uint32_t *codes, size_t n_rows, struct arena *arena,
    struct column *ret)
{
	struct str *dict = arena_alloc(arena, (f->numbers.n + 1) * sizeof(*dict));
	size_t i;

	if (dict == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < f->numbers.n; i++) {
		dict[i] = arena_dup(arena, f->numbers.entries[i].key);
		if (dict[i].p == NULL)
			return err_origin(-ENOMEM);
	}
	*ret = (struct column){ .kind = COLUMN_DICT,
		.n_rows = n_rows,
		.dict = dict,
		.n_dict = f->numbers.n,
		.codes = codes };
	return 0;
}

/* The numbers of rows that have dict[codes[i]]; codes that no row has make no form. */
static int
number_codes(struct forms *f, const struct column *c, uint32_t *out)
{
	AUTO_FREE uint32_t *numbers = malloc((c->n_dict + 1) * sizeof(*numbers));
	size_t i;
	int r;

	if (numbers == NULL)
		return err_origin(-ENOMEM);
	memset(numbers, 0xff, (c->n_dict + 1) * sizeof(*numbers));
	for (i = 0; i < c->n_rows; i++) {
		if (numbers[c->codes[i]] == UINT32_MAX) {
			r = forms_number(f, c->dict[c->codes[i]], &numbers[c->codes[i]]);
			if (r != 0)
				return err_trace(r);
		}
		out[i] = numbers[c->codes[i]];
	}
	return 0;
}

static int
number_rows(struct forms *f, const struct column *c, uint32_t *out)
{
	char scratch[COLUMN_SCRATCH];
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < c->n_rows; i++)
		r = forms_number(f, column_value(c, i, scratch), &out[i]);
	return err_trace(r);
}

static int
forms_of_const(struct forms *f, const struct column *c, struct arena *arena, struct column *ret)
{
	struct str form;
	uint32_t number = 0;
	int r = forms_number(f, c->value, &number);

	if (r != 0)
		return err_trace(r);
	form = arena_dup(arena, f->numbers.entries[number].key);
	if (form.p == NULL)
		return err_origin(-ENOMEM);
	*ret = column_const(c->name, form, c->n_rows);
	return 0;
}

int
forms_of_column(const struct column *c, struct arena *arena, struct column *ret)
{
	AUTO_FINI(forms_fini) struct forms f = FORMS_INIT;
	uint32_t *codes;
	int r;

	if (c->kind == COLUMN_CONST)
		return forms_of_const(&f, c, arena, ret);
	codes = arena_alloc(arena, (c->n_rows + 1) * sizeof(*codes));
	if (codes == NULL)
		return err_origin(-ENOMEM);
	r = c->kind == COLUMN_DICT ? number_codes(&f, c, codes) : number_rows(&f, c, codes);
	return r != 0 ? err_trace(r) : err_trace(forms_column(&f, codes, c->n_rows, arena, ret));
}
