/*
 * alerts/statedb.c - state.db.
 * One job: open the database, or begin a new one where it is damaged, and keep its statements.
 * Floor: 4 (uses base).
 *
 * One process writes and nobody else reads, so SQLite locks it once and for all, and needs no shared memory.
 */
#include <stdio.h>

#include "alerts/statedb_internal.h"
#include "base/err.h"

/* Of the tables; a newer one is left alone. */
enum { STATEDB_VERSION = 1 };

int
statedb_error(struct statedb *db, int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_DONE:
	case SQLITE_ROW:
		return 0;
	case SQLITE_NOMEM:
		return err_origin(-ENOMEM);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		db->damaged = true;
		return STATEDB_E_DAMAGED;
	/* A disk that cannot be written now is waited for, whatever is the matter with it. */
	case SQLITE_FULL:
	case SQLITE_IOERR:
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PERM:
		return STATEDB_E_FULL;
	}
	return err_origin(-EPROTO);
}

/* ---- statements ---- */

int
statedb_prepare(struct statedb *db, const char *sql, sqlite3_stmt **ret)
{
	struct statedb_stmt *all;
	size_t i, cap;
	int rc;

	for (i = 0; i < db->n_stmts; i++)
		if (db->stmts[i].sql == sql) {
			(void)sqlite3_reset(db->stmts[i].st);
			(void)sqlite3_clear_bindings(db->stmts[i].st);
			*ret = db->stmts[i].st;
			return 0;
		}
	if (db->n_stmts == db->cap_stmts) {
		cap = db->cap_stmts > 0 ? db->cap_stmts * 2 : 32;
		all = realloc(db->stmts, cap * sizeof(*all));
		if (all == NULL)
			return err_origin(-ENOMEM);
		db->stmts = all;
		db->cap_stmts = cap;
	}
	rc = sqlite3_prepare_v3(db->db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL);
	if (rc != SQLITE_OK)
		return statedb_error(db, rc);
	db->stmts[db->n_stmts++] = (struct statedb_stmt){ sql, *ret };
	return 0;
}

int
statedb_bind(sqlite3_stmt *st, int i, struct str s)
{
	int rc;

	/* A NULL pointer would be NULL, and empty text is none. */
	rc = sqlite3_bind_text64(st, i, s.n > 0 ? (const char *)s.p : "", s.n, SQLITE_TRANSIENT,
	    SQLITE_UTF8);
	return rc == SQLITE_OK ? 0 : err_origin(rc == SQLITE_NOMEM ? -ENOMEM : -EINVAL);
}

struct str
statedb_text(sqlite3_stmt *st, int col)
{
	const void *p = sqlite3_column_blob(st, col);

	return str_of(p, p != NULL ? (size_t)sqlite3_column_bytes(st, col) : 0);
}

/* ---- opening ---- */

static int
check_row(void *ctx, int n, char **texts, char **names)
{
	bool *ok = ctx;

	(void)names;
	*ok = n == 1 && texts[0] != NULL && strcmp(texts[0], "ok") == 0;
	return 0;
}

static int
version_row(void *ctx, int n, char **texts, char **names)
{
	long *version = ctx;

	(void)names;
	*version = n == 1 && texts[0] != NULL ? strtol(texts[0], NULL, 10) : 0;
	return 0;
}

static int
open_version(struct statedb *db, struct buf *why)
{
	char set[64];
	long version = 0;
	int rc;

	rc = sqlite3_exec(db->db, "PRAGMA user_version", version_row, &version, NULL);
	if (rc != SQLITE_OK)
		return statedb_error(db, rc);
	if (version > STATEDB_VERSION) {
		buf_printf(why, "state.db is of a newer weir (version %ld)", version);
		return err_origin(-EPROTONOSUPPORT);
	}
	if (version == STATEDB_VERSION)
		return 0;
	(void)snprintf(set, sizeof(set), "PRAGMA user_version = %d", STATEDB_VERSION);
	return statedb_error(db, sqlite3_exec(db->db, set, NULL, NULL, NULL));
}

static int
open_file(struct statedb *db, struct buf *why)
{
	static const char set[] = "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; "
	                          "PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY; "
	                          "PRAGMA cache_size = -4096; PRAGMA trusted_schema = OFF";
	bool ok = false;
	int rc;

	rc = sqlite3_open_v2(db->path, &db->db,
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db->db, set, NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db->db, "PRAGMA quick_check(1)", check_row, &ok, NULL);
	if (rc != SQLITE_OK) {
		buf_c(why, db->db != NULL ? sqlite3_errmsg(db->db) : "no memory");
		return statedb_error(db, rc);
	}
	if (!ok) {
		buf_c(why, "its pages do not fit together");
		return STATEDB_E_DAMAGED;
	}
	return open_version(db, why);
}

/* The file and what belongs to it under another name; nothing of it is deleted. */
static int
set_aside(const char *path, struct buf *why)
{
	static const char *const parts[] = { "-wal", "-shm", "" };
	AUTO_FINI(buf_fini) struct buf from = BUF_INIT;
	AUTO_FINI(buf_fini) struct buf to = BUF_INIT;
	struct civil c = wall_civil(wall_now());
	size_t i;

	for (i = 0; i < ARRAY_LEN(parts); i++) {
		buf_clear(&from);
		buf_clear(&to);
		buf_printf(&from, "%s%s", path, parts[i]);
		buf_printf(&to, "%s.damaged-%04lld%02d%02dT%02d%02d%02dZ%s", path,
		    (long long)c.year, c.month, c.day, c.hour, c.minute, c.second, parts[i]);
		if (from.failed || to.failed)
			return err_origin(-ENOMEM);
		if (rename(buf_c_str(&from), buf_c_str(&to)) != 0 && errno != ENOENT)
			return err_origin(-errno);
	}
	buf_printf(why, ": set aside as %s, and begun anew: what was known of alerts is gone",
	    buf_c_str(&to));
	return 0;
}

static void
db_close(struct statedb *db)
{
	size_t i;

	for (i = 0; i < db->n_stmts; i++)
		(void)sqlite3_finalize(db->stmts[i].st);
	db->n_stmts = 0;
	(void)sqlite3_close_v2(db->db);
	db->db = NULL;
	db->damaged = false;
}

int
statedb_open(struct statedb **ret, const char *path, struct buf *ret_why)
{
	AUTO(statedb_close) struct statedb *db = NULL;
	int r;

	db = calloc(1, sizeof(*db));
	if (db == NULL)
		return err_origin(-ENOMEM);
	db->path = strdup(path);
	if (db->path == NULL)
		return err_origin(-ENOMEM);
	r = open_file(db, ret_why);
	if (r == STATEDB_E_DAMAGED) {
		db_close(db);
		r = set_aside(path, ret_why);
		if (r == 0)
			r = open_file(db, ret_why);
	}
	if (r == STATEDB_E_FULL)
		r = err_origin(-EIO);
	if (r != 0)
		return err_fold(r);
	*ret = TAKE(db);
	return 0;
}

struct statedb *
statedb_close(struct statedb *db)
{
	if (db == NULL)
		return NULL;
	db_close(db);
	buf_fini(&db->log);
	buf_fini(&db->owed);
	free(db->stmts);
	free(db->path);
	free(db);
	return NULL;
}

bool
statedb_damaged(const struct statedb *db)
{
	return db->damaged;
}
