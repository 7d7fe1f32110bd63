/*
 * ingest/file_scan.c - the folders.
 * One job: find what the globs name, and the rotated forms beside it.
 * Floor: 3 (uses base).
 *
 * A scan lists each folder once.  A name that is a rotated form of another followed name is not followed by itself: it is
 * a generation of that name.
 */
#include <dirent.h>
#include <fcntl.h>

#include "base/io.h"
#include "ingest/file_internal.h"

enum { SCAN_DEPTH_MAX = 24 };

/*
 * Invariants: dirs holds each folder once, with the value 1 when it could be listed; siblings are of follows that are in
 * the source.
 */
struct scan_run {
	struct file_source *s;
	struct map dirs;
	struct sibling *sibs;
	size_t n_sibs, cap_sibs;
	int depth;
};

/* A link in a folder that others may write to must not make us read what its maker could not. */
static bool
link_is_trusted(const struct file_stat *link, const struct file_stat *target)
{
	return !S_ISLNK(link->mode) || link->uid == 0 || link->uid == geteuid() ||
	    link->uid == target->uid;
}

static int
refuse(const char **ret_why, const char *why)
{
	*ret_why = why;
	return -EINVAL;
}

static int
check_kind(const struct file_stat *link, const struct file_stat *st, const char **ret_why)
{
	if (S_ISDIR(st->mode))
		return refuse(ret_why, "it is a folder");
	if (S_ISFIFO(st->mode))
		return refuse(ret_why, "it is a FIFO");
	if (S_ISSOCK(st->mode))
		return refuse(ret_why, "it is a socket");
	if (!S_ISREG(st->mode))
		return refuse(ret_why, "it is a device");
	if (!link_is_trusted(link, st))
		return refuse(ret_why, "it is a link that leads to somebody else's file");
	return 0;
}

int
file_open(const char *path, struct file_stat *ret_st, const char **ret_why)
{
	AUTO_CLOSE int fd = -1;
	struct file_stat link, st;
	int r;

	r = file_stat_get(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, &link);
	if (r == 0)
		r = file_stat_get(AT_FDCWD, path, 0, &st);
	if (r == -ELOOP)
		return refuse(ret_why, "its links lead in a circle");
	/* Asked before it is opened, since to open some devices does something. */
	if (r == 0)
		r = check_kind(&link, &st, ret_why);
	if (r < 0)
		return r;
	fd = io_open(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0)
		return err_trace(fd);
	r = file_stat_get(fd, "", AT_EMPTY_PATH, &st);
	if (r == 0)
		r = check_kind(&link, &st, ret_why);
	if (r < 0)
		return r;
	*ret_st = st;
	return TAKE_FD(fd);
}

/* Folders.  ---------------------------------------------------------------------------------- */

static int walk(struct scan_run *run, struct buf *dir, const char *pattern);

static int
add_dir(struct scan_run *run, struct buf *dir)
{
	const char *path = dir->n == 0 ? "/" : buf_c_str(dir);

	if (map_put(&run->dirs, str_c(path), NULL) == NULL)
		return err_origin(-ENOMEM);
	return 0;
}

static int
walk_into(struct scan_run *run, struct buf *dir, const char *name, size_t n_name, const char *rest)
{
	size_t n = dir->n;
	int r;

	buf_byte(dir, '/');
	buf_put(dir, name, n_name);
	r = buf_err(dir);
	if (r == 0 && run->depth < SCAN_DEPTH_MAX) {
		run->depth++;
		r = walk(run, dir, rest);
		run->depth--;
	}
	dir->n = n;
	return err_trace(r);
}

static bool
is_dir(const struct dirent *e, DIR *d, bool follow)
{
	struct file_stat st;

	if (e->d_type == DT_DIR)
		return true;
	if (e->d_type != DT_UNKNOWN && (e->d_type != DT_LNK || !follow))
		return false;
	return file_stat_get(dirfd(d), e->d_name, follow ? 0 : AT_SYMLINK_NOFOLLOW, &st) == 0 &&
	    S_ISDIR(st.mode);
}

/* Every folder in ${dir} that the part matches; "**" goes into all of them, but not through links. */
static int
walk_glob(struct scan_run *run, struct buf *dir, const char *pattern, size_t n_part)
{
	bool any = n_part == 2 && memcmp(pattern, "**", 2) == 0;
	char part[FILE_NAME_MAX];
	struct dirent *e;
	DIR *d;
	int r = 0;

	if (n_part >= sizeof(part))
		return 0;
	memcpy(part, pattern, n_part);
	part[n_part] = '\0';
	(void)watch_dir(run->s->watch, dir->n == 0 ? "/" : buf_c_str(dir));
	d = opendir(dir->n == 0 ? "/" : buf_c_str(dir));
	if (d == NULL)
		return 0;
	while (r == 0 && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.' && (any || part[0] != '.'))
			continue;
		if (!is_dir(e, d, !any) || (!any && !file_glob_match(part, e->d_name)))
			continue;
		r = walk_into(run, dir, e->d_name, strlen(e->d_name),
		    any ? pattern : pattern + n_part);
	}
	(void)closedir(d);
	return err_trace(r);
}

/* ${pattern} is what is left of it, from a part on; ${dir} is where the parts before it led. */
static int
walk(struct scan_run *run, struct buf *dir, const char *pattern)
{
	size_t n;
	int r = 0;

	while (*pattern == '/')
		pattern++;
	n = strcspn(pattern, "/");
	if (pattern[n] == '\0') {
		/* "**" at the end means all files below. */
		if (n != 2 || memcmp(pattern, "**", 2) != 0)
			return err_trace(add_dir(run, dir));
		r = add_dir(run, dir);
		return r < 0 ? err_trace(r) : err_trace(walk_glob(run, dir, pattern, n));
	}
	if (!file_name_is_glob(str_of(pattern, n)))
		return err_trace(walk_into(run, dir, pattern, n, pattern + n));
	if (n == 2 && memcmp(pattern, "**", 2) == 0)
		r = walk(run, dir, pattern + n);
	return r < 0 ? err_trace(r) : err_trace(walk_glob(run, dir, pattern, n));
}

/* Names in one folder.  ---------------------------------------------------------------------- */

/* The value says whether the name may be a link. */
static int
list_dir(const char *dir, struct map *names)
{
	struct map_entry *one;
	struct dirent *e;
	DIR *d = opendir(dir);
	int r = 0;

	if (d == NULL)
		return err_origin(-errno);
	while (r == 0 && (e = readdir(d)) != NULL) {
		if (e->d_type == DT_DIR || strcmp(e->d_name, ".") == 0 ||
		    strcmp(e->d_name, "..") == 0)
			continue;
		one = map_put(names, str_c(e->d_name), NULL);
		if (one == NULL)
			r = err_origin(-ENOMEM);
		else
			one->value = e->d_type == DT_LNK || e->d_type == DT_UNKNOWN;
	}
	(void)closedir(d);
	return r;
}

static int
join(struct buf *out, const char *dir, struct str name)
{
	buf_clear(out);
	buf_c(out, strcmp(dir, "/") == 0 ? "" : dir);
	buf_byte(out, '/');
	buf_str(out, name);
	(void)buf_c_str(out);
	return buf_err(out);
}

static struct follow *
find_follow(struct file_source *s, const char *path)
{
	struct map_entry *e = map_get(&s->by_path, str_c(path));

	return e == NULL || e->value == 0 ? NULL : s->follows[e->value - 1];
}

/* The name is followed already, or will be: it is there, a glob names it, and it is not compressed. */
static bool
is_candidate(struct scan_run *run, const struct map *names, struct str name, const char *path)
{
	if (find_follow(run->s, path) != NULL)
		return true;
	return map_get(names, name) != NULL && !unzip_has_suffix(name) &&
	    file_name_matches(run->s, path);
}

static int
add_sibling(struct scan_run *run, struct follow *f, const char *path, int64_t rank, struct str name)
{
	struct sibling *sibs, sib = { .rank = rank, .follow = f };

	if (file_stat_get(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, &sib.st) < 0 ||
	    !S_ISREG(sib.st.mode))
		return 0;
	if (run->n_sibs == run->cap_sibs) {
		run->cap_sibs = run->cap_sibs == 0 ? 64 : run->cap_sibs * 2;
		sibs = reallocarray(run->sibs, run->cap_sibs, sizeof(*sibs));
		if (sibs == NULL)
			return err_origin(-ENOMEM);
		run->sibs = sibs;
	}
	sib.archive = unzip_has_suffix(name);
	sib.matches = file_name_matches(run->s, path);
	sib.path = strdup(path);
	if (sib.path == NULL)
		return err_origin(-ENOMEM);
	run->sibs[run->n_sibs++] = sib;
	return 0;
}

static int
too_many(struct file_source *s, const char *path)
{
	if (s->full)
		return 0;
	s->full = true;
	return err_trace(file_say(s, path, "is not followed, nor is any after it",
	    "more files than max_names allows"));
}

static int
follow_name(struct scan_run *run, const char *path)
{
	struct file_source *s = run->s;
	struct follow *f;
	int r;

	if (file_peer_names(s, path, true))
		return 0;
	if (find_follow(s, path) == NULL && s->n_follows >= s->opt.max_names)
		return err_trace(too_many(s, path));
	r = follow_get(s, path, &f);
	if (r == 0)
		f->scan = s->scan;
	return err_trace(r);
}

/* ${name} in ${dir}: a generation of another name, a name to follow, or nothing to us. */
static int
place_name(struct scan_run *run, const struct map *names, const char *dir, struct str name,
    struct buf *path)
{
	struct file_base bases[FILE_BASES_MAX];
	struct follow *f;
	size_t i, n;
	int r;

	n = file_name_bases(name, bases);
	for (i = 0; i < n; i++) {
		r = join(path, dir, str_c(bases[i].name));
		if (r < 0)
			return err_trace(r);
		if (!is_candidate(run, names, str_c(bases[i].name), (const char *)path->p))
			continue;
		r = follow_name(run, (const char *)path->p);
		f = find_follow(run->s, (const char *)path->p);
		if (r == 0)
			r = join(path, dir, name);
		if (r < 0 || f == NULL)
			return err_trace(r);
		return err_trace(add_sibling(run, f, (const char *)path->p, bases[i].rank, name));
	}
	r = join(path, dir, name);
	if (r < 0 || !is_candidate(run, names, name, (const char *)path->p))
		return err_trace(r);
	r = follow_name(run, (const char *)path->p);
	f = find_follow(run->s, (const char *)path->p);
	if (r == 0 && f != NULL)
		f->link = map_get(names, name)->value != 0;
	return err_trace(r);
}

static int
scan_dir(struct scan_run *run, struct map_entry *dir)
{
	struct map names = MAP_INIT;
	struct buf path = BUF_INIT;
	char *d = strndup((const char *)dir->key.p, dir->key.n);
	size_t i;
	int r;

	if (d == NULL)
		return err_origin(-ENOMEM);
	(void)watch_dir(run->s->watch, d);
	r = list_dir(d, &names);
	dir->value = r == 0;
	if (r != -ENOMEM)
		r = 0; /* not there or not readable now: what is known of it stays */
	for (i = 0; r == 0 && i < names.n; i++)
		r = place_name(run, &names, d, names.entries[i].key, &path);
	map_fini(&names);
	buf_fini(&path);
	free(d);
	return err_trace(r);
}

static int
oldest_first(const void *a, const void *b)
{
	const struct sibling *x = a, *y = b;

	if (x->follow != y->follow)
		return x->follow < y->follow ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank > y->rank ? -1 : 1;
	return strcmp(x->path, y->path);
}

/* Nothing is known of a folder that cannot be read; one that is not there holds nothing. */
static bool
is_gone(struct str dir)
{
	AUTO_FREE char *path = strndup((const char *)dir.p, dir.n);
	struct file_stat st;
	int r;

	if (path == NULL)
		return false;
	r = file_stat_get(AT_FDCWD, path, 0, &st);
	return r == -ENOENT || r == -ENOTDIR;
}

/* Look at the names in the folders that could be listed. */
static int
look_at_all(struct scan_run *run)
{
	struct file_source *s = run->s;
	struct map_entry *dir;
	struct follow *f;
	size_t i, from, to;
	struct str d;
	int r = 0;

	if (run->n_sibs > 1)
		qsort(run->sibs, run->n_sibs, sizeof(run->sibs[0]), oldest_first);
	for (i = 0; r == 0 && i < s->n_follows; i++) {
		f = s->follows[i];
		d = str_of(f->path, (size_t)(strrchr(f->path, '/') - f->path));
		dir = map_get(&run->dirs, d.n == 0 ? STR("/") : d);
		if ((dir == NULL || dir->value == 0) && !is_gone(d))
			continue;
		for (from = 0; from < run->n_sibs && run->sibs[from].follow != f; from++)
			;
		for (to = from; to < run->n_sibs && run->sibs[to].follow == f; to++)
			;
		r = follow_deny(s, f, follow_look(s, f, run->sibs + from, to - from));
		if (r == 0 && f->link && f->live != NULL)
			(void)watch_file(s->watch, f->path, f->path);
	}
	return err_trace(r);
}

static void
run_fini(struct scan_run *run)
{
	siblings_free(run->sibs, run->n_sibs);
	map_fini(&run->dirs);
}

int
file_scan(struct file_source *s)
{
	struct scan_run run = { .s = s, .dirs = MAP_INIT };
	struct buf dir = BUF_INIT;
	struct span begun = mono_now();
	struct wall looked = wall_now();
	size_t i;
	int r = 0;

	s->scan++;
	s->scan_at.ns = begun.ns + s->opt.rescan.ns;
	watch_begin(s->watch);
	for (i = 0; r == 0 && i < s->n_patterns; i++) {
		buf_clear(&dir);
		r = walk(&run, &dir, s->patterns[i]);
		if (r == 0 && !file_name_is_glob(str_c(s->patterns[i])))
			r = follow_name(&run, s->patterns[i]);
	}
	for (i = 0; r == 0 && i < run.dirs.n; i++)
		r = scan_dir(&run, &run.dirs.entries[i]);
	if (r == 0)
		r = look_at_all(&run);
	if (r == 0) {
		s->looked = looked;
		file_forget_names(s);
		file_bound_positions(s);
	}
	watch_end(s->watch);
	run_fini(&run);
	buf_fini(&dir);
	s->scan_took.ns = mono_now().ns - begun.ns;
	return err_trace(r);
}

int
file_siblings(struct file_source *s, struct follow *f, struct sibling **ret, size_t *ret_n)
{
	struct scan_run run = { .s = s, .dirs = MAP_INIT };
	const char *slash = strrchr(f->path, '/');
	struct str dir = str_of(f->path, (size_t)(slash - f->path)), base = str_c(slash + 1);
	AUTO_FREE char *d = strndup(f->path, dir.n == 0 ? 1 : dir.n);
	struct file_base bases[FILE_BASES_MAX];
	struct map names = MAP_INIT;
	struct buf path = BUF_INIT;
	size_t i, k, n;
	int r;

	r = d == NULL ? err_origin(-ENOMEM) : list_dir(d, &names);
	for (i = 0; r == 0 && i < names.n; i++) {
		n = file_name_bases(names.entries[i].key, bases);
		for (k = 0; r == 0 && k < n && k < FILE_BASES_MAX; k++)
			if (str_eq_c(base, bases[k].name)) {
				r = join(&path, d, names.entries[i].key);
				if (r == 0)
					r = add_sibling(&run, f, (const char *)path.p,
					    bases[k].rank, names.entries[i].key);
			}
	}
	map_fini(&names);
	buf_fini(&path);
	if (run.n_sibs > 1)
		qsort(run.sibs, run.n_sibs, sizeof(run.sibs[0]), oldest_first);
	*ret = run.sibs;
	*ret_n = run.n_sibs;
	return r == -ENOMEM ? err_trace(r) : 0;
}

void
siblings_free(struct sibling *sibs, size_t n)
{
	while (n > 0)
		free(sibs[--n].path);
	free(sibs);
}
