/*
 * ingest/journal_files.c - the journal's files.
 * One job: list them with an identity each.
 * Floor: 3 (uses base).
 */
#include "ingest/journal_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <systemd/sd-id128.h>

#include "base/io.h"

/* Of a journal file's header: where the 16 bytes of its file id are. */
enum { HEADER_FILE_ID = 24, HEADER_NEEDED = 40, FILE_PATH_MAX = 4096 };

void
journal_files_fini(struct journal_files *fs)
{
	size_t i;

	for (i = 0; i < fs->n; i++)
		free(fs->files[i].path);
	free(fs->files);
	memset(fs, 0, sizeof(*fs));
}

static void
file_identify(struct journal_file *f)
{
	AUTO_CLOSE int fd = -1;
	uint8_t head[HEADER_NEEDED];
	size_t n;

	fd = io_open(AT_FDCWD, f->path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	f->denied = fd == -EACCES || fd == -EPERM;
	if (fd >= 0 && io_pread(fd, head, sizeof(head), 0, &n) == 0 && n == sizeof(head))
		memcpy(f->id.file_id.b, head + HEADER_FILE_ID, sizeof(f->id.file_id.b));
}

static int
files_add(struct journal_files *fs, const char *path)
{
	struct journal_file *f;
	struct stat st;

	if (fs->n == JOURNAL_FILES_MAX || stat(path, &st) != 0 || !S_ISREG(st.st_mode))
		return 0;
	if (fs->n == fs->cap) {
		size_t cap = fs->cap == 0 ? 64 : fs->cap * 2;

		f = realloc(fs->files, cap * sizeof(*f));
		if (f == NULL)
			return err_origin(-ENOMEM);
		fs->files = f;
		fs->cap = cap;
	}
	f = &fs->files[fs->n];
	memset(f, 0, sizeof(*f));
	f->path = strdup(path);
	if (f->path == NULL)
		return err_origin(-ENOMEM);
	f->id.inode = st.st_ino;
	f->id.device = st.st_dev;
	f->modified.ns = st.st_mtim.tv_sec * NS_PER_S + st.st_mtim.tv_nsec;
	f->n_bytes = (uint64_t)st.st_size;
	fs->n++;
	file_identify(f);
	fs->denied |= f->denied;
	return 0;
}

static bool
is_machine_id(const char *name)
{
	return strlen(name) == 32 && strspn(name, "0123456789abcdef") == 32;
}

static int
files_add_dir(struct journal_files *fs, const char *dir, bool deeper)
{
	char path[FILE_PATH_MAX];
	struct dirent *de;
	int r = 0, n;
	DIR *d;

	d = opendir(dir);
	if (d == NULL) {
		fs->denied |= errno == EACCES || errno == EPERM;
		/* a folder that is not there has no files; it may come later */
		return 0;
	}
	while (r == 0 && (de = readdir(d)) != NULL) {
		struct str name = str_c(de->d_name);

		n = snprintf(path, sizeof(path), "%s/%s", dir, de->d_name);
		if (n < 0 || (size_t)n >= sizeof(path))
			continue;
		if (str_ends(name, STR(".journal")) || str_ends(name, STR(".journal~")))
			r = files_add(fs, path);
		else if (deeper && is_machine_id(de->d_name))
			r = files_add_dir(fs, path, false);
	}
	(void)closedir(d);
	return r;
}

static int
files_add_local(struct journal_files *fs)
{
	static const char *const roots[] = { "/run/log/journal", "/var/log/journal" };
	char path[FILE_PATH_MAX], id[SD_ID128_STRING_MAX];
	sd_id128_t machine;
	size_t i;
	int r = 0;

	if (sd_id128_get_machine(&machine) < 0)
		return 0;
	for (i = 0; r == 0 && i < ARRAY_LEN(roots); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", roots[i],
		    sd_id128_to_string(machine, id));
		r = files_add_dir(fs, path, false);
	}
	return r;
}

int
journal_files_list(struct journal_files *fs, const char *dir)
{
	journal_files_fini(fs);
	return dir != NULL ? files_add_dir(fs, dir, true) : files_add_local(fs);
}

bool
journal_files_same(const struct journal_files *a, const struct journal_files *b)
{
	size_t i, k;

	if (a->n != b->n)
		return false;
	for (i = 0; i < a->n; i++) {
		for (k = 0; k < b->n; k++)
			if (journal_file_id_eq(&a->files[i].id, &b->files[k].id))
				break;
		if (k == b->n)
			return false;
	}
	return true;
}
