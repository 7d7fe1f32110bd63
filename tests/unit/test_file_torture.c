/*
 * tests/unit/test_file_torture.c - rotation, crashes and aborted commits at random.
 * One job: numbered lines through every kind of rotation; each number comes exactly once, or is within a reported loss.
 */
#include "file_fixture.h"

struct run {
	struct fix x;
	uint64_t rng;
	size_t next; /* number of the next line */
	int mode;
	bool down; /* the source is stopped */
};

enum { MODE_RENAME, MODE_GZIP, MODE_COPY, MODE_COPY_GZIP, MODE_MIXED, MODE_DELETE, N_MODES };

enum { LINE_MIN = 6 }; /* bytes */

static unsigned
dice(struct run *t, unsigned n)
{
	t->rng ^= t->rng << 13;
	t->rng ^= t->rng >> 7;
	t->rng ^= t->rng << 17;
	return (unsigned)(t->rng % n);
}

static void
write_lines(struct run *t, unsigned n)
{
	static const char filler[] = "abcdefghijklmnopqrstuvwxyz 0123456789";
	char line[128];
	struct buf b = BUF_INIT;

	while (n-- > 0 && t->next < FIX_NUMBERS) {
		(void)snprintf(line, sizeof(line), "%.*s n=%zu\n", (int)dice(t, 36), filler,
		    t->next++);
		buf_c(&b, line);
	}
	if (b.n > 0)
		fix_write(&t->x, "app.log", b.p, b.n);
	buf_fini(&b);
}

static void
shift(struct run *t)
{
	char from[32], to[32];
	int i, k;

	for (i = 30; i > 0; i--)
		for (k = 0; k < 2; k++) {
			(void)snprintf(from, sizeof(from), "app.log.%d%s", i, k ? ".gz" : "");
			(void)snprintf(to, sizeof(to), "app.log.%d%s", i + 1, k ? ".gz" : "");
			fix_rename(&t->x, from, to);
		}
}

static void
rotate(struct run *t)
{
	struct fix *x = &t->x;
	int mode = t->mode == MODE_MIXED ? (int)dice(t, 4) : t->mode;
	char path[256];

	fix_path(x, path, "app.log");
	if (access(path, F_OK) != 0)
		return;
	if (mode == MODE_DELETE) {
		fix_unlink(x, "app.log");
		return;
	}
	shift(t);
	if (mode == MODE_COPY || mode == MODE_COPY_GZIP) {
		fix_copy(x, "app.log", "app.log.1");
		x->fail_puts = 0;
		if (dice(t, 2) == 0 && !t->down)
			MUST(fix_poll(x) == 0);
		fix_truncate(x, "app.log");
	} else {
		fix_rename(x, "app.log", "app.log.1");
	}
	if (mode == MODE_GZIP || mode == MODE_COPY_GZIP)
		fix_gzip(x, "app.log.1", "app.log.1.gz");
}

static void
step(struct run *t)
{
	struct fix *x = &t->x;
	unsigned k = dice(t, 100);

	if (k < 40)
		write_lines(t, 1 + dice(t, 200));
	else if (k < 50)
		rotate(t);
	else if (k < 52) {
		if (!t->down)
			x->src = x->src->ops->free(x->src);
		t->down = true;
		fix_forget(x);
	} else if (t->down) {
		if (k < 60) {
			fix_open(x);
			t->down = false;
		}
	} else if (k < 54)
		fix_crash(x);
	else if (k < 56)
		fix_abort(x);
	else if (k < 58)
		x->fail_puts = 1 + (int)dice(t, 3);
	else if (k < 75)
		fix_commit(x);
	else if (fix_poll(x) < 0) {
		/* As the daemon does: what was taken is given up as a whole. */
		fix_forget(x);
		MUST(x->src->ops->rewind(x->src) == 0);
	}
}

static size_t
count(const struct run *t, size_t *ret_doubled)
{
	size_t i, lost = 0;

	*ret_doubled = 0;
	for (i = 0; i < t->next; i++) {
		lost += t->x.seen[i] == 0;
		*ret_doubled += t->x.seen[i] > 1;
	}
	return lost;
}

static void
run(int mode, uint64_t seed, int n_steps, const char *glob)
{
	struct run *t = calloc(1, sizeof(*t));
	size_t lost, doubled;
	bool told;
	int i;

	MUST(t != NULL);
	t->rng = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	t->mode = mode;
	fix_init(&t->x, glob);
	fix_open(&t->x);
	/* The first look comes before the first line, as at a daemon's first start. */
	write_lines(t, 3);
	MUST(fix_poll(&t->x) == 0);
	fix_commit(&t->x);
	for (i = 0; i < n_steps; i++)
		step(t);
	t->x.fail_puts = 0;
	if (t->down)
		fix_open(&t->x);
	fix_settle(&t->x, 200);
	for (i = 0; i < 5 && count(t, &doubled) > 0; i++)
		fix_settle(&t->x, 100);
	lost = count(t, &doubled);
	/* A file that was deleted before anybody looked at it is lost, and only that something was is known. */
	told = mode == MODE_DELETE ? t->x.n_losses > 0 : t->x.lost_bytes >= LINE_MIN * lost;
	if (doubled > 0 || !(lost == 0 || told))
		fprintf(stderr,
		    "mode %d seed %llu %s: %zu lines, %zu lost (%llu bytes told), %zu doubled\n",
		    mode, (unsigned long long)seed, glob, t->next, lost,
		    (unsigned long long)t->x.lost_bytes, doubled);
	CHECK(doubled == 0);
	CHECK(lost == 0 || (told && mode != MODE_RENAME && mode != MODE_GZIP));
	fix_fini(&t->x);
	free(t);
}

int
main(int argc, char **argv)
{
	static const char *const globs[] = { "app.log", "app.log*", "*" };
	uint64_t seed, from = argc > 2 ? strtoull(argv[2], NULL, 10) : 1,
	               n = argc > 3       ? strtoull(argv[3], NULL, 10)
	    : getenv("WEIR_LONG") != NULL ? 60
	                                  : 4;
	int mode, only = argc > 1 ? atoi(argv[1]) : -1;

	for (mode = 0; mode < N_MODES; mode++)
		for (seed = from; seed < from + n; seed++)
			if (only < 0 || only == mode)
				run(mode, seed, 300, globs[seed % 3]);
	return check_done();
}
