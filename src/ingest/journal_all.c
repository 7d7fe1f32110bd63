/*
 * ingest/journal_all.c - the journal, once.
 * One job: the source without a daemon around it.
 * Floor: 3 (uses record, base).
 */
#include <poll.h>

#include "ingest/journal.h"

enum { ALL_POLL_BYTES = 4 << 20 };

struct all {
	int (*put)(void *ctx, const struct record *recs, size_t n);
	void *ctx;
	int result; /* of put, when it was not 0 */
};

static int
all_put(void *ctx, const struct record *recs, size_t n)
{
	struct all *all = ctx;

	all->result = all->put(all->ctx, recs, n);
	return all->result == 0 ? 0 : -ECANCELED;
}

/* Nothing is kept, so that positions have nobody who wants them. */
static int
all_position(void *ctx, struct str key, struct str value)
{
	(void)ctx;
	(void)key;
	(void)value;
	return 0;
}

struct all_notes {
	struct all all;
	struct buf *ret_error;
};

/* Losses and faults are a line each for whoever asked. */
static int
all_event(void *ctx, const char *kind, const char *text, const struct field *fields,
    size_t n_fields)
{
	struct all *all = ctx;
	struct all_notes *notes = (struct all_notes *)(void *)all;

	(void)kind;
	(void)fields;
	(void)n_fields;
	if (notes->ret_error != NULL && notes->ret_error->n < (64 << 10)) {
		buf_c(notes->ret_error, text);
		buf_byte(notes->ret_error, '\n');
	}
	return 0;
}

static int
all_wait(struct source *s)
{
	struct pollfd pfd = { .fd = s->ops->fd(s), .events = POLLIN };
	int64_t ms = (s->ops->deadline(s).ns - mono_now().ns) / NS_PER_MS + 1;

	if (ms < 0)
		ms = 0;
	if (ms > 1000)
		ms = 1000;
	return poll(&pfd, 1, (int)ms) < 0 && errno != EINTR ? err_origin(-errno) : 0;
}

int
journal_read_all(const struct journal_source_options *opt,
    int (*put)(void *ctx, const struct record *recs, size_t n), void *ctx, struct buf *ret_error)
{
	struct all_notes notes = { .all = { put, ctx, 0 }, .ret_error = ret_error };
	struct journal_source_options once = *opt;
	struct intake in = { .sink = { all_put, &notes.all },
		.position = all_position,
		.event = all_event,
		.ctx = &notes.all };
	struct source *s;
	int r;

	once.once = true;
	r = journal_source_new(&s, &once, &in, STR_NONE, ret_error);
	if (r != 0)
		return r;
	while (!s->ops->at_end(s)) {
		r = s->ops->poll(s, ALL_POLL_BYTES);
		if (r == 0 && !s->ops->at_end(s))
			r = all_wait(s);
		if (r < 0)
			break;
		r = 0;
	}
	(void)s->ops->free(s);
	return notes.all.result != 0 ? notes.all.result : r;
}
