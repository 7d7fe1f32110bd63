/*
 * store/shape_find.c - the shape of a line.
 * One job: find a shape that makes this line of this record, or make one.
 * Floor: 2 (uses record, base).
 *
 * Nearly every line has a shape that was seen before: found by a hash of which fields the record has, and
 * checked by comparing bytes.  Values that lie in the line itself are where they should be or not, without
 * a look at them.
 */
#include "store/shape.h"

enum { SLOTS = 4096 };

int
shapes_init(struct shapes *s)
{
	*s = (struct shapes){ .shapes = malloc(SHAPE_MAX * sizeof(*s->shapes)),
		.slots = malloc(SLOTS * sizeof(*s->slots)) };
	if (s->shapes == NULL || s->slots == NULL)
		return err_origin(-ENOMEM);
	shapes_clear(s);
	return 0;
}

void
shapes_clear(struct shapes *s)
{
	size_t i;

	s->n = 0;
	s->n_failed = 0;
	buf_clear(&s->bytes);
	arena_clear(&s->arena);
	for (i = 0; i < SLOTS; i++)
		s->slots[i] = SHAPE_MAX;
}

void
shapes_fini(struct shapes *s)
{
	free(s->shapes);
	free(s->slots);
	buf_fini(&s->bytes);
	buf_fini(&s->escaped);
	arena_fini(&s->arena);
	*s = (struct shapes){ 0 };
}

unsigned
shapes_version(const struct shapes *s)
{
	unsigned version = 1;
	size_t i, k;

	for (i = 0; i < s->n; i++)
		for (k = 0; k < s->shapes[i].n_parts; k++)
			if (s->shapes[i].parts[k].type == SHAPE_TIME &&
			    s->shapes[i].parts[k].style.form > TIME_EPOCH)
				version = 2;
	return version;
}

/* The value as in a JSON string, without quotes; in s->escaped. */
static struct str
escape(struct shapes *s, struct str v)
{
	buf_clear(&s->escaped);
	buf_json(&s->escaped, v);
	if (s->escaped.failed || s->escaped.n < 2)
		return STR_NONE;
	return str_sub(buf_view(&s->escaped), 1, s->escaped.n - 1);
}

/* Whether the part, which is no plain value of the line, makes what stands at *at of it; moves *at behind it. */
static bool
part_fits(struct shapes *s, const struct shape_part *p, const struct record *rec, size_t *at)
{
	struct str v = STR_NONE, line = rec->line;

	switch (p->type) {
	case SHAPE_BYTES:
		v = str_of(s->bytes.p + p->at, p->bytes.n);
		break;
	case SHAPE_TIME:
		v = time_text_of(&s->time, &p->style, rec->time.ns);
		break;
	case SHAPE_VALUE:
		v = rec->fields[p->field].value;
		break;
	case SHAPE_ESCAPED:
		v = escape(s, rec->fields[p->field].value);
		break;
	}
	if (v.n > line.n - *at || !bytes_equal(line.p + *at, v.p, v.n))
		return false;
	*at += v.n;
	return true;
}

static bool
shape_fits(struct shapes *s, const struct shape *shape, const struct record *rec,
    const uint32_t *columns)
{
	const struct shape_part *p = shape->parts, *end = p + shape->n_parts;
	const uint8_t *line = rec->line.p;
	size_t at = 0, n = rec->line.n;
	struct str v;

	for (; p < end; p++) {
		if (p->type == SHAPE_VALUE || p->type == SHAPE_ESCAPED) {
			if (p->field >= rec->n_fields || columns[p->field] != p->column)
				return false;
			v = rec->fields[p->field].value;
			if (v.n == 0)
				return false;
			/* Mostly it is this place of the line itself. */
			if (p->type == SHAPE_VALUE && v.p == line + at && v.n <= n - at) {
				at += v.n;
				continue;
			}
		} else if (p->type == SHAPE_BYTES) {
			if (p->bytes.n > n - at ||
			    !bytes_equal(line + at, s->bytes.p + p->at, p->bytes.n))
				return false;
			at += p->bytes.n;
			continue;
		}
		if (!part_fits(s, p, rec, &at))
			return false;
	}
	return at == n;
}

/* Where a value lies in a line. */
struct anchor {
	size_t at, n;
	struct shape_part part;
};

static bool
overlaps(const struct anchor *a, size_t n, size_t at, size_t len)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (at < a[i].at + a[i].n && a[i].at < at + len)
			return true;
	return false;
}

static void
anchor_add(struct anchor *a, size_t *n, size_t at, size_t len, struct shape_part part)
{
	size_t i;

	if (overlaps(a, *n, at, len))
		return;
	for (i = *n; i > 0 && a[i - 1].at > at; i--)
		a[i] = a[i - 1];
	a[i] = (struct anchor){ at, len, part };
	++*n;
}

/* The first free place of the line that has these bytes. */
static bool
anchor_find(struct str line, struct str v, struct shape_part part, struct anchor *a, size_t *n)
{
	size_t at = 0, hit;

	while (v.n != 0 && (hit = str_find(str_sub(line, at, line.n), v)) != SIZE_MAX) {
		at += hit;
		if (!overlaps(a, *n, at, v.n)) {
			anchor_add(a, n, at, v.n, part);
			return true;
		}
		at++;
	}
	return false;
}

/*
 * Values in memory of their own stand in the line as they are, or escaped.  In JSON escaped goes first, else
 * last: the first line of a shape often has nothing to be escaped, and those after it have.
 */
static void
anchor_copied(struct shapes *s, struct str line, struct str v, struct shape_part part,
    struct anchor *a, size_t *n)
{
	bool json = line.n > 0 && line.p[0] == '{';

	part.type = json ? SHAPE_ESCAPED : SHAPE_VALUE;
	if (anchor_find(line, json ? escape(s, v) : v, part, a, n))
		return;
	part.type = json ? SHAPE_VALUE : SHAPE_ESCAPED;
	(void)anchor_find(line, json ? v : escape(s, v), part, a, n);
}

/* The time stands between the values, if anywhere. */
static void
anchor_time(const struct record *rec, struct anchor *a, size_t *n)
{
	struct shape_part part = { .type = SHAPE_TIME };
	char text[TIME_STYLE_TEXT];
	size_t i, from = 0, to, at;

	for (i = 0; i <= *n; i++) {
		to = i < *n ? a[i].at : rec->line.n;
		if (time_style_find(str_sub(rec->line, from, to), rec->time.ns, &at, &part.style)) {
			anchor_add(a, n, from + at,
			    time_style_write(&part.style, rec->time.ns, text), part);
			return;
		}
		from = i < *n ? a[i].at + a[i].n : to;
	}
}

/* Whether the value is a piece of the line itself. */
static bool
is_lined(struct str line, struct str v)
{
	return v.p >= line.p && v.n <= line.n && v.p <= line.p + (line.n - v.n);
}

static size_t
find_anchors(struct shapes *s, const struct record *rec, const uint32_t *columns, size_t n_fields,
    struct anchor *a)
{
	struct str v, line = rec->line;
	struct shape_part part;
	size_t i, n = 0;
	unsigned pass;

	for (pass = 0; pass < 2; pass++)
		for (i = 0; i < n_fields; i++) {
			v = rec->fields[i].value;
			part = (struct shape_part){ .type = SHAPE_VALUE,
				.column = columns[i],
				.field = (uint32_t)i };
			if (v.n == 0 || columns[i] == UINT32_MAX)
				continue;
			if (is_lined(line, v)) {
				if (pass == 0)
					anchor_add(a, &n, (size_t)(v.p - line.p), v.n, part);
				continue;
			}
			if (pass == 1)
				anchor_copied(s, line, v, part, a, &n);
		}
	anchor_time(rec, a, &n);
	return n;
}

static void
add_bytes(struct shapes *s, struct shape *shape, struct str line, size_t from, size_t to)
{
	struct shape_part part = { .type = SHAPE_BYTES, .at = (uint32_t)s->bytes.n };

	if (from == to)
		return;
	part.bytes.n = to - from;
	buf_put(&s->bytes, line.p + from, to - from);
	shape->parts[shape->n_parts++] = part;
}

/* A new shape for this line; *ret_ok is false when it does not make the line after all. */
static int
shape_make(struct shapes *s, const struct record *rec, const uint32_t *columns, size_t n_fields,
    struct shape *shape, bool *ret_ok)
{
	size_t n_max = n_fields + 1, i, n, at = 0;
	struct anchor *a = arena_alloc(&s->arena, (n_max + 1) * sizeof(*a));

	shape->n_parts = 0;
	shape->parts = arena_alloc(&s->arena, (2 * n_max + 1) * sizeof(*shape->parts));
	if (a == NULL || shape->parts == NULL)
		return err_origin(-ENOMEM);
	n = find_anchors(s, rec, columns, n_fields, a);
	for (i = 0; i < n; i++) {
		add_bytes(s, shape, rec->line, at, a[i].at);
		shape->parts[shape->n_parts++] = a[i].part;
		at = a[i].at + a[i].n;
	}
	add_bytes(s, shape, rec->line, at, rec->line.n);
	if (s->bytes.failed)
		return buf_err(&s->bytes);
	for (i = 0; i < shape->n_parts; i++)
		shape->escapes = shape->escapes || shape->parts[i].type == SHAPE_ESCAPED;
	*ret_ok = shape_fits(s, shape, rec, columns);
	return 0;
}

/* Whether a shape that fits this line fits those of all records of its layout: what it escapes is escaped in all. */
static bool
is_of_layout(const struct shape *shape, const struct record *rec)
{
	size_t i;

	for (i = 0; shape->escapes && i < shape->n_parts; i++)
		if (shape->parts[i].type == SHAPE_ESCAPED &&
		    is_lined(rec->line, rec->fields[shape->parts[i].field].value))
			return false;
	return true;
}

static uint64_t
key_of(const struct record *rec, const uint32_t *columns, size_t n_fields)
{
	uint64_t h = n_fields;
	size_t i;

	for (i = 0; i < n_fields; i++)
		if (rec->fields[i].value.n != 0)
			h = (h ^ columns[i]) * UINT64_C(0x9e3779b97f4a7c15) ^ h >> 29;
	return h ^ h >> 32;
}

/* Lines that have little in common are kept; there is no point in ever more shapes. */
static bool
may_make(const struct shapes *s, size_t n_tried, size_t n_fields)
{
	return s->n < SHAPE_MAX && s->n_failed < SHAPE_MAX && n_tried < SHAPE_TRIES &&
	    2 * n_fields + 3 <= SHAPE_PARTS_MAX && s->bytes.n < BLOCK_BYTES_MAX / 4;
}

int
shapes_code(struct shapes *s, const struct record *rec, const uint32_t *columns, size_t n_columns,
    uint32_t *ret)
{
	size_t n_own = rec->n_fields - rec->n_beside, n_tried = 0;
	size_t n_fields = n_own < n_columns ? n_own : n_columns;
	uint64_t key = key_of(rec, columns, n_fields);
	uint32_t *slot = &s->slots[key % SLOTS], i, second = SHAPE_KEPT;
	size_t bytes_n = s->bytes.n;
	struct shape *shape;
	bool ok = false;
	int r;

	*ret = SHAPE_KEPT;
	for (i = *slot; i != SHAPE_MAX && n_tried < SHAPE_TRIES; i = s->shapes[i].next) {
		if (s->shapes[i].key == key && shape_fits(s, &s->shapes[i], rec, columns)) {
			*ret = SHAPE_FIRST + i;
			if (rec->layout == 0 || is_of_layout(&s->shapes[i], rec))
				return 0;
			second = *ret;
		}
		n_tried++;
	}
	*ret = second;
	if (n_fields != n_own || !may_make(s, n_tried, n_fields))
		return 0;
	shape = &s->shapes[s->n];
	*shape = (struct shape){ .key = key, .next = *slot };
	r = shape_make(s, rec, columns, n_fields, shape, &ok);
	if (r != 0 || !ok) {
		s->bytes.n = bytes_n;
		s->n_failed++;
		return err_trace(r);
	}
	*slot = (uint32_t)s->n++;
	*ret = SHAPE_FIRST + *slot;
	return 0;
}

bool
shapes_fixed(struct shapes *s, uint32_t code, const struct record *rec, struct shape_fixed *ret)
{
	const struct shape *shape = &s->shapes[code - SHAPE_FIRST];
	const uint8_t *at = rec->line.p;
	size_t i, n_values = 0, n_escaped = 0;
	const struct shape_part *p;
	struct str v = STR_NONE, escaped;

	*ret = (struct shape_fixed){ 0 };
	if (!is_of_layout(shape, rec))
		return false;
	for (p = shape->parts; p < shape->parts + shape->n_parts; p++) {
		if (p->type == SHAPE_VALUE || p->type == SHAPE_ESCAPED) {
			v = rec->fields[p->field].value;
			n_values++;
		}
		if ((p->type == SHAPE_TIME && (ret->style != NULL || at != rec->time_text.p)) ||
		    (p->type == SHAPE_VALUE && at != v.p))
			return false;
		switch (p->type) {
		case SHAPE_BYTES:
			ret->n += p->bytes.n;
			at += p->bytes.n;
			break;
		case SHAPE_TIME:
			ret->style = &p->style;
			at += rec->time_text.n;
			break;
		case SHAPE_ESCAPED:
			escaped = escape(s, v);
			n_escaped += escaped.n - v.n;
			at += escaped.n;
			break;
		case SHAPE_VALUE:
			at += v.n;
			break;
		}
	}
	ret->n_lined = rec->n_fields - rec->n_beside;
	for (i = 0; i < ret->n_lined; i++)
		n_values -= rec->fields[i].value.n != 0;
	return n_values == 0 && n_escaped == rec->n_escaped && at == rec->line.p + rec->line.n &&
	    (ret->style != NULL) == (rec->time_text.n != 0);
}
