/*
 * store/tmpl_list.c - values that stand in several slots, read.
 * One job: the list that the slots of a column share (the bytes stand in tmpl_common.c); nothing is believed.
 * Floor: 2 (uses record, base).
 */
#include "store/tmpl.h"

enum { ID_MIN = 8, UUID_BYTES = 16 };

static int
grow(struct tmpl_set *set, size_t n)
{
	struct str *list = arena_alloc(set->arena, (set->n_list + n + 1) * sizeof(*list));

	if (list == NULL)
		return err_origin(-ENOMEM);
	if (set->n_list != 0)
		memcpy(list, set->list, set->n_list * sizeof(*list));
	set->list = list;
	return 0;
}

static int
get_words(struct tmpl_set *set, struct scan *s)
{
	uint64_t n = scan_varint(s);
	struct str bytes;
	struct scan words;
	size_t i;
	int r;

	r = s->bad ? BLOCK_E_CORRUPT
	           : enc_bytes_get(s, set->c->zstd, set->budget, set->arena, &bytes);
	if (r != 0)
		return r;
	set->budget -= bytes.n;
	if (n > bytes.n)
		return BLOCK_E_CORRUPT;
	r = grow(set, n);
	if (r != 0)
		return err_trace(r);
	words = SCAN_OF(bytes);
	for (i = 0; i < n; i++)
		set->list[i].n = scan_varint(&words);
	for (i = 0; i < n; i++)
		set->list[i] = scan_bytes(&words, set->list[i].n);
	set->n_list = n;
	return words.bad || words.at != words.n ? BLOCK_E_CORRUPT : 0;
}

struct form {
	bool is_hex;
	unsigned size;
	struct str prefix, suffix;
	struct str ids;
	size_t n;
};

static bool
get_form(struct scan *s, struct form *f)
{
	unsigned kind = scan_u8(s);
	uint64_t n;

	f->is_hex = kind == 1;
	f->size = scan_u8(s);
	f->prefix = scan_bytes(s, scan_varint(s));
	f->suffix = scan_bytes(s, scan_varint(s));
	n = scan_varint(s);
	if (s->bad || kind > 1 || f->size < ID_MIN || (kind == 0 && f->size != UUID_BYTES) ||
	    n > s->n)
		return false;
	f->n = n;
	f->ids = scan_bytes(s, n * f->size);
	return !s->bad;
}

static int
format_ids(struct tmpl_set *set, const struct form *f)
{
	size_t digits = f->is_hex ? f->size * 2 : ENC_UUID_TEXT, i;
	size_t each = f->prefix.n + digits + f->suffix.n;
	uint8_t *text;
	int r;

	if (f->n > set->budget / each)
		return BLOCK_E_CORRUPT;
	set->budget -= f->n * each;
	r = grow(set, f->n);
	text = arena_alloc(set->arena, f->n * each + ENC_PAD);
	if (r != 0 || text == NULL)
		return r != 0 ? err_trace(r) : err_origin(-ENOMEM);
	for (i = 0; i < f->n; i++, text += each) {
		bytes_copy(text, f->prefix.p, f->prefix.n);
		enc_id_format(f->ids.p + i * f->size, f->size, f->is_hex, text + f->prefix.n);
		bytes_copy(text + f->prefix.n + digits, f->suffix.p, f->suffix.n);
		set->list[set->n_list++] = str_of(text, each);
	}
	return 0;
}

int
tmpl_list_load(struct tmpl_set *set)
{
	uint8_t *bytes;
	struct form f;
	struct scan s;
	uint64_t n, i;
	int r;

	if (set->list != NULL)
		return 0;
	bytes = arena_alloc(set->arena, set->list_len + ENC_PAD);
	if (bytes == NULL)
		return err_origin(-ENOMEM);
	r = enc_read(set->c, set->list_at, set->list_len, set->list_sum, bytes);
	if (r != 0)
		return r;
	s = (struct scan){ bytes, set->list_len, 0, false };
	r = get_words(set, &s);
	if (r != 0)
		return r;
	n = scan_varint(&s);
	if (s.bad || n > TMPL_FORMS_MAX)
		return BLOCK_E_CORRUPT;
	for (i = 0; i < n; i++) {
		r = get_form(&s, &f) ? format_ids(set, &f) : BLOCK_E_CORRUPT;
		if (r != 0)
			return r;
	}
	return s.at == s.n ? 0 : BLOCK_E_CORRUPT;
}
