/*
 * store/tmpl_slot.c - the values of one variable, written.
 * One job: find the encoding that is shortest for a slot.
 * Floor: 2 (uses record, base).
 *
 * Slot, version 1: what it is, in the template table:
 *
 *   size     field
 *   1        type
 *            CONST    varint length, value
 *            NUM      1 scale, 1 longest text of the number, varint length, prefix, varint length, suffix
 *            PATTERN  varint length, pattern; '#' is a digit, all else stands for itself
 *            HEX      1 bytes of a value
 *            IPV4
 *            DICT     8 which bytes occur (tmpl_char_bit), varint longest value
 *            TEXT     8 which bytes occur, varint longest value
 *            COMMON   8 which bytes occur, varint longest value; tmpl_common.c
 *
 * and its values, among those of its template:
 *
 *            NUM, PATTERN, IPV4   "Integers": the number; all digits as one number; the address
 *            HEX      the bytes
 *            DICT     varint n_dict; "Bytes" of n_dict varint lengths and the values; 1 width; packed codes
 *            TEXT     "Integers" of lengths; "Bytes" of the values
 */
#include "base/digits.h"
#include "store/tmpl.h"

enum {
	COMMON_MEAN_MIN = 12
}; /* bytes of values that are worth a look while a line is on its way */

/* The values of a slot on their way. */
struct slot_in {
	struct enc_scratch *s;
	const uint8_t *bytes;
	const struct enc_span *spans;
	size_t n;
	int64_t *ints;         /* room for n */
	size_t n_bytes;        /* of all values */
	struct enc_distinct d; /* none when there are too many */
};

static inline struct str
span_value(const struct slot_in *in, size_t i)
{
	return str_of(in->bytes + in->spans[i].at, in->spans[i].n);
}

static inline bool
is_digit(uint8_t c)
{
	return (uint8_t)(c - '0') <= 9;
}

static bool
all_same(const struct slot_in *in)
{
	const struct enc_span *first = &in->spans[0], *x;
	size_t i;

	for (i = 1; i < in->n; i++) {
		x = &in->spans[i];
		if (x->n != first->n || x->head != first->head ||
		    (x->n > 8 && !bytes_equal(in->bytes + x->at, in->bytes + first->at, x->n)))
			return false;
	}
	return true;
}

/* The canonical number in v[from..to), with the sign and the scale of the first value's kind. */
static inline bool
parse_number(const uint8_t *p, size_t n, int64_t *ret, unsigned *ret_scale)
{
	size_t i, point = n;
	uint64_t v;

	if (digits_decimal(p, n, &v, ret_scale)) {
		*ret = (int64_t)v;
		return true;
	}
	if (n == 0 || n > TMPL_DIGITS_MAX + 1)
		return false;
	for (v = i = 0; i < n; i++) {
		if (is_digit(p[i]))
			v = v * 10 + (uint64_t)(p[i] - '0');
		else if (p[i] == '.' && point == n && i != 0 && i + 1 < n)
			point = i;
		else
			return false;
	}
	if ((point == n && n > TMPL_DIGITS_MAX) || (p[0] == '0' && point > 1))
		return false;
	*ret = (int64_t)v;
	*ret_scale = point == n ? 0 : (unsigned)(n - point - 1);
	return true;
}

/* The number of value i, but for the first ${from} bytes and the last ${tail}, which are those of the first value. */
static inline bool
span_number(const struct slot_in *in, size_t i, size_t from, size_t tail, int64_t *ret,
    unsigned *ret_scale)
{
	const struct enc_span *s = &in->spans[i];
	struct str first = span_value(in, 0), x;
	uint64_t v;

	if (LIKELY(from + tail == 0 && s->n <= 8)) {
		if (!digits_decimal_of(s->head, s->n, &v, ret_scale))
			return false;
		*ret = (int64_t)v;
		return true;
	}
	x = span_value(in, i);
	return x.n > from + tail && bytes_equal(x.p, first.p, from) &&
	    bytes_equal(x.p + x.n - tail, first.p + first.n - tail, tail) &&
	    parse_number(x.p + from, x.n - from - tail, ret, ret_scale);
}

static bool
put_num(const struct slot_in *in, struct buf *table, struct buf *data)
{
	struct str first = span_value(in, 0);
	size_t from = 0, tail = 0, i, longest = 0, n;
	unsigned scale = 0, first_scale = 0;

	while (!is_digit(first.p[from]))
		from++;
	while (!is_digit(first.p[first.n - 1 - tail]))
		tail++;
	for (i = 0; i < in->n; i++) {
		if (!span_number(in, i, from, tail, &in->ints[i], &scale))
			return false;
		if (i == 0)
			first_scale = scale;
		else if (scale != first_scale)
			return false;
		n = in->spans[i].n - from - tail;
		longest = n > longest ? n : longest;
	}
	buf_byte(table, SLOT_NUM);
	buf_byte(table, (uint8_t)first_scale);
	buf_byte(table, (uint8_t)longest);
	buf_varint(table, from);
	buf_put(table, first.p, from);
	buf_varint(table, tail);
	buf_put(table, first.p + first.n - tail, tail);
	enc_ints_put(data, in->ints, in->n);
	return true;
}

static bool
put_pattern(const struct slot_in *in, struct buf *table, struct buf *data)
{
	struct str first = span_value(in, 0), x;
	uint8_t pattern[256];
	size_t i, k, digits = 0;
	uint64_t v;

	if (first.n > sizeof(pattern))
		return false;
	for (k = 0; k < first.n; k++) {
		pattern[k] = is_digit(first.p[k]) ? TMPL_DIGIT_MARK : first.p[k];
		digits += pattern[k] == TMPL_DIGIT_MARK;
	}
	if (digits > TMPL_DIGITS_MAX)
		return false;
	for (i = 0; i < in->n; i++) {
		x = span_value(in, i);
		if (x.n != first.n)
			return false;
		for (v = k = 0; k < x.n; k++) {
			if (is_digit(x.p[k]) && pattern[k] == TMPL_DIGIT_MARK)
				v = v * 10 + (uint64_t)(x.p[k] - '0');
			else if (x.p[k] != pattern[k])
				return false;
		}
		in->ints[i] = (int64_t)v;
	}
	buf_byte(table, SLOT_PATTERN);
	buf_varint(table, first.n);
	buf_put(table, pattern, first.n);
	enc_ints_put(data, in->ints, in->n);
	return true;
}

static bool
put_hex(const struct slot_in *in, struct buf *table, struct buf *data)
{
	size_t size = in->spans[0].n / 2, i, from = data->n;
	struct str x;

	if (in->spans[0].n % 2 != 0 || size < 2 || size > 255 || !buf_grow(data, in->n * size))
		return false;
	for (i = 0; i < in->n; i++) {
		x = span_value(in, i);
		if (x.n != size * 2 || !enc_id_parse(x, true, data->p + from + i * size))
			return false;
	}
	data->n = from + in->n * size;
	buf_byte(table, SLOT_HEX);
	buf_byte(table, (uint8_t)size);
	return true;
}

static bool
parse_ipv4(struct str x, int64_t *ret)
{
	size_t i = 0, part, start;
	unsigned v;
	int64_t address = 0;

	for (part = 0; part < 4; part++) {
		if (part != 0 && (i >= x.n || x.p[i++] != '.'))
			return false;
		for (v = 0, start = i; i < x.n && i - start < 3 && is_digit(x.p[i]); i++)
			v = v * 10 + (unsigned)(x.p[i] - '0');
		if (i == start || v > 255 || (x.p[start] == '0' && i - start > 1))
			return false;
		address = address << 8 | v;
	}
	*ret = address;
	return i == x.n;
}

static bool
put_ipv4(const struct slot_in *in, struct buf *table, struct buf *data)
{
	size_t i;

	for (i = 0; i < in->n; i++)
		if (!parse_ipv4(span_value(in, i), &in->ints[i]))
			return false;
	buf_byte(table, SLOT_IPV4);
	enc_ints_put(data, in->ints, in->n);
	return true;
}

/* Which bytes occur in values, and how long the longest is. */
struct char_set {
	uint64_t chars;
	size_t longest;
};

static inline void
char_set_add(struct char_set *set, struct str x)
{
	size_t k;

	set->longest = x.n > set->longest ? x.n : set->longest;
	for (k = 0; k < x.n; k++)
		set->chars |= tmpl_char_bit(x.p[k]);
}

static void
put_char_set(const struct char_set *set, enum tmpl_type type, struct buf *table)
{
	buf_byte(table, (uint8_t)type);
	buf_u64(table, set->chars);
	buf_varint(table, set->longest);
}

static void
put_distinct_chars(const struct enc_distinct *d, enum tmpl_type type, struct buf *table)
{
	struct char_set set = { 0, 0 };
	size_t i;

	for (i = 0; i < d->n; i++)
		char_set_add(&set, d->values[i]);
	put_char_set(&set, type, table);
}

static int
put_text(const struct slot_in *in, struct buf *table, struct buf *data)
{
	uint8_t *bytes = arena_alloc(&in->s->arena, in->n_bytes), *at = bytes;
	struct char_set set = { 0, 0 };
	size_t i;

	if (bytes == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < in->n; i++) {
		char_set_add(&set, span_value(in, i));
		in->ints[i] = in->spans[i].n;
		bytes_copy(at, in->bytes + in->spans[i].at, in->spans[i].n);
		at += in->spans[i].n;
	}
	put_char_set(&set, SLOT_TEXT, table);
	enc_ints_put(data, in->ints, in->n);
	enc_bytes_put(data, in->s, str_of(bytes, in->n_bytes));
	return 0;
}

static int
find_distinct(struct slot_in *in, size_t max)
{
	bool ok = false;
	int r = enc_distinct_spans(in->bytes, in->spans, in->n, max, &in->s->arena, &in->d, &ok);

	if (r != 0 || !ok)
		in->d.n = 0;
	return err_trace(r);
}

/* Nothing is written when there are more than ${max} different values. */
static int
put_dict(struct slot_in *in, size_t max, struct buf *table, struct buf *data)
{
	AUTO_FINI(buf_fini) struct buf list = BUF_INIT;
	unsigned width;
	size_t i;
	int r;

	r = find_distinct(in, max);
	if (r != 0 || in->d.n == 0)
		return err_trace(r);
	for (i = 0; i < in->d.n; i++)
		buf_varint(&list, in->d.values[i].n);
	for (i = 0; i < in->d.n; i++)
		buf_str(&list, in->d.values[i]);
	if (list.failed)
		return buf_err(&list);
	put_distinct_chars(&in->d, SLOT_DICT, table);
	width = enc_bits_width(in->d.n - 1);
	buf_varint(data, in->d.n);
	enc_bytes_put(data, in->s, buf_view(&list));
	buf_byte(data, (uint8_t)width);
	enc_bits_put32(data, in->d.codes, in->n, width);
	return 0;
}

static bool
put_typed(const struct slot_in *in, struct buf *table, struct buf *data)
{
	return put_num(in, table, data) || put_pattern(in, table, data) ||
	    put_hex(in, table, data) || put_ipv4(in, table, data);
}

/* The dictionary is tried beside the other way, and the shorter one stays. */
static int
put_shorter(struct slot_in *in, struct buf *table, struct buf *data)
{
	AUTO_FINI(buf_fini) struct buf dict_table = BUF_INIT;
	AUTO_FINI(buf_fini) struct buf dict = BUF_INIT;
	size_t table_at = table->n, data_at = data->n, most;
	bool typed = put_typed(in, table, data);
	int r;

	most = enc_dict_most(in->n, typed ? data->n - data_at : SIZE_MAX);
	r = put_dict(in, most < in->n / 3 ? most : in->n / 3, &dict_table, &dict);
	if (r != 0)
		return err_trace(r);
	if (dict.n == 0)
		return typed ? 0 : err_trace(put_text(in, table, data));
	if (typed && dict.n >= data->n - data_at)
		return 0;
	table->n = table_at;
	data->n = data_at;
	buf_str(table, buf_view(&dict_table));
	buf_str(data, buf_view(&dict));
	return buf_err(dict.failed ? &dict : dict_table.failed ? &dict_table : data);
}

void
tmpl_slot_describe(const struct tmpl_slot_out *slot, bool is_common, const struct buf *from,
    struct buf *table)
{
	if (!is_common) {
		buf_put(table, from->p + slot->table_at, slot->table_n);
		return;
	}
	put_distinct_chars(&slot->d, SLOT_COMMON, table);
}

/* The different values of a slot that may share them with others.  While a line is on its way only long texts are worth a
 * look. */
static int
find_shared(struct slot_in *in, unsigned type, struct enc_distinct *ret)
{
	bool hurry = in->s->level <= 1;
	int r = 0;

	if (type != SLOT_TEXT && type != SLOT_DICT && (type != SLOT_HEX || hurry))
		return 0;
	if (hurry && in->n_bytes < in->n * COMMON_MEAN_MIN)
		return 0;
	if (in->d.n == 0)
		r = find_distinct(in, in->n);
	*ret = in->d;
	return err_trace(r);
}

int
tmpl_slot_put(struct enc_scratch *s, const struct enc_values *v, const struct enc_span *spans,
    size_t n, struct buf *table, struct buf *data, struct enc_distinct *ret)
{
	struct slot_in in = { s, v->bytes, spans, n, arena_alloc(&s->arena, (n + 1) * 8), 0,
		{ 0 } };
	size_t table_at = table->n, i;
	int r;

	if (in.ints == NULL)
		return err_origin(-ENOMEM);
	ret->n = 0;
	if (all_same(&in)) {
		buf_byte(table, SLOT_CONST);
		buf_varint(table, spans[0].n);
		buf_put(table, v->bytes + spans[0].at, spans[0].n);
		return buf_err(table);
	}
	for (i = 0; i < n; i++) {
		in.n_bytes += spans[i].n;
		/* They are far from each other, and will be read soon. */
		if (spans[i].n > 8)
			__builtin_prefetch(v->bytes + spans[i].at);
	}
	r = put_shorter(&in, table, data);
	if (r == 0)
		r = buf_err(table->failed ? table : data);
	if (r == 0)
		r = find_shared(&in, table->p[table_at], ret);
	return err_trace(r);
}
