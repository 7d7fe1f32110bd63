/*
 * ingest/file.c - log files.
 * One job: be a source: options in, polls, checkpoints and the state of every name out.
 * Floor: 3 (uses parsers, logsql, record, base).
 */
#include "ingest/file.h"

#include "ingest/file_internal.h"

enum { RESCAN_S = 30, RESCAN_BLIND_S = 2, CLOSE_IDLE_S = 300, ROTATE_WAIT_S = 5, CHUNK_MIN = 4096 };

/*
 * The key that says that a first look was taken: from then on a new file is read from its beginning.  Its value is when a
 * look was taken, in ns: all names that were there then have positions.
 */
#define STARTED_KEY STR("file/started")

static struct file_source *
source_of(struct source *base)
{
	return (struct file_source *)(void *)base;
}

static struct source *
file_source_free(struct source *base)
{
	struct file_source *s = source_of(base);
	size_t i;

	if (s == NULL)
		return NULL;
	file_peers_leave(s);
	for (i = 0; i < s->n_follows; i++)
		(void)follow_free(s, s->follows[i]);
	free(s->follows);
	free(s->queue);
	for (i = 0; i < s->n_patterns; i++)
		free(s->patterns[i]);
	free(s->patterns);
	(void)shape_free(s->shape);
	(void)watch_free(s->watch);
	file_losses_fini(s);
	file_strangers_fini(s);
	record_batch_fini(&s->batch);
	buf_fini(&s->chunk);
	map_fini(&s->by_path);
	map_fini(&s->by_id);
	arena_fini(&s->arena);
	free(s);
	return NULL;
}

static int
file_fd(struct source *base)
{
	return watch_fd(source_of(base)->watch);
}

static struct span
file_deadline(struct source *base)
{
	struct file_source *s = source_of(base);

	if (s->q_n > 0)
		return (struct span){ 0 };
	if (s->busy && s->tick_at.ns < s->scan_at.ns)
		return s->tick_at;
	return s->scan_at;
}

/* A change of names is looked at soon, but a folder that is slow to list does not take all the time. */
static void
scan_soon(struct file_source *s)
{
	struct span now = mono_now();
	int64_t at = now.ns + 10 * s->scan_took.ns;

	if (s->scan_at.ns > at)
		s->scan_at.ns = at;
}

static void
on_change(void *ctx, const char *path, bool moved)
{
	struct file_source *s = ctx;
	struct map_entry *e;
	struct follow *f;
	size_t i;

	if (path == NULL || moved)
		scan_soon(s);
	if (path == NULL)
		return;
	e = map_get(&s->by_path, str_c(path));
	if (e != NULL && e->value != 0) {
		f = s->follows[e->value - 1];
		if (f->live != NULL)
			gen_wake(s, f->live);
		for (i = 0; i < f->n_gens; i++)
			if (f->gens[i]->fd >= 0 && f->gens[i] != f->live)
				gen_wake(s, f->gens[i]);
	}
}

static int
tick(struct file_source *s)
{
	struct span now = mono_now();
	size_t i;
	int r = 0;

	s->busy = false;
	s->tick_at.ns = now.ns + FILE_TICK_S * NS_PER_S;
	for (i = 0; r == 0 && i < s->n_follows; i++)
		r = follow_tick(s, s->follows[i], now);
	return err_trace(r);
}

static int
put_started(struct file_source *s)
{
	struct buf value = BUF_INIT;
	struct wall at = s->looked;
	size_t i;
	int r;

	for (i = 0; i < s->n_peers; i++)
		if (s->peers[i].source->looked.ns < at.ns)
			at = s->peers[i].source->looked;
	buf_uint(&value, (uint64_t)at.ns);
	r = buf_err(&value);
	if (r == 0)
		r = s->base.intake.position(s->base.intake.ctx, STARTED_KEY, buf_view(&value));
	buf_fini(&value);
	return err_fold(r);
}

static int
scan_when_due(struct file_source *s)
{
	int r;

	if (mono_now().ns < s->scan_at.ns)
		return 0;
	r = file_scan(s);
	if (r == 0 && !s->started) {
		s->started = true;
		r = put_started(s);
	}
	if (!watch_complete(s->watch) && s->scan_at.ns > mono_now().ns + RESCAN_BLIND_S * NS_PER_S)
		s->scan_at.ns = mono_now().ns + RESCAN_BLIND_S * NS_PER_S;
	return err_trace(r);
}

/* One chunk of each in turn, so that a busy file does not starve the others. */
static int
read_round(struct file_source *s, size_t max_bytes)
{
	size_t done = 0, n = 0;
	struct follow *f;
	int r;

	while (s->q_n > 0 && done < max_bytes) {
		f = s->queue[s->q_at];
		s->q_at = (s->q_at + 1) % s->cap_follows;
		s->q_n--;
		f->queued = false;
		r = follow_read(s, f, &n);
		if (r < 0)
			return err_trace(r);
		/* A small file costs a few system calls, which count too. */
		done += n + CHUNK_MIN;
	}
	return s->q_n > 0 ? 1 : 0;
}

static int acknowledge(struct file_source *s);

static int
file_poll(struct source *base, size_t max_bytes)
{
	struct file_source *s = source_of(base);
	int r;

	s->intake_failed = false;
	r = acknowledge(s);
	if (r == 0)
		r = watch_read(s->watch, on_change, s);
	if (r == 0)
		r = scan_when_due(s);
	if (r == 0 && mono_now().ns >= s->tick_at.ns)
		r = tick(s);
	if (r < 0)
		return err_trace(r);
	/* What was read may have left a group to be finished by time. */
	s->busy = s->busy || s->q_n > 0;
	return err_trace(read_round(s, max_bytes));
}

/* Positions.  -------------------------------------------------------------------------------- */

static int
put_key(struct file_source *s, const struct file_id *id, struct str value)
{
	char key[FILE_KEY_MAX];

	file_pos_key(id, key);
	return err_fold(s->base.intake.position(s->base.intake.ctx, str_c(key), value));
}

static int
put_position(struct file_source *s, struct gen *g)
{
	struct buf out = BUF_INIT;
	struct file_pos pos;
	int r;

	gen_position(g, &g->now, &pos);
	file_pos_write(&out, &pos);
	r = buf_err(&out);
	if (r == 0)
		r = put_key(s, &g->id, buf_view(&out));
	buf_fini(&out);
	return err_trace(r);
}

static int
ack_follow(struct file_source *s, struct follow *f)
{
	struct gen *g;
	size_t i = 0;
	int r;

	while (i < f->n_gens) {
		g = f->gens[i];
		if (!g->unacked) {
			i++;
			continue;
		}
		r = file_mark_copy(&g->acked, &g->sent);
		if (r < 0)
			return err_trace(r);
		g->unacked = false;
		g->was.n = 0;
		/* The commit that forgot it is durable. */
		if (g->dead && !g->changed)
			follow_remove_gen(s, g);
		else
			i++;
	}
	return 0;
}

/* A source is not polled between its checkpoint and the commit: it went well, or rewind would have come first. */
static int
acknowledge(struct file_source *s)
{
	size_t i;
	int r = 0;

	if (!s->checked)
		return 0;
	for (i = 0; r == 0 && i < s->n_follows; i++)
		r = ack_follow(s, s->follows[i]);
	if (r < 0)
		return err_trace(r);
	file_losses_acked(s);
	file_strangers_acked(s);
	s->checked = false;
	return 0;
}

static int
file_committed(struct source *base)
{
	return err_trace(acknowledge(source_of(base)));
}

static int
checkpoint_gen(struct file_source *s, struct gen *g)
{
	int r = 0;

	if (!g->changed)
		return 0;
	if (g->was.n != 0 && gen_by_id(s, &g->was) == NULL)
		r = put_key(s, &g->was, STR_NONE);
	if (r == 0 && gen_by_id(s, &g->id) == g)
		r = g->dead ? put_key(s, &g->id, STR_NONE) : put_position(s, g);
	if (r == 0)
		r = file_mark_copy(&g->sent, &g->now);
	if (r < 0)
		return err_trace(r);
	g->changed = false;
	g->unacked = true;
	return 0;
}

static int
file_checkpoint(struct source *base)
{
	struct file_source *s = source_of(base);
	bool changed = false;
	size_t i, k;
	int r = 0;

	for (i = 0; r == 0 && i < s->n_follows; i++)
		for (k = 0; r == 0 && k < s->follows[i]->n_gens; k++) {
			changed = changed || s->follows[i]->gens[k]->changed;
			r = checkpoint_gen(s, s->follows[i]->gens[k]);
		}
	if (r == 0 && changed && s->started)
		r = put_started(s);
	if (r == 0)
		r = file_strangers_put(s);
	file_losses_sent(s);
	s->checked = true;
	return err_trace(r);
}

/* What was handed up since then must be read again; where its bytes are gone meanwhile, it is lost. */
static int
rewind_gen(struct file_source *s, struct gen *g)
{
	uint64_t had = g->now.offset, from = g->acked.offset;
	struct file_print head = g->now.head;
	int r;

	r = file_mark_copy(&g->now, &g->acked);
	/* How the file begins is no less known than before. */
	if (head.n > g->now.head.n)
		g->now.head = head;
	if (r == 0)
		r = file_mark_copy(&g->sent, &g->acked);
	g->changed = true;
	g->unacked = false;
	if (r == 0 && g->fd >= 0)
		r = gen_back(s, g);
	if (r < 0)
		return err_trace(r);
	if (g->dead && had > from)
		return err_trace(file_lost(s, g->follow, "aborted", from, had - from, true));
	if (had != from)
		g->flags &= ~(unsigned)(FILE_POS_FINAL | FILE_POS_KNOWN);
	if (had != from)
		gen_wake(s, g);
	return 0;
}

static int
file_rewind(struct source *base)
{
	struct file_source *s = source_of(base);
	size_t i, k;
	int r;

	record_batch_clear(&s->batch);
	s->checked = false;
	file_strangers_again(s);
	r = file_losses_again(s);
	if (r == 0 && s->started)
		r = put_started(s);
	for (i = 0; r == 0 && i < s->n_follows; i++)
		for (k = 0; r == 0 && k < s->follows[i]->n_gens; k++)
			r = rewind_gen(s, s->follows[i]->gens[k]);
	return err_trace(r);
}

/* All whole lines were handed up; one that is not finished stays unread. */
static bool
file_at_end(struct source *base)
{
	return source_of(base)->q_n == 0;
}

/* State.  ------------------------------------------------------------------------------------ */

static const char *
state_text(const struct follow *f)
{
	switch (f->state) {
	case FOLLOW_READING:
		return "reading";
	case FOLLOW_MISSING:
		return "missing";
	case FOLLOW_DENIED:
		return "denied";
	case FOLLOW_REFUSED:
		return "refused";
	case FOLLOW_SAME:
		return "same";
	}
	return "";
}

static void
sum_up(const struct follow *f, struct source_status *st)
{
	const struct gen *g;
	size_t i;

	for (i = 0; i < f->n_gens; i++) {
		g = f->gens[i];
		st->n_lines += g->n_lines;
		st->n_bytes += g->n_bytes;
		if (g->last_line.ns > st->last_line.ns)
			st->last_line = g->last_line;
		if (!g->dead && !gen_is_known(g) && g->size > g->now.offset)
			st->lag_bytes += g->size - g->now.offset;
	}
}

static void
file_status(struct source *base, void (*fn)(void *ctx, const struct source_status *st), void *ctx)
{
	struct file_source *s = source_of(base);
	struct buf at = BUF_INIT;
	const struct follow *f;
	size_t i;

	for (i = 0; i < s->n_follows; i++) {
		struct source_status st = { .kind = "file" };

		f = s->follows[i];
		if (f->n_gens == 0 && f->state == FOLLOW_MISSING)
			continue;
		st.name = str_c(f->path);
		st.state = str_c(state_text(f));
		st.n_lost_bytes = f->n_lost_bytes;
		sum_up(f, &st);
		buf_clear(&at);
		if (f->live != NULL)
			buf_printf(&at, "byte %llu of %llu",
			    (unsigned long long)f->live->now.offset,
			    (unsigned long long)f->live->size);
		st.position = buf_view(&at);
		fn(ctx, &st);
	}
	buf_fini(&at);
}

static const struct source_ops file_ops = {
	.kind = "file",
	.fd = file_fd,
	.deadline = file_deadline,
	.poll = file_poll,
	.checkpoint = file_checkpoint,
	.rewind = file_rewind,
	.status = file_status,
	.free = file_source_free,
	.at_end = file_at_end,
	.committed = file_committed,
};

/* Options.  ---------------------------------------------------------------------------------- */

static void
set_defaults(struct file_source_options *o)
{
	if (o->max_line < CHUNK_MIN)
		o->max_line = o->max_line == 0 ? FILE_LINE_MAX : CHUNK_MIN;
	if (o->chunk < CHUNK_MIN)
		o->chunk = o->chunk == 0 ? FILE_CHUNK : CHUNK_MIN;
	if (o->max_names == 0)
		o->max_names = FILE_NAMES_MAX;
	if (o->max_open == 0)
		o->max_open = FILE_OPEN_MAX;
	if (o->max_positions == 0)
		o->max_positions = FILE_POSITIONS_MAX;
	if (o->rescan.ns <= 0)
		o->rescan.ns = RESCAN_S * NS_PER_S;
	if (o->close_idle.ns <= 0)
		o->close_idle.ns = CLOSE_IDLE_S * NS_PER_S;
	if (o->rotate_wait.ns <= 0)
		o->rotate_wait.ns = ROTATE_WAIT_S * NS_PER_S;
}

static struct str
keep(struct file_source *s, struct str text)
{
	return arena_dup(&s->arena, text);
}

static const char *
keep_c(struct file_source *s, const char *text)
{
	struct str copy;

	if (text == NULL)
		return NULL;
	copy = arena_dup(&s->arena, str_of(text, strlen(text) + 1));
	return (const char *)copy.p;
}

static int
take_paths(struct file_source *s, const struct file_source_options *opt, struct buf *ret_error)
{
	struct str p;
	size_t i;

	s->patterns = calloc(opt->n_paths + 1, sizeof(*s->patterns));
	if (s->patterns == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < opt->n_paths; i++) {
		p = opt->paths[i];
		if (p.n == 0 || p.p[0] != '/' || p.p[p.n - 1] == '/' ||
		    memchr(p.p, 0, p.n) != NULL) {
			if (ret_error != NULL)
				buf_printf(ret_error,
				    "paths: '%.*s': must be the absolute name of a file or a glob",
				    STR_ARG(p));
			return FILE_E_OPTION;
		}
		s->patterns[i] = strndup((const char *)p.p, p.n);
		if (s->patterns[i] == NULL)
			return err_origin(-ENOMEM);
		s->n_patterns++;
	}
	return 0;
}

static int
take_parser(struct file_source *s, const struct parser_options *opt, struct buf *ret_error)
{
	struct parser *p = NULL;
	int r;

	s->parser_opt = *opt;
	s->parser_opt.name = keep_c(s, opt->name);
	s->parser_opt.multiline = keep_c(s, opt->multiline);
	s->parser_opt.pattern = keep(s, opt->pattern);
	s->parser_opt.start = keep(s, opt->start);
	s->parser_opt.continuation = keep(s, opt->continuation);
	r = parser_new(&p, &s->parser_opt, ret_error);
	(void)parser_free(p);
	return r == PARSER_E_OPTION ? FILE_E_OPTION : err_trace(r);
}

static int
take_options(struct file_source *s, const struct file_source_options *opt, struct buf *ret_error)
{
	int r;

	s->opt = *opt;
	set_defaults(&s->opt);
	s->host = keep(s, opt->host);
	r = take_paths(s, opt, ret_error);
	if (r == 0)
		r = take_parser(s, &opt->parser, ret_error);
	if (r != 0)
		return r;
	r = shape_new(&s->shape, &opt->shape, ret_error);
	return r == SHAPE_E_OPTION ? FILE_E_OPTION : err_trace(r);
}

static struct wall
looked_at(struct str digits)
{
	struct wall at = { 0 };
	size_t i;

	for (i = 0; i < digits.n && i < 18 + 1 && digits.p[i] >= '0' && digits.p[i] <= '9'; i++)
		at.ns = (int64_t)((uint64_t)at.ns * 10 + (uint64_t)(digits.p[i] - '0'));
	return at;
}

/* A position that cannot be read is as if it were not there; it is said, since lines may then come twice. */
static int
load_position(void *ctx, struct str key, struct str value)
{
	struct file_source *s = ctx;
	struct file_pos pos;
	int r;

	if (str_eq(key, STARTED_KEY)) {
		s->started = true;
		s->looked = looked_at(value);
	}
	if (!str_starts(key, STR("file/")) || str_eq(key, STARTED_KEY))
		return 0;
	r = file_pos_read(value, &pos);
	if (r == FILE_POS_E_SYNTAX)
		return err_trace(file_say(s, "position", "cannot be read and is not used", ""));
	return err_trace(gen_load(s, &pos));
}

static int
load(struct file_source *s, const struct file_positions *saved)
{
	size_t i;
	int r;

	r = watch_new(&s->watch);
	if (r == 0 && saved != NULL)
		r = saved->each(saved->ctx, load_position, s);
	for (i = 0; i < s->n_follows; i++)
		follow_sort(s->follows[i]);
	return err_fold(r);
}

int
file_source_new(struct source **ret, const struct file_source_options *opt, const struct intake *in,
    const struct file_positions *saved, struct buf *ret_error)
{
	struct file_source *s = calloc(1, sizeof(*s));
	struct source *base;
	int r;

	if (s == NULL)
		return err_origin(-ENOMEM);
	base = &s->base;
	base->ops = &file_ops;
	base->intake = *in;
	r = take_options(s, opt, ret_error);
	if (r == 0)
		r = file_peers_join(s, opt->before, opt->n_before);
	if (r == 0)
		r = load(s, saved);
	if (r != 0) {
		(void)file_source_free(base);
		return r;
	}
	*ret = base;
	return 0;
}
