/*
 * alerts/outbox_join.c - one message of two that wait.
 * One job: rows of one group and integration that both wait, and of which nothing can have arrived, become one.
 * Floor: 4 (uses base).
 *
 * Who has the older already gets the newer alone, who has not gets both in one:
 *
 *   older  firing    b            (a has it)     older  firing + resolved  b     with a Message-ID of its own
 *   newer  resolved  a b                    -->  newer  resolved           a
 *
 * When nobody has the older, the newer goes into it; it keeps its place, its Message-ID and its back-off.
 */
#include "alerts/outbox_internal.h"

static int
run_ids(struct outbox *o, const char *sql, const struct str *texts, size_t n, int64_t seq,
    int64_t expires)
{
	sqlite3_stmt *st;
	size_t i;
	int r;

	r = statedb_prepare(o->db, sql, &st);
	if (r != 0)
		return r;
	(void)sqlite3_bind_int64(st, 1, seq);
	(void)sqlite3_bind_int64(st, 2, expires);
	for (i = 0; r == 0 && i < n; i++)
		r = statedb_bind(st, 3 + (int)i, texts[i]);
	return r != 0 ? r : statedb_run(o->db, st);
}

static int
row_delete(struct outbox *o, int64_t seq)
{
	static const char sql[] = "DELETE FROM outbox_item WHERE seq = ?1";
	sqlite3_stmt *st;
	int r;

	r = statedb_prepare(o->db, sql, &st);
	if (r != 0)
		return r;
	(void)sqlite3_bind_int64(st, 1, seq);
	return statedb_run(o->db, st);
}

/* The newer's id stays, so that the same one put twice is known. */
static int
join_whole(struct outbox *o, const struct outbox_row *a, const struct outbox_row *b,
    struct str joined)
{
	static const char sql[] =
	    "UPDATE outbox_item SET expires = ?2, id = ?3, stored = ?4, to_left = ?5 WHERE seq = ?1";
	const struct str texts[] = { b->item.id, joined, a->part ? a->item.to : b->item.to };
	int r;

	r = row_delete(o, b->seq);
	if (r != 0)
		return r;
	return run_ids(o, sql, texts, ARRAY_LEN(texts), a->seq, b->item.expires.ns);
}

static int
join_split(struct outbox *o, const struct outbox_row *a, struct outbox_row *b, struct str joined,
    struct str rest)
{
	static const char older[] =
	    "UPDATE outbox_item SET expires = ?2, stored = ?3, message_id = ?4 WHERE seq = ?1";
	static const char newer[] =
	    "UPDATE outbox_item SET expires = ?2, to_left = ?3, part = 1 WHERE seq = ?1";
	AUTO_FINI(buf_fini) struct buf mid = BUF_INIT;
	size_t at = str_find_byte(b->item.message_id, '@');
	struct str texts[2] = { joined, STR_NONE };
	int r;

	buf_str(&mid, str_sub(b->item.message_id, 0, at));
	buf_printf(&mid, ".j%lld", (long long)a->seq);
	buf_str(&mid, str_sub(b->item.message_id, at, b->item.message_id.n));
	r = buf_err(&mid);
	if (r != 0)
		return r;
	texts[1] = buf_view(&mid);
	r = run_ids(o, older, texts, 2, a->seq, b->item.expires.ns);
	return r != 0 ? r : run_ids(o, newer, &rest, 1, b->seq, b->item.expires.ns);
}

/* OUTBOX_E_NONE: nothing is left of the newer. */
static int
join_two(struct outbox *o, const struct outbox_row *a, struct outbox_row *b, struct arena *arena)
{
	AUTO_FINI(buf_fini) struct buf joined = BUF_INIT;
	AUTO_FINI(buf_fini) struct buf rest = BUF_INIT;
	struct str list = b->item.to, one;
	int r;

	while (outbox_to_next(&list, &one))
		if (!outbox_to_has(a->item.to, one))
			outbox_to_add(&rest, one);
	/* rows that were split stand side by side: each has its own people */
	if (a->part && rest.n == b->item.to.n)
		return buf_err(&rest);
	r = message_join(a->item.stored, b->item.stored, &joined);
	/* what cannot be read goes as it is: one after the other */
	if (r > 0)
		return 0;
	if (r == 0 && (joined.failed || rest.failed))
		r = err_origin(-ENOMEM);
	if (r != 0)
		return r;
	o->total.joined++;
	if (!a->part || rest.n == 0) {
		r = join_whole(o, a, b, buf_view(&joined));
		return r != 0 ? r : OUTBOX_E_NONE;
	}
	b->part = true;
	b->item.to = arena_dup(arena, buf_view(&rest));
	if (b->item.to.p == NULL)
		return err_origin(-ENOMEM);
	return join_split(o, a, b, buf_view(&joined), b->item.to);
}

static int
row_waiting(struct outbox *o, const char *sql, const struct outbox_item *of, int64_t after,
    struct arena *arena, struct outbox_row *ret)
{
	sqlite3_stmt *st;
	int r;

	r = statedb_prepare(o->db, sql, &st);
	if (r == 0)
		r = outbox_lane_bind(st, of->receiver, of->kind, of->index);
	if (r == 0)
		r = statedb_bind(st, 4, of->group_key);
	if (r != 0)
		return r;
	(void)sqlite3_bind_int64(st, 5, after);
	return outbox_select(st, arena, ret);
}

#define WAITING                                                                               \
	" FROM outbox_item WHERE receiver = ?1 AND kind = ?2 AND idx = ?3 AND group_key = ?4" \
	" AND seq > ?5 AND state < 2 AND state = 0 AND unsure = 0 ORDER BY seq "

int
outbox_join(struct outbox *o, const struct outbox_item *of)
{
	static const char newest[] = "SELECT " OUTBOX_COLUMNS WAITING "DESC LIMIT 1";
	static const char oldest[] = "SELECT " OUTBOX_COLUMNS WAITING "LIMIT 1";
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	struct outbox_row a = { 0 }, b;
	int r;

	r = row_waiting(o, newest, of, 0, &arena, &b);
	while (r == 0) {
		r = row_waiting(o, oldest, of, a.seq, &arena, &a);
		if (r == 0)
			r = a.seq == b.seq ? OUTBOX_E_NONE : join_two(o, &a, &b, &arena);
	}
	return r == OUTBOX_E_NONE ? 0 : r;
}
