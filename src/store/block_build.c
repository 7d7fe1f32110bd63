/*
 * store/block_build.c - rows in.
 * One job: take rows apart into columns, in memory, as fast as they come.
 * Floor: 2 (uses record, base).
 *
 * What comes behind a field in a row is nearly always what came behind it in one of the last rows: one
 * comparison of names a field, or two, and a copy of the value.  What a column is like is looked at when the block is full.
 */
#include "store/block_build.h"

#include "base/own.h"

enum { STALE_MAX = 64, FILL_ROWS = 4 };
/* The record is not like others of its layout. */
enum { ADD_E_CHANGED = 1 };

int
block_builder_new(struct block_builder **ret)
{
	AUTO(block_builder_free) struct block_builder *b = NULL;

	b = calloc(1, sizeof(*b));
	if (b == NULL)
		return err_origin(-ENOMEM);
	b->times = malloc(BLOCK_ROWS_MAX * sizeof(*b->times));
	b->columns_of = malloc(BLOCK_COLUMNS_MAX * sizeof(*b->columns_of));
	b->codes = malloc(BLOCK_ROWS_MAX * sizeof(*b->codes));
	b->layouts = calloc(BUILD_LAYOUTS, sizeof(*b->layouts));
	if (shapes_init(&b->shapes) != 0 || b->codes == NULL || b->layouts == NULL)
		return err_origin(-ENOMEM);
	if (enc_scratch_init(&b->scratch) != 0 || b->times == NULL || b->columns_of == NULL)
		return err_origin(-ENOMEM);
	*ret = TAKE(b);
	return 0;
}

static void
column_fini(struct build_column *c)
{
	free(c->bytes);
	free(c->offs);
	free(c->name);
	*c = (struct build_column){ 0 };
}

void
block_builder_level(struct block_builder *b, int level)
{
	b->scratch.level = level;
}

struct block_builder *
block_builder_free(struct block_builder *b)
{
	size_t i;

	if (b == NULL)
		return NULL;
	for (i = 0; i < b->n_columns; i++)
		column_fini(&b->columns[i]);
	column_fini(&b->stream);
	column_fini(&b->rest);
	column_fini(&b->line);
	shapes_fini(&b->shapes);
	free(b->codes);
	free(b->layouts);
	free(b->columns);
	free(b->times);
	free(b->columns_of);
	free(b->ids);
	free(b->forms);
	free(b->rows);
	buf_fini(&b->part_bytes);
	buf_fini(&b->part_offs);
	map_fini(&b->names);
	map_fini(&b->rest_names);
	buf_fini(&b->rest_row);
	buf_fini(&b->data);
	buf_fini(&b->dir);
	enc_scratch_fini(&b->scratch);
	free(b);
	return NULL;
}

/* Make room for n more bytes and for the offsets up to row ${row}. */
static bool
column_grow(struct build_column *c, size_t row, size_t n)
{
	size_t cap;
	void *p;

	if (c->cap - c->n < n + ENC_PAD) {
		cap = c->cap + c->cap / 2 + n + 256;
		p = realloc(c->bytes, cap);
		if (p == NULL)
			return false;
		c->bytes = p;
		c->cap = cap;
	}
	if (c->cap_rows < row + 1 + FILL_ROWS) {
		cap = c->cap_rows + c->cap_rows / 2;
		cap = cap < row + 64 ? row + 64 : cap;
		p = reallocarray(c->offs, cap, sizeof(*c->offs));
		if (p == NULL)
			return false;
		c->offs = p;
		c->cap_rows = cap;
		if (c->n_rows == 0)
			c->offs[0] = 0;
	}
	return true;
}

bool
block_column_fill(struct build_column *c, size_t n_rows)
{
	if (!column_grow(c, n_rows, 0))
		return false;
	for (; c->n_rows < n_rows; c->n_rows++)
		c->offs[c->n_rows + 1] = (uint32_t)c->n;
	return true;
}

/* Room in row ${row} for a value of n bytes and what copies put behind it; the rows before it have theirs. */
static inline bool
column_room(struct build_column *c, size_t row, size_t n)
{
	size_t i;

	if (UNLIKELY(c->cap - c->n < n + ENC_PAD || c->cap_rows < row + 1 + FILL_ROWS) &&
	    !column_grow(c, row, n))
		return false;
	/* Rows without a value, some at a time; the last few may be too many. */
	while (c->n_rows < row) {
		for (i = 1; i <= FILL_ROWS; i++)
			c->offs[c->n_rows + i] = (uint32_t)c->n;
		c->n_rows += FILL_ROWS;
	}
	return true;
}

/* The value of row ${row} ends at ${end}; what is written by then is the column's, as far as the compiler knows. */
static inline void
column_end(struct build_column *c, size_t row, size_t end)
{
	c->n = end;
	c->n_rows = row + 1;
	c->offs[row + 1] = (uint32_t)end;
}

static inline bool
column_add(struct block_builder *b, struct build_column *c, struct str v)
{
	/* A name that stands twice in a row: the first one holds. */
	if (UNLIKELY(c->n_rows > b->n_rows) || v.n == 0)
		return true;
	if (!column_room(c, b->n_rows, v.n))
		return false;
	b->n_used += c->n == 0;
	bytes_copy(c->bytes + c->n, v.p, v.n);
	column_end(c, b->n_rows, c->n + v.n);
	return true;
}

/* A new column, or NULL with *ret_err set; NULL with 0 when there is no room for more columns. */
static struct build_column *
column_new(struct block_builder *b, struct str name, int *ret_err)
{
	struct build_column *columns;
	struct map_entry *e;
	uint8_t *copy;

	*ret_err = 0;
	if (b->n_columns == BLOCK_COLUMNS_MAX)
		return NULL;
	*ret_err = err_origin(-ENOMEM);
	if (b->columns == NULL) {
		columns = calloc(BLOCK_COLUMNS_MAX, sizeof(*columns));
		if (columns == NULL)
			return NULL;
		b->columns = columns;
	}
	copy = malloc(name.n + 1);
	if (copy == NULL)
		return NULL;
	memcpy(copy, name.p, name.n);
	e = map_put(&b->names, name, NULL);
	if (e == NULL) {
		free(copy);
		return NULL;
	}
	e->value = b->n_columns;
	*ret_err = 0;
	b->columns[b->n_columns] = (struct build_column){ .name = copy, .name_n = name.n };
	return &b->columns[b->n_columns++];
}

static int
rest_add(struct block_builder *b, const struct field *f)
{
	bool is_new;
	struct map_entry *e = map_put(&b->rest_names, f->name, &is_new);

	if (e == NULL)
		return err_origin(-ENOMEM);
	if (is_new)
		e->value = b->rest_names.n - 1;
	buf_varint(&b->rest_row, e->value);
	buf_varint(&b->rest_row, f->value.n);
	buf_str(&b->rest_row, f->value);
	return buf_err(&b->rest_row);
}

/* A field that stands behind another one than it did lately. */
static int
add_elsewhere(struct block_builder *b, const struct field *f, uint32_t *ret_column)
{
	struct map_entry *e = map_get(&b->names, f->name);
	struct build_column *c;
	int r;

	*ret_column = UINT32_MAX;
	if (e != NULL) {
		c = &b->columns[e->value];
	} else {
		c = column_new(b, f->name, &r);
		if (r != 0)
			return r;
		if (c == NULL)
			return err_trace(rest_add(b, f));
	}
	*ret_column = (uint32_t)(c - b->columns);
	return column_add(b, c, f->value) ? 0 : err_origin(-ENOMEM);
}

static inline bool
is_column(const struct block_builder *b, uint32_t column, struct str name)
{
	const struct build_column *c;

	if (column >= b->n_columns)
		return false;
	c = &b->columns[column];
	return c->name_n == name.n && bytes_equal(c->name, name.p, name.n);
}

/* The field's column, looked for where it was lately; next is brought up to date. */
static inline uint32_t
guess_column(const struct block_builder *b, uint32_t next[2], struct str name)
{
	uint32_t column;

	if (LIKELY(is_column(b, next[0], name)))
		return next[0];
	if (!is_column(b, next[1], name))
		return UINT32_MAX;
	column = next[1];
	next[1] = next[0];
	next[0] = column;
	return column;
}

static int
add_fields(struct block_builder *b, const struct record *rec)
{
	const struct field *f;
	uint32_t *next = b->first, column;
	size_t i;
	int r;

	for (i = 0; i < rec->n_fields; i++) {
		f = &rec->fields[i];
		column = UINT32_MAX;
		if (f->value.n != 0 && f->name.n != 0) {
			column = guess_column(b, next, f->name);
			if (LIKELY(column != UINT32_MAX)) {
				if (!column_add(b, &b->columns[column], f->value))
					return err_origin(-ENOMEM);
			} else {
				r = add_elsewhere(b, f, &column);
				if (r != 0)
					return r;
				next[1] = next[0];
				next[0] = column;
			}
		}
		if (i < BLOCK_COLUMNS_MAX)
			b->columns_of[i] = column;
		if (column != UINT32_MAX)
			next = b->columns[column].next;
	}
	return 0;
}

/* What the row's values need; names only count towards raw_bytes. */
static size_t
row_bytes(const struct record *rec, size_t *ret_raw)
{
	size_t i, n = rec->stream.n, raw = 0;

	for (i = 0; i < rec->n_fields; i++)
		n += rec->fields[i].value.n;
	for (i = 0; rec->line.n == 0 && i < rec->n_fields; i++)
		raw += rec->fields[i].name.n + 6;
	*ret_raw = rec->line.n != 0 ? rec->line.n + 1 : n + raw;
	return n;
}

static bool
is_full(const struct block_builder *b, const struct record *rec, size_t n, size_t raw)
{
	size_t columns = b->n_used + rec->n_fields;

	if (b->n_rows == 0)
		return false;
	if (b->part != PART_NEAR)
		return true;
	if (columns > BLOCK_COLUMNS_MAX)
		columns = BLOCK_COLUMNS_MAX;
	return b->n_rows == BLOCK_ROWS_MAX || b->raw_bytes + raw > BLOCK_RAW_MAX ||
	    b->n_bytes + n + columns * b->n_rows * sizeof(uint32_t) > BLOCK_BYTES_MAX ||
	    b->rest_names.n + rec->n_fields > BLOCK_REST_NAMES_MAX;
}

/* Take back what a row that failed half-way has left. */
static void
undo_row(struct block_builder *b)
{
	struct build_column *const others[] = { &b->stream, &b->rest, &b->line }, *c;
	size_t i;

	for (i = 0; i < b->n_columns + ARRAY_LEN(others); i++) {
		c = i < b->n_columns ? &b->columns[i] : others[i - b->n_columns];
		if (c->n_rows > b->n_rows) {
			c->n_rows = b->n_rows;
			b->n_used -= c->n != 0 && c->offs[c->n_rows] == 0;
			c->n = c->offs[c->n_rows];
		}
	}
}

/* The row's shape, or its line itself. */
static int
add_line(struct block_builder *b, const struct record *rec)
{
	uint32_t *code = &b->codes[b->n_rows];
	int r;

	*code = SHAPE_NO_LINE;
	if (rec->line.n == 0)
		return 0;
	b->has_lines = true;
	r = shapes_code(&b->shapes, rec, b->columns_of, BLOCK_COLUMNS_MAX, code);
	if (r != 0 || *code != SHAPE_KEPT)
		return err_trace(r);
	b->n_bytes += rec->line.n;
	return column_add(b, &b->line, rec->line) ? 0 : err_origin(-ENOMEM);
}

/*
 * A value's bytes from a line of at least ENC_PAD bytes, which begins at ${line}; ${room} is the last place in it that has as many
 * behind it.  How long values are is nothing that a CPU can guess, but which of these steps they take nearly is.
 */
static inline void
copy_lined(uint8_t *to, struct str v, const uint8_t *line, size_t room)
{
	size_t mid;

	if (v.n > 3 * (size_t)ENC_PAD) {
		memcpy(to, v.p, v.n);
	} else if (v.n > ENC_PAD) {
		mid = v.n - ENC_PAD < ENC_PAD ? v.n - ENC_PAD : ENC_PAD;
		memcpy(to, v.p, ENC_PAD);
		memcpy(to + mid, v.p + mid, ENC_PAD);
		memcpy(to + v.n - ENC_PAD, v.p + v.n - ENC_PAD, ENC_PAD);
	} else if (LIKELY((uintptr_t)v.p - (uintptr_t)line <= room)) {
		memcpy(to, v.p, ENC_PAD);
	} else {
		bytes_copy(to, v.p, v.n);
	}
}

/* What of a line is no value, by its layout. */
static inline size_t
fixed_bytes(const struct record *rec, const struct build_layout *l)
{
	return l->n_fixed + rec->time_text.n + rec->n_escaped;
}

/* What the values of a row need, and its line; false when the line is not long enough for what its layout says. */
static bool
known_bytes(const struct record *rec, const struct build_layout *l, size_t *ret, size_t *ret_raw)
{
	size_t fixed = fixed_bytes(rec, l), i;

	if (rec->line.n < fixed || rec->line.n < ENC_PAD)
		return false;
	*ret = rec->line.n - fixed + rec->stream.n;
	for (i = l->n_lined; i < l->n; i++)
		*ret += rec->fields[i].value.n;
	*ret_raw = rec->line.n + 1;
	return true;
}

/* A row whose layout says where its fields go and what its shape is; ADD_E_CHANGED when lengths do not add up. */
static int
add_known(struct block_builder *b, const struct record *rec, const struct build_layout *l)
{
	const uint8_t *line = rec->line.p;
	size_t i, lined = rec->line.n - fixed_bytes(rec, l), room = rec->line.n - ENC_PAD;
	size_t row = b->n_rows, n = l->n, n_lined = l->n_lined, at;
	const struct field *f = rec->fields;
	struct build_column *c;
	struct str v;

	for (i = 0; i < n; i++) {
		if (l->columns[i] == BLOCK_NO_COLUMN)
			continue;
		c = &b->columns[l->columns[i]];
		v = f[i].value;
		at = c->n;
		if (UNLIKELY(!column_room(c, row, v.n)))
			return err_origin(-ENOMEM);
		if (UNLIKELY(at == 0))
			b->n_used++;
		copy_lined(c->bytes + at, v, line, room);
		column_end(c, row, at + v.n);
		lined -= i < n_lined ? v.n : 0;
	}
	b->codes[row] = l->code;
	return lined == 0 ? 0 : ADD_E_CHANGED;
}

static int
add_row(struct block_builder *b, const struct record *rec)
{
	int r = add_fields(b, rec);

	if (r == 0 && !column_add(b, &b->rest, buf_view(&b->rest_row)))
		r = err_origin(-ENOMEM);
	return r == 0 ? err_trace(add_line(b, rec)) : r;
}

/* Most blocks have one stream: until another one comes it stands there once. */
static bool
add_stream(struct block_builder *b, struct str stream)
{
	struct build_column *c = &b->stream;
	size_t n_rows = b->n_rows, one = n_rows != 0 ? c->offs[1] : 0;

	if (LIKELY(n_rows != 0 && b->one_stream && stream.n == one &&
	        bytes_equal(c->bytes, stream.p, one)))
		return true;
	if (n_rows == 0)
		b->one_stream = stream.n <= ENC_CONST_MAX;
	else if (b->one_stream) {
		for (; c->n_rows < n_rows; column_end(c, c->n_rows, c->n + one)) {
			if (!column_room(c, c->n_rows, one))
				return false;
			memcpy(c->bytes + c->n, c->bytes, one);
		}
		b->one_stream = false;
	}
	return column_add(b, c, stream);
}

/* The row's values, by its layout if one is given. */
static int
add_values(struct block_builder *b, const struct record *rec, const struct build_layout *l)
{
	int r = 0;

	if (!add_stream(b, rec->stream.n != 0 ? rec->stream : STR("{}")))
		r = err_origin(-ENOMEM);
	if (r == 0)
		r = l != NULL ? add_known(b, rec, l) : add_row(b, rec);
	if (r != 0)
		undo_row(b);
	return err_trace(r);
}

int
block_builder_add(struct block_builder *b, const struct record *rec)
{
	const struct build_layout *l = rec->layout != 0 ? block_layout_find(b, rec) : NULL;
	size_t raw, n;
	int r;

	if (l != NULL && !known_bytes(rec, l, &n, &raw))
		l = NULL;
	if (l == NULL)
		n = row_bytes(rec, &raw);
	if (is_full(b, rec, n, raw))
		return BLOCK_E_FULL;
	if (n > ENC_RECORD_MAX || rec->line.n > ENC_RECORD_MAX)
		return err_origin(-EMSGSIZE);
	buf_clear(&b->rest_row);
	r = add_values(b, rec, l);
	if (UNLIKELY(r == ADD_E_CHANGED)) {
		/* Somebody changed the record after all. */
		l = NULL;
		n = row_bytes(rec, &raw);
		r = add_values(b, rec, l);
	}
	if (r != 0)
		return err_trace(r);
	b->times[b->n_rows++] = rec->time.ns;
	b->n_bytes += n;
	b->raw_bytes += raw;
	if (rec->layout != 0 && l == NULL)
		block_layout_learn(b, rec);
	return 0;
}

size_t
block_builder_bytes(const struct block_builder *b)
{
	size_t i,
	    n = b->stream.n + b->rest.n + b->line.n + b->shapes.bytes.n +
	    b->n_rows * (sizeof(*b->times) + sizeof(*b->codes));

	for (i = 0; i < b->n_columns; i++)
		n += b->columns[i].n + b->columns[i].n_rows * sizeof(uint32_t);
	return n;
}

static void
column_clear(struct build_column *c)
{
	c->n = 0;
	c->n_rows = 0;
}

int
block_builder_clear(struct block_builder *b)
{
	size_t i, kept = 0, unused = 0;
	struct map_entry *e;

	for (i = 0; i < b->n_columns; i++)
		unused += b->columns[i].n == 0;
	if (unused > STALE_MAX || b->n_columns == BLOCK_COLUMNS_MAX) {
		map_clear(&b->names);
		for (i = 0; i < b->n_columns; i++) {
			if (b->columns[i].n == 0) {
				column_fini(&b->columns[i]);
				continue;
			}
			b->columns[kept] = b->columns[i];
			e = map_put(&b->names,
			    str_of(b->columns[kept].name, b->columns[kept].name_n), NULL);
			if (e == NULL)
				column_fini(&b->columns[kept]);
			else
				e->value = kept++;
		}
		b->n_columns = kept;
	}
	for (i = 0; i < b->n_columns; i++)
		column_clear(&b->columns[i]);
	column_clear(&b->stream);
	column_clear(&b->rest);
	column_clear(&b->line);
	shapes_clear(&b->shapes);
	b->has_lines = false;
	/* Columns and shapes have other numbers from now on. */
	for (i = 0; i < BUILD_LAYOUTS; i++)
		b->layouts[i].id = 0;
	b->part = PART_NEAR;
	b->n_of[PART_NEAR] = 0;
	map_clear(&b->rest_names);
	b->n_rows = 0;
	b->n_used = 0;
	b->n_bytes = 0;
	b->raw_bytes = 0;
	return 0;
}
