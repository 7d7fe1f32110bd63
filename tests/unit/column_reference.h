/*
 * tests/unit/column_reference.h - columns read by the letter of docs/FORMAT.md.
 * One job: as enc_reference.h, for each encoding of a column.
 */
#pragma once

#include <zstd.h>

#include "enc_reference.h"
#include "store/block_internal.h"

/* The next n bytes. */
static struct scan
reference_part(struct scan *s, size_t n)
{
	struct str bytes = scan_bytes(s, n);

	return SCAN_OF(bytes);
}

/* "Bytes"; what was compressed lives in ${a}. */
static struct str
reference_bytes(struct scan *s, struct arena *a)
{
	unsigned mode = scan_u8(s);
	uint64_t n_raw = scan_varint(s);
	struct str in, out;

	if (mode == 0)
		return scan_bytes(s, n_raw);
	in = scan_bytes(s, scan_varint(s));
	out = str_of(arena_alloc(a, n_raw + 1), n_raw);
	MUST(mode == 1 && !s->bad && out.p != NULL);
	MUST(ZSTD_decompress((uint8_t *)(uintptr_t)out.p, n_raw, in.p, in.n) == n_raw);
	return out;
}

/* "Presence": has[i] of each row; how many have a value. */
static size_t
reference_presence(struct scan *s, size_t n_rows, bool *has, struct arena *a)
{
	unsigned mode = scan_u8(s);
	struct str map = mode == 0 ? STR_NONE : reference_bytes(s, a);
	size_t i, n = 0;

	MUST(mode <= 1 && (mode == 0 || map.n == (n_rows + 7) / 8));
	for (i = 0; i < n_rows; i++)
		n += has[i] = mode == 0 || (map.p[i / 8] >> (i % 8) & 1) != 0;
	return n;
}

/* "Codes". */
static void
reference_codes(struct scan *s, size_t n, uint64_t *out, struct arena *a)
{
	unsigned mode = scan_u8(s), width = mode == 0 ? scan_u8(s) : mode == 1 ? 8 : 1;
	struct str bytes = mode == 0 ? scan_bytes(s, (n * width + 7) / 8) : reference_bytes(s, a);
	size_t i;

	MUST(mode <= 2 && !s->bad);
	for (i = 0; i < n; i++)
		out[i] = reference_bits(bytes.p, i, width);
}

/* Lengths, then values. */
static void
reference_list(struct str bytes, size_t n, struct str *out)
{
	struct scan s = SCAN_OF(bytes);
	size_t i;

	for (i = 0; i < n; i++)
		out[i].n = scan_varint(&s);
	for (i = 0; i < n; i++)
		out[i] = scan_bytes(&s, out[i].n);
	MUST(!s.bad && s.at == s.n);
}

static struct str
reference_print(struct arena *a, const struct buf *text)
{
	MUST(!text->failed);
	return arena_dup(a, buf_view(text));
}

static void
reference_hex(struct buf *out, const uint8_t *p, size_t n, bool dashes)
{
	size_t i;

	for (i = 0; i < n; i++)
		buf_printf(out, "%s%02x", dashes && i >= 4 && i <= 10 && i % 2 == 0 ? "-" : "",
		    p[i]);
}

/* An integer with a point before its last ${scale} digits. */
static void
reference_number(struct buf *out, int64_t v, unsigned scale)
{
	uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v, unit = 1;
	unsigned i;

	for (i = 0; i < scale; i++)
		unit *= 10;
	buf_printf(out, "%s%llu", v < 0 ? "-" : "", (unsigned long long)(u / unit));
	if (scale != 0)
		buf_printf(out, ".%0*llu", (int)scale, (unsigned long long)(u % unit));
}

static void
reference_dict(struct scan *s, size_t n, struct str *out, struct arena *a)
{
	uint64_t n_dict = scan_varint(s), *codes = arena_zalloc(a, n + 1, 8);
	struct str *dict = arena_zalloc(a, n_dict + 1, sizeof(*dict));
	size_t i;

	reference_list(reference_bytes(s, a), n_dict, dict);
	reference_codes(s, n, codes, a);
	for (i = 0; i < n; i++) {
		MUST(codes[i] < n_dict);
		out[i] = dict[codes[i]];
	}
}

static void
reference_int(struct scan *s, size_t n, unsigned scale, struct str *out, struct arena *a)
{
	bool *has = arena_zalloc(a, n + 1, 1);
	int64_t *ints = arena_zalloc(a, n + 1, 8);
	size_t i, k = 0, n_has = reference_presence(s, n, has, a);

	MUST(reference_ints(s, ints, n_has));
	for (i = 0; i < n; i++) {
		AUTO_FINI(buf_fini) struct buf text = BUF_INIT;

		if (has[i])
			reference_number(&text, ints[k++], scale);
		out[i] = reference_print(a, &text);
	}
}

static void
reference_id(struct scan *s, size_t n, struct str *out, struct arena *a)
{
	bool *has = arena_zalloc(a, n + 1, 1);
	size_t i, k = 0, n_seen = 0, n_has = reference_presence(s, n, has, a), size;
	int64_t *codes = arena_zalloc(a, n + 1, 8);
	unsigned form = scan_u8(s);
	struct str ids;
	uint64_t n_ids;

	size = scan_u8(s);
	n_ids = scan_varint(s);
	ids = scan_bytes(s, n_ids * size);
	MUST(reference_ints(s, codes, n_has));
	for (i = 0; i < n; i++) {
		AUTO_FINI(buf_fini) struct buf text = BUF_INIT;

		if (has[i]) {
			MUST(codes[k] >= 0 && (size_t)codes[k] <= n_seen && n_seen <= n_ids);
			reference_hex(&text, ids.p + (n_seen - (size_t)codes[k]) * size, size,
			    form == 0);
			n_seen += codes[k++] == 0;
		}
		out[i] = reference_print(a, &text);
	}
	MUST(n_seen == n_ids);
}

/* ${pages}: what is behind the head, which is ${s}. */
static void
reference_text(struct scan *s, struct scan *pages, size_t n, struct str *out, struct arena *a)
{
	bool *has = arena_zalloc(a, n + 1, 1);
	size_t n_has = reference_presence(s, n, has, a), row = 0, i, k, n_raw, n_values, bytes;
	uint64_t n_pages = scan_varint(s);
	struct str raw, list[1], *values;
	unsigned mode;

	for (i = 0; i < n; i++)
		out[i] = STR_NONE;
	for (i = 0; i < n_pages; i++) {
		n_values = scan_varint(s);
		n_raw = scan_varint(s);
		(void)scan_varint(s);
		bytes = scan_varint(s);
		mode = scan_u8(s);
		(void)scan_u32(s);
		raw = scan_bytes(pages, bytes);
		if (mode == 1) {
			list[0] = str_of(arena_alloc(a, n_raw + 1), n_raw);
			MUST(ZSTD_decompress((uint8_t *)(uintptr_t)list[0].p, n_raw, raw.p,
			         raw.n) == n_raw);
			raw = list[0];
		}
		values = arena_zalloc(a, n_values + 1, sizeof(*values));
		reference_list(raw, n_values, values);
		for (k = 0; k < n_values; row++)
			if (has[row])
				out[row] = values[k++];
		n_has -= n_values;
	}
	MUST(n_has == 0 && !s->bad && !pages->bad);
}

/* What a slot is, from the table of templates. */
struct reference_slot {
	unsigned type, scale;
	uint64_t size;
	struct str text, suffix;
};

static void
reference_slot_table(struct scan *s, struct reference_slot *slot)
{
	*slot = (struct reference_slot){ .type = scan_u8(s) };
	switch (slot->type) {
	case 0:
	case 2:
		slot->text = scan_bytes(s, scan_varint(s));
		break;
	case 1:
		slot->scale = scan_u8(s);
		(void)scan_u8(s);
		slot->text = scan_bytes(s, scan_varint(s));
		slot->suffix = scan_bytes(s, scan_varint(s));
		break;
	case 3:
		slot->size = scan_u8(s);
		break;
	case 4:
		break;
	case 5:
	case 6:
	case 7:
		(void)scan_u64(s);
		(void)scan_varint(s);
		break;
	default:
		MUST(false);
	}
}

/* The list of values that slots share. */
static struct str *
reference_common(struct scan *s, struct arena *a)
{
	uint64_t n_words = scan_varint(s), n_forms, n, i, k, f;
	struct str *list = arena_zalloc(a, 70000, sizeof(*list)), prefix, suffix, ids;
	unsigned kind, size;

	reference_list(reference_bytes(s, a), n_words, list);
	n_forms = scan_varint(s);
	for (k = n_words, f = 0; f < n_forms; f++) {
		kind = scan_u8(s);
		size = scan_u8(s);
		prefix = scan_bytes(s, scan_varint(s));
		suffix = scan_bytes(s, scan_varint(s));
		n = scan_varint(s);
		ids = scan_bytes(s, n * size);
		MUST(!s->bad && k + n < 70000);
		for (i = 0; i < n; i++) {
			AUTO_FINI(buf_fini) struct buf text = BUF_INIT;

			buf_str(&text, prefix);
			reference_hex(&text, ids.p + i * size, size, kind == 0);
			buf_str(&text, suffix);
			list[k++] = reference_print(a, &text);
		}
	}
	MUST(!s->bad && s->at == s->n);
	return list;
}

static struct str
reference_int_slot(const struct reference_slot *slot, int64_t v, struct arena *a)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	uint8_t pattern[300];
	size_t i;

	if (slot->type == 1) {
		buf_str(&text, slot->text);
		reference_number(&text, v, slot->scale);
		buf_str(&text, slot->suffix);
	} else if (slot->type == 4) {
		buf_printf(&text, "%d.%d.%d.%d", (int)(v >> 24 & 255), (int)(v >> 16 & 255),
		    (int)(v >> 8 & 255), (int)(v & 255));
	} else {
		memcpy(pattern, slot->text.p, slot->text.n);
		for (i = slot->text.n; i-- > 0;)
			if (pattern[i] == '#') {
				pattern[i] = (uint8_t)('0' + v % 10);
				v /= 10;
			}
		buf_put(&text, pattern, slot->text.n);
	}
	return reference_print(a, &text);
}

/* The n values of a slot. */
static void
reference_slot_values(struct scan *s, const struct reference_slot *slot, const struct str *list,
    size_t n, struct str *out, struct arena *a)
{
	int64_t *ints = arena_zalloc(a, n + 1, 8);
	struct str *dict, bytes;
	uint64_t n_dict, at, seen = 0;
	size_t i;

	switch (slot->type) {
	case 0:
		for (i = 0; i < n; i++)
			out[i] = slot->text;
		break;
	case 3:
		for (i = 0; i < n; i++) {
			AUTO_FINI(buf_fini) struct buf text = BUF_INIT;

			reference_hex(&text, scan_bytes(s, slot->size).p, slot->size, false);
			out[i] = reference_print(a, &text);
		}
		break;
	case 5:
		n_dict = scan_varint(s);
		dict = arena_zalloc(a, n_dict + 1, sizeof(*dict));
		reference_list(reference_bytes(s, a), n_dict, dict);
		at = scan_u8(s);
		bytes = scan_bytes(s, (n * at + 7) / 8);
		for (i = 0; i < n; i++)
			out[i] = dict[reference_bits(bytes.p, i, (unsigned)at)];
		break;
	case 6:
		MUST(reference_ints(s, ints, n));
		bytes = reference_bytes(s, a);
		for (at = i = 0; i < n; at += (uint64_t)ints[i++])
			out[i] = str_sub(bytes, at, at + (uint64_t)ints[i]);
		break;
	case 7:
		n_dict = scan_varint(s);
		at = scan_varint(s);
		dict = arena_zalloc(a, n_dict + 1, sizeof(*dict));
		MUST(n_dict != 0 && n_dict <= n && reference_ints(s, ints, n_dict - 1));
		for (dict[0] = list[at], i = 1; i < n_dict; i++)
			dict[i] = list[at += 1 + (uint64_t)ints[i - 1]];
		MUST(reference_ints(s, ints, n));
		for (i = 0; i < n; seen += ints[i++] == 0)
			out[i] = dict[seen - (uint64_t)ints[i]];
		MUST(seen == n_dict);
		break;
	default:
		MUST(reference_ints(s, ints, n));
		for (i = 0; i < n; i++)
			out[i] = reference_int_slot(slot, ints[i], a);
	}
}

struct reference_tmpl {
	size_t n_slots, n, next;
	struct str *pieces, **values; /* of each slot */
	struct reference_slot *slots;
};

static void
reference_tmpl_table(struct str table, size_t n, struct reference_tmpl *t, struct arena *a)
{
	struct scan s = SCAN_OF(table);
	size_t i, k;

	for (i = 0; i < n; i++) {
		t[i].n_slots = scan_varint(&s);
		t[i].pieces = arena_zalloc(a, t[i].n_slots + 1, sizeof(struct str));
		t[i].slots = arena_zalloc(a, t[i].n_slots + 1, sizeof(*t[i].slots));
		t[i].values = arena_zalloc(a, t[i].n_slots + 1, sizeof(*t[i].values));
		for (k = 0; k <= t[i].n_slots; k++)
			t[i].pieces[k].n = scan_varint(&s);
		for (k = 0; k <= t[i].n_slots; k++)
			t[i].pieces[k] = scan_bytes(&s, t[i].pieces[k].n);
		for (k = 0; k < t[i].n_slots; k++)
			reference_slot_table(&s, &t[i].slots[k]);
	}
	MUST(!s.bad && s.at == s.n);
}

static struct str
reference_tmpl_row(struct reference_tmpl *t, struct arena *a)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	size_t k;

	MUST(t->next < t->n);
	buf_str(&text, t->pieces[0]);
	for (k = 0; k < t->n_slots; k++) {
		buf_str(&text, t->values[k][t->next]);
		buf_str(&text, t->pieces[k + 1]);
	}
	t->next++;
	return reference_print(a, &text);
}

/* ${version}: of the encoding; ${rest}: what is behind the head, which is ${s}. */
static void
reference_template(struct scan *s, struct scan *rest, unsigned version, size_t n, struct str *out,
    struct arena *a)
{
	bool *has = arena_zalloc(a, n + 1, 1);
	size_t n_has = reference_presence(s, n, has, a), i, k, n_text = 0, at = 0;
	uint64_t n_tmpls = scan_varint(s), *codes = arena_zalloc(a, n + 1, 8), text_head, text_len;
	struct reference_tmpl *t = arena_zalloc(a, n_tmpls + 1, sizeof(*t));
	struct scan *values = arena_zalloc(a, n_tmpls + 1, sizeof(*values)), head, pages, common;
	struct str *text = arena_zalloc(a, n + 1, sizeof(*text)), *list = NULL;

	reference_tmpl_table(reference_bytes(s, a), n_tmpls, t, a);
	reference_codes(s, n_has, codes, a);
	for (i = 0; i < n_has; i++)
		codes[i] == 0 ? n_text++ : t[codes[i] - 1].n++;
	for (i = 0; i < n_tmpls; i++) {
		values[i] = reference_part(rest, scan_varint(s));
		(void)scan_u32(s);
	}
	text_head = scan_varint(s);
	text_len = scan_varint(s);
	(void)scan_u32(s);
	head = reference_part(rest, text_head);
	pages = reference_part(rest, text_len - text_head);
	if (version == 2) {
		common = reference_part(rest, scan_varint(s));
		(void)scan_u32(s);
		list = reference_common(&common, a);
	}
	MUST(!s->bad && s->at == s->n && !rest->bad && rest->at == rest->n);
	if (n_text != 0)
		reference_text(&head, &pages, n_text, text, a);
	for (i = 0; i < n_tmpls; i++) {
		for (k = 0; k < t[i].n_slots; k++) {
			t[i].values[k] = arena_zalloc(a, t[i].n + 1, sizeof(struct str));
			reference_slot_values(&values[i], &t[i].slots[k], list, t[i].n,
			    t[i].values[k], a);
		}
		MUST(!values[i].bad && values[i].at == values[i].n);
	}
	for (n_text = i = 0; i < n; i++) {
		if (!has[i])
			out[i] = STR_NONE;
		else if (codes[at] == 0)
			out[i] = text[n_text++];
		else
			out[i] = reference_tmpl_row(&t[codes[at] - 1], a);
		at += has[i];
	}
}

/* A column as block_encode_column wrote it. */
static void
reference_column(const struct block_entry *e, struct str data, size_t n, struct str *out,
    struct arena *a)
{
	struct scan rest, s;
	struct str chunk;
	size_t i;

	for (i = 0; e->enc == ENC_CONST && i < n; i++)
		out[i] = e->value;
	if (e->enc == ENC_CONST)
		return;
	chunk = str_sub(data, e->at, e->at + e->len);
	rest = SCAN_OF(chunk);
	s = reference_part(&rest, e->head_len);
	switch ((enum enc_id)e->enc) {
	case ENC_DICT:
		reference_dict(&s, n, out, a);
		break;
	case ENC_INT:
		reference_int(&s, n, e->scale, out, a);
		break;
	case ENC_ID:
		reference_id(&s, n, out, a);
		break;
	case ENC_TEXT:
		reference_text(&s, &rest, n, out, a);
		break;
	case ENC_TMPL:
		reference_template(&s, &rest, e->version, n, out, a);
		break;
	case ENC_CONST:
	case ENC_TIME:
	case ENC_REST:
	case ENC_SHAPE:
		MUST(false);
	}
	MUST(!s.bad && s.at == s.n && !rest.bad && rest.at == rest.n);
}
