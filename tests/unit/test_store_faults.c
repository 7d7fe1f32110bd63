/*
 * tests/unit/test_store_faults.c - bad days, in one process.
 * One job: let every k-th operation fail in every way, and see that each acknowledged row is there once.
 */
#include <stdatomic.h>

#include "base/io.h"
#include "store_rows.h"

static const struct wall t0 = { 1700000000 * NS_PER_S };
static char dir[64], path[80], copy[80];

enum mode { MODE_NOSPC, MODE_EIO, MODE_SHORT, MODE_NOSPC_LONG, MODE_CRASH, MODE_TORN, N_MODES };

/* Lets operation ${at} fail, and those after it as the mode says. */
struct fault {
	enum mode mode;
	atomic_uint_fast64_t n; /* the sealing thread counts too */
	uint64_t at;
	atomic_bool over;
};

static int
hook(void *ctx, enum io_op op, const char *name, size_t n)
{
	struct fault *f = ctx;
	uint64_t i = f->n++;

	(void)name;
	(void)n;
	if (i < f->at || f->over)
		return 0;
	switch (f->mode) {
	case MODE_NOSPC:
		return i == f->at && op != IO_READ ? -ENOSPC : 0;
	case MODE_EIO:
		return i == f->at ? -EIO : 0;
	case MODE_SHORT:
		return i == f->at ? (op == IO_WRITE ? IO_HOOK_SHORT : -EIO) : 0;
	case MODE_NOSPC_LONG:
		return i < f->at + 25 && (op == IO_WRITE || op == IO_ALLOCATE || op == IO_OPEN)
		    ? -ENOSPC
		    : 0;
	case MODE_CRASH:
		return -EIO;
	case MODE_TORN:
		return i == f->at && op == IO_WRITE ? IO_HOOK_SHORT : -EIO;
	case N_MODES:
		break;
	}
	return 0;
}

struct run {
	struct store *s;
	uint64_t given, acked;
	bool dead; /* in a mode of crash: nothing works any more */
};

static bool
is_debug(void *ctx, const struct record *rec)
{
	(void)ctx;
	return str_eq_c(record_get(rec, STR("level")), "debug");
}

static int
try_open(struct run *run)
{
	static const struct store_class classes[] = { { is_debug, NULL, { 48 * NS_PER_HOUR } } };
	struct store_options opt = { .classes = classes, .n_classes = 1 };
	struct buf err = BUF_INIT;
	int r = store_open(&run->s, path, &opt, t0, &err);

	buf_fini(&err);
	return r;
}

/* How many rows the store says that it holds. */
static uint64_t
position(struct store *s)
{
	struct str p = store_position_get(s, STR("p"));

	return p.n > 0 ? strtoull((const char *)p.p, NULL, 10) : 0;
}

static bool
is_crash(const struct fault *f)
{
	return f->mode == MODE_CRASH || f->mode == MODE_TORN;
}

static void
reopen(struct run *run, struct fault *f)
{
	int i, r = -1;

	run->s = store_close(run->s);
	for (i = 0; i < 60 && r != 0; i++) {
		r = try_open(run);
		if (r != 0 && is_crash(f)) {
			run->dead = true;
			return;
		}
	}
	MUST(r == 0);
	/* What was not acknowledged is given again, as a source would. */
	run->given = position(run->s);
	CHECK(run->given >= run->acked);
}

static void
commit(struct run *run, struct wall now)
{
	char num[24];
	int i, r = -1;

	(void)snprintf(num, sizeof(num), "%" PRIu64, run->given);
	MUST(store_position(run->s, STR("p"), str_of(num, strlen(num) + 1)) == 0);
	for (i = 0; i < 3 && r != 0; i++)
		r = store_commit(run->s, now);
	if (r == 0)
		run->acked = run->given;
}

/* Appends, commits, aborts, seals and reopens; about a hundred operations. */
static void
script(struct run *run, struct fault *f)
{
	struct wall now = t0;
	int step;

	for (step = 0; step < 24 && !run->dead; step++) {
		if (step == 0 || step == 9 || step == 17)
			reopen(run, f);
		if (run->dead)
			return;
		MUST(rows_append(run->s, run->given, 7) == 0);
		run->given += 7;
		now.ns += NS_PER_S;
		if (step == 5) {
			(void)store_abort(run->s);
			run->given = run->acked;
		}
		commit(run, now);
		if (step == 6 || step == 13 || step == 15)
			(void)store_seal(run->s, now);
		if (step % 4 == 3)
			(void)store_maintain(run->s, now);
	}
}

/* One run with its fault; false once the script ends before the fault comes. */
static bool
run_once(enum mode mode, uint64_t at)
{
	struct fault f = { mode, 0, at, false };
	struct run run = { 0 };
	uint64_t n;
	bool hit;

	rows_remove_dir(path);
	io_set_hook(hook, &f);
	script(&run, &f);
	hit = f.n > at;
	if (is_crash(&f)) {
		run.s = store_close(run.s);
		io_set_hook(NULL, NULL);
	} else {
		f.over = true;
		commit(&run, (struct wall){ t0.ns + 100 * NS_PER_S });
		CHECK(run.acked == run.given);
		run.s = store_close(run.s);
	}
	f.over = true;
	if (!is_crash(&f) && !rows_check(path, run.acked, 400)) {
		fprintf(stderr, "  mode %d, operation %" PRIu64 "\n", mode, at);
		CHECK(false);
	}
	MUST(try_open(&run) == 0);
	n = position(run.s);
	if (n < run.acked || n > run.given || !rows_check(path, n, 400)) {
		fprintf(stderr,
		    "  mode %d, operation %" PRIu64 ": acknowledged %" PRIu64 ", given %" PRIu64
		    ", position %" PRIu64 "\n",
		    mode, at, run.acked, run.given, n);
		CHECK(false);
	}
	run.s = store_close(run.s);
	io_set_hook(NULL, NULL);
	return hit;
}

static void
test_sweep(void)
{
	uint64_t at;
	int mode;

	for (mode = 0; mode < N_MODES; mode++) {
		for (at = 0; run_once((enum mode)mode, at) && check_failed < 5; at++)
			;
		fprintf(stderr, "mode %d: %" PRIu64 " operations\n", mode, at);
		CHECK(at > 100);
	}
}

int
main(void)
{
	(void)snprintf(dir, sizeof(dir), "%s/weir-test-faults-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	MUST(mkdtemp(dir) != NULL);
	(void)snprintf(path, sizeof(path), "%s/store", dir);
	(void)snprintf(copy, sizeof(copy), "%s/copy", dir);
	test_sweep();
	rows_remove_dir(path);
	rows_remove_dir(copy);
	(void)rmdir(dir);
	return check_done();
}
