/*
 * store/block_ids.c - IDs out of a block.
 * One job: find the values of ID fields again, where their index was lost.
 * Floor: 2 (uses record, base).
 *
 * Of a column with a page that cannot be read the others have IDs that a query can come upon, so they are taken.
 */
#include "base/hash.h"
#include "record/names.h"
#include "store/block_internal.h"
#include "store/idindex.h"

enum { IDS_SLICE = 64 }; /* rows */

bool
block_entry_is_id(const struct block_entry *e)
{
	if (e->role != ROLE_FIELD)
		return false;
	return e->enc == ENC_ID || (e->enc == ENC_CONST && enc_id_is(e->value)) ||
	    names_is_id(e->name);
}

/* What is gathered of one column after the other. */
struct gathered {
	struct block *b;
	uint64_t *ids;
	size_t n, cap;
	bool lost; /* some of a column cannot be read */
};

static int
add_marks(struct gathered *g, struct str name, unsigned dashes)
{
	uint64_t *grown = g->ids;
	unsigned k;

	if (!names_is_id(name))
		return 0;
	if (g->cap - g->n < dashes) {
		grown = reallocarray(g->ids, g->n + dashes, sizeof(*grown));
		if (grown == NULL)
			return err_origin(-ENOMEM);
		g->cap = g->n + dashes;
	}
	g->ids = grown;
	for (k = 0; k < dashes; k++)
		g->ids[g->n++] = idindex_mark(name, k);
	return 0;
}

static int
add_column(struct gathered *g, const struct column *c, struct str name)
{
	unsigned dashes, most = 0;
	char scratch[COLUMN_SCRATCH];
	uint64_t *grown;
	struct str v;
	size_t i;

	if (g->cap - g->n < c->n_rows) {
		grown = reallocarray(g->ids, g->n + c->n_rows, sizeof(*grown));
		if (grown == NULL)
			return err_origin(-ENOMEM);
		g->ids = grown;
		g->cap = g->n + c->n_rows;
	}
	for (i = 0; i < c->n_rows; i++) {
		v = column_value(c, i, scratch);
		if (v.n == 0)
			continue;
		g->ids[g->n++] = hash64(v);
		dashes = names_id_dashes(v);
		most = dashes > most ? dashes : most;
	}
	return err_trace(add_marks(g, name, most));
}

/* The rows [from, from + n) of a column; where they cannot be read at once, by halves, down to a page or so. */
static int
add_rows(struct gathered *g, struct block_entry *e, uint32_t from, uint32_t n)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	uint32_t *list = arena_alloc(&arena, ((size_t)n + 1) * sizeof(*list)), i;
	struct enc_rows rows = { list, n };
	struct column c;
	int r;

	if (list == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < n; i++)
		list[i] = from + i;
	if (n == g->b->header.n_rows)
		rows.rows = NULL;
	r = block_decode(g->b, e, &rows, &arena, &c);
	if (r == 0)
		return err_trace(add_column(g, &c, e->name));
	if (r == -ENOMEM)
		return err_trace(r);
	if (n <= IDS_SLICE) {
		g->lost = true;
		return err_trace(add_marks(g, e->name, NAMES_DASHES_MAX));
	}
	r = add_rows(g, e, from, n / 2);
	return r == 0 ? add_rows(g, e, from + n / 2, n - n / 2) : err_trace(r);
}

int
block_ids(struct block *b, uint64_t **ret, size_t *ret_n, bool *ret_lost)
{
	struct gathered g = { .b = b };
	struct block_entry *e;
	size_t i;
	int r = 0;

	for (i = 0; i < b->n_listed && r == 0; i++) {
		e = &b->entries[i];
		if (block_entry_is_id(e))
			r = add_rows(&g, e, 0, b->header.n_rows);
	}
	if (r < 0) {
		free(g.ids);
		return err_trace(r);
	}
	hash_sort(g.ids, g.n);
	*ret = g.ids;
	*ret_n = g.n;
	*ret_lost = g.lost;
	return 0;
}
