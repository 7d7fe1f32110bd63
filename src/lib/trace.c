/*
 * lib/trace.c - one request.
 * One job: find every row that bears an ID.
 * Floor: 4 (uses query, store, logsql, record, base).
 */
#include "lib/trace.h"

#include "lib/print.h"
#include "logsql/regex.h"
#include "record/names.h"
#include "record/service.h"

/* The names of a block's columns that may hold an ID: by their name, or by what is in them. */
static int
add_names(struct store_view *view, size_t number, bool deep, struct map *names)
{
	AUTO(block_free) struct block *b = NULL;
	struct block_column_info info;
	size_t i;
	int r;

	r = store_view_open_block(view, number, &b);
	if (r == -ENOMEM)
		return err_trace(r);
	/* A damaged block is among the faults of the view. */
	if (r != 0)
		return 0;
	for (i = 0; i < block_n_columns(b); i++) {
		block_column_at(b, i, &info);
		if (!info.is_id && !names_is_id(info.name) &&
		    (!deep || info.kind == COLUMN_TIME || info.kind == COLUMN_INT ||
		        str_eq_c(info.name, "_stream")))
			continue;
		if (map_put(names, info.name, NULL) == NULL)
			return err_origin(-ENOMEM);
	}
	return 0;
}

/* name:OP, and in quotes what is sought: a bare ID could read as a word of the language. */
static void
add_term(struct buf *out, struct str name, const char *op, struct str text)
{
	if (out->n > 0)
		buf_c(out, " or ");
	logsql_quote(out, name);
	buf_c(out, op);
	buf_json(out, text);
}

/* One field that may bear the IDs; of the first, and of it alone, any field when ${deep}. */
static void
add_terms(struct buf *out, struct str name, const struct str *ids, size_t n, bool deep)
{
	AUTO_FINI(buf_fini) struct buf pattern = BUF_INIT;
	size_t i;

	if (deep) {
		regex_quote(&pattern, ids[0]);
		add_term(out, name, ":~", buf_view(&pattern));
		out->failed |= pattern.failed;
	} else {
		add_term(out, name, ":=", ids[0]);
	}
	if (n == 1 || !names_is_id(name))
		return;
	add_term(out, name, ":in(", ids[1]);
	for (i = 2; i < n; i++) {
		buf_byte(out, ',');
		buf_json(out, ids[i]);
	}
	buf_byte(out, ')');
}

static int
mark_blocks(struct store_view *view, const struct str *ids, size_t n, struct arena *arena,
    struct trace_find *ret)
{
	size_t n_all = store_view_n_blocks(view), i, k, n_found;
	uint64_t *sel = arena_zalloc(arena, BITS_WORDS(n_all) + 1, sizeof(*sel));
	struct store_id one = { 0 };
	uint32_t *found;
	int r;

	ret->blocks = arena_alloc(arena, (n_all + 1) * sizeof(*ret->blocks));
	if (sel == NULL || ret->blocks == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < n; i++) {
		one.value = ids[i];
		r = store_view_find_id(view, &one, arena, &found, &n_found);
		if (r != 0)
			return err_fold(r);
		for (k = 0; k < n_found; k++)
			if (found[k] < n_all)
				bits_set(sel, found[k]);
	}
	BITS_FOREACH(i, sel, n_all)
	ret->blocks[ret->n_blocks++] = (uint32_t)i;
	return 0;
}

int
trace_find_id(struct store_view *view, const struct str *ids, size_t n, bool deep,
    struct arena *arena, struct trace_find *ret)
{
	AUTO_FINI(map_fini) struct map names = MAP_INIT;
	size_t i, n_look;
	int r = 0;

	*ret = (struct trace_find){ .query = BUF_INIT };
	if (!deep)
		r = mark_blocks(view, ids, n, arena, ret);
	n_look = deep ? store_view_n_blocks(view) : ret->n_blocks;
	for (i = 0; r == 0 && i < n_look; i++)
		r = add_names(view, deep ? i : ret->blocks[i], deep, &names);
	for (i = 0; r == 0 && i < names.n; i++)
		add_terms(&ret->query, names.entries[i].key, ids, n, deep);
	if (r == 0)
		r = buf_err(&ret->query);
	if (r < 0)
		trace_find_fini(ret);
	return err_trace(r);
}

void
trace_find_fini(struct trace_find *f)
{
	buf_fini(&f->query);
}

static struct trace_row *
add_row(struct trace *t)
{
	struct trace_row *rows;
	size_t cap;

	if (t->n == t->cap) {
		cap = t->cap == 0 ? 64 : t->cap * 2;
		rows = reallocarray(t->rows, cap, sizeof(*rows));
		if (rows == NULL)
			return NULL;
		t->rows = rows;
		t->cap = cap;
	}
	t->rows[t->n] = (struct trace_row){ .order = t->n };
	return &t->rows[t->n++];
}

/* The columns of a batch that a waterfall shows. */
struct roles {
	const struct str *time, *level, *service, *stream, *msg;
	const struct str **others;
	struct str *names;
	size_t n;
};

static int
find_roles(struct batch *b, struct roles *ret)
{
	const struct str *names, *values;
	size_t i, rank, best = SERVICE_RANKS;
	int r;

	*ret = (struct roles){ 0 };
	r = batch_names(b, &names, &ret->n);
	if (r < 0)
		return err_trace(r);
	ret->names = arena_alloc(&b->arena, (ret->n + 1) * sizeof(*ret->names));
	ret->others = arena_zalloc(&b->arena, ret->n + 1, sizeof(*ret->others));
	if (ret->names == NULL || ret->others == NULL)
		return err_origin(-ENOMEM);
	memcpy(ret->names, names, ret->n * sizeof(*names));
	for (i = 0; i < ret->n; i++) {
		values = batch_strs(b, ret->names[i]);
		if (values == NULL)
			return b->err != 0 ? b->err : err_origin(-ENOMEM);
		if (str_eq_c(ret->names[i], "_time"))
			ret->time = values;
		else if (str_eq_c(ret->names[i], "_msg"))
			ret->msg = values;
		else if (str_eq_c(ret->names[i], "_stream"))
			ret->stream = values;
		else if (ret->level == NULL && names_is_level(ret->names[i]))
			ret->level = values;
		else
			ret->others[i] = values;
		rank = service_rank(ret->names[i]);
		if (rank < best) {
			best = rank;
			ret->service = values;
		}
	}
	return 0;
}

/* Without a message the other fields tell what the row is. */
static struct str
message_of(const struct roles *roles, size_t row, struct arena *arena)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	size_t i;

	if (roles->msg != NULL && roles->msg[row].n > 0)
		return arena_dup(arena, roles->msg[row]);
	for (i = 0; i < roles->n; i++) {
		if (roles->others[i] == NULL || roles->others[i][row].n == 0 ||
		    names_is_id(roles->names[i]))
			continue;
		if (text.n > 0)
			buf_byte(&text, ' ');
		print_logfmt(&text, roles->names[i], false);
		buf_byte(&text, '=');
		print_logfmt(&text, roles->others[i][row], false);
	}
	return arena_dup(arena, buf_view(&text));
}

static int
keep_ids(struct trace *t, const struct roles *roles, size_t row)
{
	size_t i;

	for (i = 0; i < roles->n; i++)
		if (roles->others[i] != NULL && roles->others[i][row].n > 0 &&
		    t->ids.n < TRACE_RELATED_MAX && names_is_id(roles->names[i]) &&
		    map_put(&t->ids, roles->others[i][row], NULL) == NULL)
			return err_origin(-ENOMEM);
	return 0;
}

int
trace_put(void *ctx, struct batch *b)
{
	struct trace *t = ctx;
	struct trace_row *row;
	struct roles roles;
	bool has_zone;
	size_t i;
	int r;

	r = find_roles(b, &roles);
	for (i = 0; r == 0 && i < b->n_rows; i++) {
		AUTO_FINI(buf_fini) struct buf service = BUF_INIT;

		row = add_row(t);
		if (row == NULL)
			return err_origin(-ENOMEM);
		if (roles.time != NULL)
			(void)wall_parse_rfc3339(roles.time[i], 0, &row->time, &has_zone);
		if (roles.service != NULL && roles.service[i].n > 0)
			buf_str(&service, service_short(roles.service[i]));
		else if (roles.stream != NULL)
			service_of_stream(roles.stream[i], &service);
		row->service = arena_dup(&t->arena, buf_view(&service));
		if (roles.level != NULL)
			row->level = arena_dup(&t->arena, roles.level[i]);
		row->msg = message_of(&roles, i, &t->arena);
		r = keep_ids(t, &roles, i);
	}
	return err_trace(r);
}

int
trace_batch_has(struct batch *b, struct str id, bool deep, uint64_t *sel)
{
	const struct str *names, *values;
	struct str *copy;
	size_t i, k, n;
	int r;

	r = batch_names(b, &names, &n);
	if (r < 0)
		return err_trace(r);
	copy = arena_alloc(&b->arena, (n + 1) * sizeof(*copy));
	if (copy == NULL)
		return err_origin(-ENOMEM);
	memcpy(copy, names, n * sizeof(*copy));
	for (i = 0; i < n; i++) {
		if (!deep && !names_is_id(copy[i]))
			continue;
		values = batch_strs(b, copy[i]);
		if (values == NULL)
			return b->err != 0 ? b->err : err_origin(-ENOMEM);
		for (k = 0; k < b->n_rows; k++)
			if (deep ? str_find(values[k], id) != SIZE_MAX : str_eq(values[k], id))
				bits_set(sel, k);
	}
	return 0;
}

static int
cmp_rows(const void *a, const void *b)
{
	const struct trace_row *x = a, *y = b;

	if (x->time.ns != y->time.ns)
		return x->time.ns < y->time.ns ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

void
trace_sort(struct trace *t)
{
	if (t->n > 0)
		qsort(t->rows, t->n, sizeof(*t->rows), cmp_rows);
}

void
trace_fini(struct trace *t)
{
	free(t->rows);
	map_fini(&t->ids);
	arena_fini(&t->arena);
	*t = (struct trace){ 0 };
}
