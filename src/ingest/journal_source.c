/*
 * ingest/journal_source.c - the journal as a source.
 * One job: run the reader, take what it sends, and start it again when it dies.
 * Floor: 3 (uses parsers, record, base).
 *
 * Invariants: now is the position after the last batch that the intake took; checked the one last given to it;
 * before the one before that, which a failed commit goes back to.  frames.n - at bytes are received and not yet taken.
 */
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <systemd/sd-login.h>

#include "ingest/journal_child.h"
#include "ingest/journal_convert.h"

enum { SOURCE_CHUNK = 256 << 10, SOURCE_LOSSES_MAX = 32, SOURCE_ONCE_TRIES = 6 };

struct aside {
	struct journal_file_id id;
	bool kills;
};

struct journal_source {
	struct source base;
	struct journal_proto_options opt; /* strings and arrays in arena, but position and aside */
	struct str key, name;
	const char *program;
	struct arena arena;
	struct journal_convert convert;
	struct record_batch batch;

	int epoll_fd;
	struct journal_child child;
	struct buf frames;
	size_t at;
	struct span heard;   /* when it last said something */
	struct span restart; /* when to start it */
	unsigned n_fails;    /* in a row, without a batch between */
	bool probe;          /* the next one is to look at each file */
	enum journal_reader_state state;
	bool done; /* --once: all is read */

	struct journal_file_id touching; /* the file that it said it is about to touch */
	struct buf touching_path;
	struct aside *aside;
	size_t n_aside;
	struct journal_file_id *aside_ids;

	struct journal_proto_loss losses[SOURCE_LOSSES_MAX]; /* told with the next batch */
	struct buf reasons[SOURCE_LOSSES_MAX];
	size_t n_losses;

	struct buf now, checked, before;
	bool read_since; /* since the last checkpoint */

	uint64_t n_lines, n_bytes, n_lost;
	struct wall last_line;
};

static struct journal_source *
journal_of(struct source *s)
{
	return (struct journal_source *)(void *)s;
}

/* ---- events ---- */

static int
source_event(struct journal_source *js, const char *kind, const char *text, struct field *fields,
    size_t n)
{
	const struct intake *in = &js->base.intake;

	fields[n++] = (struct field){ STR("source"), js->key, VALUE_STRING };
	return in->event(in->ctx, kind, text, fields, n);
}

static int
source_note(struct journal_source *js, struct str text)
{
	AUTO_FINI(buf_fini) struct buf b = BUF_INIT;
	struct field fields[1];

	buf_str(&b, text);
	return source_event(js, "log", buf_c_str(&b), fields, 0);
}

static void
number_field(struct field *f, struct str name, char text[24], uint64_t v)
{
	int n = snprintf(text, 24, "%llu", (unsigned long long)v);

	*f = (struct field){ name, str_of(text, (size_t)n), VALUE_NUMBER };
}

static int
tell_loss(struct journal_source *js, const struct journal_proto_loss *l)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	char count[24], first[24], last[24], id[33];
	struct field f[8];
	size_t n = 0;

	if (l->n != 0)
		buf_printf(&text, "%llu journal entries lost: ", (unsigned long long)l->n);
	else
		buf_c(&text, "journal entries lost, number unknown: ");
	buf_str(&text, l->reason);
	f[n++] = (struct field){ STR("reason"), l->reason, VALUE_STRING };
	if (l->n != 0)
		number_field(&f[n++], STR("lost"), count, l->n);
	if (l->last != 0) {
		journal_id_text(id, &l->seqnum_id);
		number_field(&f[n++], STR("first"), first, l->first);
		number_field(&f[n++], STR("last"), last, l->last);
		f[n++] = (struct field){ STR("seqnum_id"), str_c(id), VALUE_STRING };
	}
	js->n_lost += l->n;
	return source_event(js, "loss", buf_c_str(&text), f, n);
}

static int
tell_dropped(struct journal_source *js, const struct journal_dropped *d)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	char count[24];
	struct field f[4];

	buf_printf(&text, "%llu journal entries lost: dropped by journald: %.*s",
	    (unsigned long long)d->n, STR_ARG(d->text));
	number_field(&f[0], STR("lost"), count, d->n);
	f[1] = (struct field){ STR("reason"), STR("dropped by journald"), VALUE_STRING };
	js->n_lost += d->n;
	return source_event(js, "loss", buf_c_str(&text), f, 2);
}

/* ---- files set aside ---- */

static bool
aside_has(const struct journal_source *js, const struct journal_file_id *id, bool kills)
{
	size_t i;

	for (i = 0; i < js->n_aside; i++)
		if (js->aside[i].kills >= kills && journal_file_id_eq(&js->aside[i].id, id))
			return true;
	return false;
}

static int
aside_add(struct journal_source *js, const struct journal_file_id *id, bool kills, struct str path,
    struct str reason)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	struct field f[4];

	if (aside_has(js, id, kills))
		return 0;
	if (js->n_aside == JOURNAL_ASIDE_MAX)
		memmove(&js->aside[0], &js->aside[1], --js->n_aside * sizeof(js->aside[0]));
	js->aside[js->n_aside++] = (struct aside){ *id, kills };
	buf_printf(&text, "journal file set aside: %.*s: %.*s", STR_ARG(path), STR_ARG(reason));
	f[0] = (struct field){ STR("file"), path, VALUE_STRING };
	f[1] = (struct field){ STR("reason"), reason, VALUE_STRING };
	return source_event(js, "loss", buf_c_str(&text), f, 2);
}

/* ---- frames ---- */

static int
take_losses(struct journal_source *js)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < js->n_losses; i++) {
		js->losses[i].reason = buf_view(&js->reasons[i]);
		r = tell_loss(js, &js->losses[i]);
	}
	for (i = 0; r == 0 && i < js->convert.n_dropped; i++)
		r = tell_dropped(js, &js->convert.dropped[i]);
	js->n_losses = 0;
	js->convert.n_dropped = 0;
	return r;
}

/* Kept until the batch whose position is behind it, so that neither is told without the other. */
static int
take_loss(struct journal_source *js, struct str payload)
{
	struct journal_proto_loss l;
	size_t at = js->n_losses;

	if (!journal_proto_get_loss(payload, &l))
		return JOURNAL_PROTO_E_FORMAT;
	if (at == SOURCE_LOSSES_MAX) {
		js->losses[at - 1].n += l.n;
		return 0;
	}
	js->losses[at] = l;
	buf_clear(&js->reasons[at]);
	buf_str(&js->reasons[at], l.reason);
	js->n_losses++;
	return buf_err(&js->reasons[at]);
}

static int
buf_set(struct buf *b, struct str s)
{
	buf_clear(b);
	buf_str(b, s);
	return buf_err(b);
}

static int
take_batch(struct journal_source *js, struct str payload)
{
	const struct record_sink *sink = &js->base.intake.sink;
	struct journal_proto_batch b;
	size_t i;
	int r;

	if (!journal_proto_get_batch(payload, &b))
		return JOURNAL_PROTO_E_FORMAT;
	record_batch_clear(&js->batch);
	r = journal_convert_batch(&js->convert, &b, &js->batch);
	for (i = 0; r == 0 && i < js->batch.n; i += RECORD_BATCH_MAX) {
		size_t n = js->batch.n - i < RECORD_BATCH_MAX ? js->batch.n - i : RECORD_BATCH_MAX;

		r = sink->put(sink->ctx, js->batch.recs + i, n);
	}
	if (r == 0)
		r = buf_set(&js->now, b.position);
	if (r == 0)
		r = take_losses(js);
	if (r != 0)
		return r;
	js->n_lines += b.n_entries;
	js->n_bytes += payload.n;
	js->read_since = true;
	if (b.n_read > 0)
		js->n_fails = 0;
	if (js->batch.n > 0)
		js->last_line = js->batch.recs[js->batch.n - 1].time;
	record_batch_clear(&js->batch);
	return 0;
}

static int
take_file(struct journal_source *js, enum journal_frame_type type, struct str payload)
{
	struct journal_proto_file f;

	if (!journal_proto_get_file(payload, &f))
		return JOURNAL_PROTO_E_FORMAT;
	if (type == JOURNAL_FRAME_ASIDE)
		return aside_add(js, &f.id, f.kills != 0, f.path, f.reason);
	js->touching = f.id;
	return buf_set(&js->touching_path, f.path);
}

static int
take_state(struct journal_source *js, struct str payload)
{
	if (!journal_proto_get_state(payload, &js->state))
		return JOURNAL_PROTO_E_FORMAT;
	js->done |= js->state == JOURNAL_READER_DONE;
	return 0;
}

static int
take_frame(struct journal_source *js, enum journal_frame_type type, struct str payload)
{
	switch (type) {
	case JOURNAL_FRAME_BATCH:
		return take_batch(js, payload);
	case JOURNAL_FRAME_LOSS:
		return take_loss(js, payload);
	case JOURNAL_FRAME_ASIDE:
	case JOURNAL_FRAME_NOW:
		return take_file(js, type, payload);
	case JOURNAL_FRAME_STATE:
		return take_state(js, payload);
	case JOURNAL_FRAME_NOTE:
		return source_note(js, payload);
	case JOURNAL_FRAME_OPTIONS:
		break;
	}
	return JOURNAL_PROTO_E_FORMAT;
}

/* Whole frames that were received.  JOURNAL_PROTO_E_MORE: all of them; 0: max_bytes of them. */
static int
take_frames(struct journal_source *js, size_t *max_bytes)
{
	enum journal_frame_type type;
	struct str payload;
	size_t n;
	int r;

	for (;;) {
		r = journal_proto_frame(str_sub(buf_view(&js->frames), js->at, js->frames.n), &type,
		    &payload, &n);
		if (r != 0)
			return r;
		if (*max_bytes == 0)
			return 0;
		r = take_frame(js, type, payload);
		if (r != 0)
			return r;
		js->at += n;
		*max_bytes -= n < *max_bytes ? n : *max_bytes;
	}
}

/* Room for more: what was taken goes, and a buffer that one huge entry made shrinks again. */
static void
frames_compact(struct journal_source *js)
{
	struct buf *b = &js->frames;

	if (js->at == b->n && b->cap > 16 * SOURCE_CHUNK) {
		buf_fini(b);
	} else if (js->at > 0) {
		memmove(b->p, b->p + js->at, b->n - js->at);
		b->n -= js->at;
	}
	js->at = 0;
}

/* 1: something came; 0: nothing now; JOURNAL_PROTO_E_MORE: it has ended. */
static int
frames_receive(struct journal_source *js)
{
	ssize_t k;

	frames_compact(js);
	if (js->frames.cap - js->frames.n < SOURCE_CHUNK && !buf_grow(&js->frames, SOURCE_CHUNK))
		return err_origin(-ENOMEM);
	do
		k = recv(js->child.fd, js->frames.p + js->frames.n, js->frames.cap - js->frames.n,
		    MSG_DONTWAIT);
	while (k < 0 && errno == EINTR);
	if (k < 0 && errno == EAGAIN)
		return 0;
	if (k <= 0)
		return JOURNAL_PROTO_E_MORE;
	js->frames.n += (size_t)k;
	js->heard = mono_now();
	return 1;
}

/* ---- the reader's life ---- */

static int
reader_start(struct journal_source *js)
{
	struct epoll_event ev = { .events = EPOLLIN };
	size_t i;
	int r;

	js->opt.position = buf_view(&js->now);
	js->opt.aside = js->aside_ids;
	js->opt.n_aside = 0;
	for (i = 0; i < js->n_aside; i++)
		if (js->aside[i].kills)
			js->aside_ids[js->opt.n_aside++] = js->aside[i].id;
	js->opt.flags =
	    (uint8_t)((js->opt.flags & ~JOURNAL_PROBE) | (js->probe ? JOURNAL_PROBE : 0));
	buf_clear(&js->frames);
	js->at = 0;
	js->n_losses = 0;
	buf_clear(&js->touching_path);
	js->state = JOURNAL_READER_READING;
	js->heard = mono_now();
	r = journal_child_start(&js->child, js->program, &js->opt);
	if (r == 0 && epoll_ctl(js->epoll_fd, EPOLL_CTL_ADD, js->child.fd, &ev) < 0)
		r = err_origin(-errno);
	if (r == 0)
		js->probe = false;
	return r;
}

/* 0 s, 1 s, 2 s, 4 s, … */
static void
reader_later(struct journal_source *js)
{
	int64_t pause_s =
	    js->n_fails == 0 ? 0 : INT64_C(1) << (js->n_fails < 7 ? js->n_fails - 1 : 6);

	if (pause_s > JOURNAL_RESTART_MAX_S)
		pause_s = JOURNAL_RESTART_MAX_S;
	js->restart.ns = mono_now().ns + pause_s * NS_PER_S;
	js->n_fails++;
	if ((js->opt.flags & JOURNAL_ONCE) != 0 && js->n_fails >= SOURCE_ONCE_TRIES)
		js->done = true;
}

/* A crash: the file it named is set aside, or the next reader looks for it. */
static int
reader_crashed(struct journal_source *js, struct str why)
{
	AUTO_FINI(buf_fini) struct buf reason = BUF_INIT;

	if (js->touching_path.n == 0) {
		js->probe = true;
		buf_printf(&reason, "journal reader crashed: %.*s: looking for the file at fault",
		    STR_ARG(why));
		return source_note(js, buf_view(&reason));
	}
	buf_printf(&reason, "reading it kills the reader (%.*s)", STR_ARG(why));
	return aside_add(js, &js->touching, true, buf_view(&js->touching_path), buf_view(&reason));
}

static int
reader_ended(struct journal_source *js, bool hung)
{
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	bool lived = mono_now().ns - js->heard.ns > 10 * NS_PER_S && !hung;
	int r = 0;

	if (lived)
		js->n_fails = 0;
	switch (journal_child_end(&js->child, hung, &why)) {
	case JOURNAL_DEATH_CRASH:
		r = reader_crashed(js, buf_view(&why));
		break;
	case JOURNAL_DEATH_KILLED:
	case JOURNAL_DEATH_FAILED:
		buf_printf(&text, "journal reader ended: %.*s: it is started again",
		    STR_ARG(buf_view(&why)));
		r = source_note(js, buf_view(&text));
		break;
	case JOURNAL_DEATH_DONE:
		break;
	}
	buf_clear(&js->frames);
	js->at = 0;
	if (!js->done)
		reader_later(js);
	return r;
}

/* What is no frame comes from a reader that is not itself any more. */
static int
reader_broken(struct journal_source *js)
{
	(void)source_note(js, STR("journal reader ended: it sent what is no frame"));
	return reader_ended(js, true);
}

static bool
reader_silent(const struct journal_source *js)
{
	return js->state == JOURNAL_READER_READING &&
	    mono_now().ns - js->heard.ns > JOURNAL_SILENCE_MAX_S * NS_PER_S;
}

/* ---- the source ---- */

static int
journal_fd(struct source *s)
{
	return journal_of(s)->epoll_fd;
}

static struct span
journal_deadline(struct source *s)
{
	struct journal_source *js = journal_of(s);

	if (js->done)
		return (struct span){ INT64_MAX };
	if (js->child.fd < 0)
		return js->restart;
	if (js->state != JOURNAL_READER_READING)
		return (struct span){ INT64_MAX };
	return (struct span){ js->heard.ns + (JOURNAL_SILENCE_MAX_S + 1) * NS_PER_S };
}

static int
journal_poll(struct source *s, size_t max_bytes)
{
	struct journal_source *js = journal_of(s);
	int r;

	if (js->child.fd < 0) {
		if (js->done || mono_now().ns < js->restart.ns)
			return 0;
		r = reader_start(js);
		if (r != 0) {
			reader_later(js);
			return r;
		}
	}
	for (;;) {
		r = take_frames(js, &max_bytes);
		if (r == JOURNAL_PROTO_E_FORMAT)
			return reader_broken(js);
		if (r <= 0)
			return r < 0 ? r : 1;
		r = frames_receive(js);
		if (r == 0)
			return reader_silent(js) ? reader_ended(js, true) : 0;
		if (r == JOURNAL_PROTO_E_MORE)
			return reader_ended(js, false);
		if (r < 0)
			return r;
	}
}

static int
journal_checkpoint(struct source *s)
{
	struct journal_source *js = journal_of(s);
	const struct intake *in = &js->base.intake;
	int r;

	r = in->position(in->ctx, js->key, buf_view(&js->now));
	if (r == 0)
		r = buf_set(&js->before, buf_view(&js->checked));
	if (r == 0)
		r = buf_set(&js->checked, buf_view(&js->now));
	js->read_since = false;
	return r;
}

static int
journal_rewind(struct source *s)
{
	struct journal_source *js = journal_of(s);
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	int r;

	(void)journal_child_end(&js->child, true, &why);
	js->restart = mono_now();
	js->done = false;
	js->n_losses = 0;
	/* read since the checkpoint: its commit was done, and it is rows after it that were given up */
	r = buf_set(&js->now, buf_view(js->read_since ? &js->checked : &js->before));
	if (r == 0)
		r = buf_set(&js->checked, buf_view(&js->now));
	js->read_since = false;
	return r;
}

static bool
journal_at_end(struct source *s)
{
	return journal_of(s)->done;
}

static void
journal_status(struct source *s, void (*fn)(void *ctx, const struct source_status *st), void *ctx)
{
	struct journal_source *js = journal_of(s);
	AUTO_FINI(buf_fini) struct buf where = BUF_INIT;
	struct journal_position *pos;
	struct source_status st = {
		.kind = "journal",
		.name = js->name,
		.state = STR("reading"),
		.n_lines = js->n_lines,
		.n_bytes = js->n_bytes,
		.n_lost = js->n_lost,
		.last_line = js->last_line,
	};

	if (js->child.fd < 0)
		st.state = js->done ? STR("done") : STR("restarting");
	else if (js->state != JOURNAL_READER_READING)
		st.state = STR("waiting");
	else if (js->last_line.ns != 0 && wall_now().ns > js->last_line.ns)
		st.lag.ns = wall_now().ns - js->last_line.ns;
	pos = calloc(1, sizeof(*pos));
	if (pos != NULL && journal_position_decode(buf_view(&js->now), pos) == 0)
		buf_c(&where, pos->cursor);
	free(pos);
	st.position = buf_view(&where);
	fn(ctx, &st);
}

static struct source *
journal_free(struct source *s)
{
	struct journal_source *js = journal_of(s);
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;
	size_t i;

	if (js == NULL)
		return NULL;
	(void)journal_child_end(&js->child, true, &why);
	if (js->epoll_fd >= 0)
		(void)close(js->epoll_fd);
	for (i = 0; i < SOURCE_LOSSES_MAX; i++)
		buf_fini(&js->reasons[i]);
	free(js->aside);
	free(js->aside_ids);
	buf_fini(&js->frames);
	buf_fini(&js->touching_path);
	buf_fini(&js->now);
	buf_fini(&js->checked);
	buf_fini(&js->before);
	record_batch_fini(&js->batch);
	journal_convert_fini(&js->convert);
	arena_fini(&js->arena);
	free(js);
	return NULL;
}

static const struct source_ops journal_ops = {
	.kind = "journal",
	.fd = journal_fd,
	.deadline = journal_deadline,
	.poll = journal_poll,
	.checkpoint = journal_checkpoint,
	.rewind = journal_rewind,
	.status = journal_status,
	.free = journal_free,
	.at_end = journal_at_end,
};

/* Our own unit, when systemd runs us as a service; an entry of it would tell of itself for ever. */
static int
own_unit(struct journal_source *js)
{
	AUTO_FREE char *unit = NULL;

	if (getenv("INVOCATION_ID") == NULL || sd_pid_get_unit(0, &unit) < 0 ||
	    !str_ends(str_c(unit), STR(".service")))
		return 0;
	js->opt.own_unit = arena_dup(&js->arena, str_c(unit));
	return js->opt.own_unit.p != NULL ? 0 : err_origin(-ENOMEM);
}

static int
copy_options(struct journal_source *js, const struct journal_source_options *opt)
{
	AUTO_FINI(buf_fini) struct buf key = BUF_INIT;
	size_t i;

	buf_c(&key, "journal/");
	buf_str(&key, opt->name);
	js->key = arena_dup(&js->arena, buf_view(&key));
	js->name = str_sub(js->key, 8, js->key.n);
	js->opt.from = (uint8_t)opt->from;
	js->opt.from_time = opt->from_time;
	js->opt.flags = opt->once ? JOURNAL_ONCE : 0;
	js->opt.path = arena_dup(&js->arena, str_c(opt->path));
	js->program = opt->program == NULL ? NULL : (const char *)js->key.p;
	buf_clear(&key);
	if (opt->program != NULL) {
		buf_put(&key, opt->program, strlen(opt->program) + 1);
		js->program = (const char *)arena_dup(&js->arena, buf_view(&key)).p;
	}
	js->opt.units = arena_zalloc(&js->arena, opt->n_units + 1, sizeof(*js->opt.units));
	js->aside = calloc(JOURNAL_ASIDE_MAX, sizeof(*js->aside));
	js->aside_ids = calloc(JOURNAL_ASIDE_MAX, sizeof(*js->aside_ids));
	if (key.failed || js->key.p == NULL || js->opt.path.p == NULL || js->opt.units == NULL ||
	    js->aside == NULL || js->aside_ids == NULL ||
	    (opt->program != NULL && js->program == NULL))
		return err_origin(-ENOMEM);
	for (i = 0; i < opt->n_units; i++) {
		js->opt.units[i] = arena_dup(&js->arena, opt->units[i]);
		if (js->opt.units[i].p == NULL)
			return err_origin(-ENOMEM);
	}
	js->opt.n_units = opt->n_units;
	if (opt->own_too)
		return 0;
	js->opt.own_pid = (uint32_t)getpid();
	return own_unit(js);
}

int
journal_source_new(struct source **ret, const struct journal_source_options *opt,
    const struct intake *in, struct str saved_position, struct buf *ret_error)
{
	struct journal_source *js;
	int r;

	if (opt->n_units > JOURNAL_UNITS_MAX) {
		buf_printf(ret_error, "units: %zu are more than %d", opt->n_units,
		    JOURNAL_UNITS_MAX);
		return JOURNAL_E_OPTION;
	}
	js = calloc(1, sizeof(*js));
	if (js == NULL)
		return err_origin(-ENOMEM);
	js->base = (struct source){ .ops = &journal_ops, .intake = *in };
	js->child.fd = -1;
	js->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	r = js->epoll_fd < 0 ? err_origin(-errno) : copy_options(js, opt);
	if (r == 0)
		r = journal_convert_init(&js->convert, opt, ret_error);
	if (r == 0)
		r = buf_set(&js->now, saved_position);
	if (r == 0)
		r = buf_set(&js->checked, saved_position);
	if (r != 0) {
		(void)journal_free(&js->base);
		return r;
	}
	*ret = &js->base;
	return 0;
}
