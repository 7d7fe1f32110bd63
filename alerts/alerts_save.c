/*
 * alerts/alerts_save.c - a step in state.db.
 * One job: all rooms' changes, positions and events as one transaction.
 * Floor: 4 (uses base).
 */
#include "alerts/alerts_internal.h"
#include "base/err.h"

static const char group_tables[] =
    "CREATE TABLE IF NOT EXISTS eval_group (id INTEGER PRIMARY KEY, last_at INTEGER NOT NULL);";
static const char put_group[] = "INSERT OR REPLACE INTO eval_group VALUES (?, ?)";
static const char get_group[] = "SELECT last_at FROM eval_group WHERE id = ?";

static int
save_groups(struct alerts *a)
{
	sqlite3_stmt *st;
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < a->n_groups; i++) {
		if (!a->groups[i].dirty)
			continue;
		r = statedb_prepare(a->db, put_group, &st);
		if (r != 0)
			return r;
		(void)sqlite3_bind_int64(st, 1, (int64_t)a->groups[i].group->id);
		(void)sqlite3_bind_int64(st, 2, a->groups[i].last.ns);
		r = statedb_run(a->db, st);
		a->groups[i].dirty = r != 0;
	}
	return r;
}

int
alerts_load_groups(struct alerts *a)
{
	sqlite3_stmt *st;
	size_t i;
	int r;

	r = statedb_exec(a->db, group_tables);
	for (i = 0; r == 0 && i < a->n_groups; i++) {
		if (a->groups[i].last.ns != INT64_MIN)
			continue;
		r = statedb_prepare(a->db, get_group, &st);
		if (r != 0)
			return err_fold(r);
		(void)sqlite3_bind_int64(st, 1, (int64_t)a->groups[i].group->id);
		if (sqlite3_step(st) == SQLITE_ROW)
			a->groups[i].last.ns = sqlite3_column_int64(st, 0);
		(void)sqlite3_reset(st);
	}
	return err_fold(r);
}

bool
alerts_save_due(const struct alerts *a)
{
	if (a->queue != NULL || a->n_due > 0 || state_changed(a->state) || a->api.changed)
		return true;
	return a->now.ns >= a->saved.ns + ALERTS_SAVE_S * NS_PER_S || a->now.ns < a->saved.ns;
}

static int
save_all(struct alerts *a)
{
	int r;

	r = alerts_put(a);
	if (r == 0)
		r = dispatch_save(a->dispatch);
	if (r == 0)
		r = silences_save(a->silences, a->now);
	if (r == 0)
		r = state_save(a->state);
	if (r == 0)
		r = save_groups(a);
	return r == 0 ? alerts_events_save(a) : r;
}

static void
say_full(struct alerts *a, bool full)
{
	if (full && !a->told_full)
		alerts_say(a, 3,
		    "state.db cannot be written: %s: alerts are kept in memory, and nothing is sent until it can",
		    a->db_path);
	else if (!full && a->told_full)
		alerts_say(a, 4, "state.db can be written again: %s", a->db_path);
	a->total.n_full += full;
	a->told_full = full;
}

int
alerts_flush(struct alerts *a)
{
	int r;

	alerts_lock(a);
	r = alerts_save(a);
	alerts_unlock(a);
	return r > 0 ? 0 : r;
}

int
alerts_save(struct alerts *a)
{
	int r;

	r = statedb_begin_kept(a->db);
	if (r == 0) {
		r = save_all(a);
		if (r == 0)
			r = statedb_commit(a->db);
		else
			statedb_rollback(a->db);
		/* What is owed is no longer ours to keep. */
		if (r == 0 || r == STATEDB_E_FULL) {
			alerts_drop_queue(a);
			a->n_due = 0;
			arena_clear(&a->due_arena);
			a->api.changed = false;
			a->saved = a->now;
		}
	}
	if (r == 0 || r == STATEDB_E_FULL)
		say_full(a, r != 0);
	return r == 0 ? alerts_events_out(a) : r;
}
