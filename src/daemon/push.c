/*
 * daemon/push.c - lines that are handed in.
 * One job: inserts into rows, and each batch with an ID only once.
 * Floor: 6 (uses api, ingest, store, parsers, record, base).
 *
 * IDs of batches are positions of the store ("push/ID"), so that rows and ID are one fact; the newest
 * DAEMON_BATCHES_MAX are kept.
 */
#include <stdio.h>

#include "daemon/daemon_internal.h"
#include "daemon/say.h"

#define PUSH_KEY STR("push/")

/* ---- IDs of batches ---- */

void
push_fini(struct daemon *d)
{
	size_t i;

	for (i = 0; i < d->n_batches; i++)
		free(d->batches[i].key);
	free(d->batches);
	d->batches = NULL;
	d->n_batches = 0;
}

static int
batch_compare(const void *a, const void *b)
{
	const struct batch_id *x = a, *y = b;

	return (x->seq > y->seq) - (x->seq < y->seq);
}

static int
batch_add(struct daemon *d, struct str key, uint64_t seq)
{
	char *copy;

	if (d->batches == NULL)
		d->batches = calloc(DAEMON_BATCHES_MAX, sizeof(*d->batches));
	if (d->batches == NULL)
		return err_origin(-ENOMEM);
	copy = strndup((const char *)key.p, key.n);
	if (copy == NULL)
		return err_origin(-ENOMEM);
	d->batches[d->n_batches++] = (struct batch_id){ seq, copy };
	return 0;
}

static int
batch_load(void *ctx, struct str key, struct str value)
{
	struct daemon *d = ctx;
	struct scan sc = SCAN_OF(value);
	uint64_t seq = scan_u64(&sc);

	if (!str_starts(key, PUSH_KEY) || sc.bad || d->n_batches == DAEMON_BATCHES_MAX)
		return 0;
	if (seq > d->batch_seq)
		d->batch_seq = seq;
	return batch_add(d, key, seq);
}

int
push_load(struct daemon *d)
{
	int r;

	push_fini(d);
	d->batch_seq = 0;
	r = store_positions(d->store, batch_load, d);
	if (d->n_batches > 1)
		qsort(d->batches, d->n_batches, sizeof(*d->batches), batch_compare);
	d->batch_committed = d->batch_seq;
	return r;
}

static int
batch_forget_oldest(struct daemon *d)
{
	int r;

	r = store_position(d->store, str_c(d->batches[0].key), STR_NONE);
	if (r != 0)
		return r;
	free(d->batches[0].key);
	memmove(&d->batches[0], &d->batches[1], --d->n_batches * sizeof(d->batches[0]));
	return 0;
}

/* With the rows of the batch, under the next number. */
static int
batch_note(struct daemon *d, struct str key)
{
	AUTO_FINI(buf_fini) struct buf value = BUF_INIT;
	int r = 0;

	buf_u64(&value, d->batch_seq + 1);
	if (value.failed)
		return err_origin(-ENOMEM);
	if (d->n_batches == DAEMON_BATCHES_MAX)
		r = batch_forget_oldest(d);
	if (r == 0)
		r = store_position(d->store, key, buf_view(&value));
	if (r == 0)
		r = batch_add(d, key, d->batch_seq + 1);
	if (r == 0)
		d->batch_seq++;
	return r;
}

/* In the store already; or on its way there, then the sender has to ask again. */
static int
batch_known(const struct daemon *d, struct str key)
{
	struct str value = store_position_get(d->store, key);
	struct scan sc = SCAN_OF(value);
	uint64_t seq;

	if (value.n == 0)
		return 0;
	seq = scan_u64(&sc);
	return seq > d->batch_committed ? API_E_LATER : API_E_KNOWN;
}

/* ---- rows ---- */

/* _stream_fields: names and name=value, by commas. */
static int
push_labels(struct str list, struct label *labels, size_t *ret_n, struct buf *why)
{
	size_t n = 0, end, eq;

	while (list.n > 0) {
		struct str one;

		end = str_find_byte(list, ',');
		if (end == SIZE_MAX)
			end = list.n;
		one = str_trim(str_sub(list, 0, end));
		list = str_sub(list, end + 1, list.n);
		if (one.n == 0)
			continue;
		if (n == SHAPE_LABELS_MAX) {
			buf_printf(why, "_stream_fields: expected at most %d names\n",
			    SHAPE_LABELS_MAX);
			return API_E_BAD;
		}
		eq = str_find_byte(one, '=');
		labels[n++] = eq == SIZE_MAX
		    ? (struct label){ one, STR_NONE }
		    : (struct label){ str_sub(one, 0, eq), str_sub(one, eq + 1, one.n) };
	}
	*ret_n = n;
	return 0;
}

static struct field *
field_find(struct record *rec, struct str name)
{
	size_t i;

	for (i = 0; i < rec->n_fields; i++)
		if (str_eq(rec->fields[i].name, name))
			return &rec->fields[i];
	return NULL;
}

/* The first of names by commas that is there and not empty. */
static struct field *
field_first(struct record *rec, struct str names)
{
	struct field *f;
	size_t end;

	while (names.n > 0) {
		end = str_find_byte(names, ',');
		if (end == SIZE_MAX)
			end = names.n;
		f = field_find(rec, str_trim(str_sub(names, 0, end)));
		if (f != NULL && f->value.n != 0)
			return f;
		names = str_sub(names, end + 1, names.n);
	}
	return NULL;
}

/* The sender says which field is the message or the time. */
static void
push_named(const struct api_insert *req, struct record *rec)
{
	struct field *f, *old;
	struct wall at;

	f = field_first(rec, req->msg_field);
	if (f != NULL && !str_eq(f->name, STR("_msg"))) {
		rec->layout = 0;
		old = field_find(rec, STR("_msg"));
		if (old != NULL)
			old->name = STR("message");
		f->name = STR("_msg");
	}
	f = field_first(rec, req->time_field);
	if (f != NULL && parser_time(f->value, wall_local_offset(wall_now()), &at)) {
		rec->layout = 0;
		rec->time = at;
		rec->flags |= RECORD_HAS_TIME;
		*f = rec->fields[--rec->n_fields];
	}
}

static int
push_parse(struct daemon *d, const struct api_insert *req, struct str lines, struct buf *why)
{
	AUTO(parser_free) struct parser *p = NULL;
	struct parser_options opt = { .keep_line = true };
	char name[32];
	struct wall now = wall_now();
	size_t end, i;
	int r;

	(void)snprintf(name, sizeof(name), "%.*s", STR_ARG(str_sub(req->parser, 0, 31)));
	opt.name = req->parser.n != 0 ? name : NULL;
	r = parser_new(&p, &opt, why);
	if (r != 0)
		return r > 0 ? API_E_BAD : r;
	while (r == 0 && lines.n > 0) {
		end = str_find_byte(lines, '\n');
		if (end == SIZE_MAX)
			end = lines.n;
		/* an empty line between objects is nobody's event */
		if (str_trim(str_sub(lines, 0, end)).n != 0)
			r = parser_line(p, str_sub(lines, 0, end), now, &d->push);
		lines = str_sub(lines, end + 1, lines.n);
	}
	if (r == 0)
		r = parser_flush(p, now, true, &d->push);
	for (i = 0; r == 0 && i < d->push.n; i++)
		push_named(req, &d->push.recs[i]);
	return r;
}

static int
push_shape(struct daemon *d, const struct api_insert *req, struct buf *why)
{
	AUTO(shape_free) struct shape *shape = NULL;
	struct label labels[SHAPE_LABELS_MAX];
	struct shape_options opt = { .stream = labels };
	size_t n = d->push.n;
	int r;

	r = push_labels(req->stream_fields, labels, &opt.n_stream, why);
	if (r == 0)
		r = shape_new(&shape, &opt, why);
	if (r == 0)
		r = shape_records(shape, d->push.recs, &n, NULL, &d->push.arena);
	d->push.n = n;
	return r > 0 ? API_E_BAD : r;
}

static int
push_put(struct daemon *d)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < d->push.n; i += RECORD_BATCH_MAX) {
		size_t n = d->push.n - i < RECORD_BATCH_MAX ? d->push.n - i : RECORD_BATCH_MAX;

		r = intake_put(d, d->push.recs + i, n);
	}
	if (r == 0)
		d->n_pushed += d->push.n;
	return r;
}

static bool
push_busy(const struct daemon *d)
{
	struct store_stats st;

	if (d->paused || d->abort_due || d->stopping)
		return true;
	store_stats(d->store, &st);
	return st.pending_bytes > 2 * (uint64_t)DAEMON_PENDING_MAX;
}

static int
push_rows(struct daemon *d, const struct api_insert *req, struct str lines, struct buf *why)
{
	int r;

	record_batch_clear(&d->push);
	r = push_parse(d, req, lines, why);
	if (r == 0)
		r = push_shape(d, req, why);
	if (r == 0)
		r = push_put(d);
	record_batch_clear(&d->push);
	return r;
}

int
push_insert(void *ctx, const struct api_insert *req, struct str lines, bool last, struct buf *why)
{
	AUTO_FINI(buf_fini) struct buf key = BUF_INIT;
	struct daemon *d = ctx;
	int r;

	(void)last;
	if (push_busy(d))
		return API_E_LATER;
	buf_str(&key, PUSH_KEY);
	buf_str(&key, req->batch);
	if (key.failed)
		return API_E_LATER;
	if (req->batch.n != 0) {
		r = batch_known(d, buf_view(&key));
		if (r != 0)
			return r;
	}
	r = push_rows(d, req, lines, why);
	if (r == 0 && req->batch.n != 0) {
		r = batch_note(d, buf_view(&key));
		/* rows without their ID must not stay */
		d->abort_due |= r < 0;
	}
	if (r == 0)
		commit_dirty(d);
	if (r < 0)
		say(SAY_ERR, "insert failed: %s: %s", d->setup->store_path, err_str(r));
	return r < 0 ? API_E_LATER : r;
}
