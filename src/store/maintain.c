/*
 * store/maintain.c - what is due now and then.
 * One job: say when to close, seal, merge and expire, a bounded piece at a time.
 * Floor: 2 (uses record, base).
 */
#include "store/store_internal.h"

enum { KEEP_PARTS = 4, RESERVE_EVERY_S = 60 };

/* Whether the open segment has come to its end: by bytes, age, or so many small blocks that reading gets slow. */
static bool
roll_is_due(const struct store *s, struct wall now)
{
	const struct tail *t = s->tail;
	int64_t age = s->opt.seal_age.ns;

	if (t == NULL || t->poisoned || !t->has_commit)
		return false;
	/* A class that is kept for a short time must not wait long for its own segment. */
	if (t->min_keep > 0 && t->min_keep / KEEP_PARTS < age)
		age = t->min_keep / KEEP_PARTS;
	return t->committed_at >= s->opt.seal_bytes || t->info.n_blocks >= STORE_SEAL_BLOCKS ||
	    (t->info.n_rows > 0 && now.ns - t->info.first_commit.ns >= age);
}

/* Close the open segment and begin another.  Its first commit says all positions: at once when nothing waits for
 * a commit of the caller's, else with that. */
static int
roll(struct store *s, struct wall now)
{
	int r = tail_new(s, now);

	if (r == 0 && store_is_clean(s))
		r = store_commit(s, now);
	return err_trace(r);
}

static void
remake_reserve(struct store *s)
{
	struct span boot = boot_now();

	if (s->paused || s->has_reserve ||
	    boot.ns - s->reserve_tried.ns < RESERVE_EVERY_S * NS_PER_S)
		return;
	s->reserve_tried = boot;
	store_reserve_make(s);
}

/* No room to seal is no reason not to expire: that is what makes room. */
int
store_maintain(struct store *s, struct wall now)
{
	int r = 0, q;

	if (!s->paused && roll_is_due(s, now))
		r = roll(s, now);
	q = seal_maintain(s, now);
	r = r == 0 ? q : r;
	store_idfiles_maintain(s, now);
	q = retain_maintain(s, now);
	r = r == 0 ? q : r;
	store_skeletons_save(s);
	remake_reserve(s);
	if (r < 0 && store_is_full(r)) {
		store_pause(s, r);
		return STORE_E_FULL;
	}
	return err_trace(r);
}

bool
store_maintain_soon(const struct store *s, struct wall now)
{
	return !s->paused && (s->job != NULL || roll_is_due(s, now));
}

int
store_seal(struct store *s, struct wall now)
{
	int r;

	if (s->tail == NULL || !s->tail->has_commit || s->tail->info.n_rows == 0) {
		r = seal_now(s, now, true);
	} else {
		r = roll(s, now);
		if (r == 0)
			r = seal_now(s, now, false);
	}
	if (r == 0)
		store_idfiles_now(s, now);
	return err_trace(r);
}

int
store_upgrade(struct store *s, struct wall now)
{
	int r = seal_now(s, now, true);

	if (r == 0)
		r = seal_renew(s, now);
	if (r == 0)
		store_idfiles_now(s, now);
	return err_trace(r);
}

int
store_merge(struct store *s, struct wall now)
{
	int r = seal_now(s, now, true);

	if (r == 0)
		store_idfiles_now(s, now);
	return err_trace(r);
}
