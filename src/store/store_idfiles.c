/*
 * store/store_idfiles.c - when IDs are merged.
 * One job: keep the merged ID indexes few, small and of segments that are there, a bounded piece at a time.
 * Floor: 2 (uses record, base).
 *
 * A tree of few levels: MERGE_AT segments that no file covers become a file; MERGE_AT files of less than MIDDLE
 * segments become one, and three of less than LARGE.  So an entry is written some three times in its life, and a thousand
 * segments make about a dozen files.  What expired is gone past by its number; a file goes with its last segment, and
 * is written anew when more than half of it has gone.
 *
 * Steps, each safe to be cut off: the file is made and synced ("tmp"); it gets its name; the files that it was made of
 * go.  A crash before the last leaves a file that covers nothing that another does not: it goes at the next look.  Nothing
 * here is needed to answer, so no failure of it is one of the store: it is said, and tried again.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "store/idfile_write.h"
#include "store/store_internal.h"

enum {
	MERGE_AT = 8,
	MERGE_LARGE_AT = 3,
	MIDDLE = 64,
	LARGE = 125,
	RETRY_S = 60,
	ROUNDS_MAX = 4096
};
#define BYTES_MAX (UINT64_C(256) << 20) /* of a file that is made of others, or of many segments */

/* Invariants: files[0..n) have no descriptor; live is sorted by number, as is of looked's MANIFEST. */
struct idfiles {
	int fd; /* the folder, or -1: not there yet */
	struct idfile **files;
	size_t n, cap;
	uint64_t next; /* number of the next file */
	uint64_t *bad; /* segments that are left to themselves until the next start */
	size_t n_bad, cap_bad;
	struct idfile_job *job;
	uint64_t looked;     /* generation of MANIFEST when nothing was due, or 0 */
	uint64_t not_before; /* boot clock, ns */
	bool failed;         /* said so */
};

static int
add_file(struct idfiles *x, struct idfile *f)
{
	struct idfile **v;
	size_t cap;

	if (f->fd >= 0)
		(void)close(f->fd);
	f->fd = -1;
	if (x->n == x->cap) {
		cap = x->cap < 16 ? 16 : x->cap * 2;
		v = reallocarray(x->files, cap, sizeof(struct idfile *));
		if (v == NULL) {
			(void)idfile_close(f);
			return err_origin(-ENOMEM);
		}
		x->files = v;
		x->cap = cap;
	}
	x->files[x->n++] = f;
	return 0;
}

/* A file that cannot be read is worth nothing: it is made again.  One of a newer format, or another store's, stays. */
static int
take_file(struct store *s, uint64_t number)
{
	struct idfile *f = NULL;
	char name[IDFILE_NAME_MAX];
	int r = idfile_open(&f, s->idfiles->fd, number, s->man.uuid);

	if (number >= s->idfiles->next)
		s->idfiles->next = number + 1;
	if (r == -ENOMEM)
		return err_trace(r);
	if (r == 0)
		return err_trace(add_file(s->idfiles, f));
	if (r != IDFILE_E_CORRUPT)
		return 0;
	idfile_name(name, number);
	store_notice(s, "damaged", "%s/" IDFILE_FOLDER "/%s: is damaged, and made again", s->path,
	    name);
	(void)io_unlink(s->idfiles->fd, name);
	return 0;
}

int
store_idfiles_open(struct store *s)
{
	AUTO_FREE uint64_t *numbers = NULL;
	struct idfiles *x = calloc(1, sizeof(*x));
	size_t i, n = 0;
	int r;

	if (x == NULL)
		return err_origin(-ENOMEM);
	s->idfiles = x;
	x->next = 1;
	r = idfile_numbers(s->dir_fd, &x->fd, &numbers, &n);
	if (x->fd >= 0 && faccessat(x->fd, "tmp", F_OK, 0) == 0)
		(void)io_unlink(x->fd, "tmp");
	for (i = 0; i < n && r == 0; i++)
		r = take_file(s, numbers[i]);
	/* They are answers sooner, and no answers: without them all is as before. */
	return r == -ENOMEM ? err_trace(r) : 0;
}

uint64_t
store_idfiles_bytes(const struct store *s)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; s->idfiles != NULL && i < s->idfiles->n; i++)
		n += s->idfiles->files[i]->n_bytes;
	return n;
}

static void
drop_file(struct idfiles *x, size_t i)
{
	char name[IDFILE_NAME_MAX];

	idfile_name(name, x->files[i]->number);
	/* What cannot go now is looked at again after the next start. */
	(void)io_unlink(x->fd, name);
	(void)idfile_close(x->files[i]);
	x->files[i] = x->files[--x->n];
}

static void
drop_number(struct idfiles *x, uint64_t number)
{
	size_t i;

	for (i = 0; i < x->n; i++)
		if (x->files[i]->number == number) {
			drop_file(x, i);
			return;
		}
}

/* A sealed segment of MANIFEST. */
struct live {
	const struct manifest_segment *info;
	uint64_t stamp;
	bool covered;
};
/* What there is: segments ascending, files by how much of them is live, the most first. */
struct picture {
	struct live *v;
	size_t n;
	struct idfile_source *files; /* one for each of idfiles.files */
	size_t *n_live;
};

static void
picture_fini(struct picture *p)
{
	free(p->v);
	free(p->files);
	free(p->n_live);
	*p = (struct picture){ 0 };
}

static int
compare_live(const void *a, const void *b)
{
	const struct live *x = a, *y = b;

	return (x->info->number > y->info->number) - (x->info->number < y->info->number);
}

static int
compare_files(const void *a, const void *b)
{
	const struct idfile *const *x = a, *const *y = b;

	if ((*x)->n_segments != (*y)->n_segments)
		return (*x)->n_segments > (*y)->n_segments ? -1 : 1;
	return ((*x)->number > (*y)->number) - ((*x)->number < (*y)->number);
}

static struct live *
find_live(const struct picture *p, struct idfile_segment g)
{
	size_t lo = 0, hi = p->n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (p->v[mid].info->number < g.number)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < p->n && p->v[lo].info->number == g.number &&
	        idfile_is_stamp(g.stamp, p->v[lo].stamp)
	    ? &p->v[lo]
	    : NULL;
}

/* Which segments each file is needed for: what a larger one covers counts as gone. */
static void
look_at_files(const struct idfiles *x, struct picture *p)
{
	struct live *g;
	size_t i, k;

	for (i = 0; i < x->n; i++) {
		p->files[i].number = x->files[i]->number;
		for (k = 0; k < x->files[i]->n_segments; k++) {
			g = find_live(p, x->files[i]->segments[k]);
			if (g == NULL || g->covered)
				continue;
			g->covered = true;
			bits_set(p->files[i].live, k);
			p->n_live[i]++;
		}
	}
}

static int
picture_make(const struct store *s, struct picture *p)
{
	struct idfiles *x = s->idfiles;
	const struct manifest_segment *g;
	size_t i;

	p->v = calloc(s->man.n + 1, sizeof(*p->v));
	p->files = calloc(x->n + 1, sizeof(*p->files));
	p->n_live = calloc(x->n + 1, sizeof(*p->n_live));
	if (p->v == NULL || p->files == NULL || p->n_live == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < s->man.n; i++) {
		g = &s->man.v[i];
		if (g->state == MANIFEST_SEALED)
			p->v[p->n++] = (struct live){ g, idfile_stamp(g), false };
	}
	if (p->n > 1)
		qsort(p->v, p->n, sizeof(*p->v), compare_live);
	if (x->n > 1)
		qsort(x->files, x->n, sizeof(x->files[0]), compare_files);
	look_at_files(x, p);
	return 0;
}

static bool
is_bad(const struct idfiles *x, uint64_t number)
{
	size_t i;

	for (i = 0; i < x->n_bad; i++)
		if (x->bad[i] == number)
			return true;
	return false;
}

static bool
choose_segments(const struct idfiles *x, const struct picture *p, struct idfile_job *job)
{
	size_t i;

	for (i = 0; i < p->n && job->n_segments < IDFILE_INPUTS_MAX; i++)
		if (!p->v[i].covered && !is_bad(x, p->v[i].info->number))
			job->segments[job->n_segments++] = *p->v[i].info;
	if (job->n_segments >= MERGE_AT)
		return true;
	job->n_segments = 0;
	return false;
}

/* ${at_least} files with fewer than ${below} live segments, as many as fit into one. */
static bool
choose_files(const struct idfiles *x, const struct picture *p, size_t below, size_t at_least,
    struct idfile_job *job)
{
	uint64_t bytes = 0;
	size_t i, n = 0, segments = 0;

	for (i = x->n; i > 0; i--)
		n += p->n_live[i - 1] < below && x->files[i - 1]->n_bytes <= BYTES_MAX / 2;
	if (n < at_least)
		return false;
	/* The smallest first. */
	for (i = x->n; i > 0 && job->n_files < IDFILE_INPUTS_MAX; i--) {
		if (p->n_live[i - 1] >= below || bytes + x->files[i - 1]->n_bytes > BYTES_MAX ||
		    segments + p->n_live[i - 1] > IDFILE_SEGMENTS_MAX)
			continue;
		bytes += x->files[i - 1]->n_bytes;
		segments += p->n_live[i - 1];
		job->files[job->n_files++] = p->files[i - 1];
	}
	if (job->n_files >= 2)
		return true;
	job->n_files = 0;
	return false;
}

static bool
choose_worn(const struct idfiles *x, const struct picture *p, struct idfile_job *job)
{
	size_t i;

	for (i = 0; i < x->n; i++)
		if (p->n_live[i] < x->files[i]->n_segments / 2) {
			job->files[job->n_files++] = p->files[i];
			return true;
		}
	return false;
}

static bool
choose(const struct idfiles *x, const struct picture *p, struct idfile_job *job)
{
	return choose_segments(x, p, job) || choose_worn(x, p, job) ||
	    choose_files(x, p, MIDDLE, MERGE_AT, job) ||
	    choose_files(x, p, LARGE, MERGE_LARGE_AT, job);
}

static int
make_folder(struct store *s)
{
	struct idfiles *x = s->idfiles;

	if (x->fd >= 0)
		return 0;
	if (mkdirat(s->dir_fd, IDFILE_FOLDER, s->opt.dir_mode) < 0 && errno != EEXIST)
		return err_origin(-errno);
	x->fd = io_open(s->dir_fd, IDFILE_FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	return x->fd < 0 ? err_trace(x->fd) : 0;
}

/* Files of which no segment is left, or none that a larger one has not. */
static bool
drop_unneeded(struct idfiles *x, const struct picture *p)
{
	size_t i, n = x->n;

	for (i = n; i > 0; i--)
		if (p->n_live[i - 1] == 0)
			drop_file(x, i - 1);
	return x->n != n;
}

static int
look(const struct store *s, struct picture *p)
{
	int r = picture_make(s, p);

	if (r == 0 && drop_unneeded(s->idfiles, p)) {
		picture_fini(p);
		r = picture_make(s, p);
	}
	return err_trace(r);
}

/* What is due as a job that is ready to run, or NULL in *ret. */
static int
plan(struct store *s, struct wall now, struct idfile_job **ret)
{
	AUTO_FINI(picture_fini) struct picture p = { 0 };
	AUTO_FREE struct idfile_job *job = calloc(1, sizeof(*job));
	struct idfiles *x = s->idfiles;
	int r = job == NULL ? err_origin(-ENOMEM) : look(s, &p);

	*ret = NULL;
	if (r == 0 && !choose(x, &p, job)) {
		x->looked = s->man.generation;
		return 0;
	}
	if (r == 0)
		r = make_folder(s);
	if (r < 0)
		return err_trace(r);
	job->dir_fd = s->dir_fd;
	job->index_fd = x->fd;
	memcpy(job->uuid, s->man.uuid, sizeof(job->uuid));
	job->created = now;
	job->number = x->next++;
	job->n_bytes_max = BYTES_MAX;
	atomic_init(&job->stop, false);
	atomic_init(&job->done, false);
	*ret = TAKE(job);
	return 0;
}

static int
take_bad(struct idfiles *x, const struct idfile_job *job)
{
	uint64_t *v;
	size_t i, cap;

	for (i = 0; i < job->n_bad; i++) {
		if (x->n_bad == x->cap_bad) {
			cap = x->cap_bad < 16 ? 16 : x->cap_bad * 2;
			v = reallocarray(x->bad, cap, sizeof(*v));
			if (v == NULL)
				return err_origin(-ENOMEM);
			x->bad = v;
			x->cap_bad = cap;
		}
		x->bad[x->n_bad++] = job->bad[i];
	}
	return 0;
}

static void
fail(struct store *s, int r)
{
	struct idfiles *x = s->idfiles;

	if (!x->failed)
		store_notice(s, "index", "%s/" IDFILE_FOLDER ": %s; it is tried again", s->path,
		    err_str(r));
	x->failed = true;
	x->not_before = (uint64_t)boot_now().ns + RETRY_S * (uint64_t)NS_PER_S;
}

/* The file is there: those that it was made of go. */
static int
finish(struct store *s, struct idfile_job *job)
{
	struct idfiles *x = s->idfiles;
	struct idfile *f = NULL;
	size_t i;
	int r = job->result;

	if (r == 0)
		r = idfile_open(&f, x->fd, job->number, s->man.uuid);
	if (r == 0)
		r = add_file(x, f);
	for (i = 0; i < job->n_files && r == 0; i++)
		drop_number(x, job->files[i].number);
	if (job->bad_file != 0)
		drop_number(x, job->bad_file);
	if (r >= 0 && take_bad(x, job) < 0)
		r = -ENOMEM;
	if (r < 0)
		fail(s, r);
	else
		x->failed = false;
	free(job);
	return r < 0 ? err_trace(r) : 0;
}

static void *
run_thread(void *ctx)
{
	struct idfile_job *job = ctx;

	job->result = idfile_write(job);
	atomic_store(&job->done, true);
	return NULL;
}

void
store_idfiles_maintain(struct store *s, struct wall now)
{
	struct idfiles *x = s->idfiles;
	struct idfile_job *job = x->job;
	int r;

	if (job != NULL) {
		if (!atomic_load(&job->done))
			return;
		(void)pthread_join(job->thread, NULL);
		x->job = NULL;
		(void)finish(s, job);
		return;
	}
	if (s->paused || s->man.generation == x->looked || (uint64_t)boot_now().ns < x->not_before)
		return;
	r = plan(s, now, &job);
	if (r == 0 && job != NULL && pthread_create(&job->thread, NULL, run_thread, job) != 0) {
		free(job);
		r = -EAGAIN;
	} else if (r == 0) {
		x->job = job;
	}
	if (r < 0)
		fail(s, r);
}

void
store_idfiles_now(struct store *s, struct wall now)
{
	struct idfiles *x = s->idfiles;
	struct idfile_job *job = TAKE(x->job);
	unsigned i;
	int r = 0;

	if (job != NULL) {
		(void)pthread_join(job->thread, NULL);
		r = finish(s, job);
	}
	for (i = 0; i < ROUNDS_MAX && r == 0 && !s->paused; i++) {
		r = plan(s, now, &job);
		if (r < 0)
			fail(s, r);
		if (r < 0 || job == NULL)
			return;
		job->result = idfile_write(job);
		r = finish(s, job);
	}
}

void
store_idfiles_close(struct store *s)
{
	struct idfiles *x = TAKE(s->idfiles);
	size_t i;

	if (x == NULL)
		return;
	if (x->job != NULL) {
		atomic_store(&x->job->stop, true);
		(void)pthread_join(x->job->thread, NULL);
		free(x->job);
	}
	for (i = 0; i < x->n; i++)
		(void)idfile_close(x->files[i]);
	free(x->files);
	free(x->bad);
	if (x->fd >= 0)
		(void)close(x->fd);
	free(x);
}
