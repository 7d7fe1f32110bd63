/*
 * store/store.c - opening and closing the writer.
 * One job: find what the last whole commit left, and be ready to go on from there.
 * Floor: 2 (uses record, base).
 */
#include "store/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/io.h"
#include "store/ids.h"
#include "store/lock.h"
#include "store/store_internal.h"

void
store_notice(struct store *s, const char *kind, const char *fmt, ...)
{
	char line[512];
	va_list ap;

	if (s->opt.notice == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	s->opt.notice(s->opt.notice_ctx, kind, line);
}

/* Make the folder and those above it. */
static int
make_dirs(const char *path, mode_t mode)
{
	AUTO_FREE char *p = strdup(path);
	char *slash;

	if (p == NULL)
		return err_origin(-ENOMEM);
	for (slash = strchr(p + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(p, 0755) < 0 && errno != EEXIST && errno != EROFS && errno != EACCES)
			return err_origin(-errno);
		*slash = '/';
	}
	if (mkdir(p, mode) < 0 && errno != EEXIST)
		return err_origin(-errno);
	return 0;
}

static void
set_defaults(struct store_options *o)
{
	if (o->seal_bytes == 0)
		o->seal_bytes = UINT64_C(256) << 20;
	if (o->seal_age.ns == 0)
		o->seal_age.ns = NS_PER_DAY;
	if (o->dir_mode == 0)
		o->dir_mode = 0750;
}

static int
make_lanes(struct store *s)
{
	size_t i;

	s->n_lanes = s->opt.n_classes + 1;
	s->lanes = calloc(s->n_lanes, sizeof(*s->lanes));
	if (s->lanes == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < s->opt.n_classes; i++)
		s->lanes[i].keep = s->opt.classes[i].keep;
	return 0;
}

static int
store_new(struct store **ret, const char *path, const struct store_options *opt)
{
	AUTO(store_close) struct store *s = NULL;
	int r;

	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return err_origin(-ENOMEM);
	s->dir_fd = s->lock_fd = -1;
	s->opt = *opt;
	set_defaults(&s->opt);
	s->path = strdup(path);
	if (s->path == NULL)
		return err_origin(-ENOMEM);
	r = make_lanes(s);
	if (r < 0)
		return err_trace(r);
	*ret = TAKE(s);
	return 0;
}

struct store *
store_close(struct store *s)
{
	size_t i;

	if (s == NULL)
		return NULL;
	seal_stop(s);
	store_idfiles_close(s);
	store_skeletons_save(s);
	s->skeletons = skeletons_close(s->skeletons);
	retain_sweep(s);
	for (i = 0; i < s->n_lanes && s->lanes != NULL; i++)
		(void)block_builder_free(s->lanes[i].builder);
	free(s->lanes);
	store_drop_pending(s);
	free(s->pending);
	/* Nothing of it is durable by promise, but a clean end is quicker to open. */
	tail_trim(s->tail);
	(void)tail_free(s->tail);
	positions_fini(&s->positions);
	manifest_fini(&s->man);
	free(s->orphans);
	free(s->path);
	if (s->dir_fd >= 0)
		(void)close(s->dir_fd);
	if (s->lock_fd >= 0)
		(void)close(s->lock_fd);
	free(s);
	return NULL;
}

static int
begin_store(struct store *s, struct wall now)
{
	struct manifest m = { .created = now };

	if (getrandom(m.uuid, sizeof(m.uuid), 0) != (ssize_t)sizeof(m.uuid))
		return err_origin(-EIO);
	s->man = m;
	s->man.next_segment = 1;
	return 0;
}

/* What the commits of a segment say, in order. */
static void
take_commit(void *ctx, const struct segment_commit *c)
{
	struct store *s = ctx;

	if (c->whole)
		positions_fini(&s->positions);
}

static int
take_position(void *ctx, struct str key, struct str value)
{
	struct store *s = ctx;

	return err_trace(positions_load(&s->positions, key, value));
}

static void
take_fault(void *ctx, const char *file, uint64_t at, const char *what)
{
	store_notice(ctx, "damaged", "%s at %llu: %s", file, (unsigned long long)at, what);
}

static struct segment_sinks
sinks_of(struct store *s)
{
	return (struct segment_sinks){ take_fault, s, take_commit, take_position, s };
}

static void
describe(struct manifest_segment *g, const struct segment *seg)
{
	const struct segment_block *b;
	size_t i;

	for (i = 0; i < seg->blocks.n; i++) {
		b = &seg->blocks.v[i];
		if (i == 0 || b->sum.min_time.ns < g->min_time.ns)
			g->min_time = b->sum.min_time;
		if (i == 0 || b->sum.max_time.ns > g->max_time.ns)
			g->max_time = b->sum.max_time;
		if (i == 0 || (g->keep.ns != 0 && (b->keep.ns == 0 || b->keep.ns > g->keep.ns)))
			g->keep = b->keep;
	}
	g->n_rows = seg->n_rows;
	g->n_blocks = seg->blocks.n;
	g->raw_bytes = seg->raw_bytes;
	g->n_bytes = seg->end;
	g->first_commit = seg->first_commit;
	g->last_commit = seg->commit.when;
	g->first_row = seg->head.first_row;
	g->next_row = seg->commit.sequence > 0 ? seg->commit.next_row : seg->head.first_row;
}

static void
take_counts(struct store *s, const struct segment *seg)
{
	if (seg->commit.sequence > s->sequence)
		s->sequence = seg->commit.sequence;
	if (seg->commit.sequence > 0 && seg->commit.next_row > s->committed_row)
		s->committed_row = seg->commit.next_row;
	if (seg->commit.sequence > 0) {
		s->last_commit = seg->commit.when;
		s->recovered = true;
	}
}

/*
 * Load the open segment and go on in it when it is whole; a damaged one is closed where its last
 * whole commit ends, and the next commit begins another.
 */
static int
resume_open(struct store *s, struct manifest_segment *g)
{
	AUTO(segment_close) struct segment *seg = NULL;
	char name[SEGMENT_NAME_MAX];
	struct segment_sinks sinks = sinks_of(s);
	int r;

	segment_name(name, g->number);
	r = segment_open(&seg, s->dir_fd, name);
	if (r == 0)
		r = segment_load(seg, 0, 0, &sinks);
	if (r != 0) {
		if (r < 0 && faccessat(s->dir_fd, name, F_OK, 0) == 0)
			return err_trace(r);
		store_notice(s, "damaged", "%s: the open segment %s", name,
		    r == SEGMENT_E_FORMAT ? "has a newer format"
		        : r > 0           ? "has no readable header"
		                          : "is missing");
		g->state = MANIFEST_CLOSED;
		return 0;
	}
	describe(g, seg);
	take_counts(s, seg);
	if (!seg->damaged && seg->head.kind == SEGMENT_STREAM)
		return err_trace(tail_resume(s, seg, g));
	g->state = MANIFEST_CLOSED;
	g->end = seg->end;
	return 0;
}

/* Positions from the newest segment that has some, when the open one has none. */
static int
older_positions(struct store *s)
{
	AUTO(segment_close) struct segment *seg = NULL;
	const struct manifest_segment *best;
	struct segment_sinks sinks = sinks_of(s);
	char name[SEGMENT_NAME_MAX];
	uint64_t below = UINT64_MAX;
	size_t i;
	int r;

	while (!s->recovered && below > 0) {
		best = NULL;
		for (i = 0; i < s->man.n; i++)
			if (s->man.v[i].state != MANIFEST_RETIRED && s->man.v[i].next_row < below &&
			    (best == NULL || s->man.v[i].next_row > best->next_row))
				best = &s->man.v[i];
		if (best == NULL)
			return 0;
		below = best->next_row;
		segment_name(name, best->number);
		seg = segment_close(seg);
		if (segment_open(&seg, s->dir_fd, name) != 0)
			continue;
		r = seg->head.kind == SEGMENT_SEALED ? segment_load_sealed(seg, &sinks)
		                                     : segment_load(seg, best->end, 0, &sinks);
		if (r < 0)
			return err_trace(r);
		take_counts(s, seg);
	}
	return 0;
}

static int
recover(struct store *s)
{
	size_t i;
	int r = store_clean(s);

	if (r < 0)
		return err_trace(r);
	s->sequence = s->man.sequence;
	s->committed_row = s->man.next_row;
	for (i = 0; i < s->man.n; i++) {
		if (s->man.v[i].state == MANIFEST_OPEN) {
			r = resume_open(s, &s->man.v[i]);
			if (r < 0)
				return err_trace(r);
		}
		s->n_rows += s->man.v[i].state == MANIFEST_RETIRED ? 0 : s->man.v[i].n_rows;
	}
	r = older_positions(s);
	s->next_row = s->committed_row;
	return err_trace(r);
}

static int
open_folder(struct store *s, struct buf *ret_error)
{
	int r = make_dirs(s->path, s->opt.dir_mode);

	if (r == 0)
		r = s->dir_fd = io_open(AT_FDCWD, s->path, O_RDONLY | O_DIRECTORY, 0);
	if (r < 0) {
		buf_c(ret_error, err_str(r));
		return err_trace(r);
	}
	r = lock_take(s->dir_fd, STORE_FILE_MODE, &s->lock_fd, ret_error);
	if (r < 0)
		buf_printf(ret_error, "cannot be locked: %s", err_str(r));
	return r;
}

static int
read_manifest(struct store *s, struct wall now, struct buf *ret_error)
{
	bool rebuilt = false;
	int r = manifest_load(s->dir_fd, &s->man, &rebuilt);

	if (r == MANIFEST_E_FORMAT) {
		buf_c(ret_error, "has a newer format; this version leaves it untouched");
		return STORE_E_FORMAT;
	}
	if (r == MANIFEST_E_NONE)
		r = begin_store(s, now);
	if (r == 0 && rebuilt)
		store_notice(s, "damaged", "%s/MANIFEST: lost, made again from the segments",
		    s->path);
	return err_fold(r);
}

/* Names that nobody can be told of are not used: answers are narrower, and no row is worse off. */
static void
settle_ids(struct store *s)
{
	uint64_t next = s->man.n > 0 ? s->man.next_segment : 0;
	int r = store_ids_settle(s->dir_fd, next, &s->ids_since);

	if (r < 0)
		store_notice(s, "ids",
		    "%s/ids: cannot be written: %s; the fields with the exact index are those before",
		    s->path, err_str(r));
}

int
store_open(struct store **ret, const char *path, const struct store_options *opt, struct wall now,
    struct buf *ret_error)
{
	AUTO(store_close) struct store *s = NULL;
	int r = store_new(&s, path, opt);

	if (r < 0)
		return err_trace(r);
	r = open_folder(s, ret_error);
	if (r != 0)
		return r;
	r = read_manifest(s, now, ret_error);
	if (r > 0)
		return r;
	if (r == 0)
		r = recover(s);
	if (r == 0)
		r = err_fold(manifest_save(s->dir_fd, &s->man, STORE_FILE_MODE));
	if (r == 0)
		r = store_idfiles_open(s);
	if (r < 0 && ret_error->n == 0)
		buf_printf(ret_error, "cannot be opened: %s", err_str(r));
	if (r < 0)
		return err_trace(r);
	store_reserve_make(s);
	store_skeletons_open(s);
	settle_ids(s);
	*ret = TAKE(s);
	return 0;
}

void
store_stats(const struct store *s, struct store_stats *ret)
{
	struct store_stats st = { 0 };
	size_t i;

	st.n_rows = s->n_rows;
	st.n_rows_pending = s->next_row - s->committed_row;
	for (i = 0; i < s->n_lanes; i++)
		if (s->lanes[i].builder != NULL)
			st.n_rows_pending += block_builder_rows(s->lanes[i].builder);
	st.pending_bytes = s->pending_bytes + store_lane_bytes(s);
	st.n_bytes = store_bytes(s);
	for (i = 0; i < s->man.n; i++) {
		if (s->man.v[i].state == MANIFEST_RETIRED)
			continue;
		st.n_segments++;
		if (s->man.v[i].state != MANIFEST_OPEN)
			st.raw_bytes += s->man.v[i].raw_bytes;
	}
	st.raw_bytes += s->tail != NULL ? s->tail->info.raw_bytes : 0;
	st.n_commits = s->n_commits;
	st.last_commit = s->last_commit;
	st.last_commit_took = s->last_commit_took;
	st.paused = s->paused;
	*ret = st;
}
