/*
 * store/tail.c - the open segment as it is written.
 * One job: append frames so that rows and positions become durable as one fact, or not at all.
 * Floor: 2 (uses record, base).
 *
 * Rows of all classes stand in the one open segment, a class to a block; so one COMMIT is one fact for all of
 * them, and sealing parts them into a segment each.
 *
 * A file whose write or sync failed is never trusted again: the next commit goes to a successor, whose header
 * (and MANIFEST) say where the last trusted commit of the failed one ends.  One failure is gentler: when there is
 * no room, nothing that was durable is in doubt, and the same place is tried again.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "base/io.h"
#include "store/store_internal.h"

struct tail *
tail_free(struct tail *t)
{
	if (t == NULL)
		return NULL;
	if (t->fd >= 0)
		(void)close(t->fd);
	segment_blocks_fini(&t->since);
	idlists_fini(&t->ids);
	free(t);
	return NULL;
}

static struct tail *
tail_alloc(uint64_t number, int fd)
{
	struct tail *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->number = number;
	t->fd = fd;
	t->info.number = number;
	t->info.state = MANIFEST_OPEN;
	return t;
}

/* What MANIFEST says of the tail once it is written no more. */
static void
close_in(struct manifest *m, const struct tail *t)
{
	struct manifest_segment *g = manifest_find(m, t->number);

	if (g == NULL)
		return;
	*g = t->info;
	if (!t->has_commit) {
		g->state = MANIFEST_RETIRED;
		g->next_row = 0;
		return;
	}
	g->state = MANIFEST_CLOSED;
	g->end = t->committed_at;
	g->n_bytes = t->committed_at;
}

static int
write_head(int fd, const struct segment_head *head)
{
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;
	int r;

	segment_head_put(&out, head);
	r = buf_err(&out);
	if (r == 0)
		r = io_pwrite(fd, out.p, out.n, 0);
	if (r == 0)
		r = io_sync(fd);
	return err_trace(r);
}

/* The new segment's header and its line in a copy of MANIFEST, made durable in this order. */
static int
begin_segment(struct store *s, struct tail *t, struct wall now)
{
	AUTO_FINI(manifest_fini) struct manifest m = { 0 };
	struct segment_head head = { .kind = SEGMENT_STREAM, .compat = SEGMENT_MARKS };
	struct stat st;
	int r;

	if (fstat(t->fd, &st) == 0)
		head.file = st.st_ino;
	head.number = t->number;
	memcpy(head.uuid, s->man.uuid, sizeof(head.uuid));
	head.created = now;
	head.first_row = s->committed_row;
	if (s->tail != NULL && s->tail->has_commit) {
		head.pred = s->tail->number;
		head.pred_end = s->tail->committed_at;
		head.pred_check = s->tail->committed_chain.prev;
	}
	r = write_head(t->fd, &head);
	if (r == 0)
		r = io_sync_dir(s->dir_fd);
	if (r == 0)
		r = manifest_copy(&m, &s->man);
	if (r < 0)
		return err_trace(r);
	if (s->tail != NULL)
		close_in(&m, s->tail);
	t->info.first_row = t->info.next_row = s->committed_row;
	if (manifest_add(&m, &t->info) == NULL)
		return err_origin(-ENOMEM);
	return err_trace(store_save(s, &m));
}

int
tail_new(struct store *s, struct wall now)
{
	AUTO(tail_free) struct tail *t = NULL;
	AUTO_CLOSE int fd = -1;
	uint64_t number = 0;
	size_t i;
	int r;

	r = store_new_file(s, &number, &fd);
	if (r < 0)
		return err_trace(r);
	t = tail_alloc(number, fd);
	if (t == NULL)
		return err_origin(-ENOMEM);
	(void)TAKE_FD(fd);
	t->chain.seed = t->chain.prev = frame_seed(s->man.uuid, number);
	t->committed_chain = t->chain;
	t->at = t->committed_at = t->allocated = t->size = SEGMENT_HEAD;
	r = begin_segment(s, t, now);
	if (r < 0) {
		/* MANIFEST may name it by now: it goes when one that does not is durable. */
		(void)store_orphan(s, number);
		return err_trace(r);
	}
	(void)tail_free(s->tail);
	s->tail = TAKE(t);
	for (i = 0; i < s->n_pending; i++)
		s->pending[i].written = false;
	return 0;
}

int
tail_resume(struct store *s, const struct segment *seg, const struct manifest_segment *info)
{
	AUTO(tail_free) struct tail *t = NULL;
	AUTO_CLOSE int fd = -1;
	const uint32_t *fps;
	size_t i, k, n;
	int r;

	fd = io_open(s->dir_fd, seg->name, O_RDWR | O_NOFOLLOW | O_NOCTTY, 0);
	if (fd < 0)
		return err_trace(fd);
	if (seg->torn) {
		r = io_truncate(fd, seg->end);
		if (r == 0)
			r = io_sync(fd);
		if (r < 0)
			return err_trace(r);
	}
	t = tail_alloc(seg->head.number, fd);
	if (t == NULL)
		return err_origin(-ENOMEM);
	(void)TAKE_FD(fd);
	t->chain = t->committed_chain = seg->chain;
	t->at = t->committed_at = t->allocated = t->size = seg->end;
	t->directory = seg->last_directory;
	t->has_commit = seg->commit.sequence > 0;
	t->info = *info;
	for (i = 0; i < seg->blocks.n; i++)
		tail_note_keep(t, seg->blocks.v[i].keep);
	for (i = seg->n_indexed; i < seg->blocks.n; i++) {
		k = i - seg->n_indexed;
		r = segment_blocks_add(&t->since, &seg->blocks.v[i],
		    segment_runs(&seg->blocks, &seg->blocks.v[i]));
		fps = idlists_get(&seg->tail_ids, k, &n);
		if (r == 0)
			r = idlists_add(&t->ids, fps, n);
		if (r < 0)
			return err_trace(r);
	}
	t->frames_since = (uint32_t)(2 * t->since.n);
	s->tail = TAKE(t);
	return 0;
}

/* Reserve room for n bytes at the end, and some more; when there is no room for more, for those alone. */
static int
reserve(struct tail *t, uint64_t n)
{
	uint64_t step = t->at, want = t->at + n - t->allocated;
	int r;

	if (t->at + n <= t->allocated)
		return 0;
	if (step < STORE_ALLOCATE_MIN)
		step = STORE_ALLOCATE_MIN;
	if (step > STORE_ALLOCATE_MAX)
		step = STORE_ALLOCATE_MAX;
	r = io_allocate(t->fd, t->allocated, want + step);
	if (r == 0)
		t->allocated += want + step;
	if (!store_is_full(r))
		return err_trace(r);
	r = io_allocate(t->fd, t->allocated, want);
	if (r == 0)
		t->allocated += want;
	return err_trace(r);
}

/*
 * Zeros behind the end, so that the commits that come fill room that is already the file's: neither its size nor its
 * extents change with them, and their sync waits for no journal and no worker of the file system.
 */
static int
put_room(struct tail *t, uint64_t end, uint64_t n)
{
	static uint8_t zeros[STORE_ROOM];
	int r;

	if (n > t->allocated - end)
		n = t->allocated - end;
	t->size = end;
	r = io_pwrite(t->fd, zeros, n, end);
	if (r == 0)
		t->size += n;
	/* A part of them does no harm. */
	return store_is_full(r) ? 0 : err_trace(r);
}

/* Cut off what a write left behind ${to}: old frames behind new ones could be taken for theirs after a crash. */
static int
cut(struct tail *t, uint64_t to)
{
	int r = io_truncate(t->fd, to);

	if (r < 0)
		t->poisoned = true;
	t->allocated = t->size = to;
	t->dirty = false;
	return err_trace(r);
}

/* Bytes to the end of the tail.  Only "no room" leaves it trusted. */
static int
put_bytes(struct tail *t, const struct buf *out)
{
	uint64_t end = t->at + out->n;
	int r = t->dirty ? cut(t, t->at) : 0;

	if (r == 0)
		r = reserve(t, out->n);
	if (r < 0) {
		t->poisoned |= !store_is_full(r);
		return err_trace(r);
	}
	r = io_pwrite(t->fd, out->p, out->n, t->at);
	if (r == 0 && end > t->size)
		r = put_room(t, end, end - t->committed_at <= STORE_ROOM_FOR ? STORE_ROOM : 0);
	if (r < 0) {
		t->dirty = true;
		t->poisoned |= !store_is_full(r);
	}
	return err_trace(r);
}

static void
put_block(struct buf *out, struct buf *meta, struct frame_chain *chain, uint64_t at,
    struct pending_block *p)
{
	buf_clear(meta);
	p->block.body_at = 0;
	segment_meta_put(meta, &p->block, NULL, p->fps, p->n_fps);
	p->block.body_at = at + out->n + FRAME_HEAD + frame_pad(meta->n);
	frame_put(out, chain, FRAME_BLOCK, buf_view(meta), buf_view(&p->body));
	out->failed |= meta->failed;
}

void
tail_write_early(struct store *s)
{
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT, meta = BUF_INIT;
	struct tail *t = s->tail;
	struct frame_chain chain;
	size_t i;

	if (t == NULL || t->poisoned || s->paused)
		return;
	chain = t->chain;
	for (i = 0; i < s->n_pending; i++)
		if (!s->pending[i].written)
			put_block(&out, &meta, &chain, t->at, &s->pending[i]);
	if (out.failed || out.n < STORE_EARLY || put_bytes(t, &out) < 0)
		return;
	t->at += out.n;
	t->chain = chain;
	for (i = 0; i < s->n_pending; i++)
		s->pending[i].written = true;
}

/* What the next DIRECTORY says: the durable blocks since the last one, and those of this commit. */
static int
put_directory(struct store *s, struct buf *out, struct frame_chain *chain, struct wall now)
{
	AUTO_FINI(buf_fini) struct buf meta = BUF_INIT;
	struct tail *t = s->tail;
	struct frame_draft frame;
	struct segment_directory d = { t->directory, (uint32_t)(t->since.n + s->n_pending), 0 };
	struct segment_block b;
	size_t i;
	int r = 0;

	for (i = 0; i < s->n_pending && r == 0; i++)
		r = idlists_add(&t->ids, s->pending[i].fps, s->pending[i].n_fps);
	d.n_ids = idlists_ids(&t->ids);
	segment_directory_put(&meta, &d);
	for (i = 0; i < t->since.n; i++)
		segment_entry_put(&meta, &t->since.v[i], segment_runs(&t->since, &t->since.v[i]));
	for (i = 0; i < s->n_pending; i++) {
		b = s->pending[i].block;
		b.committed = now;
		segment_entry_put(&meta, &b, NULL);
	}
	frame = frame_begin(out, FRAME_DIRECTORY, buf_view(&meta));
	if (r == 0)
		r = idlists_put(&t->ids, out);
	/* Back to what is durable. */
	idlists_cut(&t->ids, t->since.n);
	frame_finish(out, chain, frame);
	out->failed |= meta.failed;
	return err_trace(r);
}

static bool
directory_is_due(const struct store *s)
{
	const struct tail *t = s->tail;
	size_t i, n_ids = idlists_ids(&t->ids);

	for (i = 0; i < s->n_pending; i++)
		n_ids += s->pending[i].n_fps;
	return t->since.n + s->n_pending > 0 &&
	    (t->frames_since + s->n_pending >= STORE_DIRECTORY_FRAMES ||
	        n_ids >= STORE_DIRECTORY_IDS);
}

static int
put_commit(struct store *s, struct buf *out, struct frame_chain *chain, struct wall now,
    uint64_t directory)
{
	AUTO_FINI(buf_fini) struct buf meta = BUF_INIT, positions = BUF_INIT;
	struct segment_commit c = { .when = now };
	size_t i;
	int r;

	c.sequence = s->sequence + 1;
	c.next_row = s->next_row;
	c.directory = directory;
	c.n_blocks = (uint32_t)s->n_pending;
	c.whole = !s->tail->has_commit;
	r = positions_put(&s->positions, c.whole, &positions, &c.n_positions);
	if (r < 0)
		return err_trace(r);
	segment_commit_put(&meta, &c);
	for (i = 0; i < s->n_pending; i++)
		segment_entry_put(&meta, &s->pending[i].block, NULL);
	buf_str(&meta, buf_view(&positions));
	r = buf_err(&meta);
	if (r == 0)
		frame_put(out, chain, FRAME_COMMIT, buf_view(&meta), STR_NONE);
	return err_trace(r);
}

void
tail_note_keep(struct tail *t, struct span keep)
{
	if (keep.ns > 0 && (t->min_keep == 0 || keep.ns < t->min_keep))
		t->min_keep = keep.ns;
}

/* The commit is durable: what was pending is part of the tail. */
static void
count_blocks(struct store *s, struct wall now)
{
	struct manifest_segment *g = &s->tail->info;
	const struct pending_block *p;
	size_t i;

	for (i = 0; i < s->n_pending; i++) {
		p = &s->pending[i];
		tail_note_keep(s->tail, p->block.keep);
		if (g->n_rows == 0 || p->block.sum.min_time.ns < g->min_time.ns)
			g->min_time = p->block.sum.min_time;
		if (g->n_rows == 0 || p->block.sum.max_time.ns > g->max_time.ns)
			g->max_time = p->block.sum.max_time;
		/* A stream is kept as long as the longest of its classes; 0 is the store's own. */
		if (g->n_blocks == 0)
			g->keep = p->block.keep;
		else if (g->keep.ns != 0 &&
		    (p->block.keep.ns == 0 || p->block.keep.ns > g->keep.ns))
			g->keep = p->block.keep;
		g->n_rows += p->block.sum.n_rows;
		g->raw_bytes += p->block.sum.raw_bytes;
		g->n_blocks++;
		s->n_rows += p->block.sum.n_rows;
	}
	if (!s->tail->has_commit)
		g->first_commit = now;
	g->last_commit = now;
	g->next_row = s->next_row;
	g->n_bytes = s->tail->at;
}

/* Without memory for the lists the next DIRECTORY would be wrong: the segment ends here instead. */
static void
remember_blocks(struct store *s, struct wall now, uint64_t directory)
{
	struct tail *t = s->tail;
	struct segment_block b;
	size_t i;

	if (directory != t->directory) {
		t->directory = directory;
		t->since.n = t->since.n_runs = 0;
		idlists_cut(&t->ids, 0);
		t->frames_since = 0;
		return;
	}
	t->frames_since += (uint32_t)s->n_pending + 1;
	for (i = 0; i < s->n_pending; i++) {
		b = s->pending[i].block;
		b.committed = now;
		if (idlists_add(&t->ids, s->pending[i].fps, s->pending[i].n_fps) < 0 ||
		    segment_blocks_add(&t->since, &b, NULL) < 0) {
			t->poisoned = true;
			return;
		}
	}
}

static void
accept(struct store *s, struct wall now, const struct frame_chain *chain, uint64_t at,
    uint64_t directory)
{
	struct tail *t = s->tail;

	t->at = t->committed_at = at;
	t->chain = t->committed_chain = *chain;
	count_blocks(s, now);
	remember_blocks(s, now, directory);
	t->has_commit = true;
	s->committed_row = s->next_row;
	s->sequence++;
	s->n_commits++;
	s->last_commit = now;
	positions_commit(&s->positions);
	store_skeletons_see(s, now);
	store_drop_pending(s);
}

/* An error leaves what the next start cuts off. */
void
tail_trim(struct tail *t)
{
	if (t != NULL && !t->poisoned && t->allocated > t->committed_at)
		(void)cut(t, t->committed_at);
}

int
tail_commit(struct store *s, struct wall now)
{
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT, meta = BUF_INIT;
	struct tail *t = s->tail;
	struct frame_chain chain = t->chain;
	uint64_t directory = t->directory;
	size_t i;
	int r = 0;

	for (i = 0; i < s->n_pending; i++)
		if (!s->pending[i].written)
			put_block(&out, &meta, &chain, t->at, &s->pending[i]);
	if (directory_is_due(s)) {
		directory = t->at + out.n;
		r = put_directory(s, &out, &chain, now);
	}
	if (r == 0)
		r = put_commit(s, &out, &chain, now, directory);
	if (r == 0)
		r = buf_err(&out);
	if (r == 0)
		r = put_bytes(t, &out);
	if (r < 0)
		return err_trace(r);
	r = io_sync(t->fd);
	if (r < 0) {
		t->poisoned = true;
		return err_trace(r);
	}
	accept(s, now, &chain, t->at + out.n, directory);
	return 0;
}

void
tail_rewind(struct store *s)
{
	struct tail *t = s->tail;

	if (t == NULL || t->poisoned || (t->at == t->committed_at && !t->dirty))
		return;
	/* A failure poisons the tail, and the next commit goes elsewhere. */
	(void)cut(t, t->committed_at);
	t->at = t->committed_at;
	t->chain = t->committed_chain;
}
