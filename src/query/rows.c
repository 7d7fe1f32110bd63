/*
 * query/rows.c - records turned into columns.
 * One job: batches whose columns are made of parsed records.
 * Floor: 3 (uses record, base).
 *
 * Columns are pointers to the records' own bytes, so a batch costs two words a cell.  A hostile input with
 * very many names gets smaller batches, so that cells stay below CELLS_MAX.
 */
#include "base/map.h"
#include "query/input.h"
#include "record/stream.h"

enum { CELLS_MAX = 1 << 21 };

/*
 * Invariants: columns are those of the batch given last: cols[i] has n_rows rows, names[i] is its name;
 * records [at, recs.n) have not been given yet.
 */
struct rows {
	struct record_source from;
	bool as_is;
	bool end;
	struct record_batch recs;
	size_t at;

	struct map index; /* name to number of its column */
	struct arena arena;
	struct str *names;
	struct str **cols;
	size_t n_cols;
	size_t n_rows;
	size_t first; /* record of row 0 */
	struct str *lines;
	int64_t *times;
	int64_t next_arrival;
};

int
rows_new(struct rows **ret, const struct record_source *src, bool as_is)
{
	struct rows *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return err_origin(-ENOMEM);
	r->from = *src;
	r->as_is = as_is;
	*ret = r;
	return 0;
}

struct rows *
rows_free(struct rows *r)
{
	if (r != NULL) {
		record_batch_fini(&r->recs);
		map_fini(&r->index);
		arena_fini(&r->arena);
	}
	free(r);
	return NULL;
}

/* How many records from r->at make one batch; their names are in r->index then. */
static int
count_rows(struct rows *r, size_t *ret_n)
{
	const struct record *rec;
	size_t n, f;

	for (n = 0; r->at + n < r->recs.n; n++) {
		rec = &r->recs.recs[r->at + n];
		if (n > 0 && (n + 1) * (r->index.n + rec->n_fields) > CELLS_MAX)
			break;
		for (f = 0; f < rec->n_fields; f++) {
			struct map_entry *e;
			bool fresh;

			e = map_put(&r->index, rec->fields[f].name, &fresh);
			if (e == NULL)
				return err_origin(-ENOMEM);
			if (fresh)
				e->value = r->index.n - 1;
		}
	}
	*ret_n = n;
	return 0;
}

static int
alloc_columns(struct rows *r)
{
	size_t i;

	r->n_cols = r->index.n;
	r->names = arena_zalloc(&r->arena, r->n_cols + 2, sizeof(*r->names));
	r->cols = arena_zalloc(&r->arena, r->n_cols + 1, sizeof(*r->cols));
	r->lines = arena_zalloc(&r->arena, r->n_rows + 1, sizeof(*r->lines));
	r->times = arena_zalloc(&r->arena, r->n_rows + 1, sizeof(*r->times));
	if (r->names == NULL || r->cols == NULL || r->lines == NULL || r->times == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < r->n_cols; i++) {
		r->names[i] = r->index.entries[i].key;
		r->cols[i] = arena_zalloc(&r->arena, r->n_rows, sizeof(**r->cols));
		if (r->cols[i] == NULL)
			return err_origin(-ENOMEM);
	}
	return 0;
}

static void
fill_columns(struct rows *r)
{
	const struct record *rec;
	size_t i, f;

	for (i = 0; i < r->n_rows; i++) {
		rec = &r->recs.recs[r->first + i];
		r->lines[i] = rec->line;
		r->times[i] = rec->time.ns;
		for (f = 0; f < rec->n_fields; f++)
			r->cols[map_get(&r->index, rec->fields[f].name)->value][i] =
			    rec->fields[f].value;
	}
}

static struct str
stream_of(const struct record *rec)
{
	return rec->stream.n != 0 ? rec->stream : STR("{}");
}

/* _stream: most often one for all. */
static int
load_streams(struct rows *r, struct arena *arena, struct column *ret)
{
	struct str *strs, first = stream_of(&r->recs.recs[r->first]);
	bool same = true;
	size_t i;

	strs = arena_alloc(arena, r->n_rows * sizeof(*strs));
	if (strs == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < r->n_rows; i++) {
		strs[i] = stream_of(&r->recs.recs[r->first + i]);
		same = same && str_eq(strs[i], first);
	}
	*ret = same ? column_const(STR("_stream"), first, r->n_rows)
	            : (struct column){ .kind = COLUMN_STRS, .n_rows = r->n_rows, .strs = strs };
	return 0;
}

static int
load_stream_ids(struct rows *r, struct arena *arena, struct column *ret)
{
	struct str *strs = arena_alloc(arena, r->n_rows * sizeof(*strs));
	char *text = arena_alloc(arena, r->n_rows * (STREAM_ID_TEXT + 1));
	size_t i;

	if (strs == NULL || text == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < r->n_rows; i++, text += STREAM_ID_TEXT + 1) {
		stream_id(text, stream_of(&r->recs.recs[r->first + i]));
		strs[i] = str_of(text, STREAM_ID_TEXT);
	}
	*ret = (struct column){ .kind = COLUMN_STRS, .n_rows = r->n_rows, .strs = strs };
	return 0;
}

static int
load_whole(struct rows *r, struct str name, struct arena *arena, struct column *ret)
{
	struct map_entry *e;

	*ret = (struct column){ .kind = COLUMN_STRS, .n_rows = r->n_rows };
	if (str_eq(name, INPUT_LINE_NAME)) {
		ret->strs = r->lines;
		return 0;
	}
	if (!r->as_is && str_eq_c(name, "_time")) {
		ret->kind = COLUMN_TIME;
		ret->ints = r->times;
		return 0;
	}
	e = map_get(&r->index, name);
	if (e != NULL)
		ret->strs = r->cols[e->value];
	else if (!r->as_is && str_eq_c(name, "_stream"))
		return err_trace(load_streams(r, arena, ret));
	else if (!r->as_is && str_eq_c(name, "_stream_id"))
		return err_trace(load_stream_ids(r, arena, ret));
	else
		*ret = column_const(name, STR_NONE, r->n_rows);
	return 0;
}

static int
rows_load(void *ctx, struct str name, const uint32_t *rows, size_t n, struct arena *arena,
    struct column *ret)
{
	struct rows *r = ctx;
	struct column whole;
	int e;

	e = load_whole(r, name, arena, &whole);
	if (e == 0 && rows != NULL)
		e = column_gather(&whole, rows, n, arena, ret);
	else if (e == 0)
		*ret = whole;
	if (e == 0)
		ret->name = name;
	return err_trace(e);
}

static int
rows_names(void *ctx, const struct str **ret, size_t *ret_n)
{
	struct rows *r = ctx;

	*ret = r->names;
	*ret_n = r->n_cols + (r->as_is ? 0 : 2);
	return 0;
}

static int
rows_next(void *ctx, struct batch *b)
{
	struct rows *r = ctx;
	int e;

	while (r->at == r->recs.n) {
		if (r->end)
			return 1;
		record_batch_clear(&r->recs);
		r->at = 0;
		e = r->from.next(r->from.ctx, &r->recs);
		if (e < 0)
			return err_trace(e);
		r->end = e > 0;
	}
	arena_clear(&r->arena);
	map_clear(&r->index);
	r->first = r->at;
	e = count_rows(r, &r->n_rows);
	if (e == 0)
		e = alloc_columns(r);
	if (e < 0)
		return err_trace(e);
	fill_columns(r);
	r->at += r->n_rows;
	if (!r->as_is) {
		memmove(r->names + 2, r->names, r->n_cols * sizeof(*r->names));
		r->names[0] = STR("_time");
		r->names[1] = STR("_stream");
	}
	batch_reset(b, r->n_rows);
	b->source = (struct batch_source){ .load = rows_load, .names = rows_names, .ctx = r };
	b->first_arrival = r->next_arrival;
	r->next_arrival += (int64_t)r->n_rows;
	return 0;
}

void
rows_source(struct rows *r, struct row_source *ret)
{
	*ret = (struct row_source){ .next = rows_next, .ctx = r };
}
