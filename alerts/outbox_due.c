/*
 * alerts/outbox_due.c - what is to be sent now.
 * One job: the first that is due of each integration, marked as on its way before it is handed out.
 * Floor: 4 (uses base).
 */
#include "alerts/outbox_internal.h"

enum {
	DUE_MAX = 64,      /* handed out in one call */
	DUE_HOLD_MS = 250, /* after the sender had no room */
	DUE_FULL_S = 5,    /* after the disk had none */
};

/* One that may have arrived goes before the later ones of its group. */
#define FIRST                                                                                    \
	" FROM outbox_item AS a WHERE receiver = ?1 AND kind = ?2 AND idx = ?3 AND state = 0"    \
	" AND NOT EXISTS (SELECT 1 FROM outbox_item AS b WHERE b.receiver = a.receiver"          \
	" AND b.kind = a.kind AND b.idx = a.idx AND b.group_key = a.group_key AND b.seq < a.seq" \
	" AND b.state < 2 AND b.unsure = 1) ORDER BY due, seq LIMIT 1"

int
outbox_lane_next(struct outbox *o, struct outbox_lane *lane)
{
	static const char sql[] = "SELECT due" FIRST;
	sqlite3_stmt *st;
	int r, s;

	r = statedb_prepare(o->db, sql, &st);
	if (r == 0)
		r = outbox_lane_bind(st, lane->receiver, lane->kind, lane->index);
	if (r != 0)
		return r;
	s = sqlite3_step(st);
	lane->next.ns = s == SQLITE_ROW ? sqlite3_column_int64(st, 0) : INT64_MAX;
	(void)sqlite3_reset(st);
	return s == SQLITE_ROW || s == SQLITE_DONE ? 0 : err_origin(-EIO);
}

static int
lane_first(struct outbox *o, const struct outbox_lane *lane, struct arena *arena,
    struct outbox_row *ret)
{
	static const char sql[] = "SELECT " OUTBOX_COLUMNS FIRST;
	sqlite3_stmt *st;
	int r;

	r = statedb_prepare(o->db, sql, &st);
	if (r == 0)
		r = outbox_lane_bind(st, lane->receiver, lane->kind, lane->index);
	return r != 0 ? r : outbox_select(st, arena, ret);
}

static int
row_mark(struct outbox *o, int64_t seq, enum outbox_state state, int tries)
{
	static const char sql[] =
	    "UPDATE outbox_item SET state = ?2, n_tries = n_tries + ?3 WHERE seq = ?1";
	sqlite3_stmt *st;
	int r;

	r = statedb_prepare(o->db, sql, &st);
	if (r != 0)
		return r;
	(void)sqlite3_bind_int64(st, 1, seq);
	(void)sqlite3_bind_int(st, 2, (int)state);
	(void)sqlite3_bind_int(st, 3, tries);
	return statedb_run(o->db, st);
}

/*
 * A clock that went back makes nothing wait longer than it would have; one that jumped ahead makes nothing older.
 * (After a restart only the first holds, by the bound on every wait.)
 */
static int
clock_moved(struct outbox *o, struct wall now)
{
	static const char sql[] =
	    "UPDATE outbox_item SET due = min(due - ?1, ?2), expires = expires + ?3 WHERE state < 2";
	int64_t back = 0, ahead = 0;
	struct wall before = o->last;
	sqlite3_stmt *st;
	size_t i;
	int r;

	o->last = now;
	if (before.ns == 0)
		back = 0;
	else if (now.ns < before.ns - NS_PER_S)
		back = before.ns - now.ns;
	else if (now.ns > before.ns + OUTBOX_JUMP_S * NS_PER_S)
		ahead = now.ns - before.ns;
	if (before.ns != 0 && back == 0 && ahead == 0)
		return 0;
	r = statedb_prepare(o->db, sql, &st);
	if (r != 0)
		return r;
	(void)sqlite3_bind_int64(st, 1, back);
	(void)sqlite3_bind_int64(st, 2, now.ns + OUTBOX_RETRY_AFTER_MAX_S * NS_PER_S);
	(void)sqlite3_bind_int64(st, 3, ahead - back);
	r = statedb_run(o->db, st);
	for (i = 0; r == 0 && i < o->n_lanes; i++) {
		o->lanes[i].hold.ns = 0;
		r = outbox_lane_next(o, &o->lanes[i]);
	}
	return r == STATEDB_E_FULL ? 0 : r;
}

static bool
lane_is_due(const struct outbox_lane *lane, struct wall now)
{
	return !lane->busy && lane->next.ns <= now.ns && lane->hold.ns <= now.ns;
}

/* The lane that has waited longest, of those not looked at. */
static struct outbox_lane *
lane_pick(struct outbox *o, struct wall now)
{
	struct outbox_lane *first = NULL;
	size_t i;

	for (i = 0; i < o->n_lanes; i++) {
		struct outbox_lane *lane = &o->lanes[i];

		if (lane_is_due(lane, now) && (first == NULL || lane->next.ns < first->next.ns))
			first = lane;
	}
	return first;
}

/* Within a transaction: mark what goes out. */
static int
due_take(struct outbox *o, struct wall now, size_t max, struct arena *arena,
    struct outbox_row *rows, size_t *ret_n)
{
	struct outbox_lane *lane;
	size_t n = 0;
	int r = 0;

	while (r == 0 && n < max && (lane = lane_pick(o, now)) != NULL) {
		r = lane_first(o, lane, arena, &rows[n]);
		if (r == OUTBOX_E_NONE || (r == 0 && rows[n].item.due.ns > now.ns)) {
			lane->next.ns = r == 0 ? rows[n].item.due.ns : INT64_MAX;
			r = 0;
			continue;
		}
		if (r == 0)
			r = row_mark(o, rows[n].seq, OUTBOX_SENDING, 1);
		if (r == 0) {
			lane->busy = true;
			rows[n].item.n_tries++;
			rows[n++].item.state = OUTBOX_SENDING;
		}
	}
	*ret_n = n;
	return r;
}

static int
due_back(struct outbox *o, const struct outbox_row *row)
{
	int r;

	r = row_mark(o, row->seq, OUTBOX_WAITING, -1);
	/* a later one of its group may have come meanwhile */
	return r == 0 ? outbox_join(o, &row->item) : r;
}

/* In a transaction; what fails is recorded later, as a try that could not be made. */
static int
due_return(struct outbox *o, struct wall now, struct outbox_row *const *rows, size_t n)
{
	struct outbox_lane *lane;
	size_t i;
	int r, e = 0;

	r = statedb_begin(o->db);
	for (i = 0; r == 0 && i < n; i++)
		r = due_back(o, rows[i]);
	if (r == 0)
		r = statedb_commit(o->db);
	else
		statedb_rollback(o->db);
	for (i = 0; i < n && e == 0; i++) {
		const struct outbox_item *it = &rows[i]->item;
		struct send_result res = { .id = it->id, .outcome = SEND_LATER, .to_left = it->to };

		lane = outbox_lane(o, it->receiver, it->kind, it->index);
		if (lane != NULL) {
			lane->busy = r != 0;
			lane->hold.ns = now.ns + DUE_HOLD_MS * NS_PER_MS;
		}
		if (r != 0)
			e = outbox_late_keep(o, &res);
	}
	return r == STATEDB_E_FULL ? e : r;
}

/* Hand out; what the sender has no room for waits again. */
static int
due_give(struct outbox *o, struct wall now, struct outbox_row *rows, size_t n, outbox_fn fn,
    void *ctx)
{
	struct outbox_row *back[DUE_MAX];
	size_t i, n_back = 0;
	int r, failed = 0;

	for (i = 0; i < n; i++) {
		int given = failed < 0 ? 1 : fn(ctx, &rows[i].item);

		if (given < 0)
			failed = given;
		if (given != 0)
			back[n_back++] = &rows[i];
	}
	r = n_back > 0 ? due_return(o, now, back, n_back) : 0;
	return r != 0 ? r : failed;
}

static void
lanes_hold(struct outbox *o, const struct outbox_row *rows, size_t n, struct wall until)
{
	struct outbox_lane *lane;
	size_t i;

	for (i = 0; i < n; i++) {
		lane = outbox_lane(o, rows[i].item.receiver, rows[i].item.kind, rows[i].item.index);
		if (lane != NULL)
			lane->busy = false;
	}
	for (i = 0; i < o->n_lanes; i++)
		o->lanes[i].hold = until;
}

int
outbox_due(struct outbox *o, struct wall now, size_t max, outbox_fn fn, void *ctx)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	struct outbox_row *rows;
	size_t n = 0;
	int r;

	r = outbox_late_record(o, now);
	if (r == 0)
		r = clock_moved(o, now);
	if (r != 0 || lane_pick(o, now) == NULL)
		return r;
	rows = arena_zalloc(&arena, DUE_MAX, sizeof(*rows));
	if (rows == NULL)
		return err_origin(-ENOMEM);
	r = statedb_begin(o->db);
	if (r == 0) {
		r = due_take(o, now, max < DUE_MAX ? max : DUE_MAX, &arena, rows, &n);
		if (r == 0 && n > 0)
			r = statedb_commit(o->db);
		else
			statedb_rollback(o->db);
	}
	if (r != 0) {
		lanes_hold(o, rows, n, (struct wall){ now.ns + DUE_FULL_S * NS_PER_S });
		return r == STATEDB_E_FULL ? 0 : r;
	}
	return due_give(o, now, rows, n, fn, ctx);
}

struct wall
outbox_next(const struct outbox *o)
{
	struct wall first = { INT64_MAX };
	size_t i;

	for (i = 0; i < o->n_lanes; i++) {
		const struct outbox_lane *lane = &o->lanes[i];
		int64_t at = lane->next.ns > lane->hold.ns ? lane->next.ns : lane->hold.ns;

		if (!lane->busy && lane->next.ns != INT64_MAX && at < first.ns)
			first.ns = at;
	}
	if (o->n_late > 0 && o->last.ns + DUE_FULL_S * NS_PER_S < first.ns)
		first.ns = o->last.ns + DUE_FULL_S * NS_PER_S;
	return first;
}
