/*
 * store/view.c - the reader.
 * One job: open one consistent view of the committed rows, and bring it up to date.
 * Floor: 2 (uses record, base).
 *
 * The view holds the descriptors of its files as far as it may (view_fd.c), so that what retires meanwhile stays readable.  A file that
 * vanishes between MANIFEST and its opening means that MANIFEST is newer: it is read again.  A late view opens
 * sealed segments only when they are asked for (view_late.c).
 */
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <sys/file.h>

#include "base/io.h"
#include "store/view_internal.h"

enum { VIEW_TRIES = 16, VIEW_FAULTS_MAX = 10000 };

void
view_fault(struct store_view *v, const char *fmt, ...)
{
	char line[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n >= sizeof(line))
		n = sizeof(line) - 1;
	(void)pthread_mutex_lock(&v->lock);
	/* Without memory, or beyond the bound, the ones before stay. */
	if (v->faults.n < VIEW_FAULTS_MAX)
		(void)map_put(&v->faults, str_of(line, (size_t)n), NULL);
	(void)pthread_mutex_unlock(&v->lock);
}

static void
load_fault(void *ctx, const char *file, uint64_t at, const char *what)
{
	view_fault(ctx, "%s: at offset %llu: %s", file, (unsigned long long)at, what);
}

static void
segments_free(struct store_view *v, struct view_segment *segs, size_t n)
{
	size_t i;

	for (i = 0; i < n && segs != NULL; i++) {
		view_fd_close(v, &segs[i]);
		free(segs[i].order);
	}
	free(segs);
}

struct store_view *
store_view_free(struct store_view *v)
{
	if (v == NULL)
		return NULL;
	segments_free(v, v->segs, v->n_segs);
	view_drop_idfiles(v);
	store_ids_fini(&v->ids);
	view_fds_fini(&v->fds);
	free(v->blocks);
	manifest_fini(&v->man);
	map_fini(&v->faults);
	(void)block_zstd_free(v->zstd);
	(void)pthread_mutex_destroy(&v->lock);
	(void)pthread_mutex_destroy(&v->open_lock);
	free(v->path);
	if (v->dir_fd >= 0)
		(void)close(v->dir_fd);
	free(v);
	return NULL;
}

static int
view_new(struct store_view **ret, const char *path)
{
	AUTO(store_view_free) struct store_view *v = calloc(1, sizeof(*v));

	if (v == NULL)
		return err_origin(-ENOMEM);
	v->dir_fd = -1;
	v->since.ns = INT64_MIN;
	v->until.ns = INT64_MAX;
	(void)pthread_mutex_init(&v->lock, NULL);
	(void)pthread_mutex_init(&v->open_lock, NULL);
	view_fds_init(&v->fds);
	v->path = strdup(path);
	if (v->path == NULL)
		return err_origin(-ENOMEM);
	if (block_zstd_new(&v->zstd) < 0)
		return err_trace(-ENOMEM);
	*ret = TAKE(v);
	return 0;
}

static int
say_denied(const char *path, struct buf *out)
{
	struct stat st;
	struct group *g = stat(path, &st) == 0 ? getgrgid(st.st_gid) : NULL;

	buf_printf(out, "%s: may not be read", path);
	if (g != NULL)
		buf_printf(out, "; members of the group %s may", g->gr_name);
	return STORE_VIEW_E_DENIED;
}

static int
open_folder(struct store_view *v, struct buf *ret_error)
{
	struct stat st;
	int fd;

	if (stat(v->path, &st) != 0 && (errno == ENOENT || errno == ENOTDIR)) {
		buf_printf(ret_error, "%s: there is no store", v->path);
		return STORE_VIEW_E_NONE;
	}
	if (access(v->path, R_OK | X_OK) != 0 && errno == EACCES)
		return say_denied(v->path, ret_error);
	fd = io_open(AT_FDCWD, v->path, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0) {
		buf_printf(ret_error, "%s: %s", v->path, err_str(fd));
		return err_trace(fd);
	}
	v->dir_fd = fd;
	if (faccessat(fd, "MANIFEST", R_OK, 0) != 0 && errno == EACCES)
		return say_denied(v->path, ret_error);
	return 0;
}

/* Load what the state says is valid, of a file that is open.  Damage is a fault; only no memory and the like end it. */
static int
load_segment(struct store_view *v, struct view_segment *vs)
{
	struct segment_sinks sinks = { load_fault, v, NULL, NULL, NULL };
	unsigned flags = SEGMENT_LOAD_QUICK;
	int r = 0;

	switch (vs->info.state) {
	case MANIFEST_OPEN:
		r = segment_load(vs->seg, 0, flags, &sinks);
		break;
	case MANIFEST_CLOSED:
		flags |= vs->info.end > 0 ? SEGMENT_LOAD_TRUSTED : 0;
		r = segment_load(vs->seg, vs->info.end, flags, &sinks);
		break;
	case MANIFEST_SEALED:
		r = segment_load_sealed(vs->seg, &sinks);
		break;
	case MANIFEST_RETIRED:
		break;
	}
	return err_trace(r);
}

/* A segment loaded before serves again when what it holds is still valid. */
static bool
take_old(struct store_view *v, struct view_segment *vs, bool *ret_more)
{
	const struct manifest_segment *info = &vs->info;
	struct view_segment *old;
	size_t i;

	*ret_more = false;
	for (i = 0; i < v->n_segs; i++) {
		old = &v->segs[i];
		if (old->info.number != info->number || old->seg == NULL)
			continue;
		if (info->state != MANIFEST_SEALED && info->state != old->info.state &&
		    info->end < old->seg->end)
			return false;
		view_fd_move(v, old, vs);
		*ret_more = info->state != MANIFEST_SEALED && old->info.state == MANIFEST_OPEN;
		return true;
	}
	return false;
}

static bool
is_there(const struct store_view *v, const char *name)
{
	return faccessat(v->dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

int
view_open_segment(struct store_view *v, struct view_segment *vs)
{
	char name[SEGMENT_NAME_MAX];
	int r;

	segment_name(name, vs->info.number);
	if (!is_there(v, name))
		return VIEW_E_VANISHED;
	r = view_fd_open(v, vs, name);
	if (r == SEGMENT_E_FORMAT)
		return VIEW_E_FORMAT;
	if (r == SEGMENT_E_CORRUPT) {
		view_fault(v, "%s: at offset 0: the header is damaged", name);
		return 0;
	}
	if (r == 0) {
		r = load_segment(v, vs);
		v->n_opened += r == 0 && vs->seg->blocks.n > 0;
		view_fd_give(v, vs);
	}
	if (r < 0) {
		view_fd_close(v, vs);
		/* It may have gone since it was looked for. */
		if (!is_there(v, name))
			return VIEW_E_VANISHED;
		view_fault(v, "%s: at offset 0: cannot be read: %s", name, err_str(r));
	}
	return 0;
}

/* Of a segment that was loaded before; its file may be closed, and gone: then MANIFEST is newer. */
static int
load_more(struct store_view *v, struct view_segment *vs)
{
	int fd, r;

	if (vs->seg->fd < 0 && !is_there(v, vs->seg->name))
		return VIEW_E_VANISHED;
	r = view_fd_take(v, vs, &fd);
	if (r != 0)
		return r;
	r = load_segment(v, vs);
	view_fd_give(v, vs);
	return err_trace(r);
}

static int
take_or_open(struct store_view *v, struct view_segment *vs)
{
	bool more = false;

	if (take_old(v, vs, &more))
		return more ? load_more(v, vs) : 0;
	return view_open_segment(v, vs);
}

/* Whether nobody will ask for its rows.  What a stream holds, MANIFEST learns too late. */
static bool
is_outside(const struct store_view *v, const struct manifest_segment *info)
{
	return info->state == MANIFEST_SEALED && info->n_rows > 0 &&
	    info->min_time.ns <= info->max_time.ns &&
	    (info->max_time.ns < v->since.ns ||
	        (v->until.ns != INT64_MAX && info->min_time.ns >= v->until.ns));
}

/* The segments of ${man}; ${last} try: what vanished is a fault. */
static int
open_segments(struct store_view *v, const struct manifest *man, bool last)
{
	struct view_segment *segs;
	size_t i, n = 0;
	int r = 0;

	segs = calloc(man->n > 0 ? man->n : 1, sizeof(*segs));
	if (segs == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < man->n && r == 0; i++) {
		if (man->v[i].state == MANIFEST_RETIRED || is_outside(v, &man->v[i]))
			continue;
		segs[n].info = man->v[i];
		segs[n].shut = view_may_wait(v, &man->v[i]);
		if (segs[n++].shut)
			continue;
		r = take_or_open(v, &segs[n - 1]);
		if (r == VIEW_E_VANISHED && last) {
			view_fault(v, "%010llu.seg: at offset 0: the file is missing",
			    (unsigned long long)man->v[i].number);
			r = 0;
		}
	}
	segments_free(v, v->segs, v->n_segs);
	view_drop_idfiles(v);
	v->segs = segs;
	v->n_segs = n;
	return r;
}

static int
compare_blocks(const void *a, const void *b, void *ctx)
{
	const struct view_block *x = a, *y = b;
	const struct view_segment *segs = ctx;
	uint64_t p = segs[x->segment].seg->blocks.v[x->block].first_row;
	uint64_t q = segs[y->segment].seg->blocks.v[y->block].first_row;

	if (p != q)
		return p < q ? -1 : 1;
	if (x->segment != y->segment)
		return x->segment < y->segment ? -1 : 1;
	return (x->block > y->block) - (x->block < y->block);
}

static int
order_blocks(struct store_view *v)
{
	struct view_block *blocks;
	struct view_segment *vs;
	size_t i, k, n = 0;

	if (v->late)
		return err_trace(view_number_blocks(v));
	for (i = 0; i < v->n_segs; i++)
		n += v->segs[i].seg != NULL ? v->segs[i].seg->blocks.n : 0;
	if (n > UINT32_MAX)
		return err_origin(-EOVERFLOW);
	blocks = reallocarray(v->blocks, n > 0 ? n : 1, sizeof(*blocks));
	if (blocks == NULL)
		return err_origin(-ENOMEM);
	v->blocks = blocks;
	v->n_blocks = n;
	for (i = 0, n = 0; i < v->n_segs; i++) {
		vs = &v->segs[i];
		for (k = 0; vs->seg != NULL && k < vs->seg->blocks.n; k++)
			blocks[n++] = (struct view_block){ v, (uint32_t)i, (uint32_t)k, true,
				vs->seg->blocks.v[k].body_at };
	}
	for (i = 1; i < n && compare_blocks(&blocks[i - 1], &blocks[i], v->segs) < 0; i++)
		;
	if (i < n)
		qsort_r(blocks, n, sizeof(*blocks), compare_blocks, v->segs);
	for (i = 0; i < v->n_segs; i++) {
		vs = &v->segs[i];
		if (vs->seg == NULL)
			continue;
		free(vs->order);
		vs->order = calloc(vs->seg->blocks.n + 1, sizeof(*vs->order));
		if (vs->order == NULL)
			return err_origin(-ENOMEM);
	}
	for (i = 0; i < n; i++)
		v->segs[blocks[i].segment].order[blocks[i].block] = (uint32_t)i;
	return 0;
}

static int
load_manifest(struct store_view *v, struct manifest *ret)
{
	bool rebuilt = false;
	int r;

	/* Looked at first: a MANIFEST that is replaced meanwhile is seen as changed next time. */
	v->man_stat = (struct stat){ 0 };
	(void)fstatat(v->dir_fd, "MANIFEST", &v->man_stat, 0);
	r = manifest_load(v->dir_fd, ret, &rebuilt);
	if (r == 0 && rebuilt)
		view_fault(v, "MANIFEST: at offset 0: lost, the segments were listed again");
	return r;
}

/* The names of ID fields, behind all that was read of segments.  Without them every segment is asked for every ID. */
static int
read_ids(struct store_view *v)
{
	int r;

	store_ids_fini(&v->ids);
	r = store_ids_read(v->dir_fd, &v->ids);
	return r == -ENOMEM ? err_trace(r) : 0;
}

static int
load_all(struct store_view *v)
{
	AUTO_FINI(manifest_fini) struct manifest man = { 0 };
	int i, r = VIEW_E_VANISHED;
	uint64_t generation = 0;

	for (i = 0; i < VIEW_TRIES && r == VIEW_E_VANISHED; i++) {
		manifest_fini(&man);
		r = load_manifest(v, &man);
		if (r == MANIFEST_E_NONE)
			return STORE_VIEW_E_NONE;
		if (r == MANIFEST_E_FORMAT)
			return STORE_VIEW_E_FORMAT;
		if (r != 0)
			return err_fold(r);
		/* The same MANIFEST again: the file is gone for good. */
		r = open_segments(v, &man, i > 0 && man.generation == generation);
		generation = man.generation;
	}
	if (r == VIEW_E_FORMAT)
		return STORE_VIEW_E_FORMAT;
	if (r != 0)
		return err_fold(r);
	manifest_fini(&v->man);
	v->man = man;
	man = (struct manifest){ 0 };
	r = order_blocks(v);
	return r == 0 ? read_ids(v) : err_trace(r);
}

static int
open_view(struct store_view *v, struct buf *ret_error)
{
	int r = open_folder(v, ret_error);

	if (r != 0)
		return r;
	/* Told to writers, so that they leave what merges away until it was read; else nothing may wait. */
	v->late = v->late && flock(v->dir_fd, LOCK_SH | LOCK_NB) == 0;
	r = load_all(v);
	if (r == STORE_VIEW_E_NONE)
		buf_printf(ret_error, "%s: there is no store", v->path);
	else if (r == STORE_VIEW_E_FORMAT)
		buf_printf(ret_error, "%s: has a newer format than this version reads", v->path);
	else if (r < 0)
		buf_printf(ret_error, "%s: %s", v->path, err_str(r));
	return r;
}

int
store_view_open(struct store_view **ret, const char *path, struct buf *ret_error)
{
	AUTO(store_view_free) struct store_view *v = NULL;
	int r = view_new(&v, path);

	if (r == 0)
		r = open_view(v, ret_error);
	if (r == 0)
		*ret = TAKE(v);
	return r;
}

int
store_view_open_between(struct store_view **ret, const char *path, struct wall since,
    struct wall until, struct buf *ret_error)
{
	AUTO(store_view_free) struct store_view *v = NULL;
	int r = view_new(&v, path);

	if (r < 0)
		return err_trace(r);
	v->since = since;
	v->until = until;
	v->late = true;
	r = open_view(v, ret_error);
	if (r == 0)
		*ret = TAKE(v);
	return r;
}

static bool
manifest_changed(struct store_view *v)
{
	struct stat st;

	if (fstatat(v->dir_fd, "MANIFEST", &st, 0) != 0)
		return true;
	return st.st_ino != v->man_stat.st_ino || st.st_size != v->man_stat.st_size ||
	    st.st_mtim.tv_sec != v->man_stat.st_mtim.tv_sec ||
	    st.st_mtim.tv_nsec != v->man_stat.st_mtim.tv_nsec;
}

static int
reload_all(struct store_view *v)
{
	int r = load_all(v);

	view_fds_unlock(v);
	return err_fold(r);
}

int
store_view_refresh(struct store_view *v)
{
	bool grew = false;
	uint64_t end;
	size_t i;
	int r;

	if (manifest_changed(v))
		return err_trace(reload_all(v));
	for (i = 0; i < v->n_segs; i++) {
		if (v->segs[i].info.state != MANIFEST_OPEN || v->segs[i].seg == NULL)
			continue;
		end = v->segs[i].seg->end;
		r = load_more(v, &v->segs[i]);
		if (r == VIEW_E_VANISHED)
			return err_trace(reload_all(v));
		if (r < 0)
			return err_trace(r);
		grew |= v->segs[i].seg->end != end;
	}
	r = grew ? order_blocks(v) : 0;
	return r == 0 ? read_ids(v) : err_trace(r);
}
