/*
 * store/retain.c - what goes.
 * One job: let the oldest segments go by age, bytes and disk, and never more than was asked for.
 * Floor: 2 (uses record, base).
 *
 * Age is counted from the commit, never from _time.  A file is unlinked only after a MANIFEST without it is
 * durable.  Bytes and disk never take what is younger than the floor.
 *
 * Who reads with segments still shut (view_late.c) holds a shared lock on the folder: as long as there is one, files that
 * were merged linger for an hour, also over the writer's end and start; a full disk does not wait for readers.
 *
 * A clock that jumps deletes nothing: a time more than CLOCK_STEP beyond the last one believed counts only
 * once the wall clock has kept step with the boot clock for CLOCK_SETTLES.
 */
#include <fcntl.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/io.h"
#include "store/store_internal.h"

enum {
	RETAIN_PER_RUN = 8,
	GRACE_S = 300,
	READERS_GRACE_S = 3600, /* while somebody reads */
	CLOCK_STEP_S = 3600,
	CLOCK_SETTLES_S = 3600,
	CLOCK_DRIFT_S = 60
};

bool
retain_clock_look(struct retain_clock *c, struct wall now, struct span boot, struct wall newest,
    struct wall *ret)
{
	int64_t offset = now.ns - boot.ns, drift = offset - c->offset;

	if (!c->known) {
		*c = (struct retain_clock){ true, newest.ns != 0 ? newest : now, offset, boot };
		drift = 0;
	}
	if (drift > CLOCK_DRIFT_S * NS_PER_S || drift < -CLOCK_DRIFT_S * NS_PER_S) {
		c->offset = offset;
		c->since = boot;
	}
	if (now.ns - c->trusted.ns > CLOCK_STEP_S * NS_PER_S &&
	    boot.ns - c->since.ns < CLOCK_SETTLES_S * NS_PER_S)
		return false;
	c->trusted = now;
	*ret = now;
	return true;
}

bool
retain_has_readers(const struct store *s)
{
	AUTO_CLOSE int fd = io_open(s->dir_fd, ".", O_RDONLY | O_DIRECTORY, 0);

	return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

/* How long what was merged stays for readers that began before, ns; what expired does not stay. */
static int64_t
grace(const struct store *s, bool at_once)
{
	if (s->paused)
		return INT64_MIN;
	if (retain_has_readers(s))
		return READERS_GRACE_S * NS_PER_S;
	return at_once ? INT64_MIN : GRACE_S * NS_PER_S;
}

static bool
has_retired(const struct store *s)
{
	size_t i;

	for (i = 0; i < s->man.n; i++)
		if (s->man.v[i].state == MANIFEST_RETIRED)
			return true;
	return false;
}

static void
sweep_retired(struct store *s, struct wall now, bool at_once)
{
	struct manifest_segment *g;
	char name[SEGMENT_NAME_MAX];
	int64_t stay;
	size_t i;

	if (!has_retired(s))
		return;
	stay = grace(s, at_once);
	for (i = 0; i < s->man.n;) {
		g = &s->man.v[i];
		segment_name(name, g->number);
		if (g->state != MANIFEST_RETIRED ||
		    (g->next_row != 0 && now.ns - (int64_t)g->next_row < stay) ||
		    (io_unlink(s->dir_fd, name) < 0 && faccessat(s->dir_fd, name, F_OK, 0) == 0))
			i++;
		else
			manifest_remove(&s->man, g->number);
	}
}

void
retain_sweep(struct store *s)
{
	sweep_retired(s, (struct wall){ 0 }, true);
}

static bool
may_go(const struct store *s, const struct manifest_segment *g)
{
	/* What a job reads stays; so does the open segment, which holds the positions. */
	return (g->state == MANIFEST_SEALED || g->state == MANIFEST_CLOSED) &&
	    !seal_uses(s, g->number);
}

static bool
is_too_old(const struct store *s, const struct manifest_segment *g, struct wall now)
{
	int64_t keep = g->keep.ns != 0 ? g->keep.ns : s->opt.retention.ns;

	return keep > 0 && now.ns - g->last_commit.ns > keep;
}

static struct manifest_segment *
oldest(const struct store *s, const struct manifest *m, struct wall now)
{
	struct manifest_segment *best = NULL;
	size_t i;

	for (i = 0; i < m->n; i++)
		if (may_go(s, &m->v[i]) && now.ns - m->v[i].last_commit.ns > s->opt.keep_floor.ns &&
		    (best == NULL || m->v[i].last_commit.ns < best->last_commit.ns))
			best = &m->v[i];
	return best;
}

/* Bytes that the disk lacks to what is to stay free; *ret_low: so many that even writing must stop. */
static uint64_t
disk_lacks(const struct store *s, bool *ret_low)
{
	struct statvfs fs;
	uint64_t unit, want, have;

	*ret_low = false;
	if (s->opt.min_free_percent == 0 || fstatvfs(s->dir_fd, &fs) != 0)
		return 0;
	unit = fs.f_frsize;
	want = (uint64_t)fs.f_blocks / 100 * s->opt.min_free_percent * unit;
	have = (uint64_t)fs.f_bavail * unit;
	*ret_low = have < want / STORE_LOW_PART;
	return have < want ? want - have : 0;
}

bool
retain_disk_is_low(const struct store *s)
{
	bool low;

	(void)disk_lacks(s, &low);
	return low;
}

/* Bytes of ours that count against the bound; what has retired is on its way already. */
static uint64_t
counted_bytes(const struct store *s, const struct manifest *m)
{
	uint64_t n = store_idfiles_bytes(s) + (s->tail != NULL ? s->tail->at : 0);
	size_t i;

	for (i = 0; i < m->n; i++)
		if (m->v[i].state == MANIFEST_CLOSED || m->v[i].state == MANIFEST_SEALED)
			n += m->v[i].n_bytes;
	return n;
}

/* What was taken, in sum. */
struct victims {
	size_t n;
	uint64_t n_rows, n_bytes;
	const char *why;
};

static void
take(struct victims *v, struct manifest_segment *g, const char *why)
{
	v->n++;
	v->n_rows += g->n_rows;
	v->n_bytes += g->n_bytes;
	v->why = why;
	g->state = MANIFEST_RETIRED;
	g->next_row = 0; /* no time of grace: its bytes are wanted */
}

static void
choose(struct store *s, struct manifest *m, struct wall now, struct victims *v)
{
	struct manifest_segment *g;
	bool low = false, over;
	uint64_t lack;
	size_t i;

	for (i = 0; i < m->n && v->n < RETAIN_PER_RUN; i++)
		if (may_go(s, &m->v[i]) && is_too_old(s, &m->v[i], now))
			take(v, &m->v[i], "age");
	lack = disk_lacks(s, &low);
	while (v->n < RETAIN_PER_RUN) {
		over = s->opt.max_bytes > 0 && counted_bytes(s, m) > s->opt.max_bytes;
		if (!over && lack <= v->n_bytes) {
			s->over_budget = false;
			return;
		}
		g = oldest(s, m, now);
		if (g == NULL) {
			if (!s->over_budget)
				store_notice(s, "budget", "%s: %s, but nothing is old enough to go",
				    s->path,
				    over ? "has more bytes than it may"
				         : "leaves the disk less room than it should");
			s->over_budget = true;
			return;
		}
		take(v, g, over ? "bytes" : "disk");
	}
}

static int
expire(struct store *s, struct wall now)
{
	AUTO_FINI(manifest_fini) struct manifest m = { 0 };
	struct victims v = { .n = 0 };
	int r = manifest_copy(&m, &s->man);

	if (r < 0)
		return err_trace(r);
	choose(s, &m, now, &v);
	if (v.n == 0)
		return 0;
	r = store_save(s, &m);
	if (r < 0)
		return err_trace(r);
	sweep_retired(s, now, false);
	s->n_rows -= v.n_rows < s->n_rows ? v.n_rows : s->n_rows;
	store_notice(s, "expired", "%s: %zu segments with %llu rows and %llu bytes went, by %s",
	    s->path, v.n, (unsigned long long)v.n_rows, (unsigned long long)v.n_bytes, v.why);
	return 0;
}

int
retain_maintain(struct store *s, struct wall now)
{
	struct wall believed;

	sweep_retired(s, now, false);
	if (!retain_clock_look(&s->clock, now, boot_now(), s->last_commit, &believed))
		return 0;
	return err_trace(expire(s, believed));
}
