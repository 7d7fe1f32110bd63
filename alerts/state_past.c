/*
 * alerts/state_past.c - what has held before.
 * One job: remember when alerts that are over held, so that a late look at an old instant does not tell them again.
 * Floor: 4 (uses base).
 */
#include "alerts/state_internal.h"
#include "base/err.h"

static const char past_tables[] =
    "CREATE TABLE IF NOT EXISTS alert_past (seq INTEGER PRIMARY KEY, rule_id INTEGER, fp INTEGER, "
    "held_from INTEGER, held_to INTEGER);";
static const char put_past[] = "INSERT OR REPLACE INTO alert_past VALUES (?, ?, ?, ?, ?)";
static const char trim_past[] = "DELETE FROM alert_past WHERE seq <= ?";
static const char select_past[] =
    "SELECT seq, rule_id, fp, held_from, held_to FROM alert_past ORDER BY seq";

static void
past_put(struct state *s, const struct state_past *one)
{
	s->past[s->past_seq++ % STATE_PAST_MAX] = *one;
}

int
state_past_note(struct state *s, const struct alert *a)
{
	struct state_past one = { a->rule_id, a->fingerprint, a->active_at, a->last_seen };

	if (s->past == NULL)
		s->past = calloc(STATE_PAST_MAX, sizeof(*s->past));
	if (s->past == NULL)
		return err_origin(-ENOMEM);
	past_put(s, &one);
	return 0;
}

bool
state_past_has(const struct state *s, uint64_t rule_id, uint64_t fp, struct wall at)
{
	uint64_t i, n = s->past_seq < STATE_PAST_MAX ? s->past_seq : STATE_PAST_MAX;

	for (i = 0; s->past != NULL && i < n; i++)
		if (s->past[i].fp == fp && s->past[i].rule_id == rule_id &&
		    s->past[i].from.ns <= at.ns && s->past[i].to.ns >= at.ns)
			return true;
	return false;
}

int
state_past_save(struct state *s)
{
	sqlite3_stmt *st;
	int r = 0;

	if (s->past_saved == s->past_seq)
		return 0;
	if (s->past_seq - s->past_saved > STATE_PAST_MAX)
		s->past_saved = s->past_seq - STATE_PAST_MAX;
	for (; r == 0 && s->past_saved < s->past_seq; s->past_saved++) {
		const struct state_past *one = &s->past[s->past_saved % STATE_PAST_MAX];

		r = statedb_prepare(s->db, put_past, &st);
		if (r != 0)
			return r;
		(void)sqlite3_bind_int64(st, 1, (int64_t)s->past_saved);
		(void)sqlite3_bind_int64(st, 2, (int64_t)one->rule_id);
		(void)sqlite3_bind_int64(st, 3, (int64_t)one->fp);
		(void)sqlite3_bind_int64(st, 4, one->from.ns);
		(void)sqlite3_bind_int64(st, 5, one->to.ns);
		r = statedb_run(s->db, st);
	}
	if (r == 0)
		r = statedb_prepare(s->db, trim_past, &st);
	if (r != 0)
		return r;
	(void)sqlite3_bind_int64(st, 1, (int64_t)s->past_seq - STATE_PAST_MAX - 1);
	return statedb_run(s->db, st);
}

int
state_past_load(struct state *s)
{
	struct state_past one;
	sqlite3_stmt *st;
	int r, rc = SQLITE_DONE;

	r = statedb_exec(s->db, past_tables);
	if (r == 0)
		r = statedb_prepare(s->db, select_past, &st);
	if (r != 0)
		return err_fold(r);
	if (s->past == NULL)
		s->past = calloc(STATE_PAST_MAX, sizeof(*s->past));
	if (s->past == NULL)
		return err_origin(-ENOMEM);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		s->past_seq = (uint64_t)sqlite3_column_int64(st, 0);
		one.rule_id = (uint64_t)sqlite3_column_int64(st, 1);
		one.fp = (uint64_t)sqlite3_column_int64(st, 2);
		one.from.ns = sqlite3_column_int64(st, 3);
		one.to.ns = sqlite3_column_int64(st, 4);
		past_put(s, &one);
	}
	(void)sqlite3_reset(st);
	s->past_saved = s->past_seq;
	return rc == SQLITE_DONE ? 0 : err_origin(-EIO);
}
