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

/*
 * The value's bytes, in steps of 16 where as many lie behind it in its line: how long values are is nothing that a CPU can
 * guess, but how many steps they take nearly is.  ENC_PAD is room for the last step.
 */
static inline void
copy_value(uint8_t *to, struct str v, struct str line)
{
	size_t at = (uintptr_t)v.p - (uintptr_t)line.p, i;

	if (LIKELY(at < line.n && line.n - at >= v.n + ENC_PAD))
		for (i = 0; i < v.n; i += ENC_PAD)
			memcpy(to + i, v.p + i, ENC_PAD);
	else
		bytes_copy(to, v.p, v.n);
}

static inline bool
column_add(struct block_builder *b, struct build_column *c, struct str v, struct str line)
{
	size_t row = b->n_rows, i;

	/* A name that stands twice in a row: the first one holds. */
	if (UNLIKELY(c->n_rows > row) || v.n == 0)
		return true;
	if (UNLIKELY(c->cap - c->n < v.n + ENC_PAD || c->cap_rows < row + 1 + FILL_ROWS) &&
	    !column_grow(c, row, v.n))
		return false;
	/* Rows without a value, some at a time; the last few may be too many. */
	while (c->n_rows < row) {
		for (i = 1; i <= FILL_ROWS; i++)
			c->offs[c->n_rows + i] = (uint32_t)c->n;
		c->n_rows += FILL_ROWS;
	}
	c->n_rows = row;
	b->n_used += c->n == 0;
	copy_value(c->bytes + c->n, v, line);
	c->n += v.n;
	c->offs[++c->n_rows] = (uint32_t)c->n;
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
	return column_add(b, c, f->value, STR_NONE) ? 0 : err_origin(-ENOMEM);
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
				if (!column_add(b, &b->columns[column], f->value, STR_NONE))
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
	return column_add(b, &b->line, rec->line, STR_NONE) ? 0 : err_origin(-ENOMEM);
}

/* A row whose layout says where its fields go and what its shape is. */
static int
add_known(struct block_builder *b, const struct record *rec, const struct build_layout *l)
{
	struct str line = rec->line;
	size_t i;

	for (i = 0; i < l->n; i++)
		if (l->columns[i] != BLOCK_NO_COLUMN &&
		    !column_add(b, &b->columns[l->columns[i]], rec->fields[i].value, line))
			return err_origin(-ENOMEM);
	b->codes[b->n_rows] = l->code;
	return 0;
}

static int
add_row(struct block_builder *b, const struct record *rec)
{
	int r = add_fields(b, rec);

	if (r == 0 && !column_add(b, &b->rest, buf_view(&b->rest_row), STR_NONE))
		r = err_origin(-ENOMEM);
	return r == 0 ? err_trace(add_line(b, rec)) : r;
}

int
block_builder_add(struct block_builder *b, const struct record *rec)
{
	size_t raw, n = row_bytes(rec, &raw);
	struct str stream = rec->stream.n != 0 ? rec->stream : STR("{}");
	const struct build_layout *l = NULL;
	int r = 0;

	if (is_full(b, rec, n, raw))
		return BLOCK_E_FULL;
	if (n > ENC_RECORD_MAX || rec->line.n > ENC_RECORD_MAX)
		return err_origin(-EMSGSIZE);
	buf_clear(&b->rest_row);
	if (!column_add(b, &b->stream, stream, STR_NONE))
		r = err_origin(-ENOMEM);
	if (r == 0 && rec->layout != 0)
		l = block_layout_find(b, rec, n - rec->stream.n);
	if (r == 0)
		r = l != NULL ? add_known(b, rec, l) : add_row(b, rec);
	if (r != 0) {
		undo_row(b);
		return err_trace(r);
	}
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
