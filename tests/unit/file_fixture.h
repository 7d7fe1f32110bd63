/*
 * tests/unit/file_fixture.h - a store of lines and positions.
 * One job: stand in for the daemon: commit, crash and abort around a file source, and write files that rotate.
 */
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <zlib.h>

#include "base/map.h"
#include "base/utf8.h"
#include "check.h"
#include "ingest/file.h"

enum { FIX_NUMBERS = 100000, FIX_ROWS = 4000 };

struct fix_row {
	char *msg, *stream, *partial;
	unsigned flags;
};

/* Rows and positions since the last commit are pending; a crash or an abort forgets them. */
struct fix {
	char dir[64];
	struct source *src;
	struct file_source_options opt;
	struct str paths[4];
	char path_text[4][128];
	struct fix_row rows[FIX_ROWS]; /* the first of them, for tests that look at rows */
	size_t n_rows, n_committed;
	unsigned seen[FIX_NUMBERS], pending[FIX_NUMBERS];
	struct map positions, staged;
	struct buf texts; /* positions' bytes: offset << 32 | n */
	size_t n_losses, n_losses_pending, n_says;
	uint64_t lost_bytes;
	char last_loss[512], last_say[512];
	int fail_puts; /* so many puts fail */
};

static inline void
fix_sleep(int ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

	(void)nanosleep(&t, NULL);
}

static inline char *
fix_dup(struct str s)
{
	char *p = malloc(s.n + 1);

	MUST(p != NULL);
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return p;
}

static inline size_t
fix_number(struct str s)
{
	size_t i, n = 0;

	for (i = 0; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++)
		n = n * 10 + (size_t)(s.p[i] - '0');
	return n;
}

static inline int
fix_put(void *ctx, const struct record *recs, size_t n)
{
	struct fix *x = ctx;
	struct str msg;
	size_t i, k;

	if (x->fail_puts > 0) {
		x->fail_puts--;
		return -EIO;
	}
	for (i = 0; i < n; i++) {
		msg = record_get(&recs[i], STR("_msg"));
		if (x->n_rows < FIX_ROWS)
			x->rows[x->n_rows++] =
			    (struct fix_row){ fix_dup(msg), fix_dup(recs[i].stream),
				    fix_dup(record_get(&recs[i], STR("partial"))), recs[i].flags };
		k = str_find(msg, STR("n="));
		if (k == SIZE_MAX)
			continue;
		k = fix_number(str_sub(msg, k + 2, msg.n));
		MUST(k < FIX_NUMBERS);
		x->pending[k]++;
	}
	return 0;
}

static inline int
fix_position(void *ctx, struct str key, struct str value)
{
	struct fix *x = ctx;
	struct map_entry *e = map_put(&x->staged, key, NULL);

	MUST(e != NULL);
	e->value = (uint64_t)x->texts.n << 24 | value.n;
	buf_str(&x->texts, value);
	return 0;
}

static inline int
fix_event(void *ctx, const char *kind, const char *text, const struct field *fields, size_t n)
{
	struct fix *x = ctx;
	size_t i;

	if (getenv("FIX_SHOW") != NULL)
		fprintf(stderr, "%s: %s\n", kind, text);
	if (strcmp(kind, "loss") != 0) {
		x->n_says++;
		(void)snprintf(x->last_say, sizeof(x->last_say), "%s", text);
		return 0;
	}
	x->n_losses_pending++;
	(void)snprintf(x->last_loss, sizeof(x->last_loss), "%s", text);
	for (i = 0; i < n; i++)
		if (str_eq(fields[i].name, STR("bytes")))
			x->lost_bytes += strtoul((const char *)fields[i].value.p, NULL, 10);
	return 0;
}

static inline int
fix_each(void *ctx, int (*fn)(void *fn_ctx, struct str key, struct str value), void *fn_ctx)
{
	struct fix *x = ctx;
	struct map_entry *e;
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < x->positions.n; i++) {
		e = &x->positions.entries[i];
		if ((e->value & 0xffffff) != 0)
			r = fn(fn_ctx, e->key,
			    str_of(x->texts.p + (e->value >> 24), e->value & 0xffffff));
	}
	return r;
}

static inline void
fix_open(struct fix *x)
{
	struct intake in = { { fix_put, x }, fix_position, fix_event, x };
	struct file_positions saved = { fix_each, x };
	struct buf error = BUF_INIT;
	int r;

	r = file_source_new(&x->src, &x->opt, &in, &saved, &error);
	if (r != 0)
		fprintf(stderr, "file_source_new: %d %s\n", r, buf_c_str(&error));
	MUST(r == 0);
	buf_fini(&error);
}

static inline void
fix_init(struct fix *x, const char *pattern)
{
	memset(x, 0, sizeof(*x));
	(void)snprintf(x->dir, sizeof(x->dir), "/tmp/weir-test-file.XXXXXX");
	MUST(mkdtemp(x->dir) != NULL);
	(void)snprintf(x->path_text[0], sizeof(x->path_text[0]), "%s/%s", x->dir, pattern);
	x->paths[0] = str_c(x->path_text[0]);
	x->opt = (struct file_source_options){ .paths = x->paths,
		.n_paths = 1,
		.parser = { .name = "plain" },
		.host = STR("h"),
		.chunk = 4096,
		.rescan = { 1 },
		.rotate_wait = { NS_PER_MS } };
}

static inline void
fix_forget(struct fix *x)
{
	memset(x->pending, 0, sizeof(x->pending));
	map_clear(&x->staged);
	x->n_losses_pending = 0;
	while (x->n_rows > x->n_committed) {
		x->n_rows--;
		free(x->rows[x->n_rows].msg);
		free(x->rows[x->n_rows].stream);
		free(x->rows[x->n_rows].partial);
	}
}

static inline void
fix_commit(struct fix *x)
{
	struct map_entry *e;
	size_t i;

	MUST(x->src->ops->checkpoint(x->src) == 0);
	MUST(x->src->ops->committed(x->src) == 0);
	for (i = 0; i < FIX_NUMBERS; i++)
		x->seen[i] += x->pending[i];
	for (i = 0; i < x->staged.n; i++) {
		e = map_put(&x->positions, x->staged.entries[i].key, NULL);
		MUST(e != NULL);
		e->value = x->staged.entries[i].value;
	}
	x->n_losses += x->n_losses_pending;
	x->n_committed = x->n_rows;
	fix_forget(x);
}

static inline void
fix_crash(struct fix *x)
{
	x->src = x->src->ops->free(x->src);
	fix_forget(x);
	fix_open(x);
}

/* The commit fails after its checkpoint. */
static inline void
fix_abort(struct fix *x)
{
	MUST(x->src->ops->checkpoint(x->src) == 0);
	fix_forget(x);
	MUST(x->src->ops->rewind(x->src) == 0);
}

static inline int
fix_poll(struct fix *x)
{
	int r, n = 0;

	do
		r = x->src->ops->poll(x->src, 1 << 16);
	while (r > 0 && ++n < 100000);
	if (r < 0 && getenv("FIX_SHOW") != NULL)
		fprintf(stderr, "poll: %s at %s\n", err_str(r), err_where());
	return r;
}

/* Poll and commit until nothing comes any more, for at most so long. */
static inline void
fix_settle(struct fix *x, int ms)
{
	int i;

	for (i = 0; i < ms; i += 20) {
		MUST(fix_poll(x) == 0);
		fix_sleep(20);
	}
	MUST(fix_poll(x) == 0);
	fix_commit(x);
	fix_commit(x);
}

static inline void
fix_path(const struct fix *x, char out[256], const char *name)
{
	(void)snprintf(out, 256, "%s/%s", x->dir, name);
}

static inline void
fix_write(const struct fix *x, const char *name, const void *p, size_t n)
{
	char path[256];
	int fd;

	fix_path(x, path, name);
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	MUST(fd >= 0);
	MUST(write(fd, p, n) == (ssize_t)n);
	(void)close(fd);
}

static inline void
fix_puts(const struct fix *x, const char *name, const char *text)
{
	fix_write(x, name, text, strlen(text));
}

static inline void
fix_rename(const struct fix *x, const char *from, const char *to)
{
	char a[256], b[256];

	fix_path(x, a, from);
	fix_path(x, b, to);
	(void)rename(a, b);
}

static inline void
fix_unlink(const struct fix *x, const char *name)
{
	char path[256];

	fix_path(x, path, name);
	(void)unlink(path);
}

static inline struct buf
fix_read(const struct fix *x, const char *name)
{
	char path[256], room[8192];
	struct buf out = BUF_INIT;
	ssize_t n;
	int fd;

	fix_path(x, path, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && (n = read(fd, room, sizeof(room))) > 0)
		buf_put(&out, room, (size_t)n);
	if (fd >= 0)
		(void)close(fd);
	return out;
}

static inline void
fix_copy(const struct fix *x, const char *from, const char *to)
{
	struct buf b = fix_read(x, from);

	fix_unlink(x, to);
	fix_write(x, to, b.p, b.n);
	buf_fini(&b);
}

static inline void
fix_truncate(const struct fix *x, const char *name)
{
	char path[256];

	fix_path(x, path, name);
	MUST(truncate(path, 0) == 0);
}

/* As gzip does: the packed file appears, then the plain one goes. */
static inline void
fix_gzip(const struct fix *x, const char *from, const char *to)
{
	struct buf b = fix_read(x, from);
	char path[256];
	gzFile gz;

	fix_path(x, path, to);
	gz = gzopen(path, "wb");
	MUST(gz != NULL && (b.n == 0 || gzwrite(gz, b.p, (unsigned)b.n) == (int)b.n));
	MUST(gzclose(gz) == Z_OK);
	fix_unlink(x, from);
	buf_fini(&b);
}

static inline void
fix_fini(struct fix *x)
{
	char path[512];
	struct dirent *e;
	DIR *d;

	if (x->src != NULL)
		x->src = x->src->ops->free(x->src);
	x->n_committed = 0;
	fix_forget(x);
	map_fini(&x->staged);
	map_fini(&x->positions);
	buf_fini(&x->texts);
	d = opendir(x->dir);
	while (d != NULL && (e = readdir(d)) != NULL) {
		(void)snprintf(path, sizeof(path), "%s/%s", x->dir, e->d_name);
		if (unlink(path) != 0 && e->d_name[0] != '.')
			(void)rmdir(path);
	}
	if (d != NULL)
		(void)closedir(d);
	(void)rmdir(x->dir);
}
