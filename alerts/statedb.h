/*
 * alerts/statedb.h - state.db.
 * One job: the small transactional state beside the segments, one transaction a step.
 * Floor: 4 (uses base).  Written by main alone.
 *
 * SQLite in WAL mode with synchronous=FULL.  Each room makes its own tables with statedb_exec at its load, named after
 * itself (alert_*, route_*, silence_*, outbox_*), and writes within the step's transaction.  A database that is damaged is
 * set aside as state.db.damaged-TIME, said, and a new one begun.
 */
#pragma once

#include <sqlite3.h>

#include "base/buf.h"
#include "base/wall.h"

struct statedb;

enum { STATEDB_E_FULL = 1, STATEDB_E_DAMAGED = 2 };

/** statedb_open(ret, path, ret_why): ":memory:" is one that nobody keeps (backtests). */
int statedb_open(struct statedb **ret, const char *path, struct buf *ret_why);
struct statedb *statedb_close(struct statedb *db);
DEFINE_AUTO(struct statedb *, statedb_close)

/** statedb_begin(db), statedb_commit(db), statedb_rollback(db): one step.  STATEDB_E_FULL: nothing changed, come again. */
int statedb_begin(struct statedb *db);
/**
 * statedb_begin_kept(db):
 * A step whose writes (statedb_run, statedb_exec) are not lost for want of room: statedb_commit's STATEDB_E_FULL then means that they
 * are kept in memory, and are written before any other step begins.  No write in it fails for want of room.
 */
int statedb_begin_kept(struct statedb *db);
/** statedb_owes(db): a kept step is not in the database yet.  statedb_damaged(db): a call found that it is damaged. */
bool statedb_owes(const struct statedb *db);
bool statedb_damaged(const struct statedb *db);
int statedb_commit(struct statedb *db);
void statedb_rollback(struct statedb *db);

/** statedb_exec(db, sql): statements without parameters. */
int statedb_exec(struct statedb *db, const char *sql);

/** statedb_prepare(db, sql, ret): kept and reused by the text's address; reset by the caller, freed by statedb_close. */
int statedb_prepare(struct statedb *db, const char *sql, sqlite3_stmt **ret);

/** statedb_bind(st, i, s), statedb_text(st, col): counted text as parameter and column. */
int statedb_bind(sqlite3_stmt *st, int i, struct str s);
struct str statedb_text(sqlite3_stmt *st, int col);
/** statedb_run(db, st): step to the end and reset; -errno, STATEDB_E_FULL. */
int statedb_run(struct statedb *db, sqlite3_stmt *st);
