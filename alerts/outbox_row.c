/*
 * alerts/outbox_row.c - rows of the outbox.
 * One job: a row as a struct, an integration's lane, a list of recipients, a Message-ID.
 * Floor: 4 (uses base).
 */
#include "alerts/outbox_internal.h"
#include "base/hash.h"

static int
row_texts(struct outbox_row *row, struct arena *arena)
{
	struct outbox_item *it = &row->item;
	struct str *all[] = { &it->id, &it->receiver, &it->group_key, &it->message_id,
		&it->in_reply_to, &it->stored, &it->to, &it->last_error, &row->to_failed };
	size_t i;

	for (i = 0; i < ARRAY_LEN(all); i++) {
		*all[i] = arena_dup(arena, *all[i]);
		if (all[i]->p == NULL)
			return err_origin(-ENOMEM);
	}
	return 0;
}

int
outbox_row_read(sqlite3_stmt *st, struct arena *arena, struct outbox_row *ret)
{
	struct outbox_row row = { 0 };
	struct outbox_item *it = &row.item;
	int r;

	row.seq = sqlite3_column_int64(st, 0);
	it->id = statedb_text(st, 1);
	it->receiver = statedb_text(st, 2);
	it->kind = sqlite3_column_int(st, 3) == RECEIVER_EMAIL ? RECEIVER_EMAIL : RECEIVER_WEBHOOK;
	it->index = (unsigned)sqlite3_column_int64(st, 4);
	it->group_key = statedb_text(st, 5);
	it->message_id = statedb_text(st, 6);
	it->in_reply_to = statedb_text(st, 7);
	it->stored = statedb_text(st, 8);
	it->to = statedb_text(st, 9);
	row.to_failed = statedb_text(st, 10);
	it->created.ns = sqlite3_column_int64(st, 11);
	it->due.ns = sqlite3_column_int64(st, 12);
	it->expires.ns = sqlite3_column_int64(st, 13);
	it->n_tries = (unsigned)sqlite3_column_int64(st, 14);
	it->state = (enum outbox_state)sqlite3_column_int(st, 15);
	row.unsure = sqlite3_column_int(st, 16) != 0;
	row.part = sqlite3_column_int(st, 17) != 0;
	it->last_error = statedb_text(st, 18);
	if ((unsigned)it->state > OUTBOX_EXPIRED)
		it->state = OUTBOX_FAILED;
	r = row_texts(&row, arena);
	if (r == 0)
		*ret = row;
	return r;
}

int
outbox_select(sqlite3_stmt *st, struct arena *arena, struct outbox_row *ret)
{
	int r = OUTBOX_E_NONE, s = sqlite3_step(st);

	if (s == SQLITE_ROW)
		r = outbox_row_read(st, arena, ret);
	else if (s != SQLITE_DONE)
		r = err_origin(-EIO);
	(void)sqlite3_reset(st);
	return r;
}

struct outbox_lane *
outbox_lane(struct outbox *o, struct str receiver, enum receiver_kind kind, unsigned index)
{
	struct outbox_lane *lane, *more;
	uint8_t *name;
	size_t i;

	for (i = 0; i < o->n_lanes; i++) {
		lane = &o->lanes[i];
		if (lane->kind == kind && lane->index == index && str_eq(lane->receiver, receiver))
			return lane;
	}
	more = reallocarray(o->lanes, o->n_lanes + 1, sizeof(*more));
	if (more == NULL)
		return NULL;
	o->lanes = more;
	name = malloc(receiver.n + 1);
	if (name == NULL)
		return NULL;
	if (receiver.n > 0)
		memcpy(name, receiver.p, receiver.n);
	lane = &o->lanes[o->n_lanes++];
	*lane = (struct outbox_lane){ .receiver = { name, receiver.n },
		.kind = kind,
		.index = index,
		.next = { INT64_MAX } };
	return lane;
}

int
outbox_lane_bind(sqlite3_stmt *st, struct str receiver, enum receiver_kind kind, unsigned index)
{
	int r = statedb_bind(st, 1, receiver);

	if (r != 0)
		return r;
	if (sqlite3_bind_int(st, 2, (int)kind) != SQLITE_OK ||
	    sqlite3_bind_int64(st, 3, index) != SQLITE_OK)
		return err_origin(-EIO);
	return 0;
}

struct span
outbox_backoff(struct str id, unsigned n_tries)
{
	unsigned shift = n_tries > 0 ? n_tries - 1 : 0;
	int64_t s = shift > 9 ? OUTBOX_BACKOFF_MAX_S : (int64_t)OUTBOX_BACKOFF_MIN_S << shift;
	int64_t ns, part;

	if (s > OUTBOX_BACKOFF_MAX_S)
		s = OUTBOX_BACKOFF_MAX_S;
	ns = s * NS_PER_S;
	/* by the id, so that those that failed together do not come back together */
	part = (int64_t)(hash64_seed(id, n_tries) % 1024) - 512;
	ns += ns / 4 * part / 512;
	if (ns < OUTBOX_BACKOFF_MIN_S * NS_PER_S)
		ns = OUTBOX_BACKOFF_MIN_S * NS_PER_S;
	if (ns > OUTBOX_BACKOFF_MAX_S * NS_PER_S)
		ns = OUTBOX_BACKOFF_MAX_S * NS_PER_S;
	return (struct span){ ns };
}

/* What RFC 5322's dot-atom and domain hold without a question, and no longer than a header line. */
static bool
id_is_plain(struct str s, size_t max)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
		    c != '-' && c != '_' &&
		    (c != '.' || i == 0 || i + 1 == s.n || s.p[i - 1] == '.'))
			return false;
	}
	return s.n > 0 && s.n <= max;
}

void
outbox_message_id(struct str id, const char *mark, struct str host, struct buf *out)
{
	buf_byte(out, '<');
	if (id_is_plain(id, 100))
		buf_str(out, id);
	else
		buf_printf(out, "%016llx%016llx", (unsigned long long)hash64(id),
		    (unsigned long long)hash64_seed(id, 1));
	buf_c(out, mark);
	buf_byte(out, '@');
	buf_str(out, id_is_plain(host, 120) ? host : STR("weir.invalid"));
	buf_byte(out, '>');
}

bool
outbox_to_next(struct str *list, struct str *ret)
{
	size_t end;

	while (list->n > 0) {
		end = str_find_byte(*list, '\n');
		*ret = str_sub(*list, 0, end);
		*list = str_sub(*list, end < list->n ? end + 1 : list->n, list->n);
		if (ret->n > 0)
			return true;
	}
	return false;
}

bool
outbox_to_has(struct str list, struct str one)
{
	struct str s;

	while (outbox_to_next(&list, &s))
		if (str_eq(s, one))
			return true;
	return false;
}

void
outbox_to_add(struct buf *out, struct str one)
{
	if (one.n == 0 || str_find_byte(one, '\n') != SIZE_MAX || outbox_to_has(buf_view(out), one))
		return;
	if (out->n > 0)
		buf_byte(out, '\n');
	buf_str(out, one);
}
