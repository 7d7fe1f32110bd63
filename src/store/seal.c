/*
 * store/seal.c - sealing and merging.
 * One job: choose segments, have a thread write them anew, and swap the result in.
 * Floor: 2 (uses record, base).
 *
 * Steps, each safe to be cut off: files are made and synced; the folder is synced; MANIFEST names them and calls what
 * they replace retired; the retired files go after a time of grace, or at the next start.  A crash before the
 * third leaves files that nobody names, which the next start removes.
 */
#include "store/seal.h"

#include "base/io.h"
#include "store/store_internal.h"

enum { SEAL_AT_ONCE = 8, MERGE_AT_LEAST = 8, RETRY_S = 60, LAG_MAX = 3 };

static struct seal_job *
job_free(struct store *s, struct seal_job *job, bool keep_files)
{
	char name[SEGMENT_NAME_MAX];
	size_t i;

	for (i = 0; i < job->n_inputs; i++)
		(void)segment_close(job->inputs[i]);
	for (i = 0; i < job->n_parts; i++) {
		if (job->parts[i].fd >= 0)
			(void)close(job->parts[i].fd);
		segment_name(name, job->parts[i].head.number);
		/* Else the next start finds that MANIFEST does not name it. */
		if (!keep_files)
			(void)io_unlink(s->dir_fd, name);
	}
	positions_fini(&job->positions);
	free(job);
	return NULL;
}

static void
take_commit(void *ctx, const struct segment_commit *c)
{
	struct seal_job *job = ctx;

	if (c->whole)
		positions_fini(&job->positions);
}

static int
take_position(void *ctx, struct str key, struct str value)
{
	struct seal_job *job = ctx;

	return err_trace(positions_load(&job->positions, key, value));
}

/* Open the inputs that can be; one that is missing or has no header stays as it is, a fault. */
static int
open_input(struct store *s, struct seal_job *job, const struct manifest_segment *g)
{
	struct segment *seg = NULL;
	char name[SEGMENT_NAME_MAX];
	int r;

	segment_name(name, g->number);
	if (faccessat(s->dir_fd, name, F_OK, 0) != 0)
		return 0;
	r = segment_open(&seg, s->dir_fd, name);
	if (r == 0) {
		job->wanted[job->n_inputs] = *g;
		job->inputs[job->n_inputs++] = seg;
	}
	return r < 0 ? err_trace(r) : 0;
}

/* The newest input says the positions; it is walked whole. */
static int
load_input(struct seal_job *job, size_t i)
{
	struct segment_sinks sinks = { NULL, NULL, take_commit, take_position, job };
	const struct manifest_segment *g = &job->wanted[i];
	struct segment *seg = job->inputs[i];
	bool newest = i + 1 == job->n_inputs;
	unsigned flags = g->end > 0 ? SEGMENT_LOAD_TRUSTED : 0;
	int r;

	if (g->state == MANIFEST_SEALED)
		r = segment_load_sealed(seg, newest ? &sinks : NULL);
	else if (newest)
		r = segment_load(seg, g->end, flags, &sinks);
	else
		r = segment_load(seg, g->end, flags | SEGMENT_LOAD_QUICK, NULL);
	job->damaged |= seg->damaged;
	job->commit = seg->commit;
	return err_trace(r);
}

static bool
has_keep(const struct seal_job *job, struct span keep)
{
	size_t i;

	for (i = 0; i < job->n_parts; i++)
		if (job->parts[i].head.keep.ns == keep.ns)
			return true;
	return job->n_parts == SEAL_PARTS_MAX;
}

static int
add_part(struct store *s, struct seal_job *job, struct span keep, struct wall now)
{
	struct seal_part *p = &job->parts[job->n_parts];
	uint64_t number = 0;
	int fd = -1, r;

	r = store_new_file(s, &number, &fd);
	if (r < 0)
		return err_trace(r);
	*p = (struct seal_part){ .fd = fd };
	p->head.kind = SEGMENT_SEALED;
	p->head.compat = SEGMENT_MARKS;
	p->head.number = number;
	memcpy(p->head.uuid, s->man.uuid, sizeof(p->head.uuid));
	p->head.created = now;
	p->head.keep = keep;
	p->head.part = (uint32_t)job->n_parts++;
	return 0;
}

/* A part for each class that the inputs hold. */
static int
add_parts(struct store *s, struct seal_job *job, struct wall now)
{
	const struct segment *seg;
	struct segment_head *h;
	size_t i, k;
	int r;

	for (i = 0; i < job->n_inputs; i++) {
		seg = job->inputs[i];
		for (k = 0; k < seg->blocks.n; k++) {
			if (has_keep(job, seg->blocks.v[k].keep))
				continue;
			r = add_part(s, job, seg->blocks.v[k].keep, now);
			if (r < 0)
				return err_trace(r);
		}
	}
	for (i = 0; i < job->n_parts; i++) {
		h = &job->parts[i].head;
		h->n_parts = (uint32_t)job->n_parts;
		h->n_replaces = (uint32_t)job->n_inputs;
		for (k = 0; k < job->n_inputs; k++)
			h->replaces[k] = job->inputs[k]->head.number;
	}
	return 0;
}

static int
compare_rows(const void *a, const void *b)
{
	const struct manifest_segment *x = a, *y = b;

	if (x->first_row != y->first_row)
		return x->first_row < y->first_row ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

/* Closed streams, oldest first.  One without rows leaves no footer, so its positions must stand elsewhere first. */
static size_t
choose_closed(const struct store *s, struct manifest_segment *out)
{
	size_t i, n = 0;
	uint64_t bytes = 0;
	bool begun = s->tail != NULL && s->tail->has_commit;

	for (i = 0; i < s->man.n && n < SEAL_INPUTS_MAX; i++)
		if (s->man.v[i].state == MANIFEST_CLOSED && (s->man.v[i].n_rows > 0 || begun))
			out[n++] = s->man.v[i];
	qsort(out, n, sizeof(*out), compare_rows);
	for (i = 0; i < n && i < SEAL_AT_ONCE; i++) {
		bytes += out[i].n_bytes;
		if (i > 0 && bytes > s->opt.seal_bytes)
			break;
	}
	return i;
}

/* Whether ${g} may join the run of small neighbours that begins with ${first}. */
static bool
may_join(const struct store *s, const struct manifest_segment *first,
    const struct manifest_segment *g, uint64_t bytes)
{
	return g->state == MANIFEST_SEALED && g->n_bytes < s->opt.seal_bytes / 4 &&
	    g->keep.ns == first->keep.ns && bytes + g->n_bytes <= s->opt.seal_bytes &&
	    g->last_commit.ns - first->first_commit.ns <= s->opt.seal_age.ns;
}

/* Many small sealed segments of one class in a row. */
static size_t
choose_small(const struct store *s, struct manifest_segment *out)
{
	AUTO_FINI(manifest_fini) struct manifest m = { 0 };
	size_t i, k, n;
	uint64_t bytes;

	if (manifest_copy(&m, &s->man) < 0)
		return 0;
	if (m.n > 1)
		qsort(m.v, m.n, sizeof(*m.v), compare_rows);
	for (i = 0; i < m.n; i++) {
		n = 0;
		bytes = 0;
		for (k = i; k < m.n && n < SEAL_INPUTS_MAX; k++) {
			if (m.v[k].state == MANIFEST_SEALED && m.v[k].keep.ns != m.v[i].keep.ns)
				continue;
			if (m.v[k].state == MANIFEST_RETIRED)
				continue;
			if (!may_join(s, &m.v[i], &m.v[k], bytes))
				break;
			bytes += m.v[k].n_bytes;
			out[n++] = m.v[k];
		}
		if (n >= MERGE_AT_LEAST)
			return n;
	}
	return 0;
}

/* The chosen segments as a job that is ready to run, or NULL in *ret. */
static int
make_job(struct store *s, struct wall now, const struct manifest_segment *chosen, size_t n,
    struct seal_job **ret)
{
	struct seal_job *job;
	size_t i;
	int r = 0;

	*ret = NULL;
	if (n == 0)
		return 0;
	job = calloc(1, sizeof(*job));
	if (job == NULL)
		return err_origin(-ENOMEM);
	job->dir_fd = s->dir_fd;
	job->ids_since = s->ids_since;
	atomic_init(&job->stop, false);
	atomic_init(&job->done, false);
	for (i = 0; i < n && r == 0; i++)
		r = open_input(s, job, &chosen[i]);
	for (i = 0; i < job->n_inputs && r == 0; i++)
		r = load_input(job, i);
	if (r == 0)
		r = add_parts(s, job, now);
	if (r < 0 || job->n_inputs == 0) {
		(void)job_free(s, job, false);
		return err_trace(r);
	}
	*ret = job;
	return 0;
}

/* What is due. */
static int
plan(struct store *s, struct wall now, bool merge, struct seal_job **ret)
{
	struct manifest_segment chosen[SEAL_INPUTS_MAX];
	size_t n = choose_closed(s, chosen);

	if (n == 0 && merge)
		n = choose_small(s, chosen);
	return err_trace(make_job(s, now, chosen, n, ret));
}

/* The files are there: MANIFEST names them instead of what they replace. */
static int
swap(struct store *s, struct seal_job *job, struct wall now)
{
	AUTO_FINI(manifest_fini) struct manifest m = { 0 };
	struct manifest_segment *g;
	size_t i;
	int r = io_sync_dir(s->dir_fd);

	if (r == 0)
		r = manifest_copy(&m, &s->man);
	if (r < 0)
		return err_trace(r);
	for (i = 0; i < job->n_inputs; i++) {
		g = manifest_find(&m, job->inputs[i]->head.number);
		if (g == NULL)
			continue;
		g->state = MANIFEST_RETIRED;
		g->next_row = (uint64_t)now.ns;
	}
	for (i = 0; i < job->n_parts; i++)
		if (manifest_add(&m, &job->parts[i].info) == NULL)
			return err_origin(-ENOMEM);
	return err_trace(store_save(s, &m));
}

static int
fail(struct store *s, struct seal_job *job, int r)
{
	size_t i;
	bool asked = true;

	/* MANIFEST may name the files by now: they go once one that does not is durable. */
	for (i = 0; i < job->n_parts; i++)
		asked &= store_orphan(s, job->parts[i].head.number) == 0;
	(void)job_free(s, job, asked);
	if (r > 0)
		return 0;
	if (!s->seal_failed)
		store_notice(s, "seal", "%s: sealing failed: %s; it is tried again", s->path,
		    err_str(r));
	s->seal_failed = true;
	s->seal_not_before = (uint64_t)boot_now().ns + RETRY_S * (uint64_t)NS_PER_S;
	return err_trace(r);
}

static int
finish(struct store *s, struct seal_job *job, struct wall now)
{
	int r = job->result;

	if (r == 0)
		r = swap(s, job, now);
	if (r != 0)
		return err_trace(fail(s, job, r));
	if (job->damaged)
		store_notice(s, "damaged",
		    "%s: segments with damage were sealed: what could not be read is not in segment %llu",
		    s->path,
		    (unsigned long long)(job->n_parts > 0 ? job->parts[0].head.number : 0));
	s->seal_failed = false;
	(void)job_free(s, job, true);
	return 0;
}

static void *
run_thread(void *ctx)
{
	struct seal_job *job = ctx;

	job->result = seal_write(job);
	atomic_store(&job->done, true);
	return NULL;
}

/* When sealing falls behind, whoever writes waits for it: many unsealed segments would slow every reader. */
static bool
is_behind(const struct store *s)
{
	size_t i, n = 0;

	for (i = 0; i < s->man.n; i++)
		n += s->man.v[i].state == MANIFEST_CLOSED;
	return n >= LAG_MAX;
}

int
seal_maintain(struct store *s, struct wall now)
{
	struct seal_job *job = s->job;
	int r;

	if (job != NULL) {
		if (!atomic_load(&job->done) && !is_behind(s))
			return 0;
		(void)pthread_join(job->thread, NULL);
		s->job = NULL;
		return err_trace(finish(s, job, now));
	}
	if (s->paused || (uint64_t)boot_now().ns < s->seal_not_before)
		return 0;
	r = plan(s, now, true, &job);
	if (r < 0) {
		s->seal_not_before = (uint64_t)boot_now().ns + RETRY_S * (uint64_t)NS_PER_S;
		return err_trace(r);
	}
	if (job == NULL)
		return 0;
	if (pthread_create(&job->thread, NULL, run_thread, job) != 0) {
		job->result = -EAGAIN;
		return err_trace(finish(s, job, now));
	}
	s->job = job;
	return 0;
}

int
seal_now(struct store *s, struct wall now, bool merge)
{
	struct seal_job *job = TAKE(s->job);
	int r;

	if (job != NULL) {
		(void)pthread_join(job->thread, NULL);
		r = finish(s, job, now);
		if (r < 0)
			return err_trace(r);
	}
	for (;;) {
		r = plan(s, now, merge, &job);
		if (r < 0 || job == NULL)
			return err_trace(r);
		job->result = seal_write(job);
		r = finish(s, job, now);
		if (r < 0)
			return err_trace(r);
	}
}

/* Whether a sealed segment's index has less than what is written now. */
static bool
is_stale(const struct store *s, const struct manifest_segment *g)
{
	AUTO(segment_close) struct segment *seg = NULL;
	char name[SEGMENT_NAME_MAX];

	segment_name(name, g->number);
	return g->state == MANIFEST_SEALED && segment_open(&seg, s->dir_fd, name) == 0 &&
	    seal_is_stale(seg, s->ids_since);
}

/* The first stale segment above number ${above}. */
static size_t
choose_stale(const struct store *s, uint64_t above, struct manifest_segment *out)
{
	size_t i;

	for (i = 0; i < s->man.n; i++)
		if (s->man.v[i].number > above && is_stale(s, &s->man.v[i])) {
			*out = s->man.v[i];
			return 1;
		}
	return 0;
}

int
seal_renew(struct store *s, struct wall now)
{
	struct manifest_segment g = { 0 };
	struct seal_job *job;
	int r;

	while (choose_stale(s, g.number, &g) > 0) {
		r = make_job(s, now, &g, 1, &job);
		if (r < 0)
			return err_trace(r);
		if (job == NULL)
			continue;
		job->result = job->damaged ? 0 : seal_write(job);
		/* What is damaged stays as it is: a part that cannot be read now may be later. */
		if (job->damaged && job->result >= 0) {
			(void)job_free(s, job, false);
			continue;
		}
		r = finish(s, job, now);
		if (r < 0)
			return err_trace(r);
	}
	return 0;
}

bool
seal_uses(const struct store *s, uint64_t number)
{
	size_t i;

	for (i = 0; s->job != NULL && i < s->job->n_inputs; i++)
		if (s->job->wanted[i].number == number)
			return true;
	return false;
}

void
seal_stop(struct store *s)
{
	struct seal_job *job = TAKE(s->job);

	if (job == NULL)
		return;
	atomic_store(&job->stop, true);
	(void)pthread_join(job->thread, NULL);
	(void)job_free(s, job, false);
}
