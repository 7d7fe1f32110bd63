/*
 * alerts/statedb_step.c - steps of state.db.
 * One job: transactions, and what one wrote that found no room is written before the next.
 * Floor: 4 (uses base).
 *
 * A kept step (statedb_begin_kept) is never lost while the process lives: each statement is noted as text, and a disk without room
 * makes of the notes a debt, which the next begin pays first, or fails as STATEDB_E_FULL.  So the rooms' memory may be ahead of
 * the database, and is never beside it.
 */
#include <assert.h>

#include "alerts/statedb_internal.h"
#include "base/err.h"

static int
exec(struct statedb *db, const char *sql)
{
	return statedb_error(db, sqlite3_exec(db->db, sql, NULL, NULL, NULL));
}

/* SQLite may have rolled back already. */
static void
undo(struct statedb *db)
{
	if (sqlite3_get_autocommit(db->db) == 0)
		(void)sqlite3_exec(db->db, "ROLLBACK", NULL, NULL, NULL);
}

static int
note(struct statedb *db, const char *sql)
{
	if (sql == NULL)
		return err_origin(-ENOMEM);
	buf_put(&db->log, sql, strlen(sql) + 1);
	return buf_err(&db->log);
}

static int
note_run(struct statedb *db, sqlite3_stmt *st)
{
	char *sql = sqlite3_expanded_sql(st);
	int r = note(db, sql);

	sqlite3_free(sql);
	return r;
}

/* What an earlier step owes, as a transaction. */
static int
pay(struct statedb *db)
{
	size_t at;
	int r;

	if (db->owed.n == 0)
		return 0;
	r = exec(db, "BEGIN IMMEDIATE");
	for (at = 0; r == 0 && at < db->owed.n; at += strlen((const char *)db->owed.p + at) + 1)
		r = exec(db, (const char *)db->owed.p + at);
	if (r == 0)
		r = exec(db, "COMMIT");
	if (r == 0)
		buf_clear(&db->owed);
	else
		undo(db);
	return r;
}

int
statedb_begin(struct statedb *db)
{
	int r;

	assert(!db->open);
	r = pay(db);
	if (r == 0)
		r = exec(db, "BEGIN IMMEDIATE");
	if (r != 0)
		return r;
	db->open = true;
	db->kept = false;
	return 0;
}

int
statedb_begin_kept(struct statedb *db)
{
	int r = statedb_begin(db);

	if (r != 0)
		return r;
	db->kept = true;
	db->no_room = false;
	buf_clear(&db->log);
	return 0;
}

/* The notes become a debt. */
static int
owe(struct statedb *db)
{
	struct buf b = db->owed;

	undo(db);
	db->owed = db->log;
	db->log = b;
	buf_clear(&db->log);
	return STATEDB_E_FULL;
}

int
statedb_commit(struct statedb *db)
{
	int r;

	assert(db->open);
	db->open = false;
	if (db->kept && db->no_room)
		return owe(db);
	r = exec(db, "COMMIT");
	if (r == STATEDB_E_FULL && db->kept)
		return owe(db);
	if (r != 0)
		undo(db);
	buf_clear(&db->log);
	return r;
}

void
statedb_rollback(struct statedb *db)
{
	if (!db->open)
		return;
	db->open = false;
	buf_clear(&db->log);
	undo(db);
}

bool
statedb_owes(const struct statedb *db)
{
	return db->owed.n > 0;
}

int
statedb_exec(struct statedb *db, const char *sql)
{
	bool kept = db->open && db->kept;
	int r = 0;

	if (kept) {
		r = note(db, sql);
		if (r != 0 || db->no_room)
			return r;
	}
	r = exec(db, sql);
	if (r == STATEDB_E_FULL && kept) {
		db->no_room = true;
		undo(db);
		return 0;
	}
	return r;
}

int
statedb_run(struct statedb *db, sqlite3_stmt *st)
{
	bool kept = db->open && db->kept;
	int rc, r = 0;

	if (kept)
		r = note_run(db, st);
	if (r != 0 || (kept && db->no_room)) {
		(void)sqlite3_reset(st);
		return r;
	}
	while ((rc = sqlite3_step(st)) == SQLITE_ROW)
		;
	r = statedb_error(db, rc);
	(void)sqlite3_reset(st);
	if (r == STATEDB_E_FULL && kept) {
		db->no_room = true;
		undo(db);
		return 0;
	}
	return r;
}
