/*
 * query/batch.c - rows on their way through the pipes.
 * One job: a set of rows whose columns are decoded when somebody asks for them.
 * Floor: 3 (uses record, base).
 */
#include "query/batch.h"

#include "base/hash.h"

/* From so many columns on, names are looked up by their hash. */
enum { INDEX_FROM = 64 };

void
batch_reset(struct batch *b, size_t n_rows)
{
	arena_clear(&b->arena);
	b->n_rows = n_rows;
	b->rows = NULL;
	b->source = (struct batch_source){ 0 };
	b->n_loaded = NULL;
	b->n_cols = 0;
	b->n_indexed = 0;
	b->closed = false;
	b->listed = false;
	b->first_arrival = 0;
	b->arrivals = NULL;
	b->hidden = NULL;
	b->n_hidden = b->cap_hidden = 0;
	b->err = 0;
}

void
batch_fini(struct batch *b)
{
	arena_fini(&b->arena);
	free(b->cols);
	free(b->slots);
	*b = (struct batch)BATCH_INIT;
}

static int
batch_failed(struct batch *b, int r)
{
	if (b->err == 0)
		b->err = r;
	return r;
}

/* The slot of a name that is indexed, or the free one where it would go. */
static uint32_t *
batch_slot(const struct batch *b, struct str name)
{
	size_t i = hash32(name) & (b->n_slots - 1);

	while (b->slots[i] != 0 && !str_eq(b->cols[b->slots[i] - 1].name, name))
		i = (i + 1) & (b->n_slots - 1);
	return &b->slots[i];
}

/* Bring the index up to date; false without memory for it. */
static bool
batch_index(struct batch *b)
{
	size_t n = b->n_slots == 0 ? 4 * INDEX_FROM : b->n_slots;
	uint32_t *slots;

	while (n < b->n_cols * 2)
		n *= 2;
	if (n != b->n_slots) {
		slots = calloc(n, sizeof(*slots));
		if (slots == NULL)
			return false;
		free(b->slots);
		b->slots = slots;
		b->n_slots = n;
		b->n_indexed = 0;
	} else if (b->n_indexed == 0) {
		memset(b->slots, 0, n * sizeof(*b->slots));
	}
	for (; b->n_indexed < b->n_cols; b->n_indexed++)
		*batch_slot(b, b->cols[b->n_indexed].name) = (uint32_t)b->n_indexed + 1;
	return true;
}

static struct batch_column *
batch_find(struct batch *b, struct str name)
{
	uint32_t at;
	size_t i;

	if (b->n_cols >= INDEX_FROM && batch_index(b)) {
		at = *batch_slot(b, name);
		return at != 0 ? &b->cols[at - 1] : NULL;
	}
	for (i = 0; i < b->n_cols; i++)
		if (str_eq(b->cols[i].name, name))
			return &b->cols[i];
	return NULL;
}

/* A new column at the end; NULL without memory.  Moves the others. */
static struct batch_column *
batch_add(struct batch *b, struct str name)
{
	struct batch_column *cols;
	size_t cap;

	if (b->n_cols == b->cap_cols) {
		cap = b->cap_cols == 0 ? 16 : b->cap_cols * 2;
		cols = reallocarray(b->cols, cap, sizeof(*cols));
		if (cols == NULL) {
			(void)batch_failed(b, err_origin(-ENOMEM));
			return NULL;
		}
		b->cols = cols;
		b->cap_cols = cap;
	}
	b->cols[b->n_cols] = (struct batch_column){ .name = name, .from = name };
	return &b->cols[b->n_cols++];
}

static void
batch_remove_at(struct batch *b, size_t i)
{
	memmove(&b->cols[i], &b->cols[i + 1], (b->n_cols - i - 1) * sizeof(*b->cols));
	b->n_cols--;
	b->n_indexed = 0;
}

static void
batch_remove(struct batch *b, struct str name)
{
	struct batch_column *c = batch_find(b, name);

	if (c != NULL)
		batch_remove_at(b, (size_t)(c - b->cols));
}

static bool
batch_hides(const struct batch *b, struct str name)
{
	size_t i;

	for (i = 0; i < b->n_hidden; i++)
		if (str_eq(b->hidden[i], name))
			return true;
	return false;
}

bool
batch_may_load(const struct batch *b, struct str name)
{
	return !b->closed && b->source.load != NULL && !batch_hides(b, name);
}

static int
batch_hide(struct batch *b, struct str name)
{
	struct str *hidden;
	size_t cap;

	if (!batch_may_load(b, name))
		return 0;
	if (b->n_hidden == b->cap_hidden) {
		cap = b->cap_hidden == 0 ? 8 : b->cap_hidden * 2;
		hidden = arena_alloc(&b->arena, cap * sizeof(*hidden));
		if (hidden == NULL)
			return batch_failed(b, err_origin(-ENOMEM));
		if (b->n_hidden != 0)
			memcpy(hidden, b->hidden, b->n_hidden * sizeof(*hidden));
		b->hidden = hidden;
		b->cap_hidden = cap;
	}
	b->hidden[b->n_hidden++] = name;
	return 0;
}

static int
batch_load(struct batch *b, struct batch_column *c)
{
	struct str name = c->name;
	int r;

	c->col = column_const(c->name, STR_NONE, b->n_rows);
	if (b->source.load != NULL) {
		r = b->source.load(b->source.ctx, c->from, b->rows, b->n_rows, &b->arena, &c->col);
		if (r != 0)
			return batch_failed(b, err_fold(r));
	}
	c->col.name = name;
	c->col.n_rows = b->n_rows;
	c->loaded = true;
	return 0;
}

/* The loaded column, or NULL with b->err; one of "" is made for a name that is not there. */
static struct batch_column *
batch_loaded(struct batch *b, struct str name)
{
	struct batch_column *c = batch_find(b, name);

	if (c == NULL) {
		bool load = batch_may_load(b, name);

		c = batch_add(b, name);
		if (c == NULL)
			return NULL;
		c->asked = true;
		if (!load) {
			c->from = STR_NONE;
			c->col = column_const(name, STR_NONE, b->n_rows);
			c->loaded = true;
		}
	}
	if (!c->loaded && batch_load(b, c) != 0)
		return NULL;
	return c;
}

const struct column *
batch_column(struct batch *b, struct str name)
{
	struct batch_column *c = batch_loaded(b, name);

	if (c == NULL)
		return NULL;
	if (c->shown == NULL) {
		c->shown = arena_alloc(&b->arena, sizeof(*c->shown));
		if (c->shown == NULL) {
			(void)batch_failed(b, err_origin(-ENOMEM));
			return NULL;
		}
		*c->shown = c->col;
	}
	return c->shown;
}

const struct str *
batch_strs(struct batch *b, struct str name)
{
	struct batch_column *c = batch_loaded(b, name);
	int r;

	if (c == NULL)
		return NULL;
	if (c->values == NULL) {
		r = column_strs(&c->col, &b->arena, &c->values);
		if (r != 0) {
			(void)batch_failed(b, r);
			return NULL;
		}
	}
	return c->values;
}

bool
batch_from(struct batch *b, struct str name, struct str *ret, bool *ret_loaded)
{
	const struct batch_column *c = batch_find(b, name);

	*ret = c != NULL ? c->from : name;
	*ret_loaded = c != NULL && c->loaded;
	if (c == NULL)
		return batch_may_load(b, name);
	return b->source.load != NULL && c->from.p != NULL;
}

/* Put the source's names into cols, in its order, before those that pipes made. */
static int
batch_list(struct batch *b)
{
	struct batch_column *old = b->cols, *c;
	size_t i, n_old = b->n_cols, n = 0;
	const struct str *names = NULL;
	int r;

	if (b->listed || b->closed || b->source.names == NULL)
		return 0;
	r = b->source.names(b->source.ctx, &names, &n);
	if (r != 0)
		return batch_failed(b, err_fold(r));
	old = arena_alloc(&b->arena, (n_old + 1) * sizeof(*old));
	if (old == NULL)
		return batch_failed(b, err_origin(-ENOMEM));
	if (n_old != 0)
		memcpy(old, b->cols, n_old * sizeof(*old));
	b->n_cols = b->n_indexed = 0;
	for (i = 0; i < n; i++)
		if (!batch_hides(b, names[i]) && batch_add(b, names[i]) == NULL)
			return b->err;
	for (i = 0; i < n_old; i++) {
		c = batch_find(b, old[i].name);
		if (c == NULL) {
			c = batch_add(b, old[i].name);
			if (c == NULL)
				return b->err;
		} else {
			old[i].asked = false;
		}
		*c = old[i];
	}
	b->listed = true;
	return 0;
}

int
batch_names(struct batch *b, const struct str **ret, size_t *ret_n)
{
	struct str *names;
	size_t i, n = 0;
	int r;

	r = batch_list(b);
	if (r != 0)
		return r;
	names = arena_alloc(&b->arena, (b->n_cols + 1) * sizeof(*names));
	if (names == NULL)
		return batch_failed(b, err_origin(-ENOMEM));
	for (i = 0; i < b->n_cols; i++)
		if (!b->cols[i].asked)
			names[n++] = b->cols[i].name;
	*ret = names;
	*ret_n = n;
	return 0;
}

int
batch_set(struct batch *b, const struct column *col)
{
	struct batch_column *c = batch_find(b, col->name);

	if (c == NULL) {
		c = batch_add(b, col->name);
		if (c == NULL)
			return b->err;
	}
	*c = (struct batch_column){ .name = col->name, .loaded = true, .col = *col };
	return 0;
}

int
batch_set_strs(struct batch *b, struct str name, const struct str *strs)
{
	struct column col = { .name = name,
		.kind = COLUMN_STRS,
		.n_rows = b->n_rows,
		.strs = strs };

	return batch_set(b, &col);
}

/* What ${name} is now, as a column that can stand under another name. */
static struct batch_column
batch_source_of(struct batch *b, struct str name)
{
	struct batch_column *c = batch_find(b, name), out = { .name = name, .from = name };

	if (c != NULL)
		return *c;
	if (!batch_may_load(b, name)) {
		out.from = STR_NONE;
		out.loaded = true;
		out.col = column_const(name, STR_NONE, b->n_rows);
	}
	return out;
}

/* Put ${c} in under ${name}, in the place of what has that name. */
static int
batch_place(struct batch *b, struct batch_column c, struct str name)
{
	struct batch_column *to = batch_find(b, name);

	if (to == NULL) {
		to = batch_add(b, name);
		if (to == NULL)
			return b->err;
	}
	c.name = name;
	c.col.name = name;
	c.asked = false;
	c.shown = NULL;
	*to = c;
	return 0;
}

int
batch_rename(struct batch *b, struct str from, struct str to)
{
	struct batch_column c;
	int r;

	if (str_eq(from, to))
		return 0;
	c = batch_source_of(b, from);
	r = batch_drop(b, from);
	if (r != 0)
		return r;
	return batch_place(b, c, to);
}

int
batch_copy(struct batch *b, struct str from, struct str to)
{
	if (str_eq(from, to))
		return 0;
	return batch_place(b, batch_source_of(b, from), to);
}

int
batch_drop(struct batch *b, struct str name)
{
	batch_remove(b, name);
	return batch_hide(b, name);
}

static bool
name_is_prefix(struct str name)
{
	return name.n > 0 && name.p[name.n - 1] == '*';
}

/* Append to kept[] the columns that ${name} means and that are not there yet. */
static int
batch_keep_one(struct batch *b, struct str name, struct batch_column *kept, size_t *n_kept)
{
	struct str prefix = name_is_prefix(name) ? str_sub(name, 0, name.n - 1) : name;
	size_t i, k;

	for (i = 0; i < b->n_cols; i++) {
		struct batch_column *c = &b->cols[i];

		if (name_is_prefix(name) ? c->asked || !str_starts(c->name, prefix)
		                         : !str_eq(c->name, name))
			continue;
		for (k = 0; k < *n_kept && !str_eq(kept[k].name, c->name); k++)
			continue;
		if (k == *n_kept)
			kept[(*n_kept)++] = *c;
	}
	if (name_is_prefix(name))
		return 0;
	for (k = 0; k < *n_kept; k++) {
		if (str_eq(kept[k].name, name)) {
			kept[k].asked = false;
			return 0;
		}
	}
	kept[(*n_kept)++] = batch_source_of(b, name);
	return 0;
}

int
batch_keep(struct batch *b, const struct str *names, size_t n)
{
	struct batch_column *kept;
	size_t i, n_kept = 0;
	int r;

	for (i = 0; i < n; i++) {
		if (!name_is_prefix(names[i]))
			continue;
		r = batch_list(b);
		if (r != 0)
			return r;
	}
	kept = arena_alloc(&b->arena, (b->n_cols + n + 1) * sizeof(*kept));
	if (kept == NULL)
		return batch_failed(b, err_origin(-ENOMEM));
	for (i = 0; i < n; i++) {
		r = batch_keep_one(b, names[i], kept, &n_kept);
		if (r != 0)
			return r;
	}
	b->n_cols = b->n_indexed = 0;
	for (i = 0; i < n_kept; i++) {
		struct batch_column *c = batch_add(b, kept[i].name);

		if (c == NULL)
			return b->err;
		*c = kept[i];
	}
	b->closed = true;
	return 0;
}

/* Narrow to rows[0..n) of the rows that are there now; rows is in the arena. */
static int
batch_narrow(struct batch *b, uint32_t *rows, size_t n)
{
	struct column narrow;
	size_t i;
	int r;

	for (i = 0; i < b->n_cols; i++) {
		struct batch_column *c = &b->cols[i];

		c->shown = NULL;
		c->values = NULL;
		if (!c->loaded)
			continue;
		r = column_gather(&c->col, rows, n, &b->arena, &narrow);
		if (r != 0)
			return batch_failed(b, err_fold(r));
		c->col = narrow;
	}
	if (b->rows != NULL)
		for (i = 0; i < n; i++)
			rows[i] = b->rows[rows[i]];
	b->rows = rows;
	b->n_rows = n;
	return 0;
}

int
batch_select(struct batch *b, const uint64_t *sel)
{
	size_t n = bits_count(sel, b->n_rows), i, k = 0;
	uint32_t *rows;

	if (n == b->n_rows)
		return 0;
	rows = arena_alloc(&b->arena, (n + 1) * sizeof(*rows));
	if (rows == NULL)
		return batch_failed(b, err_origin(-ENOMEM));
	BITS_FOREACH(i, sel, b->n_rows)
	rows[k++] = (uint32_t)i;
	return batch_narrow(b, rows, n);
}

int
batch_slice(struct batch *b, size_t from, size_t n)
{
	uint32_t *rows;
	size_t i;

	if (from > b->n_rows)
		from = b->n_rows;
	if (n > b->n_rows - from)
		n = b->n_rows - from;
	if (n == b->n_rows)
		return 0;
	rows = arena_alloc(&b->arena, (n + 1) * sizeof(*rows));
	if (rows == NULL)
		return batch_failed(b, err_origin(-ENOMEM));
	for (i = 0; i < n; i++)
		rows[i] = (uint32_t)(from + i);
	return batch_narrow(b, rows, n);
}
