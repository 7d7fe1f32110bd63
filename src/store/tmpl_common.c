/*
 * store/tmpl_common.c - values that stand in several slots, written.
 * One job: see which slots take fewer bytes when their values stand once for all templates of the column.
 * Floor: 2 (uses record, base).
 *
 * A request's ID, a host or a file stands in many messages: by itself each slot would bear it again.  And an ID takes half
 * the bytes as what its digits say.
 *
 * List, version 2 of templates; the values are numbered in the order in which they stand:
 *
 *   size     field
 *   varint   n_words
 *   ...      words    "Bytes": n_words times varint length, then the values one after the other
 *   varint   n_forms  at most FORMS_MAX
 *            for each form:
 *   1          kind   0 lower-case UUID with dashes (16 bytes), 1 lower-case hex
 *   1          size   bytes of an ID: 8 to 255
 *   varint     length, prefix
 *   varint     length, suffix
 *   varint     n_ids
 *   n*size     ids
 *
 * Values of a slot of type COMMON, among those of its template:
 *
 *   varint   n_dict  different ones, in the order of their first row
 *   varint   first   the number of the first
 *   ...      refs    "Integers", n_dict - 1: how much more than one higher than the one before each number is
 *   ...      codes   "Integers", one a value: 0 is the next that is new, k the k-th last of those before, the newest being 1
 */
#include "store/tmpl.h"

enum {
	FORM_WORD = UINT32_MAX - 1,
	FORM_USES_MIN = 4,
	HEX_RUN_MIN = 16,
	UUID_BYTES = 16,
	PREFIX_MAX = 64
};

/* A value that slots share. */
struct tmpl_shared {
	struct str value;
	uint32_t n_slots; /* that have it */
	uint32_t form;    /* number, or FORM_WORD */
	uint32_t number;  /* among those of its form; UINT32_MAX: it is not in the list */
};

/* What IDs look like but for their digits. */
struct tmpl_form {
	bool is_hex;
	uint8_t size;
	struct str prefix, suffix;
	uint32_t n;     /* values */
	uint32_t first; /* number of the first */
};

static bool
is_hex_digit(uint8_t c)
{
	return (uint8_t)(c - '0') <= 9 || (c >= 'a' && c <= 'f');
}

/* The first UUID in ${v}. */
static bool
find_uuid(struct str v, struct tmpl_form *f)
{
	uint8_t id[UUID_BYTES];
	size_t i;

	for (i = 0; i + ENC_UUID_TEXT <= v.n && i <= PREFIX_MAX; i++) {
		if (v.p[i + 8] != '-' || v.p[i + 13] != '-' ||
		    !enc_id_parse(str_sub(v, i, i + ENC_UUID_TEXT), false, id))
			continue;
		*f = (struct tmpl_form){ false, UUID_BYTES, str_sub(v, 0, i),
			str_sub(v, i + ENC_UUID_TEXT, v.n), 1, 0 };
		return true;
	}
	return false;
}

/* Hex at the end of ${v}; digits alone are shorter as they are. */
static bool
find_hex(struct str v, struct tmpl_form *f)
{
	size_t from = v.n;
	bool letter = false;

	while (from > 0 && is_hex_digit(v.p[from - 1]))
		letter |= v.p[--from] >= 'a';
	from += (v.n - from) % 2;
	if (v.n - from < HEX_RUN_MIN || (v.n - from) / 2 > UINT8_MAX || !letter ||
	    from > PREFIX_MAX)
		return false;
	*f = (struct tmpl_form){ true, (uint8_t)((v.n - from) / 2), str_sub(v, 0, from), STR_NONE,
		1, 0 };
	return true;
}

static uint32_t
form_of(struct tmpl_common *c, struct str v)
{
	struct tmpl_form f, *g;
	uint32_t i;

	if (!find_uuid(v, &f) && !find_hex(v, &f))
		return FORM_WORD;
	for (i = 0; i < c->n_forms; i++) {
		g = &c->forms[i];
		if (g->is_hex == f.is_hex && g->size == f.size && str_eq(g->prefix, f.prefix) &&
		    str_eq(g->suffix, f.suffix)) {
			g->n++;
			return i;
		}
	}
	if (c->n_forms == TMPL_FORMS_MAX)
		return FORM_WORD;
	c->forms[c->n_forms] = f;
	return (uint32_t)c->n_forms++;
}

/* Number all different values of all slots. */
static int
collect(struct tmpl_common *c, struct enc_scratch *s, struct tmpl_slot_out *slots, size_t n)
{
	struct map_entry *e;
	size_t i, k;

	for (i = 0; i < n; i++) {
		slots[i].refs = arena_alloc(&s->arena, (slots[i].d.n + 1) * sizeof(uint32_t));
		if (slots[i].refs == NULL)
			return err_origin(-ENOMEM);
		for (k = 0; k < slots[i].d.n; k++) {
			e = map_put(&c->map, slots[i].d.values[k], NULL);
			if (e == NULL)
				return err_origin(-ENOMEM);
			e->value++;
			slots[i].refs[k] = (uint32_t)(e - c->map.entries);
		}
	}
	return 0;
}

static int
describe(struct tmpl_common *c, struct enc_scratch *s)
{
	size_t i;

	c->values = arena_alloc(&s->arena, (c->map.n + 1) * sizeof(*c->values));
	c->forms = arena_alloc(&s->arena, TMPL_FORMS_MAX * sizeof(*c->forms));
	if (c->values == NULL || c->forms == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < c->map.n; i++)
		c->values[i] =
		    (struct tmpl_shared){ c->map.entries[i].key, (uint32_t)c->map.entries[i].value,
			    form_of(c, c->map.entries[i].key), UINT32_MAX };
	for (i = 0; i < c->map.n; i++)
		if (c->values[i].form != FORM_WORD && c->forms[c->values[i].form].n < FORM_USES_MIN)
			c->values[i].form = FORM_WORD;
	return 0;
}

/* Which of its different values each value of the slot is, by how long ago it was new. */
static int
put_codes(struct tmpl_common *c, struct enc_scratch *s, struct tmpl_slot_out *slot)
{
	int64_t *codes = arena_alloc(&s->arena, (slot->n + 1) * sizeof(*codes));
	size_t i, n_seen = 0;

	if (codes == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < slot->n; i++) {
		codes[i] = (int64_t)(n_seen - slot->d.codes[i]);
		n_seen += codes[i] == 0;
	}
	slot->codes_at = c->codes.n;
	enc_ints_put(&c->codes, codes, slot->n);
	slot->codes_n = c->codes.n - slot->codes_at;
	return buf_err(&c->codes);
}

/* Whether the slot takes fewer bits when what its values take is shared out among those that have them. */
static bool
pays(const struct tmpl_common *c, const struct tmpl_slot_out *slot, unsigned type)
{
	size_t own = slot->data_n * 8, bits = slot->codes_n * 8 + 64, unit = own, i, value_bits;
	unsigned width = enc_bits_width(c->map.n);
	const struct tmpl_shared *v;

	if (type == SLOT_DICT)
		unit -= slot->n * enc_bits_width(slot->d.n - 1);
	unit /= slot->d.n;
	for (i = 0; i < slot->d.n; i++) {
		v = &c->values[slot->refs[i]];
		value_bits = v->form == FORM_WORD ? unit : (size_t)8 * c->forms[v->form].size;
		bits += value_bits / v->n_slots + (v->n_slots > 1 ? width : 0);
	}
	return bits < own;
}

/* Twice: what a slot that stays by itself bears is shared by fewer. */
static void
choose(struct tmpl_common *c, struct tmpl_slot_out *slots, size_t n, const struct buf *table)
{
	size_t i, k, round;

	for (round = 0; round < 2; round++)
		for (i = 0; i < n; i++) {
			if (!slots[i].is_common || pays(c, &slots[i], table->p[slots[i].table_at]))
				continue;
			slots[i].is_common = false;
			for (k = 0; k < slots[i].d.n; k++)
				c->values[slots[i].refs[k]].n_slots--;
		}
}

static void
number(struct tmpl_common *c, const struct tmpl_slot_out *slots, size_t n)
{
	struct tmpl_shared *v;
	uint32_t first;
	size_t i, k;

	for (i = 0; i < c->n_forms; i++)
		c->forms[i].n = 0;
	for (i = 0; i < n; i++)
		for (k = 0; slots[i].is_common && k < slots[i].d.n; k++) {
			v = &c->values[slots[i].refs[k]];
			if (v->number != UINT32_MAX)
				continue;
			v->number =
			    v->form == FORM_WORD ? (uint32_t)c->n_words++ : c->forms[v->form].n++;
		}
	for (first = (uint32_t)c->n_words, i = 0; i < c->n_forms; i++) {
		c->forms[i].first = first;
		first += c->forms[i].n;
	}
	for (i = 0; i < c->map.n; i++)
		if (c->values[i].number != UINT32_MAX && c->values[i].form != FORM_WORD)
			c->values[i].number += c->forms[c->values[i].form].first;
	c->n_numbers = first;
}

static void
put_form(struct tmpl_common *c, const struct tmpl_form *f, const uint32_t *order)
{
	uint8_t id[UINT8_MAX + 1];
	struct str v;
	size_t i;

	buf_byte(&c->list, f->is_hex);
	buf_byte(&c->list, f->size);
	buf_varint(&c->list, f->prefix.n);
	buf_str(&c->list, f->prefix);
	buf_varint(&c->list, f->suffix.n);
	buf_str(&c->list, f->suffix);
	buf_varint(&c->list, f->n);
	for (i = 0; i < f->n; i++) {
		v = c->values[order[f->first + i]].value;
		v = str_sub(v, f->prefix.n, v.n - f->suffix.n);
		(void)enc_id_parse(v, f->is_hex, id);
		buf_put(&c->list, id, f->size);
	}
}

static int
put_list(struct tmpl_common *c, struct enc_scratch *s)
{
	uint32_t *order = arena_alloc(&s->arena, (c->n_numbers + 1) * sizeof(*order));
	AUTO_FINI(buf_fini) struct buf words = BUF_INIT;
	size_t i;

	if (order == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < c->map.n; i++)
		if (c->values[i].number != UINT32_MAX)
			order[c->values[i].number] = (uint32_t)i;
	for (i = 0; i < c->n_words; i++)
		buf_varint(&words, c->values[order[i]].value.n);
	for (i = 0; i < c->n_words; i++)
		buf_str(&words, c->values[order[i]].value);
	if (words.failed)
		return buf_err(&words);
	buf_varint(&c->list, c->n_words);
	enc_bytes_put(&c->list, s, buf_view(&words));
	buf_varint(&c->list, c->n_forms);
	for (i = 0; i < c->n_forms; i++)
		put_form(c, &c->forms[i], order);
	return buf_err(&c->list);
}

void
tmpl_common_put(const struct tmpl_common *c, const struct tmpl_slot_out *slot, struct buf *data)
{
	int64_t refs[ENC_GROUP];
	size_t i, k = 0;
	uint32_t last = c->values[slot->refs[0]].number, now;

	buf_varint(data, slot->d.n);
	buf_varint(data, last);
	for (i = 1; i < slot->d.n; i++) {
		now = c->values[slot->refs[i]].number;
		refs[k++] = (int64_t)now - last - 1;
		last = now;
		if (k == ENC_GROUP || i + 1 == slot->d.n) {
			enc_ints_put(data, refs, k);
			k = 0;
		}
	}
	buf_put(data, c->codes.p + slot->codes_at, slot->codes_n);
}

/* Whether all in all it is shorter. */
static int
weigh(struct tmpl_common *c, const struct tmpl_slot_out *slots, size_t n)
{
	AUTO_FINI(buf_fini) struct buf data = BUF_INIT;
	size_t i, own = 0;

	for (i = 0; i < n; i++)
		if (slots[i].is_common) {
			own += slots[i].data_n;
			tmpl_common_put(c, &slots[i], &data);
		}
	if (data.n + c->list.n >= own)
		c->list.n = 0;
	return buf_err(&data);
}

int
tmpl_common_choose(struct tmpl_common *c, struct enc_scratch *s, struct tmpl_slot_out *slots,
    size_t n, const struct buf *table)
{
	size_t i, n_values = 0;
	int r;

	for (i = 0; i < n; i++)
		n_values += slots[i].d.n;
	if (n_values == 0)
		return 0;
	r = collect(c, s, slots, n);
	if (r == 0)
		r = describe(c, s);
	for (i = 0; r == 0 && i < n; i++) {
		slots[i].is_common = slots[i].d.n != 0;
		r = slots[i].is_common ? put_codes(c, s, &slots[i]) : 0;
	}
	if (r != 0)
		return err_trace(r);
	choose(c, slots, n, table);
	number(c, slots, n);
	if (c->n_numbers == 0)
		return 0;
	r = put_list(c, s);
	return r != 0 ? err_trace(r) : err_trace(weigh(c, slots, n));
}

void
tmpl_common_fini(struct tmpl_common *c)
{
	map_fini(&c->map);
	buf_fini(&c->codes);
	buf_fini(&c->list);
}
