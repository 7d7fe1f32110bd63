/*
 * ingest/file_missed.c - rotated files that nobody read.
 * One job: of the files beside a name that are known by nothing, tell those that were missed from copies and old ones.
 * Floor: 3 (uses parsers, record, base).
 */
#include "ingest/file_internal.h"

/* File systems take the time of birth from a clock that ticks this slowly. */
enum { BIRTH_COARSE_MS = 20 };

static int
head_of(const struct sibling *sib, struct file_print *ret)
{
	struct file_bytes b;
	int r;

	/* Without it the file is known by its identity alone. */
	if (like_open(sib->path, sib->archive, &b) < 0)
		return 0;
	r = file_print_head(&b, ret);
	like_close(&b);
	return err_trace(r);
}

/* A sibling that is no generation of its own: remember that it is known. */
static int
remember(struct look *l, struct sibling *sib, const struct gen *like)
{
	struct gen *g;
	int r;

	sib->used = true;
	r = gen_new(l->s, l->f, &sib->id, &g);
	if (r == 0 && like != NULL)
		r = file_mark_copy(&g->now, &like->now);
	else if (r == 0)
		r = head_of(sib, &g->now.head);
	buf_clear(&g->now.group);
	/* Nothing of it was handed up, so an abort has nothing to read again. */
	if (r == 0)
		r = file_mark_copy(&g->sent, &g->now);
	if (r == 0)
		r = file_mark_copy(&g->acked, &g->now);
	if (r == 0)
		r = gen_set_path(g, sib->path);
	if (r < 0)
		return err_trace(r);
	g->st = sib->st;
	g->size = g->now.offset;
	g->flags = FILE_POS_ROTATED | FILE_POS_FINAL | FILE_POS_KNOWN |
	    (sib->archive ? FILE_POS_ARCHIVE : 0);
	return 0;
}

/* Is it a copy of what the name leads to now, whether that was read or not? */
static int
is_like_live(struct look *l, const struct sibling *sib, bool *ret)
{
	struct file_bytes own = { l->fd, NULL }, b;
	int r;

	*ret = false;
	if (own.fd < 0 && (l->f->live == NULL || like_open(l->f->path, false, &own) < 0))
		return 0;
	r = like_open(sib->path, sib->archive, &b);
	if (r == 0) {
		r = like_copy(&own, &b, sib->st.size, ret);
		like_close(&b);
	} else {
		r = 0;
	}
	if (l->fd < 0)
		like_close(&own);
	return err_trace(r);
}

/* Does the live file still hold what was read of it?  It may have been truncated, and not been read since. */
static int
live_holds(struct look *l, bool *ret)
{
	struct gen *g = l->f->live;
	enum likeness like = LIKE_NOT;
	struct file_bytes own;
	int r;

	*ret = true;
	if (l->turned || l->fd >= 0 || g == NULL || g->now.head.n == 0 ||
	    like_open(l->f->path, false, &own) < 0)
		return 0;
	r = like_compare(g, &own, g->st.size, &like);
	like_close(&own);
	*ret = like == LIKE_ALL;
	return err_trace(r);
}

/* Is it a copy of something?  ret_like: the generation; NULL: of none. */
static int
find_like(struct look *l, const struct sibling *sib, const struct gen **ret_like)
{
	enum likeness like = LIKE_NOT;
	size_t i;
	int r;

	*ret_like = NULL;
	for (i = l->f->n_gens; i > 0; i--) {
		r = like_sibling(l->f->gens[i - 1], sib, &like);
		if (r < 0)
			return err_trace(r);
		if (like != LIKE_NOT) {
			*ret_like = l->f->gens[i - 1];
			return 0;
		}
	}
	return 0;
}

static int
read_missed(struct look *l, struct sibling *sib)
{
	struct gen *g;
	int r;

	sib->used = true;
	r = gen_new(l->s, l->f, &sib->id, &g);
	if (r == 0)
		r = gen_set_path(g, sib->path);
	if (r < 0)
		return err_trace(r);
	g->st = sib->st;
	g->size = sib->archive ? 0 : sib->st.size;
	g->flags = FILE_POS_ROTATED | (sib->archive ? FILE_POS_ARCHIVE : 0);
	gen_wake(l->s, g);
	return 0;
}

static bool
has_unknown(const struct look *l)
{
	size_t i;

	for (i = 0; i < l->n_sibs; i++)
		if (!l->sibs[i].used && l->sibs[i].st.size > 0)
			return true;
	return false;
}

/* What nobody here can unpack is lost; its size as it lies there is the least that it was. */
static int
lose_packed(struct look *l, const struct sibling *sib)
{
	struct buf reason = BUF_INIT;
	int r;

	buf_c(&reason, "it cannot be unpacked: ");
	file_name_show(&reason, sib->path);
	r = file_lost(l->s, l->f, buf_c_str(&reason), 0, sib->st.size, false);
	buf_fini(&reason);
	return err_trace(r);
}

/* Made since the last look: the name that it had then was never seen. */
static bool
is_new(const struct file_source *s, const struct sibling *sib)
{
	return s->started && s->looked.ns != 0 &&
	    sib->st.birth >= s->looked.ns - BIRTH_COARSE_MS * NS_PER_MS;
}

/* What is beside the name and known by nothing, oldest first. */
int
look_at_unknown(struct look *l)
{
	bool first = !l->f->old && !l->f->had_positions;
	bool skip = first && !l->s->started && l->s->opt.from == FILE_FROM_END;
	const struct gen *like = NULL;
	struct sibling *sib;
	bool missed, of_live = false, holds = true;
	size_t i;
	int r;

	if (!has_unknown(l))
		return 0;
	/* When it does not, reading it will find out, and look again. */
	r = live_holds(l, &holds);
	if (r < 0 || !holds) {
		if (!holds)
			gen_wake(l->s, l->f->live);
		return err_trace(r);
	}

	for (i = 0; i < l->n_sibs; i++) {
		sib = &l->sibs[i];
		if (sib->used || sib->st.size == 0)
			continue;
		r = find_like(l, sib, &like);
		if (r == 0 && like == NULL)
			r = is_like_live(l, sib, &of_live);
		if (r < 0)
			return err_trace(r);
		/* A copy of what is still being read may be needed when that is truncated. */
		if ((like == NULL && of_live) ||
		    (like != NULL && !like->dead && !gen_is_known(like) &&
		        (like->flags & FILE_POS_FINAL) == 0))
			continue;
		/* Only while the live file is surely the one it was can nothing have been missed. */
		missed = !first && (l->turned || l->f->live == NULL || l->f->live->now.head.n == 0);
		missed = missed || (first && is_new(l->s, sib));
		if (sib->archive && l->s->opt.no_archives)
			missed = false;
		if (like == NULL && missed && sib->archive && !unzip_can(str_c(sib->path))) {
			missed = false;
			r = lose_packed(l, sib);
		}
		if (r == 0 && like == NULL && (missed || (sib->matches && !skip && !sib->archive)))
			r = read_missed(l, sib);
		else if (r == 0 && like == NULL && file_peer_names(l->s, sib->path, false))
			sib->used = true;
		else if (r == 0)
			r = remember(l, sib, like);
		if (r < 0)
			return err_trace(r);
	}
	return 0;
}
