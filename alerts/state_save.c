/*
 * alerts/state_save.c - the state of alerts in state.db.
 * One job: rows of alerts, written as they change and read at the start.
 * Floor: 4 (uses base).
 *
 * Label sets and flap times are written as bytes, since names and values may hold any: a set is pairs of counted texts, flaps are
 * u64 each.
 */
#include "alerts/state_internal.h"
#include "base/err.h"

static const char state_tables[] =
    "CREATE TABLE IF NOT EXISTS alert_state (rule_id INTEGER NOT NULL, labels BLOB NOT NULL, fp INTEGER NOT NULL, "
    "annotations BLOB, vals BLOB, state INTEGER, unknown INTEGER, active_at INTEGER, fired_at INTEGER, "
    "resolved_at INTEGER, keep_since INTEGER, last_seen INTEGER, late_from INTEGER, value BLOB, flapping INTEGER, "
    "flaps BLOB, late INTEGER, late_since INTEGER, late_last INTEGER, serial INTEGER, ord INTEGER, "
    "PRIMARY KEY (rule_id, labels)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS alert_meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;";

static const char select_alerts[] =
    "SELECT rule_id, labels, fp, annotations, vals, state, unknown, active_at, fired_at, resolved_at, keep_since, "
    "last_seen, late_from, value, flapping, flaps, late, late_since, late_last, serial, ord FROM alert_state ORDER BY ord";

static const char put_alert[] =
    "INSERT OR REPLACE INTO alert_state (rule_id, labels, fp, annotations, vals, state, unknown, active_at, fired_at, "
    "resolved_at, keep_since, last_seen, late_from, value, flapping, flaps, late, late_since, late_last, serial, ord) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

static const char delete_alert[] = "DELETE FROM alert_state WHERE rule_id = ? AND labels = ?";
static const char put_meta[] = "INSERT OR REPLACE INTO alert_meta (name, value) VALUES (?, ?)";
static const char select_meta[] = "SELECT name, value FROM alert_meta";

/* ---- writing ---- */

static void
put_labels(struct buf *b, const struct labels *l)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		buf_varint(b, l->p[i].name.n);
		buf_str(b, l->p[i].name);
		buf_varint(b, l->p[i].value.n);
		buf_str(b, l->p[i].value);
	}
}

static int
bind_bytes(sqlite3_stmt *st, int i, const struct buf *b)
{
	if (b->failed ||
	    sqlite3_bind_blob64(st, i, b->n > 0 ? (const void *)b->p : "", b->n,
	        SQLITE_TRANSIENT) != SQLITE_OK)
		return err_origin(-ENOMEM);
	return 0;
}

static int
bind_labels(struct state *s, sqlite3_stmt *st, int i, const struct labels *l)
{
	buf_clear(&s->text);
	put_labels(&s->text, l);
	return bind_bytes(st, i, &s->text);
}

static int
bind_texts(struct state *s, sqlite3_stmt *st, const struct state_alert *sa)
{
	uint64_t bits;
	unsigned i;
	int r;

	r = bind_labels(s, st, 2, &sa->a.labels);
	if (r == 0)
		r = bind_labels(s, st, 4, &sa->a.annotations);
	if (r == 0)
		r = bind_labels(s, st, 5, &sa->a.values);
	if (r != 0)
		return r;
	memcpy(&bits, &sa->a.value, sizeof(bits));
	buf_clear(&s->text);
	buf_u64(&s->text, bits);
	r = bind_bytes(st, 14, &s->text);
	if (r != 0)
		return r;
	buf_clear(&s->text);
	for (i = 0; i < sa->n_flaps; i++)
		buf_u64(&s->text, (uint64_t)sa->flaps[i].ns);
	return bind_bytes(st, 16, &s->text);
}

static int
save_alert(struct state *s, const struct state_alert *sa)
{
	const struct {
		int at;
		int64_t v;
	} ints[] = {
		{ 1, (int64_t)sa->a.rule_id },
		{ 3, (int64_t)sa->a.fingerprint },
		{ 6, (int64_t)sa->a.state },
		{ 7, sa->a.unknown },
		{ 8, sa->a.active_at.ns },
		{ 9, sa->a.fired_at.ns },
		{ 10, sa->a.resolved_at.ns },
		{ 11, sa->a.keep_since.ns },
		{ 12, sa->a.last_seen.ns },
		{ 13, sa->a.late_from.ns },
		{ 15, sa->a.flapping },
		{ 17, sa->late },
		{ 18, sa->late_since.ns },
		{ 19, sa->late_last.ns },
		{ 20, (int64_t)sa->a.serial },
		{ 21, (int64_t)sa->order },
	};
	sqlite3_stmt *st;
	size_t i;
	int r;

	r = statedb_prepare(s->db, put_alert, &st);
	if (r != 0)
		return r;
	for (i = 0; i < ARRAY_LEN(ints); i++)
		(void)sqlite3_bind_int64(st, ints[i].at, ints[i].v);
	r = bind_texts(s, st, sa);
	return r != 0 ? r : statedb_run(s->db, st);
}

static int
save_dropped(struct state *s, const struct state_alert *sa)
{
	sqlite3_stmt *st;
	int r;

	r = statedb_prepare(s->db, delete_alert, &st);
	if (r != 0)
		return r;
	(void)sqlite3_bind_int64(st, 1, (int64_t)sa->a.rule_id);
	r = bind_labels(s, st, 2, &sa->a.labels);
	return r != 0 ? r : statedb_run(s->db, st);
}

static int
save_meta(struct state *s, const char *name, int64_t v)
{
	sqlite3_stmt *st;
	int r;

	r = statedb_prepare(s->db, put_meta, &st);
	if (r == 0)
		r = statedb_bind(st, 1, str_c(name));
	if (r != 0)
		return r;
	(void)sqlite3_bind_int64(st, 2, v);
	return statedb_run(s->db, st);
}

static int
save_rule(struct state *s, struct state_rule *of)
{
	struct state_alert *sa;
	int r = 0;

	for (sa = of->head; r == 0 && sa != NULL; sa = sa->next)
		if (sa->dirty) {
			r = save_alert(s, sa);
			sa->dirty = r != 0;
		}
	return r;
}

int
state_save(struct state *s)
{
	const struct state_alert *sa;
	size_t i;
	int r = 0;

	/* First: the same labels may be there again. */
	for (sa = s->freed; r == 0 && sa != NULL; sa = sa->next)
		r = save_dropped(s, sa);
	for (i = 0; r == 0 && i < s->n_rules; i++)
		r = save_rule(s, s->rules[i]);
	if (r == 0)
		r = state_past_save(s);
	if (r == 0)
		r = save_meta(s, "serial", (int64_t)s->serial);
	if (r == 0)
		r = save_meta(s, "last_at", s->last_at.ns);
	if (r != 0)
		return r;
	state_free_dropped(s);
	s->changed = false;
	return 0;
}

/* ---- reading ---- */

/* Pairs of counted texts; false: they are none. */
static bool
read_labels(struct arena *arena, struct str text, struct labels *ret)
{
	struct scan sc = SCAN_OF(text);
	struct labels l = { arena_zalloc(arena, text.n / 2 + 1, sizeof(*l.p)), 0 };

	while (l.p != NULL && sc.at < sc.n && !sc.bad) {
		struct label *one = &l.p[l.n++];

		one->name = scan_bytes(&sc, scan_varint(&sc));
		one->value = scan_bytes(&sc, scan_varint(&sc));
	}
	*ret = l;
	return l.p != NULL && !sc.bad;
}

static bool
read_sets(struct state *s, sqlite3_stmt *st, struct labels *labels, struct labels *annotations,
    struct labels *values)
{
	return read_labels(&s->work, statedb_text(st, 1), labels) &&
	    read_labels(&s->work, statedb_text(st, 3), annotations) &&
	    read_labels(&s->work, statedb_text(st, 4), values);
}

static int
read_flaps(struct state_alert *sa, struct str text)
{
	struct scan sc = SCAN_OF(text);
	size_t n = text.n / 8;

	if (n == 0)
		return 0;
	if (n > STATE_FLAPS_MAX)
		n = STATE_FLAPS_MAX;
	sa->flaps = calloc(STATE_FLAPS_MAX, sizeof(*sa->flaps));
	if (sa->flaps == NULL)
		return err_origin(-ENOMEM);
	while (sa->n_flaps < n)
		sa->flaps[sa->n_flaps++].ns = (int64_t)scan_u64(&sc);
	sa->a.n_flaps = sa->n_flaps;
	return 0;
}

static void
read_numbers(sqlite3_stmt *st, struct state_alert *sa)
{
	struct str value = statedb_text(st, 13);
	struct scan sc = SCAN_OF(value);
	int64_t state = sqlite3_column_int64(st, 5);
	uint64_t bits = scan_u64(&sc);

	sa->a.state = state == ALERT_FIRING ? ALERT_FIRING
	    : state == ALERT_PENDING        ? ALERT_PENDING
	                                    : ALERT_INACTIVE;
	sa->a.unknown = sqlite3_column_int(st, 6) != 0;
	sa->a.active_at.ns = sqlite3_column_int64(st, 7);
	sa->a.fired_at.ns = sqlite3_column_int64(st, 8);
	sa->a.resolved_at.ns = sqlite3_column_int64(st, 9);
	sa->a.keep_since.ns = sqlite3_column_int64(st, 10);
	sa->a.last_seen.ns = sqlite3_column_int64(st, 11);
	sa->a.late_from.ns = sqlite3_column_int64(st, 12);
	memcpy(&sa->a.value, &bits, sizeof(bits));
	sa->a.flapping = sqlite3_column_int(st, 14) != 0;
	sa->late = sqlite3_column_int(st, 16) != 0;
	sa->late_since.ns = sqlite3_column_int64(st, 17);
	sa->late_last.ns = sqlite3_column_int64(st, 18);
	sa->a.serial = (uint64_t)sqlite3_column_int64(st, 19);
}

/* A row that makes no sense is left out: its alert begins anew. */
static int
load_alert(struct state *s, sqlite3_stmt *st)
{
	struct labels labels, annotations, values;
	struct state_rule *of = NULL;
	struct state_alert *sa = NULL;
	int r;

	arena_clear(&s->work);
	if (!read_sets(s, st, &labels, &annotations, &values))
		return 0;
	r = state_orphan_rule(s, (uint64_t)sqlite3_column_int64(st, 0), &of);
	if (r == 0)
		r = state_add(s, of, &labels, labels_fingerprint(&labels), &sa);
	if (r == 0)
		r = state_labels_set(&sa->annotations, &annotations);
	if (r == 0)
		r = state_labels_set(&sa->values, &values);
	if (r == 0)
		r = read_flaps(sa, statedb_text(st, 15));
	if (r != 0)
		return r;
	sa->order = (uint64_t)sqlite3_column_int64(st, 20);
	if (sa->order > s->order)
		s->order = sa->order;
	sa->a.annotations = sa->annotations.l;
	sa->a.values = sa->values.l;
	read_numbers(st, sa);
	return 0;
}

static int
load_meta(struct state *s)
{
	sqlite3_stmt *st;
	int r, rc;

	r = statedb_prepare(s->db, select_meta, &st);
	if (r != 0)
		return err_fold(r);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		if (str_eq(statedb_text(st, 0), STR("serial")))
			s->serial = (uint64_t)sqlite3_column_int64(st, 1);
		else if (str_eq(statedb_text(st, 0), STR("last_at")))
			s->last_at.ns = sqlite3_column_int64(st, 1);
	}
	(void)sqlite3_reset(st);
	return rc == SQLITE_DONE ? 0 : err_origin(-EIO);
}

int
state_load(struct state *s)
{
	sqlite3_stmt *st;
	int r, rc = SQLITE_DONE;

	r = statedb_exec(s->db, state_tables);
	if (r == 0)
		r = statedb_prepare(s->db, select_alerts, &st);
	if (r != 0)
		return err_fold(r);
	while (r == 0 && (rc = sqlite3_step(st)) == SQLITE_ROW)
		r = load_alert(s, st);
	(void)sqlite3_reset(st);
	if (r == 0 && rc != SQLITE_DONE)
		r = err_origin(-EIO);
	if (r == 0)
		r = load_meta(s);
	return r == 0 ? state_past_load(s) : r;
}
