/*
 * ingest/journal_all.c - the journal, once.
 * One job: the source without a daemon around it, batch by batch as somebody asks for them.
 * Floor: 3 (uses record, base).
 */
#include <poll.h>

#include "ingest/journal.h"

enum { ONCE_WAIT_MS = 1000, ONCE_NOTES_MAX = 64 << 10 };

struct journal_once {
	struct source *source;
	struct record_batch *out; /* of the call under way */
	struct buf *notes;        /* of the caller; may be NULL */
};

/* A copy of s in the batch; false without memory. */
static bool
keep_bytes(struct record_batch *b, struct str *s)
{
	*s = arena_dup(&b->arena, *s);
	return s->p != NULL;
}

/* The source's own bytes go when it receives more, which it may do within one poll: a record is copied whole. */
static bool
keep_record(struct record_batch *b, struct record *rec)
{
	struct field *fields = arena_alloc(&b->arena, (rec->n_fields + 1) * sizeof(*fields));
	size_t i;

	if (fields == NULL || !keep_bytes(b, &rec->stream) || !keep_bytes(b, &rec->line))
		return false;
	for (i = 0; i < rec->n_fields; i++) {
		fields[i] = rec->fields[i];
		if (!keep_bytes(b, &fields[i].name) || !keep_bytes(b, &fields[i].value))
			return false;
	}
	rec->fields = fields;
	return true;
}

static int
once_put(void *ctx, const struct record *recs, size_t n)
{
	struct journal_once *o = ctx;
	struct record *rec;
	size_t i;

	for (i = 0; i < n; i++) {
		rec = record_batch_add(o->out);
		if (rec == NULL)
			return err_origin(-ENOMEM);
		*rec = recs[i];
		if (!keep_record(o->out, rec))
			return err_origin(-ENOMEM);
	}
	return 0;
}

/* Nothing is kept, so that positions have nobody who wants them. */
static int
once_position(void *ctx, struct str key, struct str value)
{
	(void)ctx;
	(void)key;
	(void)value;
	return 0;
}

/* Losses and faults are a line each for whoever asked. */
static int
once_event(void *ctx, const char *kind, const char *text, const struct field *fields,
    size_t n_fields)
{
	struct journal_once *o = ctx;

	(void)kind;
	(void)fields;
	(void)n_fields;
	if (o->notes != NULL && o->notes->n < ONCE_NOTES_MAX) {
		buf_c(o->notes, text);
		buf_byte(o->notes, '\n');
	}
	return 0;
}

static int
once_wait(struct source *s)
{
	struct pollfd pfd = { .fd = s->ops->fd(s), .events = POLLIN };
	int64_t ms = (s->ops->deadline(s).ns - mono_now().ns) / NS_PER_MS + 1;

	if (ms < 0)
		ms = 0;
	if (ms > ONCE_WAIT_MS)
		ms = ONCE_WAIT_MS;
	return poll(&pfd, 1, (int)ms) < 0 && errno != EINTR ? err_origin(-errno) : 0;
}

int
journal_once_new(struct journal_once **ret, const struct journal_source_options *opt,
    struct buf *notes, struct buf *ret_error)
{
	AUTO(journal_once_free) struct journal_once *o = NULL;
	struct journal_source_options once = *opt;
	struct intake in;
	int r;

	o = calloc(1, sizeof(*o));
	if (o == NULL)
		return err_origin(-ENOMEM);
	o->notes = notes;
	once.once = true;
	in = (struct intake){
		.sink = { once_put, o },
		.position = once_position,
		.event = once_event,
		.ctx = o,
	};
	r = journal_source_new(&o->source, &once, &in, STR_NONE, ret_error);
	if (r == 0)
		*ret = TAKE(o);
	return r;
}

struct journal_once *
journal_once_free(struct journal_once *o)
{
	if (o == NULL)
		return NULL;
	if (o->source != NULL)
		(void)o->source->ops->free(o->source);
	free(o);
	return NULL;
}

int
journal_once_next(struct journal_once *o, struct record_batch *out)
{
	struct source *s = o->source;
	size_t before = out->n;
	int r;

	o->out = out;
	while (out->n == before) {
		if (s->ops->at_end(s))
			return 1;
		/* one frame a turn, so that the caller's batch stays small */
		r = s->ops->poll(s, 1);
		if (r == 0 && out->n == before && !s->ops->at_end(s))
			r = once_wait(s);
		if (r < 0)
			return r;
	}
	return 0;
}

int
journal_read_all(const struct journal_source_options *opt,
    int (*put)(void *ctx, const struct record *recs, size_t n), void *ctx, struct buf *ret_error)
{
	AUTO(journal_once_free) struct journal_once *o = NULL;
	AUTO_FINI(record_batch_fini) struct record_batch out = RECORD_BATCH_INIT;
	int r;

	r = journal_once_new(&o, opt, ret_error, ret_error);
	while (r == 0) {
		record_batch_clear(&out);
		r = journal_once_next(o, &out);
		if (r == 0)
			r = put(ctx, out.recs, out.n);
		else if (r > 0)
			return 0;
	}
	return r;
}
