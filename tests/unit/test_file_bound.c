/*
 * tests/unit/test_file_bound.c - files that are gone.
 * One job: what is remembered of them is bounded, what exists is never forgotten, and losses are told where there are any.
 */
#include "file_fixture.h"

static struct fix *x;

static void
begin(const char *glob)
{
	x = calloc(1, sizeof(*x));
	MUST(x != NULL);
	fix_init(x, glob);
}

static void
end(void)
{
	fix_fini(x);
	free(x);
}

/* Seen to be gone and committed, closed and committed, forgotten: a tick each, which comes once a second. */
static void
let_go(void)
{
	int i;

	for (i = 0; i < 3; i++)
		fix_settle(x, 1060);
}

static size_t
n_positions(void)
{
	size_t i, n = 0;

	for (i = 0; i < x->positions.n; i++)
		n += (x->positions.entries[i].value & 0xffffff) != 0 &&
		    !str_eq(x->positions.entries[i].key, STR("file/started"));
	return n;
}

static void
numbered(int i, const char *suffix, bool make)
{
	char name[32], line[32];

	(void)snprintf(name, sizeof(name), "f%02d.%s", i, suffix);
	(void)snprintf(line, sizeof(line), "n=%d\n", i);
	if (make)
		fix_puts(x, name, line);
	else
		fix_unlink(x, name);
}

/* Stop, and go on with another glob. */
static void
restart(const char *glob, size_t max_positions)
{
	x->src = x->src->ops->free(x->src);
	(void)snprintf(x->path_text[0], sizeof(x->path_text[0]), "%s/%s", x->dir, glob);
	x->paths[0] = str_c(x->path_text[0]);
	x->opt.max_positions = max_positions;
	fix_open(x);
}

/* 30 files of a glob that goes out of use; 20 of them are deleted, and there is room for 16 positions. */
static void
test_strangers(void)
{
	int i;

	begin("*.log");
	for (i = 0; i < 30; i++)
		numbered(i, "log", true);
	fix_open(x);
	fix_settle(x, 40);
	CHECK(n_positions() == 30);
	for (i = 0; i < 20; i++)
		numbered(i, "log", false);
	restart("*.txt", 40);
	fix_settle(x, 40);
	/* There is room for all of them. */
	CHECK(n_positions() == 30);
	restart("*.txt", 16);
	numbered(90, "txt", true);
	MUST(fix_poll(x) == 0);
	fix_abort(x);
	CHECK(n_positions() == 30);
	fix_settle(x, 40);
	CHECK(n_positions() == 16);
	/* What exists is known: nothing of it comes again. */
	restart("*.log", 1);
	fix_settle(x, 40);
	for (i = 0; i < 30; i++)
		CHECK(x->seen[i] == 1);
	end();
}

/* Existing files alone are more than the bound: none of them is forgotten. */
static void
test_all_exist(void)
{
	int i;

	begin("*.log");
	x->opt.max_positions = 5;
	for (i = 0; i < 12; i++)
		numbered(i, "log", true);
	fix_open(x);
	fix_settle(x, 40);
	restart("*.txt", 5);
	fix_settle(x, 40);
	restart("*.log", 5);
	fix_settle(x, 40);
	CHECK(n_positions() == 12);
	for (i = 0; i < 12; i++)
		CHECK(x->seen[i] == 1);
	end();
}

/* Names that come and go do not use up those that may be followed. */
static void
test_names_go(void)
{
	int i, round;

	begin("*.log");
	x->opt.max_names = 8;
	x->opt.close_idle.ns = NS_PER_MS;
	fix_open(x);
	for (round = 0; round < 2; round++) {
		for (i = round * 6; i < round * 6 + 6; i++)
			numbered(i, "log", true);
		fix_settle(x, 40);
		for (i = round * 6; i < round * 6 + 6; i++)
			numbered(i, "log", false);
		let_go();
	}
	CHECK(x->n_says == 0);
	for (i = 0; i < 12; i++)
		CHECK(x->seen[i] == 1);
	CHECK(n_positions() == 0);
	CHECK(x->n_losses == 0);
	end();
}

static size_t
n_deleted_open(void)
{
	char path[64], to[512];
	struct dirent *e;
	size_t n = 0;
	ssize_t len;
	DIR *d = opendir("/proc/self/fd");

	MUST(d != NULL);
	while ((e = readdir(d)) != NULL) {
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%.40s", e->d_name);
		len = readlink(path, to, sizeof(to) - 1);
		to[len > 0 ? len : 0] = '\0';
		n += strstr(to, x->dir) != NULL && strstr(to, "(deleted)") != NULL;
	}
	(void)closedir(d);
	return n;
}

/* A folder that goes takes its files with it: their descriptors too. */
static void
test_folder_goes(void)
{
	char dir[256];

	begin("*/a.log");
	x->opt.close_idle.ns = NS_PER_MS;
	fix_path(x, dir, "sub");
	MUST(mkdir(dir, 0755) == 0);
	fix_puts(x, "sub/a.log", "n=1\n");
	fix_open(x);
	fix_settle(x, 40);
	fix_puts(x, "sub/a.log", "n=2\n");
	fix_unlink(x, "sub/a.log");
	MUST(rmdir(dir) == 0);
	let_go();
	CHECK(x->seen[1] == 1 && x->seen[2] == 1);
	CHECK(n_deleted_open() == 0);
	end();
}

/* Rotated away and read to its end, then stopped; the old file is deleted before the next start. */
static void
test_no_false_alarm(void)
{
	begin("a.log");
	fix_puts(x, "a.log", "n=1\nn=2\n");
	fix_open(x);
	fix_settle(x, 40);
	fix_rename(x, "a.log", "a.log.1");
	fix_puts(x, "a.log", "n=3\n");
	fix_settle(x, 40);
	x->src = x->src->ops->free(x->src);
	fix_unlink(x, "a.log.1");
	fix_open(x);
	fix_settle(x, 100);
	CHECK(x->seen[1] == 1 && x->seen[2] == 1 && x->seen[3] == 1);
	CHECK(x->n_losses == 0);
	end();
}

/* The same, but with bytes that were there and had not been read. */
static void
test_real_loss(void)
{
	begin("a.log");
	fix_puts(x, "a.log", "n=1\n");
	fix_open(x);
	fix_settle(x, 40);
	fix_puts(x, "a.log", "unread n=2\n");
	x->fail_puts = 1;
	MUST(fix_poll(x) < 0);
	MUST(x->src->ops->rewind(x->src) == 0);
	fix_rename(x, "a.log", "a.log.1");
	fix_puts(x, "a.log", "n=3\n");
	x->fail_puts = 1;
	(void)fix_poll(x);
	MUST(x->src->ops->rewind(x->src) == 0);
	/* The positions say that there were more bytes than were read. */
	fix_commit(x);
	x->src = x->src->ops->free(x->src);
	fix_unlink(x, "a.log.1");
	fix_open(x);
	fix_settle(x, 100);
	CHECK(x->seen[1] == 1 && x->seen[2] == 0 && x->seen[3] == 1);
	CHECK(x->n_losses == 1 && x->lost_bytes == strlen("unread n=2\n"));
	CHECK(strstr(x->last_loss, "at least 11 bytes") != NULL);
	end();
}

/* It was being written when weir stopped, and is gone at the next start: nobody knows what it got meanwhile. */
static void
test_gone_while_stopped(void)
{
	begin("a.log");
	fix_puts(x, "a.log", "n=1\n");
	fix_open(x);
	fix_settle(x, 40);
	x->src = x->src->ops->free(x->src);
	fix_puts(x, "a.log", "n=2\n");
	fix_unlink(x, "a.log");
	fix_puts(x, "a.log", "n=3\n");
	fix_open(x);
	fix_settle(x, 100);
	CHECK(x->seen[1] == 1 && x->seen[2] == 0 && x->seen[3] == 1);
	CHECK(x->n_losses == 1 && x->lost_bytes == 0);
	CHECK(strstr(x->last_loss, "0 bytes") == NULL);
	end();
}

int
main(void)
{
	test_strangers();
	test_all_exist();
	test_names_go();
	test_folder_goes();
	test_no_false_alarm();
	test_real_loss();
	test_gone_while_stopped();
	return check_done();
}
