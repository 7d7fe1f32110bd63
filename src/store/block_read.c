/*
 * store/block_read.c - columns out.
 * One job: what is known of a column, and its decoded values.
 * Floor: 2 (uses record, base).
 */
#include "record/forms.h"
#include "store/block_internal.h"

size_t
block_n_rows(const struct block *b)
{
	return b->header.n_rows;
}

size_t
block_n_columns(const struct block *b)
{
	return b->n_listed;
}

static const char *
encoding_name(unsigned enc)
{
	static const char *const names[] = { "unknown", "const", "dict", "int", "time", "id",
		"text", "template", "rest", "shape" };

	return enc < ARRAY_LEN(names) ? names[enc] : names[0];
}

static enum column_kind
kind_of(unsigned enc)
{
	static const enum column_kind kinds[] = { COLUMN_TEXT, COLUMN_CONST, COLUMN_DICT,
		COLUMN_INT, COLUMN_TIME, COLUMN_DICT, COLUMN_TEXT, COLUMN_TEXT, COLUMN_STRS };

	return enc < ARRAY_LEN(kinds) ? kinds[enc] : COLUMN_TEXT;
}

static void
info_of(const struct block_entry *e, struct block_column_info *ret)
{
	*ret = (struct block_column_info){ .name = e->name,
		.encoding = encoding_name(e->enc),
		.kind = kind_of(e->enc),
		.n_bytes = e->len,
		.has_range = (e->flags & ENTRY_HAS_RANGE) != 0,
		.min = e->min,
		.max = e->max,
		.scale = e->scale,
		.value = e->value,
		.is_id = block_entry_is_id(e),
		.id_form = e->enc == ENC_ID };
}

void
block_column_at(const struct block *b, size_t i, struct block_column_info *ret)
{
	info_of(&b->entries[i], ret);
}

bool
block_column_find(const struct block *b, struct str name, struct block_column_info *ret)
{
	const struct block_entry *e = block_entry_find(b, name);

	if (e == NULL)
		return false;
	info_of(e, ret);
	return true;
}

static int
decode_chunk(const struct enc_chunk *c, unsigned enc, const struct enc_rows *rows,
    struct arena *arena, struct column *ret)
{
	switch (enc) {
	case ENC_DICT:
		return enc_dict_get(c, rows, arena, ret);
	case ENC_INT:
		return enc_int_get(c, rows, arena, ret);
	case ENC_TIME:
		return enc_time_get(c, rows, arena, ret);
	case ENC_ID:
		return enc_id_get(c, rows, arena, ret);
	case ENC_TEXT:
		return enc_text_get(c, rows, arena, ret);
	case ENC_TMPL:
		return enc_tmpl_get(c, rows, arena, ret);
	}
	return BLOCK_E_CORRUPT;
}

static size_t
bytes_of(const struct str *v, size_t n)
{
	size_t i, sum = 0;

	for (i = 0; i < n; i++)
		sum += v[i].n;
	return sum;
}

/* Bytes of text that the column stands for. */
static size_t
text_of(const struct column *c)
{
	switch (c->kind) {
	case COLUMN_DICT:
		return bytes_of(c->dict, c->n_dict);
	case COLUMN_TEXT:
		return c->offs[c->n_rows] - c->offs[0];
	case COLUMN_STRS:
		return bytes_of(c->strs, c->n_rows);
	case COLUMN_CONST:
	case COLUMN_INT:
	case COLUMN_TIME:
		break;
	}
	return 0;
}

/* A block's fields have ENC_BYTES_MAX together; few bytes of a hostile one could stand for that in each of many. */
static int
charge(struct block *b, struct block_entry *e, const struct column *c)
{
	uint64_t n = text_of(c);

	if (e->role != ROLE_FIELD || n <= e->decoded)
		return 0;
	b->decoded += n - e->decoded;
	e->decoded = n;
	if (b->decoded > ENC_BYTES_MAX)
		return block_fault(b, e, b->data_at + e->at, "more text than a block may have");
	return 0;
}

int
block_decode(struct block *b, struct block_entry *e, const struct enc_rows *rows,
    struct arena *arena, struct column *ret)
{
	struct enc_chunk c;
	int r;

	if (e->enc == ENC_CONST) {
		*ret = column_const(e->name, e->value, rows->n);
		return 0;
	}
	if (!enc_is_known(e->enc, e->version))
		return block_fault(b, e, b->data_at + e->at, "an encoding of a newer version");
	if (e->enc == ENC_REST)
		return block_rest_column(b, e, rows, arena, ret);
	/* Whoever asks for _time counts on its kind. */
	if ((e->role == ROLE_TIME) != (e->enc == ENC_TIME) || e->enc > ENC_TMPL)
		return block_fault(b, e, b->data_at + e->at, "unknown encoding");
	r = block_chunk(b, e, &c);
	if (r != 0)
		return r;
	r = decode_chunk(&c, e->enc, rows, arena, ret);
	if (r == 0)
		return charge(b, e, ret);
	return r == BLOCK_E_CORRUPT ? block_damaged(b, e) : r;
}

int
block_column(struct block *b, struct str name, const uint32_t *rows, size_t n, struct arena *arena,
    struct column *ret)
{
	struct enc_rows which = { rows, rows != NULL ? n : b->header.n_rows };
	struct block_entry *e = block_entry_find(b, name);

	if (e == NULL) {
		*ret = column_const(name, STR_NONE, which.n);
		return 0;
	}
	return block_decode(b, e, &which, arena, ret);
}

int
block_ints(struct block *b, struct str name, struct arena *arena, struct block_ints *ret)
{
	struct block_entry *e = block_entry_find(b, name);
	struct enc_chunk c;
	int r;

	if (e == NULL || e->enc != ENC_INT || e->role == ROLE_TIME || e->version != 1)
		return BLOCK_E_OTHER;
	r = block_chunk(b, e, &c);
	if (r == 0)
		r = enc_int_stored(&c, arena, ret);
	return r == BLOCK_E_CORRUPT ? block_damaged(b, e) : r;
}

int
block_count_times(struct block *b, const uint64_t *sel, block_times_fn range, void *ctx)
{
	struct block_entry *e = block_entry_find(b, STR("_time"));
	struct enc_chunk c;
	int r;

	if (e == NULL || e->enc != ENC_TIME || e->role != ROLE_TIME || e->version != 1)
		return BLOCK_E_OTHER;
	r = block_chunk(b, e, &c);
	if (r == 0)
		r = enc_time_count(&c, sel, range, ctx);
	return r == BLOCK_E_CORRUPT ? block_damaged(b, e) : r;
}

int
block_forms(struct block *b, struct str name, const uint32_t *rows, size_t n, struct arena *arena,
    struct column *ret)
{
	struct enc_rows which = { rows, rows != NULL ? n : b->header.n_rows };
	struct block_entry *e = block_entry_find(b, name);
	struct column values;
	struct enc_chunk c;
	int r;

	if (e == NULL || e->enc != ENC_TMPL || !enc_is_known(e->enc, e->version)) {
		r = block_column(b, name, rows, n, arena, &values);
		return r != 0 ? r : forms_of_column(&values, arena, ret);
	}
	r = block_chunk(b, e, &c);
	if (r == 0)
		r = enc_tmpl_forms(&c, &which, arena, ret);
	return r == BLOCK_E_CORRUPT ? block_damaged(b, e) : r;
}

int
block_verify(struct block *b, block_report_fn report, void *ctx)
{
	const struct enc_rows all = { NULL, b->header.n_rows };
	struct arena arena = ARENA_INIT;
	struct column c;
	size_t i;
	int r = 0;

	for (i = 0; i < b->n_entries && r >= 0; i++) {
		if (b->entries[i].enc == ENC_REST)
			continue;
		if (b->entries[i].role == ROLE_SHAPE)
			r = block_check_shapes(b, &b->entries[i], &arena);
		else
			r = block_decode(b, &b->entries[i], &all, &arena, &c);
		if (r == BLOCK_E_CORRUPT)
			report(ctx, b->entries[i].name, b->bad_at, b->bad_what);
		arena_clear(&arena);
	}
	arena_fini(&arena);
	return r < 0 ? err_trace(r) : 0;
}
