/*
 * store/tmpl_open.c - the template encoding, read.
 * One job: the head, and the values of a template when they are wanted; nothing is believed.
 * Floor: 2 (uses record, base).
 */
#include "store/tmpl.h"

static int
get_template(struct tmpl_set *set, struct scan *s, struct tmpl *t)
{
	uint64_t n = scan_varint(s);
	size_t i;

	if (s->bad || n > TMPL_SLOTS_MAX)
		return BLOCK_E_CORRUPT;
	t->n_slots = n;
	t->pieces = arena_alloc(set->arena, (n + 1) * sizeof(*t->pieces));
	t->slots = arena_zalloc(set->arena, n + 1, sizeof(*t->slots));
	if (t->pieces == NULL || t->slots == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i <= n; i++)
		t->pieces[i].n = scan_varint(s);
	for (i = 0; i <= n; i++)
		t->pieces[i] = scan_bytes(s, t->pieces[i].n);
	for (i = 0; i < n; i++)
		if (!tmpl_slot_table(s, &t->slots[i]))
			return BLOCK_E_CORRUPT;
	return s->bad ? BLOCK_E_CORRUPT : 0;
}

static int
get_table(struct tmpl_set *set, struct scan *s)
{
	uint64_t n = scan_varint(s);
	struct str bytes;
	struct scan table;
	size_t i;
	int r;

	if (s->bad || n == 0 || n > TMPL_MAX)
		return BLOCK_E_CORRUPT;
	set->n = n;
	set->tmpls = arena_zalloc(set->arena, n, sizeof(*set->tmpls));
	if (set->tmpls == NULL)
		return err_origin(-ENOMEM);
	r = enc_bytes_get(s, set->c->zstd, ENC_BYTES_MAX, set->arena, &bytes);
	if (r != 0)
		return r;
	table = SCAN_OF(bytes);
	for (i = 0; i < n; i++) {
		r = get_template(set, &table, &set->tmpls[i]);
		if (r != 0)
			return r;
	}
	return table.at == table.n ? 0 : BLOCK_E_CORRUPT;
}

/* Four tables in turn, so that equal neighbours do not wait for each other. */
int
tmpl_count(struct tmpl_set *set)
{
	size_t n = set->n + 1, i, k;
	uint32_t *counts;

	if (set->counted)
		return 0;
	counts = arena_zalloc(set->arena, 4 * n, sizeof(*counts));
	if (counts == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i + 4 <= set->n_values; i += 4)
		for (k = 0; k < 4; k++)
			counts[k * n + set->codes[i + k]]++;
	for (; i < set->n_values; i++)
		counts[set->codes[i]]++;
	for (i = 0; i < n; i++)
		counts[i] += counts[n + i] + counts[2 * n + i] + counts[3 * n + i];
	for (i = 0; i < set->n; i++)
		set->tmpls[i].n_rows = counts[i + 1];
	set->counted = true;
	return 0;
}

enum { AT_ONCE = 32 };

static bool
any_text(const uint32_t *codes, size_t n)
{
	uint32_t any = 0;
	size_t i;

	for (i = 0; i < n; i++)
		any |= codes[i] == 0;
	return any != 0;
}

/* Which values are text. */
static int
list_others(struct tmpl_set *set, uint32_t n)
{
	uint32_t *others = arena_alloc(set->arena, (n + 1) * sizeof(*others));
	size_t i, k, len;

	if (others == NULL)
		return err_origin(-ENOMEM);
	set->others = others;
	for (i = 0; set->n_text < n; i += len) {
		len = set->n_values - i < AT_ONCE ? set->n_values - i : AT_ONCE;
		if (!any_text(set->codes + i, len))
			continue;
		for (k = i; k < i + len; k++) {
			others[set->n_text] = (uint32_t)k;
			set->n_text += set->codes[k] == 0;
		}
	}
	return 0;
}

static int
get_codes(struct tmpl_set *set, struct scan *s)
{
	const struct enc_rows all = { NULL, set->n_values };
	uint32_t *codes = arena_alloc(set->arena, (set->n_values + 1) * sizeof(*codes));
	struct enc_codes packed;
	uint32_t n_text = 0;
	size_t i;
	int r;

	if (codes == NULL)
		return err_origin(-ENOMEM);
	r = enc_codes_get(s, set->c->zstd, set->n_values, set->arena, &packed);
	if (r != 0)
		return r;
	if (!enc_codes_of(&packed, &all, set->n + 1, codes))
		return BLOCK_E_CORRUPT;
	set->codes = codes;
	for (i = 0; i < set->n_values; i++)
		n_text += codes[i] == 0;
	return err_trace(list_others(set, n_text));
}

/* Where the values of each template and the text lie; all of it must fill the chunk. */
static int
get_places(struct tmpl_set *set, struct scan *s)
{
	uint64_t at = set->c->head.n, len, head;
	size_t i;

	for (i = 0; i < set->n; i++) {
		len = scan_varint(s);
		set->tmpls[i].sum = scan_u32(s);
		if (s->bad || len > set->c->len - at)
			return BLOCK_E_CORRUPT;
		set->tmpls[i].at = at;
		set->tmpls[i].len = len;
		at += len;
	}
	head = scan_varint(s);
	len = scan_varint(s);
	set->text_sum = scan_u32(s);
	if (set->c->version > 1) {
		set->list_len = scan_varint(s);
		set->list_sum = scan_u32(s);
	}
	if (s->bad || len > set->c->len - at || set->list_len != set->c->len - at - len ||
	    head > len || s->at != s->n)
		return BLOCK_E_CORRUPT;
	set->list_at = at + len;
	if ((len == 0) != (set->n_text == 0))
		return BLOCK_E_CORRUPT;
	set->text = *set->c;
	set->text.n_rows = set->n_text;
	set->text.at = set->c->at + at;
	set->text.len = len;
	set->text.head = str_of(NULL, 0);
	set->text.head.n = head;
	return 0;
}

int
tmpl_open(const struct enc_chunk *c, struct arena *arena, struct tmpl_set *set)
{
	struct scan s = SCAN_OF(c->head);
	int r;

	*set = (struct tmpl_set){ .c = c, .arena = arena, .budget = ENC_BYTES_MAX };
	r = enc_present_get(&s, c->zstd, c->n_rows, arena, &set->present, &set->n_values);
	if (r == 0)
		r = get_table(set, &s);
	if (r == 0)
		r = get_codes(set, &s);
	if (r == 0)
		r = get_places(set, &s);
	return r;
}

int
tmpl_open_text(struct tmpl_set *set)
{
	uint8_t *head;
	int r;

	if (set->text.head.p != NULL)
		return 0;
	head = arena_alloc(set->arena, set->text.head.n + ENC_PAD);
	if (head == NULL)
		return err_origin(-ENOMEM);
	r = enc_read(&set->text, 0, set->text.head.n, set->text_sum, head);
	if (r == 0)
		set->text.head.p = head;
	return r;
}

int
tmpl_load(struct tmpl_set *set, struct tmpl *t)
{
	uint8_t *bytes;
	struct scan s;
	size_t i, max;
	int r;

	if (t->loaded)
		return 0;
	r = tmpl_count(set);
	if (r < 0)
		return err_trace(r);
	bytes = arena_alloc(set->arena, t->len + ENC_PAD);
	if (bytes == NULL)
		return err_origin(-ENOMEM);
	r = enc_read(set->c, t->at, t->len, t->sum, bytes);
	if (r != 0)
		return r;
	s = (struct scan){ bytes, t->len, 0, false };
	max = t->pieces[0].n;
	for (i = 0; i < t->n_slots; i++) {
		r = tmpl_slot_load(set, &s, t->n_rows, &t->slots[i]);
		if (r != 0)
			return r;
		max += tmpl_slot_max(&t->slots[i], t->n_rows) + t->pieces[i + 1].n;
	}
	if (s.at != s.n || max > ENC_RECORD_MAX)
		return BLOCK_E_CORRUPT;
	t->row_max = max;
	t->loaded = true;
	return 0;
}
