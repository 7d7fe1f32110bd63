/*
 * store/block_choose.c - which encoding.
 * One job: look at a column's values and encode them in the way that suits them.
 * Floor: 2 (uses record, base).
 *
 * In this order: constant; IDs; dictionary, unless the same numbers take fewer bits; numbers; templates, where they are shorter
 * than text; text.
 */
#include "base/hash.h"
#include "store/block_internal.h"

enum { FEW_ROWS = 64, FEW_VALUES = 64 };

static bool
is_const(const struct enc_values *v)
{
	struct str first = enc_value(v, 0);
	size_t i;

	if (first.n > ENC_CONST_MAX)
		return false;
	for (i = 1; i < v->n; i++)
		if (v->offs[i + 1] - v->offs[i] != first.n ||
		    !bytes_equal(v->bytes + v->offs[i], first.p, first.n))
			return false;
	return true;
}

/* Whether the values of a dictionary are numbers of one scale that take fewer bits as such. */
static bool
better_as_numbers(const struct enc_distinct *d, size_t n)
{
	int64_t v, min = INT64_MAX, max = INT64_MIN;
	unsigned scale, first_scale = 0;
	size_t i, seen = 0, dict_bits;

	for (i = 0; i < d->n; i++) {
		if (d->values[i].n == 0)
			continue;
		if (!column_parse_int(d->values[i], &v, &scale) ||
		    (seen != 0 && scale != first_scale))
			return false;
		first_scale = scale;
		seen++;
		min = v < min ? v : min;
		max = v > max ? v : max;
	}
	if (seen == 0)
		return false;
	dict_bits = enc_bits_width(d->n - 1) + d->n_bytes * 8 / n;
	return enc_bits_width((uint64_t)max - (uint64_t)min) < dict_bits + d->n / FEW_VALUES;
}

static bool
dict_pays(const struct enc_distinct *d, const struct enc_values *v)
{
	size_t cost = d->n_bytes + enc_bits_bytes(v->n, enc_bits_width(d->n - 1));

	if (v->n <= FEW_ROWS || d->n <= FEW_VALUES)
		return true;
	return cost < v->offs[v->n] / 4;
}

/* How many values may differ before dict_pays says no whatever they are. */
static size_t
dict_most(const struct enc_values *v)
{
	size_t most = enc_dict_most(v->n, v->offs[v->n] / 4);

	if (v->n <= FEW_ROWS)
		return ENC_DICT_MAX;
	return most > FEW_VALUES ? most : FEW_VALUES;
}

static int
encode_dict(struct enc_scratch *s, const struct enc_values *v, struct block_entry *e,
    struct buf *data, bool *ret_done)
{
	size_t max = e->role == ROLE_STREAM ? v->n : dict_most(v);
	unsigned version = 1;
	struct enc_distinct d;
	bool ok = false;
	int r;

	*ret_done = false;
	r = enc_distinct(v, max, &s->arena, &d, &ok);
	if (r != 0 || !ok)
		return err_trace(r);
	if (e->role != ROLE_STREAM && (!dict_pays(&d, v) || better_as_numbers(&d, v->n)))
		return 0;
	e->enc = ENC_DICT;
	s->distinct = d;
	*ret_done = true;
	r = enc_dict_put(data, s, &d, v->n, &version);
	e->version = (uint8_t)version;
	return err_trace(r);
}

static int
encode_numbers(struct enc_scratch *s, const struct enc_values *v, struct block_entry *e,
    struct buf *data, bool *ret_done)
{
	unsigned scale = 0;
	int r;

	*ret_done = false;
	r = enc_int_put(data, s, v, ret_done, &scale, &e->min, &e->max);
	if (r != 0 || !*ret_done)
		return err_trace(r);
	e->enc = ENC_INT;
	e->scale = (uint8_t)scale;
	e->flags |= ENTRY_HAS_RANGE;
	return 0;
}

static int
encode_any(struct enc_scratch *s, const struct enc_values *v, struct block_entry *e,
    struct buf *data, size_t *ret_head)
{
	unsigned version = 0;
	bool done = false;
	int r = 0;

	*ret_head = 0;
	e->enc = ENC_ID;
	if (e->role == ROLE_FIELD)
		r = enc_id_put(data, s, v, &done);
	if (r == 0 && !done && (e->role == ROLE_FIELD || e->role == ROLE_STREAM))
		r = encode_dict(s, v, e, data, &done);
	if (r == 0 && !done && e->role == ROLE_FIELD)
		r = encode_numbers(s, v, e, data, &done);
	if (r != 0 || done)
		return err_trace(r);
	e->enc = ENC_TMPL;
	if (e->role == ROLE_FIELD || e->role == ROLE_LINE)
		r = enc_tmpl_put(data, s, v, ret_head, &version);
	if (r != 0 || version != 0) {
		e->version = (uint8_t)version;
		return err_trace(r);
	}
	e->enc = ENC_TEXT;
	return err_trace(enc_text_put(data, s, v, ret_head));
}

int
block_encode_column(struct enc_scratch *s, const struct enc_values *v, struct block_entry *e,
    struct buf *data)
{
	size_t from = data->n, head = 0;
	int r;

	arena_clear(&s->arena);
	e->version = 1;
	s->n_first_rows = 0;
	s->distinct.n = 0;
	e->n_values += enc_present_count(v);
	if ((e->role == ROLE_FIELD || e->role == ROLE_STREAM) && is_const(v)) {
		e->enc = ENC_CONST;
		e->value = enc_value(v, 0);
		return 0;
	}
	r = encode_any(s, v, e, data, &head);
	if (r != 0 || data->failed)
		return r != 0 ? err_trace(r) : buf_err(data);
	e->at = from;
	e->len = data->n - from;
	e->head_len = head != 0 ? head : e->len;
	e->sum = hash32(str_of(data->p + from, e->head_len));
	return 0;
}
