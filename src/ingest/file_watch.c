/*
 * ingest/file_watch.c - inotify.
 * One job: be told which files changed, and know when that cannot be relied on.
 * Floor: 3 (uses base).
 */
#include <sys/inotify.h>
#include <sys/vfs.h>

#include "base/map.h"
#include "ingest/file_internal.h"

enum {
	WATCH_MASK = IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_MODIFY | IN_ATTRIB |
	    IN_DELETE_SELF | IN_MOVE_SELF,
	WATCH_MOVED = IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_ATTRIB |
	    IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT,
	WATCH_READ = 64 << 10,
};

/* One watch.  as: the name under which a file is followed; NULL: path is a folder. */
struct watched {
	char *path;
	char *as;
	int wd;
	bool blind; /* changes by other hosts, or behind the kernel's back, are not told */
	uint64_t round;
};

/*
 * Invariants: list is in the order of wd; round is that of the running or the last scan, and failed says whether one of its
 * watches could not be made.
 */
struct watch {
	int fd;
	struct watched *list;
	size_t n, cap;
	struct map by_path; /* wd */
	uint64_t round;
	bool failed;
	_Alignas(struct inotify_event) uint8_t room[WATCH_READ];
};

int
watch_new(struct watch **ret)
{
	struct watch *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return err_origin(-ENOMEM);
	/* Without it all goes by rescans. */
	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	*ret = w;
	return 0;
}

struct watch *
watch_free(struct watch *w)
{
	if (w == NULL)
		return NULL;
	if (w->fd >= 0)
		(void)close(w->fd);
	while (w->n > 0) {
		free(w->list[--w->n].path);
		free(w->list[w->n].as);
	}
	free(w->list);
	map_fini(&w->by_path);
	free(w);
	return NULL;
}

int
watch_fd(const struct watch *w)
{
	return w->fd;
}

bool
watch_complete(const struct watch *w)
{
	return w->fd >= 0 && !w->failed;
}

static size_t
lower_bound(const struct watch *w, int wd)
{
	size_t lo = 0, hi = w->n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (w->list[mid].wd < wd)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct watched *
find_wd(const struct watch *w, int wd)
{
	size_t at = lower_bound(w, wd);

	return at < w->n && w->list[at].wd == wd ? &w->list[at] : NULL;
}

bool
watch_fs_tells(unsigned long type)
{
	static const unsigned long silent[] = {
		0x6969,     /* nfs */
		0x517b,     /* smb */
		0xff534d42, /* cifs */
		0xfe534d42, /* smb2 */
		0x65735546, /* fuse */
		0x01021997, /* 9p */
		0x00c36400, /* ceph */
		0x5346414f, /* afs */
		0x786f4256, /* vboxsf */
		0x73757245, /* coda */
		0x7461636f, /* ocfs2 */
		0x01161970, /* gfs2 */
		0x0bd00bd0, /* lustre */
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(silent); i++)
		if (silent[i] == (type & 0xffffffff))
			return false;
	return true;
}

static bool
is_blind(const char *path)
{
	struct statfs st;

	return statfs(path, &st) == 0 && !watch_fs_tells((unsigned long)st.f_type);
}

/* Two paths may lead to one inode, and so to one wd: the last one stands. */
static bool
put_watched(struct watch *w, int wd, const char *path, const char *as)
{
	struct watched one = { strdup(path), as != NULL ? strdup(as) : NULL, wd, is_blind(path),
		w->round };
	size_t at = lower_bound(w, wd);
	struct watched *list;

	if (one.path == NULL || (as != NULL && one.as == NULL))
		goto no_memory;
	if (at < w->n && w->list[at].wd == wd) {
		free(w->list[at].path);
		free(w->list[at].as);
		w->list[at] = one;
		return true;
	}
	if (w->n == w->cap) {
		list = reallocarray(w->list, w->cap * 2 + 16, sizeof(*list));
		if (list == NULL)
			goto no_memory;
		w->list = list;
		w->cap = w->cap * 2 + 16;
	}
	memmove(w->list + at + 1, w->list + at, (w->n - at) * sizeof(*w->list));
	w->list[at] = one;
	w->n++;
	return true;
no_memory:
	free(one.path);
	free(one.as);
	return false;
}

static bool
add(struct watch *w, const char *path, const char *as, uint32_t mask)
{
	struct watched *known;
	int wd;

	wd = w->fd < 0 ? -1 : inotify_add_watch(w->fd, path, mask);
	if (wd < 0) {
		w->failed = w->failed || errno != ENOENT;
		return false;
	}
	known = find_wd(w, wd);
	if (known != NULL && strcmp(known->path, path) == 0) {
		known->round = w->round;
		w->failed = w->failed || known->blind;
		return true;
	}
	if (!put_watched(w, wd, path, as)) {
		w->failed = true;
		return false;
	}
	w->failed = w->failed || find_wd(w, wd)->blind;
	return true;
}

bool
watch_dir(struct watch *w, const char *path)
{
	return add(w, path, NULL, WATCH_MASK | IN_ONLYDIR);
}

bool
watch_file(struct watch *w, const char *path, const char *as)
{
	return add(w, path, as, IN_MODIFY | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF);
}

void
watch_begin(struct watch *w)
{
	w->round++;
	w->failed = w->fd < 0;
}

void
watch_end(struct watch *w)
{
	size_t i, kept = 0;

	for (i = 0; i < w->n; i++) {
		if (w->list[i].round == w->round) {
			w->list[kept++] = w->list[i];
			continue;
		}
		(void)inotify_rm_watch(w->fd, w->list[i].wd);
		free(w->list[i].path);
		free(w->list[i].as);
	}
	w->n = kept;
}

static void
tell(const struct watch *w, const struct inotify_event *e, struct buf *path, watch_fn fn, void *ctx)
{
	const struct watched *one = find_wd(w, e->wd);
	bool moved = (e->mask & WATCH_MOVED) != 0;

	if ((e->mask & IN_Q_OVERFLOW) != 0) {
		fn(ctx, NULL, true);
		return;
	}
	if (one == NULL)
		return;
	buf_clear(path);
	buf_c(path, one->as != NULL ? one->as : one->path);
	if (one->as == NULL && e->len > 0) {
		if (path->n > 1)
			buf_byte(path, '/');
		buf_c(path, e->name);
	}
	fn(ctx, buf_c_str(path), moved);
}

int
watch_read(struct watch *w, watch_fn fn, void *ctx)
{
	const struct inotify_event *e;
	struct buf path = BUF_INIT;
	ssize_t n;
	size_t at;

	if (w->fd < 0)
		return 0;
	while ((n = read(w->fd, w->room, sizeof(w->room))) > 0)
		for (at = 0; at < (size_t)n; at += sizeof(*e) + e->len) {
			e = (const struct inotify_event *)(const void *)(w->room + at);
			tell(w, e, &path, fn, ctx);
		}
	buf_fini(&path);
	return n < 0 && errno != EAGAIN && errno != EINTR ? err_origin(-errno) : 0;
}
