/*
 * alerts/outbox_result.c - what came of a try.
 * One job: over, or waiting for the next try; and the history of what is over.
 * Floor: 4 (uses base).
 */
#include "alerts/outbox_internal.h"

enum { WHY_MAX = 2000 }; /* bytes of an error's text that are kept */

static int
row_by_id(struct outbox *o, struct str id, struct arena *arena, struct outbox_row *ret)
{
	static const char sql[] = "SELECT " OUTBOX_COLUMNS " FROM outbox_item WHERE id = ?1";
	sqlite3_stmt *st;
	int r;

	r = statedb_prepare(o->db, sql, &st);
	if (r == 0)
		r = statedb_bind(st, 1, id);
	return r != 0 ? r : outbox_select(st, arena, ret);
}

/* Write back what a result changes. */
static int
row_write(struct outbox *o, const struct outbox_row *row, bool over, struct wall now)
{
	static const char sql[] =
	    "UPDATE outbox_item SET state = ?2, due = ?3, unsure = ?4, part = ?5, ended = ?6, to_left = ?7,"
	    " to_failed = ?8, last_error = ?9, stored = CASE WHEN ?2 > 1 THEN '' ELSE stored END WHERE seq = ?1";
	sqlite3_stmt *st;
	int r;

	r = statedb_prepare(o->db, sql, &st);
	if (r == 0)
		r = statedb_bind(st, 7, row->item.to);
	if (r == 0)
		r = statedb_bind(st, 8, row->to_failed);
	if (r == 0)
		r = statedb_bind(st, 9, row->item.last_error);
	if (r != 0)
		return r;
	(void)sqlite3_bind_int64(st, 1, row->seq);
	(void)sqlite3_bind_int(st, 2, (int)row->item.state);
	(void)sqlite3_bind_int64(st, 3, row->item.due.ns);
	(void)sqlite3_bind_int(st, 4, row->unsure);
	(void)sqlite3_bind_int(st, 5, row->part);
	(void)sqlite3_bind_int64(st, 6, over ? now.ns : 0);
	return statedb_run(o->db, st);
}

static int
history_trim(struct outbox *o)
{
	static const char sql[] =
	    "DELETE FROM outbox_item WHERE state > 1 AND ended < (SELECT ended FROM outbox_item WHERE state > 1"
	    " ORDER BY ended DESC LIMIT 1 OFFSET ?1)";
	sqlite3_stmt *st;
	int r;

	if (o->total.delivered + o->total.failed + o->total.expired == 0 ||
	    (o->total.delivered + o->total.failed + o->total.expired) % 64 != 1)
		return 0;
	r = statedb_prepare(o->db, sql, &st);
	if (r != 0)
		return r;
	(void)sqlite3_bind_int64(st, 1, OUTBOX_HISTORY_MAX);
	return statedb_run(o->db, st);
}

static size_t
to_count(struct str list)
{
	struct str one;
	size_t n = 0;

	while (outbox_to_next(&list, &one))
		n++;
	return n;
}

/* All that were given up, of this try and the earlier ones. */
static int
row_failed(struct outbox_row *row, struct str more, struct arena *arena)
{
	AUTO_FINI(buf_fini) struct buf all = BUF_INIT;
	struct str one;

	buf_str(&all, row->to_failed);
	while (outbox_to_next(&more, &one))
		outbox_to_add(&all, one);
	if (all.failed)
		return err_origin(-ENOMEM);
	row->to_failed = arena_dup(arena, buf_view(&all));
	return row->to_failed.p != NULL ? 0 : err_origin(-ENOMEM);
}

static struct span
wait_of(const struct outbox_row *row, const struct send_result *r)
{
	struct span wait = outbox_backoff(row->item.id, row->item.n_tries);

	if (r->retry_after.ns > 0) {
		wait = r->retry_after;
		if (wait.ns < OUTBOX_BACKOFF_MIN_S * NS_PER_S)
			wait.ns = OUTBOX_BACKOFF_MIN_S * NS_PER_S;
		if (wait.ns > OUTBOX_RETRY_AFTER_MAX_S * NS_PER_S)
			wait.ns = OUTBOX_RETRY_AFTER_MAX_S * NS_PER_S;
	}
	return wait;
}

/* The row as the result makes it; it is over unless it waits. */
static int
row_apply(struct outbox_row *row, const struct send_result *r, struct wall now, struct arena *arena)
{
	size_t n = to_count(row->item.to), left = to_count(r->to_left),
	       bad = to_count(r->to_failed);
	int e;

	e = row_failed(row, r->to_failed, arena);
	if (e != 0)
		return e;
	row->item.last_error = str_sub(r->why, 0, WHY_MAX);
	row->unsure = r->unsure;
	switch (r->outcome) {
	case SEND_DONE:
		row->item.state = OUTBOX_DELIVERED;
		row->item.to = STR_NONE;
		return 0;
	case SEND_NEVER:
		row->item.state = row->part ? OUTBOX_DELIVERED : OUTBOX_FAILED;
		return 0;
	case SEND_LATER:
		break;
	}
	row->part = row->part || n > left + bad;
	if (r->to_left.n > 0)
		row->item.to = r->to_left;
	row->item.state = now.ns >= row->item.expires.ns ? OUTBOX_EXPIRED : OUTBOX_WAITING;
	row->item.due.ns = now.ns + wait_of(row, r).ns;
	return 0;
}

static int
result_write(struct outbox *o, struct outbox_row *row, struct wall now)
{
	bool over = row->item.state != OUTBOX_WAITING;
	int r;

	r = row_write(o, row, over, now);
	if (r == 0 && !over && !row->unsure)
		r = outbox_join(o, &row->item);
	if (r == 0 && over)
		r = history_trim(o);
	return r;
}

static void
result_count(struct outbox *o, enum outbox_state s)
{
	switch (s) {
	case OUTBOX_DELIVERED:
		o->total.delivered++;
		break;
	case OUTBOX_FAILED:
		o->total.failed++;
		break;
	case OUTBOX_EXPIRED:
		o->total.expired++;
		break;
	case OUTBOX_WAITING:
		o->total.retried++;
		break;
	case OUTBOX_SENDING:
		break;
	}
}

/* STATEDB_E_FULL: nothing changed. */
static int
result_record(struct outbox *o, const struct send_result *res, struct wall now)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	struct outbox_lane *lane;
	struct outbox_row row;
	int r;

	r = row_by_id(o, res->id, &arena, &row);
	/* one that nobody knows, or that waits again since the process died */
	if (r == OUTBOX_E_NONE || (r == 0 && row.item.state != OUTBOX_SENDING))
		return 0;
	if (r == 0)
		r = row_apply(&row, res, now, &arena);
	if (r == 0)
		r = statedb_begin(o->db);
	if (r != 0)
		return r;
	r = result_write(o, &row, now);
	if (r == 0)
		r = statedb_commit(o->db);
	else
		statedb_rollback(o->db);
	if (r != 0)
		return r;
	lane = outbox_lane(o, row.item.receiver, row.item.kind, row.item.index);
	if (lane == NULL)
		return err_origin(-ENOMEM);
	lane->busy = false;
	lane->hold.ns = 0;
	result_count(o, row.item.state);
	if (row.item.state != OUTBOX_WAITING && o->fate != NULL)
		o->fate(o->fate_ctx, &row.item, row.to_failed, now);
	return outbox_lane_next(o, lane);
}

int
outbox_late_keep(struct outbox *o, const struct send_result *res)
{
	struct outbox_late *late;
	struct str *texts[4];
	size_t i;

	/* more than are on their way at once cannot come */
	if (o->n_late >= OUTBOX_RESULTS_MAX)
		return err_origin(-ENOBUFS);
	late = reallocarray(o->late, o->n_late + 1, sizeof(*late));
	if (late == NULL)
		return err_origin(-ENOMEM);
	o->late = late;
	late += o->n_late;
	*late = (struct outbox_late){ *res, ARENA_INIT };
	texts[0] = &late->result.id;
	texts[1] = &late->result.to_left;
	texts[2] = &late->result.to_failed;
	texts[3] = &late->result.why;
	for (i = 0; i < ARRAY_LEN(texts); i++) {
		*texts[i] = arena_dup(&late->arena, *texts[i]);
		if (texts[i]->p == NULL) {
			arena_fini(&late->arena);
			return err_origin(-ENOMEM);
		}
	}
	o->n_late++;
	return 0;
}

int
outbox_late_record(struct outbox *o, struct wall now)
{
	int r;

	while (o->n_late > 0) {
		r = result_record(o, &o->late[0].result, now);
		if (r != 0)
			return r == STATEDB_E_FULL ? 0 : r;
		arena_fini(&o->late[0].arena);
		o->n_late--;
		memmove(o->late, o->late + 1, o->n_late * sizeof(*o->late));
	}
	return 0;
}

int
outbox_result(struct outbox *o, const struct send_result *r, struct wall now)
{
	int e = result_record(o, r, now);

	return e == STATEDB_E_FULL ? outbox_late_keep(o, r) : e;
}

int
outbox_restart(struct outbox *o, struct wall now)
{
	static const char sql[] =
	    "UPDATE outbox_item SET state = 0, unsure = 1, due = ?1,"
	    " last_error = 'the send process ended before it answered; it may have arrived' WHERE state = 1";
	sqlite3_stmt *st;
	size_t i;
	int r;

	r = outbox_late_record(o, now);
	if (r == 0)
		r = statedb_prepare(o->db, sql, &st);
	if (r != 0)
		return r;
	(void)sqlite3_bind_int64(st, 1, now.ns);
	r = statedb_run(o->db, st);
	for (i = 0; r == 0 && i < o->n_lanes; i++) {
		o->lanes[i].busy = false;
		r = outbox_lane_next(o, &o->lanes[i]);
	}
	return r;
}

void
outbox_count(struct outbox *o, struct outbox_counts *ret)
{
	static const char sql[] =
	    "SELECT coalesce(sum(state = 0), 0), coalesce(sum(state = 1), 0), coalesce(min(created), 0)"
	    " FROM outbox_item WHERE state < 2";
	sqlite3_stmt *st;

	*ret = o->total;
	if (statedb_prepare(o->db, sql, &st) != 0)
		return;
	if (sqlite3_step(st) == SQLITE_ROW) {
		ret->waiting = (uint64_t)sqlite3_column_int64(st, 0);
		ret->sending = (uint64_t)sqlite3_column_int64(st, 1);
		ret->oldest.ns = sqlite3_column_int64(st, 2);
	}
	(void)sqlite3_reset(st);
}

int
outbox_each(struct outbox *o, bool all, outbox_fn fn, void *ctx)
{
	static const char sql[] =
	    "SELECT seq, id, receiver, kind, idx, group_key, message_id, in_reply_to, '', to_left, to_failed,"
	    " created, due, expires, n_tries, state, unsure, part, last_error FROM outbox_item"
	    " WHERE ?1 OR state < 2 ORDER BY seq";
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	struct outbox_row row;
	sqlite3_stmt *st;
	int r, s;

	r = statedb_prepare(o->db, sql, &st);
	if (r != 0)
		return r;
	(void)sqlite3_bind_int(st, 1, all);
	while ((s = sqlite3_step(st)) == SQLITE_ROW) {
		arena_clear(&arena);
		r = outbox_row_read(st, &arena, &row);
		if (r == 0)
			r = fn(ctx, &row.item);
		if (r != 0)
			break;
	}
	(void)sqlite3_reset(st);
	return r == 0 && s != SQLITE_DONE ? err_origin(-EIO) : r;
}

const char *
outbox_state_name(enum outbox_state s)
{
	switch (s) {
	case OUTBOX_WAITING:
		return "waiting";
	case OUTBOX_SENDING:
		return "sending";
	case OUTBOX_DELIVERED:
		return "delivered";
	case OUTBOX_FAILED:
		return "failed";
	case OUTBOX_EXPIRED:
		break;
	}
	return "expired";
}
