/*
 * store/view_disk.c - what stands in a store's folder.
 * One job: the bytes of all its files, and of the merged ID indexes among them.
 * Floor: 2 (uses record, base).
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/io.h"
#include "store/idfile.h"
#include "store/view_internal.h"

/* Of regular files alone; one that goes meanwhile is not counted. */
static void
count_files(DIR *dir, struct store_disk_info *ret)
{
	struct dirent *e;
	struct stat st;

	while ((e = readdir(dir)) != NULL) {
		if (fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
		    !S_ISREG(st.st_mode))
			continue;
		ret->n_files++;
		ret->n_bytes += (uint64_t)st.st_size;
	}
}

static int
count_folder(int dir_fd, const char *name, struct store_disk_info *ret)
{
	int fd = io_open(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

	*ret = (struct store_disk_info){ 0 };
	if (dir == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return fd < 0 ? err_trace(fd) : err_origin(-ENOMEM);
	}
	count_files(dir, ret);
	(void)closedir(dir);
	return 0;
}

int
store_view_disk(const struct store_view *v, struct store_disk_info *ret_all,
    struct store_disk_info *ret_ids)
{
	int r = count_folder(v->dir_fd, IDFILE_FOLDER, ret_ids);

	if (r == -ENOMEM)
		return err_trace(r);
	/* None, or somebody's else: nothing of the store. */
	r = count_folder(v->dir_fd, ".", ret_all);
	if (r < 0)
		return err_trace(r);
	ret_all->n_files += ret_ids->n_files;
	ret_all->n_bytes += ret_ids->n_bytes;
	return 0;
}
