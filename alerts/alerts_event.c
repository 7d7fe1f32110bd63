/*
 * alerts/alerts_event.c - what happened, for the store.
 * One job: changes as events with numbers, in state.db until the store has them.
 * Floor: 4 (uses base).
 *
 * An event is written in the step that made it, and gets the next number.  Whoever puts rows into the store notes with them the
 * number of the last one, as one fact; those up to it are forgotten here.  So each stands there once, whatever dies when.
 */
#include <inttypes.h>
#include <stdio.h>

#include "alerts/alerts_internal.h"
#include "base/err.h"

static const char event_tables[] =
    "CREATE TABLE IF NOT EXISTS event_item (seq INTEGER PRIMARY KEY, id TEXT, at INTEGER, body BLOB);";
static const char put_item[] = "INSERT OR REPLACE INTO event_item VALUES (?, ?, ?, ?)";
static const char select_items[] =
    "SELECT seq, id, at, body FROM event_item WHERE seq > ? ORDER BY seq LIMIT ?";
static const char forget_items[] = "DELETE FROM event_item WHERE seq <= ?";
static const char last_item[] = "SELECT max(seq) FROM event_item";

const char *const alerts_change_names[] = { "pending", "firing", "resolved", "inactive", "unknown",
	"known", "flapping", "steady" };

enum { FIELDS_MAX = 64, LABELS_SHOWN_MAX = 40 };

/* ---- made ---- */

static struct alerts_event *
due_grow(struct alerts *a)
{
	struct alerts_event *all;
	size_t cap;

	if (a->n_due == a->cap_due) {
		cap = a->cap_due > 0 ? a->cap_due * 2 : 64;
		all = realloc(a->due, cap * sizeof(*all));
		if (all == NULL)
			return NULL;
		a->due = all;
		a->cap_due = cap;
	}
	return &a->due[a->n_due];
}

int
alerts_event_add(struct alerts *a, struct str id, struct wall at, struct str text,
    const struct label *fields, size_t n)
{
	struct alerts_event *e = due_grow(a);
	struct labels l;
	char own[40];
	int r;

	if (e == NULL)
		return err_origin(-ENOMEM);
	*e = (struct alerts_event){ .seq = a->event_seq + 1, .at = at };
	if (id.n == 0)
		id = str_of(own,
		    (size_t)snprintf(own, sizeof(own), "weir-%" PRIu64 "-%lld", e->seq,
		        (long long)(at.ns / NS_PER_S)));
	/* A copy in the order given, and with the names given twice: these are no label sets. */
	l.p = (struct label *)(uintptr_t)fields;
	l.n = n;
	e->id = arena_dup(&a->due_arena, id);
	e->text = arena_dup(&a->due_arena, text);
	if (e->id.p == NULL || e->text.p == NULL)
		return err_origin(-ENOMEM);
	r = labels_dup(&a->due_arena, &l, &l);
	if (r != 0)
		return r;
	e->fields = l.p;
	e->n_fields = l.n;
	a->event_seq++;
	a->n_due++;
	a->total.n_events++;
	return 0;
}

static void
change_text(struct buf *b, const struct alert *al, enum alert_change c)
{
	char text[WALL_TEXT_MAX];

	buf_printf(b, "alert %s: ", alerts_change_names[c]);
	labels_format(b, &al->labels);
	if (c != CHANGE_RESOLVED && c != CHANGE_DROPPED)
		buf_printf(b, " value %.6g", al->value);
	if (c == CHANGE_FLAPPING)
		buf_printf(b, ", %u changes", al->n_flaps);
	if (c == CHANGE_FIRING && al->late_from.ns > 0)
		buf_printf(b, ", happened %.*s", (int)wall_format(text, al->late_from), text);
}

/* The rule's labels under names of their own, so that none of them is taken for a field of ours. */
static size_t
change_labels(struct alerts *a, const struct labels *l, struct label *out)
{
	AUTO_FINI(buf_fini) struct buf name = BUF_INIT;
	size_t i, n = 0;

	for (i = 0; i < l->n && n < LABELS_SHOWN_MAX; i++) {
		buf_clear(&name);
		buf_c(&name, "labels.");
		buf_str(&name, l->p[i].name);
		out[n].name = arena_dup(&a->scratch, buf_view(&name));
		out[n].value = l->p[i].value;
		n += out[n].name.p != NULL;
	}
	return n;
}

int
alerts_event_change(struct alerts *a, const struct alert *al, enum alert_change c, struct wall at)
{
	static const char *const states[] = { "inactive", "pending", "firing" };
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	AUTO_FINI(buf_fini) struct buf all = BUF_INIT;
	struct label f[FIELDS_MAX];
	char id[48], fp[24], value[40], active[WALL_TEXT_MAX];
	size_t n = 0;

	change_text(&text, al, c);
	labels_format(&all, &al->labels);
	if (text.failed || all.failed)
		return err_origin(-ENOMEM);
	(void)snprintf(id, sizeof(id), "%016" PRIx64 "-%" PRIu64, al->fingerprint, al->serial);
	(void)snprintf(fp, sizeof(fp), "%016" PRIx64, al->fingerprint);
	(void)snprintf(value, sizeof(value), "%.17g", al->value);
	f[n++] = (struct label){ STR("level"),
		c == CHANGE_FIRING || c == CHANGE_FLAPPING || c == CHANGE_UNKNOWN ? STR("warning")
		                                                                  : STR("info") };
	f[n++] = (struct label){ STR("change"), str_c(alerts_change_names[c]) };
	f[n++] = (struct label){ STR("state"), str_c(states[al->state]) };
	f[n++] = (struct label){ STR("alert"), labels_get(&al->labels, STR("alertname")) };
	f[n++] = (struct label){ STR("alert_labels"), buf_view(&all) };
	f[n++] = (struct label){ STR("fingerprint"), str_c(fp) };
	f[n++] = (struct label){ STR("value"), str_c(value) };
	f[n++] = (struct label){ STR("flapping"), al->flapping ? STR("true") : STR("") };
	f[n++] =
	    (struct label){ STR("active_at"), str_of(active, wall_format(active, al->active_at)) };
	n += change_labels(a, &al->labels, &f[n]);
	return alerts_event_add(a, str_c(id), at, buf_view(&text), f, n);
}

int
alerts_event_rule(struct alerts *a, const struct alerts_rule *ar, struct wall at,
    const char *change, struct str why)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	bool bad = strcmp(change, "failing") == 0 || strcmp(change, "unknown") == 0;
	struct label f[] = {
		{ STR("level"), bad ? STR("warning") : STR("info") },
		{ STR("change"), str_c(change) },
		{ STR("rule"), ar->rule->name },
		{ STR("rule_group"), ar->group->name },
		{ STR("why"), why },
	};

	buf_printf(&text, "rule %s: %.*s", change, STR_ARG(ar->rule->name));
	if (why.n > 0)
		buf_printf(&text, ": %.*s", STR_ARG(str_sub(why, 0, 500)));
	if (text.failed)
		return err_origin(-ENOMEM);
	return alerts_event_add(a, STR(""), at, buf_view(&text), f, ARRAY_LEN(f));
}

void
alerts_event_fate(void *ctx, const struct outbox_item *item, struct str to_failed, struct wall at)
{
	struct alerts *a = ctx;
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	AUTO_FINI(buf_fini) struct buf id = BUF_INIT;
	const char *state = outbox_state_name(item->state);
	struct label f[] = {
		{ STR("level"),
		    item->state == OUTBOX_DELIVERED && to_failed.n == 0 ? STR("info")
		                                                        : STR("error") },
		{ STR("change"), str_c(state) },
		{ STR("receiver"), item->receiver },
		{ STR("group"), item->group_key },
		{ STR("notification"), item->id },
		{ STR("why"), item->last_error },
		{ STR("not_reached"), to_failed },
	};

	buf_printf(&text, "notification %s: %.*s: %.*s", state, STR_ARG(item->receiver),
	    STR_ARG(item->group_key));
	if (item->last_error.n > 0)
		buf_printf(&text, ": %.*s", STR_ARG(str_sub(item->last_error, 0, 500)));
	buf_printf(&id, "%.*s-%s", STR_ARG(item->id), state);
	/* It is delivered all the same. */
	if (!text.failed && !id.failed)
		(void)alerts_event_add(a, buf_view(&id), at, buf_view(&text), f, ARRAY_LEN(f));
	if (item->state != OUTBOX_DELIVERED)
		alerts_say(a, 3, "%s", buf_c_str(&text));
	a->urgent = true;
}

/* ---- in state.db ---- */

static int
event_put(struct alerts *a, const struct alerts_event *e, struct buf *body)
{
	sqlite3_stmt *st;
	size_t i;
	int r;

	buf_clear(body);
	buf_varint(body, e->text.n);
	buf_str(body, e->text);
	for (i = 0; i < e->n_fields; i++) {
		buf_varint(body, e->fields[i].name.n);
		buf_str(body, e->fields[i].name);
		buf_varint(body, e->fields[i].value.n);
		buf_str(body, e->fields[i].value);
	}
	r = buf_err(body);
	if (r == 0)
		r = statedb_prepare(a->db, put_item, &st);
	if (r == 0)
		r = statedb_bind(st, 2, e->id);
	if (r != 0)
		return r;
	(void)sqlite3_bind_int64(st, 1, (int64_t)e->seq);
	(void)sqlite3_bind_int64(st, 3, e->at.ns);
	if (sqlite3_bind_blob64(st, 4, body->p, body->n, SQLITE_TRANSIENT) != SQLITE_OK)
		return err_origin(-ENOMEM);
	return statedb_run(a->db, st);
}

int
alerts_events_save(struct alerts *a)
{
	AUTO_FINI(buf_fini) struct buf body = BUF_INIT;
	uint64_t stored = atomic_load(&a->stored);
	sqlite3_stmt *st;
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < a->n_due; i++)
		r = event_put(a, &a->due[i], &body);
	if (r != 0 || stored <= a->forgotten)
		return r;
	r = statedb_prepare(a->db, forget_items, &st);
	if (r != 0)
		return r;
	(void)sqlite3_bind_int64(st, 1, (int64_t)stored);
	a->forgotten = stored;
	return statedb_run(a->db, st);
}

/* ---- on to the store ---- */

static int
event_read(struct alerts *a, sqlite3_stmt *st, struct alerts_event *e)
{
	struct arena *m = &a->fresh_arena;
	struct str body = arena_dup(m, statedb_text(st, 3));
	struct scan sc = SCAN_OF(body);

	*e = (struct alerts_event){ .seq = (uint64_t)sqlite3_column_int64(st, 0) };
	e->id = arena_dup(m, statedb_text(st, 1));
	e->at.ns = sqlite3_column_int64(st, 2);
	e->fields = arena_zalloc(m, FIELDS_MAX, sizeof(*e->fields));
	if (body.p == NULL || e->id.p == NULL || e->fields == NULL)
		return err_origin(-ENOMEM);
	e->text = scan_bytes(&sc, scan_varint(&sc));
	while (sc.at < sc.n && !sc.bad && e->n_fields < FIELDS_MAX) {
		struct label *f = &e->fields[e->n_fields++];

		f->name = scan_bytes(&sc, scan_varint(&sc));
		f->value = scan_bytes(&sc, scan_varint(&sc));
	}
	return 0;
}

/* Those that the store has leave the list; under events_lock. */
static void
fresh_tidy(struct alerts *a)
{
	uint64_t stored = atomic_load(&a->stored);
	size_t i;

	for (i = 0; i < a->n_fresh && a->fresh[i].seq <= stored; i++)
		;
	a->n_fresh -= i;
	if (i > 0)
		memmove(a->fresh, a->fresh + i, a->n_fresh * sizeof(*a->fresh));
	if (a->n_fresh == 0)
		arena_clear(&a->fresh_arena);
}

static int
fresh_fill(struct alerts *a)
{
	sqlite3_stmt *st;
	int r, rc = SQLITE_DONE;

	r = statedb_prepare(a->db, select_items, &st);
	if (r != 0)
		return err_fold(r);
	(void)sqlite3_bind_int64(st, 1, (int64_t)a->event_read);
	(void)sqlite3_bind_int64(st, 2, (int64_t)(ALERTS_EVENTS_MAX - a->n_fresh));
	while (r == 0 && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		r = event_read(a, st, &a->fresh[a->n_fresh]);
		if (r == 0)
			a->event_read = a->fresh[a->n_fresh++].seq;
	}
	(void)sqlite3_reset(st);
	return r == 0 && rc != SQLITE_DONE ? err_origin(-EIO) : r;
}

static int
hand_out(struct alerts *a)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < a->n_fresh; i++) {
		const struct alerts_event *e = &a->fresh[i];

		r = a->ops.event(a->ops.ctx, e->id, e->at, e->text, e->fields, e->n_fields);
		if (r == 0)
			atomic_store(&a->stored, e->seq);
	}
	return r;
}

int
alerts_events_out(struct alerts *a)
{
	int r = 0;

	if (a->event_read >= a->event_seq)
		return 0;
	(void)pthread_mutex_lock(&a->events_lock);
	fresh_tidy(a);
	if (a->n_fresh < ALERTS_EVENTS_MAX)
		r = fresh_fill(a);
	if (r == 0 && a->ops.event != NULL)
		r = hand_out(a);
	(void)pthread_mutex_unlock(&a->events_lock);
	return r;
}

int
alerts_events_load(struct alerts *a)
{
	sqlite3_stmt *st;
	int r;

	if (a->fresh == NULL)
		a->fresh = calloc(ALERTS_EVENTS_MAX, sizeof(*a->fresh));
	if (a->fresh == NULL)
		return err_origin(-ENOMEM);
	if (a->opt.events_stored > atomic_load(&a->stored))
		atomic_store(&a->stored, a->opt.events_stored);
	r = statedb_exec(a->db, event_tables);
	if (r == 0)
		r = statedb_prepare(a->db, last_item, &st);
	if (r != 0)
		return err_fold(r);
	/* In a database that was begun anew numbers go on from those that the store has. */
	if (sqlite3_step(st) == SQLITE_ROW && (uint64_t)sqlite3_column_int64(st, 0) > a->event_seq)
		a->event_seq = (uint64_t)sqlite3_column_int64(st, 0);
	(void)sqlite3_reset(st);
	if (atomic_load(&a->stored) > a->event_seq)
		a->event_seq = atomic_load(&a->stored);
	a->event_read = atomic_load(&a->stored);
	return alerts_events_out(a);
}

int
alerts_events(struct alerts *a, uint64_t after, size_t max, alerts_event_fn fn, void *ctx)
{
	size_t i, n = 0;
	int r = 0;

	(void)pthread_mutex_lock(&a->events_lock);
	for (i = 0; r == 0 && i < a->n_fresh && n < max; i++)
		if (a->fresh[i].seq > after) {
			r = fn(ctx, &a->fresh[i]);
			n++;
		}
	(void)pthread_mutex_unlock(&a->events_lock);
	return r;
}

uint64_t
alerts_events_last(struct alerts *a)
{
	uint64_t seq;

	(void)pthread_mutex_lock(&a->events_lock);
	seq = a->n_fresh > 0 ? a->fresh[a->n_fresh - 1].seq : atomic_load(&a->stored);
	(void)pthread_mutex_unlock(&a->events_lock);
	return seq;
}

void
alerts_events_stored(struct alerts *a, uint64_t seq)
{
	if (seq > atomic_load(&a->stored))
		atomic_store(&a->stored, seq);
}
