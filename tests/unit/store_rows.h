/*
 * tests/unit/store_rows.h - numbered rows for the store's tests.
 * One job: write rows that say who they are, read them all back, and compare.
 */
#pragma once

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "check.h"
#include "store/read.h"
#include "store/store.h"

/* Row i: n=i, request_id of its ten neighbours, class by i % 3 when classes are used. */
static inline int
rows_append(struct store *s, uint64_t from, uint64_t n)
{
	struct field f[4];
	struct record rec = { 0 };
	char num[24], id[48], msg[64], line[256];
	uint64_t i;
	int r;

	for (i = from; i < from + n; i++) {
		(void)snprintf(num, sizeof(num), "%" PRIu64, i);
		(void)snprintf(id, sizeof(id), "%08x-req-%" PRIu64,
		    (unsigned)(i / 10 * 2654435761u), i / 10);
		(void)snprintf(msg, sizeof(msg), "row %" PRIu64 " is here", i);
		(void)snprintf(line, sizeof(line),
		    "{\"n\":%s,\"request_id\":\"%s\",\"level\":\"%s\",\"message\":\"%s\"}", num, id,
		    i % 3 == 0 ? "debug" : "info", msg);
		f[0] = (struct field){ STR("n"), str_c(num), VALUE_NUMBER };
		f[1] = (struct field){ STR("request_id"), str_c(id), VALUE_STRING };
		f[2] = (struct field){ STR("level"), str_c(i % 3 == 0 ? "debug" : "info"),
			VALUE_STRING };
		f[3] = (struct field){ STR("_msg"), str_c(msg), VALUE_STRING };
		rec = (struct record){ .time = { 1700000000 * NS_PER_S + (int64_t)i * NS_PER_MS },
			.stream = STR("{host=\"h\"}"),
			.fields = f,
			.n_fields = 4,
			.flags = RECORD_HAS_TIME,
			.line = str_c(line) };
		r = store_append(s, &rec, 1);
		if (r != 0)
			return r;
	}
	return 0;
}

/* The store at ${where}, to be written. */
static inline struct store *
rows_open(const char *where, struct wall now)
{
	struct store_options opt = { 0 };
	struct store *s = NULL;
	struct buf err = BUF_INIT;
	int r = store_open(&s, where, &opt, now, &err);

	if (r != 0)
		fprintf(stderr, "open: %d %s\n", r, buf_c_str(&err));
	MUST(r == 0);
	buf_fini(&err);
	return s;
}

/* Rows [from, from + n) and the position behind them, committed. */
static inline void
rows_commit(struct store *s, struct wall now, uint64_t from, uint64_t n)
{
	char num[24];

	MUST(rows_append(s, from, n) == 0);
	(void)snprintf(num, sizeof(num), "%" PRIu64, from + n);
	MUST(store_position(s, STR("p"), str_c(num)) == 0);
	MUST(store_commit(s, now) == 0);
}

/* Counts of each number n in [0, cap) as a view gives them. */
struct rows_seen {
	uint8_t *count;
	uint64_t cap, n, n_foreign;
	size_t n_bad_blocks;
};

static inline void
rows_block(struct rows_seen *seen, struct block *b)
{
	struct arena a = ARENA_INIT;
	struct column c;
	char scratch[COLUMN_SCRATCH];
	struct str v;
	uint64_t x;
	size_t i, k;

	if (block_column(b, STR("n"), NULL, 0, &a, &c) != 0) {
		seen->n_bad_blocks++;
		arena_fini(&a);
		return;
	}
	for (i = 0; i < c.n_rows; i++) {
		v = column_value(&c, i, scratch);
		for (x = 0, k = 0; k < v.n; k++)
			x = x * 10 + (uint64_t)(v.p[k] - '0');
		seen->n++;
		if (v.n == 0 || x >= seen->cap || seen->count[x] == 255)
			seen->n_foreign++;
		else
			seen->count[x]++;
	}
	arena_fini(&a);
}

static inline void
rows_of_view(struct rows_seen *seen, struct store_view *v)
{
	struct block *b;
	size_t i;

	memset(seen->count, 0, seen->cap);
	seen->n = seen->n_foreign = 0;
	seen->n_bad_blocks = 0;
	for (i = 0; i < store_view_n_blocks(v); i++) {
		b = NULL;
		if (store_view_open_block(v, i, &b) != 0) {
			seen->n_bad_blocks++;
			continue;
		}
		rows_block(seen, b);
		(void)block_free(b);
	}
}

/* Whether exactly [0, n) are there, once each. */
static inline bool
rows_are(const struct rows_seen *seen, uint64_t n)
{
	uint64_t i;

	if (seen->n_foreign != 0 || seen->n_bad_blocks != 0 || seen->n != n)
		return false;
	for (i = 0; i < seen->cap; i++)
		if (seen->count[i] != (i < n))
			return false;
	return true;
}

static inline void
rows_print_fault(void *ctx, const char *text)
{
	(void)ctx;
	fprintf(stderr, "  fault: %s\n", text);
}

static inline bool
rows_check(const char *path, uint64_t n, uint64_t cap)
{
	struct rows_seen seen = { calloc(cap, 1), cap, 0, 0, 0 };
	struct store_view *v = NULL;
	struct buf err = BUF_INIT;
	bool ok;
	int r = store_view_open(&v, path, &err);

	if (r != 0) {
		fprintf(stderr, "  view: %d %s\n", r, buf_c_str(&err));
		buf_fini(&err);
		free(seen.count);
		return false;
	}
	rows_of_view(&seen, v);
	ok = rows_are(&seen, n) && store_view_faults(v, NULL, NULL) == 0;
	if (!ok) {
		fprintf(stderr,
		    "  want %" PRIu64 " rows, have %" PRIu64 ", %" PRIu64 " foreign, %zu bad\n", n,
		    seen.n, seen.n_foreign, seen.n_bad_blocks);
		(void)store_view_faults(v, rows_print_fault, NULL);
	}
	(void)store_view_free(v);
	buf_fini(&err);
	free(seen.count);
	return ok;
}

/* folder/name on the heap. */
static inline char *
rows_join(const char *folder, const char *name)
{
	size_t n = strlen(folder) + strlen(name) + 2;
	char *path = malloc(n);

	MUST(path != NULL);
	(void)snprintf(path, n, "%s/%s", folder, name);
	return path;
}

static inline void
rows_remove_dir(const char *path)
{
	struct dirent *e;
	DIR *d = opendir(path);
	char *name;

	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		name = rows_join(path, e->d_name);
		/* The store's one folder has files alone. */
		if (unlink(name) < 0)
			rows_remove_dir(name);
		free(name);
	}
	(void)closedir(d);
	(void)rmdir(path);
}

static inline void
rows_copy_file(const char *from, const char *to)
{
	static char bytes[1 << 16];
	FILE *in = fopen(from, "r"), *out;
	size_t n;

	if (in == NULL)
		return;
	out = fopen(to, "w");
	MUST(out != NULL);
	while ((n = fread(bytes, 1, sizeof(bytes), in)) > 0)
		MUST(fwrite(bytes, 1, n, out) == n);
	(void)fclose(in);
	(void)fclose(out);
}

/* cp -r, as a backup would do it while the store is written. */
static inline void
rows_copy_dir(const char *from, const char *to)
{
	struct dirent *e;
	struct stat st;
	char *name, *target;
	DIR *d;

	rows_remove_dir(to);
	(void)mkdir(to, 0755);
	d = opendir(from);
	MUST(d != NULL);
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		name = rows_join(from, e->d_name);
		target = rows_join(to, e->d_name);
		if (stat(name, &st) == 0 && S_ISDIR(st.st_mode))
			rows_copy_dir(name, target);
		else
			rows_copy_file(name, target);
		free(name);
		free(target);
	}
	(void)closedir(d);
}
