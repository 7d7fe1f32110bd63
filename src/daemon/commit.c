/*
 * daemon/commit.c - commits.
 * One job: say when, and what to do when one cannot be made.
 * Floor: 6 (uses ingest, store, base).
 *
 * A commit that fails keeps everything in memory and is tried again: sources wait meanwhile.  An append that
 * fails has taken nobody knows how many rows, so all since the last commit is forgotten, and the sources
 * go back to the positions of that commit.  They keep what they have open: a file that was deleted
 * meanwhile is nowhere else.
 */
#include "daemon/daemon_internal.h"
#include "daemon/say.h"

void
commit_dirty(struct daemon *d)
{
	if (!d->dirty)
		d->dirty_since = mono_now();
	d->dirty = true;
}

static void
commit_pause(struct daemon *d, const char *what, int r)
{
	struct span now = mono_now();

	if (!d->paused) {
		d->paused_since = now;
		(void)intake_event(d, "log",
		    r == STORE_E_FULL ? "store is full: sources wait until there is room"
		                      : "store cannot be written: sources wait until it can",
		    NULL, 0);
		say(SAY_ERR, "%s failed: %s: %s", what, d->setup->store_path,
		    r > 0 ? "no space left, or no room by the configuration" : err_str(r));
	}
	d->paused = true;
	d->retry_at.ns = now.ns + DAEMON_RETRY_MS * NS_PER_MS;
	d->n_commits_failed++;
}

/* A sender that is told "not durable" may send again: then its rows must not be there, and what can be read again is. */
static bool
push_is_tired(const struct daemon *d)
{
	return d->api != NULL && api_waiting(d->api) &&
	    mono_now().ns - d->paused_since.ns > DAEMON_PUSH_PATIENCE_S * NS_PER_S;
}

static void
commit_resume(struct daemon *d)
{
	if (d->paused)
		(void)intake_event(d, "log", "store takes rows again: sources go on", NULL, 0);
	d->paused = false;
}

static int
commit_checkpoints(struct daemon *d)
{
	size_t i;
	int r;

	for (i = 0; i < d->setup->n_inputs; i++) {
		struct source *s = d->setup->inputs[i].source;

		r = s->ops->checkpoint(s);
		if (r != 0)
			return err_fold(r);
	}
	return 0;
}

/* A source that cannot note it now notes it at its next poll. */
static void
commit_tell(struct daemon *d)
{
	size_t i;

	for (i = 0; i < d->setup->n_inputs; i++) {
		struct source *s = d->setup->inputs[i].source;

		if (s->ops->committed != NULL)
			(void)s->ops->committed(s);
	}
}

/* Where a source cannot go back, all of them are made anew, as after a restart. */
static int
commit_rewind(struct daemon *d)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < d->setup->n_inputs; i++) {
		struct input *in = &d->setup->inputs[i];

		r = in->source->ops->rewind(in->source);
		in->ready = true;
		in->ended = false;
	}
	return r == 0 ? 0 : setup_sources(d, d->setup);
}

int
commit_now(struct daemon *d)
{
	struct span began;
	int r;

	r = rules_events(d);
	if (r == 0)
		r = intake_flush(d);
	if (r == 0 && !d->abort_due)
		r = commit_checkpoints(d);
	if (d->abort_due)
		return commit_abort(d);
	began = mono_now();
	if (r == 0)
		r = store_commit(d->store, wall_now());
	d->last_commit = mono_now();
	if (r != 0) {
		commit_pause(d, "commit", r);
		return push_is_tired(d) ? commit_abort(d) : 1;
	}
	d->dirty = false;
	d->n_commits++;
	d->commits_took.ns += d->last_commit.ns - began.ns;
	commit_tell(d);
	d->batch_committed = d->batch_seq;
	if (d->api != NULL)
		api_committed(d->api, true);
	commit_resume(d);
	rules_committed(d);
	return 0;
}

int
commit_abort(struct daemon *d)
{
	int r;

	d->n_aborts++;
	r = store_abort(d->store);
	if (r < 0)
		return err_trace(r);
	if (d->api != NULL)
		api_committed(d->api, false);
	record_batch_clear(&d->events);
	d->abort_due = false;
	d->dirty = false;
	commit_pause(d, "append", STORE_E_FULL);
	rules_rewind(d);
	r = push_load(d);
	if (r == 0)
		r = commit_rewind(d);
	return r != 0 ? r : 1;
}

struct span
commit_next(const struct daemon *d)
{
	struct store_stats st;
	struct span at = { INT64_MAX };

	if (d->paused)
		return d->retry_at;
	if (!d->dirty)
		return at;
	at.ns = d->dirty_since.ns + d->setup->config->store.commit_interval.ns;
	store_stats(d->store, &st);
	if (st.pending_bytes > DAEMON_PENDING_MAX)
		at.ns = 0;
	else if (d->api != NULL && api_waiting(d->api) &&
	    at.ns > d->last_commit.ns + DAEMON_COMMIT_MIN_MS * NS_PER_MS)
		at.ns = d->last_commit.ns + DAEMON_COMMIT_MIN_MS * NS_PER_MS;
	return at;
}

void
commit_maintain(struct daemon *d)
{
	int r;

	d->last_maintain = mono_now();
	r = store_maintain(d->store, wall_now());
	if (r < 0)
		say(SAY_ERR, "store upkeep failed: %s: %s", d->setup->store_path, err_str(r));
}
