/*
 * store/segment_load.c - loading a stream segment.
 * One job: say which blocks and positions the whole commits of an append-only file hold.
 * Floor: 2 (uses record, base).
 *
 * What lies between two COMMITs is a group.  A COMMIT behind another one proves that the earlier one was
 * durable, since it is written after the sync of the earlier; so only the last group can be torn, and it
 * counts only when all its bytes hold.  In an earlier group damage is damage: it is reported, and
 * what can be read is kept.
 *
 * The open segment is written while it is read, into room that is already the file's: a reader may come upon half of a
 * commit, and find another COMMIT behind it a moment later.  So damage is believed when it is seen a second time.
 *
 * Who copies the file meanwhile, piece by piece, takes zeros for what is written before the next piece comes: frames, a
 * hole, and later frames.  In a copy, which is told by its inode number, all ends at such a hole: what was before is one
 * state, with its positions.  In the file itself it is a write that was lost, and damage like any.
 */
#include "base/io.h"
#include "store/segment.h"

enum { DAMAGES_MAX = 8, PIECE_LEAST = 512 };

struct damage {
	uint64_t at;
	const char *what;
};

/*
 * The frames between two commits, as they lie in the file.
 * Invariant: frame i of frames has the fingerprints fps[fps_at .. fps_at + n_fps), and its own entry is blocks.v[i].
 */
struct group_frame {
	struct frame frame;
	size_t fps_at, n_fps;
};
struct group {
	struct group_frame *frames;
	size_t n_frames, cap_frames;
	struct segment_blocks blocks; /* as many, as the frames themselves say */
	struct buf fps;               /* uint32_t each */
	struct damage damages[DAMAGES_MAX];
	size_t n_damages;
	bool closed; /* its COMMIT was seen */
	struct frame commit_frame;
	struct buf commit_meta;
	uint64_t directory_at; /* 0 is none */
	struct segment_directory directory;
	uint64_t index_at;
};

struct loader {
	struct segment *s;
	const struct segment_sinks *sinks;
	struct group a, b;
	struct group *held; /* closed, and not yet known to be durable */
	struct group *now;  /* being gathered */
	uint64_t doubt;     /* damage up to here was seen before */
	struct segment_meta meta;
};

static void
group_clear(struct group *g)
{
	g->n_frames = 0;
	g->blocks.n = g->blocks.n_runs = 0;
	buf_clear(&g->fps);
	buf_clear(&g->commit_meta);
	g->n_damages = 0;
	g->closed = false;
	g->directory_at = 0;
}

static void
group_fini(struct group *g)
{
	free(g->frames);
	segment_blocks_fini(&g->blocks);
	buf_fini(&g->fps);
	buf_fini(&g->commit_meta);
}

static void
group_damage(struct group *g, uint64_t at, const char *what)
{
	if (g->n_damages < DAMAGES_MAX)
		g->damages[g->n_damages++] = (struct damage){ at, what };
}

static int
group_block(struct loader *l, const struct frame *f, struct str meta)
{
	struct group *g = l->now;
	struct group_frame *v;
	size_t cap;
	int r = segment_meta_get(&l->meta, meta);

	if (r < 0)
		return err_trace(r);
	if (r > 0) {
		group_damage(g, f->at, "the block's entry is damaged");
		return 0;
	}
	if (g->n_frames == g->cap_frames) {
		cap = g->cap_frames < 8 ? 8 : g->cap_frames * 2;
		v = reallocarray(g->frames, cap, sizeof(*v));
		if (v == NULL)
			return err_origin(-ENOMEM);
		g->frames = v;
		g->cap_frames = cap;
	}
	r = segment_blocks_add(&g->blocks, &l->meta.blocks.v[0], l->meta.blocks.runs);
	if (r < 0)
		return err_trace(r);
	g->frames[g->n_frames++] =
	    (struct group_frame){ *f, g->fps.n / sizeof(*l->meta.fps), l->meta.n_fps };
	buf_put(&g->fps, l->meta.fps, l->meta.n_fps * sizeof(*l->meta.fps));
	return buf_err(&g->fps);
}

static void
report(struct loader *l, uint64_t at, const char *what)
{
	l->s->damaged = true;
	if (l->sinks != NULL && l->sinks->fault != NULL)
		l->sinks->fault(l->sinks->fault_ctx, l->s->name, at, what);
}

/* The fingerprints of the block whose body is at ${body_at}; SIZE_MAX when its frame was not read. */
static size_t
group_fps(const struct group *g, uint64_t body_at, const uint32_t **ret)
{
	size_t lo = 0, hi = g->n_frames, mid;
	const void *p = g->fps.p;

	*ret = NULL;
	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (frame_body_at(&g->frames[mid].frame) < body_at)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == g->n_frames || frame_body_at(&g->frames[lo].frame) != body_at)
		return SIZE_MAX;
	if (p != NULL)
		*ret = (const uint32_t *)p + g->frames[lo].fps_at;
	return g->frames[lo].n_fps;
}

static void
forget_last(struct segment_blocks *l)
{
	l->n--;
	l->n_runs = l->v[l->n].run_at;
}

/* The block added last is to stay: count it and add its fingerprints. */
static int
keep_last(struct loader *l, const struct group *g, struct wall committed)
{
	struct segment *s = l->s;
	struct segment_block *b = &s->blocks.v[s->blocks.n - 1];
	const uint32_t *fps = NULL;
	size_t n = group_fps(g, b->body_at, &fps);

	b->committed = committed;
	b->ids_lost = n == SIZE_MAX;
	s->n_rows += b->sum.n_rows;
	s->raw_bytes += b->sum.raw_bytes;
	return err_trace(idlists_add(&s->tail_ids, fps, b->ids_lost ? 0 : n));
}

/* Add the blocks that a COMMIT lists; those that a directory gave already are left out. */
static int
accept_blocks(struct loader *l, const struct group *g, struct scan *in,
    const struct segment_commit *c)
{
	struct segment *s = l->s;
	const struct segment_block *b;
	uint32_t i;
	int r;

	for (i = 0; i < c->n_blocks; i++) {
		r = segment_entry_get(in, &s->blocks);
		if (r != 0)
			return r;
		b = &s->blocks.v[s->blocks.n - 1];
		if (b->body_at < s->end) {
			forget_last(&s->blocks);
			continue;
		}
		if (b->body_at > g->commit_frame.at ||
		    b->n_body > g->commit_frame.at - b->body_at) {
			forget_last(&s->blocks);
			return SEGMENT_E_CORRUPT;
		}
		r = keep_last(l, g, c->when);
		if (r < 0)
			return err_trace(r);
	}
	return 0;
}

/* Blocks before ${next_row} whose own COMMIT was lost: they are taken as their frames describe them. */
static int
accept_orphans(struct loader *l, const struct group *g, const struct segment_commit *c)
{
	struct segment *s = l->s;
	struct segment_block b;
	size_t i, k = 0, n = s->blocks.n;
	int r;

	for (i = 0; g->n_damages > 0 && i < g->n_frames; i++) {
		b = g->blocks.v[i];
		b.body_at = frame_body_at(&g->frames[i].frame);
		b.n_body = g->frames[i].frame.n_body;
		while (k < n && s->blocks.v[k].body_at < b.body_at)
			k++;
		if (b.body_at < s->end || (k < n && s->blocks.v[k].body_at == b.body_at))
			continue;
		r = segment_blocks_add(&s->blocks, &b, segment_runs(&g->blocks, &b));
		if (r == 0)
			r = keep_last(l, g, c->when);
		if (r < 0)
			return err_trace(r);
	}
	return 0;
}

/* The blocks before a DIRECTORY are found by its index from now on, when it speaks of just these. */
static int
accept_directory(struct loader *l, struct group *g)
{
	struct segment *s = l->s;

	if (g->directory_at == 0)
		return 0;
	s->last_directory = g->directory_at;
	if (g->directory.n_blocks != s->blocks.n - s->n_indexed)
		return 0;
	return err_trace(
	    segment_index_add(s, g->index_at, g->directory.n_ids, g->directory.n_blocks));
}

static int
accept_positions(struct loader *l, struct scan *in, const struct segment_commit *c)
{
	if (l->sinks == NULL)
		return 0;
	if (l->sinks->commit != NULL)
		l->sinks->commit(l->sinks->position_ctx, c);
	return segment_positions_each(in, c->n_positions, l->sinks->position,
	    l->sinks->position_ctx);
}

/* Take a group in: its commit is durable. */
static int
accept(struct loader *l, struct group *g)
{
	struct segment *s = l->s;
	struct segment_commit c = { 0 };
	struct scan in = SCAN_OF(buf_view(&g->commit_meta));
	size_t i;
	int r;

	for (i = 0; i < g->n_damages; i++)
		report(l, g->damages[i].at, g->damages[i].what);
	if (!segment_commit_get(&in, &c)) {
		report(l, g->commit_frame.at, "the commit is damaged");
		return 0;
	}
	r = accept_blocks(l, g, &in, &c);
	if (r == 0)
		r = accept_positions(l, &in, &c);
	if (r > 0)
		report(l, g->commit_frame.at, "the commit is damaged");
	if (r >= 0)
		r = accept_orphans(l, g, &c);
	if (r == 0)
		r = accept_directory(l, g);
	if (r < 0)
		return err_trace(r);
	s->end = frame_end(&g->commit_frame);
	s->chain.next_number = g->commit_frame.number + 1;
	s->chain.prev = g->commit_frame.check;
	if (s->commit.sequence == 0)
		s->first_commit = c.when;
	s->commit = c;
	return 0;
}

enum { LOAD_AGAIN = FRAME_E_END + 1 };

/* Whether damage is to be looked at again, rather than taken for what lies in the file. */
static bool
doubt(struct loader *l, const struct group *g)
{
	if (g->n_damages == 0 || g->damages[0].at < l->doubt)
		return false;
	l->doubt = g->damages[0].at + 1;
	return true;
}

/* A COMMIT came: the group held before it was durable, and now the new one is held. */
static int
close_group(struct loader *l, const struct frame *f, struct str meta)
{
	struct group *g = l->now;
	int r = 0;

	g->closed = true;
	g->commit_frame = *f;
	buf_str(&g->commit_meta, meta);
	if (g->commit_meta.failed)
		return err_origin(-ENOMEM);
	if (l->held->closed && doubt(l, l->held))
		return LOAD_AGAIN;
	if (l->held->closed)
		r = accept(l, l->held);
	group_clear(l->held);
	l->now = l->held;
	l->held = g;
	return err_trace(r);
}

static int
take_frame(struct loader *l, const struct frame_walk *w)
{
	const struct frame *f = &w->frame;
	struct scan in = SCAN_OF(w->meta);

	if (w->broken)
		group_damage(l->now, w->broken_at, "frames are damaged or missing");
	/* A commit that cannot be read is none: its blocks would come without their places. */
	if (w->meta_bad) {
		group_damage(l->now, f->at, "a frame's meta is damaged");
		return 0;
	}
	switch ((enum frame_type)f->type) {
	case FRAME_BLOCK:
		return err_trace(group_block(l, f, w->meta));
	case FRAME_COMMIT:
		return err_trace(close_group(l, f, w->meta));
	case FRAME_DIRECTORY:
		if (segment_directory_get(&in, &l->now->directory)) {
			l->now->directory_at = f->at;
			l->now->index_at = frame_body_at(f);
		}
		return 0;
	case FRAME_FOOTER:
		return 0;
	}
	if ((f->flags & FRAME_COMPAT) == 0)
		group_damage(l->now, f->at, "a frame of a type that this version does not know");
	return 0;
}

/* Whether every byte of the last group holds: 1 yes, 0 no. */
static int
group_is_whole(struct loader *l, const struct group *g)
{
	size_t i;
	int r;

	if (g->n_damages > 0)
		return 0;
	for (i = 0; i < g->n_frames; i++) {
		r = frame_check_body(l->s->fd, &g->frames[i].frame);
		if (r < 0)
			return err_trace(r);
		if (r == FRAME_E_BAD_BODY)
			return 0;
	}
	return 1;
}

static int
finish(struct loader *l, bool trusted, uint64_t limit)
{
	int r = 1;

	if (l->held->closed) {
		if (!trusted)
			r = group_is_whole(l, l->held);
		if (r > 0)
			r = accept(l, l->held);
		if (r < 0)
			return err_trace(r);
	}
	l->s->torn = l->s->end < limit;
	if (trusted && l->s->torn)
		report(l, l->s->end, "frames are damaged or missing");
	return 0;
}

/* Whether zeros stand at ${at} where a frame should begin, up to where a piece of the file may have begun. */
static int
is_hole(const struct segment *s, uint64_t at)
{
	uint8_t p[FRAME_HEAD];
	size_t want = (size_t)(PIECE_LEAST - at % PIECE_LEAST), n = 0, i;
	int r;

	if (want > sizeof(p))
		want = sizeof(p);
	r = io_pread(s->fd, p, want, at, &n);
	if (r < 0)
		return err_trace(r);
	for (i = 0; i < n && p[i] == 0; i++)
		;
	return i == want;
}

static int
walk(struct loader *l, uint64_t limit, bool trusted)
{
	struct frame_walk w;
	int r;

	group_clear(l->now);
	group_clear(l->held);
	frame_walk_init(&w, l->s->fd, &l->s->chain, l->s->end, limit);
	while ((r = frame_walk_next(&w)) == 0) {
		if (w.broken && l->s->is_copy && !trusted)
			r = is_hole(l->s, w.broken_at);
		if (r > 0)
			r = FRAME_E_END;
		if (r == 0)
			r = take_frame(l, &w);
		if (r != 0)
			break;
	}
	frame_walk_fini(&w);
	return r;
}

int
segment_load(struct segment *s, uint64_t limit, unsigned flags, const struct segment_sinks *sinks)
{
	struct loader l = { .s = s, .sinks = sinks };
	const bool trusted = (flags & SEGMENT_LOAD_TRUSTED) != 0;
	int r;

	l.now = &l.a;
	l.held = &l.b;
	r = io_size(s->fd, &s->size);
	if (r < 0)
		return err_trace(r);
	if (limit == 0 || limit > s->size)
		limit = s->size;
	if ((flags & SEGMENT_LOAD_QUICK) != 0 && s->end == SEGMENT_HEAD && s->blocks.n == 0)
		r = segment_load_directories(s, limit, trusted);
	if (r >= 0)
		do
			r = walk(&l, limit, trusted);
		while (r == LOAD_AGAIN);
	if (r >= 0)
		r = finish(&l, trusted, limit);
	group_fini(&l.a);
	group_fini(&l.b);
	segment_meta_fini(&l.meta);
	return err_trace(r);
}
