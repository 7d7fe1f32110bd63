/*
 * query/pipe_rows_kept.c - rows that a stage keeps.
 * One job: whole rows out of batches, each in memory of its own, until they are handed on.
 * Floor: 3 (uses logsql, record, base).
 */
#include "query/pipe_rows_kept.h"

#include <math.h>

#include "logsql/value.h"
#include "query/input.h"

static int
source_add(struct kept_source *s, struct map *names, struct str name)
{
	struct map_entry *e = map_put(names, name, NULL);

	if (e == NULL)
		return err_origin(-ENOMEM);
	s->names[s->n] = (uint32_t)(e - names->entries);
	s->cols[s->n] = batch_column(s->b, name);
	return s->cols[s->n++] != NULL ? 0 : s->b->err;
}

int
kept_source_init(struct kept_source *s, struct batch *b, const struct needs *needs,
    struct map *names, const struct sort_key *keys, size_t n_keys)
{
	const struct str *all;
	bool lined = false;
	size_t i, n;
	int r;

	r = batch_names(b, &all, &n);
	if (r != 0)
		return r;
	*s = (struct kept_source){ .b = b, .n_keys = n_keys };
	s->names = arena_alloc(&b->arena, (n + 2) * sizeof(*s->names));
	s->cols = arena_alloc(&b->arena, (n + 2) * sizeof(*s->cols));
	s->keys = arena_alloc(&b->arena, (n_keys + 1) * sizeof(*s->keys));
	if (s->names == NULL || s->cols == NULL || s->keys == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < n; i++) {
		lined = lined || str_eq(all[i], INPUT_LINE_NAME);
		r = needs_name(needs, all[i]) ? source_add(s, names, all[i]) : 0;
		if (r != 0)
			return r;
	}
	/* The line is no column of a row that comes from its source, and has to be asked for by name. */
	if (needs->lines && !lined) {
		r = source_add(s, names, INPUT_LINE_NAME);
		if (r != 0)
			return r;
	}
	for (i = 0; i < n_keys; i++) {
		s->keys[i] = batch_column(b, keys[i].name);
		if (s->keys[i] == NULL)
			return b->err;
	}
	return 0;
}

static void
read_text(struct str text, struct kept_key *key)
{
	key->kind = KEPT_TEXT;
	if (text.n == 0)
		key->kind = KEPT_EMPTY;
	else if (value_int(text, &key->v))
		key->kind = KEPT_INT;
	else if (text.n >= 19 && value_time(text, &key->v))
		key->kind = KEPT_TIME;
	else if (value_number(text, &key->f) && !isnan(key->f))
		key->kind = KEPT_FLOAT;
}

static void
read_key(const struct column *c, size_t row, struct kept_key *key, char *scratch)
{
	key->v = 0;
	if (c->kind == COLUMN_TIME) {
		key->kind = KEPT_TIME;
		key->v = c->ints[row];
		key->text = STR_NONE;
		return;
	}
	key->text = column_value(c, row, scratch);
	if (c->kind == COLUMN_INT && c->scale == 0 && key->text.n != 0) {
		key->kind = KEPT_INT;
		key->v = c->ints[row];
	} else {
		read_text(key->text, key);
	}
}

void
kept_keys(const struct kept_source *s, size_t row, struct kept_key *keys,
    char (*scratch)[COLUMN_SCRATCH])
{
	size_t i;

	for (i = 0; i < s->n_keys; i++)
		read_key(s->keys[i], row, &keys[i], scratch[i]);
}

static bool
is_number(const struct kept_key *k)
{
	return k->kind == KEPT_INT || k->kind == KEPT_FLOAT;
}

static int
compare_numbers(const struct kept_key *a, const struct kept_key *b)
{
	long double x = a->kind == KEPT_INT ? (long double)a->v : (long double)a->f;
	long double y = b->kind == KEPT_INT ? (long double)b->v : (long double)b->f;

	return (x > y) - (x < y);
}

static int
compare_one(const struct kept_key *a, const struct kept_key *b)
{
	if (a->kind != b->kind)
		return is_number(a) && is_number(b) ? compare_numbers(a, b)
		                                    : (a->kind > b->kind) - (a->kind < b->kind);
	switch (a->kind) {
	case KEPT_EMPTY:
		return 0;
	case KEPT_INT:
	case KEPT_TIME:
		return (a->v > b->v) - (a->v < b->v);
	case KEPT_FLOAT:
		return (a->f > b->f) - (a->f < b->f);
	case KEPT_TEXT:
		break;
	}
	if (str_eq(a->text, b->text))
		return 0;
	return value_less_natural(a->text, b->text) ? -1
	    : value_less_natural(b->text, a->text)  ? 1
	                                            : 0;
}

int
kept_compare(const struct sort_key *keys, size_t n, bool desc, const struct kept_key *a,
    const struct kept_key *b)
{
	size_t i;
	int c;

	for (i = 0; i < n; i++) {
		c = compare_one(&a[i], &b[i]);
		if (c != 0)
			return (keys != NULL && keys[i].desc) != desc ? -c : c;
	}
	return 0;
}

/* How much memory the row takes. */
static size_t
row_size(const struct kept_source *s, size_t row, const struct kept_key *keys, size_t *ret_fields)
{
	char scratch[COLUMN_SCRATCH];
	size_t size = sizeof(struct kept_row) + s->n_keys * sizeof(struct kept_key), i, n;

	*ret_fields = 0;
	for (i = 0; i < s->n_keys; i++)
		size += keys[i].text.n;
	for (i = 0; i < s->n; i++) {
		n = column_value(s->cols[i], row, scratch).n;
		if (n == 0)
			continue;
		size += n + sizeof(struct kept_field);
		++*ret_fields;
	}
	return size;
}

static struct str
put_bytes(uint8_t **at, struct str s)
{
	struct str copy = str_of(*at, s.n);

	if (s.n != 0)
		memcpy(*at, s.p, s.n);
	*at += s.n;
	return copy;
}

int
kept_row_new(const struct kept_source *s, size_t row, const struct kept_key *keys,
    struct kept_row **ret)
{
	char scratch[COLUMN_SCRATCH];
	struct kept_row *k;
	size_t n_fields, size = row_size(s, row, keys, &n_fields), i, at = 0;
	struct str v;
	uint8_t *bytes;

	k = malloc(size);
	if (k == NULL)
		return err_origin(-ENOMEM);
	k->n_bytes = size;
	k->order = 0;
	k->n_keys = s->n_keys;
	k->n_fields = n_fields;
	k->keys = (struct kept_key *)(k + 1);
	k->fields = (struct kept_field *)(k->keys + s->n_keys);
	bytes = (uint8_t *)(k->fields + n_fields);
	for (i = 0; i < s->n_keys; i++) {
		k->keys[i] = keys[i];
		k->keys[i].text = put_bytes(&bytes, keys[i].text);
	}
	for (i = 0; i < s->n; i++) {
		v = column_value(s->cols[i], row, scratch);
		if (v.n == 0)
			continue;
		k->fields[at++] =
		    (struct kept_field){ .name = s->names[i], .value = put_bytes(&bytes, v) };
	}
	*ret = k;
	return 0;
}

int
kept_columns_init(struct kept_columns *c, const struct map *names, size_t n_more,
    struct arena *arena)
{
	*c = (struct kept_columns){ 0 };
	c->names = arena_alloc(arena, (names->n + n_more + 1) * sizeof(*c->names));
	c->columns = arena_alloc(arena, (names->n + 1) * sizeof(*c->columns));
	if (c->names == NULL || c->columns == NULL)
		return err_origin(-ENOMEM);
	memset(c->columns, 0xff, names->n * sizeof(*c->columns));
	return 0;
}

uint32_t
kept_columns_name(struct kept_columns *c, const struct map *names, struct str name)
{
	const struct map_entry *e = map_get(names, name);
	size_t i;

	if (e != NULL && c->columns[e - names->entries] != UINT32_MAX)
		return c->columns[e - names->entries];
	for (i = 0; e == NULL && i < c->n; i++)
		if (str_eq(c->names[i], name))
			return (uint32_t)i;
	if (e != NULL)
		c->columns[e - names->entries] = (uint32_t)c->n;
	c->names[c->n] = name;
	return (uint32_t)c->n++;
}

void
kept_columns_see(struct kept_columns *c, const struct map *names, const struct kept_row *row)
{
	uint32_t name;
	size_t i;

	for (i = 0; i < row->n_fields; i++) {
		name = row->fields[i].name;
		if (c->columns[name] != UINT32_MAX)
			continue;
		c->columns[name] = (uint32_t)c->n;
		c->names[c->n++] = names->entries[name].key;
	}
}

void
kept_put(struct rows_out *out, const uint32_t *columns, const struct kept_row *row)
{
	size_t i;

	for (i = 0; i < row->n_fields; i++)
		rows_out_set(out, columns[row->fields[i].name], row->fields[i].value);
}
