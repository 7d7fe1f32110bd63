/*
 * alerts/outbox.c - the outbox.
 * One job: take a notification in, within the step that made it, and join those that wait.
 * Floor: 4 (uses base).
 */
#include "alerts/outbox.h"

#include "alerts/outbox_internal.h"

/*
 * outbox_item: state as enum outbox_state; times are ns since the epoch; to_left and to_failed are recipients, one a line;
 * unsure: a try may have arrived; part: somebody has it; host: for further Message-IDs.  What is over keeps no text.
 * outbox_thread: the first Message-ID of each group, for In-Reply-To.
 */
static const char outbox_tables[] =
    "CREATE TABLE IF NOT EXISTS outbox_item (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"
    " receiver TEXT NOT NULL, kind INTEGER NOT NULL, idx INTEGER NOT NULL, group_key TEXT NOT NULL,"
    " message_id TEXT NOT NULL, in_reply_to TEXT NOT NULL, stored BLOB NOT NULL, to_left TEXT NOT NULL,"
    " to_failed TEXT NOT NULL, created INTEGER NOT NULL, due INTEGER NOT NULL, expires INTEGER NOT NULL,"
    " n_tries INTEGER NOT NULL, state INTEGER NOT NULL, unsure INTEGER NOT NULL, part INTEGER NOT NULL,"
    " last_error TEXT NOT NULL, ended INTEGER NOT NULL);"
    "CREATE INDEX IF NOT EXISTS outbox_item_due ON outbox_item (receiver, kind, idx, due) WHERE state = 0;"
    "CREATE INDEX IF NOT EXISTS outbox_item_group ON outbox_item (receiver, kind, idx, group_key, seq)"
    " WHERE state < 2;"
    "CREATE INDEX IF NOT EXISTS outbox_item_ended ON outbox_item (ended) WHERE state > 1;"
    "CREATE TABLE IF NOT EXISTS outbox_thread (receiver TEXT NOT NULL, kind INTEGER NOT NULL, idx INTEGER NOT NULL,"
    " group_key TEXT NOT NULL, message_id TEXT NOT NULL, at INTEGER NOT NULL,"
    " PRIMARY KEY (receiver, kind, idx, group_key)) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS outbox_thread_at ON outbox_thread (at);"
    /* what was on its way when we ended may have arrived */
    "UPDATE outbox_item SET state = 0, unsure = 1, due = 0 WHERE state = 1;";

static int
lanes_load(struct outbox *o)
{
	static const char sql[] =
	    "SELECT DISTINCT receiver, kind, idx FROM outbox_item WHERE state = 0";
	sqlite3_stmt *st;
	int r, s;
	size_t i;

	r = statedb_prepare(o->db, sql, &st);
	if (r != 0)
		return r;
	while ((s = sqlite3_step(st)) == SQLITE_ROW)
		if (outbox_lane(o, statedb_text(st, 0),
		        sqlite3_column_int(st, 1) == RECEIVER_EMAIL ? RECEIVER_EMAIL
		                                                    : RECEIVER_WEBHOOK,
		        (unsigned)sqlite3_column_int64(st, 2)) == NULL)
			break;
	(void)sqlite3_reset(st);
	if (s != SQLITE_DONE)
		return err_origin(s == SQLITE_ROW ? -ENOMEM : -EIO);
	for (i = 0; r == 0 && i < o->n_lanes; i++)
		r = outbox_lane_next(o, &o->lanes[i]);
	return r;
}

int
outbox_new(struct outbox **ret, struct statedb *db)
{
	AUTO(outbox_free) struct outbox *o = NULL;
	int r;

	o = calloc(1, sizeof(*o));
	if (o == NULL)
		return err_origin(-ENOMEM);
	o->db = db;
	r = statedb_exec(db, outbox_tables);
	if (r == 0)
		r = lanes_load(o);
	if (r != 0)
		return err_fold(r);
	*ret = TAKE(o);
	return 0;
}

struct outbox *
outbox_free(struct outbox *o)
{
	size_t i;

	if (o == NULL)
		return NULL;
	for (i = 0; i < o->n_lanes; i++)
		free((void *)(uintptr_t)o->lanes[i].receiver.p);
	for (i = 0; i < o->n_late; i++)
		arena_fini(&o->late[i].arena);
	free(o->late);
	free(o->lanes);
	free(o);
	return NULL;
}

void
outbox_watch(struct outbox *o, outbox_fate_fn fn, void *ctx)
{
	o->fate = fn;
	o->fate_ctx = ctx;
}

/* OUTBOX_E_NONE: no row. */
static int
outbox_has(struct outbox *o, struct str id)
{
	static const char sql[] = "SELECT 1 FROM outbox_item WHERE id = ?1";
	sqlite3_stmt *st;
	int r, s;

	r = statedb_prepare(o->db, sql, &st);
	if (r == 0)
		r = statedb_bind(st, 1, id);
	if (r != 0)
		return r;
	s = sqlite3_step(st);
	(void)sqlite3_reset(st);
	if (s != SQLITE_ROW && s != SQLITE_DONE)
		return err_origin(-EIO);
	return s == SQLITE_ROW ? 0 : OUTBOX_E_NONE;
}

static int
outbox_is_full(struct outbox *o, bool *ret)
{
	static const char sql[] = "SELECT count(*) FROM outbox_item WHERE state < 2";
	sqlite3_stmt *st;
	int r, s;

	*ret = false;
	if (o->room-- > 0)
		return 0;
	r = statedb_prepare(o->db, sql, &st);
	if (r != 0)
		return r;
	s = sqlite3_step(st);
	if (s == SQLITE_ROW) {
		o->room = OUTBOX_MAX - sqlite3_column_int64(st, 0);
		*ret = o->room < 0;
	}
	(void)sqlite3_reset(st);
	return s == SQLITE_ROW ? 0 : err_origin(-EIO);
}

static int
thread_get(struct outbox *o, const struct outbox_item *of, struct buf *ret_root)
{
	static const char sql[] =
	    "SELECT message_id FROM outbox_thread"
	    " WHERE receiver = ?1 AND kind = ?2 AND idx = ?3 AND group_key = ?4";
	sqlite3_stmt *st;
	int r, s;

	r = statedb_prepare(o->db, sql, &st);
	if (r == 0)
		r = outbox_lane_bind(st, of->receiver, of->kind, of->index);
	if (r == 0)
		r = statedb_bind(st, 4, of->group_key);
	if (r != 0)
		return r;
	s = sqlite3_step(st);
	if (s == SQLITE_ROW)
		buf_str(ret_root, statedb_text(st, 0));
	(void)sqlite3_reset(st);
	if (s != SQLITE_ROW && s != SQLITE_DONE)
		return err_origin(-EIO);
	return buf_err(ret_root);
}

/* The oldest threads go in portions, so that a put stays cheap. */
static int
thread_set(struct outbox *o, const struct outbox_item *of, struct str root, struct wall now)
{
	static const char set[] =
	    "INSERT OR REPLACE INTO outbox_thread VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
	static const char trim[] =
	    "DELETE FROM outbox_thread WHERE at < (SELECT at FROM outbox_thread ORDER BY at DESC LIMIT 1 OFFSET ?1)";
	sqlite3_stmt *st;
	int r;

	r = statedb_prepare(o->db, set, &st);
	if (r == 0)
		r = outbox_lane_bind(st, of->receiver, of->kind, of->index);
	if (r == 0)
		r = statedb_bind(st, 4, of->group_key);
	if (r == 0)
		r = statedb_bind(st, 5, root);
	if (r != 0)
		return r;
	(void)sqlite3_bind_int64(st, 6, now.ns);
	r = statedb_run(o->db, st);
	if (r != 0 || (sqlite3_last_insert_rowid(sqlite3_db_handle(st)) & 255) != 0)
		return r;
	r = statedb_prepare(o->db, trim, &st);
	if (r != 0)
		return r;
	(void)sqlite3_bind_int64(st, 1, OUTBOX_THREADS_MAX);
	return statedb_run(o->db, st);
}

static int
outbox_insert(struct outbox *o, const struct outbox_item *it)
{
	static const char sql[] =
	    "INSERT INTO outbox_item (receiver, kind, idx, id, group_key, message_id, in_reply_to, stored, to_left,"
	    " created, due, expires, to_failed, n_tries, state, unsure, part, last_error, ended)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, '', 0, 0, 0, 0, '', 0)";
	const struct str texts[] = { it->id, it->group_key, it->message_id, it->in_reply_to,
		it->stored, it->to };
	sqlite3_stmt *st;
	size_t i;
	int r;

	r = statedb_prepare(o->db, sql, &st);
	if (r == 0)
		r = outbox_lane_bind(st, it->receiver, it->kind, it->index);
	for (i = 0; r == 0 && i < ARRAY_LEN(texts); i++)
		r = statedb_bind(st, 4 + (int)i, texts[i]);
	if (r != 0)
		return r;
	(void)sqlite3_bind_int64(st, 10, it->created.ns);
	(void)sqlite3_bind_int64(st, 11, it->due.ns);
	(void)sqlite3_bind_int64(st, 12, it->expires.ns);
	return statedb_run(o->db, st);
}

/* First of its group, or of a group that is not known: it is what the others answer to. */
static int
outbox_thread(struct outbox *o, const struct notification *n, struct outbox_item *it,
    struct buf *root, struct wall now)
{
	int r;

	if (n->reason != NOTIFY_FIRST) {
		r = thread_get(o, it, root);
		if (r != 0)
			return r;
	}
	it->in_reply_to = buf_view(root);
	return thread_set(o, it, root->n > 0 ? it->in_reply_to : it->message_id, now);
}

static int
outbox_add(struct outbox *o, const struct notification *n, struct outbox_item *it, struct wall now)
{
	AUTO_FINI(buf_fini) struct buf root = BUF_INIT;
	struct outbox_lane *lane;
	bool full = false;
	int r;

	r = outbox_thread(o, n, it, &root, now);
	if (r == 0)
		r = outbox_insert(o, it);
	if (r == 0)
		r = outbox_join(o, it);
	if (r == 0)
		r = outbox_is_full(o, &full);
	if (r != 0)
		return r;
	if (full) {
		static const char sql[] = "DELETE FROM outbox_item WHERE id = ?1";
		sqlite3_stmt *st;

		o->total.refused++;
		r = statedb_prepare(o->db, sql, &st);
		if (r == 0)
			r = statedb_bind(st, 1, it->id);
		return r != 0 ? r : statedb_run(o->db, st) != 0 ? err_origin(-EIO) : OUTBOX_E_FULL;
	}
	lane = outbox_lane(o, it->receiver, it->kind, it->index);
	if (lane == NULL)
		return err_origin(-ENOMEM);
	if (lane->next.ns > now.ns)
		lane->next = now;
	return 0;
}

int
outbox_put(struct outbox *o, const struct notification *n, struct str stored, const char *host,
    struct wall now)
{
	AUTO_FINI(buf_fini) struct buf to = BUF_INIT;
	AUTO_FINI(buf_fini) struct buf mid = BUF_INIT;
	const struct integration *in = n->integration;
	struct outbox_item it = { .id = n->id,
		.receiver = n->receiver->name,
		.group_key = n->group_key,
		.kind = in->kind,
		.index = in->index,
		.stored = stored,
		.created = now,
		.due = now,
		.expires = { now.ns + OUTBOX_EXPIRE_H * NS_PER_HOUR } };
	size_t i;
	int r;

	r = outbox_has(o, n->id);
	if (r != OUTBOX_E_NONE)
		return r;
	if (in->kind == RECEIVER_EMAIL)
		for (i = 0; i < in->n_to; i++)
			outbox_to_add(&to, in->to[i]);
	outbox_message_id(n->id, "", str_c(host), &mid);
	if (to.failed || mid.failed)
		return err_origin(-ENOMEM);
	it.to = buf_view(&to);
	it.message_id = buf_view(&mid);
	return outbox_add(o, n, &it, now);
}
