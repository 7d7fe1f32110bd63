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

/* Room for ${n} more. */
static int
gathered_room(struct gathered *g, size_t n)
{
	uint64_t *grown;

	if (g->cap - g->n >= n)
		return 0;
	grown = reallocarray(g->ids, g->n + n, sizeof(*grown));
	if (grown == NULL)
		return err_origin(-ENOMEM);
	g->ids = grown;
	g->cap = g->n + n;
	return 0;
}

static int
add_marks(struct gathered *g, struct str name, unsigned dashes)
{
	unsigned k;
	int r;

	if (!names_is_id(name))
		return 0;
	r = gathered_room(g, dashes);
	if (r < 0)
		return err_trace(r);
	for (k = 0; k < dashes; k++)
		g->ids[g->n++] = idindex_mark(name, k);
	return 0;
}

static int
add_column(struct gathered *g, const struct column *c, struct str name)
{
	unsigned dashes, most = 0;
	char scratch[COLUMN_SCRATCH];
	struct str v;
	size_t i;
	int r = gathered_room(g, c->n_rows);

	if (r < 0)
		return err_trace(r);
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
	struct enc_rows rows = { NULL, n };
	uint32_t *list, i;
	struct column c;
	int r;

	if (n < g->b->header.n_rows) {
		rows.rows = list = arena_alloc(&arena, n * sizeof(*list));
		if (list == NULL)
			return err_origin(-ENOMEM);
		for (i = 0; i < n; i++)
			list[i] = from + i;
	}
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
