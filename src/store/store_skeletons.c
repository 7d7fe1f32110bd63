/*
 * store/store_skeletons.c - the known forms of messages, kept by the writer.
 * One job: see the forms of what is committed, and save them; a store is none the worse where that fails.
 * Floor: 2 (uses base).
 */
#include "store/store_internal.h"

void
store_skeletons_open(struct store *s)
{
	int r = skeletons_open(&s->skeletons, s->path);

	if (r < 0)
		store_notice(s, "skeletons", "%s/skeletons: cannot be read: %s", s->path,
		    err_str(r));
}

const struct skeletons *
store_skeletons(const struct store *s)
{
	return s->skeletons;
}

static void
check(struct store *s, int r)
{
	if (r < 0 && !s->skeletons_failed)
		store_notice(s, "skeletons",
		    "%s/skeletons: cannot be written: %s; known forms of messages are kept in memory",
		    s->path, err_str(r));
	s->skeletons_failed = r < 0;
}

/* Those of the pending blocks, whose commit is durable now. */
void
store_skeletons_see(struct store *s, struct wall now)
{
	const struct pending_block *p;
	size_t i, k;

	if (s->skeletons == NULL)
		return;
	for (i = 0; i < s->n_pending; i++) {
		p = &s->pending[i];
		for (k = 0; k < p->n_forms; k++)
			/* Without memory a form is new another time. */
			(void)skeletons_see(s->skeletons, p->forms[k], now);
	}
	/* What cannot be written is tried by the upkeep, which says so. */
	if (!s->skeletons_failed)
		check(s, skeletons_write(s->skeletons));
}

void
store_skeletons_save(struct store *s)
{
	if (s->skeletons != NULL && !s->paused)
		check(s, skeletons_save(s->skeletons));
}
