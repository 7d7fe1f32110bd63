/*
 * store/block_forms.c - the forms of a block's messages.
 * One job: the skeletons of `_msg`, each once, without looking at each row.
 * Floor: 2 (uses record, base).
 *
 * Where templates were looked for, one row of each template has its skeleton, for they go by one rule.  Elsewhere
 * (few rows, few values, or free text) values are looked at until there were enough of them; what was met lately is known by
 * the hash of its text.
 */
#include "base/hash.h"
#include "record/skeleton.h"
#include "store/block_build.h"
#include "store/skeletons.h"

enum { LATELY = 256 };

static void
add(struct block_builder *b, struct str msg)
{
	if (b->n_forms < SKELETONS_BLOCK_MAX)
		b->forms[b->n_forms++] = skeleton_hash(msg);
}

static void
add_values(struct block_builder *b, const struct enc_values *v)
{
	uint64_t lately[LATELY] = { 0 }, h;
	size_t i, n = 0;
	struct str msg;

	for (i = 0; i < v->n && n < SKELETONS_TEXT_MAX; i++) {
		msg = enc_value(v, i);
		if (msg.n == 0)
			continue;
		h = hash64(msg) | 1;
		if (lately[h % LATELY] == h)
			continue;
		lately[h % LATELY] = h;
		add(b, msg);
		n++;
	}
}

int
block_note_forms(struct block_builder *b, const struct enc_values *v)
{
	size_t i;

	if (b->forms == NULL)
		b->forms = malloc(SKELETONS_BLOCK_MAX * sizeof(*b->forms));
	if (b->forms == NULL)
		return err_origin(-ENOMEM);
	if (b->scratch.n_first_rows == 0)
		add_values(b, v);
	for (i = 0; i < b->scratch.n_first_rows; i++)
		add(b, enc_value(v, b->scratch.first_rows[i]));
	return 0;
}

void
block_builder_want_forms(struct block_builder *b)
{
	b->wants_forms = true;
}

const uint64_t *
block_builder_forms(const struct block_builder *b, size_t *ret_n)
{
	*ret_n = b->n_forms;
	return b->forms;
}
