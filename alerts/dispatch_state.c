/*
 * alerts/dispatch_state.c - the dispatcher in state.db.
 * One job: alerts, groups, their members and what was told of them, written as they change and read at the start.
 * Floor: 4 (uses base).
 *
 * Label sets are blobs: varint number of labels, then for each varint length and bytes of name and value.  Lists of
 * fingerprints are 8 bytes each, little-endian.  What does not read back is left out: an alert that still holds is put again.
 */
#include <stdlib.h>

#include "alerts/dispatch_internal.h"

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS route_alert(fp INTEGER PRIMARY KEY, labels BLOB, annotations BLOB, vals BLOB,"
    " generator BLOB, starts INTEGER, ends INTEGER, updated INTEGER, rule INTEGER, value REAL, late INTEGER, flags INTEGER);"
    "CREATE TABLE IF NOT EXISTS route_group(id INTEGER PRIMARY KEY, place BLOB, labels BLOB, next INTEGER, flags INTEGER);"
    "CREATE TABLE IF NOT EXISTS route_member(grp INTEGER, fp INTEGER, PRIMARY KEY(grp, fp)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS route_told(id INTEGER PRIMARY KEY, key BLOB, at INTEGER, expires INTEGER, firing BLOB,"
    " resolved BLOB);"
    "CREATE TABLE IF NOT EXISTS route_meta(name TEXT PRIMARY KEY, value INTEGER);";

enum { FLAG_DIGEST = 1, FLAG_TIMEOUT = 2, FLAG_KNOWN = 4, FLAG_FLUSHED = 8 };

/* ---- blobs ---- */

static int
bind_blob(sqlite3_stmt *st, int i, struct str s)
{
	return sqlite3_bind_blob64(st, i, s.n > 0 ? (const void *)s.p : "", s.n,
	           SQLITE_TRANSIENT) == SQLITE_OK
	    ? 0
	    : err_origin(-ENOMEM);
}

static struct str
column_blob(sqlite3_stmt *st, int i)
{
	const void *p = sqlite3_column_blob(st, i);

	return str_of(p, p != NULL ? (size_t)sqlite3_column_bytes(st, i) : 0);
}

static int
bind_labels(sqlite3_stmt *st, int i, const struct labels *l, struct buf *scratch)
{
	size_t k;

	buf_clear(scratch);
	buf_varint(scratch, l->n);
	for (k = 0; k < l->n; k++) {
		buf_varint(scratch, l->p[k].name.n);
		buf_str(scratch, l->p[k].name);
		buf_varint(scratch, l->p[k].value.n);
		buf_str(scratch, l->p[k].value);
	}
	if (buf_err(scratch) < 0)
		return err_origin(-ENOMEM);
	return bind_blob(st, i, buf_view(scratch));
}

static bool
column_labels(sqlite3_stmt *st, int i, struct arena *arena, struct labels *ret)
{
	struct str b = column_blob(st, i);
	struct scan s = SCAN_OF(b);
	uint64_t n = scan_varint(&s);
	struct label *p = n <= b.n ? arena_zalloc(arena, (size_t)n + 1, sizeof(*p)) : NULL;
	uint64_t k;

	if (p == NULL)
		return false;
	for (k = 0; k < n && !s.bad; k++) {
		p[k].name = scan_bytes(&s, (size_t)scan_varint(&s));
		p[k].value = scan_bytes(&s, (size_t)scan_varint(&s));
	}
	return !s.bad && labels_make(arena, p, (size_t)n, ret) == 0;
}

static int
bind_ids(sqlite3_stmt *st, int i, const uint64_t *ids, size_t n, struct buf *scratch)
{
	size_t k;

	buf_clear(scratch);
	for (k = 0; k < n; k++)
		buf_u64(scratch, ids[k]);
	if (buf_err(scratch) < 0)
		return err_origin(-ENOMEM);
	return bind_blob(st, i, buf_view(scratch));
}

static size_t
column_ids(sqlite3_stmt *st, int i, struct arena *arena, uint64_t **ret)
{
	struct str b = column_blob(st, i);
	struct scan s = SCAN_OF(b);
	size_t k, n = b.n / 8;

	*ret = arena_zalloc(arena, n + 1, sizeof(**ret));
	for (k = 0; *ret != NULL && k < n; k++)
		(*ret)[k] = scan_u64(&s);
	return *ret != NULL ? n : 0;
}

static void
bind_i64(sqlite3_stmt *st, int i, int64_t v)
{
	(void)sqlite3_bind_int64(st, i, v);
}

/* ---- writing ---- */

static int
save_alert(struct dispatch *d, struct entry *e, struct buf *scratch)
{
	static const char sql[] =
	    "INSERT OR REPLACE INTO route_alert VALUES(?,?,?,?,?,?,?,?,?,?,?,?)";
	const struct route_alert *a = &e->a;
	sqlite3_stmt *st;
	int r = statedb_prepare(d->db, sql, &st);

	if (r == 0)
		r = bind_labels(st, 2, &a->labels, scratch);
	if (r == 0)
		r = bind_labels(st, 3, &a->annotations, scratch);
	if (r == 0)
		r = bind_labels(st, 4, &a->values, scratch);
	if (r == 0)
		r = bind_blob(st, 5, a->generator);
	if (r != 0)
		return r;
	bind_i64(st, 1, (int64_t)e->fp);
	bind_i64(st, 6, a->starts_at.ns);
	bind_i64(st, 7, a->ends_at.ns);
	bind_i64(st, 8, a->updated_at.ns);
	bind_i64(st, 9, (int64_t)a->rule_id);
	(void)sqlite3_bind_double(st, 10, a->value);
	bind_i64(st, 11, a->late_from.ns);
	bind_i64(st, 12,
	    (a->digest ? FLAG_DIGEST : 0) | (a->timeout ? FLAG_TIMEOUT : 0) |
	        (e->known ? FLAG_KNOWN : 0));
	r = statedb_run(d->db, st);
	if (r == 0)
		e->dirty = false;
	return r;
}

static int
save_member(struct dispatch *d, const char *sql, uint64_t group, uint64_t fp)
{
	sqlite3_stmt *st;
	int r = statedb_prepare(d->db, sql, &st);

	if (r != 0)
		return r;
	bind_i64(st, 1, (int64_t)group);
	bind_i64(st, 2, (int64_t)fp);
	return statedb_run(d->db, st);
}

static int
save_group(struct dispatch *d, struct group *g, struct buf *scratch)
{
	static const char sql[] = "INSERT OR REPLACE INTO route_group VALUES(?,?,?,?,?)";
	static const char add[] = "INSERT OR REPLACE INTO route_member VALUES(?,?)";
	sqlite3_stmt *st;
	size_t i;
	int r = 0;

	if (g->dirty) {
		r = statedb_prepare(d->db, sql, &st);
		if (r == 0)
			r = bind_blob(st, 2, g->place);
		if (r == 0)
			r = bind_labels(st, 3, &g->labels, scratch);
		if (r != 0)
			return r;
		bind_i64(st, 1, (int64_t)g->hash);
		bind_i64(st, 4, g->next.ns);
		bind_i64(st, 5, (g->digest ? FLAG_DIGEST : 0) | (g->flushed ? FLAG_FLUSHED : 0));
		r = statedb_run(d->db, st);
		g->dirty = r != 0;
	}
	for (i = g->n; r == 0 && i > 0; i--) {
		if (g->saved[i - 1])
			continue;
		r = save_member(d, add, g->hash, g->members[i - 1]->fp);
		g->saved[i - 1] = r == 0;
	}
	return r;
}

static int
save_told(struct dispatch *d, struct told *t, struct buf *scratch)
{
	static const char sql[] = "INSERT OR REPLACE INTO route_told VALUES(?,?,?,?,?,?)";
	sqlite3_stmt *st;
	int r = statedb_prepare(d->db, sql, &st);

	if (r == 0)
		r = bind_blob(st, 2, t->key);
	if (r == 0)
		r = bind_ids(st, 5, t->firing, t->n_firing, scratch);
	if (r == 0)
		r = bind_ids(st, 6, t->resolved, t->n_resolved, scratch);
	if (r != 0)
		return r;
	bind_i64(st, 1, (int64_t)t->hash);
	bind_i64(st, 3, t->at.ns);
	bind_i64(st, 4, t->expires.ns);
	r = statedb_run(d->db, st);
	t->dirty = r != 0;
	return r;
}

static int
drop_ids(struct dispatch *d, const char *sql, const uint64_t *ids, size_t *n)
{
	sqlite3_stmt *st;
	int r = 0;

	for (; *n > 0; (*n)--) {
		r = statedb_prepare(d->db, sql, &st);
		if (r != 0)
			return r;
		bind_i64(st, 1, (int64_t)ids[*n - 1]);
		r = statedb_run(d->db, st);
		if (r != 0)
			return r;
	}
	return 0;
}

/* What went goes first: it may have come back by the same name. */
static int
save_gone(struct dispatch *d)
{
	static const char leave[] = "DELETE FROM route_member WHERE grp = ? AND fp = ?";
	static const char group[] = "DELETE FROM route_group WHERE id = ?";
	static const char members[] = "DELETE FROM route_member WHERE grp = ?";
	static const char alert[] = "DELETE FROM route_alert WHERE fp = ?";
	static const char told[] = "DELETE FROM route_told WHERE id = ?";
	size_t n = d->n_gone_groups;
	int r = 0;

	for (; r == 0 && d->n_leaves > 0; d->n_leaves -= r == 0)
		r = save_member(d, leave, d->leaves[d->n_leaves - 1].group,
		    d->leaves[d->n_leaves - 1].fp);
	if (r == 0)
		r = drop_ids(d, members, d->gone_groups, &n);
	if (r == 0)
		r = drop_ids(d, group, d->gone_groups, &d->n_gone_groups);
	if (r == 0)
		r = drop_ids(d, alert, d->gone_alerts, &d->n_gone_alerts);
	if (r == 0)
		r = drop_ids(d, told, d->gone_told, &d->n_gone_told);
	return r;
}

static int
save_serial(struct dispatch *d)
{
	static const char sql[] = "INSERT OR REPLACE INTO route_meta VALUES('serial', ?)";
	sqlite3_stmt *st;
	int r;

	if (!d->serial_dirty)
		return 0;
	r = statedb_prepare(d->db, sql, &st);
	if (r != 0)
		return r;
	bind_i64(st, 1, (int64_t)d->serial);
	r = statedb_run(d->db, st);
	d->serial_dirty = r != 0;
	return r;
}

int
dispatch_save(struct dispatch *d)
{
	AUTO_FINI(buf_fini) struct buf scratch = BUF_INIT;
	struct entry *e;
	size_t i;
	int r;

	if (d->db == NULL)
		return 0;
	r = save_gone(d);
	for (e = d->entries; r == 0 && e != NULL; e = e->next)
		if (e->dirty)
			r = save_alert(d, e, &scratch);
	for (i = 0; r == 0 && i < d->n_all; i++)
		r = save_group(d, d->all[i], &scratch);
	for (i = 0; r == 0 && i < d->told.n_slots; i++) {
		struct told *t = d->told.slots[i].p;

		if (t != NULL && t->dirty)
			r = save_told(d, t, &scratch);
	}
	if (r == 0)
		r = save_serial(d);
	return r;
}

/* ---- reading ---- */

typedef int (*row_fn)(struct dispatch *d, sqlite3_stmt *st, struct arena *arena);

static int
each_row(struct dispatch *d, const char *sql, row_fn fn)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	sqlite3_stmt *st;
	int r = statedb_prepare(d->db, sql, &st), step;

	if (r != 0)
		return err_fold(r);
	while ((step = sqlite3_step(st)) == SQLITE_ROW && r == 0) {
		arena_clear(&arena);
		r = fn(d, st, &arena);
	}
	(void)sqlite3_reset(st);
	if (r != 0)
		return r;
	return step == SQLITE_DONE ? 0 : err_origin(-EIO);
}

static int
load_alert(struct dispatch *d, sqlite3_stmt *st, struct arena *arena)
{
	uint64_t fp = (uint64_t)sqlite3_column_int64(st, 0);
	int flags = sqlite3_column_int(st, 11);
	struct route_alert a = { .generator = column_blob(st, 4) };
	struct entry *e;
	int r;

	if (!column_labels(st, 1, arena, &a.labels) ||
	    !column_labels(st, 2, arena, &a.annotations) ||
	    !column_labels(st, 3, arena, &a.values) || labels_fingerprint(&a.labels) != fp)
		return 0;
	a.starts_at.ns = sqlite3_column_int64(st, 5);
	a.ends_at.ns = sqlite3_column_int64(st, 6);
	a.updated_at.ns = sqlite3_column_int64(st, 7);
	a.rule_id = (uint64_t)sqlite3_column_int64(st, 8);
	a.value = sqlite3_column_double(st, 9);
	a.late_from.ns = sqlite3_column_int64(st, 10);
	a.digest = (flags & FLAG_DIGEST) != 0;
	a.timeout = (flags & FLAG_TIMEOUT) != 0;
	r = store_add(d, fp, &a, &e);
	if (r == 0)
		e->known = (flags & FLAG_KNOWN) != 0;
	return r;
}

static const struct route *
route_at(const struct route *r, struct str place)
{
	const struct route *found = NULL;
	size_t i;

	if (str_eq(r->place, place))
		return r;
	for (i = 0; i < r->n_routes && found == NULL; i++)
		found = route_at(&r->routes[i], place);
	return found;
}

/* Groups of routes that are gone are left out; their alerts are placed anew. */
static int
load_group(struct dispatch *d, sqlite3_stmt *st, struct arena *arena)
{
	const struct route *route = route_at(&d->routing->root, column_blob(st, 1));
	int flags = sqlite3_column_int(st, 4);
	struct labels labels;
	struct group *g;
	bool is_new;
	int r;

	if (route == NULL || !column_labels(st, 2, arena, &labels))
		return ids_put(&d->gone_groups, &d->n_gone_groups, &d->cap_gone_groups,
		    (uint64_t)sqlite3_column_int64(st, 0));
	r = group_make(d, route, &labels, (flags & FLAG_DIGEST) != 0, &is_new, &g);
	if (r < 0)
		return r;
	g->next.ns = sqlite3_column_int64(st, 3);
	g->flushed = (flags & FLAG_FLUSHED) != 0;
	g->dirty = g->hash != (uint64_t)sqlite3_column_int64(st, 0);
	return 0;
}

static int
load_member(struct dispatch *d, sqlite3_stmt *st, struct arena *arena)
{
	struct group *g = table_get(&d->groups, (uint64_t)sqlite3_column_int64(st, 0));
	struct entry *e = table_get(&d->alerts, (uint64_t)sqlite3_column_int64(st, 1));

	(void)arena;
	return g != NULL && e != NULL ? group_join(g, e, true) : 0;
}

static int
load_told(struct dispatch *d, sqlite3_stmt *st, struct arena *arena)
{
	uint64_t hash = (uint64_t)sqlite3_column_int64(st, 0), *firing, *resolved;
	size_t n_firing = column_ids(st, 4, arena, &firing);
	size_t n_resolved = column_ids(st, 5, arena, &resolved);
	struct told *t;
	int r;

	r = told_set(d, NULL, hash, column_blob(st, 1), firing, n_firing, resolved, n_resolved,
	    (struct wall){ sqlite3_column_int64(st, 2) }, (struct span){ 0 });
	if (r < 0)
		return r;
	t = table_get(&d->told, hash);
	t->expires.ns = sqlite3_column_int64(st, 3);
	t->dirty = false;
	return 0;
}

static int
load_serial(struct dispatch *d, sqlite3_stmt *st, struct arena *arena)
{
	(void)arena;
	d->serial = (uint64_t)sqlite3_column_int64(st, 0);
	return 0;
}

/* An alert whose group went with its route. */
static int
place_lost(struct dispatch *d)
{
	struct entry *e;
	int r = 0;

	if (d->n_gone_groups == 0)
		return 0;
	for (e = d->entries; r == 0 && e != NULL; e = e->next)
		if (e->n_groups == 0 && !alert_resolved(&e->a, e->a.updated_at))
			r = dispatch_place(d, e);
	return r;
}

int
dispatch_load(struct dispatch *d)
{
	int r = statedb_exec(d->db, schema);

	if (r == 0)
		r = each_row(d, "SELECT * FROM route_alert", load_alert);
	if (r == 0)
		r = each_row(d, "SELECT * FROM route_group ORDER BY rowid", load_group);
	if (r == 0)
		r = each_row(d, "SELECT * FROM route_member", load_member);
	if (r == 0)
		r = each_row(d, "SELECT * FROM route_told", load_told);
	if (r == 0)
		r = each_row(d, "SELECT value FROM route_meta WHERE name = 'serial'", load_serial);
	if (r == 0)
		r = place_lost(d);
	return err_fold(r);
}
