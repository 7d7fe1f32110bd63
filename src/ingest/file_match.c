/*
 * ingest/file_match.c - which file is which generation.
 * One job: after a change of names or of content, find every byte that is still to be read, and say what is lost.
 * Floor: 3 (uses parsers, record, base).
 *
 * A file is found again by its identity.  Where that fails (a copy was made and the file truncated, or it was compressed)
 * it is found by its content: the same head, and the same bytes before the position.  What lies between a known
 * generation and the live file was missed, and is read whole.
 */
#include <fcntl.h>

#include "base/io.h"
#include "ingest/file_internal.h"

/* A known file was seen at ${path}. */
static int
seen_at(struct file_source *s, struct gen *g, const char *path, const struct file_stat *st)
{
	g->st = *st;
	g->gone = false;
	if (g->dead || gen_is_known(g))
		return err_trace(gen_set_path(g, path));
	if ((g->flags & FILE_POS_ARCHIVE) == 0 && st->size != g->now.offset &&
	    (g->fd < 0 || g->denied || st->size != g->size)) {
		g->flags &= ~(unsigned)FILE_POS_FINAL;
		gen_wake(s, g);
	} else if ((g->flags & (FILE_POS_ARCHIVE | FILE_POS_FINAL)) == FILE_POS_ARCHIVE &&
	    g->fd < 0) {
		gen_wake(s, g);
	}
	return err_trace(gen_set_path(g, path));
}

static struct gen *
gen_by_stat(struct follow *f, const struct file_stat *st)
{
	size_t i;

	for (i = 0; i < f->n_gens; i++)
		if (!f->gens[i]->dead && file_stat_same(&f->gens[i]->st, st))
			return f->gens[i];
	return NULL;
}

/*
 * A file that is not being read (all of it was, or it is a copy, or was there before) may have been written anew with
 * something else, of the same size even: a copy is made over the older one again and again.
 */
static int
check_idle(struct look *l, struct gen *g, struct sibling *sib)
{
	enum likeness like = LIKE_ALL;
	int r = 0;

	if (g->st.size != sib->st.size || g->st.changed != sib->st.changed)
		r = like_sibling(g, sib, &like);
	if (r < 0)
		return err_trace(r);
	if (like != LIKE_NOT)
		return err_trace(seen_at(l->s, g, sib->path, &sib->st));
	sib->id = g->id;
	sib->used = false;
	l->turned = true;
	/* What was not read to its end is missed now: it is looked for by its content, or told as lost. */
	if (gen_is_known(g) || (g->flags & FILE_POS_FINAL) != 0)
		g->dead = g->changed = true;
	return err_trace(gen_set_path(g, NULL));
}

/* Whether nothing but its identity ties it to what lies there now. */
static bool
is_idle(const struct gen *g)
{
	return gen_is_known(g) ||
	    (g->fd < 0 && g->now.offset > 0 && (g->flags & FILE_POS_ARCHIVE) == 0);
}

/* Find the siblings that are known by identity. */
static int
match_siblings(struct look *l)
{
	struct sibling *sib;
	const char *why = NULL;
	struct gen *g;
	size_t i;
	int fd, r;

	for (i = 0; i < l->n_sibs; i++) {
		sib = &l->sibs[i];
		g = gen_by_stat(l->f, &sib->st);
		if (g == NULL) {
			why = NULL;
			fd = file_open(sib->path, &sib->st, &why);
			if (fd < 0) {
				sib->used = true;
				l->denied = l->denied || (why == NULL && fd != -ENOENT);
				continue;
			}
			r = file_id_get(fd, &sib->id);
			(void)close(fd);
			if (r < 0)
				return err_trace(r);
			g = gen_by_id(l->s, &sib->id);
			sib->used = g == NULL && file_peer_has(l->s, &sib->id);
		}
		if (g == NULL || g->dead)
			continue;
		sib->used = true;
		if (g->follow != l->f || g == l->f->live)
			continue;
		r = is_idle(g) ? check_idle(l, g, sib) : seen_at(l->s, g, sib->path, &sib->st);
		if (r < 0)
			return err_trace(r);
	}
	return 0;
}

static void
retire_live(struct look *l)
{
	struct gen *g = l->f->live;

	if (g == NULL)
		return;
	l->f->live = NULL;
	l->turned = true;
	g->flags |= FILE_POS_ROTATED;
	g->changed = true;
	if (g->fd >= 0) {
		g->grew = mono_now();
		gen_wake(l->s, g);
	}
	(void)gen_set_path(g, NULL);
}

static int
set_state(struct look *l, enum follow_state state, int error, const char *why)
{
	struct follow *f = l->f;
	bool news = f->state != state || f->error != error;

	f->state = state;
	f->error = error;
	if (!news || why == NULL)
		return 0;
	return err_trace(file_say(l->s, f->path,
	    state == FOLLOW_REFUSED ? "is not followed" : "cannot be read, will be tried again",
	    why));
}

/* The bytes of a file whose position was saved are not there any more. */
static int
detach(struct file_source *s, struct gen *g)
{
	struct file_id id;
	int r;

	gen_close(s, g);
	g->ready = false;
	g->cut = true;
	g->flags |= FILE_POS_ROTATED;
	g->st = (struct file_stat){ 0 };
	if (g->follow->live == g)
		g->follow->live = NULL;
	r = gen_set_path(g, NULL);
	if (r < 0 || gen_by_id(s, &g->id) != g)
		return err_trace(r);
	/* The file goes on with a new generation under this identity; what is missed has a key of its own until its copy
	 * is found, so that a crash meanwhile does not forget it. */
	g->was = g->id;
	g->changed = true;
	file_id_cut(&g->was, g->seq, &id);
	return err_trace(gen_set_id(s, g, &id));
}

/* The name leads to a file that is known by identity; is its content, too? */
static int
resume(struct look *l, struct gen *g, bool *ret_same)
{
	struct file_bytes b = { l->fd, NULL };
	enum likeness like = LIKE_ALL;
	int r = 0;

	*ret_same = true;
	if (!g->verified && g->now.head.n > 0)
		r = like_compare(g, &b, l->st.size, &like);
	if (r < 0)
		return err_trace(r);
	if (like != LIKE_ALL) {
		*ret_same = false;
		l->turned = true;
		return err_trace(detach(l->s, g));
	}
	g->verified = true;
	g->flags &= ~(unsigned)(FILE_POS_ROTATED | FILE_POS_FINAL);
	g->flags &= ~(unsigned)FILE_POS_KNOWN;
	l->f->live = g;
	return err_trace(seen_at(l->s, g, l->f->path, &l->st));
}

/* Another name leads to the same file: it is read once, under the name that had it first. */
static int
same_file(struct look *l, struct gen *g)
{
	l->f->state = FOLLOW_SAME;
	if (g == g->follow->live)
		return 0;
	return err_trace(seen_at(l->s, g, l->f->path, &l->st));
}

static int
take_fd(struct look *l)
{
	struct gen *g;
	bool same = false;
	int r;

	r = file_id_get(l->fd, &l->id);
	if (r < 0)
		return err_trace(r);
	g = gen_by_id(l->s, &l->id);
	if (g == NULL && file_peer_has(l->s, &l->id)) {
		retire_live(l);
		same = true;
		l->f->state = FOLLOW_SAME;
	} else if (g != NULL && g == l->f->live) {
		same = true;
		r = seen_at(l->s, g, l->f->path, &l->st);
	} else {
		retire_live(l);
		if (g != NULL && g->follow != l->f && !g->dead) {
			same = true;
			r = same_file(l, g);
		} else if (g != NULL && !g->dead) {
			r = resume(l, g, &same);
		}
	}
	if (same) {
		(void)close(l->fd);
		l->fd = -1;
	}
	return err_trace(r);
}

/* What the name leads to; afterwards l->fd is open when that is a file that is not known by identity. */
static int
look_at_name(struct look *l)
{
	struct follow *f = l->f;
	const char *why = NULL;
	int r;

	r = file_stat_get(AT_FDCWD, f->path, 0, &l->st);
	if (r == -ENOENT || r == -ENOTDIR) {
		retire_live(l);
		return err_trace(set_state(l, FOLLOW_MISSING, 0, NULL));
	}
	if (r == 0 && f->live != NULL && file_stat_same(&l->st, &f->live->st) && f->live->verified)
		return err_trace(seen_at(l->s, f->live, f->path, &l->st));
	l->fd = file_open(f->path, &l->st, &why);
	if (l->fd == -ENOENT)
		return err_trace(set_state(l, FOLLOW_MISSING, 0, NULL));
	if (l->fd < 0 && why != NULL) {
		retire_live(l);
		return err_trace(set_state(l, FOLLOW_REFUSED, 0, why));
	}
	if (l->fd < 0) {
		l->denied = true;
		return err_trace(set_state(l, FOLLOW_DENIED, l->fd, err_str(l->fd)));
	}
	/* Whether its bytes can be read too, reading says. */
	f->state = FOLLOW_READING;
	return err_trace(take_fd(l));
}

static bool
is_missing(const struct gen *g)
{
	return !g->dead && !gen_is_known(g) && g->fd < 0 && g->path == NULL &&
	    (g->flags & FILE_POS_FINAL) == 0;
}

/* The generation goes on in the file ${id} at ${path}. */
static int
adopt(struct look *l, struct gen *g, const struct file_id *id, const struct file_stat *st,
    const char *path, bool archive)
{
	int r;

	if (gen_by_id(l->s, &g->id) == g)
		g->was = g->id;
	r = gen_set_id(l->s, g, id);
	if (r == 0)
		r = gen_set_path(g, path);
	if (r < 0)
		return err_trace(r);
	g->flags = (g->flags & ~(unsigned)FILE_POS_ARCHIVE) | (archive ? FILE_POS_ARCHIVE : 0);
	g->st = *st;
	g->copy = path != l->f->path;
	g->changed = true;
	gen_wake(l->s, g);
	if (!g->cut)
		return 0;
	/* What was written between the copy and the truncation is in neither, and nothing tells how much. */
	g->cut = false;
	return err_trace(file_lost(l->s, l->f, "truncated", g->now.offset, 0, false));
}

static int
find_in_siblings(struct look *l, struct gen *g, bool *ret_found)
{
	enum likeness like = LIKE_NOT, best = LIKE_NOT;
	struct sibling *sib = NULL;
	size_t i;
	int r;

	for (i = 0; i < l->n_sibs && best != LIKE_ALL; i++) {
		if (l->sibs[i].used || (l->sibs[i].archive && l->s->opt.no_archives))
			continue;
		r = like_sibling(g, &l->sibs[i], &like);
		if (r < 0)
			return err_trace(r);
		if (like > best) {
			best = like;
			sib = &l->sibs[i];
		}
	}
	*ret_found = best != LIKE_NOT;
	if (sib == NULL)
		return 0;
	sib->used = true;
	if (best == LIKE_ALL)
		return err_trace(adopt(l, g, &sib->id, &sib->st, sib->path, sib->archive));
	/* The copy ends before the position: all of it was read, and whatever came after it is gone. */
	r = adopt(l, g, &sib->id, &sib->st, sib->path, sib->archive);
	g->flags |= FILE_POS_KNOWN;
	g->ready = false;
	g->flags |= FILE_POS_FINAL;
	return err_trace(r);
}

/* The live file may be the one that is missed, where identities do not last (another kernel, a restored backup). */
static int
find_in_live(struct look *l, struct gen *g, bool *ret_found)
{
	struct file_bytes b = { l->fd, NULL };
	enum likeness like = LIKE_NOT;
	int r;

	*ret_found = false;
	if (l->fd < 0 || g->cut)
		return 0;
	r = like_compare(g, &b, l->st.size, &like);
	if (r < 0 || like != LIKE_ALL)
		return err_trace(r);
	*ret_found = true;
	r = adopt(l, g, &l->id, &l->st, l->f->path, false);
	g->flags &= ~(unsigned)FILE_POS_ROTATED;
	l->f->live = g;
	(void)close(l->fd);
	l->fd = -1;
	return err_trace(r);
}

/* Nothing has its bytes any more. */
static int
give_up(struct look *l, struct gen *g)
{
	uint64_t n = g->size > g->now.offset ? g->size - g->now.offset : 0;
	/* Of one that was rotated away before, all that was seen was read: nothing is known to be lost. */
	bool quiet = n == 0 && !g->cut && (g->flags & FILE_POS_ROTATED) != 0;
	int r = 0;

	if (g->now.group.n > 0) {
		r = gen_back(l->s, g);
		if (r == 0)
			r = gen_flush(l->s, g, true);
		g->parser = parser_free(g->parser);
	}
	if (r == 0 && !quiet)
		r = file_lost(l->s, l->f, g->cut ? "truncated" : "gone", g->now.offset, n, false);
	if (r < 0)
		return err_trace(r);
	g->dead = g->changed = true;
	g->ready = false;
	return 0;
}

/*
 * Another followed name may lead to it, and is looked at after this one; or a file is being compressed beside it, and
 * it may be in there in a moment.
 */
static bool
may_come(const struct look *l)
{
	size_t i;

	if (l->f->misses == 0)
		return true;
	for (i = 0; i < l->n_sibs; i++)
		if (l->sibs[i].archive && !l->sibs[i].used && !l->s->opt.no_archives &&
		    unzip_can(str_c(l->sibs[i].path)))
			return l->f->misses < 10;
	return false;
}

static int
find_missing(struct look *l)
{
	struct follow *f = l->f;
	bool found = false, waiting = false;
	struct gen *g;
	size_t i;
	int r = 0;

	for (i = 0; i < f->n_gens; i++) {
		g = f->gens[i];
		if (!is_missing(g))
			continue;
		l->turned = true;
		r = find_in_siblings(l, g, &found);
		if (r == 0 && !found)
			r = find_in_live(l, g, &found);
		/* For as long as it takes: to give it up would be to read it again from its beginning. */
		if (r == 0 && !found && l->denied)
			continue;
		if (r == 0 && !found && may_come(l))
			waiting = true;
		else if (r == 0 && !found)
			r = give_up(l, g);
		if (r < 0)
			return err_trace(r);
	}
	f->misses = waiting ? f->misses + 1 : 0;
	f->wait_archive = waiting;
	return 0;
}

/* The beginning of a file of which nothing was read yet, so that it is known again when it is written anew. */
static int
note_head(struct gen *g, int fd)
{
	uint8_t bytes[FILE_HEAD_MAX];
	size_t n = 0;
	int r = io_pread(fd, bytes, sizeof(bytes), 0, &n);

	/* NULs may be room that is filled later. */
	if (r == 0 && g->now.head.n == 0)
		g->now.head =
		    file_print_of(str_sub(str_of(bytes, n), 0, str_find_byte(str_of(bytes, n), 0)));
	return err_trace(r);
}

/* Start behind the last whole line. */
static int
skip_to_end(struct gen *g, int fd, uint64_t size)
{
	struct file_bytes b = { fd, NULL };
	uint8_t *p;
	struct buf room = BUF_INIT;
	uint64_t from = size > FILE_CHUNK ? size - FILE_CHUNK : 0;
	size_t n = 0, tail;
	int r;

	if (!buf_grow(&room, FILE_CHUNK))
		return err_origin(-ENOMEM);
	p = room.p;
	r = file_bytes_read(&b, p, (size_t)(size - from), from, &n);
	while (n > 0 && p[n - 1] != '\n')
		n--;
	if (r == 0 && n > 0) {
		g->now.offset = from + n;
		tail = n < FILE_TAIL_MAX ? n : FILE_TAIL_MAX;
		g->now.tail = file_print_of(str_of(p + n - tail, tail));
		r = file_bytes_read(&b, p, FILE_HEAD_MAX, 0, &n);
		n = n < g->now.offset ? n : (size_t)g->now.offset;
		g->now.head = file_print_of(str_of(p, n));
	}
	buf_fini(&room);
	return err_trace(r);
}

static int
take_live(struct look *l)
{
	struct follow *f = l->f;
	struct gen *g;
	int r;

	if (l->fd < 0)
		return 0;
	r = gen_new(l->s, f, &l->id, &g);
	if (r == 0)
		r = gen_set_path(g, f->path);
	if (r == 0 && !f->old && !f->had_positions && !l->s->started &&
	    l->s->opt.from == FILE_FROM_END)
		r = skip_to_end(g, l->fd, l->st.size);
	if (r == 0)
		r = note_head(g, l->fd);
	if (r == 0)
		r = file_mark_copy(&g->sent, &g->now);
	if (r == 0)
		r = file_mark_copy(&g->acked, &g->now);
	if (r < 0)
		return err_trace(r);
	g->st = l->st;
	g->size = l->st.size;
	g->verified = true;
	f->live = g;
	gen_wake(l->s, g);
	return 0;
}

/* Only so many of those that nobody has seen for long are kept, the newest. */
static void
forget_unseen(struct look *l)
{
	size_t i, n = 0;
	struct gen *g;

	for (i = l->f->n_gens; i > 0; i--) {
		g = l->f->gens[i - 1];
		if (g->path != NULL && g->fd < 0 && (g->flags & FILE_POS_FINAL) != 0 &&
		    access(g->path, F_OK) != 0)
			(void)gen_set_path(g, NULL);
		if (gen_is_unseen(g) && ++n > FILE_UNSEEN_MAX)
			g->dead = g->changed = true;
	}
}

/* Files move: a path is where a file was seen last, and now another one may be there. */
static void
forget_paths(struct look *l)
{
	struct file_stat st;
	struct gen *g;
	size_t i;

	for (i = 0; i < l->f->n_gens; i++) {
		g = l->f->gens[i];
		if (g == l->f->live || g->path == NULL)
			continue;
		if (map_get(&l->s->by_path, str_c(g->path)) != NULL &&
		    strcmp(g->path, l->f->path) != 0 &&
		    file_stat_get(AT_FDCWD, g->path, 0, &st) == 0 && file_stat_same(&st, &g->st))
			continue;
		(void)gen_set_path(g, NULL);
	}
}

static int
look(struct look *l)
{
	int r;

	forget_paths(l);
	r = look_at_name(l);
	if (r == 0)
		r = match_siblings(l);
	if (r == 0)
		r = find_missing(l);
	if (r == 0 && !l->f->wait_archive)
		r = look_at_unknown(l);
	if (r == 0)
		r = take_live(l);
	if (l->fd >= 0)
		(void)close(l->fd);
	follow_sort(l->f);
	forget_unseen(l);
	l->f->old = true;
	if (l->f->wait_archive && l->s->scan_at.ns > mono_now().ns + FILE_TICK_S * NS_PER_S)
		l->s->scan_at.ns = mono_now().ns + FILE_TICK_S * NS_PER_S;
	return err_trace(r);
}

int
follow_look(struct file_source *s, struct follow *f, struct sibling *sibs, size_t n_sibs)
{
	struct look l = { .s = s, .f = f, .sibs = sibs, .n_sibs = n_sibs, .fd = -1 };

	return err_trace(look(&l));
}

/* The same file with another content: a new generation, which takes over the descriptor. */
static int
start_again(struct file_source *s, struct gen *g)
{
	struct follow *f = g->follow;
	struct gen *next;
	int r;

	r = gen_new(s, f, &g->id, &next);
	if (r == 0)
		r = gen_set_path(next, f->path);
	if (r < 0)
		return err_trace(r);
	next->st = g->st;
	next->verified = true;
	f->live = next;
	gen_wake(s, next);
	return 0;
}

int
follow_replaced(struct file_source *s, struct gen *g)
{
	struct look l = { .s = s, .f = g->follow, .fd = -1, .turned = true };
	int r = 0;

	/* Over a rotated file a newer copy may have been written, which is looked at like any other. */
	if (g->follow->live == g)
		r = start_again(s, g);
	else if (g->copy && g->now.offset >= g->size)
		g->flags |= FILE_POS_FINAL;
	if (r == 0)
		r = detach(s, g);
	if (r == 0)
		r = file_siblings(s, g->follow, &l.sibs, &l.n_sibs);
	if (r == 0)
		r = look(&l);
	siblings_free(l.sibs, l.n_sibs);
	return err_trace(r);
}
