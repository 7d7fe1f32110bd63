/*
 * store/tmpl_put.c - the template encoding, written.
 * One job: put the templates, the numbers of their rows and their slots together.
 * Floor: 2 (uses record, base).
 *
 * Templates, version 2, or 1 where slots share nothing.  The head:
 *
 *   size     field
 *   ...      presence
 *   varint   n_tmpls
 *   ...      table   "Bytes": for each template varint n_slots, n_slots + 1 varint lengths of its pieces, the
 *                    pieces, and what each slot is ("Slot")
 *   ...      codes   "Codes" below n_tmpls + 1, one for each row that has a value: 0 is text, k template k - 1
 *            for each template:
 *   varint     len       of its values
 *   4          checksum  of them
 *   varint   text_head, text_len
 *   4        text_sum  checksum of the first text_head bytes of the text
 *   varint   list_len  version 2: bytes of the list of what slots share ("List", tmpl_common.c)
 *   4        list_sum  version 2: checksum of it
 *
 * Behind the head: the values of each template, slot after slot; then the values of code 0, as "Text" of
 * rows that all have a value; then, in version 2, the list.
 */
#include "base/hash.h"
#include "store/tmpl.h"

enum { SHORT_ENOUGH = 5, SAMPLES = 8, AHEAD = 12 };

/* What is being put together. */
struct tmpl_out {
	struct enc_scratch *s;
	const struct enc_values *v;
	struct tmpl_found f;
	size_t n_tmpls;
	struct buf table, lens, data;
	struct buf slot_table, slot_data; /* each slot by itself */
	struct tmpl_slot_out *slots;      /* of all templates, one after the other */
	struct tmpl_common common;
	uint32_t *
	    starts; /* of the rows of all templates, one template after the other: number of the first span */
};

static void
number_kinds(struct tmpl_out *o)
{
	size_t i;

	for (i = 0; i < o->f.n_kinds; i++)
		if (o->f.kinds[i].n_rows >= TMPL_USES_MIN)
			o->f.kinds[i].number = (uint32_t)o->n_tmpls++;
}

/* The row's template, or NULL when it is text. */
static const struct tmpl_kind *
kind_of(const struct tmpl_out *o, size_t row)
{
	const struct tmpl_kind *k;

	if (o->f.tmpls[row] == TMPL_NONE)
		return NULL;
	k = &o->f.kinds[o->f.tmpls[row]];
	return k->number == TMPL_NONE ? NULL : k;
}

static void
put_pieces(struct tmpl_out *o, const struct tmpl_kind *k)
{
	const struct enc_span *spans = o->f.spans + o->f.first[k->row];
	uint32_t start = o->v->offs[k->row], end = o->v->offs[k->row + 1], at = start;
	size_t i;

	buf_varint(&o->table, k->n_slots);
	for (i = 0; i < k->n_slots; at = spans[i].at + spans[i].n, i++)
		buf_varint(&o->table, spans[i].at - at);
	buf_varint(&o->table, end - at);
	for (at = start, i = 0; i < k->n_slots; at = spans[i].at + spans[i].n, i++)
		buf_put(&o->table, o->v->bytes + at, spans[i].at - at);
	buf_put(&o->table, o->v->bytes + at, end - at);
}

/* The spans of a template's rows, slot after slot; NULL without memory.  Its rows are far from each other. */
static struct enc_span *
spans_by_slot(struct tmpl_out *o, const struct tmpl_kind *k, const uint32_t *starts)
{
	size_t n_slots = k->n_slots, n_rows = k->n_rows, slot, i;
	struct enc_span *spans = arena_alloc(&o->s->arena, (n_slots * n_rows + 1) * sizeof(*spans));
	const struct enc_span *row;

	for (i = 0; spans != NULL && i < n_rows; i++) {
		if (i + AHEAD < n_rows)
			__builtin_prefetch(o->f.spans + starts[i + AHEAD]);
		row = o->f.spans + starts[i];
		for (slot = 0; slot < n_slots; slot++)
			spans[slot * n_rows + i] = row[slot];
	}
	return spans;
}

/* Each slot of a template by itself. */
static int
put_slots(struct tmpl_out *o, const struct tmpl_kind *k, const uint32_t *starts,
    struct tmpl_slot_out *slots)
{
	const struct enc_span *spans = spans_by_slot(o, k, starts);
	size_t slot;
	int r;

	if (spans == NULL)
		return err_origin(-ENOMEM);
	for (slot = 0; slot < k->n_slots; slot++) {
		slots[slot] = (struct tmpl_slot_out){ .table_at = o->slot_table.n,
			.data_at = o->slot_data.n,
			.n = k->n_rows };
		r = tmpl_slot_put(o->s, o->v, spans + slot * k->n_rows, k->n_rows, &o->slot_table,
		    &o->slot_data, &slots[slot].d);
		if (r != 0)
			return err_trace(r);
		slots[slot].table_n = o->slot_table.n - slots[slot].table_at;
		slots[slot].data_n = o->slot_data.n - slots[slot].data_at;
	}
	return 0;
}

static void
put_template(struct tmpl_out *o, const struct tmpl_kind *k, const struct tmpl_slot_out *slots)
{
	size_t i, from = o->data.n;
	bool common;

	put_pieces(o, k);
	for (i = 0; i < k->n_slots; i++) {
		common = slots[i].is_common && o->common.list.n != 0;
		if (common)
			tmpl_common_put(&o->common, &slots[i], &o->data);
		else
			buf_put(&o->data, o->slot_data.p + slots[i].data_at, slots[i].data_n);
		tmpl_slot_describe(&slots[i], common, &o->slot_table, &o->table);
	}
	buf_varint(&o->lens, o->data.n - from);
	buf_u32(&o->lens, hash32(str_sub(buf_view(&o->data), from, o->data.n)));
}

/* Spans sorted by template, in the order of rows within each. */
static int
sort_rows(struct tmpl_out *o, uint32_t **ret_codes, size_t *ret_n)
{
	uint32_t *next = arena_zalloc(&o->s->arena, o->n_tmpls + 1, sizeof(*next));
	uint32_t *codes = arena_alloc(&o->s->arena, (o->v->n + 1) * sizeof(*codes)), sum = 0;
	const struct tmpl_kind *k;
	size_t i, n = 0;

	o->starts = arena_alloc(&o->s->arena, (o->v->n + 1) * sizeof(*o->starts));
	if (next == NULL || codes == NULL || o->starts == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < o->f.n_kinds; i++)
		if (o->f.kinds[i].number != TMPL_NONE) {
			next[o->f.kinds[i].number] = sum;
			sum += o->f.kinds[i].n_rows;
		}
	for (i = 0; i < o->v->n; i++) {
		if (o->v->offs[i] == o->v->offs[i + 1])
			continue;
		k = kind_of(o, i);
		codes[n++] = k != NULL ? k->number + 1 : 0;
		if (k != NULL)
			o->starts[next[k->number]++] = o->f.first[i];
	}
	*ret_codes = codes;
	*ret_n = n;
	return 0;
}

/* All slots of all templates by themselves. */
static int
put_alone(struct tmpl_out *o, size_t *ret_n)
{
	const uint32_t *starts = o->starts;
	size_t i, n = 0;
	int r;

	for (i = 0; i < o->f.n_kinds; i++)
		n += o->f.kinds[i].number != TMPL_NONE ? o->f.kinds[i].n_slots : 0;
	o->slots = arena_alloc(&o->s->arena, (n + 1) * sizeof(*o->slots));
	if (o->slots == NULL)
		return err_origin(-ENOMEM);
	for (n = i = 0; i < o->f.n_kinds; i++) {
		if (o->f.kinds[i].number == TMPL_NONE)
			continue;
		r = put_slots(o, &o->f.kinds[i], starts, o->slots + n);
		if (r != 0)
			return err_trace(r);
		n += o->f.kinds[i].n_slots;
		starts += o->f.kinds[i].n_rows;
	}
	*ret_n = n;
	return 0;
}

static int
put_templates(struct tmpl_out *o)
{
	const struct tmpl_slot_out *slots;
	size_t i, n = 0;
	int r;

	r = put_alone(o, &n);
	if (r == 0)
		r = tmpl_common_choose(&o->common, o->s, o->slots, n, &o->slot_table);
	if (r != 0)
		return err_trace(r);
	for (slots = o->slots, i = 0; i < o->f.n_kinds; i++) {
		if (o->f.kinds[i].number == TMPL_NONE)
			continue;
		put_template(o, &o->f.kinds[i], slots);
		slots += o->f.kinds[i].n_slots;
	}
	return buf_err(o->table.failed ? &o->table : o->lens.failed ? &o->lens : &o->data);
}

/* The values that are no template's, one after the other. */
static int
put_others(struct tmpl_out *o)
{
	uint32_t *offs = arena_alloc(&o->s->arena, (o->v->n + 1) * sizeof(*offs)), n = 0;
	AUTO_FINI(buf_fini) struct buf bytes = BUF_INIT;
	size_t i, head = 0, from = o->data.n;
	struct enc_values text;
	int r;

	if (offs == NULL)
		return err_origin(-ENOMEM);
	offs[0] = 0;
	for (i = 0; i < o->v->n; i++) {
		if (o->v->offs[i] == o->v->offs[i + 1] || kind_of(o, i) != NULL)
			continue;
		buf_str(&bytes, enc_value(o->v, i));
		offs[++n] = (uint32_t)bytes.n;
	}
	if (n != 0) {
		if (!buf_grow(&bytes, ENC_PAD))
			return buf_err(&bytes);
		text = (struct enc_values){ bytes.p, offs, n };
		r = enc_text_put(&o->data, o->s, &text, &head);
		if (r != 0)
			return err_trace(r);
	}
	buf_varint(&o->lens, head);
	buf_varint(&o->lens, o->data.n - from);
	buf_u32(&o->lens, hash32(str_sub(buf_view(&o->data), from, from + head)));
	if (o->common.list.n != 0) {
		buf_varint(&o->lens, o->common.list.n);
		buf_u32(&o->lens, hash32(buf_view(&o->common.list)));
		buf_str(&o->data, buf_view(&o->common.list));
	}
	return buf_err(o->data.failed ? &o->data : &o->lens);
}

/* What the values would take as text, judged by a page of them, from all over: what comes first may be another program's. */
static size_t
text_bytes(struct tmpl_out *o)
{
	size_t total = o->v->offs[o->v->n], page = enc_text_page(o->s), n = page / SAMPLES, i;
	struct str sample = str_of(o->v->bytes, total);
	uint8_t *p;

	if (total > page) {
		p = arena_alloc(&o->s->arena, page);
		if (p == NULL)
			return total;
		for (i = 0; i < SAMPLES; i++)
			memcpy(p + i * n, o->v->bytes + (total - n) / (SAMPLES - 1) * i, n);
		sample = str_of(p, page);
	}
	buf_clear(&o->s->tmp);
	if (!enc_zstd_put(&o->s->tmp, o->s, sample))
		return total;
	return (size_t)((double)o->s->tmp.n / (double)sample.n * (double)total) + o->v->n / 2;
}

/* Whether nobody who is in a hurry need ask whether text were shorter: zstd 1 does not make it so short. */
static bool
is_short(const struct tmpl_out *o, size_t n)
{
	return o->s->level <= 1 && n < o->v->offs[o->v->n] / SHORT_ENOUGH;
}

static int
put_all(struct tmpl_out *o, struct buf *out, size_t *ret_head, unsigned *ret_version)
{
	size_t n, from = out->n;
	uint32_t *codes = NULL;
	int r;

	r = sort_rows(o, &codes, &n);
	if (r == 0)
		r = put_templates(o);
	if (r == 0)
		r = put_others(o);
	if (r == 0)
		r = enc_present_put(out, o->s, o->v, &n);
	if (r != 0)
		return err_trace(r);
	buf_varint(out, o->n_tmpls);
	enc_bytes_put(out, o->s, buf_view(&o->table));
	r = enc_codes_put(out, o->s, codes, n, o->n_tmpls + 1);
	if (r != 0)
		return err_trace(r);
	buf_str(out, buf_view(&o->lens));
	*ret_head = out->n - from;
	if (!is_short(o, out->n - from + o->data.n) && out->n - from + o->data.n >= text_bytes(o)) {
		out->n = from;
		return buf_err(out);
	}
	buf_str(out, buf_view(&o->data));
	*ret_version = o->common.list.n != 0 ? 2 : 1;
	return buf_err(out);
}

int
enc_tmpl_put(struct buf *out, struct enc_scratch *s, const struct enc_values *v, size_t *ret_head,
    unsigned *ret_version)
{
	struct tmpl_out o = { .s = s, .v = v };
	bool ok = false;
	size_t i;
	int r;

	*ret_version = 0;
	if (v->n < TMPL_ROWS_MIN)
		return 0;
	r = tmpl_scan(v, &s->arena, &o.f, &ok);
	if (r != 0 || !ok)
		return err_trace(r);
	number_kinds(&o);
	for (i = 0; i < o.f.n_kinds; i++)
		s->first_rows[i] = o.f.kinds[i].row;
	s->n_first_rows = o.f.n_kinds;
	r = o.n_tmpls != 0 ? put_all(&o, out, ret_head, ret_version) : 0;
	buf_fini(&o.table);
	buf_fini(&o.lens);
	buf_fini(&o.data);
	buf_fini(&o.slot_table);
	buf_fini(&o.slot_data);
	tmpl_common_fini(&o.common);
	return err_trace(r);
}
