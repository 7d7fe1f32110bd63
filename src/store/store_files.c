/*
 * store/store_files.c - the files around the segments.
 * One job: make, name, count and clear away files, so that a crash anywhere leaves nothing behind for long.
 * Floor: 2 (uses record, base).
 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/io.h"
#include "store/store_internal.h"

int
store_save(struct store *s, struct manifest *m)
{
	int r;

	m->next_segment = s->man.next_segment;
	m->sequence = s->sequence;
	m->next_row = s->committed_row;
	s->unsure = true;
	r = manifest_save(s->dir_fd, m, STORE_FILE_MODE);
	/* Even a failed save counts: the generation never goes back to one that may be on disk. */
	s->man.generation = m->generation;
	if (r < 0)
		return err_trace(r);
	manifest_fini(&s->man);
	s->man = *m;
	*m = (struct manifest){ 0 };
	s->unsure = false;
	store_sweep_orphans(s);
	return 0;
}

int
store_ensure_saved(struct store *s)
{
	AUTO_FINI(manifest_fini) struct manifest m = { 0 };
	int r;

	if (!s->unsure)
		return 0;
	r = manifest_copy(&m, &s->man);
	if (r == 0)
		r = store_save(s, &m);
	return err_trace(r);
}

int
store_orphan(struct store *s, uint64_t number)
{
	uint64_t *v;
	size_t cap;

	if (s->n_orphans == s->cap_orphans) {
		cap = s->cap_orphans < 8 ? 8 : s->cap_orphans * 2;
		v = reallocarray(s->orphans, cap, sizeof(*v));
		if (v == NULL)
			return err_origin(-ENOMEM);
		s->orphans = v;
		s->cap_orphans = cap;
	}
	s->orphans[s->n_orphans++] = number;
	return 0;
}

void
store_sweep_orphans(struct store *s)
{
	char name[SEGMENT_NAME_MAX];
	size_t i;

	for (i = 0; i < s->n_orphans; i++) {
		if (manifest_find(&s->man, s->orphans[i]) != NULL)
			continue;
		segment_name(name, s->orphans[i]);
		/* What is left behind is swept at the next start. */
		(void)io_unlink(s->dir_fd, name);
	}
	s->n_orphans = 0;
}

int
store_new_file(struct store *s, uint64_t *ret_number, int *ret_fd)
{
	char name[SEGMENT_NAME_MAX];
	struct stat st;
	int fd;

	/* A number that somebody's file has already is gone past: unknown files are left alone. */
	do
		segment_name(name, s->man.next_segment++);
	while (fstatat(s->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0);
	fd = io_open(s->dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_NOCTTY,
	    STORE_FILE_MODE);
	if (fd < 0)
		return err_trace(fd);
	*ret_number = s->man.next_segment - 1;
	*ret_fd = fd;
	return 0;
}

void
store_reserve_make(struct store *s)
{
	AUTO_CLOSE int fd = -1;

	if (s->has_reserve)
		return;
	fd = io_open(s->dir_fd, "reserve", O_RDWR | O_CREAT | O_NOFOLLOW | O_NOCTTY,
	    STORE_FILE_MODE);
	/* Without it a full disk is only harder to leave. */
	if (fd >= 0 && io_allocate(fd, 0, STORE_RESERVE) == 0)
		s->has_reserve = true;
	else
		(void)io_unlink(s->dir_fd, "reserve");
}

void
store_reserve_drop(struct store *s)
{
	if (!s->has_reserve)
		return;
	(void)io_unlink(s->dir_fd, "reserve");
	s->has_reserve = false;
}

/* Whether a file has no room for a header, let alone for rows: a full disk left it so. */
static bool
is_stub(struct store *s, const char *name)
{
	struct stat st;

	return fstatat(s->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
	    st.st_size < SEGMENT_HEAD;
}

/* Whether a segment file that MANIFEST does not name is a remnant of ours: one that never came to hold rows, or
 * one that was to replace what is still there. */
static bool
is_remnant(struct store *s, const char *name, uint64_t number)
{
	AUTO(segment_close) struct segment *seg = NULL;
	uint32_t i;
	int r;

	if (manifest_find(&s->man, number) != NULL)
		return false;
	r = segment_open(&seg, s->dir_fd, name);
	/* Without a whole header it never got as far as MANIFEST. */
	if (r != 0)
		return r == SEGMENT_E_CORRUPT &&
		    (number >= s->man.next_segment || is_stub(s, name));
	if (memcmp(seg->head.uuid, s->man.uuid, sizeof(s->man.uuid)) != 0 ||
	    seg->head.number != number)
		return false;
	for (i = 0; i < seg->head.n_replaces; i++)
		if (manifest_find(&s->man, seg->head.replaces[i]) != NULL)
			return true;
	if (seg->head.kind == SEGMENT_SEALED)
		return false;
	return segment_load(seg, 0, 0, NULL) == 0 && seg->commit.sequence == 0;
}

static void
clean_name(struct store *s, const char *name)
{
	uint64_t number = 0;

	if (strcmp(name, "MANIFEST.tmp") == 0 || strcmp(name, "skeletons.tmp") == 0) {
		(void)io_unlink(s->dir_fd, name);
		return;
	}
	if (!segment_name_parse(name, &number) || manifest_find(&s->man, number) != NULL)
		return;
	if (is_remnant(s, name, number))
		(void)io_unlink(s->dir_fd, name);
	else
		store_notice(s, "unknown", "%s/%s: is not in MANIFEST, left alone", s->path, name);
	if (number >= s->man.next_segment)
		s->man.next_segment = number + 1;
}

int
store_clean(struct store *s)
{
	bool readers = retain_has_readers(s);
	struct dirent *e;
	char name[SEGMENT_NAME_MAX];
	size_t i;
	DIR *dir;
	int fd;

	fd = io_open(s->dir_fd, ".", O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return err_trace(fd);
	dir = fdopendir(fd);
	if (dir == NULL) {
		(void)close(fd);
		return err_origin(-ENOMEM);
	}
	while ((e = readdir(dir)) != NULL)
		clean_name(s, e->d_name);
	(void)closedir(dir);
	for (i = 0; i < s->man.n;) {
		if (s->man.v[i].state != MANIFEST_RETIRED ||
		    (readers && s->man.v[i].next_row != 0)) {
			i++;
			continue;
		}
		/* It is in no view that begins now; when it cannot go, it is tried again next time. */
		segment_name(name, s->man.v[i].number);
		if (io_unlink(s->dir_fd, name) < 0 && faccessat(s->dir_fd, name, F_OK, 0) == 0)
			i++;
		else
			manifest_remove(&s->man, s->man.v[i].number);
	}
	return 0;
}

uint64_t
store_bytes(const struct store *s)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < s->man.n; i++)
		if (s->man.v[i].state != MANIFEST_OPEN)
			n += s->man.v[i].n_bytes;
	return n + store_idfiles_bytes(s) + (s->tail != NULL ? s->tail->at : 0);
}
