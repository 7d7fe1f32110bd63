/*
 * store/tmpl_load.c - the values of one variable, read.
 * One job: decode a slot (the bytes stand in tmpl_slot.c) and write its text again.
 * Floor: 2 (uses record, base).
 */
#include "store/tmpl.h"

bool
tmpl_slot_table(struct scan *s, struct tmpl_slot *slot)
{
	unsigned type = scan_u8(s);

	slot->type = SLOT_CONST;
	switch (type) {
	case SLOT_CONST:
	case SLOT_PATTERN:
		slot->text = scan_bytes(s, scan_varint(s));
		break;
	case SLOT_NUM:
		slot->scale = scan_u8(s);
		slot->size = scan_u8(s);
		slot->text = scan_bytes(s, scan_varint(s));
		slot->suffix = scan_bytes(s, scan_varint(s));
		break;
	case SLOT_HEX:
		slot->size = scan_u8(s);
		break;
	case SLOT_IPV4:
		break;
	case SLOT_DICT:
	case SLOT_TEXT:
	case SLOT_COMMON:
		slot->chars = scan_u64(s);
		slot->size = scan_varint(s);
		break;
	default:
		return false;
	}
	slot->type = (enum tmpl_type)type;
	return !s->bad && slot->scale <= TMPL_DIGITS_MAX && slot->size <= TMPL_VALUE_MAX;
}

static int
load_ints(struct tmpl_set *set, struct scan *s, size_t n, struct tmpl_slot *slot)
{
	int64_t *ints = arena_alloc(set->arena, (n + 1) * sizeof(*ints));

	if (ints == NULL)
		return err_origin(-ENOMEM);
	slot->ints = ints;
	return enc_ints_get(s, ints, n) ? 0 : BLOCK_E_CORRUPT;
}

/* All slots together decode to no more than a column may. */
static int
load_bytes(struct tmpl_set *set, struct scan *s, struct str *ret)
{
	int r = enc_bytes_get(s, set->c->zstd, set->budget, set->arena, ret);

	if (r == 0)
		set->budget -= ret->n;
	return r;
}

static int
load_dict(struct tmpl_set *set, struct scan *s, size_t n, struct tmpl_slot *slot)
{
	uint64_t n_dict = scan_varint(s);
	uint32_t *codes = arena_alloc(set->arena, (n + 1) * sizeof(*codes));
	struct str bytes, packed, *dict;
	struct scan list;
	unsigned width;
	size_t i;
	int r;

	if (s->bad || n_dict == 0 || n_dict > n)
		return BLOCK_E_CORRUPT;
	dict = arena_alloc(set->arena, n_dict * sizeof(*dict));
	if (codes == NULL || dict == NULL)
		return err_origin(-ENOMEM);
	r = load_bytes(set, s, &bytes);
	if (r != 0)
		return r;
	list = SCAN_OF(bytes);
	for (i = 0; i < n_dict; i++)
		dict[i].n = scan_varint(&list);
	for (i = 0; i < n_dict; i++) {
		dict[i] = scan_bytes(&list, dict[i].n);
		if (dict[i].n > slot->size)
			return BLOCK_E_CORRUPT;
	}
	width = scan_u8(s);
	if (s->bad || list.bad || width > 32)
		return BLOCK_E_CORRUPT;
	packed = scan_bytes(s, enc_bits_bytes(n, width));
	if (s->bad)
		return BLOCK_E_CORRUPT;
	enc_bits_get32(packed.p, n, width, codes);
	for (i = 0; i < n; i++)
		if (codes[i] >= n_dict)
			return BLOCK_E_CORRUPT;
	slot->dict = dict;
	slot->codes = codes;
	return 0;
}

static int
load_text(struct tmpl_set *set, struct scan *s, size_t n, struct tmpl_slot *slot)
{
	uint32_t *offs = arena_alloc(set->arena, (n + 1) * sizeof(*offs));
	struct str bytes;
	size_t i;
	int r;

	r = load_ints(set, s, n, slot);
	if (r == 0)
		r = load_bytes(set, s, &bytes);
	if (r != 0)
		return r;
	if (offs == NULL)
		return err_origin(-ENOMEM);
	offs[0] = 0;
	for (i = 0; i < n; i++) {
		if (slot->ints[i] < 0 || (uint64_t)slot->ints[i] > slot->size ||
		    (uint64_t)slot->ints[i] > bytes.n - offs[i])
			return BLOCK_E_CORRUPT;
		offs[i + 1] = offs[i] + (uint32_t)slot->ints[i];
	}
	slot->offs = offs;
	slot->bytes = bytes.p;
	return 0;
}

/* The different values of a slot by their numbers in the list. */
static int
get_refs(struct tmpl_set *set, struct scan *s, size_t n_dict, struct tmpl_slot *slot)
{
	uint64_t at = scan_varint(s);
	struct str *dict = arena_alloc(set->arena, n_dict * sizeof(*dict));
	int64_t *refs = arena_alloc(set->arena, n_dict * sizeof(*refs));
	size_t i;
	int r;

	if (dict == NULL || refs == NULL)
		return err_origin(-ENOMEM);
	r = tmpl_list_load(set);
	if (r != 0)
		return r;
	if (!enc_ints_get(s, refs + 1, n_dict - 1))
		return BLOCK_E_CORRUPT;
	for (i = 0; i < n_dict; i++) {
		at += i == 0 ? 0 : (uint64_t)refs[i] + 1;
		if (at >= set->n_list || set->list[at].n > slot->size)
			return BLOCK_E_CORRUPT;
		dict[i] = set->list[at];
	}
	slot->dict = dict;
	return 0;
}

static int
load_common(struct tmpl_set *set, struct scan *s, size_t n, struct tmpl_slot *slot)
{
	uint64_t n_dict = scan_varint(s), n_seen = 0;
	uint32_t *codes = arena_alloc(set->arena, (n + 1) * sizeof(*codes));
	size_t i;
	int r;

	if (s->bad || n_dict == 0 || n_dict > n)
		return BLOCK_E_CORRUPT;
	if (codes == NULL)
		return err_origin(-ENOMEM);
	r = get_refs(set, s, n_dict, slot);
	if (r == 0)
		r = load_ints(set, s, n, slot);
	for (i = 0; r == 0 && i < n; i++) {
		if (slot->ints[i] < 0 || (uint64_t)slot->ints[i] > n_seen)
			return BLOCK_E_CORRUPT;
		codes[i] = (uint32_t)(n_seen - (uint64_t)slot->ints[i]);
		n_seen += slot->ints[i] == 0;
		if (n_seen > n_dict)
			return BLOCK_E_CORRUPT;
	}
	slot->codes = codes;
	return r != 0 ? r : n_seen == n_dict ? 0 : BLOCK_E_CORRUPT;
}

int
tmpl_slot_load(struct tmpl_set *set, struct scan *s, size_t n, struct tmpl_slot *slot)
{
	switch (slot->type) {
	case SLOT_CONST:
		return 0;
	case SLOT_NUM:
	case SLOT_PATTERN:
	case SLOT_IPV4:
		return load_ints(set, s, n, slot);
	case SLOT_HEX:
		slot->bytes = scan_bytes(s, n * slot->size).p;
		return s->bad ? BLOCK_E_CORRUPT : 0;
	case SLOT_DICT:
		return load_dict(set, s, n, slot);
	case SLOT_TEXT:
		return load_text(set, s, n, slot);
	case SLOT_COMMON:
		return load_common(set, s, n, slot);
	}
	return BLOCK_E_CORRUPT;
}

size_t
tmpl_slot_max(const struct tmpl_slot *slot, size_t n)
{
	switch (slot->type) {
	case SLOT_CONST:
	case SLOT_PATTERN:
		return slot->text.n;
	case SLOT_NUM:
		return slot->text.n + TMPL_NUM_TEXT + slot->suffix.n;
	case SLOT_HEX:
		return slot->size * 2;
	case SLOT_IPV4:
		return sizeof("255.255.255.255") - 1;
	case SLOT_DICT:
	case SLOT_TEXT:
	case SLOT_COMMON:
		return slot->size;
	}
	return 0;
}

static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233"
                            "3435363738394041424344454647484950515253545556575859606162636465666768"
                            "6970717273747576777879808182838485868788899091929394959697989"
                            "9";

/* v in decimal with a point before its last ${scale} digits; at most TMPL_NUM_TEXT bytes. */
static uint8_t *
write_number(uint64_t v, unsigned scale, uint8_t *out)
{
	uint8_t digits[TMPL_NUM_TEXT];
	size_t at = sizeof(digits), n;

	while (v >= 100) {
		at -= 2;
		memcpy(digits + at, pairs + v % 100 * 2, 2);
		v /= 100;
	}
	if (v >= 10) {
		at -= 2;
		memcpy(digits + at, pairs + v * 2, 2);
	} else {
		digits[--at] = (uint8_t)('0' + v);
	}
	while (sizeof(digits) - at <= scale)
		digits[--at] = '0';
	n = sizeof(digits) - at - scale;
	memcpy(out, digits + at, n);
	out += n;
	if (scale != 0) {
		*out++ = '.';
		memcpy(out, digits + at + n, scale);
		out += scale;
	}
	return out;
}

static uint8_t *
write_pattern(struct str pattern, uint64_t v, uint8_t *out)
{
	size_t i;

	for (i = pattern.n; i-- > 0;) {
		if (pattern.p[i] == TMPL_DIGIT_MARK) {
			out[i] = (uint8_t)('0' + v % 10);
			v /= 10;
		} else {
			out[i] = pattern.p[i];
		}
	}
	return out + pattern.n;
}

static uint8_t *
write_hex(const uint8_t *p, size_t n, uint8_t *out)
{
	static const char hex[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < n; i++) {
		*out++ = (uint8_t)hex[p[i] >> 4];
		*out++ = (uint8_t)hex[p[i] & 15];
	}
	return out;
}

/* 0 to 255. */
static inline uint8_t *
write_octet(unsigned v, uint8_t *out)
{
	if (v < 10) {
		*out++ = (uint8_t)('0' + v);
		return out;
	}
	if (v >= 100) {
		*out++ = (uint8_t)('0' + v / 100);
		v %= 100;
	}
	memcpy(out, pairs + (size_t)v * 2, 2);
	return out + 2;
}

static uint8_t *
write_ipv4(uint64_t v, uint8_t *out)
{
	unsigned shift;

	for (shift = 24;; shift -= 8) {
		out = write_octet((v >> shift) & 255, out);
		if (shift == 0)
			return out;
		*out++ = '.';
	}
}

static inline uint8_t *
write_bytes(const uint8_t *p, size_t n, uint8_t *out)
{
	if (n != 0)
		memcpy(out, p, n);
	return out + n;
}

static uint8_t *
write_slot(const struct tmpl_slot *s, size_t k, uint8_t *out)
{
	switch (s->type) {
	case SLOT_CONST:
		return write_bytes(s->text.p, s->text.n, out);
	case SLOT_NUM:
		out = write_bytes(s->text.p, s->text.n, out);
		out = write_number((uint64_t)s->ints[k], s->scale, out);
		return write_bytes(s->suffix.p, s->suffix.n, out);
	case SLOT_PATTERN:
		return write_pattern(s->text, (uint64_t)s->ints[k], out);
	case SLOT_HEX:
		return write_hex(s->bytes + k * s->size, s->size, out);
	case SLOT_IPV4:
		return write_ipv4((uint64_t)s->ints[k], out);
	case SLOT_DICT:
	case SLOT_COMMON:
		return write_bytes(s->dict[s->codes[k]].p, s->dict[s->codes[k]].n, out);
	case SLOT_TEXT:
		return write_bytes(s->bytes + s->offs[k], s->offs[k + 1] - s->offs[k], out);
	}
	return out;
}

uint8_t *
tmpl_plan_write(const struct tmpl_plan *p, size_t k, uint8_t *out)
{
	const struct tmpl_step *s;

	for (s = p->steps; s < p->steps + p->n; s++)
		out = s->slot != NULL ? write_slot(s->slot, k, out)
		                      : write_bytes(s->bytes.p, s->bytes.n, out);
	return out;
}

uint8_t *
tmpl_write(const struct tmpl *t, size_t k, uint8_t *out)
{
	size_t i;

	out = write_bytes(t->pieces[0].p, t->pieces[0].n, out);
	for (i = 0; i < t->n_slots; i++) {
		out = write_slot(&t->slots[i], k, out);
		out = write_bytes(t->pieces[i + 1].p, t->pieces[i + 1].n, out);
	}
	return out;
}
