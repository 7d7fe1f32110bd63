/*
 * store/maintain.c - what is due now and then.
 * One job: say when to close, seal, merge and expire, a bounded piece at a time.
 * Floor: 2 (uses record, base).
 */
#include "store/store_internal.h"

/* Whether the open segment has come to its end: by bytes, age, or so many small blocks that reading gets slow. */
static bool
roll_is_due(const struct store *s, struct wall now)
{
	const struct tail *t = s->tail;

	if (t == NULL || t->poisoned || !t->has_commit || t->info.n_rows == 0)
		return false;
	return t->committed_at >= s->opt.seal_bytes || t->info.n_blocks >= STORE_SEAL_BLOCKS ||
	    now.ns - t->info.first_commit.ns >= s->opt.seal_age.ns;
}

/* Close the open segment and begin another, with all positions in its first commit. */
static int
roll(struct store *s, struct wall now)
{
	int r = tail_new(s, now);

	if (r == 0)
		r = tail_commit(s, now);
	return err_trace(r);
}
int
store_maintain(struct store *s, struct wall now)
{
	int r = 0;

	if (roll_is_due(s, now))
		r = roll(s, now);
	if (r == 0)
		r = seal_maintain(s, now);
	return err_trace(r);
}

int
store_seal(struct store *s, struct wall now)
{
	int r;

	if (s->tail == NULL || s->tail->info.n_rows == 0)
		return err_trace(seal_now(s, now, true));
	r = roll(s, now);
	return err_trace(r == 0 ? seal_now(s, now, false) : r);
}
