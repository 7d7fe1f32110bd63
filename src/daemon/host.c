/*
 * daemon/host.c - what the machine grants.
 * One job: descriptors for files that are followed, and the group that may read the store.
 * Floor: 6 (uses ingest, base).
 */
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/daemon_internal.h"
#include "daemon/say.h"
#include "ingest/file.h"

enum {
	HOST_FDS_OWN = 256,    /* of the store, the socket and its guests, where there are many */
	HOST_FDS_FEW = 512,    /* fewer than this are shared out by part instead */
	HOST_FDS_PART = 8,     /* that part of few is for followed files */
	HOST_FDS_LEAST = 2,    /* an old file and a new one */
	HOST_GROUP_MAX = 65536 /* bytes of the group's line in the table */
};

size_t
host_files_open(size_t n_sources)
{
	struct rlimit lim;
	size_t n = FILE_OPEN_MAX;

	if (getrlimit(RLIMIT_NOFILE, &lim) < 0)
		return n;
	if (lim.rlim_cur < HOST_FDS_FEW)
		n = lim.rlim_cur / HOST_FDS_PART;
	else if (lim.rlim_cur - HOST_FDS_OWN < n)
		n = lim.rlim_cur - HOST_FDS_OWN;
	n /= n_sources > 0 ? n_sources : 1;
	return n > HOST_FDS_LEAST ? n : HOST_FDS_LEAST;
}

static int
group_find(const char *name, gid_t *ret)
{
	AUTO_FREE char *text = malloc(HOST_GROUP_MAX);
	struct group g, *found = NULL;
	int r;

	if (text == NULL)
		return err_origin(-ENOMEM);
	r = getgrnam_r(name, &g, text, HOST_GROUP_MAX, &found);
	if (found == NULL)
		return err_origin(r != 0 ? -r : -ENOENT);
	*ret = g.gr_gid;
	return 0;
}

/* Files that were there before; new ones get the group from the folder. */
static int
group_files(int dir, gid_t gid)
{
	struct dirent *e;
	struct stat st;
	int r = 0;
	DIR *d;

	d = fdopendir(fcntl(dir, F_DUPFD_CLOEXEC, 0));
	if (d == NULL)
		return err_origin(-errno);
	while (r == 0 && (e = readdir(d)) != NULL)
		if (fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
		    st.st_gid != gid &&
		    fchownat(dir, e->d_name, (uid_t)-1, gid, AT_SYMLINK_NOFOLLOW) < 0)
			r = err_origin(-errno);
	(void)closedir(d);
	return r;
}

/* The group of a folder and of all in it; what comes into it later gets it from there. */
static int
group_folder(int dir, gid_t gid)
{
	struct stat st;

	if (fstat(dir, &st) < 0)
		return err_origin(-errno);
	if (st.st_gid != gid && fchown(dir, (uid_t)-1, gid) < 0)
		return err_origin(-errno);
	if ((st.st_mode & S_ISGID) == 0 && fchmod(dir, (st.st_mode & 07777) | S_ISGID) < 0)
		return err_origin(-errno);
	return group_files(dir, gid);
}

/* The store's own folder of merged ID indexes; any other is somebody's. */
static int
group_index(int dir, gid_t gid)
{
	AUTO_CLOSE int fd = openat(dir, "index", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0 ? err_trace(group_folder(fd, gid)) : 0;
}

static int
group_set(const char *path, const char *name)
{
	AUTO_CLOSE int dir = -1;
	gid_t gid = 0;
	int r;

	r = group_find(name, &gid);
	if (r < 0)
		return r;
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_origin(-errno);
	r = group_folder(dir, gid);
	return r == 0 ? err_trace(group_index(dir, gid)) : err_trace(r);
}

void
host_store_group(const char *path, const char *name)
{
	int r = group_set(path, name);

	if (r < 0)
		say(SAY_ERR,
		    "store group is not set: %s: %s: members cannot read %s; under systemd set Group= of the unit",
		    name, err_str(r), path);
}
