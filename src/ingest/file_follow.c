/*
 * ingest/file_follow.c - one followed name.
 * One job: keep its generations in order, and read and close them as their time comes.
 * Floor: 3 (uses parsers, record, base).
 */
#include <fcntl.h>

#include "ingest/file_internal.h"

static int
grow_follows(struct file_source *s)
{
	size_t cap = s->cap_follows == 0 ? 16 : s->cap_follows * 2, i;
	struct follow **queue, **follows;

	queue = calloc(cap, sizeof(*queue));
	if (queue == NULL)
		return err_origin(-ENOMEM);
	follows = reallocarray(s->follows, cap, sizeof(*follows));
	if (follows == NULL) {
		free(queue);
		return err_origin(-ENOMEM);
	}
	for (i = 0; i < s->q_n; i++)
		queue[i] = s->queue[(s->q_at + i) % s->cap_follows];
	free(s->queue);
	s->queue = queue;
	s->follows = follows;
	s->q_at = 0;
	s->cap_follows = cap;
	return 0;
}

int
follow_get(struct file_source *s, const char *path, struct follow **ret)
{
	struct map_entry *e = map_get(&s->by_path, str_c(path));
	struct follow *f;
	int r;

	if (e != NULL && e->value != 0) {
		*ret = s->follows[e->value - 1];
		return 0;
	}
	if (s->n_follows == s->cap_follows) {
		r = grow_follows(s);
		if (r < 0)
			return err_trace(r);
	}
	f = calloc(1, sizeof(*f));
	e = map_put(&s->by_path, str_c(path), NULL);
	if (f == NULL || e == NULL || (f->path = strdup(path)) == NULL) {
		free(f);
		return err_origin(-ENOMEM);
	}
	f->state = FOLLOW_MISSING;
	s->follows[s->n_follows++] = f;
	e->value = s->n_follows;
	*ret = f;
	return 0;
}

struct follow *
follow_free(struct file_source *s, struct follow *f)
{
	while (f->n_gens > 0)
		gen_free(s, f->gens[--f->n_gens]);
	free(f->gens);
	free(f->path);
	free(f);
	return NULL;
}

void
follow_queue(struct file_source *s, struct follow *f)
{
	if (f->queued)
		return;
	s->queue[(s->q_at + s->q_n++) % s->cap_follows] = f;
	f->queued = true;
}

void
gen_wake(struct file_source *s, struct gen *g)
{
	if (g->dead || gen_is_known(g))
		return;
	g->ready = true;
	follow_queue(s, g->follow);
}

void
follow_remove_gen(struct file_source *s, struct gen *g)
{
	struct follow *f = g->follow;
	size_t i = 0;

	while (i < f->n_gens && f->gens[i] != g)
		i++;
	if (i == f->n_gens)
		return;
	memmove(f->gens + i, f->gens + i + 1, (f->n_gens - i - 1) * sizeof(*f->gens));
	f->n_gens--;
	if (f->live == g)
		f->live = NULL;
	gen_free(s, g);
}

static int
by_seq(const void *a, const void *b)
{
	const struct gen *const *x = a, *const *y = b;

	return ((*x)->seq > (*y)->seq) - ((*x)->seq < (*y)->seq);
}

void
follow_sort(struct follow *f)
{
	if (f->n_gens > 1)
		qsort(f->gens, f->n_gens, sizeof(f->gens[0]), by_seq);
}

int
follow_deny(struct file_source *s, struct follow *f, int r)
{
	bool news = f->error != r;

	if (r >= 0 || r == -ENOMEM || s->intake_failed)
		return err_trace(r);
	f->state = FOLLOW_DENIED;
	f->error = r;
	if (!news)
		return 0;
	return err_trace(file_say(s, f->path, "cannot be read, will be tried again", err_str(r)));
}

/* The file stays where it is and is tried again at the next scan. */
static int
deny(struct file_source *s, struct gen *g, int error)
{
	int r = follow_deny(s, g->follow, error);

	if (r < 0)
		return err_trace(r);
	g->ready = false;
	g->denied = true;
	return 0;
}

/* It can be read, after all. */
static void
allow(struct gen *g)
{
	struct follow *f = g->follow;

	g->denied = false;
	if (f->live != g)
		return;
	f->error = 0;
	if (f->state == FOLLOW_DENIED)
		f->state = FOLLOW_READING;
}

/* Its path leads elsewhere: the next scan will say where it is. */
static void
lose_path(struct file_source *s, struct gen *g)
{
	g->ready = false;
	(void)gen_set_path(g, NULL);
	s->scan_at = mono_now();
}

static int
read_gen(struct file_source *s, struct gen *g, size_t *ret_n)
{
	int r = gen_open(s, g);

	if (r == GEN_E_GONE) {
		lose_path(s, g);
		return 0;
	}
	if (r == 0)
		r = gen_read(s, g, false, ret_n);
	if (r == 0)
		allow(g);
	if (r == GEN_E_REPLACED)
		r = follow_replaced(s, g);
	return r < 0 ? deny(s, g, r) : 0;
}

int
follow_read(struct file_source *s, struct follow *f, size_t *ret_n)
{
	size_t i;
	int r;

	*ret_n = 0;
	for (i = 0; i < f->n_gens; i++)
		if (f->gens[i]->ready) {
			r = read_gen(s, f->gens[i], ret_n);
			if (r < 0)
				follow_queue(s, f);
			if (r != 0)
				return err_trace(r);
			break;
		}
	for (i = 0; i < f->n_gens; i++)
		if (f->gens[i]->ready)
			follow_queue(s, f);
	return 0;
}

/* A file that its writer has left: flush what waits for an end that will not come, and let it go. */
static int
finish(struct file_source *s, struct gen *g)
{
	size_t n = 0;
	int r;

	r = gen_read(s, g, true, &n);
	if (r == GEN_E_REPLACED)
		return err_trace(follow_replaced(s, g));
	if (r == 0)
		r = gen_flush(s, g, true);
	return err_trace(r);
}

/* What cannot be had of an archive is lost: nobody will mend it. */
static int
tell_damage(struct file_source *s, struct gen *g)
{
	AUTO_FINI(buf_fini) struct buf why = BUF_INIT;

	if (g->zip == NULL || !unzip_why(g->zip, &why))
		return 0;
	return err_trace(file_lost(s, g->follow, buf_c_str(&why), g->now.offset, 0, false));
}

static int
tick_left(struct file_source *s, struct gen *g, struct span now)
{
	int64_t idle = now.ns - g->grew.ns;
	struct file_stat st;
	int r;

	r = file_stat_get(g->fd, "", AT_EMPTY_PATH, &st);
	if (r < 0)
		return err_trace(r);
	g->gone = st.n_links == 0;
	if (g->denied || (g->zip == NULL && st.size != g->size)) {
		g->grew = now;
		gen_wake(s, g);
		return 0;
	}
	/* What is in an archive is all there will ever be. */
	if ((idle >= s->opt.rotate_wait.ns || g->zip != NULL) &&
	    (g->now.offset < g->size || parser_pending(g->parser))) {
		r = finish(s, g);
		if (r < 0)
			return err_trace(r);
	}
	/* While a commit may still be aborted, the bytes must stay within reach. */
	if (g->fd < 0 || g->changed || g->unacked ||
	    (idle < s->opt.close_idle.ns && g->zip == NULL))
		return 0;
	r = tell_damage(s, g);
	if (r < 0)
		return err_trace(r);
	gen_close(s, g);
	g->flags |= FILE_POS_FINAL | FILE_POS_ROTATED;
	g->changed = true;
	if (g->gone)
		g->dead = true;
	return 0;
}

int
follow_tick(struct file_source *s, struct follow *f, struct span now)
{
	struct gen *g;
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < f->n_gens; i++) {
		g = f->gens[i];
		if (g->fd < 0 || g->ready)
			continue;
		if (g != f->live)
			r = s->opt.once ? 0 : follow_deny(s, f, tick_left(s, g, now));
		else
			r = gen_flush(s, g, false);
		if (g->fd >= 0 && (g != f->live || parser_pending(g->parser)))
			s->busy = true;
	}
	return err_trace(r);
}
