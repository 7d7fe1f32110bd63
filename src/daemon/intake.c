/*
 * daemon/intake.c - from the sources to the store.
 * One job: put rows, positions and events where the next commit finds them.
 * Floor: 6 (uses ingest, store, record, base).
 *
 * Events come from inside sources and from inside the store, so they wait in a queue and become rows just before a
 * commit, together with the positions that they tell of.
 */
#include "daemon/daemon_internal.h"
#include "daemon/say.h"
#include "record/stream.h"

int
intake_put(struct daemon *d, const struct record *recs, size_t n)
{
	int r;

	if (n == 0)
		return 0;
	if (d->abort_due)
		return -EAGAIN;
	r = store_append(d->store, recs, n);
	if (r == 0) {
		d->n_rows += n;
		commit_dirty(d);
		return 0;
	}
	/* some of the rows may have been taken: all since the last commit is read again */
	d->abort_due = true;
	if (r < 0)
		say(SAY_ERR, "appending rows failed: %s: %s", d->setup->store_path, err_str(r));
	return -EAGAIN;
}

static int
sink_put(void *ctx, const struct record *recs, size_t n)
{
	return intake_put(ctx, recs, n);
}

static int
intake_position(void *ctx, struct str key, struct str value)
{
	struct daemon *d = ctx;

	return store_position(d->store, key, value);
}

/* Names from outside never stand in an event's own fields. */
static int
event_fill(struct daemon *d, struct record *rec, const char *kind, const char *text,
    const struct field *fields, size_t n_fields)
{
	AUTO_FINI(buf_fini) struct buf stream = BUF_INIT;
	struct label labels[1] = { { STR("weir"), str_c(kind) } };
	struct arena *a = &d->events.arena;
	size_t i, n = 0;

	rec->fields = arena_zalloc(a, n_fields + 4, sizeof(*rec->fields));
	if (rec->fields == NULL)
		return err_origin(-ENOMEM);
	stream_format(&stream, labels, 1);
	rec->stream = arena_dup(a, buf_view(&stream));
	rec->time = wall_now();
	rec->flags = RECORD_HAS_TIME;
	rec->fields[n++] = (struct field){ STR("_msg"), arena_dup(a, str_c(text)), VALUE_STRING };
	rec->fields[n++] = (struct field){ STR("weir"), arena_dup(a, str_c(kind)), VALUE_STRING };
	rec->fields[n++] = (struct field){ STR("level"),
		strcmp(kind, "loss") == 0 ? STR("warning") : STR("info"), VALUE_STRING };
	if (d->host[0] != '\0')
		rec->fields[n++] = (struct field){ STR("host"), str_c(d->host), VALUE_STRING };
	for (i = 0; i < n_fields; i++)
		rec->fields[n++] = (struct field){ arena_dup(a, fields[i].name),
			arena_dup(a, fields[i].value), fields[i].kind };
	rec->n_fields = n;
	return buf_err(&stream);
}

/* The number in the field of that name; 0 where there is none. */
static uint64_t
count_of(const struct field *fields, size_t n_fields, struct str name)
{
	uint64_t n = 0;
	size_t i, k;

	for (i = 0; i < n_fields; i++)
		for (k = 0; str_eq(fields[i].name, name) && k < fields[i].value.n; k++)
			n = n * 10 + (uint64_t)(fields[i].value.p[k] - '0');
	return n;
}

int
intake_event(void *ctx, const char *kind, const char *text, const struct field *fields,
    size_t n_fields)
{
	struct daemon *d = ctx;
	struct record *rec;
	int r;

	d->n_events++;
	if (strcmp(kind, "loss") == 0) {
		d->n_losses++;
		d->n_lost += count_of(fields, n_fields, STR("lost"));
		d->n_lost_bytes += count_of(fields, n_fields, STR("bytes"));
	}
	say(strcmp(kind, "loss") == 0 ? SAY_WARNING : SAY_INFO, "%s", text);
	if (d->events.n >= DAEMON_EVENTS_MAX)
		return 0;
	rec = record_batch_add(&d->events);
	if (rec == NULL)
		return err_origin(-ENOMEM);
	r = event_fill(d, rec, kind, text, fields, n_fields);
	if (r != 0)
		d->events.n--;
	else
		commit_dirty(d);
	return r;
}

int
intake_flush(struct daemon *d)
{
	int r;

	r = intake_put(d, d->events.recs, d->events.n);
	if (r == 0)
		record_batch_clear(&d->events);
	return r;
}

void
intake_of(struct daemon *d, struct intake *ret)
{
	*ret = (struct intake){
		.sink = { sink_put, d },
		.position = intake_position,
		.event = intake_event,
		.ctx = d,
	};
}
