/*
 * store/commit.c - the commit.
 * One job: make all that came since the last commit durable, in this place or in a better one.
 * Floor: 2 (uses record, base).
 */
#include "store/store_internal.h"

bool
store_is_full(int r)
{
	return r == -ENOSPC || r == -EDQUOT || r == -EFBIG || r == -EROFS;
}

void
store_pause(struct store *s, int r)
{
	store_reserve_drop(s);
	if (s->paused)
		return;
	s->paused = true;
	store_notice(s, "paused", "%s: cannot be written: %s; nothing is lost, sources wait",
	    s->path, err_str(r));
}

void
store_resume(struct store *s)
{
	if (!s->paused)
		return;
	s->paused = false;
	store_notice(s, "resumed", "%s: can be written again", s->path);
}

/* A segment that begins says all positions even when there is no other news, so that none of them
 * depends on a segment that retention may take. */
static bool
nothing_to_say(const struct store *s)
{
	bool begun = s->tail != NULL && s->tail->has_commit;

	return s->n_pending == 0 && s->positions.n_changed == 0 && (begun || s->positions.n == 0);
}

static int
ensure_tail(struct store *s, struct wall now)
{
	int r;

	if (s->tail == NULL || s->tail->poisoned)
		return err_trace(tail_new(s, now));
	/* A MANIFEST that calls this segment closed would hide what is committed to it. */
	r = store_ensure_saved(s);
	return err_trace(r);
}

static int
try_commit(struct store *s, struct wall now)
{
	int r = ensure_tail(s, now);

	if (r == 0)
		r = tail_commit(s, now);
	return err_trace(r);
}

/* One failure of this file is not one of the disk: a successor is tried at once, and once. */
static int
commit_somewhere(struct store *s, struct wall now)
{
	int r = try_commit(s, now), first = r;

	/* A file at its own limit of size is left for a new one. */
	if (r == -EFBIG && s->tail != NULL && s->tail->has_commit)
		s->tail->poisoned = true;
	if (r == 0 || s->tail == NULL || !s->tail->poisoned)
		return err_trace(r);
	r = try_commit(s, now);
	if (r == 0)
		store_notice(s, "successor", "%s: a write failed: %s; went on in segment %llu",
		    s->path, err_str(first), (unsigned long long)s->tail->number);
	return err_trace(r);
}

int
store_commit(struct store *s, struct wall now)
{
	struct span begin = mono_now();
	int r = store_flush_all(s);

	if (r < 0)
		return err_trace(r);
	if (nothing_to_say(s)) {
		store_resume(s);
		return 0;
	}
	/* The disk belongs to the host: its last bytes are not for logs. */
	if (retain_disk_is_low(s)) {
		store_pause(s, -ENOSPC);
		return STORE_E_FULL;
	}
	r = commit_somewhere(s, now);
	if (r < 0 && store_is_full(r)) {
		store_pause(s, r);
		/* What was set aside may just be what this needs. */
		r = commit_somewhere(s, now);
		if (r < 0 && store_is_full(r))
			return STORE_E_FULL;
	}
	if (r < 0)
		return err_trace(r);
	store_resume(s);
	s->last_commit_took.ns = mono_now().ns - begin.ns;
	return 0;
}

int
store_abort(struct store *s)
{
	size_t i;

	for (i = 0; i < s->n_lanes; i++)
		s->lanes[i].builder = block_builder_free(s->lanes[i].builder);
	store_drop_pending(s);
	positions_abort(&s->positions);
	s->next_row = s->committed_row;
	tail_rewind(s);
	return 0;
}

int
store_position(struct store *s, struct str key, struct str value)
{
	return err_trace(positions_set(&s->positions, key, value));
}

int
store_positions(const struct store *s, store_position_fn fn, void *ctx)
{
	return err_trace(positions_each(&s->positions, fn, ctx));
}

struct str
store_position_get(const struct store *s, struct str key)
{
	return positions_get(&s->positions, key);
}
