/*
 * store/block_ids.c - IDs out of a block.
 * One job: find the values of ID fields again, where their index was lost.
 * Floor: 2 (uses record, base).
 *
 * A column that cannot be read has no IDs that a query could come upon, so the others' are all that there are.
 */
#include "base/hash.h"
#include "record/names.h"
#include "store/block_internal.h"
#include "store/idindex.h"

bool
block_entry_is_id(const struct block_entry *e)
{
	if (e->role != ROLE_FIELD)
		return false;
	return e->enc == ENC_ID || (e->enc == ENC_CONST && enc_id_is(e->value)) ||
	    names_is_id(e->name);
}

static int
add_column(const struct column *c, struct str name, uint64_t **ids, size_t *n, size_t *cap)
{
	size_t want = c->n_rows + (size_t)NAMES_DASHES_MAX, i;
	unsigned dashes, most = 0, k;
	char scratch[COLUMN_SCRATCH];
	uint64_t *grown;
	struct str v;

	if (*cap - *n < want) {
		grown = reallocarray(*ids, *n + want, sizeof(**ids));
		if (grown == NULL)
			return err_origin(-ENOMEM);
		*ids = grown;
		*cap = *n + want;
	}
	for (i = 0; i < c->n_rows; i++) {
		v = column_value(c, i, scratch);
		if (v.n == 0)
			continue;
		(*ids)[(*n)++] = hash64(v);
		dashes = names_id_dashes(v);
		most = dashes > most ? dashes : most;
	}
	for (k = 0; names_is_id(name) && k < most; k++)
		(*ids)[(*n)++] = idindex_mark(name, k);
	return 0;
}

int
block_ids(struct block *b, uint64_t **ret, size_t *ret_n)
{
	const struct enc_rows all = { NULL, b->header.n_rows };
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	AUTO_FREE uint64_t *ids = NULL;
	struct block_entry *e;
	struct column c;
	size_t i, n = 0, cap = 0;
	int r;

	for (i = 0; i < b->n_listed; i++) {
		e = &b->entries[i];
		if (!block_entry_is_id(e))
			continue;
		arena_clear(&arena);
		r = block_decode(b, e, &all, &arena, &c);
		if (r == 0)
			r = add_column(&c, e->name, &ids, &n, &cap);
		if (r == -ENOMEM)
			return err_trace(r);
	}
	hash_sort(ids, n);
	*ret = TAKE(ids);
	*ret_n = n;
	return 0;
}
