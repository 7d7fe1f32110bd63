/*
 * alerts/silence_state.c - silences in state.db.
 * One job: write those that changed, read all at the start, forget the old ones.
 * Floor: 4 (uses base).
 *
 * Matchers are a blob: varint number, then for each its op as a byte, varint length and bytes of name and value.
 */
#include "alerts/silence_internal.h"

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS silence_one(id TEXT PRIMARY KEY, matchers BLOB, query TEXT, starts INTEGER, ends INTEGER,"
    " updated INTEGER, author TEXT, comment TEXT);";

static int
save_one(struct silences *s, struct kept *k)
{
	static const char sql[] = "INSERT OR REPLACE INTO silence_one VALUES(?,?,?,?,?,?,?,?)";
	AUTO_FINI(buf_fini) struct buf b = BUF_INIT;
	sqlite3_stmt *st;
	size_t i;
	int r = statedb_prepare(s->db, sql, &st);

	if (r != 0)
		return r;
	buf_varint(&b, k->s.n_matchers);
	for (i = 0; i < k->s.n_matchers; i++) {
		buf_byte(&b, (uint8_t)k->s.matchers[i].op);
		buf_varint(&b, k->s.matchers[i].name.n);
		buf_str(&b, k->s.matchers[i].name);
		buf_varint(&b, k->s.matchers[i].value.n);
		buf_str(&b, k->s.matchers[i].value);
	}
	if (buf_err(&b) < 0 || sqlite3_bind_blob64(st, 2, b.p, b.n, SQLITE_TRANSIENT) != SQLITE_OK)
		return err_origin(-ENOMEM);
	r = statedb_bind(st, 1, k->s.id);
	if (r == 0)
		r = statedb_bind(st, 3, k->s.query_text);
	if (r == 0)
		r = statedb_bind(st, 7, k->s.created_by);
	if (r == 0)
		r = statedb_bind(st, 8, k->s.comment);
	if (r != 0)
		return r;
	(void)sqlite3_bind_int64(st, 4, k->s.starts_at.ns);
	(void)sqlite3_bind_int64(st, 5, k->s.ends_at.ns);
	(void)sqlite3_bind_int64(st, 6, k->s.updated_at.ns);
	r = statedb_run(s->db, st);
	k->dirty = r != 0;
	return r;
}

static int
drop_one(struct silences *s, struct str id)
{
	sqlite3_stmt *st;
	int r;

	if (s->db == NULL)
		return 0;
	r = statedb_prepare(s->db, "DELETE FROM silence_one WHERE id = ?", &st);
	if (r == 0)
		r = statedb_bind(st, 1, id);
	return r == 0 ? statedb_run(s->db, st) : r;
}

int
silences_save(struct silences *s, struct wall now)
{
	size_t i, n = 0;
	int r = 0;

	for (i = 0; i < s->n; i++) {
		struct kept *k = s->all[i];

		if (r == 0 && k->s.ends_at.ns + SILENCE_KEEP_DAYS * NS_PER_DAY < now.ns) {
			r = drop_one(s, k->s.id);
			if (r == 0) {
				kept_free(k);
				continue;
			}
		}
		if (r == 0 && k->dirty && s->db != NULL)
			r = save_one(s, k);
		s->all[n++] = k;
	}
	s->n = n;
	return r;
}

static bool
read_matchers(struct str b, struct arena *arena, struct silence *s)
{
	struct scan sc = SCAN_OF(b);
	uint64_t n = scan_varint(&sc), i;
	struct matcher *m =
	    n <= SILENCE_MATCHERS_MAX ? arena_zalloc(arena, (size_t)n + 1, sizeof(*m)) : NULL;

	if (m == NULL)
		return false;
	for (i = 0; i < n && !sc.bad; i++) {
		uint8_t op = scan_u8(&sc);

		if (op > MATCH_NOT_REGEX)
			return false;
		m[i].op = (enum matcher_op)op;
		m[i].name = scan_bytes(&sc, (size_t)scan_varint(&sc));
		m[i].value = scan_bytes(&sc, (size_t)scan_varint(&sc));
	}
	s->matchers = m;
	s->n_matchers = (size_t)n;
	return !sc.bad;
}

/* One that does not read back is left out: it would hold what nobody sees it hold. */
static int
load_one(struct silences *s, sqlite3_stmt *st)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	struct silence one = { .id = statedb_text(st, 0), .query_text = statedb_text(st, 2) };
	const void *blob = sqlite3_column_blob(st, 1);
	struct kept *k;
	int r;

	if (!read_matchers(str_of(blob, blob != NULL ? (size_t)sqlite3_column_bytes(st, 1) : 0),
	        &arena, &one))
		return 0;
	one.starts_at.ns = sqlite3_column_int64(st, 3);
	one.ends_at.ns = sqlite3_column_int64(st, 4);
	one.updated_at.ns = sqlite3_column_int64(st, 5);
	one.created_by = statedb_text(st, 6);
	one.comment = statedb_text(st, 7);
	if (s->n >= SILENCES_MAX)
		return 0;
	r = kept_new(&one, one.updated_at, &k, &why);
	if (r != 0)
		return r < 0 ? err_trace(r) : 0;
	r = kept_add(s, k);
	if (r < 0)
		kept_free(k);
	return err_trace(r);
}

int
silences_load(struct silences *s)
{
	sqlite3_stmt *st;
	int r = statedb_exec(s->db, schema), step;

	if (r == 0)
		r = statedb_prepare(s->db, "SELECT * FROM silence_one ORDER BY updated, id", &st);
	if (r != 0)
		return err_fold(r);
	while ((step = sqlite3_step(st)) == SQLITE_ROW && r == 0)
		r = load_one(s, st);
	(void)sqlite3_reset(st);
	if (r < 0)
		return err_trace(r);
	return step == SQLITE_DONE ? 0 : err_origin(-EIO);
}
