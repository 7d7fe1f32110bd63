/*
 * store/view_fd.c - the descriptors of a view.
 * One job: few open files, however many segments there are.
 * Floor: 2 (uses record, base).
 *
 * What is known of a segment stays when its file is closed, so it can be opened again when somebody reads on: the one that was
 * read least recently goes for the next.  A view takes a part of what the process may have, as it is not alone there: others
 * answer questions at the same time, and follow files.  While no more segments than that are open, nothing is ever
 * closed, and what was removed meanwhile is read to its end.  From the first that is closed on the view holds a shared lock on
 * the folder, as late views do (view_late.c), so that what merges stays.
 */
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/io.h"
#include "store/view_internal.h"

enum {
	FDS_PART = 8, /* that part of the process's limit */
	FDS_LEAST = 16,
	FDS_MOST = 4096,
};

void
view_fds_init(struct view_fds *f)
{
	struct rlimit lim;

	(void)pthread_mutex_init(&f->lock, NULL);
	f->cap = FDS_MOST;
	if (getrlimit(RLIMIT_NOFILE, &lim) == 0 && lim.rlim_cur / FDS_PART < FDS_MOST)
		f->cap = lim.rlim_cur / FDS_PART;
	if (f->cap < FDS_LEAST)
		f->cap = FDS_LEAST;
}

void
view_fds_fini(struct view_fds *f)
{
	(void)pthread_mutex_destroy(&f->lock);
}

static void
list_out(struct view_fds *f, struct view_segment *vs)
{
	if (vs->newer != NULL)
		vs->newer->older = vs->older;
	else
		f->newest = vs->older;
	if (vs->older != NULL)
		vs->older->newer = vs->newer;
	else
		f->oldest = vs->newer;
	vs->newer = vs->older = NULL;
	vs->listed = false;
	f->n--;
}

static void
list_in(struct view_fds *f, struct view_segment *vs)
{
	vs->older = f->newest;
	if (f->newest != NULL)
		f->newest->newer = vs;
	else
		f->oldest = vs;
	f->newest = vs;
	vs->listed = true;
	f->n++;
}

/* Close files until ${most} are open, or all others are being read. */
static void
close_oldest(struct store_view *v, size_t most)
{
	struct view_fds *f = &v->fds;
	struct view_segment *vs, *next;

	for (vs = f->oldest; vs != NULL && f->n > most; vs = next) {
		next = vs->newer;
		if (vs->pins > 0)
			continue;
		list_out(f, vs);
		segment_shut(vs->seg);
		if (!v->late && !f->locked)
			f->locked = flock(v->dir_fd, LOCK_SH | LOCK_NB) == 0;
	}
}

static bool
is_no_room(int r)
{
	return r == -EMFILE || r == -ENFILE;
}

/* Open again what was closed; others may have taken the room that was left for it. */
static int
reopen(struct store_view *v, struct view_segment *vs)
{
	int r;

	if (vs->gone != VIEW_HERE)
		return VIEW_E_VANISHED;
	close_oldest(v, v->fds.cap - 1);
	r = segment_reopen(vs->seg, v->dir_fd);
	if (is_no_room(r)) {
		close_oldest(v, 0);
		r = segment_reopen(vs->seg, v->dir_fd);
	}
	if (r != SEGMENT_E_GONE)
		return err_trace(r);
	vs->gone = view_gone(v, vs);
	return VIEW_E_VANISHED;
}

int
view_fd_take(struct store_view *v, struct view_segment *vs, int *ret)
{
	int r = 0;

	(void)pthread_mutex_lock(&v->fds.lock);
	if (vs->seg->fd < 0)
		r = reopen(v, vs);
	if (r == 0) {
		if (vs->listed)
			list_out(&v->fds, vs);
		list_in(&v->fds, vs);
		vs->pins++;
		*ret = vs->seg->fd;
	}
	(void)pthread_mutex_unlock(&v->fds.lock);
	return r;
}

static bool
is_unlinked(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_nlink == 0;
}

bool
view_fd_is_there(struct store_view *v, struct view_segment *vs)
{
	int fd, r = view_fd_take(v, vs, &fd);
	bool there;

	if (r != 0)
		return r != VIEW_E_VANISHED;
	(void)pthread_mutex_lock(&v->fds.lock);
	vs->pins--;
	/* It could not be opened again, and others will want its place. */
	if (vs->gone == VIEW_HERE && v->fds.n >= v->fds.cap && is_unlinked(fd))
		vs->gone = view_gone(v, vs);
	there = vs->gone == VIEW_HERE;
	(void)pthread_mutex_unlock(&v->fds.lock);
	return there;
}

void
view_fd_give(struct store_view *v, struct view_segment *vs)
{
	(void)pthread_mutex_lock(&v->fds.lock);
	vs->pins--;
	(void)pthread_mutex_unlock(&v->fds.lock);
}

int
view_fd_open(struct store_view *v, struct view_segment *vs, const char *name)
{
	int r;

	(void)pthread_mutex_lock(&v->fds.lock);
	close_oldest(v, v->fds.cap - 1);
	r = segment_open(&vs->seg, v->dir_fd, name);
	if (is_no_room(r)) {
		close_oldest(v, 0);
		r = segment_open(&vs->seg, v->dir_fd, name);
	}
	if (r == 0) {
		list_in(&v->fds, vs);
		vs->pins++;
	}
	(void)pthread_mutex_unlock(&v->fds.lock);
	return r;
}

void
view_fd_move(struct store_view *v, struct view_segment *from, struct view_segment *to)
{
	(void)pthread_mutex_lock(&v->fds.lock);
	to->seg = TAKE(from->seg);
	if (from->listed) {
		list_out(&v->fds, from);
		list_in(&v->fds, to);
	}
	(void)pthread_mutex_unlock(&v->fds.lock);
}

void
view_fd_close(struct store_view *v, struct view_segment *vs)
{
	(void)pthread_mutex_lock(&v->fds.lock);
	if (vs->listed)
		list_out(&v->fds, vs);
	vs->pins = 0;
	vs->seg = segment_close(vs->seg);
	(void)pthread_mutex_unlock(&v->fds.lock);
}

void
view_fds_unlock(struct store_view *v)
{
	(void)pthread_mutex_lock(&v->fds.lock);
	if (v->fds.locked)
		v->fds.locked = flock(v->dir_fd, LOCK_UN) != 0;
	(void)pthread_mutex_unlock(&v->fds.lock);
}
