/*
 * alerts/statedb_internal.h - inside state.db.
 * One job: what the statedb*.c files share.
 * Floor: 4 (uses base).
 */
#pragma once

#include "alerts/statedb.h"

struct statedb_stmt {
	const char *sql; /* its address is the key */
	sqlite3_stmt *st;
};

/*
 * Invariants: open holds between begin and its end.  log is what a kept step has written so far, statements each with NUL;
 * owed is the log of a kept step that found no room, and is empty once it is in the database.
 */
struct statedb {
	sqlite3 *db;
	char *path;
	struct statedb_stmt *stmts;
	size_t n_stmts, cap_stmts;
	bool open, kept;
	bool no_room; /* of the open kept step: what it writes is only noted */
	bool damaged;
	struct buf log, owed;
};

/** statedb_error(db, rc): SQLite's code as ours. */
int statedb_error(struct statedb *db, int rc);
