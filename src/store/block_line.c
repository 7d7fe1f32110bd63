/*
 * store/block_line.c - original lines out.
 * One job: put lines together from their shapes and the values of their fields.
 * Floor: 2 (uses record, base).
 */
#include "store/block_internal.h"
#include "store/shape.h"

struct block_entry *
block_entry_hidden(const struct block *b, enum enc_role role)
{
	size_t i;

	for (i = b->n_listed; i < b->n_entries; i++)
		if (b->entries[i].role == role)
			return &b->entries[i];
	return NULL;
}

int
block_open_shapes(struct block *b, struct block_entry *e, struct arena *arena,
    struct shape_set *ret)
{
	struct enc_chunk c;
	int r;

	if (e->enc != ENC_SHAPE || e->version == 0 || e->version > SHAPE_VERSION_MAX)
		return block_fault(b, e, b->data_at + e->at, "unknown encoding");
	r = block_chunk(b, e, &c);
	if (r != 0)
		return r;
	r = shape_get(&c, arena, ret);
	return r == BLOCK_E_CORRUPT ? block_damaged(b, e) : r;
}

int
block_check_shapes(struct block *b, struct block_entry *e, struct arena *arena)
{
	const struct enc_rows all = { NULL, b->header.n_rows };
	uint32_t *codes = arena_alloc(arena, (all.n + 1) * sizeof(*codes));
	struct shape_set set = { 0 };
	int r;

	if (codes == NULL)
		return err_origin(-ENOMEM);
	r = block_open_shapes(b, e, arena, &set);
	if (r == 0 && !shape_codes(&set, &all, codes))
		return block_fault(b, e, b->data_at + e->at, block_no_encoding);
	return r;
}

/* Lines on their way; columns are decoded for all rows that are asked for, each once. */
struct lines {
	struct block *b;
	const struct enc_rows *rows;
	struct arena arena;
	struct shape_set set;
	uint32_t *codes;
	struct map names; /* number of the column */
	struct column *columns;
	struct column times, kept;
	bool has_times;
	struct buf text;
	size_t total; /* bytes of lines so far */
	/* Where values stand is wanted: those of the line that is being made; else NULL. */
	struct block_places *places;
	struct spot {
		struct str name;
		size_t at, n;
	} * spots;
	size_t n_spots, cap_spots;
};

void
block_places_fini(struct block_places *p)
{
	map_fini(&p->names);
	free(p->values);
	*p = (struct block_places){ 0 };
}

const struct str *
block_places_of(const struct block_places *p, struct str name)
{
	const struct map_entry *e = map_get(&p->names, name);

	return e != NULL ? p->values[e->value] : NULL;
}

static int
note_spot(struct lines *l, struct str name, size_t at, size_t n)
{
	struct spot *spots;
	size_t cap;

	if (l->places == NULL || n == 0)
		return 0;
	if (l->n_spots == l->cap_spots) {
		cap = l->cap_spots == 0 ? 64 : l->cap_spots * 2;
		spots = reallocarray(l->spots, cap, sizeof(*spots));
		if (spots == NULL)
			return err_origin(-ENOMEM);
		l->spots = spots;
		l->cap_spots = cap;
	}
	l->spots[l->n_spots++] = (struct spot){ name, at, n };
	return 0;
}

/* The values of a field in all lines; made when the first is seen. */
static int
places_values(struct lines *l, struct str name, struct arena *arena, struct str **ret)
{
	struct block_places *p = l->places;
	struct map_entry *e;
	struct str **values;
	bool is_new;
	size_t cap;

	e = map_put(&p->names, name, &is_new);
	if (e == NULL)
		return err_origin(-ENOMEM);
	if (is_new) {
		e->value = p->names.n - 1;
		if (p->names.n > p->cap) {
			cap = p->cap == 0 ? 64 : p->cap * 2;
			values = reallocarray(p->values, cap, sizeof(*values));
			if (values == NULL)
				return err_origin(-ENOMEM);
			p->values = values;
			p->cap = cap;
		}
		p->values[e->value] = arena_zalloc(arena, l->rows->n + 1, sizeof(**values));
	}
	*ret = p->values[e->value];
	return *ret != NULL ? 0 : err_origin(-ENOMEM);
}

/* The spots of line ${k}, which now lies where it stays. */
static int
keep_spots(struct lines *l, size_t k, struct str line, struct arena *arena)
{
	struct str *values = NULL;
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < l->n_spots; i++) {
		r = places_values(l, l->spots[i].name, arena, &values);
		if (r == 0)
			values[k] = str_of(line.p + l->spots[i].at, l->spots[i].n);
	}
	l->n_spots = 0;
	return err_trace(r);
}

static int
lines_column(struct lines *l, struct str name, const struct column **ret)
{
	struct column *columns;
	struct map_entry *e;
	bool is_new;
	int r;

	e = map_put(&l->names, name, &is_new);
	if (e == NULL)
		return err_origin(-ENOMEM);
	if (is_new) {
		e->value = l->names.n - 1;
		columns = reallocarray(l->columns, l->names.n, sizeof(*columns));
		if (columns == NULL)
			return err_origin(-ENOMEM);
		l->columns = columns;
		columns[e->value] = column_const(name, STR_NONE, l->rows->n);
		r = block_column(l->b, name, l->rows->rows, l->rows->n, &l->arena,
		    &columns[e->value]);
		if (r != 0)
			return r;
	}
	*ret = &l->columns[e->value];
	return 0;
}

/* Of the shapes, which say how lines are made. */
static int
lines_fault(struct lines *l, const char *what)
{
	const struct block_entry *e = block_entry_hidden(l->b, ROLE_SHAPE);

	return block_fault(l->b, e, l->b->data_at + e->at, what);
}

static int
put_time(struct lines *l, const struct time_style *st, size_t k)
{
	char text[TIME_STYLE_TEXT];
	int r;

	if (!l->has_times) {
		r = block_column(l->b, STR("_time"), l->rows->rows, l->rows->n, &l->arena,
		    &l->times);
		if (r != 0)
			return r;
		l->has_times = true;
	}
	if (l->times.kind != COLUMN_TIME)
		return lines_fault(l, "a line has a time, and its row has none");
	buf_put(&l->text, text, time_style_write(st, l->times.ints[k], text));
	return 0;
}

static int
put_part(struct lines *l, const struct shape_part *p, size_t k)
{
	char scratch[COLUMN_SCRATCH];
	const struct column *c = NULL;
	size_t at = l->text.n;
	struct str v;
	int r;

	if (p->type == SHAPE_BYTES) {
		buf_str(&l->text, p->bytes);
		return 0;
	}
	if (p->type == SHAPE_TIME)
		return put_time(l, &p->style, k);
	r = lines_column(l, p->bytes, &c);
	if (r != 0)
		return r;
	v = column_value(c, k, scratch);
	if (p->type == SHAPE_VALUE) {
		buf_str(&l->text, v);
		return note_spot(l, p->bytes, at, v.n);
	}
	buf_json(&l->text, v);
	if (l->text.failed)
		return buf_err(&l->text);
	/* Without the quotes. */
	memmove(l->text.p + at, l->text.p + at + 1, l->text.n - at - 2);
	l->text.n -= 2;
	return 0;
}

static int
put_line(struct lines *l, size_t k, struct arena *arena, struct str *ret)
{
	const struct shape *shape = &l->set.shapes[l->codes[k] - SHAPE_FIRST];
	size_t i;
	int r;

	buf_clear(&l->text);
	for (i = 0; i < shape->n_parts; i++) {
		r = put_part(l, &shape->parts[i], k);
		if (r != 0)
			return r;
		if (l->text.failed)
			return buf_err(&l->text);
		if (l->text.n > ENC_RECORD_MAX)
			return lines_fault(l, "a line is longer than one may be");
	}
	*ret = arena_dup(arena, buf_view(&l->text));
	if (ret->p == NULL)
		return err_origin(-ENOMEM);
	return l->places == NULL ? 0 : keep_spots(l, k, *ret, arena);
}

/* The lines that were kept, in ${arena}, and the place of each in it. */
static int
get_kept(struct lines *l, struct arena *arena)
{
	uint32_t *rows = arena_alloc(&l->arena, (l->rows->n + 1) * sizeof(*rows));
	struct block_entry *e = block_entry_hidden(l->b, ROLE_LINE);
	struct enc_rows kept = { rows, 0 };
	size_t k;
	int r;

	if (rows == NULL)
		return err_origin(-ENOMEM);
	for (k = 0; k < l->rows->n; k++)
		if (l->codes[k] == SHAPE_KEPT)
			rows[kept.n++] = l->rows->rows[k];
	l->kept = column_const(STR_NONE, STR_NONE, kept.n);
	if (kept.n == 0)
		return 0;
	if (e == NULL)
		return lines_fault(l, "a line is kept that is not there");
	r = block_decode(l->b, e, &kept, arena, &l->kept);
	if (r == 0 && !column_is_bytes(&l->kept))
		return lines_fault(l, "a line is kept that is no text");
	return r;
}

static int
lines_run(struct lines *l, struct block_entry *e, struct arena *arena, struct str *ret)
{
	size_t k, n_kept = 0;
	int r;

	l->codes = arena_alloc(&l->arena, (l->rows->n + 1) * sizeof(*l->codes));
	if (l->codes == NULL)
		return err_origin(-ENOMEM);
	r = block_open_shapes(l->b, e, &l->arena, &l->set);
	if (r != 0)
		return r;
	if (!shape_codes(&l->set, l->rows, l->codes))
		return block_fault(l->b, e, l->b->data_at + e->at, block_no_encoding);
	r = get_kept(l, arena);
	for (k = 0; r == 0 && k < l->rows->n; k++) {
		ret[k] = STR_NONE;
		if (l->codes[k] == SHAPE_KEPT)
			ret[k] = column_value(&l->kept, n_kept++, NULL);
		else if (l->codes[k] != SHAPE_NO_LINE)
			r = put_line(l, k, arena, &ret[k]);
		/* Few bytes may stand for long words in every line. */
		l->total += r == 0 ? ret[k].n : 0;
		if (l->total > ENC_BYTES_MAX)
			return lines_fault(l, "lines are longer than they may be");
	}
	return r;
}

int
block_lines_placed(struct block *b, const uint32_t *rows, size_t n, struct arena *arena,
    struct str *ret, struct block_places *places)
{
	const struct enc_rows which = { rows, n };
	struct lines l = { .b = b, .rows = &which, .places = places };
	struct block_entry *e = block_entry_hidden(b, ROLE_SHAPE);
	size_t k;
	int r;

	if (e == NULL) {
		for (k = 0; k < n; k++)
			ret[k] = STR_NONE;
		return 0;
	}
	r = lines_run(&l, e, arena, ret);
	arena_fini(&l.arena);
	map_fini(&l.names);
	free(l.columns);
	free(l.spots);
	buf_fini(&l.text);
	return r;
}

int
block_lines(struct block *b, const uint32_t *rows, size_t n, struct arena *arena, struct str *ret)
{
	return block_lines_placed(b, rows, n, arena, ret, NULL);
}

int
block_line(struct block *b, uint32_t row, struct arena *arena, struct str *ret)
{
	return block_lines(b, &row, 1, arena, ret);
}
