/*
 * ingest/journal_source.c - the journal as a source.
 * One job: run the reader, take what it sends, and start it again when it dies.
 * Floor: 3 (uses parsers, record, base).
 */
#include "ingest/journal_source.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <systemd/sd-login.h>

static struct journal_source *
journal_of(struct source *s)
{
	return (struct journal_source *)(void *)s;
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

/*
 * A crash: the next reader looks at each file alone.  A file that a crash named, and that the look found harmless, is
 * set aside when it is named again before anything else was read.
 */
static int
reader_crashed(struct journal_source *js, struct str why)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	bool again =
	    js->touching_path.n != 0 && str_eq(buf_view(&js->touching_path), buf_view(&js->blamed));

	js->probe = true;
	if (again) {
		buf_printf(&text, "reading it kills the reader (%.*s)", STR_ARG(why));
		return journal_tell_aside(js, &js->touching, true, buf_view(&js->touching_path),
		    buf_view(&text));
	}
	buf_printf(&text, "journal reader crashed: %.*s: looking for the file at fault",
	    STR_ARG(why));
	if (js->touching_path.n != 0)
		buf_printf(&text, ", perhaps %.*s", STR_ARG(buf_view(&js->touching_path)));
	if (journal_take_set(&js->blamed, buf_view(&js->touching_path)) != 0)
		return err_origin(-ENOMEM);
	return journal_tell_note(js, buf_view(&text));
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
		r = journal_tell_note(js, buf_view(&text));
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
	(void)journal_tell_note(js, STR("journal reader ended: it sent what is no frame"));
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

	js->polled = true;
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
		r = journal_take_frames(js, &max_bytes);
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
	/* A commit that is tried again is checkpointed again, and what came before it is still not durable. */
	if (r == 0 && js->polled)
		r = journal_take_set(&js->before, buf_view(&js->checked));
	if (r == 0)
		r = journal_take_set(&js->checked, buf_view(&js->now));
	js->polled = false;
	return r;
}

static int
journal_committed(struct source *s)
{
	struct journal_source *js = journal_of(s);

	return journal_take_set(&js->before, buf_view(&js->checked));
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
	/* polled since the checkpoint: its commit was done, and it is rows after it that are given up */
	r = journal_take_set(&js->now, buf_view(js->polled ? &js->checked : &js->before));
	if (r == 0)
		r = journal_take_set(&js->checked, buf_view(&js->now));
	if (r == 0)
		r = journal_take_set(&js->before, buf_view(&js->now));
	js->polled = false;
	return r;
}

static bool
journal_at_end(struct source *s)
{
	return journal_of(s)->done;
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
	buf_fini(&js->blamed);
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
	.status = journal_source_status,
	.free = journal_free,
	.at_end = journal_at_end,
	.committed = journal_committed,
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
		r = journal_take_set(&js->now, saved_position);
	if (r == 0)
		r = journal_take_set(&js->checked, saved_position);
	if (r == 0)
		r = journal_take_set(&js->before, saved_position);
	if (r != 0) {
		(void)journal_free(&js->base);
		return r;
	}
	*ret = &js->base;
	return 0;
}
