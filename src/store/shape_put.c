/*
 * store/shape_put.c - the shapes of a block as bytes, and back.
 * One job: which shape each row has, and what the shapes are.
 * Floor: 2 (uses record, base).
 *
 * Shapes, version 1, and version 2, which has the forms 2 and 3 of a time:
 *
 *   size     field
 *   varint   n_shapes
 *   ...      table   "Bytes": for each shape varint n_parts, and for each part
 *              1       type    0 bytes, 1 value, 2 value escaped as in a JSON string, 3 _time
 *                      0: varint length, bytes; 1, 2: varint length, name of the field
 *                      3: 1 form, 1 digits, 1 point, 1 separator, 1 zone, 2 minutes (struct time_style)
 *   ...      codes   "Codes" below n_shapes + 2, one for each row: 0 no line is known, 1 the line stands in
 *                    the column of role ROLE_LINE, k shape k - 2
 */
#include "store/shape.h"

static void
put_part(struct buf *out, const struct shapes *s, const struct shape_part *p, shape_name_fn name_of,
    const void *ctx)
{
	struct str v = STR_NONE;

	buf_byte(out, (uint8_t)p->type);
	if (p->type == SHAPE_TIME) {
		buf_byte(out, p->style.form);
		buf_byte(out, p->style.digits);
		buf_byte(out, p->style.point);
		buf_byte(out, p->style.separator);
		buf_byte(out, p->style.zone);
		buf_u16(out, (uint16_t)p->style.minutes);
		return;
	}
	if (p->type == SHAPE_BYTES)
		v = str_of(s->bytes.p + p->at, p->bytes.n);
	else
		v = name_of(ctx, p->column);
	buf_varint(out, v.n);
	buf_str(out, v);
}

int
shape_put(struct buf *out, struct enc_scratch *scratch, const struct shapes *s,
    const uint32_t *codes, size_t n, shape_name_fn name_of, const void *ctx)
{
	AUTO_FINI(buf_fini) struct buf table = BUF_INIT;
	size_t i, k;

	for (i = 0; i < s->n; i++) {
		buf_varint(&table, s->shapes[i].n_parts);
		for (k = 0; k < s->shapes[i].n_parts; k++)
			put_part(&table, s, &s->shapes[i].parts[k], name_of, ctx);
	}
	if (table.failed)
		return buf_err(&table);
	buf_varint(out, s->n);
	enc_bytes_put(out, scratch, buf_view(&table));
	return err_trace(enc_codes_put(out, scratch, codes, n, s->n + SHAPE_FIRST));
}

static bool
get_part(struct scan *s, struct shape_part *p)
{
	unsigned type = scan_u8(s);

	if (type > SHAPE_TIME)
		return false;
	*p = (struct shape_part){ .type = (enum shape_type)type };
	if (type != SHAPE_TIME) {
		p->bytes = scan_bytes(s, scan_varint(s));
		return !s->bad;
	}
	p->style.form = scan_u8(s);
	p->style.digits = scan_u8(s);
	p->style.point = scan_u8(s);
	p->style.separator = scan_u8(s);
	p->style.zone = scan_u8(s);
	p->style.minutes = (int16_t)scan_u16(s);
	return !s->bad && p->style.form <= TIME_SYSLOG && p->style.digits <= 9 &&
	    p->style.minutes < 24 * 60 && p->style.minutes > -24 * 60;
}

static int
get_shape(struct scan *s, struct arena *arena, struct shape *shape)
{
	uint64_t n = scan_varint(s);
	size_t i;

	if (s->bad || n > SHAPE_PARTS_MAX)
		return BLOCK_E_CORRUPT;
	shape->n_parts = n;
	shape->parts = arena_alloc(arena, (n + 1) * sizeof(*shape->parts));
	if (shape->parts == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < n; i++)
		if (!get_part(s, &shape->parts[i]))
			return BLOCK_E_CORRUPT;
	return 0;
}

int
shape_get(const struct enc_chunk *c, struct arena *arena, struct shape_set *ret)
{
	struct scan s = SCAN_OF(c->head), table;
	uint64_t n = scan_varint(&s);
	struct str bytes;
	size_t i;
	int r;

	if (s.bad || n > SHAPE_MAX)
		return BLOCK_E_CORRUPT;
	r = enc_bytes_get(&s, c->zstd, ENC_BYTES_MAX, arena, &bytes);
	if (r != 0)
		return r;
	ret->n = n;
	ret->shapes = arena_zalloc(arena, n + 1, sizeof(*ret->shapes));
	if (ret->shapes == NULL)
		return err_origin(-ENOMEM);
	table = SCAN_OF(bytes);
	for (i = 0; i < n; i++) {
		r = get_shape(&table, arena, &ret->shapes[i]);
		if (r != 0)
			return r;
	}
	if (table.at != table.n)
		return BLOCK_E_CORRUPT;
	return enc_codes_get(&s, c->zstd, c->n_rows, arena, &ret->codes);
}

bool
shape_codes(const struct shape_set *set, const struct enc_rows *rows, uint32_t *out)
{
	return enc_codes_of(&set->codes, rows, set->n + SHAPE_FIRST, out);
}
